//! Answers that are refused, lost, cut, late or nonsense: every item ends once, nothing is sent blindly again.

use rosterd_testkit::*;

/// What each endpoint is asked to do in these tests, and how the report calls it.
async fn give_work_to(world: &mut ExamSchool, endpoint: &str) {
    match endpoint {
        "addStudents" => {
            for id in ["new1", "new2", "new3"] {
                world.put(student(id)).await;
            }
        }
        "changeStuinfo" => {
            for id in ["s001", "s002", "s003"] {
                world.edit(id, |it| it.named("Somebody else")).await;
            }
        }
        "movestugroup" => {
            for id in ["s001", "s002", "s003"] {
                world.edit(id, |it| it.in_groups(["g2"])).await;
            }
        }
        "delStu" => {
            for id in ["s001", "s002", "s003"] {
                world.remove(id).await;
            }
            assert_eq!(world.run().await.planned(), "");
            world.later(4 * DAY);
        }
        other => panic!("no work for {other}"),
    }
}

const WRITES: [&str; 4] = ["addStudents", "changeStuinfo", "movestugroup", "delStu"];

/// A fault strikes once; afterwards everything is in step within two runs, and the one after that writes nothing.
async fn recovers(endpoint: &str, fault: &str, argument: &str) -> Vec<String> {
    let what = format!("{fault} on {endpoint}{argument}");
    let mut world = ExamSchool::in_step(students(8)).await;
    give_work_to(&mut world, endpoint).await;
    world.sandbox.clear_journal();
    world.set(fault, &format!("{endpoint}{argument}"));
    let report = world.run().await;
    // The address has answered in this run: not even a redirect says that it is wrong.
    assert!([0, 3, 75].contains(&report.exit_code), "{what}: {report:?}");
    let journal = world.journal();
    world.sandbox.clear_faults();
    let second = world.run_later().await;
    assert_eq!(second.exit_code, 0, "{what}: {second:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
    let quiet = world.run_later().await;
    assert_eq!((quiet.planned(), quiet.writes()), (String::new(), 0), "{what}");
    assert_eq!(world.failures().await, [], "{what}");
    journal
}

const FAULTS: &[(&str, &str)] = &[
    ("refuse_item", ":1"),
    ("refuse_item", ":0,1,2"),
    ("refuse_call", ""),
    ("lose_answer", ""),
    ("drop_request", ""),
    ("apply_part", ":1"),
    ("apply_part", ":2"),
    ("cut_body", ""),
    ("cut_body", ":1"),
    ("reset", ":applied"),
    ("reset", ":unapplied"),
    ("http_429", ""),
    ("http_429", ":1"),
    ("http_5xx", ""),
    ("http_5xx", ":503"),
    ("html_200", ""),
    ("not_json", ""),
    ("wrong_type", ""),
    ("maintenance", ""),
    ("redirect", ""),
    ("item_in_both_lists", ":1"),
    ("item_in_neither_list", ":1"),
    ("huge_body", ":50000000"),
    ("huge_body", ":50000000/gzip"),
];

macro_rules! recovers_from_every_fault_on {
    ($($name:ident $endpoint:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            for (fault, argument) in FAULTS {
                let _journal = recovers($endpoint, fault, argument).await;
            }
        }
    )*};
}

recovers_from_every_fault_on! {
    every_fault_while_adding_is_got_over_with_nobody_entered_twice "addStudents";
    every_fault_while_changing_is_got_over "changeStuinfo";
    every_fault_while_moving_is_got_over "movestugroup";
    every_fault_while_deleting_is_got_over "delStu";
}

#[tokio::test]
async fn every_fault_of_indices_while_adding_is_got_over() {
    for (fault, argument) in
        [("index_out_of_range", ":0"), ("index_out_of_range", ":2"), ("index_twice", ":1")]
    {
        let _journal = recovers("addStudents", fault, argument).await;
    }
}

