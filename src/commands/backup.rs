//! `backup`: a copy of the state database, made while others work with it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::new_file::{Existing, NewFile};
use super::output;
use crate::app::AppError;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::run::moment;
use crate::settings::Settings;
use crate::store::{StateFile, StateStore, copy_state};
use rosterd_core::roster::shell_words;

#[derive(Serialize)]
struct BackedUp {
    file: PathBuf,
    state: PathBuf,
    bytes: u64,
    /// The newest run that the copy knows.
    newest_run: Option<i64>,
    newest_run_started_at: Option<String>,
}

/// Writes the copy.
pub(super) async fn run(cli: &Cli, path: &Path) -> Result<Exit, AppError> {
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let state = &settings.state.database;
    if StateStore::find(state).await? == StateFile::Absent {
        return Err(AppError::NoState(state.clone()));
    }
    if path.is_file() {
        let why = format!(
            "{} is there already, and a backup writes over nothing: name another file, such as one with the day in its name: \
             rosterd backup state-$(date +%F).db",
            path.display()
        );
        return Ok(output::refuse(cli, Exit::Failed, &why));
    }
    let file = NewFile::create(&settings, cli.config.as_deref(), path, Existing::Kept)?;
    let newest = copy_state(state, file.written_at()).await?;
    file.put_in_place()?;
    let backed_up = BackedUp {
        file: path.to_owned(),
        state: state.clone(),
        bytes: path.metadata().map(|file| file.len()).unwrap_or_default(),
        newest_run: newest.map(|run| run.id),
        newest_run_started_at: newest.map(|run| moment(run.started_at_ms)),
    };
    output::show(cli, &backed_up, text);
    Ok(Exit::Done)
}

fn text(backed_up: &BackedUp) -> String {
    let BackedUp { file, state, bytes, newest_run, newest_run_started_at } = backed_up;
    let newest = match (newest_run, newest_run_started_at) {
        (Some(id), Some(at)) => format!("The newest run in it is run {id} of {at}."),
        _ => "There is no run in it yet.".to_owned(),
    };
    let name = file.display().to_string();
    format!(
        "{} is copied to {name}:\n{bytes} bytes, looked through and sound. {newest}\nKeep it as safe as the original: it holds \
         personal data.\nTo put it back: stop rosterd, then\n    rosterd restore {}",
        state.display(),
        shell_words(&[name.as_str()])
    )
}
