//! From the command line of `import` to a request, and how it ends.

use std::collections::BTreeSet;

use super::{ImportError, ImportKind, ImportRequest, import};
use crate::app::AppError;
use crate::cli::Cli;
use crate::cli::import::{Disabled, GroupSource, IdColumn, ImportCommand};
use crate::commands::{output, sync};
use crate::exit::Exit;
use crate::run::in_one_line;
use crate::settings::Settings;
use rosterd_import::oneroster::{GroupsFrom, StudentIdFrom};
use rosterd_import::{ColumnMap, ReadOptions};

/// Imports what the command line says.
pub(crate) async fn run(cli: &Cli, command: &ImportCommand) -> Result<Exit, AppError> {
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let request = ImportRequest { progress: sync::progress(cli), ..request(command, &settings) };
    if settings.is_state_file(&request.database) {
        let database = request.database.display();
        return Ok(output::refuse(
            cli,
            Exit::Usage,
            &format!(
                "{database} is rosterd's own state database (state.database): nothing was imported; name the roster with \
             --database, or mend roster.database"
            ),
        ));
    }
    match import(&request).await {
        Ok(report) => {
            output::show(cli, &report, |report| report.to_string());
            Ok(Exit::Done)
        }
        Err(ImportError::BadRows(report) | ImportError::TooMuch(report)) => {
            output::show(cli, &*report, |report| report.to_string());
            Ok(Exit::Failed)
        }
        Err(error) => {
            let exit = if error.is_configuration() {
                Exit::Configuration
            } else if error.is_temporary() {
                Exit::Temporary
            } else {
                Exit::Failed
            };
            Ok(output::refuse(cli, exit, &in_one_line(&error)))
        }
    }
}

fn request(command: &ImportCommand, settings: &Settings) -> ImportRequest {
    let (kind, paths, text, common) = match command {
        ImportCommand::Csv(csv) => (ImportKind::Csv, csv.paths.clone(), &csv.text, &csv.common),
        ImportCommand::Clever(clever) => {
            (ImportKind::Clever, vec![clever.path.clone()], &clever.text, &clever.common)
        }
        ImportCommand::Oneroster(oneroster) => {
            (ImportKind::Oneroster, vec![oneroster.path.clone()], &oneroster.text, &oneroster.common)
        }
    };
    let database = common.database.clone().unwrap_or_else(|| settings.roster.database.clone());
    let mut request = ImportRequest::new(kind, paths, database);
    request.reading = ReadOptions { encoding: text.encoding, delimiter: text.delimiter };
    request.skip_bad_rows = common.skip_bad_rows;
    request.dry_run = common.dry_run;
    request.limit = (!common.allow_shrink).then_some(settings.guard.max_delete);
    match command {
        ImportCommand::Csv(csv) => {
            request.bulk = csv.bulk;
            request.map = ColumnMap::new(csv.map.clone());
            request.sheet.clone_from(&csv.sheet);
        }
        ImportCommand::Clever(_) => {}
        ImportCommand::Oneroster(oneroster) => {
            request.map = ColumnMap::new(oneroster.map.clone());
            request.allow_older = oneroster.allow_older;
            let options = &mut request.oneroster;
            options.student_id = match oneroster.student_id {
                IdColumn::SourcedId => StudentIdFrom::SourcedId,
                IdColumn::Identifier => StudentIdFrom::Identifier,
                IdColumn::Username => StudentIdFrom::Username,
            };
            options.groups = groups(&oneroster.groups);
            options.roles.clone_from(&oneroster.roles);
            options.disabled_have_left = oneroster.disabled == Disabled::Left;
            options.keep_ended = oneroster.keep_ended;
        }
    }
    request
}

fn groups(sources: &[GroupSource]) -> BTreeSet<GroupsFrom> {
    let kind = |source: &GroupSource| match source {
        GroupSource::Classes => Some(GroupsFrom::Classes),
        GroupSource::Orgs => Some(GroupsFrom::Orgs),
        GroupSource::Grades => Some(GroupsFrom::Grades),
        GroupSource::None => None,
    };
    sources.iter().filter_map(kind).collect()
}
