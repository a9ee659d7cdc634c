//! Runs that are cut off anywhere: the next one converges, and nobody is entered twice.

use std::time::Duration;

use rosterd_testkit::*;

/// A school in the midst of everything.
async fn in_the_midst(n: usize) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(n)).await;
    for number in 0..n {
        let id = format!("s{number:03}");
        match number % 6 {
            0 => drop(world.people.insert(id.clone(), student(&id).named("Somebody else"))),
            1 => drop(world.people.insert(id.clone(), student(&id).in_groups(["g2"]))),
            2 => drop(world.people.insert(id.clone(), student(&id).in_groups(["g1", "g3"]))),
            3 => drop(world.people.insert(format!("new{number}"), student(&format!("new{number}")))),
            4 if number < 8 => drop(world.people.remove(&id)),
            _ => {}
        }
    }
    world.edit("s005", |it| it.login("s011")).await;
    world.edit("s011", |it| it.login("s005")).await;
    world.settings.exam.delete_grace = Duration::ZERO;
    world.settings.exam.batch_size = 4;
    world
}

async fn converges(world: &ExamSchool, what: &str) {
    let report = world.run_later().await;
    assert_eq!(report.exit_code, 0, "{what}: {report:?}");
    let last = world.run_later().await;
    assert_eq!(last.exit_code, 0, "{what}: {last:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
    let quiet = world.run().await;
    assert_eq!((quiet.planned(), quiet.writes()), (String::new(), 0), "{what}");
    assert_eq!(world.failures().await, [], "{what}");
}

#[tokio::test]
async fn a_run_cut_off_right_after_any_call_was_done_is_made_good_by_the_next() {
    let complete = in_the_midst(36).await;
    complete.sandbox.clear_journal();
    let _report = complete.run().await;
    let calls = complete.journal().len();
    for call in 1..=calls {
        let world = in_the_midst(36).await;
        world.sandbox.clear_journal();
        world.crash_when(|| world.sandbox.journal().len() >= call).await;
        converges(&world, &format!("after call {call} of {calls}")).await;
    }
}

#[tokio::test]
async fn a_run_cut_off_at_any_moment_is_made_good_by_the_next() {
    for step in 0..25 {
        let world = in_the_midst(24).await;
        let delay = Duration::from_micros(1500 * step + 700);
        world.crash_after(delay).await;
        converges(&world, &format!("after {delay:?}")).await;
    }
}

#[tokio::test]
async fn runs_that_are_cut_off_again_and_again_still_get_there() {
    let world = in_the_midst(36).await;
    for step in 1..12 {
        world.sandbox.clear_journal();
        world.crash_when(|| world.sandbox.journal().len() >= step).await;
    }
    converges(&world, "after many crashes").await;
}

#[tokio::test]
async fn candidates_entered_just_before_a_crash_are_linked_as_ours() {
    let mut world = ExamSchool::with(students(3)).await;
    world.settings.exam.adopt = rosterd_core::roster::Adopt::Never;
    world.set("delay", "addStudents:500");
    world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
    world.sandbox.clear_faults();
    assert_eq!(world.logins().len(), 3, "the call was done");
    assert_eq!(world.state.count_links().await.unwrap(), 0, "and not written down");
    assert_eq!(world.run().await.writes(), 0);
    assert_eq!(world.link("s000").await.unwrap().origin, rosterd_core::exam_plan::Origin::Added);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_login_value_that_changes_after_a_crash_enters_nobody_twice() {
    let mut world = ExamSchool::with(students(3)).await;
    world.set("delay", "addStudents:500");
    world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
    world.sandbox.clear_faults();
    world.edit("s000", |it| it.login("renamed")).await;
    world.edit("s001", |it| it.login("s000")).await;
    converges(&world, "renamed after a crash").await;
    assert_eq!(world.logins(), ["renamed", "s000", "s002"]);
}

#[tokio::test]
async fn whoever_leaves_the_roster_right_after_a_crash_leaves_no_candidate_behind() {
    let mut world = ExamSchool::with(students(3)).await;
    world.settings.exam.delete_grace = Duration::ZERO;
    world.set("delay", "addStudents:500");
    world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
    world.sandbox.clear_faults();
    world.remove("s001").await;
    converges(&world, "left after a crash").await;
    assert_eq!(world.logins(), ["s000", "s002"]);
}

/// What is sent again because nobody knows whether it arrived was let through when it was sent first.
#[tokio::test]
async fn values_that_a_crash_left_in_doubt_are_sent_again_and_never_held_as_too_many() {
    let mut world = ExamSchool::with(students(12)).await;
    world.settings.guard.max_modify = rosterd_core::roster::Limit::Count(0);
    world.set("delay", "addStudents:500");
    world.crash_when(|| world.journal().iter().any(|call| call == "addStudents")).await;
    world.sandbox.clear_faults();
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), (String::new(), 0), "{report:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run_later().await.planned(), "");
}
