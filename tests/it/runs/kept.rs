//! Leavers who stay, and groups that stood on the roster once: nobody does so without a word.

use std::time::Duration;

use rosterd_core::roster::{Limit, Mode};

use rosterd_testkit::*;

async fn without_grace(people: Vec<Person>) -> ExamSchool {
    let mut world = ExamSchool::in_step(people).await;
    world.settings.exam.delete_grace = Duration::ZERO;
    world
}

/// Puts a student's candidate into the group of another school too.
async fn share(world: &ExamSchool, student: &str) {
    let sid = world.sid(student).await;
    world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), world.foreign]);
}

#[tokio::test]
async fn a_leaver_in_a_foreign_group_is_held_until_a_person_decides() {
    let mut world = without_grace(students(6)).await;
    share(&world, "s001").await;
    world.remove("s001").await;
    let _seen = world.run().await;
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!((report.writes(), report.held()), (0, "1 delete".to_owned()), "{report:?}");
        let said = report.exam.holds.join("\n");
        assert!(said.contains(&format!("gid {}", world.foreign)), "{said}");
    }
    assert_eq!(world.candidate("s001").gids, [world.gid("g1"), world.foreign].into());
}

#[tokio::test]
async fn a_hold_for_a_foreign_group_costs_no_look_up_while_it_stands() {
    let mut world = without_grace(students(6)).await;
    share(&world, "s001").await;
    world.remove("s001").await;
    for _ in 0..2 {
        let _report = world.run().await;
    }
    world.sandbox.clear_journal();
    for _ in 0..3 {
        assert_eq!(world.run().await.held(), "1 delete");
    }
    assert_eq!(world.journal(), ["getstulist"; 3]);
}

#[tokio::test]
async fn in_a_shared_account_a_leaver_who_stays_is_counted_and_the_group_named() {
    let mut world = without_grace(students(6)).await;
    world.settings.exam.shared = Some(true);
    share(&world, "s001").await;
    world.remove("s001").await;
    let _seen = world.run().await;
    assert_eq!(world.run().await.applied(), "1 move");
    for _ in 0..2 {
        let report = world.run_later().await;
        assert_eq!((report.planned(), report.exit_code, report.exam.leavers_kept), (String::new(), 0, 1));
        let kept = &report.attention["kept-leavers"];
        assert_eq!((kept.count, kept.owner), (1, "it"));
        assert!(kept.what.contains(&format!("gid {} (1)", world.foreign)), "{}", kept.what);
        assert!(kept.since.is_some());
    }
}

#[tokio::test]
async fn a_class_that_graduates_with_its_group_row_is_deleted() {
    for shared in [None, Some(true)] {
        let people = students(30).into_iter().enumerate();
        let people =
            people.map(|(at, person)| if at < 10 { person.in_groups(["g2"]) } else { person }).collect();
        let mut world = without_grace(people).await;
        world.settings.exam.shared = shared;
        // In a shared account only a gid that stood on the roster for a week is no mistake.
        world.later(8 * DAY);
        let _quiet = world.run().await;
        for number in 0..10 {
            world.people.remove(&format!("s{number:03}"));
        }
        world.groups.remove("g2");
        world.write_roster().await;
        let _seen = world.run().await;
        assert_eq!(world.run().await.applied(), "10 delete", "{shared:?}");
        assert_eq!(world.run().await.planned(), "");
        assert_eq!(world.logins().len(), 20);
    }
}

#[tokio::test]
async fn in_a_shared_account_a_gid_that_stood_there_by_mistake_is_not_ours() {
    for (days, kept) in [(6, 1), (7, 0)] {
        let mut world = without_grace(students(6)).await;
        world.settings.exam.shared = Some(true);
        world.groups.insert("typing error".to_owned(), Some(world.foreign));
        world.write_roster().await;
        let _there = world.run().await;
        world.later(days * DAY);
        let _there = world.run().await;
        world.groups.remove("typing error");
        let sid = world.sid("s001").await;
        world.sandbox.set_candidate_groups(sid, &[world.foreign]);
        world.remove("s001").await;
        let _seen = world.run().await;
        let report = world.run_later().await;
        assert_eq!((report.exam.leavers_kept, report.calls("delStu")), (kept, 1 - kept), "{days} days");
    }
}

