//! Class by class: what the roster wants, whose membership it is, what is lost, refused and held.

use rosterd::{Exit, FailureRow};
use rosterd_core::failure::FailureState;
use rosterd_sandbox::ClassOrigin;

use super::{ADD, REMOVE, count, in_step, set_of, settle};
use crate::program::Programs as _;
use rosterd_testkit::{ClassIds, DAY, HOUR, MINUTE, School, approval, nobodys_address};

// What the roster wants.

#[tokio::test]
async fn a_first_run_enrols_exactly_the_members_in_as_few_calls_as_possible() {
    let school = School::of_classin().await;
    let (one, other) = (school.class("c1").await, school.class("c2").await);
    let uids = school.fill("c1", 61).await;
    for id in ["s003", "s004"] {
        school.join(id, "c2").await;
    }
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.members(one), set_of(&uids));
    assert_eq!(school.members(other), set_of(&uids[3..5]));
    assert_eq!(school.classin_calls(), [ADD; 4]);
    assert_eq!((count(&report, "planned", "enrol"), count(&report, "applied", "enrol")), (63, 63));
}

#[tokio::test]
async fn a_second_run_makes_no_call() {
    let (school, _, _) = in_step(5).await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.outcome.as_str(), "converged");
    assert!(school.classin_calls().is_empty());
    assert!(report.classin.calls.is_empty());
    assert_eq!(report.classin.observed, 5);
}

#[tokio::test]
async fn who_joins_is_enrolled_and_nobody_else_is_asked_for_again() {
    let (school, class, uids) = in_step(5).await;
    let joined = school.student("new").await;
    school.join("new", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uids, vec![joined]].concat()));
    let journal = school.sandbox.journal();
    assert_eq!((journal.len(), journal[0].items), (1, 1));
}

#[tokio::test]
async fn who_leaves_a_class_but_stays_on_the_roster_is_removed_at_once() {
    let (school, class, uids) = in_step(5).await;
    school.leave("s000", "c1").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
    assert_eq!(count(&report, "applied", "remove"), 1);
}

