//! Finds a table among the rows of a sheet: its heading, which may stand below a title; and of the rows below it
//! those that belong to it, without repeated headings, totals and the notes at the end.

mod above;
mod class_titles;
mod first_rows;
mod footers;
mod grades;
mod left_out;
mod pages;
mod two_lines;

use std::collections::VecDeque;

use csv::StringRecord;

use self::class_titles::{ClassTitles, GroupsBy, title_between};
use self::first_rows::describe;
use self::footers::{
    are_notes, begins_with_total, is_count, is_full_name, is_number, is_number_of_people, is_sort_of_total,
    may_be_a_name,
};
pub(super) use self::grades::Grades;
pub(super) use self::left_out::LeftOut;
use self::pages::is_page_line;
use self::two_lines::{below_a_group_line, with_second_line};
use super::header_words::known;
use super::heading::Heading;
use super::made::Made;
use super::mapping::ColumnMap;
use super::table::{Headers, Row, RowFault, fitted};
use super::{RosterTable, shown};
use rosterd_core::roster::normalise_key;

/// Rows in which the heading is looked for.
const HEADING_ROWS: usize = 20;
/// Rows that may be notes below the table before they are taken for rows of it.
const MOST_NOTES: usize = 50;
/// Cells of such a row: who made the list, who looked at it, when, and for what.
const MOST_NOTES_OF_A_ROW: usize = 6;
/// Longer texts, in bytes, are no word for a column.
const LONGEST_WORD: usize = 60;

/// What a table is looked for by.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'w> {
    pub(super) table: RosterTable,
    pub(super) map: &'w ColumnMap,
}

/// A table with its heading.
pub(super) struct Table<I> {
    pub(super) heading: Heading,
    pub(super) headers: Headers,
    pub(super) rows: TableRows<I>,
    /// Rows above the heading that are rows of the table, by their lines.
    pub(super) above: Vec<u64>,
    /// What the rows above the heading say.
    pub(super) titles: Vec<String>,
    /// What was found instead of an acceptable heading, as a sentence.
    pub(super) found: String,
    /// Columns that the sheet does not show, from 0.
    pub(super) hidden: Vec<usize>,
}

impl<I> Table<I> {
    /// Gives the rows a further column.
    pub(super) fn add(&mut self, column: &str, made: Made) {
        if self.heading.has(column) && self.rows.class_titles.by == GroupsBy::Titles {
            return self.say_instead_of_titles(&made);
        }
        if matches!(column, "group_code" | "class_code") {
            self.rows.class_titles.said_by_a_column();
        }
        self.headers.names.push(column.to_owned());
        self.headers.made_of.push(made.shown_at());
        self.rows.made.push(made.clone());
        self.heading.made.push((column.to_owned(), made));
    }
}

/// Looks for the table; `None` where there is no row at all. The best row of the first ones becomes the heading where
/// none is acceptable.
pub(super) fn find<I: Iterator<Item = Result<Row, RowFault>>>(
    mut rows: I,
    wanted: Wanted<'_>,
) -> Result<Option<Table<I>>, RowFault> {
    let Looked { mut seen, place, second_line, fault } = look_for_heading(&mut rows, wanted)?;
    if seen.is_empty() {
        return Ok(None);
    }
    let found = describe(&seen, place.is_some());
    let best =
        (0..seen.len()).rev().max_by_key(|at| seen.get(*at).map_or(0, |(_, heading)| heading.recognised));
    let place = place.or(best).unwrap_or_default();
    let below: VecDeque<Row> = seen.drain(place + 1..).map(|(row, _)| row).collect();
    let Some((row, heading)) = seen.pop() else { return Ok(None) };
    let mut ahead: VecDeque<_> = below.into_iter().map(Ok).chain(fault.map(Err)).collect();
    while seen.len() + ahead.len() < HEADING_ROWS
        && let Some(next) = rows.next()
    {
        ahead.push_back(next);
    }
    let next: Vec<&Row> = ahead.iter().flatten().collect();
    let above: Vec<&Row> = seen.iter().map(|(row, _)| row).collect();
    let above = above::rows_of_the_table(&above, &next, &heading, wanted.table);
    let said: Vec<String> = seen
        .iter()
        .flat_map(|(row, _)| row.fields.iter())
        .filter(|text| !text.is_empty())
        .map(shown)
        .collect();
    let titles = seen.iter().map(|(row, _)| folded(&row.fields)).chain(second_line).collect();
    let theirs = folded(&row.fields);
    let width = heading.names.len();
    let key =
        wanted.table.columns().first().and_then(|key| heading.names.iter().position(|name| name == key));
    let mut names = heading.names.clone();
    names.extend(heading.made.iter().map(|(name, _)| name.clone()));
    let headers = Headers {
        line: row.line,
        names,
        made_of: heading.made.iter().map(|(_, made)| made.shown_at()).collect(),
        is_export: heading.is_export(),
    };
    let made: Vec<Made> = heading.made.iter().map(|(_, made)| made.clone()).collect();
    let who_is_there = heading.names.iter().position(|name| name == "active" && heading.is_export());
    let rows = TableRows {
        ahead,
        rows,
        theirs,
        titles,
        width,
        key,
        who_is_there,
        class_titles: ClassTitles::of(&heading, wanted.table, key),
        ours: heading.names.clone(),
        table: wanted.table,
        map: wanted.map.clone(),
        grades: Grades::of(&made),
        made,
        notes: VecDeque::new(),
        met: 0,
        has_ids_like_notes: false,
        ready: VecDeque::new(),
        left_out: LeftOut::default(),
    };
    let hidden = row.marks.hidden_columns;
    let mut table = Table { heading, headers, rows, above, titles: said, found, hidden };
    if let Some(class) = table.rows.first_class(&seen) {
        table.add("group_code", Made::Title(class));
        table.rows.class_titles.by = GroupsBy::Titles;
        table.rows.left_out.are_groups = true;
    }
    Ok(Some(table))
}

