//! Files into roster rows: what the readers of each file format share.
//!
//! Readers decide nothing about the database and write nothing. They hand over rows and all problems at
//! once; [`references::check`] compares the rows with the keys a database holds, and the roster writer
//! (`store::roster_writer`) applies them.

mod cells;
pub mod clever;
pub mod csv_files;
mod decoding;
pub mod references;
mod sheet;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

/// One table of the roster database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterTable {
    /// People.
    Students,
    /// Exam-side groups.
    Groups,
    /// Who is in which group.
    GroupMembers,
    /// `ClassIn` classes.
    Classes,
    /// Who is in which class.
    ClassMembers,
}

impl RosterTable {
    /// All tables, owners before their members.
    pub const ALL: [Self; 5] =
        [Self::Students, Self::Groups, Self::GroupMembers, Self::Classes, Self::ClassMembers];

    /// The table's name in the database and the stem of its file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Students => "students",
            Self::Groups => "groups",
            Self::GroupMembers => "group_members",
            Self::Classes => "classes",
            Self::ClassMembers => "class_members",
        }
    }

    /// The table's own columns; the first is the key, and of member tables the first two are.
    #[must_use]
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Students => {
                &["student_id", "name", "gender", "phone", "email", "password", "classin_uid", "active"]
            }
            Self::Groups => &["group_code", "title", "gid"],
            Self::GroupMembers => &["student_id", "group_code"],
            Self::Classes => &["class_code", "title", "course_id", "class_id"],
            Self::ClassMembers => &["student_id", "class_code"],
        }
    }
}

impl fmt::Display for RosterTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a file says about one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Nothing: the database keeps what it has.
    #[default]
    Nothing,
    /// That there is none: the database's value is cleared.
    Empty,
    /// This value.
    Value(T),
}

impl<T> Given<T> {
    /// The same statement about a borrowed value.
    #[must_use]
    pub fn as_ref(&self) -> Given<&T> {
        match self {
            Self::Nothing => Given::Nothing,
            Self::Empty => Given::Empty,
            Self::Value(value) => Given::Value(value),
        }
    }

    /// True unless nothing was said.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

impl Given<String> {
    /// A text that was given: empty text clears.
    #[must_use]
    pub fn text(value: String) -> Self {
        if value.is_empty() { Self::Empty } else { Self::Value(value) }
    }
}

/// One student as files give it. Values are personal: there is no output of them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StudentRow {
    /// The school's own id.
    pub student_id: String,
    /// Full name; never [`Given::Empty`] when it comes from a reader.
    pub name: Given<String>,
    /// Gender as the school writes it.
    pub gender: Given<String>,
    /// Telephone number.
    pub phone: Given<String>,
    /// Mail address.
    pub email: Given<String>,
    /// Initial password, kept to the letter.
    pub password: Given<String>,
    /// The `ClassIn` account.
    pub classin_uid: Given<i64>,
    /// Whether the student is there. Left out, a new student is, and one on a whole roster is.
    pub active: Given<bool>,
    /// Further columns by name; an empty value clears, an absent column is left as it is.
    pub further: BTreeMap<String, String>,
}

impl fmt::Debug for StudentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StudentRow({}, masked)", self.student_id)
    }
}

/// One group as files give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRow {
    /// The school's code.
    pub group_code: String,
    /// What people call it.
    pub title: Given<String>,
    /// The exam side's id.
    pub gid: Given<i64>,
}

/// One class as files give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassRow {
    /// The school's code.
    pub class_code: String,
    /// What people call it.
    pub title: Given<String>,
    /// The `ClassIn` course.
    pub course_id: Given<i64>,
    /// The `ClassIn` class within the course.
    pub class_id: Given<i64>,
}

/// Everything that files say about a roster.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RosterRows {
    /// People, each id once.
    pub students: Vec<StudentRow>,
    /// Groups, each code once.
    pub groups: Vec<GroupRow>,
    /// Student id and group code, each pair once.
    pub group_members: Vec<(String, String)>,
    /// Classes, each code once.
    pub classes: Vec<ClassRow>,
    /// Student id and class code, each pair once.
    pub class_members: Vec<(String, String)>,
    /// Tables that had a file whose every row was good. Only of these can absence mean anything, and only
    /// when the rows are applied as the whole truth.
    pub complete: BTreeSet<RosterTable>,
}

impl fmt::Debug for RosterRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { students, groups, group_members, classes, class_members, complete } = self;
        f.debug_struct("RosterRows")
            .field("students", &students.len())
            .field("groups", &groups.len())
            .field("group_members", &group_members.len())
            .field("classes", &classes.len())
            .field("class_members", &class_members.len())
            .field("complete", complete)
            .finish()
    }
}

/// Something wrong in a file. It names columns and rules, never a value but the student's own id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ImportProblem {
    /// The file's name.
    pub file: String,
    /// Line within it, from 1; where a row spans lines, its first.
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

/// Where a row stood.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    file: usize,
    line: u64,
}

/// What a reader made of files: rows, and everything that was wrong.
#[derive(Debug, Default)]
#[must_use]
pub struct Reading {
    /// The good rows.
    pub rows: RosterRows,
    /// Problems that make a whole file unusable: unreadable, wrong header. No row can be trusted then.
    pub file_problems: Vec<ImportProblem>,
    /// Bad rows; they are not among [`Reading::rows`].
    pub row_problems: Vec<ImportProblem>,
    /// What was left out on purpose.
    pub skipped_columns: Vec<SkippedColumns>,
    /// Files that were read.
    pub files: Vec<String>,
    /// Per table and in the order of its rows, where each stood.
    origins: BTreeMap<RosterTable, Vec<Origin>>,
    /// Per table, the numbers of the key's column and of the one after it (name, title or second key).
    key_columns: BTreeMap<RosterTable, [usize; 2]>,
}

impl Reading {
    /// Tables that have bad rows, in order.
    #[must_use]
    pub fn incomplete_tables(&self) -> Vec<RosterTable> {
        let read = self.key_columns.keys().copied();
        read.filter(|table| !self.rows.complete.contains(table)).collect()
    }

    fn note_file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
    }

    fn note_origin(&mut self, table: RosterTable, file: usize, line: u64) {
        self.origins.entry(table).or_default().push(Origin { file, line });
    }

    fn refuse_file(&mut self, file: &str, line: u64, column: usize, code: &'static str, message: String) {
        self.file_problems.push(ImportProblem { file: file.to_owned(), line, column, code, message });
    }

    /// Records a bad row; what its tables lack from now on says nothing.
    fn refuse_row(&mut self, tables: &[RosterTable], problem: ImportProblem) {
        self.rows.complete.retain(|table| !tables.contains(table));
        self.row_problems.push(problem);
    }

    fn file_name(&self, origin: &Origin) -> String {
        self.files.get(origin.file).cloned().unwrap_or_default()
    }
}

/// A name by which a file is shown: its own, without the folders before it.
fn shown_name(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
