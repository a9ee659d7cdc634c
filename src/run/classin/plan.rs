//! What the roster wants in every class, beside what we remember of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::account::{self, fill_in};
use super::contradiction::Contradictions;
use super::history::{MixedFailure, PriorState};
use super::{ClassinSide, ClassinSyncError};
use crate::run::Context;
use crate::run::unreadable_ids::unreadable_since;
use crate::store::{EnrolmentChange, RosterSnapshot};
use rosterd_core::classin_plan::{
    AccountPlan, AccountPlanner, ClassPlan, ClassView, EnrolmentKind, EnrolmentOperation, EnrolmentRecord,
    EnrolmentState, Handover, IGNORED, Presence, Reason, StaleEnrolments, plan_class,
};
use rosterd_core::exam_plan::Digest;
use rosterd_core::roster::Mode;
use rosterd_core::roster::{
    Class, ClassCode, ClassTarget, ClassinUid, Enrolment, RosterProblem, Standing, StudentId,
};

/// Everything that ClassIn's part of a run is to do.
pub(super) struct ClassinPlan {
    /// What comes before the classes, and names.
    pub(super) accounts: AccountPlan,
    /// Classes in ascending order of ids; within one, enrolments before removals.
    pub(super) operations: Vec<EnrolmentOperation>,
    /// Bookkeeping that needs no call.
    pub(super) changes: Vec<EnrolmentChange>,
    /// Wants that a person silenced.
    pub(super) ignored: HashSet<u64>,
    /// Failures that an earlier version stored with the contact mixed in.
    pub(super) mixed: Vec<MixedFailure>,
    /// Classes that had no room and are tried again: whoever leaves goes first.
    pub(super) full: BTreeSet<ClassTarget>,
    /// Fingerprints of what the roster wants in the classes that somebody is to be added to.
    pub(super) rosters: BTreeMap<ClassTarget, u64>,
    /// The wanted enrolments whose evidence is oldest.
    pub(super) stale: StaleEnrolments,
    /// Classes that name no course.
    pub(super) not_mirrored: u64,
    /// Students whose removals wait for their grace.
    pub(super) leavers_waiting: u64,
    /// Rows that cannot be used.
    pub(super) problems: Vec<RosterProblem>,
    /// Those that are to be remembered as rows of the roster.
    pub(super) roster_rows: Vec<RosterProblem>,
    /// Since when the roster has had rows without a readable id.
    pub(super) unreadable_since_ms: Option<i64>,
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
    let prior = PriorState::read(context, side, &key, &mut snapshot).await?;
    let planner = account::planner(context, side, &key, &prior);
    let (classes, mut problems) = snapshot.classes().await?;
    if context.exam.is_none() {
        // The exam side's part of the report names them all.
        let dangling = snapshot.dangling_members().await?;
        problems.extend(dangling.into_iter().filter(|problem| problem.table == "class_members"));
    }
    problems.extend(snapshot.unreadable_uids().await?);
    let repeated = snapshot.repeated_students().await?;
    let seen = first_reading(context, planner, &prior, (&classes, &repeated), &mut snapshot).await?;
    let unknown = match registering {
        Registering::ToDo if side.settings.register => seen.without_account,
        Registering::ToDo | Registering::Done => BTreeSet::new(),
    };
    let accounts = account::plan(context, planner, &mut snapshot, &unknown).await?;
    let unreadable_since_ms = seen.contradictions.unreadable_since_ms;
    let roster_rows = problems.clone();
    problems.extend(accounts.problems.iter().cloned());
    let not_mirrored = classes.iter().filter(|class| class.target.is_none() && class.flaw.is_none()).count();
    let mut builder = ClassinPlanBuilder {
        context,
        side,
        prior: &prior,
        codes: codes(&classes),
        contradictions: seen.contradictions,
        waiting: HashSet::new(),
        plan: ClassinPlan {
            accounts,
            operations: Vec::new(),
            changes: Vec::new(),
            ignored: prior.ignored.clone(),
            mixed: prior.mixed.clone(),
            full: BTreeSet::new(),
            rosters: BTreeMap::new(),
            stale,
            not_mirrored: u64::try_from(not_mirrored).unwrap_or(u64::MAX),
            leavers_waiting: 0,
            problems,
            roster_rows,
            unreadable_since_ms,
        },
    };
    let mut unwanted = remembered_classes(context).await?;
    let mut wanted = snapshot.wanted_classes(&classes);
    while let Some(mut class) = wanted.next().await? {
        unwanted.remove(&class.target);
        class.members.retain(|member| !repeated.contains(&member.student));
        fill_in(context, planner, &mut class.members, &builder.plan.accounts).await?;
        builder.one_class(class.target, &class.members).await?;
    }
    drop(wanted);
    snapshot.close().await;
    for target in unwanted {
        builder.one_class(target, &[]).await?;
    }
    let mut plan = builder.plan;
    plan.leavers_waiting = u64::try_from(builder.waiting.len()).unwrap_or(u64::MAX);
    Ok(plan)
}

