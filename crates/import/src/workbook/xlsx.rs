//! Reads `.xlsx` row by row: the value of each cell with its format, so that a cell is read as the sheet shows it.

use super::number_format::NumberFormat;
use super::strings::{Strings, unescaped};
use super::styles::Styles;
use super::xml::{Archive, Fault, Part, Piece, attribute};
use super::{FIRST_ROUNDED, MOST_COLUMNS, RawRow, SheetCell, SheetName, append, limit_bytes};
use crate::table::Doubt;

/// Merged cells and ranges of columns that are looked at.
const MOST_MERGED: usize = 200_000;
const MOST_RANGES: usize = 20_000;

/// What the parts around the sheets say.
pub(super) struct Package {
    pub(super) sheets: Vec<SheetName>,
    paths: Vec<String>,
    strings: Strings,
    styles: Styles,
    is_from_1904: bool,
    /// Programs that compute no formulas ask whoever opens the workbook to do so.
    is_to_be_computed: bool,
}

impl Package {
    pub(super) fn read(archive: &mut Archive) -> Result<Self, Fault> {
        let workbook = "xl/workbook.xml";
        let relations = relations(archive, "xl/_rels/workbook.xml.rels")?;
        let (mut sheets, mut paths) = (Vec::new(), Vec::new());
        let (mut is_from_1904, mut is_to_be_computed) = (false, false);
        let missing = || "it is no .xlsx: it has no list of sheets".to_owned();
        let mut part = Part::open(archive, workbook)?.ok_or_else(missing)?;
        loop {
            match part.next()? {
                Piece::Eof => break,
                Piece::Start(name, attributes) if name == "sheet" => {
                    let id = attribute(&attributes, "id").unwrap_or_default();
                    let Some((_, kind, path)) = relations.iter().find(|(found, _, _)| found == id) else {
                        continue;
                    };
                    // Charts are sheets too.
                    if !kind.ends_with("/worksheet") {
                        continue;
                    }
                    let state = attribute(&attributes, "state").unwrap_or_default();
                    let name = attribute(&attributes, "name").unwrap_or_default().to_owned();
                    sheets
                        .push(SheetName { name, is_hidden: state.to_ascii_lowercase().ends_with("hidden") });
                    paths.push(path.clone());
                }
                Piece::Start(name, attributes) if name == "workbookPr" => {
                    is_from_1904 = matches!(attribute(&attributes, "date1904"), Some("1" | "true"));
                }
                Piece::Start(name, attributes) if name == "calcPr" => {
                    is_to_be_computed =
                        matches!(attribute(&attributes, "fullCalcOnLoad"), Some("1" | "true"));
                }
                Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        drop(part);
        let part = |kind: &str, otherwise: &str| {
            let found = relations.iter().find(|(_, found, _)| found.ends_with(kind));
            found.map_or_else(|| otherwise.to_owned(), |(_, _, path)| path.clone())
        };
        let styles = Styles::read(archive, &part("/styles", "xl/styles.xml"))?;
        let strings = Strings::read(archive, &part("/sharedStrings", "xl/sharedStrings.xml"))?;
        Ok(Self { sheets, paths, strings, styles, is_from_1904, is_to_be_computed })
    }

    /// The rows of a sheet.
    pub(super) fn rows<'a>(
        &'a self,
        archive: &'a mut Archive,
        sheet: usize,
        is_filled: bool,
    ) -> Result<XlsxRows<'a>, Fault> {
        let path = self.paths.get(sheet).cloned().unwrap_or_default();
        let missing = || "it names a sheet that it does not have".to_owned();
        let merged = if is_filled {
            merged(&mut Part::open(archive, &path)?.ok_or_else(missing)?)?
        } else {
            Vec::new()
        };
        let part = Part::open(archive, &path)?.ok_or_else(missing)?;
        Ok(XlsxRows {
            package: self,
            part,
            line: 0,
            merged,
            open: Vec::new(),
            next_merged: 0,
            hidden_columns: Vec::new(),
            is_over: false,
        })
    }
}

/// Id, kind and path of what a workbook is related to.
fn relations(archive: &mut Archive, path: &str) -> Result<Vec<(String, String, String)>, Fault> {
    let mut found = Vec::new();
    let Some(mut part) = Part::open(archive, path)? else { return Ok(found) };
    loop {
        match part.next()? {
            Piece::Eof => return Ok(found),
            Piece::Start(name, attributes) if name == "Relationship" => {
                let value = |name: &str| attribute(&attributes, name).unwrap_or_default();
                let target = value("Target");
                let path = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_owned(),
                    None => format!("xl/{}", target.trim_start_matches("./")),
                };
                found.push((value("Id").to_owned(), value("Type").to_owned(), path));
            }
            Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
        }
    }
}

