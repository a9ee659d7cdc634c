//! What ClassIn's answers prove about a student, and the limits of what a class plan does: exactly at each, and one
//! step beyond.

use std::collections::{BTreeMap, BTreeSet};

use rosterd_core::classin_plan::{
    AnswerItem, Approvals, Call, CallAnswer, ClassSize, ClassinGuard, Code, CoursePlan, CourseView,
    EnrolmentBatch, EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, EnrolmentViolation,
    Evidence, EvidenceChange, HeldBack, HeldSubjects, ItemVerdict, LeftBehind, Presence, Reason, Scope, Sent,
    Split, Stop, Token, audit_enrolments, batches, evidence_after, judge, plan_course,
};
use rosterd_core::roster::{ClassCode, ClassId, ClassTarget, ClassinUid, CourseId, Enrolment, StudentId};
use rosterd_core::roster::{Limit, Mode, Removals};

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_000 * HOUR;
const TARGET: ClassTarget = ClassTarget { course: CourseId(10), class: Some(ClassId(20)) };

/// Every verdict there is, with whether the student is where the call wanted them, and the code behind it.
fn verdicts() -> [(ItemVerdict, bool, Option<Code>); 12] {
    [
        (ItemVerdict::Done { code: Code(1) }, true, Some(Code(1))),
        (ItemVerdict::Already { code: Code(166) }, true, Some(Code(166))),
        (ItemVerdict::Repair { code: Code(228) }, false, Some(Code(228))),
        (ItemVerdict::Repeat { code: Code(101_003_002) }, false, Some(Code(101_003_002))),
        (ItemVerdict::Retry { code: Code(158) }, false, Some(Code(158))),
        (ItemVerdict::Full { code: Code(157) }, false, Some(Code(157))),
        (ItemVerdict::Student { code: Code(329) }, false, Some(Code(329))),
        (
            ItemVerdict::Closed { scope: Scope::Class, for_good: true, code: Code(145) },
            false,
            Some(Code(145)),
        ),
        (ItemVerdict::StopRun { stop: Stop::Maintenance, code: Code(901) }, false, Some(Code(901))),
        (ItemVerdict::Halve { code: Code(100) }, false, Some(Code(100))),
        (ItemVerdict::Unknown, false, None),
        (ItemVerdict::SendSingly, false, None),
    ]
}

#[test]
fn only_done_and_already_so_count_as_success_and_each_verdict_keeps_its_code() {
    for (verdict, is_success, code) in verdicts() {
        assert_eq!((verdict.is_success(), verdict.code()), (is_success, code), "{verdict:?}");
    }
}

#[test]
fn a_verdict_without_success_records_no_membership_and_forgets_only_deleted_classes() {
    for (verdict, _, code) in verdicts().into_iter().filter(|(_, is_success, _)| !is_success) {
        let of_add = evidence_after(EnrolmentKind::Enrol, None, verdict);
        assert_ne!(of_add, EvidenceChange::Record(Evidence::Added), "{verdict:?}");
        let of_removal = evidence_after(EnrolmentKind::Remove, Some(Evidence::Added), verdict);
        assert_ne!(of_removal, EvidenceChange::Forget, "{code:?}");
    }
    let deleted = ItemVerdict::Closed { scope: Scope::Class, for_good: true, code: Code(212) };
    assert_eq!(evidence_after(EnrolmentKind::Remove, Some(Evidence::Added), deleted), EvidenceChange::Forget);
}

fn token(n: u8) -> Token {
    Token::derive(&[n; 32], &StudentId::new("s1"), None)
}

fn items(codes: &[i64]) -> CallAnswer {
    let item = |code: &i64| AnswerItem { code: Some(*code), token: None, text: None, uid: None };
    CallAnswer { top: Some(1), top_text: None, items: Some(codes.iter().map(item).collect()), uid: None }
}

#[test]
fn a_token_is_shown_as_it_is_sent_and_the_longest_has_fifty_characters() {
    let sent = token(1);
    assert_eq!(sent.to_string(), sent.as_str());
    for (length, is_accepted) in [(0, false), (1, true), (50, true), (51, false)] {
        assert_eq!(Token::parse(&"x".repeat(length)).is_some(), is_accepted, "{length} characters");
    }
}

#[test]
fn an_answer_with_one_item_too_few_or_too_many_proves_nothing_by_position() {
    let judged = |codes: &[i64]| {
        judge(Call::ClassRemove, Sent::Positions(2), &items(codes)).verdicts().collect::<Vec<_>>()
    };
    let done = ItemVerdict::Done { code: Code(1) };
    assert_eq!(judged(&[1, 1]), [done, done]);
    assert_eq!(judged(&[1]), [ItemVerdict::SendSingly; 2]);
    assert_eq!(judged(&[1, 1, 1]), [ItemVerdict::SendSingly; 2]);
}

