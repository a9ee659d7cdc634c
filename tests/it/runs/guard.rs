//! What is too much is held, the rest goes on, and an approval covers just what it named.

use rosterd_core::roster::Limit;

use rosterd_testkit::*;

/// Students of whom some have left long enough ago, in a second run.
async fn with_leavers(n: usize, leavers: usize, limit: Limit) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(n)).await;
    for number in 0..leavers {
        world.remove(&format!("s{number:03}")).await;
    }
    assert_eq!(world.run().await.planned(), "");
    world.later(4 * DAY);
    world.settings.guard.max_delete = limit;
    world
}

#[tokio::test]
async fn deletes_up_to_the_limit_go_ahead() {
    let world = with_leavers(20, 5, Limit::Auto).await;
    assert_eq!(world.run().await.applied(), "5 delete");
}

#[tokio::test]
async fn deletes_above_the_limit_are_all_held_and_the_rest_goes_on() {
    let mut world = with_leavers(20, 6, Limit::Auto).await;
    world.put(student("new")).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), ("1 add".to_owned(), "6 delete".to_owned()));
    assert_eq!((report.exit_code, report.outcome.as_str()), (4, "held"));
    assert_eq!(report.approve.as_deref(), Some(approval(&report).as_str()));
    assert!(report.exam.holds[0].contains("6 leavers of 20"), "{:?}", report.exam.holds);
}

#[tokio::test]
async fn the_message_names_count_total_limit_the_largest_groups_and_the_command() {
    let people = students(30).into_iter().enumerate().map(|(at, person)| match at {
        0..3 => person.in_groups(["g1"]),
        3..10 => person.in_groups(["g2"]),
        10..12 => person.in_groups(["g3", "g2"]),
        _ => person,
    });
    let mut world = ExamSchool::in_step(people).await;
    world.settings.guard.max_delete = Limit::Count(4);
    for number in 0..12 {
        world.remove(&format!("s{number:03}")).await;
    }
    world.put(student("in_g2").in_groups(["g2"])).await;
    world.put(student("in_g3").in_groups(["g3"])).await;
    assert_eq!(world.run().await.applied(), "2 add");
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!(report.held(), "12 delete");
    assert_eq!(
        report.exam.holds,
        ["12 leavers of 32 managed candidates: more than the limit of 4 (guard.max_delete); \
          they went missing within 24 hours of one another: is the export broken?; \
          largest groups concerned: g2 (9), g1 (3), g3 (2)"]
    );
    assert_eq!(report.approve, Some(approval(&report)));
    let planned = world.plan_report().await;
    assert_eq!(planned.exam.holds, report.exam.holds, "the plan says the same");

    world.settings.guard.max_modify = Limit::Count(2);
    for number in 20..23 {
        world.edit(&format!("s{number:03}"), |it| it.named("Somebody else")).await;
    }
    let report = world.run().await;
    assert_eq!(
        report.exam.holds[1],
        "3 modifies of 20 managed candidates: more than the limit of 2 (guard.max_modify); \
         largest groups concerned: g1 (3)"
    );
}

#[tokio::test]
async fn an_approval_is_good_for_a_part_of_what_it_named() {
    let mut world = with_leavers(20, 8, Limit::Auto).await;
    let digest = world.run().await.digest;
    assert_eq!(world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap(), 8);
    // Two of them are back before the next run: the other six are still what somebody approved.
    world.put(student("s000")).await;
    world.put(student("s001")).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("6 delete".to_owned(), 0), "{report:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn what_came_after_an_approval_waits_for_its_own() {
    let mut world = with_leavers(30, 8, Limit::Auto).await;
    let digest = world.run().await.digest;
    world.state.approve(&digest, world.clock.now_ms() + 5 * DAY).await.unwrap();
    for number in 8..16 {
        world.remove(&format!("s{number:03}")).await;
    }
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), ("8 delete".to_owned(), "8 delete".to_owned()));
    assert_ne!(report.digest, digest);
    assert_eq!(report.exit_code, 4);
}

