//! A service that empties what a change does not name: found out by whatever shows it, remembered, and nobody loses a value
//! for good.

use rosterd_testkit::*;

async fn map_no_longer(world: &mut ExamSchool, columns: &[&str]) {
    world.settings.exam.fields.retain(|mapping| !columns.contains(&mapping.column.as_str()));
    world.database = rosterd::roster(&world.settings).await.unwrap();
}

/// Ten more runs that have nothing to do.
async fn stays_quiet(world: &ExamSchool, what: &str) {
    for at in 0..10 {
        let report = world.run().await;
        assert_eq!((report.planned().as_str(), report.writes()), ("", 0), "{what}, run {at}: {report:?}");
    }
}

#[tokio::test]
async fn a_service_that_empties_what_a_change_does_not_name_comes_to_rest_whatever_its_look_ups_show() {
    for look_ups in ["full", "name_only", "login_only"] {
        for echo in ["on", "off", "masked"] {
            let what = format!("look-ups {look_ups}, password {echo}");
            let switches = [("change_mode", "overwrite"), ("info_fields", look_ups), ("echo_password", echo)];
            let mut world = ExamSchool::switched(students(8), &switches).await;
            let _first = world.run().await;
            assert_eq!(world.run().await.planned(), "", "{what}");
            world.edit("s003", |it| it.named("Zed")).await;
            assert_eq!(world.run().await.applied(), "1 modify", "{what}");
            assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
            stays_quiet(&world, &what).await;
            world.edit("s004", |it| it.named("Zoe").phone("555")).await;
            world.edit("s005", |it| it.login("renamed")).await;
            world.edit("s006", |it| it.login("s007")).await;
            world.edit("s007", |it| it.login("s006")).await;
            assert_eq!(world.run().await.applied(), "4 modify", "{what}");
            assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
            stays_quiet(&world, &what).await;
        }
    }
}

#[tokio::test]
async fn a_service_that_begins_to_empty_fields_is_found_out_by_the_next_listing() {
    for echo in ["on", "off"] {
        let mut world = ExamSchool::in_step(students(8)).await;
        world.set("echo_password", echo);
        world.set("change_mode", "overwrite");
        world.edit("s003", |it| it.named("Zed")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{echo}");
        assert_eq!(world.run().await.applied(), "1 modify", "{echo}: what was emptied is given back");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{echo}");
        stays_quiet(&world, echo).await;
        world.edit("s004", |it| it.phone("555")).await;
        assert_eq!(world.run().await.applied(), "1 modify", "{echo}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{echo}");
    }
}

#[tokio::test]
async fn a_password_that_alone_was_emptied_is_sent_again() {
    let mut world = ExamSchool::switched(students(4), &[]).await;
    map_no_longer(&mut world, &["gender", "phone"]).await;
    let _first = world.run().await;
    let _second = world.run().await;
    world.state.remember("exam.change_mode", Some("partial")).await.unwrap();
    world.set("change_mode", "overwrite");
    world.edit("s003", |it| it.named("Zed")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.candidate("s003").fields.get(&PASSWORD), None);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.candidate("s003").fields[&PASSWORD], "secret-s003");
    assert_eq!(world.candidate("s003").fields[&NAME], "Zed");
    stays_quiet(&world, "password").await;
}

#[tokio::test]
async fn a_field_that_somebody_emptied_by_hand_does_not_make_every_change_name_all_values() {
    let mut world = ExamSchool::in_step(students(8)).await;
    let sid = world.sid("s003").await;
    world.sandbox.edit_candidate(sid, &[(PASSWORD, "their own")]);
    world.set("echo_password", "off");
    world.edit("s003", |it| it.named("Zed")).await;
    assert_eq!(world.run().await.applied(), "1 modify");
    world.sandbox.edit_candidate(sid, &[(PHONE, "")]);
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.candidate("s003").fields[&PASSWORD], "their own");
    assert_eq!(world.state.fact("exam.change_mode").await.unwrap().as_deref(), Some("partial"));
}

#[tokio::test]
async fn what_nothing_can_give_back_is_said_with_what_to_do() {
    let mut world = ExamSchool::switched(students(8), &[("echo_password", "off")]).await;
    map_no_longer(&mut world, &["password"]).await;
    let _first = world.run().await;
    let _second = world.run().await;
    world.set("change_mode", "overwrite");
    world.edit("s003", |it| it.named("Zed")).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "1 modify");
    let said = report.exam.notes.iter().find(|note| note.contains("empties")).cloned().unwrap_or_default();
    assert!(said.contains("field 10") && said.contains("[exam.fields]"), "{:?}", report.exam.notes);
    assert!(said.contains("1 student"), "{said}");
    let later = world.run().await;
    assert!(later.exam.notes.contains(&said), "it is said as long as it may matter: {:?}", later.exam.notes);
    world.later(8 * DAY);
    let much_later = world.run().await;
    assert!(!much_later.exam.notes.iter().any(|note| note.contains("empties")), "{much_later:?}");
}
