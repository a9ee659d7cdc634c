//! One person or two? Who was asked about stays asked about when the value that tied the two together changes.

use rosterd_testkit::*;

use crate::program::Programs as _;

/// Twenty students in step, of whom `s000` was written anew as `r000`, with the same login value and name.
async fn renumbered() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(20)).await;
    let person = world.people["s000"].clone();
    world.remove("s000").await;
    world.put(Person { id: "r000".to_owned(), ..person }).await;
    let report = world.run().await;
    assert_eq!(report.writes(), 0, "{report:#?}");
    assert!(world.failures().await.iter().any(|row| row.student_id == "s000"), "{report:#?}");
    world
}

async fn for_days(world: &mut ExamSchool, days: usize) -> rosterd::RunReport {
    for _ in 1..days {
        let _report = world.run().await;
        world.later(DAY);
    }
    world.run().await
}

#[tokio::test]
async fn another_telephone_number_makes_no_second_person_of_them() {
    let mut world = renumbered().await;
    world.later(DAY);
    world.edit("r000", |it| it.login("another number")).await;
    let report = for_days(&mut world, 6).await;
    assert_eq!(world.logins().len(), 20, "nobody is entered twice, and nobody is deleted: {report:#?}");
    assert_eq!(report.held(), "1 add, 1 delete", "{report:#?}");
    // Who is one person is carried over.
    let ids = ["s000", "r000"].map(rosterd_core::roster::StudentId::new);
    world.state.relink(&ids[0], &ids[1]).await.unwrap();
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!(world.run().await.outcome.as_str(), "converged");
    assert_eq!(world.logins().len(), 20);
}

#[tokio::test]
async fn a_number_that_was_a_slip_of_somebody_else_lets_both_go() {
    let mut world = ExamSchool::in_step(students(20)).await;
    let login = world.people["s000"].login.clone().unwrap();
    world.remove("s000").await;
    world.put(student("new").named("Quite another").phone("another").login(&login)).await;
    assert_eq!(world.run().await.writes(), 0);
    world.edit("new", |it| it.login("the right number")).await;
    let report = for_days(&mut world, 6).await;
    assert_eq!(report.outcome.as_str(), "converged", "{report:#?}");
    assert_eq!(world.logins().len(), 20, "one came and one has left");
}

