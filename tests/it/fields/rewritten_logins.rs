//! A service that keeps login values in a form of its own makes neither endless writes nor doubles nor lost links.

use rosterd_testkit::*;

/// What the service makes of a login value.
type Form = fn(&str) -> String;

fn squeezed(login: &str) -> String {
    login.chars().filter(|sign| !sign.is_whitespace()).collect()
}

fn digits(login: &str) -> String {
    login.chars().filter(char::is_ascii_digit).collect()
}

/// What the service does with every login value that it is sent.
fn rewrite(world: &ExamSchool, form: Form) {
    for candidate in world.sandbox.candidates() {
        let kept = form(&candidate.login_value);
        if kept != candidate.login_value {
            world.sandbox.edit_candidate(candidate.sid, &[(LOGIN, kept.as_str())]);
        }
    }
}

async fn comes_to_rest(world: &ExamSchool, form: Form, what: &str) {
    let sids: Vec<i64> = world.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    let second = world.run().await;
    assert_eq!(second.exit_code, 0, "{what}: {second:?}");
    rewrite(world, form);
    let third = world.run().await;
    assert_eq!((third.planned().as_str(), third.writes()), ("", 0), "{what}: {third:?}");
    for _ in 0..2 {
        let quiet = world.run().await;
        assert_eq!((quiet.planned().as_str(), quiet.calls("getstudentsinfo")), ("", 0), "{what}");
    }
    let after: Vec<i64> = world.sandbox.candidates().iter().map(|candidate| candidate.sid).collect();
    assert_eq!(after, sids, "{what}");
}

#[tokio::test]
async fn a_login_value_in_the_services_own_form_is_not_written_for_ever() {
    let forms: [(&str, Form); 3] =
        [("Anna.B%@X.org", str::to_lowercase), ("Anna  B%", squeezed), ("+86 138-0000-00%", digits)];
    for (login, form) in forms {
        for shown in ["full", "name_only", "login_only"] {
            let people =
                (0..8).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
            let mut world = ExamSchool::switched(people, &[("info_fields", shown)]).await;
            assert_eq!(world.run().await.applied(), "8 add", "{login} {shown}");
            rewrite(&world, form);
            comes_to_rest(&world, form, &format!("{login} {shown}")).await;
            world.edit("s3", |it| it.login(&login.replace('%', "77"))).await;
            assert_eq!(world.run().await.applied(), "1 modify", "{login} {shown}");
            rewrite(&world, form);
            comes_to_rest(&world, form, &format!("{login} {shown}, changed")).await;
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
    let world = ExamSchool::with(people).await;
    let _first = world.run().await;
    rewrite(&world, str::to_lowercase);
    comes_to_rest(&world, str::to_lowercase, "at first").await;
    let sid = world.sid("s1").await;
    world.sandbox.edit_candidate(sid, &[(LOGIN, "rude")]);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.sandbox.candidate("Anna1").unwrap().sid, sid);
}
