//! Reads `.xls`, the older binary format. Its numbers come without their formats.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{Data, Reader, SheetType, SheetVisible, Xls};

use super::xml::Fault;
use super::{FIRST_ROUNDED, MOST_COLUMNS, RawRow, SheetCell, SheetName};

/// An open workbook.
pub(super) type XlsWorkbook = Xls<BufReader<File>>;

pub(super) fn open(path: &Path) -> Result<XlsWorkbook, Fault> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    // Its own message shows bytes of the file.
    Xls::new(BufReader::new(file)).map_err(|_| super::xml::cannot(&"damaged"))
}

pub(super) fn sheets(workbook: &XlsWorkbook) -> Vec<SheetName> {
    let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    sheets
        .map(|sheet| SheetName {
            name: sheet.name.clone(),
            is_hidden: sheet.visible != SheetVisible::Visible,
        })
        .collect()
}

/// The rows of a sheet, all at once: the format allows 65,536.
pub(super) fn rows(workbook: &mut XlsWorkbook, sheet: &str) -> Result<Vec<RawRow>, Fault> {
    let is_from_1904 = workbook.has_1904_epoch();
    let range = workbook.worksheet_range(sheet).map_err(|_| super::xml::cannot(&"damaged"))?;
    let merged = workbook.merge_cells_by_sheet_name(sheet).unwrap_or_default();
    let (first, left) = range.start().unwrap_or_default();
    let left = usize::try_from(left).unwrap_or_default().min(MOST_COLUMNS);
    let mut rows: Vec<RawRow> = Vec::new();
    for (cells, row) in range.rows().zip(first..) {
        let blank = std::iter::repeat_n(SheetCell::default(), left);
        let cells =
            blank.chain(cells.iter().map(|cell| cell_of(cell, is_from_1904))).take(MOST_COLUMNS).collect();
        rows.push(RawRow { line: u64::from(row) + 1, cells, ..RawRow::default() });
    }
    for area in merged {
        let (Some(column), Some(top)) = (usize::try_from(area.start.1).ok(), area.start.0.checked_sub(first))
        else {
            continue;
        };
        let (top, bottom) = (usize::try_from(top).unwrap_or_default(), area.end.0.saturating_sub(first));
        let held = rows.get(top).and_then(|row| row.cells.get(column)).cloned().unwrap_or_default();
        let below = rows.iter_mut().take(usize::try_from(bottom).unwrap_or_default() + 1).skip(top + 1);
        for row in below.filter(|row| !row.cells.iter().all(SheetCell::is_blank)) {
            if let Some(cell) = row.cells.get_mut(column).filter(|cell| cell.is_blank()) {
                *cell = held.clone();
            }
        }
    }
    Ok(rows)
}

fn cell_of(data: &Data, is_from_1904: bool) -> SheetCell {
    match data {
        Data::Empty => SheetCell::default(),
        Data::Error(_) => SheetCell::lost(super::SHOWS_ERROR),
        Data::Float(number) if number.abs() >= FIRST_ROUNDED => SheetCell::lost(super::TOO_MANY_DIGITS),
        // Rust writes a whole number without a point, and never with an exponent.
        Data::Float(number) => SheetCell::text(&number.to_string()),
        Data::Int(number) => SheetCell::text(&number.to_string()),
        Data::Bool(yes) => SheetCell::text(if *yes { "TRUE" } else { "FALSE" }),
        Data::DateTime(moment) => super::date(moment.as_f64(), is_from_1904),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => SheetCell::text(text),
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
            assert_eq!(cell_of(&data, false), SheetCell::text(text));
        }
        assert!(cell_of(&Data::Float(110_101_199_003_071_234.0), false).doubt.is_some());
    }
}
