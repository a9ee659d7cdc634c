//! Reads `users.csv` and `roles.csv`: the students, with names and ids.

use std::collections::{BTreeMap, BTreeSet};

use super::row_status::{Observation, RowStatus};
use super::{GroupsFrom, Reader, StudentIdFrom};
use crate::cells::Cells;
use crate::sheet::{FileRef, consume};
use crate::table::{AnyRows, Headers, position};
use crate::{CellValue, GroupRow, Item, Person, RosterTable, RowSink, SkippedColumns, StudentRow, shown};

/// Columns of users that are kept under their own names.
const FURTHER_COLUMNS: [&str; 3] = ["username", "identifier", "grades"];
/// Columns of users that are used, or of use to the bundle alone.
const USED_COLUMNS: [&str; 10] = [
    "sourcedId",
    "status",
    "dateLastModified",
    "enabledUser",
    "orgSourcedIds",
    "role",
    "givenName",
    "familyName",
    "middleName",
    "email",
];

/// Grades that are remembered as made up.
const MOST_GRADES: usize = 50_000;

impl Reader<'_> {
    pub(super) fn read_users(
        &mut self,
        sink: &mut RowSink,
        file: &FileRef,
        headers: &Headers,
        rows: &mut AnyRows<'_>,
    ) -> u64 {
        let has = |column: &str| headers.names.iter().any(|name| name == column);
        let id_column = self.options.student_id.column();
        // A delta may change users whose roles stay as they are: those who are known are students.
        let role_is_known = has("role") || self.has_roles_file || !self.is_bulk;
        let mapped = self.options.map.pairs().map(|(_, theirs)| theirs);
        // Without its column a group source would look as if all students had left all of its groups.
        let grades = self.groups_are(GroupsFrom::Grades).then_some("grades");
        let orgs = (self.groups_are(GroupsFrom::Orgs) && !self.has_roles_file).then_some("orgSourcedIds");
        let needed = mapped.chain([id_column]).chain(grades).chain(orgs);
        for column in needed.filter(|column| !has(column)) {
            let message = format!("the column {} is missing", shown(column));
            file.refuse(sink, headers.line, "missing-column", message);
        }
        if !role_is_known {
            let message = "neither a column role nor a file roles.csv says who is a student".to_owned();
            file.refuse(sink, headers.line, "missing-column", message);
        }
        if !sink.reading.file_problems.is_empty() {
            return 1;
        }
        self.tell_skipped(sink, file, headers);
        let places = [id_column, "givenName"].map(|column| position(&headers.names, column));
        sink.reading.key_columns.insert(RosterTable::Students, places);
        let mut tables = vec![RosterTable::Students];
        if self.groups_are(GroupsFrom::Grades) || (self.groups_are(GroupsFrom::Orgs) && !self.has_roles_file)
        {
            let column = if self.groups_are(GroupsFrom::Grades) { "grades" } else { "orgSourcedIds" };
            let places = [id_column, column].map(|column| position(&headers.names, column));
            sink.reading.key_columns.insert(RosterTable::GroupMembers, places);
            tables.push(RosterTable::GroupMembers);
        }
        if has("role") && self.has_roles_file {
            let message = "the file has a column role, as in OneRoster 1.1: it counts where it is filled, and roles.csv elsewhere";
            sink.reading.notice(&file.name, message);
        }
        let mut grades = BTreeSet::new();
        consume(sink, file, &tables, (headers, rows), |cells, items| {
            self.user(cells, items, has("role"), &mut grades);
        })
    }

    fn user(
        &mut self,
        cells: &mut Cells<'_>,
        items: &mut Vec<Item>,
        has_role: bool,
        grades: &mut BTreeSet<String>,
    ) {
        let reference = cells.key("sourcedId");
        // Where the roles have a file of their own, an empty one is said there.
        let has_role = has_role && !(self.has_roles_file && value(cells, "role").is_empty());
        let mut standing = self.tally.row_status(cells, self.is_bulk);
        let stamp = self.tally.stamp(cells);
        if has_role && !self.wants_role(&value(cells, "role")) {
            self.tally.count(Observation::OtherRole);
            items.push(Item::OtherPerson(reference));
            return;
        }
        if cells.flag("enabledUser") == CellValue::Value(false) {
            if self.options.disabled_have_left {
                standing = RowStatus::Gone;
            } else {
                self.tally.count(Observation::Disabled);
            }
        }
        if standing == RowStatus::Gone && self.is_bulk {
            items.push(Item::OtherPerson(reference));
            return;
        }
        let departs = standing == RowStatus::Gone;
        let needs_role = !has_role && !departs;
        let mut row = if departs { self.leaver(cells) } else { self.student(cells, needs_role) };
        self.add_memory(&mut row, &reference, stamp);
        if !self.is_bulk && cells.problems.is_empty() {
            let values = ["identifier", "username", "email"].map(|column| value(cells, column));
            let values = values.each_ref().map(String::as_str);
            self.twins.note((&row, &reference, departs), values, self.options.student_id.column());
        }
        if !departs {
            self.add_groups(cells, items, &reference, grades);
        }
        items.push(Item::Student(Box::new(Person { row, reference, departs, needs_role })));
    }

    /// A leaver may be named by the bundle's key alone.
    fn leaver(&self, cells: &mut Cells<'_>) -> StudentRow {
        let student_id = value(cells, self.options.student_id.column());
        StudentRow { student_id, active: CellValue::Value(false), ..StudentRow::default() }
    }

    /// Reads a student. A person who may turn out to be a teacher needs neither id nor name here; missing
    /// values of students are found later.
    fn student(&self, cells: &mut Cells<'_>, needs_role: bool) -> StudentRow {
        let id_column = self.options.student_id.column();
        let is_spared = needs_role && value(cells, id_column).is_empty();
        let student_id = if is_spared { String::new() } else { cells.key(id_column) };
        let name = full_name(cells);
        if name == CellValue::Empty && !needs_role {
            cells.refuse("givenName", "missing-name", "givenName and familyName are empty".to_owned());
        }
        let further = FURTHER_COLUMNS.into_iter().filter_map(|column| match cells.text(column) {
            CellValue::Nothing => None,
            CellValue::Empty => Some((column.to_owned(), String::new())),
            CellValue::Value(text) => Some((column.to_owned(), text)),
        });
        let further: BTreeMap<String, String> = further.collect();
        let mut row = StudentRow {
            student_id,
            name,
            email: cells.text("email"),
            active: CellValue::Value(true),
            further,
            ..StudentRow::default()
        };
        for (ours, theirs) in self.options.map.pairs() {
            match ours {
                "name" => row.name = cells.needed(theirs, "missing-name"),
                "gender" => row.gender = cells.text(theirs),
                "phone" => row.phone = cells.text(theirs),
                "email" => row.email = cells.text(theirs),
                "password" => row.password = cells.verbatim(theirs),
                "classin_uid" => row.classin_uid = cells.number(theirs),
                further => {
                    row.further.insert(further.to_owned(), value(cells, theirs));
                }
            }
        }
        row
    }

    /// Keeps facts for later bundles: a delta may name a student by the bundle's key alone, and must not be
    /// older than the last.
    fn add_memory(&self, row: &mut StudentRow, reference: &str, stamp: Option<String>) {
        if self.options.student_id != StudentIdFrom::SourcedId {
            row.further.insert("sourcedId".to_owned(), reference.to_owned());
        }
        if let Some(stamp) = stamp.filter(|_| !self.is_bulk) {
            row.further.insert("dateLastModified".to_owned(), stamp);
        }
    }

    fn add_groups(
        &self,
        cells: &mut Cells<'_>,
        items: &mut Vec<Item>,
        reference: &str,
        grades: &mut BTreeSet<String>,
    ) {
        let member = |items: &mut Vec<Item>, code: String| {
            let (table, student) = (RosterTable::GroupMembers, reference.to_owned());
            items.push(Item::Member { table, student, code, departs: false });
        };
        let settle = |items: &mut Vec<Item>, prefix: &'static str| {
            if !self.is_bulk {
                items.push(Item::OnlyThese { student: reference.to_owned(), prefix });
            }
        };
        if self.groups_are(GroupsFrom::Grades) {
            settle(items, GRADE);
            for grade in list(&value(cells, "grades")) {
                let group_code = format!("{GRADE}{grade}");
                // What is made up twice counts once: the memory only spares rows.
                if grades.len() >= MOST_GRADES {
                    grades.clear();
                }
                if grades.insert(group_code.clone()) {
                    let title = CellValue::Value(format!("Grade {grade}"));
                    let row = GroupRow { group_code: group_code.clone(), title, gid: CellValue::Nothing };
                    items.push(Item::Group { row, made_up: true });
                }
                member(items, group_code);
            }
        }
        if self.groups_are(GroupsFrom::Orgs) && !self.has_roles_file {
            settle(items, ORG);
            for org in list(&value(cells, "orgSourcedIds")) {
                member(items, format!("{ORG}{org}"));
            }
        }
    }

    pub(super) fn read_roles(
        &mut self,
        sink: &mut RowSink,
        file: &FileRef,
        headers: &Headers,
        rows: &mut AnyRows<'_>,
    ) -> u64 {
        let orgs = self.groups_are(GroupsFrom::Orgs);
        // A person with an unreadable role may still be a student.
        let tables: &[RosterTable] =
            if orgs { &[RosterTable::Students, RosterTable::GroupMembers] } else { &[RosterTable::Students] };
        if orgs {
            let places = ["userSourcedId", "orgSourcedId"].map(|column| position(&headers.names, column));
            sink.reading.key_columns.insert(RosterTable::GroupMembers, places);
        }
        let problems = sink.reading.problem_count();
        let read = consume(sink, file, tables, (headers, rows), |cells, items| {
            let person = cells.key("userSourcedId");
            let standing = self.tally.row_status(cells, self.is_bulk);
            self.tally.stamp(cells);
            if !self.wants_role(&value(cells, "role")) {
                self.tally.count(Observation::OtherRole);
                return;
            }
            let departs = standing == RowStatus::Gone;
            let org = value(cells, "orgSourcedId");
            if orgs && !org.is_empty() && !(departs && self.is_bulk) {
                let (table, student) = (RosterTable::GroupMembers, person.clone());
                items.push(Item::Member { table, student, code: format!("{ORG}{org}"), departs });
            }
            if departs {
                if !self.is_bulk {
                    self.tally.count(Observation::LostRole);
                }
            } else {
                self.note_dates(cells);
                items.push(Item::StudentRole(person));
            }
        });
        if sink.reading.problem_count() > problems {
            // A person whose role was lost to a bad row still has memberships.
            sink.reading.doubt(&[RosterTable::GroupMembers, RosterTable::ClassMembers]);
        }
        read
    }

    /// Notes a role that is over or has not begun. It counts: programs write the dates of a school year there, and a student who
    /// has left is absent from the bundle or to be deleted.
    fn note_dates(&mut self, cells: &mut Cells<'_>) {
        if self.tally.has_ended(cells, self.options.today) {
            self.tally.count(Observation::RoleEnded);
        } else if self.tally.has_not_begun(cells, self.options.today) {
            self.tally.count(Observation::RoleNotBegun);
        }
    }

    fn tell_skipped(&self, sink: &mut RowSink, file: &FileRef, headers: &Headers) {
        let mut by_reason: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let is_mapped = |column: &str| self.options.map.pairs().any(|(_, theirs)| theirs == column);
        for column in headers.names.iter().map(String::as_str).filter(|name| !name.is_empty()) {
            if USED_COLUMNS.contains(&column) || FURTHER_COLUMNS.contains(&column) || is_mapped(column) {
                continue;
            }
            let reason = match column {
                "password" => "passwords, unless --map password=password",
                "sms" | "phone" => "phone numbers, unless --map phone=COLUMN",
                _ => "not used",
            };
            by_reason.entry(reason).or_default().push(shown(column));
        }
        let skipped = by_reason.into_iter();
        sink.reading.skipped_columns.extend(skipped.map(|(reason, columns)| SkippedColumns {
            file: file.name.clone(),
            reason,
            columns,
        }));
    }
}

