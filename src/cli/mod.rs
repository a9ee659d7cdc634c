//! The command line: its types and their help texts, and nothing that acts.
//!
//! There is no option for a secret: command lines are visible to every user of a machine.

pub(crate) mod export;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod results;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use self::export::ExportArgs;
use self::import::ImportArgs;
use self::init::InitArgs;
use self::man::{CompletionsArgs, ManArgs};
pub use self::plan::PlanArgs;
use self::results::ResultsArgs;
use crate::exit::Exit;
use crate::settings::OptionVariables;
use crate::telemetry::{self, LogFormat};
use rosterd_core::exam_plan::HoldWord;
use rosterd_core::failure::FailureOwner;

/// The number; in what is shipped also the commit and its date, as far as they are known.
pub(crate) const VERSION: &str = env!("ROSTERD_VERSION");

const GLOBAL: &str = "Global options";

const AFTER_HELP: &str = "\
Without a command and without --sync-now, rosterd is a daemon: it runs on schedule until told to stop.

Settings come from built-in defaults, the configuration file, and variables ROSTERD__SECTION__KEY. \
Secrets come from ROSTERD__EXAM__CODE and ROSTERD__CLASSIN__SECRET, or from the files that \
exam.code_file and classin.secret_file name.

Exit codes:
    0  finished: everything applied, or nothing to do
    1  the run failed
    2  only `plan --detailed-exitcode`: there are changes
    3  finished, but some operations failed or are unknown; they are recorded for retry
    4  finished, but some operations are held for approval
   64  wrong usage
   75  temporary: a service is down, or another instance is at work; nothing was lost
   77  a service refused the credentials
   78  wrong configuration
  143  ended by a signal in mid-run; the state is consistent";

/// Keep OnlineExamMaker and ClassIn in step with a school's own roster.
#[derive(Clone, Debug, Parser)]
#[command(name = "rosterd", version = VERSION, after_help = "`--help` says more, exit codes included.")]
#[command(after_long_help = AFTER_HELP, max_term_width = 110)]
pub struct Cli {
    /// Make one run, then exit
    #[arg(long)]
    pub sync_now: bool,

    /// With --sync-now: only show what the run would do, as `plan`
    #[arg(short = 'n', long, requires = "sync_now")]
    pub dry_run: bool,

    /// With --sync-now --dry-run: exit with 2 if there are changes
    #[arg(long, requires = "dry_run")]
    pub detailed_exitcode: bool,

    /// Configuration file [default: /etc/rosterd/config.toml if there is one, else ./config/default.toml] [env:
    /// ROSTERD_CONFIG]
    #[arg(short, long, help_heading = GLOBAL, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// How to report on standard output; json is one document and nothing else
    #[arg(long, help_heading = GLOBAL, global = true, value_enum, value_name = "FORMAT", default_value = "text")]
    pub output: OutputFormat,

    /// What to log: off, error, warn, info, debug, trace, or target=level,… [default: info] [env: ROSTERD_LOG]
    #[arg(long, help_heading = GLOBAL, global = true, value_name = "LEVEL", value_parser = telemetry::check_level)]
    pub log_level: Option<String>,

    /// How to log on standard error [default: text] [env: ROSTERD_LOG_FORMAT]
    #[arg(long, help_heading = GLOBAL, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// No colours; NO_COLOR in the environment does the same
    #[arg(long, help_heading = GLOBAL, global = true)]
    pub no_color: bool,

    /// No progress bar, and only warnings and errors in the log
    #[arg(short, long, help_heading = GLOBAL, global = true)]
    pub quiet: bool,

