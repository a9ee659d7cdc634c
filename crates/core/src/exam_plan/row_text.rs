//! A student and a link as borrowed text: how a row is looked at that nothing is kept of.

use super::fingerprint::Fingerprint;
use crate::roster::Sid;

/// Stands between the codes in [`StudentText::codes`].
pub const BETWEEN_CODES: char = '\u{1e}';

/// An active student whose row can be used, as borrowed text.
#[derive(Clone, Copy, Debug)]
pub struct StudentText<'a> {
    /// The student's id.
    pub id: &'a str,
    /// The values one after another, in the mapping's order, each normalised.
    pub values: &'a str,
    /// Where each of them ends.
    pub ends: &'a [usize],
    /// Group codes in ascending order, without repeats.
    pub codes: &'a str,
}

impl<'a> StudentText<'a> {
    /// The value of the mapped field at `at`.
    #[must_use]
    pub fn value(&self, at: usize) -> &'a str {
        let from = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let range = from.zip(self.ends.get(at).copied());
        range.and_then(|(from, to)| self.values.get(from..to)).unwrap_or_default()
    }
}

/// A link about which nothing is noted: its student is not gone, its groups are known, and no field of it is in question
/// or rewritten by the service.
#[derive(Clone, Copy, Debug)]
pub struct LinkText<'a> {
    /// The candidate.
    pub sid: Sid,
    /// The login value.
    pub login: &'a str,
    /// The groups, as they are stored.
    pub gids: &'a str,
    /// What was confirmed of the fields in [`DiffBuilder::fields_told_by_links`](super::DiffBuilder::fields_told_by_links), in that order.
    pub confirmed: &'a [Option<Fingerprint>],
}
