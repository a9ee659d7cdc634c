//! A workbook with one sheet of texts, as spreadsheets read it. Written row by row, so that memory stays flat. Every cell is
//! a text, formatted as one: no program takes an id for a number, or a text for a formula.

use std::fmt::Write as _;
use std::io::{self, Seek, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The most rows that a sheet holds.
pub(super) const MOST_ROWS: u64 = 1_048_576;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

const TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
    <Override PartName=\"/xl/workbook.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
    <Override PartName=\"/xl/worksheets/sheet1.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>\
    <Override PartName=\"/xl/styles.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/></Types>";

const PACKAGE: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"xl/workbook.xml\"/></Relationships>";

const PARTS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
    Target=\"worksheets/sheet1.xml\"/>\
    <Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" \
    Target=\"styles.xml\"/></Relationships>";

/// Style 1 is the format of texts, number 49.
const STYLES: &str = "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
    <fonts count=\"1\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
    <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>\
    <fill><patternFill patternType=\"gray125\"/></fill></fills>\
    <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
    <cellXfs count=\"2\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
    <xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs>\
    </styleSheet>";

/// A workbook that is being written.
pub(super) struct Workbook<W: Write + Seek> {
    archive: ZipWriter<W>,
    rows: u64,
}

impl<W: Write + Seek> Workbook<W> {
    /// Begins a workbook with one sheet of this name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(to: W, sheet: &str) -> io::Result<Self> {
        let mut archive = ZipWriter::new(to);
        let workbook = format!(
            "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
             xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
             <sheets><sheet name=\"{}\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
            escaped(sheet)
        );
        for (name, text) in [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", PACKAGE),
            ("xl/workbook.xml", &workbook),
            ("xl/_rels/workbook.xml.rels", PARTS),
            ("xl/styles.xml", STYLES),
        ] {
            archive.start_file(name, SimpleFileOptions::default())?;
            archive.write_all(HEAD.as_bytes())?;
            archive.write_all(text.as_bytes())?;
        }
        archive.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default())?;
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        write!(archive, "{HEAD}<worksheet xmlns=\"{main}\"><sheetData>")?;
        Ok(Self { archive, rows: 0 })
    }

    /// Writes the next row.
    ///
    /// # Errors
    /// When it cannot be written, or the sheet is full.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) -> io::Result<()> {
        if self.rows >= MOST_ROWS {
            return Err(io::Error::other("a sheet holds 1,048,576 rows and no more: export it as .csv"));
        }
        self.rows += 1;
        let number = self.rows;
        let mut row = format!("<row r=\"{number}\">");
        for (at, cell) in cells.into_iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let (column, text) = (column(at), escaped(&cell));
            let _infallible = write!(
                row,
                "<c r=\"{column}{number}\" s=\"1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>"
            );
        }
        row.push_str("</row>");
        self.archive.write_all(row.as_bytes())
    }

    /// Ends the workbook, and gives back what it was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn end(mut self) -> io::Result<W> {
        self.archive.write_all(b"</sheetData></worksheet>")?;
        Ok(self.archive.finish()?)
    }
}

/// `A`, …, `Z`, `AA`, …
fn column(at: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = at + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// A text within XML. What XML would lose is written out as spreadsheets do: `_x000D_`.
fn escaped(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => whole.push_str("&amp;"),
            '<' => whole.push_str("&lt;"),
            '>' => whole.push_str("&gt;"),
            '"' => whole.push_str("&quot;"),
            '_' if is_written_out(text.get(at..).unwrap_or_default()) => whole.push_str("_x005F_"),
            '\n' | '\t' => whole.push(letter),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                let _infallible = write!(whole, "_x{:04X}_", u32::from(letter));
            }
            _ => whole.push(letter),
        }
    }
    whole
}

/// Whether a text begins like something that was written out.
fn is_written_out(text: &str) -> bool {
    let code = text.strip_prefix("_x").and_then(|rest| rest.get(..4));
    code.is_some_and(|code| code.chars().all(|digit| digit.is_ascii_hexdigit()))
        && text.get(6..7) == Some("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_in_a_sheet() {
        for (at, name) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(column(at), name);
        }
    }

    #[test]
    fn what_xml_would_lose_or_take_for_markup_is_written_out() {
        for (text, written) in [
            ("<b>&\"", "&lt;b&gt;&amp;&quot;"),
            ("a\rb", "a_x000D_b"),
            ("a_x000D_", "a_x005F_x000D_"),
            ("snake_case_xyz", "snake_case_xyz"),
            ("\u{1}", "_x0001_"),
        ] {
            assert_eq!(escaped(text), written);
        }
    }
}
