//! Records that changed hands, on the exam side or on the roster: nobody's is written over with another's.

use std::collections::BTreeMap;
use std::time::Duration;

use rosterd_core::failure::FailureState;
use rosterd_core::roster::Limit;
use rosterd_sandbox::CandidateView;

use rosterd_testkit::*;

fn by_sid(world: &ExamSchool) -> BTreeMap<i64, CandidateView> {
    world.sandbox.candidates().into_iter().map(|candidate| (candidate.sid, candidate)).collect()
}

/// Two candidates have each other's fields from now on, as an account has that was restored with other sids.
fn exchange(world: &ExamSchool, one: &str, other: &str) {
    let (one, other) = (world.candidate(one), world.candidate(other));
    for candidate in [&one, &other] {
        world.sandbox.remove_candidate(candidate.sid);
    }
    for (place, record) in [(&one, &other), (&other, &one)] {
        let fields: Vec<(i64, &str)> =
            record.fields.iter().map(|(id, value)| (*id, value.as_str())).collect();
        let gids: Vec<i64> = place.gids.iter().copied().collect();
        assert!(world.sandbox.insert_candidate_as(place.sid, &fields, &gids));
    }
}

#[tokio::test]
async fn two_candidates_whose_records_changed_hands_are_left_alone_in_every_run() {
    for shown in ["full", "login_only"] {
        let mut world = ExamSchool::in_step(students(8)).await;
        world.set("info_fields", shown);
        exchange(&world, "s001", "s002");
        world.edit("s001", |it| it.in_groups(["g2"])).await;
        world.edit("s002", |it| it.named("Another name")).await;
        let before = by_sid(&world);
        for _ in 0..4 {
            let report = world.run_later().await;
            assert_eq!(by_sid(&world), before, "{shown}: {report:#?}");
        }
        let said = world.plan_report().await.exam.holds.join("\n");
        assert!(said.contains("candidate of student s001 shows the login value of student s002"), "{said}");
    }
}

/// The candidate of this student is somebody else's by now, and another one was entered under its login value.
fn give_away(world: &ExamSchool, login: &str) -> i64 {
    let record = world.candidate(login);
    let others = [(LOGIN, "another"), (NAME, "Somebody else"), (GENDER, "m")];
    world.sandbox.edit_candidate(record.sid, &others);
    let fields: Vec<(i64, &str)> = record.fields.iter().map(|(id, value)| (*id, value.as_str())).collect();
    world.sandbox.insert_candidate(&fields, &record.gids.iter().copied().collect::<Vec<i64>>())
}

#[tokio::test]
async fn a_sid_that_shows_another_login_value_is_said_at_once_of_a_leaver_and_of_a_student_in_step() {
    for (has_left, shown) in [(true, "full"), (true, "login_only"), (false, "full"), (false, "login_only")] {
        let what = format!("{has_left:?}, {shown}");
        let mut world = ExamSchool::in_step(students(8)).await;
        world.set("info_fields", shown);
        if has_left {
            world.remove("s001").await;
            let _waits = world.run().await;
        }
        let (sid, _new) = (world.sid("s001").await, give_away(&world, "s001"));
        let before = by_sid(&world);
        let report = world.run_later().await;
        assert_eq!((report.writes(), report.exit_code), (0, 3), "{what}: {report:#?}");
        let since = world.failures().await;
        let [row] = since.as_slice() else { panic!("{what}: {since:#?}") };
        assert_eq!((row.code.as_str(), row.student_id.as_str()), ("another-login-value", "s001"), "{what}");
        for _ in 0..3 {
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, 0), "{what}: {report:#?}");
            assert_eq!(world.failures().await, since, "{what}: it stands while it is so");
        }
        world.sandbox.clear_journal();
        let _quiet = world.run().await;
        assert_eq!(world.journal(), ["getstulist"], "{what}");
        for _ in 0..3 {
            world.later(DAY);
            let _report = world.run_later().await;
        }
        assert_eq!(by_sid(&world), before, "{what}: no write goes to either");
        world.sandbox.remove_candidate(world.candidate("s001").sid);
        world.sandbox.edit_candidate(sid, &[(LOGIN, "s001"), (NAME, "Name of s001"), (GENDER, "f")]);
        let _mended = world.run_later().await;
        assert!(world.failures().await.iter().all(|row| row.code != "another-login-value"), "{what}");
    }
}

