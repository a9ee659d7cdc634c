//! What changes for many at once looks like a broken column, and what was let go stays let go whatever befalls its call.

use rosterd::Exit;

use super::accounts::{apply, phone, registering, uid};
use super::{NAME, REMOVE, count, in_step, set_of};
use crate::program::Programs as _;
use rosterd_testkit::{ClassIds, DAY, HOUR, School};

/// Lets go what the newest run holds.
fn approve(school: &School) {
    let status = school.program(&["status", "--output", "json"]).json();
    let digest = status["holds"][0]["digest"].as_str().unwrap().to_owned();
    let approved = school.program(&["approve", &digest]);
    assert_eq!(approved.code, 0, "{approved:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_column_of_phones_registers_nobody_anew() {
    let (school, class) = registering().await;
    apply(&school, 20).await;
    school.sql("UPDATE students SET email = student_id || '@school.example'").await;
    school.run_as(Exit::Done).await;
    let members = school.members(class);
    school.sandbox.clear_journal();
    school.sql("UPDATE students SET phone = NULL").await;
    for at in 0..3 {
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "register"), 20, "run {at}");
        assert!(school.classin_calls().is_empty(), "{at}: {:?}", school.classin_calls());
        let hold = &report.holds[0];
        assert_eq!(
            (hold.reason_code.as_str(), hold.count, hold.limit),
            ("changed-contacts", Some(20), Some(5))
        );
        assert!(hold.reason.contains("phone or e-mail changed for 20 of 20 students"), "{}", hold.reason);
        assert_eq!(school.members(class), members);
        school.later(HOUR);
    }
    for at in 0..20 {
        school
            .sql(&format!("UPDATE students SET phone = '{}' WHERE student_id = 'a{at:02}'", phone(at)))
            .await;
    }
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.outcome.as_str(), "converged");
    assert!(school.classin_calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phones_that_slip_by_a_row_are_held_also_in_slices_and_go_ahead_once_approved() {
    let (school, class) = registering().await;
    apply(&school, 20).await;
    school.run_as(Exit::Done).await;
    let slip = |from: usize, to: usize| {
        let set = |at: usize| {
            format!("UPDATE students SET phone = '{}' WHERE student_id = 'a{at:02}';", phone(at + 100))
        };
        (from..to).map(set).collect::<String>()
    };
    school.sql(&slip(0, 3)).await;
    school.run_as(Exit::Done).await;
    school.later(HOUR);
    school.sql(&slip(3, 8)).await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "register"), 5);
    assert!(report.holds[0].reason.contains("and 3 in the last 24 hours"), "{}", report.holds[0].reason);
    assert!(school.members(class).contains(&uid(&school, 3)), "the old account keeps its place");
    approve(&school);
    let report = school.run().await;
    assert_eq!((count(&report, "applied", "register"), count(&report, "held", "register")), (5, 0));
    assert!(school.sandbox.account(&phone(103)).is_some());
    assert!(count(&report, "held", "remove") > 0, "who is put out for it is another limit's business");
}

#[tokio::test]
async fn names_that_change_in_slices_are_held_as_if_they_changed_at_once() {
    let (school, _) = registering().await;
    apply(&school, 20).await;
    school.run_as(Exit::Done).await;
    for (from, to, held) in [(0, 6, 0), (6, 12, 6), (12, 18, 12)] {
        school.sandbox.clear_journal();
        let of = format!("student_id >= 'a{from:02}' AND student_id < 'a{to:02}'");
        school.sql(&format!("UPDATE students SET name = 'Shifted ' || student_id WHERE {of}")).await;
        let exit = if held == 0 { Exit::Done } else { Exit::Held };
        let report = school.run_to(exit).await;
        assert_eq!(count(&report, "held", "rename"), held, "up to {to}");
        let written = school.classin_calls().iter().filter(|call| *call == NAME).count();
        assert_eq!(written, if held == 0 { 6 } else { 0 }, "up to {to}");
        school.later(HOUR / 4);
    }
}

