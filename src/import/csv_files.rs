//! Reads files in our own columns: one file a table, named after it (`students.csv`), any order of columns,
//! any of the usual separators. It does not know what the database holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cells::{Cells, position};
use super::sheet::{SheetFile, without_repeats};
use super::table::{Headers, Rows};
use super::{ClassRow, Given, GroupRow, Reading, RosterTable, StudentRow, shown_name};

/// Most columns a students file may have; each becomes a column of the table.
const MOST_COLUMNS: usize = 200;
/// Longest name of a further column, in characters.
const LONGEST_NAME: usize = 64;
/// What SQLite calls a row's own number, and so cannot be an ordinary column.
const RESERVED_NAMES: [&str; 3] = ["rowid", "oid", "_rowid_"];
/// File endings that a folder is searched for.
const ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];

/// Reads the given files, or those files of a given folder that are named after our tables.
pub fn read(paths: &[PathBuf]) -> Reading {
    let mut reading = Reading::default();
    let files = files_by_table(&mut reading, paths);
    for (table, path) in files {
        read_file(&mut reading, table, &path);
    }
    reading.row_problems.sort();
    reading
}

fn files_by_table(reading: &mut Reading, paths: &[PathBuf]) -> BTreeMap<RosterTable, PathBuf> {
    let mut files = BTreeMap::new();
    for path in paths {
        for (table, path) in named_files(reading, path) {
            if files.insert(table, path.clone()).is_some() {
                let message = format!("there are two files for the table {table}");
                reading.refuse_file(&shown_name(&path), 1, 1, "duplicate-file", message);
            }
        }
    }
    files
}

fn named_files(reading: &mut Reading, path: &Path) -> Vec<(RosterTable, PathBuf)> {
    let name = shown_name(path);
    if !path.is_dir() {
        if let Some(table) = table_of(path) {
            return vec![(table, path.to_owned())];
        }
        let names = RosterTable::ALL.map(RosterTable::name).join(", ");
        reading.refuse_file(&name, 1, 1, "unknown-file", format!("the file is named after none of {names}"));
        return Vec::new();
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            reading.refuse_file(&name, 1, 1, "not-readable", error.to_string());
            return Vec::new();
        }
    };
    let mut found: Vec<(RosterTable, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| has_table_ending(path))
        .filter_map(|path| table_of(&path).map(|table| (table, path)))
        .collect();
    found.sort();
    if found.is_empty() {
        let message = "the folder holds no file that is named after a table".to_owned();
        reading.refuse_file(&name, 1, 1, "no-files", message);
    }
    found
}

fn table_of(path: &Path) -> Option<RosterTable> {
    let stem = path.file_stem()?.to_str()?.to_ascii_lowercase();
    RosterTable::ALL.into_iter().find(|table| table.name() == stem)
}

fn has_table_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn read_file(reading: &mut Reading, table: RosterTable, path: &Path) {
    let Some(file) = SheetFile::read(reading, path) else {
        return;
    };
    let Some((mut headers, rows)) = file.open(reading) else {
        return;
    };
    if !accept_headers(reading, &file.name, table, &mut headers) {
        return;
    }
    let columns = table.columns();
    let places = [0, 1].map(|at| position(&headers.names, columns.get(at).copied().unwrap_or_default()));
    reading.key_columns.insert(table, places);
    match table {
        RosterTable::Students => read_students(reading, &file, &headers, rows),
        RosterTable::Groups => read_groups(reading, &file, &headers, rows),
        RosterTable::Classes => read_classes(reading, &file, &headers, rows),
        RosterTable::GroupMembers | RosterTable::ClassMembers => {
            read_members(reading, &file, table, &headers, rows);
        }
    }
}

