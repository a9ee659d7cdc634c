//! A uid for everyone: from the roster, from memory, or by registration, and membership of the school.

use std::time::Duration;

use rosterd::ClassinPatience;
use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::{ADD, JOIN, REGISTER, REGISTER_SEVERAL, count, in_step, set_of, settle};
use rosterd_testkit::{ClassIds, DAY, School};

/// A school that may register, with one class.
pub(crate) async fn registering() -> (School, ClassIds) {
    let mut school = School::of_classin().await;
    school.setting("CLASSIN__REGISTER", "true");
    let class = school.class("c1").await;
    (school, class)
}

/// A mainland phone number.
pub(crate) fn phone(at: usize) -> String {
    format!("138{at:08}")
}

/// `n` applicants `a00`, `a01`, … in class c1.
pub(crate) async fn apply(school: &School, n: usize) {
    for at in 0..n {
        let id = format!("a{at:02}");
        school.applicant(&id, &phone(at)).await;
        school.join(&id, "c1").await;
    }
}

pub(crate) fn uid(school: &School, at: usize) -> i64 {
    school.sandbox.account(&phone(at)).expect("an account")
}

#[tokio::test]
async fn students_without_a_uid_are_registered_by_tens_and_enrolled_in_the_same_run() {
    let (school, class) = registering().await;
    apply(&school, 12).await;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER_SEVERAL, REGISTER_SEVERAL, ADD]);
    let items: Vec<usize> = school.sandbox.journal().iter().map(|entry| entry.items).collect();
    assert_eq!(items, [10, 2, 12]);
    assert_eq!((count(&report, "planned", "register"), count(&report, "applied", "register")), (12, 12));
    assert_eq!((count(&report, "planned", "enrol"), count(&report, "applied", "enrol")), (12, 12));
    assert_eq!(report.classin.least_calls, 3);
    let wanted: Vec<i64> = (0..12).map(|at| uid(&school, at)).collect();
    assert_eq!(school.members(class), set_of(&wanted));
    assert!(wanted.iter().all(|uid| school.sandbox.is_school_student(*uid)));
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.outcome.as_str(), "converged");
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn one_student_alone_is_registered_by_the_call_for_one() {
    let (school, class) = registering().await;
    apply(&school, 1).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, ADD]);
    assert_eq!(school.members(class), set_of(&[uid(&school, 0)]));
}

#[tokio::test]
async fn only_who_is_wanted_in_a_mirrored_class_is_registered() {
    let (school, class) = registering().await;
    school.sql("INSERT INTO classes VALUES ('nowhere', 'No course', NULL, NULL)").await;
    school.applicant("idle", &phone(1)).await;
    school.applicant("nowhere", &phone(2)).await;
    school.join("nowhere", "nowhere").await;
    school.applicant("gone", &phone(3)).await;
    school.join("gone", "c1").await;
    school.sql("UPDATE students SET active = 0 WHERE student_id = 'gone'").await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    school.sandbox.end_class(class.course, class.class);
    let _uid = school.student("known").await;
    school.join("known", "c1").await;
    school.run_as(Exit::Incomplete).await;
    school.applicant("late", &phone(4)).await;
    school.join("late", "c1").await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Incomplete).await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "registered for a class that is over");
}

#[tokio::test]
async fn siblings_with_one_phone_number_are_one_account() {
    let (school, class) = registering().await;
    for id in ["ann", "bob"] {
        school.applicant(id, &phone(7)).await;
        school.join(id, "c1").await;
    }
    let report = school.run_to(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, ADD]);
    assert_eq!(count(&report, "applied", "register"), 2);
    assert_eq!(count(&report, "applied", "enrol"), 2);
    // A third one comes later. What was learnt for the others says nothing about them: ClassIn is asked.
    school.applicant("cid", "+86 138 0000 0007").await;
    school.join("cid", "c1").await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, JOIN]);
    assert_eq!(school.number("SELECT count(DISTINCT uid) FROM accounts").await, 1);
    assert_eq!(school.number("SELECT count(*) FROM accounts").await, 3);
    // Nobody is taken out while one of them is wanted there.
    for (at, id) in ["ann", "bob", "cid"].into_iter().enumerate() {
        assert_eq!(school.members(class).len(), 1, "{at}");
        school.leave(id, "c1").await;
        let _report = school.run().await;
    }
}