#[tokio::test]
async fn records_that_changed_places_are_left_alone_also_where_one_of_the_two_has_left() {
    for shown in ["full", "login_only"] {
        let people =
            (0..8).map(|at| student(&format!("s{at:03}")).in_groups([if at == 3 { "g2" } else { "g1" }]));
        let mut world = ExamSchool::in_step(people).await;
        world.settings.exam.delete_grace = Duration::ZERO;
        world.set("info_fields", shown);
        let groups = ["s002", "s003"].map(|login| world.candidate(login).gids);
        exchange(&world, "s002", "s003");
        let [leaver, other] = ["s002", "s003"].map(|login| world.candidate(login).sid);
        for (sid, gids) in [(other, &groups[1]), (leaver, &groups[0])] {
            let gids: Vec<i64> = gids.iter().copied().collect();
            let record = world.sandbox.candidates().into_iter().find(|it| it.sid == sid).unwrap();
            let fields: Vec<(i64, &str)> = record.fields.iter().map(|(id, it)| (*id, it.as_str())).collect();
            world.sandbox.remove_candidate(sid);
            assert!(world.sandbox.insert_candidate_as(sid, &fields, &gids));
        }
        world.remove("s002").await;
        let before = by_sid(&world);
        for _ in 0..4 {
            world.later(2 * DAY);
            let report = world.run_later().await;
            assert_eq!(by_sid(&world), before, "{shown}: {report:#?}");
        }
        for id in ["s002", "s003"] {
            assert_eq!(world.link(id).await.unwrap().login.as_str(), id, "{shown}: no link follows");
            let rows = world.failures().await.into_iter().filter(|row| row.student_id == id);
            assert_eq!(rows.count(), 1, "{shown}: {id} has a row");
        }
        let said: Vec<String> = world.failures().await.into_iter().map(|row| row.message).collect();
        assert!(said.iter().all(|line| line.contains("s002") && line.contains("s003")), "{said:?}");
    }
}

