//! ClassIn fails over calls (5xx): one student whom it fails over is found, and a service that is down costs few calls and
//! is nobody's fault.

use std::collections::BTreeSet;

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::accounts::{phone, registering};
use super::storms::classes_of;
use super::{ADD, ADD_TO_COURSE, REGISTER, REGISTER_SEVERAL, REMOVE, count, in_step, set_of};
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

fn poison(school: &School, uids: &[i64]) {
    let values: Vec<String> = uids.iter().map(ToString::to_string).collect();
    school.set("classin.poison", &values.join(","));
}

/// A class of so many new students; ClassIn fails over those at these places.
async fn with_poison(size: usize, bad: &[usize]) -> (School, ClassIds, Vec<i64>, Vec<i64>) {
    let school = School::of_classin().await;
    let class = school.class("A1").await;
    let uids = school.fill("A1", size).await;
    let bad: Vec<i64> = bad.iter().map(|at| uids[*at]).collect();
    if !bad.is_empty() {
        poison(&school, &bad);
    }
    (school, class, uids, bad)
}

fn without(uids: &[i64], bad: &[i64]) -> BTreeSet<i64> {
    uids.iter().copied().filter(|uid| !bad.contains(uid)).collect()
}

/// Attempts that lead to a dead letter in the end.
async fn own_attempts(school: &School) -> i64 {
    school.number("SELECT coalesce(sum(attempts), 0) FROM open_failures").await
}

#[tokio::test]
async fn one_student_over_whom_classin_fails_is_found_and_everybody_else_goes_in() {
    for at in [0, 1, 14, 15, 17, 29] {
        let (school, class, uids, bad) = with_poison(30, &[at]).await;
        let report = school.run_to(Exit::Incomplete).await;
        assert_eq!(school.members(class), without(&uids, &bad), "{at}");
        let calls = school.classin_calls().len();
        assert!(calls <= 12, "{at}: {calls} calls");
        assert!(report.classin.errors.is_empty(), "{at}: a row tells: {:?}", report.classin.errors);
        let rows = school.failures().await;
        assert_eq!(rows.len(), 1, "{at}: {rows:#?}");
        assert_eq!(
            (rows[0].code.as_str(), own_attempts(&school).await),
            ("service-failed", 1),
            "{at}: {rows:#?}"
        );
    }
}

#[tokio::test]
async fn several_students_over_whom_classin_fails_keep_nobody_else_out() {
    for bad in [&[0, 1][..], &[0, 2], &[0, 1, 2], &[0, 15], &[13, 14, 15, 16], &[3, 9, 21, 27, 29]] {
        let (school, class, uids, poisoned) = with_poison(30, bad).await;
        school.run_as(Exit::Incomplete).await;
        assert_eq!(school.members(class), without(&uids, &poisoned), "{bad:?}");
        let rows = school.failures().await;
        assert_eq!(rows.len(), bad.len(), "{bad:?}: {rows:#?}");
        school.set("classin.poison", "none");
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids), "{bad:?}");
        assert!(school.failures().await.is_empty());
    }
}

#[tokio::test]
async fn a_student_over_whom_classin_fails_while_others_go_in_is_given_up_in_the_end() {
    let (mut school, class, uids, bad) = with_poison(30, &[17]).await;
    school.setting("RETRY__MAX_ATTEMPTS", "3");
    let mut states = Vec::new();
    let mut wanted = without(&uids, &bad);
    for run in 0..4 {
        let exit = if run < 3 { Exit::Incomplete } else { Exit::Done };
        school.run_as(exit).await;
        assert_eq!(school.members(class), wanted, "{run}");
        let rows = school.failures().await;
        assert_eq!(rows.len(), 1, "{rows:#?}");
        states.push((rows[0].attempts, rows[0].state));
        let id = format!("new{run}");
        wanted.insert(school.student(&id).await);
        school.join(&id, "A1").await;
        school.later(DAY);
    }
    use FailureState::{Dead, Waiting};
    assert_eq!(states, [(1, Waiting), (2, Waiting), (3, Dead), (3, Dead)]);
    let rows = school.failures().await;
    assert_eq!(rows[0].owner, "it", "{rows:#?}");
    assert!(rows[0].message.contains("sent alone"), "{}", rows[0].message);
}

