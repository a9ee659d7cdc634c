//! From the command line of `import` to a request, and how it ends.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{ImportError, ImportRequest, import};
use crate::app::AppError;
use crate::cli::Cli;
use crate::cli::import::{
    Disabled, GroupSource, IdColumn, ImportArgs, ImportCommand, OnerosterArgs, SheetName,
};
use crate::commands::{output, sync};
use crate::exit::Exit;
use crate::run::{PasswordColumns, in_one_line};
use crate::settings::{BundleProfile, FileKind, ImportProfile, Settings};
use crate::store::roster_writer::{Undone, undo};
use rosterd_core::counted::counted;
use rosterd_core::roster::{shell_option, shell_word, shell_words};
use rosterd_import::csv_files::SheetIs;
use rosterd_import::oneroster::{GroupsFrom, StudentIdFrom};
use rosterd_import::{ColumnMap, ImportProblem, ReadOptions};

/// Imports what the command line says, or takes the last import back.
pub(crate) async fn run(cli: &Cli, arguments: &ImportArgs) -> Result<Exit, AppError> {
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let Some(command) = &arguments.kind else {
        let database = arguments.database.as_deref().unwrap_or(&settings.roster.database);
        if settings.is_state_file(database) {
            return Ok(refuse_state(cli, database));
        }
        return match undo(database).await {
            Ok(undone) => {
                let named = arguments.database.as_deref();
                output::show(cli, &undone, |undone| undone_in_words(undone, database, named));
                Ok(Exit::Done)
            }
            Err(error) => Ok(fail(cli, &error.into())),
        };
    };
    let profile = match profile(command, &settings) {
        Ok(profile) => profile,
        Err(error) => return Ok(fail(cli, &error)),
    };
    let request = ImportRequest { progress: sync::progress(cli), ..request(command, &settings, &profile) };
    if settings.is_state_file(&request.database) {
        return Ok(refuse_state(cli, &request.database));
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
        Err(ImportError::Files(problems)) => {
            let said = AsTyped { request: &request, names_database: names_database(command) };
            Ok(fail(cli, &ImportError::Files(problems.into_iter().map(|problem| said.of(problem)).collect())))
        }
        Err(error) => Ok(fail(cli, &error)),
    }
}

fn names_database(command: &ImportCommand) -> bool {
    let common = match command {
        ImportCommand::Csv(csv) => &csv.common,
        ImportCommand::Clever(clever) => &clever.common,
        ImportCommand::Oneroster(oneroster) => &oneroster.common,
    };
    common.database.is_some()
}

/// Commands that a reading advises, which knows names of files alone: with the place of the file, and the options that were
/// typed.
struct AsTyped<'r> {
    request: &'r ImportRequest,
    names_database: bool,
}

impl AsTyped<'_> {
    fn of(&self, problem: ImportProblem) -> ImportProblem {
        let ImportRequest { paths, database, bulk, .. } = self.request;
        let named = problem.file.split(" (").next().unwrap_or_default();
        let is_it = |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy() == named);
        let Some(path) = paths.iter().find(is_it) else { return problem };
        let advised = format!("rosterd import csv '{}'", named.replace('\'', r"'\''"));
        let mut typed = format!("rosterd import csv {}", shell_words(&[&path.display().to_string()]));
        // One file of several is not the whole truth.
        if *bulk && paths.len() == 1 {
            typed.push_str(" --bulk");
        }
        if self.names_database {
            typed.push(' ');
            typed.push_str(&shell_option("--database", &database.display().to_string()));
        }
        let message = problem.message.replace(&advised, &typed);
        ImportProblem { message, ..problem }
    }
}

/// Our own state is no roster.
fn refuse_state(cli: &Cli, database: &Path) -> Exit {
    let database = database.display();
    output::refuse(
        cli,
        Exit::Usage,
        &format!(
            "{database} is rosterd's own state database (state.database): nothing was imported; name the roster with \
             --database, or mend roster.database"
        ),
    )
}

/// Says what went wrong and returns the exit code.
fn fail(cli: &Cli, error: &ImportError) -> Exit {
    let exit = if error.is_configuration() {
        Exit::Configuration
    } else if error.is_temporary() {
        Exit::Temporary
    } else {
        Exit::Failed
    };
    output::refuse(cli, exit, &in_one_line(error))
}

fn is_back(undone: &Undone) -> &'static str {
    if undone.kept.iter().all(|(_, kept)| *kept == 0) {
        "is as it was before the last import that changed it"
    } else {
        "no longer has what the last import changed"
    }
}

