//! The command line as it is documented: the help of one command tells of the global options in one line.

use clap::{Command, CommandFactory as _};

use super::Cli;

/// The global options below the help of a command.
const GLOBALS: &str = "Global options: -c FILE, --output json, -q, --no-color, … (see `rosterd --help`)";

/// What clap adds by itself.
pub(crate) const HELP: &str = "help";

impl Cli {
    /// What command lines are read by, and what help and manual pages are made from.
    pub(crate) fn documented() -> Command {
        let mut command = Self::command();
        // Only then do the commands have the global options.
        command.build();
        command.mut_subcommands(with_globals_in_one_line)
    }
}

fn with_globals_in_one_line(command: Command) -> Command {
    if command.get_name() == HELP {
        return command;
    }
    let after = command.get_after_help().map_or_else(String::new, |after| format!("{after}\n\n"));
    command
        .mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument })
        .after_help(format!("{after}{GLOBALS}"))
        .mut_subcommands(with_globals_in_one_line)
}