#[tokio::test]
async fn one_student_over_whom_a_whole_course_or_a_removal_fails_is_found_too() {
    let school = School::of_classin().await;
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('k', 'Whole', {course}, NULL)")).await;
    let uids = school.fill("k", 30).await;
    poison(&school, &uids[5..6]);
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.sandbox.course_members(course), without(&uids, &uids[5..6]));
    assert!(school.calls("classin").iter().all(|call| call == ADD_TO_COURSE));

    let (mut school, class, uids) = in_step(60).await;
    for limit in ["MAX_DELETE", "MAX_GROUP", "MAX_MOVE"] {
        school.setting(&format!("GUARD__{limit}"), "100");
    }
    for at in 0..20 {
        school.leave(&format!("s{at:03}"), "c1").await;
    }
    poison(&school, &uids[7..8]);
    school.run_as(Exit::Incomplete).await;
    let stay: BTreeSet<i64> = uids[20..].iter().chain(&uids[7..8]).copied().collect();
    assert_eq!(school.members(class), stay);
    assert!(school.calls("classin").iter().all(|call| call == REMOVE));
    let rows = school.failures().await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!((rows[0].code.as_str(), own_attempts(&school).await), ("service-failed", 1));
}

#[tokio::test]
async fn a_storm_of_500s_over_280_enrolments_costs_at_most_40_calls_and_uses_nothing_up() {
    for (size, status) in [(1, 500), (2, 502), (3, 500), (4, 503), (7, 500), (28, 500), (70, 502), (280, 500)]
    {
        let school = classes_of(size).await;
        school.set("http_5xx", &format!("{ADD}@*:{status}"));
        for _ in 0..3 {
            let report = school.run_to(Exit::Temporary).await;
            let calls = school.classin_calls().len();
            assert!(calls <= 40, "{calls} calls for classes of {size}");
            school.sandbox.clear_journal();
            assert!(!report.classin.errors.is_empty(), "{size}");
            let rows = school.failures().await;
            let is_waiting = rows.iter().all(|row| row.state == FailureState::Waiting);
            assert!(is_waiting, "{size}: {rows:#?}");
            assert_eq!(own_attempts(&school).await, 0, "{size}: it is nobody's fault");
            school.later(7 * HOUR);
        }
        school.sandbox.clear_faults();
        school.later(DAY);
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "applied", "enrol"), (280 / size * size) as u64, "{size}");
    }
}

#[tokio::test]
async fn a_storm_of_500s_that_begins_in_the_midst_costs_few_calls_too() {
    let school = classes_of(28).await;
    school.set("http_5xx", &format!("{ADD}@2x999:500"));
    school.run_as(Exit::Temporary).await;
    let calls = school.classin_calls().len();
    assert!(calls <= 60, "{calls}");
    let rows = school.failures().await;
    assert!(rows.iter().all(|row| row.state == FailureState::Waiting), "{rows:#?}");
    school.sandbox.clear_faults();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn who_was_entered_by_a_call_that_failed_then_is_remembered_as_possibly_our_own() {
    let (school, class, uids, _) = with_poison(8, &[]).await;
    // The first call is done, and its answer lost; ClassIn fails over the repeat, and all that follows finds them there.
    school.set("lose_answer", ADD);
    school.set("http_5xx", &format!("{ADD}@2:500"));
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    let evidence = school.evidence(class).await;
    assert!(evidence.len() == 8 && evidence.values().all(|it| it == "presumed"), "{evidence:?}");
}

#[tokio::test]
async fn one_phone_over_which_registrations_fail_is_found_and_everybody_else_gets_an_account() {
    for at in [0, 5, 11] {
        let (school, class) = registering().await;
        for student in 0..12 {
            let id = format!("a{student:02}");
            school.applicant(&id, &phone(student)).await;
            school.join(&id, "c1").await;
        }
        school.set("classin.poison", &phone(at));
        school.run_as(Exit::Incomplete).await;
        assert_eq!(school.members(class).len(), 11, "{at}");
        let rows = school.failures().await;
        assert_eq!(rows.len(), 1, "{at}: {rows:#?}");
        assert_eq!((rows[0].kind.as_str(), rows[0].code.as_str()), ("register", "service-failed"));
        assert_eq!(own_attempts(&school).await, 1);
        school.set("classin.poison", "none");
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class).len(), 12, "{at}");
        assert_eq!(school.sandbox.accounts().len(), 12, "{at}: nobody is there twice");
    }
}

