//! What spreadsheet programs do to values: what is certain is taken back, the rest is refused with its place.

use super::*;

#[test]
fn an_id_in_a_spreadsheets_clothes_is_that_id() {
    for id in
        ["=\"00123\"", "'00123", "00123", "\u{200e}00123", "00\u{ad}123", " 00123 ", "００１２３", "00123.0"]
    {
        let text = format!("student_id,name,classin_uid\n\"{}\",Bea,1001.0\n", id.replace('"', "\"\""));
        let found = read_one("students.csv", text);
        found.is_good();
        assert_eq!(found.students, ["00123 Bea - - -"], "{id}");
    }
}

#[test]
fn a_code_that_became_a_date_is_refused_in_a_text_file_too() {
    let found = read_one("list.csv", "学号,姓名,班级\n1,王,3月2日\n2,李,3-10\n3,韩,2-Mar\n");
    assert_eq!(found.problems(), [(2, 3, "date"), (4, 3, "date")]);
    assert_eq!(found.members, ["2 in 3-10"]);
    assert!(found.messages().contains("format the column as text"), "{}", found.messages());
}

#[test]
fn what_merged_cells_leave_in_a_text_file_is_refused() {
    let found = read_one("list.csv", "学号,姓名,班级\n1,王,1班\n2,李,\n3,韩,\n4,张,2班\n5,刘,\n");
    assert_eq!(found.problems(), [(1, 3, "merged-cells")]);
    let found = read_one("list.csv", "学号,姓名,班级\n1,王,1班\n2,李,\n3,韩,1班\n");
    found.is_good();
    assert!(found.messages().contains("1 rows have no group_code"), "{}", found.messages());
}

#[test]
fn text_under_a_workbooks_name_is_read_and_markup_is_refused_without_a_byte_of_it() {
    let found = read_one("students.xls", "student_id\tname\nS1\tAnn Lee\n");
    found.is_good();
    assert_eq!(found.students, ["S1 Ann Lee - - -"]);
    assert!(found.messages().contains("is text under the name of a workbook"), "{}", found.messages());
    for (text, language) in [
        ("S1\tAnn Lee\nS2\tBea Fox\n", "text"),
        ("<html><table><tr><td>Ann Lee</td></tr></table></html>", "HTML"),
        ("<?xml version=\"1.0\"?><Workbook>Ann Lee</Workbook>", "XML"),
    ] {
        let found = read_one("students.xls", text);
        assert!(!found.problems().is_empty(), "{language}");
        let said = found.messages();
        assert!(said.contains(language) && !said.contains("Ann"), "{said}");
    }
}

#[test]
fn headings_and_titles_that_come_again_are_left_out_of_every_table() {
    let found = read_one("groups.csv", "group_code,title\nG1,One\n\u{feff}group_code,title\nG2,Two\n");
    found.is_good();
    assert_eq!(found.reading.row_counts[&RosterTable::Groups], 2);
    assert!(found.messages().contains("repeat the heading were left out: 3"), "{}", found.messages());
}

#[test]
fn truth_in_words_is_understood() {
    let found =
        read_one("students.csv", "student_id,name,active\n1,A,在读\n2,B,Left\n3,C,离校\n4,D,1.0\n5,E,休学\n");
    assert_eq!(found.problems(), [(6, 3, "bad-flag")]);
}
