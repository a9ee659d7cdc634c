//! Gids that are wrong while nothing else goes through: one cause each for IT, told at once.

use rosterd_testkit::*;

/// So many students, half of them in g1 and half in g2, of which neither gid is there.
async fn with_wrong_gids(people: usize, how: &str) -> ExamSchool {
    let mut world = ExamSchool::switched(students(people), &[("unknown_gid", how)]).await;
    for (code, gid) in [("g1", 999_001), ("g2", 999_002)] {
        world.groups.insert(code.to_owned(), Some(gid));
    }
    for number in 0..people / 2 {
        let id = format!("s{number:03}");
        let person = world.people[&id].clone().in_groups(["g2"]);
        world.people.insert(id, person);
    }
    world.write_roster().await;
    world
}

#[tokio::test]
async fn wrong_gids_are_causes_for_it_told_at_once_though_nothing_else_went_through() {
    for (people, how) in [(24, "refuse_call"), (24, "fail_item"), (7, "fail_item")] {
        let mut world = with_wrong_gids(people, how).await;
        for run in 0..3 {
            let report = if run == 0 { world.run().await } else { world.run_later().await };
            let rows = world.failures().await;
            assert_eq!(rows.len(), people, "{how} {run}: {report:#?}");
            for row in &rows {
                assert_eq!((row.code.as_str(), row.owner), ("group-refused", "it"), "{how} {run}: {row:?}");
                let names = |gid: &str| row.message.contains(gid) && row.message.contains("correct the gid");
                assert!(names("gid 999001 (group g1)") || names("gid 999002 (group g2)"), "{how}: {row:?}");
            }
            let told = &report.attention["refused-groups"];
            assert_eq!((told.count, told.owner), (2, "it"), "{how} {run}: {told:?}");
            assert!(told.since.is_some(), "{how} {run}: {told:?}");
            if run == 0 {
                assert_eq!(report.exit_code, 3, "{how}: {report:#?}");
            }
        }
        for code in ["g1", "g2"] {
            world.groups.insert(code.to_owned(), Some(world.sandbox.create_group(code)));
        }
        world.write_roster().await;
        let report = world.run_later().await;
        assert!(report.is_good && report.attention.is_empty(), "{how}: {report:#?}");
        assert_eq!(world.failures().await, [], "{how}");
    }
}

#[tokio::test]
async fn who_is_refused_in_a_group_that_others_are_in_is_no_fault_of_the_group() {
    let mut world = ExamSchool::in_step(students(3)).await;
    world.set("exam.refused_writes", "addStudents");
    for number in 0..5 {
        world.put(student(&format!("new{number}"))).await;
    }
    let report = world.run().await;
    assert!(!report.attention.contains_key("refused-groups"), "{report:#?}");
    assert!(world.failures().await.iter().all(|row| row.code != "group-refused"), "somebody is in g1");
}