/// A cell merged over several rows of one column.
struct Merged {
    column: usize,
    first: u64,
    last: u64,
}

fn merged(part: &mut Part<'_>) -> Result<Vec<Merged>, Fault> {
    let mut found = Vec::new();
    loop {
        match part.next()? {
            Piece::Eof => {
                found.sort_by_key(|merged: &Merged| merged.first);
                return Ok(found);
            }
            Piece::Start(name, attributes) if name == "mergeCell" && found.len() < MOST_MERGED => {
                let range = attribute(&attributes, "ref").unwrap_or_default();
                let Some((from, to)) = range.split_once(':') else { continue };
                let (Some((column, first)), Some((_, last))) = (place(from), place(to)) else { continue };
                if last > first {
                    found.push(Merged { column, first, last });
                }
            }
            Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
        }
    }
}

/// `C7` as column, from 0, and row, from 1.
fn place(text: &str) -> Option<(usize, u64)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, digits) = text.split_at(letters);
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        column.checked_mul(26)?.checked_add(usize::from(letter.to_ascii_uppercase() - b'A') + 1)
    })?;
    Some((column.checked_sub(1)?, digits.parse().ok()?))
}

/// The rows of a sheet as its file has them, without a place for every empty cell between them: a stray letter in the
/// last corner of a sheet would else take all memory.
pub(super) struct XlsxRows<'a> {
    package: &'a Package,
    part: Part<'a>,
    line: u64,
    merged: Vec<Merged>,
    /// Merged cells that the current row is in, with what they hold.
    open: Vec<(usize, u64, SheetCell)>,
    next_merged: usize,
    /// The first and the last of columns that are not shown.
    hidden_columns: Vec<(usize, usize)>,
    is_over: bool,
}

