//! Login values that change: always the same candidate, never a deletion and a new one.

use rosterd_testkit::*;

async fn sids(world: &ExamSchool, ids: &[&str]) -> Vec<i64> {
    let mut sids = Vec::new();
    for id in ids {
        sids.push(world.sid(id).await);
    }
    sids
}

/// Gives students new login values, runs, and expects everybody to be the same candidate as before.
async fn rename(renames: &[(&str, &str)]) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(6)).await;
    let ids: Vec<&str> = renames.iter().map(|(id, _)| *id).collect();
    let before = sids(&world, &ids).await;
    for (id, login) in renames {
        world.edit(id, |it| it.login(login)).await;
    }
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), (format!("{} modify", renames.len()), 0));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(sids(&world, &ids).await, before);
    for ((_, login), sid) in renames.iter().zip(before) {
        assert_eq!(world.candidate(login).sid, sid);
    }
    assert_eq!(world.run().await.planned(), "");
    world
}

#[tokio::test]
async fn a_changed_login_value_keeps_its_candidate() {
    rename(&[("s000", "new-number")]).await;
}

#[tokio::test]
async fn two_students_who_swap_login_values_keep_their_candidates() {
    rename(&[("s000", "s001"), ("s001", "s000")]).await;
}

#[tokio::test]
async fn three_students_in_a_circle_keep_their_candidates() {
    rename(&[("s000", "s001"), ("s001", "s002"), ("s002", "s000")]).await;
}

#[tokio::test]
async fn students_in_a_chain_keep_their_candidates() {
    rename(&[("s000", "s001"), ("s001", "s002"), ("s002", "s003"), ("s003", "new-number")]).await;
}

#[tokio::test]
async fn a_circle_and_a_chain_at_once_keep_their_candidates() {
    rename(&[("s000", "s001"), ("s001", "s000"), ("s002", "s003"), ("s003", "s004"), ("s004", "new-number")])
        .await;
}

#[tokio::test]
async fn a_swap_whose_second_half_is_refused_leaves_nobody_with_a_temporary_login_value() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s000", |it| it.login("s001")).await;
    world.edit("s001", |it| it.login("s000")).await;
    // The first call gives way, the second is the one that takes the freed value.
    world.set("refuse_item", "changeStuinfo@2:0");
    let report = world.run().await;
    assert_eq!((report.failed(), report.skipped()), ("1 modify".to_owned(), "1 modify".to_owned()));
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
    assert_eq!(world.run_later().await.applied(), "2 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn a_swap_in_which_nobody_gives_way_changes_nothing() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s000", |it| it.login("s001")).await;
    world.edit("s001", |it| it.login("s000")).await;
    world.set("refuse_item", "changeStuinfo:0");
    let report = world.run().await;
    assert_eq!((report.failed(), report.skipped()), ("1 modify".to_owned(), "1 modify".to_owned()));
    assert_eq!(report.calls("changeStuinfo"), 1);
    assert_eq!(world.run_later().await.applied(), "2 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn a_swap_whose_answers_are_lost_converges() {
    for call in 1..=3 {
        let mut world = ExamSchool::in_step(students(3)).await;
        let before = sids(&world, &["s000", "s001"]).await;
        world.edit("s000", |it| it.login("s001")).await;
        world.edit("s001", |it| it.login("s000")).await;
        world.set("lose_answer", &format!("changeStuinfo@{call}"));
        let _report = world.run().await;
        let _second = world.run_later().await;
        let _third = world.run_later().await;
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "call {call}");
        assert_eq!(sids(&world, &["s000", "s001"]).await, before);
        assert_eq!(world.run().await.planned(), "");
    }
}

/// A school that was cut off while s000 and s001 exchanged login values; the id of whose candidate gave way, and the
/// other's.
async fn in_mid_swap() -> (ExamSchool, &'static str, &'static str) {
    let mut world = ExamSchool::in_step(students(12)).await;
    let first = world.sid("s000").await;
    world.edit("s000", |it| it.login("s001")).await;
    world.edit("s001", |it| it.login("s000")).await;
    world.set("delay", "changeStuinfo@1:500");
    world.crash_when(|| world.journal().iter().any(|call| call == "changeStuinfo")).await;
    world.sandbox.clear_faults();
    let moving: Vec<String> =
        world.logins().into_iter().filter(|login| login.starts_with("moving-")).collect();
    let [moving] = moving.as_slice() else { panic!("{:?}", world.logins()) };
    let is_first = moving.starts_with(&format!("moving-{first}-"));
    let (gave_way, other) = if is_first { ("s000", "s001") } else { ("s001", "s000") };
    (world, gave_way, other)
}

