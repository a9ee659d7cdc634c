//! How sure we are, since when, and how the nightly check keeps it fresh.

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::{ADD, count, in_step, set_of};
use rosterd_testkit::{DAY, HOUR, School};

async fn evidence_of(school: &School, uid: i64) -> String {
    school.word(&format!("SELECT evidence FROM enrolments WHERE uid = {uid}")).await
}

#[tokio::test]
async fn who_was_removed_is_remembered_as_gone_and_is_as_new_when_wanted_again() {
    let (school, class, uids) = in_step(3).await;
    school.leave("s000", "c1").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(count(&report, "applied", "remove"), 1);
    assert_eq!(evidence_of(&school, uids[0]).await, "gone");
    assert_eq!(school.run_to(Exit::Done).await.classin.observed, 2);
    // Somebody else puts them back: not ours then.
    school.sandbox.insert_class_member(class.course, class.class, uids[0]);
    school.join("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(evidence_of(&school, uids[0]).await, "present");
}

#[tokio::test]
async fn members_of_a_class_that_is_over_are_condemned_and_cost_no_call_when_they_leave() {
    let (school, class, uids) = in_step(3).await;
    school.sandbox.end_class(class.course, class.class);
    let _uid = school.student("new").await;
    school.join("new", "c1").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(evidence_of(&school, uids[0]).await, "condemned");
    school.sandbox.clear_journal();
    school.leave("s000", "c1").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(count(&report, "planned", "remove"), 0);
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn code_time_run_and_confirmation_stand_beside_the_evidence() {
    let (school, _, uids) = in_step(1).await;
    let row = |column: &str| format!("SELECT {column} FROM enrolments WHERE uid = {}", uids[0]);
    assert_eq!(school.number(&row("code")).await, 1);
    assert_eq!(school.number(&row("run_id")).await, 1);
    let confirmed = school.number(&row("confirmed_at_ms")).await;
    assert!((school.clock.now_ms() - confirmed).abs() < HOUR);
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.number(&row("confirmed_at_ms")).await, confirmed, "nobody asked");
}

#[tokio::test]
async fn the_nightly_check_is_off_unless_it_is_set() {
    let (school, _, _) = in_step(3).await;
    for _ in 0..3 {
        school.later(10 * DAY);
        school.run_as(Exit::Done).await;
    }
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn the_nightly_check_confirms_the_oldest_first_within_its_calls_a_day() {
    let mut school = School::of_classin().await;
    school.setting("CLASSIN__VERIFY_CALLS", "2");
    school.setting("CLASSIN__BATCH_SIZE", "2");
    for code in ["c1", "c2", "c3"] {
        school.class(code).await;
    }
    school.fill("c1", 3).await;
    school.run_as(Exit::Done).await;
    school.later(2 * DAY);
    school.join("s000", "c2").await;
    school.run_as(Exit::Done).await;
    // Two calls of two: all of c1, and none of c2, which is fresh.
    let items = || school.sandbox.journal().iter().map(|entry| entry.items).collect::<Vec<_>>();
    assert_eq!(items()[2..], [1, 2, 1], "the enrolment, then the check");
    school.sandbox.clear_journal();
    school.later(HOUR / 4);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "the budget of the day is used up");
    school.later(5 * DAY);
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD, ADD]);
    assert_eq!((report.classin.verified, report.classin.restored), (3, 0));
    assert_eq!(report.outcome.as_str(), "converged");
    assert!(school.evidence(school_class(&school, "c1").await).await.values().all(|word| word == "added"));
}

async fn school_class(school: &School, code: &str) -> rosterd_testkit::ClassIds {
    let courses = school.sandbox.courses();
    let (course, view) =
        courses.iter().find(|(_, view)| view.classes.values().any(|it| it.len() > 1)).unwrap();
    assert_eq!(code, "c1");
    rosterd_testkit::ClassIds { course: *course, class: *view.classes.keys().next().unwrap() }
}

#[tokio::test]
async fn who_was_taken_out_by_somebody_is_put_back_and_counted() {
    let (mut school, class, uids) = in_step(4).await;
    school.setting("CLASSIN__VERIFY_CALLS", "1");
    school.sandbox.remove_class_member(class.course, class.class, uids[2]);
    school.later(2 * DAY);
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert_eq!((report.classin.verified, report.classin.restored), (3, 1));
    assert_eq!((count(&report, "planned", "enrol"), count(&report, "applied", "enrol")), (1, 1));
    assert_eq!(report.outcome.as_str(), "applied");
    assert_eq!(school.evidence(class).await[&uids[2]], "added");
    assert!(
        report.classin.notes.iter().any(|note| note.contains("1 student had been taken out of a class")),
        "{report:?}"
    );
}

