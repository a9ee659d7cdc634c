//! Rows of the roster that cannot be used: nobody is removed from a class because of them, and nobody is enrolled.

use rosterd::Exit;
use rosterd_testkit::{DAY, School};

use super::{REMOVE, count, in_step};
use crate::program::Programs as _;

/// Ways to spoil the roster around `s001` in class `c1`.
const SPOILT: [&str; 12] = [
    "UPDATE students SET active = 'maybe' WHERE student_id = 's001'",
    "UPDATE students SET active = 2 WHERE student_id = 's001'",
    "UPDATE students SET name = '' WHERE student_id = 's001'",
    "UPDATE students SET classin_uid = 'many' WHERE student_id = 's001'",
    "UPDATE students SET classin_uid = x'31' WHERE student_id = 's001'",
    "UPDATE students SET classin_uid = -7 WHERE student_id = 's001'",
    "UPDATE students SET student_id = CAST('s001' AS BLOB) WHERE student_id = 's001'",
    "INSERT INTO students (student_id, name) VALUES ('s001 ', 'Other')",
    "UPDATE class_members SET class_code = 'elsewhere' WHERE student_id = 's001'",
    "UPDATE classes SET course_id = 'many' WHERE class_code = 'c1'",
    "UPDATE classes SET class_id = 1e20 WHERE class_code = 'c1'",
    "INSERT INTO classes SELECT 'c1 ', title, course_id, class_id FROM classes",
];

#[tokio::test]
async fn a_bad_row_costs_nobody_a_class() {
    for spoil in SPOILT {
        let (school, _, _) = in_step(4).await;
        school.sql(spoil).await;
        for _ in 0..3 {
            school.later(4 * DAY);
            let _report = school.run().await;
        }
        assert!(school.classin_calls().is_empty(), "{spoil}: {:?}", school.classin_calls());
        school.leaves_work_behind();
    }
}

/// Ways in which the row of `s001` in class `c1` comes to name nobody.
const NAMES_NOBODY: [&str; 7] = [
    "UPDATE class_members SET student_id = NULL WHERE student_id = 's001'",
    "UPDATE class_members SET student_id = '' WHERE student_id = 's001'",
    "UPDATE class_members SET student_id = x'ff' WHERE student_id = 's001'",
    "UPDATE class_members SET student_id = char(8203) || ' ' WHERE student_id = 's001'",
    "UPDATE class_members SET student_id = 's0001' WHERE student_id = 's001'",
    "UPDATE class_members SET student_id = NULL, class_code = NULL WHERE student_id = 's001'",
    "UPDATE class_members SET student_id = NULL, class_code = 'elsewhere' WHERE student_id = 's001'",
];

#[tokio::test]
async fn who_may_stand_in_a_row_that_names_nobody_is_held_until_it_is_mended() {
    for spoil in NAMES_NOBODY {
        let (school, _, _) = in_step(4).await;
        school.sql(spoil).await;
        for exit in [Exit::Held, Exit::Done] {
            let report = school.run_to(exit).await;
            assert_eq!(count(&report, "held", "remove"), 1, "{spoil}");
            assert_eq!(report.holds[0].reason_code, "unreadable-ids", "{spoil}");
            assert!(report.holds[0].reason.contains("1 row of class_members"), "{spoil}: {report:#?}");
            school.later(4 * DAY);
        }
        assert!(school.classin_calls().is_empty(), "{spoil}: {:?}", school.classin_calls());
        school.sql("DELETE FROM class_members WHERE student_id IS NOT 's000'").await;
        for id in ["s001", "s002", "s003"] {
            school.join(id, "c1").await;
        }
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{spoil}: mended");
    }
}

#[tokio::test]
async fn a_row_that_names_nobody_holds_no_other_class_and_nobody_who_has_left() {
    let (school, _, _) = in_step(5).await;
    let _other = school.class("c2").await;
    school.join("s001", "c2").await;
    school.join("s002", "c2").await;
    school.run_as(Exit::Done).await;
    school.sql("INSERT INTO class_members VALUES (NULL, 'c2')").await;
    school.sql("UPDATE students SET active = 0 WHERE student_id = 's002'").await;
    school.leave("s003", "c1").await;
    school.sandbox.clear_journal();
    let report = school.run().await;
    assert_eq!((count(&report, "applied", "remove"), count(&report, "held", "remove")), (1, 0));
    school.later(4 * DAY);
    let report = school.run().await;
    assert_eq!((count(&report, "applied", "remove"), count(&report, "held", "remove")), (2, 0));
    assert!(school.classin_calls().iter().all(|call| call == REMOVE), "{:?}", school.classin_calls());
}

