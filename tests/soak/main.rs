//! The daemon itself, for as long as one wants: a run every three seconds, troubles that come and go, a roster that is
//! edited, and at the end whether a run was missed and whether memory, descriptors, threads and the state have grown.
//! What is over grows old fast here, some twenty days in five seconds: so the state comes to hold as much as `state.keep`
//! lets it hold within two minutes, and has to stay there.
//!
//! `ROSTERD_SOAK=3600 ROSTERD_SEED=1 cargo test --test soak -- --nocapture` soaks for an hour; without it, for as long as
//! shows that all of it works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "clippy.toml relaxes these in test functions only, and these helpers belong to one test"
)]

mod figures;

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use figures::{History, Sample, Samples};
use rosterd_testkit::chance::{happens, number, one_of, seed};
use rosterd_testkit::{DAY, School, ended};

/// Seconds of a soak that nobody ordered.
const USUAL: u64 = 30;

/// In fewer seconds than this growth cannot be told from warming up.
const LEAST_FOR_GROWTH: u64 = 300;

/// Milliseconds between two moments at which a run is due.
const EVERY_MS: i64 = 3000;

/// Runs whose reports the daemon keeps: a history that fills up only now would be growth.
const REPORTS: i64 = 1000;

/// What the report of a run that met troubles has more than that of the first: else the history would grow for as long as it
/// takes to renew all of it.
const OF_TROUBLES: &str = "printf('%.*c', 1500, 'x')";

/// Runs of long ago; the daemon forgets 2,000 at once.
const OLD_RUNS: i64 = 1500;

/// By so much everything that is over grows older with each trouble.
const AGEING: i64 = 20 * DAY;

/// What the services may do to the calls for a while.
const TROUBLES: &[&[(&str, &str)]] = &[
    &[],
    &[],
    &[("delay", "*@p0.3:80")],
    &[("delay", "*:1500")],
    &[("lose_answer", "*@p0.15")],
    &[("drop_request", "*@p0.1"), ("delay", "*@p0.2:50")],
    &[("cut_body", "*@p0.1"), ("reset", "*@p0.1:applied")],
    &[("http_5xx", "*@p0.3:503")],
    &[("http_5xx", "*:503")],
    &[("http_429", "*@p0.2:1")],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_under_troubles_misses_no_run_and_does_not_grow() {
    let (seed, seconds) = (seed(), number("ROSTERD_SOAK", USUAL));
    println!("ROSTERD_SEED={seed} ROSTERD_SOAK={seconds}");
    let mut chance = Rng::with_seed(seed);
    let school = school_with_a_past().await;
    let mut daemon = Daemon::start(&school);
    let (begun, mut samples, mut history) = (Instant::now(), Samples::default(), History::default());
    let mut next = 1000;
    while begun.elapsed() < Duration::from_secs(seconds) {
        trouble(&school, &mut chance);
        grow_old(&school).await;
        for _ in 0..chance.u64(2..8) {
            if happens(&mut chance, 60) {
                edit(&school, &mut chance, &mut next).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(daemon.child.try_wait().unwrap().is_none(), "the daemon ended: {}", daemon.said());
            samples.take(daemon.sample(&school).await);
            history.read(&school).await;
        }
    }
    school.sandbox.clear_faults();
    comes_to_rest(&school, &daemon).await;
    samples.take(daemon.sample(&school).await);
    daemon.ends_well();

    history.read(&school).await;
    let lateness = history.lateness(EVERY_MS);
    println!("{lateness}");
    println!("{samples}");
    lateness.none_missed();
    if seconds >= LEAST_FOR_GROWTH {
        samples.are_flat();
    }
    let old = school.number(&format!("SELECT count(*) FROM runs WHERE run_id <= -{REPORTS}")).await;
    assert_eq!(old, 0, "runs older than state.keep are left");
}

/// Time passes for what is over, and so does the day after which the daemon forgets again. The newest runs stay as they
/// are: the next moment at which a run is due follows from them.
async fn grow_old(school: &School) {
    let forgotten_at_ms = school.clock.now_ms() - DAY - 1;
    school
        .write(&format!(
            "BEGIN IMMEDIATE;
             UPDATE runs SET started_at_ms = started_at_ms - {AGEING}, finished_at_ms = finished_at_ms - {AGEING}
             WHERE run_id <= (SELECT max(run_id) FROM runs) - {REPORTS};
             UPDATE failures SET closed_at_ms = closed_at_ms - {AGEING} WHERE state IN ('resolved', 'superseded');
             UPDATE former_candidates SET gone_at_ms = gone_at_ms - {AGEING};
             UPDATE enrolments SET changed_at_ms = changed_at_ms - {AGEING} WHERE evidence = 'gone';
             UPDATE accounts SET changed_at_ms = changed_at_ms - {AGEING};
             UPDATE OR REPLACE student_changes SET changed_at_ms = changed_at_ms - {AGEING};
             UPDATE counted_writes SET at_ms = at_ms - {AGEING};
             INSERT OR REPLACE INTO facts (name, value)
             VALUES ('state.forgotten_at_ms', CAST('{forgotten_at_ms}' AS BLOB));
             COMMIT;"
        ))
        .await;
}

/// Forty students on both services, and a state that has been in use for two years.
async fn school_with_a_past() -> School {
    let school = School::builder()
        .setting("SCHEDULE__CRON", "*/3 * * * * *")
        .setting("RETRY__FIRST_DELAY", "1s")
        .setting("RETRY__MAX_DELAY", "5s")
        .setting("RETRY__MAX_ATTEMPTS", "1000")
        .setting("EXAM__TIMEOUT", "3s")
        .setting("CLASSIN__TIMEOUT", "3s")
        // Edits are many: what a limit would hold is none of this test's.
        .setting("GUARD__MAX_DELETE", "100000")
        .setting("GUARD__MAX_MODIFY", "100000")
        .setting("GUARD__MAX_MOVE", "100000")
        .setting("GUARD__MAX_GROUP", "100%")
        .setting("EXAM__DELETE_GRACE", "1s")
        .build()
        .await;
    let class = school.class("C1").await;
    let _gid = school.group_of_all().await;
    for number in 0..40 {
        enter(&school, &format!("s{number:04}")).await;
    }
    let first = school.run().await;
    assert_eq!(first.exit_code, 0, "{first:#?}");
    assert!(!school.members(class).is_empty());
    let (now, old) = (school.clock.now_ms(), school.clock.now_ms() - 700 * DAY);
    school
        .write(&format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {OLD_RUNS})
             INSERT INTO runs (run_id, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code)
             SELECT -n - {REPORTS}, 'schedule', 'sync', {old} + n * 60000, {old} + n * 60000 + 500, 'converged', 0 FROM n;
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {REPORTS})
             INSERT INTO runs (run_id, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, report)
             SELECT n - {REPORTS}, trigger, mode, started_at_ms - (1 + {REPORTS} - n) * 3000,
                    finished_at_ms - (1 + {REPORTS} - n) * 3000, 'failed', 1, json_set(report, '$.notes', {OF_TROUBLES})
             FROM (SELECT * FROM runs WHERE run_id = 1), n WHERE n < {REPORTS};
             INSERT OR REPLACE INTO facts (name, value)
             VALUES ('state.forgotten_at_ms', CAST('{}' AS BLOB))",
            now - DAY - 1
        ))
        .await;
    school
}