#[tokio::test]
async fn a_sibling_who_comes_while_the_other_leaves_keeps_the_account_in_the_class() {
    let (school, class) = registering().await;
    let uids = school.fill("c1", 2).await;
    school.applicant("ann", &phone(7)).await;
    school.join("ann", "c1").await;
    school.run_as(Exit::Done).await;
    let shared = uid(&school, 7);
    school.leave("ann", "c1").await;
    school.applicant("bob", &phone(7)).await;
    school.join("bob", "c1").await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, JOIN]);
    assert_eq!(school.members(class), set_of(&[uids, vec![shared]].concat()));
}

#[tokio::test]
async fn an_account_that_was_there_before_is_found_and_taken_into_the_school() {
    for joins in ["joins", "ignored"] {
        for code in ["135_461", "135_both", "1"] {
            let (school, class) = registering().await;
            school.set("classin.joined_on_existing", joins);
            school.set("classin.existing_code", code);
            let there = school.sandbox.create_outside_account("somebody", &phone(0));
            apply(&school, 1).await;
            settle(&school).await;
            assert_eq!(school.members(class), set_of(&[there]), "{joins} {code}");
            assert!(school.sandbox.is_school_student(there), "{joins} {code}");
            assert!(school.classin_calls().contains(&JOIN.to_owned()) || code == "1", "{joins} {code}");
            assert!(school.failures().await.is_empty(), "{joins} {code}");
        }
    }
}

#[tokio::test]
async fn phones_and_addresses_are_sent_in_the_services_own_form() {
    let (school, _) = registering().await;
    let table = [
        ("mainland", "+86 138-0013-8000", "", "13800138000"),
        ("america", "+1 (800) 643-7676", "", "001-8006437676"),
        ("mail", "", " Li.Hua@Example.org ", "li.hua@example.org"),
        ("landline", "010-62345678", "spare@example.org", "spare@example.org"),
    ];
    for (id, phone, email, _) in table {
        school.applicant(id, phone).await;
        school.sql(&format!("UPDATE students SET email = '{email}' WHERE student_id = '{id}'")).await;
        school.join(id, "c1").await;
    }
    let report = school.run_to(Exit::Done).await;
    for (id, _, _, contact) in table {
        assert!(school.sandbox.account(contact).is_some(), "{id}");
    }
    let problems = report.classin.problems.join("\n");
    assert!(problems.contains("landline") && problems.contains("phone"), "{problems}");
    assert!(!problems.contains("spare@"), "{problems}");
}

#[tokio::test]
async fn who_can_not_be_registered_waits_for_a_person_and_stops_nobody() {
    let (school, class) = registering().await;
    apply(&school, 1).await;
    school.applicant("none", "").await;
    school.applicant("bad", "12").await;
    for id in ["none", "bad"] {
        school.join(id, "c1").await;
    }
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&[uid(&school, 0)]));
    assert_eq!((count(&report, "skipped", "register"), count(&report, "skipped", "enrol")), (2, 2));
    let failures = school.failures().await;
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(
        failures.iter().all(|row| row.state == FailureState::Dead && row.code == "no-contact"),
        "{failures:?}"
    );
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.iter().all(|row| row.attempts == 1), "nothing was tried again");
    let state = school.state().await;
    state.change_failures(None, FailureState::Ignored, school.clock.now_ms()).await.unwrap();
    state.close().await;
    school.run_as(Exit::Done).await;
    school.sql("UPDATE students SET phone = '13800138111' WHERE student_id IN ('none', 'bad')").await;
    school.run_as(Exit::Done).await;
    assert!(school.failures().await.is_empty());
    assert_eq!(school.members(class).len(), 2);
}

