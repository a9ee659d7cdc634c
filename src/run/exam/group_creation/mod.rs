//! Groups of the roster that have no gid: read what is known, search for their titles, send what the plan creates.
//!
//! Decided in [`rosterd_core::exam_plan::GroupsInput`]; nothing is created but by a plan that passed the guard.

mod create;
mod known;
mod search;

pub(super) use create::{create_groups, key};
pub(super) use known::with_known_gids;
pub(super) use search::Search;

use std::collections::{BTreeMap, HashMap};

use super::{ExamSide, ExamSyncError, Reading, session};
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::{RosterError, RosterSnapshot, StoreError};
use rosterd_core::exam_plan::{
    CreationOutcome, GroupCreation, GroupDecisions, GroupOrigin, GroupsInput, KnownGroup, MissingGroups,
};
use rosterd_core::failure::Service;
use rosterd_core::roster::{Gid, GroupCode, Mode, RosterProblem, RunId};

/// What was decided about groups before the plan, and what is to be remembered with it.
#[derive(Clone, Default)]
pub(super) struct GroupPlan {
    pub(super) decisions: GroupDecisions,
    to_remember: Vec<(GroupCode, KnownGroup)>,
    /// Whether students of a group that waits were not asked about.
    pub(super) rests_on_memory: bool,
}

/// Finds out which groups have no gid, and what is to become of those with active students in them.
pub(super) async fn plan_groups(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    search: Search,
    report: &mut ServiceReport,
) -> Result<GroupPlan, ExamSyncError> {
    if !side.settings.create_groups {
        return Ok(GroupPlan::default());
    }
    let known = context.state.known_groups().await?;
    let missing = missing_groups(context.roster.snapshot_as_it_stands().await?, &known).await?;
    let (missing, wanted) = match missing.filter(|missing| missing.titles.is_empty()) {
        Some(missing) => (missing, BTreeMap::new()),
        // Who is in them is asked of a roster with its ids in normal form.
        None => {
            let mut snapshot = context.roster.snapshot().await?;
            let (groups, unusable) = snapshot.groups().await?;
            let missing = MissingGroups::of(&groups, &unusable, &known);
            let wanted = search::wanted_titles(&mut snapshot, &missing, &reading.mapping).await?;
            snapshot.close().await?;
            (missing, wanted)
        }
    };
    report.problems.extend(missing.problems.iter().map(ToString::to_string));
    let parent = Gid(side.settings.create_groups_under);
    let earlier = context.state.group_creations(parent).await?;
    let is_held = search == Search::Remembered && is_anything_held(context).await?;
    let now_ms = context.clock.now_ms();
    let waits = |title: &String| {
        let waits_itself = || earlier.get(title).is_some_and(|earlier| earlier.waits(now_ms));
        search == Search::Remembered && (is_held || waits_itself())
    };
    let open = wanted.iter().filter(|(title, _)| !is_done(earlier.get(*title)));
    let open = open.map(|(title, wanted)| (wanted, waits(title)));
    let session = session(context, side, reading);
    let asked = search::asked_about(context, &session, &reading.observed, open, &missing.named).await?;
    let rests_on_memory = asked.rests_on_memory;
    let seen = search::seen_groups(context, &session, asked).await?;
    let seen = search::by_title(&wanted, &seen, &missing.named, &side.reader.seen_groups());
    let wanted: BTreeMap<String, Vec<GroupCode>> =
        wanted.into_iter().map(|(title, group)| (title, group.codes.into_iter().collect())).collect();
    let decisions = GroupsInput {
        wanted: &wanted,
        seen: &seen,
        named: &missing.named,
        earlier: &earlier,
        adopt: side.settings.adopt,
        parent,
        key: &reading.key,
        now_ms,
    }
    .decide();
    report.problems.extend(decisions.problems.iter().map(ToString::to_string));
    Ok(GroupPlan { decisions, to_remember: missing.to_remember, rests_on_memory })
}

/// Whether a limit holds something that nobody approved: a creation may be held, or wait for held adds.
async fn is_anything_held(context: &Context) -> Result<bool, StoreError> {
    let holds = context.state.standing_holds(context.clock.now_ms()).await?;
    Ok(holds
        .iter()
        .any(|hold| hold.service == Service::Exam && hold.word.is_none() && hold.approved_until_ms.is_none()))
}

/// Which groups of a roster that is read as it stands have no gid.
async fn missing_groups(
    snapshot: Option<RosterSnapshot<'_>>,
    known: &HashMap<GroupCode, KnownGroup>,
) -> Result<Option<MissingGroups>, RosterError> {
    let Some(mut snapshot) = snapshot else { return Ok(None) };
    let (groups, unusable) = snapshot.groups().await?;
    snapshot.close().await?;
    Ok(Some(MissingGroups::of(&groups, &unusable, known)))
}

fn is_done(earlier: Option<&CreationOutcome>) -> bool {
    matches!(earlier, Some(CreationOutcome::Done(_)))
}

/// Says which groups a run would take as those of the roster.
pub(super) fn announce(plan: &GroupPlan, report: &mut ServiceReport) {
    for found in &plan.decisions.found {
        report_problem(report, &found.code, found.announcement());
    }
}

/// Writes down the gids that are known now. Observing changes nothing: then it is only said.
pub(super) async fn remember(
    context: &Context,
    side: &ExamSide,
    run: RunId,
    plan: &GroupPlan,
    report: &mut ServiceReport,
) -> Result<(), StoreError> {
    if context.mode == Mode::Observe {
        announce(plan, report);
        return Ok(());
    }
    let now_ms = context.clock.now_ms();
    context.state.remember_known_groups(&plan.to_remember, now_ms).await?;
    let parent = Gid(side.settings.create_groups_under);
    for found in &plan.decisions.found {
        let done = CreationOutcome::Done(found.known);
        context.state.end_group(parent, &found.title, done, &found.code, run, now_ms).await?;
        note_group(report, &found.code, found.known);
    }
    Ok(())
}

/// Says what keeps a group from being created, where that is not a hold.
pub(super) fn describe_undone(creations: &[GroupCreation], report: &mut ServiceReport) {
    for creation in creations {
        if let Some(what) = creation.left_undone() {
            report_problem(report, &creation.code, what);
        }
    }
}

fn report_problem(report: &mut ServiceReport, code: &GroupCode, what: String) {
    let problem = RosterProblem { table: "groups", key: code.as_str().to_owned(), what };
    report.problems.push(problem.to_string());
}

fn note_group(report: &mut ServiceReport, code: &GroupCode, known: KnownGroup) {
    let KnownGroup { gid, origin } = known;
    let done = match origin {
        GroupOrigin::Created => "was created on the exam side",
        GroupOrigin::Adopted => "was found on the exam side",
        GroupOrigin::Roster => "is on the roster",
    };
    report.notes.push(format!("group {code} {done} (gid {gid})"));
}
