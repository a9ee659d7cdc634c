//! A group whose gid changes on the roster: everybody in it would be put into another group of the exam side, which may be
//! somebody else's.

use rosterd_core::roster::Limit;
use rosterd_testkit::*;

use super::first_syncs::{approve, shipped};

/// 40 students, 20 in `g1` and 20 in `g2`, in step.
async fn a_school() -> ExamSchool {
    let people = students(40).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 20 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    world
}

async fn with_gids(world: &mut ExamSchool, gids: &[(&str, i64)]) {
    for (code, gid) in gids {
        world.groups.insert((*code).to_owned(), Some(*gid));
    }
    world.write_roster().await;
}

#[tokio::test]
async fn a_column_of_other_gids_puts_nobody_into_them_unasked() {
    let mut world = a_school().await;
    let own = ["g1", "g2"].map(|code| (code, world.gid(code)));
    let others = ["g1", "g2"].map(|code| (code, world.sandbox.create_group("another school's")));
    with_gids(&mut world, &others).await;
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!(
            (report.held(), report.writes(), report.exit_code),
            ("40 move".to_owned(), 0, 4),
            "{report:#?}"
        );
        assert!(report.exam.holds[0].contains("40 of 40 students would change groups"), "{report:#?}");
    }
    with_gids(&mut world, &own).await;
    assert_eq!(world.run().await.outcome.as_str(), "converged");
    assert_eq!(world.candidate("s000").gids, [world.gid("g2")].into());
}

#[tokio::test]
async fn one_class_with_another_gid_is_held_by_name_until_somebody_approves() {
    let mut world = a_school().await;
    let (before, other) = (world.gid("g2"), world.sandbox.create_group("another school's"));
    // More than this may change groups in a day.
    world.settings.guard.max_move = Limit::Percent(60.0);
    with_gids(&mut world, &[("g2", other)]).await;
    world.edit("s030", |it| it.named("Somebody else")).await;
    let report = world.run().await;
    assert_eq!(
        (report.held(), report.applied(), report.exit_code),
        ("20 move".to_owned(), "1 modify".to_owned(), 4),
        "{report:#?}"
    );
    let said = &report.exam.holds[0];
    for part in [
        format!("gid {other} in the place of {before}"),
        "20 of 20 members".to_owned(),
        "g2".to_owned(),
        "guard.max_group".to_owned(),
    ] {
        assert!(said.contains(&part), "{said}");
    }
    approve(&world, &report.digest, 1).await;
    assert_eq!(world.run().await.applied(), "20 move");
    assert_eq!(world.candidate("s000").gids, [before, other].into());
    // The old group is not on the roster any more: nobody is taken out of it, and it is said that they are there.
    assert!(world.run().await.exam.attention.contains_key("former-groups"), "{report:#?}");
}

#[tokio::test]
async fn a_few_students_whose_group_has_another_gid_follow_it() {
    let people = students(40).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 4 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    shipped(&mut world);
    let made_anew = world.sandbox.create_group("made anew");
    with_gids(&mut world, &[("g2", made_anew)]).await;
    assert_eq!(world.run().await.applied(), "4 move");
    assert!(world.candidate("s000").gids.contains(&made_anew));
}

#[tokio::test]
async fn nobody_is_put_into_a_gid_that_is_asked_about() {
    let mut world = a_school().await;
    let (before, other) = (world.gid("g2"), world.sandbox.create_group("another school's"));
    world.settings.guard.max_move = Limit::Percent(60.0);
    with_gids(&mut world, &[("g2", other)]).await;
    // A newcomer, one more who changes to that class, and one who is in a further class beside it.
    world.put(student("new").in_groups(["g2"])).await;
    world.edit("s030", |it| it.in_groups(["g2"])).await;
    world.put(student("both").in_groups(["g1", "g2"])).await;
    for _ in 0..3 {
        let report = world.run().await;
        assert_eq!((report.held(), report.exit_code), ("20 move".to_owned(), 4), "{report:#?}");
        let members: Vec<_> =
            world.sandbox.candidates().into_iter().filter(|it| it.gids.contains(&other)).collect();
        assert!(members.is_empty(), "{members:?}");
        // Those who are held where they are have nothing to be taken out of.
        assert!(!report.exam.attention.contains_key("former-groups"), "{report:#?}");
        world.later(DAY);
    }
    let plan = world.planned().await.join("\n");
    assert!(plan.contains("add new skipped") && plan.contains("move s030 skipped"), "{plan}");
    // The roster is put right: nobody is held any more, and those who waited go where they belong.
    with_gids(&mut world, &[("g2", before)]).await;
    let _run = world.run().await;
    let _run = world.run().await;
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert!(world.candidate("new").gids.contains(&before));
}

#[tokio::test]
async fn who_waited_for_a_gid_that_was_right_goes_with_the_others() {
    let mut world = a_school().await;
    let other = world.sandbox.create_group("made anew");
    world.settings.guard.max_move = Limit::Percent(60.0);
    with_gids(&mut world, &[("g2", other)]).await;
    world.put(student("new").in_groups(["g2"])).await;
    let report = world.run().await;
    assert_eq!(report.held(), "20 move", "{report:#?}");
    approve(&world, &report.digest, 1).await;
    assert_eq!(world.run().await.applied(), "1 add, 20 move");
    assert!(world.candidate("new").gids.contains(&other));
}
