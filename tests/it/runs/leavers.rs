//! Who leaves the roster: nothing in haste, nothing that is not ours.

use rosterd_core::roster::{Leavers, Mode};

use rosterd_testkit::*;

use crate::program::Programs as _;

#[tokio::test]
async fn a_leaver_is_deleted_after_the_grace_and_in_the_second_run_that_sees_them_gone() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.remove("s001").await;
    let report = world.run().await;
    assert_eq!((report.planned(), report.exam.leavers_waiting), (String::new(), 1));
    assert_eq!(report.exit_code, 0);
    world.later(2 * DAY);
    assert_eq!(world.run().await.planned(), "", "the grace is three days");
    world.later(DAY + HOUR);
    assert_eq!(world.run().await.applied(), "1 delete");
    assert_eq!(world.logins(), ["s000", "s002", "s003", "s004"]);
    assert!(world.link("s001").await.is_none());
    assert_eq!(world.run().await.planned(), "");
}

#[tokio::test]
async fn one_run_alone_never_deletes_however_long_the_last_one_is_ago() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.remove("s001").await;
    world.later(100 * DAY);
    assert_eq!(world.run().await.calls("delStu"), 0);
    world.later(2 * DAY);
    assert_eq!(world.run().await.calls("delStu"), 0, "the grace begins when somebody is first seen gone");
}

#[tokio::test]
async fn without_grace_two_runs_are_still_needed() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.settings.exam.delete_grace = std::time::Duration::ZERO;
    world.edit("s001", Person::inactive).await;
    assert_eq!(world.run().await.planned(), "");
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_leaver_who_is_back_within_the_grace_keeps_the_candidate() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let sid = world.sid("s001").await;
    world.remove("s001").await;
    let _report = world.run().await;
    world.put(student("s001")).await;
    assert_eq!(world.run().await.planned(), "");
    world.remove("s001").await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.planned(), "", "the grace begins anew");
    world.put(student("s001")).await;
    let _report = world.run().await;
    assert_eq!(world.candidate("s001").sid, sid);
}

#[tokio::test]
async fn a_leaver_who_is_back_while_the_service_cannot_be_listed_waits_for_the_whole_grace_again() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let leaver = world.people["s001"].clone();
    world.remove("s001").await;
    let _report = world.run().await;
    world.later(HOUR);
    world.put(leaver).await;
    world.set("http_5xx", "getstulist@*");
    for _ in 0..3 {
        world.later(DAY);
        assert_eq!(world.run().await.exit_code, 75);
    }
    assert_eq!(world.link("s001").await.unwrap().gone_since_ms, None, "the roster was read with them in it");
    world.sandbox.clear_faults();
    world.remove("s001").await;
    for days in [0, 2] {
        world.later(days * DAY);
        assert_eq!(world.run().await.planned(), "", "the grace begins anew");
    }
    world.later(2 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
}

#[tokio::test]
async fn a_leaver_who_is_back_after_the_deletion_is_entered_anew() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let sid = world.sid("s001").await;
    world.remove("s001").await;
    let _report = world.run().await;
    world.later(4 * DAY);
    let _report = world.run().await;
    world.put(student("s001")).await;
    assert_eq!(world.run().await.applied(), "1 add");
    assert_ne!(world.sid("s001").await, sid);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn a_student_back_after_the_deletion_has_plan_and_report_name_the_old_sid() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let sid = world.sid("s001").await;
    world.remove("s001").await;
    let _report = world.run().await;
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied(), report.exam.notes.len()), ("1 delete".to_owned(), 0));
    world.later(300 * DAY);
    world.put(student("s001")).await;
    world.put(student("never seen before")).await;
    let said = format!(
        "student s001 is back and gets a new candidate: the one with sid {sid} was deleted after they had left, \
         and older results stay with it"
    );
    let plan = world.plan_report().await;
    assert_eq!(plan.exam.notes, [said.as_str()]);
    let document = rosterd_core::exam_plan::PlanDocument::new(
        &world.plan().await,
        rosterd_core::exam_plan::ValueDisplay::Masked,
    );
    let detail = &document.operations.iter().find(|line| line.subject.is_student("s001")).unwrap().detail;
    assert!(
        detail.contains(&format!("sid {sid}")) && detail.contains("older results stay with it"),
        "{detail}"
    );
    world.set("refuse_item", "addStudents:0,1");
    let report = world.run().await;
    assert_eq!((report.failed(), report.exam.notes.len()), ("2 add".to_owned(), 0), "not yet");
    let report = world.run_later().await;
    assert_eq!((report.applied(), report.exam.notes), ("2 add".to_owned(), vec![said]));
    let quiet = world.run().await;
    assert_eq!((quiet.planned(), quiet.exam.notes.len()), (String::new(), 0), "it is said once");
}

