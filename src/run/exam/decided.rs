//! From what was read to the guarded plan: the pass over roster and listing, the look-ups, the plan, the guard.

use std::collections::HashSet;

use super::describe::describe;
use super::group_creation::{self, GroupPlan, Search, plan_groups};
use super::group_of_leavers::{LivingGroupOfLeavers, group_of_leavers_with_students};
use super::leavers::{self, Sharing};
use super::lookup::DueGroups;
use super::policy::{guard, policy};
use super::recall::{Memory, Recall, ToRemember};
use super::service_account::require_no_majority_of_strangers;
use super::unanswered_adds::OpenAdds;
use super::{
    ExamSide, ExamSyncError, Reading, account_question, alike_ids, diff, lookup, moments, proof,
    renamed_candidates, session, unless_stopped,
};
use crate::run::Context;
use crate::run::report::ServiceReport;
use crate::store::UnpackedLinks;
use rosterd_core::exam_plan::{
    Approved, Certificate, Comparison, GroupCreation, GuardedPlan, LOOK_BACK_MS, LinkNote, LookupRequests,
    LookupResults, LookupTerms, OpenFailures, PlanInput, Trust,
};
use rosterd_core::roster::{Group, Leavers, Sid};

/// What is to be done, and what follows from the reading alone.
pub(super) struct Decided {
    pub(super) plan: GuardedPlan,
    pub(super) approved: Approved,
    pub(super) notes: Vec<LinkNote>,
    pub(super) lookups: LookupResults,
    pub(super) open_failures: OpenFailures,
    pub(super) groups: GroupPlan,
    /// Candidates that exist and are not listed, where the listing adds up.
    pub(super) unlisted: Option<HashSet<Sid>>,
    /// Since when the roster has had rows without a readable id.
    pub(super) unreadable_since_ms: Option<i64>,
    /// The groups of the roster that was read.
    pub(super) roster_groups: Vec<Group>,
    pub(super) sharing: Sharing,
    /// The links that were read one by one.
    pub(super) unpacked: UnpackedLinks,
    /// What look-ups said of people of whom nothing is done.
    pub(super) to_remember: ToRemember,
}

/// How often a plan is made anew because another file took the roster's place. One that is replaced more often than
/// that is planned from as it was read last.
const MOST_FILES: u32 = 3;

/// The plan, made from the file that the roster's path names when it is done: who is back in a newer one is not
/// dismissed by the word of an older one.
pub(super) async fn decide_by_one_file(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    open_adds: OpenAdds,
    report: &mut ServiceReport,
) -> Result<Decided, ExamSyncError> {
    let untouched = report.clone();
    let (mut files, mut search) = (1, Search::Remembered);
    loop {
        let file = context.roster.identity();
        let groups = unless_stopped(context, plan_groups(context, side, reading, search, report)).await?;
        let decided = decide_by_answers(context, side, reading, (groups, open_adds.clone()), report);
        let decided = unless_stopped(context, decided).await?;
        let is_same_file = context.roster.identity() == file || files == MOST_FILES;
        let creates = || decided.plan.creations.iter().any(GroupCreation::is_planned);
        // Nothing is created on the strength of what an earlier run was told.
        let asks_again = search == Search::Remembered && decided.groups.rests_on_memory && creates();
        if is_same_file && !asks_again {
            return Ok(decided);
        }
        if asks_again {
            search = Search::Asked;
        } else {
            files += 1;
        }
        report.clone_from(&untouched);
    }
}

/// The plan, made from what is remembered of people who stand as they stood. Where it would write something on the strength
/// of that, they are looked up after all.
async fn decide_by_answers(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    (groups, open_adds): (GroupPlan, OpenAdds),
    report: &mut ServiceReport,
) -> Result<Decided, ExamSyncError> {
    let due = lookup::due_groups(context, &session(context, side, reading)).await?;
    let untouched = report.clone();
    let before = (&groups, &open_adds, &due);
    let decided = Box::pin(decide(context, side, reading, before, Recall::Standing, report)).await?;
    if !decided.lookups.recalled.bears_on(&decided.plan) {
        return Ok(Decided { groups, lookups: decided.lookups.of_this_run(), ..decided });
    }
    report.clone_from(&untouched);
    let decided = Box::pin(decide(context, side, reading, before, Recall::Nothing, report)).await?;
    Ok(Decided { groups, ..decided })
}

