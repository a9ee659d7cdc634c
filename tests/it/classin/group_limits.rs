//! What one class may lose in a day, of its size a day ago.

use rosterd::Exit;
use rosterd_testkit::{DAY, HOUR, School};

use super::{count, in_step, set_of};

async fn approve_newest(school: &School, digest: &str) {
    let state = school.state().await;
    assert!(state.approve(digest, school.clock.now_ms() + DAY).await.unwrap() > 0);
    state.close().await;
}

async fn leave(school: &School, class: &str, range: std::ops::Range<usize>) {
    for at in range {
        school.leave(&format!("s{at:03}"), class).await;
    }
}

#[tokio::test]
async fn an_approved_name_or_removal_elsewhere_lets_nobody_more_leave_a_class() {
    for approved in ["names", "another class"] {
        let (mut school, class, uids) = in_step(24).await;
        school.setting("GUARD__MAX_DELETE", "100%");
        if approved == "another class" {
            let _other = school.class("c2").await;
            school.sql("INSERT INTO class_members SELECT student_id, 'c2' FROM students").await;
        }
        school.run_as(Exit::Done).await;
        school.later(2 * DAY);
        if approved == "names" {
            school.sql("UPDATE students SET name = 'New ' || name").await;
        } else {
            leave(&school, "c2", 0..14).await;
        }
        let report = school.run_to(Exit::Held).await;
        approve_newest(&school, &report.digest).await;
        school.run_as(Exit::Done).await;
        leave(&school, "c1", 0..12).await;
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "applied", "remove"), 12, "{approved}");
        leave(&school, "c1", 12..18).await;
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 6, "{approved}");
        assert_eq!(school.members(class), set_of(&uids[12..]), "{approved}");
    }
}

#[tokio::test]
async fn an_approved_removal_counts_nowhere_in_its_own_class() {
    let (mut school, class, uids) = in_step(24).await;
    school.setting("GUARD__MAX_DELETE", "100%");
    school.later(2 * DAY);
    leave(&school, "c1", 0..14).await;
    let report = school.run_to(Exit::Held).await;
    approve_newest(&school, &report.digest).await;
    school.run_as(Exit::Done).await;
    leave(&school, "c1", 14..19).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[19..]));
}

#[tokio::test]
async fn who_joined_a_class_today_makes_no_room_for_those_of_yesterday_to_leave() {
    let (mut school, class, uids) = in_step(12).await;
    school.setting("GUARD__MAX_DELETE", "100%");
    school.later(2 * DAY);
    for at in 0..13 {
        let id = format!("t{at:02}");
        let _uid = school.student(&id).await;
        school.join(&id, "c1").await;
    }
    school.run_as(Exit::Done).await;
    leave(&school, "c1", 0..12).await;
    for hours in [0, 1, 22] {
        school.later(hours * HOUR);
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 12, "{hours}");
        assert!(report.holds[0].reason.contains("12 of 12 would leave it"), "{}", report.holds[0].reason);
    }
    assert!(school.members(class).is_superset(&set_of(&uids)));
}

#[tokio::test]
async fn a_class_that_is_new_today_is_measured_by_whom_it_has() {
    let (mut school, class, uids) = in_step(24).await;
    school.setting("GUARD__MAX_DELETE", "100%");
    leave(&school, "c1", 0..12).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[12..]));
    leave(&school, "c1", 12..18).await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 6);
}

#[tokio::test]
async fn who_joined_a_class_today_and_leaves_it_today_is_not_missed_in_what_it_was_yesterday() {
    // Half of twelve may leave in a day; of those who came today nobody counts.
    for (of_yesterday, of_today, exit) in [(0, 13, Exit::Done), (6, 13, Exit::Done), (7, 0, Exit::Held)] {
        let (mut school, class, uids) = in_step(12).await;
        school.setting("GUARD__MAX_DELETE", "100%");
        school.later(2 * DAY);
        let mut newcomers = Vec::new();
        for at in 0..13 {
            let id = format!("t{at:02}");
            newcomers.push(school.student(&id).await);
            school.join(&id, "c1").await;
        }
        school.run_as(Exit::Done).await;
        school.later(HOUR);
        leave(&school, "c1", 0..of_yesterday).await;
        for at in 0..of_today {
            school.leave(&format!("t{at:02}"), "c1").await;
        }
        let report = school.run_to(exit).await;
        if exit == Exit::Done {
            let stay: Vec<i64> = uids[of_yesterday..].iter().chain(&newcomers[of_today..]).copied().collect();
            assert_eq!(school.members(class), set_of(&stay), "{of_yesterday} and {of_today}");
        } else {
            assert!(report.holds[0].reason.contains("7 of 12 would leave it"), "{:?}", report.holds[0]);
        }
    }
}
