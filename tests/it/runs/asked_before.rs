//! One person or two? Who was asked about stays asked about when the value that tied the two together changes.

use rosterd_testkit::*;

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
