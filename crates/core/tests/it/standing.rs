//! What is withheld or held about single people: approved by its word, silenced for its reason alone.

use rosterd_core::exam_plan::{
    Approved, Fingerprint, HoldWord, NamedHold, OpenFailures, OperationKind, SkipReason,
};
use rosterd_core::roster::StudentId;

use crate::support::{World, converged, student};

const DELETE: OperationKind = OperationKind::Delete;

fn about(word: HoldWord, what: u64) -> NamedHold {
    NamedHold { word, about: Fingerprint(what) }
}

fn names(approved: &Approved, student: &str, hash: u64, word: HoldWord) -> bool {
    approved.names(&StudentId::new(student), DELETE, Fingerprint(hash), about(word, 1))
}

#[test]
fn what_was_approved_under_a_limit_names_nobody() {
    let mut approved = Approved::default();
    approved.insert(StudentId::new("s1"), DELETE, Fingerprint(5));
    for word in HoldWord::ALL {
        assert!(!names(&approved, "s1", 5, word), "{word}");
    }
}

#[test]
fn an_approval_by_word_covers_that_word_of_that_student_and_want_alone() {
    let mut approved = Approved::default();
    approved.insert_named(StudentId::new("s1"), DELETE, Fingerprint(5), about(HoldWord::ForeignGroup, 1));
    assert!(names(&approved, "s1", 5, HoldWord::ForeignGroup));
    assert!(!names(&approved, "s1", 5, HoldWord::SamePerson));
    assert!(!names(&approved, "s1", 6, HoldWord::ForeignGroup));
    assert!(!names(&approved, "s2", 5, HoldWord::ForeignGroup));
    let other = about(HoldWord::ForeignGroup, 2);
    assert!(!approved.names(&StudentId::new("s1"), DELETE, Fingerprint(5), other), "another group");
}

#[test]
fn an_approval_by_word_and_one_under_a_limit_stand_beside_each_other() {
    let mut approved = Approved::default();
    approved.insert_named(StudentId::new("s1"), DELETE, Fingerprint(5), about(HoldWord::SamePerson, 1));
    approved.insert(StudentId::new("s1"), DELETE, Fingerprint(5));
    assert!(names(&approved, "s1", 5, HoldWord::SamePerson));
}

/// A newcomer whose login value a leaver's candidate still has.
fn waiting() -> World {
    let mut world = converged([student("s1"), student("s2")]);
    world.leave("s1").set(student("s3").login("s1"));
    world
}

/// The line of the only add.
fn added(world: &World) -> String {
    world.lines().into_iter().find(|line| line.starts_with("add")).unwrap_or_default()
}

fn silence(world: &mut World) {
    let plan = world.plan();
    let operation = plan.operations.iter().find(|operation| operation.kind() == OperationKind::Add);
    let Some(operation) = operation else { panic!("an add") };
    let (student, kind) = (operation.student.clone(), operation.kind());
    world.holds.insert_silenced(student, kind, operation.desired_hash);
}

#[test]
fn a_silenced_wait_is_ignored_until_it_waits_for_another_candidate() {
    let mut world = waiting();
    assert_eq!(added(&world), "add s3 skipped: login of leaver s1");
    silence(&mut world);
    assert_eq!(added(&world), "add s3 skipped: ignored");
    world.leave("s2").set(student("s3").login("s2"));
    assert_eq!(added(&world), "add s3 skipped: login of leaver s2");
}

#[test]
fn a_silenced_wait_does_not_keep_the_same_operation_from_going_ahead() {
    let mut failures = OpenFailures::default();
    let student = StudentId::new("s1");
    failures.insert_silenced(student.clone(), OperationKind::Add, Fingerprint(5));
    assert_eq!(failures.skip(&student, OperationKind::Add, Fingerprint(5), 0), None);
    assert!(!failures.is_ignored(&student, OperationKind::Add, Fingerprint(5)));
}

#[test]
fn what_waits_for_another_row_or_a_reading_is_withheld_with_a_code() {
    let owner = StudentId::new("s1");
    for reason in [SkipReason::LoginInUse(owner), SkipReason::NotFoundOut, SkipReason::GroupsNotTold] {
        assert!(reason.code().is_some(), "{reason}");
    }
    for reason in [SkipReason::DoubtfulListing, SkipReason::DeadLetter, SkipReason::Terminated] {
        assert_eq!(reason.code(), None, "{reason}");
    }
}
