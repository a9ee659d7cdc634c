//! `relink`: a student's own id changed; link, account, enrolments and failures are carried over.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use rosterd_core::roster::StudentId;

#[derive(Serialize)]
struct Relinked {
    from: String,
    to: String,
    rows: u64,
}

pub(super) async fn run(app: &App, cli: &Cli, from: &str, to: &str) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let (from, to) = (StudentId::entered(from), StudentId::entered(to));
    let state = &app.state;
    let is_known = state.link_of(&from).await?.is_some()
        || state.account_of(&from).await?.is_some()
        || !state.evidence_of_student(&from, None).await?.is_empty();
    if !is_known {
        output::print_error(&format!("nothing is remembered of student {from}"));
        return Ok(Exit::Failed);
    }
    if state.link_of(&to).await?.is_some() {
        output::print_error(&format!(
            "student {to} has a candidate already: both ids were synchronised as two people. Remove one of the two candidates on the exam side and run again"
        ));
        return Ok(Exit::Failed);
    }
    let rows = state.relink(&from, &to).await?;
    let relinked = Relinked { from: from.to_string(), to: to.to_string(), rows };
    output::show(cli, &relinked, |done| {
        format!("Student {} is now {}: {} rows carried over.", done.from, done.to, done.rows)
    });
    Ok(Exit::Done)
}