#[test]
fn a_refused_value_is_halved_down_to_two_and_blamed_on_the_one_who_is_alone() {
    let refused = CallAnswer { top: Some(155), top_text: None, items: None, uid: None };
    let judged = |count| judge(Call::ClassRemove, Sent::Positions(count), &refused);
    for count in [2, 3, 30] {
        assert_eq!((judged(count).split, judged(count).suspect), (Some(Split::Halves), None), "{count} sent");
    }
    let alone = judged(1);
    assert_eq!((alone.split, alone.suspect, alone.stop), (None, Some(Code(155)), None));
    assert_eq!(alone.items[0].verdict, ItemVerdict::Student { code: Code(155) });
}

#[test]
fn a_full_class_is_noticed_at_the_top_and_at_any_item() {
    let full = |answer: &CallAnswer| judge(Call::ClassAdd, Sent::Positions(3), answer).full;
    assert_eq!(full(&items(&[1, 157, 1])), Some(Code(157)));
    assert_eq!(full(&CallAnswer { top: Some(157), ..items(&[1, 1, 1]) }), Some(Code(157)));
    assert_eq!(full(&items(&[1, 1, 1])), None);
}

#[test]
fn of_several_equal_condemnations_the_first_is_named() {
    let closed = |codes: &[i64]| {
        let judged = judge(Call::ClassRemove, Sent::Positions(codes.len()), &items(codes));
        judged.closed.map(|closure| closure.code)
    };
    assert_eq!(closed(&[142, 143]), Some(Code(142)));
    assert_eq!(closed(&[143, 142]), Some(Code(143)));
    assert_eq!(closed(&[142, 144, 147]), Some(Code(144)), "a course reaches further than a class");
}

/// A class of three whom we enrolled.
struct Class {
    wanted: Vec<Enrolment>,
    recorded: Vec<EnrolmentRecord>,
    gone: BTreeMap<StudentId, Presence>,
    mode: Mode,
    removals: Removals,
}

fn class() -> Class {
    let wanted = |n: i64| Enrolment {
        student: StudentId::new(format!("s{n}")),
        class_code: ClassCode::new("c1"),
        uid: Some(ClassinUid(n)),
        target: TARGET,
    };
    let recorded = |n: i64| {
        EnrolmentRecord::new(ClassinUid(n), TARGET, StudentId::new(format!("s{n}")), Evidence::Added)
    };
    Class {
        wanted: (1..=3).map(wanted).collect(),
        recorded: (1..=3).map(recorded).collect(),
        gone: BTreeMap::new(),
        mode: Mode::Sync,
        removals: Removals::Added,
    }
}

impl Class {
    fn without(mut self, students: &[&str]) -> Self {
        self.wanted.retain(|row| !students.contains(&row.student.as_str()));
        self
    }

    fn left(mut self, student: &str, since_ms: i64, runs: u32) -> Self {
        self.gone.insert(StudentId::new(student), Presence::Gone { since_ms, runs });
        self.without(&[student])
    }

    fn plan(&self) -> CoursePlan {
        let code = ClassCode::new("c1");
        let presence = |student: &StudentId| self.gone.get(student).copied().unwrap_or(Presence::OnRoster);
        let plan = plan_course(
            &self.wanted,
            &self.recorded,
            &CourseView {
                course: TARGET.course,
                class_code: &|_| Some(code.clone()),
                mode: self.mode,
                closed: &|_| None,
                removals: self.removals,
                now_ms: NOW,
                delete_grace_ms: 72 * HOUR,
                was_asked: &|_| true,
                is_shared: &|_| false,
                presence: &presence,
                owners: &|_| Vec::new(),
                holds: &BTreeMap::new(),
                given_up: &BTreeSet::new(),
                refused: &BTreeSet::new(),
            },
        );
        let calls = batches(&plan.operations, 2, &BTreeSet::new());
        assert_eq!(audit_enrolments(&plan.operations, &calls, 2), [], "{:#?}", plan.operations);
        plan
    }

    /// The states behind a guard without limits but the last of a class.
    fn states(&self) -> Vec<EnrolmentState> {
        let mut plan = self.plan();
        let living = u64::try_from(self.recorded.len()).unwrap_or(u64::MAX);
        let guard = ClassinGuard {
            max_delete: Limit::Percent(100.0),
            max_modify: Limit::Percent(100.0),
            max_group: Limit::Percent(100.0),
            enrolments: living,
            silent: 0,
            sizes: BTreeMap::from([(TARGET, ClassSize { living, left: 0, since_yesterday: living })]),
            newcomers: std::collections::HashSet::new(),
            doubted: BTreeSet::new(),
            doubted_all_day: BTreeSet::new(),
            staying: plan.staying,
            accounts: 0,
            recent_removals: std::collections::HashSet::new(),
            recent_names: std::collections::HashSet::new(),
            held_before: HeldSubjects::default(),
            approved: Approvals::default(),
        };
        let _base = guard.judge(&mut plan.operations, &mut []);
        plan.operations.into_iter().map(|operation| operation.state).collect()
    }
}

