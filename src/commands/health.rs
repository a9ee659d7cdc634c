//! The situation as the state tells it: what `status` shows, and what a daemon knows right after its start.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::status_server::not_served;
use super::{inbox, old_roster, reload};
use crate::daemon::schedule;
use crate::files;
use crate::notify::undelivered_attention;
use crate::run::{
    Attention, HoldLine, failing_pulls, is_waiting_kind, last_pull, moment, unlisted_results,
    waiting_attention,
};
use crate::settings::Settings;
use crate::store::{DaemonLock, OddRow, PLAN, RunLock, RunRow, StateStore, StoreError};
use rosterd_core::counted::counted;
use rosterd_core::failure::FailureOwner;
use rosterd_core::situation::{
    CLOCK_MARGIN_MS, DaemonPresence, Facts, FailedRun, HealthFacts, LastRun, ShownAttention, ShownAttentions,
    ShownHold,
};

/// The longest wait of a due run for another one to end, in milliseconds.
pub(super) const LONGEST_WAIT_MS: i64 = 60 * 60 * 1000;

/// The fact under which the daemon keeps when the next run is due.
pub(super) const NEXT_DUE: &str = "schedule.next_due_at_ms";

/// What the situation is drawn from.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn facts(state: &StateStore, settings: &Settings, now_ms: i64) -> Result<Facts, StoreError> {
    let holds = state.standing_holds(now_ms).await?.into_iter().filter(|hold| hold.word.is_none());
    let holds = holds.map(HoldLine::from).map(|hold| ShownHold {
        reason: format!("{} {}", hold.service, hold.reason_code),
        approve: hold.approved_until.is_none().then_some(hold.approve),
    });
    Ok(Facts {
        health: health_facts(state, settings, now_ms).await?,
        attention: attention(state, settings, now_ms).await?,
        holds: holds.collect(),
        last_run: last_run(state).await?,
        next_run_ms: next_run(state, settings, now_ms).await?.due_ms,
    })
}

/// How the newest run ended, those left out that are under way or were cut off.
async fn last_run(state: &StateStore) -> Result<Option<LastRun>, StoreError> {
    let runs = state.runs(RECENT_RUNS).await?;
    let ended = runs.into_iter().find(|run| run.trigger != PLAN && run.outcome.is_some());
    Ok(ended.and_then(|run| {
        let report: Option<Value> = run.report.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let left = |service: &str| report.as_ref()?.get(service)?.get("left_by_mode")?.as_u64();
        let left_by_mode = left("exam").unwrap_or(0) + left("classin").unwrap_or(0);
        Some(LastRun { outcome: run.outcome?, left_by_mode })
    }))
}

/// When the next run was to come: as the daemon stored it last; where there were runs by command alone until now, counted from
/// the last good one, as health counts.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn owed_since(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let stored = next_due(state, settings, now_ms).await?;
    let last_good_ms = state.last_good_run_ms(now_ms.saturating_add(CLOCK_MARGIN_MS)).await?;
    Ok(stored.or_else(|| schedule::due_since(&settings.schedule, last_good_ms?)))
}

/// What health is judged by.
async fn health_facts(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<HealthFacts, StoreError> {
    let last_good_ms = state.last_good_run_ms(now_ms.saturating_add(CLOCK_MARGIN_MS)).await?;
    let newest = state.newest_run().await?;
    let due_since_ms = match last_good_ms {
        Some(at) => schedule::due_since(&settings.schedule, at),
        None if newest.as_ref().is_some_and(|run| run.finished_at_ms.is_some()) => None,
        None => next_due(state, settings, now_ms).await?,
    };
    let unfinished = newest.as_ref().filter(|run| run.finished_at_ms.is_none());
    // One whose lock nobody holds was killed: it excuses no run that was due since.
    let running_since_ms =
        unfinished.filter(|_| RunLock::is_held(&settings.state.database)).map(|run| run.started_at_ms);
    let latest_ms = now_ms.saturating_add(CLOCK_MARGIN_MS);
    let failed_runs = state.failed_runs_since(last_good_ms, latest_ms).await?;
    let ended = state.newest_ended_run().await?;
    let failed = ended.as_ref().and_then(|run| failed_run(run, last_good_ms, failed_runs));
    let is_disk_full = files::is_full(&state_folder(settings));
    let daemon = match DaemonLock::is_held(&settings.state.database) {
        true => DaemonPresence::Running,
        false => DaemonPresence::Absent,
    };
    let now = Timestamp::from_millisecond(now_ms).ok();
    let next_due_ms = now.and_then(|now| schedule::next_due(&settings.schedule, now));
    Ok(HealthFacts {
        last_good_ms,
        due_since_ms,
        running_since_ms,
        failed,
        is_disk_full,
        next_due_ms: next_due_ms.map(Timestamp::as_millisecond),
        blackouts_ms: schedule::blackouts_ms(&settings.schedule),
        daemon,
        zone: Some(settings.schedule.time_zone.clone()),
    })
}

/// So many runs and plans are looked through for one that ended.
const RECENT_RUNS: u32 = 20;

/// The folder of the state database, links followed.
pub(super) fn state_folder(settings: &Settings) -> PathBuf {
    files::folder_of(&files::resolved(&settings.state.database)).to_owned()
}

/// When the daemon's next run is due, as it was stored last. One that lies further ahead than the schedule can name was
/// stored under another clock, or another schedule, and is none.
async fn next_due(state: &StateStore, settings: &Settings, now_ms: i64) -> Result<Option<i64>, StoreError> {
    let stored = state.fact(NEXT_DUE).await?.and_then(|text| text.parse::<i64>().ok());
    let latest = schedule::due_since(&settings.schedule, now_ms).unwrap_or(now_ms);
    Ok(stored.filter(|due| *due <= latest.max(now_ms)))
}

/// What the daemon is to do next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NextRun {
    /// When its next run is due; never in the past.
    pub(super) due_ms: Option<i64>,
    /// When a run was due that did not come or was cut off, as long as there is no daemon that makes up for it.
    pub(super) owed_ms: Option<i64>,
}