/// The first rows of a sheet.
struct Looked {
    seen: Vec<(Row, Heading)>,
    /// Which of them is the heading.
    place: Option<usize>,
    /// The heading's second line, as it will be known again.
    second_line: Option<Vec<String>>,
    /// What the last row is instead of a row.
    fault: Option<RowFault>,
}

/// Reads rows as far as the one below the heading.
fn look_for_heading(
    rows: &mut dyn Iterator<Item = Result<Row, RowFault>>,
    wanted: Wanted<'_>,
) -> Result<Looked, RowFault> {
    let mut seen: Vec<(Row, Heading)> = Vec::new();
    let mut fault = None;
    let mut place = None;
    while seen.len() < HEADING_ROWS && place.is_none() {
        let row = match rows.next() {
            None => break,
            Some(Ok(row)) => row,
            Some(Err(found)) if seen.is_empty() => return Err(found),
            Some(Err(found)) => {
                fault = Some(found);
                break;
            }
        };
        let heading = read_heading(seen.last().map(|(above, _)| above), &row, wanted);
        if heading.is_acceptable() {
            place = Some(seen.len());
        }
        seen.push((row, heading));
    }
    let mut second_line = None;
    if place.is_some() && fault.is_none() {
        match rows.next() {
            None => {}
            Some(Err(found)) => fault = Some(found),
            Some(Ok(row)) => {
                second_line = add_second_line(seen.last_mut(), &row, wanted);
                if second_line.is_none() {
                    seen.push((row, Heading::default()));
                }
            }
        }
    }
    Ok(Looked { seen, place, second_line, fault })
}

/// A row as the heading of the table, alone or with the row above it.
fn read_heading(above: Option<&Row>, row: &Row, wanted: Wanted<'_>) -> Heading {
    let read = |names: &[String]| Heading::read(names, wanted.table, wanted.map);
    let names = names_of(row);
    let heading = read(&names);
    let Some(above) = above.map(names_of).filter(|_| wanted.table == RosterTable::Students) else {
        return heading;
    };
    let together = if heading.is_acceptable() {
        // A mapping means the names of the row itself.
        wanted.map.is_empty().then(|| below_a_group_line(&above, &names, &heading)).flatten()
    } else {
        below_a_group_line(&above, &names, &heading).or_else(|| with_second_line(&above, &names, None))
    };
    together.map(|names| read(&names)).filter(Heading::is_acceptable).unwrap_or(heading)
}

/// Takes the row below a heading for its second line, where it is one, and gives it as it will be known again.
fn add_second_line(
    heading: Option<&mut (Row, Heading)>,
    row: &Row,
    wanted: Wanted<'_>,
) -> Option<Vec<String>> {
    let (above, heading) = heading.filter(|_| wanted.table == RosterTable::Students)?;
    let names = with_second_line(&names_of(above), &names_of(row), Some(heading))?;
    let together = Heading::read(&names, wanted.table, wanted.map);
    if !together.is_acceptable() {
        return None;
    }
    *heading = together;
    Some(folded(&row.fields))
}

fn names_of(row: &Row) -> Vec<String> {
    Headers::new(row.line, row.fields.iter()).names
}

