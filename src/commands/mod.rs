//! One thin file a verb: reads its arguments, calls what does the work, says what came of it.

mod account;
mod approve;
mod check;
mod claim;
mod daemon;
mod explain;
mod export;
mod failures;
mod forget;
mod health;
pub mod import;
mod new_file;
mod next_step;
mod output;
mod plan;
mod relink;
mod results;
mod runs;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(not(feature = "sandbox"))]
mod sandbox_absent;
#[cfg(not(feature = "sandbox"))]
use sandbox_absent as sandbox;
mod status;
mod summary;
mod sync;

use crate::app::{App, AppError};
use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::run::in_one_line;

pub use output::{exit_after_output, print, print_error, print_error_as};

/// Does what the command line asks, and says how it ended.
pub async fn run(cli: Cli) -> Exit {
    let exit = match dispatch(&cli).await {
        Ok(exit) => exit,
        Err(error) => {
            output::print_error(&in_one_line(&error));
            error.exit()
        }
    };
    output::exit_after_output(exit)
}

async fn dispatch(cli: &Cli) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    match &cli.command {
        None if cli.sync_now && cli.dry_run => {
            plan::run(&App::open(config).await?, cli, plan::Options::default()).await
        }
        None if cli.sync_now => sync::run(&App::open(config).await?, cli).await,
        None => daemon::run(cli).await,
        Some(Command::Plan { reveal, unmanaged, detailed_exitcode }) => {
            let options = plan::Options {
                reveal: *reveal,
                unmanaged: *unmanaged,
                detailed_exitcode: *detailed_exitcode,
            };
            plan::run(&App::open(config).await?, cli, options).await
        }
        Some(Command::Check { offline, config_only }) => {
            check::run(cli, check::Reach::of(*config_only, *offline)).await
        }
        Some(Command::Status { check, attention }) => {
            let asked = status::Asked::of(*check, *attention);
            status::run(&App::open(config).await?, cli, asked).await
        }
        Some(Command::Runs { id }) => runs::run(&App::open(config).await?, cli, *id).await,
        Some(Command::Failures { action }) => {
            failures::run(&App::open(config).await?, cli, action.as_ref()).await
        }
        Some(Command::Approve(arguments)) => approve::run(&App::open(config).await?, cli, arguments).await,
        Some(Command::Explain { student_id, reveal }) => {
            explain::run(&App::open(config).await?, cli, student_id, *reveal).await
        }
        Some(Command::Claim { student_id, class_code, class }) => {
            let class = class.as_ref().or(class_code.as_ref()).map_or("", String::as_str);
            claim::run(&App::open(config).await?, cli, student_id.as_deref(), class).await
        }
        Some(Command::Forget { student_id }) => forget::run(&App::open(config).await?, cli, student_id).await,
        Some(Command::Relink(arguments)) => relink::run(&App::open(config).await?, cli, arguments).await,
        Some(Command::Account { action }) => {
            account::run(&App::open(config).await?, cli, action.as_ref()).await
        }
        Some(Command::Results(args)) => results::run(&App::open(config).await?, cli, args).await,
        Some(Command::Import(command)) => import::run(cli, command).await,
        Some(Command::Export(arguments)) => export::run(cli, arguments).await,
        Some(Command::Sandbox(arguments)) => sandbox::run(cli, arguments).await,
    }
}
