//! Titles of classes between the rows of their students, alone in their rows: 高一(2)班 above a heading that comes again, `Class 7B`
//! above the rows that it is of. Where no column says the group, it is theirs.

use csv::StringRecord;

use super::footers::{is_count, is_note};
use super::{Table, TableRows};
use crate::RosterTable;
use crate::header_words::known;
use crate::heading::Heading;
use crate::made::Made;
use crate::shown;
use crate::table::{Row, RowFault};
use rosterd_core::roster::normalise;

/// Cells of such a row: the class, its teacher, a date.
const MOST_CELLS: usize = 4;
/// Letters of a title that is a class, and of one that is nothing but a code.
const LONGEST: usize = 24;
const LONGEST_CODE: usize = 10;
/// Rows below a title, and their bytes, in which another one is looked for, before students are taken for those of one list.
const SECTION_ROWS: usize = 500;
const SECTION_BYTES: usize = 4 << 20;
/// Ids have more letters than the codes of most classes.
const SHORTEST_ID: usize = 5;

/// What says the groups of the students.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupsBy {
    /// No titles are looked for: the table is none of students, or an export of ours.
    Nobody,
    /// A column of the table.
    Column,
    /// The titles.
    Titles,
    /// Nothing so far.
    Nothing,
}

/// Which rows may be titles of classes.
pub(super) struct ClassTitles {
    pub(super) by: GroupsBy,
    key: Option<usize>,
    /// Columns of the name, and of the group.
    names: Vec<usize>,
    groups: Vec<usize>,
    /// What the ids look like.
    id: Option<String>,
}

impl ClassTitles {
    pub(super) fn of(heading: &Heading, table: RosterTable, key: Option<usize>) -> Self {
        let has_owners = !heading.owners().is_empty();
        let by = if table != RosterTable::Students || heading.is_export() || !heading.is_acceptable() {
            GroupsBy::Nobody
        } else if has_owners {
            GroupsBy::Column
        } else {
            GroupsBy::Nothing
        };
        let places = |column: &str| -> Vec<usize> {
            let own = heading.names.iter().position(|name| name == column);
            let made = heading.made.iter().find(|(name, _)| name == column).map(|(_, made)| made.parts());
            own.into_iter().chain(made.unwrap_or_default()).collect()
        };
        let groups = [places("group_code"), places("class_code")].concat();
        Self { by, key, names: places("name"), groups, id: None }
    }

    /// Every row has its group by a further column.
    pub(super) fn said_by_a_column(&mut self) {
        if self.by == GroupsBy::Nothing {
            self.by = GroupsBy::Column;
        }
    }

    /// Whether a row lacks what a student's row has. Most rows are told by their first cells.
    pub(super) fn may_be(&mut self, fields: &StringRecord) -> bool {
        if self.by == GroupsBy::Nobody {
            return false;
        }
        let field = |at: usize| fields.get(at).unwrap_or_default().trim();
        let id = self.key.map(field).unwrap_or_default();
        let lacks_name =
            self.names.iter().all(|at| field(*at).is_empty() || field(*at).contains([':', '：']));
        let lacks_group = self.groups.iter().all(|at| field(*at).is_empty());
        if (id.is_empty() || lacks_name) && lacks_group {
            return texts(fields).len() <= MOST_CELLS;
        }
        if self.id.is_none() && !id.is_empty() {
            self.id = Some(super::above::shape(id));
        }
        false
    }

    /// The class that a row is the title of. A code alone is one where a heading follows.
    pub(super) fn class_of(fields: &StringRecord, is_before_heading: bool) -> Option<String> {
        let mut class = None;
        let texts = texts(fields);
        if texts.len() > MOST_CELLS {
            return None;
        }
        for text in texts {
            match class_named(text, is_before_heading) {
                Some(found) if class.is_none() => class = Some(found),
                Some(_) => return None,
                None if is_note(text) => {}
                None => return None,
            }
        }
        class
    }

    /// Whether a row with one text may be the title of the row that follows, and no student who lacks a name.
    pub(super) fn is_unclear(&self, fields: &StringRecord, next: &Row) -> bool {
        let of_row = texts(fields);
        let [text] = of_row.as_slice() else { return false };
        let place = fields.iter().position(|field| field.trim() == *text);
        let is_place = place == self.key || place.is_some_and(|at| at == 0 && !self.names.contains(&at));
        let of_next = || self.key.and_then(|key| next.fields.get(key)).map(super::above::shape);
        let is_of_ids = self.id.clone().or_else(of_next) == Some(super::above::shape(text));
        let is_long_code = text.len() >= SHORTEST_ID
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.contains(|letter: char| letter.is_ascii_digit());
        is_place && !is_of_ids && !is_long_code && texts(&next.fields).len() > 1
    }
}

