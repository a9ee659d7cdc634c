//! The plan of one class, rule by rule.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::classin_plan::audit::audited;
use crate::classin_plan::enrolment::{
    Condition, EnrolmentBatch, EnrolmentKind, EnrolmentState, Evidence, HeldBack, Reason, batches,
};
use crate::roster::ClassId;

mod batches;
mod siblings;

const HOUR_MS: i64 = 3_600_000;
const TARGET: ClassTarget = ClassTarget { course: CourseId(523_689), class: Some(ClassId(1_419_691)) };

/// One class, converged, with everything a plan depends on; a test changes one thing.
struct World {
    wanted: Vec<Enrolment>,
    recorded: Vec<EnrolmentRecord>,
    gone: BTreeMap<StudentId, (i64, u32)>,
    holds: BTreeMap<u64, HeldBack>,
    given_up: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    mode: Mode,
    removals: Removals,
    closed: Option<i64>,
}

fn row(student: &str, class: &str, uid: Option<i64>) -> Enrolment {
    Enrolment {
        student: StudentId::new(student),
        class_code: ClassCode::new(class),
        target: TARGET,
        uid: uid.map(ClassinUid),
    }
}

fn record(student: &str, uid: i64, evidence: Evidence) -> EnrolmentRecord {
    EnrolmentRecord::new(ClassinUid(uid), TARGET, StudentId::new(student), evidence)
}

/// s1, s2 and s3 are in class c1, added by us.
fn converged() -> World {
    World {
        wanted: vec![row("s1", "c1", Some(1)), row("s2", "c1", Some(2)), row("s3", "c1", Some(3))],
        recorded: (1..=3).map(|n| record(&format!("s{n}"), n, Evidence::Added)).collect(),
        gone: BTreeMap::new(),
        holds: BTreeMap::new(),
        given_up: BTreeSet::new(),
        refused: BTreeSet::new(),
        mode: Mode::Sync,
        removals: Removals::Added,
        closed: None,
    }
}

impl World {
    fn plan(&self) -> CoursePlan {
        let code = ClassCode::new("c1");
        let presence = |student: &StudentId| match self.gone.get(student) {
            Some((since_ms, runs)) => Presence::Gone { since_ms: *since_ms, runs: *runs },
            None => Presence::OnRoster,
        };
        let view = CourseView {
            course: TARGET.course,
            class_code: &|_| Some(code.clone()),
            mode: self.mode,
            closed: &|_| self.closed.map(Code),
            removals: self.removals,
            now_ms: 1000 * HOUR_MS,
            delete_grace_ms: 72 * HOUR_MS,
            was_asked: &|_| true,
            is_shared: &|_| false,
            presence: &presence,
            owners: &|_| Vec::new(),
            holds: &self.holds,
            given_up: &self.given_up,
            refused: &self.refused,
        };
        audited(plan_course(&self.wanted, &self.recorded, &view))
    }

    fn without_row(mut self, student: &str) -> Self {
        self.wanted.retain(|row| row.student.as_str() != student);
        self
    }

    fn with_evidence(mut self, uid: i64, evidence: Evidence) -> Self {
        self.recorded
            .iter_mut()
            .filter(|record| record.uid.0 == uid)
            .for_each(|record| record.evidence = evidence);
        self
    }

    fn with_row(mut self, student: &str, class: &str, uid: Option<i64>) -> Self {
        self.wanted.push(row(student, class, uid));
        self
    }

    fn with_leaver(mut self, student: &str, hours: i64, runs: u32) -> Self {
        self.gone.insert(StudentId::new(student), (1000 * HOUR_MS - hours * HOUR_MS, runs));
        self.without_row(student)
    }
}

/// Kind, student, uid and whether it is planned: what most rules are about.
fn lines(plan: &CoursePlan) -> Vec<String> {
    let line = |operation: &EnrolmentOperation| {
        let state = match &operation.state {
            EnrolmentState::Planned if operation.follows => "follows",
            EnrolmentState::Planned => "planned",
            EnrolmentState::Held(_) => "held",
            EnrolmentState::Skipped(_) => "skipped",
            EnrolmentState::Cannot(_) => "cannot",
            EnrolmentState::Waiting(_) => "waiting",
        };
        let uid = operation.uid.map_or("-".to_owned(), |uid| uid.to_string());
        format!("{} {} {uid} {state}", operation.kind.as_str(), operation.student)
    };
    plan.operations.iter().map(line).collect()
}