impl Iterator for XlsxRows<'_> {
    type Item = Result<RawRow, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            match self.part.next() {
                Ok(Piece::Start(name, attributes)) if name == "row" => {
                    let number = attribute(&attributes, "r").and_then(|number| number.parse().ok());
                    self.line = number.unwrap_or(self.line + 1);
                    let row = self.row(is_set(&attributes, "hidden"));
                    self.is_over = row.is_err();
                    return Some(row);
                }
                Ok(Piece::Start(name, attributes)) if name == "col" && is_set(&attributes, "hidden") => {
                    let place =
                        |name: &str| attribute(&attributes, name)?.parse::<usize>().ok()?.checked_sub(1);
                    if let Some(range) = place("min").zip(place("max"))
                        && self.hidden_columns.len() < MOST_RANGES
                    {
                        self.hidden_columns.push(range);
                    }
                }
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

/// Whether an attribute says yes.
fn is_set(attributes: &[(String, String)], name: &str) -> bool {
    matches!(attribute(attributes, name), Some("1" | "true"))
}

impl XlsxRows<'_> {
    fn is_hidden(&self, column: usize) -> bool {
        self.hidden_columns.iter().any(|(first, last)| (*first..=*last).contains(&column))
    }

    fn row(&mut self, is_hidden: bool) -> Result<RawRow, Fault> {
        let mut cells: Vec<SheetCell> = Vec::new();
        let mut next = 0;
        loop {
            match self.part.next()? {
                Piece::End(name) if name == "row" => break,
                Piece::Eof => return Err("a sheet of it ends in the middle of a row".to_owned()),
                Piece::Start(name, attributes) if name == "c" => {
                    let at = attribute(&attributes, "r").and_then(place).map_or(next, |(column, _)| column);
                    next = at.saturating_add(1);
                    let cell = self.cell(&attributes)?;
                    if at < MOST_COLUMNS {
                        while cells.len() <= at {
                            cells.push(SheetCell::default());
                        }
                        if let Some(slot) = cells.get_mut(at) {
                            *slot = cell;
                        }
                    }
                }
                Piece::Start(..) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        limit_bytes(cells.iter().map(|cell| cell.text.len()), self.line)?;
        self.fill(&mut cells);
        limit_bytes(cells.iter().map(|cell| cell.text.len()), self.line)?;
        limit_bytes(self.open.iter().map(|(_, _, held)| held.text.len()), self.line)?;
        let hidden_columns = (0..cells.len()).filter(|column| self.is_hidden(*column)).collect();
        Ok(RawRow { line: self.line, cells, is_hidden, hidden_columns })
    }

    /// Gives a row what the merged cells hold that reach into it.
    fn fill(&mut self, cells: &mut Vec<SheetCell>) {
        let line = self.line;
        self.open.retain(|(_, last, _)| *last >= line);
        let is_blank = cells.iter().all(SheetCell::is_blank);
        for (column, _, held) in self.open.iter().filter(|_| !is_blank) {
            while cells.len() <= *column {
                cells.push(SheetCell::default());
            }
            if let Some(cell) = cells.get_mut(*column).filter(|cell| cell.is_blank()) {
                *cell = held.clone();
            }
        }
        while let Some(merged) = self.merged.get(self.next_merged).filter(|merged| merged.first <= line) {
            if merged.first == line
                && let Some(cell) = cells.get(merged.column).filter(|cell| !cell.is_blank())
            {
                // Of ranges that begin in one cell the longest holds it.
                match self.open.iter_mut().find(|(column, ..)| *column == merged.column) {
                    Some((_, last, held)) if *held == *cell => *last = merged.last.max(*last),
                    Some(open) => *open = (merged.column, merged.last, cell.clone()),
                    None => self.open.push((merged.column, merged.last, cell.clone())),
                }
            }
            self.next_merged += 1;
        }
    }

    fn cell(&mut self, attributes: &[(String, String)]) -> Result<SheetCell, Fault> {
        let kind = attribute(attributes, "t").unwrap_or("n").to_owned();
        let style =
            attribute(attributes, "s").and_then(|style| style.parse::<usize>().ok()).unwrap_or_default();
        let (mut value, mut inline) = (String::new(), String::new());
        let (mut place, mut phonetic) = ("", 0_u32);
        let (mut has_formula, mut has_value) = (false, false);
        loop {
            match self.part.next()? {
                Piece::End(name) if name == "c" => break,
                Piece::Eof => return Err("a sheet of it ends in the middle of a cell".to_owned()),
                Piece::Start(name, _) => match name.as_str() {
                    "f" => has_formula = true,
                    "v" => (place, has_value) = ("v", true),
                    "t" if phonetic == 0 => place = "t",
                    "rPh" => phonetic += 1,
                    _ => place = "",
                },
                Piece::End(name) => {
                    place = "";
                    phonetic = phonetic.saturating_sub(u32::from(name == "rPh"));
                }
                Piece::Text(text) => match place {
                    "v" => append(&mut value, &text)?,
                    "t" => append(&mut inline, &text)?,
                    _ => {}
                },
            }
        }
        let is_empty = value.trim().is_empty();
        // A text that is empty is what some formulas make.
        let is_uncomputed = match kind.as_str() {
            "str" => !has_value,
            "n" => is_empty || (value.trim() == "0" && self.package.is_to_be_computed),
            _ => false,
        };
        if has_formula && is_uncomputed {
            return Ok(SheetCell::lost(super::NOT_COMPUTED));
        }
        let cell = match kind.as_str() {
            "s" => {
                let number = value.trim().parse().unwrap_or(usize::MAX);
                let missing = || "a cell of it names a text that it does not have".to_owned();
                SheetCell::text(self.package.strings.get(number).ok_or_else(missing)?)
            }
            "inlineStr" => SheetCell::text(&unescaped(&inline)),
            "str" => SheetCell::text(&unescaped(&value)),
            "b" => SheetCell::text(if value.trim() == "1" { "TRUE" } else { "FALSE" }),
            "e" => SheetCell::lost(super::SHOWS_ERROR),
            "d" => SheetCell { text: value, doubt: Some(Doubt::Date), ..SheetCell::default() },
            _ => self.number(value.trim(), style),
        };
        Ok(SheetCell { is_struck: self.package.styles.is_struck(style), ..cell })
    }

    fn number(&self, value: &str, style: usize) -> SheetCell {
        if value.is_empty() {
            return SheetCell::default();
        }
        let Ok(number) = value.parse::<f64>() else { return SheetCell::text(value) };
        let format = self.package.styles.format(style);
        if *format == NumberFormat::Date {
            return super::date(number, self.package.is_from_1904);
        }
        if number.abs() >= FIRST_ROUNDED {
            return SheetCell::lost(super::TOO_MANY_DIGITS);
        }
        match format.show(number) {
            Some(text) => SheetCell { text, ..SheetCell::default() },
            // Rust writes a whole number without a point, and never with an exponent.
            None => {
                SheetCell { text: number.to_string(), doubt: Some(Doubt::Format), ..SheetCell::default() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_column_and_a_row() {
        for (text, expected) in [
            ("A1", Some((0, 1))),
            ("Z9", Some((25, 9))),
            ("AA10", Some((26, 10))),
            ("XFD1048576", Some((16_383, 1_048_576))),
            ("7", None),
            ("A", None),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }
}
