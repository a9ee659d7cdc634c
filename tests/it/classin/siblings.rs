//! One account of two siblings: it stays in a class as long as either of them belongs there, also where only one of them has
//! a row that can be used.

use rosterd::Exit;
use rosterd_testkit::{ClassIds, DAY, School};

use super::{in_step, set_of};

/// Ann and bob share an account that is in c1 beside four others; the record names ann.
async fn siblings() -> (School, ClassIds, i64) {
    let (school, class, _) = in_step(4).await;
    let shared = school.student("ann").await;
    school.join("ann", "c1").await;
    school.run_as(Exit::Done).await;
    school
        .sql(&format!("INSERT INTO students (student_id, name, classin_uid) VALUES ('bob', 'Bob', {shared})"))
        .await;
    school.join("bob", "c1").await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    (school, class, shared)
}

#[tokio::test]
async fn a_sibling_whose_rows_cannot_be_used_keeps_the_class_when_the_other_one_leaves_it() {
    let spoilt = [
        "UPDATE students SET name = '' WHERE student_id = 'bob'",
        "UPDATE students SET active = 'maybe' WHERE student_id = 'bob'",
        "PRAGMA foreign_keys = OFF; UPDATE class_members SET class_code = 'elsewhere' WHERE student_id = 'bob'",
        "UPDATE students SET classin_uid = NULL WHERE student_id = 'bob'",
        "UPDATE students SET classin_uid = 'ask' WHERE student_id = 'bob'",
    ];
    for leaves in [
        "DELETE FROM class_members WHERE student_id = 'ann'",
        "DELETE FROM class_members WHERE student_id = 'ann'; DELETE FROM students WHERE student_id = 'ann'",
        "UPDATE students SET active = 0 WHERE student_id = 'ann'",
    ] {
        for spoil in spoilt {
            let (school, class, shared) = siblings().await;
            school.sql(leaves).await;
            school.sql(spoil).await;
            for _ in 0..4 {
                let _report = school.run().await;
                assert!(school.members(class).contains(&shared), "{leaves}: {spoil}");
                school.later(2 * DAY);
            }
            // Mended: bob belongs there; and once he has left too, nobody does.
            school
                .sql(&format!("UPDATE students SET name = 'Bob', active = 1, classin_uid = {shared} WHERE student_id = 'bob'"))
                .await;
            school.sql("UPDATE class_members SET class_code = 'c1' WHERE student_id = 'bob'").await;
            let _report = school.run().await;
            school.run_as(Exit::Done).await;
            assert!(school.members(class).contains(&shared), "{leaves}: {spoil}");
            school.leave("bob", "c1").await;
            let _report = school.run().await;
            assert!(
                !school.members(class).contains(&shared),
                "{leaves}: {spoil}: {:?}",
                school.failures().await
            );
        }
    }
}

#[tokio::test]
async fn a_sibling_with_a_bad_row_who_was_never_of_the_class_keeps_nobody_in_it_for_ever() {
    let (school, class, uids) = in_step(4).await;
    school
        .sql(&format!(
            "INSERT INTO students (student_id, name, classin_uid) VALUES ('bob', 'Bob', {})",
            uids[0]
        ))
        .await;
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]), "bob's row is good, and names no class");
}
