//! ClassIn's part of whole runs: a real roster file, our own database, and the sandbox as ClassIn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "clippy.toml relaxes these in test functions only; a helper that cannot go on fails, and says where"
)]

mod cli_support;

#[path = "classin_stage/accounts.rs"]
mod accounts;
#[path = "classin_stage/classes.rs"]
mod classes;
#[path = "classin_stage/commands.rs"]
mod commands;
#[path = "classin_stage/evidence.rs"]
mod evidence;
#[path = "classin_stage/lives.rs"]
mod lives;
#[path = "classin_stage/names.rs"]
mod names;
#[path = "classin_stage/unknowns.rs"]
mod unknowns;

use std::collections::BTreeSet;

use cli_support::{ClassIds, DAY, School};
use rosterd::exit::Exit;
use rosterd::run::RunReport;

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
        if report.exit == Exit::Done {
            return;
        }
        school.later(DAY);
    }
    panic!("five runs, none good: {:#?}", school.run().await);
}
