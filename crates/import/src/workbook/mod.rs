//! Reads workbooks (.xlsx, .xls, .ods) into rows of texts, as the sheets show them. A value that the workbook has lost
//! (digits rounded away, a formula's error) makes a bad row, never a guess.

mod number_format;
mod ods;
mod strings;
mod styles;
mod xls;
mod xlsx;
mod xml;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use self::xml::{Archive, Fault};
use super::marks::Marks;
use super::table::{Doubt, Row, RowFault};
use super::{RowSink, bundle, shown_name};

/// Largest workbook that is read, in bytes: it is packed, and a hundred thousand students take a tenth of it.
const LARGEST_WORKBOOK: u64 = 64 << 20;
/// Columns that are looked at; a sheet may claim sixteen thousand.
const MOST_COLUMNS: usize = 400;
/// Numbers from here on are rounded by the workbook itself.
const FIRST_ROUNDED: f64 = 1e15;

/// Bytes of the texts of one row, or of one text: a cell holds 32,767 letters at most. What cells say again, by merging and
/// repeating, counts as often as it is said.
const MOST_BYTES_OF_A_ROW: usize = 4 << 20;
const MOST_BYTES_OF_A_CELL: usize = 1 << 20;

const TOO_MANY_DIGITS: &str = "the number has more than 15 digits, and the workbook keeps no more: format the column \
                               as text and enter it again";
const NOT_COMPUTED: &str = "the cell has a formula, and the workbook does not hold its value, as where a program and no person \
                            wrote it: open it in a spreadsheet program, save it, and import that";
const SHOWS_ERROR: &str = "the cell shows an error, such as #N/A: mend its formula or enter the value";

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A workbook, packed or in the older format.
    Workbook,
    /// An HTML table or XML under a workbook's name; the word says which.
    Markup(&'static str),
    /// Text under a workbook's name.
    TextNamedWorkbook,
    Text,
}

/// What a file is. Programs of schools like to give text the ending of a workbook.
pub(super) fn kind_of(path: &Path) -> FileKind {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_named = ["xlsx", "xlsm", "xls", "ods"].iter().any(|known| ending.eq_ignore_ascii_case(known));
    let mut first = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut first));
    if read.is_err() {
        return FileKind::Text;
    }
    // A zip archive, or the container of the older format.
    if first.starts_with(b"PK\x03\x04") || first.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return FileKind::Workbook;
    }
    if !is_named {
        return FileKind::Text;
    }
    let text =
        String::from_utf8_lossy(&first).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if first.is_empty() {
        FileKind::Workbook
    } else if text.starts_with("<?xml") {
        FileKind::Markup("XML")
    } else if text.starts_with("mime-version:") {
        FileKind::Markup("a saved web page")
    } else if text.starts_with('<') {
        FileKind::Markup("HTML")
    } else {
        FileKind::TextNamedWorkbook
    }
}

/// A sheet's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SheetName {
    pub(super) name: String,
    pub(super) is_hidden: bool,
}

/// A cell as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SheetCell {
    text: String,
    doubt: Option<Doubt>,
    /// A line is drawn through it.
    is_struck: bool,
}

impl SheetCell {
    fn text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    fn lost(why: &'static str) -> Self {
        Self { doubt: Some(Doubt::Lost(why)), ..Self::default() }
    }

    fn is_blank(&self) -> bool {
        self.doubt.is_none() && self.text.trim().is_empty()
    }
}

/// Adds to the text of a cell, which comes in pieces.
fn append(text: &mut String, piece: &str) -> Result<(), Fault> {
    if text.len().saturating_add(piece.len()) > MOST_BYTES_OF_A_CELL {
        return Err("a cell holds more than 1 MiB: the workbook is damaged, or made to harm".to_owned());
    }
    text.push_str(piece);
    Ok(())
}

/// That the texts of a row, or those that merged cells hold for rows to come, are not too long.
fn limit_bytes(bytes: impl Iterator<Item = usize>, line: u64) -> Result<(), Fault> {
    if bytes.fold(0, usize::saturating_add) > MOST_BYTES_OF_A_ROW {
        return Err(format!(
            "row {line} of a sheet holds more than 4 MiB: the workbook is damaged, or made to harm"
        ));
    }
    Ok(())
}

/// A row of a sheet, with its number from 1.
#[derive(Clone, Default)]
struct RawRow {
    line: u64,
    cells: Vec<SheetCell>,
    /// The sheet does not show it.
    is_hidden: bool,
    /// Columns that the sheet does not show.
    hidden_columns: Vec<usize>,
}

/// An open workbook.
pub(super) struct Workbook {
    format: Format,
    sheets: Vec<SheetName>,
    /// Sheets that hold nobody who is here.
    left_aside: Vec<usize>,
}

enum Format {
    Xlsx(Box<Archive>, Box<xlsx::Package>),
    Ods(Box<Archive>),
    Xls(Box<xls::XlsWorkbook>),
}

impl Workbook {
    /// Opens a workbook; `None`, with a problem, when it cannot be read as one.
    pub(super) fn open(sink: &mut RowSink, path: &Path) -> Option<Self> {
        match open(path) {
            Ok(workbook) => Some(workbook),
            Err(fault) => {
                let message = format!("the file cannot be read as a workbook: {fault}");
                sink.reading.refuse_file(&shown_name(path), 1, 1, "not-a-workbook", message);
                None
            }
        }
    }

    /// The sheets in their order.
    pub(super) fn sheets(&self) -> &[SheetName] {
        &self.sheets
    }

