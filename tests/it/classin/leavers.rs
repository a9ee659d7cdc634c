//! Many who leave at once, where ClassIn is the only service: judged in the run that first sees them gone.

use rosterd::Exit;

use super::{count, in_step, set_of};
use crate::program::Programs as _;
use rosterd_testkit::{DAY, HOUR, School};

async fn without_the_first(school: &School, n: usize) {
    for at in 0..n {
        school.drop_student(&format!("s{at:03}")).await;
    }
}

#[tokio::test]
async fn many_leavers_are_held_when_they_are_first_seen_and_in_each_run_after_it() {
    let (school, class, uids) = in_step(20).await;
    without_the_first(&school, 8).await;
    for at in 0..6 {
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 8, "run {at}");
        assert!(report.classin.holds[0].contains("went missing"), "{:?}", report.classin.holds);
        assert!(!report.attention.contains_key("waiting-leavers"), "{at}");
        assert_eq!(school.members(class), set_of(&uids), "run {at}");
        school.later(DAY);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_in_classes_is_shown_by_status_where_there_is_no_exam_side() {
    let (mut school, _class, _uids) = in_step(20).await;
    without_the_first(&school, 2).await;
    school.run_as(Exit::Done).await;
    let shown = |school: &School| school.program(&["status", "--output", "json"]).json();
    let status = shown(&school);
    assert_eq!(status["attention"]["waiting-leavers"]["count"], 2, "{status:#}");
    assert_eq!(school.program(&["status", "--check", "--attention"]).code, 3);
    school.setting("SYNC__MODE", "upsert");
    school.later(4 * DAY);
    school.run_as(Exit::Done).await;
    let status = shown(&school);
    assert!(status["attention"]["waiting-leavers"].is_null(), "{status:#}");
    assert_eq!(status["attention"]["leavers"]["count"], 2, "{status:#}");
    school.setting("SYNC__MODE", "sync");
    school.run_as(Exit::Done).await;
    assert!(shown(&school)["attention"].is_null(), "{:#}", shown(&school));
}

#[tokio::test]
async fn leavers_who_are_back_are_held_no_longer() {
    let (school, class, uids) = in_step(20).await;
    school.sql("UPDATE students SET active = 0 WHERE student_id < 's008'").await;
    school.run_as(Exit::Held).await;
    school.sql("UPDATE students SET active = 1").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.outcome.as_str(), "converged");
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn an_approval_of_leavers_who_wait_is_good_until_their_grace_has_ended() {
    let (school, class, uids) = in_step(20).await;
    without_the_first(&school, 8).await;
    school.run_as(Exit::Held).await;
    let status = school.program(&["status", "--output", "json"]);
    let digest = status.json()["holds"][0]["digest"].as_str().unwrap().to_owned();
    let approved = school.program(&["approve", &digest]);
    assert_eq!(approved.code, 0, "{approved:?}");
    for _ in 0..3 {
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "held", "remove"), 0);
        assert_eq!(report.attention["waiting-leavers"].count, 8);
        assert_eq!(school.members(class), set_of(&uids), "the grace has not ended");
        school.later(DAY);
    }
    school.later(HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[8..]));
    school.run_as(Exit::Done).await;
}

#[tokio::test]
async fn as_many_leavers_as_the_limit_allows_wait_for_their_grace_and_go() {
    let (school, class, uids) = in_step(20).await;
    without_the_first(&school, 5).await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.attention["waiting-leavers"].count, 5);
    school.later(4 * DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[5..]));
}

#[tokio::test]
async fn who_left_on_another_day_goes_while_a_mass_is_held() {
    let (school, class, uids) = in_step(30).await;
    school.drop_student("s029").await;
    school.run_as(Exit::Done).await;
    school.later(2 * DAY);
    without_the_first(&school, 8).await;
    school.run_as(Exit::Held).await;
    school.later(2 * DAY);
    school.run_as(Exit::Held).await;
    assert_eq!(school.members(class), set_of(&uids[..29]));
}

#[tokio::test]
async fn whom_nobody_takes_out_anyway_no_limit_holds() {
    for (name, value) in [("SYNC__MODE", "upsert"), ("CLASSIN__REMOVALS", "none")] {
        let (mut school, class, uids) = in_step(20).await;
        school.setting(name, value);
        without_the_first(&school, 8).await;
        let report = school.run().await;
        assert_eq!(count(&report, "held", "remove"), 0, "{name}");
        assert_eq!(school.members(class), set_of(&uids), "{name}");
    }
}

#[tokio::test]
async fn whom_the_mode_leaves_in_classes_is_told_with_an_age_beside_the_exam_side_too() {
    for exam in [true, false] {
        let kind = if exam { "left-in-classes" } else { "leavers" };
        let mut school = if exam { School::of_both().await } else { School::of_classin().await };
        let _class = school.class("c1").await;
        let _uids = school.fill("c1", 4).await;
        if exam {
            let _gid = school.group_of_all().await;
        }
        school.run_as(Exit::Done).await;
        school.setting("SYNC__MODE", "upsert");
        school.later(DAY);
        school.leave("s000", "c1").await;
        let first = school.run_to(Exit::Done).await;
        assert_eq!(first.attention[kind].count, 1, "{:?}", first.attention);
        assert!(first.attention[kind].since.is_some(), "since the run that found it");
        school.later(HOUR);
        // As it is remembered: within the run that found it a second may have passed.
        let next = school.run_to(Exit::Done).await;
        let since = next.attention[kind].since.clone().unwrap();
        school.later(DAY);
        school.leave("s001", "c1").await;
        let second = school.run_to(Exit::Done).await;
        let told = &second.attention[kind];
        assert_eq!((told.count, told.since.as_ref()), (2, Some(&since)), "{exam}");
    }
}
