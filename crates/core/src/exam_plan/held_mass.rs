//! Who was held as part of too much at once, by person.
//!
//! A mass is judged by figures, and figures change: newcomers raise the number that a limit is measured against, and who is
//! approved by name, or is back, or was mended, no longer counts. The others are no smaller a doubt for that: whoever repairs the
//! first row of a broken export has said nothing about the rest. They stay held until each is back, or as before, or a person has
//! decided about them, or until an admin sets a limit that allows the whole mass.

use std::collections::{HashMap, HashSet};

use super::Plan;
use super::fingerprint::Fingerprint;
use super::kind::OperationKind;
use super::operation::Operation;
use super::recent_writes::size;
use crate::roster::{Gid, GroupCode, StudentId};

/// A limit that counts people, and holds all of them where they are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MassLimit {
    /// Leavers whose time has come.
    Deletes,
    /// Leavers who went missing together.
    Missing,
    /// Students whose values change.
    Modifies,
    /// Students whose login values change.
    LoginChanges,
    /// Students whose candidates no longer exist.
    Vanished,
    /// Students who are taken out of groups.
    Moves,
    /// People who leave this group.
    Group(Gid),
    /// Students who leave one class of ClassIn.
    Class,
    /// Candidates that are overwritten when they are taken over.
    Overwrites,
    /// Students entered into an account in which hardly anybody is known.
    FirstContact,
    /// Groups of the roster without a gid that are to be created.
    NewGroups,
    /// Students who have the values of leavers who went missing together.
    Renumbered,
}

impl MassLimit {
    /// Its word for programs and for the state database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Deletes => "max-delete",
            Self::Missing => "missing",
            Self::Modifies => "max-modify",
            Self::LoginChanges => "login-changes",
            Self::Vanished => "vanished",
            Self::Moves => "max-move",
            Self::Group(_) | Self::Class => "max-group",
            Self::Overwrites => "take-overs",
            Self::FirstContact => "first-contact",
            Self::NewGroups => "new-groups",
            Self::Renumbered => "renumbered",
        }
    }

    /// The group whose limit it is.
    #[must_use]
    pub fn group(self) -> Option<Gid> {
        match self {
            Self::Group(gid) => Some(gid),
            Self::Deletes
            | Self::Missing
            | Self::Modifies
            | Self::LoginChanges
            | Self::Vanished
            | Self::Moves
            | Self::Class
            | Self::Overwrites
            | Self::FirstContact
            | Self::NewGroups
            | Self::Renumbered => None,
        }
    }

    /// Reads [`MassLimit::code`] and [`MassLimit::group`] back.
    #[must_use]
    pub fn parse(code: &str, group: Option<Gid>) -> Option<Self> {
        let without_group = [
            Self::Deletes,
            Self::Missing,
            Self::Modifies,
            Self::LoginChanges,
            Self::Vanished,
            Self::Moves,
            Self::Overwrites,
            Self::FirstContact,
            Self::NewGroups,
            Self::Renumbered,
        ];
        let of_one = group.map_or(Self::Class, Self::Group);
        without_group.into_iter().chain([of_one]).find(|limit| limit.code() == code)
    }
}

/// One of those who were too many, and by which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMass {
    /// What was exceeded.
    pub limit: MassLimit,
    /// Of how many people there were too many.
    pub total: u64,
    /// How many they were at most.
    pub size: u64,
}

/// The people of the masses that were held.
#[derive(Clone, Debug, Default)]
pub struct HeldMasses {
    leavers: HashMap<StudentId, HeldMass>,
    /// Whatever is wanted of them by now: another value in another cell decides nothing about what was held.
    operations: HashMap<(StudentId, OperationKind), HeldMass>,
    /// What a person has let go, which is held again where that has run out.
    let_go: HashMap<(StudentId, OperationKind, Fingerprint), HeldMass>,
    /// Groups that were too many to be created at once.
    groups: HashMap<GroupCode, HeldMass>,
    /// Those whom a person has let go, however that has ended.
    decided: HashMap<MassLimit, HashSet<StudentId>>,
}

impl HeldMasses {
    /// Adds a leaver: whatever is to be done to them, they belong to the mass.
    pub fn insert_leaver(&mut self, student: StudentId, mass: HeldMass) {
        self.leavers.insert(student, mass);
    }

    /// Adds a student who is on the roster, by what was to be done to them.
    pub fn insert(&mut self, student: StudentId, kind: OperationKind, mass: HeldMass) {
        self.operations.insert((student, kind), mass);
    }

    /// Adds what a person has let go: just that.
    pub fn insert_let_go(
        &mut self,
        student: StudentId,
        kind: OperationKind,
        want: Fingerprint,
        mass: HeldMass,
    ) {
        self.let_go.insert((student, kind, want), mass);
    }

    /// Adds a group that was to be created.
    pub fn insert_group(&mut self, code: GroupCode, mass: HeldMass) {
        self.groups.insert(code, mass);
    }

    pub(super) fn of_group(&self, code: &GroupCode) -> Option<&HeldMass> {
        self.groups.get(code)
    }

    /// A person has let one of them go.
    pub fn decide(&mut self, student: StudentId, limit: MassLimit) {
        self.decided.entry(limit).or_default().insert(student);
    }

    /// How many of those that this limit held were let go.
    pub(super) fn decided(&self, limit: MassLimit) -> u64 {
        self.decided.get(&limit).map_or(0, size)
    }

    pub(super) fn of_leaver(&self, student: &StudentId) -> Option<&HeldMass> {
        self.leavers.get(student)
    }

    pub(super) fn of(&self, operation: &Operation) -> Option<&HeldMass> {
        if operation.of_leaver {
            return self.of_leaver(&operation.student);
        }
        if self.operations.is_empty() && self.let_go.is_empty() {
            return None;
        }
        let (student, kind) = (operation.student.clone(), operation.kind());
        let held = self.operations.get(&(student.clone(), kind));
        held.or_else(|| self.let_go.get(&(student, kind, operation.desired_hash)))
    }

    /// How many people of each mass there are of whom a plan still wants what was held.
    pub(super) fn people(&self, plan: &Plan) -> HashMap<MassLimit, u64> {
        let mut people: HashMap<MassLimit, HashSet<&StudentId>> = HashMap::new();
        let operations = plan.operations.iter().map(|operation| (&operation.student, self.of(operation)));
        let leavers = plan.missing.iter().map(|leaver| (leaver.student(), self.of_leaver(leaver.student())));
        let vanished =
            plan.given_up.iter().map(|closing| (&closing.student, self.of_leaver(&closing.student)));
        for (student, mass) in operations.chain(leavers).chain(vanished) {
            if let Some(mass) = mass {
                people.entry(mass.limit).or_default().insert(student);
            }
        }
        people
            .into_iter()
            .map(|(limit, people)| (limit, people.len().try_into().unwrap_or(u64::MAX)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_back_from_its_word_and_its_group() {
        let limits = [
            MassLimit::Deletes,
            MassLimit::Missing,
            MassLimit::Modifies,
            MassLimit::LoginChanges,
            MassLimit::Vanished,
            MassLimit::Moves,
            MassLimit::Group(Gid(7)),
            MassLimit::Class,
            MassLimit::Overwrites,
            MassLimit::FirstContact,
            MassLimit::NewGroups,
            MassLimit::Renumbered,
        ];
        for limit in limits {
            assert_eq!(MassLimit::parse(limit.code(), limit.group()), Some(limit));
        }
        assert_eq!(MassLimit::parse("group-to-zero", None), None);
    }
}
