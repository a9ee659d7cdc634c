//! Faults of a configuration, worded so that an admin can fix them.
//!
//! It never repeats a value that may be a secret.

use std::fmt;
use std::path::PathBuf;

/// Everything that is wrong with a configuration, collected over all its layers.
///
/// Its text has one line per problem; a program that meets it ends with exit code 78.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    /// At least one, sorted by key.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                formatter.write_str("\n")?;
            }
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The dotted key, such as `exam.page_size`; empty where a whole file is meant.
    pub key: String,
    /// The origin of the value.
    pub origin: Origin,
    /// The fault and its remedy.
    pub message: String,
    /// The line of the configuration file, where the key was found in it.
    pub line: Option<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, origin, message, line } = self;
        match (key.as_str(), line) {
            ("", _) if *origin == Origin::Unset => formatter.write_str(message),
            ("", _) => write!(formatter, "{origin}: {message}"),
            (key, Some(line)) => write!(formatter, "{key}: {message} ({origin}, line {line})"),
            (key, None) => write!(formatter, "{key}: {message} ({origin})"),
        }
    }
}

/// The origin of a value. Later ones win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nowhere: no layer gives it.
    Unset,
    /// The defaults inside the program.
    Default,
    File(PathBuf),
    /// An environment variable of this name.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => formatter.write_str("not set"),
            Self::Default => formatter.write_str("built-in default"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Environment(name) => write!(formatter, "environment variable {name}"),
        }
    }
}
