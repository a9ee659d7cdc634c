//! Records that changed hands on the exam side: neither is written over with the other's values.

use rosterd_core::exam_plan::{HoldReason, LinkNote, OperationState, PersonDoubt};

use crate::support::*;

/// The candidates of these students go round: each has the login value and every other value of the next one's.
fn go_round(world: &mut World, students: &[&str]) {
    let records: Vec<Candidate> = students.iter().map(|student| world.of(student).clone()).collect();
    for (student, record) in students.iter().zip(records.iter().cycle().skip(1)) {
        let groups = world.of(student).groups.clone();
        *world.of(student) = Candidate { groups, ..record.clone() };
    }
}

fn doubts(world: &World) -> Vec<PersonDoubt> {
    let doubt = |state: &OperationState| {
        let OperationState::Held(HoldReason::SamePerson(doubt)) = state else { return None };
        Some(doubt.clone())
    };
    world.plan().operations.iter().filter_map(|operation| doubt(&operation.state)).collect()
}

fn changed_hands(student: &str, other: &str) -> PersonDoubt {
    PersonDoubt::ChangedHands { student: id(student), other: id(other), shows_others: true, one_left: false }
}

/// What the other one is held for.
fn turned(doubt: PersonDoubt) -> PersonDoubt {
    let PersonDoubt::ChangedHands { student, other, shows_others, one_left } = doubt else { return doubt };
    PersonDoubt::ChangedHands { student: other, other: student, shows_others: !shows_others, one_left }
}

fn one_left(doubt: PersonDoubt) -> PersonDoubt {
    let PersonDoubt::ChangedHands { student, other, shows_others, .. } = doubt else { return doubt };
    PersonDoubt::ChangedHands { student, other, shows_others, one_left: true }
}

#[test]
fn two_candidates_that_exchanged_their_records_are_held_in_every_run_until_a_person_decides() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    go_round(&mut world, &["s1", "s2"]);
    world.set(student("s1").in_groups(["g2"]));
    let before = world.candidates.clone();
    for _ in 0..4 {
        let held =
            ["modify s1 held: same person", "modify s2 held: same person", "move s1 to 2 held: same person"];
        assert_eq!(world.lines(), held);
        let own = || changed_hands("s1", "s2");
        assert_eq!(doubts(&world), [own(), turned(own()), own()]);
        assert_eq!(world.plan().totals.another_login, 1);
        let (_, violations) = world.run(100);
        assert!(violations.is_empty(), "{violations:?}");
        assert_eq!(world.candidates, before);
        assert_eq!(world.links["s1"].login, login("s1"), "the link does not follow");
    }
}

#[test]
fn both_are_held_where_both_were_looked_up_and_an_approval_puts_them_right_by_sid() {
    for circle in [&["s1", "s2"][..], &["s1", "s2", "s3"]] {
        let mut world = converged(["s1", "s2", "s3", "s4"].map(student));
        go_round(&mut world, circle);
        for student in circle {
            world.link(student).groups = None;
        }
        let held = world.lines();
        assert_eq!(held.len(), circle.len(), "{held:?}");
        assert!(held.iter().all(|line| line.ends_with("login name held: same person")), "{held:?}");
        world.approve();
        let (_, violations) = world.run(100);
        assert!(violations.is_empty(), "{violations:?}");
        assert_eq!(world.candidates[&1001].login, "s1");
        world.run(100);
        assert!(world.plan().is_empty(), "{:?}", world.lines());
    }
}

