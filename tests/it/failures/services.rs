//! A service that fails call after call is left alone, what is left stays due, and a dead endpoint never looks like
//! people who are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use rosterd_core::failure::FailureCode;
use rosterd_core::roster::Sid;
use rosterd_testkit::*;

/// Ways in which an endpoint can be dead.
const DEAD: [(&str, &str); 11] = [
    ("exam.http_5xx", ":500"),
    ("exam.http_5xx", ":503"),
    ("exam.maintenance", ""),
    ("exam.drop_request", ""),
    ("exam.reset", ""),
    ("exam.cut_body", ""),
    ("exam.html_200", ""),
    ("exam.empty_body", ""),
    ("exam.wrong_type", ""),
    ("exam.redirect", ""),
    ("nobody", ""),
];

#[tokio::test]
async fn look_ups_that_are_dead_are_never_taken_for_people_who_are_gone() {
    let mut cases = 0;
    for (fault, argument) in DEAD {
        for due in [false, true] {
            let what = format!("{fault}{argument}, group look-ups due: {due}");
            let mut world = ExamSchool::in_step(students(12)).await;
            world.remove("s001").await;
            let _seen_gone = world.run().await;
            world.later(4 * DAY);
            if !due {
                // Nobody's groups are due but those of whom the plan asks.
                let _looked_up = {
                    world.put(student("s001")).await;
                    world.run().await
                };
                world.remove("s001").await;
                world.settings.exam.delete_grace = Duration::ZERO;
                let _seen_gone = world.run().await;
            }
            world.edit("s002", |it| it.in_groups(["g2"])).await;
            world.edit("s003", |it| it.login("renamed")).await;
            let sid = world.sid("s004").await;
            world.sandbox.edit_candidate(sid, &[(LOGIN, "by hand")]);
            let (logins, links) = (world.logins(), world.state.count_links().await.unwrap());
            for again in [false, true] {
                world.set(fault, &format!("getstudentsinfo@*{argument}"));
                let report = world.run().await;
                assert_eq!(
                    (report.calls("addStudents"), report.calls("delStu")),
                    (0, 0),
                    "{what}: {report:?}"
                );
                assert_eq!(world.logins(), logins, "{what}: {report:?}");
                assert_eq!(world.state.count_links().await.unwrap(), links, "{what}: no link is given up");
                // An endpoint that answers well and shows nobody leaves people withheld: they count in the run that
                // finds it, and stand among the failures afterwards.
                if fault == "nobody" && again {
                    let open: BTreeSet<String> =
                        world.failures().await.into_iter().map(|row| row.student_id).collect();
                    let withheld = ["s001", "s002", "s003", "s004"].map(str::to_owned);
                    assert_eq!(open, BTreeSet::from(withheld), "{what}: {report:?}");
                    assert_eq!(
                        (report.applied(), report.exit_code),
                        (String::new(), 0),
                        "{what}: {report:?}"
                    );
                } else {
                    assert_ne!(report.exit_code, 0, "{what}: {report:?}");
                }
            }
            world.sandbox.clear_faults();
            let _report = world.run_later().await;
            let report = world.run_later().await;
            assert_eq!(report.exit_code, 0, "{what}: {report:?}");
            assert_eq!(world.differences(&[]), Vec::<String>::new(), "{what}");
            assert_eq!(world.sid("s004").await, sid, "{what}");
            cases += 1;
        }
    }
    println!("dead look-ups: {cases} cases");
    assert_eq!(cases, 22);
}

/// A service that goes down after so many calls of a run: it is left alone soon, and nothing is lost.
#[tokio::test]
async fn a_service_that_goes_down_in_mid_run_is_left_alone_and_what_is_left_stays_due() {
    for (fault, argument) in [("exam.http_5xx", ":503"), ("exam.drop_request", ""), ("exam.reset", "")] {
        let mut world = ExamSchool::in_step(students(5)).await;
        for number in 0..60 {
            world.people.insert(format!("new{number:02}"), student(&format!("new{number:02}")));
        }
        world.write_roster().await;
        world.settings.exam.batch_size = 2;
        world.set(fault, &format!("*@6x100000{argument}"));
        let report = world.run().await;
        let calls: u64 = report.exam.calls.values().sum();
        assert!(calls < 50, "{fault}: {report:?}");
        assert_eq!((report.exit_code, report.outcome.as_str()), (75, "failed"), "{fault}: {report:?}");
        assert!(report.skipped().ends_with(" add"), "{fault}: {report:?}");
        world.sandbox.clear_faults();
        let report = world.run_later().await;
        assert_eq!(report.exit_code, 0, "{fault}: {report:?}");
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{fault}");
        assert_eq!(world.run_later().await.planned(), "", "{fault}");
    }
}

