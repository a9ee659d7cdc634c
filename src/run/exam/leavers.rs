//! Leavers who stay, and whether the account is other schools' too. What becomes of each is decided by the plan.

use std::collections::BTreeSet;

use super::ExamSide;
use crate::run::Context;
use crate::run::attention::{Attention, WAITING_LEAVERS, waiting_leavers};
use crate::run::report::ServiceReport;
use crate::store::{StateStore, StoreError, former_group_key};
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::{
    Change, Diff, Difference, FormerGroup, GroupBook, Operation, OperationState, Plan, SkipReason,
};
use rosterd_core::failure::FailureOwner;
use rosterd_core::roster::{Gid, RosterProblem};

/// The fact that says whether an earlier version left somebody in a group of others.
const LEFT_TO_OTHERS: &str = "exam.left_to_others";

/// A run of this version has yet to find it out.
const UNKNOWN: &str = "unknown";

const YES: &str = "yes";

/// Whether other schools use the account, and where that is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// `exam.shared` says so.
    Written(bool),
    /// Nobody wrote it, and nothing speaks for it.
    NotShared,
    /// Nobody wrote it, and an earlier version left somebody in a group of others.
    AsBefore,
}

impl Sharing {
    pub(super) fn is_shared(self) -> bool {
        match self {
            Self::Written(shared) => shared,
            Self::NotShared => false,
            Self::AsBefore => true,
        }
    }
}

/// Whether other schools use the account. What earlier versions did counts until the setting is written.
pub(super) async fn sharing(
    context: &Context,
    side: &ExamSide,
    diff: &Diff,
    groups: &GroupBook,
) -> Result<Sharing, StoreError> {
    if let Some(shared) = side.settings.shared {
        return Ok(Sharing::Written(shared));
    }
    let remembered = context.state.fact(LEFT_TO_OTHERS).await?;
    let is_as_before = match remembered.as_deref() {
        Some(YES) => true,
        Some(UNKNOWN) => diff.differences.iter().any(|difference| is_left_to_others(difference, groups)),
        Some(_) | None => false,
    };
    Ok(if is_as_before { Sharing::AsBefore } else { Sharing::NotShared })
}

/// Whether other schools use the account, as far as it is known without the roster: where an earlier version may have
/// left somebody in a group of others, that is said.
///
/// # Errors
/// When our own database cannot be read.
pub async fn exam_account_is_shared(state: &StateStore, written: Option<bool>) -> Result<bool, StoreError> {
    match written {
        Some(shared) => Ok(shared),
        None => Ok(matches!(state.fact(LEFT_TO_OTHERS).await?.as_deref(), Some(YES | UNKNOWN))),
    }
}

/// Whether a candidate is in no group of ours any more although an earlier run saw its student gone.
fn is_left_to_others(difference: &Difference, groups: &GroupBook) -> bool {
    let Difference::Leaver(leaver) = difference else { return false };
    let held = leaver.link.groups.as_ref().filter(|held| !held.is_empty());
    leaver.link.gone_since_ms.is_some() && held.is_some_and(|held| groups.ours_among(held).is_empty())
}

/// Writes down what was found out about earlier versions.
pub(super) async fn remember_sharing(context: &Context, sharing: Sharing) -> Result<(), StoreError> {
    let found = match sharing {
        Sharing::Written(_) => return Ok(()),
        Sharing::NotShared => None,
        Sharing::AsBefore => Some(YES),
    };
    if context.state.fact(LEFT_TO_OTHERS).await?.as_deref() == Some(UNKNOWN) {
        context.state.remember(LEFT_TO_OTHERS, found).await?;
    }
    Ok(())
}

