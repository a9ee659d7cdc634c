//! Text into rows of fields, each with the line it starts in. It knows nothing of what the columns mean.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;

use csv::{ReaderBuilder, StringRecord};

use super::cut_off::{self, WholeRows};
use super::decoding::{DecodedText, END, Trail};
use super::marks::Marks;
use rosterd_core::counted::counted;

/// Fields of a row; more are no table that people keep, and each row would cost them.
pub(super) const MOST_FIELDS: usize = 1_000;

/// A row that cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowFault {
    pub(super) line: u64,
    /// The column, from 1; 1 where the whole row is meant.
    pub(super) column: usize,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Nothing after it can be read, and nothing before it can be trusted.
    pub(super) is_fatal: bool,
}

impl RowFault {
    pub(super) fn new(line: u64, code: &'static str, message: impl Into<String>) -> Self {
        Self { line, column: 1, code, message: message.into(), is_fatal: false }
    }
}

/// A row. Below a header it has as many fields as there are headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) fields: StringRecord,
    /// Fields that a workbook holds otherwise than it shows them, by number.
    pub(super) doubts: Vec<(usize, Doubt)>,
    /// How a sheet shows it.
    pub(super) marks: Marks,
    /// It is the last row of a text that ends without a line end.
    pub(super) is_unended: bool,
}

impl Row {
    /// A row of text alone.
    pub(super) fn new(line: u64, fields: StringRecord) -> Self {
        Self { line, fields, ..Self::default() }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.doubts.is_empty() && self.fields.iter().all(|field| field.trim().is_empty())
    }
}

/// What is doubtful about a cell of a workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The value is lost, and why.
    Lost(&'static str),
    /// A date or a time: no code, number or name, but perhaps a code that a spreadsheet took for one.
    Date,
    /// A number that is shown in a way that cannot be followed.
    Format,
}

/// The names of the columns.
#[derive(Debug)]
pub(super) struct Headers {
    pub(super) line: u64,
    pub(super) names: Vec<String>,
    /// For columns that are made of others, at the end: the number of the first of those in the file.
    pub(super) made_of: Vec<usize>,
    /// They are those of our own export, whose values are the roster's as they are.
    pub(super) is_export: bool,
}

impl Headers {
    /// Names as they are compared: trimmed, in normal form, without empty ones at the end.
    pub(super) fn new<'n>(line: u64, names: impl Iterator<Item = &'n str>) -> Self {
        let mut names: Vec<String> =
            names.map(|name| rosterd_core::roster::normalise(name).into_owned()).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        Self { line, names, made_of: Vec::new(), is_export: false }
    }

    /// Whether a column of the file, from 0, is taken for anything.
    pub(super) fn uses(&self, at: usize) -> bool {
        self.names.get(at).is_some_and(|name| !name.is_empty()) || self.made_of.contains(&at)
    }

    /// Whether a column of the file, from 0, is this one of ours, or what it is made of begins there.
    pub(super) fn is_of(&self, column: &str, at: usize) -> bool {
        self.uses(at) && self.names.iter().any(|name| name == column) && self.position(column) == at + 1
    }

    /// The number of a column in the file, from 1; 1 where the file does not have it.
    pub(super) fn position(&self, column: &str) -> usize {
        let Some(at) = self.names.iter().position(|name| name == column) else { return 1 };
        let of_file = self.names.len().saturating_sub(self.made_of.len());
        match at.checked_sub(of_file).and_then(|made| self.made_of.get(made)) {
            Some(source) => source + 1,
            None => at + 1,
        }
    }
}

/// The number of a column, from 1; 1 where the file does not have it.
pub(super) fn position(headers: &[String], column: &str) -> usize {
    headers.iter().position(|header| header == column).map_or(1, |at| at + 1)
}

/// Any table of rows, from any source.
pub(super) type AnyRows<'r> = dyn Iterator<Item = Result<Row, RowFault>> + 'r;

