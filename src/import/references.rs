//! Compares rows with the keys that a database holds: member rows that name nobody, new rows that lack
//! what a new row needs, ids that lost their leading zeros in a spreadsheet.

use std::collections::{HashMap, HashSet};

use super::{ImportProblem, Origin, Reading, RosterTable};

/// The keys that a roster database holds.
#[derive(Debug, Default)]
pub struct KnownKeys {
    /// Student ids, of leavers too.
    pub students: HashSet<String>,
    /// Group codes.
    pub groups: HashSet<String>,
    /// Class codes.
    pub classes: HashSet<String>,
}

struct Fault {
    /// Which of the two noted columns of the table is meant.
    second: bool,
    code: &'static str,
    message: String,
}

/// Moves every row that does not fit the database from the rows to the problems.
pub fn check(reading: &mut Reading, known: &KnownKeys) {
    check_students(reading, known);
    check_titles(reading, known);
    check_members(reading, known);
    // A Clever enrolment is a row of two tables, and a problem of both.
    reading.row_problems.sort();
    reading.row_problems.dedup();
}

fn check_students(reading: &mut Reading, known: &KnownKeys) {
    let full_ids: HashMap<&str, &str> = known
        .students
        .iter()
        .filter(|id| id.starts_with('0') && id.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|id| (id.trim_start_matches('0'), id.as_str()))
        .collect();
    let rows = std::mem::take(&mut reading.rows.students);
    reading.rows.students = sift(reading, RosterTable::Students, rows, |row| {
        if known.students.contains(&row.student_id) {
            return None;
        }
        if let Some(full) = full_ids.get(row.student_id.as_str()) {
            let message =
                format!("student_id {} is in the database as {full}: zeros were lost", row.student_id);
            return Some(Fault { second: false, code: "lost-zeros", message });
        }
        let message = format!("the new student {} has no name", row.student_id);
        (!row.name.is_given()).then_some(Fault { second: true, code: "missing-name", message })
    });
}

fn check_titles(reading: &mut Reading, known: &KnownKeys) {
    let fault = |what: &str, code: &str| Fault {
        second: true,
        code: "missing-title",
        message: format!("the new {what} {code} has no title"),
    };
    let groups = std::mem::take(&mut reading.rows.groups);
    reading.rows.groups = sift(reading, RosterTable::Groups, groups, |row| {
        let is_new = !known.groups.contains(&row.group_code);
        (is_new && !row.title.is_given()).then(|| fault("group", &row.group_code))
    });
    let classes = std::mem::take(&mut reading.rows.classes);
    reading.rows.classes = sift(reading, RosterTable::Classes, classes, |row| {
        let is_new = !known.classes.contains(&row.class_code);
        (is_new && !row.title.is_given()).then(|| fault("class", &row.class_code))
    });
}

fn check_members(reading: &mut Reading, known: &KnownKeys) {
    let given: HashSet<String> = reading.rows.students.iter().map(|row| row.student_id.clone()).collect();
    let groups: HashSet<String> = reading.rows.groups.iter().map(|row| row.group_code.clone()).collect();
    let classes: HashSet<String> = reading.rows.classes.iter().map(|row| row.class_code.clone()).collect();
    let names_student = |id: &str| given.contains(id) || known.students.contains(id);

    let pairs = std::mem::take(&mut reading.rows.group_members);
    reading.rows.group_members = sift(reading, RosterTable::GroupMembers, pairs, |(id, code)| {
        member_fault(names_student(id), groups.contains(code) || known.groups.contains(code), id, code)
    });
    let pairs = std::mem::take(&mut reading.rows.class_members);
    reading.rows.class_members = sift(reading, RosterTable::ClassMembers, pairs, |(id, code)| {
        member_fault(names_student(id), classes.contains(code) || known.classes.contains(code), id, code)
    });
}

fn member_fault(student: bool, owner: bool, id: &str, code: &str) -> Option<Fault> {
    if !student {
        let message = format!("student {id} is neither in a good row of the files nor in the database");
        return Some(Fault { second: false, code: "unknown-student", message });
    }
    let message = format!("{code} is neither in a good row of the files nor in the database");
    (!owner).then_some(Fault { second: true, code: "unknown-code", message })
}

/// Keeps the good rows in their order and reports the others where they stood.
fn sift<R>(
    reading: &mut Reading,
    table: RosterTable,
    rows: Vec<R>,
    fault: impl Fn(&R) -> Option<Fault>,
) -> Vec<R> {
    let mut origins = reading.origins.remove(&table).unwrap_or_default().into_iter();
    let places = reading.key_columns.get(&table).copied().unwrap_or([1, 1]);
    let mut good = Vec::with_capacity(rows.len());
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let origin = origins.next().unwrap_or(Origin { file: usize::MAX, line: 1 });
        match fault(&row) {
            None => {
                good.push(row);
                kept.push(origin);
            }
            Some(Fault { second, code, message }) => {
                let [first_column, second_column] = places;
                let column = if second { second_column } else { first_column };
                let file = reading.file_name(&origin);
                let problem = ImportProblem { file, line: origin.line, column, code, message };
                reading.refuse_row(&[table], problem);
            }
        }
    }
    reading.origins.insert(table, kept);
    good
}
