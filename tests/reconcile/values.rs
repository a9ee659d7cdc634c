//! Values: what is compared, what is sent, and what is left to people.

use crate::support::*;

#[tokio::test]
async fn only_changed_fields_are_sent_and_an_emptied_one_is_cleared() {
    let mut world = World::in_step(students(2)).await;
    world.edit("s000", |it| it.phone("")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    assert!(!world.candidate("s000").fields.contains_key(&PHONE));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_password_that_a_person_changed_stays_until_the_roster_has_another() {
    let mut world = World::in_step(students(2)).await;
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
    let mut world = World::in_step(students(2)).await;
    world.edit("s000", |it| it.password("")).await;
    assert_eq!(world.run().await.planned(), "");
    assert_eq!(world.candidate("s000").fields[&PASSWORD], "secret-s000");
}

#[tokio::test]
async fn a_hidden_or_masked_password_is_sent_when_the_roster_changes_it_and_only_then() {
    for echo in ["off", "masked"] {
        let mut world = World::switched(students(3), &[("echo_password", echo)]).await;
        assert_eq!(world.run().await.applied(), "3 add");
        for _ in 0..2 {
            assert_eq!(world.run().await.planned(), "", "{echo}");
        }
        world.edit("s000", |it| it.password("from the roster")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{echo}");
        assert_eq!(world.candidate("s000").fields[&PASSWORD], "from the roster");
        for _ in 0..2 {
            assert_eq!(world.run().await.planned(), "", "{echo}");
        }
    }
}

#[tokio::test]
async fn a_value_that_the_service_does_not_take_is_not_sent_for_ever() {
    let mut world = World::in_step(students(3)).await;
    world.set("clear_value", "ignored");
    world.edit("s000", |it| it.phone("")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
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
    let mut world = World::in_step([student("s1").named("Zoe\u{308} Brown")]).await;
    world.edit("s1", |it| it.named("  Zo\u{eb} Brown ")).await;
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_field_that_somebody_changed_by_hand_is_put_right() {
    let world = World::in_step(students(3)).await;
    world.sandbox.edit_candidate(world.sid("s000").await, &[(PHONE, "by hand"), (GENDER, "")]);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}