const NOTHING: [&str; 0] = [];

// Enrolments

#[test]
fn a_converged_class_plans_nothing() {
    let plan = converged().plan();
    assert_eq!(lines(&plan), NOTHING);
    assert_eq!((plan.settled, plan.kept, plan.to_forget.len(), plan.handovers.len()), (3, 0, 0, 0));
}

#[test]
fn a_wanted_student_of_whom_nothing_is_recorded_is_enrolled() {
    let plan = converged().with_row("s4", "c1", Some(4)).plan();
    assert_eq!(lines(&plan), ["enrol s4 4 planned"]);
    assert_eq!(plan.operations[0].recorded, None);
}

#[test]
fn a_wanted_student_whose_answer_was_lost_is_enrolled_again() {
    for evidence in [Evidence::Unknown, Evidence::Removing] {
        let plan = converged().with_evidence(2, evidence).plan();
        assert_eq!(lines(&plan), ["enrol s2 2 planned"]);
        assert_eq!(plan.operations[0].recorded, Some(evidence));
    }
}

#[test]
fn a_wanted_student_who_is_surely_there_needs_nothing_however_we_know() {
    for evidence in [Evidence::Added, Evidence::Present, Evidence::Presumed] {
        assert_eq!(lines(&converged().with_evidence(2, evidence).plan()), NOTHING, "{evidence:?}");
    }
}

#[test]
fn a_student_without_an_account_cannot_be_enrolled_and_the_reason_helps() {
    let plan = converged().with_row("s4", "c1", None).plan();
    assert_eq!(lines(&plan), ["enrol s4 - cannot"]);
    let reason = plan.operations[0].state.reason().unwrap().to_string();
    assert!(reason.starts_with("no ClassIn account: "), "{reason}");
}

#[test]
fn a_failure_that_is_not_due_waits_until_what_is_wanted_changes() {
    let mut world = converged().with_row("s4", "c1", Some(4));
    let desired_hash = world.plan().operations[0].desired_hash;
    world.holds.insert(desired_hash, HeldBack::GivenUp);
    let plan = world.plan();
    assert_eq!(lines(&plan), ["enrol s4 4 waiting"]);
    assert_eq!(plan.operations[0].state.reason(), Some(&Reason::HeldBack(HeldBack::GivenUp)));
    let changed = world.without_row("s4").with_row("s4", "c1", Some(44));
    assert_eq!(lines(&changed.plan()), ["enrol s4 44 planned"]);
}

// Removals

#[test]
fn who_leaves_only_the_class_is_removed_at_once() {
    let plan = converged().without_row("s2").plan();
    assert_eq!(lines(&plan), ["remove s2 2 planned"]);
    assert_eq!(plan.operations[0].class_code, Some(ClassCode::new("c1")));
}

#[test]
fn a_leaver_is_removed_after_the_grace_and_two_runs_and_not_before() {
    let table =
        [(72, 2, "planned"), (71, 2, "waiting"), (72, 1, "waiting"), (500, 1, "waiting"), (0, 9, "waiting")];
    for (hours, runs, state) in table {
        let plan = converged().with_leaver("s2", hours, runs).plan();
        assert_eq!(lines(&plan), [format!("remove s2 2 {state}")], "{hours} h, {runs} runs");
    }
}

#[test]
fn a_leaver_who_came_back_in_between_begins_a_new_grace() {
    let mut world = converged().with_leaver("s2", 500, 2);
    world.recorded[1].gone_since_ms = Some(990 * HOUR_MS);
    assert_eq!(lines(&world.plan()), ["remove s2 2 waiting"]);
}

#[test]
fn a_leaver_gone_since_a_moment_that_lies_ahead_counts_from_now() {
    let mut world = converged().with_leaver("s2", 500, 2);
    world.recorded[1].gone_since_ms = Some(9000 * 24 * HOUR_MS);
    let plan = world.plan();
    let until_ms = 1072 * HOUR_MS;
    assert_eq!(plan.operations[0].state, EnrolmentState::Waiting(Reason::Grace { until_ms }));
}

