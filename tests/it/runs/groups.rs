//! Groups: who is moved how, what stays untouched, and how our knowledge of them is kept fresh.

use rosterd_testkit::*;

#[tokio::test]
async fn students_who_change_to_one_group_are_moved_in_one_call_a_group() {
    let mut world = ExamSchool::in_step(students(9)).await;
    for id in ["s000", "s001", "s002"] {
        world.edit(id, |it| it.in_groups(["g2"])).await;
    }
    for id in ["s003", "s004"] {
        world.edit(id, |it| it.in_groups(["g3"])).await;
    }
    let report = world.run().await;
    assert_eq!((report.applied(), report.calls("movestugroup")), ("5 move".to_owned(), 2));
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_student_of_several_groups_joins_before_leaving() {
    let mut world = ExamSchool::in_step([student("s1").in_groups(["g1", "g2"]), student("s2")]).await;
    world.edit("s1", |it| it.in_groups(["g2", "g3"])).await;
    assert_eq!(world.run().await.applied(), "1 move");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn foreign_groups_are_never_left() {
    let mut world = ExamSchool::in_step(students(3)).await;
    let sid = world.sid("s000").await;
    world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), world.foreign]);
    world.edit("s000", |it| it.in_groups(["g2"])).await;
    assert_eq!(world.run().await.applied(), "1 move");
    assert_eq!(world.candidate("s000").gids, [world.gid("g2"), world.foreign].into());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn a_move_whose_second_call_is_refused_is_retried_and_leaves_no_one_groupless() {
    let mut world = ExamSchool::in_step([student("s1").in_groups(["g1", "g2"]), student("s2")]).await;
    world.edit("s1", |it| it.in_groups(["g2", "g3"])).await;
    world.set("refuse_item", "movestugroup@2:0");
    let report = world.run().await;
    assert_eq!((report.failed(), report.exit_code), ("1 move".to_owned(), 3));
    assert_eq!(world.candidate("s1").gids, [1, 2, 3].map(|it| world.gid(&format!("g{it}"))).into());
    assert_eq!(world.run_later().await.applied(), "1 move");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn a_move_whose_first_call_is_refused_leaves_no_group_either() {
    let mut world = ExamSchool::in_step([student("s1").in_groups(["g1", "g2"]), student("s2")]).await;
    world.edit("s1", |it| it.in_groups(["g2", "g3"])).await;
    world.set("refuse_item", "movestugroup@1:0");
    let report = world.run().await;
    assert_eq!((report.failed(), report.calls("movestugroup")), ("1 move".to_owned(), 1));
    assert_eq!(world.candidate("s1").gids, [world.gid("g1"), world.gid("g2")].into());
    assert_eq!(world.run_later().await.applied(), "1 move");
}

#[tokio::test]
async fn further_groups_of_a_student_whose_add_is_refused_wait_with_it() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.put(student("new").in_groups(["g1", "g2"])).await;
    world.set("refuse_item", "addStudents:0");
    let report = world.run().await;
    assert_eq!((report.failed(), report.skipped()), ("1 add".to_owned(), "1 move".to_owned()));
    assert_eq!(world.run_later().await.applied(), "1 add, 1 move");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn who_is_in_no_group_cannot_be_added_and_keeps_the_groups_they_hold() {
    let mut world = ExamSchool::in_step(students(2)).await;
    world.edit("s000", |it| it.in_groups([])).await;
    world.put(student("new").in_groups([])).await;
    let report = world.run().await;
    assert_eq!(
        (report.planned(), report.skipped(), report.exit_code),
        ("1 add, 1 move".to_owned(), "1 add, 1 move".to_owned(), 3)
    );
    assert!(world.failures().await.iter().all(|failure| failure.code == "no-group"));
    assert_eq!(world.candidate("s000").gids, [world.gid("g1")].into());
    world.edit("new", |it| it.in_groups(["g2"])).await;
    world.edit("s000", |it| it.in_groups(["g1"])).await;
    assert_eq!(world.run().await.applied(), "1 add", "a row that was mended is tried at once");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn a_group_without_a_gid_is_an_error_for_those_in_it_alone() {
    let mut world = ExamSchool::with([student("s1"), student("s2").in_groups(["h1"])]).await;
    world.put(student("s3").in_groups(["g1", "h1"])).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.skipped()), ("2 add".to_owned(), "1 add, 1 move".to_owned()));
    assert_eq!(world.logins(), ["s1", "s3"]);
    let gid = world.sandbox.create_group("h1");
    world.groups.insert("h1".to_owned(), Some(gid));
    world.write_roster().await;
    assert_eq!(world.run().await.applied(), "1 add, 1 move");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn groups_changed_by_hand_are_found_when_their_look_up_is_due() {
    let world =
        ExamSchool::in_step([student("s001"), student("s002"), student("s003").in_groups(["g3"])]).await;
    world.sandbox.set_candidate_groups(world.sid("s001").await, &[world.gid("g3")]);
    assert_eq!(world.run().await.planned(), "", "a quiet run does not look groups up");
    assert_eq!(world.run_later().await.applied(), "1 move");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn group_look_ups_are_spread_over_the_runs_and_each_group_is_seen_in_time() {
    let world = ExamSchool::in_step(students(400)).await;
    let mut calls = Vec::new();
    for _ in 0..12 {
        world.later(2 * HOUR);
        let report = world.run().await;
        assert_eq!(report.planned(), "");
        calls.push(report.calls("getstudentsinfo"));
    }
    assert_eq!(calls[..5], [0; 5], "nothing is due in the first half of the day: {calls:?}");
    assert!((4..=8).contains(&calls.iter().sum::<u64>()), "{calls:?}");
    assert!(calls.iter().all(|calls| *calls <= 2), "{calls:?}");
}

/// Ten students in `g1`, three in `g2`, with the limits of single groups out of the way.
async fn with_a_small_group() -> ExamSchool {
    let people = students(13).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 3 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    world
}

fn members(world: &ExamSchool, code: &str) -> usize {
    let gid = world.gid(code);
    world.sandbox.candidates().iter().filter(|candidate| candidate.gids.contains(&gid)).count()
}

#[tokio::test]
async fn the_last_members_of_a_group_stay_where_whoever_was_to_come_is_refused() {
    for come in ["by an add", "by a move", "by two groups"] {
        let mut world = with_a_small_group().await;
        for id in ["s000", "s001", "s002"] {
            world.edit(id, |it| it.in_groups(["g1"])).await;
        }
        match come {
            "by an add" => world.put(student("new").in_groups(["g2"])).await,
            "by a move" => world.edit("s010", |it| it.in_groups(["g2"])).await,
            _ => world.edit("s010", |it| it.in_groups(["g1", "g2"])).await,
        }
        let refused = if come == "by an add" { "addStudents@*:0" } else { "movestugroup@1:0" };
        world.set("refuse_item", refused);
        let report = world.run().await;
        assert_eq!(report.applied(), "", "{come}: {report:#?}");
        assert_eq!(members(&world, "g2"), 3, "{come}: {report:#?}");
        // Whoever was to come waits for another attempt: until then the group is held as any that would lose its last member.
        let report = world.run().await;
        assert_eq!((report.applied(), members(&world, "g2")), (String::new(), 3), "{come}: {report:#?}");
        world.sandbox.clear_faults();
        for _ in 0..3 {
            let _due = world.run_later().await;
        }
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{come}");
    }
}

#[tokio::test]
async fn the_last_members_who_have_left_the_school_stay_where_whoever_was_to_come_is_refused() {
    let mut world = with_a_small_group().await;
    for id in ["s000", "s001", "s002"] {
        world.remove(id).await;
    }
    world.put(student("new").in_groups(["g2"])).await;
    world.set("refuse_item", "addStudents@*:0");
    let _seen = world.run().await;
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!((members(&world, "g2"), report.calls("delStu")), (3, 0), "{report:#?}");
    }
    world.sandbox.clear_faults();
    for _ in 0..3 {
        let _due = world.run_later().await;
    }
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn groups_that_exchange_all_their_members_do_so() {
    let people = students(6).into_iter().enumerate();
    let people = people.map(|(at, person)| if at < 3 { person.in_groups(["g2"]) } else { person });
    let mut world = ExamSchool::in_step(people).await;
    for at in 0..6 {
        let code = if at < 3 { "g1" } else { "g2" };
        world.edit(&format!("s{at:03}"), |it| it.in_groups([code])).await;
    }
    let report = world.run().await;
    assert_eq!((report.applied(), report.calls("movestugroup")), ("6 move".to_owned(), 2), "{report:#?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn whoever_came_today_makes_no_room_for_those_who_leave_a_group() {
    for come in ["added", "moved"] {
        let people = students(40).into_iter().enumerate();
        let people = people.map(|(at, person)| if at < 20 { person.in_groups(["g2"]) } else { person });
        let mut world = ExamSchool::in_step(people).await;
        let guard = &mut world.settings.guard;
        (guard.max_group, guard.max_move) =
            (rosterd_core::roster::Limit::Percent(50.0), rosterd_core::roster::Limit::Count(100));
        world.later(2 * DAY);
        for at in 0..10 {
            match come {
                "added" => world.put(student(&format!("new{at}")).in_groups(["g2"])).await,
                _ => world.edit(&format!("s{:03}", 20 + at), |it| it.in_groups(["g2"])).await,
            }
        }
        assert_eq!(world.run().await.held(), "", "{come}");
        for at in 0..11 {
            world.edit(&format!("s{at:03}"), |it| it.in_groups(["g1"])).await;
        }
        // Of the twenty who were there yesterday; of thirty it would be few.
        let report = world.run().await;
        assert_eq!((report.held(), report.exit_code), ("11 move".to_owned(), 4), "{come}: {report:#?}");
        assert!(report.exam.holds[0].contains("11 of 20 members"), "{come}: {report:#?}");
    }
}

#[tokio::test]
async fn those_who_came_to_a_new_group_and_left_it_on_one_day_tell_nothing_of_its_size() {
    let mut world = ExamSchool::in_step(students(40)).await;
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    world.settings.guard.max_group = rosterd_core::roster::Limit::Percent(100.0);
    world.settings.guard.max_delete = rosterd_core::roster::Limit::Count(100);
    for round in 0..5 {
        for at in [2 * round, 2 * round + 1] {
            world.remove(&format!("s{at:03}")).await;
            world.put(student(&format!("new{at}")).in_groups(["g1"])).await;
        }
        let report = world.run().await;
        assert_eq!((report.held(), report.exit_code), (String::new(), 0), "{round}: {report:#?}");
    }
    // Whoever is found missing goes in the run after, at the earliest.
    assert_eq!(world.run().await.exit_code, 0);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn those_who_came_today_may_leave_a_group_of_few_again() {
    // Three were there before anybody of the school was entered, and are taken over; 47 are entered beside them.
    let mut world = ExamSchool::in_step(students(3)).await;
    world.lose_our_database().await;
    for person in students(50) {
        world.put(person).await;
    }
    let first = world.run().await;
    assert_eq!((first.applied(), first.exit_code), ("47 add, 3 adopt".to_owned(), 0), "{first:#?}");
    for at in 0..8 {
        world.edit(&format!("s{at:03}"), |it| it.in_groups(["g2"])).await;
    }
    let report = world.run().await;
    assert_eq!((report.held(), report.applied()), (String::new(), "8 move".to_owned()), "{report:#?}");
}