#[tokio::test]
async fn in_a_shared_account_whoever_a_wrong_gid_put_into_a_group_of_others_is_named() {
    let mut world = without_grace(students(4)).await;
    world.settings.exam.shared = Some(true);
    let own = world.gid("g1");
    world.groups.insert("g1".to_owned(), Some(world.foreign));
    world.put(student("new")).await;
    let _wrong = world.run().await;
    assert!(world.candidate("s001").gids.contains(&world.foreign), "the roster says so");
    world.groups.insert("g1".to_owned(), Some(own));
    world.write_roster().await;
    let mended = world.run().await;
    assert_eq!(world.candidate("new").gids, [own, world.foreign].into());
    let said = format!("5 are still in gid {}, once Group g1: take them out there", world.foreign);
    assert!(mended.attention["former-groups"].what.contains(&said), "{:?}", mended.attention);
    assert_eq!(mended.exit_code, 3, "the run that finds it: {mended:?}");
    let report = world.run().await;
    assert_eq!((report.planned(), report.exit_code), (String::new(), 0));
    assert_eq!(report.attention["former-groups"].count, 5);
    for sid in [world.candidate("s001").sid, world.candidate("new").sid] {
        world.sandbox.set_candidate_groups(sid, &[own]);
    }
    world.later(2 * DAY);
    let _looked_up = world.run().await;
    assert_eq!(world.run().await.attention["former-groups"].count, 3);
}

#[tokio::test]
async fn students_who_stay_in_a_former_group_are_named() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let former = world.gid("g1");
    for number in 0..4 {
        world.edit(&format!("s{number:03}"), |it| it.in_groups(["g2"])).await;
    }
    world.edit("s004", |it| it.in_groups(["g3"])).await;
    world.groups.remove("g1");
    world.write_roster().await;
    let moved = world.run().await;
    assert_eq!(moved.exit_code, 3, "the run that finds it: {moved:?}");
    let row = world.failures().await.remove(0);
    assert_eq!((row.table.as_deref(), row.key), (Some("groups"), Some(format!("gid {former}"))));
    let report = world.run_later().await;
    assert_eq!((report.planned(), report.exit_code), (String::new(), 0));
    assert!(!report.attention.contains_key("bad-rows"), "{:?}", report.attention);
    let named = &report.attention["former-groups"];
    assert_eq!(named.count, 5);
    let said = format!("5 are still in gid {former}, once Group g1");
    assert!(named.what.contains(&said), "{}", named.what);
    let id = world.failures().await[0].id;
    let ignored = rosterd_core::failure::FailureState::Ignored;
    world.state.change_failures(Some(&[id]), ignored, 0).await.unwrap();
    for _ in 0..2 {
        let report = world.run_later().await;
        assert!(!report.attention.contains_key("former-groups"), "{:?}", report.attention);
    }
    assert_eq!(world.failures().await.len(), 1, "it stays silenced");
}

#[tokio::test]
async fn leavers_whom_the_mode_leaves_alone_are_counted() {
    let mut world = without_grace(students(5)).await;
    world.settings.mode = Mode::Upsert;
    world.remove("s001").await;
    let _seen = world.run().await;
    let report = world.run().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 delete".to_owned(), 0));
    let leavers = &report.attention["leavers"];
    assert_eq!(leavers.count, 1);
    let since = leavers.since.clone().expect("since when the first is gone");
    world.remove("s002").await;
    let _seen = world.run_later().await;
    let leavers = &world.run_later().await.attention["leavers"];
    assert_eq!((leavers.count, leavers.since.as_ref()), (2, Some(&since)));
}

