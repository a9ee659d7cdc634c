//! Files of Microsoft's School Data Sync, version 1: one table a file, under names and headings of their own.
//!
//! Source: <https://learn.microsoft.com/schooldatasync/sds-v1-csv-file-format>. Sections are classes, and groups of the exam
//! side too, as the classes of a OneRoster bundle are.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::RosterTable;
use super::mapping::ColumnMap;

/// Bytes in which the heading of a file ends.
const HEADING: u64 = 4096;

pub(super) const LEFT_OUT: &str = "a file of School Data Sync that says nothing of students: left out";

/// What one of its files is to us.
struct Known {
    /// In lower case, without its ending.
    name: &'static str,
    /// Headings without which it is another program's file, in lower case.
    needed: &'static [&'static str],
    /// The tables that are read from it, each with our columns and theirs; none where it says nothing of students.
    tables: &'static [(RosterTable, &'static [(&'static str, &'static str)])],
}

const FILES: [Known; 6] = [
    Known {
        name: "student",
        needed: &["sis id", "school sis id"],
        tables: &[(RosterTable::Students, &[("student_id", "SIS ID"), ("name", "First Name+Last Name")])],
    },
    Known {
        name: "section",
        needed: &["sis id", "school sis id", "section name"],
        tables: &[
            (RosterTable::Groups, &[("group_code", "SIS ID"), ("title", "Section Name")]),
            (RosterTable::Classes, &[("class_code", "SIS ID"), ("title", "Section Name")]),
        ],
    },
    Known {
        name: "studentenrollment",
        needed: &["section sis id", "sis id"],
        tables: &[
            (RosterTable::GroupMembers, &[("student_id", "SIS ID"), ("group_code", "Section SIS ID")]),
            (RosterTable::ClassMembers, &[("student_id", "SIS ID"), ("class_code", "Section SIS ID")]),
        ],
    },
    Known { name: "school", needed: &["sis id", "name"], tables: &[] },
    Known { name: "teacher", needed: &["sis id", "school sis id"], tables: &[] },
    Known { name: "teacherroster", needed: &["section sis id", "sis id"], tables: &[] },
];

/// The tables that one of these files holds, each with its columns; `None` for any other file.
pub(super) fn tables(path: &Path) -> Option<Vec<(RosterTable, ColumnMap)>> {
    let is_text = path.extension()?.to_str()?.eq_ignore_ascii_case("csv");
    let name = path.file_stem()?.to_str()?.to_ascii_lowercase();
    let known = FILES.iter().find(|known| is_text && known.name == name)?;
    let columns = heading(path);
    if !known.needed.iter().all(|needed| columns.iter().any(|column| column == needed)) {
        return None;
    }
    // Names are optional there. A file without them lacks a column, not one that somebody mapped.
    let is_there = |(_, theirs): &&(&str, &str)| {
        theirs.split('+').all(|part| columns.iter().any(|column| column.eq_ignore_ascii_case(part)))
    };
    let owned = |(ours, theirs): &(&str, &str)| ((*ours).to_owned(), (*theirs).to_owned());
    let table = |(table, pairs): &(RosterTable, &[(&str, &str)])| {
        (*table, ColumnMap::closed(pairs.iter().filter(is_there).map(owned).collect()))
    };
    Some(known.tables.iter().map(table).collect())
}

/// Whether one of these file names is one of its files that only it has.
pub(super) fn has_name_of_its_own(names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case("studentenrollment.csv"))
}

/// The columns of a file, in lower case; none where it cannot be read, which is said where it is read.
fn heading(path: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEADING).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    line.split([',', ';', '\t']).map(|column| column.trim_matches(['"', ' ']).to_ascii_lowercase()).collect()
}
