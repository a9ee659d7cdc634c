//! Why an account is believed, and what happens when the reason is gone: changed contacts, recycled numbers, dead
//! accounts, cells that were wrong. Who is in the class is read in the sandbox.

use rosterd::Exit;
use rosterd_core::failure::FailureState;

use super::accounts::{apply, phone, registering, uid};
use super::{ADD, JOIN, REGISTER, REMOVE, count, set_of};
use rosterd_testkit::{ClassIds, DAY, School};

async fn phone_of(school: &School, id: &str, number: usize) {
    school.sql(&format!("UPDATE students SET phone = '{}' WHERE student_id = '{id}'", phone(number))).await;
}

/// Three students whom rosterd registered and enrolled.
async fn registered() -> (School, ClassIds) {
    let (school, class) = registering().await;
    apply(&school, 3).await;
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    (school, class)
}

/// What a run after the good one finds to do.
async fn is_at_rest(school: &School) {
    school.sandbox.clear_journal();
    let report = school.run_to(Exit::Done).await;
    assert_eq!(report.outcome.as_str(), "converged", "{report:#?}");
    assert_eq!(school.classin_calls(), [""; 0]);
}

#[tokio::test]
async fn a_corrected_phone_asks_again_and_takes_the_stranger_out() {
    let (school, class) = registering().await;
    apply(&school, 2).await;
    // One digit is wrong: the number of somebody who never heard of the school.
    let stranger = school.sandbox.create_outside_account("Stranger", &phone(77));
    phone_of(&school, "a00", 77).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[stranger, uid(&school, 1)]));
    phone_of(&school, "a00", 0).await;
    school.sandbox.clear_journal();
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, ADD, REMOVE]);
    assert_eq!(school.members(class), set_of(&[uid(&school, 0), uid(&school, 1)]));
    is_at_rest(&school).await;
}

#[tokio::test]
async fn a_column_of_phones_that_was_shifted_by_one_row_is_put_right() {
    let (school, class) = registering().await;
    apply(&school, 4).await;
    for at in 0..4 {
        phone_of(&school, &format!("a{at:02}"), at + 1).await;
    }
    school.run_as(Exit::Done).await;
    for at in 0..4 {
        phone_of(&school, &format!("a{at:02}"), at).await;
    }
    school.run_as(Exit::Done).await;
    let right: Vec<i64> = (0..4).map(|at| uid(&school, at)).collect();
    assert_eq!(school.members(class), set_of(&right));
    for at in 0..4 {
        let remembered =
            school.number(&format!("SELECT uid FROM accounts WHERE student_id = 'a{at:02}'")).await;
        assert_eq!(remembered, uid(&school, at), "a{at:02}");
    }
    is_at_rest(&school).await;
}

#[tokio::test]
async fn a_number_that_its_owner_changed_in_the_client_too_names_the_same_account() {
    let (school, class) = registered().await;
    let before = school.members(class);
    school.sandbox.change_contact(uid(&school, 0), &phone(50));
    phone_of(&school, "a00", 50).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [REGISTER, JOIN]);
    assert_eq!(school.members(class), before);
    is_at_rest(&school).await;
}

#[tokio::test]
async fn a_recycled_number_names_its_owner_of_today() {
    let (school, class) = registered().await;
    let former = uid(&school, 0);
    // The parent of a00 has another number in the app; the old one belongs to the family of a newcomer.
    let newcomer = school.sandbox.recycle_contact(&phone(0), "Han");
    school.applicant("b00", &phone(0)).await;
    school.join("b00", "c1").await;
    school.sql("DELETE FROM class_members WHERE student_id = 'a00'").await;
    school.run_as(Exit::Done).await;
    assert_ne!(former, newcomer);
    assert_eq!(school.members(class), set_of(&[newcomer, uid(&school, 1), uid(&school, 2)]));
    is_at_rest(&school).await;
}

#[tokio::test]
async fn a_number_that_went_from_a_leaver_to_a_newcomer_brings_the_newcomer_their_own_account() {
    let (school, class) = registered().await;
    let former = uid(&school, 0);
    school.drop_student("a00").await;
    let newcomer = school.sandbox.recycle_contact(&phone(0), "Han");
    school.applicant("b00", &phone(0)).await;
    school.join("b00", "c1").await;
    for _ in 0..3 {
        let _report = school.run().await;
        school.later(2 * DAY);
    }
    assert_eq!(school.members(class), set_of(&[newcomer, uid(&school, 1), uid(&school, 2)]));
    assert!(!school.members(class).contains(&former));
}

