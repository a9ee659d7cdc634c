//! Whole lives of one course and two of its classes, with a model of ClassIn that loses answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::classin_plan::audit::audited;
use crate::classin_plan::enrolment::{
    Condition, EnrolmentKind, EnrolmentState, Evidence, EvidenceChange, LARGEST_BATCH, batches,
    evidence_after, evidence_before,
};
use crate::classin_plan::judge::ItemVerdict;
use crate::roster::ClassId;

const COURSE: CourseId = CourseId(7);

/// The whole course, and two of its classes.
const TARGETS: [ClassTarget; 3] = [
    ClassTarget { course: COURSE, class: None },
    ClassTarget { course: COURSE, class: Some(ClassId(1)) },
    ClassTarget { course: COURSE, class: Some(ClassId(2)) },
];

/// The fate of one item of a call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    /// Applied, and the answer lost.
    LostAfter,
    /// Never arrived, and we cannot know that.
    LostBefore,
}

type Members = BTreeSet<(ClassTarget, ClassinUid)>;

/// ClassIn as its contract has it (docs/contracts/classin.md, 8.1), and what we remember of it.
#[derive(Debug, Default)]
struct Model {
    /// Course students, and transfer students of classes.
    members: Members,
    /// Course students who are out of one class.
    transferred_out: Members,
    by_hand: Members,
    /// Whether an add to a class of somebody who is in it through the course is answered "done", and gives no place.
    says_done: bool,
    records: BTreeMap<(ClassTarget, ClassinUid), EnrolmentRecord>,
}

impl Model {
    fn plan(&self, wanted: &[Enrolment], removals: Removals) -> CoursePlan {
        let view = CourseView {
            course: COURSE,
            class_code: &|_| None,
            mode: Mode::Sync,
            closed: &|_| None,
            removals,
            now_ms: 0,
            delete_grace_ms: 0,
            was_asked: &|_| true,
            is_shared: &|_| false,
            presence: &|_| Presence::OnRoster,
            owners: &|_| Vec::new(),
            holds: &BTreeMap::new(),
            given_up: &BTreeSet::new(),
            refused: &BTreeSet::new(),
        };
        let records: Vec<EnrolmentRecord> = self.records.values().cloned().collect();
        audited(plan_course(wanted, &records, &view))
    }

    /// One run; how many calls it made, and who was taken out of where.
    fn run(
        &mut self,
        wanted: &[Enrolment],
        removals: Removals,
        fates: &mut impl Iterator<Item = Fate>,
    ) -> (usize, Members) {
        let plan = self.plan(wanted, removals);
        for (uid, target) in &plan.to_forget {
            self.records.remove(&(*target, *uid));
        }
        for (uid, target) in &plan.to_prove {
            self.records.get_mut(&(*target, *uid)).unwrap().needs_proof = true;
        }
        for handover in &plan.handovers {
            let record = self.records.get_mut(&(handover.target, handover.uid)).unwrap();
            record.student = handover.student.clone();
        }
        let mut left: Vec<EnrolmentOperation> = batches(&plan.operations, 2, &BTreeSet::new())
            .into_iter()
            .flat_map(|call| call.operations)
            .collect();
        let mut applied: BTreeSet<(EnrolmentKind, ClassTarget, ClassinUid)> = BTreeSet::new();
        let (mut calls, mut removed) = (0, Members::new());
        while let Some(at) = left.iter().position(|operation| is_ready(operation, &applied)) {
            let operation = left.remove(at);
            let (target, uid) = (operation.target, operation.uid.unwrap());
            calls += 1;
            self.write(&operation, evidence_before(operation.kind, operation.recorded), ItemVerdict::Unknown);
            let verdict = self.apply(&operation, fates.next().unwrap_or(Fate::Answered));
            self.write(&operation, evidence_after(operation.kind, operation.recorded, verdict), verdict);
            if verdict.is_success() {
                applied.insert((operation.kind, target, uid));
            }
            if operation.kind == EnrolmentKind::Remove {
                removed.insert((target, uid));
            }
        }
        (calls, removed)
    }

