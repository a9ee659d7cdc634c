//! Reads workbooks (.xlsx, .xls, .ods) into rows of texts. A number, a date or a truth value is written as
//! people would write it. A value that the workbook has lost (digits rounded away, a formula's error) makes a
//! bad row, never a guess.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use calamine::{Data, DataRef, Ods, Reader, Sheets, Xls, Xlsx, XlsxCellReader};
use csv::StringRecord;

use super::sheet::{FileRef, Then};
use super::table::{Headers, Row, RowFault, fitted};
use super::{RowSink, bundle, shown};

/// Largest workbook that is read, in bytes: it is packed, and a hundred thousand students take a tenth of it.
const LARGEST_WORKBOOK: u64 = 64 << 20;
/// Columns that are looked at; a sheet may claim sixteen thousand.
const MOST_COLUMNS: usize = 400;
/// Numbers from here on are rounded by the workbook itself.
const FIRST_ROUNDED: f64 = 1e15;

/// Whether a file is a workbook, by its first bytes and its ending.
pub(super) fn is_workbook(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if ["xlsx", "xlsm", "xls", "ods"].iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        return true;
    }
    let mut first = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    // A zip archive, or the container of the older format.
    read.is_ok() && (first.starts_with(b"PK\x03\x04") || first == *b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
}

/// An open workbook.
pub(super) struct Workbook {
    sheets: Sheets<BufReader<File>>,
    name: String,
}

impl Workbook {
    /// Opens a workbook; `None`, with a problem, when it cannot be read as one.
    pub(super) fn open(sink: &mut RowSink, path: &Path) -> Option<Self> {
        let name = super::shown_name(path);
        match open(path) {
            Ok(sheets) => Some(Self { sheets, name }),
            Err(message) => {
                sink.reading.refuse_file(&name, 1, 1, "not-a-workbook", message);
                None
            }
        }
    }

    /// The sheets by name, in their order.
    pub(super) fn sheet_names(&self) -> Vec<String> {
        self.sheets.sheet_names()
    }

    /// Passes the headers and rows of a sheet on.
    pub(super) fn read(&mut self, sink: &mut RowSink, sheet: &str, then: Then<'_>) {
        let file = FileRef::note(sink, format!("{}[{}]", self.name, shown(sheet)));
        match &mut self.sheets {
            Sheets::Xlsx(xlsx) => read_streamed(sink, &file, xlsx, sheet, then),
            others @ (Sheets::Xls(_) | Sheets::Xlsb(_) | Sheets::Ods(_)) => {
                let range = match others.worksheet_range(sheet) {
                    Ok(range) => range,
                    Err(error) => return file.refuse(sink, 1, "not-a-workbook", error.to_string()),
                };
                let first = range.start().map_or(0, |(row, _)| row);
                let rows = range.rows().zip(first..).map(|(cells, row)| {
                    let cells = cells.iter().take(MOST_COLUMNS).map(text_of).collect();
                    (u64::from(row) + 1, cells)
                });
                pass_on(sink, &file, rows.map(Ok), then);
            }
        }
    }
}

fn open(path: &Path) -> Result<Sheets<BufReader<File>>, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length > LARGEST_WORKBOOK {
        return Err("workbooks of more than 64 MiB are not read: save the sheet as CSV".to_owned());
    }
    let mut first = [0; 2];
    if file.read_exact(&mut first).is_ok() && first == *b"PK" {
        bundle::check_archive(path)?;
    }
    let again = || File::open(path).map(BufReader::new).map_err(|error| error.to_string());
    let not_one = |error: &dyn std::fmt::Display| format!("the file cannot be read as a workbook: {error}");
    if first != *b"PK" {
        return Xls::new(again()?).map(Sheets::Xls).map_err(|error| not_one(&error));
    }
    match Xlsx::new(again()?) {
        Ok(workbook) => Ok(Sheets::Xlsx(workbook)),
        Err(error) => Ods::new(again()?).map(Sheets::Ods).map_err(|_| not_one(&error)),
    }
}

/// A cell as text, or why it cannot be one.
type CellText = Result<String, &'static str>;

fn read_streamed(
    sink: &mut RowSink,
    file: &FileRef,
    xlsx: &mut Xlsx<BufReader<File>>,
    sheet: &str,
    then: Then<'_>,
) {
    match xlsx.worksheet_cells_reader(sheet) {
        Ok(cells) => pass_on(sink, file, StreamedRows { cells, ahead: None, is_over: false }, then),
        Err(error) => file.refuse(sink, 1, "not-a-workbook", error.to_string()),
    }
}

/// The rows of a sheet as its file has them, without a place for every empty cell between them: a stray
/// letter in the last corner of a sheet would else take all memory.
struct StreamedRows<'s> {
    cells: XlsxCellReader<'s, BufReader<File>>,
    ahead: Option<(u32, u32, CellText)>,
    is_over: bool,
}

type ReadRow = Result<(u64, Vec<CellText>), String>;

