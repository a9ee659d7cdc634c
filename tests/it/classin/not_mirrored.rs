//! A school that mirrors only some of its classes: who moves into one of the others has left the one before.

use rosterd::Exit;
use rosterd_testkit::School;

use super::{count, in_step, set_of};

/// How the row of a class says that it is not mirrored.
const WITHOUT_IDS: [&str; 3] = ["NULL, NULL", "'', ''", "NULL, ' '"];

async fn moves(school: &School, id: &str) {
    school.sql(&format!("UPDATE class_members SET class_code = 'c2' WHERE student_id = '{id}'")).await;
}

#[tokio::test]
async fn who_moves_into_a_class_that_is_not_mirrored_leaves_the_one_before() {
    for ids in WITHOUT_IDS {
        let (school, class, uids) = in_step(4).await;
        school.sql(&format!("INSERT INTO classes VALUES ('c2', 'Not mirrored', {ids})")).await;
        school.run_as(Exit::Done).await;
        moves(&school, "s001").await;
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "applied", "remove"), 1, "{ids}: {report:#?}");
        assert_eq!(school.members(class), set_of(&[uids[0], uids[2], uids[3]]), "{ids}");
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty() && school.failures().await.is_empty(), "{ids}");
    }
}

#[tokio::test]
async fn a_class_that_moves_as_a_whole_into_one_that_is_not_mirrored_is_held_as_any_that_empties() {
    let (school, class, uids) = in_step(8).await;
    school.sql("INSERT INTO classes VALUES ('c2', 'Not mirrored', NULL, NULL)").await;
    school.run_as(Exit::Done).await;
    for at in 0..7 {
        moves(&school, &format!("s{at:03}")).await;
    }
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 7);
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn who_moves_into_a_class_that_lost_its_ids_stays_until_they_are_entered_again() {
    for before_the_move in [true, false] {
        let (school, class, uids) = in_step(4).await;
        let other = school.class("c2").await;
        let there = school.student("o1").await;
        school.join("o1", "c2").await;
        school.run_as(Exit::Done).await;
        let lose = "UPDATE classes SET course_id = NULL, class_id = '' WHERE class_code = 'c2'";
        school.sql(lose).await;
        if before_the_move {
            let _held = school.run().await;
            let _held = school.run().await;
        }
        moves(&school, "s001").await;
        let report = school.run_to(Exit::Held).await;
        assert!(count(&report, "held", "remove") >= 1, "{before_the_move}: {report:#?}");
        let rows = school.failures().await;
        let row = rows.iter().find(|row| row.student_id == "s001");
        let message = row.map(|row| row.message.clone()).unwrap_or_default();
        assert!(message.contains("enter course_id and class_id"), "{before_the_move}: {rows:?}");
        assert_eq!(school.members(class), set_of(&uids), "{before_the_move}");
        assert_eq!(school.members(other), set_of(&[there]), "{before_the_move}");
        school.name_class("c2", other).await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&[uids[0], uids[2], uids[3]]), "{before_the_move}");
        assert_eq!(school.members(other), set_of(&[there, uids[1]]), "{before_the_move}");
        school.run_as(Exit::Done).await;
        assert!(school.failures().await.is_empty(), "{before_the_move}");
    }
}
