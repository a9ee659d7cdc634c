//! The admin's settings: loaded in layers, validated together, secrets kept as secrets.
//!
//! Nothing else reads the environment or a configuration file; every other module receives its own
//! small part of [`Settings`].

mod addresses;
mod credentials;
mod environment;
mod files;
mod import;
mod layers;
mod lines;
mod load;
mod manual;
mod notify;
mod parse;
mod problem;
mod secret_file;
mod suggest;
mod validate;

pub use environment::{OptionVariables, ProcessEnvironment, SecretVariables};
pub use import::{BundleProfile, FileKind, ImportProfile, WatchSettings};
pub use load::ConfigSource;
pub(crate) use manual::MANUAL;
#[cfg(test)]
pub(crate) use manual::keys_of_the_manual;
pub use notify::{HookForm, HookSettings, MAIL, MailSettings, MailTls, NotifySettings};
pub(crate) use parse::is_loopback_address as is_this_machine;
pub use problem::{Origin, Problem, SettingsError};

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use rosterd_core::roster::{Adopt, HomeCountry, Leavers, Limit, Mode, Removals};

/// Everything that can be set, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[roster]`
    pub roster: RosterSettings,
    /// `[state]`
    pub state: StateSettings,
    /// `[sync] mode`
    pub mode: Mode,
    /// `[schedule]`
    pub schedule: ScheduleSettings,
    /// `[exam]`
    pub exam: ExamSettings,
    /// `[classin]`
    pub classin: ClassinSettings,
    /// `[guard]`
    pub guard: GuardSettings,
    /// `[retry]`
    pub retry: RetrySettings,
    /// `[results]`
    pub results: ResultsSettings,
    /// `[http]`
    pub http: HttpSettings,
    /// `[notify]`
    pub notify: NotifySettings,
    /// `[import.NAME]`: profiles by name.
    pub import: BTreeMap<String, ImportProfile>,
    /// `[demo]`: present only in `config/demo.toml`.
    pub demo: Option<DemoSettings>,
    /// The files that secrets were read from.
    pub secret_files: Vec<SecretFile>,
    /// Where a configuration file was looked for, where there was none.
    pub looked_for: Vec<PathBuf>,
}

impl Settings {
    /// When results are pulled: like runs, but for the expression; `None` where that is by command only.
    #[must_use]
    pub fn results_schedule(&self) -> Option<ScheduleSettings> {
        let cron = self.results.cron.clone().filter(|_| self.exam.enabled)?;
        Some(ScheduleSettings { cron, ..self.schedule.clone() })
    }
}

/// A file that holds a secret.
#[derive(Clone, Debug)]
pub struct SecretFile {
    /// The key that names it.
    pub key: String,
    pub path: PathBuf,
}

/// `[roster]`
#[derive(Clone, Debug)]
pub struct RosterSettings {
    /// The roster database; opened read-only.
    pub database: PathBuf,
    /// Whether somebody wrote its path, in a file or in the environment.
    pub is_chosen: bool,
    /// A roster that nobody has written for longer is attention.
    pub max_age: Option<Duration>,
    /// Queries for a school's own schema; absent ones read our tables.
    pub queries: RosterQueries,
}

/// `[roster.queries]`: each returns the columns that our table of that name has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterQueries {
    /// Instead of `students`.
    pub students: Option<String>,
    /// Instead of `groups`.
    pub groups: Option<String>,
    /// Instead of `group_members`.
    pub group_members: Option<String>,
    /// Instead of `classes`.
    pub classes: Option<String>,
    /// Instead of `class_members`.
    pub class_members: Option<String>,
}

/// `[state]`
#[derive(Clone, Debug)]
pub struct StateSettings {
    /// Our own database, created with mode 0600.
    pub database: PathBuf,
    /// How long runs, closed failures, departures and results of the departed are kept.
    pub keep: Duration,
}

/// `[schedule]`
#[derive(Clone, Debug)]
pub struct ScheduleSettings {
    /// The expression as it was written.
    pub expression: String,
    /// The same, parsed; six fields (seconds first) or five.
    pub cron: croner::Cron,
    /// The zone the expression is meant in.
    pub time_zone: jiff::tz::TimeZone,
    /// What a start does about a run that was due while the daemon was down.
    pub missed: Missed,
    /// Each run starts up to this much later, at random.
    pub jitter: Duration,
    /// Days on which no run starts, both ends included.
    pub blackout: Vec<Blackout>,
}

/// `[schedule] missed`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// One run at once, however many were missed.
    RunOnce,
    /// Wait for the next one.
    Skip,
}

/// A span of days without runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blackout {
    pub from: jiff::civil::Date,
    pub to: jiff::civil::Date,
}

