//! What the roster wants in every course and its classes, beside what we remember of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::account;
use super::contradiction::Contradictions;
use super::courses::{Courses, codes, not_wanted, note_presence, places, roster_of};
use super::first_reading::FirstReading;
use super::guard::is_left_by_mode;
use super::history::{MixedFailure, PriorState};
use super::lessons::is_fresh;
use super::owners::Owners;
use super::shared::{self, ContactSharing};
use super::standing::StandingEnrolments;
use super::{ClassinSide, ClassinSyncError};
use crate::run::Context;
use crate::run::rows_of_nobody::ClassRowsSince;
use crate::run::unusable_rows::unusable_students;
use crate::store::EnrolmentChange;
use rosterd_core::classin_plan::{
    AccountPlan, AccountPlanner, ClassNames, CoursePlan, CourseView, Doubts, EnrolmentKind,
    EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, Handover, HeldBack, LivingBase, Presence,
    Reason, RememberedClasses, SharedHolds, StaleEnrolments, await_other_courses, keep_lost_class_ids,
    let_wait, lost_all_ids, plan_course,
};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::Mode;
use rosterd_core::roster::{
    ClassCode, ClassTarget, ClassinUid, CourseId, Enrolment, RosterProblem, Standing, StudentId,
};

/// Everything that ClassIn's part of a run is to do.
pub(super) struct ClassinPlan {
    /// What comes before the classes, and names.
    pub(super) accounts: AccountPlan,
    /// Targets in ascending order of ids, a course before its classes; within one, enrolments before removals.
    pub(super) operations: Vec<EnrolmentOperation>,
    /// Bookkeeping that needs no call.
    pub(super) changes: Vec<EnrolmentChange>,
    /// Wants that a person silenced.
    pub(super) ignored: HashSet<u64>,
    /// Failures that an earlier version stored with the contact mixed in.
    pub(super) mixed: Vec<MixedFailure>,
    /// Classes that had no room and are tried again: whoever leaves goes first.
    pub(super) full: BTreeSet<ClassTarget>,
    /// Classes that had no room and are not due to be asked: only who makes room there is of use.
    pub(super) full_still: BTreeSet<ClassTarget>,
    /// Wanted enrolments that failed before, whether they are due or not; of the guard.
    pub(super) refused: BTreeSet<u64>,
    /// How many are settled in each class and stay there.
    pub(super) staying: BTreeMap<ClassTarget, usize>,
    /// What stands in the way of operations, beside what stood before.
    pub(super) standing: StandingEnrolments,
    /// The holds about single people that a person has decided about.
    pub(super) decided: HashSet<OperationKey>,
    /// Classes that are probably over and are not asked: how many are recorded in each.
    pub(super) unasked: BTreeMap<ClassTarget, usize>,
    /// Whether classes that no row names take changes still, one add for each.
    pub(super) questions: Vec<EnrolmentOperation>,
    /// What removals are counted against, as far as it matters which classes take changes still; of the guard.
    pub(super) living: LivingBase,
    /// Classes that were found to take changes, and when.
    pub(super) asked: BTreeMap<ClassTarget, i64>,
    /// Fingerprints of what the roster wants in the classes that somebody is to be added to.
    pub(super) rosters: BTreeMap<ClassTarget, u64>,
    /// The wanted enrolments whose evidence is oldest.
    pub(super) stale: StaleEnrolments,
    /// Classes that name no course.
    pub(super) not_mirrored: u64,
    /// Removals that wait for the grace of their students, and that the configuration allows after it.
    pub(super) in_grace: Vec<EnrolmentOperation>,
    /// Since when each leaver is off the roster, in milliseconds since 1970 UTC.
    pub(super) leavers: BTreeMap<StudentId, i64>,
    /// Students whose removals wait for their grace.
    pub(super) waiting: HashSet<StudentId>,
    /// How many they are.
    pub(super) leavers_waiting: u64,
    /// Since when the first of them is off the roster, in milliseconds since 1970 UTC.
    pub(super) leavers_waiting_since_ms: Option<i64>,
    /// Since when the first of those is not wanted in a class whom the mode leaves there.
    pub(super) left_by_mode_since_ms: Option<i64>,
    /// The school's code of each target that the roster names.
    pub(super) codes: HashMap<ClassTarget, ClassCode>,
    /// What people call each class.
    pub(super) names: ClassNames,
    /// The ids that each class of the roster has, or had.
    pub(super) class_ids: RememberedClasses,
    /// Rows that cannot be used.
    pub(super) problems: Vec<RosterProblem>,
    /// Those that are to be remembered as rows of the roster.
    pub(super) roster_rows: Vec<RosterProblem>,
    /// Since when the roster has had rows without a readable id.
    pub(super) unreadable_since_ms: Option<i64>,
    /// Since when member rows of classes have named nobody.
    pub(super) class_rows_since: ClassRowsSince,
    /// Accounts that were a student's who has another one by now: that one does not exist is as good as gone.
    pub(super) outdated: HashSet<(StudentId, ClassinUid)>,
}

