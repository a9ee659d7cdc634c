//! Comparing values: normal form, hidden fields, passwords, values that the service rewrites.

use rosterd_core::exam_plan::{Change, LinkNote};
use rosterd_core::roster::FieldId;

use crate::support::*;

#[test]
fn values_that_differ_only_in_blanks_and_composition_are_equal() {
    let mut world = converged([student("s1").name("Jos\u{e9}")]);
    world.of("s1").fields.insert(NAME, " Jose\u{301}\u{3000}".to_owned());
    assert!(world.plan().is_empty());
}

#[test]
fn absent_and_empty_are_equal() {
    let mut world = converged([student("s1").phone(""), student("s2")]);
    assert!(world.plan().is_empty());
    world.of("s1").fields.insert(PHONE, " ".to_owned());
    assert!(world.plan().is_empty());
}

#[test]
fn an_emptied_value_is_sent_as_an_empty_string() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").phone(""));
    assert_eq!(world.lines(), ["modify s1 phone"]);
    let Change::Modify(modification) = world.plan().operations[0].change.clone() else { panic!("a modify") };
    assert_eq!(modification.values[0].value, "");
    world.run(100);
    assert!(world.plan().is_empty());
}

#[test]
fn an_emptied_password_is_never_sent() {
    let mut world = converged([student("s1").password("pw"), student("s2").password("pw")]);
    world.set(student("s1").password(""));
    assert!(world.plan().is_empty());
    world.hidden.insert(PASSWORD);
    assert!(world.plan().is_empty());
}

#[test]
fn a_hidden_field_is_sent_when_the_rosters_value_is_not_the_one_last_confirmed() {
    for field in [PHONE, PASSWORD] {
        let before = student("s1").phone("1").password("1");
        let mut world = converged([before.clone(), student("s2")]);
        world.hidden.insert(field);
        assert!(world.plan().is_empty(), "field {field}");
        world.set(if field == PHONE { before.phone("2") } else { before.password("2") });
        assert_eq!(world.plan().operations.len(), 1, "field {field}");
        world.run(100);
        assert!(world.plan().is_empty(), "field {field}");
    }
}

#[test]
fn a_hidden_field_that_was_emptied_is_sent_once() {
    let mut world = converged([student("s1").phone("1")]);
    world.hidden.insert(PHONE);
    world.set(student("s1").phone(""));
    assert_eq!(world.lines(), ["modify s1 phone"]);
    world.run(100);
    assert!(world.plan().is_empty());
}

#[test]
fn a_password_that_its_owner_changed_stays_until_the_rosters_own_changes() {
    let mut world = converged([student("s1").password("pw"), student("s2").password("pw")]);
    world.of("s1").fields.insert(PASSWORD, "mine".to_owned());
    assert!(world.plan().is_empty());
    world.set(student("s1").password("fresh"));
    assert_eq!(world.lines(), ["modify s1 password"]);
}

#[test]
fn the_listed_password_of_an_adopted_candidate_stays_and_is_remembered() {
    let mut world = converged([student("s1").password("pw")]);
    world.enter(candidate("s2").field(PHONE, "552").field(PASSWORD, "mine"));
    world.set(student("s2").password("roster"));
    assert_eq!(world.lines(), ["adopt s2"]);
    world.run(100);
    assert!(world.plan().is_empty());
    world.set(student("s2").password("changed"));
    assert_eq!(world.lines(), ["modify s2 password"]);
}

#[test]
fn a_password_found_as_the_roster_has_it_is_remembered() {
    let mut world = converged([student("s1").password("pw"), student("s2")]);
    world.link("s1").confirmed.remove(&FieldId(PASSWORD));
    let plan = world.plan();
    assert!(plan.is_empty());
    assert!(matches!(plan.notes.as_slice(), [LinkNote::Confirm(..)]));
}

#[test]
fn a_value_that_the_service_rewrites_is_compared_by_memory_from_then_on() {
    let mut world = converged([student("s1"), student("s2")]);
    world.masking.insert(PHONE);
    world.set(student("s1").phone("12345"));
    assert_eq!(world.run(100).0.operations.len(), 1);
    assert_eq!(world.of("s1").fields[&PHONE], "1***");
    assert!(!world.link("s1").rewritten.contains(&FieldId(PHONE)));
    assert_eq!(lines(&world.run(100).0), ["modify s1 phone"], "once more: it may have been somebody's hand");
    assert!(
        world.link("s1").rewritten.contains(&FieldId(PHONE)),
        "a look-up saw it changed right after that"
    );
    for _ in 0..2 {
        let plan = world.plan();
        assert!(plan.is_empty() && plan.notes.is_empty());
        world.run(100);
    }
    world.set(student("s1").phone("12346"));
    assert_eq!(world.lines(), ["modify s1 phone"]);
}