#[test]
fn a_leavers_removal_is_due_at_the_very_end_of_grace_and_in_the_second_run() {
    let end = NOW - 72 * HOUR;
    for (since_ms, runs, is_due) in [(end, 2, true), (end + 1, 2, false), (end, 1, false), (end - 1, 3, true)]
    {
        let states = class().left("s1", since_ms, runs).states();
        let waiting = EnrolmentState::Waiting(Reason::Grace { until_ms: since_ms + 72 * HOUR });
        let expected = if is_due { EnrolmentState::Planned } else { waiting };
        assert_eq!(states, [expected], "since {since_ms}, {runs} runs");
    }
}

#[test]
fn grace_counts_from_the_later_of_the_two_times_a_student_was_seen_gone() {
    let end = NOW - 72 * HOUR;
    for (recorded, is_due) in [(Some(end - 1), true), (Some(end), true), (Some(end + 1), false), (None, true)]
    {
        let mut class = class().left("s1", end, 2);
        class.recorded[0].gone_since_ms = recorded;
        assert_eq!(class.plan().operations[0].is_planned(), is_due, "{recorded:?}");
    }
}

#[test]
fn the_last_of_ours_is_not_removed_and_the_last_but_one_is() {
    assert_eq!(class().without(&["s1", "s2"]).states(), [EnrolmentState::Planned, EnrolmentState::Planned]);
    let held = EnrolmentState::Held(Reason::WouldEmpty { removals: 3 });
    assert_eq!(class().without(&["s1", "s2", "s3"]).states(), [held.clone(), held.clone(), held]);
}

#[test]
fn who_only_waits_to_be_removed_does_not_keep_the_class_from_going_to_zero() {
    let states = class().left("s3", NOW, 1).without(&["s1", "s2"]).states();
    let held = EnrolmentState::Held(Reason::WouldEmpty { removals: 2 });
    assert_eq!(states[..2], [held.clone(), held]);
    assert!(matches!(states[2], EnrolmentState::Waiting(_)));
}

#[test]
fn whom_we_only_found_there_does_not_count_as_one_of_ours_unless_wanted() {
    let mut unwanted = class().without(&["s1", "s2", "s3"]);
    unwanted.recorded[2].evidence = Evidence::Present;
    let held = EnrolmentState::Held(Reason::WouldEmpty { removals: 2 });
    let not_ours =
        EnrolmentState::Cannot(Reason::NotOurs { evidence: Evidence::Present, whom: LeftBehind::Student });
    assert_eq!(unwanted.states(), [held.clone(), held, not_ours]);
    let mut wanted = class().without(&["s1", "s2"]);
    wanted.recorded[2].evidence = Evidence::Present;
    assert_eq!(wanted.states(), [EnrolmentState::Planned, EnrolmentState::Planned]);
}

#[test]
fn each_reason_says_what_to_do_without_naming_anybody() {
    let rows = [
        (Reason::NoAccount, "classin_uid"),
        (Reason::Mode(Mode::Upsert), "the mode upsert does not allow it"),
        (Reason::Closed(Code(145)), "code 145"),
        (Reason::WouldEmpty { removals: 3 }, "3 removals would leave nobody"),
        (Reason::Grace { until_ms: 0 }, "delete_grace"),
        (Reason::RowsOfNobody { rows: 2 }, "2 rows of class_members"),
        (Reason::StillNamed, "set active = 0"),
        (Reason::UnreadableIds, "mend those rows"),
        (Reason::ClassRows { rows: 1 }, "1 row of classes has no ids"),
        (Reason::HeldBack(HeldBack::GivenUp), "see rosterd failures"),
        (Reason::NoRoom, "the class is full"),
        (Reason::Follows("after the other one"), "after the other one"),
        (Reason::NotOurs { evidence: Evidence::Present, whom: LeftBehind::Student }, "rosterd claim"),
        (Reason::Other("a sentence".to_owned()), "a sentence"),
    ];
    for (reason, part) in rows {
        assert!(reason.to_string().contains(part), "{reason}");
        for state in [
            EnrolmentState::Held(reason.clone()),
            EnrolmentState::Skipped(reason.clone()),
            EnrolmentState::Cannot(reason.clone()),
            EnrolmentState::Waiting(reason.clone()),
        ] {
            assert_eq!(state.reason(), Some(&reason), "{state:?}");
        }
    }
    assert_eq!(EnrolmentState::Planned.reason(), None);
}

