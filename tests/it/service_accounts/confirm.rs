//! `account` and `account confirm`, by the program itself.

use crate::program::Programs as _;
use rosterd::Exit;
use rosterd::{RunLock, Severity};
use rosterd_sandbox::{Sandbox, SandboxSettings};
use rosterd_testkit::School;

/// A school of `n` whose exam account is in step.
async fn in_step(n: usize) -> School {
    let school = School::builder().setting("CLASSIN__ENABLED", "false").build().await;
    school.fill("c1", n).await;
    school.sql("DELETE FROM class_members").await;
    school.group_of_all().await;
    school.run_as(Exit::Done).await;
    school
}

/// As if the school were at another account now: the links are as they were.
async fn at_another_account(school: &School) {
    school.write("UPDATE service_accounts SET fingerprint = 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_keeps_what_is_proved_and_adopts_the_rest_anew() {
    let school = in_step(4).await;
    at_another_account(&school).await;
    let strangers = ["login-s000", "login-s001", "login-s002"];
    let login = school.sandbox.field_id("login").unwrap();
    for name in strangers {
        let candidate = school.sandbox.candidate(name).unwrap();
        school
            .sandbox
            .edit_candidate(candidate.sid, &[(login, &format!("stranger-{name}")), (1, "Somebody else")]);
        let fields: Vec<(i64, &str)> =
            candidate.fields.iter().map(|(id, value)| (*id, value.as_str())).collect();
        let gids: Vec<i64> = candidate.gids.into_iter().collect();
        school.sandbox.insert_candidate(&fields, &gids);
    }
    school.run_as(Exit::Configuration).await;
    let ended = school.program(&["account", "confirm", "--output", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let done = ended.json();
    assert_eq!((&done["exam"]["kept"], &done["exam"]["given_up"]), (&1.into(), &3.into()), "{done:#}");
    assert_eq!(done["exam"]["forgotten"], false, "{done:#}");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.exam.applied.get("adopt"), Some(&3), "{report:#?}");
    for name in strangers {
        let stranger = school.sandbox.candidate(&format!("stranger-{name}")).unwrap();
        assert_eq!(stranger.fields[&1], "Somebody else");
    }
    assert_eq!(
        school.number("SELECT count(*) FROM result_owners").await,
        0,
        "a stranger's results are not ours"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_ends_the_hold_of_those_whose_candidates_are_gone() {
    let school = in_step(20).await;
    school.later(60 * 60 * 1000);
    for at in 0..8 {
        school.sandbox.remove_candidate(school.sandbox.candidate(&format!("login-s{at:03}")).unwrap().sid);
    }
    for _ in 0..2 {
        let report = school.run_to(Exit::Held).await;
        assert_eq!(report.exam.held.get("add"), Some(&8), "{report:#?}");
        assert!(report.holds.iter().any(|hold| hold.reason_code == "vanished"), "{report:#?}");
    }
    let ended = school.program(&["account", "confirm", "exam", "--output", "json"]).json();
    assert_eq!(ended["exam"]["given_up"], 8, "{ended:#}");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.exam.applied.get("add"), Some(&8), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_lists_nobody_is_taken_only_where_that_is_meant() {
    let school = in_step(2).await;
    at_another_account(&school).await;
    for candidate in school.sandbox.candidates() {
        school.sandbox.remove_candidate(candidate.sid);
    }
    let ended = school.program(&["account", "confirm"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("--empty"), "{ended:?}");
    assert_eq!(school.number("SELECT count(*) FROM links").await, 2);
    let ended = school.program(&["account", "confirm", "--empty"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("2 were given up"), "{ended:?}");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.exam.applied.get("add"), Some(&2), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_link_is_given_up_on_the_word_of_look_ups_that_show_nobody() {
    for fault in ["nobody", "http_5xx"] {
        let school = in_step(2).await;
        at_another_account(&school).await;
        school.set(fault, "getstudentsinfo@*");
        let ended = school.program(&["account", "confirm"]);
        assert_eq!(ended.code, 75, "{fault}: {ended:?}");
        assert_eq!(school.number("SELECT count(*) FROM links").await, 2, "{fault}");
        assert_eq!(school.number("SELECT fingerprint FROM service_accounts").await, 1, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_takes_the_run_lock() {
    let school = in_step(1).await;
    let _lock = RunLock::take(&school.path("state.db")).unwrap();
    assert_eq!(school.program(&["account", "confirm"]).code, 75);
    assert_eq!(school.program(&["account"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn account_says_what_the_state_belongs_to_and_whether_it_fits() {
    let school = in_step(3).await;
    let host = school.serving.base_url().replace("http://", "").trim_end_matches('/').to_owned();
    let shown = school.program(&["account", "--output", "json"]).json();
    assert_eq!(
        (&shown["exam"]["host"], &shown["exam"]["matches"]),
        (&host.clone().into(), &true.into()),
        "{shown:#}"
    );
    assert_eq!((&shown["exam"]["records"], shown.get("classin")), (&3.into(), None), "{shown:#}");
    let text = school.program(&["account"]).stdout;
    assert!(
        text.contains(&host) && text.contains("3 candidates are linked") && !text.contains("xxx"),
        "{text}"
    );
    at_another_account(&school).await;
    let shown = school.program(&["account", "--output", "json"]).json();
    assert_eq!(shown["exam"]["matches"], false, "{shown:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_which_account_the_state_belongs_to_and_writes_nothing() {
    let school = in_step(3).await;
    let ended = school.program(&["check"]);
    assert!(ended.code == 0 && ended.flowing().contains("the state belongs to the account at"), "{ended:?}");
    at_another_account(&school).await;
    let ended = school.program(&["check"]);
    assert!(ended.code == 0 && ended.flowing().contains("3 of 3 linked candidates"), "{ended:?}");
    let offline = school.program(&["check", "--offline"]);
    assert!(offline.code == 0 && offline.flowing().contains("not told offline"), "{offline:?}");
    school.write("UPDATE links SET login_value = 'x' || login_value").await;
    let ended = school.program(&["check"]);
    assert!(ended.code == 78 && ended.flowing().contains("0 of 3 linked candidates"), "{ended:?}");
    assert_eq!(school.number("SELECT fingerprint FROM service_accounts").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_and_the_real_service_never_share_a_state_by_mistake() {
    let mut school = in_step(3).await;
    let real = Sandbox::new(SandboxSettings {
        login_field: "login".to_owned(),
        switches: [("exam.qps_limit", "0"), ("exam.clock_window_s", "0")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..SandboxSettings::default()
    })
    .unwrap();
    let gid = real.create_group("everyone");
    let login = real.field_id("login").unwrap();
    for name in ["login-s001", "stranger"] {
        real.insert_candidate(&[(login, name), (1, "From before")], &[gid]);
    }
    let serving = real.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    school.setting("EXAM__BASE_URL", &serving.base_url());
    school.sql("UPDATE students SET name = 'New name'; DELETE FROM students WHERE student_id = 's000'").await;
    school.run_as(Exit::Configuration).await;
    school.later(10 * rosterd_testkit::DAY);
    school.run_as(Exit::Configuration).await;
    assert!(real.candidates().iter().all(|candidate| candidate.fields[&1] == "From before"));
    school
        .write(
            "INSERT INTO known_groups VALUES ('g1', 9, 'created', 1); INSERT INTO unlisted_candidates VALUES (7, 1, 1); \
             INSERT INTO repeated_logins VALUES (5, 2); INSERT INTO standing_answers VALUES ('s001', 1, 2, 3, '[]', '[]')",
        )
        .await;
    let ended = school.program(&["account", "confirm"]);
    assert!(ended.code == 0 && ended.stdout.contains("0 links were proved"), "{ended:?}");
    for table in ["known_groups", "unlisted_candidates", "repeated_logins", "standing_answers"] {
        assert_eq!(school.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    let report = school.run().await;
    assert_ne!(report.severity, Severity::Configuration, "{report:#?}");
    assert_eq!(real.candidate("stranger").unwrap().fields[&1], "From before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_an_account_before_stay_their_students_and_are_nobody_elses() {
    let mut school = in_step(2).await;
    let sid = |name: &str| school.sandbox.candidate(name).unwrap().sid;
    let (one, two) = (sid("login-s000"), sid("login-s001"));
    school.sandbox.insert_attempt(one, 5, 1_700_000_000, 90, 1);
    school.sandbox.insert_attempt(two, 5, 1_700_000_000, 10, 1);
    assert_eq!(school.program(&["results"]).code, 0);
    // The other account has the two students the other way round.
    let other = Sandbox::new(SandboxSettings {
        login_field: "login".to_owned(),
        switches: [("exam.qps_limit", "0"), ("exam.clock_window_s", "0")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..SandboxSettings::default()
    })
    .unwrap();
    let gid = other.create_group("everyone");
    let login = other.field_id("login").unwrap();
    for (sid, name) in [(two, "s000"), (one, "s001")] {
        let candidate = school.sandbox.candidate(&format!("login-{name}")).unwrap();
        let fields: Vec<(i64, &str)> =
            candidate.fields.iter().map(|(id, value)| (*id, value.as_str())).collect();
        assert!(other.insert_candidate_as(sid, &fields, &[gid]), "{login}");
    }
    other.insert_attempt(two, 5, 1_700_000_000, 55, 1);
    let serving = other.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    school.setting("EXAM__BASE_URL", &serving.base_url());
    school.sql(&format!("UPDATE groups SET gid = {gid}")).await;
    let confirmed = school.program(&["account", "confirm", "--output", "json"]);
    assert_eq!(confirmed.json()["exam"]["given_up"], 2, "{confirmed:?}");
    let scores = |student: &str| {
        let rows = school.program(&["results", "list", "--student", student, "--output", "json"]).json();
        let scores = rows.as_array().unwrap().iter().map(|row| row["score"].as_f64().unwrap() as i64);
        scores.collect::<Vec<i64>>()
    };
    assert_eq!((scores("s000"), scores("s001")), (vec![90], vec![10]));
    school.run_as(Exit::Done).await;
    assert_eq!(
        school.number(&format!("SELECT count(*) FROM links WHERE sid = {two} AND student_id = 's000'")).await,
        1
    );
    assert_eq!((scores("s000"), scores("s001")), (vec![90], vec![10]), "adopted under each other's sids");
    assert_eq!(school.program(&["results"]).code, 0);
    let mut both = scores("s000");
    both.sort_unstable();
    assert_eq!((both, scores("s001")), (vec![55, 90], vec![10]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candidates_with_another_login_value_stay_linked_and_nobody_is_entered_twice() {
    for renamed_too in [false, true] {
        let school = in_step(20).await;
        let login = school.sandbox.field_id("login").unwrap();
        for at in 0..7 {
            let sid = school.sandbox.candidate(&format!("login-s{at:03}")).unwrap().sid;
            school.sandbox.edit_candidate(sid, &[(login, &format!("by-hand-{at}"))]);
            if renamed_too {
                school.sandbox.edit_candidate(sid, &[(1, "Somebody")]);
            }
        }
        let done = school.program(&["account", "confirm", "--output", "json"]).json();
        assert_eq!((&done["exam"]["kept"], &done["exam"]["given_up"]), (&20.into(), &0.into()), "{done:#}");
        let report = school.run().await;
        assert_eq!(report.exam.applied.get("add"), None, "{report:#?}");
        assert_eq!(school.sandbox.candidate_count(), 20);
    }
}

/// A login value that a link took from a listing was never confirmed by us: where nothing else of the links holds, it is
/// no proof, and neither does it keep all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_value_that_only_followed_proves_no_link() {
    for adopted in [false, true] {
        let school = in_step(8).await;
        let login = school.sandbox.field_id("login").unwrap();
        if adopted {
            school.write("DELETE FROM links").await;
            school.run_as(Exit::Done).await;
        }
        school.later(rosterd_testkit::DAY);
        // In the account that is there now, the sids of one who has left and of one who is renamed are other people's.
        let sids: Vec<i64> =
            (0..8).map(|at| school.sandbox.candidate(&format!("login-s{at:03}")).unwrap().sid).collect();
        school.drop_student("s000").await;
        school.sql("UPDATE students SET login = 'another-1' WHERE student_id = 's001'").await;
        for (at, shown) in [(0, "stranger-0"), (1, "another-1")] {
            school.sandbox.edit_candidate(sids[at], &[(login, shown), (1, "Somebody else")]);
        }
        let _follows = school.run().await;
        let followed = "SELECT count(*) FROM links WHERE login_value IN ('stranger-0', 'another-1')";
        assert_eq!(school.number(followed).await, 2);
        for (at, sid) in sids.iter().enumerate().skip(1) {
            let name = format!("stranger-{at}");
            let shown = if at == 1 { "another-1" } else { name.as_str() };
            school.sandbox.edit_candidate(*sid, &[(login, shown), (1, "Somebody else")]);
        }
        let done = school.program(&["account", "confirm", "--output", "json"]).json();
        assert_eq!((&done["exam"]["kept"], &done["exam"]["given_up"]), (&0.into(), &8.into()), "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_ups_that_contradict_the_listing_change_nothing() {
    let school = in_step(1).await;
    school.set("refuse_item", "getstudentsinfo@*:0");
    let ended = school.program(&["account", "confirm"]);
    assert_eq!(ended.code, 75, "{ended:?}");
    assert_eq!(school.number("SELECT count(*) FROM links").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_link_is_given_up_of_which_neither_look_up_says_anything() {
    for (dead, code) in [("getstudentsinfo@*", 75), ("getstudentsinfo@2x2", 0)] {
        // Nobody is listed under the login values of two links, and look-ups are silent about them.
        let school = in_step(4).await;
        at_another_account(&school).await;
        for name in ["login-s000", "login-s001"] {
            school.sandbox.remove_candidate(school.sandbox.candidate(name).unwrap().sid);
        }
        school.set("exam.info_unknown", "ignored");
        school.set("nobody", dead);
        let ended = school.program(&["account", "confirm", "--output", "json"]);
        assert_eq!(ended.code, code, "{dead}: {ended:?}");
        let links = if code == 0 { 2 } else { 4 };
        assert_eq!(school.number("SELECT count(*) FROM links").await, links, "{dead}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_of_a_service_that_leaves_out_whom_it_does_not_know_are_given_up_beside_others_that_it_shows() {
    for kept in [0, 1] {
        let school = in_step(3).await;
        at_another_account(&school).await;
        school.set("exam.info_unknown", "ignored");
        let gid = school.sandbox.create_group("others");
        let login = school.sandbox.field_id("login").unwrap();
        school.sandbox.insert_candidate(&[(login, "stranger"), (1, "Stranger")], &[gid]);
        for at in kept..3 {
            let sid = school.sandbox.candidate(&format!("login-s00{at}")).unwrap().sid;
            school.sandbox.remove_candidate(sid);
        }
        let done = school.program(&["account", "confirm", "--output", "json"]).json();
        let given_up = 3 - kept;
        assert_eq!(
            (&done["exam"]["kept"], &done["exam"]["given_up"]),
            (&kept.into(), &given_up.into()),
            "{done:#}"
        );
        let report = school.run_to(Exit::Done).await;
        assert_eq!(report.exam.applied.get("add"), Some(&given_up), "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_does_not_add_up_gives_no_link_up() {
    let school = in_step(3).await;
    at_another_account(&school).await;
    school.sandbox.remove_candidate(school.sandbox.candidate("login-s001").unwrap().sid);
    school.set("total_drifts", "getstulist@*:5");
    let ended = school.program(&["account", "confirm"]);
    assert_eq!(ended.code, 75, "{ended:?}");
    assert!(ended.stderr.contains("the listing does not add up"), "{ended:?}");
    assert_eq!(school.number("SELECT count(*) FROM links").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leavers_who_are_given_up_are_named() {
    let school = in_step(4).await;
    school.sql("DELETE FROM students WHERE student_id = 's003'").await;
    let _seen = school.run().await;
    school.sandbox.remove_candidate(school.sandbox.candidate("login-s003").unwrap().sid);
    let ended = school.program(&["account", "confirm"]);
    assert!(ended.code == 0 && ended.stdout.contains("candidates: s003"), "{ended:?}");
}

/// Another account takes the place of ours: the first `strangers` of our sids are other people there, the rest is ours.
/// `names`: whether every second of them has the name and everything else of our student but the login value.
fn strangers_under_our_sids(school: &School, strangers: usize, names: bool) -> Vec<i64> {
    let login = school.sandbox.field_id("login").unwrap();
    let mut sids = Vec::new();
    for at in 0..strangers {
        let sid = school.sandbox.candidate(&format!("login-s{at:03}")).unwrap().sid;
        let stranger = format!("stranger-{at}");
        school.sandbox.edit_candidate(sid, &[(login, stranger.as_str())]);
        if !names || at % 2 == 0 {
            school.sandbox.edit_candidate(sid, &[(1, "Somebody else")]);
        }
        sids.push(sid);
    }
    sids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_account_keeps_no_stranger_for_ours_and_the_next_run_goes_on() {
    for (strangers, names) in [(10, false), (4, false), (20, true), (12, true)] {
        let school = in_step(20).await;
        // On the day of the first sync nobody's account is a known one.
        school.later(2 * rosterd_testkit::DAY);
        let sids = strangers_under_our_sids(&school, strangers, names);
        at_another_account(&school).await;
        let done = school.program(&["account", "confirm", "exam", "--output", "json"]).json();
        let (kept, given_up) = (20 - strangers, strangers);
        assert_eq!(
            (&done["exam"]["kept"], &done["exam"]["given_up"]),
            (&kept.into(), &given_up.into()),
            "{strangers} {names}: {done:#}"
        );
        let report = school.run().await;
        assert_ne!(report.exit_code, 78, "{strangers} {names}: {report:#?}");
        for (at, sid) in sids.iter().enumerate() {
            let here = school.sandbox.candidates().into_iter().find(|it| it.sid == *sid).unwrap();
            assert!(here.fields.values().any(|value| *value == format!("stranger-{at}")), "{here:?}");
        }
        // Where more are without a link than with one, first contact holds the adds.
        if strangers <= 10 {
            assert_eq!(report.exam.applied.get("add"), Some(&(given_up as u64)), "{strangers}: {report:#?}");
        }
    }
}

/// Strangers at the remembered address: the run refuses, and one confirmation is the way out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_ends_the_refusal_of_an_account_that_was_restored_in_place() {
    let school = in_step(20).await;
    school.later(2 * rosterd_testkit::DAY);
    let _sids = strangers_under_our_sids(&school, 10, false);
    school.run_as(Exit::Configuration).await;
    let mut codes = Vec::new();
    for _ in 0..2 {
        assert_eq!(school.program(&["account", "confirm", "exam"]).code, 0);
        codes.push(school.run().await.exit_code);
    }
    assert!(!codes.contains(&78), "{codes:?}");
    assert_eq!(school.sandbox.candidate_count(), 30, "ten strangers, our ten, and the other ten of ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_was_renamed_by_hand_stays_linked_beside_those_who_are_proved() {
    let school = in_step(21).await;
    let login = school.sandbox.field_id("login").unwrap();
    let sid = school.sandbox.candidate("login-s000").unwrap().sid;
    school.sandbox.edit_candidate(sid, &[(login, "by-hand")]);
    at_another_account(&school).await;
    let done = school.program(&["account", "confirm", "exam", "--output", "json"]).json();
    assert_eq!((&done["exam"]["kept"], &done["exam"]["given_up"]), (&21.into(), &0.into()), "{done:#}");
    let _report = school.run().await;
    assert_eq!(school.sandbox.candidate_count(), 21);
}
