//! Groups into which nobody could be put while other changes went through: their gid is wrong, and no student is.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::{ExamSide, leavers_group};
use crate::run::delivery::ApplyState;
use crate::store::{StateStore, StoreError};
use rosterd_core::exam_plan::{Change, GuardedPlan, KnownGroup, Operation, OperationKind};
use rosterd_core::failure::{FailureCode, OperationKey};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{Gid, GroupCode};

/// One refused student may be the fault of the student.
const FEWEST: usize = 2;

/// How it went with one group.
#[derive(Default)]
struct Group {
    added: Ended,
    moved: Ended,
}

/// How the changes of one kind into one group ended.
#[derive(Default)]
struct Ended {
    refused: Vec<OperationKey>,
    /// Whether any ended otherwise than refused.
    has_others: bool,
}

impl Ended {
    fn note(&mut self, operation: &Operation, outcome: &Outcome) {
        match outcome {
            Outcome::Failed(cause) if cause.code == FailureCode::Refused => {
                self.refused.push(operation.key())
            }
            Outcome::Applied(()) | Outcome::Failed(_) | Outcome::Unknown(_) => self.has_others = true,
            Outcome::Held | Outcome::Unsent(_) => {}
        }
    }
}

/// Blames the groups instead of their students.
pub(super) async fn blame(
    store: &StateStore,
    side: &ExamSide,
    plan: &GuardedPlan,
    state: &ApplyState,
) -> Result<(), StoreError> {
    let mut groups: BTreeMap<Gid, Group> = BTreeMap::new();
    let (mut adds_accepted, mut moves_accepted, mut any_accepted) = (false, false, false);
    for (at, operation) in plan.operations.iter().enumerate() {
        let Some(outcome) = state.outcome(at) else { continue };
        let is_sent = operation.kind() != OperationKind::Adopt;
        any_accepted |= is_sent && outcome.is_applied();
        moves_accepted |= operation.kind() == OperationKind::Move && outcome.is_applied();
        adds_accepted |= operation.kind() == OperationKind::Add && outcome.is_applied();
        let Some(gid) = only_gid(operation) else { continue };
        let group = groups.entry(gid).or_default();
        let ended = if operation.kind() == OperationKind::Add { &mut group.added } else { &mut group.moved };
        ended.note(operation, outcome);
    }
    groups.retain(|_, Group { added, moved }| !added.refused.is_empty() || !moved.refused.is_empty());
    if groups.is_empty() {
        return Ok(());
    }
    let known = store.known_groups().await?;
    let named = store.roster_groups().await?;
    for (gid, Group { added, moved }) in groups {
        if added.has_others || moved.has_others {
            let refused = [added.refused, moved.refused].concat();
            store.blame_students_of_group(&refused, REFUSED_ALONE).await?;
            continue;
        }
        let mender = Mender::of(gid, side, &known);
        if added.refused.len() + moved.refused.len() < FEWEST {
            // One alone may be the fault of the student, where the roster names the gid.
            if !matches!(mender, Mender::Roster) {
                store.say_of_group(&moved.refused, &format!("gid {gid}: {REFUSED_ALONE}: {mender}")).await?;
            }
            continue;
        }
        let once = named.iter().find(|group| group.gid == gid);
        let code = once.map(|group| format!(" (group {})", group.code)).unwrap_or_default();
        let nobody = format!("gid {gid}{code}: the service puts nobody into this group");
        let mut refused = added.refused;
        // What is refused of an add may be a value, unless others are entered. A change of groups sends none.
        if !adds_accepted {
            if !refused.is_empty() && !store.has_members(gid).await? {
                let message = format!(
                    "{nobody}, and nobody else was entered in that run: {mender}; if it is right, each of its students \
                     lacks or has a value that the service refuses"
                );
                store.blame_group(&refused, &message).await?;
            }
            refused.clear();
        }
        // Where a group has members its gid is right, and it is the service that moves nobody, unless another move went through.
        if moves_accepted || (any_accepted && !store.has_members(gid).await?) {
            refused.extend(moved.refused);
        } else {
            store.say_of_group(&moved.refused, &format!("{nobody}: {mender}")).await?;
        }
        let others = if any_accepted { ", and other changes went through" } else { "" };
        let message = format!("{nobody}{others}: {mender}");
        store.blame_group(&refused, &message).await?;
    }
    Ok(())
}

const REFUSED_ALONE: &str = "the service refused to put this student into the group and gave no reason";

/// Where a gid comes from, and so who corrects it.
enum Mender {
    Leavers,
    Created(GroupCode),
    Roster,
}

impl Mender {
    fn of(gid: Gid, side: &ExamSide, known: &HashMap<GroupCode, KnownGroup>) -> Self {
        if leavers_group(side) == Some(gid) {
            return Self::Leavers;
        }
        let codes = known.iter().filter(|(_, group)| group.own_gid() == Some(gid)).map(|(code, _)| code);
        codes.min().map_or(Self::Roster, |code| Self::Created(code.clone()))
    }
}

impl fmt::Display for Mender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leavers => f.write_str("correct exam.leavers, which names it"),
            Self::Created(code) => write!(
                f,
                "rosterd found or created it for group {code}, and it was probably deleted since: enter the gid of another one \
                 at {code} in groups on the roster"
            ),
            Self::Roster => f.write_str("correct the gid in groups"),
        }
    }
}

/// The group that an operation puts its student into, where that is one.
fn only_gid(operation: &Operation) -> Option<Gid> {
    match &operation.change {
        Change::Add(addition) => addition.group.gid(),
        Change::Move(group_move) => {
            let mut joined = group_move.change().groups_joined().into_iter();
            joined.next().filter(|_| joined.next().is_none())
        }
        Change::Adopt(_) | Change::Modify(_) | Change::Delete(_) | Change::Impossible(_) => None,
    }
}