fn undone_in_words(undone: &Undone, database: &Path, named: Option<&Path>) -> String {
    let mut text = format!("{} {}\n", database.display(), is_back(undone));
    for ((table, back), (_, taken_out)) in undone.back.iter().zip(&undone.taken_out) {
        let name = table.name();
        text.push_str(&format!("{name:<14}{} back, {taken_out} taken out\n", counted(*back, "row")));
    }
    let kept: u64 = undone.kept.iter().map(|(_, kept)| kept).sum();
    if kept > 0 {
        let verb = if kept == 1 { "was" } else { "were" };
        let more = if kept > u64::try_from(undone.first_kept.len()).unwrap_or(0) { ", …" } else { "" };
        text.push_str(&format!(
            "{} {verb} changed by somebody else since the import and stay as they are now: {}{more}\n",
            counted(kept, "row"),
            undone.first_kept.join(", ")
        ));
    }
    // Without its name the command would be about the configured roster.
    let named = named.map(|path| format!(" --database {}", shell_word(&path.display().to_string())));
    text.push_str(&format!("to take this back: rosterd import --undo{}\n", named.unwrap_or_default()));
    text
}

/// The profile that is named.
fn profile(command: &ImportCommand, settings: &Settings) -> Result<ImportProfile, ImportError> {
    let (name, kind) = match command {
        ImportCommand::Csv(csv) => (&csv.profile, FileKind::Csv),
        ImportCommand::Clever(clever) => (&clever.profile, FileKind::Clever),
        ImportCommand::Oneroster(oneroster) => (&oneroster.profile, FileKind::Oneroster),
    };
    let Some(name) = name else { return Ok(ImportProfile { kind, ..ImportProfile::default() }) };
    let profile = settings.import.get(name).cloned().ok_or_else(|| ImportError::NoProfile {
        name: name.clone(),
        known: settings.import.keys().cloned().collect(),
    })?;
    if profile.kind == kind {
        return Ok(profile);
    }
    Err(ImportError::OtherProfile { name: name.clone(), kind: kind.name(), is: profile.kind.name() })
}

fn request(command: &ImportCommand, settings: &Settings, profile: &ImportProfile) -> ImportRequest {
    let (paths, text, common) = match command {
        ImportCommand::Csv(csv) => (csv.paths.clone(), &csv.text, &csv.common),
        ImportCommand::Clever(clever) => (vec![clever.path.clone()], &clever.text, &clever.common),
        ImportCommand::Oneroster(oneroster) => {
            (vec![oneroster.path.clone()], &oneroster.text, &oneroster.common)
        }
    };
    let mut request = ImportRequest::of_profile(profile, paths, settings);
    if let Some(database) = &common.database {
        request.database.clone_from(database);
    }
    request.reading = ReadOptions {
        encoding: text.encoding.or(request.reading.encoding),
        delimiter: text.delimiter.or(request.reading.delimiter),
        allows_guess: common.dry_run,
    };
    request.skip_bad_rows |= common.skip_bad_rows;
    request.dry_run = common.dry_run;
    request.reveal = common.reveal;
    request.passwords = PasswordColumns::by_mapping(&settings.exam);
    request.limit = (!common.allow_shrink).then_some(settings.guard.max_delete);
    let map = match command {
        ImportCommand::Csv(csv) => &csv.map,
        ImportCommand::Clever(clever) => &clever.map,
        ImportCommand::Oneroster(oneroster) => &oneroster.map,
    };
    if !map.is_empty() {
        request.map = ColumnMap::new(map.clone());
    }
    match command {
        ImportCommand::Csv(csv) => {
            request.bulk |= csv.bulk;
            if !csv.sheet.is_empty() {
                request.sheets.clone_from(&csv.sheet);
            }
            if let Some(name) = csv.sheet_is {
                request.sheet_is = match name {
                    SheetName::Auto => SheetIs::Auto,
                    SheetName::Group => SheetIs::Group,
                    SheetName::Class => SheetIs::Class,
                    SheetName::Nothing => SheetIs::Nothing,
                };
            }
            request.replace_groups |= csv.replace_groups;
        }
        ImportCommand::Clever(_) => {}
        ImportCommand::Oneroster(oneroster) => {
            request.allow_older = oneroster.allow_older;
            request.reassigned_ids = oneroster.reassigned_ids;
            of_bundle(&mut request, oneroster);
        }
    }
    request
}

/// What the command says of a OneRoster bundle.
fn of_bundle(request: &mut ImportRequest, oneroster: &OnerosterArgs) {
    let said = BundleProfile {
        student_id: oneroster.student_id.map(|column| match column {
            IdColumn::SourcedId => StudentIdFrom::SourcedId,
            IdColumn::Identifier => StudentIdFrom::Identifier,
            IdColumn::Username => StudentIdFrom::Username,
        }),
        groups: Some(&oneroster.groups).filter(|given| !given.is_empty()).map(|given| groups(given)),
        roles: Some(&oneroster.roles).filter(|given| !given.is_empty()).cloned(),
        disabled_have_left: oneroster.disabled.map(|disabled| disabled == Disabled::Left),
        keep_ended: oneroster.keep_ended.then_some(true),
    };
    request.say_of_bundles(said);
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