#[tokio::test]
async fn a_cancelled_account_of_our_finding_is_found_anew_once() {
    for joins in ["joins", "ignored"] {
        let (school, class) = registered().await;
        school.set("classin.joined_on_existing", joins);
        school.class("c2").await;
        let old = uid(&school, 0);
        let new = school.sandbox.replace_account(old).unwrap();
        school.join("a00", "c2").await;
        let report = school.run_to(Exit::Done).await;
        let calls = school.classin_calls();
        assert_eq!(calls[..3], [ADD, REGISTER, JOIN], "{joins}");
        let of = |call: &str| calls[3..].iter().filter(|made| *made == call).count();
        assert_eq!(
            (of(ADD), of(REMOVE), calls.len()),
            (2, 1, 6),
            "{joins}: no more than in two runs: {calls:?}"
        );
        assert_eq!(
            (count(&report, "failed", "enrol"), count(&report, "applied", "enrol")),
            (0, 2),
            "{joins}"
        );
        assert_eq!(school.members(class), set_of(&[new, uid(&school, 1), uid(&school, 2)]), "{joins}");
        assert!(school.failures().await.is_empty());
        is_at_rest(&school).await;
    }
}

#[tokio::test]
async fn an_account_that_stays_dead_is_asked_for_once_and_then_waits_for_a_person() {
    let (school, class) = registered().await;
    let old = uid(&school, 0);
    school.class("c2").await;
    school.join("a00", "c2").await;
    // ClassIn names this very uid again, and refuses it again.
    school.set("refuse_item", &format!("{ADD}@*:0/400"));
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!(school.classin_calls(), [ADD, REGISTER, JOIN]);
    assert_eq!((count(&report, "failed", "enrol"), count(&report, "applied", "register")), (1, 1));
    for _ in 0..3 {
        school.later(DAY);
        school.sandbox.clear_journal();
        let _report = school.run().await;
        assert!(!school.classin_calls().contains(&REGISTER.to_owned()), "{:?}", school.classin_calls());
    }
    let failures = school.failures().await;
    assert_eq!((failures.len(), failures[0].state), (1, FailureState::Dead), "{failures:?}");
    assert!(school.members(class).contains(&old), "nobody was taken out for it");
    // Another contact is another question.
    school.sandbox.clear_faults();
    phone_of(&school, "a00", 60).await;
    school.run_as(Exit::Done).await;
    assert!(school.members(class).contains(&uid(&school, 60)));
    assert!(!school.members(class).contains(&old));
}

#[tokio::test]
async fn an_account_that_died_before_it_joined_the_school_is_found_anew() {
    let (school, class) = registering().await;
    apply(&school, 1).await;
    school.set("classin.joined_on_existing", "ignored");
    let old = school.sandbox.create_outside_account("a00", &phone(0));
    school.set("refuse_call", &format!("{JOIN}:104"));
    school.run_as(Exit::Incomplete).await;
    school.sandbox.cancel_account(old);
    school.later(DAY);
    let _found = school.run().await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uid(&school, 0)]));
    assert!(school.failures().await.is_empty());
}

#[tokio::test]
async fn a_wrong_uid_is_gone_with_its_cell_and_the_account_of_the_phone_takes_its_place() {
    let (school, class) = registering().await;
    apply(&school, 2).await;
    let classmate = school.sandbox.create_account("Classmate", None);
    school.sql(&format!("UPDATE students SET classin_uid = {classmate} WHERE student_id = 'a00'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[classmate, uid(&school, 1)]));
    school.sql("UPDATE students SET classin_uid = NULL WHERE student_id = 'a00'").await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[uid(&school, 0), uid(&school, 1)]));
    is_at_rest(&school).await;
}

#[tokio::test]
async fn a_corrected_uid_takes_the_place_of_one_that_was_found() {
    let (school, class) = registered().await;
    let right = school.sandbox.create_account("the right one", None);
    school.sql(&format!("UPDATE students SET classin_uid = {right} WHERE student_id = 'a00'")).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.classin_calls(), [ADD, REMOVE]);
    assert_eq!(school.members(class), set_of(&[right, uid(&school, 1), uid(&school, 2)]));
    is_at_rest(&school).await;
}

