//! The roster and our links, streamed side by side past the listing.

mod by_row;
mod by_text;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;

use futures_util::stream::StreamExt;

use super::group_creation::{self, GroupPlan};
use super::leavers::{self, Sharing};
use super::lookup::DueGroups;
use super::{ExamSide, ExamSyncError, Reading, leavers_group};
use crate::run::Context;
use crate::run::rows_of_nobody::unreadable_since;
use crate::store::{Odd, RosterSnapshot, StateStore, StoreError, UnpackedLinks};
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::{
    Diff, DiffBuilder, GroupBook, Mapping, MemoryKey, Observed, RosterCertificate, SharedLogins,
};
use rosterd_core::roster::{Gid, Group, GroupCode, IdLikeness, LoginValue, RosterProblem, RunId};

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
    /// The links that were read one by one.
    pub(super) unpacked: UnpackedLinks,
}

/// What both ways of passing the roster go by.
pub(super) struct Terms<'a> {
    pub(super) state: &'a StateStore,
    pub(super) reading: Compared<'a>,
    pub(super) groups: &'a GroupBook,
    pub(super) due: &'a DueGroups,
    pub(super) asked_about: &'a HashSet<IdLikeness>,
    pub(super) last_complete: RunId,
    /// Fewer students than this is a broken export.
    pub(super) least: u64,
}

/// What the roster is compared with, and how.
#[derive(Clone, Copy)]
pub(super) struct Compared<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) observed: &'a Observed,
    pub(super) key: &'a MemoryKey,
}

impl<'a> Terms<'a> {
    fn builder(&self, shared: &'a SharedLogins) -> DiffBuilder<'a> {
        let Compared { mapping, observed, key } = self.reading;
        DiffBuilder::new(mapping, observed, key, self.groups, shared)
            .knowing_gone(&self.due.gone)
            .knowing_unlisted(&self.due.unlisted)
            .knowing_asked_about(self.asked_about)
            .knowing_groups(&self.due.groups)
            .knowing_logins(&self.due.logins, &self.due.of_another)
    }
}

/// Reads the roster once, in one transaction: as text, where nothing about it is odd, and else row by row.
pub(super) async fn run(
    context: &Context,
    side: &ExamSide,
    reading: &Reading,
    group_plan: &GroupPlan,
    due: &DueGroups,
) -> Result<RosterDiff, ExamSyncError> {
    let asked_about = context.state.asked_about_as_one_person().await?;
    let inputs = Inputs {
        context,
        side,
        reading,
        group_plan,
        due,
        asked_about: asked_about.iter().map(IdLikeness::of).collect(),
        last_complete: context.state.last_complete_run().await?,
    };
    let mut shared = SharedLogins::default();
    if let Some(mut snapshot) = context.roster.snapshot_as_it_stands().await? {
        let (groups, problems) = snapshot.groups().await?;
        let book = inputs.book(groups).await?;
        let mut passed = by_text::pass(&inputs.terms(&book.groups), &mut snapshot).await?;
        if matches!(passed, Passed::Odd(Odd::Spoilt)) {
            snapshot.learn_number_columns().await?;
            passed = by_text::pass(&inputs.terms(&book.groups), &mut snapshot).await?;
        }
        match passed {
            Passed::Whole(diff, certificate, unpacked) => {
                let mut problems = problems;
                problems.extend(book.problems.clone());
                problems.extend(snapshot.dangling_class_members().await?);
                let diff = inputs.close(snapshot, book, problems, *diff, certificate).await?;
                return Ok(RosterDiff { unpacked, ..diff });
            }
            Passed::Shared(found) => shared = found,
            Passed::Odd(odd) => {
                tracing::debug!(?odd, "the roster is read row by row");
            }
        }
        snapshot.close().await?;
    }
    let mut snapshot = context.roster.snapshot().await?;
    // The early look was before the listing; what counts is the reading that is planned from.
    snapshot.require_students(context.min_roster).await?;
    let (groups, mut problems) = snapshot.groups().await?;
    problems.extend(snapshot.dangling_members().await?);
    problems.extend(unreadable_ids(snapshot.count_unreadable_ids().await?));
    let book = inputs.book(groups).await?;
    problems.extend(book.problems.clone());
    let (diff, certificate) = by_row::pass(&inputs.terms(&book.groups), &mut snapshot, shared).await?;
    inputs.close(snapshot, book, problems, diff, certificate).await
}

/// How a pass over the roster's text ended.
pub(super) enum Passed {
    Whole(Box<Diff>, RosterCertificate, UnpackedLinks),
    /// Login values turned out to be shared: the pass has to be made again with them known.
    Shared(SharedLogins),
    /// The roster has to be read row by row.
    Odd(Odd),
}

/// What the pass is made with, whichever way it is made.
struct Inputs<'a> {
    context: &'a Context,
    side: &'a ExamSide,
    reading: &'a Reading,
    group_plan: &'a GroupPlan,
    due: &'a DueGroups,
    asked_about: HashSet<IdLikeness>,
    last_complete: RunId,
}

