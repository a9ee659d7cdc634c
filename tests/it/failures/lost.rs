//! Every write of the exam side × every way of losing its answer × whether a look-up can be had afterwards: what became
//! of each person is found out by looking, and nobody is sent again before somebody looked.

use std::collections::BTreeSet;
use std::time::Duration;

use rosterd_testkit::*;

/// What is asked of the exam side: every endpoint that writes, and every action of the one that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Add,
    Change,
    ChangeLogin,
    MoveTo,
    AddTo,
    DeleteFrom,
    LeaveOurs,
    Delete,
}

const WRITES: [Write; 8] = [
    Write::Add,
    Write::Change,
    Write::ChangeLogin,
    Write::MoveTo,
    Write::AddTo,
    Write::DeleteFrom,
    Write::LeaveOurs,
    Write::Delete,
];

/// A way of losing an answer: fault, argument, and whether it takes a deadline to notice.
const WAYS: [(&str, &str, bool); 18] = [
    // Before it was applied.
    ("drop_request", "", false),
    ("reset", ":unapplied", false),
    ("http_5xx", ":500", false),
    ("http_5xx", ":502", false),
    ("html_200", ":unapplied", false),
    // After it was applied, as a whole.
    ("lose_answer", "", false),
    ("reset", ":applied", false),
    ("cut_body", "", false),
    ("cut_body", ":1", false),
    ("empty_body", "", false),
    ("not_json", "", false),
    ("wrong_type", "", false),
    ("html_200", ":applied", false),
    ("huge_body", ":40000000", false),
    ("delay", ":3000", true),
    // In part.
    ("apply_part", ":1", false),
    ("apply_part", ":2", false),
    ("apply_part", ":100", false),
];

const IDS: [&str; 3] = ["s001", "s002", "s003"];

impl Write {
    fn endpoint(self) -> &'static str {
        match self {
            Self::Add => "addStudents",
            Self::Change | Self::ChangeLogin => "changeStuinfo",
            Self::MoveTo | Self::AddTo | Self::DeleteFrom | Self::LeaveOurs => "movestugroup",
            Self::Delete => "delStu",
        }
    }

    /// A world in which the next run has just this to do, for three people.
    async fn world(self) -> ExamSchool {
        let both = ["g1", "g2"];
        let mut people = students(8);
        if self == Self::DeleteFrom {
            people = people.into_iter().map(|person| person.in_groups(both)).collect();
        }
        let mut world = ExamSchool::in_step(people).await;
        for id in IDS {
            match self {
                Self::Add => world.put(student(&format!("new-{id}"))).await,
                Self::Change => world.edit(id, |it| it.named("Somebody else")).await,
                Self::ChangeLogin => world.edit(id, |it| it.login(&format!("renamed-{id}"))).await,
                Self::MoveTo => world.edit(id, |it| it.in_groups(["g2"])).await,
                Self::AddTo => world.edit(id, |it| it.in_groups(both)).await,
                // A candidate of another school's too is never moved as a whole.
                Self::DeleteFrom => world.edit(id, |it| it.in_groups(["g2"])).await,
                Self::LeaveOurs | Self::Delete => world.remove(id).await,
            }
            if self == Self::LeaveOurs || self == Self::DeleteFrom {
                let sid = world.sid(id).await;
                let mut gids: Vec<i64> = world.candidate(id).gids.into_iter().collect();
                gids.push(world.foreign);
                world.sandbox.set_candidate_groups(sid, &gids);
            }
        }
        // Only in a shared account does a leaver of another school's groups too leave ours without being asked about.
        world.settings.exam.shared = (self == Self::LeaveOurs).then_some(true);
        if matches!(self, Self::LeaveOurs | Self::Delete) {
            assert_eq!(world.run().await.planned(), "");
            world.later(4 * DAY);
        }
        world
    }

    /// Login values of candidates that stay although nobody on the roster has them.
    fn known(self) -> &'static [&'static str] {
        if self == Self::LeaveOurs { &IDS } else { &[] }
    }
}

