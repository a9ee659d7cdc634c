//! Rows that cannot be used: each is reported, concerns only whom it names, and never becomes a delete.

use rosterd_core::failure::FailureState;
use rosterd_core::roster::Leavers;
use rosterd_testkit::*;

use crate::program::Programs as _;

#[tokio::test]
async fn students_who_share_a_login_value_are_reported_and_all_others_go_through() {
    let mut people = students(5);
    people[1] = student("s001").login("same");
    people[2] = student("s002").login("same");
    let mut world = ExamSchool::with(people).await;
    let report = world.run().await;
    assert_eq!(
        (report.applied(), report.skipped(), report.exit_code),
        ("3 add".to_owned(), "2 add".to_owned(), 3)
    );
    let codes: Vec<String> = world.failures().await.into_iter().map(|failure| failure.code).collect();
    assert_eq!(codes, ["shared-login-value"; 2]);
    world.edit("s002", |it| it.login("s002")).await;
    assert_eq!(world.run().await.applied(), "2 add");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn who_shared_a_login_value_with_a_leaver_stands_for_what_is_in_the_way_now_alone() {
    for is_ignored in [false, true] {
        let mut world = ExamSchool::in_step(students(3)).await;
        world.put(student("new").login("s001")).await;
        assert_eq!(world.run().await.exit_code, 3);
        if is_ignored {
            let id = world.failures().await.into_iter().find(|row| row.student_id == "new").unwrap().id;
            world
                .state
                .change_failures(Some(&[id]), FailureState::Ignored, world.clock.now_ms())
                .await
                .unwrap();
            let _same = world.run().await;
        }
        world.remove("s001").await;
        let _report = world.run().await;
        let rows = world.failures().await.into_iter().filter(|row| row.student_id == "new");
        let codes: Vec<String> = rows.map(|row| row.code).collect();
        assert_eq!(codes, ["login-value-in-use"], "{is_ignored:?}");
    }
}

#[tokio::test]
async fn a_candidate_whose_student_comes_to_share_a_login_value_is_kept() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s002", |it| it.login("s001")).await;
    for exit_code in [3, 0, 0] {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.writes(), report.exit_code), (0, exit_code));
    }
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
}

#[tokio::test]
async fn a_missing_login_value_is_reported_and_the_candidate_kept() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s001", |it| it.login("")).await;
    world.put(student("new").login("")).await;
    for exit_code in [3, 0] {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.skipped(), report.exit_code), ("1 add, 1 modify".to_owned(), exit_code));
    }
    assert_eq!(world.logins(), ["s000", "s001", "s002"]);
    assert_eq!(world.failures().await.len(), 2);
}

#[tokio::test]
async fn an_ignored_row_is_silent_until_it_changes() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.put(student("new").in_groups([])).await;
    let _report = world.run().await;
    let failure = world.failures().await[0].id;
    let ignored = rosterd_core::failure::FailureState::Ignored;
    world.state.change_failures(Some(&[failure]), ignored, world.clock.now_ms()).await.unwrap();
    let report = world.run().await;
    assert_eq!((report.skipped(), report.exit_code), ("1 add".to_owned(), 0));
    assert_eq!(world.failures().await[0].state, FailureState::Ignored);
    world.edit("new", |it| it.in_groups(["g1"])).await;
    assert_eq!(world.run().await.applied(), "1 add");
}

/// Ways to spoil the row of `s001`, each with a word of the reason.
const SPOILT: [(&str, &str); 6] = [
    ("UPDATE students SET active = 'maybe' WHERE student_id = 's001'", "students.active"),
    ("UPDATE students SET active = -1 WHERE student_id = 's001'", "students.active"),
    ("UPDATE students SET name = ' ' WHERE student_id = 's001'", "students.name is empty"),
    ("UPDATE students SET phone = x'31' WHERE student_id = 's001'", "students.phone holds binary data"),
    ("UPDATE students SET student_id = CAST('s001' AS BLOB) WHERE student_id = 's001'", "BLOB"),
    (
        "INSERT INTO students (student_id, login, name) VALUES ('s001 ', 'other', 'Other')",
        "student_id more than once",
    ),
];

