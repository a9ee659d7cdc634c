//! Reads a Clever bundle: a folder with `students.csv`, `sections.csv` and `enrollments.csv`. Sections become
//! both classes and groups. Only the student's own columns are taken: demographics are nobody's business
//! here, and contacts are guardians, not students.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cells::{Cells, position};
use super::sheet::{SheetFile, without_repeats};
use super::table::{Headers, Rows};
use super::{ClassRow, Given, GroupRow, Reading, RosterTable, SkippedColumns, StudentRow, shown_name};

/// Columns of students.csv that become columns of ours.
const STUDENT_COLUMNS: [&str; 7] =
    ["Student_id", "First_name", "Middle_name", "Last_name", "Gender", "Student_email", "Password"];
/// Columns of students.csv that are kept under their own names.
const FURTHER_COLUMNS: [&str; 5] = ["Username", "Student_number", "State_id", "Grade", "School_id"];
/// Columns of students.csv that describe a person's origin and circumstances.
const DEMOGRAPHICS: [&str; 10] = [
    "Dob",
    "Race",
    "Hispanic_Latino",
    "Ell_status",
    "Student_zip",
    "Student_street",
    "Student_city",
    "Student_state",
    "Frl_status",
    "Iep_status",
];
/// Groups come before classes, and so do their members.
const SECTIONS: [RosterTable; 2] = [RosterTable::Groups, RosterTable::Classes];
const ENROLLMENTS: [RosterTable; 2] = [RosterTable::GroupMembers, RosterTable::ClassMembers];

/// Reads the bundle in a folder. All three files are needed; `schools.csv` and `teachers.csv` are not read.
pub fn read(folder: &Path) -> Reading {
    let mut reading = Reading::default();
    if !folder.is_dir() {
        let message = "a Clever bundle is a folder with its files unpacked".to_owned();
        reading.refuse_file(&shown_name(folder), 1, 1, "not-a-folder", message);
        return reading;
    }
    let needed: [(&str, &[&str], Reader); 3] = [
        ("students.csv", &["Student_id", "First_name", "Last_name"], read_students),
        ("sections.csv", &["Section_id", "Name"], read_sections),
        ("enrollments.csv", &["Student_id", "Section_id"], read_enrollments),
    ];
    for (name, columns, read) in needed {
        let Some(path) = find(folder, name) else {
            let message = "the bundle lacks this file".to_owned();
            reading.refuse_file(name, 1, 1, "missing-file", message);
            continue;
        };
        read_file(&mut reading, &path, columns, read);
    }
    reading.row_problems.sort();
    reading
}

type Reader = fn(&mut Reading, &SheetFile, &Headers, Rows<'_>);

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let exact = folder.join(name);
    if exact.is_file() {
        return Some(exact);
    }
    let mut others: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|found| found.eq_ignore_ascii_case(name)))
        .map(|entry| entry.path())
        .collect();
    others.sort();
    others.into_iter().next()
}

fn read_file(reading: &mut Reading, path: &Path, needed: &[&str], read: Reader) {
    let Some(file) = SheetFile::read(reading, path) else {
        return;
    };
    let Some((headers, rows)) = file.open(reading) else {
        return;
    };
    let before = reading.file_problems.len();
    for &column in needed {
        match headers.names.iter().filter(|name| *name == column).count() {
            1 => {}
            0 => {
                let message = format!("the column {column} is missing; Clever's names are exact");
                reading.refuse_file(&file.name, headers.line, 1, "missing-column", message);
            }
            _ => {
                let message = format!("the column {column} stands twice");
                reading.refuse_file(&file.name, headers.line, 1, "duplicate-column", message);
            }
        }
    }
    if reading.file_problems.len() == before {
        read(reading, &file, &headers, rows);
    }
}

fn read_students(reading: &mut Reading, file: &SheetFile, headers: &Headers, rows: Rows<'_>) {
    report_skipped(reading, &file.name, headers);
    let further: Vec<&str> = FURTHER_COLUMNS
        .into_iter()
        .filter(|column| headers.names.iter().any(|name| name == column))
        .collect();
    let tables = [RosterTable::Students];
    let places = ["Student_id", "First_name"].map(|column| position(&headers.names, column));
    reading.key_columns.insert(RosterTable::Students, places);
    let read = |cells: &mut Cells<'_>| student(cells, &further);
    let values = file.values(reading, &tables, (headers, rows), read, |row| Some(&row.student_id));
    for (line, row) in values {
        reading.note_origin(RosterTable::Students, file.index, line);
        reading.rows.students.push(row);
    }
}