    /// Remembers sheets that hold nobody who is here.
    pub(super) fn leave_aside(&mut self, sheets: Vec<usize>) {
        self.left_aside = sheets;
    }

    /// Whether a sheet holds nobody who is here.
    pub(super) fn is_left_aside(&self, sheet: usize) -> bool {
        self.left_aside.contains(&sheet)
    }

    /// Whether numbers come without what is shown of them.
    pub(super) fn lacks_formats(&self) -> bool {
        matches!(self.format, Format::Xls(_))
    }

    /// The rows of a sheet that are not blank, by its number. `is_filled` says that each row has what cells hold that are
    /// merged over it; that takes a look at the whole sheet.
    pub(super) fn rows(
        &mut self,
        sheet: usize,
        is_filled: bool,
    ) -> Result<Box<dyn Iterator<Item = Result<Row, RowFault>> + '_>, String> {
        let rows: Box<dyn Iterator<Item = Result<RawRow, Fault>> + '_> = match &mut self.format {
            Format::Xlsx(archive, package) => Box::new(package.rows(archive, sheet, is_filled)?),
            Format::Ods(archive) => Box::new(ods::rows(archive, sheet)?),
            Format::Xls(workbook) => {
                let name = self.sheets.get(sheet).map(|sheet| sheet.name.clone()).unwrap_or_default();
                Box::new(xls::rows(workbook, &name)?.into_iter().map(Ok))
            }
        };
        // A row ends with its last cell that is not empty; the heading, which comes before, says how wide the table is.
        let mut widest = 0;
        let rows = rows.map(move |row| match row {
            Ok(row) => {
                widest = widest.max(row.cells.len());
                Ok(fielded(row, widest))
            }
            Err(fault) => {
                let message = format!("the workbook cannot be read on: {fault}");
                Err(RowFault { is_fatal: true, ..RowFault::new(1, "not-a-workbook", message) })
            }
        });
        Ok(Box::new(rows.filter(|row| !row.as_ref().is_ok_and(Row::is_blank))))
    }
}

fn fielded(RawRow { line, cells, is_hidden, hidden_columns }: RawRow, width: usize) -> Row {
    let mut row = Row { line, ..Row::default() };
    row.marks = Marks { is_hidden, hidden_columns, struck: Vec::new() };
    for (at, cell) in cells.into_iter().enumerate() {
        if cell.is_struck && !cell.is_blank() {
            row.marks.struck.push(at);
        }
        row.fields.push_field(&cell.text);
        row.doubts.extend(cell.doubt.map(|doubt| (at, doubt)));
    }
    (row.fields.len()..width).for_each(|_| row.fields.push_field(""));
    row
}

fn open(path: &Path) -> Result<Workbook, Fault> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length > LARGEST_WORKBOOK {
        return Err("workbooks of more than 64 MiB are not read: save the sheet as CSV".to_owned());
    }
    let mut first = [0; 2];
    if file.read_exact(&mut first).is_err() || first != *b"PK" {
        let workbook = xls::open(path)?;
        let sheets = xls::sheets(&workbook);
        return Ok(Workbook { format: Format::Xls(Box::new(workbook)), sheets, left_aside: Vec::new() });
    }
    let mut archive = bundle::open_archive(path)?;
    if archive.index_for_name("content.xml").is_some() {
        let sheets = ods::sheets(&mut archive)?;
        return Ok(Workbook { format: Format::Ods(Box::new(archive)), sheets, left_aside: Vec::new() });
    }
    let package = xlsx::Package::read(&mut archive)?;
    let sheets = package.sheets.clone();
    Ok(Workbook {
        format: Format::Xlsx(Box::new(archive), Box::new(package)),
        sheets,
        left_aside: Vec::new(),
    })
}

/// A date or time as people write it, of a day's number.
fn date(number: f64, is_from_1904: bool) -> SheetCell {
    let days = number.floor();
    let seconds = ((number - days) * 86_400.0).round();
    let text = shown_date(days, seconds, is_from_1904).unwrap_or_else(|| number.to_string());
    SheetCell { text, doubt: Some(Doubt::Date), ..SheetCell::default() }
}

fn shown_date(days: f64, seconds: f64, is_from_1904: bool) -> Option<String> {
    // The first calendar has a 29 February 1900.
    let begin = if is_from_1904 { jiff::civil::date(1904, 1, 1) } else { jiff::civil::date(1899, 12, 30) };
    if !(0.0..3_000_000.0).contains(&days) {
        return None;
    }
    // Both are whole and small, as was just looked at.
    let (days, seconds) = (days as i64, seconds as i64);
    let time =
        jiff::civil::DateTime::from(begin).checked_add(jiff::Span::new().days(days).seconds(seconds)).ok()?;
    Some(match (days, seconds) {
        (0, _) => time.strftime("%H:%M:%S").to_string(),
        (_, 0) => time.strftime("%Y-%m-%d").to_string(),
        _ => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_number_is_its_date() {
        for (number, is_from_1904, text) in [
            (40_972.0, false, "2012-03-04"),
            (40_972.5, false, "2012-03-04 12:00:00"),
            (0.293_055_555_555_555_6, false, "07:02:00"),
            (39_510.0, true, "2012-03-04"),
            (-1.0, false, "-1"),
        ] {
            assert_eq!(
                date(number, is_from_1904),
                SheetCell { text: text.to_owned(), doubt: Some(Doubt::Date), ..SheetCell::default() }
            );
        }
    }
}
