//! Deletes whose answer is lost count as much as any other.

use std::time::Duration;

use rosterd_core::roster::Limit;
use rosterd_testkit::*;

/// A hundred students, of whom twenty a day may be deleted without an approval.
async fn hundred() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(100)).await;
    world.settings.guard.max_delete = Limit::Count(20);
    world.settings.exam.delete_grace = Duration::ZERO;
    world
}

/// So many leave; a first run sees it.
async fn leave(world: &mut ExamSchool, numbers: std::ops::Range<usize>) {
    for number in numbers {
        world.people.remove(&format!("s{number:03}")).unwrap();
    }
    world.write_roster().await;
    let _seen = world.run().await;
}

/// The service deletes, and neither its answer nor any look-up of that run arrives.
async fn with_answers_lost(world: &ExamSchool) -> rosterd::RunReport {
    world.sandbox.clear_journal();
    let _planned = world.plan_report().await;
    let before = world.journal().iter().filter(|call| *call == "getstudentsinfo").count();
    world.set("lose_answer", "delStu");
    world.set("exam.drop_request", &format!("getstudentsinfo@{}x100", before + 1));
    let report = world.run().await;
    world.sandbox.clear_faults();
    report
}

/// The service deletes, and we are gone before it answers.
async fn cut_off(world: &ExamSchool) {
    world.sandbox.clear_journal();
    world.set("delay", "delStu:60000");
    let sent = async {
        while !world.journal().iter().any(|call| call == "delStu") {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        report = world.run() => panic!("it ended: {report:?}"),
        () = sent => {}
    }
    world.sandbox.clear_faults();
}

#[tokio::test]
async fn deletes_whose_answers_are_lost_are_counted_and_told_of_as_applied() {
    let mut world = hundred().await;
    leave(&mut world, 0..18).await;
    let report = with_answers_lost(&world).await;
    assert_eq!((report.applied(), report.unknown()), (String::new(), "18 delete".to_owned()));
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("18 delete".to_owned(), 0), "{report:?}");
    assert_eq!(world.failures().await, []);
    leave(&mut world, 18..36).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), (String::new(), "18 delete".to_owned()), "36 in a day");
    assert_eq!(world.logins().len(), 82);
}

#[tokio::test]
async fn a_run_that_is_killed_after_its_deletes_leaves_them_counted() {
    let mut world = hundred().await;
    leave(&mut world, 0..18).await;
    cut_off(&world).await;
    assert_eq!(world.run().await.applied(), "18 delete", "of the run before");
    for slice in 1..3 {
        leave(&mut world, slice * 18..slice * 18 + 18).await;
        assert_eq!(world.run().await.applied(), "");
    }
    assert_eq!(world.logins().len(), 82);
}

#[tokio::test]
async fn a_delete_that_was_announced_and_never_made_counts_nowhere() {
    let mut world = hundred().await;
    leave(&mut world, 0..18).await;
    world.set("exam.drop_request", "delStu@*");
    let report = world.run().await;
    assert_eq!(report.applied(), "", "{report:?}");
    world.sandbox.clear_faults();
    let report = world.run_later().await;
    assert_eq!((report.applied(), report.held()), ("18 delete".to_owned(), String::new()), "{report:?}");
}

#[tokio::test]
async fn a_delete_that_is_refused_counts_nowhere() {
    let mut world = hundred().await;
    leave(&mut world, 0..3).await;
    world.set("refuse_item", "delStu@*:0,1,2");
    assert_eq!(world.run().await.failed(), "3 delete");
    let counted =
        world.word("SELECT CAST(count(*) AS TEXT) FROM counted_writes WHERE kind = 'dismissal'").await;
    assert_eq!(counted, "0");
}

#[tokio::test]
async fn what_was_deleted_by_hand_is_no_delete_of_ours() {
    let mut world = hundred().await;
    leave(&mut world, 0..2).await;
    world.sandbox.remove_candidate(world.candidate("s000").sid);
    let report = world.run().await;
    assert_eq!(report.applied(), "1 delete", "{report:?}");
}