#[tokio::test]
async fn a_student_back_to_a_candidate_entered_by_hand_has_the_report_name_the_old_sid() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let sid = world.sid("s001").await;
    world.remove("s001").await;
    let _report = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 delete");
    world.sandbox.insert_candidate(&[(LOGIN, "s001"), (NAME, "By hand"), (GENDER, "f")], &[world.gid("g1")]);
    world.put(student("s001")).await;
    let report = world.run().await;
    assert_eq!(report.applied(), "1 adopt, 1 modify");
    assert!(report.exam.notes[0].contains(&format!("the one with sid {sid} was deleted")), "{report:?}");
}

#[tokio::test]
async fn a_former_candidate_follows_its_student_to_another_id_and_is_forgotten_in_time() {
    for (days, notes) in [(1, 1), (6 * 366, 0)] {
        let mut world = ExamSchool::in_step(students(5)).await;
        world.remove("s001").await;
        let _report = world.run().await;
        world.later(4 * DAY);
        assert_eq!(world.run().await.applied(), "1 delete", "{days:?}");
        let (old, new) =
            (rosterd_core::roster::StudentId::new("s001"), rosterd_core::roster::StudentId::new("n001"));
        world.state.relink(&old, &new).await.unwrap();
        world.later(days * DAY);
        let _report = world.run().await;
        world.put(student("n001")).await;
        let report = world.run().await;
        assert_eq!((report.applied(), report.exam.notes.len()), ("1 add".to_owned(), notes), "{report:?}");
    }
}

#[tokio::test]
async fn in_a_shared_account_a_leaver_in_a_foreign_group_is_only_taken_out_of_ours() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.settings.exam.shared = Some(true);
    let sid = world.sid("s001").await;
    world.sandbox.set_candidate_groups(sid, &[world.gid("g1"), world.foreign]);
    world.remove("s001").await;
    let _report = world.run().await;
    world.later(4 * DAY);
    let report = world.run().await;
    assert_eq!((report.applied(), report.calls("delStu")), ("1 move".to_owned(), 0));
    assert_eq!(world.candidate("s001").gids, [world.foreign].into());
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!(report.planned(), "");
    }
    assert_eq!(world.candidate("s001").sid, sid);
}

#[tokio::test]
async fn leavers_are_kept_where_the_admin_says_so() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.settings.exam.leavers = Leavers::Keep;
    world.remove("s001").await;
    for _ in 0..3 {
        world.later(4 * DAY);
        let report = world.run().await;
        assert_eq!((report.planned(), report.exit_code), (String::new(), 0));
    }
    assert_eq!(world.logins().len(), 5);
}

#[tokio::test]
async fn leavers_are_moved_to_the_group_that_the_admin_names() {
    let mut world = ExamSchool::in_step(students(5)).await;
    let gid = world.sandbox.create_group("left");
    world.settings.exam.leavers = Leavers::MoveTo(gid);
    world.remove("s001").await;
    let _report = world.run().await;
    world.later(4 * DAY);
    assert_eq!(world.run().await.applied(), "1 move");
    assert_eq!(world.candidate("s001").gids, [gid].into());
    for _ in 0..2 {
        assert_eq!(world.run_later().await.planned(), "");
    }
    world.put(student("s001")).await;
    assert_eq!(world.run_later().await.applied(), "1 move");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn leavers_are_put_into_no_group_in_which_students_are() {
    let people = ["s1", "s2"].map(|id| student(id).in_groups(["g2"]));
    let others = ["s3", "s4"].map(student);
    let mut world = ExamSchool::in_step(people.into_iter().chain(others)).await;
    world.settings.exam.leavers = Leavers::MoveTo(world.gid("g2"));
    world.remove("s3").await;
    world.edit("s1", |it| it.named("Somebody else")).await;
    let report = world.run().await;
    assert_eq!((report.applied(), report.exit_code), ("1 modify".to_owned(), 3), "{report:#?}");
    for _ in 0..3 {
        let report = world.run_later().await;
        assert_eq!((report.planned(), report.exam.leavers_kept), (String::new(), 1), "{report:#?}");
        world.later(DAY);
    }
    let [row] = &world.failures().await[..] else { panic!("one cause, one row") };
    let said = row.message.as_str();
    assert!(said.contains("exam.leavers is gid"), "{said}");
    assert!(said.contains("group g2 of the roster, with 2 students"), "{said}");
    assert_eq!(world.candidate("s3").gids, [world.gid("g1")].into());
    // A mode that leaves leavers alone does not need the setting; nor is a group wrong that nobody is in.
    world.settings.mode = Mode::Upsert;
    assert_eq!(world.run().await.exit_code, 0);
    world.settings.mode = Mode::Sync;
    world.settings.exam.leavers = Leavers::MoveTo(world.gid("g3"));
    assert_eq!(world.run().await.exit_code, 0);
}

#[tokio::test]
async fn a_leaver_deleted_by_hand_is_forgotten() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.sandbox.remove_candidate(world.sid("s001").await);
    world.remove("s001").await;
    let report = world.run().await;
    assert_eq!((report.planned(), report.exit_code), (String::new(), 0));
    assert!(world.link("s001").await.is_none());
    assert_eq!(world.run().await.calls("getstudentsinfo"), 0);
}