/// Whether accounts may still be registered before the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registering {
    /// Whoever has no account is to get one first.
    ToDo,
    /// That was done, as far as it could be.
    Done,
}

/// Reads everything in one transaction: the classes once to learn who is no longer wanted where and who has no
/// account, and once more to plan, knowing who of them is still on the roster. Nobody is thus taken for somebody
/// who left a class and stayed, because two readings were of two moments.
pub(super) async fn plan_classin(
    context: &Context,
    side: &ClassinSide,
    registering: Registering,
    stale: StaleEnrolments,
) -> Result<ClassinPlan, ClassinSyncError> {
    let key = context.state.memory_key().await?;
    let mut snapshot = context.roster.snapshot().await?;
    snapshot.require_students(context.min_roster).await?;
    let mut prior = PriorState::read(context, side, &key, &mut snapshot).await?;
    let (doubts, unreadable_contacts) = account::doubts(context, side, &key, &mut snapshot).await?;
    let contacts = account::contact_changes(context, &doubts).await?;
    let (mut classes, mut problems) = snapshot.classes().await?;
    let ids_before = context.state.roster_class_ids().await?;
    let (kept, class_ids) = keep_lost_class_ids(&mut classes, &ids_before);
    problems.extend(kept);
    prior.reopen(&classes);
    let nobody = SharedHolds::default();
    let planner = account::planner((context, side), &key, &prior, (&doubts, &nobody), &contacts);
    if context.exam.is_none() {
        // The exam side's part of the report names them all.
        let dangling = snapshot.dangling_members().await?;
        problems.extend(dangling.into_iter().filter(|problem| problem.table == "class_members"));
    }
    problems.extend(snapshot.unreadable_uids().await?);
    problems.extend(unreadable_contacts);
    let repeated = snapshot.repeated_students().await?;
    if context.exam.is_none() {
        problems.extend(unusable_students(&mut snapshot, &repeated).await?);
    }
    let lost = lost_all_ids(&classes, &ids_before);
    let read = (&classes[..], &problems[..], &lost[..], &repeated);
    let seen = FirstReading::read(context, planner, &prior, read, &mut snapshot).await?;
    let ContactSharing { holds: shared, decided } =
        shared::read(context, planner, &prior, &seen, &mut snapshot).await?;
    let planner = AccountPlanner { shared: &shared, ..planner };
    let unknown = match registering {
        Registering::ToDo if side.settings.register => seen.without_account,
        Registering::ToDo | Registering::Done => BTreeSet::new(),
    };
    let mut accounts = account::plan(context, planner, &mut snapshot, &unknown).await?;
    accounts.changes.extend(seen.unheard_of);
    let unreadable_since_ms = seen.contradictions.unreadable_since_ms;
    let class_rows_since = seen.contradictions.rows_since.clone();
    let roster_rows = problems.clone();
    problems.extend(accounts.problems.iter().cloned());
    let not_mirrored = classes.iter().filter(|class| class.target.is_none() && class.flaw.is_none()).count();
    let mut builder = ClassinPlanBuilder {
        context,
        side,
        prior: &prior,
        doubts: &doubts,
        shared: &shared,
        contradictions: seen.contradictions,
        owners: &seen.owners,
        plan: ClassinPlan {
            accounts,
            operations: Vec::new(),
            changes: prior.reopened().map(|target| EnrolmentChange::Reopen { target }).collect(),
            ignored: prior.ignored.clone(),
            mixed: prior.mixed.clone(),
            full: BTreeSet::new(),
            full_still: BTreeSet::new(),
            refused: prior.refused.clone(),
            staying: BTreeMap::new(),
            standing: StandingEnrolments::default(),
            decided: decided.into_iter().collect(),
            unasked: BTreeMap::new(),
            questions: Vec::new(),
            living: LivingBase::default(),
            asked: BTreeMap::new(),
            rosters: BTreeMap::new(),
            stale,
            not_mirrored: u64::try_from(not_mirrored).unwrap_or(u64::MAX),
            in_grace: Vec::new(),
            leavers: BTreeMap::new(),
            waiting: HashSet::new(),
            leavers_waiting: 0,
            leavers_waiting_since_ms: None,
            left_by_mode_since_ms: None,
            codes: codes(&classes),
            names: context
                .state
                .class_names()
                .await?
                .renewed(&classes, &context.state.recorded_targets().await?),
            class_ids,
            problems,
            roster_rows,
            unreadable_since_ms,
            class_rows_since,
            outdated: seen.owners.outdated.clone(),
        },
    };
    let mut courses = Courses::begin(context, planner, (&classes, &repeated), &mut snapshot).await?;
    while let Some((course, members)) = courses.next().await? {
        builder.one_course(course, &members).await?;
    }
    drop(courses);
    snapshot.close().await?;
    let mut plan = builder.plan;
    plan.asked.clone_from(&prior.asked);
    plan.asked.retain(|target, _| !plan.codes.contains_key(target));
    let full: BTreeSet<ClassTarget> = plan.full.union(&plan.full_still).copied().collect();
    await_other_courses(&mut plan.operations, &full, &prior.given_up);
    plan.leavers_waiting = u64::try_from(plan.waiting.len()).unwrap_or(u64::MAX);
    Ok(plan)
}

