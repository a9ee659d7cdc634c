//! Every limit of the guard at, just under and just over.

use std::collections::BTreeMap;

use super::*;
use crate::classin_plan::enrolment::Evidence;
use crate::roster::{ClassCode, ClassTarget, ClassinUid, CourseId, StudentId};

pub(super) fn guard() -> ClassinGuard {
    ClassinGuard {
        max_delete: Limit::Count(3),
        max_modify: Limit::Percent(10.0),
        max_group: Limit::Count(1_000),
        enrolments: 100,
        silent: 0,
        sizes: BTreeMap::new(),
        newcomers: HashSet::new(),
        doubted: BTreeSet::new(),
        doubted_all_day: BTreeSet::new(),
        staying: BTreeMap::from([(ClassTarget { course: CourseId(1), class: None }, 1)]),
        accounts: 100,
        recent_removals: HashSet::new(),
        recent_names: HashSet::new(),
        held_before: HeldSubjects::default(),
        approved: Approvals::default(),
    }
}

fn enrolment(kind: EnrolmentKind, number: u64) -> EnrolmentOperation {
    EnrolmentOperation {
        kind,
        student: StudentId::new(format!("s{number:02}")),
        class_code: Some(ClassCode::new("c1")),
        uid: Some(ClassinUid(7)),
        target: ClassTarget { course: CourseId(1), class: None },
        state: EnrolmentState::Planned,
        recorded: Some(Evidence::Added),
        follows: false,
        after: Vec::new(),
        is_replaced: false,
        is_put_back: false,
        desired_hash: number,
    }
}

pub(super) fn removals(count: u64) -> Vec<EnrolmentOperation> {
    (0..count).map(|number| enrolment(EnrolmentKind::Remove, number)).collect()
}

/// Students who were removed from the class before, numbered from `first` on.
fn removed(first: u64, count: u64) -> HashSet<(StudentId, String)> {
    let student = |number| StudentId::new(format!("s{number:02}"));
    (first..first + count).map(|number| (student(number), "c1".to_owned())).collect()
}

pub(super) fn names(count: u64) -> Vec<AccountOperation> {
    let name = |number| AccountOperation {
        kind: AccountKind::Rename,
        student: StudentId::new(format!("s{number:02}")),
        state: EnrolmentState::Planned,
        desired_hash: number,
    };
    (0..count).map(name).collect()
}