#[tokio::test]
async fn without_the_setting_nobody_is_registered() {
    let school = School::of_classin().await;
    school.class("c1").await;
    apply(&school, 2).await;
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(count(&report, "skipped", "enrol"), 2);
    assert_eq!(count(&report, "planned", "register"), 0);
    assert!(school.classin_calls().is_empty());
    assert!(school.failures().await.iter().all(|row| row.code == "no-account"));
}

#[tokio::test]
async fn neither_a_plan_nor_the_mode_observe_registers_anybody() {
    let (mut school, _) = registering().await;
    apply(&school, 2).await;
    let (report, intended) = school.plan().await;
    assert_eq!((count(&report, "skipped", "register"), count(&report, "skipped", "enrol")), (2, 2));
    let lines: Vec<(&str, &str, &str)> = intended
        .classin
        .operations
        .iter()
        .map(|line| (line.kind, line.subject.as_str(), line.state))
        .collect();
    assert_eq!(
        lines,
        [
            ("register", "a00", "planned"),
            ("register", "a01", "planned"),
            ("enrol", "a00", "planned"),
            ("enrol", "a01", "planned")
        ]
    );
    school.setting("SYNC__MODE", "observe");
    let report = school.run_to(Exit::Done).await;
    assert_eq!((count(&report, "skipped", "register"), count(&report, "skipped", "enrol")), (2, 2));
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.number("SELECT count(*) FROM accounts").await, 0);
}

#[tokio::test]
async fn a_run_has_the_digest_of_the_plan_before_it() {
    let (school, _) = registering().await;
    apply(&school, 2).await;
    let planned = school.plan().await.1.classin.digest;
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.classin.digest, planned);
}

#[tokio::test]
async fn one_account_that_is_refused_keeps_nobody_else_from_theirs() {
    let (school, class) = registering().await;
    apply(&school, 4).await;
    school.set("refuse_item", &format!("{REGISTER_SEVERAL}:1/288"));
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!((count(&report, "applied", "register"), count(&report, "failed", "register")), (3, 1));
    assert_eq!((count(&report, "applied", "enrol"), count(&report, "skipped", "enrol")), (3, 1));
    assert_eq!(school.members(class).len(), 3);
    let failures = school.failures().await;
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!((failures[0].student_id.as_str(), failures[0].state.as_str()), ("a01", "dead"));
    assert_eq!((failures[0].kind.as_str(), failures[0].code.as_str()), ("register", "288"));
    school.sandbox.clear_journal();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "asked again without a person");
    school.sql("UPDATE students SET phone = '13800138222' WHERE student_id = 'a01'").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class).len(), 4);
}

#[tokio::test]
async fn a_call_that_is_refused_for_one_bad_value_is_taken_apart() {
    let (school, class) = registering().await;
    apply(&school, 3).await;
    school.set("refuse_call", &format!("{REGISTER_SEVERAL}:100"));
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER_SEVERAL, REGISTER_SEVERAL, REGISTER, ADD]);
    assert_eq!(school.members(class).len(), 3);
}

#[tokio::test]
async fn an_account_outside_the_school_is_taken_into_it_by_a_second_call() {
    for told in ["yes", "no"] {
        let (school, class) = registering().await;
        school.set("classin.uid_in_820", told);
        school.set("classin.joined_on_existing", "ignored");
        apply(&school, 2).await;
        school.set("refuse_item", &format!("{REGISTER_SEVERAL}:0/820"));
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class).len(), 2, "{told}");
        assert!(school.sandbox.is_school_student(uid(&school, 0)), "{told}");
    }
}