/// That a row may be a title, and the cure.
pub(super) fn title_between(row: &Row) -> RowFault {
    let at = row.fields.iter().position(|field| !field.trim().is_empty()).unwrap_or_default();
    let text = row.fields.get(at).unwrap_or_default().trim();
    RowFault {
        line: row.line,
        column: at + 1,
        code: "title-between",
        message: format!(
            "this row ({}) looks like the title of a class above its students, and nothing else says the groups of all students: \
             write the class in a column of its own, headed Class, in each row, and take such rows out",
            shown(text)
        ),
        is_fatal: true,
    }
}

impl<I> Table<I> {
    /// The titles of classes say nothing: a column that all rows share is their group.
    pub(super) fn say_instead_of_titles(&mut self, said: &Made) {
        let of_heading = self.heading.made.iter_mut().map(|(_, made)| made);
        for made in of_heading.chain(&mut self.rows.made).filter(|made| matches!(made, Made::Title(_))) {
            *made = said.clone();
        }
        self.rows.class_titles.by = GroupsBy::Column;
        self.rows.left_out.are_groups = false;
    }
}

impl<I> TableRows<I> {
    /// What stands below the students of a class or a page is a note, as it is below the table.
    pub(super) fn end_of_a_section(&mut self) {
        if self.class_titles.by != GroupsBy::Nobody {
            self.notes.drain(..).for_each(|row| self.left_out.notes.push(&row));
        }
    }
}

impl<I: Iterator<Item = Result<Row, RowFault>>> TableRows<I> {
    /// The class of the first rows, where titles of classes are all that says the groups: the first row below the heading is
    /// one, or one stands above the heading and another below.
    pub(super) fn first_class(&mut self, above: &[(Row, Heading)]) -> Option<String> {
        if self.class_titles.by != GroupsBy::Nothing {
            return None;
        }
        let first = above.iter().rev().find_map(|(row, _)| ClassTitles::class_of(&row.fields, true));
        let most = if first.is_some() { SECTION_ROWS } else { 1 };
        let mut bytes = 0;
        for at in 0..most {
            if let Some(below) = self.class_ahead(at).ok()? {
                return first.or(Some(below));
            }
            let row = self.ahead.get(at).and_then(|row| row.as_ref().ok());
            bytes += row.map_or(0, |row| row.fields.as_slice().len());
            if bytes > SECTION_BYTES {
                return None;
            }
        }
        None
    }

    /// The class that the row at this place ahead is the title of; an error where there is no row.
    fn class_ahead(&mut self, at: usize) -> Result<Option<String>, ()> {
        self.read_ahead(at);
        let Some(row) = self.ahead.get(at) else { return Err(()) };
        let Ok(row) = row else { return Ok(None) };
        let fields = row.fields.clone();
        if !self.class_titles.may_be(&fields) {
            return Ok(None);
        }
        self.read_ahead(at + 1);
        Ok(ClassTitles::class_of(&fields, self.is_heading_at(at + 1)))
    }

    fn read_ahead(&mut self, at: usize) {
        while self.ahead.len() <= at {
            let Some(next) = self.rows.next() else { return };
            self.ahead.push_back(next);
        }
    }

    fn is_heading_at(&self, at: usize) -> bool {
        let row = self.ahead.get(at).and_then(|row| row.as_ref().ok());
        row.is_some_and(|row| {
            super::folded(&row.fields) == self.theirs || self.further_heading(row).is_some()
        })
    }

    /// Takes a row that is the title of a class: what follows is of that class, unless a column says otherwise.
    pub(super) fn takes_class(&mut self, row: &Row) -> bool {
        let is_looked_for = matches!(self.class_titles.by, GroupsBy::Titles | GroupsBy::Column);
        if !is_looked_for || !self.class_titles.may_be(&row.fields) {
            return false;
        }
        self.read_ahead(0);
        let Some(class) = ClassTitles::class_of(&row.fields, self.is_heading_at(0)) else { return false };
        if self.class_titles.by == GroupsBy::Titles {
            let made = self.made.iter_mut().find(|made| matches!(made, Made::Title(_)));
            made.into_iter().for_each(|made| *made = Made::Title(class.clone()));
        }
        self.end_of_a_section();
        self.left_out.titles.push(row);
        true
    }

    /// Whether a row may be a title of the rows below it while no column says their groups.
    pub(super) fn may_be_title(&mut self, row: &Row) -> bool {
        let is_looked_for = matches!(self.class_titles.by, GroupsBy::Titles | GroupsBy::Nothing);
        if !is_looked_for || !self.class_titles.may_be(&row.fields) {
            return false;
        }
        self.read_ahead(0);
        let Some(Ok(next)) = self.ahead.front() else { return false };
        let is_class = ClassTitles::class_of(&row.fields, self.is_heading_at(0)).is_some();
        is_class || (!self.may_be_note(row) && self.class_titles.is_unclear(&row.fields, next))
    }
}

