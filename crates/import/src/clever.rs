//! Reads a Clever bundle: a folder or zip archive with `students.csv`, `sections.csv` and `enrollments.csv`.
//! Sections become both classes and groups. Only the student's own columns are taken: demographics are not
//! needed, and contacts are guardians, not students. Passwords are taken only where a mapping names them.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use super::bundle::Bundle;
use super::cells::Cells;
use super::clever_terms::Terms;
use super::mapping::ColumnMap;
use super::sheet::{FileRef, consume, read_text, refuse_without_rows};
use super::sniff::ReadOptions;
use super::table::{AnyRows, Headers, position};
use super::{
    CellValue, ClassRow, GroupRow, Item, Person, RosterTable, RowSink, SkippedColumns, StudentRow, shown,
    shown_name,
};

/// Columns of students.csv that become columns of ours.
const STUDENT_COLUMNS: [&str; 6] =
    ["Student_id", "First_name", "Middle_name", "Last_name", "Gender", "Student_email"];
/// Our columns that a mapping may fill from students.csv.
const MAPPED_COLUMNS: [&str; 5] = ["gender", "phone", "email", "password", "classin_uid"];
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
/// Rows that are compared with those after them; they take 16 bytes each.
const MOST_MET: usize = 3_000_000;
/// Groups come before classes, and so do their members.
const SECTIONS: [RosterTable; 2] = [RosterTable::Groups, RosterTable::Classes];
const ENROLLMENTS: [RosterTable; 2] = [RosterTable::GroupMembers, RosterTable::ClassMembers];

/// Reads the bundle, a folder or a zip archive. All three files are needed; `schools.csv` and `teachers.csv`
/// are not read.
pub fn read(sink: &mut RowSink, path: &Path, map: &ColumnMap, reading: ReadOptions) {
    let mut bundle = match Bundle::open(path) {
        Ok(bundle) => bundle,
        Err((_, message)) if !path.is_file() => {
            let message = format!("a Clever bundle is a folder or a zip archive with its files: {message}");
            return sink.reading.refuse_file(&shown_name(path), 1, 1, "not-a-folder", message);
        }
        Err((code, message)) => {
            return sink.reading.refuse_file(&shown_name(path), 1, 1, code, message);
        }
    };
    let of_students: Vec<&str> = ["Student_id", "First_name", "Last_name"]
        .into_iter()
        .chain(map.pairs().map(|(_, theirs)| theirs))
        .collect();
    let needed: [(&str, &[&str], ReadTable); 3] = [
        ("students.csv", &of_students, |sink, file, (map, _), headers, rows| {
            read_students(sink, file, map, headers, rows)
        }),
        ("sections.csv", &["Section_id", "Name"], |sink, file, (_, terms), headers, rows| {
            read_sections(sink, file, terms, headers, rows)
        }),
        ("enrollments.csv", &["Student_id", "Section_id"], |sink, file, (_, terms), headers, rows| {
            read_enrollments(sink, file, terms, headers, rows)
        }),
    ];
    if let Some((ours, _)) = map.pairs().find(|(ours, _)| !MAPPED_COLUMNS.contains(ours)) {
        let message = format!(
            "--map cannot fill {} from a Clever bundle; it fills {}",
            shown(ours),
            MAPPED_COLUMNS.join(", ")
        );
        return sink.reading.refuse_file(&shown_name(path), 1, 1, "unknown-column", message);
    }
    let mut terms = Terms::default();
    for (name, columns, read) in needed {
        let Some(mut source) = bundle.source(name) else {
            let message = "the bundle lacks this file".to_owned();
            sink.reading.refuse_file(name, 1, 1, "missing-file", message);
            continue;
        };
        let file = FileRef::note(sink, name.to_owned());
        read_text(sink, &file, source.as_mut(), reading, &mut |sink, file, headers, rows| {
            if accept_headers(sink, file, columns, &headers) {
                let count = read(sink, file, (map, &mut terms), &headers, rows);
                // A bundle without students is refused as such.
                let students = sink.reading.row_counts.get(&RosterTable::Students);
                if count == 0 && students.is_some_and(|count| *count > 0) {
                    refuse_without_rows(sink, file);
                }
            }
        });
    }
    terms.tell(&mut sink.reading);
}

