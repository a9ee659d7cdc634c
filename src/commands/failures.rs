//! `failures` and `approve`: what waits for a person.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::{Cli, FailuresAction};
use crate::exit::Exit;
use crate::store::FailureRow;
use rosterd_core::failure::FailureState;

#[derive(Serialize)]
struct Changed {
    changed: u64,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) async fn run(app: &App, cli: &Cli, action: Option<&FailuresAction>) -> Result<Exit, AppError> {
    let (ids, all, to) = match action {
        None | Some(FailuresAction::List) => {
            let rows = app.state.open_failures().await?;
            output::show(cli, &rows, |rows| rows_text(rows));
            return Ok(Exit::Done);
        }
        Some(FailuresAction::Retry { ids, all }) => (ids, *all, FailureState::Waiting),
        Some(FailuresAction::Ignore { ids, all }) => (ids, *all, FailureState::Ignored),
    };
    let ids = if all { None } else { Some(ids.as_slice()) };
    let changed = app.state.change_failures(ids, to, app.clock.now_ms()).await?;
    let wanted = ids.map_or(changed, |ids| u64::try_from(ids.len()).unwrap_or(0));
    output::show(cli, &Changed { changed }, |done| match to {
        FailureState::Ignored => format!("{} silenced until their rows change.", done.changed),
        FailureState::Waiting | FailureState::Dead | FailureState::Held => {
            format!("{} due in the next run.", done.changed)
        }
    });
    if changed < wanted {
        output::print_error("some of these ids are no open failures: see rosterd failures");
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

pub(super) fn rows_text(rows: &[FailureRow]) -> String {
    use std::fmt::Write;
    if rows.is_empty() {
        return "Nothing has failed.".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let class = if row.class_code.is_empty() { String::new() } else { format!(" in {}", row.class_code) };
        let when = match (row.state, &row.due_at) {
            (FailureState::Waiting, Some(due)) => format!("due {due}"),
            (state, _) => state.to_string(),
        };
        let _infallible = writeln!(
            text,
            "{:>5}  {} {} of student {}{class}: {} ({}; attempt {}; {when}; for: {})",
            row.id, row.service, row.kind, row.student_id, row.message, row.code, row.attempts, row.who
        );
    }
    text
}

/// `approve`
pub(super) async fn approve(app: &App, cli: &Cli, digest: &str) -> Result<Exit, AppError> {
    let until_ms = app.clock.now_ms().saturating_add(DAY_MS);
    let changed = app.state.approve(digest, until_ms).await?;
    if changed == 0 {
        output::print_error("no plan with this digest was held: see the last run's report");
        return Ok(Exit::Failed);
    }
    output::show(cli, &Changed { changed }, |done| {
        format!("{} held operations may go ahead, once and within 24 hours.", done.changed)
    });
    Ok(Exit::Done)
}