fn student(cells: &mut Cells<'_>, further: &[&str]) -> StudentRow {
    let student_id = cells.key("Student_id");
    let name = full_name(cells);
    if name == Given::Empty {
        let message = "First_name and Last_name are empty".to_owned();
        cells.refuse("First_name", "missing-name", message);
    }
    let further = further
        .iter()
        .map(|&column| (column.to_owned(), text_or_empty(cells, column)))
        .collect::<BTreeMap<_, _>>();
    StudentRow {
        student_id,
        name,
        gender: cells.text("Gender"),
        email: cells.text("Student_email"),
        password: cells.verbatim("Password"),
        // Clever lists active students only.
        active: Given::Value(true),
        further,
        ..StudentRow::default()
    }
}

fn full_name(cells: &mut Cells<'_>) -> Given<String> {
    let parts = ["First_name", "Middle_name", "Last_name"].map(|column| text_or_empty(cells, column));
    let words: Vec<&str> = parts.iter().flat_map(|part| part.split_whitespace()).collect();
    Given::text(words.join(" "))
}

fn text_or_empty(cells: &mut Cells<'_>, column: &str) -> String {
    match cells.text(column) {
        Given::Value(text) => text,
        Given::Empty | Given::Nothing => String::new(),
    }
}

fn report_skipped(reading: &mut Reading, file: &str, headers: &Headers) {
    let mut by_reason: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for name in headers.names.iter().filter(|name| !name.is_empty()) {
        let column = name.as_str();
        if STUDENT_COLUMNS.contains(&column) || FURTHER_COLUMNS.contains(&column) {
            continue;
        }
        let reason = if DEMOGRAPHICS.contains(&column) {
            "demographics"
        } else if column.starts_with("Contact_") {
            "contacts of guardians"
        } else {
            "not used"
        };
        by_reason.entry(reason).or_default().push(shown(column));
    }
    let skipped = by_reason.into_iter();
    reading.skipped_columns.extend(skipped.map(|(reason, columns)| SkippedColumns {
        file: file.to_owned(),
        reason,
        columns,
    }));
}

fn shown(column: &str) -> String {
    column.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn read_sections(reading: &mut Reading, file: &SheetFile, headers: &Headers, rows: Rows<'_>) {
    let places = ["Section_id", "Name"].map(|column| position(&headers.names, column));
    for table in SECTIONS {
        reading.key_columns.insert(table, places);
    }
    let read = |cells: &mut Cells<'_>| (cells.key("Section_id"), cells.needed("Name", "missing-title"));
    let values = file.values(reading, &SECTIONS, (headers, rows), read, |(code, _)| Some(code));
    for (line, (code, title)) in values {
        for table in SECTIONS {
            reading.note_origin(table, file.index, line);
        }
        let group = GroupRow { group_code: code.clone(), title: title.clone(), gid: Given::Nothing };
        reading.rows.groups.push(group);
        reading.rows.classes.push(ClassRow { class_code: code, title, ..ClassRow::default() });
    }
}

fn read_enrollments(reading: &mut Reading, file: &SheetFile, headers: &Headers, rows: Rows<'_>) {
    let places = ["Student_id", "Section_id"].map(|column| position(&headers.names, column));
    for table in ENROLLMENTS {
        reading.key_columns.insert(table, places);
    }
    let read = |cells: &mut Cells<'_>| (cells.key("Student_id"), cells.key("Section_id"));
    let mut pairs = file.values(reading, &ENROLLMENTS, (headers, rows), read, |_| None);
    without_repeats(&mut pairs);
    for (line, pair) in pairs {
        for table in ENROLLMENTS {
            reading.note_origin(table, file.index, line);
        }
        reading.rows.group_members.push(pair.clone());
        reading.rows.class_members.push(pair);
    }
}
