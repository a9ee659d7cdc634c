//! Files that end before they are whole: refused, with the row in which they end.

use super::workbook::{Sheet, workbook};
use super::*;

/// A list of twelve students; the last line has its line end.
fn list(heading: &str, row: impl Fn(u32) -> String) -> String {
    (1..=12).fold(format!("{heading}\n"), |list, number| format!("{list}{}\n", row(number)))
}

#[test]
fn a_list_that_was_cut_off_within_its_last_value_is_refused_where_it_ends() {
    let phone = list("student_id,name,phone", |n| format!("202600{n:02},Ann Lee,138000000{n:02}"));
    let group = list("student_id,name,group_code", |n| format!("202600{n:02},Ann Lee,高一1班"));
    let id = list("name,student_id", |n| format!("Ann Lee,202600{n:02}"));
    let mail = list("student_id,name,email", |n| format!("202600{n:02},Ann Lee,a{n}@school.example"));
    let quoted = list("student_id,name,phone", |n| format!("202600{n:02},Ann Lee,\"138000000{n:02}\""));
    for (list, cut, column) in [
        // Within the value.
        (&phone, 4, 3),
        (&id, 2, 2),
        (&mail, 5, 3),
        (&group, "班\n".len(), 3),
        // Right behind the separator.
        (&phone, "13800000012\n".len(), 3),
        // Within a value before it.
        (&phone, "ee,13800000012\n".len(), 1),
        (&phone, "012,Ann Lee,13800000012\n".len(), 1),
    ] {
        let found = read_one("students.csv", &list[..list.len() - cut]);
        assert_eq!(
            found.problems(),
            [(13, column, "cut-off")],
            "{}",
            &list[list.len() - 40..list.len() - cut]
        );
        assert_eq!(found.students.len(), 11);
        assert!(found.messages().contains("export or copy it again"), "{}", found.messages());
        assert!(
            !found.reading.complete.contains(&RosterTable::Students),
            "nobody is missing from half a list"
        );
    }
    let found = read_one("students.csv", &quoted[..quoted.len() - 4]);
    assert_eq!(found.problems(), [(13, 1, "open-quote")]);
}

/// First names alone, as few lists have them; the last is the beginning of two others.
const NAMES: [&str; 12] =
    ["Anna", "Bea", "Cleo", "Dora", "Eva", "Finn", "Anna", "Gus", "Hal", "Ina", "Jo", "Ann"];

#[test]
fn a_list_without_a_last_line_end_is_whole_where_its_last_row_is_as_the_others() {
    for whole in [
        list("student_id,name,phone", |n| format!("202600{n:02},Ann Lee,138000000{n:02}")),
        list("student_id,name,group_code", |n| format!("202600{n:02},Ann Lee,class {n}")),
        list("student_id,name", |n| format!("{},{}", 95 + n, NAMES[usize::try_from(n).unwrap() - 1])),
        list("student_id,name,phone", |n| format!("{n},Ann Lee,{}", if n > 10 { "" } else { "1380000000" })),
        list("student_id,name,gender", |n| format!("{n},Ann Lee,{}", if n == 12 { "男" } else { "女" })),
    ] {
        let found = read_one("students.csv", whole.trim_end());
        assert_eq!(found.is_good().students.len(), 12, "{whole}");
        assert_eq!(found.reading.unended, ["students.csv"], "that it has no line end is known");
    }
    let noted = list("student_id,name", |n| format!("{n},Ann Lee")) + "Printed: 2026-09-01";
    assert_eq!(read_one("students.csv", noted).is_good().students.len(), 12);
    let counted = list("student_id,name", |n| format!("{n},Ann Lee")) + "12 students";
    assert_eq!(read_one("students.csv", counted).is_good().students.len(), 12);
}

#[test]
fn a_line_end_at_the_end_says_that_a_short_value_is_meant() {
    let text = list("student_id,name,phone", |n| format!("202600{n:02},Ann Lee,138000000{n:02}"));
    let shorter = format!("{}\n", &text[..text.len() - 4]);
    assert_eq!(read_one("students.csv", shorter).is_good().students.len(), 12);
}

#[test]
fn a_workbook_that_was_cut_off_is_refused_with_what_to_do() {
    let rows: &[&[&str]] = &[&["学号", "姓名"], &["20260001", "王小明"], &["20260002", "李雷"]];
    let whole = workbook(&[Sheet { name: "A", rows, ..Sheet::default() }]);
    for length in [60, whole.len() / 2, whole.len() - 10] {
        let found = read_one("list.xlsx", &whole[..length]);
        assert_eq!(found.problems(), [(1, 1, "not-a-workbook")]);
        assert!(found.messages().contains("cut off: export or copy it again"), "{}", found.messages());
    }
}
