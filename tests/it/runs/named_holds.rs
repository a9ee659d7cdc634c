//! A hold about single people is a row of its own, told once, and let go or ended by a person who names it.

use rosterd_core::failure::FailureState;
use rosterd_testkit::*;

use crate::program::Programs as _;

/// Somebody of whom nothing agrees has the login value of a newcomer.
async fn with_a_stranger() -> ExamSchool {
    let world = ExamSchool::with(students(3)).await;
    world.leaves_work_behind();
    let login = world.people["s000"].login.clone().unwrap();
    let stranger = [(LOGIN, login.as_str()), (NAME, "Somebody else"), (GENDER, "m"), (PHONE, "other")];
    world.sandbox.insert_candidate(&stranger, &[world.gid("g1")]);
    world
}

async fn rows(world: &ExamSchool) -> Vec<(String, String, FailureState)> {
    let rows = world.failures().await.into_iter();
    rows.map(|row| (row.student_id, row.code, row.state)).collect()
}

fn held(state: FailureState) -> Vec<(String, String, FailureState)> {
    vec![("s000".to_owned(), "adoption".to_owned(), state)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_about_one_person_is_let_go_by_the_name_or_the_reason_alone() {
    for naming in [["--student", "s000"], ["--student", " s0\u{200b}00 "], ["--reason", "adoption"]] {
        let world = with_a_stranger().await;
        let report = world.run().await;
        assert_eq!((report.held(), report.exit_code), ("1 adopt".to_owned(), 4), "{report:?}");
        let digest = report.held_digest.unwrap();
        assert_eq!(report.approve.unwrap(), format!("rosterd approve {digest} --reason adoption"));
        for refused in [
            &["approve", digest.as_str()][..],
            &["approve", digest.as_str(), "--reason", "same-person"],
            &["approve", digest.as_str(), "--student", "s000", "--student", "s001"],
        ] {
            assert_eq!(world.school.program(refused).code, 1, "{refused:?}");
        }
        assert_eq!(world.run().await.applied(), "", "nothing was approved");
        let approve = ["approve", digest.as_str(), naming[0], naming[1]];
        let approved = world.school.program(&approve);
        assert!(approved.code == 0 && approved.stdout.contains("adopt of student s000"), "{approved:?}");
        let report = world.run().await;
        assert!(report.applied().starts_with("1 adopt"), "{report:?}");
        assert_eq!(rows(&world).await, []);
    }
}

#[tokio::test]
async fn a_hold_about_one_person_is_told_once_and_stays_in_sight() {
    let world = with_a_stranger().await;
    assert_eq!(world.run().await.exit_code, 4);
    assert_eq!(rows(&world).await, held(FailureState::Held));
    let row = world.failures().await.remove(0);
    assert_eq!((row.attempts, row.due_at), (0, None));
    world.later(HOUR);
    let report = world.run().await;
    assert_eq!((report.held(), report.exit_code), ("1 adopt".to_owned(), 0), "{report:?}");
    assert_eq!(world.plan_report().await.exit_code, 0);
    assert_eq!(world.failures().await.remove(0).since, row.since);
}

#[tokio::test]
async fn who_ignores_a_hold_ends_it_and_leaves_things_as_they_are() {
    let world = with_a_stranger().await;
    assert_eq!(world.run().await.exit_code, 4);
    let id = world.failures().await.remove(0).id;
    let now_ms = world.clock.now_ms();
    world.state.change_failures(Some(&[id]), FailureState::Ignored, now_ms).await.unwrap();
    for _ in 0..2 {
        let report = world.run().await;
        assert_eq!((report.held(), report.applied(), report.exit_code), (String::new(), String::new(), 0));
        assert_eq!(rows(&world).await, held(FailureState::Ignored));
    }
    // Woken, it is held again.
    world.state.change_failures(Some(&[id]), FailureState::Waiting, now_ms).await.unwrap();
    assert_eq!(rows(&world).await, held(FailureState::Held));
    assert_eq!(world.run().await.held(), "1 adopt");
}

/// A leaver whose login value a newcomer wants, and whom member rows still name.
async fn asked_about_twice() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(9)).await;
    world.remove("s001").await;
    world.put(Person { id: "n001".to_owned(), ..student("s001") }).await;
    world.sql("INSERT INTO group_members VALUES ('s001', 'g1')").await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_questions_about_one_leaver_are_both_answered_by_what_is_printed() {
    for by_ignoring in [false, true] {
        let world = asked_about_twice().await;
        for (code, exit_code) in [("same-person", 4), ("unreadable-ids", 4)] {
            let report = world.run().await;
            assert_eq!((report.held().as_str(), report.exit_code), ("1 delete", exit_code), "{report:?}");
            let row = world.failures().await.into_iter().find(|row| row.student_id == "s001").unwrap();
            assert_eq!((row.code.as_str(), row.state), (code, FailureState::Held), "{row:?}");
            let (approve, ignore) =
                ("rosterd approve ".to_owned(), format!("rosterd failures ignore {}", row.id));
            let said = &row.message;
            let typed = if code == "unreadable-ids" && by_ignoring {
                assert!(said.contains(&ignore), "{said}");
                assert!(
                    report.exam.holds.iter().any(|line| line.contains(&ignore)),
                    "{:?}",
                    report.exam.holds
                );
                ignore
            } else {
                let (_, rest) = said.split_once(&approve).expect(said);
                let digest = rest.split(' ').next().unwrap();
                let typed = format!("{approve}{digest} --student s001");
                assert!(said.contains(&typed), "{said}");
                typed
            };
            let words: Vec<&str> = typed.split(' ').skip(1).collect();
            let answered = world.school.program(&words);
            assert_eq!(answered.code, 0, "{typed}: {answered:?}");
        }
        let waits = world.run().await;
        assert_eq!((waits.held(), waits.applied()), (String::new(), String::new()), "{waits:?}");
        world.later(3 * DAY);
        let report = world.run().await;
        assert!(report.applied().contains("1 delete"), "{by_ignoring}: {report:?}");
    }
}