/// Ways in which a row comes to name nobody that is not the row of `s001`, who went missing before.
const NAMES_NOBODY_LATER: [&str; 3] = [
    "INSERT INTO class_members VALUES (NULL, 'c1')",
    "INSERT INTO class_members VALUES ('s0001', 'c1')",
    "INSERT INTO class_members VALUES (NULL, NULL)",
];

#[tokio::test]
async fn who_was_missing_before_the_first_row_that_names_nobody_leaves_the_class() {
    for spoil in NAMES_NOBODY_LATER {
        let (school, class, uids) = in_step(4).await;
        school.set("http_5xx", "delClassStudentMultiple@*:503");
        school.leave("s001", "c1").await;
        let _refused = school.run().await;
        assert!(school.members(class).contains(&uids[1]), "{spoil}: ClassIn is down");
        school.sandbox.clear_faults();
        school.later(DAY);
        school.sql(spoil).await;
        school.leave("s002", "c1").await;
        let report = school.run_to(Exit::Held).await;
        assert_eq!(
            (count(&report, "applied", "remove"), count(&report, "held", "remove")),
            (1, 1),
            "{spoil}"
        );
        assert!(!school.members(class).contains(&uids[1]), "{spoil}: missing before");
        assert!(school.members(class).contains(&uids[2]), "{spoil}: perhaps meant by that row");
    }
}

#[tokio::test]
async fn who_waited_for_another_place_when_a_row_came_to_name_nobody_leaves_with_it() {
    let (school, class, uids) = in_step(4).await;
    let other = school.class("c2").await;
    school.set("http_5xx", "addClassStudentMultiple@*:503");
    school.sql("UPDATE class_members SET class_code = 'c2' WHERE student_id = 's001'").await;
    let _waits = school.run().await;
    school.later(DAY);
    school.sandbox.clear_faults();
    school.sql("INSERT INTO class_members VALUES (NULL, 'c1')").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(other), super::set_of(&uids[1..2]));
    assert!(!school.members(class).contains(&uids[1]), "the row was not there when s001 left c1");
}

#[tokio::test]
async fn a_further_row_that_names_nobody_lets_nobody_go_and_the_last_one_mended_does() {
    let (school, class, uids) = in_step(6).await;
    school.sql("UPDATE class_members SET student_id = NULL WHERE student_id = 's001'").await;
    school.run_as(Exit::Held).await;
    school.later(DAY);
    school.sql("UPDATE class_members SET student_id = '' WHERE student_id = 's002'").await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 2);
    school.later(DAY);
    school.sql("UPDATE class_members SET student_id = 's001' WHERE student_id IS NULL").await;
    let report = school.run().await;
    assert_eq!(count(&report, "held", "remove"), 1, "one row is left");
    school.later(DAY);
    school.sql("DELETE FROM class_members WHERE student_id = ''").await;
    let report = school.run().await;
    assert_eq!((count(&report, "applied", "remove"), count(&report, "held", "remove")), (1, 0));
    assert_eq!(school.members(class), super::set_of(&[uids[0], uids[1], uids[3], uids[4], uids[5]]));
}

/// Ways in which the row of class `c1` comes to tell nothing of which class it is.
const TELLS_NO_CLASS: [&str; 4] = [
    "UPDATE classes SET course_id = NULL, class_id = NULL WHERE class_code = 'c1'",
    "UPDATE classes SET course_id = '', class_id = ' ' WHERE class_code = 'c1'",
    "UPDATE classes SET course_id = 'n/a', class_id = 'n/a' WHERE class_code = 'c1'",
    "UPDATE classes SET class_code = NULL WHERE class_code = 'c1'",
];

#[tokio::test]
async fn a_class_row_that_lost_its_ids_takes_nobody_out_however_small_the_class() {
    for (spoil, size) in TELLS_NO_CLASS.iter().flat_map(|spoil| [(spoil, 2), (spoil, 7)]) {
        let (school, class, uids) = in_step(size).await;
        school.leaves_work_behind();
        school.sql(spoil).await;
        for _ in 0..3 {
            let _report = school.run().await;
            school.later(4 * DAY);
        }
        assert_eq!(school.members(class), super::set_of(&uids), "{spoil}, {size}");
        school
            .sql(&format!(
                "UPDATE classes SET class_code = 'c1', course_id = {}, class_id = {}",
                class.course, class.class
            ))
            .await;
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty() && school.failures().await.is_empty(), "{spoil}, {size}");
    }
}