async fn enter(school: &School, id: &str) {
    let _uid = school.student(id).await;
    school.join(id, "C1").await;
    school.sql(&format!("INSERT INTO group_members VALUES ('{id}', 'g1')")).await;
}

fn trouble(school: &School, chance: &mut Rng) {
    school.sandbox.clear_faults();
    for (name, value) in one_of(chance, TROUBLES) {
        school.set(name, value);
    }
}

/// Somebody comes, somebody goes, or a name is corrected; the school stays as large as it was.
async fn edit(school: &School, chance: &mut Rng, next: &mut u64) {
    if happens(chance, 50) {
        let name = format!("Name {}", chance.u32(..));
        let change = "UPDATE students SET name = '{}' WHERE rowid = (SELECT min(rowid) FROM students)";
        school.sql(&change.replace("{}", &name)).await;
        return;
    }
    enter(school, &format!("s{next}")).await;
    *next += 1;
    school
        .sql(
            "DELETE FROM students WHERE rowid = (SELECT min(rowid) FROM students);
             DELETE FROM group_members WHERE student_id NOT IN (SELECT student_id FROM students);
             DELETE FROM class_members WHERE student_id NOT IN (SELECT student_id FROM students)",
        )
        .await;
}

/// Without troubles and edits, runs come to have nothing to do. A run that is under way just now has not ended as anything.
async fn comes_to_rest(school: &School, daemon: &Daemon) {
    // An add without an answer rests for a quarter of an hour.
    school.write("UPDATE intents SET sent_at_ms = sent_at_ms - 900000").await;
    let newest = "SELECT json_group_array(json_array(run_id, started_at_ms, finished_at_ms, outcome)) FROM \
                  (SELECT * FROM runs ORDER BY run_id DESC LIMIT 8)";
    let begun = Instant::now();
    loop {
        let runs: Vec<(i64, i64, Option<i64>, Option<String>)> =
            serde_json::from_str(&school.word(newest).await).unwrap();
        let mut outcomes = runs.iter().filter_map(|(.., outcome)| outcome.as_deref());
        if (0..3).all(|_| outcomes.next() == Some("converged")) {
            return;
        }
        if begun.elapsed() >= Duration::from_secs(120) {
            let left = ["status", "failures", "plan"]
                .map(|command| ended(school.command_of(env!("CARGO_BIN_EXE_rosterd"), &[command])).stdout);
            panic!(
                "no rest: the last runs are {runs:?}\n{}\nThe daemon said: {}",
                left.join("\n"),
                daemon.said()
            );
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

struct Daemon {
    child: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    /// Its log goes to a file: nobody would read a pipe for an hour.
    fn start(school: &School) -> Self {
        let log = school.path("daemon.log");
        let mut command = school.command_of(env!("CARGO_BIN_EXE_rosterd"), &["--log-level", "warn"]);
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    async fn sample(&self, school: &School) -> Sample {
        let process = format!("/proc/{}", self.child.id());
        Sample::of(&process, school.number("PRAGMA page_count").await)
    }

    fn ends_well(&mut self) {
        let terminated = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(terminated.success());
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(40), "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        };
        // A run may have been under way.
        assert!(matches!(status.code(), Some(0 | 143)), "{status}: {}", self.said());
        for trouble in ["panicked", "the timer did not tick", "the run broke off"] {
            assert!(!self.said().contains(trouble), "{trouble}");
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