#[tokio::test]
async fn everything_that_a_limit_counts_is_noted_with_the_groups_that_are_left_and_joined() {
    let mut world = ExamSchool::in_step(students(10)).await;
    world.edit("s000", |it| it.in_groups(["g2"])).await;
    world.edit("s001", |it| it.named("Somebody else").login("renamed")).await;
    assert_eq!(world.run().await.applied(), "1 modify, 1 move");
    let noted = "SELECT group_concat(student_id || ' ' || kind || ' ' || place, ', ') FROM \
                 (SELECT student_id, kind, place FROM counted_writes WHERE is_settled = 1 AND approved = 0 \
                  ORDER BY student_id, kind)";
    let (left, joined) = (world.gid("g1"), world.gid("g2"));
    assert_eq!(
        world.word(noted).await,
        format!("s000 joined {joined}, s000 left {left}, s000 move , s001 login-change , s001 modify ")
    );
}

#[tokio::test]
async fn a_lost_delete_counts_on_until_a_look_up_shows_the_candidate() {
    let mut world = hundred().await;
    let login = world.people["s000"].login.clone().unwrap();
    leave(&mut world, 0..1).await;
    assert_eq!(with_answers_lost(&world).await.unknown(), "1 delete");
    // Somebody who wants the login value has the leaver held, and what is held needs no look-up to be planned.
    world.edit("s050", |it| it.login(&login)).await;
    world.set("nobody", "getstudentsinfo@*");
    let report = world.run().await;
    world.sandbox.clear_faults();
    let counted =
        world.word("SELECT group_concat(student_id) FROM counted_writes WHERE kind = 'dismissal'").await;
    assert_eq!((report.held(), counted), ("1 delete".to_owned(), "s000".to_owned()), "{report:?}");
}

/// Look-ups and listing show deleted candidates for a while.
fn lagging(world: &ExamSchool, seconds: &str) {
    for (name, value) in [("lag_after", "delete"), ("list_lag_s", seconds), ("info_lag_s", seconds)] {
        world.set(&format!("exam.{name}"), value);
    }
}

#[tokio::test]
async fn deletes_whose_answers_leave_them_out_count_while_reads_lag_behind() {
    let mut world = hundred().await;
    leave(&mut world, 0..18).await;
    world.settings.exam.batch_size = 1;
    world.set("item_in_neither_list", "delStu@*");
    lagging(&world, "1000");
    let _untold = world.run().await;
    world.sandbox.clear_faults();
    lagging(&world, "0");
    assert_eq!(world.logins().len(), 82);
    assert_eq!(world.run().await.applied(), "18 delete");
    leave(&mut world, 18..36).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), (String::new(), "18 delete".to_owned()), "36 in a day");
    assert_eq!(world.logins().len(), 82);
}

#[tokio::test]
async fn a_run_that_is_killed_after_its_deletes_leaves_them_counted_where_reads_lag_behind() {
    let mut world = hundred().await;
    leave(&mut world, 0..18).await;
    cut_off(&world).await;
    lagging(&world, "1000");
    let _again = world.run().await;
    lagging(&world, "0");
    let _settled = world.run().await;
    leave(&mut world, 18..36).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), (String::new(), "18 delete".to_owned()), "36 in a day");
    assert_eq!(world.logins().len(), 82);
}

#[tokio::test]
async fn a_delete_that_an_answer_leaves_out_counts_on_beside_one_that_it_refuses() {
    let mut world = hundred().await;
    leave(&mut world, 0..2).await;
    world.set("exam.fail_style", "sid");
    world.set("refuse_item", "delStu:0");
    world.set("item_in_neither_list", "delStu:1");
    lagging(&world, "1000");
    let _untold = world.run().await;
    let counted =
        world.word("SELECT group_concat(student_id) FROM counted_writes WHERE kind = 'dismissal'").await;
    assert_eq!(counted, "s001");
}
