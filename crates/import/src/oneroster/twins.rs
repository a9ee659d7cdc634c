//! People whom a delta names under two ids: one identifier or login name stands in the rows of both.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use crate::{Reading, StudentRow, in_quotes};

/// Columns that name one person, and whether both may be here: brothers and sisters share an address.
const COLUMNS: [(&str, bool); 3] = [("identifier", true), ("username", true), ("email", false)];
/// People whose values are remembered.
const MOST: usize = 1_000_000;
/// Pairs that are named.
const SHOWN: usize = 10;

/// Whose value is remembered.
#[derive(Clone, Debug)]
struct Known {
    reference: String,
    student_id: String,
    departs: bool,
}

/// What names the people of a delta.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// By 64 bits of the column and the value, with keys of this import alone.
    known: HashMap<u64, Known>,
    keys: RandomState,
    /// The old id, the new one, and what both have.
    found: BTreeSet<(String, String, &'static str)>,
}

impl Twins {
    /// Remembers a person, who may be another one of before.
    pub(super) fn note(
        &mut self,
        (row, reference, departs): (&StudentRow, &str, bool),
        values: [&str; 3],
        id_column: &str,
    ) {
        let student_id = if row.student_id.is_empty() { reference } else { &row.student_id };
        for ((column, may_both_be_here), value) in COLUMNS.into_iter().zip(values) {
            if value.is_empty() || column == id_column {
                continue;
            }
            let key = self.keys.hash_one((column, value.to_lowercase()));
            let this =
                || Known { reference: reference.to_owned(), student_id: student_id.to_owned(), departs };
            match self.known.get(&key) {
                None if self.known.len() < MOST => {
                    self.known.insert(key, this());
                }
                Some(other)
                    if other.reference != reference
                        && !(other.departs && departs)
                        && (may_both_be_here || other.departs != departs) =>
                {
                    let (old, new) = if departs {
                        (student_id, &*other.student_id)
                    } else {
                        (&*other.student_id, student_id)
                    };
                    let (old, new) = (old.to_owned(), new.to_owned());
                    if self.found.iter().all(|(found, other, _)| (found, other) != (&old, &new)) {
                        self.found.insert((old, new, column));
                    }
                }
                Some(_) | None => {}
            }
        }
    }

    /// Names the pairs.
    pub(super) fn tell(&self, reading: &mut Reading) {
        for (old, new, column) in self.found.iter().take(SHOWN) {
            let message = format!(
                "{} and {} have one {column}: where they are one person whose id is new, type rosterd relink {} {} before the next \
                 run, which carries the candidate and the results over",
                crate::shown(old),
                crate::shown(new),
                in_quotes(old),
                in_quotes(new)
            );
            reading.notice("users.csv", message);
        }
        if let Some(more) = self.found.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            reading.notice(
                "users.csv",
                format!("{more} more pairs of ids have one identifier, username or email each"),
            );
        }
    }
}
