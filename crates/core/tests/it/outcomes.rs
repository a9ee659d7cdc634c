//! What becomes of an operation: what an answer proves about it, and when it is tried again.

use std::time::Duration;

use rosterd_core::exam_plan::{Fingerprint, OpenFailures, OperationKind, SkipReason};
use rosterd_core::failure::{FailureState, OpenFailure, RecordedHash, Retry, RetryPolicy};
use rosterd_core::roster::StudentId;

const MINUTE: i64 = 60_000;

/// The delays that are shipped.
fn policy() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 8,
        first_delay: Duration::from_secs(60),
        max_delay: Duration::from_secs(6 * 3600),
    }
}

#[test]
fn without_jitter_a_failure_is_due_after_the_whole_delay() {
    let due: Vec<Retry> = (1..=7).map(|attempts| policy().after(attempts, 1_000, 0.0, None)).collect();
    let expected = [1, 2, 4, 8, 16, 32, 64].map(|minutes| Retry::At(1_000 + minutes * MINUTE));
    assert_eq!(due, expected);
}

#[test]
fn jitter_shortens_a_delay_in_proportion_by_a_fifth_at_most() {
    for (jitter, share) in [(0.0, 100), (0.5, 90), (1.0, 80), (7.0, 80), (-7.0, 100)] {
        assert_eq!(
            policy().after(3, 0, jitter, None),
            Retry::At(4 * MINUTE * share / 100),
            "jitter {jitter}"
        );
    }
}

#[test]
fn what_the_service_asks_for_lengthens_a_delay_up_to_the_longest_and_never_shortens_it() {
    for (asked_seconds, due_seconds) in [(0, 60), (59, 60), (60, 60), (61, 61), (90_000, 21_600)] {
        let asked = Some(Duration::from_secs(asked_seconds));
        assert_eq!(policy().after(1, 0, 0.0, asked), Retry::At(due_seconds * 1_000), "{asked_seconds:?}");
    }
}

#[test]
fn a_dead_letter_stays_dead_however_long_the_service_asks_to_wait() {
    for attempts in [8, 9, u32::MAX] {
        assert_eq!(
            policy().after(attempts, 0, 0.0, Some(Duration::from_secs(1))),
            Retry::Dead,
            "{attempts:?}"
        );
    }
}

#[test]
fn a_policy_of_one_attempt_has_no_second() {
    let once = RetryPolicy { max_attempts: 1, ..policy() };
    assert_eq!(once.after(1, 0, 0.0, None), Retry::Dead);
}

#[test]
fn the_first_delay_counts_even_where_the_longest_is_shorter() {
    let odd = RetryPolicy { max_delay: Duration::from_secs(10), ..policy() };
    assert_eq!([1, 2, 9].map(|attempts| odd.delay(attempts).as_secs()), [60; 3]);
}

#[test]
fn delays_beyond_all_measure_stop_at_the_longest_and_at_the_end_of_time() {
    let slow =
        RetryPolicy { first_delay: Duration::from_secs(u64::MAX / 2), max_delay: Duration::MAX, ..policy() };
    assert_eq!(slow.delay(u32::MAX), Duration::MAX);
    assert_eq!(policy().delay(0), policy().delay(1));
    assert_eq!(policy().delay(u32::MAX), policy().max_delay);
    assert_eq!(policy().after(1, i64::MAX - 1, 0.0, None), Retry::At(i64::MAX));
}

fn holds(state: FailureState) -> OpenFailures {
    let mut holds = OpenFailures::default();
    let hold = OpenFailure { state, due_at_ms: 100, recorded: RecordedHash::alone(Fingerprint(5)) };
    holds.insert(StudentId::new("s1"), OperationKind::Modify, hold);
    holds
}

fn skip(
    holds: &OpenFailures,
    student: &str,
    kind: OperationKind,
    want: u64,
    now_ms: i64,
) -> Option<SkipReason> {
    holds.skip(&StudentId::new(student), kind, Fingerprint(want), now_ms)
}

#[test]
fn a_failure_holds_back_this_student_this_kind_and_this_want_alone() {
    let holds = holds(FailureState::Dead);
    assert_eq!(skip(&holds, "s1", OperationKind::Modify, 5, 0), Some(SkipReason::DeadLetter));
    for (student, kind, want) in
        [("s2", OperationKind::Modify, 5), ("s1", OperationKind::Move, 5), ("s1", OperationKind::Modify, 6)]
    {
        assert_eq!(skip(&holds, student, kind, want, 0), None, "{student} {kind} {want}");
    }
}

#[test]
fn a_waiting_failure_is_due_from_its_very_millisecond_on() {
    let holds = holds(FailureState::Waiting);
    let not_due = Some(SkipReason::NotDue { due_at_ms: 100 });
    for (now_ms, expected) in [(99, not_due), (100, None), (101, None)] {
        assert_eq!(skip(&holds, "s1", OperationKind::Modify, 5, now_ms), expected, "at {now_ms}");
    }
}

#[test]
fn dead_letters_and_ignored_failures_are_never_due_by_time() {
    for (state, reason) in
        [(FailureState::Dead, SkipReason::DeadLetter), (FailureState::Ignored, SkipReason::Ignored)]
    {
        assert_eq!(skip(&holds(state), "s1", OperationKind::Modify, 5, i64::MAX), Some(reason));
    }
}

#[test]
fn only_an_ignored_failure_of_the_same_want_counts_as_ignored() {
    let student = StudentId::new("s1");
    let is_ignored =
        |state, want| holds(state).is_ignored(&student, OperationKind::Modify, Fingerprint(want));
    assert!(is_ignored(FailureState::Ignored, 5));
    assert!(!is_ignored(FailureState::Ignored, 6));
    assert!(!is_ignored(FailureState::Dead, 5) && !is_ignored(FailureState::Waiting, 5));
}

#[test]
fn the_states_of_a_failure_have_a_word_each_and_are_read_back_from_it() {
    let words = [FailureState::Waiting, FailureState::Dead, FailureState::Ignored].map(|state| {
        assert_eq!(FailureState::parse(state.as_str()), Some(state));
        state.as_str()
    });
    assert_eq!(words, ["waiting", "dead", "ignored"]);
    assert_eq!(FailureState::parse("DEAD"), None);
}
