//! A candidate that is found after the answer to an add was lost is ours only where nothing that it shows says otherwise.

use rosterd_core::exam_plan::Origin;
use rosterd_testkit::*;

/// One student in step and one whose add was lost on its way; then a candidate with that login value is there.
async fn world(switches: &[(&str, &str)], fields: &[(i64, &str)]) -> ExamSchool {
    let mut world = ExamSchool::switched(students(1), switches).await;
    assert_eq!(world.run().await.applied(), "1 add");
    world.put(student("s007")).await;
    world.set("drop_request", "addStudents");
    let lost = world.run().await;
    assert_eq!((lost.applied().as_str(), world.logins().len()), ("", 1), "{lost:?}");
    let fields: Vec<(i64, &str)> = [(LOGIN, "s007")].into_iter().chain(fields.iter().copied()).collect();
    world.sandbox.insert_candidate(&fields, &[world.gid("g1")]);
    world
}

#[tokio::test]
async fn a_candidate_that_contradicts_what_was_sent_is_met_like_any_other() {
    let stranger = [(NAME, "Somebody else"), (GENDER, "m"), (PHONE, "another")];
    let world = world(&[], &stranger).await;
    let report = world.run_later().await;
    assert_eq!((report.held().as_str(), report.applied().as_str()), ("1 adopt", ""), "{report:?}");
    assert!(world.link("s007").await.is_none());
    assert_eq!(world.candidate("s007").fields[&NAME], "Somebody else");
    world.leaves_work_behind();
}

#[tokio::test]
async fn a_candidate_that_contradicts_in_one_value_is_taken_over_with_its_password() {
    let fields = [(NAME, "Name of s007"), (PHONE, "another"), (PASSWORD, "their own")];
    let world = world(&[], &fields).await;
    assert_eq!(world.run_later().await.applied(), "1 adopt, 1 modify");
    assert_eq!(world.link("s007").await.unwrap().origin, Origin::Adopted);
    assert_eq!(world.candidate("s007").fields[&PASSWORD], "their own");
}

#[tokio::test]
async fn what_is_masked_absent_or_in_another_form_contradicts_nothing() {
    let shown: [&[(i64, &str)]; 3] =
        [&[(NAME, "NAME OF S007"), (PHONE, "phone-s007")], &[], &[(NAME, "******"), (PHONE, "pho***007")]];
    for fields in shown {
        let world = world(&[], fields).await;
        let _settled = world.run_later().await;
        assert_eq!(world.link("s007").await.unwrap().origin, Origin::Added, "{fields:?}");
        assert_eq!(world.logins(), ["s000", "s007"], "{fields:?}");
        world.leaves_work_behind();
    }
}

/// The same student, whose login value is another on the roster before the next run.
async fn renamed(fields: &[(i64, &str)]) -> ExamSchool {
    let mut world = world(&[], fields).await;
    world.edit("s007", |it| it.login("renamed")).await;
    world.later(DAY);
    world
}

#[tokio::test]
async fn whoever_was_edited_by_hand_and_has_another_login_value_on_the_roster_is_not_entered_again() {
    let by_hand: [&[(i64, &str)]; 2] =
        [&[(NAME, "By hand"), (PHONE, "phone-s007")], &[(NAME, "Name of s007"), (PHONE, "another")]];
    for fields in by_hand {
        let world = renamed(fields).await;
        let report = world.run().await;
        assert_eq!(
            (report.applied().as_str(), report.calls("addStudents")),
            ("1 adopt, 1 modify", 0),
            "{report:?}"
        );
        assert_eq!(world.logins(), ["renamed", "s000"]);
        assert_eq!(world.candidate("renamed").fields[&NAME], "Name of s007");
        assert_eq!(world.link("s007").await.unwrap().origin, Origin::Adopted);
        let report = world.run().await;
        assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{report:?}");
    }
}

#[tokio::test]
async fn where_nothing_agrees_a_person_says_whose_the_candidate_is_and_nobody_is_entered_before() {
    for is_theirs in [true, false] {
        let world = renamed(&[(NAME, "Somebody else"), (PHONE, "another")]).await;
        // The add stays open until a person has said whose the candidate is.
        world.leaves_work_behind();
        for _ in 0..2 {
            let report = world.run().await;
            assert_eq!((report.held().as_str(), report.calls("addStudents")), ("1 adopt", 0), "{report:?}");
        }
        let failures = world.failures().await;
        let [row] = failures.as_slice() else { panic!("one row: {failures:?}") };
        assert_eq!((row.student_id.as_str(), row.code.as_str()), ("s007", "adoption"), "{row:?}");
        let now_ms = world.clock.now_ms();
        if is_theirs {
            let digest = world.run().await.held_digest.unwrap();
            let held = world.state.approvable(&digest).await.unwrap();
            let granted: Vec<_> = held.into_iter().map(|one| (one, now_ms + DAY)).collect();
            world.state.grant(&granted, now_ms).await.unwrap();
            assert_eq!(world.run().await.applied(), "1 adopt, 1 modify");
            assert_eq!(world.logins(), ["renamed", "s000"]);
        } else {
            let ignored = rosterd_core::failure::FailureState::Ignored;
            world.state.change_failures(Some(&[row.id]), ignored, now_ms).await.unwrap();
            assert_eq!(world.run().await.applied(), "1 add");
            assert_eq!(world.logins(), ["renamed", "s000", "s007"]);
            assert_eq!(world.candidate("s007").fields[&NAME], "Somebody else");
        }
        let report = world.run_later().await;
        assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{report:?}");
        assert_eq!(world.failures().await, []);
        assert!(world.state.lost_adds().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_a_lost_add_left_is_nobody_elses_even_where_the_roster_gives_its_login_value_on() {
    let mut world = renamed(&[(NAME, "By hand"), (PHONE, "phone-s007")]).await;
    world.put(student("s008").login("s007")).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "1 adopt, 1 modify", "{report:?}");
    let sid = world.sid("s007").await;
    assert_eq!(world.run_later().await.applied(), "1 add");
    assert_eq!(world.candidate("renamed").sid, sid);
    assert_eq!(world.candidate("s007").fields[&NAME], "Name of s008");
    let report = world.run_later().await;
    assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{report:?}");
}

#[tokio::test]
async fn a_plan_shows_what_a_run_makes_of_an_add_without_an_answer() {
    let mut world = world(&[], &[(NAME, "Name of s007"), (PHONE, "phone-s007")]).await;
    world.edit("s007", |it| it.login("renamed")).await;
    world.later(DAY);
    assert_eq!(world.planned().await, ["adopt s007 planned", "modify s007 planned"]);
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.calls("addStudents")), ("1 modify", 0), "{report:?}");
    assert_eq!(world.logins(), ["renamed", "s000"]);
}