#[tokio::test]
async fn approved_deletes_do_not_count_towards_the_limit_of_the_day() {
    let mut world = with_leavers(40, 9, Limit::Count(8)).await;
    let digest = world.run().await.digest;
    world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.applied(), "9 delete");
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    for number in 20..28 {
        world.remove(&format!("s{number:03}")).await;
    }
    assert_eq!(world.run().await.planned(), "");
    assert_eq!(world.run().await.applied(), "8 delete");
}

/// So many leave, and their candidates are deleted by hand.
async fn leave_and_vanish(world: &mut ExamSchool, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let id = format!("s{number:03}");
        world.sandbox.remove_candidate(world.sid(&id).await);
        world.remove(&id).await;
    }
}

#[tokio::test]
async fn approved_closings_do_not_count_towards_the_limit_of_the_day() {
    let mut world = ExamSchool::in_step(students(40)).await;
    world.settings.guard.max_delete = Limit::Count(3);
    world.later(HOUR);
    leave_and_vanish(&mut world, 0..5).await;
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("5 delete".to_owned(), 4), "{report:#?}");
    world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.held(), "");
    assert_eq!(world.state.count_links().await.unwrap(), 35);
    leave_and_vanish(&mut world, 5..8).await;
    let report = world.run().await;
    assert_eq!(report.held(), "", "{report:#?}");
    assert_eq!(world.state.count_links().await.unwrap(), 32);
}

#[tokio::test]
async fn a_broken_export_that_loses_a_few_more_each_day_is_held_when_a_day_is_full() {
    let mut world = ExamSchool::in_step(students(60)).await;
    world.settings.guard.max_delete = Limit::Count(5);
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    let mut deleted = 0;
    for hour in 0..24 {
        world.remove(&format!("s{hour:03}")).await;
        let report = world.run().await;
        deleted += report.exam.applied.get("delete").copied().unwrap_or(0);
        world.later(HOUR);
    }
    assert_eq!(deleted, 5, "however small the slices");
}

#[tokio::test]
async fn a_group_that_would_go_to_zero_is_named_and_let_go_by_an_approval() {
    let people = students(10).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 2 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    world.remove("s000").await;
    world.remove("s001").await;
    assert_eq!(world.run().await.planned(), "");
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("2 delete".to_owned(), 4));
    assert!(report.exam.holds[0].contains("would lose its last member: g2"), "{:?}", report.exam.holds);
    world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.applied(), "2 delete");
}

#[tokio::test]
async fn login_values_that_change_in_numbers_go_ahead_when_approved() {
    let mut world = ExamSchool::in_step(students(20)).await;
    for number in 0..6 {
        world.edit(&format!("s{number:03}"), |it| it.login(&format!("new{number}"))).await;
    }
    let report = world.run().await;
    assert!(report.exam.holds[0].contains("6 login values of 20 would change, more than 5"), "{report:?}");
    assert!(report.exam.holds[0].contains("largest groups concerned: g1 (6)"), "{report:?}");
    world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.applied(), "6 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn an_approval_lets_exactly_what_it_named_go_once() {
    let mut world = with_leavers(20, 6, Limit::Auto).await;
    let digest = world.run().await.digest;
    assert_eq!(world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap(), 6);
    // One more leaver after the approval: not covered by it, and within the limit by itself.
    world.remove("s010").await;
    let report = world.run().await;
    assert_eq!(report.applied(), "6 delete");
    for number in 0..6 {
        world.put(student(&format!("s{number:03}"))).await;
    }
    assert_eq!(world.run().await.applied(), "6 add");
    for number in 0..6 {
        world.remove(&format!("s{number:03}")).await;
    }
    let _report = world.run().await;
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied(), report.held()), (String::new(), "7 delete".to_owned()));
}

#[tokio::test]
async fn an_approval_that_ran_out_lets_nothing_go() {
    let world = with_leavers(20, 6, Limit::Auto).await;
    let digest = world.run().await.digest;
    world.state.approve(&digest, world.clock.now_ms() + HOUR).await.unwrap();
    world.later(2 * HOUR);
    assert_eq!(world.run().await.held(), "6 delete");
}