/// The rows of a table, with the columns that are made of others.
pub(super) struct TableRows<I> {
    ahead: VecDeque<Result<Row, RowFault>>,
    rows: I,
    /// The heading as the file has it.
    pub(super) theirs: Vec<String>,
    /// Rows above the heading.
    titles: Vec<Vec<String>>,
    width: usize,
    key: Option<usize>,
    /// Of an export of ours, the column that says who is there: each student's row has it.
    who_is_there: Option<usize>,
    class_titles: ClassTitles,
    /// Our names of the heading's columns, and how a further heading is understood.
    ours: Vec<String>,
    table: RosterTable,
    map: ColumnMap,
    made: Vec<Made>,
    /// How full the grade beside a class is.
    pub(super) grades: Option<Grades>,
    /// Rows that are notes if nothing but notes follows.
    notes: VecDeque<Row>,
    /// Rows of the table so far.
    met: u64,
    /// A row with an id that reads like a note was met: what reads so is a student then.
    has_ids_like_notes: bool,
    /// What goes out next.
    ready: VecDeque<Result<Row, RowFault>>,
    pub(super) left_out: LeftOut,
}

impl<I: Iterator<Item = Result<Row, RowFault>>> Iterator for TableRows<I> {
    type Item = Result<Row, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(row.and_then(|row| self.whole(row)));
            }
            match self.ahead.pop_front().or_else(|| self.rows.next()) {
                None => {
                    self.notes.drain(..).for_each(|row| self.left_out.notes.push(&row));
                    return None;
                }
                Some(Ok(row)) if self.is_cut_off(&row) => {
                    self.ready.extend(self.notes.drain(..).map(Ok));
                    self.ready.push_back(Ok(row));
                }
                Some(Ok(row)) if self.takes_class(&row) || self.is_left_out(&row) => {}
                Some(Ok(row)) if self.may_be_title(&row) => {
                    self.ready.push_back(Err(title_between(&row)));
                }
                Some(Ok(row)) if self.further_heading(&row).is_some() => {
                    self.ready.extend(self.notes.drain(..).map(Ok));
                    self.ready.push_back(Err(other_heading(row.line)));
                }
                Some(Ok(row)) if self.notes.len() < MOST_NOTES && self.may_be_note(&row) => {
                    self.notes.push_back(row)
                }
                Some(other) => {
                    self.met += 1;
                    let id = self.key.zip(other.as_ref().ok()).and_then(|(key, row)| row.fields.get(key));
                    self.has_ids_like_notes |= id.is_some_and(|id| id.contains([':', '：', '。']));
                    self.ready.extend(self.notes.drain(..).map(Ok));
                    self.ready.push_back(other);
                }
            }
        }
    }
}

impl<I> TableRows<I> {
    /// A row of the table's width, with its further columns.
    fn whole(&mut self, row: Row) -> Result<Row, RowFault> {
        let mut row = fitted(row, self.width)?;
        if let Some(grades) = &mut self.grades {
            grades.note(&row.fields);
        }
        for made in &self.made {
            let value = made.value(&row.fields);
            row.fields.push_field(&value);
        }
        Ok(row)
    }

    /// The beginning of a row, which is neither a total nor a note: its id, or the beginning of that, is the last of the file.
    fn is_cut_off(&self, row: &Row) -> bool {
        let first = row.fields.get(0).unwrap_or_default().trim();
        let is_id = first.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && first.bytes().any(|byte| byte.is_ascii_digit());
        let is_begun = row.fields.len() < self.width && self.key == Some(0);
        row.is_unended && is_begun && is_id
    }

    fn is_left_out(&mut self, row: &Row) -> bool {
        let is_short =
            row.fields.iter().filter(|field| !field.trim().is_empty()).count() <= self.theirs.len();
        // Most rows differ from the heading in the first field already.
        let begins = |known: &[String]| {
            let first = row.fields.get(0).unwrap_or_default();
            known.first().is_some_and(|known| *known == folded_text(first))
        };
        let is_again = |known: &[String]| begins(known) && folded(&row.fields) == known;
        if is_short && (is_again(&self.theirs) || self.titles.iter().any(|title| is_again(title))) {
            self.end_of_a_section();
            self.left_out.repeated.push(row);
            return true;
        }
        if self.further_heading(row).is_some_and(|heading| self.is_the_same(&heading)) {
            self.end_of_a_section();
            self.left_out.repeated.push(row);
            return true;
        }
        let is_row = self.width == 1 || self.is_of_an_export(&row.fields);
        if !is_row && is_page_line(&row.fields) {
            self.left_out.pages.push(row);
            return true;
        }
        if self.is_total(&row.fields) {
            self.left_out.totals.push(row);
            return true;
        }
        false
    }

    /// A row that is itself a heading, in whatever spelling: a word for a column stands where an id should.
    fn further_heading(&self, row: &Row) -> Option<Heading> {
        let id = row.fields.get(self.key?)?;
        let may_be_word = id.len() <= LONGEST_WORD && !id.bytes().any(|byte| byte.is_ascii_digit());
        if !may_be_word || known(id).is_none() || self.is_of_an_export(&row.fields) {
            return None;
        }
        let names = Headers::new(row.line, row.fields.iter()).names;
        Some(Heading::read(&names, self.table, &self.map)).filter(Heading::is_acceptable)
    }

