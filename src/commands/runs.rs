//! `runs`: the history, or one run in full.

use serde::Serialize;

use super::wall_clock::WallClock;
use super::{output, summary};
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::run::moment;
use crate::store::RunRow;
use rosterd_core::roster::RunId;

/// One line of the history.
#[derive(Serialize)]
pub(super) struct RunLine {
    run_id: i64,
    trigger: String,
    mode: String,
    started_at: String,
    finished_at: Option<String>,
    outcome: Option<String>,
    exit_code: Option<i64>,
}

impl From<&RunRow> for RunLine {
    fn from(row: &RunRow) -> Self {
        Self {
            run_id: row.run.0,
            trigger: row.trigger.clone(),
            mode: row.mode.clone(),
            started_at: moment(row.started_at_ms),
            finished_at: row.finished_at_ms.map(moment),
            outcome: row.outcome.clone(),
            exit_code: row.exit_code,
        }
    }
}

/// The number of runs shown.
const SHOWN: u32 = 50;

pub(super) async fn run(app: &App, cli: &Cli, id: Option<i64>) -> Result<Exit, AppError> {
    let clock = WallClock::of(app);
    let Some(id) = id else {
        let lines: Vec<RunLine> = app.state.runs(SHOWN).await?.iter().map(RunLine::from).collect();
        output::show(cli, &lines, |lines| lines_text(lines, &clock));
        return Ok(Exit::Done);
    };
    let Some(row) = app.state.run(RunId(id)).await? else {
        return Ok(output::refuse(cli, Exit::Failed, &format!("there is no run {id}: see rosterd runs")));
    };
    let report = row.report.as_deref().and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    match report {
        Some(report) => output::show(cli, &report, |report| summary::stored_text(report, &clock)),
        None => {
            output::show(cli, &RunLine::from(&row), |line| lines_text(std::slice::from_ref(line), &clock))
        }
    }
    Ok(Exit::Done)
}

/// A table within 80 columns, its times in the school's zone.
pub(super) fn lines_text(lines: &[RunLine], clock: &WallClock) -> String {
    use std::fmt::Write;
    if lines.is_empty() {
        return "No run yet.".to_owned();
    }
    let started = started_heading(&clock.zone_name());
    let mut text =
        format!("{:>5}  {started:<30}  {:<9}  {:<11}  {:<11}  exit\n", "run", "trigger", "mode", "outcome");
    for line in lines {
        let outcome = line.outcome.as_deref().unwrap_or("unfinished");
        let exit = line.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        let (when, age) = clock.in_columns(&line.started_at);
        let _infallible = writeln!(
            text,
            "{:>5}  {when:<16}  {age:<12}  {:<9}  {:<11}  {outcome:<11}  {exit}",
            line.run_id, line.trigger, line.mode
        );
    }
    text
}

/// The heading of the times: where the zone's name is too long for the column, its last part tells enough.
fn started_heading(zone: &str) -> String {
    let whole = format!("started ({zone})");
    if whole.chars().count() <= 30 {
        return whole;
    }
    let place = zone.rsplit('/').next().unwrap_or(zone);
    format!("started ({place})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_runs_is_no_wider_than_eighty_columns() {
        let line = RunLine {
            run_id: 12_345,
            trigger: "schedule".to_owned(),
            mode: "create-only".to_owned(),
            started_at: "2027-01-15T07:57:00Z".to_owned(),
            finished_at: None,
            outcome: Some("interrupted".to_owned()),
            exit_code: Some(143),
        };
        for zone in ["America/Argentina/Buenos_Aires", "UTC"] {
            let text = lines_text(std::slice::from_ref(&line), &WallClock::in_test(zone));
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{} in {line}", line.chars().count());
            }
        }
    }
}