    fn write(&mut self, operation: &EnrolmentOperation, change: EvidenceChange, verdict: ItemVerdict) {
        let (uid, target) = (operation.uid.unwrap(), operation.target);
        match change {
            EvidenceChange::Forget => {
                self.records.remove(&(target, uid));
                if target.class.is_none() && operation.kind == EnrolmentKind::Remove {
                    self.forget_what_rested_on_the_course(uid);
                }
            }
            EvidenceChange::Record(evidence) => {
                let student = operation.student.clone();
                let is_confirmed = operation.kind == EnrolmentKind::Enrol && verdict.is_success();
                let needs_proof = !is_confirmed
                    && self.records.get(&(target, uid)).is_some_and(|record| record.needs_proof);
                let record =
                    EnrolmentRecord { needs_proof, ..EnrolmentRecord::new(uid, target, student, evidence) };
                self.records.insert((target, uid), record);
                if target.class.is_none()
                    && matches!(evidence, Evidence::Removing | Evidence::RemovingPresumed)
                {
                    self.forget_what_rested_on_the_course(uid);
                }
            }
        }
    }

    /// As the store does with it.
    fn forget_what_rested_on_the_course(&mut self, uid: ClassinUid) {
        self.records.retain(|(_, of), record| *of != uid || record.evidence != Evidence::Present);
        for record in self.records.values_mut().filter(|record| record.uid == uid) {
            if record.evidence == Evidence::Presumed {
                record.evidence = Evidence::Unknown;
            }
            record.needs_proof |= record.target.class.is_some();
        }
    }

    fn attends(&self, target: ClassTarget, uid: ClassinUid) -> bool {
        let is_in_course = self.members.contains(&(TARGETS[0], uid));
        self.members.contains(&(target, uid))
            || (is_in_course && !self.transferred_out.contains(&(target, uid)))
    }

    fn apply(&mut self, operation: &EnrolmentOperation, fate: Fate) -> ItemVerdict {
        let (uid, target) = (operation.uid.unwrap(), operation.target);
        if matches!(fate, Fate::LostBefore) {
            return ItemVerdict::Unknown;
        }
        let changed = match operation.kind {
            EnrolmentKind::Enrol if self.attends(target, uid) => false,
            EnrolmentKind::Enrol => {
                self.transferred_out.remove(&(target, uid)) || self.members.insert((target, uid))
            }
            EnrolmentKind::Remove => self.take_out(target, uid),
            EnrolmentKind::Register => unreachable!(),
        };
        match (fate, changed) {
            (Fate::LostAfter | Fate::LostBefore, _) => ItemVerdict::Unknown,
            (Fate::Answered, true) => ItemVerdict::Done { code: Code(1) },
            (Fate::Answered, false) if operation.kind == EnrolmentKind::Remove => {
                ItemVerdict::Already { code: Code(167) }
            }
            (Fate::Answered, false) if self.says_done && !self.members.contains(&(target, uid)) => {
                ItemVerdict::Done { code: Code(1) }
            }
            (Fate::Answered, false) => ItemVerdict::Already { code: Code(166) },
        }
    }

    fn take_out(&mut self, target: ClassTarget, uid: ClassinUid) -> bool {
        assert!(!self.by_hand.contains(&(target, uid)), "an enrolment that we did not make was removed");
        if self.members.remove(&(target, uid)) {
            if target.class.is_none() {
                self.transferred_out.retain(|(_, out)| *out != uid);
            }
            return true;
        }
        let is_in_course = self.members.contains(&(TARGETS[0], uid));
        is_in_course && target.class.is_some() && self.transferred_out.insert((target, uid))
    }
}

fn is_ready(
    operation: &EnrolmentOperation,
    applied: &BTreeSet<(EnrolmentKind, ClassTarget, ClassinUid)>,
) -> bool {
    operation.after.iter().all(|condition| match *condition {
        Condition::Settled { target, uid } => applied.contains(&(EnrolmentKind::Enrol, target, uid)),
        Condition::Removed { target, uid } => applied.contains(&(EnrolmentKind::Remove, target, uid)),
        Condition::SomebodyEnters => unreachable!("the guard's"),
    })
}

