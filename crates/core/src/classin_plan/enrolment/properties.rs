//! Whole lives of one class, with a model of ClassIn that loses answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::classin_plan::audit::audited;
use crate::classin_plan::judge::ItemVerdict;
use crate::roster::Removals;
use crate::roster::{CourseId, Enrolment};

const TARGET: ClassTarget = ClassTarget { course: CourseId(7), class: None };

/// The fate of one item of a call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    /// Applied, and the answer lost.
    LostAfter,
    /// Never arrived, and we cannot know that.
    LostBefore,
}

#[derive(Debug, Default)]
struct Model {
    members: BTreeSet<ClassinUid>,
    by_hand: BTreeSet<ClassinUid>,
    records: BTreeMap<ClassinUid, EnrolmentRecord>,
}

impl Model {
    fn plan(&self, wanted: &[Enrolment], removals: Removals) -> ClassPlan {
        let view = ClassView {
            target: TARGET,
            class_code: None,
            mode: Mode::Sync,
            closed: None,
            removals,
            now_ms: 0,
            delete_grace_ms: 0,
            presence: &|_| Presence::OnRoster,
            holds: &BTreeMap::new(),
        };
        let records: Vec<EnrolmentRecord> = self.records.values().cloned().collect();
        audited(plan_class(wanted, &records, &view))
    }

    fn run(
        &mut self,
        wanted: &[Enrolment],
        removals: Removals,
        fates: &mut impl Iterator<Item = Fate>,
    ) -> usize {
        let plan = self.plan(wanted, removals);
        for uid in &plan.to_forget {
            self.records.remove(uid);
        }
        for handover in &plan.handovers {
            self.records.get_mut(&handover.uid).unwrap().student = handover.student.clone();
        }
        let calls = batches(&plan.operations, 2, &BTreeSet::new());
        for operation in calls.iter().flat_map(|call| &call.operations) {
            let fate = fates.next().unwrap_or(Fate::Answered);
            self.write(operation, evidence_before(operation.kind, operation.recorded));
            let verdict = self.apply(operation, fate);
            self.write(operation, evidence_after(operation.kind, operation.recorded, verdict));
        }
        calls.len()
    }

    fn write(&mut self, operation: &EnrolmentOperation, change: EvidenceChange) {
        let uid = operation.uid.unwrap();
        match change {
            EvidenceChange::Forget => self.records.remove(&uid),
            EvidenceChange::Record(evidence) => self.records.insert(
                uid,
                EnrolmentRecord {
                    uid,
                    target: TARGET,
                    student: operation.student.clone(),
                    evidence,
                    gone_since_ms: None,
                },
            ),
        };
    }

    fn apply(&mut self, operation: &EnrolmentOperation, fate: Fate) -> ItemVerdict {
        let uid = operation.uid.unwrap();
        if matches!(fate, Fate::LostBefore) {
            return ItemVerdict::Unknown;
        }
        let changed = match operation.kind {
            EnrolmentKind::Enrol => self.members.insert(uid),
            EnrolmentKind::Remove => {
                assert!(!self.by_hand.contains(&uid), "an enrolment that we did not make was removed");
                self.members.remove(&uid)
            }
            EnrolmentKind::Register => unreachable!(),
        };
        match (fate, changed) {
            (Fate::LostAfter | Fate::LostBefore, _) => ItemVerdict::Unknown,
            (Fate::Answered, true) => ItemVerdict::Done { code: Code(1) },
            (Fate::Answered, false) if operation.kind == EnrolmentKind::Remove => {
                ItemVerdict::Already { code: Code(167) }
            }
            (Fate::Answered, false) => ItemVerdict::Already { code: Code(166) },
        }
    }
}

fn roster() -> impl Strategy<Value = Vec<Enrolment>> {
    let row = (0_u8..8, 0_u8..2, prop::option::weighted(0.9, 0_i64..6)).prop_map(|(student, class, uid)| {
        Enrolment {
            student: StudentId::new(format!("s{student}")),
            class_code: ClassCode::new(format!("c{class}")),
            target: TARGET,
            uid: uid.map(ClassinUid),
        }
    });
    prop::collection::vec(row, 0..10)
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop::sample::select(vec![Fate::Answered, Fate::LostAfter, Fate::LostBefore]);
    prop::collection::vec(fate, 0..20)
}

fn wanted_uids(wanted: &[Enrolment]) -> BTreeSet<ClassinUid> {
    wanted.iter().filter_map(|row| row.uid).collect()
}

proptest! {
    #[test]
    fn after_lost_answers_the_class_converges_and_no_hand_made_member_is_ever_removed(
        rosters in prop::collection::vec(roster(), 1..5),
        by_hand in prop::collection::btree_set((0_i64..6).prop_map(ClassinUid), 0..3),
        fates in fates(),
    ) {
        let mut model = Model { members: by_hand.clone(), by_hand, ..Model::default() };
        let mut fates = fates.into_iter();
        for wanted in &rosters {
            model.run(wanted, Removals::Added, &mut fates);
        }
        let last = rosters.last().unwrap();
        let mut calm = std::iter::empty();
        model.run(last, Removals::Added, &mut calm);
        prop_assert_eq!(model.run(last, Removals::Added, &mut calm), 0, "the second good run makes no call");
        prop_assert!(wanted_uids(last).is_subset(&model.members));
        prop_assert!(model.by_hand.is_subset(&model.members));
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
    fn no_account_is_removed_that_any_student_wants_there(wanted in roster(), earlier in roster()) {
        let mut model = Model::default();
        model.run(&earlier, Removals::Presumed, &mut std::iter::empty());
        let plan = model.plan(&wanted, Removals::Presumed);
        for operation in plan.operations.iter().filter(|one| one.kind == EnrolmentKind::Remove) {
            prop_assert!(!wanted_uids(&wanted).contains(&operation.uid.unwrap()));
        }
    }
}
