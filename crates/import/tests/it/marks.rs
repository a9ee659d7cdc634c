//! What a sheet does beside its values: rows and columns that it hides, lines through a text, formulas without a value. What an
//! office means by them is not guessed.

use std::io::Write;

use super::*;

/// A workbook with these columns and rows in its sheet; style 1 draws a line through a text, style 2 shows numbers in scientific
/// notation. `below` goes into the list of sheets.
fn xlsx(columns: &str, rows: &str, below: &str) -> Vec<u8> {
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        (
            "xl/workbook.xml",
            format!("<workbook xmlns:r=\"{relation}\"><sheets><sheet name=\"A\" r:id=\"r1\"/></sheets>{below}</workbook>"),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships><Relationship Id=\"r1\" Type=\"{relation}/worksheet\" Target=\"worksheets/a.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/styles.xml",
            "<styleSheet><fonts><font/><font><strike/></font><font><strike val=\"0\"/></font></fonts><cellXfs><xf/><xf fontId=\"1\"/>\
             <xf numFmtId=\"11\" fontId=\"2\"/></cellXfs></styleSheet>"
                .to_owned(),
        ),
        (
            "xl/worksheets/a.xml",
            format!("<worksheet><cols>{columns}</cols><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A row of texts; one that begins with `~` has a line through it, one that begins with `<` is the cell's own XML.
fn row(number: u32, marks: &str, cells: &[&str]) -> String {
    let cell = |(at, text): (usize, &&str)| {
        let place = format!("{}{number}", char::from(b'A' + u8::try_from(at).unwrap()));
        if text.starts_with('<') {
            return text.replacen("<c", &format!("<c r=\"{place}\""), 1);
        }
        let (style, text) = text.strip_prefix('~').map_or(("0", *text), |text| ("1", text));
        format!("<c r=\"{place}\" s=\"{style}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    };
    let cells: String = cells.iter().enumerate().map(cell).collect();
    format!("<row r=\"{number}\" {marks}>{cells}</row>")
}

fn heading() -> String {
    row(1, "", &["学号", "姓名", "手机", "班级", "备注"])
}

fn ann(number: u32, marks: &str) -> String {
    row(number, marks, &[&format!("2026000{number}"), "Ann Lee", "13800000000", "1班", "x"])
}

#[test]
fn a_hidden_row_is_refused_and_the_others_are_good() {
    for hidden in ["hidden=\"1\"", "hidden=\"true\" outlineLevel=\"1\""] {
        let rows = [heading(), ann(2, ""), ann(3, hidden), ann(4, "hidden=\"0\"")].concat();
        let found = read_one("list.xlsx", xlsx("", &rows, ""));
        assert_eq!(found.problems(), [(3, 1, "hidden-row")]);
        assert_eq!(found.students.len(), 2);
        assert!(found.messages().contains("clear the filter and show all rows"), "{}", found.messages());
        assert!(!found.reading.complete.contains(&RosterTable::Students), "nobody is missing from it");
    }
    // What is no row of the table may be hidden.
    let title = row(1, "hidden=\"1\"", &["2026"]);
    let rows = [
        title,
        row(2, "", &["学号", "姓名"]),
        row(3, "", &["1", "Ann"]),
        row(4, "hidden=\"1\"", &["合计", "1"]),
    ];
    read_one("list.xlsx", xlsx("", &rows.concat(), "")).is_good();
}

#[test]
fn a_hidden_column_that_would_be_read_is_refused_unless_a_mapping_names_columns() {
    let rows = [heading(), ann(2, "")].concat();
    let hidden = |column: u32| format!("<col min=\"{column}\" max=\"{column}\" hidden=\"1\"/>");
    let found = read_one("list.xlsx", xlsx(&hidden(3), &rows, ""));
    assert_eq!(found.problems(), [(1, 3, "hidden-column")]);
    assert!(
        found.messages().contains("the column 手机 is hidden, and would be read as phone"),
        "{}",
        found.messages()
    );
    read_one("list.xlsx", xlsx(&hidden(5), &rows, "")).is_good();
    let desk = Desk::new();
    let path = desk.put("list.xlsx", xlsx(&hidden(3), &rows, ""));
    let found = read(vec![path], mapped(&[("phone", "手机")]));
    assert_eq!(found.is_good().students, ["20260002 Ann Lee - 13800000000 -"]);
}

#[test]
fn a_row_that_is_struck_out_is_refused_and_so_is_a_struck_value_that_is_read() {
    let rows = [
        heading(),
        row(2, "", &["~20260002", "~Ann Lee", "13800000000", "1班"]),
        row(3, "", &["20260003", "Ann Lee", "~13800000000", "1班"]),
        row(4, "", &["20260004", "Ann Lee", "13800000000", "1班", "~left early"]),
        row(5, "", &["20260005", "Ann Lee", "~", "1班"]),
    ];
    let found = read_one("list.xlsx", xlsx("", &rows.concat(), ""));
    assert_eq!(found.problems(), [(2, 1, "struck-out"), (3, 3, "struck-out")]);
    assert_eq!(found.students.len(), 2);
    assert!(found.messages().contains("may be of somebody who has left"), "{}", found.messages());
}

#[test]
fn a_formula_without_a_stored_value_is_no_empty_cell() {
    for (cell, is_refused) in [
        ("<c><f>A1</f></c>", true),
        ("<c><f>A1</f><v></v></c>", true),
        ("<c t=\"str\"><f>A1</f></c>", true),
        ("<c t=\"str\"><f>IF(A1=1,2,\"\")</f><v></v></c>", false),
    ] {
        for column in 2..=4 {
            let mut cells = ["20260002", "Ann Lee", "13800000000", "1班", "x"];
            cells[column] = cell;
            let found = read_one("list.xlsx", xlsx("", &[heading(), row(2, "", &cells)].concat(), ""));
            // Nobody reads the last column.
            let problems: &[_] = if is_refused && column < 4 { &[(2, column + 1, "bad-cell")] } else { &[] };
            assert_eq!(found.problems(), problems, "{cell} in {column}: {}", found.messages());
        }
    }
    let cells = ["20260002", "Ann Lee", "<c><f>A1</f><v>13800000001</v></c>", "1班"];
    let found = read_one("list.xlsx", xlsx("", &[heading(), row(2, "", &cells)].concat(), ""));
    assert_eq!(found.is_good().students, ["20260002 Ann Lee - 13800000001 -"]);
}

#[test]
fn a_zero_of_a_program_that_computes_nothing_is_no_value() {
    let rows = [heading(), row(2, "", &["20260002", "Ann Lee", "", "<c><f>B1</f><v>0</v></c>"])].concat();
    let found = read_one("list.xlsx", xlsx("", &rows, "<calcPr calcId=\"124519\" fullCalcOnLoad=\"1\"/>"));
    assert_eq!(found.problems(), [(2, 4, "bad-cell")]);
    assert!(found.messages().contains("open it in a spreadsheet program, save it"), "{}", found.messages());
    let found = read_one("list.xlsx", xlsx("", &rows, "<calcPr calcId=\"124519\"/>"));
    assert_eq!(found.is_good().members, ["20260002 in 0"]);
}

#[test]
fn a_code_that_became_a_number_in_scientific_notation_is_refused_and_a_long_number_is_not() {
    let rows = [
        heading(),
        row(2, "", &["<c s=\"2\"><v>100000</v></c>", "Ann Lee"]),
        row(3, "", &["<c s=\"2\"><v>1E+05</v></c>", "Ann Lee"]),
        row(4, "", &["<c s=\"2\"><v>20260004</v></c>", "Ann Lee"]),
        row(5, "", &["20260005", "Ann Lee", "", "<c s=\"2\"><v>7000000000000</v></c>"]),
    ];
    let found = read_one("list.xlsx", xlsx("", &rows.concat(), ""));
    assert_eq!(found.problems(), [(2, 1, "format"), (3, 1, "format"), (5, 4, "format")]);
    assert_eq!(found.students, ["20260004 Ann Lee - - -"]);
}

#[test]
fn what_an_open_document_hides_strikes_out_or_has_not_computed_is_found_too() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let sheet = |columns: &str, rows: &str| {
        let content = format!(
            "<office:document-content><office:automatic-styles><style:style style:name=\"ce1\"><style:text-properties \
             style:text-line-through-style=\"solid\"/></style:style></office:automatic-styles><office:body><office:spreadsheet>\
             <table:table table:name=\"A\">{columns}<table:table-row>{}{}{}</table:table-row>{rows}</table:table>\
             </office:spreadsheet></office:body></office:document-content>",
            cell("学号"),
            cell("姓名"),
            cell("手机")
        );
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
        archive.finish().unwrap().into_inner()
    };
    let ann = |id: u32| format!("{}{}", cell(&id.to_string()), cell("Ann Lee"));
    let rows = format!(
        "<table:table-row table:visibility=\"filter\">{}</table:table-row>\
         <table:table-row table:visibility=\"collapse\" table:number-rows-repeated=\"2\">{}</table:table-row>\
         <table:table-row><table:table-cell table:style-name=\"ce1\"><text:p>4</text:p></table:table-cell>{}</table:table-row>\
         <table:table-row>{}<table:table-cell table:formula=\"of:=[.A1]\"/></table:table-row>\
         <table:table-row>{}</table:table-row>",
        ann(1),
        ann(2),
        cell("Ann Lee"),
        ann(5),
        ann(6)
    );
    let found =
        read_one("list.ods", sheet("<table:table-column table:number-columns-repeated=\"3\"/>", &rows));
    let expected = [
        (2, 1, "hidden-row"),
        (3, 1, "hidden-row"),
        (4, 1, "hidden-row"),
        (5, 1, "struck-out"),
        (6, 3, "bad-cell"),
    ];
    assert_eq!(found.problems(), expected, "{}", found.messages());
    assert_eq!(found.students, ["6 Ann Lee - - -"]);
    let columns =
        "<table:table-column/><table:table-column table:visibility=\"collapse\"/><table:table-column/>";
    let row = format!("<table:table-row>{}</table:table-row>", ann(1));
    assert_eq!(read_one("list.ods", sheet(columns, &row)).problems(), [(1, 2, "hidden-column")]);
}
