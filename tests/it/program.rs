//! The program itself. Cargo tells tests where its binary is, and no library.

use std::process::Command;

use rosterd_testkit::{Ended, Running, School, ended};

/// Where cargo put the program.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_rosterd");

/// Starts the program beside a school.
pub(crate) trait Programs {
    /// With the school's configuration and variables, and no others of its own.
    fn command(&self, arguments: &[&str]) -> Command;

    /// The same, run to its end.
    fn program(&self, arguments: &[&str]) -> Ended;

    /// The same, left running.
    fn start(&self, arguments: &[&str]) -> Running {
        Running::new(self.command(arguments))
    }
}

impl Programs for School {
    fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(BINARY, arguments)
    }

    fn program(&self, arguments: &[&str]) -> Ended {
        let ended = ended(self.command(arguments));
        if arguments.contains(&"--sync-now") {
            self.program_ended(ended.code);
        }
        ended
    }
}

/// The program without any configuration of a school.
pub(crate) fn bare(arguments: &[&str]) -> Command {
    rosterd_testkit::bare(BINARY, arguments)
}
