//! Accounts that are another student's by a slip: phones that changed places, the uid of somebody who has just left, an account in
//! doubt in one class and left in another.

use std::collections::BTreeSet;

use rosterd::Exit;
use rosterd_core::failure::FailureState;
use rosterd_testkit::{ClassIds, DAY, School};

use super::accounts::{apply, phone, registering, uid};
use super::{in_step, set_of};
use crate::program::Programs as _;

// Phones that changed places.

async fn phone_of(school: &School, at: usize, number: usize) {
    let phone = phone(number);
    school.sql(&format!("UPDATE students SET phone = '{phone}' WHERE student_id = 'a{at:02}'")).await;
}

/// Four students, each in a class of their own beside the one of all; the classes.
async fn four() -> (School, ClassIds, Vec<ClassIds>) {
    let (school, all) = registering().await;
    apply(&school, 4).await;
    let mut own = Vec::new();
    for at in 0..4 {
        let code = format!("l{at}");
        own.push(school.class(&code).await);
        school.join(&format!("a{at:02}"), &code).await;
    }
    school.run_as(Exit::Done).await;
    school.sandbox.clear_journal();
    (school, all, own)
}

/// A person says that what is held under this digest is right.
async fn grant(school: &School, digest: &str) {
    let state = school.state().await;
    let held = state.approvable(digest).await.unwrap();
    let until_ms = school.clock.now_ms() + DAY;
    let granted: Vec<_> = held.into_iter().map(|one| (one, until_ms)).collect();
    assert!(!granted.is_empty());
    state.grant(&granted, school.clock.now_ms()).await.unwrap();
    state.close().await;
}

fn each_in_their_own(school: &School, own: &[ClassIds], shift: usize) {
    for (at, class) in own.iter().enumerate() {
        let whose = (at + shift) % own.len();
        assert_eq!(school.members(*class), set_of(&[uid(school, whose)]), "class of a{at:02}");
    }
}

#[tokio::test]
async fn phones_that_went_round_put_nobody_into_the_class_of_another_until_a_person_says_so() {
    for mended in [true, false] {
        let (school, _, own) = four().await;
        for at in 0..4 {
            phone_of(&school, at, (at + 1) % 4).await;
        }
        let report = school.run_to(Exit::Held).await;
        assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
        let rows = school.failures().await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.code.as_str(), row.state), ("shared-contact", FailureState::Held), "{row:?}");
        assert!(row.message.contains("a00, a01, a02, a03 have changed places"), "{}", row.message);
        school.later(DAY);
        school.run_as(Exit::Done).await;
        each_in_their_own(&school, &own, 0);
        if mended {
            for at in 0..4 {
                phone_of(&school, at, at).await;
            }
            school.run_as(Exit::Done).await;
            assert!(school.classin_calls().is_empty() && school.failures().await.is_empty());
        } else {
            let _held = school.run().await;
            grant(&school, &report.held_digest.unwrap()).await;
            let _run = school.run().await;
            each_in_their_own(&school, &own, 1);
        }
    }
}

#[tokio::test]
async fn two_who_exchange_their_phones_are_asked_about_and_one_who_gets_a_new_one_is_not() {
    let (school, _, own) = four().await;
    phone_of(&school, 0, 1).await;
    phone_of(&school, 1, 0).await;
    phone_of(&school, 2, 77).await;
    let _held = school.run_to(Exit::Held).await;
    let rows = school.failures().await;
    assert!(rows.len() == 1 && rows[0].message.contains("a00, a01 have changed places"), "{rows:?}");
    assert_eq!(school.members(own[0]), set_of(&[uid(&school, 0)]));
    assert_eq!(school.members(own[1]), set_of(&[uid(&school, 1)]));
    assert_eq!(school.members(own[2]), set_of(&[uid(&school, 77)]), "a new number is a new account");
}

/// Long after the accounts were obtained, each of the four has the phone of the next, and the last one a new number.
async fn slipped() -> (School, Vec<ClassIds>) {
    let (school, _, own) = four().await;
    school.later(15 * DAY);
    for at in 0..4 {
        phone_of(&school, at, if at == 3 { 77 } else { at + 1 }).await;
    }
    (school, own)
}

#[tokio::test]
async fn phones_that_slipped_by_one_row_in_a_school_at_work_are_asked_about() {
    let (school, own) = slipped().await;
    let report = school.run_to(Exit::Held).await;
    assert!(school.classin_calls().is_empty(), "{:?}", school.classin_calls());
    let rows = school.failures().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.code.as_str(), row.state), ("shared-contact", FailureState::Held), "{row:?}");
    assert!(row.message.contains("a00, a01, a02, a03 have moved on from one to the next"), "{}", row.message);
    school.later(DAY);
    school.run_as(Exit::Done).await;
    each_in_their_own(&school, &own, 0);
    let _held = school.run().await;
    grant(&school, &report.held_digest.unwrap()).await;
    let _run = school.run().await;
    for (at, class) in own.iter().enumerate() {
        let whose = if at == 3 { 77 } else { at + 1 };
        assert_eq!(school.members(*class), set_of(&[uid(&school, whose)]), "class of a{at:02}: it was right");
    }
}