#[tokio::test]
async fn who_leaves_the_roster_keeps_the_classes_until_the_grace_and_two_runs_have_passed() {
    let (school, class, uids) = in_step(5).await;
    school.drop_student("s000").await;
    assert_eq!(school.run_to(Exit::Done).await.classin.leavers_waiting, 1);
    school.later(71 * HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    school.later(2 * HOUR);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
}

#[tokio::test]
async fn one_run_that_sees_a_leaver_is_not_enough_however_long_the_daemon_was_down() {
    let (mut school, class, uids) = in_step(5).await;
    school.setting("EXAM__DELETE_GRACE", "0s");
    school.sql("UPDATE students SET active = 0 WHERE student_id = 's000'").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
}

#[tokio::test]
async fn a_plan_does_not_count_as_a_run_that_saw_somebody_gone() {
    let (mut school, class, uids) = in_step(5).await;
    school.setting("EXAM__DELETE_GRACE", "0s");
    school.drop_student("s000").await;
    for _ in 0..3 {
        let _plan = school.plan().await;
    }
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn who_comes_back_within_the_grace_begins_it_anew_when_leaving_again() {
    let (school, class, uids) = in_step(5).await;
    let active = |active: u8| format!("UPDATE students SET active = {active} WHERE student_id = 's000'");
    school.sql(&active(0)).await;
    school.run_as(Exit::Done).await;
    school.later(71 * HOUR);
    school.sql(&active(1)).await;
    school.run_as(Exit::Done).await;
    school.sql(&active(0)).await;
    school.later(2 * HOUR);
    school.run_as(Exit::Done).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn a_leaver_in_two_classes_is_one_leaver() {
    let (school, _, _) = in_step(5).await;
    school.class("c2").await;
    school.join("s000", "c2").await;
    school.join("s001", "c2").await;
    school.run_as(Exit::Done).await;
    school.drop_student("s000").await;
    assert_eq!(school.run_to(Exit::Done).await.classin.leavers_waiting, 1);
}

#[tokio::test]
async fn a_student_without_a_uid_waits_for_a_person_and_stops_nobody() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 2).await;
    school.sql("INSERT INTO students (student_id, name) VALUES ('lost', 'n')").await;
    school.join("lost", "c1").await;
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert_eq!(count(&report, "skipped", "enrol"), 1);
    let failures = school.failures().await;
    assert_eq!((failures[0].state.as_str(), failures[0].code.as_str()), ("dead", "no-account"));
    assert!(failures[0].message.contains("classin_uid"));
    school.run_as(Exit::Done).await;
    assert_eq!(school.failures().await[0].attempts, 1, "nothing was tried again");
    let uid = school.sandbox.create_account("n", None);
    school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = 'lost'")).await;
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn a_student_without_a_uid_who_was_silenced_stays_silent() {
    let school = School::of_classin().await;
    school.class("c1").await;
    school.fill("c1", 1).await;
    school.sql("INSERT INTO students (student_id, name) VALUES ('lost', 'n')").await;
    school.join("lost", "c1").await;
    school.run_as(Exit::Incomplete).await;
    let state = school.state().await;
    state
        .change_failures(None, rosterd_core::failure::FailureState::Ignored, school.clock.now_ms())
        .await
        .unwrap();
    state.close().await;
    for _ in 0..2 {
        school.run_as(Exit::Done).await;
        assert_eq!(school.failures().await[0].state, FailureState::Ignored);
    }
}

#[tokio::test]
async fn a_class_without_a_course_is_not_mirrored_and_is_counted() {
    let (school, _, _) = in_step(2).await;
    school.sql("INSERT INTO classes VALUES ('c9', 'No course', NULL, NULL)").await;
    school.join("s000", "c9").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.classin.not_mirrored, 1);
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_course_without_a_class_takes_course_students() {
    let school = School::of_classin().await;
    let course = school.sandbox.create_course("whole");
    school.sql(&format!("INSERT INTO classes VALUES ('c1', 'Whole', {course}, NULL)")).await;
    let uids = school.fill("c1", 3).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.course_members(course), set_of(&uids));
    school.leave("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.course_members(course), set_of(&uids[1..]));
}

#[tokio::test]
async fn a_member_row_that_names_nobody_is_reported_with_table_and_key() {
    let (school, _, _) = in_step(2).await;
    school.join("nobody", "c1").await;
    for exit in [Exit::Incomplete, Exit::Done] {
        let report = school.run_to(exit).await;
        let problems = report.classin.problems.join("\n");
        assert!(problems.contains("class_members") && problems.contains("nobody"), "{problems}");
    }
}

// Whose membership it is.

#[tokio::test]
async fn members_whom_somebody_else_added_are_never_removed() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 3).await;
    school.sandbox.insert_class_member(class.course, class.class, uids[0]);
    let stranger = school.sandbox.create_account("stranger", None);
    school.sandbox.insert_class_member(class.course, class.class, stranger);
    school.run_as(Exit::Done).await;
    assert_eq!(school.evidence(class).await[&uids[0]], "present");
    school.leave("s000", "c1").await;
    school.run_as(Exit::Incomplete).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uids, vec![stranger]].concat()));
    assert!(!school.classin_calls().contains(&REMOVE.to_owned()));
}

#[tokio::test]
async fn the_setting_says_whom_we_may_remove() {
    let table = [("none", [true, true]), ("added", [false, true]), ("presumed", [false, false])];
    for (removals, [added_stays, presumed_stays]) in table {
        let mut school = School::of_classin().await;
        school.setting("CLASSIN__REMOVALS", removals);
        let class = school.class("c1").await;
        let uids = school.fill("c1", 5).await;
        // Two in a first call whose answer is lost, the others in a later one.
        school.sql("DELETE FROM class_members WHERE student_id NOT IN ('s000', 's001')").await;
        school.set("lose_answer", ADD);
        school.run_as(Exit::Done).await;
        for id in ["s002", "s003", "s004"] {
            school.join(id, "c1").await;
        }
        settle(&school).await;
        let evidence = school.evidence(class).await;
        assert_eq!(
            (evidence[&uids[0]].as_str(), evidence[&uids[2]].as_str()),
            ("presumed", "added"),
            "{removals:?}"
        );
        school.leave("s000", "c1").await;
        school.leave("s002", "c1").await;
        settle(&school).await;
        let members = school.members(class);
        assert_eq!(members.contains(&uids[2]), added_stays, "{removals}");
        assert_eq!(members.contains(&uids[0]), presumed_stays, "{removals}");
    }
}

