//! A mass that was held stays held, person by person, from run to run: until somebody decides, not until figures change.

use rosterd_core::roster::Limit;

use rosterd_testkit::*;

/// So many students in step, with the limits of the shipped configuration.
async fn school(people: usize) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(people)).await;
    let guard = &mut world.settings.guard;
    (guard.max_delete, guard.max_modify) = (Limit::Auto, Limit::Percent(30.0));
    (guard.max_move, guard.max_group) = (Limit::Percent(30.0), Limit::Count(1000));
    world
}

fn nth(number: usize) -> String {
    format!("s{number:03}")
}

async fn approve_of(world: &ExamSchool, digest: &str, people: usize) {
    let mut held = world.state.approvable(digest).await.unwrap();
    held.truncate(people);
    let until_ms = world.clock.now_ms() + 5 * DAY;
    let granted: Vec<_> = held.into_iter().map(|one| (one, until_ms)).collect();
    world.state.grant(&granted, world.clock.now_ms()).await.unwrap();
}

#[tokio::test]
async fn newcomers_of_the_same_export_let_no_leaver_go_after_the_grace() {
    let mut world = school(80).await;
    for number in 0..20 {
        world.remove(&nth(number)).await;
        world.put(student(&format!("other{number}"))).await;
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("20 delete".to_owned(), 4), "{report:?}");
    for day in 1..6 {
        world.later(DAY);
        let report = world.run().await;
        assert_eq!((report.held(), report.exit_code), ("20 delete".to_owned(), 4), "day {day}: {report:?}");
    }
    assert_eq!(world.logins().len(), 100, "nobody is gone");
    let digest = world.run().await.digest;
    approve_of(&world, &digest, 20).await;
    assert_eq!(world.run().await.applied(), "20 delete");
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn who_is_approved_of_a_mass_by_name_goes_alone() {
    let mut world = school(80).await;
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    for number in 0..20 {
        world.remove(&nth(number)).await;
    }
    let report = world.run().await;
    assert_eq!(report.held(), "20 delete");
    approve_of(&world, &report.digest, 5).await;
    let report = world.run_later().await;
    assert_eq!(
        (report.applied(), report.held()),
        ("5 delete".to_owned(), "15 delete".to_owned()),
        "{report:?}"
    );
    let report = world.run_later().await;
    assert_eq!((report.held(), report.exit_code), ("15 delete".to_owned(), 4), "{report:?}");
}

#[tokio::test]
async fn what_is_approved_of_changed_values_lets_the_other_values_wait() {
    let mut world = school(30).await;
    for number in 0..12 {
        world.edit(&nth(number), |it| it.named("#REF!")).await;
    }
    let report = world.run().await;
    assert_eq!(report.held(), "12 modify", "9 are allowed");
    approve_of(&world, &report.digest, 4).await;
    let report = world.run().await;
    assert_eq!(
        (report.applied(), report.held()),
        ("4 modify".to_owned(), "8 modify".to_owned()),
        "{report:?}"
    );
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!((report.held(), report.exit_code), ("8 modify".to_owned(), 4), "{report:?}");
    }
    for number in 4..7 {
        world.put(student(&nth(number))).await;
    }
    let report = world.run().await;
    assert_eq!(
        (report.applied(), report.held()),
        (String::new(), "5 modify".to_owned()),
        "three are mended, which says nothing about the others: {report:?}"
    );
    assert!(report.exam.holds[0].contains("12 modifies of 30"), "{report:?}");
    assert!(report.exam.holds[0].contains("5 are left of that"), "{report:?}");
    approve_of(&world, &report.digest, 5).await;
    assert_eq!(world.run().await.applied(), "5 modify");
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn newcomers_let_no_changed_values_go() {
    let mut world = school(40).await;
    for number in 0..14 {
        world.edit(&nth(number), |it| it.named("#REF!")).await;
    }
    for number in 0..10 {
        world.put(student(&format!("other{number}"))).await;
    }
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!((report.held(), report.exit_code), ("14 modify".to_owned(), 4), "{report:?}");
    }
}