    /// What to do; absent: the daemon, or one run with --sync-now.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How results are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// What to do besides running.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Ask for what a first configuration needs, try each answer, and write it; changes nothing at a service
    Init(InitArgs),
    /// Show what a run would do; changes nothing
    Plan(PlanArgs),
    /// Check configuration, files, databases, credentials, fields, clock and schedule; changes nothing
    Check {
        /// Call no service
        #[arg(long)]
        offline: bool,
        /// Look at the configuration and its secrets alone
        #[arg(long, conflicts_with = "offline")]
        config_only: bool,
        /// Write what a support mail needs into this new file too, with nothing of a person and no secret in it
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "config_only")]
        bundle: Option<PathBuf>,
    },
    /// Show the last runs, the health, and what waits and why
    Status {
        /// Exit with 0 if healthy and with 1 if not, for containers
        #[arg(long)]
        check: bool,
        /// With --check: exit with 3 if it is healthy and something waits for a person
        #[arg(long, requires = "check")]
        attention: bool,
    },
    /// Show the history of runs, or one run in full
    Runs {
        /// The run to show in full
        id: Option<i64>,
    },
    /// Show what failed, have it tried again, or silence it
    #[command(args_conflicts_with_subcommands = true)]
    Failures {
        /// Only what they can do something about
        #[arg(long = "for", value_name = "WHO", value_enum)]
        whose: Option<Whose>,
        /// Absent: list.
        #[command(subcommand)]
        action: Option<FailuresAction>,
    },
    /// Let what is held go ahead, once and for 24 hours
    Approve(ApproveArgs),
    /// Show everything about one student, and what happens next; calls no service
    Explain {
        /// The student's id on the roster, or the name or a part of it, the login value or the telephone number
        student_id: String,
        /// Show values, not only their lengths: they are personal data
        #[arg(long)]
        reveal: bool,
    },
    /// Take ClassIn enrolments that rosterd did not surely make for its own, so that it may remove them
    Claim {
        /// The student's id on the roster
        #[arg(required_unless_present = "class")]
        student_id: Option<String>,
        /// The class's code on the roster, or its ids in ClassIn as COURSE_ID/CLASS_ID (COURSE_ID/0: the whole course)
        #[arg(required_unless_present = "class")]
        class_code: Option<String>,
        /// All of one class instead: its code, or its ids as COURSE_ID/CLASS_ID
        #[arg(long, value_name = "CODE", conflicts_with_all = ["student_id", "class_code"])]
        class: Option<String>,
    },
    /// Forget a student's ClassIn account, so that the next run finds it anew
    Forget {
        /// The student's id on the roster
        student_id: String,
    },
    /// Carry everything over to a student's new id
    Relink(RelinkArgs),
    /// Show which accounts of the services the state belongs to; give it to others
    Account {
        /// Absent: show.
        #[command(subcommand)]
        action: Option<AccountAction>,
    },
    /// Send one test message to everybody who is told when something is the matter
    Notify {
        /// Say what was answered; without it nothing is sent
        #[arg(long, required = true)]
        test: bool,
    },
    /// Pull exam results, or show those that were pulled
    Results(ResultsArgs),
    /// Fill the roster database from files
    Import(ImportArgs),
    /// Write the roster, the links or the failures as CSV or as a workbook, for the school office
    Export(ExportArgs),
    /// Copy the state database while rosterd works with it
    Backup {
        /// Where the copy goes: a file that is not there yet
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Put a copy of the state database back, with rosterd stopped; the old one stays beside it
    Restore {
        /// The copy
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Simulate both services on this machine, for rehearsals
    Sandbox(SandboxArgs),
    /// Print the script that completes command lines in a shell
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them into a folder
    Man(ManArgs),
}

/// What to do about the accounts of the services.
#[derive(Clone, Debug, Subcommand)]
pub enum AccountAction {
    /// Keep the links that are proved in the configured account, give the others up, and take the account
    Confirm {
        /// Only the account of this service; absent: those of both
        #[arg(value_enum)]
        service: Option<ConfirmedService>,
        /// The exam account was emptied on purpose
        #[arg(long)]
        empty: bool,
        /// The school on ClassIn is the same, only its address or SID changed: keep what is on record
        #[arg(long, conflicts_with = "other_school")]
        same_school: bool,
        /// The school on ClassIn is another one: give up what is on record
        #[arg(long)]
        other_school: bool,
    },
}

/// Whose account is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfirmedService {
    /// `OnlineExamMaker`
    Exam,
    /// ClassIn by EEO
    Classin,
}

