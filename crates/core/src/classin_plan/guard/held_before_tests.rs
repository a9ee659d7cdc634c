//! A mass of removals or names once held stays held: figures that change decide about nobody.

use super::tests::{approvals, guard, names, removals};
use super::*;

/// A fifth of forty enrolments may go at once: eight.
fn school() -> ClassinGuard {
    ClassinGuard { max_delete: Limit::Percent(20.0), enrolments: 40, accounts: 40, ..guard() }
}

/// The state database remembers what is held.
fn remember(guard: &mut ClassinGuard, enrolments: &[EnrolmentOperation], accounts: &[AccountOperation]) {
    for hold in classin_holds(enrolments, accounts) {
        let mass = hold.mass.expect("a mass");
        for HeldOperation { key, desired_hash, .. } in hold.operations {
            guard.held_before.insert(key, desired_hash, mass);
        }
    }
}

fn held(guard: &ClassinGuard, mut operations: Vec<EnrolmentOperation>) -> usize {
    guard.judge(&mut operations, &mut []);
    operations.iter().filter(|one| matches!(one.state, EnrolmentState::Held(_))).count()
}

/// Nine of forty, which is one too many, held and remembered.
fn after_nine_removals() -> ClassinGuard {
    let (mut guard, mut operations) = (school(), removals(9));
    guard.judge(&mut operations, &mut []);
    remember(&mut guard, &operations, &[]);
    guard
}

#[test]
fn enrolments_of_the_same_change_let_no_removal_go() {
    let guard = after_nine_removals();
    assert_eq!(held(&ClassinGuard { enrolments: 49, ..school() }, removals(9)), 0, "of 49 nine are allowed");
    assert_eq!(held(&ClassinGuard { enrolments: 49, ..guard }, removals(9)), 9);
}

#[test]
fn what_is_approved_of_a_mass_by_name_goes_alone() {
    let mut guard = after_nine_removals();
    let (approved, left) = (removals(9)[..4].to_vec(), removals(9)[4..].to_vec());
    guard.approved = approvals(&approved);
    assert_eq!(held(&guard, removals(9)), 5);
    assert_eq!(held(&guard, left), 5, "four are done");
}

#[test]
fn what_is_left_of_a_mass_goes_where_the_limit_is_raised_to_allow_the_whole_of_it() {
    let guard = after_nine_removals();
    assert_eq!(held(&guard, removals(8)), 8, "one is no longer wanted, which says nothing about the others");
    let raised = ClassinGuard { max_delete: Limit::Count(9), ..after_nine_removals() };
    assert_eq!(held(&raised, removals(9)), 0);
}

#[test]
fn a_class_that_too_many_leave_is_judged_by_its_size_of_that_day() {
    let size = |living| {
        BTreeMap::from([(removals(1)[0].target, ClassSize { living, left: 0, since_yesterday: living })])
    };
    let limits = |sizes| ClassinGuard {
        max_delete: Limit::Count(1000),
        max_group: Limit::Percent(50.0),
        sizes,
        ..school()
    };
    let (mut guard, mut operations) = (limits(size(20)), removals(11));
    guard.judge(&mut operations, &mut []);
    remember(&mut guard, &operations, &[]);
    let grown = ClassinGuard { sizes: size(30), ..guard };
    assert_eq!(held(&grown, removals(11)), 11);
}

#[test]
fn names_that_were_too_many_stay_held_when_accounts_are_added() {
    let (mut guard, mut operations) = (school(), names(6));
    guard.judge(&mut [], &mut operations);
    remember(&mut guard, &[], &operations);
    let grown = ClassinGuard { accounts: 100, ..guard };
    let mut again = names(6);
    grown.judge(&mut [], &mut again);
    assert!(again.iter().all(|one| matches!(one.state, EnrolmentState::Held(_))), "{again:?}");
}
