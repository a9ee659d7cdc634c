//! One thin file a verb: reads its arguments, calls what does the work, says what came of it.

mod account;
mod approve;
mod approved;
mod backup;
mod check;
mod claim;
mod daemon;
mod explain;
mod explained_parts;
mod export;
mod failures;
mod forget;
mod found_students;
mod health;
pub mod import;
mod inbox;
mod init;
mod man;
mod new_file;
mod next_step;
mod notify;
mod old_roster;
mod output;
mod plan;
mod relink;
mod reload;
mod restore;
mod results;
mod runs;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(not(feature = "sandbox"))]
mod sandbox_absent;
#[cfg(not(feature = "sandbox"))]
use sandbox_absent as sandbox;
mod status;
mod status_server;
mod summary;
mod sync;
mod wall_clock;
mod workbook;

use std::path::Path;

use crate::app::{App, AppError};
use crate::cli::results::ResultsArgs;
use crate::cli::{AccountAction, Cli, Command, FailuresAction};
use crate::exit::Exit;
use crate::run::in_one_line;
use crate::settings::Settings;
use crate::store::StateFile;
use rosterd_core::failure::FailureOwner;

pub use output::{exit_after_output, print, print_error, print_error_as, refuse_as};

/// Does what the command line asks, and says how it ended.
pub async fn run(cli: Cli) -> Exit {
    let exit = match dispatch(&cli).await {
        Ok(exit) => exit,
        Err(error) => output::refuse(&cli, error.exit(), &in_one_line(&error)),
    };
    output::exit_after_output(exit)
}

async fn dispatch(cli: &Cli) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    match &cli.command {
        None if cli.sync_now && cli.dry_run => {
            let arguments = plan::without_options(cli.detailed_exitcode);
            plan::run(&App::open(config).await?, cli, &arguments).await
        }
        None if cli.sync_now => sync::run(&App::open(config).await?, cli).await,
        None => daemon::run(cli).await,
        Some(Command::Init(arguments)) => init::run(cli, arguments).await,
        Some(Command::Plan(arguments)) => plan::run(&App::open(config).await?, cli, arguments).await,
        Some(Command::Check { offline, config_only, bundle }) => {
            check::run(cli, check::Reach::of(*config_only, *offline), bundle.as_deref()).await
        }
        Some(Command::Status { check, attention }) => {
            let asked = status::Asked::of(*check, *attention);
            status::run(&state_so_far(config).await?, cli, asked).await
        }
        Some(Command::Runs { id }) => runs::run(&state_to_read(config).await?, cli, *id).await,
        Some(Command::Failures { whose, action }) => {
            failures(cli, whose.map(Into::into), action.as_ref()).await
        }
        Some(Command::Approve(arguments)) => {
            approve::run(&state_to_change(config).await?, cli, arguments).await
        }
        Some(Command::Explain { student_id, reveal }) => {
            explain::run(&state_so_far(config).await?, cli, student_id, *reveal).await
        }
        Some(Command::Claim { student_id, class_code, class }) => {
            let class = class.as_ref().or(class_code.as_ref()).map_or("", String::as_str);
            claim::run(&state_to_change(config).await?, cli, student_id.as_deref(), class).await
        }
        Some(Command::Forget { student_id }) => {
            forget::run(&state_to_change(config).await?, cli, student_id).await
        }
        Some(Command::Relink(arguments)) => {
            relink::run(&state_to_change(config).await?, cli, arguments).await
        }
        Some(Command::Account { action }) => account(cli, action.as_ref()).await,
        // Without --test the command line is refused.
        Some(Command::Notify { test: _ }) => notify::test(cli).await,
        Some(Command::Results(args)) => results(cli, args).await,
        Some(Command::Import(command)) => import::run(cli, command).await,
        Some(Command::Export(arguments)) => export::run(cli, arguments).await,
        Some(Command::Backup { file }) => backup::run(cli, file).await,
        Some(Command::Restore { file }) => restore::run(cli, file).await,
        Some(Command::Sandbox(arguments)) => sandbox::run(cli, arguments).await,
        Some(Command::Completions(arguments)) => Ok(man::completions(cli, arguments)),
        Some(Command::Man(arguments)) => man::run(cli, arguments),
    }
}

async fn failures(
    cli: &Cli,
    whose: Option<FailureOwner>,
    action: Option<&FailuresAction>,
) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    let app = match action {
        None | Some(FailuresAction::List) => state_to_read(config).await?,
        Some(FailuresAction::Retry { .. } | FailuresAction::Ignore { .. }) => state_to_change(config).await?,
    };
    failures::run(&app, cli, whose, action).await
}

async fn account(cli: &Cli, action: Option<&AccountAction>) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    let app = match action {
        None => state_to_read(config).await?,
        Some(AccountAction::Confirm { .. }) => state_to_change(config).await?,
    };
    account::run(&app, cli, action).await
}

async fn results(cli: &Cli, args: &ResultsArgs) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    let app = match args.action {
        None => App::open(config).await?,
        Some(_) => state_to_read(config).await?,
    };
    results::run(&app, cli, args).await
}

/// For a command that changes what runs have left: there must be something.
async fn state_to_change(config: Option<&Path>) -> Result<App, AppError> {
    App::open_existing(config).await
}

/// What runs have left, for a command that only reads it.
async fn state_to_read(config: Option<&Path>) -> Result<App, AppError> {
    let (app, found) = App::for_reading(Settings::load_from_environment(config)?).await?;
    match found {
        StateFile::Absent => Err(AppError::NoState(app.settings.state.database.clone())),
        StateFile::Older | StateFile::Current => Ok(app),
    }
}

/// The same for a command that has something to say before the first run too.
async fn state_so_far(config: Option<&Path>) -> Result<App, AppError> {
    let (app, found) = App::for_reading(Settings::load_from_environment(config)?).await?;
    if found == StateFile::Absent {
        output::print_notice(&AppError::NoState(app.settings.state.database.clone()).to_string());
    }
    Ok(app)
}