#[test]
fn only_evidence_that_the_setting_allows_leads_to_a_removal() {
    use Evidence::{Added, Present, Presumed, Removing, Unknown};
    let table = [
        (Removals::None, vec![]),
        (Removals::Added, vec![Added, Removing]),
        (Removals::Presumed, vec![Added, Removing, Presumed, Unknown]),
    ];
    for (removals, allowed) in table {
        for evidence in [Added, Present, Unknown, Presumed, Removing] {
            let world = World { removals, ..converged() };
            let plan = world.with_evidence(2, evidence).without_row("s2").plan();
            let expected = match removals {
                _ if allowed.contains(&evidence) => "remove s2 2 planned",
                Removals::None => "remove s2 2 skipped",
                Removals::Added | Removals::Presumed => "remove s2 2 cannot",
            };
            assert_eq!(lines(&plan), [expected], "{removals:?} {evidence:?}");
            assert_eq!(plan.to_forget, [], "{removals:?} {evidence:?}");
        }
    }
}

#[test]
fn who_is_left_in_a_class_because_the_configuration_says_so_is_named_with_the_setting() {
    use Evidence::{Added, Present, Unknown};
    let (none, added) = (Removals::None, Removals::Added);
    let table = [
        (none, Mode::Sync, Added, "still in the class (evidence: added), and classin.removals = \"none\""),
        (none, Mode::Upsert, Added, "still in the class (evidence: added), and classin.removals = \"none\""),
        (none, Mode::Sync, Unknown, "perhaps still in the class (evidence: unknown)"),
        (
            added,
            Mode::Upsert,
            Present,
            "still in the class (evidence: present), and the mode upsert takes nobody out",
        ),
        (added, Mode::CreateOnly, Present, "and the mode create-only takes nobody out"),
        (added, Mode::Upsert, Added, "the mode upsert does not allow it"),
    ];
    for (removals, mode, evidence, said) in table {
        let world = World { removals, mode, ..converged() }.with_evidence(2, evidence).without_row("s2");
        let plan = world.plan();
        assert_eq!(lines(&plan), ["remove s2 2 skipped"], "{removals:?} {mode:?} {evidence:?}");
        let reason = plan.operations[0].state.reason().unwrap().to_string();
        assert!(reason.contains(said), "{reason}");
    }
}

#[test]
fn who_is_there_without_us_and_no_longer_wanted_is_named_and_stays_on_record() {
    let world = World { removals: Removals::Presumed, ..converged() };
    let plan = world.with_evidence(2, Evidence::Present).without_row("s2").plan();
    assert_eq!((lines(&plan), plan.to_forget), (vec!["remove s2 2 cannot".to_owned()], vec![]));
    let reason = plan.operations[0].state.reason().unwrap().to_string();
    assert!(reason.contains("rosterd claim"), "{reason}");
    let class = plan.operations[0].class_code.clone();
    let mut operation = plan.operations[0].clone();
    let named = class.map_or("5/7".to_owned(), |code| code.as_str().to_owned());
    let text = operation.reason_text().unwrap();
    assert!(text.contains(&format!("`rosterd claim s2 {named}`")), "{text}");
    operation.class_code = None;
    operation.target = ClassTarget { course: CourseId(5), class: None };
    let text = operation.reason_text().unwrap();
    assert!(
        text.contains("`rosterd claim s2 5/0`"),
        "a class that the roster does not name, by its ids: {text}"
    );
}

#[test]
fn who_is_there_without_us_is_named_when_the_grace_has_ended_and_not_once_a_person_silenced_it() {
    let mut world = converged().with_evidence(2, Evidence::Present).with_leaver("s2", 1, 1);
    assert_eq!(lines(&world.plan()), ["remove s2 2 waiting"]);
    world = world.with_leaver("s2", 500, 2);
    assert_eq!(lines(&world.plan()), ["remove s2 2 cannot"]);
    world.holds.insert(world.plan().operations[0].desired_hash, HeldBack::Ignored);
    assert_eq!(lines(&world.plan()), ["remove s2 2 waiting"]);
}

#[test]
fn only_who_is_settled_and_wanted_is_said_to_stay() {
    let staying = |world: &World| world.plan().staying.get(&TARGET).copied().unwrap_or(0);
    assert_eq!(staying(&converged()), 3);
    assert_eq!(staying(&converged().without_row("s1")), 2);
    assert_eq!(staying(&converged().with_evidence(1, Evidence::Present)), 3);
    assert_eq!(staying(&converged().with_evidence(1, Evidence::Unknown)), 2);
    assert_eq!(staying(&converged().with_row("s9", "c1", Some(9))), 3, "an add that is only planned");
    assert_eq!(staying(&converged().without_row("s1").with_evidence(1, Evidence::Present)), 2);
}

