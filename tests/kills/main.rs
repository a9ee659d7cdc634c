//! The program itself, killed at random instants through first and later syncs while the roster is being edited,
//! and what both services, its own database and the roster say afterwards.
//!
//! `ROSTERD_KILLS=500 ROSTERD_SEED=1 cargo test --test kills -- --nocapture` makes 500 kills. The seed fixes the
//! edits, the faults and the drawn instants; where in its work the program is at an instant is the machine's.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml relaxes these in test functions only, and these helpers belong to one test"
)]

mod edits;
mod people;
mod school;
mod service;
mod state;
mod verdict;

use fastrand::Rng;

use rosterd_testkit::chance::{happens, number, one_of, seed};
use school::{School, Timing, Victim};
use state::a_quarter_of_an_hour_later;

/// Enough to meet first syncs, later ones and plans; few enough for every day.
const KILLS: u64 = 40;

/// How often a school is made good before the next one is founded.
const ROUNDS: u64 = 3;

/// What the services may do to the calls that are under way.
const FAULTS: &[&[(&str, &str)]] = &[
    &[],
    &[],
    &[("delay", "*@p0.3:80")],
    &[("delay", "addStudents:400"), ("delay", "addClassStudentMultiple:400")],
    &[("delay", "changeStuinfo@p0.5:200"), ("delay", "movestugroup@p0.5:200")],
    &[("delay", "delStu:300"), ("delay", "delClassStudentMultiple:300")],
    &[("lose_answer", "*@p0.15")],
    &[("drop_request", "*@p0.1"), ("delay", "*@p0.2:50")],
    &[("cut_body", "*@p0.1"), ("reset", "*@p0.1:applied")],
    &[("apply_part", "addStudents@p0.4:2/500"), ("http_5xx", "*@p0.05:503")],
];

#[tokio::test]
async fn killed_at_any_instant_the_next_run_makes_good_whatever_the_last_one_left() {
    let (seed, kills) = (seed(), number("ROSTERD_KILLS", KILLS));
    println!("ROSTERD_SEED={seed} ROSTERD_KILLS={kills}");
    let mut chance = Rng::with_seed(seed);
    let mut tally = Tally::default();
    let mut timing = Timing::default();
    while tally.kills() < kills {
        let mut school = School::found(&mut chance).await;
        for round in 0..ROUNDS {
            kill_again_and_again(&mut school, &mut chance, &mut timing, &mut tally, round == 0).await;
            school.is_made_good(&mut chance, &mut tally.runs_needed).await;
            if tally.kills() >= kills {
                break;
            }
        }
        tally.schools += 1;
        println!("{tally:?}");
    }
}

/// What was done.
#[derive(Debug, Default)]
struct Tally {
    schools: u64,
    first_syncs: u64,
    later_syncs: u64,
    plans: u64,
    /// Of these, how many left calls behind whose outcome nobody had written down.
    with_open_calls: u64,
    ended_before_the_kill: u64,
    /// How many runs until everything was in step again, and how often.
    runs_needed: std::collections::BTreeMap<usize, u64>,
}

impl Tally {
    fn kills(&self) -> u64 {
        self.first_syncs + self.later_syncs + self.plans
    }
}

/// Edits, runs and kills, one after the other, without ever letting a run clean up on purpose.
async fn kill_again_and_again(
    school: &mut School,
    chance: &mut Rng,
    timing: &mut Timing,
    tally: &mut Tally,
    is_first: bool,
) {
    let wanted = tally.kills() + chance.u64(1..6);
    while tally.kills() < wanted {
        if !is_first || happens(chance, 60) {
            school.edit(chance).await;
        }
        if happens(chance, 50) {
            a_quarter_of_an_hour_later(school.folder()).await;
        }
        let faults = one_of(chance, FAULTS);
        school.faults(faults);
        let victim = if happens(chance, 10) {
            Victim::Plan
        } else if school.has_synced {
            Victim::LaterSync
        } else {
            Victim::FirstSync
        };
        let killed = school.kill(chance, timing, victim, !faults.is_empty());
        school.faults(&[]);
        if !killed {
            tally.ended_before_the_kill += 1;
            continue;
        }
        match victim {
            Victim::Plan => tally.plans += 1,
            Victim::FirstSync => tally.first_syncs += 1,
            Victim::LaterSync => tally.later_syncs += 1,
        }
        tally.with_open_calls += u64::from(school.looks_sound().await > 0);
        if happens(chance, 50) {
            school.edit(chance).await;
        }
    }
}