/// Passes the roster by the listing, looks up what that leaves open, plans, and holds what is too much.
async fn decide(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    (group_plan, open_adds, due): (&GroupPlan, &OpenAdds, &DueGroups),
    recall: Recall,
    report: &mut ServiceReport,
) -> Result<Decided, ExamSyncError> {
    let Reading { fields, mapping, observed, believed, key, .. } = reading;
    let session = session(context, side, reading);
    let mut roster_diff = diff::run(context, side, reading, group_plan, due).await?;
    report.problems.extend(roster_diff.problems.iter().map(ToString::to_string));
    let alike = alike_ids::find(context, side, &roster_diff.diff).await?;
    roster_diff.diff.alike.extend(alike.entered);
    report.notes.extend(alike.said);
    roster_diff.diff.called_one = context.state.refused_relinks().await?;
    let comparison = Comparison { mapping, observed, key };
    roster_diff.diff.doubt_pairs(&context.state.remembered_pairs().await?, &comparison);
    let living = group_of_leavers_with_students(context, side).await?;
    roster_diff.problems.extend(living.as_ref().map(LivingGroupOfLeavers::problem));
    report.roster_rows = Some(std::mem::take(&mut roster_diff.problems));

    let now_ms = context.clock.now_ms();
    let mut policy = policy(context, side, roster_diff.sharing).await?;
    if living.is_some() {
        policy.leavers = Leavers::Keep;
    }
    let proof = believed.as_ref().map(|listing| Certificate::of(listing, &roster_diff.certificate));
    let trust = match &proof {
        Ok(proof) => Trust::Complete(proof),
        Err(flaw) => Trust::Doubtful(flaw),
    };
    let mut lost_adds = context.state.lost_adds().await?;
    lost_adds.retain(|student| !open_adds.contradicted.contains(student));
    let guard = guard(context, side, now_ms).await?;
    let open_failures = context.state.exam_open_failures().await?;
    let terms = LookupTerms {
        groups: &roster_diff.groups,
        policy: &policy,
        trust,
        our_lost_adds: &lost_adds,
        approved: &guard.approved,
        open_failures: &open_failures,
        now_ms,
    };
    let requests = LookupRequests::under(&roster_diff.diff, &terms);
    let mut memory =
        Memory::of((context, side), recall, (&roster_diff.diff, &comparison), &terms, due).await?;
    let recalled = std::mem::take(&mut memory.recalled);
    let diff = &mut roster_diff.diff;
    let mut found =
        lookup::look_up(context, &session, requests, (due, recalled), lost_adds, diff, key).await?;
    if !trust.is_doubtful() {
        renamed_candidates::find_renamed(context, &session, fields, mapping, &roster_diff.diff, &mut found)
            .await?;
    }
    found.note_concerned(&roster_diff.diff);
    let lookups = LookupResults { open_adds: open_adds.open.clone(), ..found };
    let to_remember = memory.answered((&roster_diff.diff, &comparison), &lookups, now_ms);
    let unreadable_since_ms = roster_diff.diff.unreadable_since_ms;
    let (diff, groups) = (roster_diff.diff, &roster_diff.groups);
    let input = PlanInput {
        diff,
        comparison,
        groups,
        lookups: &lookups,
        open_failures: &open_failures,
        approved: &guard.approved,
        policy,
        trust,
        clocks_differ: moments::clocks_differ(side),
        now_ms,
    };
    let nowhere = input.unlisted();
    let unlisted = (!trust.is_doubtful()).then(|| nowhere.iter().map(|(_, sid)| *sid).collect());
    let newly_unlisted =
        nowhere.into_iter().filter(|(_, sid)| !lookups.unlisted.contains(sid)).collect::<Vec<_>>();
    // The groups were looked at before the reading that is planned from: what has a gid by now is not created.
    let creations = group_plan.decisions.creations.iter();
    let creations = creations.filter(|creation| groups.lacks_gid(&creation.code)).cloned().collect();
    let mut plan = input.plan().creating(creations, &policy);
    proof::not_another_account(&plan.totals, side)?;
    let question = account_question(context, side, None);
    // Only what this run was told speaks for or against the account. On the heap: this far down, a run is a deep one.
    let strangers = plan.totals.another_login_now;
    Box::pin(require_no_majority_of_strangers(question, strangers, lookups.shown_now())).await?;
    let mut guard = guard;
    let out_of_groups = plan.people_out_of_groups();
    if !out_of_groups.is_empty() {
        let day_ago_ms = now_ms.saturating_sub(LOOK_BACK_MS);
        for (gid, people) in context.state.added_to_groups(day_ago_ms).await? {
            guard.recent.record_added(gid, people);
        }
        for student in context.state.entered_since(&out_of_groups, day_ago_ms).await? {
            guard.recent.record_entered(student);
        }
    }
    if plan.may_meet_strangers() {
        let contacts = context.state.recent_contacts_there(now_ms.saturating_sub(LOOK_BACK_MS)).await?;
        plan.contact.recent = contacts;
    }
    let plan = guard.judge(plan);
    let to_remember = to_remember.of_whom_nothing_is_done(&plan, &newly_unlisted);
    group_creation::describe_undone(&plan.creations, report);
    let notes = plan.notes.clone();
    describe(&plan, groups, report);
    let (ignored_groups, _) = context.state.former_group_rows().await?;
    leavers::describe(&plan, roster_diff.sharing, &ignored_groups, report);
    moments::describe(side, &plan, report);
    Ok(Decided {
        plan,
        approved: guard.approved,
        notes,
        lookups,
        open_failures,
        groups: GroupPlan::default(),
        unlisted,
        unreadable_since_ms,
        roster_groups: roster_diff.roster_groups,
        sharing: roster_diff.sharing,
        unpacked: roster_diff.unpacked,
        to_remember,
    })
}
