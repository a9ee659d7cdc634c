//! What the kit checks by itself: a run that ended well and left something behind fails its test, unless the test says
//! that it means it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;
use rosterd_testkit::{ExamSchool, students};

/// A call to ClassIn that was announced and never settled: no run of a school without ClassIn settles it.
const INTENT: &str = "INSERT INTO intents (service, kind, student_id, run_id, batch, want, sent_at_ms) \
                      VALUES ('classin', 'enrol', 's000', 1, 1, 0, 0)";

fn said(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_school_given_up_with_a_call_unsettled_fails_its_test() {
    let school = ExamSchool::in_step(students(1)).await;
    school.write(INTENT).await;
    let failed = catch_unwind(AssertUnwindSafe(|| drop(school))).unwrap_err();
    assert!(said(&*failed).contains("intent: classin enrol of s000"), "{}", said(&*failed));
}

#[tokio::test]
async fn a_run_that_ends_well_with_a_call_unsettled_fails_its_test() {
    let school = ExamSchool::in_step(students(1)).await;
    school.write(INTENT).await;
    let failed = AssertUnwindSafe(school.run()).catch_unwind().await.unwrap_err();
    assert!(said(&*failed).contains("leaves_work_behind()"), "{}", said(&*failed));
    school.leaves_work_behind();
}

#[tokio::test]
async fn a_test_that_says_so_may_leave_work_behind() {
    let school = ExamSchool::in_step(students(1)).await;
    school.leaves_work_behind();
    school.write(INTENT).await;
    let _report = school.run().await;
}

#[tokio::test]
async fn nothing_is_expected_of_a_run_that_did_not_end_well() {
    let school = ExamSchool::with(students(1)).await;
    school.set("exam.refuse_item", "addStudents:0");
    assert_eq!(school.run().await.exit_code, 3);
    assert_eq!(school.failures().await.len(), 1);
}
