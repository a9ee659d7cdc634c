//! One contact or one account for more than three students: nobody is registered or enrolled by it before a person has
//! said so.

use rosterd::{Exit, RunReport};
use rosterd_core::failure::FailureState;
use rosterd_testkit::{DAY, School};

use super::accounts::{apply, phone, registering};
use super::{count, in_step, set_of};
use crate::program::Programs as _;

const OFFICE: usize = 900;

/// So many students with the phone number of the office.
async fn with_one_phone(school: &School, ids: &[&str]) {
    for id in ids {
        school.applicant(id, &phone(OFFICE)).await;
        school.join(id, "c1").await;
    }
}

async fn is_held_once(school: &School, names: &str) -> RunReport {
    let report = school.run_to(Exit::Held).await;
    let rows = school.failures().await;
    let held: Vec<_> = rows.iter().filter(|row| row.state == FailureState::Held).collect();
    assert_eq!(held.len(), 1, "{rows:?}");
    assert_eq!((held[0].code.as_str(), held[0].owner), ("shared-contact", "office"));
    assert!(held[0].message.contains(names), "{}", held[0].message);
    assert!(!held[0].message.contains(&phone(OFFICE)), "{}", held[0].message);
    assert_eq!(report.holds.iter().filter(|hold| hold.reason_code == "shared-contact").count(), 1);
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.attention["held-people"].count, 1, "{:?}", report.attention);
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    report
}

#[tokio::test]
async fn three_siblings_share_a_phone_and_an_account_without_a_word() {
    let (school, class) = registering().await;
    with_one_phone(&school, &["a", "b", "c"]).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[school.sandbox.account(&phone(OFFICE)).unwrap()]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn five_students_with_one_office_phone_are_neither_registered_nor_enrolled_until_a_person_says_so() {
    for naming in [
        ["--reason", "shared-contact"].as_slice(),
        &["--student", "a", "--student", "b", "--student", "c", "--student", "d", "--student", "e"],
    ] {
        let (school, class) = registering().await;
        with_one_phone(&school, &["a", "b", "c", "d", "e"]).await;
        school.applicant("other", &phone(1)).await;
        school.join("other", "c1").await;
        let report = is_held_once(&school, "5 students have one phone or e-mail (a, b, c, d, e)").await;
        assert_eq!((count(&report, "held", "register"), count(&report, "skipped", "enrol")), (5, 5));
        assert_eq!(school.sandbox.account(&phone(OFFICE)), None);
        assert_eq!(
            school.members(class),
            set_of(&[school.sandbox.account(&phone(1)).unwrap()]),
            "nobody else waits"
        );
        let digest = report.held_digest.clone().unwrap();
        assert_eq!(school.program(&["approve", &digest]).code, 1, "a digest alone does not cover it");
        let approve: Vec<&str> = ["approve", &digest].into_iter().chain(naming.iter().copied()).collect();
        assert_eq!(school.program(&approve).code, 0);
        let report = school.run_to(Exit::Done).await;
        assert_eq!((count(&report, "applied", "register"), count(&report, "applied", "enrol")), (5, 5));
        assert!(school.members(class).contains(&school.sandbox.account(&phone(OFFICE)).unwrap()));
        assert!(school.failures().await.is_empty());
        // What was said of the contact stays true for another class.
        let second = school.class("c2").await;
        school.later(2 * DAY);
        school.join("a", "c2").await;
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(second).len(), 1);
    }
}

