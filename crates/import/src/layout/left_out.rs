//! Rows of a file that are none of the table, with their lines and what they say.

use crate::table::Row;

/// Lines that a note names.
const SHOWN_LINES: usize = 5;
/// Letters that are shown of such a row.
const SHOWN_LETTERS: usize = 40;

/// Rows of the file that are none of the table.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    pub(crate) repeated: Lines,
    pub(crate) totals: Lines,
    pub(crate) notes: Lines,
    pub(crate) pages: Lines,
    /// Titles of classes between their students.
    pub(crate) titles: Lines,
    /// Those titles are the groups of the rows below them.
    pub(crate) are_groups: bool,
}

/// How many lines, and the first of them with their texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) count: u64,
    pub(crate) first: Vec<u64>,
    pub(crate) texts: Vec<String>,
}

impl Lines {
    pub(super) fn push(&mut self, row: &Row) {
        self.count += 1;
        if self.first.len() < SHOWN_LINES {
            self.first.push(row.line);
            let filled: Vec<&str> =
                row.fields.iter().map(str::trim).filter(|field| !field.is_empty()).collect();
            self.texts.push(crate::shown(&filled.join(" ")).chars().take(SHOWN_LETTERS).collect());
        }
    }
}