#[tokio::test]
async fn whoever_cannot_be_asked_for_by_the_new_contact_keeps_the_places_and_gets_no_new_one() {
    let (school, class) = registered().await;
    let old = uid(&school, 0);
    let other = school.class("c2").await;
    school.join("a00", "c2").await;
    phone_of(&school, "a00", 70).await;
    school.set("refuse_call", &format!("{REGISTER}:134"));
    let report = school.run_to(Exit::Incomplete).await;
    assert_eq!((count(&report, "failed", "register"), count(&report, "skipped", "enrol")), (1, 1));
    assert!(school.members(class).contains(&old) && school.members(other).is_empty());
    let failures = school.failures().await;
    assert_eq!((failures.len(), failures[0].code.as_str()), (1, "134"), "{failures:?}");
    school.sandbox.clear_journal();
    school.later(DAY);
    let _report = school.run().await;
    assert!(school.classin_calls().is_empty(), "a dead letter is not tried");
    // The office finds the slip.
    phone_of(&school, "a00", 71).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(other), set_of(&[uid(&school, 71)]));
    assert!(school.members(class).contains(&uid(&school, 71)) && !school.members(class).contains(&old));
}

#[tokio::test]
async fn an_emptied_phone_doubts_nobody() {
    let (school, class) = registered().await;
    let before = school.members(class);
    school.sql("UPDATE students SET phone = NULL WHERE student_id = 'a00'").await;
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.members(class), before);
}

#[tokio::test]
async fn who_has_an_account_keeps_it_when_the_phone_becomes_unreadable_even_with_an_email() {
    for slip in ["12", "ask his mother", "1380000OO01", "0"] {
        let (school, class) = registered().await;
        let before = school.members(class);
        let update = format!("phone = '{slip}', email = 'ann@example.org'");
        school.sql(&format!("UPDATE students SET {update} WHERE student_id = 'a00'")).await;
        // It counts in the run that finds it, and stands in `failures` until the cell is mended.
        for end in [Exit::Incomplete, Exit::Done] {
            school.run_as(end).await;
            assert!(school.classin_calls().is_empty(), "{slip}");
            assert_eq!(school.members(class), before, "{slip}");
            let rows = school.failures().await;
            assert_eq!(rows.len(), 1, "{slip}: {rows:?}");
        }
        phone_of(&school, "a00", 0).await;
        is_at_rest(&school).await;
    }
}

#[tokio::test]
async fn an_unreadable_phone_registers_nobody_by_the_email_and_is_asked_for_once_it_is_mended() {
    let (school, class) = registering().await;
    school.applicant("ann", "1380000").await;
    school.sql("UPDATE students SET email = 'ann@example.org' WHERE student_id = 'ann'").await;
    school.join("ann", "c1").await;
    let by_phone = school.sandbox.create_account("Ann", Some(&phone(5)));
    school.run_as(Exit::Incomplete).await;
    assert_eq!(school.sandbox.account("ann@example.org"), None);
    assert!(school.members(class).is_empty());
    phone_of(&school, "ann", 5).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&[by_phone]));
}

#[tokio::test]
async fn neither_a_plan_nor_a_school_that_does_not_register_asks_about_a_changed_contact() {
    let (mut school, class) = registered().await;
    let before = school.members(class);
    phone_of(&school, "a00", 80).await;
    let (_, intended) = school.plan().await;
    let kinds: Vec<&str> = intended.classin.operations.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, ["register"]);
    assert!(school.classin_calls().is_empty());
    school.setting("CLASSIN__REGISTER", "false");
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty());
    assert_eq!(school.members(class), before);
}

#[tokio::test]
async fn an_account_is_remembered_with_contact_call_code_and_time() {
    let (school, _) = registered().await;
    let row = |column: &str| format!("SELECT {column} FROM accounts WHERE student_id = 'a00'");
    assert_eq!(school.word(&row("obtained_by")).await, "registerMultiple");
    assert_eq!(school.number(&row("obtained_code")).await, 1);
    assert!((school.clock.now_ms() - school.number(&row("obtained_at_ms")).await).abs() < DAY);
    let contact = school.number(&row("contact")).await;
    school.sandbox.recycle_contact(&phone(40), "Han");
    phone_of(&school, "a00", 40).await;
    school.run_as(Exit::Done).await;
    assert_eq!(
        (school.word(&row("obtained_by")).await, school.number(&row("obtained_code")).await),
        (REGISTER.to_owned(), 135)
    );
    assert_ne!(school.number(&row("contact")).await, contact);
}
