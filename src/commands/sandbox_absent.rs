//! `sandbox` in a build without simulated services: says where they are.

use super::output;
use crate::app::AppError;
use crate::cli::{Cli, SandboxArgs};
use crate::exit::Exit;

#[expect(clippy::unused_async, reason = "the same signature as where the services are built in")]
pub(super) async fn run(_cli: &Cli, _arguments: &SandboxArgs) -> Result<Exit, AppError> {
    output::print_error(
        "this rosterd carries no simulated services: install the package rosterd-sandbox (apt-get install ./rosterd-sandbox_*.deb) \
         and type rosterd-sandbox --help; a rosterd built from source has them itself",
    );
    Ok(Exit::Usage)
}