#[tokio::test]
async fn a_bad_row_keeps_its_student_as_they_are_and_is_no_leaver() {
    for (spoil, reason) in SPOILT {
        let world = ExamSchool::in_step(students(4)).await;
        world.sql(spoil).await;
        for exit_code in [3, 0, 0] {
            world.later(4 * DAY);
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, exit_code), "{spoil}");
        }
        let failures = world.failures().await;
        assert_eq!(failures.len(), 1, "{spoil}");
        assert_eq!((failures[0].student_id.as_str(), failures[0].code.as_str()), ("s001", "unusable-row"));
        assert!(failures[0].message.contains(reason), "{spoil}: {}", failures[0].message);
        assert_eq!(world.logins(), ["s000", "s001", "s002", "s003"], "{spoil}");
    }
}

#[tokio::test]
async fn ids_that_differ_from_normal_form_are_the_same_people_in_the_same_groups() {
    for written in ["student_id || ' '", "char(8203) || student_id", "student_id || char(10)"] {
        let world = ExamSchool::in_step(students(4)).await;
        for table in ["students", "group_members"] {
            world.sql(&format!("UPDATE {table} SET student_id = {written} WHERE student_id = 's001'")).await;
            world.later(4 * DAY);
            let report = world.run().await;
            assert_eq!((report.planned().as_str(), report.exit_code), ("", 0), "{written} in {table}");
        }
    }
}

#[tokio::test]
async fn a_login_value_with_invisible_characters_is_the_one_without() {
    let world = ExamSchool::in_step(students(3)).await;
    for written in
        ["login || char(8203)", "char(8206) || login", "'s0' || char(173) || '01'", "login || char(0)"]
    {
        world.sql(&format!("UPDATE students SET login = {written} WHERE student_id = 's001'")).await;
        let report = world.run().await;
        assert_eq!((report.planned().as_str(), report.exit_code), ("", 0), "{written}");
        world.sql("UPDATE students SET login = 's001' WHERE student_id = 's001'").await;
    }
}

#[tokio::test]
async fn a_gid_that_is_a_whole_number_is_read_however_it_is_stored() {
    for kind in ["REAL", "TEXT"] {
        let world = ExamSchool::in_step(students(3)).await;
        let gid = if kind == "TEXT" { "gid || '.0'" } else { "CAST(gid AS REAL)" };
        world
            .sql(&format!(
                "CREATE TABLE again (group_code TEXT PRIMARY KEY, title TEXT, gid {kind}); \
                 INSERT INTO again SELECT group_code, title, {gid} FROM groups; \
                 DROP TABLE groups; ALTER TABLE again RENAME TO groups"
            ))
            .await;
        let report = world.run().await;
        assert_eq!((report.planned().as_str(), report.exit_code), ("", 0), "{kind}");
    }
}

#[tokio::test]
async fn a_gid_that_is_no_id_is_named_and_replaced_by_nothing() {
    for gid in ["x'31'", "'many'", "1e20", "-4", "1.5"] {
        let mut world = ExamSchool::in_step(students(3)).await;
        world.settings.exam.create_groups = true;
        let _report = world.run().await;
        world.sql(&format!("UPDATE groups SET gid = {gid} WHERE group_code = 'g1'")).await;
        let report = world.run().await;
        assert_eq!(report.writes(), 0, "{gid}: {report:?}");
        let failures = world.failures().await;
        assert!(failures.iter().all(|failure| failure.code == "unusable-row"), "{gid}: {failures:?}");
        assert!(failures.iter().all(|failure| !failure.message.contains("is empty")), "{gid}");
        let rows: Vec<_> = failures.iter().map(|row| (row.table.as_deref(), row.owner)).collect();
        assert_eq!(rows, [(Some("groups"), "it")], "{gid}: one cause, and no dead letter for each student");
        assert_eq!((report.exit_code, world.run().await.exit_code), (3, 0), "{gid}");
        let attention = world.plan_report().await.attention;
        assert!(!attention.contains_key("former-groups"), "{gid}: {attention:?}");
    }
}

/// What makes one row of students unreadable, beside the others.
const UNREADABLE: [&str; 11] = [
    "NULL",
    "x'ff'",
    "' ' || char(8203)",
    "'s001' || char(9) || 'Anna'",
    // Latin-1, GBK, a lone surrogate, an overlong form, a byte that begins nothing, and the sign for lost bytes.
    "CAST(x'4DDC3031' AS TEXT)",
    "CAST(x'5A6FEB' AS TEXT)",
    "CAST(x'CDF5303031' AS TEXT)",
    "CAST(x'53EDA08031' AS TEXT)",
    "CAST(x'73C081' AS TEXT)",
    "CAST(x'3A80FF' AS TEXT)",
    "'s' || char(65533) || '1'",
];