#[tokio::test]
async fn a_storm_of_500s_over_registrations_costs_few_calls_and_uses_nothing_up() {
    let (school, class) = registering().await;
    for at in 0..280 {
        let id = format!("a{at:03}");
        school.applicant(&id, &phone(at)).await;
        school.join(&id, "c1").await;
    }
    for call in [REGISTER, REGISTER_SEVERAL] {
        school.set("http_5xx", &format!("{call}@*:500"));
    }
    school.run_as(Exit::Temporary).await;
    let calls = school.classin_calls().len();
    assert!(calls <= 40, "{calls} calls");
    assert_eq!(own_attempts(&school).await, 0);
    school.sandbox.clear_faults();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class).len(), 280);
}

#[tokio::test]
async fn whom_classin_fails_over_alone_is_given_up_in_the_end_also_where_nothing_else_is_sent_any_more() {
    let (mut school, _, _, _) = with_poison(5, &[2]).await;
    school.setting("RETRY__MAX_ATTEMPTS", "3");
    let mut states = Vec::new();
    for run in 0..4 {
        let exit = if run < 3 { Exit::Incomplete } else { Exit::Done };
        school.run_as(exit).await;
        let rows = school.failures().await;
        assert_eq!(rows.len(), 1, "{rows:#?}");
        states.push((own_attempts(&school).await, rows[0].state));
        school.later(DAY);
    }
    use FailureState::{Dead, Waiting};
    assert_eq!(states, [(1, Waiting), (2, Waiting), (3, Dead), (3, Dead)]);
}

#[tokio::test]
async fn who_failed_alone_before_others_were_taken_is_at_fault_when_it_fails_alone_again() {
    let (mut school, class, _) = in_step(3).await;
    school.setting("RETRY__MAX_ATTEMPTS", "2");
    let bad = school.student("bad").await;
    school.join("bad", "c1").await;
    poison(&school, &[bad]);
    school.run_as(Exit::Temporary).await;
    assert_eq!(own_attempts(&school).await, 0, "nobody can tell whose fault it is");
    let good = school.student("good").await;
    let other = school.class("c2").await;
    school.join("good", "c2").await;
    school.run_as(Exit::Incomplete).await;
    assert!(school.members(other).contains(&good));
    assert_eq!(own_attempts(&school).await, 1);
    school.later(DAY);
    school.run_as(Exit::Incomplete).await;
    assert_eq!(own_attempts(&school).await, 2);
    assert_eq!(school.failures().await[0].state, FailureState::Dead);
    assert!(!school.members(class).contains(&bad));
}

#[tokio::test]
async fn a_service_that_is_down_is_the_fault_of_nobody_who_is_sent_alone() {
    let (mut school, class, uids) = in_step(3).await;
    school.setting("RETRY__MAX_ATTEMPTS", "2");
    let new = school.student("new").await;
    school.join("new", "c1").await;
    for _ in 0..4 {
        school.later(DAY);
        school.set("http_5xx", &format!("{ADD}@*:500"));
        school.run_as(Exit::Temporary).await;
        assert_eq!(own_attempts(&school).await, 0);
    }
    school.sandbox.clear_faults();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uids, vec![new]].concat()));
}

#[tokio::test]
async fn what_a_registration_waits_for_is_due_as_soon_as_one_of_any_kind_has_gone_through() {
    let (school, _class) = registering().await;
    for at in 0..2 {
        let id = format!("a{at:02}");
        school.applicant(&id, &phone(at)).await;
        school.join(&id, "c1").await;
    }
    school.set("refuse_item", &format!("{REGISTER_SEVERAL}@*:0,1/114"));
    for _ in 0..8 {
        let _report = school.run().await;
        school.later(3 * HOUR);
    }
    let _report = school.run().await;
    let due = "SELECT count(*) FROM failures WHERE state = 'waiting' AND is_standing = 0 AND due_at_ms > {}";
    let waiting = |now_ms: i64| due.replace("{}", &(now_ms + 60_000).to_string());
    assert_eq!(school.number(&waiting(school.clock.now_ms())).await, 2, "{:#?}", school.failures().await);
    school.sandbox.clear_faults();
    school.applicant("third", &phone(7)).await;
    school.join("third", "c1").await;
    let _report = school.run().await;
    assert_eq!(school.number(&waiting(school.clock.now_ms())).await, 0, "the service registers again");
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.accounts().len(), 3);
}