#[tokio::test]
async fn nothing_is_sent_again_before_it_was_looked_up() {
    for endpoint in WRITES {
        for (fault, argument) in
            [("lose_answer", ""), ("reset", ":applied"), ("cut_body", ""), ("http_429", "")]
        {
            let journal = recovers(endpoint, fault, argument).await;
            let first = journal.iter().position(|call| call == endpoint).unwrap();
            assert_eq!(journal[first + 1], "getstudentsinfo", "{fault}: {journal:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_call_was_done_is_settled_in_the_same_run() {
    for endpoint in WRITES {
        let mut world = ExamSchool::in_step(students(8)).await;
        give_work_to(&mut world, endpoint).await;
        world.set("lose_answer", endpoint);
        let report = world.run().await;
        assert_eq!(report.exit_code, 0, "{endpoint}: {report:?}");
        assert_eq!(report.calls(endpoint), 1, "{endpoint:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{endpoint:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_unknown_and_settled_by_the_next_run() {
    for endpoint in WRITES {
        let mut world = ExamSchool::in_step(students(8)).await;
        give_work_to(&mut world, endpoint).await;
        world.set("lose_answer", endpoint);
        world.set("exam.drop_request", "getstudentsinfo@1x100");
        if ["changeStuinfo", "movestugroup", "delStu"].contains(&endpoint) {
            // These need look-ups before they are sent.
            world.sandbox.clear_faults();
            world.set("lose_answer", endpoint);
            world.set("exam.drop_request", "getstudentsinfo@2x100");
        }
        let report = world.run().await;
        assert_eq!(StageSum::of(&report.unknown()), 3, "{endpoint}: {report:?}");
        assert_eq!(report.exit_code, 75, "{endpoint:?}");
        assert_eq!(world.failures().await.len(), 3, "{endpoint:?}");
        world.sandbox.clear_faults();
        let report = world.run().await;
        assert_eq!((report.exit_code, report.calls(endpoint)), (0, 0), "{endpoint}: {report:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{endpoint:?}");
        assert_eq!(world.run().await.planned(), "", "{endpoint:?}");
        assert_eq!(world.failures().await, [], "{endpoint:?}");
    }
}

/// The number in `3 add`.
struct StageSum;

impl StageSum {
    fn of(shown: &str) -> u64 {
        shown.split(", ").filter_map(|part| part.split(' ').next()?.parse::<u64>().ok()).sum()
    }
}

#[tokio::test]
async fn candidates_entered_by_a_lost_call_are_ours_even_where_nobody_may_be_taken_over() {
    let mut world = ExamSchool::with(students(3)).await;
    world.settings.exam.adopt = rosterd_core::roster::Adopt::Never;
    world.set("lose_answer", "addStudents");
    world.set("exam.drop_request", "getstudentsinfo@1x100");
    assert_eq!(world.run().await.unknown(), "3 add");
    world.sandbox.clear_faults();
    let report = world.run().await;
    assert_eq!((report.writes(), report.exit_code), (0, 0), "{report:?}");
    assert_eq!(world.link("s000").await.unwrap().origin, rosterd_core::exam_plan::Origin::Added);
    assert_eq!(world.differences(&[]), Vec::<String>::new());
}

#[tokio::test]
async fn reads_that_lag_behind_writes_enter_nobody_twice_and_make_nobody_a_stranger() {
    let mut world = ExamSchool::with(students(3)).await;
    world.settings.exam.adopt = rosterd_core::roster::Adopt::Never;
    world.set("stale_read", "getstudentsinfo:3600");
    world.set("lose_answer", "addStudents");
    let report = world.run().await;
    assert_eq!((report.failed(), world.logins().len()), ("3 add".to_owned(), 3));
    let report = world.run_later().await;
    assert_eq!((report.writes(), report.exit_code), (0, 0), "{report:?}");
    assert_eq!(world.differences(&[]), Vec::<String>::new());
    assert_eq!(world.link("s000").await.unwrap().origin, rosterd_core::exam_plan::Origin::Added);
}

/// All three students of g9 have failed because of its gid, 999999; with another one nothing of that is left.
async fn is_a_cause_for_it_until_the_gid_is_mended(world: &mut ExamSchool, how: &str) {
    let failures = world.failures().await;
    assert_eq!(failures.len(), 3, "{how}: {failures:?}");
    for row in &failures {
        assert_eq!((row.code.as_str(), row.owner), ("group-refused", "it"), "{how}: {row:?}");
        assert!(row.message.contains("999999"), "{how}: {row:?}");
    }
    world.groups.insert("g9".to_owned(), Some(world.sandbox.create_group("g9")));
    world.edit("s003", |it| it).await;
    let _report = world.run_later().await;
    assert_eq!(world.failures().await, [], "{how}");
}

#[tokio::test]
async fn a_group_that_takes_nobody_while_others_are_entered_is_a_cause_for_it_and_no_student_is() {
    for how in ["refuse_call", "fail_item"] {
        let mut world = ExamSchool::switched(students(20), &[("unknown_gid", how)]).await;
        world.groups.insert("g9".to_owned(), Some(999_999));
        for id in ["s003", "s011", "s017"] {
            world.edit(id, |it| it.in_groups(["g9"])).await;
        }
        let report = world.run().await;
        assert_eq!((report.applied(), report.failed()), ("17 add".to_owned(), "3 add".to_owned()), "{how}");
        is_a_cause_for_it_until_the_gid_is_mended(&mut world, how).await;
    }
}

#[tokio::test]
async fn a_group_into_which_nobody_can_be_moved_is_one_cause_for_it() {
    for how in ["refuse_call", "fail_item"] {
        let mut world = ExamSchool::in_step(students(20)).await;
        world.set("exam.unknown_gid", how);
        world.groups.insert("g9".to_owned(), Some(999_999));
        for id in ["s003", "s011", "s017"] {
            world.edit(id, |it| it.in_groups(["g9"])).await;
        }
        world.edit("s005", |it| it.named("Somebody else")).await;
        let report = world.run().await;
        assert_eq!(
            (report.applied(), report.failed()),
            ("1 modify".to_owned(), "3 move".to_owned()),
            "{how}"
        );
        is_a_cause_for_it_until_the_gid_is_mended(&mut world, how).await;
    }
}

#[tokio::test]
async fn a_batch_refused_as_a_whole_is_halved_until_the_culprit_stands_alone() {
    for style in ["200_json", "4xx_json", "4xx_text"] {
        let mut world =
            ExamSchool::switched(students(40), &[("error_style", style), ("unknown_gid", "refuse_call")])
                .await;
        world.groups.insert("g9".to_owned(), Some(999_999));
        world.edit("s017", |it| it.in_groups(["g9"])).await;
        let report = world.run().await;
        assert_eq!((report.applied(), report.failed()), ("39 add".to_owned(), "1 add".to_owned()), "{style}");
        assert_eq!(report.exit_code, 3, "{style:?}");
        let failures = world.failures().await;
        assert_eq!((failures.len(), failures[0].student_id.as_str()), (1, "s017"), "{style:?}");
        assert!(report.calls("addStudents") < 20, "{}", report.calls("addStudents"));
    }
}

#[tokio::test]
async fn refusals_of_single_items_never_stop_the_others() {
    let mut world = ExamSchool::in_step(students(30)).await;
    world.settings.exam.batch_size = 1;
    world.settings.exam.endpoint.max_in_flight = 1;
    for number in 0..10 {
        world.edit(&format!("s{number:03}"), |it| it.named("Somebody else")).await;
    }
    world.set("refuse_call", "changeStuinfo@1x5");
    let report = world.run().await;
    assert_eq!((report.applied(), report.failed()), ("5 modify".to_owned(), "5 modify".to_owned()));
    assert_eq!(report.exit_code, 3);
}
