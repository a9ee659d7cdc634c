//! The command lines of `man` and `completions`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::Shell;

/// `man`
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The page: 1 (the program), a command such as plan or failures-retry, or 5 (the configuration)
    #[arg(default_value = "1", conflicts_with = "to")]
    pub(crate) page: String,
    /// Write all pages into this folder instead
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,
    /// With --to: write over pages that are there
    #[arg(long, requires = "to")]
    pub(crate) replace: bool,
}

/// `completions`
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// Whose command lines are completed
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
