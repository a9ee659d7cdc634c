//! Reads files with one table each: CSV in our own columns or in mapped ones, named after the table
//! (`students.csv`), any order of columns, any of the usual separators; or sheets of a workbook. It does not
//! know what the database holds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::cells::{Cells, position};
use super::discover::{files_by_table, table_named};
use super::excel::{Workbook, is_workbook};
use super::mapping::ColumnMap;
use super::sheet::{FileRef, FileSource, consume, read_text, refuse_without_rows};
use super::sniff::ReadOptions;
use super::table::{AnyRows, Headers};
use super::{
    CellValue, ClassRow, GroupRow, Item, Person, RosterTable, RowSink, SkippedColumns, StudentRow, shown_name,
};

/// Most columns a students file may have; each becomes a column of the table.
const MOST_COLUMNS: usize = 200;
/// Longest name of a further column, in characters.
const LONGEST_NAME: usize = 64;
/// SQLite's names for a row's own number, which cannot be ordinary columns.
const RESERVED_NAMES: [&str; 3] = ["rowid", "oid", "_rowid_"];
/// Columns of a students file that name the student's group or class, where they are mapped.
const OWNER_COLUMNS: [(&str, RosterTable); 2] =
    [("group_code", RosterTable::GroupMembers), ("class_code", RosterTable::ClassMembers)];

/// The admin's options for files with one table each.
#[derive(Clone, Debug, Default)]
pub struct CsvOptions {
    /// Their names for our columns. A file that is not named after a table is then one of students.
    pub map: ColumnMap,
    /// Encoding and separator, where they are not to be found out.
    pub reading: ReadOptions,
    /// The sheet of a workbook; absent: those named after tables, else the first.
    pub sheet: Option<String>,
    /// The files are the whole truth.
    pub whole: bool,
}

/// Reads the given files, or those files of a given folder that are named after our tables.
pub fn read(sink: &mut RowSink, paths: &[PathBuf], options: &CsvOptions) {
    for (table, path) in files_by_table(sink, paths, !options.map.is_empty()) {
        read_file(sink, table, &path, options);
    }
}

fn read_file(sink: &mut RowSink, table: Option<RosterTable>, path: &Path, options: &CsvOptions) {
    if is_workbook(path) {
        return read_workbook(sink, table, path, options);
    }
    let file = FileRef::note(sink, shown_name(path));
    let table = table.unwrap_or(RosterTable::Students);
    let mut source = FileSource(path.to_owned());
    read_text(sink, &file, &mut source, options.reading, &mut |sink, file, headers, rows| {
        read_table(sink, file, table, options, headers, rows);
    });
}

/// Reads the sheets named after tables; without such sheets, the one asked for, or the first.
fn read_workbook(sink: &mut RowSink, table: Option<RosterTable>, path: &Path, options: &CsvOptions) {
    let Some(mut workbook) = Workbook::open(sink, path) else { return };
    let names = workbook.sheet_names();
    let refuse = |sink: &mut RowSink, code, message| {
        sink.reading.refuse_file(&shown_name(path), 1, 1, code, message);
    };
    let own: Vec<(RosterTable, String)> =
        names.iter().filter_map(|name| Some((table_named(name)?, name.clone()))).collect();
    let sheets = match (&options.sheet, table) {
        (Some(wanted), _) => match names.iter().find(|name| *name == wanted) {
            Some(name) => vec![(table.unwrap_or(RosterTable::Students), name.clone())],
            None => {
                let message = format!("there is no sheet {}", super::shown(wanted));
                return refuse(sink, "missing-sheet", message);
            }
        },
        (None, _) if !own.is_empty() => own,
        (None, Some(table)) => names.first().map(|name| (table, name.clone())).into_iter().collect(),
        (None, None) if !options.map.is_empty() => {
            names.first().map(|name| (RosterTable::Students, name.clone())).into_iter().collect()
        }
        (None, None) => {
            let message = "neither the workbook nor a sheet of it is named after a table (--map says which \
                           columns are ours, --sheet which sheet)";
            return refuse(sink, "unknown-file", message.to_owned());
        }
    };
    if names.len() > sheets.len() {
        let read: Vec<String> = sheets.iter().map(|(_, name)| super::shown(name)).collect();
        let message = format!("of {} sheets only {} was read", names.len(), read.join(", "));
        sink.reading.notice(&shown_name(path), message);
    }
    for (table, sheet) in sheets {
        workbook.read(sink, &sheet, &mut |sink, file, headers, rows| {
            read_table(sink, file, table, options, headers, rows);
        });
    }
}

