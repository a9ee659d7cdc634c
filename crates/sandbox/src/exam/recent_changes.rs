//! The account's recent changes, so that reads can lag behind some kinds of them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::account::{Candidate, ExamWorld};

/// The kind of a change of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Add,
    Modify,
    Move,
    Delete,
}

impl ChangeKind {
    /// The kind of an edit; one that changes values and groups is a modify.
    pub(super) fn of_edit(before: &Candidate, after: &Candidate) -> ChangeKind {
        if before.fields == after.fields { ChangeKind::Move } else { ChangeKind::Modify }
    }

    fn word(self) -> &'static str {
        match self {
            ChangeKind::Add => "add",
            ChangeKind::Modify => "modify",
            ChangeKind::Move => "move",
            ChangeKind::Delete => "delete",
        }
    }
}

#[derive(Debug, Clone)]
struct RecentChange {
    at: Instant,
    kind: ChangeKind,
    sid: i64,
    before: Option<Candidate>,
}

/// What changed lately, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentChanges {
    kept_for: Duration,
    changes: VecDeque<RecentChange>,
}

impl RecentChanges {
    /// Notes a change of one candidate, with what was there before.
    pub(super) fn note(&mut self, kind: ChangeKind, sid: i64, before: Option<Candidate>) {
        if self.kept_for.is_zero() {
            return;
        }
        let now = Instant::now();
        while self.changes.front().is_some_and(|change| now.duration_since(change.at) > self.kept_for) {
            self.changes.pop_front();
        }
        self.changes.push_back(RecentChange { at: now, kind, sid, before });
    }
}

impl ExamWorld {
    /// Keeps changes for so long; zero keeps none.
    pub(crate) fn keep_changes_for(&mut self, time: Duration) {
        self.recent.kept_for = time;
        if time.is_zero() {
            self.recent.changes.clear();
        }
    }

    /// The account without its changes of the last `lag`, all or those of one kind; `None` where there are none.
    pub(crate) fn without_changes_of(&self, lag: Duration, kind: &str) -> Option<ExamWorld> {
        let now = Instant::now();
        let hidden = |change: &&RecentChange| {
            now.duration_since(change.at) < lag && (kind == "all" || change.kind.word() == kind)
        };
        let changes: Vec<RecentChange> = self.recent.changes.iter().rev().filter(hidden).cloned().collect();
        if changes.is_empty() {
            return None;
        }
        let mut past = self.clone();
        past.keep_changes_for(Duration::ZERO);
        for RecentChange { sid, before, .. } in changes {
            match before {
                None => {
                    past.remove(&[sid]);
                }
                Some(before) if past.candidate(sid).is_some() => {
                    past.edit(sid, |candidate| *candidate = before)
                }
                Some(before) => past.insert_as(sid, before),
            }
        }
        Some(past)
    }
}
