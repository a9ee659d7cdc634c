//! One person or two: whoever may still be on the roster is asked about, and deleted by no run.

use std::time::Duration;

use rosterd_core::roster::StudentId;

use rosterd_testkit::*;

use crate::program::Programs as _;

fn numbered(count: usize) -> Vec<Person> {
    (1..=count).map(|at| student(&format!("{at:06}"))).collect()
}

async fn without_grace(people: Vec<Person>) -> ExamSchool {
    let mut world = ExamSchool::in_step(people).await;
    world.settings.exam.delete_grace = Duration::ZERO;
    world
}

/// The student has another id from now on, and whatever `change` makes of the row.
async fn renumber(world: &mut ExamSchool, old: &str, new: &str, change: impl FnOnce(Person) -> Person) {
    let person = world.people.remove(old).unwrap();
    world.put(change(Person { id: new.to_owned(), ..person })).await;
}

#[tokio::test]
async fn students_whose_ids_lost_their_zeros_keep_their_candidates() {
    let mut world = without_grace(numbered(40)).await;
    let sids = [world.sid("000001").await, world.sid("000002").await, world.sid("000003").await];
    for number in 1..=3 {
        renumber(&mut world, &format!("{number:06}"), &number.to_string(), |it| it).await;
    }
    // What is held as it was held before is attention, and ends no run with 4.
    for exit_code in [4, 0, 0] {
        let report = world.run().await;
        assert_eq!((report.writes(), report.held()), (0, "3 delete".to_owned()), "{report:?}");
        assert_eq!(report.exit_code, exit_code);
        let said = report.exam.holds.join("\n");
        assert!(said.contains("rosterd relink 000001 1") && said.contains("--student 000001"), "{said}");
        world.later(HOUR);
    }
    for number in 1..=3 {
        let ids = [format!("{number:06}"), number.to_string()].map(StudentId::new);
        world.state.relink(&ids[0], &ids[1]).await.unwrap();
    }
    assert_eq!(world.run().await.planned(), "");
    assert_eq!([world.sid("1").await, world.sid("2").await, world.sid("3").await], sids);
}

#[tokio::test]
async fn ids_spelled_otherwise_are_asked_about_where_the_login_value_changed_with_them() {
    let spelled = [
        ("S-0001", "S0001"),
        ("#0004", "0004"),
        ("000001", "1"),
        ("000001", "0000 01"),
        ("ab", "AB"),
        ("12", "\u{ff11}\u{ff12}"),
    ];
    for (old, new) in spelled {
        let mut world = without_grace(vec![student(old), student("other"), student("more")]).await;
        renumber(&mut world, old, new, |it| it.login("another")).await;
        for exit_code in [4, 0, 0] {
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, exit_code), "{old} and {new}: {report:?}");
            assert!(report.held().contains("1 delete"), "{old} and {new}: {}", report.held());
            world.later(HOUR);
        }
    }
}

#[tokio::test]
async fn a_candidate_renamed_by_a_teacher_after_its_student_left_is_not_deleted() {
    for wanted_by_somebody in [false, true] {
        let mut world = without_grace(students(5)).await;
        let sid = world.sid("s001").await;
        world.remove("s001").await;
        world.sandbox.edit_candidate(sid, &[(LOGIN, "for the new one"), (NAME, "The new one")]);
        if wanted_by_somebody {
            world.put(student("new").login("for the new one")).await;
        }
        for exit_code in [4, 0, 0, 0] {
            let report = world.run().await;
            let ended = (report.writes(), report.exit_code);
            assert_eq!(ended, (0, exit_code), "{wanted_by_somebody:?}: {report:?}");
            world.later(2 * DAY);
        }
        assert_eq!(world.candidate("for the new one").sid, sid);
        let link = world.link("s001").await.unwrap();
        assert!(link.renamed_by_hand, "{link:?}");
        world.put(student("s001")).await;
        let _report = world.run().await;
        assert!(!world.link("s001").await.unwrap().renamed_by_hand, "who is back is nobody else");
    }
}