fn read_table(
    sink: &mut RowSink,
    file: &FileRef,
    table: RosterTable,
    options: &CsvOptions,
    mut headers: Headers,
    rows: &mut AnyRows<'_>,
) {
    let owners = owner_columns(table, options);
    if !rename(sink, file, table, options, &mut headers)
        || !accept_headers(sink, &file.name, table, &owners, !options.map.is_empty(), &mut headers)
    {
        return;
    }
    let columns = table.columns();
    let places = [0, 1].map(|at| position(&headers.names, columns.get(at).copied().unwrap_or_default()));
    sink.reading.key_columns.insert(table, places);
    for (column, members) in &owners {
        let places = ["student_id", column].map(|name| position(&headers.names, name));
        sink.reading.key_columns.insert(*members, places);
    }
    let count = match table {
        RosterTable::Students => read_students(sink, file, &owners, &headers, rows),
        RosterTable::Groups => read_groups(sink, file, &headers, rows),
        RosterTable::Classes => read_classes(sink, file, &headers, rows),
        RosterTable::GroupMembers | RosterTable::ClassMembers => {
            read_members(sink, file, table, &headers, rows)
        }
    };
    // A whole roster without students is refused as such.
    if count == 0 && !(options.whole && table == RosterTable::Students) {
        refuse_without_rows(sink, file);
    }
}

fn owner_columns(table: RosterTable, options: &CsvOptions) -> Vec<(&'static str, RosterTable)> {
    let mapped = |(column, _): &(&str, RosterTable)| options.map.names(column);
    if table == RosterTable::Students {
        OWNER_COLUMNS.into_iter().filter(mapped).collect()
    } else {
        Vec::new()
    }
}

/// Puts our names in the place of theirs; false, with problems, where the mapping does not fit.
fn rename(
    sink: &mut RowSink,
    file: &FileRef,
    table: RosterTable,
    options: &CsvOptions,
    headers: &mut Headers,
) -> bool {
    if options.map.is_empty() {
        return true;
    }
    match options.map.rename(headers, table.columns()) {
        Ok(columns) => {
            if !columns.is_empty() {
                let skipped = SkippedColumns { file: file.name.clone(), reason: "not mapped", columns };
                sink.reading.skipped_columns.push(skipped);
            }
            true
        }
        Err(faults) => {
            for fault in faults {
                file.refuse(sink, headers.line, fault.code, fault.message);
            }
            false
        }
    }
}