#[tokio::test]
async fn who_got_as_far_as_a_uid_goes_on_from_there() {
    let (school, class) = registering().await;
    school.sandbox.create_outside_account("somebody", &phone(0));
    school.set("classin.joined_on_existing", "ignored");
    apply(&school, 1).await;
    school.set("refuse_call", &format!("{JOIN}:114"));
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!((count(&report, "failed", "register"), count(&report, "skipped", "enrol")), (1, 1));
    assert_eq!(school.failures().await[0].code, "114");
    school.sandbox.clear_journal();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [JOIN, ADD]);
    assert_eq!(school.members(class), set_of(&[uid(&school, 0)]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn an_account_that_the_school_can_not_take_is_a_dead_letter_that_says_why() {
    let (school, _) = registering().await;
    let own = school.sandbox.create_account("the school itself", Some(&phone(0)));
    school.sandbox.make_school_account(own);
    school.set("classin.joined_on_existing", "ignored");
    apply(&school, 1).await;
    school.run_as(Exit::Incomplete).await;
    let failures = school.failures().await;
    assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), ("128", "dead"), "{failures:?}");
    assert!(failures[0].message.contains("school's own account"), "{failures:?}");
}

#[tokio::test]
async fn a_repeat_waits_longer_than_the_service_takes_two_calls_for_one() {
    let (mut school, class) = registering().await;
    school.sandbox.create_outside_account("somebody", &phone(0));
    school.set("classin.joined_on_existing", "ignored");
    school.set("classin.duplicate_window_s", "1");
    school.patience =
        ClassinPatience { before_registering_again: Duration::from_millis(1_100), ..school.patience };
    apply(&school, 1).await;
    school.set("lose_answer", JOIN);
    school.run_as(Exit::Done).await;
    let answers: Vec<String> = school.sandbox.journal().into_iter().map(|entry| entry.answered).collect();
    assert!(!answers.iter().any(|answer| answer.contains("101003002")), "{answers:?}");
    assert_eq!(school.members(class), set_of(&[uid(&school, 0)]));
}

#[tokio::test]
async fn a_call_that_came_too_soon_is_repeated() {
    let (school, class) = registering().await;
    apply(&school, 1).await;
    school.set("refuse_call", &format!("{REGISTER}:101003002"));
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, REGISTER, ADD]);
    assert_eq!(school.members(class), set_of(&[uid(&school, 0)]));
}

#[tokio::test]
async fn answers_that_stay_lost_are_settled_by_the_next_run_which_does_not_ask_too_soon() {
    let (mut school, class) = registering().await;
    apply(&school, 2).await;
    school.set("lose_answer", &format!("{REGISTER_SEVERAL}@1x3"));
    // Not one answer in the whole run: as far as can be told the service is down.
    let report = school.run_to(Exit::Temporary).await;
    assert_eq!((count(&report, "unknown", "register"), count(&report, "skipped", "enrol")), (2, 2));
    assert!(school.failures().await.iter().all(|row| row.code == "lost-answer"));
    assert_eq!(school.number("SELECT count(*) FROM intents WHERE kind = 'register'").await, 2);
    school.patience =
        ClassinPatience { before_registering_again: Duration::from_millis(400), ..school.patience };
    let before = school.sandbox.journal().last().unwrap().at_ms;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    // Counted from the moment before the call, as a run that was cut off knows no other.
    assert!(school.sandbox.journal()[0].at_ms - before >= 300, "asked again too soon");
    assert_eq!(school.members(class).len(), 2);
    assert!(school.failures().await.is_empty());
    assert_eq!(school.number("SELECT count(*) FROM intents").await, 0);
}

