//! Finds the layers of settings, reads them, and has them validated.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::credentials::Given;
use super::layers::{Layer, LayeredSettings, PREFIX};
use super::manual::MANUAL;
use super::problem::{Origin, Problem, SettingsError};
use super::validate::validate;
use super::{Settings, files};

/// The configuration's place in a package.
const INSTALLED: &str = "/etc/rosterd/config.toml";

/// The configuration's place in a checkout.
const CHECKED_OUT: &str = "config/default.toml";

/// The configuration file between the built-in defaults and the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// This one, which must exist.
    File(PathBuf),
    /// `/etc/rosterd/config.toml` if it exists, else `./config/default.toml`, else none.
    Standard,
    BuiltIn,
}

impl ConfigSource {
    /// The file that is read, if any.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Standard => {
                // A file that is there but not ours to look at must be an error later, not be passed over.
                let there = |path: &&str| Path::new(path).try_exists().unwrap_or(true);
                [INSTALLED, CHECKED_OUT].iter().find(|path| there(path)).map(PathBuf::from)
            }
            Self::BuiltIn => None,
        }
    }

    /// Where a file may be that nobody named.
    fn looked_for(&self) -> Vec<PathBuf> {
        let whole = |path: &&str| std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
        match self {
            Self::Standard => [INSTALLED, CHECKED_OUT].iter().map(whole).collect(),
            Self::File(_) | Self::BuiltIn => Vec::new(),
        }
    }
}

impl Settings {
    /// Loads and validates: built-in defaults, under the file of `source`, under the `ROSTERD__SECTION__KEY`
    /// variables of `environment`.
    ///
    /// Relative paths start at the folder of the configuration file, those of the environment at the current
    /// folder.
    ///
    /// # Errors
    /// Everything that is wrong, at once: an unreadable file, an unknown key, a value out of place.
    pub fn load(
        source: &ConfigSource,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        load(source, environment.collect(), Vec::new())
    }

