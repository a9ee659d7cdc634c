//! What comes from outside, mutated from the samples of `fuzz/corpus`: both services' answers, imported files, the
//! configuration. `ROSTERD_FUZZ_SECONDS=180 ROSTERD_SEED=1 cargo test --test fuzzing -- --nocapture` goes on for so
//! long with each target. `just fuzz` does the same guided by coverage, and builds everything a second time for it.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy.toml relaxes these in test functions only, and these helpers belong to one test"
)]

mod mutation;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;
use rosterd_testkit::chance;
use rosterd_testkit::fuzz_targets::TARGETS;

/// How long each target is driven every day.
const SECONDS: u64 = 2;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn drive(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let (seed, seconds) = (chance::seed(), chance::number("ROSTERD_FUZZ_SECONDS", SECONDS));
    let samples = corpus(name);
    samples.iter().for_each(|sample| target(sample));
    let mut chance = Rng::with_seed(seed);
    let (begun, mut executions) = (Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let input = mutation::mutate(&samples, &mut chance);
        executions += 1;
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            let path = std::env::temp_dir().join(format!("rosterd-{name}-{seed}"));
            std::fs::write(&path, &input).unwrap();
            panic!(
                "ROSTERD_SEED={seed}: {name} fails on {}:\n{}",
                path.display(),
                String::from_utf8_lossy(&input)
            );
        }
    }
    println!("{name}: {executions} executions, ROSTERD_SEED={seed}");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            drive(stringify!($name));
        })*

        #[test]
        fn every_target_is_driven() {
            let driven = [$(stringify!($name)),*];
            assert_eq!(TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>(), driven);
        }
    };
}

targets! { exam_reads exam_writes classin_answers import_csv import_clever configuration }
