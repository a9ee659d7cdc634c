//! One intended change for one student, and its state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::certificate::Certificate;
use super::fingerprint::Fingerprint;
use super::group_change::{GroupChange, TargetGroup};
use super::groups::WantedGroups;
use super::kind::OperationKind;
use super::link::Origin;
use super::reason::{CannotReason, HoldReason, SkipReason};
use super::recent_writes::CountedWrite;
use super::second_write::SecondWrite;
use crate::failure::OperationKey;
use crate::roster::{FieldId, Gid, GroupCode, LoginValue, Sid, StudentId};

/// One intended change.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The student.
    pub student: StudentId,
    /// What.
    pub change: Change,
    /// Whether it may go ahead.
    pub state: OperationState,
    /// Identifies the desired change: the same change has the same hash in every run.
    pub desired_hash: Fingerprint,
    /// Whether it takes something from a student who left; counts against the delete limit.
    pub of_leaver: bool,
    /// The roster's groups that a candidate of ours stops being in: the guard lets none of them go empty.
    pub groups_left: BTreeSet<Gid>,
    /// The roster's groups that it concerns, for a person to recognise what is held.
    pub groups: BTreeSet<Gid>,
}

impl Operation {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.change.kind()
    }

    /// How failures, intents and approvals name it.
    #[must_use]
    pub fn key(&self) -> OperationKey {
        OperationKey::of(self.kind(), self.student.clone())
    }

    /// Whether it may go ahead.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.state == OperationState::Planned
    }

    /// The groups that have to be created before it.
    pub fn awaited_groups(&self) -> impl Iterator<Item = &GroupCode> {
        let (first, change) = match &self.change {
            Change::Add(addition) => (Some(&addition.group), None),
            Change::Move(group_move) => (None, Some(group_move.change())),
            Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => (None, None),
        };
        let targets = first.into_iter().chain(change.into_iter().flat_map(GroupChange::targets));
        targets.filter_map(TargetGroup::awaited)
    }
}

/// The change itself, with everything needed to make it.
#[derive(Clone)]
pub enum Change {
    /// See [`OperationKind::Adopt`].
    Adopt(Adoption),
    /// See [`OperationKind::Add`].
    Add(Addition),
    /// See [`OperationKind::Modify`].
    Modify(Modification),
    /// See [`OperationKind::Move`].
    Move(GroupMove),
    /// See [`OperationKind::Delete`].
    Delete(Deletion),
    /// Wanted, but a row of the roster or the other side makes it impossible to say how.
    Impossible(OperationKind),
}

impl Change {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Adopt(_) => OperationKind::Adopt,
            Self::Add(_) => OperationKind::Add,
            Self::Modify(_) => OperationKind::Modify,
            Self::Move(_) => OperationKind::Move,
            Self::Delete(_) => OperationKind::Delete,
            Self::Impossible(kind) => *kind,
        }
    }

    /// Whether it moves a candidate that the same plan takes over.
    #[must_use]
    pub fn is_take_over(&self) -> bool {
        matches!(self, Self::Move(group_move) if group_move.is_take_over)
    }

    /// The login value that changes, where one does.
    #[must_use]
    pub fn login(&self) -> Option<&LoginChange> {
        match self {
            Self::Modify(modification) => modification.login.as_ref(),
            Self::Adopt(_) | Self::Add(_) | Self::Move(_) | Self::Delete(_) | Self::Impossible(_) => None,
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Change({})", self.kind())
    }
}

/// Taking over a candidate.
#[derive(Clone)]
pub struct Adoption {
    /// The candidate.
    pub sid: Sid,
    /// Its login value.
    pub login: LoginValue,
    /// Added where our own lost call entered it, adopted otherwise.
    pub origin: Origin,
    /// Values found equal or left alone, to be remembered.
    pub confirmed: BTreeMap<FieldId, Fingerprint>,
    /// Its groups, as looked up in this run, where the answer told them.
    pub groups: Option<BTreeSet<Gid>>,
    /// The candidate that is linked and no longer exists, when this takes its place.
    pub replaces: Option<Sid>,
    /// The candidate that was deleted after the student had left, when this is their return.
    pub previous_sid: Option<Sid>,
}

/// Entering a candidate.
#[derive(Clone)]
pub struct Addition {
    /// The login value, not listed in this run.
    pub login: LoginValue,
    /// The first group.
    pub group: TargetGroup,
    /// All values, the login field's among them, empty ones left out.
    pub values: Vec<(FieldId, String)>,
    /// The candidate that was deleted by hand, if this adds its student again.
    pub replaces: Option<Sid>,
    /// The candidate that was deleted after the student had left, when this is their return.
    pub previous_sid: Option<Sid>,
}

