//! Listed candidates whose login values differ from others only in the way they are written: many services take them for one.

use std::collections::HashMap;

use super::fingerprint::RunHasher;
use super::observed::{Observed, Row};
use crate::roster::{LoginLikeness, LoginValue};

/// Rows whose login value is not its own likeness, by the hash of that. Most are: they are found by their login values.
#[derive(Debug, Default)]
pub(super) struct WrittenOtherwise(HashMap<u64, u32>);

impl WrittenOtherwise {
    /// Notes the login value (in normal form) of a row.
    pub(super) fn note(&mut self, hasher: &RunHasher, login: &str, row: u32) {
        if let Some(likeness) = LoginLikeness::unlike(&LoginValue::new(login)) {
            self.0.entry(hasher.login(likeness.as_str())).or_insert(row);
        }
    }
}

impl Observed {
    /// A candidate whose login value differs from this one only in the way it is written, where none has this very one.
    #[must_use]
    pub fn find_alike(&self, login: &LoginValue) -> Option<Row> {
        if self.find(login).is_some() {
            return None;
        }
        let hash = self.hasher().login(LoginLikeness::of(login).as_str());
        self.find_hash(hash).or_else(|| self.written_otherwise.0.get(&hash).copied().map(Row))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;
    use crate::exam_plan::{Listing, ObservedBuilder};

    #[test]
    fn a_candidate_whose_login_value_is_only_written_otherwise_is_found() {
        let mut builder = ObservedBuilder::new(RunHasher::new(RandomState::new()), vec![], 0);
        let listed = ["Anna@S.Test", "bert@s.test", "+86 138-0000-0001", "13900000001"];
        builder.total(4);
        for login in listed {
            builder.row(login, &[]);
        }
        let Listing::Complete(observed, _) = builder.close() else { panic!("complete") };
        let alike = |login: &str| observed.find_alike(&LoginValue::new(login)).map(|row| listed[row.index()]);
        assert_eq!(alike("anna@s.test"), Some("Anna@S.Test"));
        assert_eq!(alike("BERT@s.test"), Some("bert@s.test"));
        assert_eq!(alike("13800000001"), Some("+86 138-0000-0001"));
        assert_eq!(alike("139 0000 0001"), Some("13900000001"));
        assert_eq!(alike("bert@s.test"), None, "it is there itself");
        assert_eq!(alike("berta@s.test"), None);
    }
}