#[tokio::test]
async fn everything_remembered_of_a_student_is_carried_over_to_another_id() {
    let mut world = ExamSchool::in_step(students(3)).await;
    let sid = world.sid("s001").await;
    world.remove("s001").await;
    world.put(Person { id: "renumbered".to_owned(), ..student("s001") }).await;
    assert_eq!(world.run().await.skipped(), "1 add", "the login value is still the leaver's");
    let (from, to) = ("s001", "renumbered");
    let ids = [from, to].map(rosterd_core::roster::StudentId::new);
    world.state.relink(&ids[0], &ids[1]).await.unwrap();
    assert_eq!(world.run().await.planned(), "");
    assert_eq!((world.sid(to).await, world.link(from).await), (sid, None));
    assert!(world.state.relink(&ids[1], &rosterd_core::roster::StudentId::new("s000")).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_of_leavers_ends_with_their_return_in_a_run_and_stands_after_a_plan() {
    for read_by in ["a run that cannot list", "a plan"] {
        let mut world = ExamSchool::in_step(students(20)).await;
        world.settings.exam.delete_grace = std::time::Duration::ZERO;
        world.settings.guard.max_delete = rosterd_core::roster::Limit::Count(2);
        let leavers: Vec<Person> = (1..=5).map(|at| world.people[&format!("s{at:03}")].clone()).collect();
        for leaver in &leavers {
            world.remove(&leaver.id).await;
        }
        let digest = world.run().await.held_digest.unwrap();
        assert_eq!(world.school.program(&["approve", &digest]).code, 0);
        for leaver in &leavers {
            world.put(leaver.clone()).await;
        }
        if read_by == "a plan" {
            let _plan = world.plan_report().await;
        } else {
            world.set("http_5xx", "getstulist@*");
            assert_eq!(world.run().await.exit_code, 75);
            world.sandbox.clear_faults();
        }
        for leaver in &leavers {
            world.remove(&leaver.id).await;
        }
        let report = world.run().await;
        if read_by == "a plan" {
            assert_eq!(report.applied(), "5 delete", "a plan writes nothing: {report:#?}");
            continue;
        }
        assert_eq!((report.writes(), report.held()), (0, "5 delete".to_owned()), "{read_by}: {report:#?}");
    }
}

#[tokio::test]
async fn all_students_of_a_small_account_never_leave_at_once_unasked() {
    use rosterd_core::roster::Limit;
    for (count, limit) in
        [(2, Limit::Auto), (5, Limit::Auto), (5, Limit::Percent(8.0)), (12, Limit::Percent(99.0))]
    {
        let mut world = ExamSchool::in_step(students(count)).await;
        world.settings.guard.max_delete = limit;
        for number in 0..count {
            world.remove(&format!("s{number:03}")).await;
            world.put(student(&format!("other{number}"))).await;
        }
        for day in 0..6 {
            let report = world.run().await;
            let held = format!("{count} delete");
            assert_eq!(
                (report.held(), report.exit_code),
                (held, 4),
                "{count}, {limit:?}, day {day}: {report:#?}"
            );
            world.later(DAY);
        }
        assert_eq!(world.logins().len(), 2 * count, "the others are there, and nobody is gone");
        let digest = world.run().await.digest;
        world.state.approve(&digest, world.clock.now_ms() + DAY).await.unwrap();
        assert_eq!(world.run().await.applied(), format!("{count} delete"), "{limit:?}");
    }
}

#[tokio::test]
async fn a_plain_number_or_all_of_them_may_empty_an_account() {
    use rosterd_core::roster::Limit;
    for limit in [Limit::Count(5), Limit::Percent(100.0)] {
        let mut world = ExamSchool::in_step(students(5)).await;
        world.settings.guard.max_delete = limit;
        for number in 0..5 {
            world.remove(&format!("s{number:03}")).await;
            world.put(student(&format!("other{number}"))).await;
        }
        for _ in 0..5 {
            assert_eq!(world.run().await.held(), "", "{limit:?}");
            world.later(DAY);
        }
        assert_eq!(world.logins().len(), 5, "{limit:?}");
    }
}
