//! Refuses headings that cannot be understood, with what was found and what to type.

use super::CsvSource;
use crate::layout::{LeftOut, Table};
use crate::sheet::FileRef;
use crate::{RosterTable, RowSink, in_quotes, shown, shown_name};

/// Most columns a students file may have; each becomes a column of the table.
const MOST_COLUMNS: usize = 200;
/// Longest name of a further column, in characters.
const LONGEST_NAME: usize = 64;
/// SQLite's names for a row's own number, which cannot be ordinary columns.
const RESERVED_NAMES: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// Refuses headings that cannot be understood, each fault with its place.
pub(super) fn accept<I>(
    sink: &mut RowSink,
    file: &FileRef,
    source: &CsvSource<'_>,
    table: &mut Table<I>,
) -> bool {
    let before = sink.reading.file_problems.len();
    let line = table.headers.line;
    for fault in std::mem::take(&mut table.heading.faults) {
        sink.reading.refuse_file(&file.name, line, fault.column, fault.code, fault.message);
    }
    if sink.reading.file_problems.len() > before {
        return false;
    }
    if !table.above.is_empty() {
        let lines: Vec<String> = table.above.iter().map(u64::to_string).collect();
        let (rows, look) = if lines.len() == 1 { ("row", "looks") } else { ("rows", "look") };
        let message = format!(
            "{rows} {} above the heading (row {line}) {look} like rows of the table, as where a sheet was sorted together with its \
             heading or two lists were put together: move the heading above all of them",
            lines.join(", ")
        );
        sink.reading.refuse_file(&file.name, line, 1, "rows-above", message);
        return false;
    }
    if source.is_unnamed && !(table.heading.has("student_id") && table.heading.has("name")) {
        let names = RosterTable::ALL.map(RosterTable::name).join(", ");
        let message =
            format!("the file is named after none of {names}, and {}", missing(source, "student_id", table));
        sink.reading.refuse_file(&file.name, line, 1, "unknown-file", message);
        return false;
    }
    refuse_names(sink, file, source.table, table);
    refuse_hidden(sink, file, source, table);
    let own = source.table.columns();
    let members = matches!(source.table, RosterTable::GroupMembers | RosterTable::ClassMembers);
    for column in own.iter().take(if members { 2 } else { 1 }).filter(|column| !table.heading.has(column)) {
        sink.reading.refuse_file(&file.name, line, 1, "missing-column", missing(source, column, table));
    }
    if table.headers.names.len() > MOST_COLUMNS {
        let message = format!("the file has more than {MOST_COLUMNS} columns");
        sink.reading.refuse_file(&file.name, line, 1, "too-many-columns", message);
    }
    sink.reading.file_problems.len() == before
}

/// Refuses columns that the sheet does not show and that would be read, unless the mapping names columns: who hides a column may
/// not mean it to be read.
fn refuse_hidden<I>(sink: &mut RowSink, file: &FileRef, source: &CsvSource<'_>, table: &Table<I>) {
    if !source.options.map.is_empty() {
        return;
    }
    for at in table.hidden.iter().filter(|at| table.headers.uses(**at)) {
        let theirs = table.heading.theirs.get(*at).map(String::as_str).unwrap_or_default();
        let ours = table.headers.names.get(*at).map(String::as_str).unwrap_or_default();
        let message = format!(
            "the column {} is hidden, and would be read as {}: show it (select all columns, Unhide) where it is meant, else delete it",
            shown(theirs),
            if ours.is_empty() { "a part of another" } else { ours },
        );
        sink.reading.refuse_file(&file.name, table.headers.line, at + 1, "hidden-column", message);
    }
}

