//! Attempts of one candidate at one exam in one second: under which key each of them is kept. Pure.
//!
//! The first has no mark of its own, a further one goes by its tid, and where it has none, or one that is taken, by a number.

use std::collections::HashMap;

use super::results::Kept;
use rosterd_core::roster::{Attempt, AttemptKey};

/// Stands before the number of an attempt that nothing else tells apart. No tid has it.
const NUMBERED: char = '#';

/// An attempt that is kept and that no row has been found to be yet.
type Free<'k> = (&'k str, &'k Attempt);

/// Whether a row looks like an attempt that is kept.
type Likeness<'a> = &'a dyn Fn(&Attempt, &Attempt) -> bool;

/// The rows under the keys that they are kept by. What is kept already is no new attempt, whatever else has changed of it.
pub(super) fn told_apart(rows: &[Attempt], kept: &Kept) -> Vec<Attempt> {
    let mut variants: HashMap<AttemptKey, Vec<Free<'_>>> = HashMap::new();
    for (key, (attempt, _)) in kept {
        variants.entry(common(key)).or_default().push((key.untimed.as_str(), attempt));
    }
    let mut groups: HashMap<AttemptKey, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        groups.entry(common(&row.key)).or_default().push(at);
    }
    let mut apart: Vec<Attempt> = rows.to_vec();
    for (key, positions) in groups {
        let mut free = variants.remove(&key).unwrap_or_default();
        free.sort_unstable_by_key(|(untimed, _)| *untimed);
        let of_second = positions.iter().filter_map(|at| Some((*at, rows.get(*at)?))).collect();
        for (at, untimed) in names(&key, of_second, free) {
            if let Some(row) = apart.get_mut(at) {
                row.key.untimed = untimed;
            }
        }
    }
    apart
}

/// What all attempts have in common that only a mark tells apart.
fn common(key: &AttemptKey) -> AttemptKey {
    let untimed = match key.started_at_ms {
        0 => key.untimed.split(NUMBERED).next().unwrap_or_default(),
        _ => "",
    };
    AttemptKey { untimed: untimed.to_owned(), ..key.clone() }
}

/// The mark of each row of one second.
fn names(key: &AttemptKey, rows: Vec<(usize, &Attempt)>, mut free: Vec<Free<'_>>) -> Vec<(usize, String)> {
    let mut taken: Vec<String> = free.iter().map(|(untimed, _)| (*untimed).to_owned()).collect();
    let known: Vec<&str> = free.iter().filter_map(|(_, kept)| kept.tid.as_deref()).collect();
    let mut named = Vec::with_capacity(rows.len());
    let mut left = rows;
    // Links may be called otherwise at each reading, and a result may be marked again: the surest likeness goes first.
    let is_another = |row: &Attempt| row.tid.as_deref().is_some_and(|tid| known.contains(&tid));
    let likenesses: [Likeness<'_>; 4] = [
        &|row, kept| has_tid_of(row, kept) && has_values_of(row, kept),
        &has_tid_of,
        &has_values_of,
        // A link that is another attempt's says that this is not that one with a new link.
        &|row, _| !is_another(row),
    ];
    for is_like in likenesses {
        left.retain(|(at, row)| match free.iter().position(|(_, kept)| is_like(row, kept)) {
            Some(found) => {
                named.push((*at, free.remove(found).0.to_owned()));
                false
            }
            None => true,
        });
    }
    for (at, row) in left {
        let untimed = new_name(key, row, &taken);
        taken.push(untimed.clone());
        named.push((at, untimed));
    }
    named
}

fn has_tid_of(row: &Attempt, kept: &Attempt) -> bool {
    row.tid.is_some() && row.tid == kept.tid
}

fn has_values_of(row: &Attempt, kept: &Attempt) -> bool {
    Attempt { key: kept.key.clone(), ..row.clone() }.agrees_with(kept)
}

fn new_name(key: &AttemptKey, row: &Attempt, taken: &[String]) -> String {
    let is_free = |name: &String| !taken.contains(name);
    let plain = [Some(key.untimed.clone()), row.tid.clone()].into_iter().flatten();
    let numbered =
        (2..=taken.len().saturating_add(2)).map(|number| format!("{}{NUMBERED}{number}", key.untimed));
    // There are more numbers than names taken.
    plain.chain(numbered).find(is_free).unwrap_or_default()
}