#[tokio::test]
async fn a_state_that_left_somebody_to_others_goes_on_so_until_the_setting_is_written() {
    let mut world = without_grace(students(5)).await;
    world.settings.exam.shared = Some(true);
    share(&world, "s001").await;
    world.remove("s001").await;
    for _ in 0..2 {
        let _report = world.run().await;
    }
    // As an earlier version leaves it to this one.
    world.state.remember("exam.left_to_others", Some("unknown")).await.unwrap();
    world.settings.exam.shared = None;
    for _ in 0..2 {
        let report = world.run_later().await;
        assert_eq!((report.planned(), report.exam.leavers_kept), (String::new(), 1), "{report:?}");
        let said = &report.attention["shared-not-written"].what;
        assert!(said.contains("exam.shared is not written"), "{said}");
    }
    world.settings.exam.shared = Some(false);
    let report = world.run_later().await;
    assert_eq!(report.held(), "1 delete");
    assert!(!report.attention.contains_key("shared-not-written"));
}

#[tokio::test]
async fn a_state_that_left_nobody_to_others_is_not_shared_from_now_on() {
    let mut world = without_grace(students(5)).await;
    world.state.remember("exam.left_to_others", Some("unknown")).await.unwrap();
    let report = world.run().await;
    assert!(report.attention.is_empty(), "{:?}", report.attention);
    share(&world, "s001").await;
    world.remove("s001").await;
    let _seen = world.run().await;
    assert_eq!(world.run_later().await.held(), "1 delete");
}

#[tokio::test]
async fn leavers_of_a_term_are_judged_as_one_mass_when_the_mode_first_deletes() {
    let mut world = ExamSchool::in_step(students(40)).await;
    world.settings.guard.max_delete = Limit::Auto;
    world.settings.mode = Mode::Upsert;
    for number in 0..20 {
        world.remove(&format!("s{number:03}")).await;
        world.later(5 * DAY);
        assert_eq!(world.run().await.writes(), 0);
    }
    world.later(5 * DAY);
    world.settings.mode = Mode::Sync;
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.held(), report.calls("delStu")), ("20 delete".to_owned(), 0));
    }
}

#[tokio::test]
async fn a_leaver_noted_by_a_clock_that_was_ahead_counts_from_now() {
    let mut world = without_grace(students(5)).await;
    world.later(9000 * DAY);
    world.remove("s001").await;
    let _noted = world.run().await;
    world.later(-9000 * DAY);
    world.settings.exam.delete_grace = Duration::from_secs(72 * 3600);
    assert_eq!(world.run().await.planned(), "");
    world.later(2 * DAY);
    assert_eq!(world.run().await.planned(), "", "the grace begins with the clock that is right");
    world.later(DAY + HOUR);
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn look_ups_put_off_by_a_clock_that_was_ahead_come_due_again() {
    let world = ExamSchool::in_step(students(5)).await;
    world.later(9000 * DAY);
    let _ahead = world.run().await;
    world.later(-9000 * DAY);
    let _right = world.run().await;
    world.sandbox.clear_journal();
    let _day_after = world.run_later().await;
    assert!(world.journal().contains(&"getstudentsinfo".to_owned()), "{:?}", world.journal());
}

/// Another file takes the roster's place, as a school's export does it.
async fn replace_roster(world: &ExamSchool, back: &str) {
    let (path, new) = (world.path("roster.db"), world.path("new.db"));
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let copied = format!("VACUUM INTO '{}'", new.display());
    sqlx::query(sqlx::AssertSqlSafe(copied)).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&new);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(back.to_owned())).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    std::fs::rename(new, path).unwrap();
}

#[tokio::test]
async fn whoever_is_back_in_a_file_that_took_the_rosters_place_is_not_deleted() {
    // Before the account is listed, and while the candidates that are to go are looked up.
    for endpoint in ["getstulist", "getstudentsinfo"] {
        let mut world = without_grace(students(5)).await;
        world.edit("s001", Person::inactive).await;
        let _seen = world.run().await;
        // Long enough that a busy machine replaces the file before the answer comes.
        world.set("exam.latency_ms", "500");
        world.sandbox.clear_journal();
        let replaced = async {
            while !world.journal().iter().any(|call| call == endpoint) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            replace_roster(&world, "UPDATE students SET active = 1").await;
        };
        let (report, ()) = tokio::join!(world.run(), replaced);
        assert_eq!((report.calls("delStu"), report.exit_code), (0, 0), "{endpoint}: {report:?}");
        assert_eq!(world.logins().len(), 5);
    }
}
