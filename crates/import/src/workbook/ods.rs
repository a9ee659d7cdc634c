//! Reads `.ods` row by row. Its cells hold what they show beside what they are.

use super::xml::{Archive, Fault, Part, Piece, attribute};
use super::{FIRST_ROUNDED, MOST_COLUMNS, RawRow, SheetCell, SheetName, append, limit_bytes};
use crate::table::{Doubt, MOST_FIELDS};

const CONTENT: &str = "content.xml";
/// Rows of a sheet; a repeated row counts as often as it stands there.
const MOST_ROWS: u64 = 1 << 20;
/// Styles that are looked at.
const MOST_STYLES: usize = 1_000;

/// The sheets by name.
pub(super) fn sheets(archive: &mut Archive) -> Result<Vec<SheetName>, Fault> {
    let (mut sheets, mut hidden) = (Vec::new(), Vec::new());
    let mut style = String::new();
    let missing = || "it is neither an .xlsx nor an .ods".to_owned();
    let mut part = Part::open(archive, CONTENT)?.ok_or_else(missing)?;
    loop {
        match part.next()? {
            Piece::Eof => return Ok(sheets),
            Piece::Start(name, attributes) => {
                let value = |name: &str| attribute(&attributes, name).unwrap_or_default().to_owned();
                match name.as_str() {
                    "style" => style = value("name"),
                    "table-properties" if value("display") == "false" => hidden.push(style.clone()),
                    "table" => {
                        let is_hidden = hidden.contains(&value("style-name"));
                        sheets.push(SheetName { name: value("name"), is_hidden });
                    }
                    _ => {}
                }
            }
            Piece::End(_) | Piece::Text(_) => {}
        }
    }
}

/// The rows of a sheet, by its number.
pub(super) fn rows(archive: &mut Archive, sheet: usize) -> Result<OdsRows<'_>, Fault> {
    let missing = || "it has no content".to_owned();
    let mut part = Part::open(archive, CONTENT)?.ok_or_else(missing)?;
    let mut number = 0;
    let (mut style, mut struck) = (String::new(), Vec::new());
    loop {
        match part.next()? {
            Piece::Start(name, _) if name == "table" => {
                if number == sheet {
                    return Ok(OdsRows {
                        part,
                        line: 0,
                        repeat: None,
                        merged: Vec::new(),
                        struck,
                        columns: 0,
                        hidden_columns: Vec::new(),
                        is_over: false,
                    });
                }
                number += 1;
            }
            Piece::Start(name, attributes) if name == "style" => {
                attribute(&attributes, "name").unwrap_or_default().clone_into(&mut style);
            }
            Piece::Start(name, attributes) if name == "text-properties" => {
                let line = attribute(&attributes, "text-line-through-style").unwrap_or("none");
                if line != "none" && struck.len() < MOST_STYLES {
                    struck.push(style.clone());
                }
            }
            Piece::Eof => return Err(missing()),
            Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
        }
    }
}

/// The rows of a sheet.
pub(super) struct OdsRows<'a> {
    part: Part<'a>,
    line: u64,
    /// A row that stands so many times more.
    repeat: Option<(u64, RawRow)>,
    /// Columns of merged cells, the last row of each, and what it holds.
    merged: Vec<(usize, u64, SheetCell)>,
    /// The styles that draw a line through a text.
    struck: Vec<String>,
    /// Columns so far, and those of them that are not shown.
    columns: usize,
    hidden_columns: Vec<usize>,
    is_over: bool,
}

