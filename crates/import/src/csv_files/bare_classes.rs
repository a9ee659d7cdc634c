//! Classes that are called by a number or a letter alone: of another grade they are other classes. The grade may stand in the
//! name of the sheet, in a title above the heading or in the file's name; where it stands nowhere, one code of two sheets is
//! refused.

use std::collections::BTreeMap;

use super::{CsvSource, SheetIs};
use crate::grade_names::{grade_in, is_bare, is_of_class};
use crate::heading::Heading;
use crate::layout::Table;
use crate::made::Made;
use crate::sheet::FileRef;
use crate::table::Row;
use crate::{RosterTable, RowSink, in_quotes, shown};

/// The column of a class that a known word heads.
const CLASS: &str = "group_code";

/// The classes of one file.
#[derive(Default)]
pub(super) struct BareClasses {
    /// The places of the class and of the group that it becomes, from 0.
    places: Option<(usize, usize)>,
    /// The grade, and where it stands.
    grade: Option<(String, &'static str)>,
    /// Classes that were joined with the grade: how many rows, and the first.
    joined: u64,
    first: Option<(String, String)>,
    /// The line of the first row of each class that has no grade.
    met: BTreeMap<String, u64>,
}

impl BareClasses {
    /// Looks at a table, and joins its class with the grade that stands elsewhere.
    pub(super) fn of<I>(source: &CsvSource<'_>, table: &mut Table<I>) -> Self {
        let Some(class) = place_of_class(source, &table.heading) else { return Self::default() };
        let Some((grade, whose)) = grade_of(source, table) else {
            return Self { places: Some((class, class)), ..Self::default() };
        };
        for names in [&mut table.heading.names, &mut table.headers.names] {
            if let Some(name) = names.get_mut(class) {
                name.clear();
            }
        }
        let made = Made::ClassOf { grade: grade.clone(), class };
        table.add(CLASS, made);
        let group = table.headers.names.len().saturating_sub(1);
        Self { places: Some((class, group)), grade: Some((grade, whose)), ..Self::default() }
    }

    pub(super) fn note(&mut self, row: &Row) {
        let Some((class, group)) = self.places else { return };
        let [class, group] = [class, group].map(|at| row.fields.get(at).unwrap_or_default().trim());
        if class != group {
            self.joined += 1;
            if self.first.is_none() {
                self.first = Some((shown(class), shown(group)));
            }
        } else if is_bare(group) && !self.met.contains_key(group) {
            self.met.insert(group.to_owned(), row.line);
        }
    }

    /// Tells of classes that were joined, and refuses those that another sheet has too.
    pub(super) fn tell(self, sink: &mut RowSink, file: &FileRef, source: &CsvSource<'_>) {
        if let (Some((grade, whose)), Some((class, group))) = (self.grade, self.first) {
            let message = format!(
                "the grade {} stands in {whose} and not in the class: {class} is read as {group}, and so are others (--sheet-is \
                 nothing leaves the grade away)",
                shown(&grade)
            );
            sink.reading.notice(&file.name, message);
        }
        if source.sheet.is_none() {
            return;
        }
        for (code, line) in self.met {
            let Some((other, first)) = sink.bare_classes.get(&code).cloned() else {
                sink.bare_classes.insert(code, (file.name.clone(), line));
                continue;
            };
            let message = format!(
                "the class {} stands here in row {line} and on {other} in row {first}, and neither the class nor the name of a sheet says \
                 its grade: write the grade into the classes ({}), or call the sheets after their grades; where both are one class, \
                 add --sheet-is nothing; where one sheet is of another term, choose the other with --sheet {}",
                shown(&code),
                example(&code),
                in_quotes(source.sheet.unwrap_or_default())
            );
            return sink.reading.refuse_file(&file.name, line, 1, "class-of-two-sheets", message);
        }
    }
}

fn example(code: &str) -> String {
    if code.is_ascii() {
        format!("7{}{}", if code.starts_with(|c: char| c.is_ascii_digit()) { "-" } else { "" }, shown(code))
    } else {
        format!("高一{}", shown(code))
    }
}

/// The column of the class, where a known word heads it and no option says what the group is.
fn place_of_class(source: &CsvSource<'_>, heading: &Heading) -> Option<usize> {
    let options = source.options;
    let is_said =
        options.sheet_is != SheetIs::Auto || options.map.names(CLASS) || options.map.names("class_code");
    if is_said || source.table != RosterTable::Students {
        return None;
    }
    let owner = heading.owners().into_iter().find(|owner| owner.column == CLASS)?;
    let at = heading.names.iter().position(|name| name == CLASS)?;
    let is_ours = heading.theirs.get(at).is_some_and(|word| word.eq_ignore_ascii_case(CLASS));
    (owner.heading == CLASS && !owner.holds_several && !is_ours).then_some(at)
}

/// The grade of all rows, and where it stands.
fn grade_of<I>(source: &CsvSource<'_>, table: &Table<I>) -> Option<(String, &'static str)> {
    if let Some(grade) = source.sheet.and_then(grade_in) {
        return Some((grade, "the name of the sheet"));
    }
    let titles = table.titles.iter().filter(|title| !is_of_class(title));
    let mut titles: Vec<String> = titles.filter_map(|title| grade_in(title)).collect();
    titles.sort();
    titles.dedup();
    if let [grade] = titles.as_slice() {
        return Some((grade.clone(), "the title above the heading"));
    }
    if !titles.is_empty() || source.is_one_of_several {
        return None;
    }
    let stem = source.path.file_stem()?.to_string_lossy();
    // `s5` may be anything that was exported in that moment.
    if stem.chars().filter(|letter| letter.is_ascii_alphabetic()).count() < 3 && stem.is_ascii() {
        return None;
    }
    Some((grade_in(&stem)?, "the name of the file"))
}