/// `relink`
#[derive(Clone, Debug, Args)]
#[command(override_usage = "rosterd relink OLD NEW [--force]\n       rosterd relink --suggested [--yes]")]
pub struct RelinkArgs {
    /// The student id until now: no active student of the roster
    #[arg(required_unless_present = "suggested", conflicts_with = "suggested")]
    pub old: Option<String>,
    /// The student id from now on: an active student of the roster without a candidate
    #[arg(required_unless_present = "suggested")]
    pub new: Option<String>,
    /// Whatever the roster says of the two
    #[arg(long, conflicts_with = "suggested")]
    pub force: bool,
    /// Show the pairs that roster and links suggest
    #[arg(long)]
    pub suggested: bool,
    /// Carry the suggested ones over
    #[arg(long, requires = "suggested", conflicts_with = "old")]
    pub yes: bool,
}

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Whose {
    /// The school office
    Office,
    /// IT
    It,
    /// The service itself
    Service,
    /// Whoever pays for the account
    Quota,
}

impl From<Whose> for FailureOwner {
    fn from(whose: Whose) -> Self {
        match whose {
            Whose::Office => Self::SchoolOffice,
            Whose::It => Self::It,
            Whose::Service => Self::Service,
            Whose::Quota => Self::Quota,
        }
    }
}

/// What to do about failures.
#[derive(Clone, Debug, Subcommand)]
pub enum FailuresAction {
    /// Show the open ones (what it does without a word)
    List,
    /// Have them tried in the next run
    Retry {
        /// Their ids, as `failures` shows them
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All open ones
        #[arg(long)]
        all: bool,
    },
    /// Silence them until their row changes
    Ignore {
        /// Their ids, as `failures` shows them
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All open ones
        #[arg(long)]
        all: bool,
    },
}

/// `sandbox`
#[derive(Clone, Debug, Args)]
pub struct SandboxArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8481")]
    pub listen: SocketAddr,
    /// Keep the state in this file; absent: in memory
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub state: Option<PathBuf>,
    /// The field people log in with, by label or number
    #[arg(long, value_name = "FIELD")]
    pub login_field: Option<String>,
    /// One more field, such as 21=login
    #[arg(long, value_name = "SFID=LABEL", value_parser = field)]
    pub field: Vec<(i64, String)>,
    /// Set a switch: something the services' documents leave open, or a fault
    #[arg(long, value_name = "SWITCH=VALUE", value_parser = switch)]
    pub set: Vec<(String, String)>,
    /// First create what this roster names without ids, and write the ids into it
    #[arg(long, value_name = "ROSTER_DB", value_hint = ValueHint::FilePath)]
    pub provision: Option<PathBuf>,
}

