//! Writes small workbooks.

use std::io::Write;

/// A sheet: its name, rows of cells, merged ranges, and whether it is hidden.
#[derive(Default)]
pub(crate) struct Sheet<'s> {
    pub(crate) name: &'s str,
    pub(crate) rows: &'s [&'s [&'s str]],
    pub(crate) merged: &'s [&'s str],
    pub(crate) is_hidden: bool,
}

/// The formats of cells: `#2:7` is the number 7 in the second of them.
const FORMATS: [&str; 4] = ["General", "00000", "yyyy-mm-dd", "0%"];

/// A workbook. A cell is a text, or with `#n:` before it a number in the n-th format.
pub(crate) fn workbook(sheets: &[Sheet<'_>]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut put = |name: &str, text: &str| {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    };
    let space = "http://schemas.openxmlformats.org";
    let formats: String = FORMATS
        .iter()
        .enumerate()
        .map(|(at, format)| format!("<numFmt numFmtId=\"{}\" formatCode=\"{format}\"/>", 164 + at))
        .collect();
    let styles: String = (0..FORMATS.len()).map(|at| format!("<xf numFmtId=\"{}\"/>", 164 + at)).collect();
    put(
        "xl/styles.xml",
        &format!("<styleSheet><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"),
    );
    let (mut list, mut relations) = (String::new(), String::new());
    for (at, sheet) in sheets.iter().enumerate() {
        let state = if sheet.is_hidden { " state=\"hidden\"" } else { "" };
        list.push_str(&format!("<sheet name=\"{}\" sheetId=\"{at}\" r:id=\"rId{at}\"{state}/>", sheet.name));
        relations.push_str(&format!(
            "<Relationship Id=\"rId{at}\" Type=\"{space}/officeDocument/2006/relationships/worksheet\" \
             Target=\"worksheets/sheet{at}.xml\"/>"
        ));
        put(&format!("xl/worksheets/sheet{at}.xml"), &sheet_xml(sheet));
    }
    put(
        "xl/workbook.xml",
        &format!(
            "<workbook xmlns:r=\"{space}/officeDocument/2006/relationships\"><sheets>{list}</sheets></workbook>"
        ),
    );
    put("xl/_rels/workbook.xml.rels", &format!("<Relationships>{relations}</Relationships>"));
    archive.finish().unwrap().into_inner()
}

fn sheet_xml(sheet: &Sheet<'_>) -> String {
    let mut body = String::new();
    for (row, cells) in sheet.rows.iter().enumerate() {
        body.push_str(&format!("<row r=\"{}\">", row + 1));
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let place = format!("{}{}", char::from(b'A' + u8::try_from(column).unwrap()), row + 1);
            body.push_str(&match cell.strip_prefix('#').and_then(|cell| cell.split_once(':')) {
                Some((style, number)) => format!("<c r=\"{place}\" s=\"{style}\"><v>{number}</v></c>"),
                None => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"),
            });
        }
        body.push_str("</row>");
    }
    let merged: String = sheet.merged.iter().map(|range| format!("<mergeCell ref=\"{range}\"/>")).collect();
    format!("<worksheet><sheetData>{body}</sheetData><mergeCells>{merged}</mergeCells></worksheet>")
}
