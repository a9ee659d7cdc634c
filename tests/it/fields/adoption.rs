//! Taking a candidate over takes nothing on trust.

use rosterd_testkit::*;

/// Enters candidates by hand, with their own password, under the students' login values.
fn enter(world: &ExamSchool, person: &Person, changes: &[(i64, &str)], gids: &[i64]) -> i64 {
    let mut fields = person.values();
    fields
        .iter_mut()
        .filter(|(field, _)| *field == PASSWORD)
        .for_each(|(_, value)| *value = "their own".to_owned());
    for (field, value) in changes {
        fields.retain(|(id, _)| id != field);
        fields.push((*field, (*value).to_owned()));
    }
    let fields: Vec<(i64, &str)> = fields.iter().map(|(field, value)| (*field, value.as_str())).collect();
    world.sandbox.insert_candidate(&fields, gids)
}

#[tokio::test]
async fn a_candidate_that_is_taken_over_keeps_its_password_shown_or_not() {
    for echo in ["on", "off", "masked"] {
        let mut world = ExamSchool::switched(students(3), &[("echo_password", echo)]).await;
        for person in world.people.clone().values() {
            enter(&world, person, &[], &[world.gid("g1")]);
        }
        assert_eq!(world.run().await.applied(), "3 adopt", "{echo}");
        assert_eq!(world.run_later().await.planned(), "", "{echo}");
        assert_eq!(world.candidate("s001").fields[&PASSWORD], "their own", "{echo}");
        world.edit("s001", |it| it.password("from the roster")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{echo}");
        assert_eq!(world.candidate("s001").fields[&PASSWORD], "from the roster", "{echo}");
        assert_eq!(world.run().await.planned(), "", "{echo}");
    }
}

#[tokio::test]
async fn a_candidate_without_a_password_gets_none_by_being_taken_over() {
    let world = ExamSchool::with(students(2)).await;
    for person in world.people.values() {
        enter(&world, person, &[(PASSWORD, "")], &[world.gid("g1")]);
    }
    enter(&world, &student("s009"), &[], &[world.gid("g1")]);
    assert_eq!(world.run().await.applied(), "2 adopt");
    assert_eq!(world.run_later().await.planned(), "");
    assert!(!world.candidate("s000").fields.contains_key(&PASSWORD));
}

#[tokio::test]
async fn a_state_that_was_lost_costs_nobody_their_password() {
    for echo in ["on", "off", "masked"] {
        let mut world = ExamSchool::switched(students(3), &[("echo_password", echo)]).await;
        assert_eq!(world.run().await.applied(), "3 add", "{echo}");
        world.sandbox.edit_candidate(world.sid("s001").await, &[(PASSWORD, "their own")]);
        world.lose_our_database().await;
        assert_eq!(world.run().await.applied(), "3 adopt", "{echo}");
        assert_eq!(world.run_later().await.planned(), "", "{echo}");
        assert_eq!(world.candidate("s001").fields[&PASSWORD], "their own", "{echo}");
    }
}

#[tokio::test]
async fn a_candidate_of_which_nothing_agrees_waits_for_a_person() {
    let stranger = [(NAME, "Somebody else"), (GENDER, "m"), (PHONE, "other")];
    let world = ExamSchool::with(students(4)).await;
    let gid = world.gid("g1");
    let people: Vec<Person> = world.people.values().cloned().collect();
    let sid = enter(&world, &people[0], &stranger, &[gid]);
    enter(&world, &people[1], &[(NAME, "Somebody else"), (GENDER, "m")], &[gid]);
    // Nothing of this one can be compared.
    enter(&world, &people[2], &[(NAME, ""), (GENDER, ""), (PHONE, "138****0001")], &[gid]);
    let report = world.run().await;
    assert_eq!((report.held().as_str(), report.exit_code), ("1 adopt", 4));
    assert!(report.exam.holds.iter().any(|hold| hold.contains("--student s000")), "{:?}", report.exam.holds);
    assert_eq!(report.applied(), "1 add, 2 adopt, 2 modify");
    assert!(world.link("s000").await.is_none());
    assert_eq!(world.sandbox.candidate("s000").unwrap().sid, sid);
    assert_eq!(world.candidate("s000").fields[&NAME], "Somebody else");
    world.sandbox.edit_candidate(sid, &[(GENDER, "f")]);
    assert_eq!(world.run().await.applied(), "1 adopt, 1 modify", "one value agrees");
    world.leaves_work_behind();
}

#[tokio::test]
async fn in_a_shared_account_nobody_is_taken_out_of_foreign_groups_alone() {
    let mut world = ExamSchool::with(students(5)).await;
    world.settings.exam.shared = Some(true);
    let (ours, foreign) = (world.gid("g2"), world.foreign);
    let people: Vec<Person> = world.people.values().cloned().collect();
    for person in &people[..3] {
        enter(&world, person, &[], &[foreign]);
    }
    enter(&world, &people[3], &[], &[foreign, ours]);
    let report = world.run().await;
    assert_eq!((report.applied().as_str(), report.exit_code), ("1 add, 1 adopt, 1 move", 3));
    let question = format!("Is gid {foreign} yours? Enter it in groups");
    let said: Vec<&String> = report.exam.notes.iter().filter(|note| note.contains(&question)).collect();
    assert!(said.len() == 1 && said[0].starts_with("3 students"), "{:?}", report.exam.notes);
    assert_eq!(world.candidate("s000").gids.iter().copied().collect::<Vec<_>>(), [foreign]);
    assert!(world.link("s000").await.is_none());
    world.leaves_work_behind();
    world.settings.exam.shared = None;
    assert_eq!(world.run_later().await.applied(), "3 adopt, 3 move");
}

#[tokio::test]
async fn a_login_value_that_is_not_in_normal_form_is_asked_for_as_it_is() {
    for shown in ["full", "login_only", "without_login"] {
        let people = [
            student("s1").login("Nguy\u{1ec5}n Th\u{1ecb} H\u{1b0}\u{1a1}ng"),
            student("s2").login("Jos\u{e9} M\u{fc}ller"),
            student("s3").login("Anna Blank"),
        ];
        let world = ExamSchool::switched(people, &[("info_fields", shown)]).await;
        let raw = [
            "Nguye\u{302}\u{303}n Thi\u{323} Hu\u{31b}o\u{31b}ng",
            "Jose\u{301} Mu\u{308}ller",
            "Anna Blank ",
        ];
        for (person, raw) in world.people.values().zip(raw) {
            enter(&world, person, &[(LOGIN, raw)], &[world.gid("g1")]);
        }
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.exit_code), ("3 adopt", 0), "{shown}");
        assert_eq!(world.run_later().await.planned(), "", "{shown}");
    }
}
