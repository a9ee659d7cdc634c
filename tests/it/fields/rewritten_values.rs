//! A service that keeps values in a form of its own makes no endless writes, and nobody's hand is taken for it.

use rosterd_testkit::*;

/// The runs in which nothing is sent, but a listing is waited for.
async fn waits(world: &ExamSchool, look_ups: &str, what: &str) {
    // A row without the field tells nothing, so the next two listings do.
    for _ in 0..if look_ups == "name_only" { 2 } else { 0 } {
        assert_eq!(world.run().await.planned(), "", "{what}");
    }
}

async fn is_quiet(world: &ExamSchool, what: &str) {
    for _ in 0..2 {
        let quiet = world.run().await;
        assert_eq!((quiet.planned().as_str(), quiet.calls("getstudentsinfo")), ("", 0), "{what}: {quiet:?}");
    }
}

#[tokio::test]
async fn a_value_that_the_service_rewrites_is_sent_twice_and_then_left() {
    for (form, kept) in [("truncated", "0 12 3"), ("upper_case", "0 12 34 X")] {
        for look_ups in ["full", "name_only"] {
            let what = format!("{form} {look_ups}");
            let mut world = ExamSchool::in_step(students(3)).await;
            world.set("value_writes", form);
            world.set("info_fields", look_ups);
            world.edit("s000", |it| it.phone("0 12 34 x")).await;
            for _ in 0..2 {
                assert_eq!(world.run().await.applied(), "1 modify", "{what}");
                assert_eq!(world.candidate("s000").fields[&PHONE], kept, "{what}");
            }
            waits(&world, look_ups, &what).await;
            is_quiet(&world, &what).await;
            world.edit("s000", |it| it.phone("0 99 88 y")).await;
            assert_eq!(world.run().await.applied(), "1 modify", "{what}: a new value is sent");
            assert_eq!(world.run().await.applied(), "1 modify", "{what}");
            waits(&world, look_ups, &what).await;
            is_quiet(&world, &what).await;
        }
    }
}

#[tokio::test]
async fn a_second_write_of_many_is_looked_up_in_one_call() {
    let mut world = ExamSchool::switched(students(20), &[("value_writes", "upper_case")]).await;
    assert_eq!(world.run().await.applied(), "20 add");
    let second = world.run().await;
    assert_eq!(second.applied(), "20 modify");
    world.state.remember("exam.change_mode", Some("partial")).await.unwrap();
    is_quiet(&world, "twenty").await;
    for number in 0..20 {
        world.edit(&format!("s{number:03}"), |it| it.phone("changed")).await;
    }
    let first = world.run().await;
    assert_eq!((first.applied().as_str(), first.calls("getstudentsinfo")), ("20 modify", 1));
    let second = world.run().await;
    assert_eq!((second.applied().as_str(), second.calls("getstudentsinfo")), ("20 modify", 2));
    is_quiet(&world, "twenty again").await;
}

#[tokio::test]
async fn an_edit_by_hand_of_a_rewritten_value_is_put_right_each_time() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.set("value_writes", "upper_case");
    world.edit("s000", |it| it.phone("ext 1")).await;
    let _first = world.run().await;
    let _second = world.run().await;
    is_quiet(&world, "at first").await;
    let sid = world.sid("s000").await;
    for by_hand in ["rude word", "rude word", "Ext 1", ""] {
        world.sandbox.edit_candidate(sid, &[(PHONE, by_hand)]);
        assert_eq!(world.run().await.applied(), "1 modify", "{by_hand:?}");
        assert_eq!(world.candidate("s000").fields[&PHONE], "EXT 1", "{by_hand:?}");
        assert_eq!(world.run().await.applied(), "1 modify", "{by_hand:?}: the service's form once more");
        is_quiet(&world, by_hand).await;
    }
    world.sandbox.edit_candidate(sid, &[(PHONE, "ext 1")]);
    is_quiet(&world, "as wanted").await;
    assert!(world.link("s000").await.unwrap().rewritten.is_empty());
}

#[tokio::test]
async fn the_same_edit_by_hand_after_each_write_is_not_the_services_doing() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s000", |it| it.phone("from the roster")).await;
    let _first = world.run().await;
    let sid = world.sid("s000").await;
    for time in 0..4 {
        world.sandbox.edit_candidate(sid, &[(PHONE, "by hand")]);
        assert_eq!(world.run().await.applied(), "1 modify", "{time}");
        assert_eq!(world.candidate("s000").fields[&PHONE], "from the roster", "{time}");
        assert!(world.link("s000").await.unwrap().rewritten.is_empty(), "{time}");
    }
    is_quiet(&world, "at last").await;
}

#[tokio::test]
async fn look_ups_that_lag_behind_do_not_blame_the_service() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.edit("s000", |it| it.phone("from the roster")).await;
    let _first = world.run().await;
    let sid = world.sid("s000").await;
    world.sandbox.edit_candidate(sid, &[(PHONE, "by hand")]);
    world.set("info_lag_s", "600");
    world.set("lag_after", "modify");
    assert_eq!(world.run().await.applied(), "1 modify");
    world.set("info_lag_s", "0");
    is_quiet(&world, "afterwards").await;
    world.sandbox.edit_candidate(sid, &[(PHONE, "by hand")]);
    assert_eq!(world.run().await.applied(), "1 modify");
}

#[tokio::test]
async fn a_field_that_is_not_compared_is_named_with_how_many_and_since_when() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.set("value_writes", "truncated");
    for student in ["s000", "s001"] {
        world.edit(student, |it| it.phone("0 12 34")).await;
    }
    let uncompared = |report: &rosterd::RunReport| -> Vec<String> {
        report.exam.notes.iter().filter(|note| note.contains("is not compared")).cloned().collect()
    };
    assert_eq!(uncompared(&world.run().await), Vec::<String>::new());
    for _ in 0..2 {
        let said = uncompared(&world.run().await);
        let [said] = said.as_slice() else { panic!("{said:?}") };
        assert!(said.starts_with("phone (field 4) is not compared for 2 students since 20"), "{said}");
    }
    assert_eq!(uncompared(&world.plan_report().await).len(), 1);
    world.edit("s001", |it| it.phone("55")).await;
    let said = uncompared(&world.run().await);
    assert!(said.len() == 1 && said[0].contains("for 1 student since"), "{said:?}");
    world.edit("s000", |it| it.phone("55")).await;
    assert_eq!(uncompared(&world.run().await), Vec::<String>::new());
}
