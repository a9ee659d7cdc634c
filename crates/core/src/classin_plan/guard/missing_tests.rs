//! Leavers judged while they wait: at the limit, just over it, and who counts.

use super::tests::{approvals, guard, removals};
use super::*;

const HOUR: i64 = 60 * 60 * 1000;

/// Each of these students has been gone since then.
fn gone(operations: &[EnrolmentOperation], since_ms: impl Fn(usize) -> i64) -> BTreeMap<StudentId, i64> {
    operations.iter().enumerate().map(|(at, one)| (one.student.clone(), since_ms(at))).collect()
}

fn waiting(count: u64) -> Vec<EnrolmentOperation> {
    let state = EnrolmentState::Waiting(Reason::Grace { until_ms: 0 });
    removals(count).into_iter().map(|one| EnrolmentOperation { state: state.clone(), ..one }).collect()
}

/// How many are held, and how many go on waiting.
fn judged(
    guard: &ClassinGuard,
    mut planned: Vec<EnrolmentOperation>,
    in_grace: Vec<EnrolmentOperation>,
    leavers: &BTreeMap<StudentId, i64>,
) -> (usize, usize) {
    let waiting = guard.hold_missing(&mut planned, in_grace, leavers);
    let is_held = |one: &&EnrolmentOperation| matches!(one.state, EnrolmentState::Held(Reason::Missing(_)));
    (planned.iter().filter(is_held).count(), waiting.len())
}

#[test]
fn as_many_leavers_as_the_limit_allows_wait_and_one_more_holds_them_all() {
    for (count, expected) in [(3, (0, 3)), (4, (4, 0))] {
        let in_grace = waiting(count);
        let leavers = gone(&in_grace, |_| 0);
        assert_eq!(judged(&guard(), Vec::new(), in_grace, &leavers), expected, "{count}");
    }
}

#[test]
fn those_whose_grace_has_ended_are_judged_with_those_who_wait() {
    let planned = removals(2);
    let in_grace = waiting(4).split_off(2);
    let mut leavers = gone(&planned, |_| 0);
    leavers.extend(gone(&in_grace, |_| HOUR));
    assert_eq!(judged(&guard(), planned, in_grace, &leavers), (4, 0));
}

#[test]
fn who_left_at_another_time_is_no_part_of_the_mass() {
    let in_grace = waiting(5);
    let leavers = gone(&in_grace, |at| if at == 4 { 24 * HOUR } else { 0 });
    assert_eq!(judged(&guard(), Vec::new(), in_grace, &leavers), (4, 1));
}

#[test]
fn whoever_was_approved_or_only_left_a_class_does_not_count() {
    let in_grace = waiting(4);
    let leavers = gone(&in_grace, |_| 0);
    let approving = ClassinGuard { approved: approvals(&in_grace[..1]), ..guard() };
    assert_eq!(judged(&approving, Vec::new(), in_grace.clone(), &leavers), (0, 4));
    assert_eq!(judged(&guard(), removals(9), Vec::new(), &BTreeMap::new()), (0, 0));
}