    /// A student's row of an export of ours, which says who is there, whatever it reads like.
    fn is_of_an_export(&self, fields: &StringRecord) -> bool {
        let said = self.who_is_there.and_then(|at| fields.get(at)).unwrap_or_default().trim();
        !said.is_empty() && !said.eq_ignore_ascii_case("active")
    }

    /// Whether a further heading says the same of each column.
    fn is_the_same(&self, heading: &Heading) -> bool {
        // Columns that the heading does not have stand behind those that it has.
        let made = self.made.iter().take(heading.made.len());
        heading.names == self.ours && heading.made.iter().map(|(_, made)| made).eq(made)
    }

    /// A line that begins with a word for a total and has nothing but counts behind it.
    fn is_total(&self, fields: &StringRecord) -> bool {
        let mut filled = fields.iter().enumerate().filter(|(_, field)| !field.trim().is_empty());
        let Some((first, word)) = filled.next() else { return false };
        let id = self.key.map(|key| fields.get(key).unwrap_or_default().trim());
        let is_place = self.key.is_none_or(|key| first <= key) || id.is_none_or(str::is_empty);
        // With an id of its own, a person of that name; unless the id is the number of rows above.
        let is_person = self.key.is_some_and(|key| first < key)
            && id.is_some_and(|id| {
                let is_count = id == self.met.to_string();
                !id.is_empty() && (is_full_name(word) || (may_be_a_name(word) && !is_count))
            });
        if !is_place || is_person || self.is_row_of_ours(fields) || self.is_of_an_export(fields) {
            return false;
        }
        let mut rest = filled.map(|(_, field)| field).peekable();
        (begins_with_total(word) && rest.clone().all(is_count))
            || (is_sort_of_total(word) && rest.peek().is_some() && rest.clone().all(is_number))
            || (self.width > 1 && rest.peek().is_none() && is_number_of_people(word))
    }

    /// A row of a table of groups, classes or memberships that has both a code and what belongs to it: a group may be called
    /// as a total is, such as 男生.
    fn is_row_of_ours(&self, fields: &StringRecord) -> bool {
        let field = |column: Option<&&str>| {
            let at = column.and_then(|column| self.ours.iter().position(|name| name == *column));
            at.and_then(|at| fields.get(at)).unwrap_or_default().trim()
        };
        let columns = self.table.columns();
        let (first, second) = (field(columns.first()), field(columns.get(1)));
        match self.table {
            RosterTable::Students => false,
            RosterTable::Groups | RosterTable::Classes => !second.is_empty() && !is_number(second),
            RosterTable::GroupMembers | RosterTable::ClassMembers => {
                !second.is_empty() && !begins_with_total(first) && first != self.met.to_string()
            }
        }
    }

    fn may_be_note(&self, row: &Row) -> bool {
        let filled: Vec<&str> = row.fields.iter().filter(|field| !field.trim().is_empty()).collect();
        // A table of ours has no notes below it that fill both its key and what follows: ids may be such as urn:uuid:1.
        let second = self.table.columns().get(1).filter(|_| self.table != RosterTable::Students);
        let has_both = second.is_some_and(|second| {
            [self.table.columns().first().copied().unwrap_or_default(), second].iter().all(|column| {
                let at = self.ours.iter().position(|name| name == column);
                at.and_then(|at| row.fields.get(at)).is_some_and(|field| !field.trim().is_empty())
            })
        });
        let has_id = self.key.and_then(|key| row.fields.get(key)).is_some_and(|id| !id.trim().is_empty());
        let is_row = self.is_of_an_export(&row.fields) || has_both || (self.has_ids_like_notes && has_id);
        !is_row && self.width > 1 && filled.len() <= MOST_NOTES_OF_A_ROW && are_notes(&filled)
    }
}

fn other_heading(line: u64) -> RowFault {
    RowFault {
        line,
        column: 1,
        code: "other-heading",
        message: "this row is a heading of its own and says the columns in another order or other columns: put what follows into a \
                  file or sheet of its own"
            .to_owned(),
        is_fatal: true,
    }
}

fn folded(fields: &StringRecord) -> Vec<String> {
    let mut fields: Vec<String> = fields.iter().map(folded_text).collect();
    while fields.last().is_some_and(String::is_empty) {
        fields.pop();
    }
    fields
}

fn folded_text(text: &str) -> String {
    normalise_key(text).to_lowercase()
}

#[cfg(test)]
mod tests;
