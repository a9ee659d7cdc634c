//! Candidates that somebody deleted by hand, where look-ups leave out whom they do not know.

use rosterd_core::roster::{Leavers, Mode};
use rosterd_testkit::*;

use crate::program::Programs as _;

/// In step with a service that leaves out of its answers whoever it does not know, in each way of showing login values.
async fn worlds(n: usize) -> Vec<(String, ExamSchool)> {
    let mut worlds = Vec::new();
    for (info, empty_list, batch_size) in
        [("full", "[]", 100), ("full", "null", 2), ("name_only", "[]", 100), ("without_login", "[]", 100)]
    {
        let switches = [("info_unknown", "ignored"), ("info_fields", info), ("empty_list", empty_list)];
        let mut world = ExamSchool::switched(students(n), &switches).await;
        world.settings.exam.batch_size = batch_size;
        assert_eq!(world.run().await.exit_code, 0);
        let _quiet = world.run_later().await;
        world.later(HOUR);
        worlds.push((format!("{info}, {empty_list}, {batch_size}"), world));
    }
    worlds
}

#[tokio::test]
async fn a_student_whose_candidate_was_deleted_is_entered_again() {
    for (what, world) in worlds(5).await {
        let before = world.sid("s001").await;
        world.sandbox.remove_candidate(before);
        let report = world.run().await;
        assert_eq!((report.applied().as_str(), report.exit_code), ("1 add", 0), "{what}: {report:#?}");
        assert_ne!(world.sid("s001").await, before, "{what}");
        assert_eq!(world.run().await.planned(), "", "{what}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
    }
}

#[tokio::test]
async fn an_unusable_row_says_that_its_candidate_was_deleted_costs_no_look_up_for_long_and_is_entered_once_mended()
 {
    for (what, mut world) in worlds(5).await {
        let sid = world.sid("s001").await;
        world.edit("s001", |it| it.login("")).await;
        assert_eq!(world.run().await.exit_code, 3, "{what}: the row");
        world.sandbox.remove_candidate(sid);
        for (run, exit) in [3, 0, 0, 0].into_iter().enumerate() {
            world.sandbox.clear_journal();
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, exit), "{what}, {run}: {report:#?}");
            let failures = world.failures().await;
            assert_eq!(failures.len(), 1, "{what}, {run}: {failures:#?}");
            let message = &failures[0].message;
            assert!(
                message.contains("is empty") && message.contains("is not on the exam side any more"),
                "{what}: {message}"
            );
            assert!(run < 2 || world.journal() == ["getstulist"], "{what}, {run}: {:?}", world.journal());
        }
        world.edit("s001", |it| it.login("s001")).await;
        assert_eq!(world.run().await.applied(), "1 add", "{what}");
        assert_eq!(world.failures().await, [], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_of_an_unusable_row_what_keeps_it_out_and_not_that_it_is_compared() {
    let mut school = School::of_both().await;
    school.setting("CLASSIN__ENABLED", "false");
    for id in ["s000", "s001", "s002"] {
        let _uid = school.student(id).await;
    }
    let _gid = school.group_of_all().await;
    assert_eq!(school.program(&["--sync-now"]).code, 0);
    school.write("UPDATE links SET linked_at_ms = linked_at_ms - 3600000").await;
    let sid = school.number("SELECT sid FROM links WHERE student_id = 's001'").await;
    school.sandbox.remove_candidate(sid);
    for (spoilt, code) in [("name = ' '", 3), ("active = 'perhaps'", 0)] {
        school.sql(&format!("UPDATE students SET {spoilt} WHERE student_id = 's001'")).await;
        assert_eq!(school.program(&["--sync-now"]).code, code, "{spoilt}");
        let explained = school.program(&["explain", "s001"]).stdout;
        assert!(
            explained.contains("next: exam: nothing is sent: ")
                && explained.contains(&format!("sid {sid}) is not on the exam side any more")),
            "{spoilt}: {explained}"
        );
        assert!(!explained.contains("every run compares"), "{spoilt}: {explained}");
        let _mended = school.sql("UPDATE students SET name = 'Ann' WHERE student_id = 's001'").await;
    }
}

#[tokio::test]
async fn the_link_of_a_leaver_whose_candidate_was_deleted_is_closed() {
    for (what, mut world) in worlds(5).await {
        world.sandbox.remove_candidate(world.sid("s001").await);
        world.remove("s001").await;
        let report = world.run().await;
        assert_eq!((report.writes(), report.exit_code), (0, 0), "{what}: {report:#?}");
        assert!(world.link("s001").await.is_none(), "{what}");
        assert_eq!(world.failures().await, [], "{what}");
    }
}

#[tokio::test]
async fn a_leaver_whose_candidate_was_deleted_and_entered_anew_is_never_forgotten_without_a_word() {
    for (what, mut world) in worlds(5).await {
        let sid = world.sid("s001").await;
        world.sandbox.remove_candidate(sid);
        let values = [(LOGIN, "s001"), (NAME, "Name of s001"), (GENDER, "f")];
        let found = world.sandbox.insert_candidate(&values, &[world.gid("g1")]);
        world.remove("s001").await;
        for _ in 0..2 {
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, 0), "{what}: the grace");
            world.later(2 * DAY);
        }
        for exit_code in [3, 0, 0, 0] {
            world.sandbox.clear_journal();
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, exit_code), "{what}: {report:#?}");
            let failures = world.failures().await;
            let [row] = failures.as_slice() else { panic!("{what}: {failures:#?}") };
            assert_eq!((row.code.as_str(), row.student_id.as_str()), ("entered-anew", "s001"), "{what}");
            let names = |sid: i64| row.message.contains(&format!("sid {sid}"));
            assert!(names(sid) && names(found) && row.message.contains("relink s001 NEW"), "{}", row.message);
        }
        assert_eq!(world.journal(), ["getstulist"], "{what}: what stands costs no look-up");
        assert_eq!(world.candidate("s001").sid, found, "{what}");
        world.sandbox.remove_candidate(found);
        let _closed = world.run().await;
        assert!(world.link("s001").await.is_none(), "{what}: both are gone");
        assert_eq!(world.failures().await, [], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_who_was_entered_anew_stays_once_ignored_and_is_found_again_under_another_id() {
    for is_relinked in [false, true] {
        let mut world = ExamSchool::in_step(students(5)).await;
        world.settings.exam.delete_grace = std::time::Duration::ZERO;
        world.later(HOUR);
        world.sandbox.remove_candidate(world.sid("s001").await);
        let values = [(LOGIN, "s001"), (NAME, "Name of s001"), (GENDER, "f")];
        let found = world.sandbox.insert_candidate(&values, &[world.gid("g1")]);
        let person = world.people.remove("s001").unwrap();
        world.write_roster().await;
        while world.run().await.exit_code != 3 {
            world.later(HOUR);
        }
        if is_relinked {
            world.put(Person { id: "new".to_owned(), ..person }).await;
            assert_eq!(world.school.program(&["relink", "s001", "new"]).code, 0);
            let _adopted = world.run_later().await;
            assert_eq!(world.sid("new").await, found);
        } else {
            let id = world.failures().await[0].id.to_string();
            assert_eq!(world.school.program(&["failures", "ignore", &id]).code, 0);
            let report = world.run().await;
            assert_eq!((report.writes(), report.exit_code), (0, 0), "{report:#?}");
        }
        assert_eq!(world.candidate("s001").sid, found);
        assert!(world.logins().len() == 5, "nobody is there twice: {:?}", world.logins());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_who_was_entered_anew_costs_no_call_while_nothing_changes() {
    for standing in ["in the grace", "kept", "by the mode", "ignored", "said"] {
        let mut world = ExamSchool::in_step(students(5)).await;
        match standing {
            "in the grace" => world.settings.exam.delete_grace = std::time::Duration::from_secs(1_000_000),
            "kept" => world.settings.exam.leavers = Leavers::Keep,
            "by the mode" => world.settings.mode = Mode::Upsert,
            _ => world.settings.exam.delete_grace = std::time::Duration::ZERO,
        }
        world.later(HOUR);
        world.sandbox.remove_candidate(world.sid("s001").await);
        let values = [(LOGIN, "s001"), (NAME, "Name of s001"), (GENDER, "f")];
        let _found = world.sandbox.insert_candidate(&values, &[world.gid("g1")]);
        world.remove("s001").await;
        for _ in 0..3 {
            let _seen = world.run().await;
            world.later(HOUR);
        }
        if standing == "ignored" {
            let id = world.failures().await[0].id.to_string();
            assert_eq!(world.school.program(&["failures", "ignore", &id]).code, 0);
            let _ignored = world.run().await;
        }
        for run in 0..4 {
            world.later(5 * MINUTE);
            let report = world.run().await;
            let asked = report.calls("getstudentsinfo");
            assert_eq!((asked, report.writes()), (0, 0), "{standing}, run {run}: {report:#?}");
        }
        assert!(world.link("s001").await.is_some(), "{standing}");
    }
}

#[tokio::test]
async fn nobody_is_gone_while_look_ups_show_nobody_at_all() {
    for (what, world) in worlds(5).await {
        let before = world.sid("s001").await;
        world.sandbox.remove_candidate(before);
        world.set("nobody", "getstudentsinfo@*");
        for run in 0..3 {
            let report = world.run_later().await;
            // What is withheld just as before is attention.
            let exit = if run == 0 { 3 } else { 0 };
            assert_eq!((report.writes(), report.exit_code), (0, exit), "{what}: {report:#?}");
        }
        assert_eq!(world.sid("s001").await, before, "{what}");
        world.sandbox.clear_faults();
        let _entered = world.run_later().await;
        let _quiet = world.run_later().await;
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
    }
}

#[tokio::test]
async fn one_alone_who_was_deleted_by_hand_is_entered_again_where_the_service_says_nothing_of_strangers() {
    for leaves in [false, true] {
        let switches = [("empty_list", "absent"), ("info_unknown", "ignored")];
        let mut world = ExamSchool::switched(students(6), &switches).await;
        assert_eq!(world.run().await.applied(), "6 add");
        world.later(DAY);
        world.sandbox.remove_candidate(world.sid("s001").await);
        if leaves {
            world.remove("s001").await;
        }
        let report = world.run().await;
        let expected = if leaves { "" } else { "1 add" };
        assert_eq!((report.exit_code, report.applied().as_str()), (0, expected), "{report:#?}");
        assert_eq!(world.run().await.planned(), "");
        assert_eq!(world.differences(&[]), Vec::<String>::new());
        assert_eq!(world.link("s001").await.is_some(), !leaves);
    }
}