#[tokio::test]
async fn a_typo_that_makes_a_fourth_keeps_what_the_others_have_and_gives_nobody_more() {
    let (school, class) = registering().await;
    with_one_phone(&school, &["a", "b", "c"]).await;
    school.run_as(Exit::Done).await;
    let shared = school.sandbox.account(&phone(OFFICE)).unwrap();
    with_one_phone(&school, &["d"]).await;
    let second = school.class("c2").await;
    school.join("a", "c2").await;
    let report = is_held_once(&school, "4 students have one phone or e-mail (a, b, c, d)").await;
    assert_eq!((count(&report, "held", "register"), count(&report, "held", "enrol")), (1, 1));
    assert_eq!(school.members(class), set_of(&[shared]), "who is there stays there");
    assert!(school.members(second).is_empty());
    // The typo is mended.
    school.sql(&format!("UPDATE students SET phone = '{}' WHERE student_id = 'd'", phone(4))).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[shared, school.sandbox.account(&phone(4)).unwrap()]));
    assert_eq!(school.members(second), set_of(&[shared]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn one_of_four_who_leaves_again_lets_the_other_three_go_on() {
    let (school, class) = registering().await;
    with_one_phone(&school, &["a", "b", "c", "d"]).await;
    let _held = is_held_once(&school, "(a, b, c, d)").await;
    school.sql("UPDATE students SET active = 0 WHERE student_id = 'd'").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[school.sandbox.account(&phone(OFFICE)).unwrap()]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn who_ignores_the_hold_leaves_them_without_an_account_until_another_one_comes() {
    let (school, _) = registering().await;
    with_one_phone(&school, &["a", "b", "c", "d"]).await;
    let _held = is_held_once(&school, "(a, b, c, d)").await;
    let id = school.failures().await[0].id.to_string();
    assert_eq!(school.program(&["failures", "ignore", &id]).code, 0);
    for _ in 0..2 {
        let report = school.run_to(Exit::Done).await;
        assert!(report.attention.is_empty() && report.holds.is_empty(), "{report:#?}");
    }
    assert_eq!(school.sandbox.account(&phone(OFFICE)), None);
    with_one_phone(&school, &["e"]).await;
    let _held = is_held_once(&school, "(a, b, c, d, e)").await;
}

#[tokio::test]
async fn one_uid_typed_down_a_column_enrols_nobody_and_takes_nobody_out() {
    let (school, class, uids) = in_step(6).await;
    school.sql(&format!("UPDATE students SET classin_uid = {}", uids[0])).await;
    let report = school.run_to(Exit::Held).await;
    let rows = school.failures().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(
        rows[0].message.contains(&format!("6 students have one ClassIn account (uid {})", uids[0])),
        "{rows:?}"
    );
    assert_eq!(school.members(class), set_of(&uids), "{report:#?}");
}

#[tokio::test]
async fn students_of_one_account_who_are_in_their_class_already_stay_there_and_are_no_news() {
    let (school, class, _) = in_step(3).await;
    let uid = school.student("s1").await;
    school.join("s1", "c1").await;
    school.run_as(Exit::Done).await;
    for id in ["s2", "s3", "s4"] {
        school
            .sql(&format!("INSERT INTO students (student_id, name, classin_uid) VALUES ('{id}', 'n', {uid})"))
            .await;
    }
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty() && school.members(class).contains(&uid));
}

/// The command that the row of this student names, ready to be typed.
async fn command_of(school: &School, student: &str) -> Vec<String> {
    let rows = school.failures().await;
    let row = rows.iter().find(|row| row.student_id == student && row.state == FailureState::Held);
    let message = row.map(|row| row.message.clone()).unwrap_or_default();
    let command = message.split_once("rosterd ").map(|(_, command)| command.to_owned());
    let command = command.unwrap_or_else(|| panic!("no command in the row of {student}: {rows:?}"));
    command.split(' ').map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn the_command_in_the_row_of_one_shared_contact_covers_all_of_that_row_and_nothing_of_another() {
    let (school, class) = registering().await;
    with_one_phone(&school, &["a", "b", "c", "d"]).await;
    for id in ["p", "q", "r", "s"] {
        school.applicant(id, &phone(OFFICE + 1)).await;
        school.join(id, "c1").await;
    }
    school.run_as(Exit::Held).await;
    let command = command_of(&school, "p").await;
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let approved = school.program(&command);
    assert!(approved.code == 0 && approved.stdout.contains("student s"), "{command:?}: {approved:?}");
    assert!(!approved.stdout.contains("student a"), "{approved:?}");
    school.run_as(Exit::Done).await;
    assert_eq!(school.sandbox.account(&phone(OFFICE)), None, "{command:?}");
    let uid = school.sandbox.account(&phone(OFFICE + 1));
    assert_eq!(school.members(class), uid.into_iter().collect(), "{command:?}");
    let rows = school.failures().await;
    assert!(rows.len() == 1 && rows[0].student_id == "a", "{rows:?}");
}

#[tokio::test]
async fn the_command_in_the_row_of_one_exchanged_account_covers_that_student_alone() {
    let (school, class, uids) = in_step(6).await;
    for (student, account) in [("s000", uids[1]), ("s002", uids[3])] {
        school
            .sql(&format!("UPDATE students SET classin_uid = {account} WHERE student_id = '{student}'"))
            .await;
    }
    school.run_as(Exit::Held).await;
    assert_eq!(school.failures().await.len(), 2);
    let command = command_of(&school, "s000").await;
    assert_eq!(command[2..], ["--student", "s000"]);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    assert_eq!(school.program(&command).code, 0, "{command:?}");
    let _run = school.run().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids[1..]), "s000 is a sibling now, and s002 keeps the place");
}

#[tokio::test]
async fn the_command_in_the_row_of_phones_that_changed_places_covers_both_students() {
    let (school, _) = registering().await;
    apply(&school, 6).await;
    school.run_as(Exit::Done).await;
    school.later(30 * DAY);
    for (one, other) in [(0, 1), (2, 3)] {
        for (student, at) in [(one, other), (other, one)] {
            school
                .sql(&format!(
                    "UPDATE students SET phone = '{}' WHERE student_id = 'a{student:02}'",
                    phone(at)
                ))
                .await;
        }
    }
    school.run_as(Exit::Held).await;
    assert_eq!(command_of(&school, "a00").await[2..], ["--student", "a00", "--student", "a01"]);
    assert_eq!(command_of(&school, "a02").await[2..], ["--student", "a02", "--student", "a03"]);
}