#[tokio::test]
async fn a_name_that_was_not_written_counts_nowhere() {
    let (school, _) = registering().await;
    apply(&school, 20).await;
    school.run_as(Exit::Done).await;
    school.set("refuse_call", &format!("{NAME}@*:114"));
    school.sql("UPDATE students SET name = 'First ' || student_id WHERE student_id < 'a06'").await;
    let _refused = school.run().await;
    assert_eq!(school.number("SELECT count(*) FROM counted_writes WHERE kind = 'name'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approved_names_stay_approved_when_their_answers_are_lost() {
    let (mut school, _) = registering().await;
    school.setting("GUARD__MAX_MODIFY", "0");
    apply(&school, 20).await;
    school.run_as(Exit::Done).await;
    school.sql("UPDATE students SET name = 'Married ' || student_id WHERE student_id < 'a12'").await;
    school.run_as(Exit::Held).await;
    approve(&school);
    school.set("drop_request", &format!("{NAME}@*"));
    let lost = school.run().await;
    assert_eq!(count(&lost, "applied", "rename"), 0);
    school.sandbox.clear_faults();
    school.later(HOUR);
    let report = school.run().await;
    assert_eq!((count(&report, "held", "rename"), count(&report, "applied", "rename")), (0, 12));
    assert_eq!(school.sandbox.school_name(uid(&school, 11)).as_deref(), Some("Married a11"));
    assert_eq!(school.number("SELECT count(*) FROM approvals").await, 0, "each is good for once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_mass_of_removals_stays_approved_when_the_service_fails() {
    for fault in ["lose_answer", "drop_request", "http_5xx"] {
        let (school, class, uids) = in_step(20).await;
        school.sql("DELETE FROM class_members WHERE student_id < 's008'").await;
        school.run_as(Exit::Held).await;
        approve(&school);
        school.set(fault, &format!("{REMOVE}@1x9"));
        let failed = school.run().await;
        assert!(count(&failed, "held", "remove") == 0, "{fault}");
        school.later(HOUR);
        for _ in 0..4 {
            let report = school.run().await;
            assert_eq!(count(&report, "held", "remove"), 0, "{fault}: {:?}", report.holds);
            school.later(7 * HOUR / 2);
        }
        assert_eq!(school.members(class), set_of(&uids[8..]), "{fault}");
    }
}

#[tokio::test]
async fn a_removal_that_was_sent_is_not_held_when_it_is_repeated_beside_others() {
    let (school, class, uids) = in_step(40).await;
    school.set("lose_answer", &format!("{REMOVE}@1x3"));
    school.sql("DELETE FROM class_members WHERE student_id < 's005'").await;
    let _lost = school.run().await;
    school.sql("DELETE FROM class_members WHERE student_id < 's010'").await;
    school.later(HOUR);
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 5, "{:?}", report.holds);
    assert_eq!(school.members(class), set_of(&uids[5..]));
    assert!(report.holds[0].reason.contains("and 5 in the last 24 hours"), "{}", report.holds[0].reason);
}

/// Four classes of ten, and nine students who change class.
async fn nine_who_move() -> School {
    let mut school = School::of_classin().await;
    for code in ["c1", "c2", "c3", "c4"] {
        school.class(code).await;
        for at in 0..10 {
            let id = format!("{code}-{at}");
            let _uid = school.student(&id).await;
            school.join(&id, code).await;
        }
    }
    school.run_as(Exit::Done).await;
    school.setting("GUARD__MAX_DELETE", "auto");
    for (from, to, people) in [("c1", "c2", 5), ("c3", "c4", 4)] {
        school
            .sql(&format!(
                "UPDATE class_members SET class_code = '{to}' WHERE class_code = '{from}' AND student_id IN \
                 (SELECT student_id FROM class_members WHERE class_code = '{from}' ORDER BY student_id LIMIT {people})"
            ))
            .await;
    }
    let report = school.program(&["--sync-now", "--output", "json"]);
    assert_eq!(report.code, 4, "{report:?}");
    let report = report.json();
    let (enrolled, held) = (&report["classin"]["applied"]["enrol"], &report["classin"]["held"]["remove"]);
    assert_eq!((enrolled, held), (&9.into(), &9.into()), "9 of 40, and 8 are allowed: {report:#}");
    school
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enrolments_of_the_same_change_let_no_removal_go() {
    let school = nine_who_move().await;
    for at in 0..3 {
        let report = school.program(&["--sync-now", "--output", "json"]);
        assert_eq!((report.code, &report.json()["classin"]["held"]["remove"]), (4, &9.into()), "run {at}");
    }
    approve(&school);
    let report = school.program(&["--sync-now", "--output", "json"]);
    assert_eq!((report.code, &report.json()["classin"]["applied"]["remove"]), (0, &9.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removals_that_are_approved_by_name_go_alone() {
    let school = nine_who_move().await;
    let status = school.program(&["status", "--output", "json"]).json();
    let digest = status["holds"][0]["digest"].as_str().unwrap().to_owned();
    let plan = school.program(&["plan", "--output", "json"]).json();
    let held = plan["operations"].as_array().unwrap().iter().filter(|one| one["state"] == "held");
    let named: Vec<&str> = held.take(4).map(|one| one["student_id"].as_str().unwrap()).collect();
    let approve: Vec<&str> =
        ["approve", &digest].into_iter().chain(named.iter().flat_map(|id| ["--student", *id])).collect();
    assert_eq!(school.program(&approve).code, 0);
    for (applied, at) in [(4, 0), (0, 1)] {
        let report = school.program(&["--sync-now", "--output", "json"]);
        assert_eq!(report.code, 4, "{report:?}");
        let report = report.json();
        let removed = report["classin"]["applied"]["remove"].as_u64().unwrap_or(0);
        assert_eq!((removed, &report["classin"]["held"]["remove"]), (applied, &5.into()), "run {at}");
    }
}

/// Twelve of twenty are missing: from the roster, or from the class alone.
async fn twelve_go(school: &School, from: &str) {
    match from {
        "roster" => school.sql("UPDATE students SET active = 0 WHERE student_id < 's012'").await,
        _ => school.sql("DELETE FROM class_members WHERE student_id < 's012'").await,
    }
    school.run_as(Exit::Held).await;
}

async fn come_back(school: &School, from: &str, range: std::ops::Range<usize>) {
    for at in range {
        match from {
            "roster" => {
                school.sql(&format!("UPDATE students SET active = 1 WHERE student_id = 's{at:03}'")).await;
            }
            _ => school.join(&format!("s{at:03}"), "c1").await,
        }
    }
    school.later(HOUR);
    let _run = school.run().await;
}

#[tokio::test]
async fn a_mass_of_whom_everybody_is_back_holds_nobody_who_leaves_later() {
    for from in ["roster", "class"] {
        for steps in [&[0, 12][..], &[0, 5, 12], &[0, 1, 11, 12]] {
            let (mut school, class, uids) = in_step(20).await;
            school.setting("GUARD__MAX_DELETE", "auto");
            twelve_go(&school, from).await;
            for step in steps.windows(2) {
                come_back(&school, from, step[0]..step[1]).await;
            }
            school.run_as(Exit::Done).await;
            school.later(100 * HOUR);
            match from {
                "roster" => school.sql("UPDATE students SET active = 0 WHERE student_id = 's003'").await,
                _ => school.leave("s003", "c1").await,
            }
            for at in 0..3 {
                let report = school.run_to(Exit::Done).await;
                assert_eq!(count(&report, "held", "remove"), 0, "{from}, {steps:?}, run {at}");
                school.later(100 * HOUR);
            }
            let others: Vec<i64> = uids.iter().copied().filter(|uid| *uid != uids[3]).collect();
            assert_eq!(school.members(class), set_of(&others), "{from}, {steps:?}");
        }
    }
}

#[tokio::test]
async fn the_rest_of_a_mass_stays_held_when_some_of_it_are_back() {
    for from in ["roster", "class"] {
        let (mut school, class, uids) = in_step(20).await;
        school.setting("GUARD__MAX_DELETE", "auto");
        twelve_go(&school, from).await;
        come_back(&school, from, 0..9).await;
        for at in 0..4 {
            let report = school.run_to(Exit::Held).await;
            assert_eq!(count(&report, "held", "remove"), 3, "{from}, run {at}: {:?}", report.holds);
            school.later(50 * HOUR);
        }
        assert_eq!(school.members(class), set_of(&uids), "{from}");
    }
}

/// What becomes of the adds that removals wait for.
#[derive(Clone, Copy, Debug)]
enum NewPlace {
    Full,
    Lost,
    Refused,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_limit_would_hold_and_whose_new_place_cannot_come_waits_and_nobody_is_asked() {
    for place in [NewPlace::Full, NewPlace::Lost, NewPlace::Refused] {
        let (mut school, class, uids) = in_step(12).await;
        school.leaves_work_behind();
        school.setting("GUARD__MAX_DELETE", "100%");
        let beside = ClassIds { class: school.sandbox.create_class(class.course, "b"), ..class };
        school.name_class("c2", beside).await;
        for at in 0..4 {
            let id = format!("o{at}");
            let _uid = school.student(&id).await;
            school.join(&id, "c2").await;
        }
        school.run_as(Exit::Done).await;
        school.later(2 * DAY);
        // More than half of the class move to another one.
        school
            .sql("UPDATE class_members SET class_code = 'c2' WHERE student_id < 's008' AND class_code = 'c1'")
            .await;
        match place {
            NewPlace::Full => school.sandbox.set_class_capacity(beside.course, beside.class, 4),
            NewPlace::Lost => school.set("lose_answer", "addClassStudentMultiple@*"),
            NewPlace::Refused => school.set("refuse_item", "addClassStudentMultiple@*:0,1,2,3,4,5,6,7/158"),
        }
        let report = school.run().await;
        assert_eq!(count(&report, "held", "remove"), 0, "{place:?}: {report:#?}");
        assert!(report.holds.is_empty() && report.approve.is_none(), "{place:?}: {:?}", report.holds);
        assert_eq!(school.members(class), set_of(&uids), "{place:?}");
        // Everywhere the same.
        let (plan, _) = school.plan().await;
        assert_eq!(count(&plan, "held", "remove"), 0, "{place:?}: {:?}", plan.holds);
        for arguments in [&["status"][..], &["plan"], &["failures"]] {
            let said = school.program(arguments).stdout;
            assert!(!said.contains("approve"), "{place:?} {arguments:?}: {said}");
        }
        // Once they are there, the limit is asked.
        match place {
            NewPlace::Full => school.sandbox.set_class_capacity(beside.course, beside.class, 100),
            NewPlace::Lost | NewPlace::Refused => school.sandbox.clear_faults(),
        }
        assert_eq!(school.program(&["failures", "retry", "--all"]).code, 0);
        school.later(8 * HOUR);
        let _there = school.run().await;
        let report = school.run_to(Exit::Held).await;
        assert_eq!(count(&report, "held", "remove"), 8, "{place:?}");
        assert_eq!(school.members(class), set_of(&uids), "{place:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_would_leave_a_class_to_one_whose_add_was_lost_is_held_by_nothing_until_that_is_known() {
    let (school, class, uids) = in_step(4).await;
    school.leaves_work_behind();
    let newcomer = school.student("new").await;
    school.sql("DELETE FROM class_members").await;
    school.join("new", "c1").await;
    school.set("lose_answer", "addClassStudentMultiple@*");
    let report = school.run().await;
    assert_eq!(count(&report, "held", "remove"), 0, "{report:#?}");
    assert!(school.members(class).is_superset(&set_of(&uids)), "nobody has left");
    school.sandbox.clear_faults();
    school.later(8 * HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[newcomer]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_that_is_full_of_those_who_leave_is_asked_about_by_run_and_plan_alike() {
    let (school, class, uids) = in_step(4).await;
    school.leaves_work_behind();
    school.sandbox.set_class_capacity(class.course, class.class, 4);
    let newcomer = school.student("new").await;
    school.sql("DELETE FROM class_members").await;
    school.join("new", "c1").await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 4);
    let (plan, _) = school.plan().await;
    assert_eq!(count(&plan, "held", "remove"), 4, "{plan:#?}");
    let approve = plan.approve.clone().expect("a command");
    let digest = approve.rsplit(' ').next().unwrap();
    assert_eq!(school.program(&["approve", digest]).code, 0, "{approve}");
    school.later(2 * HOUR);
    let _goes = school.run().await;
    assert_eq!(school.members(class), set_of(&[newcomer]));
    assert!(!school.members(class).contains(&uids[0]));
}