#[test]
fn an_id_that_another_person_has_is_held_and_one_telling_value_makes_it_the_same_person() {
    let another = || student("s1").name("Another name").login("new").phone("999").password("new one");
    let held = ["modify s1 login name phone password held: same person"];
    let rows: [(&str, Person, &[&str]); 7] = [
        ("every value is another", another(), &held),
        ("and other groups", another().in_groups(["g2"]), &[held[0], "move s1 to 2 held: same person"]),
        (
            "married, with another phone, and the same password",
            another().password("pw-s1"),
            &["modify s1 login name phone"],
        ),
        ("married, with the same phone", another().phone("551"), &["modify s1 login name password"]),
        ("with the id for a login value", another().login("s1"), &held),
        ("with the same login value", another().login("login of s1"), &["modify s1 name phone password"]),
        ("with the same name", another().name("name of s1"), &["modify s1 login phone password"]),
    ];
    for (what, person, expected) in rows {
        let one = |id: &str, phone: &str| {
            student(id).login(&format!("login of {id}")).phone(phone).password(&format!("pw-{id}"))
        };
        let mut world = converged([one("s1", "551"), one("s2", "552")]);
        world.set(person);
        assert_eq!(world.lines(), expected, "{what}");
        world.approve();
        let lines = world.lines();
        assert!(lines.iter().all(|line| !line.contains("held")), "{what}: {lines:?}");
    }
}

#[test]
fn what_many_have_makes_nobody_the_same_person_and_a_mass_is_for_the_limits() {
    for (changed, is_held) in [(1, true), (5, true), (6, false)] {
        let people = (0..20).map(|at| student(&format!("s{at:02}")).phone("the school's"));
        let mut world = World::empty().with_converged(people);
        for at in 0..changed {
            let (old, new) = (format!("s{at:02}"), format!("new{at}"));
            world.set(student(&old).phone("the school's").name(&format!("name of {new}")).login(&new));
        }
        let lines = world.lines();
        assert_eq!(lines.len(), changed, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.ends_with("held: same person") == is_held),
            "{changed}: {lines:?}"
        );
    }
}

#[test]
fn a_teacher_who_gives_a_candidate_to_another_student_leaves_both_as_they_are() {
    let rows: [(&str, Person); 2] = [
        ("a newcomer", student("new")),
        ("a student who is renamed", student("s2").login("new").name("name of new")),
    ];
    for (what, person) in rows {
        let mut world = converged([student("s1").phone("1"), student("s2"), student("s3")]);
        world.of("s1").login = "new".to_owned();
        world.of("s1").fields.insert(NAME, "name of new".to_owned());
        let other = person.id.clone();
        world.set(person);
        assert_eq!(doubts(&world), [changed_hands("s1", &other)], "{what}");
        let before = world.of("s1").clone();
        world.run(100);
        assert_eq!(*world.of("s1"), before, "{what}");
    }
}

#[test]
fn a_candidate_of_whom_nothing_is_the_students_is_withheld_and_counted() {
    let mut world = converged([student("s1"), student("s2")]);
    *world.of("s1") = candidate("somebody").field(PHONE, "9");
    world.set(student("s1").in_groups(["g2"]));
    assert_eq!(world.lines(), ["modify s1 skipped: anotherlogin"]);
    assert_eq!(world.plan().totals.another_login, 1);
    assert!(world.plan().notes.is_empty(), "{:?}", world.plan().notes);
}

#[test]
fn a_candidate_whose_login_value_is_listed_for_a_stranger_is_withheld_and_counted() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "there".to_owned();
    world.enter(candidate("s1"));
    world.set(student("s1").in_groups(["g2"]));
    assert_eq!(world.lines(), ["modify s1 skipped: anotherlogin"]);
    assert_eq!(world.plan().totals.another_login, 1);
}

#[test]
fn what_people_the_service_or_our_own_writes_made_of_a_login_value_counts_nowhere() {
    let rows: [(&str, Person, &str); 4] = [
        ("renamed by hand", student("s1"), "by hand"),
        ("our own change that was never answered", student("s1").login("wanted"), "wanted"),
        ("kept in lower case", student("S1"), "s1"),
        ("kept as digits", student("+86 138-0001"), "861380001"),
    ];
    for (what, person, shown) in rows {
        let before = Person { login: person.id.clone(), ..person.clone() };
        let mut world = converged([before, student("other")]);
        world.of(&person.id).login = shown.to_owned();
        let follows = LinkNote::Follow(id(&person.id), login(shown));
        world.set(person);
        let plan = world.plan();
        assert_eq!(plan.totals.another_login, 0, "{what}");
        assert!(plan.notes.contains(&follows), "{what}: {:?}", plan.notes);
    }
}