/// Eight students, each with one account of six; some share one, some have none.
fn roster() -> impl Strategy<Value = Vec<Enrolment>> {
    let rows = prop::collection::vec((0_usize..8, 0_u8..2, 0_usize..3), 0..10);
    let accounts = prop::collection::vec(prop::option::weighted(0.9, 0_i64..6), 8);
    (rows, accounts).prop_map(|(rows, accounts)| {
        let row = |(student, class, target): (usize, u8, usize)| Enrolment {
            student: StudentId::new(format!("s{student}")),
            class_code: ClassCode::new(format!("c{class}")),
            target: TARGETS[target],
            uid: accounts[student].map(ClassinUid),
        };
        rows.into_iter().map(row).collect()
    })
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop::sample::select(vec![Fate::Answered, Fate::LostAfter, Fate::LostBefore]);
    prop::collection::vec(fate, 0..30)
}

fn members() -> impl Strategy<Value = Members> {
    let one = (0_usize..3, 0_i64..6).prop_map(|(target, uid)| (TARGETS[target], ClassinUid(uid)));
    prop::collection::btree_set(one, 0..4)
}

fn wanted_places(wanted: &[Enrolment]) -> Members {
    wanted.iter().filter_map(|row| Some((row.target, row.uid?))).collect()
}