impl Iterator for OdsRows<'_> {
    type Item = Result<RawRow, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((times, row)) = self.repeat.take() {
            self.line += 1;
            if times > 1 {
                self.repeat = Some((times - 1, row.clone()));
            }
            return Some(Ok(RawRow { line: self.line, ..row }));
        }
        while !self.is_over && self.line < MOST_ROWS {
            match self.part.next() {
                Ok(Piece::Start(name, attributes)) if name == "table-row" => {
                    let times = repeated(&attributes, "number-rows-repeated");
                    self.line += 1;
                    let cells = match self.row() {
                        Ok(cells) => cells,
                        Err(fault) => {
                            self.is_over = true;
                            return Some(Err(fault));
                        }
                    };
                    let line = self.line;
                    if cells.iter().all(SheetCell::is_blank) {
                        self.line = line.saturating_add(times - 1);
                        continue;
                    }
                    let is_hidden = is_hidden(&attributes);
                    let row = RawRow { line, cells, is_hidden, hidden_columns: self.hidden_columns.clone() };
                    if times > 1 {
                        self.repeat = Some(((times - 1).min(MOST_ROWS.saturating_sub(line)), row.clone()));
                    }
                    return Some(Ok(row));
                }
                Ok(Piece::Start(name, attributes)) if name == "table-column" => {
                    let times = repeated(&attributes, "number-columns-repeated");
                    let next = self.columns.saturating_add(usize::try_from(times).unwrap_or(usize::MAX));
                    if is_hidden(&attributes) {
                        self.hidden_columns.extend(self.columns..next.min(MOST_COLUMNS));
                    }
                    self.columns = next;
                }
                Ok(Piece::End(name)) if name == "table" => self.is_over = true,
                Ok(Piece::Eof) => self.is_over = true,
                Ok(_) => {}
                Err(fault) => {
                    self.is_over = true;
                    return Some(Err(fault));
                }
            }
        }
        None
    }
}

/// Whether a row or column is not shown, by a filter or by hand.
fn is_hidden(attributes: &[(String, String)]) -> bool {
    matches!(attribute(attributes, "visibility"), Some("collapse" | "filter"))
}

