//! First syncs and the great changes of a school's year, with the limits that are shipped: what goes ahead by itself,
//! and what one approval lets go.

use rosterd_core::roster::Limit;

use rosterd_testkit::*;

/// The limits of the shipped configuration.
pub(super) fn shipped(world: &mut ExamSchool) {
    let guard = &mut world.settings.guard;
    (guard.max_delete, guard.max_modify) = (Limit::Auto, Limit::Percent(30.0));
    (guard.max_move, guard.max_group) = (Limit::Percent(30.0), Limit::Percent(50.0));
}

async fn first(people: usize) -> ExamSchool {
    let mut world = ExamSchool::with(students(people)).await;
    shipped(&mut world);
    world
}

async fn in_step(people: usize) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(people)).await;
    shipped(&mut world);
    world
}

fn strangers(world: &ExamSchool, count: usize) {
    for number in 0..count {
        let login = format!("139000000{number:02}");
        world.sandbox.insert_candidate(&[(LOGIN, &login), (NAME, "Not ours")], &[world.foreign]);
    }
}

pub(super) async fn approve(world: &ExamSchool, digest: &str, days: i64) {
    world.state.approve(digest, world.clock.now_ms() + days * DAY).await.unwrap();
}

#[tokio::test]
async fn a_first_sync_into_an_empty_account_enters_everybody() {
    let world = first(40).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("40 add".to_owned(), 0), "{report:?}");
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn three_candidates_for_trials_keep_nobody_out() {
    let world = first(40).await;
    strangers(&world, 3);
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("40 add".to_owned(), 0), "{report:?}");
}

#[tokio::test]
async fn another_schools_account_gets_nobody_without_an_approval() {
    let world = first(40).await;
    strangers(&world, 30);
    let report = world.run().await;
    assert_eq!((report.held(), report.writes(), report.exit_code), ("40 add".to_owned(), 0, 4), "{report:?}");
    let says = "0 of 40 match one of 30 candidates: values there look like 1##########, yours like s###";
    assert!(report.exam.holds[0].starts_with(says), "{:?}", report.exam.holds);
    assert_eq!(world.run().await.held(), "40 add", "and so it stays");
    approve(&world, &report.digest, 1).await;
    assert_eq!(world.run().await.applied(), "40 add");
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn an_account_that_is_met_in_slices_is_none_the_better_known_for_the_first_of_them() {
    for days in [0, 2] {
        let mut world = first(9).await;
        strangers(&world, 60);
        assert_eq!(world.run().await.applied(), "9 add", "nine say nothing yet");
        for number in 9..18 {
            world.put(student(&format!("s{number:03}"))).await;
        }
        let report = world.run().await;
        assert_eq!(
            (report.held(), report.writes(), report.exit_code),
            ("9 add".to_owned(), 0, 4),
            "{report:?}"
        );
        assert!(report.exam.holds[0].starts_with("0 of 18 match one of 60 candidates"), "{report:?}");
        world.later(days * DAY);
        let later = world.run().await;
        assert_eq!((later.held(), later.writes()), ("9 add".to_owned(), 0), "{days}: {later:?}");
        approve(&world, &later.digest, 1).await;
        assert_eq!(world.run().await.applied(), "9 add", "{days}");
        assert_eq!(world.run().await.planned(), "", "{days}");
    }
}

#[tokio::test]
async fn whom_a_person_let_in_makes_the_account_known() {
    let mut world = first(40).await;
    strangers(&world, 30);
    let report = world.run().await;
    approve(&world, &report.digest, 1).await;
    assert_eq!(world.run().await.applied(), "40 add");
    for number in 0..12 {
        world.put(student(&format!("new{number}"))).await;
    }
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("12 add".to_owned(), 0), "{report:?}");
}

