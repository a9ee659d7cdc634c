//! What the report says of a plan as a whole.

use std::collections::{BTreeMap, BTreeSet};

use crate::run::report::ServiceReport;
use crate::run::severity::Severity;
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::{GroupBook, GuardedPlan, HoldReason, OperationState, SkipReason};
use rosterd_core::roster::Gid;

/// What the report says about the plan as a whole.
pub(super) fn describe(plan: &GuardedPlan, groups: &GroupBook, report: &mut ServiceReport) {
    report.students = plan.totals.students;
    report.managed = plan.totals.managed;
    report.unmanaged = plan.totals.unmanaged;
    report.leavers_waiting = plan.totals.leavers_waiting;
    report.digest = plan.digest();
    report.complete = plan.doubt.is_none();
    if let Some(doubt) = &plan.doubt {
        report.fail(
            Severity::Incomplete,
            format!("exam: the listing is doubtful, so nobody is added or deleted: {doubt}"),
        );
    }
    report.notes.extend(foreign_candidates(plan));
    let held = plan.held();
    let told = plan.holds().into_iter().map(|(reason, largest)| {
        let text = held_text(reason, &largest, groups);
        let hold = held.iter().find(|hold| hold.word.is_some() && hold.word == reason.word());
        hold.map_or_else(|| text.clone(), |hold| hold.naming_digest(&text))
    });
    report.holds.extend(told);
    report.held_for = held;
}

/// Students whose candidates are only in groups that are not ours, a line for each of those groups.
fn foreign_candidates(plan: &GuardedPlan) -> Vec<String> {
    let mut by_gid: BTreeMap<&BTreeSet<Gid>, u64> = BTreeMap::new();
    for operation in &plan.operations {
        if let OperationState::Skipped(SkipReason::ForeignCandidate(gids)) = &operation.state {
            *by_gid.entry(gids).or_default() += 1;
        }
    }
    let line = |(gids, count): (&BTreeSet<Gid>, u64)| {
        let gids: Vec<String> = gids.iter().map(ToString::to_string).collect();
        let gids = gids.join(", ");
        format!(
            "{} not taken over: the candidates with such login values are only in gid {gids}. Is gid {gids} yours? Enter it \
             in groups",
            if count == 1 { "1 student is".to_owned() } else { format!("{} are", counted(count, "student")) }
        )
    };
    by_gid.into_iter().map(line).collect()
}

/// Why something is held, with the groups in which a person recognises it.
fn held_text(reason: &HoldReason, largest: &[(Gid, u64)], groups: &GroupBook) -> String {
    let name = |gid: &Gid| groups.code_of(*gid).map_or_else(|| format!("gid {gid}"), ToString::to_string);
    // A hold about single people names them itself.
    let largest = if reason.is_limit() { largest } else { &[] };
    let largest: Vec<String> =
        largest.iter().map(|(gid, count)| format!("{} ({count})", name(gid))).collect();
    match (reason, largest.as_slice()) {
        (HoldReason::GroupToZero(gid) | HoldReason::GroupShrinks(gid, _), _) => {
            format!("{reason}: {}", name(gid))
        }
        (HoldReason::GroupReplaced { was: _, now, excess: _ }, _) => format!("{}: {reason}", name(now)),
        (_, []) => reason.to_string(),
        (_, largest) => format!("{reason}; largest groups concerned: {}", largest.join(", ")),
    }
}
