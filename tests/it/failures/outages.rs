//! An outage is the service's business: it uses up no attempt, becomes no work for people, and is over when it is over.

use rosterd_core::failure::{FailureOwner, FailureState};

use rosterd_testkit::*;

/// Ways in which a service keeps refusing whatever is written, with a reading that works.
const OUTAGES: [(&str, &str); 5] = [
    ("exam.http_5xx", "addStudents@*:503"),
    ("exam.http_5xx", "addStudents@*:500"),
    ("exam.http_429", "addStudents@*"),
    ("exam.maintenance", "addStudents@*"),
    ("exam.drop_request", "addStudents@*"),
];

async fn with_newcomers(count: usize) -> ExamSchool {
    let mut world = ExamSchool::in_step(students(3)).await;
    for number in 0..count {
        world.put(student(&format!("new{number:02}"))).await;
    }
    world
}

#[tokio::test]
async fn an_outage_of_whatever_length_gives_nobody_up() {
    for (fault, argument) in OUTAGES {
        let world = with_newcomers(2).await;
        world.set(fault, argument);
        for run in 0..30 {
            let _report = world.run().await;
            for failure in world.failures().await {
                let what = format!("{fault} in run {run}: {failure:?}");
                assert_eq!((failure.state, failure.owner), (FailureState::Waiting, "service"), "{what}");
                let due: jiff::Timestamp = failure.due_at.as_ref().unwrap().parse().unwrap();
                assert!(due.as_millisecond() <= world.clock.now_ms() + 6 * HOUR, "{what}");
            }
            world.later(3 * HOUR);
        }
        world.sandbox.clear_faults();
        world.later(6 * HOUR);
        assert_eq!(world.run().await.applied(), "2 add", "{fault}");
        assert_eq!(world.failures().await, [], "{fault}");
    }
}

/// What the exam side refuses again and again, each time for a second; and how often it is asked by a run that may wait for
/// one second altogether.
const ASKS_FOR_TIME: [(&str, usize); 2] = [("getstulist", 2), ("addStudents", 2)];

#[tokio::test]
async fn a_run_waits_no_longer_for_the_exam_side_altogether_than_it_may_and_ends_with_75() {
    for (endpoint, calls) in ASKS_FOR_TIME {
        let mut world = with_newcomers(2).await;
        world.patience.longest_altogether = std::time::Duration::from_secs(1);
        world.set("exam.http_429", &format!("{endpoint}@*:1"));
        world.sandbox.clear_journal();
        let report = world.run().await;
        let asked = world.journal().iter().filter(|call| *call == endpoint).count();
        assert_eq!((asked, report.exit_code), (calls, 75), "{endpoint}: {report:#?}");
        world.sandbox.clear_faults();
        world.later(HOUR);
        assert_eq!(world.run().await.applied(), "2 add", "{endpoint}");
    }
}

#[tokio::test]
async fn what_waits_for_the_service_is_due_as_soon_as_such_a_call_has_succeeded_again() {
    let mut world = with_newcomers(2).await;
    world.set("exam.http_5xx", "addStudents@*:503");
    for _ in 0..10 {
        let _report = world.run_later().await;
    }
    world.sandbox.clear_faults();
    assert_eq!(world.run().await.applied(), "", "they wait for hours");
    world.put(student("another")).await;
    assert_eq!(world.run().await.applied(), "1 add", "and another is entered at once");
    // Their adds had no answer: for a quarter of an hour reads may not show yet what became of them.
    world.later(HOUR / 4);
    assert_eq!(world.run().await.applied(), "2 add", "so it is over for them too");
    assert_eq!(world.failures().await, []);
}

#[tokio::test]
async fn an_item_that_the_service_fails_over_alone_while_others_go_through_is_given_up_in_the_end() {
    let switches = [("error_style", "5xx_text"), ("unknown_gid", "refuse_call")];
    let mut world = ExamSchool::switched(students(4), &switches).await;
    world.settings.retry.max_attempts = 3;
    world.groups.insert("g9".to_owned(), Some(999_999));
    world.edit("s001", |it| it.in_groups(["g9"])).await;
    let mut states = Vec::new();
    for run in 0..8 {
        world.put(student(&format!("new{run}"))).await;
        let _report = world.run_later().await;
        states.extend(
            world.failures().await.into_iter().filter(|it| it.student_id == "s001").map(|it| it.state),
        );
    }
    assert_eq!(states.first(), Some(&FailureState::Waiting), "{states:?}");
    assert_eq!(states.last(), Some(&FailureState::Dead), "{states:?}");
    let failure = world.failures().await.into_iter().find(|it| it.student_id == "s001").unwrap();
    assert_eq!((failure.code.as_str(), failure.owner), ("service-failed", FailureOwner::It.word()));
}

#[tokio::test]
async fn refused_credentials_after_an_accepted_call_of_the_same_run_are_temporary() {
    let world = with_newcomers(2).await;
    for (status, exit) in [("401", 75), ("403", 75)] {
        world.set("exam.http_5xx", &format!("addStudents@*:{status}"));
        let report = world.run().await;
        assert_eq!(report.exit_code, exit, "{status}: {report:#?}");
        assert!(report.errors.iter().any(|it| it.contains("were accepted earlier")), "{:?}", report.errors);
        world.sandbox.clear_faults();
    }
    world.set("exam.http_5xx", "*@*:401");
    assert_eq!(world.run().await.exit_code, 77, "nothing was accepted");
    world.sandbox.clear_faults();
    assert_eq!(world.run_later().await.applied(), "2 add");
}

#[tokio::test]
async fn what_the_service_fails_for_longer_than_the_longest_delay_is_attention_with_its_age() {
    let mut world = ExamSchool::in_step(students(5)).await;
    world.put(student("new")).await;
    world.set("http_5xx", "addStudents@*");
    let since = world.run().await.finished_at;
    world.later(2 * HOUR);
    let report = world.run().await;
    assert!(!report.attention.contains_key("lasting-failures"), "{report:?}");
    for _ in 0..3 {
        world.later(7 * HOUR);
        let report = world.run().await;
        let lasting = &report.attention["lasting-failures"];
        assert_eq!((lasting.count, lasting.owner, report.exit_code), (1, "service", 3), "{report:?}");
        assert!(lasting.since.as_ref().is_some_and(|at| *at <= since), "{lasting:?}");
    }
    world.sandbox.clear_faults();
    world.later(7 * HOUR);
    let report = world.run().await;
    assert_eq!((report.applied(), report.attention.len()), ("1 add".to_owned(), 0), "{report:?}");
}