#[tokio::test]
async fn siblings_who_share_an_account_are_enrolled_by_one_call_and_leave_together() {
    let (school, class, uids) = in_step(4).await;
    let shared = school.student("ann").await;
    school
        .sql(&format!("INSERT INTO students (student_id, name, classin_uid) VALUES ('bob', 'n', {shared})"))
        .await;
    school.join("ann", "c1").await;
    school.join("bob", "c1").await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!((count(&report, "applied", "enrol"), school.sandbox.journal()[0].items), (2, 1));
    school.leave("ann", "c1").await;
    school.run_as(Exit::Done).await;
    assert!(school.members(class).contains(&shared), "bob still wants it there");
    school.leave("bob", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn two_codes_of_one_class_keep_a_member_until_neither_wants_them() {
    let (school, class, uids) = in_step(3).await;
    school.name_class("also", class).await;
    school.join("s000", "also").await;
    school.leave("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    school.leave("s000", "also").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
}

#[tokio::test]
async fn a_new_account_of_a_student_takes_the_place_of_the_old_one() {
    let (school, class, uids) = in_step(3).await;
    let fresh = school.sandbox.create_account("again", None);
    school.sql(&format!("UPDATE students SET classin_uid = {fresh} WHERE student_id = 's000'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[fresh, uids[1], uids[2]]));
}

// Answers that are lost.

#[tokio::test]
async fn an_add_whose_answer_was_lost_is_repeated_and_its_members_are_presumed() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 3).await;
    school.set("lose_answer", ADD);
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert!(school.evidence(class).await.values().all(|evidence| evidence == "presumed"));
}

#[tokio::test]
async fn an_add_that_never_arrived_is_repeated_and_its_members_are_ours() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    school.fill("c1", 3).await;
    school.set("drop_request", ADD);
    school.run_as(Exit::Done).await;
    assert!(school.evidence(class).await.values().all(|evidence| evidence == "added"));
}

#[tokio::test]
async fn adds_whose_answers_stay_lost_are_unknown_and_settled_by_a_later_run() {
    let mut school = School::of_classin().await;
    school.setting("CLASSIN__MAX_IN_FLIGHT", "1");
    let (class, other) = (school.class("c1").await, school.class("c2").await);
    school.fill("c1", 3).await;
    school.join("s000", "c2").await;
    school.set("lose_answer", &format!("{ADD}@1x3"));
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!((count(&report, "unknown", "enrol"), count(&report, "applied", "enrol")), (3, 1));
    assert_eq!(school.failures().await.len(), 3);
    assert!(school.failures().await.iter().all(|row| row.code == "lost-answer"));
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
    assert!(school.evidence(class).await.values().all(|evidence| evidence == "presumed"));
    assert!(school.evidence(other).await.values().all(|evidence| evidence == "added"));
}

#[tokio::test]
async fn a_removal_whose_answer_was_lost_is_repeated_until_the_student_is_out() {
    for fault in ["lose_answer", "drop_request", "cut_body", "not_json"] {
        let (school, class, uids) = in_step(4).await;
        school.leave("s000", "c1").await;
        school.set(fault, REMOVE);
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids[1..]), "{fault}");
        assert!(!school.evidence(class).await.contains_key(&uids[0]), "{fault:?}");
    }
}

#[tokio::test]
async fn every_way_of_losing_or_spoiling_an_answer_converges() {
    let faults = [
        "apply_part:2",
        "apply_part:2/114",
        "cut_body",
        "not_json",
        "wrong_type",
        "item_missing",
        "item_missing:0",
        "item_extra",
        "token_repeated",
        "token_foreign",
        "http_429",
        "http_429:1",
        "http_5xx:502",
        "reset:applied",
        "reset:unapplied",
        "refuse_call:114",
        "refuse_item:1/158",
        "slow_body:100",
    ];
    for fault in faults {
        for action in [ADD, REMOVE] {
            let (name, argument) = fault.split_once(':').unwrap_or((fault, ""));
            let of_adds_only = ["token_repeated", "token_foreign"].contains(&name);
            if action == REMOVE && of_adds_only {
                continue;
            }
            let value = if argument.is_empty() { action.to_owned() } else { format!("{action}:{argument}") };
            let (school, class, uids) = in_step(8).await;
            for id in ["s000", "s001", "s002"] {
                school.leave(id, "c1").await;
            }
            let mut wanted = uids[3..].to_vec();
            for id in ["n1", "n2", "n3"] {
                wanted.push(school.student(id).await);
                school.join(id, "c1").await;
            }
            school.set(name, &value);
            settle(&school).await;
            let mut found = school.members(class);
            // What is presumed only may stay: an add whose answer was lost may have been somebody else's.
            found.retain(|uid| wanted.contains(uid) || uids.contains(uid));
            assert_eq!(found, set_of(&wanted), "{fault} of {action}");
            assert!(school.failures().await.is_empty(), "{fault} of {action}");
            school.sandbox.clear_journal();
            school.run_as(Exit::Done).await;
            assert!(school.classin_calls().is_empty(), "{fault} of {action}");
        }
    }
}