    /// The same with the environment of this process. Without `config` the standard places are tried.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_from_environment(config: Option<&Path>) -> Result<Self, SettingsError> {
        let source = config.map_or(ConfigSource::Standard, |path| ConfigSource::File(path.to_owned()));
        let mut problems = Vec::new();
        let mut variables = HashMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.to_uppercase().starts_with(PREFIX)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name.to_owned(), value)),
                Err(_) => problems.push(Problem {
                    key: String::new(),
                    origin: Origin::Environment(name.to_owned()),
                    message: "its value is not UTF-8 text".to_owned(),
                    line: None,
                }),
            }
        }
        load(&source, variables, problems)
    }

    /// Whether somebody said which state database is meant: a configuration file or the environment, and not the built-in
    /// default alone, which is another file in each folder.
    #[must_use]
    pub fn names_a_state(config: Option<&Path>) -> bool {
        let in_environment =
            || std::env::vars_os().any(|(name, _)| name.eq_ignore_ascii_case("ROSTERD__STATE__DATABASE"));
        config.is_some() || ConfigSource::Standard.path().is_some() || in_environment()
    }

    /// The addresses of services that are enabled and not simulated on this machine, by key.
    #[must_use]
    pub fn real_services(&self) -> Vec<&'static str> {
        let services = [
            (self.exam.enabled, &self.exam.endpoint, "exam.base_url"),
            (self.classin.enabled, &self.classin.endpoint, "classin.base_url"),
        ];
        let is_real = |endpoint: &super::Endpoint| !super::parse::is_loopback_address(&endpoint.base_url);
        services
            .into_iter()
            .filter(|(enabled, at, _)| *enabled && is_real(at))
            .map(|(_, _, key)| key)
            .collect()
    }

    /// Whether this path is, or stands beside, the state database: nothing but a run may write there.
    #[must_use]
    pub fn is_state_file(&self, path: &Path) -> bool {
        files::collide(&self.state.database, path)
    }

    /// What rosterd uses this path for, where it does: such a file is never written for people to take away. `config` is
    /// the configuration file that was named, if any.
    #[must_use]
    pub fn own_file(&self, config: Option<&Path>, path: &Path) -> Option<String> {
        if files::belongs_to(&self.state.database, path) {
            return Some("the state database or a file that belongs to it (state.database)".to_owned());
        }
        if files::belongs_to(&self.roster.database, path) {
            return Some("the roster or a file that belongs to it (roster.database)".to_owned());
        }
        let source = config.map_or(ConfigSource::Standard, |path| ConfigSource::File(path.to_owned()));
        if source.path().is_some_and(|config| files::is_same(&config, path)) {
            return Some("the configuration file".to_owned());
        }
        if let Some(file) = self.secret_files.iter().find(|file| files::is_same(&file.path, path)) {
            return Some(format!("the file of {}", file.key));
        }
        let certificates = [
            ("exam.ca_file", &self.exam.endpoint.ca_file),
            ("classin.ca_file", &self.classin.endpoint.ca_file),
            ("notify.ca_file", &self.notify.ca_file),
        ];
        certificates
            .into_iter()
            .find(|(_, file)| file.as_deref().is_some_and(|file| files::is_same(file, path)))
            .map(|(key, _)| format!("the file of {key}"))
    }

    /// What a run lacks: a service that is switched on, or its credentials. Loading succeeds without them, so that
    /// commands which call no service work; a command that calls one must check here first.
    #[must_use]
    pub fn missing_credentials(&self) -> Vec<Problem> {
        let given = Given {
            exam: self.exam.enabled,
            exam_code: self.exam.code.is_some(),
            classin: self.classin.enabled,
            classin_secret: self.classin.secret.is_some(),
            classin_sid: self.classin.sid.is_some(),
        };
        let missing = given.missing();
        let without_file = (!missing.is_empty() && !self.looked_for.is_empty()).then(|| self.without_file());
        without_file.into_iter().chain(missing).collect()
    }

    /// Whoever starts without a configuration file is told that before what it would have to say.
    fn without_file(&self) -> Problem {
        let places: Vec<String> = self.looked_for.iter().map(|path| path.display().to_string()).collect();
        let message = format!(
            "no configuration file: looked for {}; write one with `rosterd init`, or name one with `rosterd --config FILE`",
            places.join(" and ")
        );
        Problem { key: String::new(), origin: Origin::Unset, message, line: None }
    }
}

/// Variables that differ in case alone: which of them would count is nobody's choice.
fn twice_given(variables: &HashMap<String, String>) -> Vec<Problem> {
    let mut names: Vec<&String> = variables.keys().collect();
    names.sort_by_key(|name| (name.to_uppercase(), (*name).clone()));
    let twins = names.windows(2).filter_map(|pair| match pair {
        [one, other] if one.to_uppercase() == other.to_uppercase() => Some((*one, *other)),
        _ => None,
    });
    let problem = |(one, other): (&String, &String)| Problem {
        key: String::new(),
        origin: Origin::Environment(other.clone()),
        message: format!("{one} is set too, and differs in case alone: remove one of them"),
        line: None,
    };
    twins.map(problem).collect()
}

fn load(
    source: &ConfigSource,
    variables: HashMap<String, String>,
    problems: Vec<Problem>,
) -> Result<Settings, SettingsError> {
    let mut layers = LayeredSettings::default();
    layers.problems = problems;
    layers.problems.extend(twice_given(&variables));
    let path = source.path();
    let folder = path.as_deref().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
    layers.add_toml(MANUAL, &Layer { origin: Origin::Default, folder: folder.clone() });
    if let Some(path) = path {
        let layer = Layer { origin: Origin::File(path.clone()), folder };
        match std::fs::read_to_string(&path) {
            Ok(text) => layers.add_toml(text.trim_start_matches('\u{feff}'), &layer),
            Err(error) => layers.problems.push(Problem {
                key: String::new(),
                origin: layer.origin,
                message: format!("this configuration file cannot be read: {error}"),
                line: None,
            }),
        }
    }
    layers.add_environment(variables);
    let settings = validate(layers)?;
    let looked_for = if source.path().is_none() { source.looked_for() } else { Vec::new() };
    Ok(Settings { looked_for, ..settings })
}