/// The prefix of group codes made of grades.
const GRADE: &str = "grade-";
/// The prefix of group codes made of orgs.
pub(super) const ORG: &str = "org-";

/// Lists are separated by commas within one field.
fn list(text: &str) -> Vec<String> {
    let parts: BTreeSet<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.into_iter().map(str::to_owned).collect()
}

pub(super) fn value(cells: &mut Cells<'_>, column: &str) -> String {
    match cells.text(column) {
        CellValue::Value(text) => text,
        CellValue::Empty | CellValue::Nothing => String::new(),
    }
}

/// Given, middle and family name; a name in Chinese characters is written as it is said, family name first.
fn full_name(cells: &mut Cells<'_>) -> CellValue<String> {
    let [cell, middle, family] = ["givenName", "middleName", "familyName"].map(|column| value(cells, column));
    let is_han = |text: &str| {
        text.chars().all(|letter| matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}'))
    };
    if !cell.is_empty()
        && !family.is_empty()
        && [&cell, &middle, &family].into_iter().all(|part| is_han(part))
    {
        return CellValue::Value(format!("{family}{middle}{cell}"));
    }
    let words: Vec<&str> =
        [&cell, &middle, &family].into_iter().flat_map(|part| part.split_whitespace()).collect();
    CellValue::text(words.join(" "))
}
