//! One file into values of one kind: opens it, finds its headers, reports every bad row, and drops rows
//! whose key stands twice. The readers say what the columns mean.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::cells::Cells;
use super::decoding::read_text;
use super::table::{Headers, Rows, Sheet};
use super::{ImportProblem, Reading, RosterTable, shown_name};

/// A file that was read as text.
pub(super) struct SheetFile {
    /// Its number among the files of the import.
    pub(super) index: usize,
    /// Its name in problems.
    pub(super) name: String,
    sheet: Sheet,
}

impl SheetFile {
    /// Reads a file; `None`, with a problem, when it cannot be read as text.
    pub(super) fn read(reading: &mut Reading, path: &Path) -> Option<Self> {
        let name = shown_name(path);
        let index = reading.note_file(&name);
        match read_text(path) {
            Ok(text) => Some(Self { index, name, sheet: Sheet::new(text) }),
            Err(unreadable) => {
                reading.refuse_file(&name, unreadable.line, 1, unreadable.code, unreadable.message);
                None
            }
        }
    }

    /// The headers and the rows below; `None`, with a problem, when there are no headers.
    pub(super) fn open(&self, reading: &mut Reading) -> Option<(Headers, Rows<'_>)> {
        match self.sheet.open() {
            Ok(Some((headers, rows))) if !headers.names.is_empty() => Some((headers, rows)),
            Ok(_) => {
                let message = "the file has no header line".to_owned();
                reading.refuse_file(&self.name, 1, 1, "empty-file", message);
                None
            }
            Err(fault) => {
                reading.refuse_file(&self.name, fault.line, 1, fault.code, fault.message);
                None
            }
        }
    }

    /// Reads all rows into values with the lines they start in. From here on the tables count as complete,
    /// until a row of theirs is refused.
    ///
    /// `key` names what may stand only once, `None` where a row may be repeated. Of rows with one key none
    /// is kept, since nothing says which of them is right.
    pub(super) fn values<R>(
        &self,
        reading: &mut Reading,
        tables: &[RosterTable],
        (headers, rows): (&Headers, Rows<'_>),
        read: impl Fn(&mut Cells<'_>) -> R,
        key: impl Fn(&R) -> Option<&str>,
    ) -> Vec<(u64, R)> {
        reading.rows.complete.extend(tables);
        let mut values = Vec::new();
        let mut first_lines: HashMap<String, u64> = HashMap::new();
        let mut doubled = HashSet::new();
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err(fault) => {
                    let problem = self.problem(fault.line, 1, fault.code, fault.message);
                    reading.refuse_row(tables, problem);
                    continue;
                }
            };
            let mut cells = Cells::new(&self.name, row.line, &headers.names, &row.fields);
            let value = read(&mut cells);
            let problems = cells.problems;
            if let Some(key) = key(&value).filter(|key| !key.is_empty()) {
                if let Some(&first) = first_lines.get(key) {
                    let message = format!("{key} stands in lines {first} and {}", row.line);
                    reading.refuse_row(tables, self.problem(row.line, 1, "duplicate-id", message));
                    doubled.insert(key.to_owned());
                } else {
                    first_lines.insert(key.to_owned(), row.line);
                }
            }
            if problems.is_empty() {
                values.push((row.line, value));
            }
            for problem in problems {
                reading.refuse_row(tables, problem);
            }
        }
        values.retain(|(_, value)| key(value).is_none_or(|key| !doubled.contains(key)));
        values
    }

    fn problem(&self, line: u64, column: usize, code: &'static str, message: String) -> ImportProblem {
        ImportProblem { file: self.name.clone(), line, column, code, message }
    }
}

/// Removes repeated pairs; the first of each stays where it is.
pub(super) fn without_repeats(pairs: &mut Vec<(u64, (String, String))>) {
    let mut seen = HashSet::with_capacity(pairs.len());
    pairs.retain(|(_, pair)| seen.insert(pair.clone()));
}