/// Says who stays, who is still in a group of an earlier roster, and who only waits for another mode.
pub(super) fn describe(
    plan: &Plan,
    sharing: Sharing,
    ignored_groups: &BTreeSet<String>,
    report: &mut ServiceReport,
) {
    let kept = &plan.totals.kept;
    report.leavers_kept = kept.as_set.saturating_add(kept.stay);
    if kept.stay > 0 {
        let what = kept.to_string();
        let attention = Attention::new(kept.stay, kept.since_ms, FailureOwner::It, what);
        report.attention.insert("kept-leavers", attention);
    }
    let waiting = plan.totals.leavers_waiting.saturating_sub(held_while_they_wait(plan));
    if waiting > 0 {
        let attention = waiting_leavers(waiting, plan.totals.leavers_waiting_since_ms);
        report.attention.insert(WAITING_LEAVERS, attention);
    }
    // Whoever is held in a group whose gid is asked about is told as that.
    let questioned: BTreeSet<Gid> = plan.questioned_groups().into_iter().map(|(was, _)| was).collect();
    let former = plan.totals.former_groups.iter().filter(|group| !questioned.contains(&group.gid));
    let former: Vec<&FormerGroup> = former.collect();
    // Where the row of a group cannot be read, its gid has not gone.
    let is_unclear = report.roster_rows.iter().flatten().any(|row| row.table == "groups");
    if !former.is_empty() && !is_unclear {
        let is_told = |group: &&FormerGroup| !ignored_groups.contains(&former_group_key(group.gid));
        let told: Vec<&FormerGroup> = former.iter().copied().filter(is_told).collect();
        if !told.is_empty() {
            let students = told.iter().map(|group| group.students).sum();
            let since_ms = told.iter().filter_map(|group| group.until_ms).min();
            let attention = Attention::new(students, since_ms, FailureOwner::It, in_former_groups(&told));
            report.attention.insert("former-groups", attention);
        }
        report
            .roster_rows
            .get_or_insert_default()
            .extend(former.iter().map(|group| row_of_former_group(group)));
    }
    let unneeded = plan.operations.iter().filter(|operation| operation.of_leaver);
    let waiting =
        unneeded.filter(|it| matches!(it.state, OperationState::Skipped(SkipReason::Mode(_)))).count();
    if waiting > 0 {
        let count = u64::try_from(waiting).unwrap_or(u64::MAX);
        let verb = if count == 1 { "stays" } else { "stay" };
        let what = format!("{} {verb}: sync.mode does not handle leavers", counted(count, "leaver"));
        report.attention.insert(
            "leavers",
            Attention::new(count, plan.totals.leavers_of_mode_since_ms, FailureOwner::It, what),
        );
    }
    if sharing == Sharing::AsBefore {
        let what = "exam.shared is not written in the configuration, and an earlier version left leavers in groups that \
                    are not on the roster: it counts as true; write true, or false if no other school uses the account";
        let attention = Attention::new(1, None, FailureOwner::It, what.to_owned());
        report.attention.insert("shared-not-written", attention);
    }
}

/// Leavers of a mass are held while they wait: they are told as that.
fn held_while_they_wait(plan: &Plan) -> u64 {
    let is_held = |operation: &&Operation| {
        operation.of_leaver
            && matches!(operation.change, Change::Impossible(_))
            && matches!(operation.state, OperationState::Held(_))
    };
    u64::try_from(plan.operations.iter().filter(is_held).count()).unwrap_or(u64::MAX)
}

/// The run that finds it says so among the failures. How many they are changes, and that is no news.
fn row_of_former_group(group: &FormerGroup) -> RosterProblem {
    let once = if group.title.is_empty() { "on the roster" } else { &group.title };
    RosterProblem {
        table: "groups",
        key: former_group_key(group.gid),
        what: format!(
            "students of the roster are still in gid {}, once {once}, and rosterd takes nobody out of a group that is not \
             in groups: take them out there, or name the group on the roster again",
            group.gid
        ),
    }
}

fn in_former_groups(former: &[&FormerGroup]) -> String {
    let groups: Vec<String> = former.iter().map(ToString::to_string).collect();
    format!("{}: take them out there, or name the group on the roster again", groups.join("; "))
}