/// What is wrong with names that become columns of the roster, or are to be columns of ours.
fn refuse_names<I>(sink: &mut RowSink, file: &FileRef, kind: RosterTable, table: &Table<I>) {
    let own = kind.columns();
    let names = &table.heading.names;
    let is_owner = |name: &str| kind == RosterTable::Students && matches!(name, "group_code" | "class_code");
    let is_left_out = |at: usize| {
        let name = names.get(at).map(String::as_str).unwrap_or_default();
        name.is_empty() && (table.heading.is_translated || !table.heading.skipped.is_empty())
    };
    for (at, name) in names.iter().enumerate().filter(|(at, _)| !is_left_out(*at)) {
        let earlier = names.iter().take(at);
        let fault = if earlier.into_iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            Some(("duplicate-column", format!("column {} has the name of an earlier one", at + 1)))
        } else if own.contains(&name.as_str()) || is_owner(name) {
            None
        } else if kind != RosterTable::Students {
            Some(("unknown-column", format!("the table {kind} has only the columns {}", own.join(", "))))
        } else if !is_plausible_name(name) {
            let rule = format!(
                "column {} needs a name of letters, digits, blanks and _ - . / ( ), not more than {LONGEST_NAME}, \
                 that begins with no digit",
                at + 1
            );
            Some(("bad-column", rule))
        } else {
            None
        };
        if let Some((code, message)) = fault {
            sink.reading.refuse_file(&file.name, table.headers.line, at + 1, code, message);
        }
    }
}

/// That a column is missing, what was found, and the command that would do.
fn missing<I>(source: &CsvSource<'_>, column: &str, table: &Table<I>) -> String {
    let is_known = source.table == RosterTable::Students && table.heading.known_id.is_some();
    let column = if is_known && column == "student_id" { "name" } else { column };
    let mut message = format!("the column {column} is missing");
    if !table.found.is_empty() {
        message.push_str(": ");
        message.push_str(&table.found);
    }
    if source.table == RosterTable::Students {
        let is_needed = |needed: &&str| {
            !table.heading.has(needed) && (*needed != "student_id" || table.heading.known_id.is_none())
        };
        let needed = ["student_id", "name"].into_iter().filter(is_needed);
        let maps: Vec<String> = needed
            .map(|needed| match table.heading.likely_name.as_deref().filter(|_| needed == "name") {
                Some(likely) => format!(" --map {}", in_quotes(&format!("name={}", shown(likely)))),
                None => format!(" --map {needed}=COLUMN"),
            })
            .collect();
        let sheets: Vec<String> = source
            .options
            .sheets
            .iter()
            .map(|sheet| format!(" --sheet {}", in_quotes(&shown(sheet))))
            .collect();
        let name = in_quotes(&shown_name(source.path));
        message.push_str(&format!(
            "; say which column it is: rosterd import csv {name}{}{}",
            sheets.concat(),
            maps.concat()
        ));
    }
    if !source.remark.is_empty() {
        message.push_str(&format!(" ({})", source.remark));
    }
    message
}

/// Says which rows were none of the table.
pub(super) fn tell_left_out(sink: &mut RowSink, file: &FileRef, left_out: &LeftOut) {
    let titles = if left_out.are_groups {
        "are titles of classes, each the group of the rows below,"
    } else {
        "are titles of classes"
    };
    for (lines, what) in [
        (&left_out.repeated, "repeat the heading"),
        (&left_out.totals, "are totals"),
        (&left_out.notes, "stand below the table and are notes"),
        (&left_out.pages, "are lines of printed pages"),
        (&left_out.titles, titles),
    ] {
        if lines.count == 0 {
            continue;
        }
        let is_said = !std::ptr::eq(lines, &left_out.repeated);
        let named = lines.first.iter().zip(&lines.texts);
        let named: Vec<String> = named
            .map(|(line, text)| if is_said { format!("{line} ({text})") } else { line.to_string() })
            .collect();
        let more = lines.count.saturating_sub(u64::try_from(named.len()).unwrap_or(lines.count));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("rows that {what} were left out: {}{more}", named.join(", "));
        sink.reading.notice(&file.name, message);
    }
}

fn is_plausible_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| {
            letter.is_alphanumeric() || matches!(letter, '_' | ' ' | '-' | '.' | '/' | '(' | ')')
        })
        && name.chars().count() <= LONGEST_NAME
        && !RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}
