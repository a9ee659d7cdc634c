//! Which process is in the middle of a run. The lock file tells as long as it is there; whoever removes it would let a
//! second run begin beside the first.

use std::fs;

use super::error::Doing;
use super::{StateStore, StoreError};
use sqlx::SqliteConnection;

/// The fact that names the process.
const RUN_HOLDER: &str = "run.holder";

/// The field of the start time in `/proc/PID/stat`, counted from the one after the name, which is the state. Source:
/// proc_pid_stat(5).
const START_TIME: usize = 19;

/// This process as others find it: its number, when it started, and where those two mean anything. `None` on systems that
/// do not tell.
fn this_process() -> Option<String> {
    let number = std::process::id();
    Some(format!("{number} {} {}", start_time(number)?, realm()?))
}

/// Processes of another boot, or of another container, have numbers of their own.
fn realm() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), numbers.display()))
}

/// When a living process started, in clock ticks since the machine did.
fn start_time(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name is in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let is_dead = fields.next().is_none_or(|state| matches!(state, "Z" | "X" | "x"));
    if is_dead { None } else { fields.nth(START_TIME - 1)?.parse().ok() }
}

/// The number of the process that a fact names, if it is another one than this and lives.
fn other_that_lives(fact: &str) -> Option<u32> {
    let (number, rest) = fact.split_once(' ')?;
    let (started, place) = rest.split_once(' ')?;
    let (number, started): (u32, u64) = (number.parse().ok()?, started.parse().ok()?);
    let is_here = realm().is_some_and(|here| here == place);
    let lives = is_here && number != std::process::id() && start_time(number) == Some(started);
    lives.then_some(number)
}

/// Notes that this process is in the middle of a run.
///
/// # Errors
/// [`StoreError::RunElsewhere`] while another process is.
pub(super) async fn take(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let noted: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM facts WHERE name = ?")
        .bind(RUN_HOLDER)
        .fetch_optional(&mut *connection)
        .await
        .doing("reading who is in a run")?;
    let other = noted.and_then(|noted| other_that_lives(&String::from_utf8_lossy(&noted)));
    if let Some(process) = other {
        return Err(StoreError::RunElsewhere { process });
    }
    let Some(own) = this_process() else { return Ok(()) };
    sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)")
        .bind(RUN_HOLDER)
        .bind(own.into_bytes())
        .execute(connection)
        .await
        .doing("noting who is in a run")?;
    Ok(())
}

impl StateStore {
    /// Notes that nobody is in the middle of a run.
    pub(super) async fn release_run(&self) -> Result<(), StoreError> {
        self.remember(RUN_HOLDER, None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_process_that_lives_is_in_a_run() {
        let own = this_process().unwrap();
        let (_, rest) = own.split_once(' ').unwrap();
        let (_, place) = rest.split_once(' ').unwrap();
        let parent = std::os::unix::process::parent_id();
        let started = start_time(parent).unwrap();
        let table = [
            (own.clone(), None),
            (format!("{parent} {started} {place}"), Some(parent)),
            (format!("{parent} {} {place}", started + 1), None),
            (format!("{parent} {started} of another boot"), None),
            (format!("4194305 {started} {place}"), None),
            ("no fact of ours".to_owned(), None),
        ];
        for (fact, expected) in table {
            assert_eq!(other_that_lives(&fact), expected, "{fact}");
        }
    }
}