#[tokio::test]
async fn whatever_the_documents_leave_open_a_first_sync_and_an_edit_converge() {
    let switches = [
        ("top_level", "first_failure"),
        ("top_level", "single_mirrors_item"),
        ("class_error_level", "items"),
        ("class_error_level", "both"),
        ("full_level", "top"),
        ("errno_type", "string"),
        ("errno_type", "string_for_class"),
        ("data_on_failure", "[]"),
        ("data_on_failure", "null"),
        ("data_on_failure", "\"\""),
        ("error_text", "empty"),
        ("error_text", "misleading"),
        ("item_order", "reversed"),
        ("item_order", "shuffled"),
        ("custom_column_echo", "as_sent"),
        ("custom_column_echo", "missing"),
        ("batch_cap", "3"),
        ("course_student_at_class_add", "1"),
        ("duplicate_in_array", "both_one"),
        ("bom", "on"),
        ("identity_missing", "100"),
        ("uid_missing_in_item", "400"),
    ];
    for (switch, value) in switches {
        let school = School::of_classin().await;
        school.set(&format!("classin.{switch}"), value);
        let class = school.class("c1").await;
        let uids = school.fill("c1", 8).await;
        school.sandbox.insert_class_member(class.course, class.class, uids[7]);
        settle(&school).await;
        assert_eq!(school.members(class), set_of(&uids), "{switch}={value}");
        let evidence = school.evidence(class).await;
        assert_eq!(
            (evidence[&uids[0]].as_str(), evidence[&uids[7]].as_str()),
            ("added", "present"),
            "{switch}={value}"
        );
        school.leave("s000", "c1").await;
        school.leave("s001", "c1").await;
        school.sandbox.remove_class_member(class.course, class.class, uids[1]);
        let joined = school.student("new").await;
        school.join("new", "c1").await;
        settle(&school).await;
        assert_eq!(school.members(class), set_of(&[&uids[2..], &[joined]].concat()), "{switch}={value}");
        school.sandbox.clear_journal();
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{switch}={value}");
    }
}

// What ClassIn refuses.

#[tokio::test]
async fn a_closed_class_counts_in_the_run_that_finds_out_and_rests_until_its_ids_change() {
    for how in ["145", "212", "466"] {
        let (school, class, _) = in_step(4).await;
        let other = school.class("c2").await;
        match how {
            "145" => school.sandbox.end_class(class.course, class.class),
            "212" => school.sandbox.delete_class(class.course, class.class),
            _ => school.sandbox.set_class_origin(class.course, class.class, ClassOrigin::Client),
        }
        let joined = school.student("new").await;
        school.join("new", "c1").await;
        school.join("new", "c2").await;
        school.leave("s000", "c1").await;
        let report = school.run_to(Exit::Incomplete).await;
        assert!(report.classin.notes.iter().any(|note| note.contains(how)), "{:?}", report.classin.notes);
        let failures = school.failures().await;
        assert_eq!(
            (failures.len(), failures[0].code.as_str(), report.errors.len()),
            (1, how, 0),
            "{failures:?}"
        );
        assert!(school.members(other).contains(&joined), "{how}: the other class has its turn");
        school.sandbox.clear_journal();
        // A class of the app goes on: who left it is told, as rosterd cannot take them out.
        let left: &[&str] = if how == "466" { &["s000"] } else { &[] };
        let _told = school.run().await;
        for _ in 0..2 {
            school.later(DAY);
            school.run_as(Exit::Done).await;
        }
        assert!(school.classin_calls().is_empty(), "{how}");
        let of_students = |rows: &[FailureRow]| {
            let rows = rows.iter().filter(|row| row.code == "not-ours");
            rows.map(|row| row.student_id.clone()).collect::<Vec<String>>()
        };
        let failures = school.failures().await;
        assert_eq!(
            (failures.len(), of_students(&failures)),
            (1 + left.len(), left.iter().map(ToString::to_string).collect()),
            "{how}"
        );
        let row = failures.iter().find(|row| row.code == how).unwrap();
        assert_eq!(row.class_code, "c1", "{how}");
        let fresh = ClassIds { class: school.sandbox.create_class(class.course, "again"), ..class };
        school.name_class("c1", fresh).await;
        settle(&school).await;
        assert_eq!(school.members(fresh).len(), 4, "{how}");
        let failures = school.failures().await;
        assert_eq!(
            (failures.len(), of_students(&failures)),
            (left.len(), left.iter().map(ToString::to_string).collect()),
            "{how}"
        );
    }
}

