//! Switches: every open question of the two contracts as a named setting, changeable while serving.
//!
//! The names, values and defaults are the contracts'; this file only keeps and checks them.

mod spec;
mod table;
mod troubles;

use std::collections::BTreeMap;

use super::{SandboxError, Service};

pub(crate) use spec::Spec;

/// The present setting of every switch.
#[derive(Debug, Clone)]
pub(crate) struct Switches {
    settings: BTreeMap<(Option<Service>, &'static str), String>,
}

impl Default for Switches {
    fn default() -> Self {
        let settings = table().map(|spec| ((spec.service, spec.name), spec.default.to_owned())).collect();
        Switches { settings }
    }
}

impl Switches {
    /// Sets `name`, with or without its service; a bare name sets both services' switch of that name.
    ///
    /// Answers `Ok(false)` where no switch has this name.
    ///
    /// # Errors
    /// [`SandboxError::Value`] where the switch exists and does not take the value.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, SandboxError> {
        let specs = named(name);
        for spec in &specs {
            if !spec.takes(value) {
                return Err(SandboxError::Value {
                    name: spec.full_name(),
                    value: value.to_owned(),
                    allowed: spec.allowed(),
                });
            }
        }
        for spec in &specs {
            self.settings.insert((spec.service, spec.name), value.to_owned());
        }
        Ok(!specs.is_empty())
    }

    /// The setting of a switch of `service`.
    pub(crate) fn text(&self, service: Service, name: &'static str) -> &str {
        let found = self.settings.get(&(Some(service), name));
        debug_assert!(found.is_some(), "there is no switch {name} of {}", service.name());
        found.map_or("", String::as_str)
    }

    /// Whether a switch of `service` is set to `value`.
    pub(crate) fn is(&self, service: Service, name: &'static str, value: &str) -> bool {
        self.text(service, name) == value
    }

    /// A switch of `service` that is a number.
    pub(crate) fn number(&self, service: Service, name: &'static str) -> i64 {
        self.text(service, name).parse().unwrap_or(0)
    }

    /// The ids that a switch of `service` names.
    pub(crate) fn ids(&self, service: Service, name: &'static str) -> Vec<i64> {
        self.text(service, name).split(',').filter_map(|id| id.trim().parse().ok()).collect()
    }

    /// The text that a switch of `service` holds, where it holds any.
    pub(crate) fn chosen(&self, service: Service, name: &'static str) -> Option<&str> {
        Some(self.text(service, name)).filter(|text| *text != spec::NONE)
    }

    /// A number that belongs to the sandbox as a whole.
    pub(crate) fn global_number(&self, name: &'static str) -> u64 {
        self.settings.get(&(None, name)).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    /// Every switch with its present setting.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static Spec, &str)> {
        table().map(|spec| {
            let setting = self.settings.get(&(spec.service, spec.name)).map_or("", String::as_str);
            (spec, setting)
        })
    }
}

/// Every switch.
pub(crate) fn table() -> impl Iterator<Item = &'static Spec> {
    table::TABLE.iter().chain(troubles::TROUBLES)
}

/// The switches of a name: none, one, or one of each service.
pub(crate) fn named(name: &str) -> Vec<&'static Spec> {
    table().filter(|spec| spec.name == name || spec.full_name() == name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fault_table::FAULTS;
    use super::spec::Values;
    use super::{Service, Spec, table};

    /// The contract of a service.
    fn contract(service: Service) -> String {
        let name = match service {
            Service::Exam => "onlineexammaker",
            Service::ClassIn => "classin",
        };
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contracts");
        std::fs::read_to_string(format!("{folder}/{name}.md")).unwrap()
    }

    #[test]
    fn the_contracts_list_every_switch_with_its_values_and_its_default() {
        for spec in table() {
            let contract = contract(spec.service.unwrap_or(Service::Exam));
            let is_row = |line: &&str| line.starts_with('|') && line.contains(&format!("`{}`", spec.name));
            let row =
                contract.lines().find(is_row).unwrap_or_else(|| panic!("no row for {}", spec.full_name()));
            let columns: Vec<&str> = row.split('|').collect();
            assert!(columns[3].contains(&format!("`{}`", spec.default)), "{}: {row}", spec.full_name());
            if let Values::OneOf(words) = spec.values {
                let missing = words.iter().find(|word| !columns[2].contains(&format!("`{}`", word)));
                assert_eq!(missing, None, "{}", spec.full_name());
            }
        }
    }

    #[test]
    fn the_contracts_list_every_fault() {
        for spec in FAULTS {
            for service in [Service::Exam, Service::ClassIn] {
                let has_it = spec.only.is_none_or(|only| only == service);
                let is_listed = contract(service).contains(&format!("`{}`", spec.name));
                assert!(is_listed || !has_it, "{}", spec.name);
            }
        }
    }

    #[test]
    fn every_default_is_a_value_its_switch_takes() {
        for spec in table() {
            assert!(spec.takes(spec.default), "{}={}", spec.full_name(), spec.default);
        }
    }

    #[test]
    fn no_switch_is_listed_twice() {
        let mut names: Vec<_> = table().map(Spec::full_name).collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(before, names.len());
    }
}