#[tokio::test]
async fn the_check_leaves_what_was_somebody_elses_as_it_was() {
    let mut school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 2).await;
    school.sandbox.insert_class_member(class.course, class.class, uids[0]);
    school.run_as(Exit::Done).await;
    school.setting("CLASSIN__VERIFY_CALLS", "5");
    school.later(2 * DAY);
    school.run_as(Exit::Done).await;
    let evidence = school.evidence(class).await;
    assert_eq!((evidence[&uids[0]].as_str(), evidence[&uids[1]].as_str()), ("present", "added"));
}

#[tokio::test]
async fn the_check_wakes_nobody_about_a_class_that_has_ended() {
    let (mut school, class, _) = in_step(3).await;
    school.setting("CLASSIN__VERIFY_CALLS", "1");
    school.sandbox.end_class(class.course, class.class);
    school.later(2 * DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.number("SELECT count(*) FROM condemned_classes").await, 1);
    school.sandbox.clear_journal();
    school.later(2 * DAY);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn the_check_says_that_a_class_is_deleted() {
    let (mut school, class, _) = in_step(3).await;
    school.setting("CLASSIN__VERIFY_CALLS", "1");
    school.sandbox.delete_class(class.course, class.class);
    school.later(2 * DAY);
    let report = school.run_to(Exit::Incomplete).await;
    assert!(report.classin.notes.iter().any(|note| note.contains("212")), "{report:?}");
    assert!(report.errors.is_empty(), "a row tells: {:?}", report.errors);
    for _ in 0..2 {
        let rows = school.failures().await;
        assert_eq!((rows.len(), rows[0].code.as_str(), rows[0].class_code.as_str()), (1, "212", "c1"));
        assert!(rows[0].message.contains("3 of its students are not in it"), "{rows:?}");
        school.run_as(Exit::Done).await;
    }
}

#[tokio::test]
async fn the_check_is_left_out_by_plans_in_observe_mode_and_for_a_closed_service() {
    let (mut school, _, _) = in_step(3).await;
    school.setting("CLASSIN__VERIFY_CALLS", "9");
    school.later(2 * DAY);
    let _plan = school.plan().await;
    school.setting("SYNC__MODE", "observe");
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    school.setting("SYNC__MODE", "sync");
    school.set("classin.maintenance", "errno_901");
    school.run_as(Exit::Temporary).await;
    assert_eq!(school.classin_calls(), [ADD]);
}

#[tokio::test]
async fn a_lost_removal_of_what_is_presumed_to_be_ours_makes_it_no_more_ours_than_it_was() {
    let mut school = School::of_classin().await;
    school.setting("CLASSIN__REMOVALS", "presumed");
    let class = school.class("c1").await;
    let uids = school.fill("c1", 4).await;
    school.set("lose_answer", &format!("{ADD}@1"));
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "presumed");
    school.leave("s000", "c1").await;
    school.set("drop_request", "delClassStudentMultiple@1x3");
    let _lost = school.run().await;
    assert_eq!(school.evidence(class).await[&uids[0]], "removing");
    school.join("s000", "c1").await;
    school.later(HOUR);
    super::settle(&school).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "presumed", "certain, and not surely ours");
    school.setting("CLASSIN__REMOVALS", "added");
    school.leave("s000", "c1").await;
    school.run_as(Exit::Incomplete).await;
    assert!(school.members(class).contains(&uids[0]));
}

/// What nobody knows cannot be taken for our own, so nobody is sent to `claim` for it.
#[tokio::test]
async fn of_who_is_perhaps_in_a_class_and_not_wanted_the_row_says_so_and_ignoring_ends_it() {
    let (school, _, _) = in_step(3).await;
    let _uid = school.student("new").await;
    school.join("new", "c1").await;
    school.set("lose_answer", &format!("{ADD}@1x9"));
    let _lost = school.run().await;
    school.sandbox.clear_faults();
    school.leave("new", "c1").await;
    school.run_as(Exit::Incomplete).await;
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(row.message.starts_with("perhaps still in the class"), "{row:?}");
    assert!(!row.message.contains("claim") && row.message.contains("rosterd failures ignore"), "{row:?}");
    let state = school.state().await;
    state.change_failures(None, FailureState::Ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
    let report = school.run_to(Exit::Done).await;
    assert!(report.attention.is_empty(), "{:?}", report.attention);
}