/// `[exam]`
#[derive(Clone, Debug)]
pub struct ExamSettings {
    /// Whether the exam side is synchronised at all.
    pub enabled: bool,
    pub endpoint: Endpoint,
    /// The account's verification code; absent when none was given (an error unless `--offline` or disabled).
    pub code: Option<SecretString>,
    /// The field that holds the login value.
    pub login_field: LoginField,
    /// Rows a page, 1 to 100.
    pub page_size: u32,
    /// Items a batch, 1 to 100.
    pub batch_size: usize,
    /// The longest time between two look-ups of a candidate's groups.
    pub verify_groups: Duration,
    /// What happens to candidates of students who left.
    pub leavers: Leavers,
    /// Whether candidates already there under a student's login value are taken over.
    pub adopt: Adopt,
    /// Whether groups without a gid are created.
    pub create_groups: bool,
    /// The gid below which they are created; 0 is the root.
    pub create_groups_under: i64,
    /// The time that a student must be gone before a delete.
    pub delete_grace: Duration,
    /// Whether other schools use the account too; absent where nobody wrote it, which is `false` for a new state.
    pub shared: Option<bool>,
    /// Roster column → exam field, in a stable order (the roster column's name, ascending).
    pub fields: Vec<FieldMapping>,
}

/// How one service is reached: what the transport needs, for either of them.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Scheme, host and port, without a trailing slash. Plain http only for loopback addresses.
    pub base_url: String,
    /// Requests a second over all its endpoints; 0 means unpaced.
    pub requests_per_second: f64,
    /// Most requests under way at once, at least 1.
    pub max_in_flight: usize,
    /// Deadline of one request, connection and body included.
    pub timeout: Duration,
    /// An extra trusted certificate in PEM form.
    pub ca_file: Option<PathBuf>,
}

/// `[exam] login_field`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginField {
    /// The one field whose value equals the login value in every listed row.
    Auto,
    Named(FieldRef),
}

/// A field of the exam side as the admin names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldRef {
    Id(i64),
    /// By label, as the account shows it.
    Label(String),
}

/// One line of `[exam.fields]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMapping {
    pub column: String,
    /// The exam side's field.
    pub field: FieldRef,
}

/// `[classin]`
#[derive(Clone, Debug)]
pub struct ClassinSettings {
    /// Whether classes are mirrored.
    pub enabled: bool,
    pub endpoint: Endpoint,
    /// The school's id; not a secret.
    pub sid: Option<String>,
    pub secret: Option<SecretString>,
    /// Students a call, 1 to 30.
    pub batch_size: usize,
    /// Whether missing accounts are registered.
    pub register: bool,
    /// The country of the roster's phone numbers without a country code.
    pub home_country: HomeCountry,
    /// Which members may be removed when they leave a class.
    pub removals: Removals,
    /// Most calls a day for confirming what we remember; 0 is off.
    pub verify_calls: u32,
}

/// `[guard]`
#[derive(Clone, Copy, Debug)]
pub struct GuardSettings {
    /// Leavers' deletes and moves in 24 hours.
    pub max_delete: Limit,
    /// Students whose values change in 24 hours.
    pub max_modify: Limit,
    /// Students taken out of groups in 24 hours.
    pub max_move: Limit,
    /// People who leave one group or class in 24 hours.
    pub max_group: Limit,
    /// Fewer students than this is a broken export.
    pub min_roster: u64,
}

/// `[retry]`
#[derive(Clone, Copy, Debug)]
pub struct RetrySettings {
    /// Attempts before a failure becomes a dead letter, at least 1.
    pub max_attempts: u32,
    /// Delay after the first failed attempt.
    pub first_delay: Duration,
    /// The delays double up to this.
    pub max_delay: Duration,
}

/// `[results]`
#[derive(Clone, Debug)]
pub struct ResultsSettings {
    /// When results are pulled without being asked for.
    pub cron: Option<croner::Cron>,
    /// The longest time between two readings of the whole list.
    pub full_every: Duration,
}

/// `[http]`
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The address for health and metrics; absent switches them off.
    pub listen: Option<SocketAddr>,
    /// What pages and `/api` demand on any other address than loopback, 16 characters of ASCII at least.
    pub token: Option<SecretString>,
}

impl HttpSettings {
    /// Why the status page is refused to everybody, with the way out, where it is.
    #[must_use]
    pub fn unseen_pages(&self) -> Option<String> {
        let listen = self.listen.filter(|listen| demands_token(*listen))?;
        let what = || {
            format!(
                "http.listen is {listen}, which is not loopback, and http.token_file is not set: the status page and /api answer \
                 403 there. Write a token into a file (openssl rand -hex 32) and enter its path as http.token_file"
            )
        };
        self.token.is_none().then(what)
    }
}

/// Whether pages that are served on this address demand a token.
#[must_use]
pub fn demands_token(listen: SocketAddr) -> bool {
    // `::ffff:127.0.0.1` is loopback too. `0.0.0.0` and `::` are open to the network, whoever comes by loopback: it may be a
    // proxy that hands on what the network asks.
    !listen.ip().to_canonical().is_loopback()
}

/// `[demo]`: a rehearsal with made-up people against the embedded sandbox.
#[derive(Clone, Debug)]
pub struct DemoSettings {
    /// The number of students on the made-up roster.
    pub students: u32,
    /// Seed of the generator.
    pub seed: u64,
    /// The state file of the embedded sandbox.
    pub sandbox_state: PathBuf,
}