#[tokio::test]
async fn a_login_value_that_is_only_written_otherwise_makes_no_second_person() {
    for (before, after) in [("anna@x.cn", "Anna@X.cn"), ("13900000001", "+86 139-0000-0001")] {
        let people = students(20).into_iter().map(|it| if it.id == "s000" { it.login(before) } else { it });
        let mut world = ExamSchool::in_step(people).await;
        let person = world.people["s000"].clone();
        world.remove("s000").await;
        world.put(Person { id: "r000".to_owned(), ..person }.login(after)).await;
        let report = for_days(&mut world, 6).await;
        assert_eq!(world.logins().len(), 20, "{after}: {report:#?}");
        assert_eq!(report.held(), "1 add, 1 delete", "{after}: {report:#?}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_used_for_a_day_answers_no_question() {
    let mut world = renumbered().await;
    world.later(4 * DAY);
    world.edit("r000", |it| it.login("another number")).await;
    assert_eq!(world.run().await.held(), "1 add, 1 delete");
    world.edit("r000", |it| it.login("")).await;
    let report = for_days(&mut world, 3).await;
    assert_eq!(report.calls("delStu"), 0, "{report:#?}");
    assert_eq!(world.logins().len(), 20, "the leaver is there still");
    world.edit("r000", |it| it.login("another number")).await;
    assert_eq!(world.run().await.held(), "1 add, 1 delete");
}

#[tokio::test]
async fn whom_no_run_dismisses_keeps_nobody_out_whose_login_value_is_written_otherwise() {
    let people = students(20).into_iter().map(|it| if it.id == "s000" { it.login("anna@x.cn") } else { it });
    let mut world = ExamSchool::in_step(people).await;
    world.settings.mode = rosterd_core::roster::Mode::Upsert;
    world.remove("s000").await;
    world.put(student("new").named("Quite another").login("Anna@X.cn")).await;
    let report = world.run().await;
    assert_eq!(report.held(), "1 add", "{report:#?}");
    let [row] = &world.failures().await[..] else { panic!("one question, one row") };
    assert!(row.message.contains("but for the way it is written"), "{}", row.message);
    assert!(row.message.contains("--student new"), "{}", row.message);
}

/// The same, and the newcomer got another login value before anybody answered.
async fn renumbered_with_another_number() -> ExamSchool {
    let mut world = renumbered().await;
    world.later(HOUR);
    world.edit("r000", |it| it.login("another number")).await;
    assert_eq!(world.run().await.held(), "1 add, 1 delete");
    world.later(HOUR);
    world
}

#[tokio::test]
async fn a_row_that_is_written_anew_once_more_before_anybody_answers_makes_no_second_person() {
    type Edit = fn(Person) -> Person;
    let changes: [(&str, Edit); 5] = [
        ("the id alone", |it| it),
        ("id and login value", |it| it.login("a third number")),
        ("id, login value and name", |it| it.login("a third number").named("Li Hua")),
        ("id, login value and telephone number", |it| it.login("a third number").phone("a third number")),
        ("id, name and telephone number", |it| it.named("Li Hua").phone("a third number")),
    ];
    for (what, change) in changes {
        for days_between in [0, 5] {
            let mut world = renumbered_with_another_number().await;
            let person = world.people["r000"].clone();
            world.remove("r000").await;
            let report = for_days(&mut world, 1 + days_between).await;
            assert_eq!(
                world.logins().len(),
                20,
                "{what}: the leaver stays while nobody is there: {report:#?}"
            );
            world.put(change(Person { id: "q000".to_owned(), ..person })).await;
            let report = for_days(&mut world, 6).await;
            assert_eq!(world.logins().len(), 20, "{what}: {report:#?}");
            assert_eq!(report.held(), "1 add, 1 delete", "{what}: {report:#?}");
            let ids = ["s000", "q000"].map(rosterd_core::roster::StudentId::new);
            world.state.relink(&ids[0], &ids[1]).await.unwrap();
            assert_eq!(world.run().await.applied(), "1 modify", "{what}");
            assert_eq!(world.run().await.outcome.as_str(), "converged", "{what}");
        }
    }
}

#[tokio::test]
async fn three_cells_of_a_row_that_change_at_once_answer_no_question() {
    let mut world = renumbered_with_another_number().await;
    world.edit("r000", |it| it.login("a third number").named("Li Hua").phone("a fourth")).await;
    let report = for_days(&mut world, 6).await;
    assert_eq!((world.logins().len(), report.held()), (20, "1 add, 1 delete".to_owned()), "{report:#?}");
}

#[tokio::test]
async fn who_was_asked_about_and_is_gone_for_good_leaves_when_a_person_says_so() {
    let mut world = renumbered_with_another_number().await;
    world.remove("r000").await;
    let report = for_days(&mut world, 6).await;
    assert_eq!((world.logins().len(), report.held()), (20, "1 delete".to_owned()), "{report:#?}");
    let said = world.failures().await.iter().map(|row| row.message.clone()).collect::<String>();
    assert!(said.contains("rosterd relink s000 NEW") && said.contains("--student s000"), "{said}");
    let held = world.state.approvable(report.held_digest.as_deref().expect("a hold")).await.unwrap();
    let now_ms = world.clock.now_ms();
    let granted: Vec<_> = held.into_iter().map(|one| (one, now_ms + DAY)).collect();
    world.state.grant(&granted, now_ms).await.unwrap();
    assert_eq!(world.run().await.applied(), "1 delete");
    assert_eq!(world.run().await.outcome.as_str(), "converged");
}

#[tokio::test]
async fn somebody_else_who_comes_while_a_question_is_open_is_entered() {
    let mut world = renumbered_with_another_number().await;
    world.remove("r000").await;
    world.put(student("new")).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "1 add", "{report:#?}");
    let report = for_days(&mut world, 6).await;
    assert_eq!((world.logins().len(), report.held()), (21, "1 delete".to_owned()), "{report:#?}");
}

#[tokio::test]
async fn a_leaver_who_was_asked_about_and_is_back_is_asked_about_no_more() {
    let mut world = renumbered_with_another_number().await;
    let person = world.people["r000"].clone();
    world.remove("r000").await;
    world.put(Person { id: "s000".to_owned(), ..person }).await;
    let report = for_days(&mut world, 2).await;
    assert_eq!(report.outcome.as_str(), "converged", "{report:#?}");
    world.remove("s000").await;
    let report = for_days(&mut world, 6).await;
    assert_eq!((world.logins().len(), report.outcome.as_str()), (19, "converged"), "{report:#?}");
}

#[tokio::test]
async fn who_was_written_anew_with_another_id_and_login_value_is_known_by_the_rest() {
    let mut world = ExamSchool::in_step(students(20)).await;
    let person = world.people["s000"].clone();
    world.remove("s000").await;
    world.put(Person { id: "r000".to_owned(), ..person }.login("another")).await;
    let report = for_days(&mut world, 6).await;
    assert_eq!((world.logins().len(), report.held()), (20, "1 add, 1 delete".to_owned()), "{report:#?}");
    let said = world.failures().await.iter().map(|row| row.message.clone()).collect::<String>();
    assert!(said.contains("has the name or other telling values of student s000"), "{said}");
}

#[tokio::test]
async fn values_that_many_have_make_nobody_one_person() {
    let shared = |person: Person| person.named("Li Hua").phone("of the school");
    let mut world = ExamSchool::in_step(students(20).into_iter().map(shared)).await;
    world.remove("s000").await;
    world.put(shared(student("new"))).await;
    let report = for_days(&mut world, 6).await;
    assert_eq!((world.logins().len(), report.outcome.as_str()), (20, "converged"), "{report:#?}");
    assert!(world.logins().contains(&"new".to_owned()));
}

#[tokio::test]
async fn who_gets_another_id_before_a_wanted_login_value_is_written_is_one_person() {
    for (what, other) in [("the rest is alike", false), ("the name is another too", true)] {
        let mut world = ExamSchool::in_step(students(20)).await;
        world.settings.retry.max_attempts = 1;
        world.edit("s000", |it| it.login("wanted")).await;
        world.set("refuse_item", "changeStuinfo@*:0");
        assert_eq!(world.run().await.failed(), "1 modify");
        let person = world.people["s000"].clone();
        world.remove("s000").await;
        let person = Person { id: "r000".to_owned(), ..person };
        world.put(if other { person.named("Li Hua").phone("another") } else { person }).await;
        let report = for_days(&mut world, 6).await;
        assert_eq!(
            (world.logins().len(), report.held()),
            (20, "1 add, 1 delete".to_owned()),
            "{what}: {report:#?}"
        );
        let said = world.failures().await.iter().map(|row| row.message.clone()).collect::<String>();
        assert!(said.contains("rosterd relink s000 r000"), "{what}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wanted_login_value_that_is_a_leavers_gives_that_ones_record_to_nobody_else() {
    let mut world = ExamSchool::in_step(students(20)).await;
    // s001 is to have what s000's candidate has, and waits for it.
    world.remove("s000").await;
    world.edit("s001", |it| it.login("s000")).await;
    let _waits = world.run().await;
    world.later(HOUR);
    let person = world.people["s001"].clone();
    world.remove("s001").await;
    world.put(Person { id: "r001".to_owned(), ..person }).await;
    let report = for_days(&mut world, 6).await;
    assert_eq!(world.logins().len(), 20, "{report:#?}");
    let said = world.failures().await.iter().map(|row| row.message.clone()).collect::<Vec<_>>().join("\n");
    assert!(said.contains("rosterd relink s001 r001") && !said.contains("relink s000 r001"), "{said}");
    let shown = world.school.program(&["relink", "--suggested", "--yes"]);
    assert!(
        !shown.stdout.contains("\ns000 -> r001") && !shown.stdout.starts_with("s000 -> r001"),
        "{shown:?}"
    );
    assert!(world.link("s000").await.is_some(), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_with_a_leavers_login_value_is_suggested_to_nobody() {
    let mut world = ExamSchool::in_step(students(20)).await;
    world.remove("s000").await;
    world.put(student("new").named("Quite another").phone("another").login("s000")).await;
    let _asked = world.run().await;
    let shown = world.school.program(&["relink", "--suggested", "--yes"]);
    assert!(shown.stdout.contains("unclear, not done: s000 -> new"), "{shown:?}");
    assert!(shown.stdout.contains("name and phone differ"), "{shown:?}");
    assert!(world.link("s000").await.is_some(), "{shown:?}");
}