#[test]
fn where_look_ups_do_not_show_the_field_two_listings_after_the_second_write_tell() {
    let mut world = converged([student("s1"), student("s2")]);
    world.masking.insert(PHONE);
    world.tells_values = false;
    world.set(student("s1").phone("12345"));
    assert_eq!(lines(&world.run(100).0), ["modify s1 phone"]);
    assert_eq!(lines(&world.run(100).0), ["modify s1 phone"]);
    assert!(matches!(world.plan().notes.as_slice(), [LinkNote::SeenAgain(..)]));
    assert!(world.run(100).0.is_empty());
    assert!(matches!(world.plan().notes.as_slice(), [LinkNote::Rewritten(..)]));
    assert!(world.run(100).0.is_empty());
    let plan = world.plan();
    assert!(plan.is_empty() && plan.notes.is_empty());
}

#[test]
fn another_value_in_one_of_the_two_listings_is_somebodys_hand() {
    for (listing, by_hand, lines) in [
        (1, "by hand", &["modify s1 phone"][..]),
        (2, "by hand", &["modify s1 phone"][..]),
        (1, "12345", &[][..]),
        (2, "12345", &[][..]),
    ] {
        let mut world = converged([student("s1"), student("s2")]);
        world.masking.insert(PHONE);
        world.tells_values = false;
        world.set(student("s1").phone("12345"));
        world.run(100);
        for _ in 0..listing {
            world.run(100);
        }
        world.of("s1").fields.insert(PHONE, by_hand.to_owned());
        assert_eq!(world.lines(), lines, "listing {listing}: {by_hand}");
        world.masking.clear();
        for _ in 0..3 {
            world.run(100);
        }
        let link = world.link("s1");
        let is_in_question = !link.rewritten.is_empty() || !link.sent_twice.is_empty();
        assert!(!is_in_question && world.plan().is_empty(), "listing {listing}: {by_hand}");
        assert_eq!(world.of("s1").fields[&PHONE], "12345");
    }
}

#[test]
fn another_value_than_the_suspected_one_is_compared_again() {
    let mut world = converged([student("s1"), student("s2")]);
    world.masking.insert(PHONE);
    world.set(student("s1").phone("12345"));
    world.run(100);
    world.run(100);
    for by_hand in ["rude word", "1****", ""] {
        world.of("s1").fields.insert(PHONE, by_hand.to_owned());
        assert_eq!(world.lines(), ["modify s1 phone"], "{by_hand:?}");
        world.run(100);
        assert!(world.link("s1").rewritten.is_empty(), "{by_hand:?}");
        assert_eq!(
            lines(&world.run(100).0),
            ["modify s1 phone"],
            "{by_hand:?}: the service's form once more"
        );
        assert!(world.run(100).0.is_empty(), "{by_hand:?}");
    }
}

#[test]
fn the_same_edit_by_hand_after_each_write_is_put_right_each_time() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").phone("12345"));
    world.run(100);
    for _ in 0..4 {
        world.of("s1").fields.insert(PHONE, "by hand".to_owned());
        assert_eq!(lines(&world.run(100).0), ["modify s1 phone"]);
        assert_eq!(world.of("s1").fields[&PHONE], "12345");
        assert!(world.link("s1").rewritten.is_empty());
    }
}

#[test]
fn only_a_second_write_is_looked_up_afterwards() {
    let second_writes = |world: &World| -> Vec<(i64, bool)> {
        let plan = world.plan();
        let Change::Modify(modification) = &plan.operations[0].change else { panic!("a modify") };
        modification.second_writes.iter().map(|(field, write)| (field.0, write.is_looked_up)).collect()
    };
    let mut world = converged([student("s1"), student("s2")]);
    world.masking.insert(PHONE);
    world.set(student("s1").phone("12345"));
    assert_eq!(second_writes(&world), [], "the first");
    world.run(100);
    world.set(student("s1").phone("12345").name("another"));
    assert_eq!(second_writes(&world), [(PHONE, true)], "not the name beside it");
    world.tells_values = false;
    assert_eq!(second_writes(&world), [(PHONE, false)]);
}

