//! The SQL for our five tables: their names, or a school's own queries in parentheses.

use std::collections::HashSet;
use std::path::Path;

use super::RosterError;
use crate::settings::RosterQueries;

/// What `active` of a row of students `s` says: 1 for on the roster, 0 for left, 2 for something that is neither.
pub(super) const ACTIVE: &str = "CASE WHEN s.active = 1 OR s.active IS NULL THEN 1 WHEN s.active = 0 THEN 0 \
     WHEN typeof(s.active) = 'blob' THEN 2 \
     ELSE CASE lower(trim(CAST(s.active AS TEXT), ' ' || char(9, 10, 11, 12, 13, 160, 8203, 12288, 65279))) \
     WHEN '' THEN 1 WHEN '1' THEN 1 WHEN '1.0' THEN 1 WHEN 'yes' THEN 1 WHEN 'true' THEN 1 WHEN 'active' THEN 1 \
     WHEN '在读' THEN 1 WHEN '0' THEN 0 WHEN '0.0' THEN 0 WHEN 'no' THEN 0 WHEN 'false' THEN 0 \
     WHEN 'inactive' THEN 0 WHEN 'left' THEN 0 WHEN '离校' THEN 0 ELSE 2 END END";

/// Columns of students that are read besides the mapped ones.
pub(super) const STUDENT_COLUMNS: [&str; 3] = ["student_id", "active", "classin_uid"];
const GROUP_COLUMNS: [&str; 3] = ["group_code", "title", "gid"];
const GROUP_MEMBER_COLUMNS: [&str; 2] = ["student_id", "group_code"];
const CLASS_COLUMNS: [&str; 4] = ["class_code", "title", "course_id", "class_id"];
const CLASS_MEMBER_COLUMNS: [&str; 2] = ["student_id", "class_code"];

/// A column of a table, as the database declares it: name, type, and place in the primary key.
pub(super) type Declared = (String, String, i64);

/// Columns that hold ids and codes.
const KEYS: [&str; 3] = ["student_id", "group_code", "class_code"];

/// SQLite's own rule for a column that turns numbers into text; INT anywhere makes it a whole number.
fn becomes_text(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    !declared.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|word| declared.contains(word))
}

/// One of the five.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// As it is asked while the roster is opened: the table, or the query as it was given.
    pub(super) given: String,
    /// The columns that it must have.
    pub(super) columns: Vec<String>,
    is_query: bool,
    /// Whether the table stores ids and codes as plain text.
    is_plain: bool,
    /// Whether its own id is a primary key alone, so that none comes twice (but NULL).
    is_unique: bool,
}

impl Table {
    fn new(name: &'static str, query: Option<&String>, columns: &[&str], more: &[String]) -> Self {
        // The line end closes a comment at the end of the query.
        let own = query.map(|query| format!("({}\n)", query.trim().trim_end_matches(';')));
        let mut seen = HashSet::new();
        let columns = columns.iter().map(|column| (*column).to_owned()).chain(more.iter().cloned());
        let columns = columns.filter(|column| seen.insert(column.to_lowercase())).collect();
        let is_query = own.is_some();
        let given = own.unwrap_or_else(|| name.to_owned());
        Self { name, given, columns, is_query, is_plain: false, is_unique: false }
    }

    /// Reads the database's declaration of the table; an empty one for a missing table.
    pub(super) fn learn(&mut self, declared: &[Declared]) {
        if self.is_query {
            return;
        }
        let mut keys = declared.iter().filter(|(name, _, _)| KEYS.contains(&name.as_str())).peekable();
        self.is_plain = keys.peek().is_some() && keys.all(|(_, declared, _)| becomes_text(declared));
        let primary: Vec<&str> =
            declared.iter().filter(|(_, _, place)| *place > 0).map(|(name, _, _)| name.as_str()).collect();
        self.is_unique = matches!(primary.as_slice(), [name] if KEYS.contains(name));
    }

    /// The error where it cannot be read at all, with what SQLite says.
    pub(super) fn cannot_be_read(&self, path: &Path, message: &str) -> RosterError {
        let (path, table) = (path.to_owned(), self.name);
        if self.is_query {
            return RosterError::Query { path, table, what: format!("the query cannot be used ({message})") };
        }
        let what = format!(
            "there is no table {table}: enter the right path, create it with `rosterd import csv FILE…`, or name the school's \
             own table in roster.queries.{table} ({message})"
        );
        RosterError::Schema { path, what }
    }

    /// The error where it lacks a column.
    pub(super) fn lacks(&self, path: &Path, column: &str, message: &str) -> RosterError {
        let (path, table) = (path.to_owned(), self.name);
        if self.is_query {
            let what = format!("the query returns no column {column} ({message})");
            return RosterError::Query { path, table, what };
        }
        let what = format!(
            "table {table} has no column {column}: add it, or change exam.fields or roster.queries.{table} ({message})"
        );
        RosterError::Schema { path, what }
    }