/// Spells our columns as we do and refuses headers that cannot be understood, each with its place.
fn accept_headers(reading: &mut Reading, file: &str, table: RosterTable, headers: &mut Headers) -> bool {
    let before = reading.file_problems.len();
    let own = table.columns();
    for name in &mut headers.names {
        // SQLite does not tell columns apart by case, so a slip there means our column.
        if let Some(column) = own.iter().find(|column| column.eq_ignore_ascii_case(name)) {
            name.replace_range(.., column);
        }
    }
    for (at, name) in headers.names.iter().enumerate() {
        let earlier = headers.names.iter().take(at);
        let fault = if earlier.into_iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            Some(("duplicate-column", format!("column {} has the name of an earlier one", at + 1)))
        } else if own.contains(&name.as_str()) {
            None
        } else if table != RosterTable::Students {
            Some(("unknown-column", format!("the table {table} has only the columns {}", own.join(", "))))
        } else if !is_plausible_name(name) {
            let rule = format!(
                "column {} needs a name of letters, digits and underscores, not more than {LONGEST_NAME}, \
                 that begins with no digit",
                at + 1
            );
            Some(("bad-column", rule))
        } else {
            None
        };
        if let Some((code, message)) = fault {
            reading.refuse_file(file, headers.line, at + 1, code, message);
        }
    }
    let members = matches!(table, RosterTable::GroupMembers | RosterTable::ClassMembers);
    for column in own.iter().take(if members { 2 } else { 1 }) {
        if !headers.names.iter().any(|name| name == column) {
            let message = format!("the column {column} is missing");
            reading.refuse_file(file, headers.line, 1, "missing-column", message);
        }
    }
    if headers.names.len() > MOST_COLUMNS {
        let message = format!("the file has more than {MOST_COLUMNS} columns");
        reading.refuse_file(file, headers.line, 1, "too-many-columns", message);
    }
    reading.file_problems.len() == before
}

fn is_plausible_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        && name.chars().count() <= LONGEST_NAME
        && !RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

fn read_students(reading: &mut Reading, file: &SheetFile, headers: &Headers, rows: Rows<'_>) {
    let own = RosterTable::Students.columns();
    let further: Vec<&str> =
        headers.names.iter().map(String::as_str).filter(|name| !own.contains(name)).collect();
    let read = |cells: &mut Cells<'_>| StudentRow {
        student_id: cells.key("student_id"),
        name: cells.needed("name", "missing-name"),
        gender: cells.text("gender"),
        phone: cells.text("phone"),
        email: cells.text("email"),
        password: cells.verbatim("password"),
        classin_uid: cells.number("classin_uid"),
        active: cells.flag("active"),
        further: further.iter().map(|&name| (name.to_owned(), further_value(cells, name))).collect(),
    };
    let tables = [RosterTable::Students];
    let values = file.values(reading, &tables, (headers, rows), read, |row| Some(&row.student_id));
    for (line, row) in values {
        reading.note_origin(RosterTable::Students, file.index, line);
        reading.rows.students.push(row);
    }
}

fn further_value(cells: &mut Cells<'_>, name: &str) -> String {
    match cells.text(name) {
        Given::Value(text) => text,
        Given::Empty | Given::Nothing => String::new(),
    }
}

fn read_groups(reading: &mut Reading, file: &SheetFile, headers: &Headers, rows: Rows<'_>) {
    let read = |cells: &mut Cells<'_>| GroupRow {
        group_code: cells.key("group_code"),
        title: cells.needed("title", "missing-title"),
        gid: cells.number("gid"),
    };
    let tables = [RosterTable::Groups];
    let values = file.values(reading, &tables, (headers, rows), read, |row| Some(&row.group_code));
    for (line, row) in values {
        reading.note_origin(RosterTable::Groups, file.index, line);
        reading.rows.groups.push(row);
    }
}

fn read_classes(reading: &mut Reading, file: &SheetFile, headers: &Headers, rows: Rows<'_>) {
    let read = |cells: &mut Cells<'_>| {
        let row = ClassRow {
            class_code: cells.key("class_code"),
            title: cells.needed("title", "missing-title"),
            course_id: cells.number("course_id"),
            class_id: cells.number("class_id"),
        };
        if matches!(row.class_id, Given::Value(_)) && row.course_id == Given::Empty {
            let message = "there is a class_id but no course_id".to_owned();
            cells.refuse("course_id", "missing-course", message);
        }
        row
    };
    let tables = [RosterTable::Classes];
    let values = file.values(reading, &tables, (headers, rows), read, |row| Some(&row.class_code));
    for (line, row) in values {
        reading.note_origin(RosterTable::Classes, file.index, line);
        reading.rows.classes.push(row);
    }
}

fn read_members(
    reading: &mut Reading,
    file: &SheetFile,
    table: RosterTable,
    headers: &Headers,
    rows: Rows<'_>,
) {
    let code = table.columns().get(1).copied().unwrap_or_default();
    let read = |cells: &mut Cells<'_>| (cells.key("student_id"), cells.key(code));
    let mut pairs = file.values(reading, &[table], (headers, rows), read, |_| None);
    without_repeats(&mut pairs);
    for (line, pair) in pairs {
        reading.note_origin(table, file.index, line);
        match table {
            RosterTable::ClassMembers => reading.rows.class_members.push(pair),
            RosterTable::GroupMembers
            | RosterTable::Students
            | RosterTable::Groups
            | RosterTable::Classes => {
                reading.rows.group_members.push(pair);
            }
        }
    }
}