impl OdsRows<'_> {
    fn row(&mut self) -> Result<Vec<SheetCell>, Fault> {
        let mut cells = Vec::new();
        let mut merging = Vec::new();
        let mut bytes = 0_usize;
        loop {
            match self.part.next()? {
                Piece::End(name) if name == "table-row" => break,
                Piece::Eof => return Err("a sheet of it ends in the middle of a row".to_owned()),
                Piece::Start(name, attributes) if name == "table-cell" || name == "covered-table-cell" => {
                    let cell = self.cell(&name, &attributes)?;
                    let rows = repeated(&attributes, "number-rows-spanned");
                    if rows > 1 && !cell.is_blank() {
                        merging.push((cells.len(), self.line + rows - 1, cell.clone()));
                    }
                    let times = usize::try_from(repeated(&attributes, "number-columns-repeated"))
                        .unwrap_or(usize::MAX);
                    let times = times.min(MOST_COLUMNS.saturating_sub(cells.len()));
                    bytes = cell.text.len().saturating_mul(times).saturating_add(bytes);
                    limit_bytes(std::iter::once(bytes), self.line)?;
                    cells.extend(std::iter::repeat_n(cell, times));
                }
                Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        if cells.iter().skip(MOST_FIELDS).any(|cell| !cell.is_blank()) {
            return Err(format!("row {} of a sheet has more than {MOST_FIELDS} cells", self.line));
        }
        self.merged.retain(|(_, last, _)| *last >= self.line);
        if !cells.iter().all(SheetCell::is_blank) {
            for (column, _, held) in &self.merged {
                while cells.len() <= *column {
                    cells.push(SheetCell::default());
                }
                if let Some(cell) = cells.get_mut(*column).filter(|cell| cell.is_blank()) {
                    *cell = held.clone();
                }
            }
        }
        limit_bytes(cells.iter().map(|cell| cell.text.len()), self.line)?;
        self.merged.extend(merging);
        limit_bytes(self.merged.iter().map(|(_, _, held)| held.text.len()), self.line)?;
        Ok(cells)
    }

    fn cell(&mut self, element: &str, attributes: &[(String, String)]) -> Result<SheetCell, Fault> {
        let value = |name: &str| attribute(attributes, name).unwrap_or_default();
        let is_struck = self.struck.iter().any(|style| style == value("style-name"));
        let is_uncomputed = value("value-type").is_empty() && !value("formula").is_empty();
        let (kind, number, date) =
            (value("value-type").to_owned(), value("value").to_owned(), value("date-value").to_owned());
        let mut text = String::new();
        // Remarks at a cell are not its text.
        let (mut remarks, mut paragraphs, mut in_paragraph) = (0_u32, 0, 0_u32);
        loop {
            match self.part.next()? {
                Piece::End(name) if name == element => break,
                Piece::Eof => return Err("a sheet of it ends in the middle of a cell".to_owned()),
                Piece::Start(name, attributes) => match name.as_str() {
                    "annotation" => remarks += 1,
                    "p" if remarks == 0 => {
                        if paragraphs > 0 {
                            text.push('\n');
                        }
                        paragraphs += 1;
                        in_paragraph += 1;
                    }
                    "s" if in_paragraph > 0 => {
                        let times = usize::try_from(repeated(&attributes, "c")).unwrap_or(1).min(1_000);
                        append(&mut text, &" ".repeat(times))?;
                    }
                    "tab" if in_paragraph > 0 => text.push('\t'),
                    "line-break" if in_paragraph > 0 => text.push('\n'),
                    _ => {}
                },
                Piece::End(name) => match name.as_str() {
                    "annotation" => remarks = remarks.saturating_sub(1),
                    "p" => in_paragraph = in_paragraph.saturating_sub(1),
                    _ => {}
                },
                Piece::Text(piece) if in_paragraph > 0 && remarks == 0 => {
                    append(&mut text, &piece)?;
                }
                Piece::Text(_) => {}
            }
        }
        if is_uncomputed && text.trim().is_empty() {
            return Ok(SheetCell::lost(super::NOT_COMPUTED));
        }
        let cell = match kind.as_str() {
            "float" | "currency" => shown_number(&text, &number),
            "percentage" => SheetCell { text, doubt: Some(Doubt::Format), ..SheetCell::default() },
            "date" => SheetCell {
                text: date.split('T').next().unwrap_or_default().to_owned(),
                doubt: Some(Doubt::Date),
                ..SheetCell::default()
            },
            "time" => SheetCell { text, doubt: Some(Doubt::Date), ..SheetCell::default() },
            _ if text.starts_with("#N/A") || text.starts_with("#REF!") || text.starts_with("Err:") => {
                SheetCell::lost(super::SHOWS_ERROR)
            }
            _ => SheetCell { text, ..SheetCell::default() },
        };
        Ok(SheetCell { is_struck, ..cell })
    }
}

/// A number as it is shown, unless what is shown has separators or is rounded.
fn shown_number(shown: &str, value: &str) -> SheetCell {
    let Ok(number) = value.parse::<f64>() else { return SheetCell::text(shown) };
    if number.abs() >= FIRST_ROUNDED {
        return SheetCell::lost(super::TOO_MANY_DIGITS);
    }
    let plain = number.to_string();
    let comparable = shown.replace(',', ".");
    if comparable.parse::<f64>().is_ok_and(|shown| shown == number) && !comparable.contains(['E', 'e']) {
        return SheetCell::text(&comparable);
    }
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    let whole = plain.bytes().all(|byte| byte.is_ascii_digit());
    let is_separated = shown
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | ' ' | '\u{a0}' | '\u{202f}' | '\''));
    if whole && ((is_separated && digits == plain) || shown.contains(['E', '#'])) {
        return SheetCell::text(&plain);
    }
    if whole && digits.trim_start_matches('0') == plain {
        return SheetCell::text(shown);
    }
    SheetCell { text: plain, doubt: Some(Doubt::Format), ..SheetCell::default() }
}

fn repeated(attributes: &[(String, String)], name: &str) -> u64 {
    attribute(attributes, name).and_then(|times| times.parse().ok()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_the_sheet_shows_it() {
        for (shown, value, text, doubt) in [
            ("00123", "123", "00123", None),
            ("7.10", "7.1", "7.10", None),
            ("7,10", "7.1", "7.10", None),
            ("20,260,001", "20260001", "20260001", None),
            ("1.38E+10", "13800138000", "13800138000", None),
            ("138-0013-8000", "13800138000", "138-0013-8000", None),
            ("8", "7.5", "7.5", Some(Doubt::Format)),
        ] {
            assert_eq!(
                shown_number(shown, value),
                SheetCell { text: text.to_owned(), doubt, ..SheetCell::default() },
                "{shown}"
            );
        }
    }
}