#[test]
fn a_new_account_is_added_and_the_old_one_removed() {
    let plan = converged().without_row("s2").with_row("s2", "c1", Some(22)).plan();
    assert_eq!(lines(&plan), ["enrol s2 22 planned", "remove s2 2 planned"]);
    let settled = Condition::Settled { target: TARGET, uid: ClassinUid(22) };
    assert_eq!(plan.operations[1].after, [settled]);
    assert!(plan.operations[1].is_replaced);
}

#[test]
fn an_old_account_stays_while_the_new_one_can_not_get_in_until_a_person_says_so() {
    let mut world = converged().without_row("s2").with_row("s2", "c1", Some(22));
    let desired_hash = world.plan().operations[0].desired_hash;
    world.holds.insert(desired_hash, HeldBack::NotDue);
    assert_eq!(lines(&world.plan()), ["enrol s2 22 waiting", "remove s2 2 waiting"]);
    world.holds.insert(desired_hash, HeldBack::GivenUp);
    world.given_up.insert(desired_hash);
    assert_eq!(
        lines(&world.plan()),
        ["enrol s2 22 waiting", "remove s2 2 waiting"],
        "the cell may be mistyped"
    );
    world.holds.insert(desired_hash, HeldBack::Ignored);
    assert_eq!(lines(&world.plan()), ["enrol s2 22 waiting", "remove s2 2 planned"]);
}

#[test]
fn nobody_is_removed_because_their_uid_was_emptied_on_the_roster() {
    let plan = converged().without_row("s2").with_row("s2", "c1", None).plan();
    assert_eq!(lines(&plan), ["enrol s2 - cannot"]);
    assert_eq!(plan.kept, 1);
}

// Lessons that are over

/// Two lessons of one course: the students of the first, which no row names any more, are wanted in the second.
fn renewed(was_asked: bool, removals: Removals, evidence: Evidence) -> CoursePlan {
    let second = ClassTarget { class: Some(ClassId(2)), ..TARGET };
    let wanted = |n: i64| Enrolment { target: second, ..row(&format!("s{n}"), "c2", Some(n)) };
    let there = |n: i64| EnrolmentRecord { target: second, ..record(&format!("s{n}"), n, Evidence::Added) };
    let wanted: Vec<Enrolment> = (1..=3).map(wanted).collect();
    let first = (1..=3).map(|n| record(&format!("s{n}"), n, evidence));
    let recorded: Vec<EnrolmentRecord> = first.chain((1..=3).map(there)).collect();
    let view = CourseView {
        course: TARGET.course,
        class_code: &|target| (target == second).then(|| ClassCode::new("c2")),
        mode: Mode::Sync,
        closed: &|_| None,
        removals,
        now_ms: 0,
        delete_grace_ms: 0,
        was_asked: &|_| was_asked,
        is_shared: &|_| false,
        presence: &|_| Presence::OnRoster,
        owners: &|_| Vec::new(),
        holds: &BTreeMap::new(),
        given_up: &BTreeSet::new(),
        refused: &BTreeSet::new(),
    };
    audited(plan_course(&wanted, &recorded, &view))
}

#[test]
fn a_lesson_that_no_row_names_is_asked_about_once_before_anybody_is_removed() {
    for evidence in [Evidence::Added, Evidence::Present] {
        let plan = renewed(false, Removals::Added, evidence);
        assert_eq!(lines(&plan), ["remove s1 1 waiting", "remove s2 2 waiting", "remove s3 3 waiting"]);
        let questions: Vec<(EnrolmentKind, Option<ClassinUid>, Option<Evidence>)> =
            plan.questions.iter().map(|one| (one.kind, one.uid, one.recorded)).collect();
        assert_eq!(questions, [(EnrolmentKind::Enrol, Some(ClassinUid(1)), Some(evidence))]);
    }
    let asked = renewed(true, Removals::Added, Evidence::Added);
    assert_eq!(lines(&asked), ["remove s1 1 planned", "remove s2 2 planned", "remove s3 3 planned"]);
    assert_eq!(asked.questions, []);
}