#[tokio::test]
async fn who_goes_missing_while_an_id_cannot_be_read_is_held_and_who_was_gone_before_is_not() {
    for id in UNREADABLE {
        let mut world = ExamSchool::in_step(students(9)).await;
        world.remove("s008").await;
        let _seen = world.run().await;
        world.later(DAY);
        world.sql(&format!("UPDATE students SET student_id = {id} WHERE student_id = 's001'")).await;
        world.sql("DELETE FROM group_members WHERE student_id = 's001'").await;
        let seen = world.run().await;
        assert_eq!((seen.held().as_str(), seen.exit_code), ("1 delete", 4), "{id}");
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.held().as_str()), ("1 delete", "1 delete"), "{id}");
        assert_eq!(report.exit_code, 0, "{id}: it was told before");
        assert!(world.logins().contains(&"s001".to_owned()), "{id}");
        world.write_roster().await;
        assert_eq!(world.run().await.planned(), "", "{id}");
    }
}

#[tokio::test]
async fn an_id_in_another_encoding_deletes_nobody_and_stops_nobody_else() {
    let world = ExamSchool::in_step(students(9)).await;
    let spoilt = "student_id = CAST(x'7330DC31' AS TEXT) WHERE student_id = 's001'";
    world.sql(&format!("UPDATE students SET {spoilt}; UPDATE group_members SET {spoilt}")).await;
    world
        .sql("INSERT INTO students (student_id, name, login) VALUES (CAST(x'E9' AS TEXT), 'Zoe', 's002')")
        .await;
    world.sql("UPDATE students SET name = 'Anna' WHERE student_id = 's005'").await;
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.errors.as_slice()), ("1 modify", &[] as &[String]));
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.held().as_str()), ("", "1 delete"), "{report:?}");
    assert_eq!(report.holds[0].reason_code, "unreadable-ids", "{report:?}");
    let named = world.failures().await;
    assert!(named.iter().any(|row| row.message.contains("2 rows")), "{named:?}");
    world.write_roster().await;
    assert_eq!(world.run().await.exit_code, 0);
    assert_eq!(world.logins().len(), 9);
}

#[tokio::test]
async fn a_leaver_whom_member_rows_still_name_is_held_until_the_row_says_that_they_left() {
    let mut world = ExamSchool::in_step(students(9)).await;
    world.sql("DELETE FROM students WHERE student_id = 's001'").await;
    for exit in [4, 0, 0] {
        let report = world.run().await;
        assert_eq!((report.writes(), report.held().as_str(), report.exit_code), (0, "1 delete", exit));
        assert_eq!(report.calls("getstudentsinfo"), 0, "{report:?}");
        world.later(HOUR);
    }
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.writes(), report.held().as_str(), report.exit_code), (0, "1 delete", 0));
    world.edit("s001", Person::inactive).await;
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_student_in_a_group_that_is_not_there_keeps_the_groups_they_hold() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s001", |it| it.in_groups(["g1", "g2"])).await;
    assert_eq!(world.run().await.applied(), "1 move");
    for codes in ["'elsewhere'", "'g1 elsewhere'", "NULL"] {
        world.write_roster().await;
        world.sql(&format!("UPDATE group_members SET group_code = {codes} WHERE student_id = 's001' AND group_code = 'g2'")).await;
        let report = world.run_later().await;
        assert_eq!(report.writes(), 0, "{codes}");
    }
}

#[tokio::test]
async fn a_linked_student_in_no_group_is_named_and_keeps_the_groups_they_hold() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s001", |it| it.in_groups([])).await;
    let report = world.run_later().await;
    assert_eq!((report.writes(), report.exit_code), (0, 3));
    let failures = world.failures().await;
    assert_eq!((failures[0].student_id.as_str(), failures[0].code.as_str()), ("s001", "no-group"));
    world.edit("s001", |it| it.in_groups(["g1"])).await;
    assert_eq!(world.run().await.exit_code, 0);
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn a_student_whose_only_group_row_names_nobody_keeps_the_groups_they_hold() {
    for id in UNREADABLE {
        let world = ExamSchool::in_step(students(3)).await;
        world.sql(&format!("UPDATE group_members SET student_id = {id} WHERE student_id = 's001'")).await;
        let report = world.run_later().await;
        assert_eq!((report.writes(), report.exit_code), (0, 3), "{id}");
    }
}