#[tokio::test]
async fn a_school_half_of_which_was_there_already_may_grow_on_its_first_day() {
    let mut world = first(40).await;
    for number in 0..30 {
        let person = &world.people[&format!("s{number:03}")];
        let values: Vec<(i64, String)> = person.values();
        let values: Vec<(i64, &str)> = values.iter().map(|(field, value)| (*field, value.as_str())).collect();
        world.sandbox.insert_candidate(&values, &[world.gid("g1")]);
    }
    strangers(&world, 12);
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("10 add, 30 adopt".to_owned(), 0), "{report:?}");
    for number in 0..12 {
        world.put(student(&format!("new{number}"))).await;
    }
    assert_eq!(world.run().await.applied(), "12 add");
}

#[tokio::test]
async fn an_intake_of_a_quarter_goes_on_even_where_others_use_the_account() {
    for (others, shared) in [(0, false), (30, false), (30, true)] {
        let mut world = in_step(40).await;
        // Whom the last day brought says nothing of the account yet.
        world.later(DAY);
        world.settings.exam.shared = Some(shared);
        strangers(&world, others);
        for number in 0..10 {
            world.put(student(&format!("new{number}"))).await;
        }
        let report = world.run().await;
        assert_eq!((report.applied(), report.exit_code), ("10 add".to_owned(), 0), "{others}: {report:?}");
    }
}

#[tokio::test]
async fn a_first_sync_that_is_cut_off_is_finished_by_the_next_run() {
    let mut world = first(40).await;
    world.settings.exam.batch_size = 5;
    world.crash_when(|| world.sandbox.candidates().len() >= 10).await;
    assert!(world.logins().len() < 40, "it was cut off");
    // An add that was announced and never left rests a while: nobody knows that it did not arrive.
    let report = world.run_later().await;
    assert_eq!((report.held(), report.exit_code), (String::new(), 0), "{report:?}");
    assert_eq!(world.logins().len(), 40);
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_third_that_graduates_is_held_at_once_and_goes_with_one_approval() {
    let mut world = in_step(30).await;
    for number in 0..10 {
        world.remove(&format!("s{number:03}")).await;
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("10 delete".to_owned(), 4), "{report:?}");
    assert!(report.exam.holds[0].contains("10 leavers of 30 managed candidates"), "{:?}", report.exam.holds);
    assert!(report.exam.holds[0].contains("(guard.max_delete)"), "{:?}", report.exam.holds);
    approve(&world, &report.digest, 5).await;
    let waiting = world.run().await;
    assert_eq!((waiting.planned(), waiting.exit_code), (String::new(), 0), "the grace goes on: {waiting:?}");
    world.later(3 * DAY + HOUR);
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("10 delete".to_owned(), 0), "{report:?}");
    assert_eq!(world.logins().len(), 20);
}

#[tokio::test]
async fn a_mass_that_nobody_approves_is_never_dismissed() {
    let mut world = in_step(30).await;
    for number in 0..10 {
        world.remove(&format!("s{number:03}")).await;
    }
    for _ in 0..4 {
        assert_eq!(world.run().await.held(), "10 delete");
        world.later(2 * DAY);
    }
    for number in 0..10 {
        world.put(student(&format!("s{number:03}"))).await;
    }
    let back = world.run().await;
    assert_eq!((back.planned(), back.exit_code), (String::new(), 0), "the export was broken: {back:?}");
}

#[tokio::test]
async fn an_export_that_lost_its_zeros_takes_nobody_away() {
    let people = (1..=20).map(|number| student(&format!("{number:04}")).login(&format!("login{number}")));
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    for number in 1..=20 {
        world.remove(&format!("{number:04}")).await;
        world.put(student(&format!("{number}")).login(&format!("login{number}"))).await;
    }
    // Each may be one person under two ids, and together they are a mass: the limit holds them in every run.
    for exit_code in [4, 4, 4] {
        let report = world.run().await;
        assert_eq!(
            (report.held(), report.writes(), report.exit_code),
            ("20 delete".to_owned(), 0, exit_code)
        );
        assert_eq!(report.holds[0].reason_code, "missing");
        world.later(4 * DAY);
    }
    assert_eq!(world.logins().len(), 20);
}

