//! What is said of the first rows of a sheet in which no heading was found.

use crate::heading::Heading;
use crate::shown;
use crate::table::{Headers, Row};

/// Names of columns that a message shows.
const SHOWN_NAMES: usize = 12;

/// What the first rows hold, for a message. Values are shown only of a row that has a known heading, for a row without
/// one may be a person's.
pub(super) fn describe(seen: &[(Row, Heading)], is_found: bool) -> String {
    if is_found {
        return String::new();
    }
    let best = seen.iter().rev().max_by_key(|(_, heading)| heading.recognised);
    match best.filter(|(_, heading)| heading.recognised > 0) {
        Some((row, heading)) => {
            let names = Headers::new(row.line, row.fields.iter()).names;
            let named =
                names.iter().filter(|name| !name.is_empty()).take(SHOWN_NAMES).map(|name| shown(name));
            let named: Vec<String> = named.collect();
            let candidates: Vec<&str> =
                heading.unknown.iter().take(SHOWN_NAMES).map(String::as_str).collect();
            let rest = if candidates.is_empty() {
                String::new()
            } else {
                format!("; without a meaning for us: {}", candidates.join(", "))
            };
            format!("row {} has the headings {}{rest}", row.line, named.join(", "))
        }
        None => {
            let first = seen.first().map_or(0, |(row, _)| row.fields.len());
            format!(
                "none of the first {} rows has a heading that is known (the first has {first} cells)",
                seen.len()
            )
        }
    }
}
