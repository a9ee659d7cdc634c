//! A service that keeps login values in a form of its own makes neither endless writes nor doubles nor lost links.

use rosterd_core::exam_plan::Origin;
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

/// Login values as the roster has them, and what such services make of them.
const FORMS: [(&str, &str); 3] =
    [("Anna.B%@X.org", "lower_case"), ("Anna  B%", "squeezed"), ("+86 138-0000-00%", "digits")];

/// The wait until an add is sent again of which nothing is to be seen.
const LONGER_THAN_A_REST: i64 = 20 * 60 * 1000;

#[tokio::test]
async fn whom_a_lost_answer_entered_under_the_services_own_form_is_not_entered_again() {
    for (login, form) in FORMS {
        for dup_on_add in ["accept", "fail", "update"] {
            let people =
                (10..18).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
            let mut world =
                ExamSchool::switched(people, &[("login_writes", form), ("dup_on_add", dup_on_add)]).await;
            let _first = world.run().await;
            comes_to_rest(&world, "full", "at first").await;
            world.set("lose_answer", "addStudents");
            for at in 31..34 {
                world.put(student(&format!("s{at}")).login(&login.replace('%', &at.to_string()))).await;
            }
            let _lost = world.run().await;
            let what = format!("{form} {dup_on_add}");
            assert_eq!(world.sandbox.candidates().len(), 11, "{what}");
            for _ in 0..4 {
                world.later(LONGER_THAN_A_REST);
                let _settled = world.run().await;
            }
            assert_eq!(world.sandbox.candidates().len(), 11, "{what}");
            for at in 31..34 {
                assert_eq!(world.link(&format!("s{at}")).await.unwrap().origin, Origin::Added, "{what}");
            }
            assert_eq!(world.failures().await, [], "{what}");
            let quiet = world.run().await;
            assert_eq!((quiet.planned().as_str(), quiet.exit_code), ("", 0), "{what}: {quiet:?}");
        }
    }
}

/// The login values of these two on the roster change places, and all else of their rows where that is asked for.
async fn exchange(world: &mut ExamSchool, one: &str, other: &str, whole: bool) {
    let (first, second) = (world.people[one].clone(), world.people[other].clone());
    for (kept, taken) in [(&first, &second), (&second, &first)] {
        let person =
            if whole { taken.clone() } else { Person { login: taken.login.clone(), ..kept.clone() } };
        world.put(Person { id: kept.id.clone(), ..person }).await;
    }
}

#[tokio::test]
async fn login_values_that_change_places_are_exchanged_by_sid_in_the_services_own_form() {
    for (login, form) in FORMS {
        for dup_on_rename in ["fail", "accept"] {
            let what = format!("{form} {dup_on_rename}");
            let people =
                (10..18).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
            let switches = [("login_writes", form), ("dup_on_rename", dup_on_rename)];
            let mut world = ExamSchool::switched(people, &switches).await;
            let _first = world.run().await;
            comes_to_rest(&world, "full", &what).await;
            let records = |world: &ExamSchool| -> Vec<(i64, String, String)> {
                let candidates = world.sandbox.candidates().into_iter();
                candidates.map(|it| (it.sid, it.fields[&NAME].clone(), it.login_value)).collect()
            };
            let mut expected = records(&world);
            let taken = expected[1].2.clone();
            expected[1].2 = std::mem::replace(&mut expected[3].2, taken);
            exchange(&mut world, "s11", "s13", false).await;
            let _applied = world.run().await;
            comes_to_rest(&world, "full", &what).await;
            assert_eq!(records(&world), expected, "{what}");
            assert_eq!(world.failures().await, [], "{what}");
        }
    }
}

#[tokio::test]
async fn rows_that_changed_hands_are_told_by_login_values_in_the_services_own_form() {
    for (login, form) in FORMS {
        let people =
            (10..18).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
        let mut world = ExamSchool::switched(people, &[("login_writes", form)]).await;
        // Nothing else tells who is whose.
        world.settings.exam.fields.retain(|field| field.column != "name");
        let _first = world.run().await;
        comes_to_rest(&world, "full", form).await;
        let before = world.sandbox.candidates();
        exchange(&mut world, "s11", "s13", true).await;
        for _ in 0..3 {
            let report = world.run_later().await;
            assert_eq!((report.held().as_str(), report.writes()), ("2 modify", 0), "{form}: {report:?}");
        }
        assert_eq!(world.sandbox.candidates(), before, "{form}");
    }
}

