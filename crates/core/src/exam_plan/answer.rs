//! What a write call of the exam side is asked and what it answers, free of wire spelling.

use crate::roster::Sid;

/// What `movestugroup` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupAction {
    /// Only in the given groups afterwards.
    MoveTo,
    /// Also in the given groups afterwards.
    AddTo,
    /// No longer in the given groups; fails for a candidate whose last group it would be.
    DeleteFrom,
}

/// What a write call answered: the two lists, read leniently and judged by [`judge_add`](super::judge_add) and its like.
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
