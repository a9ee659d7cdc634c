//! Sheets that would be left out of a whole roster although they hold students: without a heading, or with one that is
//! not known. They are told by ids that look like those of the sheets that are read, and are none of them, or by ids and names in
//! the places where those sheets have them.

use std::collections::BTreeSet;

use super::CsvOptions;
use crate::heading::Heading;
use crate::layout::{self, Wanted};
use crate::workbook::Workbook;
use crate::{RosterTable, shown};
use rosterd_core::roster::normalise;

/// Rows of a sheet that are looked at.
const ROWS: usize = 200;

/// Refuses a workbook with a visible sheet that is not read and whose rows look like those of a sheet that is.
pub(super) fn refuse_alike(
    workbook: &mut Workbook,
    (read, form): (&[usize], Option<&Heading>),
    options: &CsvOptions,
) -> Result<(), (&'static str, String)> {
    let mut ids = BTreeSet::new();
    for number in read {
        ids.extend(ids_of(workbook, *number, options));
    }
    let shapes: BTreeSet<String> = ids.iter().map(|id| shape(id)).collect();
    for number in 0..workbook.sheets().len() {
        let sheet = workbook.sheets().get(number).filter(|sheet| !sheet.is_hidden && !read.contains(&number));
        let Some(name) = sheet.map(|sheet| shown(&sheet.name)) else { continue };
        if workbook.is_left_aside(number) {
            continue;
        }
        let goes_on = form.is_some_and(|form| goes_on(workbook, number, form));
        if goes_on || holds_people(workbook, number, (&ids, &shapes)) {
            let message = format!(
                "--bulk says that the file is the whole truth, and the sheet {name} seems to go on with rows of students without a heading \
                 that is known, like those of the sheets that are read, who would have left: give it their headings; or leave \
                 it out with --sheet and the names of the others, or hide it, where it holds nobody else"
            );
            return Err(("sheet-left-out", message));
        }
    }
    Ok(())
}

/// The ids in the first rows of a sheet that is read.
fn ids_of(workbook: &mut Workbook, number: usize, options: &CsvOptions) -> Vec<String> {
    let Ok(rows) = workbook.rows(number, false) else { return Vec::new() };
    let wanted = Wanted { table: RosterTable::Students, map: &options.map };
    let Ok(Some(table)) = layout::find(rows, wanted) else { return Vec::new() };
    let key = table.heading.names.iter().position(|name| name == "student_id");
    let Some(key) = key else { return Vec::new() };
    let rows = table.rows.take(ROWS).filter_map(Result::ok);
    let ids = rows.filter_map(|row| Some(row.fields.get(key)?.trim().to_owned()));
    ids.filter(|id| !id.is_empty()).collect()
}

/// Whether most rows have an id of these shapes that is none of these ids, and a name or the like beside it.
fn holds_people(
    workbook: &mut Workbook,
    number: usize,
    (ids, shapes): (&BTreeSet<String>, &BTreeSet<String>),
) -> bool {
    let Ok(rows) = workbook.rows(number, false) else { return false };
    let (mut all, mut people) = (0_usize, 0_usize);
    for row in rows.take(ROWS).filter_map(Result::ok) {
        let is_id = |text: &str| shapes.contains(&shape(text)) && !ids.contains(text.trim());
        let is_word = |text: &str| text.chars().any(char::is_alphabetic) && !shapes.contains(&shape(text));
        all += 1;
        people += usize::from(row.fields.iter().any(is_id) && row.fields.iter().any(is_word));
    }
    people > 0 && people.saturating_mul(2) >= all
}

/// A text with each digit as 0 and each letter as a: what ids of one school have in common. A text without a digit has none.
fn shape(text: &str) -> String {
    let as_kind = |letter: char| match letter {
        _ if letter.is_ascii_digit() => '0',
        _ if letter.is_alphabetic() => 'a',
        other => other,
    };
    let shape: String = text.trim().chars().take(64).map(as_kind).collect();
    if shape.contains('0') { shape } else { String::new() }
}

/// Whether most of the first rows of a sheet have an id and a name in the places where a heading has them.
fn goes_on(workbook: &mut Workbook, number: usize, form: &Heading) -> bool {
    const LOOKED_AT: usize = 20;
    let place = |column: &str| form.names.iter().position(|name| name == column);
    let Some((id, name)) = place("student_id").zip(place("name")) else { return false };
    let Ok(rows) = workbook.rows(number, false) else { return false };
    let (mut seen, mut alike) = (0, 0);
    for row in rows.take(LOOKED_AT).filter_map(Result::ok) {
        let field = |at: usize| normalise(row.fields.get(at).unwrap_or_default()).into_owned();
        let (id, name) = (field(id), field(name));
        let has_digit = |text: &str| text.contains(|letter: char| letter.is_ascii_digit());
        seen += 1;
        let is_id = has_digit(&id) && !id.contains(char::is_whitespace) && id.chars().count() <= 40;
        alike += usize::from(is_id && !name.is_empty() && !has_digit(&name));
    }
    alike * 2 > seen
}