#[tokio::test]
async fn a_mass_outlives_a_listing_that_could_not_be_believed() {
    let mut world = school(80).await;
    for number in 0..20 {
        world.remove(&nth(number)).await;
        world.put(student(&format!("other{number}"))).await;
    }
    assert_eq!(world.run().await.held(), "20 delete");
    world.set("http_5xx", "getstulist:503");
    world.later(2 * DAY);
    let _no_listing = world.run().await;
    world.sandbox.clear_faults();
    world.later(2 * DAY);
    assert_eq!(world.run().await.held(), "20 delete");
}

#[tokio::test]
async fn who_was_in_a_mass_and_came_back_is_a_leaver_like_any_other() {
    let mut world = school(80).await;
    for number in 0..20 {
        world.remove(&nth(number)).await;
    }
    assert_eq!(world.run().await.held(), "20 delete");
    for number in 0..20 {
        world.put(student(&nth(number))).await;
    }
    assert_eq!(world.run().await.planned(), "");
    world.remove("s003").await;
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), (String::new(), 0), "{report:?}");
}

#[tokio::test]
async fn what_take_overs_would_undo_is_held_in_the_run_after_too() {
    let mut world = school(40).await;
    let g2 = world.gid("g2");
    for number in 0..8 {
        let (login, phone) = (format!("found{number}"), format!("139000000{number:02}"));
        world.sandbox.insert_candidate(&[(LOGIN, &login), (NAME, "Somebody"), (PHONE, &phone)], &[g2]);
        world.put(student(&login).named(&format!("New {number}")).phone(&phone)).await;
    }
    world.settings.exam.adopt = rosterd_core::roster::Adopt::Auto;
    let first = world.run().await;
    assert_eq!(
        (first.held(), first.applied()),
        ("8 modify, 8 move".to_owned(), "8 adopt".to_owned()),
        "{first:?}"
    );
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.held(), report.applied()), (first.held(), String::new()), "{report:?}");
    }
}

#[tokio::test]
async fn who_enters_the_first_of_a_mass_again_lets_the_others_not_go() {
    let mut world = school(40).await;
    for number in 0..9 {
        world.remove(&nth(number)).await;
    }
    assert_eq!(world.run().await.held(), "9 delete", "8 are allowed");
    for back in 0..8 {
        world.later(DAY);
        world.put(student(&nth(back))).await;
        let report = world.run().await;
        let left = format!("{} delete", 8 - back);
        assert_eq!((report.held(), report.exit_code), (left, 4), "{report:?}");
        assert_eq!(world.logins().len(), 40);
    }
    let digest = world.run().await.digest;
    approve_of(&world, &digest, 1).await;
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_gid_that_was_entered_for_one_of_many_new_groups_creates_none_of_the_others() {
    let mut world = school(20).await;
    world.settings.exam.create_groups = true;
    for at in 0..6 {
        let code = format!("c{at}");
        world.groups.insert(code.clone(), None);
        world
            .edit(&nth(at), |mut it| {
                it.groups.insert(code);
                it
            })
            .await;
    }
    assert_eq!(world.run().await.held(), "6 create", "of nine groups five may be new");
    let own = world.sandbox.create_group("Group c0");
    world.groups.insert("c0".to_owned(), Some(own));
    world.write_roster().await;
    for _ in 0..3 {
        let report = world.run().await;
        assert_eq!((report.held(), report.exit_code), ("5 create".to_owned(), 4), "{report:#?}");
        assert_eq!(report.calls("addcategory"), 0, "{report:#?}");
        world.later(HOUR);
    }
    let digest = world.run().await.digest;
    world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap();
    let report = world.run().await;
    assert_eq!(report.calls("addcategory"), 5, "{report:#?}");
}
