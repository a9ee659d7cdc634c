//! Health and attention as the state tells them: what `status` shows, and what a daemon knows right after its start.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::daemon::LONGEST_WAIT_MS;
use super::status_server::not_served;
use super::{inbox, old_roster};
use crate::daemon::schedule;
use crate::files;
use crate::run::{
    Attention, failing_pulls, is_waiting_kind, last_pull, moment, unlisted_results, waiting_attention,
};
use crate::settings::Settings;
use crate::store::{OddRow, RunLock, RunRow, StateStore, StoreError};
use crate::web::{CLOCK_MARGIN_MS, FailedRun, HealthFacts, ShownAttention, ShownAttentions};
use rosterd_core::counted::counted;
use rosterd_core::failure::FailureOwner;

/// The fact under which the daemon keeps when the next run is due.
pub(super) const NEXT_DUE: &str = "schedule.next_due_at_ms";

/// What health is judged by.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn facts(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<HealthFacts, StoreError> {
    let last_good_ms = state.last_good_run_ms(now_ms.saturating_add(CLOCK_MARGIN_MS)).await?;
    let newest = state.newest_run().await?;
    let due_since_ms = match last_good_ms {
        Some(at) => schedule::due_since(&settings.schedule, at),
        None if newest.as_ref().is_some_and(|run| run.finished_at_ms.is_some()) => None,
        None => next_due(state).await?,
    };
    let unfinished = newest.as_ref().filter(|run| run.finished_at_ms.is_none());
    // One whose lock nobody holds was killed: it excuses no run that was due since.
    let running_since_ms =
        unfinished.filter(|_| RunLock::is_held(&settings.state.database)).map(|run| run.started_at_ms);
    let failed = newest.as_ref().and_then(|run| failed_run(run, last_good_ms));
    let is_disk_full = files::is_full(&state_folder(settings));
    Ok(HealthFacts { last_good_ms, due_since_ms, running_since_ms, failed, is_disk_full })
}

/// The folder of the state database, links followed.
pub(super) fn state_folder(settings: &Settings) -> PathBuf {
    files::folder_of(&files::resolved(&settings.state.database)).to_owned()
}

/// When the daemon's next run is due, as it was stored last.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn next_due(state: &StateStore) -> Result<Option<i64>, StoreError> {
    Ok(state.fact(NEXT_DUE).await?.and_then(|text| text.parse::<i64>().ok()))
}

/// A run that was told to stop did not fail: the next one goes on.
fn failed_run(run: &RunRow, last_good_ms: Option<i64>) -> Option<FailedRun> {
    let (ended_at_ms, outcome) = (run.finished_at_ms?, run.outcome.clone()?);
    let is_later = last_good_ms.is_none_or(|good| good < ended_at_ms);
    (is_later && !run.is_good && outcome != "interrupted").then(|| FailedRun {
        ended_at_ms,
        outcome,
        why: run.report.as_deref().and_then(first_error),
    })
}

fn first_error(report: &str) -> Option<String> {
    let report: Value = serde_json::from_str(report).ok()?;
    Some(report.get("errors")?.get(0)?.as_str()?.to_owned())
}

/// What stands among the failures as it stands now, and of the rest what the last run that read both sides completely
/// said.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn attention(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<ShownAttentions, StoreError> {
    let run = state.run(state.last_complete_run().await?).await?;
    let report = run.and_then(|run| serde_json::from_str::<Value>(&run.report?).ok());
    let said = report.as_ref().and_then(|report| report.get("attention"));
    let said: ShownAttentions = said.and_then(|said| Deserialize::deserialize(said).ok()).unwrap_or_default();
    let mut attention: ShownAttentions =
        said.into_iter().filter(|(kind, _)| !is_waiting_kind(kind)).collect();
    let waiting = waiting_attention(state, settings.retry.max_delay, now_ms).await?.into_iter();
    attention.extend(waiting.map(|(kind, it)| (kind.to_owned(), shown(it))));
    let (count, since_ms) = state.odd_rows(OddRow::Unreadable).await?;
    if count > 0 {
        let verb = if count == 1 { "is" } else { "are" };
        let results = counted(count, "exam result");
        let what = format!("{results} cannot be read and {verb} skipped: ask the service about that");
        attention.insert(
            "unreadable-results".to_owned(),
            shown(Attention::new(count, since_ms, FailureOwner::It, what)),
        );
    }
    if let Some((count, since_ms)) = unlisted_results(state).await? {
        let results = counted(count, "exam result");
        let what = format!("the service counts {results} more than it lists: ask it about the others");
        attention.insert(
            "unlisted-results".to_owned(),
            shown(Attention::new(count, Some(since_ms), FailureOwner::It, what)),
        );
    }
    if let Some(failing) = failing_pulls(state).await? {
        attention.insert("failing-results".to_owned(), shown(failing));
    } else if let Some(late) = late_pull(state, settings, now_ms).await? {
        attention.insert("late-results".to_owned(), shown(late));
    }
    if let Some(old) = old_roster::attention(settings, now_ms) {
        attention.insert("old-roster".to_owned(), shown(old));
    }
    let folders = inbox::attention(settings, now_ms);
    attention.extend(folders.into_iter().map(|(kind, it)| (kind.to_owned(), shown(it))));
    if let Some(unserved) = not_served(state, &settings.state.database).await? {
        attention.insert("page-not-served".to_owned(), shown(unserved));
    }
    Ok(attention)
}

/// A pull that is due waits so long at most for another run to end.
const LATEST_PULL_MS: i64 = LONGEST_WAIT_MS + 60 * 60 * 1000;

/// A pull of exam results that was due since the last one and has not come.
async fn late_pull(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<Option<Attention>, StoreError> {
    let Some(schedule) = settings.results_schedule() else { return Ok(None) };
    let Some(last) = last_pull(state).await? else { return Ok(None) };
    let due = schedule::due_since(&schedule, last);
    let Some(due) = due.filter(|due| due.saturating_add(LATEST_PULL_MS) <= now_ms) else { return Ok(None) };
    let what = format!(
        "no exam results since {}: a pull was due at {} and has not come; see that the daemon runs, or pull them with \
         rosterd results",
        moment(last),
        moment(due)
    );
    Ok(Some(Attention::new(1, Some(due), FailureOwner::It, what)))
}

fn shown(attention: Attention) -> ShownAttention {
    let Attention { count, since, owner, owners, what } = attention;
    let owners = owners.into_iter().map(|(owner, count)| (owner.to_owned(), count)).collect();
    ShownAttention { count, since, owner: owner.to_owned(), owners, what }
}
