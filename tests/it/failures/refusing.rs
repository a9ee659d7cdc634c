//! A service that refuses every write in a 200 answer is found out in few calls.

use rosterd_core::failure::FailureState;

use rosterd_testkit::*;

/// Each kind of write, with work of that kind for so many students.
const KINDS: [&str; 4] = ["addStudents", "changeStuinfo", "movestugroup", "delStu"];

async fn with_work(kind: &str, items: usize, batch_size: u32) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(items + 60)).await;
    world.settings.exam.batch_size = batch_size.try_into().unwrap();
    for number in 0..items {
        let id = format!("s{number:03}");
        match kind {
            "addStudents" => {
                world.people.insert(format!("new{number:03}"), student(&format!("new{number:03}")));
            }
            "changeStuinfo" => {
                let person = world.people[&id].clone().named("Another name");
                world.people.insert(id, person);
            }
            "movestugroup" => {
                let person = world.people[&id].clone().in_groups(["g2"]);
                world.people.insert(id, person);
            }
            _ => {
                world.people.remove(&id);
            }
        }
    }
    world.write_roster().await;
    if kind == "delStu" {
        assert_eq!(world.run().await.planned(), "");
        world.later(4 * DAY);
    }
    world
}

#[tokio::test]
async fn two_batches_of_twenty_items_refused_to_the_last_stop_the_service_after_few_calls() {
    for kind in KINDS {
        let world = with_work(kind, 60, 20).await;
        world.set("exam.refused_writes", kind);
        let report = world.run().await;
        assert_eq!(report.exit_code, 75, "{kind}: {report:?}");
        assert_eq!(report.applied(), "", "{kind}");
        // Each batch of twenty is halved until one item stands alone, and each other half is sent once: eleven calls.
        assert!((2..=24).contains(&report.calls(kind)), "{kind}: {} calls", report.calls(kind));
        let rows = world.failures().await;
        assert!(rows.iter().all(|row| row.state == FailureState::Waiting), "{kind}: {rows:?}");
        world.set("exam.refused_writes", "none");
        for _ in 0..3 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.run().await.planned(), "", "{kind}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{kind}");
        assert_eq!(world.failures().await, [], "{kind}");
    }
}

#[tokio::test]
async fn fewer_than_twenty_items_are_judged_as_items() {
    for kind in KINDS {
        let world = with_work(kind, 12, 6).await;
        world.set("exam.refused_writes", kind);
        let report = world.run().await;
        assert_eq!(report.exit_code, 3, "{kind}: {report:?}");
        assert!(report.calls(kind) >= 12, "{kind}: each stood alone: {}", report.calls(kind));
        assert_eq!(world.failures().await.len(), 12, "{kind}");
    }
}

#[tokio::test]
async fn everything_refused_for_days_uses_up_no_attempt_and_makes_nobody_a_dead_letter() {
    let mut world = with_work("changeStuinfo", 40, 20).await;
    world.settings.retry.max_attempts = 3;
    world.set("exam.refused_writes", "all");
    for _ in 0..6 {
        assert_eq!(world.run_later().await.exit_code, 75);
    }
    let rows = world.failures().await;
    assert!(rows.iter().all(|row| row.state == FailureState::Waiting), "{rows:?}");
    world.set("exam.refused_writes", "none");
    assert_eq!(world.run_later().await.applied(), "40 modify");
}

#[tokio::test]
async fn few_items_that_are_refused_like_everything_use_up_no_attempt_and_make_nobody_a_dead_letter() {
    for (kind, items) in KINDS.iter().flat_map(|kind| [(*kind, 1), (*kind, 2)]) {
        let mut world = with_work(kind, items, 6).await;
        world.settings.retry.max_attempts = 3;
        world.set("exam.refused_writes", "all");
        for _ in 0..5 {
            assert_eq!(world.run_later().await.exit_code, 3, "{kind} {items}");
        }
        let rows = world.failures().await;
        assert_eq!(rows.len(), items, "{kind}: {rows:?}");
        for row in &rows {
            assert_eq!((row.state, row.owner), (FailureState::Waiting, "service"), "{kind} {items}: {row:?}");
        }
        world.set("exam.refused_writes", "none");
        for _ in 0..2 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.failures().await, [], "{kind} {items}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{kind} {items}");
    }
}

#[tokio::test]
async fn what_is_refused_of_one_kind_of_call_uses_up_no_attempt_because_another_kind_goes_through() {
    for kind in KINDS {
        let mut world = with_work(kind, 2, 6).await;
        world.settings.retry.max_attempts = 3;
        world.set("exam.refused_writes", kind);
        if kind == "movestugroup" {
            // A group with members has the right gid.
            world.set("exam.refused_writes", "none");
            world.edit("s055", |it| it.in_groups(["g2"])).await;
            let people = world.people.clone();
            for number in 0..2 {
                world.edit(&format!("s{number:03}"), |it| it.in_groups(["g1"])).await;
            }
            assert_eq!(world.run().await.applied(), "1 move");
            world.people = people;
            world.write_roster().await;
            world.set("exam.refused_writes", kind);
        }
        for run in 0..6 {
            match kind {
                "changeStuinfo" => world.put(student(&format!("new{run}"))).await,
                _ => world.edit("s050", |it| it.named(&format!("Name {run}"))).await,
            }
            let report = world.run_later().await;
            assert_ne!(report.applied(), "", "{kind} {run}: {report:?}");
        }
        let rows = world.failures().await;
        assert_eq!(rows.len(), 2, "{kind}: {rows:?}");
        assert!(rows.iter().all(|row| row.state == FailureState::Waiting), "{kind}: {rows:?}");
        world.set("exam.refused_writes", "none");
        for _ in 0..2 {
            let _report = world.run_later().await;
        }
        assert_eq!(world.failures().await, [], "{kind}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{kind}");
    }
}

#[tokio::test]
async fn who_is_refused_again_after_others_went_through_comes_to_a_person_in_the_end() {
    let mut world = ExamSchool::in_step(students(4)).await;
    world.set("exam.unknown_gid", "refuse_call");
    world.settings.retry.max_attempts = 3;
    world.groups.insert("g9".to_owned(), Some(999_999));
    world.put(student("odd").in_groups(["g9"])).await;
    let _refused = [world.run_later().await, world.run_later().await];
    let row = world.failures().await.remove(0);
    assert_eq!((row.state, row.owner), (FailureState::Waiting, "service"), "{row:?}");
    world.put(student("another")).await;
    let mut states = Vec::new();
    for _ in 0..5 {
        let _report = world.run_later().await;
        states.extend(world.failures().await.into_iter().map(|row| (row.state, row.code)));
    }
    assert_eq!(states.last(), Some(&(FailureState::Dead, "refused".to_owned())), "{states:?}");
}
