//! What the check and the calls of a run learn of single students, and how it is worked on.

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::in_step;
use rosterd_testkit::DAY;

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
