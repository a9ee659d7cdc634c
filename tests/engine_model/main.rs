//! The whole engine, driven at random through hundreds of steps: the roster is edited, teachers work by hand on the
//! exam side, the service breaks and changes its ways, runs are cut off, time passes, people approve, retry and
//! ignore. After every step a small model says what must be true; at the end everything must be in step.
//!
//! `ROSTERD_STEPS=2000 ROSTERD_SEED=7 cargo test --test engine_model -- --nocapture` drives that seed so far.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml relaxes these in test functions only, and these helpers belong to one test"
)]

mod broken;
mod departures;
mod driver;
mod edits;
mod identity;
mod laws;
mod troubles;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rosterd_sandbox::{Sandbox, SandboxSettings};
use rosterd_testkit::chance;

use driver::Driver;

/// Steps of one seed in the everyday run.
const STEPS: u64 = 150;

/// Longer than any step takes, however busy the machine is: one that hangs shows what came before it.
const LONGEST_STEP: Duration = Duration::from_secs(240);

/// Seeds that once found something, with the steps that it took.
const REGRESSIONS: &[(u64, u64)] =
    &[(1, STEPS), (16, STEPS), (30, STEPS), (131, STEPS), (16, 300), (49, 300), (207, 300), (251, 300)];

async fn drive(seed: u64, steps: u64) {
    println!("ROSTERD_SEED={seed} ROSTERD_STEPS={steps}");
    let mut driver = Driver::new(seed).await;
    let mut slowest = (Duration::ZERO, String::new());
    for _ in 0..steps {
        let begun = Instant::now();
        tokio::time::timeout(LONGEST_STEP, Box::pin(driver.step())).await.unwrap();
        let took = begun.elapsed();
        if took > slowest.0 {
            slowest = (took, driver.log.last().cloned().unwrap_or_default());
        }
    }
    driver.comes_to_rest().await;
    println!("{:?}\nslowest step: {:?}, {}", driver.tally, slowest.0, slowest.1);
}

#[tokio::test]
async fn whatever_happens_in_whatever_order_the_laws_hold_and_in_the_end_all_is_in_step() {
    drive(chance::seed(), chance::number("ROSTERD_STEPS", STEPS)).await;
}

#[tokio::test]
async fn what_was_found_once_stays_mended() {
    for (seed, steps) in REGRESSIONS {
        drive(*seed, *steps).await;
    }
}

/// Everything that `set` knows, from the answer to a name that it does not know.
fn known() -> BTreeSet<String> {
    let sandbox = Sandbox::new(SandboxSettings::default()).unwrap();
    let error = sandbox.set("no such thing", "").unwrap_err().to_string();
    let (_, names) = error.split_once("there are: ").unwrap();
    names.split(", ").map(|name| name.trim().to_owned()).collect()
}

#[test]
fn every_fault_and_every_switch_of_the_exam_side_is_driven_or_left_out_for_a_reason() {
    let driven: BTreeSet<&str> = troubles::FAULTS
        .iter()
        .map(|fault| fault.name)
        .chain(troubles::SWITCHES.iter().map(|(name, _)| *name))
        .chain(troubles::LEFT_OUT.iter().map(|(name, _)| *name))
        .collect();
    let missing: Vec<String> = known()
        .into_iter()
        .filter(|name| !name.starts_with("classin."))
        .filter(|name| !driven.contains(name.trim_start_matches("exam.")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
