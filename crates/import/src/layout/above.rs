//! Rows above the heading that are rows of the table, as in a sheet that was sorted together with its heading, or where a list
//! without a heading was pasted above another. Titles and notes hold one or two cells of prose.

use crate::RosterTable;
use crate::header_words::known;
use crate::heading::Heading;
use crate::table::Row;

/// The lines of those rows; `next` are the first rows below the heading.
pub(super) fn rows_of_the_table(
    above: &[&Row],
    next: &[&Row],
    heading: &Heading,
    table: RosterTable,
) -> Vec<u64> {
    let place = |column: Option<&&str>| {
        let column = column.copied().unwrap_or_default();
        let own = heading.names.iter().position(|name| name == column);
        let made = heading.made.iter().find(|(name, _)| name == column).map(|(_, made)| made.shown_at());
        own.or(made)
    };
    let columns = table.columns();
    let Some((key, second)) = place(columns.first()).zip(place(columns.get(1))) else { return Vec::new() };
    let named = heading.theirs.iter().filter(|name| !name.is_empty()).count();
    let form = Form { key, second, named, table, next };
    above.iter().filter(|row| form.has(row)).map(|row| row.line).collect()
}

/// What rows of the table look like.
struct Form<'r> {
    key: usize,
    second: usize,
    /// Columns with a heading.
    named: usize,
    table: RosterTable,
    next: &'r [&'r Row],
}

impl Form<'_> {
    fn has(&self, row: &Row) -> bool {
        let (id, second) = (field(row, self.key), field(row, self.second));
        if id.is_empty() || second.is_empty() || known(id).is_some() || known(second).is_some() {
            return false;
        }
        let full = self.next.iter().map(|row| filled(row)).max().unwrap_or(self.named);
        let filled = filled(row);
        if !has_digit(id) {
            return filled > 2 && filled == full && self.next.iter().any(|other| are_alike(row, other));
        }
        let is_id = if self.next.is_empty() {
            id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        } else {
            self.next.iter().any(|other| shape(field(other, self.key)) == shape(id))
        };
        let may_be_name = self.table != RosterTable::Students || !has_digit(second);
        is_id && may_be_name && filled > 1 && filled * 2 >= full
    }
}

fn field(row: &Row, at: usize) -> &str {
    row.fields.get(at).unwrap_or_default().trim()
}

fn filled(row: &Row) -> usize {
    row.fields.iter().filter(|field| !field.trim().is_empty()).count()
}

fn has_digit(text: &str) -> bool {
    text.contains(|letter: char| letter.is_numeric())
}

/// Whether each cell of two rows has one shape, and one of them is more than a word.
fn are_alike(one: &Row, other: &Row) -> bool {
    let mut shapes = one.fields.iter().zip(&other.fields).map(|(one, other)| (shape(one), shape(other)));
    let are_of_one = shapes.by_ref().all(|(one, other)| one == other);
    are_of_one && one.fields.iter().any(|field| !matches!(shape(field).as_str(), "" | "a" | "a a"))
}

/// A text with each run of digits as 0 and each run of letters as a.
pub(super) fn shape(text: &str) -> String {
    let as_kind = |letter: char| match letter {
        _ if letter.is_numeric() => '0',
        _ if letter.is_alphabetic() => 'a',
        other => other,
    };
    let mut kinds: Vec<char> = text.trim().chars().take(64).map(as_kind).collect();
    kinds.dedup();
    kinds.into_iter().collect()
}
