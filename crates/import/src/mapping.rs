//! Other people's column names, put in the place of ours by `--map ours=theirs`.

use super::shown;
use super::table::Headers;
use rosterd_core::roster::normalise;

/// A mapping of a school's column names to ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap(Vec<(String, String)>);

/// A fault of a mapping, with the number of the column or 1.
pub(super) struct MapFault {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl ColumnMap {
    /// A mapping of pairs, ours first.
    #[must_use]
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let normal = |text: String| normalise(&text).into_owned();
        Self(pairs.into_iter().map(|(ours, theirs)| (normal(ours), normal(theirs))).collect())
    }

    /// True when nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a column of ours is mapped.
    pub(super) fn names(&self, ours: &str) -> bool {
        self.0.iter().any(|(mapped, _)| mapped == ours)
    }

    /// The pairs, ours first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str()))
    }

    /// Calls the columns by our names. Of the others, those in `own` are left as they are, and the rest get
    /// an empty name and are returned: they are skipped.
    pub(super) fn rename(&self, headers: &mut Headers, own: &[&str]) -> Result<Vec<String>, Vec<MapFault>> {
        let mut faults = Vec::new();
        let mut named: Vec<Option<&str>> = vec![None; headers.names.len()];
        for (ours, theirs) in self.pairs() {
            let exact = headers.names.iter().position(|name| name == theirs);
            let alike = || headers.names.iter().position(|name| name.to_lowercase() == theirs.to_lowercase());
            match exact.or_else(alike).and_then(|at| named.get_mut(at)) {
                Some(slot @ None) => *slot = Some(ours),
                Some(Some(_)) => faults.push(MapFault {
                    code: "mapped-twice",
                    message: format!("--map names the column {} twice", shown(theirs)),
                }),
                None => faults.push(MapFault {
                    code: "missing-column",
                    message: format!("there is no column {}, which --map names", shown(theirs)),
                }),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut skipped = Vec::new();
        for (name, mapped) in headers.names.iter_mut().zip(named) {
            match mapped {
                Some(ours) => ours.clone_into(name),
                None if own.iter().any(|own| own.eq_ignore_ascii_case(name)) && !self.names(name) => {}
                None if name.is_empty() => {}
                None => skipped.push(shown(&std::mem::take(name))),
            }
        }
        Ok(skipped)
    }
}