#[tokio::test]
async fn half_written_groups_take_nobody_out_of_theirs() {
    let people = students(40).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 30 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    for number in 0..20 {
        world.edit(&format!("s{number:03}"), |it| it.in_groups(["g1"])).await;
    }
    world.edit("s039", |it| it.named("Somebody else")).await;
    let report = world.run().await;
    assert_eq!(
        (report.held(), report.applied()),
        ("20 move".to_owned(), "1 modify".to_owned()),
        "{report:?}"
    );
    assert!(report.exam.holds[0].contains("20 of 40 students would change groups"), "{report:?}");
    approve(&world, &report.digest, 1).await;
    assert_eq!(world.run().await.applied(), "20 move");
}

#[tokio::test]
async fn one_class_that_loses_more_than_half_is_named() {
    let people = students(40).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 12 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    for number in 0..7 {
        world.edit(&format!("s{number:03}"), |it| it.in_groups(["g1"])).await;
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("7 move".to_owned(), 4), "{report:?}");
    assert!(report.exam.holds[0].contains("would lose 7 of 12 members"), "{:?}", report.exam.holds);
    assert!(report.exam.holds[0].ends_with(": g2"), "{:?}", report.exam.holds);
}

#[tokio::test]
async fn a_first_sync_with_broken_columns_overwrites_nobody_without_an_approval() {
    let people = students(20).into_iter().map(|person| person.named("#REF!"));
    let mut world = ExamSchool::with(people).await;
    shipped(&mut world);
    for person in students(20) {
        let values = person.named("A good name").values();
        let values: Vec<(i64, &str)> = values.iter().map(|(field, value)| (*field, value.as_str())).collect();
        world.sandbox.insert_candidate(&values, &[world.gid("g1")]);
    }
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!(
            (report.held(), report.writes(), report.exit_code),
            ("20 modify".to_owned(), 0, 4),
            "{report:?}"
        );
    }
    assert_eq!(world.candidate("s000").fields[&NAME], "A good name");
}

#[tokio::test]
async fn a_class_that_goes_together_with_its_row_is_held_like_one_that_stays() {
    let people = students(60).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 8 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    for number in 0..8 {
        world.remove(&format!("s{number:03}")).await;
    }
    world.groups.remove("g2");
    world.write_roster().await;
    assert_eq!(world.run().await.planned(), "");
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!(
        (report.held(), report.writes(), report.exit_code),
        ("8 delete".to_owned(), 0, 4),
        "{report:?}"
    );
    assert!(report.exam.holds[0].contains("would lose 8 of 8 members"), "{:?}", report.exam.holds);
    approve(&world, &report.digest, 1).await;
    assert_eq!(world.run().await.applied(), "8 delete");
}

#[tokio::test]
async fn groups_that_a_take_over_would_undo_are_measured_against_the_number_taken_over() {
    for (elsewhere, held) in [(5, ""), (7, "7 move")] {
        let world = first(20).await;
        for (at, person) in students(20).into_iter().enumerate() {
            let values = person.values();
            let values: Vec<(i64, &str)> =
                values.iter().map(|(field, value)| (*field, value.as_str())).collect();
            let gid = if at < elsewhere { world.gid("g2") } else { world.gid("g1") };
            world.sandbox.insert_candidate(&values, &[gid]);
        }
        let report = world.run().await;
        assert_eq!(report.held(), held, "{report:?}");
        assert_eq!(report.exam.applied["adopt"], 20, "{report:?}");
        if !held.is_empty() {
            assert_eq!((report.writes(), report.exit_code), (0, 4));
            assert_eq!(report.holds[0].reason_code, "take-overs");
            assert_eq!(world.candidate("s000").gids, [world.gid("g2")].into());
        }
    }
}