type ReadTable = fn(&mut RowSink, &FileRef, (&ColumnMap, &mut Terms), &Headers, &mut AnyRows<'_>) -> u64;

fn accept_headers(sink: &mut RowSink, file: &FileRef, needed: &[&str], headers: &Headers) -> bool {
    let before = sink.reading.file_problems.len();
    for &column in needed {
        match headers.names.iter().filter(|name| *name == column).count() {
            1 => {}
            0 => {
                let message = format!("the column {} is missing; Clever's names are exact", shown(column));
                file.refuse(sink, headers.line, "missing-column", message);
            }
            _ => {
                let message = format!("the column {} stands twice", shown(column));
                file.refuse(sink, headers.line, "duplicate-column", message);
            }
        }
    }
    sink.reading.file_problems.len() == before
}

fn read_students(
    sink: &mut RowSink,
    file: &FileRef,
    map: &ColumnMap,
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    report_skipped(sink, &file.name, map, headers);
    let further: Vec<&str> = FURTHER_COLUMNS
        .into_iter()
        .filter(|column| headers.names.iter().any(|name| name == column))
        .collect();
    let places = ["Student_id", "First_name"].map(|column| position(&headers.names, column));
    sink.reading.key_columns.insert(RosterTable::Students, places);
    let mut met = MetRows::default();
    consume(sink, file, &[RosterTable::Students], (headers, rows), |cells, items| {
        let row = student(cells, map, &further);
        if cells.problems.is_empty() && met.is_again(&row) {
            return;
        }
        let reference = row.student_id.clone();
        let person = Person { row, reference, departs: false, needs_role: false };
        items.push(Item::Student(Box::new(person)));
    })
}

/// The rows that were met. A student with several contacts has a row for each, and of those columns that are taken every one
/// says the same; rows that differ remain two rows of one id, which is refused.
///
/// Source: Clever's help page "Student Contacts", on syncs by SFTP.
///
/// Of [`MOST_MET`] rows at most: one that says again what a later one said is refused as a second row of its id.
#[derive(Default)]
struct MetRows {
    /// 128 bits of each row, with keys of this import alone: two students are never taken for one.
    rows: HashSet<(u64, u64)>,
    keys: (RandomState, RandomState),
}

impl MetRows {
    fn is_again(&mut self, row: &StudentRow) -> bool {
        let StudentRow { student_id, name, gender, phone, email, password, classin_uid, active, further } =
            row;
        let texts = [name, gender, phone, email, password].map(|value| match value {
            CellValue::Nothing => (0, ""),
            CellValue::Empty => (1, ""),
            CellValue::Value(text) => (2, text.as_str()),
        });
        let uid = match classin_uid {
            CellValue::Nothing => (0, 0),
            CellValue::Empty => (1, 0),
            CellValue::Value(uid) => (2, *uid),
        };
        let is_there = match active {
            CellValue::Nothing | CellValue::Empty => None,
            CellValue::Value(is_there) => Some(*is_there),
        };
        let values = (student_id, texts, uid, is_there, further);
        let row = (self.keys.0.hash_one(values), self.keys.1.hash_one(values));
        if self.rows.len() >= MOST_MET {
            return self.rows.contains(&row);
        }
        !self.rows.insert(row)
    }
}

fn student(cells: &mut Cells<'_>, map: &ColumnMap, further: &[&str]) -> StudentRow {
    let student_id = cells.key("Student_id");
    let name = full_name(cells);
    if name == CellValue::Empty {
        let message = "First_name and Last_name are empty".to_owned();
        cells.refuse("First_name", "missing-name", message);
    }
    let further = further
        .iter()
        .map(|&column| (column.to_owned(), text_or_empty(cells, column)))
        .collect::<BTreeMap<_, _>>();
    let mut row = StudentRow {
        student_id,
        name,
        gender: cells.text("Gender"),
        email: cells.text("Student_email"),
        // Clever lists active students only.
        active: CellValue::Value(true),
        further,
        ..StudentRow::default()
    };
    for (ours, theirs) in map.pairs() {
        match ours {
            "gender" => row.gender = cells.text(theirs),
            "phone" => row.phone = cells.phone(theirs),
            "email" => row.email = cells.text(theirs),
            "password" => row.password = cells.verbatim(theirs),
            "classin_uid" => row.classin_uid = cells.number(theirs),
            _ => {}
        }
    }
    row
}

fn full_name(cells: &mut Cells<'_>) -> CellValue<String> {
    let parts = ["First_name", "Middle_name", "Last_name"].map(|column| text_or_empty(cells, column));
    let words: Vec<&str> = parts.iter().flat_map(|part| part.split_whitespace()).collect();
    CellValue::text(words.join(" "))
}

fn text_or_empty(cells: &mut Cells<'_>, column: &str) -> String {
    match cells.text(column) {
        CellValue::Value(text) => text,
        CellValue::Empty | CellValue::Nothing => String::new(),
    }
}

fn report_skipped(sink: &mut RowSink, file: &str, map: &ColumnMap, headers: &Headers) {
    let mut by_reason: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for name in headers.names.iter().filter(|name| !name.is_empty()) {
        let column = name.as_str();
        let is_mapped = map.pairs().any(|(_, theirs)| theirs == column);
        if STUDENT_COLUMNS.contains(&column) || FURTHER_COLUMNS.contains(&column) || is_mapped {
            continue;
        }
        let reason = if column == "Password" {
            "passwords, unless --map password=Password"
        } else if DEMOGRAPHICS.contains(&column) {
            "demographics"
        } else if column.starts_with("Contact_") {
            "contacts of guardians"
        } else {
            "not used"
        };
        by_reason.entry(reason).or_default().push(shown(column));
    }
    let skipped = by_reason.into_iter();
    sink.reading.skipped_columns.extend(skipped.map(|(reason, columns)| SkippedColumns {
        file: file.to_owned(),
        reason,
        columns,
    }));
}

fn read_sections(
    sink: &mut RowSink,
    file: &FileRef,
    terms: &mut Terms,
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    let today = sink.today;
    let places = ["Section_id", "Name"].map(|column| position(&headers.names, column));
    for table in SECTIONS {
        sink.reading.key_columns.insert(table, places);
    }
    consume(sink, file, &SECTIONS, (headers, rows), |cells, items| {
        let (code, title) = (cells.key("Section_id"), cells.needed("Name", "missing-title"));
        terms.note(cells, &code, today);
        let group = GroupRow { group_code: code.clone(), title: title.clone(), gid: CellValue::Nothing };
        items.push(Item::Group { row: group, made_up: false });
        let row = ClassRow { class_code: code, title, ..ClassRow::default() };
        items.push(Item::Class { row, made_up: false });
    })
}

fn read_enrollments(
    sink: &mut RowSink,
    file: &FileRef,
    terms: &mut Terms,
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    let places = ["Student_id", "Section_id"].map(|column| position(&headers.names, column));
    for table in ENROLLMENTS {
        sink.reading.key_columns.insert(table, places);
    }
    consume(sink, file, &ENROLLMENTS, (headers, rows), |cells, items| {
        let (student, code) = (cells.key("Student_id"), cells.key("Section_id"));
        let departs = !terms.counts(&code);
        for table in ENROLLMENTS {
            let (student, code) = (student.clone(), code.clone());
            items.push(Item::Member { table, student, code, departs });
        }
    })
}