#[tokio::test]
async fn who_leaves_a_class_that_rosterd_cannot_edit_is_on_record_and_named_until_a_person_says_so() {
    for how in ["leaves the class", "leaves the school", "moves within the course"] {
        let (mut school, class, uids) = in_step(4).await;
        school.setting("EXAM__DELETE_GRACE", "0s");
        let other = ClassIds { class: school.sandbox.create_class(class.course, "c2"), ..class };
        school.name_class("c2", other).await;
        school.sandbox.set_class_origin(class.course, class.class, ClassOrigin::Client);
        match how {
            "leaves the class" => school.leave("s001", "c1").await,
            "leaves the school" => school.drop_student("s001").await,
            _ => school.sql("UPDATE class_members SET class_code = 'c2' WHERE student_id = 's001'").await,
        }
        for _ in 0..3 {
            let _run = school.run().await;
        }
        school.sandbox.clear_journal();
        for _ in 0..2 {
            school.later(DAY);
            let report = school.run_to(Exit::Done).await;
            let rows = school.failures().await;
            let [row] = rows.as_slice() else { panic!("{how}: {rows:?}") };
            assert_eq!((row.student_id.as_str(), row.code.as_str()), ("s001", "not-ours"), "{how}");
            assert!(row.message.contains("take them out in ClassIn"), "{how}: {}", row.message);
            assert!(row.message.ends_with(&format!("rosterd failures ignore {}", row.id)), "{}", row.message);
            assert!(!report.attention.is_empty(), "{how}: {report:#?}");
        }
        assert!(school.classin_calls().is_empty(), "{how}: {:?}", school.classin_calls());
        assert!(
            school.members(class).contains(&uids[1]) && school.evidence(class).await.contains_key(&uids[1])
        );
        let id = school.failures().await[0].id.to_string();
        assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
        let report = school.run_to(Exit::Done).await;
        assert!(report.attention.is_empty(), "{how}: {:?}", report.attention);
    }
}

#[tokio::test]
async fn an_earlier_failure_in_a_class_that_is_over_is_closed() {
    let (school, class, _) = in_step(4).await;
    let _uid = school.student("new").await;
    school.join("new", "c1").await;
    school.set("refuse_item", &format!("{ADD}:0/158"));
    school.run_as(Exit::Incomplete).await;
    school.sandbox.end_class(class.course, class.class);
    school.later(HOUR);
    school.run_as(Exit::Incomplete).await;
    school.run_as(Exit::Done).await;
    let failures = school.failures().await;
    assert_eq!((failures.len(), failures[0].student_id.as_str(), failures[0].code.as_str()), (1, "", "145"));
}

#[tokio::test]
async fn a_course_that_does_not_exist_stops_only_its_own_classes() {
    let (school, class, uids) = in_step(3).await;
    school.name_class("wrong", ClassIds { course: 9_999_999, class: 1 }).await;
    school.join("s000", "wrong").await;
    let joined = school.student("new").await;
    school.join("new", "c1").await;
    let report = school.run_to(Exit::Incomplete).await;
    assert!(report.classin.notes.iter().any(|note| note.contains("144")), "{:?}", report.classin.notes);
    assert!(school.failures().await.iter().any(|row| row.code == "144") && report.errors.is_empty());
    assert_eq!(school.members(class), set_of(&[uids, vec![joined]].concat()));
    school.sql("DELETE FROM classes WHERE class_code = 'wrong'").await;
    settle(&school).await;
}

#[tokio::test]
async fn a_code_of_the_class_at_one_student_holds_nobody_else_back_where_the_class_took_others() {
    for code in [142, 143, 144] {
        let (school, class, uids) = in_step(3).await;
        school.set("refuse_item", &format!("{ADD}:0/{code}"));
        let mut joined = Vec::new();
        for id in ["n1", "n2"] {
            joined.push(school.student(id).await);
            school.join(id, "c1").await;
        }
        let report = school.run_to(Exit::Incomplete).await;
        assert_eq!((count(&report, "applied", "enrol"), count(&report, "failed", "enrol")), (1, 1), "{code}");
        let failures = school.failures().await;
        assert_eq!((failures.len(), failures[0].student_id.as_str()), (1, "n1"), "{code}: {failures:?}");
        let third = school.student("n3").await;
        school.join("n3", "c1").await;
        let report = school.run_to(Exit::Incomplete).await;
        assert_eq!(count(&report, "applied", "enrol"), 1, "nobody waits for another's failure: {report:?}");
        school.later(HOUR);
        settle(&school).await;
        let all = [uids, joined, vec![third]].concat();
        assert_eq!(school.members(class), set_of(&all), "{code}");
        assert!(school.failures().await.is_empty(), "{code}");
    }
}