#[tokio::test]
async fn five_failed_calls_in_a_row_end_the_calls_of_this_run_and_not_of_the_next() {
    let world = ExamSchool::in_step(students(3)).await;
    let (reader, writer) = world.exam_client();
    let delete = async || writer.delete(&[Sid(1)]).await;
    world.set("exam.http_5xx", "*@*:503");
    world.sandbox.clear_journal();
    for _ in 0..8 {
        let _error = delete().await.unwrap_err();
    }
    assert_eq!(world.journal().len(), 5);
    let error = delete().await.unwrap_err();
    assert_eq!((error.code(), world.journal().len()), (FailureCode::ServiceStopped, 5));
    world.sandbox.clear_faults();
    assert!(delete().await.is_err(), "the run leaves it alone, even when it is back");
    assert!(reader.fields().await.is_ok(), "what became of the writes can still be looked up");
    assert!(delete().await.is_err(), "and that shows nothing about writes");
    reader.transport().reset();
    assert!(delete().await.is_ok());
}

#[tokio::test]
async fn after_five_reads_in_a_row_that_failed_nothing_at_all_is_sent_any_more() {
    let world = ExamSchool::in_step(students(3)).await;
    let (reader, writer) = world.exam_client();
    world.set("exam.http_5xx", "*@*:503");
    world.sandbox.clear_journal();
    for _ in 0..8 {
        let _error = reader.fields().await.unwrap_err();
    }
    // Each read counts once, after its own attempts.
    assert_eq!(world.journal().len(), 5 * 4);
    world.sandbox.clear_faults();
    assert_eq!(reader.fields().await.unwrap_err().code(), FailureCode::ServiceStopped);
    assert_eq!(writer.delete(&[Sid(1)]).await.unwrap_err().code(), FailureCode::ServiceStopped);
    assert_eq!(world.journal().len(), 5 * 4);
}

#[tokio::test]
async fn a_single_answer_lets_the_calls_go_on() {
    let world = ExamSchool::in_step(students(3)).await;
    let (_, writer) = world.exam_client();
    for _ in 0..5 {
        world.set("exam.drop_request", "delStu@1x4");
        for _ in 0..4 {
            assert!(writer.delete(&[Sid(1)]).await.is_err());
        }
        assert!(writer.delete(&[Sid(1)]).await.is_ok());
    }
}

/// Bursts that are over within a second are got over in the same run, however many calls they hit at once.
#[tokio::test]
async fn a_service_that_hesitates_is_not_given_up() {
    let mut world = ExamSchool::in_step(students(60)).await;
    world.settings.exam.page_size = 5;
    world.set("exam.http_5xx", "getstulist@2x9:503");
    let report = world.run().await;
    assert_eq!((report.planned(), report.exit_code), (String::new(), 0), "{report:?}");
}

/// A service that answers 500 to a call that is too large for it, or that one item makes it trip: the others go through.
#[tokio::test]
async fn a_batch_over_which_the_service_fails_is_sent_in_smaller_portions_next_time() {
    for most in ["1", "7", "40"] {
        let switches = [("error_style", "5xx_text"), ("max_batch", most)];
        let world = ExamSchool::switched(students(60), &switches).await;
        let mut runs = 0;
        while runs == 0 || world.logins().len() < 60 {
            runs += 1;
            assert!(runs <= 6, "{most}: {} entered after {runs} runs", world.logins().len());
            let _report = world.run_later().await;
        }
        let _settled = world.run_later().await;
        assert_eq!(world.differences(&[]), Vec::<String>::new(), "{most}");
        assert_eq!(world.run_later().await.planned(), "", "{most}");
        assert_eq!(world.failures().await, [], "{most}");
    }
}

#[tokio::test]
async fn an_item_over_which_the_service_fails_is_found_and_the_others_go_through() {
    let switches = [("error_style", "5xx_text"), ("unknown_gid", "refuse_call")];
    let mut world = ExamSchool::switched(students(40), &switches).await;
    world.groups.insert("g9".to_owned(), Some(999_999));
    world.edit("s017", |it| it.in_groups(["g9"])).await;
    for _ in 0..3 {
        let _report = world.run_later().await;
    }
    assert_eq!(world.logins().len(), 39);
    let failures = world.failures().await;
    assert_eq!((failures.len(), failures[0].student_id.as_str()), (1, "s017"), "{failures:?}");
    assert_eq!(failures[0].code, "service-failed");
}
