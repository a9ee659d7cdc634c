//! Write calls of the exam side and their answers, free of wire spelling.

use crate::roster::Sid;

/// The three ways in which `movestugroup` changes groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupAction {
    /// Only in the given groups afterwards.
    MoveTo,
    /// Also in the given groups afterwards.
    AddTo,
    /// No longer in the given groups. Fails for a candidate that would lose its last group.
    DeleteFrom,
}

/// The answer to a write call: the two lists, read leniently and judged by [`judge_add`](super::judge_add)
/// and [`judge_by_sid`](super::judge_by_sid).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteAnswer {
    /// Whether `status` was `"ok"`. A partial failure may be either way.
    pub status_ok: bool,
    /// Entries of `success` that are objects with `sid` and `index` (addStudents).
    pub added: Vec<(Sid, i64)>,
    /// Entries of `success` that are bare sids (the other calls).
    pub changed: Vec<Sid>,
    /// Entries of `fail` that are numbers or numeric strings, or objects with a numeric `index`.
    pub fail: Vec<i64>,
    /// Entries of `fail` that are anything else.
    pub fail_unreadable: usize,
    /// Whether either list (or, with `status` not ok, an error text) was there at all.
    pub lists_present: bool,
    /// The service's own text for a call refused as a whole. May quote what was sent: mask before keeping.
    pub message: Option<String>,
}
