//! Reading the configuration again while a daemon lives. One that is refused is shown until a good one is read, since whoever
//! changed it believes that it holds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app;
use crate::run::{Attention, in_one_line};
use crate::settings::Settings;
use crate::store::{DaemonLock, RosterError, StateStore, StoreError};
use rosterd_core::failure::FailureOwner;

/// The fact under which a daemon keeps since when a configuration is refused, and why.
const REFUSED: &str = "reload.refused";

/// Notes why it was refused, or that one was taken. Since when, is kept while one after another is refused.
pub(super) async fn note(state: &StateStore, refusal: Option<&str>, now_ms: i64) {
    let before = state.fact(REFUSED).await.ok().flatten();
    if refusal.is_none() && before.is_none() {
        return;
    }
    let since_ms = before.as_deref().and_then(since).map_or(now_ms, |since_ms| since_ms.min(now_ms));
    let fact = refusal.map(|reason| {
        let reasons: Vec<&str> = reason.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        format!("{since_ms} {}", reasons.join("; "))
    });
    if let Err(error) = state.remember(REFUSED, fact.as_deref()).await {
        tracing::warn!("the refusal of the configuration was not noted: {}", in_one_line(&error));
    }
}

fn since(fact: &str) -> Option<i64> {
    fact.split_once(' ')?.0.parse().ok()
}

/// What a daemon that lives has refused, and since when.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn attention(state: &StateStore, database: &Path) -> Result<Option<Attention>, StoreError> {
    let fact = state.fact(REFUSED).await?.filter(|_| DaemonLock::is_held(database));
    Ok(fact.and_then(|fact| {
        let (_, reason) = fact.split_once(' ')?;
        // What only a restart takes over says itself what to do.
        let way_on = if reason.contains(RESTART) {
            ""
        } else {
            "; mend it, see rosterd check --config-only, and reload once more (systemctl reload rosterd, or kill -HUP)"
        };
        let what = format!(
            "the configuration was refused when the daemon was to read it again, and the old one stays in force: \
             {reason}{way_on}"
        );
        Some(Attention::new(1, since(&fact), FailureOwner::It, what))
    }))
}

/// Which settings have changed that a running daemon does not take over.
pub(super) fn need_a_restart(current: &Settings, fresh: &Settings) -> Vec<&'static str> {
    let changed = [("http.listen", current.http.listen != fresh.http.listen)];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

/// What takes a configuration over that a daemon cannot.
const RESTART: &str = "systemctl restart rosterd";

/// Refuses what a running daemon cannot take over and must not ignore. Says what is new, and what a restart would do with it.
///
/// # Errors
/// The key, the value before and the new one, and what to type.
pub(super) fn require_no_restart(current: &Settings, fresh: &Settings) -> Result<(), String> {
    match (current.demo.is_some(), fresh.demo.is_some()) {
        (false, true) => {
            return Err(format!(
                "[demo] is new in the configuration, and the daemon runs without a rehearsal. Take the section out and \
                 reload (systemctl reload rosterd, or kill -HUP); with it `{RESTART}` would begin a rehearsal in the place \
                 of real runs"
            ));
        }
        (true, true) => {
            return Err(format!(
                "[demo] stands in the configuration, and a rehearsal reads its settings only at its start: end it, and start \
                 it again (as a unit: {RESTART})"
            ));
        }
        (true | false, false) => {}
    }
    let (before, new) = (&current.state.database, &fresh.state.database);
    if before == new {
        return Ok(());
    }
    let back = format!(
        "To stay with the one before, write state.database = \"{}\" and reload (systemctl reload rosterd, or kill -HUP)",
        before.display()
    );
    let said = format!(
        "state.database is the file {} in the daemon that runs and the file {} in the configuration; another state is taken \
         over only by a start",
        before.display(),
        new.display()
    );
    let folder = new.parent().filter(|folder| !folder.as_os_str().is_empty());
    let way_on = match folder {
        Some(folder) if !folder.is_dir() => format!(
            "A restart would refuse it too, as its folder {} is not there: create that folder first, then {RESTART}",
            folder.display()
        ),
        _ if new.is_dir() => {
            format!("A restart would refuse it too, as that is a folder: name a file in it, then {RESTART}")
        }
        _ if new.exists() => format!("To take it over: {RESTART}"),
        _ => format!(
            "That file is not there yet: {RESTART} would begin a new state, which knows none of your candidates and \
             enrolments; to take them along, stop the daemon and move the file first"
        ),
    };
    Err(format!("{said}. {way_on}. {back}"))
}

/// A file that does not answer, as on a mount that hangs, must not hold up runs and signals for longer.
const LONGEST_READING: Duration = Duration::from_secs(5);

/// Reads the configuration and its files again, on a thread of its own.
pub(super) async fn load_again(config: Option<PathBuf>) -> Result<Settings, String> {
    let reading = tokio::task::spawn_blocking(move || Settings::load_from_environment(config.as_deref()));
    match tokio::time::timeout(LONGEST_READING, reading).await {
        Ok(Ok(read)) => read.map_err(|error| error.to_string()),
        Ok(Err(_)) => Err("reading it broke off".to_owned()),
        Err(_) => Err(format!(
            "the configuration or a file that it names could not be read within {} seconds: see whether its disk or share \
             answers",
            LONGEST_READING.as_secs()
        )),
    }
}

/// Refuses settings of the roster that are new and do not fit the roster that is there: a query that SQLite does not take, a
/// column that is not there. A roster that is away, locked or broken says nothing of them: the next run tells.
///
/// # Errors
/// The key, the cause and who mends it.
pub(super) async fn require_fitting_roster(current: &Settings, fresh: &Settings) -> Result<(), String> {
    let columns = |settings: &Settings| -> Vec<String> {
        settings.exam.fields.iter().map(|mapping| mapping.column.clone()).collect()
    };
    let is_as_before = current.roster.database == fresh.roster.database
        && current.roster.queries == fresh.roster.queries
        && columns(current) == columns(fresh);
    if is_as_before {
        return Ok(());
    }
    match tokio::time::timeout(LONGEST_READING, app::roster(fresh)).await {
        Ok(Ok(roster)) => {
            roster.close().await;
            Ok(())
        }
        Ok(Err(error @ (RosterError::Query { .. } | RosterError::Schema { .. }))) => Err(error.to_string()),
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}
