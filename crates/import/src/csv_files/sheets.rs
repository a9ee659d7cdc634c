//! Which sheets of a workbook are read, and what their names say.

use std::path::Path;

use super::sheet_names::{holds_nobody, is_summary};
use super::summaries::{People, Summary};
use super::{CsvOptions, CsvSource, SheetIs, left_out, read_table};
use crate::discover::table_named;
use crate::header_words::{folded, known};
use crate::heading::Heading;
use crate::layout::{self, Wanted};
use crate::made::Made;
use crate::sheet::FileRef;
use crate::workbook::Workbook;
use crate::{RosterTable, RowSink, shown, shown_name};

/// Names that spreadsheet programs give to sheets, before their numbers.
const GIVEN_NAMES: [&str; 10] =
    ["sheet", "工作表", "表", "tabelle", "feuille", "feuil", "hoja", "シート", "시트", "table"];

/// A sheet that is read.
struct Chosen {
    number: usize,
    table: RosterTable,
}

/// What is read of a workbook.
struct Choice {
    chosen: Vec<Chosen>,
    /// Sheets that sum up others, read or not.
    summaries: Vec<Summary>,
}

impl Choice {
    fn of(chosen: Vec<Chosen>) -> Self {
        Self { chosen, summaries: Vec::new() }
    }
}

pub(super) fn read(sink: &mut RowSink, table: Option<RosterTable>, path: &Path, options: &CsvOptions) {
    let Some(mut workbook) = Workbook::open(sink, path) else { return };
    let name = shown_name(path);
    let names: Vec<String> = workbook.sheets().iter().map(|sheet| sheet.name.clone()).collect();
    let nobody = (0..names.len())
        .filter(|at| names.get(*at).is_some_and(|name| holds_nobody(name, &names, sink.today)));
    workbook.leave_aside(nobody.collect());
    let Choice { chosen, summaries } = match choose(&mut workbook, table, options) {
        Ok(choice) => choice,
        Err((code, message)) => return sink.reading.refuse_file(&name, 1, 1, code, message),
    };
    tell_unread(sink, &name, &workbook, &chosen, &summaries);
    if workbook.lacks_formats() {
        let message = "an .xls says numbers without their formats: where its sheets show zeros in front of ids, save it \
                       as .xlsx and import that";
        sink.reading.notice(&name, message);
    }
    let students = chosen.iter().filter(|chosen| chosen.table == RosterTable::Students).count();
    // A sheet that is chosen of several says by its name what it says among them.
    let is_one_of_several = students > 1
        || !summaries.is_empty()
        || (students == 1
            && !options.sheets.is_empty()
            && of_one_form(&mut workbook, RosterTable::Students, options).len() > 1);
    for Chosen { number, table: kind } in chosen {
        let sheet = workbook.sheets().get(number).map(|sheet| sheet.name.clone()).unwrap_or_default();
        let file = FileRef { is_sheet: true, ..FileRef::note(sink, format!("{name}[{}]", shown(&sheet))) };
        let sums_up = is_summary(&sheet) || summaries.iter().any(|summary| summary.number == number);
        let shared = match kind {
            RosterTable::Students => {
                shared(&mut workbook, number, &sheet, is_one_of_several && !sums_up, options)
            }
            RosterTable::Groups
            | RosterTable::Classes
            | RosterTable::GroupMembers
            | RosterTable::ClassMembers => None,
        };
        if let Some((column, _)) = &shared {
            let what = if *column == "class_code" { "class" } else { "group" };
            let message =
                format!("the name of the sheet is the {what} of its students (--sheet-is nothing leaves it)");
            sink.reading.notice(&file.name, message);
        }
        let is_unnamed = table.is_none() && table_named(&sheet).is_none() && options.map.is_empty();
        let source = CsvSource {
            table: kind,
            is_unnamed,
            options,
            path,
            sheet: (!sums_up).then_some(sheet.as_str()),
            shared,
            is_one_of_several,
            remark: "",
        };
        match workbook.rows(number, true) {
            Ok(rows) => read_table(sink, &file, &source, rows),
            Err(fault) => file.refuse(sink, 1, "not-a-workbook", fault),
        }
    }
}