/// Between two writes to the same endpoint that name one person, somebody has looked that person up.
fn nobody_is_sent_blindly_again(world: &ExamSchool, endpoint: &str, what: &str) {
    let mut sent: BTreeSet<String> = BTreeSet::new();
    for call in world.sandbox.journal() {
        if call.endpoint == "getstudentsinfo" {
            sent.retain(|person| !call.named.contains(person));
        } else if call.endpoint == "getstulist" {
            // A new run looks at everybody.
            sent.clear();
        } else if call.endpoint == endpoint {
            for person in call.named {
                assert!(sent.insert(person.clone()), "{what}: {person} was sent again without a look");
            }
        }
    }
}

/// The look-ups that come before the write must be had: how many is told by a run without a fault.
async fn look_ups_before(write: Write) -> usize {
    let rehearsal = write.world().await;
    rehearsal.sandbox.clear_journal();
    let report = rehearsal.run().await;
    assert_eq!((report.exit_code, report.calls(write.endpoint())), (0, 1), "{write:?}: {report:?}");
    let journal = rehearsal.journal();
    let at = journal.iter().position(|call| call == write.endpoint()).unwrap();
    journal[..at].iter().filter(|call| *call == "getstudentsinfo").count()
}

async fn is_settled_by_looking(write: Write, way: (&str, &str, bool), blind: bool, before: usize) {
    let (fault, argument, slow) = way;
    let what = format!("{write:?} with {fault}{argument}, look-ups dead: {blind}");
    let mut world = write.world().await;
    world.sandbox.clear_journal();
    if slow {
        world.settings.exam.endpoint.timeout = Duration::from_millis(400);
    }
    world.set(fault, &format!("{}{argument}", write.endpoint()));
    if blind {
        world.set("exam.drop_request", &format!("getstudentsinfo@{}x100", before + 1));
    }
    let report = world.run().await;
    world.sandbox.clear_faults();
    world.settings.exam.endpoint.timeout = Duration::from_secs(10);
    assert_eq!(report.calls(write.endpoint()), 1, "{what}: sent once in this run, {report:?}");
    if blind {
        assert_eq!(report.applied(), "", "{what}: {report:?}");
        assert!(report.unknown().starts_with("3 "), "{what}: {report:?}");
        assert_eq!(report.exit_code, 75, "{what}");
    } else {
        assert_eq!(report.unknown(), "", "{what}: {report:?}");
        assert!([0, 3].contains(&report.exit_code), "{what}: {report:?}");
        // What counts as applied is so, and what is so counts as applied: the differences are the failures.
        let failed = report.failed();
        let left = if failed.is_empty() { 0 } else { failed.split(' ').next().unwrap().parse().unwrap() };
        assert_eq!(world.differences(write.known()).len(), differences(write, left), "{what}: {report:?}");
    }
    let next = world.run_later().await;
    assert_eq!(next.exit_code, 0, "{what}: {next:?}");
    nobody_is_sent_blindly_again(&world, write.endpoint(), &what);
    assert_eq!(world.differences(write.known()), Vec::<String>::new(), "{what}");
    let quiet = world.run_later().await;
    assert_eq!((quiet.planned(), quiet.writes()), (String::new(), 0), "{what}");
    assert_eq!(world.failures().await, [], "{what}");
}

/// How many differences so many failed operations are: a failed rename is two, one missing and one too many.
fn differences(write: Write, failed: usize) -> usize {
    match write {
        Write::ChangeLogin => 2 * failed,
        Write::LeaveOurs => 0,
        _ => failed,
    }
}

macro_rules! settled_by_looking {
    ($($name:ident $write:ident;)*) => {
        mod whatever_becomes_of_the_answer_everybody_is_settled_by_looking {
            use super::{WAYS, Write, is_settled_by_looking, look_ups_before};

            $(#[tokio::test]
            async fn $name() {
                let before = look_ups_before(Write::$write).await;
                let mut cases = 0;
                for way in WAYS {
                    for blind in [false, true] {
                        is_settled_by_looking(Write::$write, way, blind, before).await;
                        cases += 1;
                    }
                }
                println!("{}: {cases} cases", stringify!($name));
                assert_eq!(cases, 36);
            })*
        }

        #[test]
        fn every_write_has_its_test() {
            assert_eq!([$(Write::$write),*], WRITES);
        }
    };
}

settled_by_looking! {
    adding Add;
    changing_values Change;
    changing_the_login_value ChangeLogin;
    moving_to_a_group MoveTo;
    adding_to_a_group AddTo;
    taking_out_of_a_group DeleteFrom;
    taking_a_leaver_out_of_our_groups LeaveOurs;
    deleting Delete;
}