#[tokio::test]
async fn a_full_class_takes_who_fits_and_the_others_when_there_is_room() {
    for level in ["items", "top"] {
        let (school, class, uids) = in_step(4).await;
        school.set("classin.full_level", level);
        school.sandbox.set_class_capacity(class.course, class.class, 5);
        let mut joined = Vec::new();
        for id in ["n1", "n2"] {
            joined.push(school.student(id).await);
            school.join(id, "c1").await;
        }
        let report = school.run_to(Exit::Incomplete).await;
        assert_eq!(
            (count(&report, "applied", "enrol"), count(&report, "failed", "enrol")),
            (1, 1),
            "{level}"
        );
        school.leave("s000", "c1").await;
        settle(&school).await;
        assert_eq!(school.members(class), set_of(&[&uids[1..], &joined].concat()), "{level}");
    }
}

#[tokio::test]
async fn a_full_class_that_loses_a_member_takes_the_next_in_the_same_run() {
    let (school, class, uids) = in_step(4).await;
    school.sandbox.set_class_capacity(class.course, class.class, 4);
    let joined = school.student("new").await;
    school.join("new", "c1").await;
    school.leave("s000", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[&uids[1..], &[joined]].concat()));
}

#[tokio::test]
async fn one_student_whom_classin_refuses_stops_nobody_else_and_waits_for_a_person() {
    for code in [886, 128, 129, 164, 329, 400] {
        let school = School::of_classin().await;
        let class = school.class("c1").await;
        let uids = school.fill("c1", 4).await;
        school.set("refuse_item", &format!("{ADD}@*:0/{code}"));
        let report = school.run_to(Exit::Incomplete).await;
        assert_eq!(school.members(class), set_of(&uids[1..]), "{code}");
        assert_eq!(
            (count(&report, "applied", "enrol"), count(&report, "failed", "enrol")),
            (3, 1),
            "{code:?}"
        );
        let failures = school.failures().await;
        assert_eq!(failures.len(), 1, "{code}");
        assert_eq!(
            (failures[0].state.as_str(), failures[0].code.clone()),
            ("dead", code.to_string()),
            "{code:?}"
        );
        assert_eq!(
            (failures[0].student_id.as_str(), failures[0].class_code.as_str()),
            ("s000", "c1"),
            "{code:?}"
        );
        assert_eq!(failures[0].index, Some(0), "{code:?}");
        school.sandbox.clear_journal();
        school.later(DAY);
        school.run_as(Exit::Done).await;
        assert!(school.classin_calls().is_empty(), "{code}: asked again without a person");
    }
}

#[tokio::test]
async fn a_cancelled_account_is_tried_again_when_the_row_has_another_uid() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 2).await;
    school.sandbox.cancel_account(uids[0]);
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await[0].code, "886");
    let fresh = school.sandbox.create_account("again", None);
    school.sql(&format!("UPDATE students SET classin_uid = {fresh} WHERE student_id = 's000'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[fresh, uids[1]]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn who_is_no_student_of_the_school_is_recorded_and_enrolled_once_they_are() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 2).await;
    school.sandbox.leave_school(uids[0]);
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
    assert_eq!(school.failures().await[0].code, "228");
}

#[tokio::test]
async fn a_code_that_nobody_documented_is_a_failure_with_its_number_and_never_a_success() {
    let (school, class, uids) = in_step(4).await;
    let _new = school.student("new").await;
    school.join("new", "c1").await;
    school.set("refuse_item", &format!("{ADD}:0/4711"));
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&uids));
    let failures = school.failures().await;
    assert!(failures[0].message.contains("4711"), "{failures:?}");
}

// ClassIn as a whole.

#[tokio::test]
async fn refused_credentials_end_with_77_and_count_as_nobodys_failure() {
    let mut school = School::of_both().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 3).await;
    school.group_of_all().await;
    school.setting("CLASSIN__SECRET", "wrong");
    let report = school.run_to(Exit::Credentials).await;
    assert_eq!(school.sandbox.candidate_count(), 3, "the exam side had its turn");
    assert_eq!(count(&report, "skipped", "enrol"), 3);
    assert!(school.failures().await.is_empty(), "nothing was attempted");
    assert_eq!(school.classin_calls().len(), 1);
    school.setting("CLASSIN__SECRET", "topsecret");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert!(school.evidence(class).await.values().all(|evidence| evidence == "added"));
}

