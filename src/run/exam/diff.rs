//! The roster and our links, streamed side by side past the listing.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;

use futures_util::stream::StreamExt;

use super::group_creation::{self, GroupPlan};
use super::leavers::{self, Sharing};
use super::lookup::DueGroups;
use super::{ExamSide, ExamSyncError, Reading, leavers_group};
use crate::run::Context;
use crate::run::unreadable_ids::unreadable_since;
use crate::run::unusable_rows::unusable;
use crate::store::{StoreError, StudentCursor};
use rosterd_core::exam_plan::{
    CannotReason, Diff, DiffBuilder, GroupBook, Link, Mapping, RosterCertificate, SharedLogins,
};
use rosterd_core::roster::{Gid, Group, GroupCode, IdLikeness, LoginValue, RosterProblem, StudentId};

/// What one consistent reading of the roster brought.
pub(super) struct RosterDiff {
    pub(super) diff: Diff,
    pub(super) groups: GroupBook,
    pub(super) problems: Vec<RosterProblem>,
    /// The groups that the roster names, with every gid that is known.
    pub(super) roster_groups: Vec<Group>,
    pub(super) sharing: Sharing,
    /// Proof that the roster was read completely.
    pub(super) certificate: RosterCertificate,
}

/// Reads the roster once, in one transaction; once more in the same transaction for every discovery of
/// shared login values.
pub(super) async fn run(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    group_plan: &GroupPlan,
    due: &DueGroups,
) -> Result<RosterDiff, ExamSyncError> {
    let Reading { mapping, observed, key, .. } = reading;
    let last_complete = context.state.last_complete_run().await?;
    let mut snapshot = context.roster.snapshot().await?;
    // The early look was before the listing; what counts is the reading that is planned from.
    snapshot.require_students(context.min_roster).await?;
    let counted = snapshot.count_student_rows().await?;
    let (groups, mut problems) = snapshot.groups().await?;
    problems.extend(snapshot.dangling_members().await?);
    problems.extend(unreadable_ids(snapshot.count_unreadable_ids().await?));
    let groups = group_creation::with_known_gids(context, groups, group_plan).await?;
    let new = group_plan.decisions.planned_codes();
    let roster_groups = with_group_of_leavers(groups.clone(), leavers_group(side));
    let groups = GroupBook::new(groups, leavers_group(side)).creating(new);
    let repeated = snapshot.repeated_students().await?;
    let asked_about = context.state.asked_about_as_one_person().await?;
    let asked_about: HashSet<IdLikeness> = asked_about.iter().map(IdLikeness::of).collect();
    let mut shared = SharedLogins::default();
    let (mut diff, certificate) = loop {
        let builder = DiffBuilder::new(mapping, observed, key, &groups, &shared)
            .knowing_gone(&due.gone)
            .knowing_unlisted(&due.unlisted)
            .knowing_asked_about(&asked_about)
            .knowing_groups(&due.groups);
        let links = context.state.links(last_complete);
        let (builder, students) = merge(builder, snapshot.students(), links, &repeated).await?;
        let tally = students.tally(counted, context.min_roster);
        drop(students);
        match builder.finish() {
            Ok(diff) => {
                let certified = RosterCertificate::of(&diff, tally);
                break (diff, certified.map_err(|flaw| snapshot.incomplete(flaw))?);
            }
            Err(found) => shared.extend(found),
        }
    };
    // A roster whose member rows are sound is not asked for those that name nobody.
    let dangles = problems.iter().any(|problem| problem.table == "group_members");
    let of_nobody =
        if dangles { snapshot.group_rows_of_nobody(&diff.missing()).await? } else { HashMap::new() };
    let groups = groups.with_rows_of_nobody(&of_nobody);
    let named = snapshot.named_by_members(&diff.missing()).await?;
    diff.mark_named(&named);
    diff.unreadable_since_ms = unreadable_since::<ExamSyncError>(context, &mut snapshot).await?;
    snapshot.close().await;
    let stood = context.state.roster_groups().await?;
    let groups = groups.remembering(stood.clone(), false);
    let sharing = leavers::sharing(context, side, &diff, &groups).await?;
    let groups = groups.remembering(stood, sharing.is_shared());
    Ok(RosterDiff { diff, groups, problems, roster_groups, sharing, certificate })
}

/// The group that leavers are moved to counts as ours, and goes on to do so when the setting changes.
fn with_group_of_leavers(mut groups: Vec<Group>, leavers: Option<Gid>) -> Vec<Group> {
    if let Some(gid) = leavers.filter(|gid| groups.iter().all(|group| group.gid != Some(*gid))) {
        groups.push(Group { code: GroupCode::new(""), title: String::new(), gid: Some(gid), flaw: None });
    }
    groups
}

/// Both sides come in ascending order of student id; what has one id belongs together.
async fn merge<'s, 'r>(
    mut builder: DiffBuilder<'s>,
    mut students: StudentCursor<'r>,
    links: impl futures_util::Stream<Item = Result<Link, StoreError>>,
    repeated: &HashSet<StudentId>,
) -> Result<(DiffBuilder<'s>, StudentCursor<'r>), ExamSyncError> {
    let mut links = pin!(links);
    let mut student = students.next().await?;
    let mut link = links.next().await.transpose()?;
    loop {
        let order = match (&student, &link) {
            (None, None) => return Ok((builder, students)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(row), Some(link)) => row.student.id.cmp(&link.student),
        };
        let row = if order.is_le() { student.take() } else { None };
        let own = if order.is_ge() { link.take() } else { None };
        let problem = row.as_ref().and_then(|row| unusable(row, repeated)).map(CannotReason::UnusableRow);
        builder.pair(row.map(|row| row.student), own, problem);
        if order.is_le() {
            student = students.next().await?;
        }
        if order.is_ge() {
            link = links.next().await.transpose()?;
        }
    }
}

/// One line about all rows whose id cannot be told.
fn unreadable_ids(count: u64) -> Option<RosterProblem> {
    let (table, key) = ("students", "(no student_id)".to_owned());
    let what = format!(
        "{count} rows have no student_id that can be read: enter one; who has been missing since then is held"
    );
    (count > 0).then_some(RosterProblem { table, key, what })
}

/// Which of the listed login values belong to candidates that are neither linked nor on the roster.
pub(super) async fn unmanaged(
    context: &Context,
    mapping: &Mapping,
    names: Vec<LoginValue>,
) -> Result<Vec<String>, ExamSyncError> {
    let mut names: BTreeSet<LoginValue> = names.into_iter().collect();
    let mut links = pin!(context.state.links(context.state.last_complete_run().await?));
    while let Some(link) = links.next().await.transpose()? {
        names.remove(&link.login);
    }
    let mut snapshot = context.roster.snapshot().await?;
    let mut students = snapshot.students();
    while let Some(row) = students.next().await? {
        let login = row.student.values.get(mapping.login_at()).and_then(|value| LoginValue::parse(value));
        if let Some(login) = login.filter(|_| row.student.active) {
            names.remove(&login);
        }
    }
    drop(students);
    snapshot.close().await;
    Ok(names.into_iter().map(|name| name.as_str().to_owned()).collect())
}
