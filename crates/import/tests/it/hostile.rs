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