#[tokio::test]
async fn refused_credentials_and_maintenance_stop_registrations_and_fail_no_student() {
    for (switch, exit) in [("refuse_call", Exit::Credentials), ("maintenance", Exit::Temporary)] {
        let (school, class) = registering().await;
        apply(&school, 12).await;
        if switch == "maintenance" {
            school.set("classin.maintenance", "errno_901");
        } else {
            school.set("refuse_call", &format!("{REGISTER_SEVERAL}:102"));
        }
        let report = school.run_to(exit).await;
        assert_eq!(
            (count(&report, "skipped", "register"), count(&report, "skipped", "enrol")),
            (12, 12),
            "{switch:?}"
        );
        assert_eq!(school.classin_calls().len(), 1, "{switch}");
        assert!(school.failures().await.is_empty(), "{switch}");
        school.set("classin.maintenance", "off");
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class).len(), 12, "{switch}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_call_that_was_accepted_says_nothing_against_the_credentials() {
    let (school, class) = registering().await;
    apply(&school, 12).await;
    school.set("refuse_call", "addClassStudentMultiple:102");
    let report = school.run_to(Exit::Temporary).await;
    assert_eq!(count(&report, "applied", "register"), 12, "{report:#?}");
    assert_eq!(school.members(class).len(), 0);
    school.sandbox.clear_faults();
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class).len(), 12);
}

// Not of the school: 228.

#[tokio::test]
async fn an_account_outside_the_school_is_taken_into_it_and_added_again_in_the_same_run() {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", 3).await;
    let outside = school.sandbox.create_outside_account("n", &phone(5));
    school.applicant("out", &phone(5)).await;
    school.sql(&format!("UPDATE students SET classin_uid = {outside} WHERE student_id = 'out'")).await;
    school.join("out", "c1").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD, JOIN, ADD]);
    assert_eq!(school.members(class), set_of(&[uids, vec![outside]].concat()));
    assert_eq!(school.evidence(class).await[&outside], "added");
}

#[tokio::test]
async fn who_can_not_be_taken_into_the_school_is_a_dead_letter_until_the_roster_helps() {
    let (school, class, uids) = in_step(2).await;
    let outside = school.sandbox.create_outside_account("n", &phone(5));
    school.applicant("out", "").await;
    school.sql(&format!("UPDATE students SET classin_uid = {outside} WHERE student_id = 'out'")).await;
    school.join("out", "c1").await;
    school.run_as(Exit::Incomplete).await;
    let failures = school.failures().await;
    assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), ("228", "dead"), "{failures:?}");
    assert!(failures[0].message.contains("console"), "{failures:?}");
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    school.sql(&format!("UPDATE students SET phone = '{}' WHERE student_id = 'out'", phone(5))).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uids, vec![outside]].concat()));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn a_phone_of_another_account_does_not_help_and_is_tried_once() {
    let (school, _, _) = in_step(2).await;
    let outside = school.sandbox.create_outside_account("n", "");
    school.sandbox.create_outside_account("other", &phone(6));
    school.applicant("out", &phone(6)).await;
    school.sql(&format!("UPDATE students SET classin_uid = {outside} WHERE student_id = 'out'")).await;
    school.join("out", "c1").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.classin_calls(), [ADD, JOIN, ADD]);
    let failures = school.failures().await;
    assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), ("228", "dead"), "{failures:?}");
    assert!(failures[0].message.contains("two accounts"), "{failures:?}");
    school.sandbox.clear_journal();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
}

#[tokio::test]
async fn a_phone_without_any_account_is_said_to_be_so() {
    let (school, _, _) = in_step(2).await;
    let outside = school.sandbox.create_outside_account("n", "");
    school.applicant("out", &phone(6)).await;
    school.sql(&format!("UPDATE students SET classin_uid = {outside} WHERE student_id = 'out'")).await;
    school.join("out", "c1").await;
    school.run_as(Exit::Incomplete).await;
    let failures = school.failures().await;
    assert_eq!((failures[0].code.as_str(), failures[0].state.as_str()), ("113", "dead"), "{failures:?}");
    school.sandbox.clear_journal();
    school.later(DAY);
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty(), "a dead letter waits for its row to change");
    school.sandbox.create_outside_account("out", &phone(7));
    school.sql(&format!("UPDATE students SET phone = '{}' WHERE student_id = 'out'", phone(7))).await;
    school.run_as(Exit::Incomplete).await;
    assert!(!school.classin_calls().is_empty(), "another phone is another want");
}