pub(super) fn approvals<'a, T: 'a>(operations: &'a [T]) -> Approvals
where
    Subject: From<&'a T>,
{
    let mut approved = Approvals::default();
    for Subject { key, desired_hash } in operations.iter().map(Subject::from) {
        approved.insert(key, Fingerprint(desired_hash), None);
    }
    approved
}

fn held_removals(guard: &ClassinGuard, mut operations: Vec<EnrolmentOperation>) -> usize {
    guard.judge(&mut operations, &mut []);
    operations.iter().filter(|one| matches!(one.state, EnrolmentState::Held(_))).count()
}

fn held_names(guard: &ClassinGuard, mut operations: Vec<AccountOperation>) -> usize {
    guard.judge(&mut [], &mut operations);
    operations.iter().filter(|one| matches!(one.state, EnrolmentState::Held(_))).count()
}

#[test]
fn removals_up_to_the_limit_go_on_and_one_more_holds_them_all() {
    for (count, held) in [(2, 0), (3, 0), (4, 4)] {
        assert_eq!(held_removals(&guard(), removals(count)), held, "{count} removals");
    }
}

#[test]
fn removals_of_the_last_day_count_too_so_that_slices_do_not_get_by() {
    for (before, held) in [(0, 0), (1, 0), (2, 2)] {
        let guard = ClassinGuard { recent_removals: removed(50, before), ..guard() };
        assert_eq!(held_removals(&guard, removals(2)), held, "{before} before");
    }
}

#[test]
fn a_hold_by_a_limit_names_the_limit_as_a_number() {
    let (mut enrolments, mut accounts) = (removals(4), names(11));
    guard().judge(&mut enrolments, &mut accounts);
    let over = enrolments[0].state.reason().and_then(Reason::over_limit).unwrap();
    assert_eq!((over.count, over.limit), (4, 3));
    let holds = classin_holds(&enrolments, &accounts);
    let limits: Vec<_> = holds.iter().map(|hold| (hold.reason, hold.count, hold.limit)).collect();
    assert_eq!(limits, [("max-modify", Some(11), Some(10)), ("max-delete", Some(4), Some(3))]);
}

#[test]
fn a_removal_that_is_planned_once_more_counts_once() {
    let guard = ClassinGuard { recent_removals: removed(0, 2), ..guard() };
    for (count, held) in [(3, 0), (4, 4)] {
        assert_eq!(held_removals(&guard, removals(count)), held, "{count}, two of them once more");
    }
}

#[test]
fn who_left_before_and_is_held_now_for_another_reason_still_counts() {
    let emptied = ClassTarget { course: CourseId(2), class: None };
    let of_emptied =
        |number| EnrolmentOperation { target: emptied, ..enrolment(EnrolmentKind::Remove, number) };
    let guard = ClassinGuard { recent_removals: removed(0, 3), ..guard() };
    let mut operations: Vec<_> =
        (0..3).map(of_emptied).chain([enrolment(EnrolmentKind::Remove, 9)]).collect();
    guard.judge(&mut operations, &mut []);
    let reason = &operations[3].state;
    assert!(
        matches!(reason, EnrolmentState::Held(Reason::TooMany(over)) if over.sentence.contains("guard.max_delete")),
        "a fourth of three: {reason:?}"
    );
}

#[test]
fn without_a_removal_of_today_earlier_ones_hold_nothing() {
    let guard = ClassinGuard { recent_removals: removed(50, 50), ..guard() };
    let mut operations = vec![enrolment(EnrolmentKind::Enrol, 1)];
    guard.judge(&mut operations, &mut []);
    assert!(operations[0].is_planned());
}

#[test]
fn a_share_is_of_the_enrolments_that_we_remember() {
    for (enrolments, held) in [(120, 0), (101, 0), (100, 6)] {
        let guard = ClassinGuard { max_delete: Limit::Percent(5.0), enrolments, ..guard() };
        assert_eq!(held_removals(&guard, removals(6)), held, "of {enrolments}");
    }
}

#[test]
fn a_share_never_means_fewer_than_five_and_a_count_is_exact() {
    for (max_delete, count, held) in
        [(Limit::Percent(5.0), 5, 0), (Limit::Percent(5.0), 6, 6), (Limit::Count(2), 3, 3)]
    {
        let guard = ClassinGuard { max_delete, enrolments: 20, ..guard() };
        assert_eq!(held_removals(&guard, removals(count)), held, "{count} of 20 under {max_delete:?}");
    }
    for (max_modify, count, held) in
        [(Limit::Percent(5.0), 5, 0), (Limit::Percent(5.0), 6, 6), (Limit::Count(2), 3, 3)]
    {
        let guard = ClassinGuard { max_modify, accounts: 20, ..guard() };
        assert_eq!(held_names(&guard, names(count)), held, "{count} of 20 under {max_modify:?}");
    }
}

#[test]
fn a_class_that_loses_more_than_half_at_once_is_held_and_the_others_go_on() {
    let target = ClassTarget { course: CourseId(1), class: None };
    let rows = [(12, 0, 6, 0), (12, 0, 7, 7), (9, 3, 3, 0), (9, 3, 4, 4), (7, 0, 5, 0), (7, 0, 6, 6)];
    for (living, left, count, held) in rows {
        let sizes = BTreeMap::from([(target, ClassSize { living, left, since_yesterday: living })]);
        let guard = ClassinGuard {
            max_delete: Limit::Percent(100.0),
            max_group: Limit::Percent(50.0),
            sizes,
            ..guard()
        };
        let mut operations = removals(count);
        operations.push(EnrolmentOperation {
            target: ClassTarget { course: CourseId(2), class: None },
            ..enrolment(EnrolmentKind::Remove, 99)
        });
        assert_eq!(held_removals(&guard, operations), held, "{count} of {living} after {left}");
    }
}

/// So many removals, each by an account of its own, and who of them came today: the last ones.
fn leaving_after(old: u64, new: u64) -> (Vec<EnrolmentOperation>, HashSet<(ClassTarget, ClassinUid)>) {
    let mut operations = removals(old + new);
    for (uid, operation) in (0..).zip(&mut operations) {
        operation.uid = Some(ClassinUid(uid));
    }
    let newcomers = operations.iter().skip(usize::try_from(old).unwrap());
    let newcomers = newcomers.filter_map(|one| Some((one.target, one.uid?))).collect();
    (operations, newcomers)
}

#[test]
fn who_came_today_counts_neither_among_those_who_leave_a_class_nor_in_its_size() {
    let target = ClassTarget { course: CourseId(1), class: None };
    // Of twelve who were there yesterday half may go; of a class that is new today, half of all.
    let rows = [(12, 6, 8, false), (12, 7, 0, true), (12, 0, 20, false), (0, 0, 6, false), (0, 0, 7, true)];
    for (yesterday, old, new, is_held) in rows {
        let (operations, newcomers) = leaving_after(old, new);
        let living = if yesterday == 0 { 12 } else { yesterday + 20 };
        let size = ClassSize { living, left: 0, since_yesterday: yesterday };
        let guard = ClassinGuard {
            max_delete: Limit::Percent(100.0),
            max_group: Limit::Percent(50.0),
            sizes: BTreeMap::from([(target, size)]),
            newcomers,
            ..guard()
        };
        let held = held_removals(&guard, operations);
        assert_eq!(held > 0, is_held, "{old} of {yesterday} and {new} of today");
    }
}

proptest::proptest! {
    /// Whoever comes to a class, and whoever of them leaves it on the same day, changes nothing about its limit.
    #[test]
    fn one_class_is_counted_by_those_who_were_in_it_yesterday(
        yesterday in 1_u64..60,
        left in 0_u64..20,
        old in 0_u64..60,
        new in 0_u64..60,
        stay in 0_u64..60,
        percent in 0_u8..=100,
    ) {
        let target = ClassTarget { course: CourseId(1), class: None };
        let max_group = Limit::Percent(f64::from(percent));
        let held = |new: u64, living: u64| {
            let (operations, newcomers) = leaving_after(old, new);
            let guard = ClassinGuard {
                max_delete: Limit::Count(u64::MAX),
                max_group,
                enrolments: 1_000,
                sizes: BTreeMap::from([(target, ClassSize { living, left, since_yesterday: yesterday })]),
                newcomers,
                ..guard()
            };
            held_removals(&guard, operations) > 0
        };
        let limit = allowance(max_group, yesterday + left);
        let is_held = old > 0 && old + left > limit;
        proptest::prop_assert_eq!(held(0, yesterday), is_held);
        proptest::prop_assert_eq!(held(new, yesterday + new + stay), is_held);
    }
}

#[test]
fn a_person_who_leaves_a_class_with_two_accounts_counts_once_in_it() {
    let target = ClassTarget { course: CourseId(1), class: None };
    let sizes = BTreeMap::from([(target, ClassSize { living: 12, left: 0, since_yesterday: 12 })]);
    let guard =
        ClassinGuard { max_delete: Limit::Percent(100.0), max_group: Limit::Percent(50.0), sizes, ..guard() };
    let mut operations = removals(6);
    let other = EnrolmentOperation { uid: Some(ClassinUid(8)), ..operations[0].clone() };
    operations.push(other);
    assert_eq!(held_removals(&guard, operations), 0);
}

#[test]
fn a_removal_that_is_repeated_counts_once_among_those_who_left_a_class() {
    let target = ClassTarget { course: CourseId(1), class: None };
    let guard = ClassinGuard {
        max_delete: Limit::Percent(100.0),
        max_group: Limit::Percent(50.0),
        sizes: BTreeMap::from([(target, ClassSize { living: 6, left: 6, since_yesterday: 6 })]),
        ..guard()
    };
    let mut repeated = removals(6);
    repeated.iter_mut().for_each(|removal| removal.recorded = Some(Evidence::Removing));
    assert_eq!(held_removals(&guard, repeated), 0);
    assert_eq!(held_removals(&guard, removals(1)), 1, "slices whose answers are lost do not get by");
}

#[test]
fn approved_removals_leave_a_class_whatever_its_size() {
    let target = ClassTarget { course: CourseId(1), class: None };
    let operations = removals(8);
    let guard = ClassinGuard {
        max_delete: Limit::Percent(100.0),
        max_group: Limit::Percent(50.0),
        sizes: BTreeMap::from([(target, ClassSize { living: 10, left: 0, since_yesterday: 10 })]),
        approved: approvals(&operations),
        ..guard()
    };
    assert_eq!(held_removals(&guard, operations), 0);
}

#[test]
fn enrolments_are_never_held_however_many() {
    let operations = (0..50).map(|number| enrolment(EnrolmentKind::Enrol, number)).collect();
    assert_eq!(held_removals(&guard(), operations), 0);
}

#[test]
fn approved_removals_go_ahead_and_do_not_count() {
    let operations = removals(5);
    for (approved, held) in [(5, 0), (2, 0), (1, 4)] {
        let guard = ClassinGuard { approved: approvals(&operations[..approved]), ..guard() };
        assert_eq!(held_removals(&guard, operations.clone()), held, "{approved} approved");
    }
}

#[test]
fn an_approval_of_something_else_that_was_wanted_is_none() {
    let mut approved = removals(5);
    approved.iter_mut().for_each(|operation| operation.desired_hash += 100);
    let guard = ClassinGuard { approved: approvals(&approved), ..guard() };
    assert_eq!(held_removals(&guard, removals(5)), 5);
}

/// A class of so many whom we put there, with nobody in it who stays.
fn emptied(living: u64) -> ClassinGuard {
    let target = ClassTarget { course: CourseId(1), class: None };
    ClassinGuard {
        max_delete: Limit::Percent(100.0),
        sizes: BTreeMap::from([(target, ClassSize { living, left: 0, since_yesterday: living })]),
        staying: BTreeMap::new(),
        ..guard()
    }
}

#[test]
fn a_class_that_nobody_stays_in_is_held_unless_it_is_one_of_one_or_two() {
    for (living, held) in [(1, 0), (2, 0), (3, 3), (4, 4)] {
        assert_eq!(held_removals(&emptied(living), removals(living)), held, "of {living}");
    }
    let target = ClassTarget { course: CourseId(1), class: None };
    let after_one = ClassinGuard {
        sizes: BTreeMap::from([(target, ClassSize { living: 2, left: 1, since_yesterday: 2 })]),
        ..emptied(2)
    };
    assert_eq!(held_removals(&after_one, removals(2)), 2, "slices do not get by");
    let one_stays = ClassinGuard { staying: BTreeMap::from([(target, 1)]), ..emptied(4) };
    assert_eq!(held_removals(&one_stays, removals(3)), 0);
}

#[test]
fn a_class_in_which_others_wait_for_another_place_is_not_emptied_by_one_who_leaves() {
    let elsewhere = ClassTarget { course: CourseId(9), class: None };
    let moving = |number| EnrolmentOperation {
        after: vec![Condition::Settled { target: elsewhere, uid: ClassinUid(7) }],
        ..enrolment(EnrolmentKind::Remove, number)
    };
    let waiting = |number| EnrolmentOperation {
        state: EnrolmentState::Waiting(Reason::Follows("it waits")),
        ..enrolment(EnrolmentKind::Remove, number)
    };
    let held = |operations: &[EnrolmentOperation]| -> Vec<bool> {
        operations.iter().map(|one| matches!(one.state, EnrolmentState::Held(_))).collect()
    };
    let mut operations = vec![enrolment(EnrolmentKind::Remove, 0), waiting(1), waiting(2), waiting(3)];
    emptied(4).judge(&mut operations, &mut []);
    assert_eq!(held(&operations), [false; 4]);
    let mut operations = vec![enrolment(EnrolmentKind::Remove, 0), moving(1), moving(2), moving(3)];
    emptied(4).judge(&mut operations, &mut []);
    assert_eq!(held(&operations), [false, true, true, true], "they would be the last");
}

#[test]
fn an_add_that_is_only_planned_lets_nobody_leave_an_emptied_class_before_it_has_succeeded() {
    let mut operations = removals(3);
    operations.push(enrolment(EnrolmentKind::Enrol, 99));
    emptied(3).judge(&mut operations, &mut []);
    assert!(operations.iter().all(EnrolmentOperation::is_planned));
    for removal in &operations[..3] {
        assert_eq!(removal.after, [Condition::SomebodyEnters]);
    }
    let approved = ClassinGuard { approved: approvals(&operations[..3]), ..emptied(3) };
    let mut operations = removals(3);
    operations.push(enrolment(EnrolmentKind::Enrol, 99));
    approved.judge(&mut operations, &mut []);
    assert!(operations[..3].iter().all(|removal| removal.after.is_empty()));
}

#[test]
fn an_approval_lets_a_class_become_empty_and_one_without_stays_held() {
    let held = |number| EnrolmentOperation {
        state: EnrolmentState::Held(Reason::WouldEmpty { removals: 1 }),
        ..enrolment(EnrolmentKind::Remove, number)
    };
    let mut operations = vec![held(1), held(2)];
    let guard = ClassinGuard { approved: approvals(&operations[..1]), ..guard() };
    guard.judge(&mut operations, &mut []);
    assert!(operations[0].is_planned());
    assert!(matches!(operations[1].state, EnrolmentState::Held(Reason::WouldEmpty { .. })));
}

#[test]
fn a_hold_about_single_people_goes_ahead_by_an_approval_of_what_it_named_and_no_other() {
    let held = || EnrolmentOperation {
        state: EnrolmentState::Held(Reason::RowsOfNobody { rows: 1 }),
        ..enrolment(EnrolmentKind::Remove, 1)
    };
    let named = Reason::RowsOfNobody { rows: 7 }.named();
    for (approved, is_released) in [
        (None, false),
        (Some(None), false),
        (Some(Reason::ClassRows { rows: 1 }.named()), false),
        (Some(named), true),
    ] {
        let mut approvals = Approvals::default();
        if let Some(named) = approved {
            let Subject { key, desired_hash } = Subject::from(&held());
            approvals.insert(key, Fingerprint(desired_hash), named);
        }
        let guard = ClassinGuard { approved: approvals, ..guard() };
        let mut operations = vec![held()];
        guard.judge(&mut operations, &mut []);
        assert_eq!(operations[0].is_planned(), is_released, "{approved:?}");
    }
}

#[test]
fn holds_about_single_people_are_one_for_each_word_and_count_people() {
    let held = |number, reason| EnrolmentOperation {
        state: EnrolmentState::Held(reason),
        ..enrolment(EnrolmentKind::Remove, number)
    };
    let holds = classin_holds(
        &[
            held(1, Reason::RowsOfNobody { rows: 1 }),
            held(2, Reason::ClassRows { rows: 1 }),
            held(3, Reason::StillNamed),
        ],
        &[],
    );
    assert_eq!(holds.len(), 1);
    assert_eq!((holds[0].reason, holds[0].count), ("unreadable-ids", Some(3)));
    assert!(holds[0].message.contains("rosterd failures names each"), "{}", holds[0].message);
    assert!(holds[0].operations.iter().all(|operation| operation.named.is_some()));
}

#[test]
fn names_up_to_the_limit_go_on_and_one_more_holds_them_all() {
    for (count, held) in [(9, 0), (10, 0), (11, 11)] {
        assert_eq!(held_names(&guard(), names(count)), held, "{count} of 100");
    }
}

#[test]
fn five_names_are_never_too_many() {
    let guard = ClassinGuard { accounts: 6, ..guard() };
    for (count, held) in [(4, 0), (5, 0), (6, 6)] {
        assert_eq!(held_names(&guard, names(count)), held, "{count} of 6");
    }
}

#[test]
fn registrations_are_never_held_and_approved_names_do_not_count() {
    let mut operations = names(12);
    operations[0].kind = AccountKind::Register;
    let guard = ClassinGuard { approved: approvals(&operations[1..2]), ..guard() };
    assert_eq!(held_names(&guard, operations.clone()), 0, "ten of eleven names count");
    operations[0].kind = AccountKind::Rename;
    assert_eq!(held_names(&guard, operations), 11);
}

#[test]
fn each_reason_is_said_once_and_names_the_class_that_would_be_empty() {
    let mut enrolments = removals(4);
    guard().judge(&mut enrolments, &mut []);
    enrolments.push(EnrolmentOperation {
        state: EnrolmentState::Held(Reason::WouldEmpty { removals: 2 }),
        ..enrolment(EnrolmentKind::Remove, 9)
    });
    let holds = classin_holds(&enrolments, &[]);
    let said: Vec<(&str, &str, usize)> =
        holds.iter().map(|hold| (hold.message.as_str(), hold.reason, hold.operations.len())).collect();
    assert_eq!(
        said,
        [
            (
                "4 removals of 100 enrolments, and 0 in the last 24 hours: more than the limit of 3 (guard.max_delete)",
                "max-delete",
                4
            ),
            (
                "course c1: a course that would go to zero: 2 removals would leave nobody of ours in it",
                "class-to-zero",
                1
            ),
        ]
    );
}
