//! What the check and the calls of a run learn of single students, and how it is worked on.

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::{in_step, set_of};
use rosterd_testkit::{DAY, HOUR, School};

#[tokio::test]
async fn a_class_that_refuses_eight_at_once_takes_the_three_it_has_seats_for_in_few_calls() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    school.set("classin.full_level", "top");
    school.sandbox.set_class_capacity(class.course, class.class, 3);
    let uids = school.fill("c1", 8).await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&uids[..3]));
    let sizes: Vec<usize> = school.sandbox.journal().iter().map(|entry| entry.items).collect();
    assert_eq!(sizes, [8, 4, 2, 2, 1, 1], "whoever came after the one without room is not asked");
    assert!(school.failures().await.iter().all(|row| row.code == "157"));
    assert_eq!(school.failures().await.len(), 5);
    school.sandbox.set_class_capacity(class.course, class.class, 5);
    school.later(2 * HOUR);
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&uids[..5]));
}

#[tokio::test]
async fn a_removal_that_waits_for_a_person_is_not_asked_again() {
    let (school, class, uids) = in_step(6).await;
    school.leave("s000", "c1").await;
    school.set("refuse_item", "delClassStudentMultiple@*:0/228");
    school.sql("UPDATE students SET phone = '13800000000' WHERE student_id = 's000'").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await[0].state, FailureState::Dead);
    for _ in 0..3 {
        school.later(DAY);
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty());
    }
    assert_eq!(school.failures().await[0].attempts, 1);
    assert!(school.members(class).contains(&uids[0]));
}