// Memory.

#[tokio::test]
async fn an_emptied_cell_costs_nobody_a_class_and_enters_nobody_by_what_it_held() {
    let (school, class, uids) = in_step(2).await;
    school.sql("UPDATE students SET classin_uid = NULL").await;
    let other = school.class("c2").await;
    school.join("s000", "c2").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.members(class), set_of(&uids));
    assert!(school.members(other).is_empty() && school.classin_calls().is_empty());
    let failures = school.failures().await;
    assert!(failures.iter().all(|row| row.code == "no-account"), "{failures:?}");
    assert_eq!(failures.len(), 3, "one a place: {failures:?}");
}

#[tokio::test]
async fn a_uid_that_classin_never_took_is_forgotten_with_its_cell() {
    let (school, class) = registering().await;
    school.applicant("ann", &phone(1)).await;
    school.sql("UPDATE students SET classin_uid = 999999999").await;
    school.join("ann", "c1").await;
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.failures().await[0].code, "400");
    school.sql("UPDATE students SET classin_uid = NULL").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uid(&school, 1)]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn the_rosters_uid_goes_before_a_registered_one_whose_membership_is_removed() {
    let (school, class) = registering().await;
    let uids = school.fill("c1", 2).await;
    school.applicant("ann", &phone(1)).await;
    school.join("ann", "c1").await;
    school.run_as(Exit::Done).await;
    let fresh = school.sandbox.create_account("again", None);
    school.sql(&format!("UPDATE students SET classin_uid = {fresh} WHERE student_id = 'ann'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uids, vec![fresh]].concat()));
    assert_eq!(school.word("SELECT origin FROM accounts WHERE student_id = 'ann'").await, "roster");
}

#[tokio::test]
async fn a_new_student_id_keeps_the_account() {
    let (school, class) = registering().await;
    school.fill("c1", 2).await;
    school.applicant("old", &phone(1)).await;
    school.join("old", "c1").await;
    school.run_as(Exit::Done).await;
    let members = school.members(class);
    school
        .sql(
            "UPDATE students SET student_id = 'new', phone = NULL WHERE student_id = 'old'; \
              UPDATE class_members SET student_id = 'new' WHERE student_id = 'old'",
        )
        .await;
    let state = school.state().await;
    let (from, to) =
        (rosterd_core::roster::StudentId::new("old"), rosterd_core::roster::StudentId::new("new"));
    assert_eq!(state.relink(&from, &to).await.unwrap(), 2);
    state.close().await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.members(class), members);
}

#[tokio::test]
async fn neither_phones_nor_names_nor_passwords_are_kept() {
    let (school, _) = registering().await;
    apply(&school, 2).await;
    school.run_as(Exit::Done).await;
    let state = school.state().await;
    state.close().await;
    let bytes = std::fs::read(school.path("state.db")).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(&phone(0)) && !holds("Name of a00"));
    assert!(holds("registered"), "the table is in the file");
}

/// Where ClassIn echoes no token, and answers in an order of its own, an item may be said of another account.
#[tokio::test]
async fn a_refusal_without_its_token_is_not_laid_at_the_door_of_whoever_stands_in_its_place() {
    let (school, class) = registering().await;
    school.set("classin.custom_column_echo", "missing");
    school.set("classin.item_order", "reversed");
    apply(&school, 4).await;
    school.set("refuse_item", &format!("{REGISTER_SEVERAL}@1:0/134"));
    let _report = school.run().await;
    let rows = school.failures().await;
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(school.members(class).len(), 4);
}