/// What the daemon is to do next; nothing, where there has never been one.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn next_run(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<NextRun, StoreError> {
    let lives = DaemonLock::is_held(&settings.state.database);
    let by_schedule = || schedule::due_since(&settings.schedule, now_ms);
    Ok(match next_due(state, settings, now_ms).await? {
        Some(due) if due > now_ms => NextRun { due_ms: Some(due), owed_ms: None },
        Some(_) | None if lives => NextRun { due_ms: by_schedule(), owed_ms: None },
        Some(owed) => {
            let last_good_ms = state.last_good_run_ms(now_ms.saturating_add(CLOCK_MARGIN_MS)).await?;
            let owed_ms = Some(owed).filter(|owed| last_good_ms.is_none_or(|good| good < *owed));
            NextRun { due_ms: None, owed_ms }
        }
        None => NextRun::default(),
    })
}

/// The newest run that ended, where it was not good.
fn failed_run(
    run: &RunRow,
    last_good_ms: Option<i64>,
    (runs, first_ended_at_ms): (u64, Option<i64>),
) -> Option<FailedRun> {
    let (ended_at_ms, outcome) = (run.finished_at_ms?, run.outcome.clone()?);
    let is_later = last_good_ms.is_none_or(|good| good < ended_at_ms);
    (is_later && !run.is_good).then(|| FailedRun {
        ended_at_ms,
        first_ended_at_ms: first_ended_at_ms.unwrap_or(ended_at_ms),
        runs: runs.max(1),
        exit_code: run.exit_code.and_then(|code| u8::try_from(code).ok()),
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
async fn attention(
    state: &StateStore,
    settings: &Settings,
    now_ms: i64,
) -> Result<ShownAttentions, StoreError> {
    // ClassIn lists nobody: without an exam side every good run has read all there is.
    let newest = match settings.exam.enabled {
        true => state.last_complete_run().await?,
        false => state.last_good_run().await?,
    };
    let run = state.run(newest).await?;
    let report = run.and_then(|run| serde_json::from_str::<Value>(&run.report?).ok());
    let said = report.as_ref().and_then(|report| report.get("attention"));
    let said: ShownAttentions = said.and_then(|said| Deserialize::deserialize(said).ok()).unwrap_or_default();
    let mut attention: ShownAttentions =
        said.into_iter().filter(|(kind, _)| !is_waiting_kind(kind)).collect();
    let waiting = waiting_attention(state, settings.retry.max_delay, now_ms).await?.into_iter();
    attention.extend(waiting.map(|(kind, it)| (kind.to_owned(), shown(it))));
    let (ignored_groups, others) = state.former_group_rows().await?;
    if others == 0 && !ignored_groups.is_empty() {
        attention.remove("former-groups");
    }
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
    if let Some(undelivered) = undelivered_attention(state, &settings.notify).await? {
        attention.insert("undelivered".to_owned(), shown(undelivered));
    }
    let folders = inbox::attention(settings, now_ms);
    attention.extend(folders.into_iter().map(|(kind, it)| (kind.to_owned(), shown(it))));
    if let Some(refused) = reload::attention(state, &settings.state.database).await? {
        attention.insert("refused-reload".to_owned(), shown(refused));
    }
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
    let Some(last) = last_pull(state, now_ms).await? else { return Ok(None) };
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
