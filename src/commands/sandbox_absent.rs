//! `sandbox` in a build without simulated services: says where they are.

use super::output;
use crate::app::AppError;
use crate::cli::{Cli, SandboxArgs};
use crate::exit::Exit;

#[expect(clippy::unused_async, reason = "the same signature as where the services are built in")]
pub(super) async fn run(_cli: &Cli, _arguments: &SandboxArgs) -> Result<Exit, AppError> {
    output::print_error(
        "this build of rosterd carries no simulated services: use rosterd-sandbox, or build rosterd with its \
         feature sandbox",
    );
    Ok(Exit::Usage)
}