proptest! {
    #[test]
    fn after_lost_answers_the_course_converges_and_no_hand_made_member_is_ever_removed(
        rosters in prop::collection::vec(roster(), 1..5),
        by_hand in members(),
        fates in fates(),
        says_done in any::<bool>(),
    ) {
        let mut model = Model { members: by_hand.clone(), by_hand, says_done, ..Model::default() };
        let mut fates = fates.into_iter();
        for wanted in &rosters {
            model.run(wanted, Removals::Added, &mut fates);
        }
        let last = rosters.last().unwrap();
        for _ in 0..2 {
            model.run(last, Removals::Added, &mut std::iter::empty());
        }
        let (calls, _) = model.run(last, Removals::Added, &mut std::iter::empty());
        prop_assert_eq!(calls, 0, "the third good run makes no call");
        for (target, uid) in wanted_places(last) {
            prop_assert!(model.attends(target, uid), "{} is wanted in {} and not there", uid, target);
        }
        prop_assert!(model.by_hand.is_subset(&model.members));
    }

    #[test]
    fn nobody_is_taken_out_of_where_they_are_wanted_or_of_a_class_of_a_course_where_they_are(
        rosters in prop::collection::vec(roster(), 1..5), fates in fates(), says_done in any::<bool>(),
    ) {
        let mut model = Model { says_done, ..Model::default() };
        let mut fates = fates.into_iter();
        for wanted in &rosters {
            let (_, removed) = model.run(wanted, Removals::Presumed, &mut fates);
            for (target, uid) in removed {
                let places = wanted_places(wanted);
                prop_assert!(!places.contains(&(target, uid)), "{} in {}", uid, target);
                prop_assert!(!places.contains(&(TARGETS[0], uid)), "{} in {}", uid, target);
            }
        }
    }

    #[test]
    fn nobody_is_removed_without_evidence_that_the_setting_allows(
        wanted in roster(), earlier in roster(), fates in fates(),
    ) {
        let mut model = Model::default();
        model.run(&earlier, Removals::Added, &mut fates.into_iter());
        let plan = model.plan(&wanted, Removals::Added);
        let removals = plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove);
        for removal in removals.filter(|one| one.is_planned()) {
            let allows = matches!(removal.recorded, Some(Evidence::Added | Evidence::Removing));
            prop_assert!(allows, "{:?}", removal);
        }
    }

    #[test]
    fn a_student_who_moves_or_changes_the_account_is_never_without_any_place(
        earlier in roster(), wanted in roster(),
    ) {
        let mut model = Model::default();
        model.run(&earlier, Removals::Added, &mut std::iter::empty());
        let plan = model.plan(&wanted, Removals::Added);
        for removal in plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove) {
            let open = plan.operations.iter().filter(|one| {
                one.kind == EnrolmentKind::Enrol
                    && one.student == removal.student
                    && !(removal.target.class.is_none() && one.uid == removal.uid)
                    // The account before holds that other place, and only leaves this class.
                    && !(removal.target.class.is_some()
                        && one.target != removal.target
                        && removal.uid.is_some_and(|uid| model.attends(one.target, uid)))
            });
            for add in open.filter(|_| removal.is_planned()) {
                let settled = add.uid.map(|uid| Condition::Settled { target: add.target, uid });
                prop_assert!(settled.is_some_and(|it| removal.after.contains(&it)), "{:?}", removal);
            }
        }
    }

    #[test]
    fn the_order_of_rows_and_records_changes_nothing(
        wanted in roster(), earlier in roster(), turn in 0_usize..10, fates in fates(),
    ) {
        let mut model = Model::default();
        model.run(&earlier, Removals::Presumed, &mut fates.into_iter());
        let straight = model.plan(&wanted, Removals::Presumed);
        let mut turned = wanted.clone();
        turned.reverse();
        turned.rotate_left(turn % wanted.len().max(1));
        prop_assert_eq!(straight, model.plan(&turned, Removals::Presumed));
    }

    #[test]
    fn each_planned_operation_is_in_one_call_or_follows_one_that_is(
        wanted in roster(), earlier in roster(), size in 0_usize..40,
    ) {
        let mut model = Model::default();
        model.run(&earlier, Removals::Added, &mut std::iter::empty());
        let plan = model.plan(&wanted, Removals::Added);
        let calls = batches(&plan.operations, size, &BTreeSet::new());
        let sent: Vec<&EnrolmentOperation> = calls.iter().flat_map(|call| &call.operations).collect();
        for call in &calls {
            let largest = size.clamp(1, LARGEST_BATCH);
            prop_assert!((1..=largest).contains(&call.operations.len()));
            let uids: BTreeSet<_> = call.operations.iter().map(|operation| operation.uid).collect();
            prop_assert_eq!(uids.len(), call.operations.len());
        }
        for operation in plan.operations.iter().filter(|operation| operation.is_planned()) {
            let own = sent.iter().filter(|call| **call == operation).count();
            let led = sent.iter().filter(|call| operation.ends_with(call)).count();
            prop_assert_eq!(own + led, 1);
        }
    }

    #[test]
    fn what_waits_for_something_never_waits_for_what_is_not_planned(
        wanted in roster(), earlier in roster(), full in prop::collection::btree_set(0_usize..3, 0..3),
    ) {
        let mut model = Model::default();
        model.run(&earlier, Removals::Added, &mut std::iter::empty());
        let mut plan = model.plan(&wanted, Removals::Added);
        let full: BTreeSet<ClassTarget> = full.into_iter().map(|at| TARGETS[at]).collect();
        let_wait(&mut plan.operations, &full);
        let is_planned = |kind: EnrolmentKind, target: ClassTarget, uid: ClassinUid| {
            let mut planned = plan.operations.iter().filter(|one| one.is_planned());
            planned.any(|one| (one.kind, one.target, one.uid) == (kind, target, Some(uid)))
        };
        for operation in plan.operations.iter().filter(|one| one.state == EnrolmentState::Planned) {
            for condition in &operation.after {
                match *condition {
                    Condition::Settled { target, uid } => {
                        prop_assert!(is_planned(EnrolmentKind::Enrol, target, uid));
                    }
                    Condition::Removed { target, uid } => {
                        prop_assert!(is_planned(EnrolmentKind::Remove, target, uid));
                    }
                    Condition::SomebodyEnters => prop_assert!(false, "the guard's"),
                }
            }
        }
    }
}
