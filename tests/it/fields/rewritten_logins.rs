//! A service that keeps login values in a form of its own makes neither endless writes nor doubles nor lost links.

use rosterd_testkit::*;

/// The second write, the listings that are waited for where look-ups do not show the login value, and quiet runs.
async fn comes_to_rest(world: &ExamSchool, look_ups: &str, what: &str) {
    let sids: Vec<i64> = world.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    let second = world.run().await;
    assert_eq!(second.exit_code, 0, "{what}: {second:?}");
    for _ in 0..if look_ups == "name_only" { 2 } else { 0 } {
        let waiting = world.run().await;
        assert_eq!((waiting.planned().as_str(), waiting.writes()), ("", 0), "{what}: {waiting:?}");
    }
    for _ in 0..3 {
        let quiet = world.run().await;
        assert_eq!((quiet.planned().as_str(), quiet.calls("getstudentsinfo")), ("", 0), "{what}: {quiet:?}");
    }
    let after: Vec<i64> = world.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    assert_eq!(after, sids, "{what}");
}

#[tokio::test]
async fn a_login_value_in_the_services_own_form_is_not_written_for_ever() {
    let forms = [("Anna.B%@X.org", "lower_case"), ("Anna  B%", "squeezed"), ("+86 138-0000-00%", "digits")];
    for (login, form) in forms {
        for look_ups in ["full", "name_only", "login_only"] {
            let people =
                (0..8).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
            let switches = [("info_fields", look_ups), ("login_writes", form)];
            let mut world = ExamSchool::switched(people, &switches).await;
            assert_eq!(world.run().await.applied(), "8 add", "{login} {look_ups}");
            comes_to_rest(&world, look_ups, &format!("{login} {look_ups}")).await;
            world.edit("s3", |it| it.login(&login.replace('%', "77"))).await;
            assert_eq!(world.run().await.applied(), "1 modify", "{login} {look_ups}");
            comes_to_rest(&world, look_ups, &format!("{login} {look_ups}, changed")).await;
        }
    }
}

#[tokio::test]
async fn a_login_value_that_was_changed_by_hand_is_put_right_each_time() {
    let world = ExamSchool::in_step(students(3)).await;
    let sid = world.sid("s001").await;
    for by_hand in ["other", "other", "another"] {
        world.sandbox.edit_candidate(sid, &[(LOGIN, by_hand)]);
        assert_eq!(world.run().await.applied(), "1 modify", "{by_hand}");
        assert_eq!(world.sid("s001").await, sid);
        assert_eq!(world.candidate("s001").sid, sid);
        assert_eq!(world.run().await.planned(), "", "{by_hand}");
    }
}

#[tokio::test]
async fn a_rewritten_login_value_that_somebody_changes_by_hand_is_put_right() {
    let people = (0..2).map(|at| student(&format!("s{at}")).login(&format!("Anna{at}")));
    let world = ExamSchool::switched(people, &[("login_writes", "lower_case")]).await;
    let _first = world.run().await;
    comes_to_rest(&world, "full", "at first").await;
    let sid = world.sid("s1").await;
    for by_hand in ["rude", "rude", "rather rude"] {
        world.sandbox.edit_candidate(sid, &[(LOGIN, by_hand)]);
        assert_eq!(world.run().await.applied(), "1 modify", "{by_hand}");
        assert_eq!(world.sandbox.candidate("anna1").unwrap().sid, sid, "{by_hand}");
        comes_to_rest(&world, "full", by_hand).await;
    }
}

#[tokio::test]
async fn a_login_value_that_the_roster_takes_in_the_services_form_is_compared_again() {
    let people = (0..2).map(|at| student(&format!("s{at}")).login(&format!("Anna{at}")));
    let mut world = ExamSchool::switched(people, &[("login_writes", "lower_case")]).await;
    let _first = world.run().await;
    comes_to_rest(&world, "full", "at first").await;
    world.edit("s1", |it| it.login("anna1")).await;
    let report = world.run().await;
    assert_eq!((report.planned().as_str(), report.exit_code), ("", 0), "{report:?}");
    assert!(world.link("s1").await.unwrap().rewritten.is_empty());
    assert!(!world.link("s0").await.unwrap().rewritten.is_empty());
}