impl StreamedRows<'_> {
    fn next_cell(&mut self) -> Result<Option<(u32, u32, CellText)>, String> {
        if let Some(cell) = self.ahead.take() {
            return Ok(Some(cell));
        }
        let cell = self.cells.next_cell().map_err(|error| error.to_string())?;
        Ok(cell.map(|cell| {
            let (row, column) = cell.get_position();
            let value = match cell.get_value() {
                DataRef::SharedString(text) => Ok((*text).to_owned()),
                other @ (DataRef::Int(_)
                | DataRef::Float(_)
                | DataRef::String(_)
                | DataRef::Bool(_)
                | DataRef::DateTime(_)
                | DataRef::DateTimeIso(_)
                | DataRef::DurationIso(_)
                | DataRef::Error(_)
                | DataRef::Empty) => text_of(&Data::from(other.clone())),
            };
            (row, column, value)
        }))
    }
}

impl Iterator for StreamedRows<'_> {
    type Item = ReadRow;

    fn next(&mut self) -> Option<ReadRow> {
        let mut row: Option<(u32, Vec<CellText>)> = None;
        while !self.is_over {
            let (at, column, value) = match self.next_cell() {
                Ok(Some(cell)) => cell,
                Ok(None) => {
                    self.is_over = true;
                    break;
                }
                Err(message) => {
                    self.is_over = true;
                    return Some(Err(message));
                }
            };
            if row.as_ref().is_some_and(|(current, _)| *current != at) {
                self.ahead = Some((at, column, value));
                break;
            }
            let (_, cells) = row.get_or_insert((at, Vec::new()));
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if column < MOST_COLUMNS {
                while cells.len() <= column {
                    cells.push(Ok(String::new()));
                }
                if let Some(cell) = cells.get_mut(column) {
                    *cell = value;
                }
            }
        }
        row.map(|(at, cells)| Ok((u64::from(at) + 1, cells)))
    }
}

fn pass_on(sink: &mut RowSink, file: &FileRef, rows: impl Iterator<Item = ReadRow>, then: Then<'_>) {
    let mut rows = rows.filter(|row| {
        let is_empty = |cell: &CellText| cell.as_ref().is_ok_and(|text| text.trim().is_empty());
        !row.as_ref().is_ok_and(|(_, cells)| cells.iter().all(is_empty))
    });
    let headers = match rows.next() {
        Some(Ok((line, cells))) => Headers::new(line, cells.iter().map(|cell| cell.as_deref().unwrap_or(""))),
        Some(Err(message)) => return file.refuse(sink, 1, "not-a-workbook", message),
        None => return file.refuse(sink, 1, "empty-file", "the sheet is empty".to_owned()),
    };
    let width = headers.names.len();
    let mut faults = VecDeque::new();
    let mut rows = std::iter::from_fn(|| {
        if let Some(fault) = faults.pop_front() {
            return Some(Err(fault));
        }
        let (line, cells) = match rows.next()? {
            Ok(row) => row,
            Err(message) => {
                return Some(Err(RowFault { is_fatal: true, ..RowFault::new(1, "not-a-workbook", message) }));
            }
        };
        faults.extend(cells.iter().take(width).enumerate().filter_map(|(at, cell)| {
            let message = *cell.as_ref().err()?;
            Some(RowFault { column: at + 1, ..RowFault::new(line, "bad-cell", message) })
        }));
        if let Some(fault) = faults.pop_front() {
            return Some(Err(fault));
        }
        let mut fields: StringRecord = cells.iter().map(|cell| cell.as_deref().unwrap_or("")).collect();
        // A row ends with its last cell that is not empty.
        (fields.len()..width).for_each(|_| fields.push_field(""));
        Some(fitted(Row { line, fields }, width))
    });
    then(sink, file, headers, &mut rows);
}

fn text_of(data: &Data) -> CellText {
    match data {
        Data::Empty => Ok(String::new()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Ok(text.clone()),
        Data::Int(number) => Ok(number.to_string()),
        Data::Float(number) if number.abs() >= FIRST_ROUNDED => Err(
            "the number has more than 15 digits, and the workbook keeps no more: format the column as text and \
             enter it again",
        ),
        // Rust writes a whole number without a point, and never with an exponent.
        Data::Float(number) => Ok(number.to_string()),
        Data::Bool(yes) => Ok(if *yes { "TRUE" } else { "FALSE" }.to_owned()),
        Data::DateTime(moment) if moment.is_duration() => Ok(moment.as_f64().to_string()),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            let midnight = (hour, minute, second) == (0, 0, 0);
            Ok(if midnight { date } else { format!("{date} {hour:02}:{minute:02}:{second:02}") })
        }
        Data::Error(_) => Err("the cell shows an error, such as #N/A: mend its formula or enter the value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_what_people_would_write() {
        for (data, text) in [
            (Data::Float(13_800_138_000.0), "13800138000"),
            (Data::Float(123.0), "123"),
            (Data::Float(1.5), "1.5"),
            (Data::Float(999_999_999_999_999.0), "999999999999999"),
            (Data::Int(-7), "-7"),
            (Data::Bool(true), "TRUE"),
            (Data::String("00123".to_owned()), "00123"),
            (Data::Empty, ""),
        ] {
            assert_eq!(text_of(&data).as_deref(), Ok(text));
        }
        assert!(text_of(&Data::Float(110_101_199_003_071_234.0)).is_err());
    }
}
