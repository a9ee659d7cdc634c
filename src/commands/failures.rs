//! `failures`: what waits for a person.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::{Cli, FailuresAction};
use crate::exit::Exit;
use crate::store::FailureRow;
use rosterd_core::failure::{FailureState, Service};

#[derive(Serialize)]
struct Changed {
    changed: u64,
}

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
        if let (Service::Roster, Some(table), Some(key)) = (row.service, &row.table, &row.key) {
            let _infallible =
                writeln!(text, "{:>5}  roster {table} {key}: {} (for: {})", row.id, row.message, row.who);
            continue;
        }
        let class = if row.class_code.is_empty() { String::new() } else { format!(" in {}", row.class_code) };
        let when = match (row.state, &row.due_at) {
            (FailureState::Waiting, Some(due)) => format!("attempt {}; due {due}", row.attempts),
            (FailureState::Held, _) => format!("held since {}", row.since),
            (FailureState::Waiting, None) => format!("waits since {}", row.since),
            (state, _) => format!("attempt {}; {state}", row.attempts),
        };
        let _infallible = writeln!(
            text,
            "{:>5}  {} {} of student {}{class}: {} ({}; {when}; for: {})",
            row.id, row.service, row.kind, row.student_id, row.message, row.code, row.who
        );
    }
    text
}
