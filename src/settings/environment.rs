//! Facts from the process's environment that no setting holds: whether colours are unwelcome, the journal, and what stands
//! in for options of the command line.
//!
//! Here because nothing outside `settings` reads the environment.

use secrecy::SecretString;

/// The environment's say in how logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessEnvironment {
    /// `NO_COLOR` is set, or the terminal cannot do it.
    pub no_color: bool,
    /// Standard error goes to systemd's journal, which notes the time of each line by itself.
    pub journal: bool,
}

impl ProcessEnvironment {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|terminal| terminal == "dumb");
        let journal = variable("JOURNAL_STREAM").is_some_and(|stream| Some(stream) == standard_error());
        Self { no_color: dumb || variable("NO_COLOR").is_some(), journal }
    }
}

/// Options of the command line as the environment gives them. An empty variable counts as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionVariables {
    /// `ROSTERD_CONFIG`
    pub config: Option<std::path::PathBuf>,
    /// `ROSTERD_LOG`
    pub log_level: Option<String>,
    /// `ROSTERD_LOG_FORMAT`
    pub log_format: Option<String>,
}

impl OptionVariables {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            config: variable("ROSTERD_CONFIG").map(Into::into),
            log_level: text("ROSTERD_LOG"),
            log_format: text("ROSTERD_LOG_FORMAT"),
        }
    }
}

/// Secrets of the services as the environment gives them. An empty variable counts as none.
#[derive(Clone, Debug, Default)]
pub struct SecretVariables {
    /// `ROSTERD__EXAM__CODE`
    pub exam_code: Option<SecretString>,
    /// `ROSTERD__CLASSIN__SECRET`
    pub classin_secret: Option<SecretString>,
}

impl SecretVariables {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let secret = |name: &str| {
            let value = std::env::var_os(name)?.into_string().ok()?;
            (!value.trim().is_empty()).then(|| SecretString::from(value))
        };
        Self { exam_code: secret("ROSTERD__EXAM__CODE"), classin_secret: secret("ROSTERD__CLASSIN__SECRET") }
    }
}

/// Standard error as systemd writes it into `JOURNAL_STREAM`: device and inode. The variable alone proves
/// nothing, since a child process inherits it with any standard error.
#[cfg(unix)]
fn standard_error() -> Option<std::ffi::OsString> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let stream = std::io::stderr().as_fd().try_clone_to_owned().ok()?;
    let metadata = std::fs::File::from(stream).metadata().ok()?;
    Some(format!("{}:{}", metadata.dev(), metadata.ino()).into())
}

#[cfg(not(unix))]
fn standard_error() -> Option<std::ffi::OsString> {
    None
}