/// The texts of a row, each once; of more than a title has, only so many that it is seen.
fn texts(fields: &StringRecord) -> Vec<&str> {
    let mut texts: Vec<&str> = Vec::new();
    for field in fields.iter().map(str::trim).filter(|field| !field.is_empty()) {
        if !texts.contains(&field) {
            texts.push(field);
        }
        if texts.len() > MOST_CELLS {
            break;
        }
    }
    texts
}

/// The class that a text names and nothing else: `Class 7B (25 students)`, 班级：高一(1)班, 高一(1)班学生名单.
fn class_named(text: &str, is_before_heading: bool) -> Option<String> {
    const LISTS: [&str; 12] = [
        "学生名单",
        "學生名單",
        "学生名册",
        "學生名冊",
        "花名册",
        "点名册",
        "名单",
        "名單",
        "名册",
        "名冊",
        "名簿",
        "명단",
    ];
    let text = normalise(text);
    let text = without_count(&text);
    if let Some((label, class)) = text.split_once([':', '：']) {
        let class = class.trim();
        let is_label = known(label).is_some_and(|word| word.column == "group_code");
        let is_class = !class.is_empty() && class.chars().count() <= LONGEST && !is_note(class);
        return (is_label && is_class).then(|| class.to_owned());
    }
    let class = LISTS.iter().find_map(|list| text.strip_suffix(list)).unwrap_or(text).trim();
    let is_class = is_class_of_east_asia(class)
        || is_class_in_words(class)
        || (is_before_heading && class == text && is_code(class));
    (is_class && class.chars().count() <= LONGEST).then(|| class.to_owned())
}

/// Without the number of its students in brackets behind it.
fn without_count(text: &str) -> &str {
    let Some(open) = text.strip_suffix([')', '）']).and_then(|text| text.rsplit_once(['(', '（'])) else {
        return text;
    };
    let (before, count) = open;
    let has_unit = count.contains(|letter: char| letter.is_alphabetic());
    let is_number = count.contains(|letter: char| letter.is_ascii_digit());
    if has_unit && is_number && is_count(count) { before.trim_end() } else { text }
}

/// 高一(1)班, 1年2組, 1학년 2반; no school and its class.
fn is_class_of_east_asia(text: &str) -> bool {
    const SCHOOLS: [&str; 8] = ["学校", "學校", "中学", "中學", "小学", "小學", "学院", "学年度"];
    let has_number =
        text.contains(|letter: char| letter.is_numeric() || "一二三四五六七八九十".contains(letter));
    let has_end = ["班", "組", "반"].iter().any(|end| text.ends_with(end));
    let is_short = text.chars().count() <= LONGEST_CODE;
    has_end && has_number && is_short && !SCHOOLS.iter().any(|word| text.contains(word))
}

/// `Class 7A`, `Klasse 7 b`, `Classe 6e A`.
fn is_class_in_words(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["class", "form", "homeroom", "group", "klasse", "classe", "clase", "grupo", "section"];
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    let is_short = |word: &str| {
        let has_digit = word.contains(|letter: char| letter.is_ascii_digit());
        let is_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
        word.chars().count() <= LONGEST_CODE && (has_digit || is_letter)
    };
    let rest: Vec<&str> = words.collect();
    WORDS.contains(&first.as_str()) && (1..=2).contains(&rest.len()) && rest.into_iter().all(is_short)
}

/// `7A`, `3-1`, 高一(1).
fn is_code(text: &str) -> bool {
    let is_letter =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '/' | '(' | ')' | '（' | '）');
    let is_number = text.chars().all(|letter| letter.is_ascii_digit());
    text.chars().count() <= LONGEST_CODE
        && text.chars().all(is_letter)
        && text.contains(|letter: char| letter.is_numeric() || "一二三四五六七八九十".contains(letter))
        && !(is_number && text.len() > 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_told_from_other_titles() {
        for (text, class) in [
            ("高一(1)班", "高一(1)班"),
            ("高一（1）班（35人）", "高一（1）班"),
            ("三年级二班学生名单", "三年级二班"),
            ("班级：实验班", "实验班"),
            ("1年2組名簿", "1年2組"),
            ("Class 7B (25 students)", "Class 7B"),
            ("Class: 7B", "7B"),
            ("CLASSE 6e A", "CLASSE 6e A"),
            ("Homeroom 101", "Homeroom 101"),
            ("Group A", "Group A"),
        ] {
            assert_eq!(class_named(text, false).as_deref(), Some(class), "{text}");
        }
        for text in [
            "XX中学高一(1)班学生名单",
            "名单",
            "Class list 2026",
            "Class of 2026",
            "Teacher: Ms Smith",
            "Class:",
            "7B",
            "Red House",
            "王小明",
            "20260001",
            "Form",
        ] {
            assert_eq!(class_named(text, false), None, "{text}");
        }
        assert_eq!(class_named("7B", true).as_deref(), Some("7B"));
        for text in ["2026", "Red House", "List", "Page 2"] {
            assert_eq!(class_named(text, true), None, "{text}");
        }
    }
}