/// Spells our columns as we do and refuses headers that cannot be understood, each with its place.
fn accept_headers(
    sink: &mut RowSink,
    file: &str,
    table: RosterTable,
    owners: &[(&str, RosterTable)],
    is_mapped: bool,
    headers: &mut Headers,
) -> bool {
    let reading = &mut sink.reading;
    let before = reading.file_problems.len();
    let own = table.columns();
    for name in &mut headers.names {
        // SQLite does not tell columns apart by case, so a slip there means our column.
        if let Some(column) = own.iter().find(|column| column.eq_ignore_ascii_case(name)) {
            name.replace_range(.., column);
        }
    }
    let is_owner = |name: &str| owners.iter().any(|(column, _)| *column == name);
    // A column left out by the mapping has no name.
    let named = headers.names.iter().enumerate().filter(|(_, name)| !is_mapped || !name.is_empty());
    for (at, name) in named {
        let earlier = headers.names.iter().take(at);
        let fault = if earlier.into_iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            Some(("duplicate-column", format!("column {} has the name of an earlier one", at + 1)))
        } else if own.contains(&name.as_str()) || is_owner(name) {
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

fn read_students(
    sink: &mut RowSink,
    file: &FileRef,
    owners: &[(&'static str, RosterTable)],
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    let own = RosterTable::Students.columns();
    let is_further = |name: &&str| {
        !name.is_empty() && !own.contains(name) && !owners.iter().any(|(column, _)| column == name)
    };
    let further: Vec<&str> = headers.names.iter().map(String::as_str).filter(is_further).collect();
    let tables: Vec<RosterTable> =
        std::iter::once(RosterTable::Students).chain(owners.iter().map(|(_, members)| *members)).collect();
    let mut made_up = BTreeSet::new();
    consume(sink, file, &tables, (headers, rows), |cells, items| {
        let row = StudentRow {
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
        for (column, members) in owners {
            if let CellValue::Value(code) = cells.text(column) {
                if made_up.insert((*members, code.clone())) {
                    items.push(made_up_owner(*members, &code));
                }
                let student = row.student_id.clone();
                items.push(Item::Member { table: *members, student, code, departs: false });
            }
        }
        items.push(student(row));
    })
}

/// A group or class that is known by its name alone.
fn made_up_owner(members: RosterTable, code: &str) -> Item {
    let title = CellValue::Value(code.to_owned());
    if members == RosterTable::ClassMembers {
        let row = ClassRow { class_code: code.to_owned(), title, ..ClassRow::default() };
        Item::Class { row, made_up: true }
    } else {
        let row = GroupRow { group_code: code.to_owned(), title, gid: CellValue::Nothing };
        Item::Group { row, made_up: true }
    }
}

fn student(row: StudentRow) -> Item {
    let reference = row.student_id.clone();
    Item::Student(Box::new(Person { row, reference, departs: false, needs_role: false }))
}

fn further_value(cells: &mut Cells<'_>, name: &str) -> String {
    match cells.text(name) {
        CellValue::Value(text) => text,
        CellValue::Empty | CellValue::Nothing => String::new(),
    }
}

fn read_groups(sink: &mut RowSink, file: &FileRef, headers: &Headers, rows: &mut AnyRows<'_>) -> u64 {
    consume(sink, file, &[RosterTable::Groups], (headers, rows), |cells, items| {
        let row = GroupRow {
            group_code: cells.key("group_code"),
            title: cells.needed("title", "missing-title"),
            gid: cells.number("gid"),
        };
        items.push(Item::Group { row, made_up: false });
    })
}

fn read_classes(sink: &mut RowSink, file: &FileRef, headers: &Headers, rows: &mut AnyRows<'_>) -> u64 {
    consume(sink, file, &[RosterTable::Classes], (headers, rows), |cells, items| {
        let row = ClassRow {
            class_code: cells.key("class_code"),
            title: cells.needed("title", "missing-title"),
            course_id: cells.number("course_id"),
            class_id: cells.number("class_id"),
        };
        if matches!(row.class_id, CellValue::Value(_)) && row.course_id == CellValue::Empty {
            let message = "there is a class_id but no course_id".to_owned();
            cells.refuse("course_id", "missing-course", message);
        }
        items.push(Item::Class { row, made_up: false });
    })
}

fn read_members(
    sink: &mut RowSink,
    file: &FileRef,
    table: RosterTable,
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    let column = table.columns().get(1).copied().unwrap_or_default();
    consume(sink, file, &[table], (headers, rows), |cells, items| {
        let (student, code) = (cells.key("student_id"), cells.key(column));
        items.push(Item::Member { table, student, code, departs: false });
    })
}