/// Rows that concern no single student, each with the table in which they are mended.
const OF_NOBODY: [(&str, &str); 5] = [
    ("INSERT INTO group_members VALUES (NULL, 'g1')", "group_members"),
    ("INSERT INTO group_members VALUES ('nobody', 'g1'), ('nobody', 'g2')", "group_members"),
    ("INSERT INTO class_members VALUES ('nobody', 'c1')", "class_members"),
    ("INSERT INTO students (student_id, name) VALUES (NULL, 'Total')", "students"),
    ("INSERT INTO groups VALUES ('g9', 'Nine', 'many')", "groups"),
];

#[tokio::test]
async fn a_row_that_concerns_nobody_is_named_counts_once_and_goes_when_it_is_mended() {
    for (spoil, table) in OF_NOBODY {
        let world = ExamSchool::in_step(students(3)).await;
        world.sql(spoil).await;
        let exits = [world.run().await.exit_code, world.run().await.exit_code];
        assert_eq!(exits, [3, 0], "{spoil}");
        let failures = world.failures().await;
        assert_eq!(failures.len(), 1, "{spoil}: {failures:?}");
        let (service, kind) = (failures[0].service.as_str(), failures[0].kind.as_str());
        assert_eq!((service, kind, failures[0].table.as_deref()), ("roster", "row", Some(table)), "{spoil}");
        let (ids, now_ms) = ([failures[0].id], world.clock.now_ms());
        world.state.change_failures(Some(&ids), FailureState::Ignored, now_ms).await.unwrap();
        assert_eq!(world.run().await.exit_code, 0, "{spoil}");
        let _woken = world.state.change_failures(None, FailureState::Waiting, now_ms).await.unwrap();
        assert_eq!(
            world.failures().await[0].state,
            FailureState::Ignored,
            "only its number wakes it: {spoil}"
        );
        world.write_roster().await;
        world.sql("DELETE FROM class_members").await;
        assert_eq!(world.run().await.exit_code, 0, "{spoil}");
        assert_eq!(world.failures().await, [], "{spoil}");
    }
}

/// As an earlier version left it: two links whose ids are one in normal form, each with a candidate.
async fn with_twin_links(wanted: &str) -> ExamSchool {
    let mut world = ExamSchool::in_step([student("s1"), student("s1x").login("other"), student("s2")]).await;
    world.people.remove("s1x");
    world.edit("s1", |it| it.login(wanted)).await;
    world
        .write("UPDATE links SET student_id = 's1 ' WHERE student_id = 's1x'; PRAGMA user_version = 0")
        .await;
    world.state.close().await;
    world.state = rosterd::StateStore::open(&world.settings.state.database).await.unwrap();
    world
}

#[tokio::test]
async fn of_two_links_whose_ids_become_one_the_one_with_the_wanted_login_value_stays() {
    for wanted in ["s1", "other"] {
        let world = with_twin_links(wanted).await;
        let sid = world.candidate(wanted).sid;
        let left = world.candidate(if wanted == "s1" { "other" } else { "s1" }).sid;
        let _seen = world.run().await;
        assert_eq!(world.sid("s1").await, sid, "{wanted}");
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.held(), report.writes()), ("1 delete".to_owned(), 0), "{wanted}: {report:?}");
        assert!(report.exam.holds[0].contains(&format!("sid {left}")), "{wanted}: {:?}", report.exam.holds);
        assert_eq!(world.run().await.exit_code, 0, "{wanted}");
    }
}

#[tokio::test]
async fn a_run_whose_roster_has_no_row_of_two_links_leaves_open_which_of_them_stays() {
    for untold in ["DELETE FROM students WHERE student_id = 's1'", "UPDATE students SET login = ' '"] {
        let world = with_twin_links("other").await;
        let sid = world.candidate("other").sid;
        world.sql(untold).await;
        let _seen = world.run().await;
        world.write_roster().await;
        let _told = world.run().await;
        assert_eq!(world.sid("s1").await, sid, "{untold}");
    }
}