#[test]
fn what_nothing_but_the_sid_shows_to_be_the_students_is_counted_and_not_remembered() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "by hand".to_owned();
    world.hidden = [NAME, PHONE].into();
    let plan = world.plan();
    assert_eq!((lines(&plan), plan.totals.another_login), (vec!["modify s1 login".to_owned()], 1));
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn a_leaver_whose_sid_shows_a_students_record_is_held_and_not_followed() {
    let mut world = converged([student("s1"), student("s2"), student("s3")]);
    go_round(&mut world, &["s1", "s2"]);
    world.leave_for_good("s1");
    let doubt = || one_left(changed_hands("s1", "s2"));
    assert_eq!(doubts(&world), [turned(doubt()), doubt()]);
    assert_eq!(world.plan().notes, [LinkNote::Gone(id("s1"))], "no mark that stays");
    world.approve();
    let left = ["modify s2 skipped: anotherlogin", "delete s1 skipped: anotherlogin"];
    assert_eq!(world.lines(), left, "the record of s2 is deleted by nobody");
}

#[test]
fn a_student_whose_sid_shows_a_leavers_record_is_held_and_not_followed_whatever_else_agrees() {
    for (what, is_fresh) in [("confirmed long ago", false), ("written a moment ago", true)] {
        let mut world = converged([student("s1").phone("1"), student("s2").phone("1"), student("s3")]);
        go_round(&mut world, &["s1", "s2"]);
        if is_fresh {
            world.link("s2").unverified = [NAME, PHONE].map(rosterd_core::roster::FieldId).into();
        }
        world.link("s2").groups = None;
        world.leave_for_good("s1");
        let before = world.candidates.clone();
        for _ in 0..3 {
            let held = ["modify s2 held: same person", "delete s1 held: same person"];
            assert_eq!(world.lines(), held, "{what}");
            let (_, violations) = world.run(100);
            assert!(violations.is_empty(), "{what}: {violations:?}");
            assert_eq!(world.links["s2"].login, login("s2"), "{what}: the link does not follow");
        }
        world.approve();
        world.run(100);
        assert_eq!(world.candidates, before, "{what}: nothing is written to either");
    }
}

#[test]
fn a_leaver_most_of_whose_values_stayed_is_not_followed_to_the_login_value_of_a_student() {
    let mut world = converged([student("s1"), student("s2")]);
    let (one, two) = (world.of("s1").login.clone(), world.of("s2").login.clone());
    world.of("s1").login = two;
    world.of("s2").login = one;
    world.leave_for_good("s1");
    assert!(world.lines().contains(&"delete s1 held: same person".to_owned()), "{:?}", world.lines());
    world.run(100);
    assert_eq!(world.links["s1"].login, login("s1"));
}

#[test]
fn a_leavers_candidate_that_was_given_to_a_newcomer_is_deleted_by_no_approval() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "new".to_owned();
    world.leave_for_good("s1").set(student("new"));
    for _ in 0..3 {
        assert!(world.lines().contains(&"delete s1 held: same person".to_owned()), "{:?}", world.lines());
        world.run(100);
        assert!(world.links.contains_key("s1"));
    }
    world.approve();
    for _ in 0..3 {
        world.run(100);
        assert!(world.lines().contains(&"delete s1 skipped: anotherlogin".to_owned()), "{:?}", world.lines());
    }
}

#[test]
fn a_leaver_who_was_only_given_another_login_value_is_no_stranger() {
    let mut world = converged([student("s1"), student("s2")]);
    world.of("s1").login = "other".to_owned();
    world.leave_for_good("s1");
    assert_eq!(world.plan().totals.another_login, 0);
    world.of("s1").fields = [(NAME, "somebody".to_owned())].into();
    assert_eq!(world.plan().totals.another_login, 1);
}