#[tokio::test]
async fn deletes_of_the_last_day_count_against_a_broken_export_worked_off_in_slices() {
    let mut world = with_leavers(20, 3, Limit::Count(5)).await;
    world.remove("s010").await;
    world.remove("s011").await;
    world.remove("s012").await;
    assert_eq!(world.run().await.applied(), "3 delete");
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    let report = world.run().await;
    assert_eq!(report.held(), "3 delete");
    assert!(report.exam.holds[0].contains("3 in the last 24 hours"), "{:?}", report.exam.holds);
    world.later(DAY + MINUTE);
    assert_eq!(world.run().await.applied(), "3 delete", "the window slides");
}

#[tokio::test]
async fn modifies_above_the_limit_are_held() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.settings.guard.max_modify = Limit::Percent(30.0);
    for number in 0..7 {
        world.edit(&format!("s{number:03}"), |it| it.named("Somebody else")).await;
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.writes()), ("7 modify".to_owned(), 0));
    world.state.approve(&report.digest, world.clock.now_ms() + DAY).await.unwrap();
    assert_eq!(world.run().await.applied(), "7 modify");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn login_values_that_change_in_numbers_are_held() {
    let mut world = ExamSchool::in_step(students(20)).await;
    for number in 0..6 {
        world.edit(&format!("s{number:03}"), |it| it.login(&format!("new{number}"))).await;
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.writes()), ("6 modify".to_owned(), 0));
}

#[tokio::test]
async fn a_group_that_would_lose_its_last_member_is_held() {
    let mut world =
        ExamSchool::in_step([student("s1").in_groups(["g2"]), student("s2"), student("s3")]).await;
    world.edit("s1", |it| it.in_groups(["g1"])).await;
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("1 move".to_owned(), 4));
    assert_eq!(world.candidate("s1").gids, [world.gid("g2")].into());
}

#[tokio::test]
async fn what_is_held_keeps_its_open_failure() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.edit("s000", |it| it.named("Somebody else")).await;
    world.set("refuse_item", "changeStuinfo:0");
    assert_eq!(world.run().await.failed(), "1 modify");
    world.settings.guard.max_modify = Limit::Count(0);
    assert_eq!(world.run_later().await.held(), "1 modify");
    let failures = world.failures().await;
    assert_eq!((failures.len(), failures[0].attempts, failures[0].state.as_str()), (1, 1, "waiting"));
}

#[tokio::test]
async fn who_was_taken_out_of_one_of_two_groups_counts_as_taken_out() {
    let in_all = |person: Person| person.in_groups(["g1", "g2", "g3"]);
    let mut world = ExamSchool::in_step(students(40).into_iter().map(in_all)).await;
    world.settings.guard.max_move = Limit::Count(7);
    // In a group of others too, so that they are taken out of ours and not moved.
    for number in 0..5 {
        let id = format!("s{number:03}");
        let gids = ["g1", "g2", "g3"].map(|code| world.gid(code));
        world.sandbox.set_candidate_groups(world.sid(&id).await, &[gids[0], gids[1], gids[2], world.foreign]);
        world.edit(&id, |person| person.in_groups(["g3"])).await;
    }
    // With these two, one call a group is the fewest.
    world.edit("s010", |person| person.in_groups(["g2", "g3"])).await;
    world.edit("s011", |person| person.in_groups(["g1", "g3"])).await;
    world.set("refuse_item", "movestugroup@2:0,1,2,3,4,5");
    let report = world.run().await;
    world.sandbox.clear_faults();
    assert_eq!((report.applied(), report.failed()), ("1 move".to_owned(), "6 move".to_owned()));
    assert_eq!(world.candidate("s000").gids, [world.gid("g2"), world.gid("g3"), world.foreign].into());
    for number in 20..22 {
        world.edit(&format!("s{number:03}"), |person| person.in_groups(["g3"])).await;
    }
    assert_eq!(world.run().await.held(), "2 move", "and six before them");
}
