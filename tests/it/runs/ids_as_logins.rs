//! The school's own number is the login value: where rows change places, no login value says so.

use rosterd_testkit::*;

use super::first_syncs::shipped;

/// So many students in three groups in turn.
async fn school(count: usize) -> ExamSchool {
    let people = students(count).into_iter().enumerate().map(|(at, person)| match at % 3 {
        0 => person,
        1 => person.in_groups(["g2"]),
        _ => person.in_groups(["g3"]),
    });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    world
}

fn nth(number: usize) -> String {
    format!("s{number:03}")
}

/// The row of one student has another id from now on, which is its login value too.
fn with_id(person: &Person, id: &str) -> Person {
    Person { id: id.to_owned(), ..person.clone() }.login(id)
}

/// Ids that were given to other rows: each of the first from now on stands at the row of the second. A row whose id nobody
/// has got is gone.
async fn rewrite(world: &mut ExamSchool, ids: &[(String, String)]) {
    let before = world.people.clone();
    for (_, old) in ids {
        world.people.remove(old);
    }
    for (new, old) in ids {
        world.people.insert(new.clone(), with_id(&before[old], new));
    }
    world.write_roster().await;
}

/// What the exam side shows of everybody, by login value.
fn shown(world: &ExamSchool) -> Vec<String> {
    let all = world.sandbox.candidates().into_iter();
    let mut all: Vec<String> = all.map(|it| format!("{} {:?} {:?}", it.sid, it.fields, it.gids)).collect();
    all.sort();
    all
}

async fn writes_nothing(world: &mut ExamSchool, what: &str) {
    let before = shown(world);
    for _ in 0..6 {
        let report = world.run().await;
        assert_eq!(report.writes(), 0, "{what}: {report:#?}");
        assert_ne!(report.held(), "", "{what}: {report:#?}");
        world.later(DAY);
    }
    assert_eq!(shown(world), before, "{what}");
}

#[tokio::test]
async fn rows_whose_ids_changed_places_are_asked_about() {
    let id = |number| nth(number);
    let swapped = vec![(id(3), id(5)), (id(5), id(3))];
    let rotated = vec![(id(3), id(5)), (id(5), id(7)), (id(7), id(3))];
    let given_on = vec![(id(3), id(5))];
    let inserted: Vec<_> = (26..30).map(|number| (id(number + 1), id(number))).collect();
    for (what, ids) in
        [("swapped", swapped), ("rotated", rotated), ("given on", given_on), ("a row was inserted", inserted)]
    {
        let mut world = school(30).await;
        if what == "given on" {
            world.remove("s003").await;
        }
        rewrite(&mut world, &ids).await;
        writes_nothing(&mut world, what).await;
    }
}

#[tokio::test]
async fn a_school_whose_ids_were_all_moved_on_is_left_as_it_is() {
    for by in [1, 10] {
        let mut world = school(30).await;
        let ids: Vec<_> = (0..30).map(|number| (nth(number + by), nth(number))).collect();
        rewrite(&mut world, &ids).await;
        writes_nothing(&mut world, &format!("all ids + {by}")).await;
        // Put right, everything is as it was.
        let back: Vec<_> = (0..30).map(|number| (nth(number), nth(number + by))).collect();
        rewrite(&mut world, &back).await;
        assert_eq!(world.run().await.outcome.as_str(), "converged", "all ids + {by}");
    }
}

#[tokio::test]
async fn values_that_changed_places_while_login_values_stayed_are_asked_about() {
    let mut world = school(12).await;
    let (one, two) = (world.people["s003"].clone(), world.people["s006"].clone());
    for (id, other) in [("s003", two), ("s006", one)] {
        world.edit(id, |it| it.named(&other.name).phone(other.phone.as_deref().unwrap())).await;
    }
    writes_nothing(&mut world, "values").await;
}

#[tokio::test]
async fn names_that_are_corrected_are_written() {
    let mut world = school(12).await;
    world.edit("s003", |it| it.named("Li Hua")).await;
    // Somebody is called as another one was, who is called otherwise by now; the rest is where it was.
    world.edit("s004", |it| it.named("Name of s005")).await;
    world.edit("s005", |it| it.named("Name of s004")).await;
    // And a namesake of somebody who is as they were.
    world.edit("s006", |it| it.named("Name of s007")).await;
    assert_eq!(world.run().await.applied(), "4 modify");
    assert_eq!(world.run().await.outcome.as_str(), "converged");
}

#[tokio::test]
async fn ids_that_were_corrected_with_their_login_values_are_asked_about() {
    for at_once in [1, 4, 6] {
        let mut world = school(30).await;
        let before = world.logins();
        for number in 0..12 {
            let person = world.people[&nth(number)].clone();
            world.people.remove(&nth(number));
            let new = with_id(&person, &format!("1{number:03}"));
            world.people.insert(new.id.clone(), new);
            if (number + 1) % at_once == 0 {
                world.write_roster().await;
                let report = world.run().await;
                assert_eq!(report.writes(), 0, "{at_once}: {report:#?}");
                world.later(DAY);
            }
        }
        writes_nothing(&mut world, &format!("{at_once} at once")).await;
        assert_eq!(world.logins(), before);
    }
}

#[tokio::test]
async fn who_has_nothing_but_a_leavers_name_is_entered_and_the_leaver_stays() {
    let mut world = school(12).await;
    world.remove("s003").await;
    world.put(student("1003").named("Name of s003").phone("another")).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), ("1 add".to_owned(), "1 delete".to_owned()), "{report:#?}");
    for _ in 0..6 {
        world.later(DAY);
        let report = world.run().await;
        assert_eq!((report.writes(), report.held()), (0, "1 delete".to_owned()), "{report:#?}");
    }
    let ids = ["s003", "1003"];
    assert!(world.failures().await.iter().any(|row| ids.iter().all(|id| row.message.contains(id))));
}

#[tokio::test]
async fn a_gender_alone_makes_no_candidate_a_students() {
    let mut world = school(12).await;
    let fields = [(LOGIN, "new"), (NAME, "Somebody"), (PHONE, "none"), (GENDER, "f")];
    world.sandbox.insert_candidate(&fields, &[world.gid("g1")]);
    world.put(student("new")).await;
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.writes(), report.held()), (0, "1 adopt".to_owned()), "{report:#?}");
    }
}