#[test]
fn nothing_is_asked_where_nobody_may_be_removed_or_nobody_is_surely_there() {
    assert_eq!(renewed(false, Removals::None, Evidence::Added).questions, []);
    assert_eq!(renewed(false, Removals::Added, Evidence::Unknown).questions, []);
}

// Siblings and classes with two codes

#[test]
fn an_account_that_a_sibling_wants_stays_and_its_record_is_handed_over() {
    let world = converged().without_row("s2").with_row("s9", "c1", Some(2));
    let plan = world.plan();
    assert_eq!(lines(&plan), NOTHING);
    let handover = Handover { uid: ClassinUid(2), target: TARGET, student: StudentId::new("s9") };
    assert_eq!(plan.handovers, [handover]);
}

#[test]
fn siblings_who_share_a_new_account_are_enrolled_by_one_call() {
    let plan = converged().with_row("s5", "c1", Some(4)).with_row("s4", "c1", Some(4)).plan();
    assert_eq!(lines(&plan), ["enrol s4 4 planned", "enrol s5 4 follows"]);
    assert!(plan.operations[1].ends_with(&plan.operations[0]));
    assert!(!plan.operations[0].ends_with(&plan.operations[1]));
    let calls = batches(&plan.operations, 30, &BTreeSet::new());
    assert_eq!(calls.iter().map(|call| call.operations.len()).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_sibling_whose_failure_waits_does_not_keep_the_other_from_being_enrolled() {
    let mut world = converged().with_row("s4", "c1", Some(4)).with_row("s5", "c1", Some(4));
    world.holds.insert(world.plan().operations[0].desired_hash, HeldBack::GivenUp);
    assert_eq!(lines(&world.plan()), ["enrol s4 4 waiting", "enrol s5 4 planned"]);
}

#[test]
fn two_codes_of_one_class_are_one_membership() {
    let world = converged().with_row("s1", "c2", Some(1));
    assert_eq!(lines(&world.plan()), NOTHING);
    let left_one = World { wanted: vec![row("s1", "c2", Some(1)), row("s2", "c1", Some(2))], ..converged() };
    assert_eq!(lines(&left_one.plan()), ["remove s3 3 planned"]);
}

// Mode and condemned classes

#[test]
fn each_mode_does_what_it_allows_and_skips_the_rest() {
    let table = [
        (Mode::Observe, ["enrol s4 4 skipped", "remove s2 2 skipped"]),
        (Mode::CreateOnly, ["enrol s4 4 planned", "remove s2 2 skipped"]),
        (Mode::Upsert, ["enrol s4 4 planned", "remove s2 2 skipped"]),
        (Mode::Sync, ["enrol s4 4 planned", "remove s2 2 planned"]),
    ];
    for (mode, expected) in table {
        let world = World { mode, ..converged() };
        assert_eq!(
            lines(&world.without_row("s2").with_row("s4", "c1", Some(4)).plan()),
            expected,
            "{mode:?}"
        );
    }
}

#[test]
fn observing_changes_no_record_either() {
    let world = World { mode: Mode::Observe, ..converged() };
    let plan = world.with_evidence(2, Evidence::Present).without_row("s2").plan();
    assert_eq!((plan.to_forget, plan.handovers), (vec![], vec![]));
}

#[test]
fn a_condemned_class_is_not_asked_again() {
    let world = World { closed: Some(145), ..converged() };
    let plan = world.without_row("s2").with_row("s4", "c1", Some(4)).with_row("s5", "c1", None).plan();
    assert_eq!(lines(&plan), ["enrol s4 4 skipped", "enrol s5 - skipped", "remove s2 2 skipped"]);
    assert!(plan.operations[0].state.reason().unwrap().to_string().contains("145"));
}

#[test]
fn the_members_of_a_deleted_class_are_forgotten() {
    let world = World { closed: Some(212), ..converged() };
    let plan = world.without_row("s2").plan();
    assert_eq!((lines(&plan), plan.to_forget), (vec![], vec![(ClassinUid(2), TARGET)]));
}

#[test]
fn rows_and_records_of_another_class_are_left_alone() {
    let mut world = converged();
    let other = ClassTarget { course: CourseId(1), class: None };
    world.recorded.push(EnrolmentRecord { target: other, ..record("s8", 8, Evidence::Added) });
    world.wanted.push(Enrolment { target: other, ..row("s9", "c9", Some(9)) });
    assert_eq!(lines(&world.plan()), NOTHING);
}

// Batches