async fn remembered_classes(context: &Context) -> Result<BTreeSet<ClassTarget>, ClassinSyncError> {
    Ok(context.state.remembered_classes().await?.into_iter().collect())
}

/// The first code by which the roster names each class.
fn codes(classes: &[Class]) -> HashMap<ClassTarget, ClassCode> {
    let mut codes = HashMap::new();
    for class in classes {
        if let Some(target) = class.target {
            codes.entry(target).or_insert_with(|| class.code.clone());
        }
    }
    codes
}

/// What the first reading is for.
struct FirstReading {
    /// Of those who are remembered in a class, and not wanted there.
    contradictions: Contradictions,
    /// Who is wanted in a class that takes changes, and has no account that we know of.
    without_account: BTreeSet<StudentId>,
}

async fn first_reading(
    context: &Context,
    planner: AccountPlanner<'_>,
    prior: &PriorState,
    (classes, repeated): (&[Class], &HashSet<StudentId>),
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<FirstReading, ClassinSyncError> {
    let state = &context.state;
    let none = AccountPlan::default();
    let mut leaving = HashSet::new();
    let mut without_account = BTreeSet::new();
    let mut unwanted = remembered_classes(context).await?;
    let mut wanted = snapshot.wanted_classes(classes);
    while let Some(mut class) = wanted.next().await? {
        unwanted.remove(&class.target);
        class.members.retain(|member| !repeated.contains(&member.student));
        fill_in(context, planner, &mut class.members, &none).await?;
        let remembered = state.enrolments_of(class.target).await?;
        leaving.extend(not_wanted(&remembered, &uids(&class.members)));
        if prior.closed(class.target).is_none() {
            let without = class.members.into_iter().filter(|member| member.uid.is_none());
            without_account.extend(without.map(|member| member.student));
        }
    }
    drop(wanted);
    for target in unwanted {
        let remembered = state.enrolments_of(target).await?;
        leaving.extend(not_wanted(&remembered, &HashSet::new()));
    }
    let unreadable_since_ms = unreadable_since::<ClassinSyncError>(context, snapshot).await?;
    let contradictions = Contradictions::read(snapshot, &leaving, classes, unreadable_since_ms).await?;
    Ok(FirstReading { contradictions, without_account })
}

fn uids(wanted: &[Enrolment]) -> HashSet<ClassinUid> {
    wanted.iter().filter_map(|enrolment| enrolment.uid).collect()
}

fn not_wanted(remembered: &[(EnrolmentRecord, u32)], wanted: &HashSet<ClassinUid>) -> HashSet<StudentId> {
    remembered
        .iter()
        .filter(|(record, _)| !wanted.contains(&record.uid))
        .map(|(record, _)| record.student.clone())
        .collect()
}

/// What is put together class by class.
struct ClassinPlanBuilder<'a> {
    context: &'a Context,
    side: &'a ClassinSide,
    prior: &'a PriorState,
    codes: HashMap<ClassTarget, ClassCode>,
    /// Of those who are not wanted where they are remembered.
    contradictions: Contradictions,
    /// Leavers whose grace has not run out.
    waiting: HashSet<StudentId>,
    plan: ClassinPlan,
}