impl Cli {
    /// Reads a command line, the program's name first. What it leaves open comes from the variables.
    ///
    /// # Errors
    /// What to do instead of going on: exit code, text, and whether the text goes to standard output (help and
    /// version, with code 0) or to standard error (wrong usage, 64).
    pub fn parse_or_exit_code<I>(
        arguments: I,
        variables: &OptionVariables,
    ) -> Result<Self, (i32, String, bool)>
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let parsed = Self::documented()
            .try_get_matches_from(arguments)
            .and_then(|mut matches| Self::from_arg_matches_mut(&mut matches))
            .and_then(Self::checked);
        parsed.and_then(|cli| cli.completed(variables)).map_err(|error| {
            let to_stdout = !error.use_stderr();
            let exit = if to_stdout { Exit::Done } else { Exit::Usage };
            (i32::from(exit.code()), error.render().to_string(), to_stdout)
        })
    }

    /// How to log as far as it is known before the command line is understood, so that what is wrong with it is said in
    /// that form.
    #[must_use]
    pub fn log_format_in(arguments: &[OsString], variables: &OptionVariables) -> LogFormat {
        let given = value_in(arguments, "--log-format").or(variables.log_format.as_deref());
        if given == Some("json") { LogFormat::Json } else { LogFormat::Text }
    }

    /// The same of how to report.
    #[must_use]
    pub fn output_in(arguments: &[OsString]) -> OutputFormat {
        let is_json = value_in(arguments, "--output") == Some("json");
        if is_json { OutputFormat::Json } else { OutputFormat::Text }
    }

    /// Takes from the variables what the command line leaves open, and blames them for what is wrong with it.
    fn completed(mut self, variables: &OptionVariables) -> Result<Self, clap::Error> {
        let refused = |name: &str, value: &str, why: &str| {
            Self::command()
                .error(ErrorKind::ValueValidation, format!("the variable {name} is {value:?}: {why}"))
        };
        let OptionVariables { config, log_level, log_format } = variables;
        self.config = self.config.or_else(|| config.clone());
        if let Some(level) = log_level.as_ref().filter(|_| self.log_level.is_none()) {
            telemetry::check_level(level)
                .map_err(|error| refused("ROSTERD_LOG", level, &error.to_string()))?;
            self.log_level = Some(level.clone());
        }
        if let Some(format) = log_format.as_ref().filter(|_| self.log_format.is_none()) {
            let known = LogFormat::from_str(format, false);
            let known = known.map_err(|_| refused("ROSTERD_LOG_FORMAT", format, "write text or json"))?;
            self.log_format = Some(known);
        }
        Ok(self)
    }

    /// How to log on standard error.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(LogFormat::Text)
    }

    /// The level to log at, as [`telemetry::init`] takes it.
    #[must_use]
    pub fn log_directives(&self) -> &str {
        match (&self.log_level, self.quiet) {
            (Some(level), _) => level,
            (None, true) => "warn",
            (None, false) => "info",
        }
    }

    /// Refuses --sync-now beside a command, which clap cannot while it lets other options stand there.
    fn checked(self) -> Result<Self, clap::Error> {
        if self.sync_now && self.command.is_some() {
            let message = "--sync-now cannot be used with a command";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(self)
    }
}

/// The last value of an option in a command line that is not understood yet.
fn value_in<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a str> {
    let mut given = None;
    let mut rest = arguments.iter().filter_map(|argument| argument.to_str()).peekable();
    while let Some(argument) = rest.next() {
        match argument.strip_prefix(option) {
            Some("") => given = rest.peek().copied(),
            Some(value) => given = value.strip_prefix('=').or(given),
            None => {}
        }
    }
    given
}

/// What `approve` is given.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApproveArgs {
    /// The digest that a run, a plan or `rosterd status` names
    pub(crate) digest: String,
    /// Only what is held of these students: the way to approve what is held about single people
    #[arg(long = "student", value_name = "STUDENT_ID", num_args = 1..)]
    pub(crate) students: Vec<String>,
    /// Only what is held about single people for this reason: same-person, foreign-group, adoption, unreadable-ids or
    /// shared-contact
    #[arg(long = "reason", value_name = "WORD", num_args = 1.., value_parser = hold_word)]
    pub(crate) reasons: Vec<HoldWord>,
}

fn hold_word(text: &str) -> Result<HoldWord, String> {
    HoldWord::parse(text)
        .ok_or_else(|| format!("write one of {}", HoldWord::ALL.map(HoldWord::as_str).join(", ")))
}

/// `21=login`
fn field(text: &str) -> Result<(i64, String), String> {
    let (sfid, label) = pair(text).ok_or("write it like 21=login")?;
    let sfid = sfid.parse().map_err(|_| format!("{sfid:?} is no field number"))?;
    Ok((sfid, label.to_owned()))
}

/// `index_base=1`
fn switch(text: &str) -> Result<(String, String), String> {
    let (switch, value) = pair(text).ok_or("write it like switch=value")?;
    Ok((switch.to_owned(), value.to_owned()))
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    (!key.is_empty() && !value.is_empty()).then_some((key, value))
}

#[cfg(test)]
mod tests;
