//! How many operations of each kind there are, and where.

use std::collections::BTreeMap;

use super::selection::GroupCodes;
use rosterd_core::counted::grouped;
use rosterd_core::exam_plan::OperationLine;

/// So many groups or classes are named of a kind.
const PLACES: usize = 8;

/// The operations of one kind.
pub(super) struct KindFigures<'a> {
    pub kind: &'static str,
    /// How many there are of each state.
    pub states: BTreeMap<&'a str, u64>,
    /// The groups or classes that most of them are in, with their numbers; empty where none is in any.
    pub places: String,
}

/// The figures of each kind, in the order of the plan.
pub(super) fn of<'a>(operations: &'a [OperationLine], codes: &GroupCodes) -> Vec<KindFigures<'a>> {
    let mut kinds: Vec<&'static str> = Vec::new();
    for operation in operations {
        if !kinds.contains(&operation.kind) {
            kinds.push(operation.kind);
        }
    }
    let figures = |kind: &'static str| {
        let mut states: BTreeMap<&str, u64> = BTreeMap::new();
        let mut places: BTreeMap<String, u64> = BTreeMap::new();
        for operation in operations.iter().filter(|operation| operation.kind == kind) {
            *states.entry(operation.state).or_default() += 1;
            for place in codes.places(operation) {
                *places.entry(place).or_default() += 1;
            }
        }
        KindFigures { kind, states, places: largest(places) }
    };
    kinds.into_iter().map(figures).collect()
}

fn largest(places: BTreeMap<String, u64>) -> String {
    let mut places: Vec<(String, u64)> = places.into_iter().collect();
    places.sort_by(|(one, most), (other, more)| more.cmp(most).then_with(|| one.cmp(other)));
    let named: Vec<String> =
        places.iter().take(PLACES).map(|(place, count)| format!("{place} {}", grouped(*count))).collect();
    let more = match places.len().checked_sub(PLACES) {
        Some(more) if more > 0 => format!(", and {more} more"),
        Some(_) | None => String::new(),
    };
    format!("{}{more}", named.join(", "))
}