    /// The columns that hold ids and codes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str).filter(|column| KEYS.contains(column))
    }

    /// The SQL that reads the table. Ids and codes become text without a collation of their own, so that any
    /// of them can be joined and ordered. The LIMIT keeps SQLite from flattening the subquery, so that it
    /// builds an index for the join.
    fn read(&self) -> String {
        if self.is_plain {
            return self.given.clone();
        }
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let name = quoted(column);
                if KEYS.contains(&column.as_str()) {
                    format!("CAST(q.{name} AS TEXT) AS {name}")
                } else {
                    format!("q.{name} AS {name}")
                }
            })
            .collect();
        format!("(SELECT {} FROM {} AS q LIMIT -1)", columns.join(", "), self.given)
    }
}

/// All five, as they are read.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) students: String,
    pub(super) groups: String,
    pub(super) group_members: String,
    pub(super) classes: String,
    pub(super) class_members: String,
    /// Whether a student id may come twice.
    pub(super) may_repeat: bool,
    /// Whether these are copies, with ids and codes in normal form.
    is_copy: bool,
}

/// The five tables as they are given, with what each must have; `columns` are the mapped ones of students.
pub(super) fn given(queries: &RosterQueries, columns: &[String]) -> [Table; 5] {
    [
        Table::new("students", queries.students.as_ref(), &STUDENT_COLUMNS, columns),
        Table::new("groups", queries.groups.as_ref(), &GROUP_COLUMNS, &[]),
        Table::new("group_members", queries.group_members.as_ref(), &GROUP_MEMBER_COLUMNS, &[]),
        Table::new("classes", queries.classes.as_ref(), &CLASS_COLUMNS, &[]),
        Table::new("class_members", queries.class_members.as_ref(), &CLASS_MEMBER_COLUMNS, &[]),
    ]
}

impl Tables {
    /// As they are read.
    pub(super) fn new(given: &[Table; 5]) -> Self {
        let [students, groups, group_members, classes, class_members] = given;
        Self {
            students: students.read(),
            groups: groups.read(),
            group_members: group_members.read(),
            classes: classes.read(),
            class_members: class_members.read(),
            may_repeat: !students.is_unique,
            is_copy: false,
        }
    }

    /// As they are read where ids are not in normal form: copies in which they are.
    pub(super) fn normalised() -> Self {
        Self {
            students: copy_of("students"),
            groups: copy_of("groups"),
            group_members: copy_of("group_members"),
            classes: copy_of("classes"),
            class_members: copy_of("class_members"),
            may_repeat: true,
            is_copy: true,
        }
    }

    /// Whether the row `alias` has an id that is stored as binary data.
    pub(super) fn has_binary_id(&self, alias: &str) -> String {
        if self.is_copy { format!("{alias}.rosterd_binary_id") } else { "0".to_owned() }
    }

    /// The id of the row `alias` as the roster has it; `key` is its column.
    pub(super) fn raw_id(&self, alias: &str, key: &str) -> String {
        let column = if self.is_copy { "rosterd_raw_id" } else { key };
        format!("CAST({alias}.{column} AS TEXT)")
    }
}

/// The copy of a table in which ids and codes are in normal form.
pub(super) fn copy_of(table: &str) -> String {
    format!("temp.rosterd_{table}")
}

/// The column as a quoted SQL name.
pub(super) fn quoted(column: &str) -> String {
    format!("\"{}\"", column.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(declared: &[(&str, &str, i64)]) -> Table {
        let mut table = Table::new("students", None, &["student_id"], &[]);
        let declared: Vec<Declared> =
            declared.iter().map(|(name, kind, key)| ((*name).to_owned(), (*kind).to_owned(), *key)).collect();
        table.learn(&declared);
        table
    }

    #[test]
    fn only_a_table_whose_keys_become_text_is_read_as_it_stands() {
        let kinds =
            [("TEXT", true), ("varchar(20)", true), ("INTEGER", false), ("", false), ("CHARINT", false)];
        for (kind, is_plain) in kinds {
            assert_eq!(table(&[("student_id", kind, 1)]).is_plain, is_plain, "{kind}");
        }
        assert!(!table(&[]).is_plain);
    }

    #[test]
    fn only_a_primary_key_of_one_column_is_known_to_be_unique() {
        assert!(table(&[("student_id", "TEXT", 1)]).is_unique);
        assert!(!table(&[("student_id", "TEXT", 1), ("name", "TEXT", 2)]).is_unique);
        assert!(!table(&[("student_id", "TEXT", 0)]).is_unique);
        assert!(!table(&[("student_id", "TEXT", 0), ("number", "INTEGER", 1)]).is_unique);
    }
}
