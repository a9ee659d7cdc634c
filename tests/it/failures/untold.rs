//! What an answer does not tell is not known: a look-up without groups moves nobody and dismisses nobody.

use rosterd_testkit::*;

const NOT_TOLD: [&str; 3] = ["absent", "null", "[]"];

/// One student to be moved, one leaver to be deleted, one candidate to be taken over, and one student to be changed.
async fn with_work() -> ExamSchool {
    let mut world = ExamSchool::in_step(students(12)).await;
    world.remove("s011").await;
    assert_eq!(world.run().await.planned(), "");
    world.later(4 * DAY);
    world.edit("s001", |it| it.in_groups(["g2"])).await;
    world.edit("s002", |it| it.named("Another name")).await;
    let there = student("there");
    let values = there.values();
    let values: Vec<(i64, &str)> = values.iter().map(|(field, value)| (*field, value.as_str())).collect();
    world.sandbox.insert_candidate(&values, &[world.gid("g1")]);
    world.put(there).await;
    world
}

#[tokio::test]
async fn a_look_up_that_tells_no_groups_moves_nobody_and_dismisses_nobody_and_the_rest_goes_on() {
    for groups in NOT_TOLD {
        let world = with_work().await;
        world.set("exam.info_groups", groups);
        let report = world.run().await;
        assert_eq!(report.applied(), "1 adopt, 1 modify", "{groups}: {report:?}");
        assert_eq!((report.calls("movestugroup"), report.calls("delStu")), (0, 0), "{groups}");
        assert_eq!(report.exit_code, 3, "{groups}");
        let codes: Vec<String> = world.failures().await.into_iter().map(|row| row.code).collect();
        assert!(
            !codes.is_empty() && codes.iter().all(|code| code == "groups-not-told"),
            "{groups}: {codes:?}"
        );
        let report = world.run().await;
        assert_eq!((report.applied(), report.writes()), (String::new(), 0), "{groups}: {report:?}");
        world.set("exam.info_groups", "full");
        assert_eq!(world.run_later().await.applied(), "1 delete, 1 move", "{groups}");
        assert_eq!(world.run().await.planned(), "", "{groups}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{groups}");
        assert_eq!(world.failures().await, [], "{groups}");
    }
}

#[tokio::test]
async fn groups_missing_of_one_row_or_in_one_answer_are_looked_up_again_and_nobody_is_moved_by_them() {
    for (way, of_one) in
        [("absent", true), ("null", true), ("empty", true), ("null", false), ("empty", false)]
    {
        let world = with_work().await;
        let moved = world.sid("s001").await;
        let place = if of_one { format!("/{moved}") } else { String::new() };
        world.set("groups_missing", &format!("getstudentsinfo@*:{way}{place}"));
        let report = world.run().await;
        assert_eq!(report.calls("movestugroup"), 0, "{way}, {of_one}: {report:?}");
        assert_eq!(world.candidate("s001").gids, [world.gid("g1")].into(), "{way}, {of_one}");
        let deleted = u64::from(of_one);
        assert_eq!(report.calls("delStu"), deleted, "{way}, {of_one}: {report:?}");
        world.sandbox.clear_faults();
        let _report = world.run_later().await;
        assert_eq!(world.run().await.planned(), "", "{way}, {of_one}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{way}, {of_one}");
    }
}
