//! ClassIn's part of whole runs: a real roster file, our own database, and the sandbox as ClassIn.

mod accounts;
mod approvals;
mod bad_rows;
mod beliefs;
mod by_hand;
mod checks;
mod classes;
mod commands;
mod evidence;
mod exchanged;
mod expired;
mod group_limits;
mod into_lessons;
mod leavers;
mod lives;
mod living;
mod masses;
mod named_holds;
mod names;
mod news;
mod not_mirrored;
mod one_cause;
mod people;
mod random_lives;
mod replaced;
mod retyped;
mod server_errors;
mod shared;
mod siblings;
mod slips;
mod storms;
mod unknowns;
mod waits;
mod words;

use std::collections::BTreeSet;

use rosterd::Exit;
use rosterd::{RunReport, Severity};
use rosterd_testkit::{ClassIds, DAY, School};

const ADD: &str = "addClassStudentMultiple";
const REMOVE: &str = "delClassStudentMultiple";
const ADD_TO_COURSE: &str = "addCourseStudentMultiple";
const REMOVE_FROM_COURSE: &str = "delCourseStudentMultiple";
const REGISTER: &str = "register";
const REGISTER_SEVERAL: &str = "registerMultiple";
const JOIN: &str = "addSchoolStudent";
const NAME: &str = "editSchoolStudent";

fn set_of(uids: &[i64]) -> BTreeSet<i64> {
    uids.iter().copied().collect()
}

fn count(report: &RunReport, of: &str, kind: &str) -> u64 {
    let stage = &report.classin;
    let counts = match of {
        "planned" => &stage.planned,
        "applied" => &stage.applied,
        "failed" => &stage.failed,
        "held" => &stage.held,
        "unknown" => &stage.unknown,
        "skipped" => &stage.skipped,
        other => panic!("{other}"),
    };
    counts.get(kind).copied().unwrap_or(0)
}

/// A class of `n` students that ClassIn has as the roster wants it.
async fn in_step(n: usize) -> (School, ClassIds, Vec<i64>) {
    let school = School::of_classin().await;
    let class = school.class("c1").await;
    let uids = school.fill("c1", n).await;
    school.run_as(Exit::Done).await;
    assert_eq!(school.members(class), set_of(&uids));
    school.sandbox.clear_journal();
    (school, class, uids)
}

/// Runs until one is good, a day apart; at most five.
async fn settle(school: &School) {
    for _ in 0..5 {
        let report = school.run().await;
        if report.severity == Severity::Done {
            return;
        }
        school.later(DAY);
    }
    panic!("five runs, none good: {:#?}", school.run().await);
}
