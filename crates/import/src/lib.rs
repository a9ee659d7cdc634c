//! Files into roster rows: what the readers of each file format share.
//!
//! Readers decide nothing about the database and write nothing. They hand rows over in small lots as they
//! come ([`RowSink`]), so that memory stays flat however large a file is, and all problems at once at the
//! end ([`Reading`]). The roster writer (`store::roster_writer`) compares the rows with what a database
//! holds and applies them.

mod bundle;
mod cells;
mod classic_sds;
pub mod clever;
mod clever_terms;
pub mod csv_files;
mod cut_off;
mod dates;
mod decoding;
mod discover;
mod encoding;
mod fill;
mod grade_names;
mod header_words;
mod heading;
mod layout;
mod made;
mod mapping;
mod marks;
mod names;
mod no_values;
pub mod oneroster;
mod row_sink;
mod rows;
mod samples;
mod scientific;
mod seen;
mod sheet;
mod sniff;
mod spoiled;
mod status;
mod table;
mod workbook;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

pub use cells::{NO, YES};
pub use encoding::{FileEncoding, encoding_named};
pub use mapping::ColumnMap;
pub use no_values::NOTHING;
pub use row_sink::{LOTS_UNDER_WAY, RowSink};
pub use rows::{
    CellValue, ClassRow, GroupRow, Item, LocatedRow, Person, RosterRows, RosterTable, StudentRow,
};
pub use sniff::ReadOptions;
pub use spoiled::{code_as_read, computes, id_as_read, text_as_read};

/// Problems that are kept with their places; of further ones only the number is.
pub const MOST_PROBLEMS: usize = 10_000;

/// Something wrong in a file. It names columns and rules, never a value but the student's own id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ImportProblem {
    /// The file's name; of a workbook with the sheet's in brackets.
    pub file: String,
    /// Line or row within it, from 1; where a row spans lines, its first.
    pub line: u64,
    /// Number of the column, from 1; 1 where the whole row is meant.
    pub column: usize,
    /// Stable name of the rule that was broken, such as `missing-id`.
    pub code: &'static str,
    /// The rule as a sentence without a full stop.
    pub message: String,
}

impl fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}: {}", self.file, self.line, self.column, self.code, self.message)
    }
}

/// Columns of a file that were not taken over, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedColumns {
    /// The file's name.
    pub file: String,
    /// Why, such as `demographics`.
    pub reason: &'static str,
    /// The columns as the file names them.
    pub columns: Vec<String>,
}

/// Something about the files that an admin should know, and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Notice {
    /// The file's name; empty where all files are meant.
    pub file: String,
    /// A sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, message } = self;
        if file.is_empty() { f.write_str(message) } else { write!(f, "{file}: {message}") }
    }
}

/// Whether files are all there is, or some of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Data missing from the rows stays as it is.
    Partial,
    /// Students missing from a complete table have left, memberships missing from one are removed.
    /// Groups and classes stay: their ids are needed to take people out of them.
    Whole,
}

/// A reader's findings about files, besides the rows that it handed over.
#[derive(Debug, Default)]
#[must_use]
pub struct Reading {
    /// Problems that make a whole file unusable: unreadable, wrong header. No row can be trusted then.
    pub file_problems: Vec<ImportProblem>,
    /// Bad rows, [`MOST_PROBLEMS`] at most.
    pub row_problems: Vec<ImportProblem>,
    /// Bad rows beyond those.
    pub unlisted_problems: u64,
    /// Columns left out on purpose.
    pub skipped_columns: Vec<SkippedColumns>,
    /// Other remarks.
    pub notices: Vec<Notice>,
    /// Files that were read.
    pub files: Vec<String>,
    /// Text files whose last line has no line end, as those have that were cut off, and those of some programs.
    pub unended: Vec<String>,
    /// Some column holds departments, which are paths and several in a cell.
    pub has_departments: bool,
    /// The numbers of files whose ids are accounts, which are words or numbers.
    pub of_accounts: BTreeSet<usize>,
    /// Tables that had a file with good rows only. Absence counts only in these, and only when the rows are
    /// applied as the whole truth.
    pub complete: BTreeSet<RosterTable>,
    /// Tables with a bad row.
    refused: BTreeSet<RosterTable>,
    /// Rows that were read of each table.
    pub row_counts: BTreeMap<RosterTable, u64>,
    /// The newest change that the files tell of, as RFC 3339 in UTC to the millisecond.
    pub newest: Option<String>,
    /// Set where the files themselves say whether they are the whole truth.
    pub completeness: Option<Completeness>,
    /// Per table, the numbers of the key's column and of the one after it (name, title or second key).
    key_columns: BTreeMap<RosterTable, [usize; 2]>,
}

impl Reading {
    /// Tables that have bad rows, in order.
    #[must_use]
    pub fn incomplete_tables(&self) -> Vec<RosterTable> {
        let read = self.key_columns.keys().copied();
        read.filter(|table| !self.complete.contains(table)).collect()
    }

    /// The numbers of a table's key column and of the one after it in its file.
    #[must_use]
    pub fn key_columns(&self, table: RosterTable) -> [usize; 2] {
        self.key_columns.get(&table).copied().unwrap_or([1, 1])
    }

    /// The name of a file by its number.
    #[must_use]
    pub fn file_name(&self, file: usize) -> String {
        self.files.get(file).cloned().unwrap_or_default()
    }

    /// Records a bad row; what its tables lack from now on says nothing.
    pub fn refuse_row(&mut self, tables: &[RosterTable], problem: ImportProblem) {
        self.doubt(tables);
        if self.row_problems.len() < MOST_PROBLEMS {
            self.row_problems.push(problem);
        } else {
            self.unlisted_problems += 1;
        }
    }

    /// Bad rows so far, listed or not.
    fn problem_count(&self) -> u64 {
        self.unlisted_problems.saturating_add(u64::try_from(self.row_problems.len()).unwrap_or(u64::MAX))
    }

    /// From now on, absence from these tables counts for nothing.
    fn doubt(&mut self, tables: &[RosterTable]) {
        self.complete.retain(|table| !tables.contains(table));
        self.refused.extend(tables);
    }

    /// Sorts the problems; a row of two tables has each problem once.
    pub fn sort_problems(&mut self) {
        self.row_problems.sort();
        self.row_problems.dedup();
        self.notices.sort();
        self.notices.dedup();
    }

    /// A file of these tables is read: unless a row of theirs was or is refused, they are complete.
    fn begin_tables(&mut self, tables: &[RosterTable]) {
        self.complete.extend(tables.iter().filter(|table| !self.refused.contains(table)));
    }

    fn note_file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
    }

    fn notice(&mut self, file: &str, message: impl Into<String>) {
        self.notices.push(Notice { file: file.to_owned(), message: message.into() });
    }

    fn refuse_file(&mut self, file: &str, line: u64, column: usize, code: &'static str, message: String) {
        self.file_problems.push(ImportProblem { file: file.to_owned(), line, column, code, message });
    }
}

/// A name by which a file is shown: its own, without the folders before it.
fn shown_name(path: &std::path::Path) -> String {
    shown(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

/// A text as one word of a command that somebody copies into a shell.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text from a file that may be shown: no control characters, and not endless.
fn shown(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '?' } else { c }).collect()
}
