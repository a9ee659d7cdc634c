//! ClassIn: nothing proves a school, so a person does.

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd_testkit::School;

/// One student in a class and a group, on both sides.
async fn in_step() -> School {
    let school = School::of_both().await;
    school.class("c1").await;
    school.fill("c1", 2).await;
    school.group_of_all().await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_school_stops_classin_alone_and_before_anything_is_sent() {
    let school = in_step().await;
    school.write("UPDATE service_accounts SET fingerprint = 1 WHERE service = 'classin'").await;
    school.student("new").await;
    school.join("new", "c1").await;
    school.sql("INSERT INTO group_members VALUES ('new', 'g1')").await;
    let report = school.run_to(Exit::Configuration).await;
    assert_eq!(report.exam.applied.get("add"), Some(&1), "{report:#?}");
    assert!(school.classin_calls().is_empty());
    let [error] = report.errors.as_slice() else { panic!("{report:#?}") };
    assert!(error.contains("account confirm") && error.contains("--same-school"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_exam_account_leaves_classin_its_turn() {
    let school = in_step().await;
    school.write("UPDATE service_accounts SET fingerprint = 1 WHERE service = 'exam'; UPDATE links SET login_value = 'x' || login_value")
        .await;
    school.student("new").await;
    school.join("new", "c1").await;
    let report = school.run_to(Exit::Configuration).await;
    assert_eq!(report.classin.applied.get("enrol"), Some(&1), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_sid_or_address_needs_a_persons_word() {
    let mut school = in_step().await;
    school.setting("CLASSIN__SID", "7654321");
    school.run_as(Exit::Configuration).await;
    school.usual("CLASSIN__SID");
    school.run_as(Exit::Done).await;
    let serving = school.sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    school.setting("CLASSIN__BASE_URL", &serving.base_url());
    school.run_as(Exit::Configuration).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_another_school_are_given_up_and_made_anew_with_care() {
    let mut school = in_step().await;
    school.setting(
        "CLASSIN__BASE_URL",
        &format!("{}/", school.serving.base_url().replace("127.0.0.1", "localhost")),
    );
    school.run_as(Exit::Configuration).await;
    let ended = school.program(&["account", "confirm", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let done = ended.json();
    assert_eq!((&done["classin"]["kept"], &done["classin"]["given_up"]), (&0.into(), &4.into()), "{done:#}");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.classin.applied.get("enrol"), Some(&2), "{report:#?}");
    assert_eq!(
        school.word("SELECT DISTINCT evidence FROM enrolments").await,
        "present",
        "not ours to remove"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_school_whose_address_alone_changed_keeps_its_records() {
    let mut school = in_step().await;
    school.setting("CLASSIN__BASE_URL", &school.serving.base_url().replace("127.0.0.1", "localhost"));
    let ended = school.program(&["account", "confirm", "--same-school", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["classin"]["kept"], 4, "{ended:?}");
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.word("SELECT DISTINCT evidence FROM enrolments").await, "added");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_the_version_before_are_taken_with_the_first_school_and_said_so() {
    let school = in_step().await;
    school.write("DELETE FROM service_accounts WHERE service = 'classin'").await;
    let report = school.run_to(Exit::Done).await;
    assert!(report.classin.notes.join("\n").contains("nothing proves it"), "{report:#?}");
    let quiet = school.run_to(Exit::Done).await;
    assert!(quiet.classin.notes.is_empty(), "{quiet:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_without_records_takes_another_school_by_itself() {
    let mut school = School::of_classin().await;
    school.student("without a class").await;
    school.run_as(Exit::Done).await;
    school.setting("CLASSIN__BASE_URL", &school.serving.base_url().replace("127.0.0.1", "localhost"));
    school.class("c1").await;
    school.fill("c1", 1).await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.classin.applied.get("enrol"), Some(&1), "{report:#?}");
}
