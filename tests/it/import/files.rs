//! Files as schools have them: other encodings, other column names, workbooks.

use std::io::Write;

use super::*;
use rosterd_import::{ReadOptions, encoding_named};

const CHINESE: &str = "student_id,name\nS1,王小明\nS2,李雷\nS3,韩梅梅\nS4,张伟\n";
const WESTERN: &str = "student_id;name\nS1;Zoë Müller\nS2;André Gonçalves\nS3;Señor Muñoz\n";

fn mapped(request: ImportRequest, pairs: &[(&str, &str)]) -> ImportRequest {
    let pairs = pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned()));
    ImportRequest { map: ColumnMap::new(pairs.collect()), ..request }
}

/// A workbook with sheets of rows. A cell is a text, or with `#` before it a number, with `@` a date's number.
fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut put = |name: &str, text: String| {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    };
    let space = "http://schemas.openxmlformats.org";
    put(
        "_rels/.rels",
        format!(
            "<Relationships xmlns=\"{space}/package/2006/relationships\"><Relationship Id=\"rId1\" \
         Type=\"{space}/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    put(
        "xl/styles.xml",
        format!(
            "<styleSheet xmlns=\"{space}/spreadsheetml/2006/main\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/>\
         <xf numFmtId=\"14\"/></cellXfs></styleSheet>"
        ),
    );
    let (mut list, mut relations) = (String::new(), String::new());
    for (number, (name, rows)) in sheets.iter().enumerate() {
        let number = number + 1;
        list.push_str(&format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>"));
        relations.push_str(&format!(
            "<Relationship Id=\"rId{number}\" Type=\"{space}/officeDocument/2006/relationships/worksheet\" \
             Target=\"worksheets/sheet{number}.xml\"/>"
        ));
        let mut body = String::new();
        for (row, cells) in rows.iter().enumerate() {
            body.push_str(&format!("<row r=\"{}\">", row + 1));
            for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let place = format!("{}{}", char::from(b'A' + u8::try_from(column).unwrap()), row + 1);
                body.push_str(&match (cell.strip_prefix('#'), cell.strip_prefix('@')) {
                    (Some(number), _) => format!("<c r=\"{place}\"><v>{number}</v></c>"),
                    (_, Some(number)) => format!("<c r=\"{place}\" s=\"1\"><v>{number}</v></c>"),
                    _ if *cell == "!" => format!("<c r=\"{place}\" t=\"e\"><v>#N/A</v></c>"),
                    _ => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"),
                });
            }
            body.push_str("</row>");
        }
        put(
            &format!("xl/worksheets/sheet{number}.xml"),
            format!(
                "<worksheet xmlns=\"{space}/spreadsheetml/2006/main\"><sheetData>{body}</sheetData></worksheet>"
            ),
        );
    }
    relations.push_str(&format!(
        "<Relationship Id=\"rId99\" Type=\"{space}/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>"
    ));
    put(
        "xl/workbook.xml",
        format!(
            "<workbook xmlns=\"{space}/spreadsheetml/2006/main\" \
         xmlns:r=\"{space}/officeDocument/2006/relationships\"><sheets>{list}</sheets></workbook>"
        ),
    );
    put(
        "xl/_rels/workbook.xml.rels",
        format!("<Relationships xmlns=\"{space}/package/2006/relationships\">{relations}</Relationships>"),
    );
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_guessed_encoding_is_refused_with_a_sample_and_a_known_heading_is_no_guess() {
    for (encoding, text, names) in [
        ("gb18030", CHINESE, "王小明, 李雷, 韩梅梅"),
        ("windows-1252", WESTERN, "Zoë Müller, André Gonçalves, Señor Muñoz"),
    ] {
        let desk = Desk::new();
        desk.put("students.csv", encoding_named(encoding).unwrap().encode(text).0);
        let request = desk.csv(&["students.csv"]);
        let result = import(&request).await;
        let said = result.as_ref().unwrap_err().to_string();
        assert!(said.contains(&format!("--encoding {encoding} reads {names}")), "{said}");
        assert_eq!(problems(result)[0].3, "encoding");
        let reading = ReadOptions { allows_guess: true, ..ReadOptions::default() };
        let report = import(&dry(ImportRequest { reading, ..request })).await.unwrap();
        assert!(report.to_string().contains(&format!("read as {encoding}, which is a guess")), "{report}");
    }
    let desk = Desk::new();
    let chinese = CHINESE.replace("student_id,name", "学号,姓名");
    desk.put("名单.csv", encoding_named("gbk").unwrap().encode(&chinese).0);
    drop(import(&desk.csv(&["名单.csv"])).await.unwrap());
    assert_eq!(desk.one("SELECT name FROM students").await, "王小明|李雷|韩梅梅|张伟");
}

#[tokio::test]
async fn an_encoding_that_is_named_is_taken_without_a_word_and_must_fit() {
    let desk = Desk::new();
    desk.put("students.csv", b"student_id,name\nS2,Zo\xeb\n");
    let told = |name| ReadOptions { encoding: encoding_named(name), ..ReadOptions::default() };
    let request = desk.csv(&["students.csv"]);
    let wrong = import(&ImportRequest { reading: told("gb18030"), ..request.clone() }).await;
    assert_eq!(problems(wrong), [at("students.csv", 2, 1, "encoding")]);
    let report = import(&ImportRequest { reading: told("windows-1252"), ..request }).await.unwrap();
    assert!(report.notices.is_empty());
    assert_eq!(desk.one("SELECT name FROM students").await, "Zoë");
}

#[tokio::test]
async fn their_column_names_are_mapped_to_ours_and_other_columns_are_left_out() {
    let desk = Desk::new();
    desk.put(
        "Klassenliste 7b.csv",
        "Nr.;Vorname Name;Tel privat;Klasse;Geburtstag\n007;Ada;+49 30 1;7b;1.2.2014\n008;Bo;;7b;\n",
    );
    let map =
        [("student_id", "Nr."), ("name", "vorname name"), ("phone", "Tel privat"), ("group_code", "Klasse")];
    let request = mapped(desk.csv(&["Klassenliste 7b.csv"]), &map);
    let report = import(&request).await.unwrap();
    assert_eq!(
        desk.one("SELECT student_id || name || COALESCE(phone, '-') FROM students").await,
        "007Ada+49 30 1|008Bo-"
    );
    assert_eq!(desk.one("SELECT group_code || title FROM groups").await, "7b7b");
    assert_eq!(desk.one("SELECT student_id || group_code FROM group_members").await, "0077b|0087b");
    assert_eq!(report.skipped_columns[0].columns, ["Geburtstag"]);
    desk.run("UPDATE groups SET title = 'Class 7b', gid = 5").await;
    assert!(
        import(&request).await.unwrap().difference.is_empty(),
        "a title that was made up does not come back"
    );
}

#[tokio::test]
async fn a_mapping_that_names_no_column_of_the_file_is_refused() {
    let desk = Desk::new();
    desk.put("list.csv", "id,who\n1,Ada\n");
    let request = mapped(desk.csv(&["list.csv"]), &[("student_id", "id"), ("name", "name"), ("phone", "ID")]);
    let found = problems(import(&request).await);
    assert_eq!(found, [at("list.csv", 1, 1, "mapped-twice"), at("list.csv", 1, 1, "missing-column")]);
}

#[tokio::test]
async fn a_number_in_scientific_notation_is_a_bad_row_and_never_guessed() {
    let desk = Desk::new();
    let text = "student_id,name,phone,login\nS1,Ada,1.38E+10,a\n1.23E+15,Bo,1,b\nS3,E+1,2,\"2,5e+12\"\nS4,Cy,00441,1E5\n";
    let result = desk.import(&[("students.csv", text)]).await;
    let message = result.as_ref().unwrap_err().to_string();
    assert!(message.contains("format the column as text") && !message.contains("1.38E+10,"), "{message}");
    assert_eq!(
        problems(result),
        [
            at("students.csv", 2, 3, "scientific"),
            at("students.csv", 3, 1, "scientific"),
            at("students.csv", 4, 4, "scientific"),
        ]
    );
}

#[tokio::test]
async fn dates_telephone_numbers_and_leading_zeros_stay_as_they_are_written() {
    let desk = Desk::new();
    let text = "student_id,name,phone,born\n00123,Ada,0044 20 7946 0000,03/04/2012\n00124,Bo,+8613800138000,2012-4-3\n";
    desk.fill(&[("students.csv", text)]).await;
    assert_eq!(
        desk.one("SELECT student_id || phone || born FROM students").await,
        "001230044 20 7946 000003/04/2012|00124+86138001380002012-4-3"
    );
}

#[tokio::test]
async fn ids_of_several_lengths_without_a_leading_zero_are_remarked_upon() {
    let desk = Desk::new();
    let report = desk.import(&[("students.csv", "student_id,name\n123,Ada\n10123,Bo\n")]).await.unwrap();
    assert!(report.to_string().contains("a spreadsheet may have taken zeros"), "{report}");
    let desk = Desk::new();
    let report = desk.import(&[("students.csv", "student_id,name\n00123,Ada\n10123,Bo\n")]).await;
    assert!(report.is_ok_and(|report| report.notices.is_empty()));
}

#[tokio::test]
async fn a_workbook_is_read_sheet_by_sheet_as_people_see_it() {
    let desk = Desk::new();
    let students: &[&[&str]] = &[
        &["student_id", "name", "phone", "born", "active"],
        &[],
        &["00123", "王小明", "#13800138000", "@40972", "#1"],
        &["#124", "Bo"],
    ];
    let groups: &[&[&str]] = &[&["group_code", "title", "gid"], &["G1", "Year 7", "#11"]];
    desk.put("export.xlsx", workbook(&[("Students", students), ("notes", &[&["x"]]), ("groups", groups)]));
    let report = import(&desk.csv(&["export.xlsx"])).await.unwrap();
    assert_eq!(report.files, ["export.xlsx[Students]", "export.xlsx[groups]"]);
    assert_eq!(
        desk.one("SELECT student_id || name || COALESCE(phone, '-') || COALESCE(born, '-') FROM students")
            .await,
        "00123王小明138001380002012-03-04|124Bo--"
    );
    assert_eq!(desk.one("SELECT group_code || gid FROM groups").await, "G111");
    assert!(report.to_string().contains("note: export.xlsx: sheets that were not read: notes"), "{report}");
    let name = desk.put("no ending", std::fs::read(desk.path("export.xlsx")).unwrap());
    assert!(import(&desk.request(ImportKind::Csv, vec![name])).await.unwrap().difference.is_empty());
}

#[tokio::test]
async fn a_bad_cell_of_a_workbook_is_named_by_sheet_row_and_column() {
    let desk = Desk::new();
    let rows: &[&[&str]] = &[
        &["号", "姓名", "电话"],
        &["S1", "Ada", "#110101199003071234"],
        &["S2", "!", "1"],
        &["S3", "Cy", "1.38E+10"],
        &["", "合计", "#3"],
    ];
    desk.put("七年级.xlsx", workbook(&[("一班", rows), ("二班", rows)]));
    let map = [("student_id", "号"), ("name", "姓名"), ("phone", "电话")];
    let request = mapped(desk.csv(&["七年级.xlsx"]), &map);
    let file = "七年级.xlsx[二班]";
    let found = problems(import(&ImportRequest { sheets: vec!["二班".to_owned()], ..request.clone() }).await);
    assert_eq!(
        found,
        [at(file, 2, 3, "bad-cell"), at(file, 3, 2, "bad-cell"), at(file, 4, 3, "scientific"),]
    );
    let missing = import(&ImportRequest { sheets: vec!["三班".to_owned()], ..request }).await;
    assert_eq!(problems(missing), [at("七年级.xlsx", 1, 1, "missing-sheet")]);
}

#[tokio::test]
async fn a_stray_letter_in_the_last_corner_of_a_sheet_takes_no_memory() {
    let desk = Desk::new();
    let bytes = workbook(&[("students", &[&["student_id", "name"], &["S1", "Ada"]])]);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut copy = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
        let far = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>";
        copy.start_file(&*entry.name().unwrap(), zip::write::SimpleFileOptions::default()).unwrap();
        copy.write_all(text.replace("</sheetData>", far).as_bytes()).unwrap();
    }
    desk.put("students.xlsx", copy.finish().unwrap().into_inner());
    let report = import(&desk.csv(&["students.xlsx"])).await.unwrap();
    assert_eq!(report.difference.students.added, 1);
}

#[tokio::test]
async fn what_only_looks_like_a_workbook_is_refused() {
    let desk = Desk::new();
    for (name, bytes) in [
        ("students.xlsx", &b"<html>student_id,name\nS1,Ada\n"[..]),
        ("groups.xls", b"PK\x03\x04"),
        ("classes.ods", b""),
    ] {
        let path = desk.put(name, bytes);
        let result = import(&desk.request(ImportKind::Csv, vec![path])).await;
        assert_eq!(problems(result), [at(name, 1, 1, "not-a-workbook")], "{name}");
    }
}
