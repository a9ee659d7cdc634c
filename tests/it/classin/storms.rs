//! ClassIn refuses whole calls (100, 155): one bad value is found, and a storm costs few calls.

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::{ADD, ADD_TO_COURSE, REMOVE, count, in_step, set_of};
use rosterd_testkit::{DAY, School};

/// Classes of so many students each, 280 students together or a few less.
pub(super) async fn classes_of(size: usize) -> School {
    let school = School::of_classin().await;
    for class in 0..280 / size {
        let code = format!("c{class}");
        school.class(&code).await;
        for at in 0..size {
            let id = format!("s{class:03}-{at:03}");
            school.student(&id).await;
            school.join(&id, &code).await;
        }
    }
    school
}

#[tokio::test]
async fn a_storm_of_refused_calls_over_280_enrolments_costs_at_most_40_calls() {
    for (size, code) in [(1, "100"), (4, "155"), (7, "100"), (28, "155")] {
        let school = classes_of(size).await;
        school.set("refuse_call", &format!("{ADD}@*:{code}"));
        let report = school.run_to(Exit::Temporary).await;
        let calls = school.classin_calls().len();
        assert!(calls <= 40, "{calls} calls for classes of {size}");
        assert!(report.classin.errors.iter().any(|error| error.contains("accepted none")), "{report:#?}");
        assert!(school.failures().await.is_empty(), "it is nobody's fault: {:#?}", school.failures().await);
        school.sandbox.clear_faults();
        school.later(DAY);
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "applied", "enrol"), (280 / size * size) as u64, "{size}");
    }
}

#[tokio::test]
async fn a_storm_over_whole_courses_and_over_removals_stops_as_soon() {
    let school = School::of_classin().await;
    for class in 0..3 {
        let course = school.sandbox.create_course("whole");
        school.sql(&format!("INSERT INTO classes VALUES ('c{class}', 'Whole', {course}, NULL)")).await;
        for at in 0..20 {
            school.student(&format!("s{class}-{at:02}")).await;
            school.join(&format!("s{class}-{at:02}"), &format!("c{class}")).await;
        }
    }
    school.set("refuse_call", &format!("{ADD_TO_COURSE}@*:100"));
    school.run_as(Exit::Temporary).await;
    let calls = school.classin_calls().len();
    assert!(calls <= 24, "{calls}");
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn one_bad_value_is_found_and_everybody_else_goes_through() {
    for (code, bad) in [("100", 0), ("155", 17), ("100", 29)] {
        let school = School::of_classin().await;
        let class = school.class("c1").await;
        let uids = school.fill("c1", 45).await;
        school.set("classin.poison", &uids[bad].to_string());
        school.set("classin.poison_code", code);
        school.run_as(Exit::Incomplete).await;
        let others: Vec<i64> = uids.iter().copied().filter(|uid| *uid != uids[bad]).collect();
        assert_eq!(school.members(class), set_of(&others), "{code} {bad}");
        let failures = school.failures().await;
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert_eq!((failures[0].code.as_str(), failures[0].state), (code, FailureState::Dead));
        assert!(school.classin_calls().len() <= 14, "{code} {bad}: {:?}", school.classin_calls().len());
    }
}

#[tokio::test]
async fn few_who_are_refused_with_nobody_beside_them_are_judged_one_by_one() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 5).await;
    school.set("refuse_call", &format!("{ADD}@*:100"));
    school.run_as(Exit::Incomplete).await;
    let failures = school.failures().await;
    assert!(failures.len() == 5 && failures.iter().all(|row| row.code == "100"), "{failures:?}");
    school.sandbox.clear_faults();
    let state = school.state().await;
    state.change_failures(None, FailureState::Waiting, school.clock.now_ms()).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn a_removal_that_is_refused_alone_stays_as_sure_as_it_was() {
    let (school, class, uids) = in_step(5).await;
    school.leave("s000", "c1").await;
    school.set("refuse_call", &format!("{REMOVE}@*:155"));
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "added");
    assert!(school.members(class).contains(&uids[0]));
}

#[tokio::test]
async fn a_storm_over_registrations_costs_at_most_40_calls_and_is_nobodys_fault() {
    for (calls, code) in [
        (&["registerMultiple", "register"][..], "100"),
        (&["register", "registerMultiple"], "155"),
        (&["addSchoolStudent"], "100"),
    ] {
        let (school, class) = super::accounts::registering().await;
        if calls[0] == "addSchoolStudent" {
            for at in 0..280 {
                school.sandbox.create_outside_account("n", &super::accounts::phone(at));
            }
        }
        for at in 0..280 {
            let id = format!("a{at:03}");
            school.applicant(&id, &super::accounts::phone(at)).await;
            school.join(&id, "c1").await;
        }
        for call in calls {
            school.set("refuse_call", &format!("{call}@*:{code}"));
        }
        let report = school.run_to(Exit::Temporary).await;
        let made = school.classin_calls().len();
        assert!(made <= 40, "{calls:?} {code}: {made} calls");
        let rows = school.failures().await;
        assert!(rows.iter().all(|row| row.code == "service-stopped"), "{calls:?} {code}: {rows:#?}");
        assert!(!report.classin.errors.is_empty());
        school.sandbox.clear_faults();
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class).len(), 280, "{calls:?} {code}");
    }
}
