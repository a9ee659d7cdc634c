//! Rows of the roster that cannot be used: nobody is removed from a class because of them, and nobody is enrolled.

use rosterd_testkit::{DAY, School};

use super::in_step;

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
