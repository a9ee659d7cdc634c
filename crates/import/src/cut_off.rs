//! The last row of a text that ends without a line end: a file that was cut off ends so, and so do the files of some
//! programs. What the rows above have in common tells which of the two it is. It knows nothing of what the columns mean.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;

use super::table::{RawRows, Row, RowFault};

/// Rows above the last one that tell something of it.
const FEW: u64 = 4;
/// Values of a column that are remembered; a column with more of them has one a row.
const MOST_VALUES: usize = 1_000;
/// Bytes of a value that is remembered.
const LONGEST_VALUE: usize = 255;
/// Widths of rows that are told apart: titles above a table and notes below it have others.
const MOST_WIDTHS: usize = 8;

/// The rows of a text, with a fault for the last one where it was cut off.
pub(super) struct WholeRows<R> {
    rows: RawRows<R>,
    held: Option<Row>,
    ready: VecDeque<Result<Row, RowFault>>,
    /// The last columns of the rows so far, by the number of their fields.
    columns: BTreeMap<usize, LastColumn>,
}

impl<R: Read> WholeRows<R> {
    pub(super) fn new(rows: RawRows<R>) -> Self {
        Self { rows, held: None, ready: VecDeque::new(), columns: BTreeMap::new() }
    }

    /// Lets the row that was held go, once another came.
    fn let_go(&mut self) {
        let Some(row) = self.held.take() else { return };
        let width = row.fields.len();
        if self.columns.len() < MOST_WIDTHS || self.columns.contains_key(&width) {
            let last = width.checked_sub(1).and_then(|at| row.fields.get(at)).unwrap_or_default();
            self.columns.entry(width).or_default().note(last.trim());
        }
        self.ready.push_back(Ok(row));
    }

    /// Lets the last row of all go.
    fn end(&mut self) {
        let Some(mut row) = self.held.take() else { return };
        row.is_unended = self.rows.is_unended();
        let width = row.fields.len();
        let last = width.checked_sub(1).and_then(|at| row.fields.get(at)).unwrap_or_default().trim();
        let why = self.columns.get(&width).filter(|_| row.is_unended).and_then(|column| column.lacks(last));
        self.ready.push_back(match why {
            None => Ok(row),
            Some(why) => Err(RowFault { column: width, ..RowFault::new(row.line, CODE, cut_off(why)) }),
        });
    }
}

/// The rule that a cut row breaks.
pub(super) const CODE: &str = "cut-off";

/// That a file ends in the middle of a row, and the cure.
pub(super) fn cut_off(why: &str) -> String {
    format!(
        "the file ends in this row without a line end, and {why}, as in a file that was cut off: export or copy it again; where it \
         is whole, end its last line with a line end"
    )
}

impl<R: Read> Iterator for WholeRows<R> {
    type Item = Result<Row, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            match self.rows.next() {
                Some(Ok(row)) => {
                    self.let_go();
                    self.held = Some(row);
                }
                Some(Err(fault)) => {
                    self.let_go();
                    self.ready.push_back(Err(fault));
                }
                None => {
                    self.end();
                    return self.ready.pop_front();
                }
            }
        }
    }
}

/// What the values of a column have in common. The first of them is the heading's, and is not looked at.
#[derive(Default)]
struct LastColumn {
    is_begun: bool,
    count: u64,
    empty: u64,
    /// How many letters each value has; none where they differ, or where one is no number or code.
    length: Option<usize>,
    are_of_one_length: bool,
    /// Each value, and what stands behind its last `@`, with how often it was there; none where there are too many.
    values: Tally,
    domains: Tally,
}

impl LastColumn {
    fn note(&mut self, value: &str) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.are_of_one_length = true;
            return;
        }
        self.count += 1;
        if value.is_empty() {
            self.empty += 1;
            return;
        }
        let length = value.len();
        self.are_of_one_length &= is_number_or_code(value) && self.length.is_none_or(|known| known == length);
        self.length = Some(length);
        self.values.note(value);
        self.domains.note(domain(value));
    }

    /// What a last value lacks that all others have.
    fn lacks(&self, value: &str) -> Option<&'static str> {
        if self.count < FEW {
            return None;
        }
        if value.is_empty() {
            return (self.empty == 0).then_some("its last value is empty, unlike all others of the column");
        }
        let is_shorter = self.length.is_some_and(|length| value.len() < length);
        if self.are_of_one_length && self.count - self.empty >= FEW && is_shorter {
            return Some("its last value is shorter than all others of the column, which have one length");
        }
        let is_begun = self.values.begins_another(value)
            || (value.contains('@') && self.domains.begins_another(domain(value)));
        is_begun.then_some("its last value is the beginning of others of the column")
    }
}

/// Whether a text is of the signs that numbers, ids and dates have, with a digit.
fn is_number_or_code(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'/' | b':' | b'.');
    text.bytes().all(is_sign) && text.bytes().any(|byte| byte.is_ascii_digit())
}

fn domain(value: &str) -> &str {
    value.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// How often texts were there.
#[derive(Default)]
struct Tally {
    texts: BTreeMap<String, u64>,
    total: u64,
    are_too_many: bool,
}

impl Tally {
    fn note(&mut self, text: &str) {
        if self.are_too_many || text.is_empty() {
            return;
        }
        self.total += 1;
        if let Some(times) = self.texts.get_mut(text) {
            *times += 1;
        } else if self.texts.len() < MOST_VALUES && text.len() <= LONGEST_VALUE {
            self.texts.insert(text.to_owned(), 1);
        } else {
            self.are_too_many = true;
            self.texts.clear();
        }
    }

    /// Whether a text that was not there yet is the beginning of one that was there more than once, in a column of few values
    /// that come again: two people may be called Anna, and a third Ann.
    fn begins_another(&self, text: &str) -> bool {
        let distinct = u64::try_from(self.texts.len()).unwrap_or(u64::MAX);
        !text.is_empty()
            && distinct.saturating_mul(2) <= self.total
            && !self.texts.contains_key(text)
            && self
                .texts
                .range(text.to_owned()..)
                .take_while(|(other, _)| other.starts_with(text))
                .any(|(_, times)| *times > 1)
    }
}