fn another_child(id: &str) -> Person {
    student(id).named("Another child").login("another").phone("another phone").password("another one")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_not_written_over_with_another_childs_values_while_nobody_said_that_it_is_one_person() {
    for end in ["approved", "an id of their own", "back", "ignored"] {
        let mut world = ExamSchool::in_step(students(8)).await;
        let before = world.candidate("s001");
        world.put(another_child("s001")).await;
        for exit_code in [4, 0, 0] {
            let report = world.run().await;
            let ended = (report.writes(), report.held(), report.exit_code);
            assert_eq!(ended, (0, "1 modify".to_owned(), exit_code), "{report:#?}");
            assert!(report.exam.holds.join("\n").contains("--student s001"), "{report:#?}");
        }
        let failures = world.failures().await;
        let [row] = failures.as_slice() else { panic!("{failures:#?}") };
        assert_eq!((row.code.as_str(), row.state.as_str()), ("same-person", "held"));
        assert_eq!(world.candidate("s001"), before);
        match end {
            "approved" => {
                let digest = world.run().await.held_digest.unwrap();
                assert_eq!(world.school.program(&["approve", &digest, "--student", "s001"]).code, 0);
                assert_eq!(world.run().await.applied(), "1 modify");
                assert_eq!(world.candidate("another").sid, before.sid);
            }
            "an id of their own" => {
                world.remove("s001").await;
                world.put(another_child("s100")).await;
                assert_eq!(world.run().await.applied(), "1 add");
                assert_eq!(world.candidate("s001"), before);
            }
            "back" => {
                world.put(student("s001")).await;
                assert_eq!(world.run().await.planned(), "");
            }
            _ => {
                assert_eq!(world.school.program(&["failures", "ignore", &row.id.to_string()]).code, 0);
                assert_eq!(world.run().await.exit_code, 0);
                assert_eq!(world.candidate("s001"), before);
                continue;
            }
        }
        assert_eq!(world.failures().await, [], "{end}");
    }
}

#[tokio::test]
async fn two_students_whose_rows_changed_hands_are_both_left_as_they_are() {
    let mut world = ExamSchool::in_step(students(6)).await;
    let (one, two) = (world.people["s001"].clone(), world.people["s002"].clone());
    world.put(Person { id: "s001".to_owned(), ..two }).await;
    world.put(Person { id: "s002".to_owned(), ..one }).await;
    for exit_code in [4, 0] {
        let report = world.run().await;
        assert_eq!((report.writes(), report.held()), (0, "2 modify".to_owned()), "{report:?}");
        assert_eq!(report.exit_code, exit_code);
    }
    let said = world.plan_report().await.exam.holds.join("\n");
    assert!(said.contains("student s001") && said.contains("candidate of student s002"), "{said}");
}

#[tokio::test]
async fn a_held_leaver_and_a_waiting_newcomer_cost_no_look_up() {
    let mut world = without_grace(students(5)).await;
    renumber(&mut world, "s001", "n001", |it| it).await;
    let _first = world.run().await;
    world.sandbox.clear_journal();
    for _ in 0..3 {
        let report = world.run().await;
        assert_eq!((report.held(), report.skipped()), ("1 delete".to_owned(), "1 add".to_owned()));
    }
    assert_eq!(world.journal(), ["getstulist"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_approves_a_newcomer_alone_lets_no_leaver_with_an_alike_id_go() {
    let mut world = without_grace(numbered(10)).await;
    renumber(&mut world, "000001", "1", |it| it.login("another")).await;
    let digest = world.run().await.held_digest.unwrap();
    assert_eq!(world.school.program(&["approve", &digest, "--student", "1"]).code, 0);
    assert_eq!(world.run().await.applied(), "1 add");
    for _ in 0..3 {
        world.later(HOUR);
        let report = world.run().await;
        assert_eq!((report.writes(), report.held()), (0, "1 delete".to_owned()), "{report:?}");
    }
    let digest = world.run().await.held_digest.unwrap();
    assert_eq!(world.school.program(&["approve", &digest, "--student", "000001"]).code, 0);
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_newcomer_who_wants_the_login_value_of_a_leaver_renamed_by_hand_waits_for_the_same_answer() {
    let mut world = without_grace(students(5)).await;
    let sid = world.sid("s001").await;
    world.sandbox.edit_candidate(sid, &[(LOGIN, "a teacher's idea")]);
    renumber(&mut world, "s001", "n001", |it| it).await;
    for exit_code in [4, 0, 0] {
        let report = world.run().await;
        let ended = (report.writes(), report.held(), report.exit_code);
        assert_eq!(ended, (0, "1 add, 1 delete".to_owned(), exit_code), "{report:?}");
        assert!(report.exam.holds.join("\n").contains("rosterd relink s001 n001"), "{report:?}");
        world.sandbox.clear_journal();
        world.later(HOUR);
    }
    assert_eq!(world.run().await.writes(), 0);
    assert_eq!(world.journal(), ["getstulist"], "a hold costs no look-up");
    let ids = ["s001", "n001"].map(StudentId::new);
    world.state.relink(&ids[0], &ids[1]).await.unwrap();
    assert_eq!(world.run().await.applied(), "1 modify");
    assert_eq!((world.sid("n001").await, world.candidate("s001").sid), (sid, sid));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_renamed_by_hand_who_is_approved_goes_and_the_newcomer_is_entered() {
    let mut world = without_grace(students(5)).await;
    let sid = world.sid("s001").await;
    world.sandbox.edit_candidate(sid, &[(LOGIN, "a teacher's idea")]);
    renumber(&mut world, "s001", "n001", |it| it).await;
    // Somebody wants its login value, and somebody gave it another one: each is asked about.
    for _ in 0..2 {
        let digest = world.run().await.held_digest.unwrap();
        assert_eq!(world.school.program(&["approve", &digest, "--student", "s001"]).code, 0);
    }
    for _ in 0..3 {
        let _report = world.run().await;
    }
    assert_eq!(world.differences(&[]), [] as [&str; 0]);
    assert_ne!(world.candidate("s001").sid, sid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_of_ids_without_zeros_is_a_mass_in_every_run_and_is_carried_over_first() {
    for login in ["", "another-"] {
        let mut world = without_grace(numbered(20)).await;
        world.settings.guard.max_delete = rosterd_core::roster::Limit::Auto;
        for number in 1..=20 {
            let old = format!("{number:06}");
            let changed =
                |it: Person| if login.is_empty() { it } else { it.login(&format!("{login}{number}")) };
            renumber(&mut world, &old, &number.to_string(), changed).await;
        }
        for _ in 0..3 {
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, 4), "{report:?}");
            let mass = report.holds.iter().find(|hold| hold.reason_code == "missing").expect("a mass");
            assert_eq!((mass.count, mass.limit), (Some(20), Some(5)), "{mass:?}");
            assert!(mass.reason.contains("rosterd relink --suggested"), "{mass:?}");
            assert_eq!(report.approve.as_deref(), Some("rosterd relink --suggested"));
            assert!(report.holds.iter().all(|hold| hold.count == Some(20)), "{:?}", report.holds);
            world.later(HOUR);
        }
        let carried = world.school.program(&["relink", "--suggested", "--yes"]);
        assert_eq!(carried.code, 0, "{carried:?}");
        let _report = world.run().await;
        assert_eq!(world.logins().len(), 20, "nobody was entered twice");
        if login.is_empty() {
            assert_eq!(world.differences(&[]), [] as [&str; 0]);
        } else {
            assert_eq!(world.run().await.held(), "20 modify", "a flood of new login values");
        }
    }
}

#[tokio::test]
async fn an_id_spelled_anew_one_run_before_the_old_row_goes_lets_nobody_be_deleted() {
    for (old, new) in [("00077", "77"), ("Ab1", "aB1"), ("12", "\u{ff11}\u{ff12}"), ("12", "\u{661}\u{662}")]
    {
        let mut world = without_grace(vec![student(old), student("other"), student("more")]).await;
        let person = world.people[old].clone();
        world.put(Person { id: new.to_owned(), ..person }.login("another")).await;
        let report = world.run().await;
        assert_eq!(report.applied(), "1 add", "{old} and {new}: {report:?}");
        let said = report.exam.notes.join("\n");
        assert!(said.contains(&format!("{new} and {old}")), "{old} and {new}: {said}");
        world.remove(old).await;
        for _ in 0..3 {
            world.later(HOUR);
            let report = world.run().await;
            let ended = (report.writes(), report.held());
            assert_eq!(ended, (0, "1 delete".to_owned()), "{old} and {new}: {report:?}");
        }
    }
}

#[tokio::test]
async fn a_student_entered_long_before_somebody_with_an_alike_id_left_is_not_asked_about() {
    let mut world = without_grace(vec![student("077"), student("77"), student("more")]).await;
    world.later(8 * DAY);
    world.remove("077").await;
    let _first = world.run().await;
    world.later(HOUR);
    assert_eq!(world.run().await.applied(), "1 delete");
}
