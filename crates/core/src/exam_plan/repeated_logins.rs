//! Login values that several rows of one reading have in common.
//!
//! Two rows that differ as they were sent and fall together once normalised are two candidates: no shift of a page
//! makes those. Two rows that are alike as they were sent may be one row that was shown twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fingerprint::{Fingerprint, MemoryKey};
use crate::roster::LoginValue;

/// The repeated login values of one reading, by their hash of this run.
#[derive(Debug, Default)]
pub(super) struct RepeatedLogins {
    /// Rows whose login value was sent in another form than the normal one, with a hash of that form.
    sent_otherwise: HashMap<u32, u64>,
    repeated: HashMap<u64, RepeatedLogin>,
    /// Whether rows that are alike as they were sent are several candidates, and no page that shifted.
    alike_believed: bool,
}

#[derive(Debug)]
struct RepeatedLogin {
    login: LoginValue,
    /// Hashes of the forms in which the rows were sent.
    forms: Vec<u64>,
}

impl RepeatedLogins {
    /// Notes that a row was sent in another form than the normal one.
    pub(super) fn sent_otherwise(&mut self, row: u32, form: u64) {
        self.sent_otherwise.insert(row, form);
    }

    /// Notes that a row has the login value of an earlier one.
    pub(super) fn repeat(&mut self, first: u32, row: u32, login: &str, hash: u64) {
        let form = |row: u32| self.sent_otherwise.get(&row).copied().unwrap_or(hash);
        let (first, form) = (form(first), form(row));
        let entry = self.repeated.entry(hash);
        let repeated =
            entry.or_insert_with(|| RepeatedLogin { login: LoginValue::new(login), forms: vec![first] });
        repeated.forms.push(form);
    }

    /// Takes rows that are alike as they were sent for several candidates.
    pub(super) fn believe_alike(&mut self) {
        self.alike_believed = true;
    }

    /// Whether several candidates have this login value.
    pub(super) fn is_ambiguous(&self, hash: u64) -> bool {
        let several = |login: &RepeatedLogin| self.alike_believed || login.distinct() > 1;
        !self.repeated.is_empty() && self.repeated.get(&hash).is_some_and(several)
    }

    /// Rows that repeat an earlier one as it was sent.
    pub(super) fn rows_alike(&self) -> u64 {
        let alike = self.repeated.values().map(|login| login.forms.len() - login.distinct());
        u64::try_from(alike.sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// The login values with rows that are alike as they were sent.
    pub(super) fn pattern(&self, key: &MemoryKey) -> RepeatPattern {
        let alike = self.repeated.values().filter(|login| login.distinct() < login.forms.len());
        let rows = |login: &RepeatedLogin| u64::try_from(login.forms.len()).unwrap_or(u64::MAX);
        RepeatPattern(alike.map(|login| (fingerprint(key, &login.login), rows(login))).collect())
    }
}

impl RepeatedLogin {
    fn distinct(&self) -> usize {
        self.forms.iter().collect::<BTreeSet<_>>().len()
    }
}

fn fingerprint(key: &MemoryKey, login: &LoginValue) -> Fingerprint {
    let mut digest = key.digest("repeated login value");
    digest.text(login.as_str());
    digest.finish()
}

/// The login values that one reading shows more than once, as keyed fingerprints with the number of their rows. Two
/// readings with one pattern show the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatPattern(pub BTreeMap<Fingerprint, u64>);