/// Changing values.
#[derive(Clone)]
pub struct Modification {
    /// The candidate.
    pub sid: Sid,
    /// Changed values other than the login value, with their roster columns.
    pub values: Vec<FieldChange>,
    /// The new login value, when that changes.
    pub login: Option<LoginChange>,
    /// The other values that the roster has, for an account that is not known to keep what a change does not name.
    pub others: Vec<(FieldId, String)>,
    /// Whether it only sends once more what an earlier call wrote and the listing does not show: nothing new
    /// is wanted by it.
    pub again: bool,
    /// Values among them, the login value too, that came back changed from a first write.
    pub second_writes: BTreeMap<FieldId, SecondWrite>,
    /// What the guard counts it as; nothing where it only repeats the values last confirmed.
    pub counts_as: Vec<CountedWrite>,
}

/// One changed value.
#[derive(Clone)]
pub struct FieldChange {
    /// The roster's column.
    pub column: String,
    /// The exam side's field.
    pub id: FieldId,
    /// The wanted value; empty clears.
    pub value: String,
}

/// A login value that changes.
#[derive(Clone)]
pub struct LoginChange {
    /// The roster's column of the login value.
    pub column: String,
    /// The login field.
    pub id: FieldId,
    /// From.
    pub from: LoginValue,
    /// To.
    pub to: LoginValue,
    /// The student whose candidate has it now and gives it up in the same plan.
    pub held_by: Option<StudentId>,
}

/// Removing a candidate for good. Made only from proof that both sides were read completely.
#[derive(Clone, Copy, Debug)]
pub struct Deletion {
    sid: Sid,
}

impl Deletion {
    /// Requires proof that listing and roster are complete.
    #[must_use]
    pub fn certified(sid: Sid, _proof: &Certificate) -> Self {
        Self { sid }
    }

    /// The candidate.
    #[must_use]
    pub fn sid(self) -> Sid {
        self.sid
    }
}

/// Changes groups: to those that the roster wants for a student, or of a leaver with proof that they left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMove {
    sid: Option<Sid>,
    change: GroupChange,
    wanted: BTreeSet<TargetGroup>,
    is_take_over: bool,
    replaced: BTreeMap<Gid, Gid>,
}

impl GroupMove {
    /// Towards the groups that the roster wants for a student; `sid` is absent for a student that the same
    /// plan adds.
    #[must_use]
    pub fn of_student(sid: Option<Sid>, wanted: &WantedGroups, group_change: GroupChange) -> Self {
        let (wanted, replaced) = (wanted.targets(), BTreeMap::new());
        Self { sid, change: group_change, wanted, is_take_over: false, replaced }
    }

    /// For a student who left the roster; requires proof that both reads were complete.
    #[must_use]
    pub fn of_leaver(sid: Sid, group_change: GroupChange, _proof: &Certificate) -> Self {
        let (sid, wanted, replaced) = (Some(sid), BTreeSet::new(), BTreeMap::new());
        Self { sid, change: group_change, wanted, is_take_over: false, replaced }
    }

    /// The candidate; absent for a student that the same plan adds.
    #[must_use]
    pub fn sid(&self) -> Option<Sid> {
        self.sid
    }

    /// How.
    #[must_use]
    pub fn change(&self) -> &GroupChange {
        &self.change
    }

    /// All groups that the roster wants for a student; none for a leaver.
    #[must_use]
    pub fn wanted(&self) -> &BTreeSet<TargetGroup> {
        &self.wanted
    }

    /// Groups held that wanted ones were until the roster gave them another gid, each with that gid.
    #[must_use]
    pub fn replaced(&self) -> &BTreeMap<Gid, Gid> {
        &self.replaced
    }

    /// The same, where these groups got another gid.
    #[must_use]
    pub fn replacing(self, replaced: BTreeMap<Gid, Gid>) -> Self {
        Self { replaced, ..self }
    }

    /// The same, of a candidate that the same plan takes over.
    pub(super) fn take_over(&mut self) {
        self.is_take_over = true;
    }

    /// The same candidate, moved by another change.
    pub(super) fn with_change(&self, change: GroupChange, wanted: BTreeSet<TargetGroup>) -> Self {
        let Self { sid, is_take_over, replaced, .. } = self.clone();
        Self { sid, change, wanted, is_take_over, replaced }
    }
}

/// Whether an operation may go ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// It may.
    Planned,
    /// The guard holds it until a person approves.
    Held(HoldReason),
    /// Not in this run.
    Skipped(SkipReason),
    /// Impossible until the named cause is fixed.
    Cannot(CannotReason),
}