/// The rows of a text, headers and all.
pub(super) fn raw_rows<R: Read>(
    (text, trail): (DecodedText<R>, Rc<RefCell<Trail>>),
    delimiter: u8,
) -> WholeRows<R> {
    let reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text);
    trail.borrow_mut().row_line = 1;
    WholeRows::new(RawRows { reader, trail, line: 1, is_over: false })
}

/// The headers of rows whose first has them, and the rows below; `None` when there is none.
pub(super) fn open<I: Iterator<Item = Result<Row, RowFault>>>(
    mut rows: I,
) -> Result<Option<(Headers, FittedRows<I>)>, RowFault> {
    let Some(first) = rows.next().transpose()? else {
        return Ok(None);
    };
    let headers = Headers::new(first.line, first.fields.iter());
    let width = headers.names.len();
    Ok(Some((headers, FittedRows { rows, width })))
}

/// Rows of the headers' width.
pub(super) struct FittedRows<I> {
    rows: I,
    width: usize,
}

impl<I: Iterator<Item = Result<Row, RowFault>>> Iterator for FittedRows<I> {
    type Item = Result<Row, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.rows.next()?.and_then(|row| fitted(row, self.width)))
    }
}

/// The rows of a text that are not blank.
pub(super) struct RawRows<R> {
    reader: csv::Reader<DecodedText<R>>,
    trail: Rc<RefCell<Trail>>,
    line: u64,
    is_over: bool,
}

impl<R: Read> Iterator for RawRows<R> {
    type Item = Result<Row, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            match self.next_record() {
                Ok(row) if row.as_ref().is_some_and(Row::is_blank) => {}
                Ok(row) => return row.map(Ok),
                Err(fault) => {
                    self.is_over = fault.is_fatal;
                    return Some(Err(fault));
                }
            }
        }
        None
    }
}

impl<R: Read> RawRows<R> {
    /// Whether the text ended without a line end, once it has ended.
    pub(super) fn is_unended(&self) -> bool {
        self.trail.borrow().is_unended
    }

    fn next_record(&mut self) -> Result<Option<Row>, RowFault> {
        let mut fields = StringRecord::new();
        let read = self.reader.read_record(&mut fields);
        if let Some(stopped) = self.trail.borrow().stopped.clone() {
            let fault = RowFault::new(stopped.line, stopped.code, stopped.message);
            return Err(RowFault { is_fatal: true, ..fault });
        }
        let line = self.line_of(&fields);
        let end = self.reader.position().byte();
        {
            let mut trail = self.trail.borrow_mut();
            trail.row_begins = end;
            trail.row_line = line + 1;
        }
        match read {
            Err(_) => return Err(RowFault::new(line, "broken-row", "the row cannot be taken apart")),
            Ok(false) => return Ok(None),
            Ok(true) => {}
        }
        if fields.iter().skip(MOST_FIELDS).any(|field| !field.trim().is_empty()) {
            let fault = RowFault::new(
                line,
                "too-many-columns",
                format!("the row has more than {MOST_FIELDS} fields"),
            );
            return Err(RowFault { is_fatal: true, ..fault });
        }
        let swallowed = fields.iter().any(|field| field.contains(END));
        match (swallowed, fields.len()) {
            (true, 1) if fields.get(0) == Some(END) => Ok(None),
            (true, _) => {
                let message = "a quote is opened in this row and closed nowhere below it";
                Err(RowFault::new(line, "open-quote", message))
            }
            (false, _) => Ok(Some(Row::new(line, fields))),
        }
    }

    /// The line a row begins in: the parser counts the empty lines before a row in.
    fn line_of(&mut self, fields: &StringRecord) -> u64 {
        let mut trail = self.trail.borrow_mut();
        let Some(mut start) = fields.position().map(csv::Position::byte) else { return self.line };
        while trail.line_ends.front().is_some_and(|end| *end < start) {
            trail.line_ends.pop_front();
            self.line += 1;
        }
        while trail.line_ends.front() == Some(&start) {
            trail.line_ends.pop_front();
            self.line += 1;
            start += 1;
        }
        self.line
    }
}