#[tokio::test]
async fn which_of_two_links_stays_is_told_by_a_login_value_that_is_stored_as_a_number() {
    for stored in ["REAL", "TEXT"] {
        let mut world =
            ExamSchool::in_step([student("s1").login("1001"), student("s1x").login("1002")]).await;
        world.people.remove("s1x");
        world.edit("s1", |it| it.login("1002")).await;
        let value = if stored == "REAL" { "CAST(login AS REAL)" } else { "login || '.0'" };
        world
            .sql(&format!(
                "ALTER TABLE students ADD COLUMN number {stored}; UPDATE students SET number = {value}; \
                 ALTER TABLE students DROP COLUMN login; ALTER TABLE students RENAME COLUMN number TO login"
            ))
            .await;
        world
            .write("UPDATE links SET student_id = 's1 ' WHERE student_id = 's1x'; PRAGMA user_version = 0")
            .await;
        world.state.close().await;
        world.state = rosterd::StateStore::open(&world.settings.state.database).await.unwrap();
        let sid = world.candidate("1002").sid;
        let _seen = world.run().await;
        assert_eq!(world.sid("s1").await, sid, "{stored}");
    }
}

#[tokio::test]
async fn a_leaver_whose_roster_contradicts_itself_is_asked_about_in_the_first_run_that_sees_it() {
    for (spoil, says) in [
        ("DELETE FROM students WHERE student_id = 's1'", "rows still name"),
        (
            "UPDATE students SET student_id = NULL WHERE student_id = 's1'; \
             DELETE FROM group_members WHERE student_id = 's1'",
            "without a readable student_id",
        ),
        ("SELECT 1", "differs"),
    ] {
        for leavers in [Leavers::Delete, Leavers::Keep] {
            let mut world = with_twin_links("s1").await;
            if spoil != "SELECT 1" {
                world.write("DELETE FROM links WHERE student_id = 's1 '").await;
            }
            world.settings.exam.leavers = leavers;
            world.sql(spoil).await;
            let report = world.run().await;
            let held: Vec<_> = world.failures().await;
            let held: Vec<_> = held
                .into_iter()
                .filter(|row| row.state == FailureState::Held)
                .map(|row| row.message)
                .collect();
            if leavers == Leavers::Keep {
                assert_eq!((report.held(), held.len()), (String::new(), 0), "{spoil}: {report:?}");
                continue;
            }
            assert_eq!((report.held().as_str(), report.exit_code), ("1 delete", 4), "{spoil}: {report:?}");
            assert!(held.len() == 1 && held[0].contains(says), "{spoil}: {held:?}");
            let (again, plan) = (world.run().await, world.plan_report().await);
            assert_eq!((again.held().as_str(), again.exit_code), ("1 delete", 0), "{spoil}: {again:?}");
            assert_eq!(plan.attention["held-people"].count, 1, "{spoil}: {:?}", plan.attention);
            assert_eq!(again.calls("getstudentsinfo"), 0, "{spoil}");
        }
    }
}

/// Ways in which the row of `s001` in `g1` comes to name nobody, or nobody and no group.
const SPOILT_MEMBER: [&str; 6] = [
    "student_id = 'x001'",
    "student_id = NULL",
    "student_id = ' ' || char(8203)",
    "student_id = '\u{ff53}001'",
    "student_id = 'x001', group_code = 'G1'",
    "student_id = NULL, group_code = NULL",
];

/// Four students in `g1`, of whom `s001` is in `g2` too.
async fn one_in_two_groups() -> ExamSchool {
    let mut people = students(4);
    people[1] = student("s001").in_groups(["g1", "g2"]);
    ExamSchool::in_step(people).await
}

async fn spoil_member(world: &ExamSchool, written: &str) {
    let row = "student_id = 's001' AND group_code = 'g1'";
    world.sql(&format!("UPDATE group_members SET {written} WHERE {row}")).await;
}

#[tokio::test]
async fn a_row_that_names_nobody_takes_no_student_out_of_its_group_until_it_is_mended() {
    for written in SPOILT_MEMBER {
        let world = one_in_two_groups().await;
        spoil_member(&world, written).await;
        for exit_code in [4, 0, 0] {
            let report = world.run().await;
            assert_eq!((report.writes(), report.held().as_str()), (0, "1 move"), "{written}: {report:?}");
            assert_eq!(report.exit_code, exit_code, "{written}");
            world.later(2 * DAY);
        }
        let held: Vec<_> =
            world.failures().await.into_iter().filter(|row| row.student_id == "s001").collect();
        assert_eq!(
            (held.len(), held[0].code.as_str(), held[0].state),
            (1, "unreadable-ids", FailureState::Held)
        );
        assert!(held[0].message.contains("1 row of group_members names nobody"), "{}", held[0].message);
        world.write_roster().await;
        assert_eq!(world.run().await.planned(), "", "{written}: mended");
        assert_eq!(world.failures().await, [], "{written}: mended");
    }
}

