//! The layers as they were written: which keys exist, and the last value each of them was given.
//!
//! It knows names and origins, not meanings: what a value must look like is for `validate`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use config::{Environment, File, FileFormat, Map, Source, Value, ValueKind};

use super::lines::lines;
use super::manual::{FIELDS, keys};
use super::problem::{Origin, Problem};
use super::suggest::nearest;

/// The prefix of our environment variables.
pub(super) const PREFIX: &str = "ROSTERD__";

/// One value and where it came from.
pub(super) struct LayerValue {
    pub(super) kind: ValueKind,
    pub(super) origin: Origin,
    /// The folder that relative paths in this value start from.
    pub(super) folder: PathBuf,
}

/// One source of values.
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) folder: PathBuf,
}

/// All layers merged: for each key the value of the last layer that gives it.
#[derive(Default)]
pub(super) struct LayeredSettings {
    values: BTreeMap<&'static str, LayerValue>,
    sections: BTreeSet<&'static str>,
    pub(super) problems: Vec<Problem>,
    file: Option<PathBuf>,
    lines: HashMap<String, usize>,
}

impl LayeredSettings {
    /// The configuration file, where one was read.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The value of a key, if any layer gives it.
    pub(super) fn get(&self, key: &str) -> Option<&LayerValue> {
        self.values.get(key)
    }

    /// The line in which the configuration file gives a key, where it is found.
    pub(super) fn line(&self, problem: &Problem) -> Option<usize> {
        matches!(problem.origin, Origin::File(_)).then(|| self.lines.get(&problem.key).copied())?
    }

    /// Whether any layer has this section, were it empty.
    pub(super) fn has_section(&self, section: &str) -> bool {
        self.sections.contains(section)
    }

    /// Puts a TOML text on top of the layers so far.
    pub(super) fn add_toml(&mut self, text: &str, layer: &Layer) {
        if let Origin::File(path) = &layer.origin {
            self.file = Some(path.clone());
            self.lines = lines(text);
        }
        match File::from_str(text, FileFormat::Toml).collect() {
            Ok(table) => self.add_table("", table, layer),
            Err(error) => self.problems.push(Problem {
                key: String::new(),
                origin: layer.origin.clone(),
                message: format!("this is not TOML: {}", without_quotation(&error.to_string())),
                line: None,
            }),
        }
    }

    /// Puts the environment variables that concern us on top of the layers so far.
    ///
    /// Values stay text: a secret of digits must not become a number.
    pub(super) fn add_environment(&mut self, variables: Map<String, String>) {
        let variables = Environment::with_prefix("ROSTERD")
            .separator("__")
            .ignore_empty(true)
            .source(Some(variables))
            .collect()
            .unwrap_or_default(); // it fails for non-Unicode text only, and these are `String`s
        let mut fields = Map::new();
        let mut fields_layer = None;
        for (key, value) in variables {
            let layer = Layer {
                origin: Origin::Environment(variable_name(&key)),
                folder: PathBuf::new(), // the current folder
            };
            match key.strip_prefix(FIELDS).and_then(|rest| rest.strip_prefix('.')) {
                Some(column) => {
                    fields.insert(column.to_owned(), value);
                    fields_layer = Some(Layer {
                        origin: Origin::Environment(format!("{}__…", variable_name(FIELDS))),
                        ..layer
                    });
                }
                None => self.add_value(&key, value, &layer),
            }
        }
        if let Some(layer) = fields_layer {
            self.add_value(FIELDS, Value::new(None, fields), &layer);
        }
    }

    fn add_table(&mut self, path: &str, table: Map<String, Value>, layer: &Layer) {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, value) in entries {
            let key = if path.is_empty() { name } else { format!("{path}.{name}") };
            match (section(&key), value.kind) {
                (Some(known), ValueKind::Table(inner)) => {
                    self.sections.insert(known);
                    self.add_table(&key, inner, layer);
                }
                (_, kind) => self.add_value(&key, Value::new(None, kind), layer),
            }
        }
    }

    fn add_value(&mut self, key: &str, value: Value, layer: &Layer) {
        if let Some(known) = keys().find(|known| *known == key) {
            self.sections.extend(known.split_once('.').map(|(section, _)| section));
            let layers =
                LayerValue { kind: value.kind, origin: layer.origin.clone(), folder: layer.folder.clone() };
            self.values.insert(known, layers);
            return;
        }
        self.problems.push(Problem {
            key: key.to_owned(),
            origin: layer.origin.clone(),
            message: match section(key) {
                Some(_) => "this is a section, not a setting: give its settings one by one".to_owned(),
                None => unknown(key, &layer.origin),
            },
            line: None,
        });
    }
}

/// The environment variable that sets a key.
fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// The section of this name, as far as there is one: `roster`, `roster.queries`.
fn section(path: &str) -> Option<&'static str> {
    keys().find_map(|key| {
        let found = key.get(..path.len())?;
        (found == path && key.get(path.len()..)?.starts_with('.')).then_some(found)
    })
}

/// Says that a key is none of ours, and which one may have been meant: the nearest in its own section, or else
/// one of about that name in another.
fn unknown(key: &str, origin: &Origin) -> String {
    let sections = keys().filter_map(|known| known.rsplit_once('.').map(|(section, _)| section));
    let known: Vec<&str> = keys().chain(sections).collect();
    let nearest_of = |candidates: Vec<&'static str>| {
        let near = nearest(last(key), candidates.iter().map(|known| last(known)))?;
        candidates.iter().copied().find(|known| last(known) == near)
    };
    let siblings = known.iter().copied().filter(|known| parent(known) == parent(key)).collect();
    match (nearest_of(siblings).or_else(|| nearest_of(known)), origin) {
        (Some(near), Origin::Environment(_)) => {
            format!("there is no such setting; did you mean `{}`?", variable_name(near))
        }
        (Some(near), _) => format!("there is no such setting; did you mean `{near}`?"),
        (None, _) => "there is no such setting; config/default.toml lists them all".to_owned(),
    }
}

fn parent(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn last(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, last)| last)
}

/// A parser's message without the lines that quote the file, because they may hold a secret.
fn without_quotation(message: &str) -> String {
    let is_quotation = |line: &&str| {
        let start = line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit());
        start.trim_start().starts_with('|')
    };
    let lines: Vec<&str> = message.lines().map(str::trim_end).filter(|line| !is_quotation(line)).collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_told_from_a_setting() {
        assert_eq!(section("roster"), Some("roster"));
        assert_eq!(section("roster.queries"), Some("roster.queries"));
        assert_eq!(section("roster.database"), None);
        assert_eq!(section("rost"), None);
        assert_eq!(section(FIELDS), None);
    }

    #[test]
    fn a_parsers_message_loses_its_quotation() {
        let message =
            "TOML parse error at line 12, column 8\n   |\n12 | code = abc\n   |        ^\nbad string\n";
        assert_eq!(without_quotation(message), "TOML parse error at line 12, column 8: bad string");
    }
}
