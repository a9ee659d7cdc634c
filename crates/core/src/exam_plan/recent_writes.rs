//! The look back: whom the limits count of the last 24 hours.

use std::collections::{BTreeMap, HashSet};

use crate::roster::{Gid, StudentId};

/// How far limits look back, in milliseconds.
pub const LOOK_BACK_MS: i64 = 24 * 60 * 60 * 1000;

/// What a limit counts people by. The words are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountedWrite {
    /// A leaver's candidate was deleted, or moved as leavers are.
    Dismissal,
    /// Values of a linked candidate were changed.
    Modify,
    /// A linked candidate got another login value.
    LoginChange,
    /// The link to a candidate that no longer exists was replaced or given up.
    Vanished,
    /// A student who stays was taken out of a group.
    Move,
    /// A candidate was taken over.
    TakeOver,
    /// Values of a candidate that was taken over were overwritten.
    Overwrite,
}

impl CountedWrite {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 7] = [
        Self::Dismissal,
        Self::Modify,
        Self::LoginChange,
        Self::Vanished,
        Self::Move,
        Self::TakeOver,
        Self::Overwrite,
    ];

    /// The word for it in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dismissal => "dismissal",
            Self::Modify => "modify",
            Self::LoginChange => "login-change",
            Self::Vanished => "vanished",
            Self::Move => "move",
            Self::TakeOver => "take-over",
            Self::Overwrite => "overwrite",
        }
    }

    /// Reads [`CountedWrite::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|write| write.as_str() == word)
    }
}

/// The people of the last 24 hours whom nobody approved, by what was written for them. Each counts once,
/// however many calls there were.
#[derive(Clone, Debug, Default)]
pub struct RecentWrites {
    people: BTreeMap<CountedWrite, HashSet<StudentId>>,
    left: BTreeMap<Gid, HashSet<StudentId>>,
    joined: BTreeMap<Gid, HashSet<StudentId>>,
    added: BTreeMap<Gid, u64>,
    entered: HashSet<StudentId>,
    sent_dismissals: HashSet<StudentId>,
}

impl RecentWrites {
    /// Adds one person who was written for.
    pub fn record(&mut self, write: CountedWrite, student: StudentId) {
        self.people.entry(write).or_default().insert(student);
    }

    /// Adds one person who left a group, as a leaver or not.
    pub fn record_left(&mut self, gid: Gid, student: StudentId) {
        self.left.entry(gid).or_default().insert(student);
    }

    /// Adds one person who was put into a group, approved or not.
    pub fn record_joined(&mut self, gid: Gid, student: StudentId) {
        self.joined.entry(gid).or_default().insert(student);
    }

    /// Adds people who were entered into a group and are in it.
    pub fn record_added(&mut self, gid: Gid, people: u64) {
        let added = self.added.entry(gid).or_default();
        *added = added.saturating_add(people);
    }

    /// Adds one person who was entered, of those whom a plan takes out of a group.
    pub fn record_entered(&mut self, student: StudentId) {
        self.entered.insert(student);
    }

    /// Whether this person has come into a group, as somebody new or from another one.
    #[must_use]
    pub fn came(&self, gid: Gid, student: &StudentId) -> bool {
        self.entered.contains(student) || self.joined.get(&gid).is_some_and(|people| people.contains(student))
    }

    /// The number of people who have come into a group and have not left it again.
    #[must_use]
    pub fn count_newcomers(&self, gid: Gid) -> u64 {
        let joined = self.joined.get(&gid).into_iter().flatten();
        let joined: HashSet<_> = joined.filter(|student| !self.has_left(gid, student)).collect();
        size(&joined).saturating_add(self.added.get(&gid).copied().unwrap_or(0))
    }

    /// Adds one leaver for whom a delete was sent, approved or not: where their candidate is gone, that is why.
    pub fn record_sent_dismissal(&mut self, student: StudentId) {
        self.sent_dismissals.insert(student);
    }

    /// Whether a delete of ours explains that this leaver's candidate is gone.
    #[must_use]
    pub fn has_sent_dismissal(&self, student: &StudentId) -> bool {
        self.sent_dismissals.contains(student) || self.has(CountedWrite::Dismissal, student)
    }

    /// The number of people who were written for.
    #[must_use]
    pub fn count(&self, write: CountedWrite) -> u64 {
        self.people.get(&write).map_or(0, size)
    }

    /// Whether this person was written for.
    #[must_use]
    pub fn has(&self, write: CountedWrite, student: &StudentId) -> bool {
        self.people.get(&write).is_some_and(|people| people.contains(student))
    }

    /// The number of people who left a group.
    #[must_use]
    pub fn count_left(&self, gid: Gid) -> u64 {
        self.left.get(&gid).map_or(0, size)
    }

    /// Whether this person left a group.
    #[must_use]
    pub fn has_left(&self, gid: Gid, student: &StudentId) -> bool {
        self.left.get(&gid).is_some_and(|people| people.contains(student))
    }
}

/// How many people these are.
pub(super) fn size<T>(people: &HashSet<T>) -> u64 {
    u64::try_from(people.len()).unwrap_or(u64::MAX)
}