/// The sheets that are asked for; without a wish those named after tables; else all of one form.
fn choose(
    workbook: &mut Workbook,
    table: Option<RosterTable>,
    options: &CsvOptions,
) -> Result<Choice, (&'static str, String)> {
    let sheets = workbook.sheets().to_vec();
    let kind = table.unwrap_or(RosterTable::Students);
    let of_one_form = |workbook: &mut Workbook| of_one_form(workbook, kind, options);
    if !options.sheets.is_empty() {
        let mut chosen = Vec::new();
        for wanted in &options.sheets {
            let Some(number) = sheets.iter().position(|sheet| sheet.name == *wanted) else {
                let names: Vec<String> = sheets.iter().map(|sheet| shown(&sheet.name)).collect();
                let message = format!("there is no sheet {}; there are {}", shown(wanted), names.join(", "));
                return Err(("missing-sheet", message));
            };
            chosen.push(Chosen {
                number,
                table: table.or(table_named(wanted)).unwrap_or(RosterTable::Students),
            });
        }
        if options.whole {
            let numbers: Vec<usize> = chosen.iter().map(|chosen| chosen.number).collect();
            let mut left = of_one_form(workbook);
            left.retain(|number| !numbers.contains(number));
            if kind == RosterTable::Students {
                // Nobody would leave with a sheet that sums up the others.
                left.retain(|number| !People::new(options).are_within(workbook, *number, &numbers));
            }
            let left: Vec<String> =
                left.into_iter().filter_map(|number| Some(shown(&sheets.get(number)?.name))).collect();
            let is_of_them = chosen.iter().any(|chosen| chosen.table == kind);
            if !left.is_empty() && is_of_them {
                let message = format!(
                    "--bulk says that the file is the whole truth, and --sheet leaves out {}, whose students would have \
                     left: name those sheets too, or leave --sheet or --bulk out",
                    left.join(", ")
                );
                return Err(("sheet-left-out", message));
            }
        }
        return Ok(Choice::of(chosen));
    }
    let mut named: Vec<Chosen> = sheets
        .iter()
        .enumerate()
        .filter(|(_, sheet)| !sheet.is_hidden)
        .filter_map(|(number, sheet)| Some(Chosen { number, table: table_named(&sheet.name)? }))
        .collect();
    if !named.is_empty() {
        // Beside groups and memberships a sheet of any other name may hold the students.
        if kind == RosterTable::Students && named.iter().all(|chosen| chosen.table != kind) {
            let numbers = of_one_form(workbook).into_iter();
            let others: Vec<usize> =
                numbers.filter(|number| named.iter().all(|chosen| chosen.number != *number)).collect();
            named.extend(others.into_iter().map(|number| Chosen { number, table: kind }));
        }
        return Ok(Choice::of(named));
    }
    let mut numbers = of_one_form(workbook);
    if options.whole && !numbers.is_empty() {
        refuse_half_known(workbook, kind, options)?;
        let form = numbers.first().and_then(|number| heading_of(workbook, *number, kind, options));
        left_out::refuse_alike(workbook, (&numbers, form.as_ref()), options)?;
    }
    if numbers.is_empty() {
        // The first that is seen tells what is missing.
        numbers.extend(sheets.iter().position(|sheet| !sheet.is_hidden));
    }
    if numbers.is_empty() {
        return Err((
            "empty-file",
            "the workbook has no sheet that is seen (--sheet takes a hidden one)".to_owned(),
        ));
    }
    let summaries = if kind == RosterTable::Students && options.sheet_is == SheetIs::Auto {
        People::new(options).summaries(workbook, &numbers)
    } else {
        Vec::new()
    };
    let is_read =
        |number: &usize| summaries.iter().all(|summary| summary.number != *number || summary.says_more);
    let chosen = numbers.into_iter().filter(is_read).map(|number| Chosen { number, table: kind }).collect();
    Ok(Choice { chosen, summaries })
}

/// The sheets that hold the table and name the same sort of people: students by any word for a student's id where one sheet
/// does, else those that the first names, be it staff or whom a mapping or words of one's own name.
fn of_one_form(workbook: &mut Workbook, kind: RosterTable, options: &CsvOptions) -> Vec<usize> {
    let mut found = Vec::new();
    for number in 0..workbook.sheets().len() {
        if workbook.sheets().get(number).is_none_or(|sheet| sheet.is_hidden) {
            continue;
        }
        let Some(heading) = heading_of(workbook, number, kind, options) else { continue };
        let place = |column: &str| {
            let own = heading.names.iter().position(|name| name == column);
            own.or_else(|| {
                heading.made.iter().find(|(name, _)| name == column).map(|(_, made)| made.shown_at())
            })
        };
        let key = place(kind.columns().first().copied().unwrap_or_default());
        found.push((number, key.and_then(|at| heading.theirs.get(at)).map(|word| people_named_by(word))));
    }
    if found.iter().any(|(number, _)| !workbook.is_left_aside(*number)) {
        found.retain(|(number, _)| !workbook.is_left_aside(*number));
    }
    let students = found.iter().find(|(_, people)| people.as_deref() == Some(STUDENTS));
    let Some((_, form)) = students.or(found.first()).cloned() else { return Vec::new() };
    found.into_iter().filter(|(_, people)| *people == form).map(|(number, _)| number).collect()
}