fn has_temporary_logins(world: &ExamSchool) -> bool {
    world.logins().iter().any(|login| login.starts_with("moving-"))
}

#[tokio::test]
async fn nobody_keeps_a_temporary_login_value_when_the_circle_is_none_any_more() {
    for what in ["a bad row", "a shared login value", "left", "a limit", "unchanged"] {
        let (mut world, gave_way, other) = in_mid_swap().await;
        let sid = world.sid(gave_way).await;
        match what {
            "a bad row" => {
                world.sql(&format!("UPDATE students SET name = ' ' WHERE student_id = '{other}'")).await
            }
            "a shared login value" => world.edit(other, |it| it.login("s005")).await,
            "left" => world.remove(other).await,
            "a limit" => {
                world.settings.guard.max_modify = rosterd_core::roster::Limit::Count(1);
                world.sql("UPDATE students SET name = name || ' #REF'").await;
            }
            _ => {
                world.edit("s000", |it| it.login("s000")).await;
                world.edit("s001", |it| it.login("s001")).await;
            }
        }
        let _report = world.run().await;
        assert!(!has_temporary_logins(&world), "{what}: {:?}", world.logins());
        let candidate = world.candidate(gave_way);
        assert_eq!(candidate.sid, sid, "{what}: the login value that it had");
        assert_eq!(world.link(gave_way).await.unwrap().login.as_str(), gave_way, "{what}");
        world.sandbox.clear_journal();
        let _again = world.run().await;
        assert!(!world.journal().iter().any(|call| call == "changeStuinfo"), "{what}");
    }
}

#[tokio::test]
async fn a_leaver_whose_candidate_gave_way_is_no_leaver_who_was_renamed_by_hand() {
    let (mut world, gave_way, other) = in_mid_swap().await;
    world.remove(gave_way).await;
    let report = world.run().await;
    assert_eq!((report.exit_code, report.held().as_str()), (0, ""), "{report:#?}");
    assert_eq!(world.candidate(gave_way).sid, world.sid(other).await, "the other one has what was freed");
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.exit_code), ("1 delete", 0), "{report:#?}");
    assert!(!has_temporary_logins(&world));
}

#[tokio::test]
async fn a_newcomer_never_takes_over_the_candidate_of_somebody_who_left() {
    let mut world = ExamSchool::in_step(students(3)).await;
    let leaver = world.sid("s001").await;
    world.remove("s001").await;
    world.put(student("new").login("s001")).await;
    // It may be one person under another id: a person decides, however long that takes.
    for exit_code in [4, 0, 0] {
        let report = world.run().await;
        assert_eq!((report.held(), report.skipped()), ("1 delete".to_owned(), "1 add".to_owned()));
        assert_eq!((report.writes(), report.exit_code), (0, exit_code), "{report:?}");
        assert_eq!(world.candidate("s001").sid, leaver);
        world.later(4 * DAY);
    }
    let digest = world.run().await.held_digest.unwrap();
    let now_ms = world.clock.now_ms();
    let held = world.state.approvable(&digest).await.unwrap().into_iter();
    let granted: Vec<_> = held.map(|one| (one, now_ms + DAY)).collect();
    world.state.grant(&granted, now_ms).await.unwrap();
    let report = world.run().await;
    assert_eq!(report.applied(), "1 delete", "two people: {report:?}");
    assert_eq!(world.run_later().await.applied(), "1 add");
    assert_ne!(world.sid("new").await, leaver);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn a_login_value_that_an_unmanaged_candidate_has_is_reported_for_whoever_wants_it() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.sandbox.insert_candidate(&[(LOGIN, "taken"), (NAME, "Not ours")], &[world.gid("g1")]);
    world.edit("s000", |it| it.login("taken")).await;
    let report = world.run().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 modify".to_owned(), 3));
    assert_eq!(world.failures().await[0].code, "login-value-taken");
    assert_eq!(world.logins(), ["s000", "s001", "taken"]);
}
