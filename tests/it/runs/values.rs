//! Values: what is compared, what is sent, and what is left to people.

use rosterd_testkit::*;

#[tokio::test]
async fn a_login_value_that_a_spreadsheet_spoilt_is_the_whole_number_where_its_column_holds_numbers() {
    for (stored, entered) in [
        (["1001.0", "1002.0", "1003.0"], ["1001", "1002", "1003"]),
        (["1001", "1002.0", "1003.00"], ["1001", "1002", "1003"]),
        (["+86 1001", "12345.0", "1003"], ["+86 1001", "1003", "12345"]),
        (["none", "12345.0", "1003"], ["1003", "12345", "none"]),
        (["s1001", "12345.0", "1003"], ["1003", "12345.0", "s1001"]),
        (["1.5", "12345.0", "1003"], ["1.5", "1003", "12345.0"]),
        (["anna", "bo", "12345.0"], ["12345.0", "anna", "bo"]),
    ] {
        let people = stored.iter().enumerate().map(|(at, login)| student(&format!("s{at}")).login(login));
        // An empty row by itself, and one value that the careful reading alone can tell.
        for careful in
            ["", "UPDATE students SET gender = CAST('m' || char(31) AS TEXT) WHERE student_id = 's0'"]
        {
            let world = ExamSchool::with(people.clone()).await;
            if !careful.is_empty() {
                world.sql(careful).await;
            }
            assert_eq!(world.run().await.applied(), "3 add", "{stored:?}");
            assert_eq!(world.logins(), entered, "{stored:?} {careful}");
            assert_eq!(world.run().await.planned(), "", "{stored:?} {careful}");
        }
    }
}

#[tokio::test]
async fn only_changed_fields_are_sent_and_an_emptied_one_is_cleared() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.edit("s000", |it| it.phone("")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    assert!(!world.candidate("s000").fields.contains_key(&PHONE));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_password_that_a_person_changed_stays_until_the_roster_has_another() {
    let mut world = ExamSchool::in_step(students(2)).await;
    let sid = world.sid("s000").await;
    world.sandbox.edit_candidate(sid, &[(PASSWORD, "their own")]);
    assert_eq!(world.run_later().await.planned(), "");
    assert_eq!(world.candidate("s000").fields[&PASSWORD], "their own");
    world.edit("s000", |it| it.password("from the roster")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.candidate("s000").fields[&PASSWORD], "from the roster");
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_password_that_is_emptied_on_the_roster_is_left_alone() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.edit("s000", |it| it.password("")).await;
    assert_eq!(world.run().await.planned(), "");
    assert_eq!(world.candidate("s000").fields[&PASSWORD], "secret-s000");
}

#[tokio::test]
async fn a_hidden_or_masked_password_is_sent_when_the_roster_changes_it_and_only_then() {
    for echo in ["off", "masked"] {
        let mut world = ExamSchool::switched(students(3), &[("echo_password", echo)]).await;
        assert_eq!(world.run().await.applied(), "3 add", "{echo:?}");
        for _ in 0..2 {
            assert_eq!(world.run().await.planned(), "", "{echo}");
        }
        world.edit("s000", |it| it.password("from the roster")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{echo}");
        assert_eq!(world.candidate("s000").fields[&PASSWORD], "from the roster", "{echo:?}");
        for _ in 0..2 {
            assert_eq!(world.run().await.planned(), "", "{echo}");
        }
    }
}

#[tokio::test]
async fn a_value_that_the_service_does_not_take_is_not_sent_for_ever() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.set("clear_value", "ignored");
    world.edit("s000", |it| it.phone("")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.run().await.applied(), "1 modify", "once more: it may have been somebody's hand");
    for _ in 0..3 {
        assert_eq!(world.run().await.planned(), "");
    }
    world.edit("s000", |it| it.phone("another")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.candidate("s000").fields[&PHONE], "another");
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn white_space_and_forms_of_the_same_letter_make_no_difference() {
    let mut world = ExamSchool::in_step([student("s1").named("Zoe\u{308} Brown")]).await;
    world.edit("s1", |it| it.named("  Zo\u{eb} Brown ")).await;
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_field_that_somebody_changed_by_hand_is_put_right() {
    let world = ExamSchool::in_step(students(3)).await;
    world.sandbox.edit_candidate(world.sid("s000").await, &[(PHONE, "by hand"), (GENDER, "")]);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_value_changed_by_hand_right_after_it_was_written_is_put_right() {
    for (times, by_hand) in [(1, ["by hand"; 3]), (3, ["one", "another", "a third"])] {
        let mut world = ExamSchool::in_step(students(3)).await;
        let sid = world.sid("s000").await;
        world.edit("s000", |it| it.phone("from the roster")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{times:?}");
        for value in by_hand.into_iter().take(times) {
            world.sandbox.edit_candidate(sid, &[(PHONE, value)]);
            assert_eq!(world.run().await.applied(), "1 modify", "{value}");
            assert_eq!(world.candidate("s000").fields[&PHONE], "from the roster", "{times:?}");
        }
        for _ in 0..2 {
            assert_eq!(world.run().await.planned(), "", "{times} times by hand");
        }
        assert!(world.link("s000").await.unwrap().rewritten.is_empty(), "{times:?}");
        world.sandbox.edit_candidate(sid, &[(PHONE, "by hand much later")]);
        assert_eq!(world.run().await.applied(), "1 modify", "{times:?}");
    }
}

#[tokio::test]
async fn what_is_sent_once_more_is_not_held_as_too_many_modifies() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.set("clear_value", "ignored");
    for number in 0..20 {
        world.edit(&format!("s{number:03}"), |it| it.phone("")).await;
    }
    assert_eq!(world.run().await.applied(), "20 modify");
    world.settings.guard.max_modify = rosterd_core::roster::Limit::Count(3);
    assert_eq!(world.run().await.applied(), "20 modify", "the same again");
    assert_eq!(world.run().await.planned(), "");
}