#[test]
fn a_candidate_entered_with_values_that_the_service_rewrites_settles_down() {
    let mut world = converged([student("s1")]);
    world.masking.insert(NAME);
    world.set(student("s2"));
    assert_eq!(lines(&world.run(100).0), ["add s2 in 1"]);
    assert_eq!(lines(&world.run(100).0), ["modify s2 name"]);
    assert!(world.run(100).0.is_empty());
    let plan = world.plan();
    assert!(plan.is_empty() && plan.notes.is_empty());
}

#[test]
fn a_value_changed_by_hand_after_a_write_is_restored_not_blamed_on_the_service() {
    let mut world = converged([student("s1"), student("s2")]);
    world.set(student("s1").phone("12345"));
    for by_hand in ["one", "another", "a third"] {
        world.run(100);
        world.of("s1").fields.insert(PHONE, by_hand.to_owned());
        assert_eq!(world.lines(), ["modify s1 phone"], "after {by_hand}");
        assert!(world.link("s1").rewritten.is_empty(), "{by_hand:?}");
    }
    world.run(100);
    assert_eq!(world.of("s1").fields[&PHONE], "12345");
    assert!(world.run(100).0.is_empty());
}

#[test]
fn a_value_changed_by_hand_is_not_taken_for_one_that_the_service_rewrites() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").fields.insert(PHONE, "by hand".to_owned());
    assert_eq!(world.lines(), ["modify s1 phone"]);
}

#[test]
fn a_value_compared_by_memory_that_comes_to_be_listed_as_wanted_is_compared_again() {
    let mut world = converged([student("s1").phone("1"), student("s2")]);
    world.link("s1").rewritten.insert(FieldId(PHONE));
    world.of("s1").fields.insert(PHONE, "2".to_owned());
    world.set(student("s1").phone("2"));
    assert!(matches!(world.plan().notes.as_slice(), [LinkNote::Cleared(..)]));
    world.run(100);
    assert!(world.plan().notes.is_empty(), "once is enough");
    world.set(student("s1").phone("1"));
    assert_eq!(world.lines(), ["modify s1 phone"]);
}

#[test]
fn the_login_value_is_never_compared_as_a_value() {
    let mut world = converged([student("s1")]);
    world.of("s1").fields.insert(LOGIN, "rubbish".to_owned());
    assert!(world.plan().is_empty());
}

#[test]
fn a_value_that_came_back_changed_is_called_rewritten_only_after_a_look_up() {
    let mut world = converged([student("s1"), student("s2")]);
    world.masking.insert(PHONE);
    world.set(student("s1").phone("12345"));
    world.run(100);
    world.silent.insert(world.sid("s1"));
    assert!(world.plan().is_empty() && world.plan().notes.is_empty());
    world.silent.clear();
    assert!(matches!(world.plan().notes.as_slice(), [LinkNote::Suspected(..)]));
    world.run(100);
    assert!(world.link("s1").rewritten.contains(&FieldId(PHONE)));
}

#[test]
fn an_adoption_confirms_only_values_that_agree_and_no_empty_password() {
    let mut world = converged([student("s1").password("pw")]);
    world.enter(candidate("s2").field(PHONE, "552").field(PASSWORD, "mine"));
    let confirmed = |world: &World| -> Vec<i64> {
        let plan = world.plan();
        let Change::Adopt(adoption) = &plan.operations[0].change else { panic!("an adoption") };
        adoption.confirmed.keys().map(|field| field.0).collect()
    };
    world.set(student("s2"));
    assert_eq!(confirmed(&world), [NAME, PHONE]);
    world.set(student("s2").password("pw"));
    assert_eq!(confirmed(&world), [NAME, PHONE, PASSWORD], "their own password is left alone on purpose");
    world.hidden.insert(PASSWORD);
    assert_eq!(confirmed(&world), [NAME, PHONE, PASSWORD], "a hidden one is left alone too");
    world.set(student("s2").name("another"));
    assert_eq!(confirmed(&world), [PHONE]);
    world.set(student("s2").phone(""));
    assert_eq!(confirmed(&world), [NAME], "a phone is to be emptied");
    world.hidden.insert(PHONE);
    assert_eq!(confirmed(&world), [NAME, PHONE], "nobody's phone is listed, and none is wanted");
}