#[tokio::test]
async fn an_exam_side_that_refuses_us_does_not_keep_classin_from_its_turn() {
    let mut school = School::of_both().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 3).await;
    school.group_of_all().await;
    school.setting("EXAM__CODE", "wrong");
    school.run_as(Exit::Credentials).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn maintenance_in_any_form_is_temporary_and_loses_nothing() {
    for form in ["errno_901", "http_901", "html_200", "http_503"] {
        let school = School::of_classin().await;
        let class = school.class("c1").await;
        let uids = school.fill("c1", 3).await;
        school.set("classin.maintenance", form);
        for _ in 0..2 {
            school.run_as(Exit::Temporary).await;
            school.later(DAY);
        }
        school.set("classin.maintenance", "off");
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids), "{form}");
        assert!(school.failures().await.is_empty(), "{form}");
    }
}

#[tokio::test]
async fn a_service_that_is_down_for_long_makes_no_dead_letters() {
    let mut school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 3).await;
    school.setting("CLASSIN__BASE_URL", &nobodys_address());
    for _ in 0..9 {
        school.run_as(Exit::Temporary).await;
        school.later(DAY);
    }
    assert!(school.failures().await.is_empty());
    school.usual("CLASSIN__BASE_URL");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
}

#[tokio::test]
async fn a_long_retry_after_is_obeyed_by_leaving_classin_alone() {
    let school = School::of_classin().await;
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.set("http_429", &format!("{ADD}:120"));
    school.run_as(Exit::Temporary).await;
    assert_eq!(school.classin_calls().len(), 1);
    school.later(MINUTE);
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.classin_calls().len(), 1, "a minute is not two");
    school.later(2 * MINUTE);
    school.run_as(Exit::Done).await;
}

#[tokio::test]
async fn a_run_waits_no_longer_for_classin_altogether_than_it_may_and_the_next_one_goes_on() {
    let mut school = School::of_classin().await;
    let altogether = std::time::Duration::from_secs(2);
    school.patience = rosterd::ClassinPatience { longest_altogether: altogether, ..school.patience };
    let first = school.class("c1").await;
    let mut classes = vec![first];
    for at in 2..=5 {
        let ids = ClassIds { class: school.sandbox.create_class(first.course, &format!("c{at}")), ..first };
        school.name_class(&format!("c{at}"), ids).await;
        classes.push(ids);
    }
    let uid = school.student("s000").await;
    for at in 1..=5 {
        school.join("s000", &format!("c{at}")).await;
    }
    // Each class is refused once, and is to be asked a second later.
    for call in [1, 3, 5, 7, 9] {
        school.set("http_429", &format!("{ADD}@{call}:1"));
    }
    let report = school.run_to(Exit::Temporary).await;
    assert_eq!(school.classin_calls().len(), 5, "two waits, and none for the third: {report:#?}");
    assert!(
        report.errors.iter().chain(&report.classin.errors).any(|error| error.contains("429")),
        "{report:#?}"
    );
    school.sandbox.clear_faults();
    school.later(MINUTE);
    school.run_as(Exit::Done).await;
    for class in classes {
        assert_eq!(school.members(class), set_of(&[uid]));
    }
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_repeats_nothing() {
    let school = School::of_classin().await;
    school.class("c1").await;
    school.fill("c1", 3).await;
    school.set("lose_answer", &format!("{ADD}@*"));
    school.set("delay", &format!("{ADD}:50"));
    let stop = school.stop.clone();
    let sandbox = school.sandbox.clone();
    let stopper = tokio::spawn(async move {
        while sandbox.journal().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    });
    school.run_as(Exit::Terminated).await;
    stopper.await.unwrap();
    assert_eq!(school.classin_calls().len(), 1);
}

#[tokio::test]
async fn what_no_mode_allows_is_skipped_and_observe_calls_nobody() {
    let mut school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 4).await;
    school.setting("SYNC__MODE", "observe");
    let report = school.run_to(Exit::Done).await;
    assert_eq!(count(&report, "skipped", "enrol"), 4);
    assert!(school.classin_calls().is_empty());
    school.setting("SYNC__MODE", "create-only");
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    for mode in ["create-only", "upsert"] {
        school.setting("SYNC__MODE", mode);
        let report = school.run_to(Exit::Done).await;
        assert_eq!(count(&report, "skipped", "remove"), 1, "{mode}");
    }
    assert_eq!(school.members(class), set_of(&uids));
    school.setting("SYNC__MODE", "sync");
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]));
}

