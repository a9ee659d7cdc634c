//! Our own database: whether it can be used, is sound, and is nobody else's to read.

use std::path::Path;

use super::LOOKED_THROUGH_BYTES;
use super::finding::{Finding, Findings, Group};
use super::nearest_folder;
use crate::app::{App, AppError};
use crate::exit::Exit;
use crate::files;
use crate::run::in_one_line;
use crate::settings::Settings;
use crate::store::{StateFile, StateStore};
use rosterd_core::counted::in_bytes;
use rosterd_core::failure::FailureOwner;
use rosterd_core::roster::shell_word;

const WHAT: &str = "state database";

/// What there is to look at.
pub(super) struct Opened {
    pub(super) app: App,
    /// Whether a run has left a state.
    pub(super) has_state: bool,
}

/// Opens it without a trace, and says what it is like.
pub(super) async fn open(settings: Settings, findings: &mut Findings) -> Option<Opened> {
    let database = settings.state.database.clone();
    let bad = |exit: Exit, detail: String| Finding::bad(Group::State, WHAT, exit, detail);
    let (app, found) = match App::to_look(settings).await {
        Ok(opened) => opened,
        Err(error) => {
            findings.add(bad(error.exit(), in_one_line(&error)));
            return None;
        }
    };
    let skipped = match look_through(&app, found, &database).await {
        Ok(skipped) => skipped,
        Err(error) => {
            findings.add(bad(error.exit(), in_one_line(&error)));
            app.state.close().await;
            return None;
        }
    };
    let path = database.display();
    let finding = match found {
        StateFile::Absent => match why_not_created(&database) {
            Some(why) => bad(Exit::Configuration, format!("{path} cannot be created: {why}")),
            None => {
                let detail = format!("{path} is not there yet: the first run creates it");
                Finding::good(Group::State, WHAT, detail).told_as("not there yet: the first run creates it")
            }
        },
        StateFile::Older => {
            let detail = format!("{path} is of an older version: the next run brings it up to date");
            Finding::good(Group::State, WHAT, detail).told_as("of an older version")
        }
        StateFile::Current => Finding::good(Group::State, WHAT, path.to_string()).told_as("can be used"),
    };
    findings.add(finding);
    if let Some(bytes) = skipped {
        let sizes = format!("{} are not looked through for damage, as that would take long", in_bytes(bytes));
        let finding =
            Finding::good(Group::State, WHAT, format!("{sizes}: rosterd backup FILE looks through its copy"));
        findings.add(finding.told_as(sizes));
    }
    read_by_others(&database, findings);
    Some(Opened { app, has_state: found != StateFile::Absent })
}

/// The bytes of a database that is too large for a look through all of it.
async fn look_through(app: &App, found: StateFile, database: &Path) -> Result<Option<u64>, AppError> {
    let bytes = database.metadata().map_or(0, |file| file.len());
    if found != StateFile::Absent && bytes > LOOKED_THROUGH_BYTES {
        return Ok(Some(bytes));
    }
    app.state.require_sound(database).await?;
    Ok(None)
}

/// One that was put back by hand has the rights of the copy.
fn read_by_others(database: &Path, findings: &mut Findings) {
    let Some(mode) = files::mode(database).filter(|mode| mode & 0o077 != 0) else { return };
    let path = database.display().to_string();
    let command = format!("chmod 600 {}", shell_word(&path));
    let told = format!("mode {mode:04o}");
    let detail = format!("{path} has mode {mode:04o} and holds login values and results: {command}");
    findings
        .add(Finding::warn(Group::State, WHAT, detail).mended_by(FailureOwner::It, [command]).told_as(told));
}

/// Why the first run cannot create the state database, with what to do.
fn why_not_created(path: &Path) -> Option<String> {
    if nearest_folder(path).is_none() {
        return Some("state.database is not in a folder: enter a path below one".to_owned());
    }
    StateStore::missing_right(path)
}