#[tokio::test]
async fn phones_that_slipped_and_are_mended_change_nothing() {
    let (school, own) = slipped().await;
    school.run_as(Exit::Held).await;
    for at in 0..4 {
        phone_of(&school, at, at).await;
    }
    school.run_as(Exit::Done).await;
    assert!(school.classin_calls().is_empty() && school.failures().await.is_empty());
    each_in_their_own(&school, &own, 0);
}

#[tokio::test]
async fn one_phone_that_is_handed_down_is_asked_of_classin_alone_whenever_that_happens() {
    let (school, _, own) = four().await;
    school.later(200 * DAY);
    phone_of(&school, 2, 3).await;
    phone_of(&school, 3, 77).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(own[2]), set_of(&[uid(&school, 3)]));
    assert_eq!(school.members(own[3]), set_of(&[uid(&school, 77)]));
    assert!(school.failures().await.is_empty());
}

// The uid of a leaver.

#[tokio::test]
async fn a_uid_of_somebody_who_has_just_left_is_asked_about_as_that_of_anybody_else() {
    for same_class in [true, false] {
        let (school, class, uids) = in_step(5).await;
        let second = school.class("c2").await;
        let leaver = school.student("gone").await;
        school.join("gone", if same_class { "c1" } else { "c2" }).await;
        school.run_as(Exit::Done).await;
        school.drop_student("gone").await;
        school.run_as(Exit::Done).await;
        school.sandbox.clear_journal();
        school.sql(&format!("UPDATE students SET classin_uid = {leaver} WHERE student_id = 's000'")).await;
        school.run_as(Exit::Held).await;
        let rows = school.failures().await;
        assert!(
            rows.iter().any(|row| row.code == "shared-contact" && row.message.contains("gone")),
            "{rows:?}"
        );
        assert!(school.members(class).contains(&uids[0]), "{same_class}");
        assert_eq!(school.members(second).contains(&leaver), !same_class);
        school.sql(&format!("UPDATE students SET classin_uid = {} WHERE student_id = 's000'", uids[0])).await;
        // While their account was wanted for another student they were not gone: the grace begins anew.
        for _ in 0..2 {
            school.later(5 * DAY);
            let _run = school.run().await;
        }
        school.run_as(Exit::Done).await;
        assert_eq!(school.members(class), set_of(&uids));
        assert!(school.members(second).is_empty(), "the leaver leaves when the grace has ended");
    }
}

// In doubt in one class, and left in another.

#[tokio::test]
async fn who_leaves_a_class_while_their_account_is_in_doubt_in_another_leaves_it_at_once() {
    for cell in ["88888888", "NULL", "another"] {
        let (school, first, uids) = in_step(4).await;
        let second = ClassIds { class: school.sandbox.create_class(first.course, "B"), ..first };
        school.name_class("b", second).await;
        school.sql("INSERT INTO class_members SELECT student_id, 'b' FROM students").await;
        school.run_as(Exit::Done).await;
        let cell_value = if cell == "another" { uids[1].to_string() } else { cell.to_owned() };
        school
            .sql(&format!("UPDATE students SET classin_uid = {cell_value} WHERE student_id = 's000'"))
            .await;
        let _first = school.run().await;
        school.leave("s000", "b").await;
        let _second = school.run().await;
        let without: BTreeSet<i64> = set_of(&uids[1..]);
        if cell != "another" {
            assert_eq!(school.members(second), without, "{cell}: nobody takes that place");
        }
        assert_eq!(school.members(first), set_of(&uids), "{cell}: the other class is kept");
        for _ in 0..3 {
            school.later(DAY);
            let _report = school.run().await;
            assert_eq!(school.members(first), set_of(&uids), "{cell}");
        }
        school.sql(&format!("UPDATE students SET classin_uid = {} WHERE student_id = 's000'", uids[0])).await;
        let _mended = school.run().await;
        school.run_as(Exit::Done).await;
        assert_eq!((school.members(first), school.members(second)), (set_of(&uids), without), "{cell}");
        assert!(school.failures().await.is_empty(), "{cell}: {:?}", school.failures().await);
    }
}

// One phone for many, of whom some have a cell.

#[tokio::test]
async fn a_phone_of_five_stays_one_of_five_when_the_uids_of_two_are_entered() {
    const OFFICE: usize = 900;
    let (school, class) = registering().await;
    for id in ["a", "b", "c", "d", "e"] {
        school.applicant(id, &phone(OFFICE)).await;
        school.join(id, "c1").await;
    }
    school.run_as(Exit::Held).await;
    for id in ["a", "b"] {
        let uid = school.sandbox.create_account(id, None);
        school.sql(&format!("UPDATE students SET classin_uid = {uid} WHERE student_id = '{id}'")).await;
    }
    let _run = school.run().await;
    assert_eq!(school.members(class).len(), 2, "whose account is known");
    assert_eq!(school.sandbox.account(&phone(OFFICE)), None, "nobody is registered by it");
    let rows = school.failures().await;
    assert!(rows.len() == 1 && rows[0].message.contains("5 students have one phone"), "{rows:?}");
    let plan = school.program(&["plan"]);
    assert!(plan.code == 0 || plan.code == 4, "{plan:?}");
}