/// A sheet that nearly is of the form: with `--bulk` its people would have left.
fn refuse_half_known(
    workbook: &mut Workbook,
    kind: RosterTable,
    options: &CsvOptions,
) -> Result<(), (&'static str, String)> {
    for number in 0..workbook.sheets().len() {
        let Some(sheet) = workbook.sheets().get(number).filter(|sheet| !sheet.is_hidden).cloned() else {
            continue;
        };
        if workbook.is_left_aside(number) {
            continue;
        }
        let Ok(rows) = workbook.rows(number, false) else { continue };
        let Ok(Some(table)) = layout::find(rows, Wanted { table: kind, map: &options.map }) else { continue };
        if table.heading.recognised >= 2 && !table.heading.is_acceptable() {
            let message = format!(
                "--bulk says that the file is the whole truth, and the sheet {} looks like one of students that cannot be \
                 read ({}), so they would have left: mend its headings, or leave --bulk out",
                shown(&sheet.name),
                table.found
            );
            return Err(("sheet-left-out", message));
        }
    }
    Ok(())
}

const STUDENTS: &str = "students";

/// Whom a heading's word for the id names.
fn people_named_by(word: &str) -> String {
    match known(word).filter(|known| known.column == "student_id") {
        Some(known) if known.is_for_staff() => "staff".to_owned(),
        Some(_) => STUDENTS.to_owned(),
        // A mapping finds its columns in any spelling of this kind.
        None => folded(word),
    }
}

/// The heading of a sheet that is acceptable as one.
fn heading_of(
    workbook: &mut Workbook,
    number: usize,
    kind: RosterTable,
    options: &CsvOptions,
) -> Option<Heading> {
    let rows = workbook.rows(number, false).ok()?;
    let found = layout::find(rows, Wanted { table: kind, map: &options.map }).ok()??;
    let heading = found.heading;
    let is_theirs = kind != RosterTable::Students || heading.has("name") || !options.map.is_empty();
    (heading.is_acceptable() && is_theirs).then_some(heading)
}

/// The column that the sheet's name is for all its rows.
fn shared(
    workbook: &mut Workbook,
    number: usize,
    sheet: &str,
    is_one_of_several: bool,
    options: &CsvOptions,
) -> Option<(&'static str, Made)> {
    let mut has_owner = || {
        let heading = heading_of(workbook, number, RosterTable::Students, options);
        heading.is_some_and(|heading| heading.has("group_code") || heading.has("class_code"))
    };
    let column = match options.sheet_is {
        SheetIs::Nothing => return None,
        SheetIs::Group => "group_code",
        SheetIs::Class => "class_code",
        SheetIs::Auto if is_one_of_several && !says_nothing(sheet) && !has_owner() => "group_code",
        SheetIs::Auto => return None,
    };
    Some((column, Made::Constant(sheet.trim().to_owned())))
}

/// `Sheet1` says nothing of the students in it, nor does the name of a table or of a summary.
pub(super) fn says_nothing(sheet: &str) -> bool {
    if table_named(sheet).is_some() || is_summary(sheet) {
        return true;
    }
    // A number alone is a class (701), and no name that a program gives.
    if !sheet.trim().is_empty() && sheet.trim().chars().all(|letter| letter.is_ascii_digit()) {
        return false;
    }
    let name = sheet.trim().trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')'));
    name.is_empty() || GIVEN_NAMES.contains(&name.to_lowercase().as_str())
}

fn tell_unread(
    sink: &mut RowSink,
    name: &str,
    workbook: &Workbook,
    chosen: &[Chosen],
    summaries: &[Summary],
) {
    for Summary { number, says_more } in summaries {
        let sheet = workbook.sheets().get(*number).map(|sheet| shown(&sheet.name)).unwrap_or_default();
        let message = if *says_more {
            format!(
                "the sheet {sheet} sums up the others: it is read for its further columns, and its name is no group"
            )
        } else {
            format!("the sheet {sheet} sums up the others, and was not read (--sheet NAME reads it)")
        };
        sink.reading.notice(name, message);
    }
    let is_read = |number: usize| {
        chosen.iter().any(|chosen| chosen.number == number)
            || summaries.iter().any(|summary| summary.number == number)
    };
    let unread = |is_hidden: bool| -> Vec<String> {
        let sheets = workbook.sheets().iter().enumerate();
        sheets
            .filter(|(number, sheet)| sheet.is_hidden == is_hidden && !is_read(*number))
            .filter(|(number, _)| is_hidden || !workbook.is_left_aside(*number))
            .map(|(_, sheet)| shown(&sheet.name))
            .collect()
    };
    let nobody = (0..workbook.sheets().len())
        .filter(|number| !is_read(*number) && workbook.is_left_aside(*number))
        .filter_map(|number| workbook.sheets().get(number))
        .filter(|sheet| !sheet.is_hidden)
        .map(|sheet| shown(&sheet.name))
        .collect();
    let of_nobody = "sheets of people who have left, or of samples, by their names,";
    for (sheets, what) in [(unread(false), "sheets"), (nobody, of_nobody), (unread(true), "hidden sheets")] {
        if !sheets.is_empty() {
            let message =
                format!("{what} that were not read: {} (--sheet NAME reads one)", sheets.join(", "));
            sink.reading.notice(name, message);
        }
    }
}