#[tokio::test]
async fn whom_a_lost_answer_entered_without_the_end_of_the_login_value_is_not_entered_again() {
    for dup_on_add in ["accept", "fail", "update"] {
        let login = |at: i32| format!("anna{at}@a-long-name.test");
        let person = |at: i32| student(&format!("s{at}")).login(&login(at));
        let switches = [("login_writes", "truncated"), ("dup_on_add", dup_on_add)];
        let mut world = ExamSchool::switched((10..18).map(person), &switches).await;
        for _ in 0..4 {
            let _first = world.run().await;
        }
        assert_eq!(world.run().await.planned(), "", "{dup_on_add}");
        world.set("lose_answer", "addStudents");
        for at in 31..34 {
            world.put(person(at)).await;
        }
        let _lost = world.run().await;
        let entered = world.sandbox.candidates();
        assert_eq!(entered.len(), 11, "{dup_on_add}");
        for _ in 0..4 {
            world.later(HOUR);
            let report = world.run_later().await;
            assert_eq!(
                (report.skipped().as_str(), report.writes()),
                ("3 add", 0),
                "{dup_on_add}: {report:?}"
            );
        }
        assert_eq!(world.sandbox.candidates(), entered, "{dup_on_add}");
        let rows = world.failures().await.into_iter();
        let codes: Vec<String> =
            rows.filter(|row| row.state.as_str() != "resolved").map(|row| row.code).collect();
        assert!(codes.contains(&"ambiguous-login-value".to_owned()), "{dup_on_add}: {codes:?}");
        for at in 31..34 {
            world.edit(&format!("s{at}"), |it| it.login(&login(at)[..8])).await;
        }
        let _adopted = world.run_later().await;
        assert_eq!(world.run_later().await.planned(), "", "{dup_on_add}");
        assert_eq!(world.sandbox.candidates().len(), 11, "{dup_on_add}");
        assert_eq!(world.failures().await, [], "{dup_on_add}");
    }
}

#[tokio::test]
async fn a_first_sync_that_was_killed_in_mid_call_enters_nobody_twice_in_another_form() {
    for (login, form) in FORMS {
        let people =
            (10..19).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
        let world = ExamSchool::switched(people, &[("login_writes", form), ("dup_on_add", "accept")]).await;
        world.crash_when(|| world.sandbox.candidates().len() == 9).await;
        assert_eq!(world.sandbox.candidates().len(), 9, "{form}");
        for _ in 0..5 {
            world.later(LONGER_THAN_A_REST);
            let _report = world.run().await;
        }
        assert_eq!(world.sandbox.candidates().len(), 9, "{form}");
        let quiet = world.run().await;
        assert_eq!((quiet.planned().as_str(), quiet.exit_code), ("", 0), "{form}: {quiet:?}");
    }
}

#[tokio::test]
async fn two_who_become_one_for_the_service_do_not_stop_the_others() {
    let login = |at: i32| match at {
        0 => "anna-12345".to_owned(),
        1 => "bert-12345".to_owned(),
        at => format!("+86-138000000{at}"),
    };
    let people = (0..30).map(|at| student(&format!("s{at:02}")).login(&login(at)));
    let switches = [("login_writes", "digits"), ("dup_on_add", "update")];
    let mut world = ExamSchool::switched(people, &switches).await;
    world.leaves_work_behind();
    let first = world.run().await;
    assert_eq!(world.sandbox.candidates().len(), 29, "{first:?}");
    assert!(first.applied().starts_with("28 add") || first.applied().starts_with("29 add"), "{first:?}");
    for _ in 0..6 {
        world.later(LONGER_THAN_A_REST);
        let report = world.run().await;
        assert_eq!((report.exit_code == 4, report.calls("addStudents")), (false, 0), "{report:?}");
    }
    assert_eq!(world.sandbox.candidates().len(), 29);
    world.edit("s00", |it| it.login("anna-67890")).await;
    world.later(LONGER_THAN_A_REST);
    for _ in 0..4 {
        let _report = world.run_later().await;
    }
    let linked = futures_util::future::join_all((0..30).map(|at| {
        let (world, id) = (&world, format!("s{at:02}"));
        async move { world.link(&id).await.is_some() }
    }));
    assert_eq!(linked.await.into_iter().filter(|is_linked| *is_linked).count(), 30);
    assert_eq!(world.sandbox.candidates().len(), 30);
}
