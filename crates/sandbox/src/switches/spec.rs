//! One switch as the contracts list it: a row of the table.

use crate::Service;

/// The value of a switch that names nothing.
pub(super) const NONE: &str = "none";

/// The values of a switch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number, zero or more.
    Number,
    /// A whole number of either sign.
    Signed,
    /// `none`, or whole numbers with commas.
    Ids,
    /// Any text; `none` is none.
    Text,
}

/// One switch as the contract lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// The service it belongs to; `None` for the sandbox as a whole.
    pub(crate) service: Option<Service>,
    /// Its name without the service.
    pub(crate) name: &'static str,
    /// Its values.
    pub(crate) values: Values,
    /// Its initial value.
    pub(crate) default: &'static str,
    /// One sentence for people.
    pub(crate) about: &'static str,
}

impl Spec {
    /// `exam.index_base`; switches of the sandbox as a whole have no prefix.
    pub(crate) fn full_name(&self) -> String {
        self.service
            .map_or_else(|| self.name.to_owned(), |service| format!("{}.{}", service.name(), self.name))
    }

    /// The values as text for people.
    pub(crate) fn allowed(&self) -> String {
        match self.values {
            Values::OneOf(words) => words.join(" | "),
            Values::Number => "a whole number".to_owned(),
            Values::Signed => "a whole number, also below zero".to_owned(),
            Values::Ids => "none, or ids with commas".to_owned(),
            Values::Text => "none, or any text".to_owned(),
        }
    }

    /// Whether `value` is one of the switch's values.
    pub(crate) fn takes(&self, value: &str) -> bool {
        match self.values {
            Values::OneOf(words) => words.contains(&value),
            Values::Number => value.parse::<u64>().is_ok(),
            Values::Signed => value.parse::<i64>().is_ok(),
            Values::Ids => value == NONE || value.split(',').all(|id| id.trim().parse::<i64>().is_ok()),
            Values::Text => !value.is_empty(),
        }
    }
}
