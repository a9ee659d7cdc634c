//! One file into items: opens it, finds its headers, reports every bad row and hands the good ones over. The
//! readers say what the columns mean.

use std::io::{self, Read};
use std::path::PathBuf;
use std::rc::Rc;

use super::cells::Cells;
use super::decoding::DecodedText;
use super::sniff::{ReadOptions, Unreadable, sniff};
use super::table::{AnyRows, Headers, RowFault, open, raw_rows};
use super::{ImportProblem, Item, RosterTable, RowSink};
use rosterd_core::counted::counted;

/// Something that can be read more than once.
pub(super) trait Source {
    /// Starts at the beginning.
    fn open(&mut self) -> io::Result<Box<dyn Read + '_>>;
}

/// A file of its own.
pub(super) struct FileSource(pub(super) PathBuf);

impl Source for FileSource {
    fn open(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(std::fs::File::open(&self.0)?))
    }
}

/// A file among those of an import.
#[derive(Clone, Debug)]
pub(super) struct FileRef {
    pub(super) index: usize,
    pub(super) name: String,
    /// It may have been through a spreadsheet program, unlike the files of a bundle.
    pub(super) is_sheet: bool,
}

impl FileRef {
    pub(super) fn note(sink: &mut RowSink, name: String) -> Self {
        Self { index: sink.reading.note_file(&name), name, is_sheet: false }
    }

    pub(super) fn refuse(&self, sink: &mut RowSink, line: u64, code: &'static str, message: String) {
        sink.reading.refuse_file(&self.name, line, 1, code, message);
    }

    fn problem(&self, fault: RowFault) -> ImportProblem {
        let RowFault { line, column, code, message, is_fatal: _ } = fault;
        ImportProblem { file: self.name.clone(), line, column, code, message }
    }
}

/// The consumer of a file's headers and rows.
pub(super) type Then<'t> = &'t mut dyn FnMut(&mut RowSink, &FileRef, Headers, &mut AnyRows<'_>);

/// Opens a text file whose first row has the headers, and passes those and the rows on; what cannot be read as text is a
/// problem of the file.
pub(super) fn read_text(
    sink: &mut RowSink,
    file: &FileRef,
    source: &mut dyn Source,
    reading: ReadOptions,
    then: Then<'_>,
) {
    read_raw(sink, file, source, reading, &mut |sink, file, rows| match open(rows) {
        Ok(Some((headers, mut rows))) if !headers.names.is_empty() => then(sink, file, headers, &mut rows),
        Ok(_) => file.refuse(sink, 1, "empty-file", NO_HEADER.to_owned()),
        Err(fault) => file.refuse(sink, fault.line, fault.code, fault.message),
    });
}

pub(super) const NO_HEADER: &str = "the file has no header line";

/// Opens a text file and passes all its rows on.
pub(super) fn read_raw(
    sink: &mut RowSink,
    file: &FileRef,
    source: &mut dyn Source,
    reading: ReadOptions,
    then: &mut dyn FnMut(&mut RowSink, &FileRef, &mut AnyRows<'_>),
) {
    let unreadable = |error: io::Error| Unreadable::from_io(1, &error);
    let shape = source.open().map_err(unreadable).and_then(|reader| sniff(reader, reading));
    let shape = match shape {
        Ok(shape) => shape,
        Err(fault) => return file.refuse(sink, fault.line, fault.code, fault.message),
    };
    if let Some(guessed) = &shape.guessed {
        sink.reading.notice(&file.name, guessed.clone());
    }
    let reader = match source.open() {
        Ok(reader) => reader,
        Err(error) => return file.refuse(sink, 1, "not-readable", error.to_string()),
    };
    let text = DecodedText::new(reader, &shape, sink.byte_counter());
    let trail = Rc::clone(&text.1);
    let mut rows = raw_rows(text, shape.delimiter);
    if shape.names_separator {
        // A broken row would be met again by whoever reads on.
        let _line = rows.next();
    }
    then(sink, file, &mut rows);
    if trail.borrow().is_unended {
        sink.reading.unended.push(file.name.clone());
    }
}

/// Reads all rows into items and returns how many rows there were, bad ones included. From here on the
/// tables count as complete, until a row of theirs is refused.
pub(super) fn consume(
    sink: &mut RowSink,
    file: &FileRef,
    tables: &[RosterTable],
    (headers, rows): (&Headers, &mut AnyRows<'_>),
    mut read: impl FnMut(&mut Cells<'_>, &mut Vec<Item>),
) -> u64 {
    sink.reading.begin_tables(tables);
    let mut count = 0;
    let mut items = Vec::new();
    let mut cleaned = Cleaned::default();
    for row in rows {
        if sink.is_stopped() {
            break;
        }
        count += 1;
        let row = match row {
            Ok(row) => row,
            Err(fault) if fault.is_fatal => {
                file.refuse(sink, fault.line, fault.code, fault.message);
                break;
            }
            Err(fault) => {
                sink.reading.refuse_row(tables, file.problem(fault));
                continue;
            }
        };
        let mut cells = Cells::new(&file.name, file.is_sheet, headers, &row);
        read(&mut cells, &mut items);
        cleaned.note(row.line, &cells.cleaned);
        let problems = cells.problems;
        let good = problems.is_empty();
        for item in items.drain(..).filter(|item| good || has_key(item)) {
            sink.place(file.index, row.line, good, item);
        }
        for problem in problems {
            sink.reading.refuse_row(tables, problem);
        }
    }
    if let Some(message) = cleaned.message() {
        sink.reading.notice(&file.name, message);
    }
    for table in tables {
        *sink.reading.row_counts.entry(*table).or_default() += count;
    }
    count
}

/// Cells out of which characters were taken that nobody sees: how many, and the first.
#[derive(Default)]
struct Cleaned {
    count: u64,
    first: Vec<String>,
}

impl Cleaned {
    fn note(&mut self, line: u64, columns: &[usize]) {
        for column in columns {
            self.count += 1;
            if self.first.len() < 3 {
                self.first.push(format!("line {line} column {column}"));
            }
        }
    }

    fn message(&self) -> Option<String> {
        let more = self.count.saturating_sub(u64::try_from(self.first.len()).unwrap_or(u64::MAX));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verb = if self.count == 1 { "was" } else { "were" };
        let cells = counted(self.count, "cell");
        let first = self.first.join(", ");
        (self.count > 0).then(|| {
            format!("{cells} held characters that nobody sees, and {verb} read without them: {first}{more}")
        })
    }
}

/// Whether a bad row's item is still needed to detect a repeated key.
fn has_key(item: &Item) -> bool {
    match item {
        Item::Student(person) => !person.row.student_id.is_empty(),
        Item::Group { row, made_up } => !made_up && !row.group_code.is_empty(),
        Item::Class { row, made_up } => !made_up && !row.class_code.is_empty(),
        Item::OtherPerson(_)
        | Item::StudentRole(_)
        | Item::Gone(..)
        | Item::OnlyThese { .. }
        | Item::OwnColumn { .. }
        | Item::DoubtfulId { .. }
        | Item::Member { .. } => false,
    }
}

/// Refuses a file that has a header and no row: an export that broke off looks like that.
pub(super) fn refuse_without_rows(sink: &mut RowSink, file: &FileRef) {
    let message = "the file has a header and no rows, as an export that broke off has".to_owned();
    file.refuse(sink, 1, "no-rows", message);
}