/// What is put together course by course.
struct ClassinPlanBuilder<'a> {
    context: &'a Context,
    side: &'a ClassinSide,
    prior: &'a PriorState,
    /// Accounts that ClassIn is asked for again.
    doubts: &'a Doubts,
    /// Who is not enrolled because of what they share.
    shared: &'a SharedHolds,
    /// Of those who are not wanted where they are remembered.
    contradictions: Contradictions,
    owners: &'a Owners,
    plan: ClassinPlan,
}

impl ClassinPlanBuilder<'_> {
    async fn one_course(&mut self, course: CourseId, wanted: &[Enrolment]) -> Result<(), ClassinSyncError> {
        let Self { context, prior, .. } = *self;
        let remembered = prior.remembered(context, course).await?;
        let now_ms = context.clock.now_ms();
        let wanted_places = places(wanted);
        let is_nowhere = |(record, _): &(EnrolmentRecord, u32)| {
            prior.is_no_member(record) && !wanted_places.contains(&(record.target, record.uid))
        };
        let (nowhere, remembered): (Vec<_>, Vec<_>) = remembered.into_iter().partition(is_nowhere);
        let forget = |(record, _): (EnrolmentRecord, u32)| EnrolmentChange::Forget {
            uid: record.uid,
            target: record.target,
        };
        self.plan.changes.extend(nowhere.into_iter().map(forget));
        let leaving = not_wanted(&remembered, &wanted_places);
        let mut seen_gone: HashMap<&StudentId, (i64, u32)> = HashMap::new();
        let gone = remembered.iter().filter(|(record, _)| leaving.contains(&record.student));
        for (record, runs) in gone.filter(|(record, _)| self.has_left(&record.student)) {
            let seen = (record.gone_since_ms.unwrap_or(now_ms), runs.saturating_add(1));
            let (since_ms, least_runs) = seen_gone.entry(&record.student).or_insert(seen);
            (*since_ms, *least_runs) = ((*since_ms).max(seen.0), (*least_runs).min(seen.1));
        }
        for (student, (since_ms, _)) in &seen_gone {
            let known = self.plan.leavers.entry((*student).clone()).or_insert(*since_ms);
            *known = (*known).max(*since_ms);
        }
        for (record, _) in &remembered {
            note_presence(record, &wanted_places, &seen_gone, &mut self.plan.changes);
        }
        let records: Vec<EnrolmentRecord> = remembered.iter().map(|(record, _)| record.clone()).collect();
        let mut plan = self.plan(course, wanted, &records, &seen_gone, now_ms);
        self.plan.decided.extend(self.contradictions.hold(&mut plan, (wanted, &records, prior), &seen_gone));
        if context.mode >= Mode::CreateOnly {
            self.mind_the_room(&mut plan, wanted, now_ms);
            self.look_for_stale(wanted, &records, now_ms).await?;
        }
        self.note_left_by_mode(&plan, &records, now_ms);
        self.take(plan);
        Ok(())
    }

    fn note_left_by_mode(&mut self, plan: &CoursePlan, records: &[EnrolmentRecord], now_ms: i64) {
        let left: HashSet<(ClassTarget, Option<ClassinUid>)> = plan
            .operations
            .iter()
            .filter(|one| is_left_by_mode(one))
            .map(|one| (one.target, one.uid))
            .collect();
        let left = records.iter().filter(|one| left.contains(&(one.target, Some(one.uid))));
        let since_ms = left.map(|one| one.unwanted_since_ms.unwrap_or(now_ms));
        self.plan.left_by_mode_since_ms = since_ms.chain(self.plan.left_by_mode_since_ms).min();
    }

    /// Asks for the oldest evidence of each class that takes changes.
    async fn look_for_stale(
        &mut self,
        wanted: &[Enrolment],
        records: &[EnrolmentRecord],
        now_ms: i64,
    ) -> Result<(), ClassinSyncError> {
        if !self.plan.stale.is_looking() {
            return Ok(());
        }
        for members in wanted.chunk_by(|one, other| one.target == other.target) {
            let Some(target) = members.first().map(|member| member.target) else { continue };
            if self.prior.closed(target).is_some() {
                continue;
            }
            let confirmed = self.context.state.confirmations_of(target).await?;
            let here: Vec<_> = records.iter().filter(|record| record.target == target).cloned().collect();
            self.plan.stale.consider((members, &self.prior.refused), &here, &confirmed, now_ms);
        }
        Ok(())
    }

    /// Whether the roster lacks the student, or marks them as left.
    fn has_left(&self, student: &StudentId) -> bool {
        match self.contradictions.standing.get(student) {
            Some(Standing::OnRoster | Standing::Dangling | Standing::Unusable) => false,
            Some(Standing::Left) | None => true,
        }
    }

    fn plan(
        &self,
        course: CourseId,
        wanted: &[Enrolment],
        records: &[EnrolmentRecord],
        seen_gone: &HashMap<&StudentId, (i64, u32)>,
        now_ms: i64,
    ) -> CoursePlan {
        let Self { context, side, prior, .. } = *self;
        let presence =
            |student: &StudentId| match (seen_gone.get(student), self.contradictions.standing.get(student)) {
                (Some((since_ms, runs)), _) => Presence::Gone { since_ms: *since_ms, runs: *runs },
                (None, Some(Standing::Unusable)) => Presence::Unusable,
                (None, Some(Standing::Dangling)) => Presence::Dangling,
                (None, Some(Standing::OnRoster | Standing::Left) | None) => Presence::OnRoster,
            };
        // Where somebody has joined, the class is asked once more.
        let joined = prior.joined(course, wanted, records);
        let mut holds = Cow::Borrowed(&prior.holds);
        if !joined.is_empty() {
            holds.to_mut().retain(|hash, _| !joined.contains(hash));
        }
        let view = CourseView {
            course,
            class_code: &|target| self.plan.codes.get(&target).cloned(),
            mode: context.mode,
            closed: &|target| prior.closed(target),
            removals: side.settings.removals,
            now_ms,
            delete_grace_ms: side.delete_grace_ms,
            was_asked: &|target| prior.asked.get(&target).is_some_and(|at_ms| is_fresh(*at_ms, now_ms)),
            is_shared: &|student| self.shared.state_of(student) != EnrolmentState::Planned,
            presence: &presence,
            owners: &|uid| self.owners.of(uid),
            holds: &holds,
            given_up: &prior.given_up,
            refused: &prior.refused,
        };
        let mut plan = plan_course(wanted, records, &view);
        // Whoever stays in a class that was asked once may stay, whatever it says today.
        let waits = |target: ClassTarget| plan.operations.iter().any(|one| one.target == target);
        plan.questions.retain(|one| !prior.asked.contains_key(&one.target) || waits(one.target));
        plan
    }

    /// Who waits for room in a class is asked for again when the roster or the hour changes, when somebody is to
    /// leave, or when a person says so.
    fn mind_the_room(&mut self, plan: &mut CoursePlan, wanted: &[Enrolment], now_ms: i64) {
        let prior = self.prior;
        let mut full_still = BTreeSet::new();
        let mut was_full = BTreeSet::new();
        for members in wanted.chunk_by(|one, other| one.target == other.target) {
            let Some(target) = members.first().map(|member| member.target) else { continue };
            let roster = roster_of(members);
            let is_enrol = |it: &&EnrolmentOperation| it.target == target && is_planned_enrol(it);
            let mut enrols = plan.operations.iter().filter(is_enrol).peekable();
            if enrols.peek().is_none() {
                continue;
            }
            self.plan.rosters.insert(target, roster);
            if !prior.was_full(target) {
                continue;
            }
            was_full.insert(target);
            let is_due = enrols.any(|operation| prior.due_again.contains(&operation.desired_hash));
            if !is_due && prior.is_full_still(target, roster, now_ms) {
                full_still.insert(target);
            }
        }
        let_wait(&mut plan.operations, &full_still);
        let is_asked = |target: &ClassTarget| {
            plan.operations.iter().any(|it| it.target == *target && is_planned_enrol(it))
        };
        self.plan.full.extend(was_full.into_iter().filter(is_asked));
        self.plan.full_still.extend(full_still);
    }

    fn take(&mut self, plan: CoursePlan) {
        let CoursePlan {
            operations,
            settled: _,
            kept: _,
            to_forget,
            to_prove,
            handovers,
            staying,
            questions,
            unasked,
        } = plan;
        self.plan.unasked.extend(unasked);
        self.plan.staying.extend(staying);
        self.plan.questions.extend(questions);
        self.change(to_forget, to_prove, handovers);
        for mut operation in operations {
            if let EnrolmentState::Waiting(Reason::Grace { until_ms }) = operation.state {
                let since_ms = until_ms.saturating_sub(self.side.delete_grace_ms);
                let known = self.plan.leavers_waiting_since_ms;
                self.plan.leavers_waiting_since_ms = known.into_iter().chain([since_ms]).min();
                self.plan.waiting.insert(operation.student.clone());
                let may_be_removed =
                    |evidence: Evidence| evidence.may_be_removed(self.side.settings.removals);
                if self.context.mode == Mode::Sync && operation.recorded.is_some_and(may_be_removed) {
                    self.plan.in_grace.push(operation);
                }
                continue;
            }
            if operation.state == EnrolmentState::Cannot(Reason::NoAccount) {
                operation.state = self.without_account(&operation);
            } else if operation.kind == EnrolmentKind::Enrol && operation.is_planned() {
                operation.state = self.with_account(&operation);
                if operation.is_planned() {
                    operation.state = self.shared.state_of(&operation.student);
                }
            }
            if operation.kind == EnrolmentKind::Remove && operation.is_replaced && operation.is_planned() {
                operation.state = self.shared.state_of(&operation.student);
            }
            self.plan.operations.push(operation);
        }
    }

    /// Bookkeeping that needs no call.
    fn change(
        &mut self,
        to_forget: Vec<(ClassinUid, ClassTarget)>,
        to_prove: Vec<(ClassinUid, ClassTarget)>,
        handovers: Vec<Handover>,
    ) {
        let forgotten = to_forget.into_iter().map(|(uid, target)| EnrolmentChange::Forget { uid, target });
        self.plan.changes.extend(forgotten);
        let to_prove = to_prove.into_iter().map(|(uid, target)| EnrolmentChange::NeedsProof { uid, target });
        self.plan.changes.extend(to_prove);
        // Nobody's record is given to whoever is asked about.
        let is_asked =
            |handover: &Handover| self.shared.state_of(&handover.student) != EnrolmentState::Planned;
        for handover in handovers.into_iter().filter(|handover| !is_asked(handover)) {
            let Handover { uid, target, student } = handover;
            self.plan.changes.push(EnrolmentChange::HandOver { uid, target, student });
        }
    }

    /// Nobody gets a new place by an account that is doubted: first ClassIn names it anew.
    fn with_account(&self, operation: &EnrolmentOperation) -> EnrolmentState {
        let Some(doubt) =
            self.doubts.get(&operation.student).filter(|doubt| Some(doubt.uid()) == operation.uid)
        else {
            return EnrolmentState::Planned;
        };
        match self.plan.accounts.registration_of(&operation.student) {
            Some(EnrolmentState::Planned) => EnrolmentState::Planned,
            _ => EnrolmentState::Skipped(Reason::Other(doubt.to_string())),
        }
    }

    /// What becomes of an enrolment whose student has no account: it follows the registration.
    fn without_account(&self, operation: &EnrolmentOperation) -> EnrolmentState {
        if !self.side.settings.register {
            return if self.plan.ignored.contains(&operation.desired_hash) {
                EnrolmentState::Waiting(Reason::HeldBack(HeldBack::Ignored))
            } else {
                operation.state.clone()
            };
        }
        match self.plan.accounts.registration_of(&operation.student) {
            Some(EnrolmentState::Planned) => EnrolmentState::Planned,
            Some(EnrolmentState::Skipped(reason)) => EnrolmentState::Skipped(reason.clone()),
            Some(EnrolmentState::Held(_) | EnrolmentState::Cannot(_) | EnrolmentState::Waiting(_)) | None => {
                EnrolmentState::Skipped(Reason::Other("the student has no ClassIn account yet".to_owned()))
            }
        }
    }
}

fn is_planned_enrol(operation: &EnrolmentOperation) -> bool {
    operation.kind == EnrolmentKind::Enrol && operation.is_planned()
}
