//! Reads the rows of each of our tables.

use std::collections::BTreeSet;

use rosterd_core::counted::counted;

use crate::cells::Cells;
use crate::fill::Fill;
use crate::heading::Owner;
use crate::sheet::{FileRef, consume};
use crate::table::{AnyRows, Headers};
use crate::{CellValue, ClassRow, GroupRow, Item, Person, RosterTable, RowSink, StudentRow};

/// Groups and classes that are remembered as made up. What is made up twice counts once: the memory only spares rows.
const MOST_MADE_UP: usize = 50_000;

/// Reads the rows of a table and returns how many there were.
pub(super) fn read(
    sink: &mut RowSink,
    file: &FileRef,
    (table, owners): (RosterTable, &[Owner]),
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    match table {
        RosterTable::Students => read_students(sink, file, owners, headers, rows),
        RosterTable::Groups => read_groups(sink, file, headers, rows),
        RosterTable::Classes => read_classes(sink, file, headers, rows),
        RosterTable::GroupMembers | RosterTable::ClassMembers => {
            read_members(sink, file, table, headers, rows)
        }
    }
}

/// Refuses a column that merged cells left empty; the place is the heading's line and the number of the column.
pub(super) fn refuse_merged(
    sink: &mut RowSink,
    file: &FileRef,
    (line, column): (u64, usize),
    name: &str,
    fill: Fill,
) {
    let message = format!(
        "{name} is empty in {} of {} rows below others that have it, as merged cells leave it: fill it in every row, or import \
         the workbook itself",
        fill.blank,
        fill.blank + fill.filled
    );
    sink.reading.refuse_file(&file.name, line, column, "merged-cells", message);
}

/// Looks at how full the columns of groups and classes were.
fn judge_fill(sink: &mut RowSink, file: &FileRef, headers: &Headers, owners: &[Owner], fills: &[Fill]) {
    for (Owner { column, .. }, fill) in owners.iter().zip(fills) {
        if fill.looks_merged() {
            refuse_merged(sink, file, (headers.line, headers.position(column)), column, *fill);
        } else if fill.without > 0 && fill.filled > 0 {
            let have = if fill.without == 1 { "has" } else { "have" };
            sink.reading.notice(&file.name, format!("{} {have} no {column}", counted(fill.without, "row")));
        }
    }
}

fn read_students(
    sink: &mut RowSink,
    file: &FileRef,
    owners: &[Owner],
    headers: &Headers,
    rows: &mut AnyRows<'_>,
) -> u64 {
    let own = RosterTable::Students.columns();
    let is_further = |name: &&str| {
        !name.is_empty() && !own.contains(name) && !owners.iter().any(|owner| owner.column == *name)
    };
    let further: Vec<&str> = headers.names.iter().map(String::as_str).filter(is_further).collect();
    let tables: Vec<RosterTable> =
        std::iter::once(RosterTable::Students).chain(owners.iter().map(|owner| owner.members)).collect();
    let mut made_up = BTreeSet::new();
    let mut fills = vec![Fill::default(); owners.len()];
    let count = consume(sink, file, &tables, (headers, rows), |cells, items| {
        let row = StudentRow {
            student_id: cells.key("student_id"),
            name: cells.needed("name", "missing-name"),
            gender: cells.text("gender"),
            phone: cells.phone("phone"),
            email: cells.text("email"),
            password: cells.verbatim("password"),
            classin_uid: cells.number("classin_uid"),
            active: cells.flag("active"),
            further: further.iter().map(|&name| (name.to_owned(), further_value(cells, name))).collect(),
        };
        if let Some(message) = cells.doubt_of_id.take() {
            items.push(Item::DoubtfulId { student: row.student_id.clone(), message });
        }
        for (Owner { column, members, heading, holds_several }, fill) in owners.iter().zip(&mut fills) {
            let codes = if *holds_several {
                cells.codes(column)
            } else if let CellValue::Value(code) = cells.code(column) {
                vec![code]
            } else {
                Vec::new()
            };
            fill.note(cells.is_filled(column), cells.problems.is_empty());
            for code in codes {
                // What a bad row makes up is not taken: the next good one makes it up.
                if made_up.len() >= MOST_MADE_UP {
                    made_up.clear();
                }
                if cells.problems.is_empty() && made_up.insert((*members, code.clone())) {
                    items.push(made_up_owner(*members, &code));
                }
                let (table, student) = (*members, row.student_id.clone());
                let own = (student.clone(), code.clone(), heading.clone());
                let (of, in_code, column) = own;
                items.push(Item::OwnColumn { table, student: of, code: in_code, column });
                items.push(Item::Member { table, student, code, departs: false });
            }
        }
        items.push(student(row));
    });
    judge_fill(sink, file, headers, owners, &fills);
    count
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