#[tokio::test]
async fn who_is_said_to_stay_after_an_approval_stays_when_the_records_are_right_again() {
    let mut world = ExamSchool::in_step(students(8)).await;
    world.settings.exam.delete_grace = Duration::ZERO;
    exchange(&world, "s001", "s002");
    world.edit("s001", |it| it.named("Another name")).await;
    world.remove("s002").await;
    let _seen = world.run().await;
    let report = world.run_later().await;
    let (now_ms, digest) = (world.clock.now_ms(), report.held_digest.clone().unwrap());
    let held = world.state.approvable(&digest).await.unwrap().into_iter();
    let granted: Vec<_> =
        held.filter(|one| one.key.student.as_str() == "s002").map(|one| (one, now_ms + 5 * DAY)).collect();
    assert!(!granted.is_empty(), "{report:#?}");
    world.state.grant(&granted, now_ms).await.unwrap();
    let _withheld = world.run().await;
    let rows = world.failures().await.into_iter().filter(|row| row.student_id == "s002");
    let ids: Vec<i64> = rows.map(|row| row.id).collect();
    assert_eq!(ids.len(), 1, "{:?}", world.failures().await);
    world.state.change_failures(Some(&ids), FailureState::Ignored, now_ms).await.unwrap();
    assert_eq!(world.run().await.exam.leavers_kept, 1);
    exchange(&world, "s001", "s002");
    for _ in 0..3 {
        let report = world.run().await;
        assert_eq!(
            (report.applied().contains("delete"), report.exam.leavers_kept),
            (false, 1),
            "{report:#?}"
        );
    }
    assert_eq!(world.logins().len(), 8);
    world.put(student("s002")).await;
    let _back = world.run_later().await;
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn an_account_whose_sids_were_permuted_stays_another_one_until_it_is_ours_again() {
    let mut world = ExamSchool::in_step(students(40)).await;
    world.settings.guard.max_delete = Limit::Auto;
    world.set("account", "permuted");
    for at in 0..10 {
        world.edit(&format!("s{at:03}"), |it| it.named("Another name")).await;
    }
    for at in 20..24 {
        world.edit(&format!("s{at:03}"), |it| it.in_groups(["g2"])).await;
    }
    let before = by_sid(&world);
    for _ in 0..4 {
        let report = world.run_later().await;
        assert_eq!((report.exit_code, report.writes()), (78, 0), "{report:#?}");
        assert_eq!(by_sid(&world), before);
    }
    world.set("account", "own");
    let report = world.run_later().await;
    assert!(report.exam.notes.join("\n").contains("20 of 20 linked candidates"), "{report:#?}");
    let _second = world.run_later().await;
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_whole_school_of_rewritten_login_values_comes_to_rest_and_stays_in_step() {
    let rows = [("lower_case", "Anna.B%@X.org"), ("squeezed", "Anna  B%"), ("digits", "+86 138-0000-1%")];
    for (writes, login) in rows {
        let people =
            (10..40).map(|at| student(&format!("s{at}")).login(&login.replace('%', &at.to_string())));
        let mut world = ExamSchool::switched(people, &[("login_writes", writes)]).await;
        world.settings.guard.max_delete = Limit::Auto;
        assert_eq!(world.run().await.applied(), "30 add", "{writes}");
        let sids: Vec<i64> = by_sid(&world).into_keys().collect();
        let second = world.run().await;
        assert_eq!(second.exit_code, 0, "{writes}: {second:#?}");
        for _ in 0..2 {
            let quiet = world.run_later().await;
            assert_eq!((quiet.planned().as_str(), quiet.exit_code), ("", 0), "{writes}: {quiet:#?}");
        }
        assert_eq!(by_sid(&world).into_keys().collect::<Vec<_>>(), sids, "{writes}");
        world.put(student("new").login(&login.replace('%', "99"))).await;
        world.edit("s12", |it| it.named("Another name")).await;
        let report = world.run_later().await;
        assert_eq!((report.applied().as_str(), report.exit_code), ("1 add, 1 modify", 0), "{writes}");
    }
}

#[tokio::test]
async fn a_candidate_renamed_by_hand_stops_nobody_where_no_delete_is_allowed() {
    let mut world = ExamSchool::in_step(students(6)).await;
    world.settings.guard.max_delete = Limit::Count(0);
    let sid = world.sid("s001").await;
    world.sandbox.edit_candidate(sid, &[(LOGIN, "by hand")]);
    world.edit("s003", |it| it.named("Another name")).await;
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.exit_code), ("2 modify", 0), "{report:#?}");
    assert_eq!(world.candidate("s001").sid, sid);
}

#[tokio::test]
async fn ids_exchanged_on_the_roster_are_held_also_where_one_row_was_changed_since() {
    let mut world = ExamSchool::in_step(students(6)).await;
    let (one, two) = (world.people["s001"].clone(), world.people["s002"].clone());
    world.put(Person { id: "s001".to_owned(), ..two }.named("Another name")).await;
    world.put(Person { id: "s002".to_owned(), ..one }).await;
    for exit_code in [4, 0] {
        let report = world.run().await;
        assert_eq!((report.writes(), report.held()), (0, "2 modify".to_owned()), "{report:?}");
        assert_eq!(report.exit_code, exit_code);
    }
}
