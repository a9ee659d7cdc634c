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
    for command in
        ["rosterd account confirm classin --same-school", "rosterd account confirm classin --other-school"]
    {
        assert!(error.contains(command), "{error}");
    }
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
    let ended = school.program(&["account", "confirm", "classin", "--other-school", "--output", "json"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_record_is_worth_only_what_a_person_says() {
    let mut school = in_step().await;
    school.setting("CLASSIN__BASE_URL", &school.serving.base_url().replace("127.0.0.1", "localhost"));
    for arguments in [&["account", "confirm"][..], &["account", "confirm", "classin"]] {
        let ended = school.program(arguments);
        assert_eq!(ended.code, 64, "{ended:?}");
        assert!(
            ended.stderr.contains("--same-school") && ended.stderr.contains("--other-school"),
            "{ended:?}"
        );
    }
    assert_eq!(school.number("SELECT count(*) FROM enrolments").await, 2);
    // The exam side asks nothing of a person, and leaves ClassIn as it is.
    assert_eq!(school.program(&["account", "confirm", "exam"]).code, 0);
    school.run_as(Exit::Configuration).await;
    assert_eq!(school.program(&["account", "confirm", "--same-school"]).code, 0);
    school.run_as(Exit::Done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_takes_both_accounts_or_none() {
    let mut school = in_step().await;
    let candidates = school.sandbox.candidates();
    for candidate in &candidates {
        school.sandbox.remove_candidate(candidate.sid);
    }
    let moved = school.serving.base_url().replace("127.0.0.1", "localhost");
    school.setting("CLASSIN__BASE_URL", &moved);
    school.setting("EXAM__BASE_URL", &moved);
    let accounts = "SELECT group_concat(fingerprint ORDER BY service) FROM service_accounts";
    let before = school.word(accounts).await;
    let ended = school.program(&["account", "confirm", "--other-school"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("account confirm exam --empty"), "{ended:?}");
    assert!(
        ended.stderr.contains("nothing was changed") && ended.stderr.contains("ClassIn stays as it is"),
        "{ended:?}"
    );
    assert_eq!(school.word(accounts).await, before);
    assert_eq!(school.number("SELECT count(*) FROM enrolments").await, 2);
    assert_eq!(school.number("SELECT count(*) FROM links").await, 2);
    assert_eq!(school.program(&["account", "confirm", "--other-school", "--empty"]).code, 0);
    assert_ne!(school.word(accounts).await, before);
    assert_eq!(school.number("SELECT count(*) FROM enrolments").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistyped_sid_binds_the_state_to_nothing() {
    let mut school = School::of_classin().await;
    school.class("c1").await;
    school.fill("c1", 2).await;
    school.setting("CLASSIN__SID", "7654321");
    school.run_as(Exit::Credentials).await;
    school.usual("CLASSIN__SID");
    let report = school.run_to(Exit::Done).await;
    assert!(report.classin.notes.is_empty(), "{report:#?}");
    assert_eq!(report.classin.applied.get("enrol"), Some(&2), "{report:#?}");
}