/// A row of the headers' width; empty fields may be too many.
pub(super) fn fitted(mut row: Row, width: usize) -> Result<Row, RowFault> {
    let found = row.fields.len();
    let surplus_is_empty = row.fields.iter().skip(width).all(|field| field.trim().is_empty());
    if found < width && row.is_unended {
        let count = u64::try_from(found).unwrap_or(u64::MAX);
        let why = format!("has {} where the header has {width}", counted(count, "field"));
        return Err(RowFault::new(row.line, cut_off::CODE, cut_off::cut_off(&why)));
    }
    if found < width || !surplus_is_empty {
        let message = format!("the row has {found} fields where the header has {width}");
        return Err(RowFault::new(row.line, "field-count", message));
    }
    row.fields.truncate(width);
    row.doubts.retain(|(at, _)| *at < width);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sniff::{ReadOptions, sniff};

    /// A row's line with its fields, or with the code of what is wrong.
    type Seen = (u64, Result<Vec<String>, &'static str>);

    fn rows_of(text: &str) -> Vec<Seen> {
        let shape = sniff(text.as_bytes(), ReadOptions::default()).unwrap();
        let decoded = DecodedText::new(text.as_bytes(), &shape, Arc::default());
        let (_, rows) = open(raw_rows(decoded, shape.delimiter)).unwrap().unwrap();
        rows.map(|row| match row {
            Ok(row) => (row.line, Ok(row.fields.iter().map(str::to_owned).collect())),
            Err(fault) => (fault.line, Err(fault.code)),
        })
        .collect()
    }

    fn good(line: u64, fields: &[&str]) -> Seen {
        (line, Ok(fields.iter().map(|&field| field.to_owned()).collect()))
    }

    #[test]
    fn a_row_carries_the_line_it_starts_in_past_empty_lines_and_quoted_ones() {
        let rows = rows_of("\na,b\n\n1,\"x\ny\"\n\n\n2,z\n,\n3,w");
        assert_eq!(rows, [good(4, &["1", "x\ny"]), good(8, &["2", "z"]), good(10, &["3", "w"])]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_reported_where_it_opens() {
        assert_eq!(rows_of("a,b\n1,x\n2,\"y\n3,z\n"), [good(2, &["1", "x"]), (3, Err("open-quote"))]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_more_than_a_mebibyte() {
        let mut text = "a,b\n1,x\n2,\"y\n".to_owned();
        text.push_str(&"3,z\n".repeat(1 << 20));
        assert_eq!(rows_of(&text), [good(2, &["1", "x"]), (3, Err("open-quote"))]);
    }

    #[test]
    fn lines_are_counted_past_the_pieces_that_are_read_at_once() {
        let text = format!("a,b\n{}x,\"y\n", "1,\"2\n\"\r\n\r\n".repeat(20_000));
        let rows = rows_of(&text);
        assert_eq!(rows[19_999], good(2 + 19_999 * 3, &["1", "2\n"]));
        assert_eq!(rows[20_000], (60_002, Err("open-quote")));
    }

    #[test]
    fn a_row_of_another_width_is_bad_unless_only_empty_fields_are_too_many() {
        assert_eq!(
            rows_of("a,b,,\n1\n1,2,,\n1,2,3,4\n"),
            [(2, Err("field-count")), good(3, &["1", "2"]), (4, Err("field-count"))]
        );
    }

    #[test]
    fn an_empty_file_has_no_headers() {
        let shape = sniff(&b"\n\n"[..], ReadOptions::default()).unwrap();
        let decoded = DecodedText::new(&b"\n\n"[..], &shape, Arc::default());
        assert!(open(raw_rows(decoded, b',')).unwrap().is_none());
    }
}