/// The roster's groups, as the plan uses them and as they are remembered.
struct Book {
    groups: GroupBook,
    roster_groups: Vec<Group>,
    problems: Vec<RosterProblem>,
}

impl Inputs<'_> {
    async fn book(&self, groups: Vec<Group>) -> Result<Book, StoreError> {
        let (groups, problems) =
            group_creation::with_known_gids(self.context, groups, self.group_plan).await?;
        let new = self.group_plan.decisions.planned_codes();
        let leavers = leavers_group(self.side);
        let roster_groups = with_group_of_leavers(groups.clone(), leavers);
        Ok(Book { groups: GroupBook::new(groups, leavers).creating(new), roster_groups, problems })
    }

    fn terms<'t>(&'t self, groups: &'t GroupBook) -> Terms<'t> {
        let Reading { mapping, observed, key, .. } = self.reading;
        Terms {
            state: &self.context.state,
            reading: Compared { mapping, observed, key },
            groups,
            due: self.due,
            asked_about: &self.asked_about,
            last_complete: self.last_complete,
            least: self.context.min_roster,
        }
    }

    /// What is asked of the same snapshot once it is known who differs, and what is remembered of groups.
    async fn close(
        &self,
        mut snapshot: RosterSnapshot<'_>,
        book: Book,
        problems: Vec<RosterProblem>,
        mut diff: Diff,
        certificate: RosterCertificate,
    ) -> Result<RosterDiff, ExamSyncError> {
        let Self { context, side, .. } = self;
        let Book { groups, roster_groups, problems: _ } = book;
        // A roster whose member rows are sound is not asked for those that name nobody.
        let dangles = problems.iter().any(|problem| problem.table == "group_members");
        let of_nobody =
            if dangles { snapshot.group_rows_of_nobody(&diff.missing()).await? } else { HashMap::new() };
        let groups = groups.with_rows_of_nobody(&of_nobody);
        let named = snapshot.named_by_members(&diff.missing()).await?;
        diff.mark_named(&named);
        let has_unreadable = problems.iter().any(|problem| problem.key == NO_STUDENT_ID);
        if has_unreadable {
            diff.unreadable_since_ms = unreadable_since::<ExamSyncError>(context, &mut snapshot).await?;
        }
        snapshot.close().await?;
        let stood = context.state.roster_groups().await?;
        let groups = groups.remembering(stood.clone(), false);
        let sharing = leavers::sharing(context, side, &diff, &groups).await?;
        let groups = groups.remembering(stood, sharing.is_shared());
        let unpacked = UnpackedLinks::default();
        Ok(RosterDiff { diff, groups, problems, roster_groups, sharing, certificate, unpacked })
    }
}

/// The group that leavers are moved to counts as ours, and goes on to do so when the setting changes.
fn with_group_of_leavers(mut groups: Vec<Group>, leavers: Option<Gid>) -> Vec<Group> {
    if let Some(gid) = leavers.filter(|gid| groups.iter().all(|group| group.gid != Some(*gid))) {
        groups.push(Group { code: GroupCode::new(""), title: String::new(), gid: Some(gid), flaw: None });
    }
    groups
}

/// Stands for the id in a line about rows without one.
const NO_STUDENT_ID: &str = "(no student_id)";

/// One line about all rows whose id cannot be told.
fn unreadable_ids(count: u64) -> Option<RosterProblem> {
    let (table, key) = ("students", NO_STUDENT_ID.to_owned());
    let what = format!(
        "{} no student_id that can be read: enter one; who has been missing since then is held",
        if count == 1 { "1 row has".to_owned() } else { format!("{} have", counted(count, "row")) }
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
    let mut students = snapshot.students().await?;
    while let Some(row) = students.next().await? {
        let login = row.student.values.get(mapping.login_at()).and_then(|value| LoginValue::parse(value));
        if let Some(login) = login.filter(|_| row.student.active) {
            names.remove(&login);
        }
    }
    drop(students);
    snapshot.close().await?;
    Ok(names.into_iter().map(|name| name.as_str().to_owned()).collect())
}
