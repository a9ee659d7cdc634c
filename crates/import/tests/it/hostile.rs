//! Workbooks made to harm: refused, with little memory.

use std::io::Write;

use super::*;

/// A workbook whose shared texts are these bytes, so many times.
fn with_shared(begin: &str, piece: &str, times: usize, end: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut put = |name: &str| archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    put("xl/workbook.xml");
    archive.write_all(b"<workbook><sheets/></workbook>").unwrap();
    archive.start_file("xl/sharedStrings.xml", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(begin.as_bytes()).unwrap();
    let block = piece.repeat((1 << 20) / piece.len());
    let mut left = times;
    while left > 0 {
        let now = left.min(block.len() / piece.len());
        archive.write_all(&block.as_bytes()[..now * piece.len()]).unwrap();
        left -= now;
    }
    archive.write_all(end.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_with_a_text_of_many_megabytes_is_refused() {
    // Letters that pack less well than one alone, so that the ratio of the archive is no danger.
    let piece: String = (0..997_u32).map(|n| char::from(b'a' + u8::try_from(n * n % 26).unwrap())).collect();
    let found = read_one("list.xlsx", with_shared("<sst><si><t>", &piece, 8_000, "</t></si></sst>"));
    assert_eq!(found.problems(), [(1, 1, "not-a-workbook")]);
}

/// An archive of these parts.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A text that packs no better than texts do.
fn letters(count: usize) -> String {
    (0..count).map(|n| char::from(b'a' + u8::try_from((n * n + n / 7) % 26).unwrap())).collect()
}

/// A workbook with these rows in its sheet, and what stands below them.
fn xlsx(rows: &str, below: &str) -> Vec<u8> {
    with_sheet(&format!("<worksheet><sheetData>{rows}</sheetData>{below}</worksheet>"))
}

/// A workbook with this sheet.
fn with_sheet(sheet: &str) -> Vec<u8> {
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    archive(&[
        (
            "xl/workbook.xml",
            &format!(
                "<workbook xmlns:r=\"{relation}\"><sheets><sheet name=\"A\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships><Relationship Id=\"r1\" Type=\"{relation}/worksheet\" Target=\"worksheets/a.xml\"/></Relationships>"
            ),
        ),
        ("xl/worksheets/a.xml", sheet),
    ])
}

fn inline(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

#[test]
fn a_cell_that_many_merged_ranges_name_is_held_once() {
    let heading = format!("<row r=\"1\">{}{}</row>", inline("A1", "学号"), inline("B1", "姓名"));
    let row = format!("<row r=\"2\">{}{}</row>", inline("A2", "1"), inline("B2", &letters(8_000)));
    let merged = "<mergeCell ref=\"B2:B3\"/>".repeat(100_000);
    let found = read_one(
        "list.xlsx",
        xlsx(&format!("{heading}{row}"), &format!("<mergeCells>{merged}</mergeCells>")),
    );
    assert!(resident_mib() < 400, "{} MiB", resident_mib());
    assert_eq!(found.students.len() + found.problems().len(), 1, "{}", found.messages());
}

#[test]
fn a_cell_of_many_pieces_or_a_row_of_many_long_cells_is_refused() {
    let long = letters(900_000);
    let pieces = format!("<is>{}</is>", format!("<r><t>{long}</t></r>").repeat(3));
    let many: String = ["A2", "B2", "C2", "D2", "E2"].map(|place| inline(place, &long)).concat();
    for cells in [format!("<c r=\"A2\" t=\"inlineStr\">{pieces}</c>"), many] {
        let found = read_one("list.xlsx", xlsx(&format!("<row r=\"2\">{cells}</row>"), ""));
        assert!(found.messages().contains("made to harm"), "{}", found.messages());
    }
}

#[test]
fn a_long_cell_that_an_ods_repeats_or_says_in_pieces_is_refused_with_little_memory() {
    let long = letters(900_000);
    let wide = format!(
        "<table:table-cell table:number-columns-repeated=\"399\"><text:p>{long}</text:p></table:table-cell>"
    );
    let deep =
        format!("<table:table-cell>{}</table:table-cell>", format!("<text:p>{long}</text:p>").repeat(5));
    for cell in [wide, deep] {
        let content = format!(
            "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"A\"><table:table-row>{cell}\
             </table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
        );
        let found = read_one("list.ods", archive(&[("content.xml", &content)]));
        assert!(found.messages().contains("made to harm"), "{}", found.messages());
    }
    assert!(resident_mib() < 400, "{} MiB", resident_mib());
}

/// The most memory that this process has had, in MiB; with the tests beside this one.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or_default() / 1_024
}

#[test]
fn a_workbook_that_is_damaged_is_refused_without_a_byte_of_it() {
    for (name, bytes) in [
        ("students.xlsx", &b"PK\x03\x04Ann"[..]),
        ("students.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1Ann"),
        ("students.ods", b""),
    ] {
        let found = read_one(name, bytes);
        assert_eq!(found.problems(), [(1, 1, "not-a-workbook")], "{name}");
        assert!(!found.messages().contains("Ann"), "{}", found.messages());
    }
}

#[test]
fn an_overlong_id_costs_no_more_than_a_good_one() {
    let long = "9".repeat(2_000);
    let text: String = std::iter::once("student_id,name\n".to_owned())
        .chain((0..2_000).map(|_| format!("{long},Ada\n")))
        .collect();
    let found = read_one("students.csv", text);
    assert_eq!(found.problems().len(), 2_000);
    assert!(found.students.is_empty() && !found.messages().contains("99999"));
}

#[test]
fn rows_of_very_many_fields_are_refused_at_the_first() {
    let fields = |of: &str| std::iter::repeat_n(of, 100_000).collect::<Vec<_>>().join(",");
    let found = read_one("students.csv", format!("student_id,name,{}\n1,Ada,{}\n", fields("a"), fields("x")));
    assert_eq!(found.problems(), [(1, 1, "too-many-columns")]);
    // Blank fields at the end are nothing.
    let found = read_one("students.csv", format!("student_id,name{}\n1,Ada\n", ",".repeat(5_000)));
    found.is_good();
}

#[test]
fn a_sheet_that_ends_between_two_rows_without_its_own_end_is_not_taken_for_a_whole_one() {
    let rows = format!(
        "<row r=\"1\">{}{}</row><row r=\"2\">{}{}</row>",
        inline("A1", "student_id"),
        inline("B1", "name"),
        inline("A2", "1"),
        inline("B2", "Ann")
    );
    let whole = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    assert_eq!(read_one("list.xlsx", with_sheet(&whole)).is_good().students.len(), 1);
    for end in ["</worksheet>", "</sheetData></worksheet>"] {
        let found = read_one("list.xlsx", with_sheet(whole.strip_suffix(end).unwrap()));
        assert!(found.messages().contains("cut off: export or copy it again"), "{}", found.messages());
        assert!(!found.reading.file_problems.is_empty(), "no row of half a sheet is taken");
    }
}