#[tokio::test]
async fn a_plan_makes_no_call_and_says_what_a_run_would_do() {
    let school = School::of_classin().await;
    school.class("c1").await;
    school.fill("c1", 2).await;
    let (report, intended) = school.plan().await;
    assert_eq!(count(&report, "skipped", "enrol"), 2);
    assert!(school.classin_calls().is_empty());
    let students: Vec<&str> = intended.classin.operations.iter().map(|line| line.subject.as_str()).collect();
    assert_eq!(students, ["s000", "s001"]);
    assert_eq!(school.plan().await.1.classin.digest, intended.classin.digest);
}

// The guard.

#[tokio::test]
async fn too_many_removals_are_held_and_an_approval_lets_just_these_go() {
    let mut school = School::of_classin().await;
    school.setting("GUARD__MAX_DELETE", "2");
    let class = school.class("c1").await;
    let uids = school.fill("c1", 10).await;
    school.run_as(Exit::Done).await;
    for id in ["s000", "s001", "s002"] {
        school.leave(id, "c1").await;
    }
    let joined = school.student("new").await;
    school.join("new", "c1").await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(count(&report, "held", "remove"), 3);
    assert!(school.members(class).contains(&joined), "adds are never held by a delete limit");
    let holds = report.classin.holds.join("\n");
    assert!(holds.contains("3 removals of 10") && holds.contains("limit of 2"), "{holds}");
    assert_eq!(report.approve, Some(approval(&report)));
    // What comes later is not approved with it.
    let state = school.state().await;
    assert_eq!(state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap(), 3);
    state.close().await;
    for id in ["s003", "s004", "s005"] {
        school.leave(id, "c1").await;
    }
    let report = school.run_to(Exit::Held).await;
    assert_eq!((count(&report, "applied", "remove"), count(&report, "held", "remove")), (3, 3));
    assert_eq!(school.members(class).len(), uids.len() + 1 - 3);
}

#[tokio::test]
async fn an_approval_is_used_up_when_its_operation_has_ended() {
    let mut school = School::of_classin().await;
    school.setting("GUARD__MAX_DELETE", "0");
    let class = school.class("c1").await;
    let uids = school.fill("c1", 4).await;
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    let report = school.run_to(Exit::Held).await;
    let state = school.state().await;
    state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    assert!(!school.members(class).contains(&uids[0]));
    school.join("s000", "c1").await;
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    school.run_as(Exit::Held).await;
    assert!(school.members(class).contains(&uids[0]), "the approval of the first removal let the second go");
}

#[tokio::test]
async fn approved_removals_do_not_count_against_the_limit_of_the_day() {
    let mut school = School::of_classin().await;
    school.setting("GUARD__MAX_DELETE", "1");
    school.class("c1").await;
    school.fill("c1", 8).await;
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    school.leave("s001", "c1").await;
    let report = school.run_to(Exit::Held).await;
    let state = school.state().await;
    state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    school.leave("s002", "c1").await;
    school.run_as(Exit::Done).await;
}

#[tokio::test]
async fn a_broken_export_of_members_cannot_be_worked_off_in_slices() {
    let mut school = School::of_classin().await;
    school.setting("GUARD__MAX_DELETE", "2");
    school.class("c1").await;
    school.fill("c1", 10).await;
    school.run_as(Exit::Done).await;
    school.leave("s000", "c1").await;
    school.leave("s001", "c1").await;
    school.run_as(Exit::Done).await;
    school.leave("s002", "c1").await;
    school.later(HOUR);
    school.run_as(Exit::Held).await;
    school.later(DAY);
    school.run_as(Exit::Done).await;
}

#[tokio::test]
async fn a_class_that_would_be_left_empty_is_held_by_its_name() {
    let (school, class, uids) = in_step(3).await;
    school.sql("DELETE FROM class_members").await;
    let report = school.run_to(Exit::Held).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert!(report.classin.holds[0].contains("c1"), "{:?}", report.classin.holds);
    let state = school.state().await;
    state.approve(&report.digest, school.clock.now_ms() + DAY).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    assert!(school.members(class).is_empty());
}

#[tokio::test]
async fn a_roster_that_is_too_small_removes_nobody_anywhere() {
    let (mut school, class, uids) = in_step(3).await;
    school.setting("GUARD__MIN_ROSTER", "3");
    school.drop_student("s000").await;
    for _ in 0..3 {
        school.later(4 * DAY);
        school.run_as(Exit::Failed).await;
    }
    assert_eq!(school.members(class), set_of(&uids));
}