#[tokio::test]
async fn who_goes_missing_from_a_class_whose_row_cannot_be_read_is_held_and_nobody_of_another_class() {
    for spoil in &TELLS_NO_CLASS[2..] {
        let (school, class, uids) = in_step(9).await;
        let other = school.class("c2").await;
        for id in ["o1", "o2", "o3"] {
            school.student(id).await;
            school.join(id, "c2").await;
        }
        school.run_as(Exit::Done).await;
        school.sql(spoil).await;
        school.leave("s001", "c1").await;
        school.leave("o2", "c2").await;
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 1, "{spoil}: {report:#?}");
        assert_eq!(report.holds[0].reason_code, "unreadable-ids", "{spoil}");
        assert_eq!(school.members(class), super::set_of(&uids), "{spoil}");
        assert_eq!(school.members(other).len(), 2, "{spoil}: that row can be read");
        let digest = report.held_digest.unwrap();
        assert_eq!(school.program(&["approve", &digest, "--student", "s001"]).code, 0);
        let _approved = school.run().await;
        assert!(!school.members(class).contains(&uids[1]), "{spoil}: approved");
    }
}

#[tokio::test]
async fn whose_account_changes_is_not_missing_from_the_class() {
    let (school, _, _) = in_step(4).await;
    let uid = school.sandbox.create_account("Another", None);
    school.sql("INSERT INTO class_members VALUES (NULL, 'c1')").await;
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = 's001'")).await;
    let report = school.run().await;
    assert_eq!((count(&report, "applied", "remove"), count(&report, "held", "remove")), (1, 0));
}

#[tokio::test]
async fn a_roster_with_too_few_readable_ids_is_refused_before_anything_is_planned() {
    for (spoil, least) in [("1 = 1", "1"), ("student_id IN ('s001', 's002')", "3")] {
        let (mut school, _, _) = in_step(4).await;
        school.setting("GUARD__MIN_ROSTER", least);
        school.sql(&format!("UPDATE students SET student_id = NULL WHERE {spoil}")).await;
        school.sql("UPDATE students SET name = 'Another name'").await;
        let report = school.run_to(Exit::Failed).await;
        assert_eq!(count(&report, "planned", "remove") + count(&report, "planned", "rename"), 0, "{spoil}");
        assert!(report.errors[0].contains("fewer than guard.min_roster"), "{:?}", report.errors);
        assert!(school.classin_calls().is_empty(), "{spoil}: {:?}", school.classin_calls());
    }
}

#[tokio::test]
async fn class_ids_that_are_whole_numbers_are_read_however_they_are_stored() {
    for (kind, stored) in [("REAL", "CAST({} AS REAL)"), ("TEXT", "{} || '.0'")] {
        for column in ["course_id", "class_id"] {
            let (school, _, _) = in_step(3).await;
            restore(&school, kind, column, &stored.replace("{}", column)).await;
            school.run_as(rosterd::Exit::Done).await;
            assert!(school.classin_calls().is_empty(), "{column} {kind}: {:?}", school.classin_calls());
        }
    }
}

/// Writes the table of classes anew, with one column of another kind.
async fn restore(school: &School, kind: &str, column: &str, value: &str) {
    let columns = ["class_code", "title", "course_id", "class_id"];
    let declared = columns.map(|one| if one == column { format!("{one} {kind}") } else { one.to_owned() });
    let read = columns.map(|one| if one == column { value } else { one });
    let (declared, read) = (declared.join(", "), read.join(", "));
    for sql in [
        format!("CREATE TABLE again ({declared})"),
        format!("INSERT INTO again SELECT {read} FROM classes"),
        "DROP TABLE classes".to_owned(),
        "ALTER TABLE again RENAME TO classes".to_owned(),
    ] {
        school.sql(&sql).await;
    }
}

#[tokio::test]
async fn without_an_exam_side_a_bad_row_stands_among_the_failures_and_counts_once() {
    let (school, _, _) = in_step(4).await;
    for (spoil, reason) in [
        ("UPDATE students SET active = 'maybe' WHERE student_id = 's001'", "students.active"),
        ("UPDATE students SET active = 1, name = '' WHERE student_id = 's001'", "students.name"),
    ] {
        school.sql(spoil).await;
        school.run_as(Exit::Incomplete).await;
        school.run_as(Exit::Done).await;
        let rows = school.failures().await;
        assert_eq!(rows.len(), 1, "{spoil}: {rows:?}");
        let (table, key) = (rows[0].table.as_deref(), rows[0].key.as_deref());
        assert_eq!((table, key, rows[0].owner), (Some("students"), Some("s001"), "office"), "{spoil}");
        assert!(rows[0].message.contains(reason), "{spoil}: {}", rows[0].message);
    }
    school.sql("UPDATE students SET name = 'A name' WHERE student_id = 's001'").await;
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
}
