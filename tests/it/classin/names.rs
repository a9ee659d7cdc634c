//! Names at the school follow the roster.

use rosterd::Exit;

use super::accounts::{apply, phone, registering, uid};
use super::{ADD, JOIN, NAME, count, in_step};
use rosterd_testkit::{DAY, School};

async fn rename(school: &School, id: &str, name: &str) {
    school.sql(&format!("UPDATE students SET name = '{name}' WHERE student_id = '{id}'")).await;
}

#[tokio::test]
async fn a_changed_name_is_written_once() {
    let (school, _) = registering().await;
    apply(&school, 2).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.school_name(uid(&school, 0)).as_deref(), Some("Name of a00"));
    rename(&school, "a00", "Another Name").await;
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.classin_calls(), [NAME]);
    assert_eq!((count(&report, "planned", "rename"), count(&report, "applied", "rename")), (1, 1));
    assert_eq!(report.classin.least_calls, 1);
    assert_eq!(school.sandbox.school_name(uid(&school, 0)).as_deref(), Some("Another Name"));
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_name_that_is_seen_for_the_first_time_is_only_remembered() {
    let (school, _, uids) = in_step(2).await;
    rename(&school, "s000", "First Change").await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "nothing is known of the name that is there");
    rename(&school, "s000", "Second Change").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [NAME]);
    assert_eq!(school.sandbox.school_name(uids[0]).as_deref(), Some("Second Change"));
}

#[tokio::test]
async fn names_are_compared_as_the_service_cuts_them() {
    let (school, _) = registering().await;
    apply(&school, 1).await;
    let long = "王".repeat(24);
    rename(&school, "a00", &format!("{long}小明")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.school_name(uid(&school, 0)), Some(long.clone()));
    school.sandbox.clear_journal();
    rename(&school, "a00", &format!("{long}大明")).await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn siblings_share_the_name_of_the_first_of_them() {
    let (school, _) = registering().await;
    for id in ["ann", "bob"] {
        school.applicant(id, &phone(7)).await;
        school.join(id, "c1").await;
    }
    school.run_as(Exit::Done).await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    rename(&school, "bob", "Bob Anew").await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "the account is named after Ann");
    rename(&school, "ann", "Ann Anew").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [NAME]);
}

#[tokio::test]
async fn only_modes_that_modify_write_names() {
    let (mut school, _) = registering().await;
    apply(&school, 1).await;
    school.run_as(Exit::Done).await;
    rename(&school, "a00", "Another").await;
    school.sandbox.clear_journal();
    for mode in ["observe", "create-only"] {
        school.setting("SYNC__MODE", mode);
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "skipped", "rename"), 1, "{mode}");
    }
    assert!(school.classin_calls().is_empty());
    school.setting("SYNC__MODE", "upsert");
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [NAME]);
}

#[tokio::test]
async fn who_is_no_longer_of_the_school_is_taken_into_it_with_the_new_name() {
    let (school, _) = registering().await;
    apply(&school, 1).await;
    school.run_as(Exit::Done).await;
    school.sandbox.leave_school(uid(&school, 0));
    rename(&school, "a00", "Another").await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [NAME, JOIN, NAME]);
    assert_eq!(school.sandbox.school_name(uid(&school, 0)).as_deref(), Some("Another"));
}

#[tokio::test]
async fn a_name_that_the_service_fails_to_write_is_tried_again_and_is_never_a_matter_for_a_person() {
    let (mut school, _) = registering().await;
    school.setting("RETRY__MAX_ATTEMPTS", "2");
    apply(&school, 1).await;
    school.run_as(Exit::Done).await;
    rename(&school, "a00", "Another").await;
    school.set("refuse_call", &format!("{NAME}@*:104"));
    for attempt in 1..=4 {
        let report = school.run_to(Exit::Incomplete).await;
        assert_eq!(count(&report, "failed", "rename"), 1, "{attempt}");
        let failures = school.failures().await;
        let row = (failures[0].kind.as_str(), failures[0].state.as_str(), failures[0].owner);
        assert_eq!(row, ("rename", "waiting", "service"), "{attempt}");
        school.later(DAY);
    }
    rename(&school, "a00", "Name of a00").await;
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty(), "not wanted any more");
}

#[tokio::test]
async fn too_many_names_at_once_are_held() {
    let (mut school, _) = registering().await;
    school.setting("GUARD__MAX_MODIFY", "6");
    apply(&school, 9).await;
    school.run_as(Exit::Done).await;
    school.sql("UPDATE students SET name = 'Mistyped ' || student_id").await;
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "rename"), 9);
    assert!(school.classin_calls().is_empty());
    let state = school.state().await;
    assert_eq!(state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap(), 9);
    state.close().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls().len(), 9);
    assert!(!school.classin_calls().contains(&ADD.to_owned()));
}