impl ClassinPlanBuilder<'_> {
    async fn one_class(&mut self, target: ClassTarget, wanted: &[Enrolment]) -> Result<(), ClassinSyncError> {
        let Self { context, prior, .. } = *self;
        let remembered = context.state.enrolments_of(target).await?;
        let now_ms = context.clock.now_ms();
        let wanted_uids = uids(wanted);
        let leaving = not_wanted(&remembered, &wanted_uids);
        let seen_gone: HashMap<&StudentId, (i64, u32)> = remembered
            .iter()
            .filter(|(record, _)| leaving.contains(&record.student) && self.has_left(&record.student))
            .map(|(record, runs)| {
                (&record.student, (record.gone_since_ms.unwrap_or(now_ms), runs.saturating_add(1)))
            })
            .collect();
        for (record, _) in &remembered {
            note_presence(record, &wanted_uids, &seen_gone, &mut self.plan.changes);
        }
        let records: Vec<EnrolmentRecord> = remembered.iter().map(|(record, _)| record.clone()).collect();
        let mut plan = self.plan(target, wanted, &records, &seen_gone, now_ms);
        self.contradictions.hold(&mut plan, wanted, &seen_gone);
        if prior.closed(target).is_none() && context.mode >= Mode::CreateOnly {
            self.mind_the_room(&mut plan, target, wanted, now_ms);
            if self.plan.stale.is_looking() {
                let confirmed = context.state.confirmations_of(target).await?;
                self.plan.stale.consider(wanted, &records, &confirmed, now_ms);
            }
        }
        self.take(plan, target);
        Ok(())
    }

    /// Whether the roster lacks the student, or marks them as left.
    fn has_left(&self, student: &StudentId) -> bool {
        match self.contradictions.standing.get(student) {
            Some(Standing::OnRoster | Standing::Unusable) => false,
            Some(Standing::Left) | None => true,
        }
    }

    fn plan(
        &self,
        target: ClassTarget,
        wanted: &[Enrolment],
        records: &[EnrolmentRecord],
        seen_gone: &HashMap<&StudentId, (i64, u32)>,
        now_ms: i64,
    ) -> ClassPlan {
        let Self { context, side, prior, .. } = *self;
        let presence =
            |student: &StudentId| match (seen_gone.get(student), self.contradictions.standing.get(student)) {
                (Some((since_ms, runs)), _) => Presence::Gone { since_ms: *since_ms, runs: *runs },
                (None, Some(Standing::Unusable)) => Presence::Unusable,
                (None, Some(Standing::OnRoster | Standing::Left) | None) => Presence::OnRoster,
            };
        let view = ClassView {
            target,
            class_code: self.codes.get(&target),
            mode: context.mode,
            closed: prior.closed(target),
            removals: side.settings.removals,
            now_ms,
            delete_grace_ms: side.delete_grace_ms,
            presence: &presence,
            holds: &prior.holds,
        };
        plan_class(wanted, records, &view)
    }

    /// Who waits for room in a class is asked for again when the roster or the hour changes, when somebody is to
    /// leave, or when a person says so.
    fn mind_the_room(
        &mut self,
        plan: &mut ClassPlan,
        target: ClassTarget,
        wanted: &[Enrolment],
        now_ms: i64,
    ) {
        let is_planned = |kind: EnrolmentKind| {
            move |operation: &&EnrolmentOperation| operation.kind == kind && operation.is_planned()
        };
        let enrols = || plan.operations.iter().filter(is_planned(EnrolmentKind::Enrol));
        if enrols().next().is_none() {
            return;
        }
        let roster = roster_of(wanted);
        self.plan.rosters.insert(target, roster);
        let prior = self.prior;
        if !prior.was_full(target) {
            return;
        }
        let makes_room = plan.operations.iter().any(|one| is_planned(EnrolmentKind::Remove)(&one));
        let is_due = enrols().any(|operation| prior.due_again.contains(&operation.desired_hash));
        if makes_room || is_due || !prior.is_full_still(target, roster, now_ms) {
            self.plan.full.insert(target);
            return;
        }
        for operation in &mut plan.operations {
            if operation.kind == EnrolmentKind::Enrol && operation.is_planned() {
                operation.state = EnrolmentState::Waiting(Reason::Other(
                    "the class is full: rosterd asks again in the next hour, or when the roster changes"
                        .to_owned(),
                ));
            }
        }
    }

    fn take(&mut self, plan: ClassPlan, target: ClassTarget) {
        let ClassPlan { operations, settled: _, kept: _, to_forget, handovers } = plan;
        for mut operation in operations {
            if matches!(operation.state, EnrolmentState::Waiting(Reason::Grace { .. })) {
                self.waiting.insert(operation.student);
                continue;
            }
            if matches!(operation.state, EnrolmentState::Cannot(_)) {
                operation.state = self.without_account(&operation);
            }
            self.plan.operations.push(operation);
        }
        let forgotten = to_forget.into_iter().map(|uid| EnrolmentChange::Forget { uid, target });
        self.plan.changes.extend(forgotten);
        for handover in handovers {
            let Handover { uid, student } = handover;
            self.plan.changes.push(EnrolmentChange::HandOver { uid, target, student });
        }
    }

    /// What becomes of an enrolment whose student has no account: it follows the registration.
    fn without_account(&self, operation: &EnrolmentOperation) -> EnrolmentState {
        if !self.side.settings.register {
            return if self.plan.ignored.contains(&operation.desired_hash) {
                EnrolmentState::Waiting(Reason::Other(IGNORED.to_owned()))
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

/// What the roster wants in a class, in one number.
fn roster_of(wanted: &[Enrolment]) -> u64 {
    let mut digest = Digest::open("class roster");
    for member in wanted {
        let uid = member.uid.map_or(0, |uid| uid.0);
        digest.text(member.student.as_str()).text(member.class_code.as_str()).number(uid);
    }
    digest.finish().0
}

fn note_presence(
    record: &EnrolmentRecord,
    wanted: &HashSet<ClassinUid>,
    seen_gone: &HashMap<&StudentId, (i64, u32)>,
    changes: &mut Vec<EnrolmentChange>,
) {
    let (uid, target) = (record.uid, record.target);
    if wanted.contains(&uid) || !seen_gone.contains_key(&record.student) {
        if record.gone_since_ms.is_some() {
            changes.push(EnrolmentChange::Returned { uid, target });
        }
    } else {
        changes.push(EnrolmentChange::Gone { uid, target });
    }
}
