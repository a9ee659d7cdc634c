//! What the check and the calls of a run learn of single students, and how it is worked on.

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::accounts::{apply, registering, uid};
use super::{ADD, in_step, set_of};
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

/// Three students whom rosterd registered and enrolled two days ago, of whom one was taken out by hand.
async fn one_is_taken_out() -> (School, ClassIds, i64) {
    let (mut school, class) = registering().await;
    school.setting("CLASSIN__VERIFY_CALLS", "4");
    apply(&school, 3).await;
    school.run_as(Exit::Done).await;
    school.later(2 * DAY);
    let taken_out = uid(&school, 1);
    school.sandbox.remove_class_member(class.course, class.class, taken_out);
    school.sandbox.clear_journal();
    (school, class, taken_out)
}

/// One row, of this code, while the evidence is what it was.
async fn is_told(school: &School, class: ClassIds, uid: i64, code: &str) {
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.code.as_str(), row.state), (code, FailureState::Waiting), "{row:?}");
    assert_eq!(row.student_id, "a01");
    assert_eq!(school.evidence(class).await[&uid], "added");
}

async fn is_mended(school: &School, class: ClassIds, members: &[i64]) {
    school.later(HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(members));
    assert!(school.failures().await.is_empty(), "{:?}", school.failures().await);
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn whose_account_the_check_finds_dead_is_told_and_found_anew() {
    let (school, class, old) = one_is_taken_out().await;
    let new = school.sandbox.replace_account(old).unwrap();
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.classin_calls(), [ADD]);
    is_told(&school, class, old, "886").await;
    is_mended(&school, class, &[uid(&school, 0), new, uid(&school, 2)]).await;
}

#[tokio::test]
async fn who_left_the_school_by_the_check_is_taken_into_it_again() {
    let (school, class, who) = one_is_taken_out().await;
    school.sandbox.leave_school(who);
    school.run_as(Exit::Incomplete).await;
    is_told(&school, class, who, "228").await;
    school.sandbox.clear_journal();
    is_mended(&school, class, &[uid(&school, 0), who, uid(&school, 2)]).await;
}

#[tokio::test]
async fn who_has_no_room_any_more_by_the_check_waits_for_room() {
    for level in ["items", "top"] {
        let (school, class, who) = one_is_taken_out().await;
        school.set("classin.full_level", level);
        school.sandbox.set_class_capacity(class.course, class.class, 2);
        school.run_as(Exit::Incomplete).await;
        is_told(&school, class, who, "157").await;
        school.later(2 * HOUR);
        let _waits = school.run().await;
        is_told(&school, class, who, "157").await;
        school.sandbox.set_class_capacity(class.course, class.class, 9);
        school.later(2 * HOUR);
        is_mended(&school, class, &[uid(&school, 0), who, uid(&school, 2)]).await;
    }
}

#[tokio::test]
async fn an_account_of_the_roster_that_the_check_finds_dead_waits_for_a_person_and_is_not_asked_again() {
    let (mut school, class, uids) = in_step(3).await;
    school.setting("CLASSIN__VERIFY_CALLS", "4");
    school.sandbox.remove_class_member(class.course, class.class, uids[0]);
    school.sandbox.cancel_account(uids[0]);
    school.later(2 * DAY);
    school.run_as(Exit::Incomplete).await;
    school.later(HOUR);
    school.run_as(Exit::Incomplete).await;
    let rows = school.failures().await;
    assert_eq!((rows.len(), rows[0].state), (1, FailureState::Dead), "{rows:?}");
    for _ in 0..3 {
        school.later(2 * DAY);
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        let asked: u64 = school.sandbox.journal().iter().map(|entry| entry.items as u64).sum();
        assert_eq!(asked, 2, "the other two are checked");
    }
    assert_eq!(school.evidence(class).await[&uids[0]], "added");
    // The office enters the new account.
    let new = school.sandbox.create_account("new", None);
    school.sql(&format!("UPDATE students SET classin_uid = {new} WHERE classin_uid = {}", uids[0])).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[new, uids[1], uids[2]]));
    assert!(school.failures().await.is_empty());
}

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

/// ClassIn refuses a call that is too large for what room there is, though all but few are there: its halves cost calls too.
#[tokio::test]
async fn the_halves_of_a_check_are_calls_of_its_budget() {
    for budget in [1, 3, 20] {
        let (mut school, class, uids) = in_step(16).await;
        school.setting("CLASSIN__VERIFY_CALLS", &budget.to_string());
        school.set("classin.full_level", "top");
        school.sandbox.remove_class_member(class.course, class.class, uids[3]);
        school.sandbox.set_class_capacity(class.course, class.class, 15);
        let other = school.student("other").await;
        school.sandbox.insert_class_member(class.course, class.class, other);
        school.later(2 * DAY);
        let _first = school.run().await;
        let first = school.classin_calls().len();
        assert!(first > 3, "{first} calls for one class");
        // What is beyond the budget of the day is no call of the next days.
        let mut days = 1;
        while first > days * budget {
            school.sandbox.clear_journal();
            let _second = school.run().await;
            // Whoever has no room is asked for alone.
            let checks = school.sandbox.journal().iter().filter(|entry| entry.items > 1).count();
            assert_eq!(checks, 0, "{budget}, day {days}");
            school.later(DAY);
            days += 1;
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_a_year_ahead_leaves_nobody_confirmed_and_no_budget_used_up_until_then() {
    const YEAR: i64 = 365 * DAY;
    let (mut school, _class, _uids) = in_step(3).await;
    school.setting("CLASSIN__VERIFY_CALLS", "4");
    school.later(YEAR);
    for _ in 0..3 {
        school.run_as(Exit::Done).await;
        school.later(DAY);
    }
    school.later(-YEAR);
    school.sandbox.clear_journal();
    for _ in 0..30 {
        school.run_as(Exit::Done).await;
        let now_ms = school.clock.now_ms();
        let ahead =
            format!("SELECT count(*) FROM enrolments WHERE max(confirmed_at_ms, changed_at_ms) > {now_ms}");
        assert_eq!(school.number(&ahead).await, 0);
        school.later(DAY);
    }
    assert!(school.classin_calls().contains(&ADD.to_owned()), "nobody was looked at again");
}