#[tokio::test]
async fn a_student_held_in_a_group_costs_no_look_up() {
    let world = one_in_two_groups().await;
    spoil_member(&world, "student_id = 'x001'").await;
    let _first = world.run().await;
    world.sandbox.clear_journal();
    for _ in 0..2 {
        assert_eq!(world.run().await.held(), "1 move");
    }
    assert_eq!(world.journal(), ["getstulist"; 2]);
}

#[tokio::test]
async fn a_row_that_names_nobody_keeps_nobody_in_another_group_and_no_leaver() {
    let mut world = one_in_two_groups().await;
    world.remove("s003").await;
    world.edit("s001", |it| it.in_groups(["g2"])).await;
    world.sql("INSERT INTO group_members VALUES ('x001', 'g3')").await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), ("1 move".to_owned(), String::new()), "{report:?}");
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_row_of_a_leaver_names_somebody() {
    let mut world = one_in_two_groups().await;
    world.edit("s001", |it| it.in_groups(["g2"])).await;
    world.sql("DELETE FROM students WHERE student_id = 's003'").await;
    let report = world.run().await;
    assert_eq!(
        (report.applied(), report.held()),
        ("1 move".to_owned(), "1 delete".to_owned()),
        "the row is the leaver's, who is asked about: {report:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_be_named_by_a_spoilt_row_joins_other_groups_and_leaves_theirs_by_an_approval() {
    let world = one_in_two_groups().await;
    spoil_member(&world, "student_id = 'x001'").await;
    world.sql("INSERT INTO group_members VALUES ('s001', 'g3')").await;
    let (g1, g2, g3) = (world.gid("g1"), world.gid("g2"), world.gid("g3"));
    assert_eq!(world.run().await.applied(), "1 move");
    assert_eq!(world.candidate("s001").gids, [g1, g2, g3].into());
    let report = world.run().await;
    assert_eq!((report.writes(), report.held(), report.exit_code), (0, "1 move".to_owned(), 4));
    let digest = report.held_digest.unwrap();
    assert_eq!(world.school.program(&["approve", &digest]).code, 1, "a digest alone names nobody");
    assert_eq!(world.school.program(&["approve", &digest, "--student", "s001"]).code, 0);
    assert_eq!(world.run().await.applied(), "1 move");
    assert_eq!(world.candidate("s001").gids, [g2, g3].into());
}

#[tokio::test]
async fn a_group_whose_row_cannot_be_told_is_no_former_group() {
    let spoilt = [
        "UPDATE groups SET group_code = NULL WHERE group_code = 'g1'",
        "UPDATE groups SET group_code = CAST('g1' AS BLOB) WHERE group_code = 'g1'",
        "INSERT INTO groups VALUES ('g1 ', 'Twin', 77)",
    ];
    for spoil in spoilt {
        let world = ExamSchool::in_step(students(3)).await;
        world.sql(spoil).await;
        for exit_code in [3, 0] {
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, exit_code), "{spoil}: {report:?}");
            let kinds: Vec<&str> = report.attention.keys().copied().collect();
            assert_eq!(kinds, ["bad-rows"], "{spoil}: no group stood there once");
        }
        let failures = world.failures().await;
        assert!(failures.iter().all(|row| row.service.as_str() == "roster"), "{spoil}: {failures:?}");
        world.write_roster().await;
        assert_eq!(world.run().await.planned(), "", "{spoil}: mended");
    }
}

#[tokio::test]
async fn a_roster_with_too_few_readable_ids_is_refused_before_the_exam_side_is_read() {
    let mut world = ExamSchool::in_step(students(4)).await;
    world.settings.guard.min_roster = 3;
    world.sql("UPDATE students SET student_id = NULL WHERE student_id IN ('s001', 's002')").await;
    world.sandbox.clear_journal();
    let report = world.run().await;
    assert_eq!(report.exit_code, 1);
    assert!(
        report.errors[0].contains("has 2 active students, fewer than guard.min_roster = 3"),
        "{report:?}"
    );
    assert_eq!(world.journal(), [] as [&str; 0]);
}