#[test]
fn kinds_of_enrolment_operations_have_a_word_each() {
    let words =
        [EnrolmentKind::Register, EnrolmentKind::Enrol, EnrolmentKind::Remove].map(EnrolmentKind::as_str);
    assert_eq!(words, ["register", "enrol", "remove"]);
}

#[test]
fn an_operation_ends_with_its_leader_only_for_a_call_with_the_same_account() {
    let mut class = class();
    class.recorded.clear();
    class.wanted[1].uid = Some(ClassinUid(1));
    let plan = class.plan();
    let [leader, follower, other] = plan.operations.as_slice() else { panic!("three: {plan:?}") };
    assert!(!leader.follows && follower.follows && !other.follows);
    assert!(follower.ends_with(leader));
    assert!(!leader.ends_with(follower) && !follower.ends_with(other) && !other.ends_with(leader));
    let mut waiting = leader.clone();
    waiting.state = EnrolmentState::Waiting(Reason::Other(String::new()));
    assert!(!follower.ends_with(&waiting), "a leader that does not go ahead ends nobody");
    assert!(!follower.ends_with(follower), "who follows makes no call");
}

// The audit of plans for classes

fn enrolment(uid: i64, kind: EnrolmentKind) -> EnrolmentOperation {
    EnrolmentOperation {
        kind,
        student: StudentId::new(format!("s{uid}")),
        class_code: None,
        uid: Some(ClassinUid(uid)),
        target: TARGET,
        state: EnrolmentState::Planned,
        recorded: None,
        follows: false,
        after: Vec::new(),
        is_replaced: false,
        is_put_back: false,
        desired_hash: 7,
    }
}

/// What the audit finds in these operations and the calls made of them, once they are tampered with.
fn planted(
    operations: &[EnrolmentOperation],
    tamper: impl FnOnce(&mut Vec<EnrolmentBatch>),
) -> Vec<EnrolmentViolation> {
    let mut calls = batches(operations, 2, &BTreeSet::new());
    tamper(&mut calls);
    audit_enrolments(operations, &calls, 2)
}

#[test]
fn the_audit_of_classes_finds_nothing_where_nothing_is_planted() {
    let operations = [1, 2, 3].map(|uid| enrolment(uid, EnrolmentKind::Enrol));
    assert_eq!(planted(&operations, |_| {}), []);
}

#[test]
fn an_account_that_is_enrolled_and_removed_in_one_plan_is_found() {
    let operations = [enrolment(1, EnrolmentKind::Enrol), enrolment(1, EnrolmentKind::Remove)];
    let opposed = EnrolmentViolation::Opposed { uid: ClassinUid(1), target: TARGET };
    assert_eq!(planted(&operations, |_| {}), [opposed]);
}

#[test]
fn an_account_that_is_enrolled_twice_is_found() {
    let operations = [enrolment(1, EnrolmentKind::Enrol), enrolment(1, EnrolmentKind::Enrol)];
    let (uid, kind) = (ClassinUid(1), EnrolmentKind::Enrol);
    let found = planted(&operations, |_| {});
    assert!(found.contains(&EnrolmentViolation::Repeated { uid, target: TARGET, kind }), "{found:?}");
}

#[test]
fn a_call_to_a_class_above_its_limit_is_found() {
    let operations = [1, 2, 3].map(|uid| enrolment(uid, EnrolmentKind::Enrol));
    let found = planted(&operations, |calls| {
        let rest = calls.remove(1);
        calls[0].operations.extend(rest.operations);
    });
    assert_eq!(found, [EnrolmentViolation::BatchSize { size: 3, limit: 2 }]);
}

#[test]
fn a_call_to_a_class_with_a_held_operation_is_found() {
    let operations = [enrolment(1, EnrolmentKind::Remove)];
    let found = planted(&operations, |calls| {
        calls[0].operations[0].state = EnrolmentState::Held(Reason::WouldEmpty { removals: 1 });
    });
    assert_eq!(found, [EnrolmentViolation::Misplaced { uid: Some(ClassinUid(1)), target: TARGET }]);
}

#[test]
fn an_enrolment_that_may_go_ahead_and_is_in_no_call_is_found() {
    let operations = [enrolment(1, EnrolmentKind::Enrol)];
    let (uid, kind) = (ClassinUid(1), EnrolmentKind::Enrol);
    let sent = EnrolmentViolation::Sent { uid, target: TARGET, kind, times: 0 };
    assert_eq!(planted(&operations, Vec::clear), [sent]);
}
