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
    assert!(found.messages().contains("1 row has no group_code"), "{}", found.messages());
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

#[test]
fn an_apostrophe_of_a_word_processor_and_a_tab_before_digits_are_taken_off() {
    for id in ["’00123", "‘00123", "＇00123", "\t00123", "00123\u{202c}", "\u{a0}00123\u{a0}", "00123.00"]
    {
        let found = read_one("students.csv", format!("student_id,name\n\"{id}\",Bea\n"));
        found.is_good();
        assert_eq!(found.students, ["00123 Bea - - -"], "{id}");
    }
    // A name may begin so.
    let found = read_one("students.csv", "student_id,name\n1,’t Hooft\n");
    assert_eq!(found.students, ["1 ’t Hooft - - -"]);
}

#[test]
fn numbers_with_separators_of_thousands_are_no_ids_and_no_phones() {
    for (id, phone) in [
        ("\"20,260,001\"", "1"),
        ("1", "\"13,800,000,001\""),
        ("\"1,001.00\"", "1"),
        ("1", "1 380 000 000 1"),
    ] {
        let found = read_one("students.csv", format!("student_id,name,phone\n{id},Bea,{phone}\n"));
        let is_spaced = phone.contains(' ');
        assert_eq!(found.problems().len(), usize::from(!is_spaced), "{id} {phone}: {}", found.messages());
        assert!(is_spaced || found.messages().contains("separators of thousands"), "{}", found.messages());
    }
}

#[test]
fn what_a_cell_that_was_too_narrow_showed_is_no_value() {
    for row in ["########,Bea,1", "1,Bea,#####", "1,###,1"] {
        let found = read_one("students.csv", format!("student_id,name,phone\n{row}\n"));
        assert_eq!(found.problems().len(), 1, "{row}");
        assert_eq!(found.problems()[0].2, "broken-value", "{row}");
    }
    let found = read_one("students.csv", "student_id,name,phone\n1,Bea,#\n");
    found.is_good();
}

#[test]
fn a_class_that_became_a_time_is_refused_in_a_text_file_too() {
    for class in ["7:02:00", "07:02:00 AM", "7:02 PM"] {
        let found = read_one("list.csv", format!("学号,姓名,班级\n1,王,{class}\n"));
        assert_eq!(found.problems(), [(2, 3, "date")], "{class}: {}", found.messages());
    }
    let found = read_one("list.csv", "学号,姓名,班级\n1,王,7:02\n2,李,G 7:1\n");
    assert_eq!(found.members, ["1 in 7:02", "2 in G 7:1"]);
}

#[test]
fn a_saved_web_page_under_a_workbooks_name_is_refused_without_a_byte_of_it() {
    let found = read_one("students.xls", "MIME-Version: 1.0\nContent-Type: multipart/related\n\nAnn Lee\n");
    assert_eq!(found.problems(), [(1, 1, "not-a-workbook")]);
    assert!(found.messages().contains("a saved web page") && !found.messages().contains("Ann"));
    let found = read_one("students.xlsx", "student_id,name\nS1,Ann Lee\n");
    found.is_good();
    assert_eq!(found.students, ["S1 Ann Lee - - -"]);
}

#[test]
fn merged_cells_in_a_text_file_are_seen_in_classes_of_two_and_with_a_grade() {
    let found = read_one("list.csv", "学号,姓名,年级,班级\n1,王,高一,1班\n2,李,,\n3,韩,,\n");
    assert_eq!(found.problems(), [(1, 4, "merged-cells")]);
    let found = read_one("list.csv", "Student ID,Name,Class\n1,Ada,7A\n2,Bo,\n3,Cy,7B\n4,Di,\n");
    assert_eq!(found.problems(), [(1, 3, "merged-cells")]);
}

#[test]
fn a_half_of_a_grade_and_class_that_merged_cells_left_is_refused() {
    let found = read_one(
        "list.csv",
        "学号,姓名,年级,班级\n1,王,高一,1班\n2,李,,1班\n3,韩,,2班\n4,张,高二,1班\n5,刘,,1班\n",
    );
    assert_eq!(found.problems(), [(1, 3, "merged-cells")], "{}", found.messages());
}

#[test]
fn a_line_break_in_a_name_is_a_blank_and_in_a_phone_or_an_address_it_parts_two_values() {
    let found = read_one(
        "students.csv",
        "student_id,name,phone\n1,\"Ada \r\n Lovelace\",138\n2,\"王\n小明\",\"139\n\"\n",
    );
    found.is_good();
    assert_eq!(found.students, ["1 Ada Lovelace - 138 -", "2 王 小明 - 139 -"]);
    for (column, cell) in [("phone", "138\n139"), ("email", "a@example.org\r\nb@example.org")] {
        let found = read_one("students.csv", format!("student_id,name,{column}\n1,Ada,\"{cell}\"\n"));
        assert_eq!(found.problems(), [(2, 3, "line-break")], "{column}: {}", found.messages());
    }
}

#[test]
fn a_truth_value_is_no_id_no_name_and_no_class() {
    for (row, column) in [("TRUE,Ada,7A", 1), ("False,Ada,7A", 1), ("1,TRUE,7A", 2), ("1,Ada,FALSE", 3)] {
        let found = read_one("list.csv", format!("Student ID,Name,Class\n{row}\n"));
        assert_eq!(found.problems(), [(2, column, "truth-value")], "{row}");
    }
    // Somebody may be called so, and so may a class.
    let found = read_one("list.csv", "学号,姓名,班级\n1,True,True\n");
    found.is_good();
    assert_eq!(found.members, ["1 in True"]);
}

#[test]
fn a_formula_that_was_written_as_a_text_is_no_value_and_a_protected_one_is() {
    for row in ["=1+1,Ada,1", "1,=A2,1", "1,Ada,=B2"] {
        let found = read_one("students.csv", format!("student_id,name,phone\n{row}\n"));
        assert_eq!(found.problems().len(), 1, "{row}");
        assert_eq!(found.problems()[0].2, "broken-value", "{row}");
    }
    let found = read_one("students.csv", "student_id,name,note\n'=1,'=A2,=x\n");
    found.is_good();
    assert_eq!(found.students, ["=1 =A2 - - -"]);
}

#[test]
fn a_quote_that_takes_rows_into_one_cell_is_found() {
    for text in [
        "student_id,name,phone\nS4,\"N4,1384\nS5,N5,1385\nS6,N6,1386\nS7,N7\",1387\n",
        "student_id\tname\n1\t\"张三\n2\t李四\n3\t王\"五\n",
        "student_id,name,note,class\nS4,N4,\"x,7A\nS5,N5,y,7B\nS6,N6,z\",7C\n",
    ] {
        let found = read_one("students.csv", text);
        assert_eq!(
            found.problems().first().map(|problem| problem.2),
            Some("open-quote"),
            "{}",
            found.messages()
        );
        assert!(found.messages().contains("is closed in a row below"), "{}", found.messages());
    }
    let found = read_one("students.csv", "student_id,name,note\n1,Ada,\"one, two\nthree\"\n");
    found.is_good();
}

#[test]
fn ids_that_read_like_notes_are_rows_where_a_table_of_ours_has_both_its_keys() {
    for (name, text, count) in [
        ("group_members.csv", "student_id,group_code\nurn:uuid:1,urn:uuid:g1\nurn:uuid:2,urn:uuid:g1\n", 2),
        ("group_members.csv", "student_id,group_code\n1001,7A\nuk:1,uk:g1\nuk:2,uk:g1\n", 3),
        ("groups.csv", "group_code,title\nM,Maths\nMATH:7,Maths: Year 7\n", 2),
        ("class_members.csv", "student_id,class_code\nsis:1,Dr. A.\n", 1),
    ] {
        let found = read_one(name, text);
        found.is_good();
        let counts = &found.reading.row_counts;
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [count], "{name}");
        assert!(!found.messages().contains("left out"), "{}", found.messages());
    }
    let found = read_one("group_members.csv", "student_id,group_code\n1001,7A\n\n制表：王\n");
    found.is_good();
    assert!(found.messages().contains("stand below the table and are notes"), "{}", found.messages());
}

#[test]
fn sorts_of_totals_below_a_list_are_no_students() {
    for line in ["Total males,18,", "班级人数,35,", "Anzahl Schüler,12,", "Number of girls,7 students,"]
    {
        let found = read_one("list.csv", format!("学号,姓名,班级\n1001,王小明,1班\n1002,李雷,1班\n{line}\n"));
        found.is_good();
        assert_eq!(found.students.len(), 2, "{line}: {:?}", found.students);
        assert!(found.messages().contains("are totals were left out: 4"), "{line}: {}", found.messages());
    }
}

#[test]
fn an_id_of_our_own_export_that_looks_spoiled_is_left_to_the_roster() {
    let heading = "student_id,name,gender,phone,email,classin_uid,active,groups,classes\n";
    for id in ["TRUE", "\"1,000\"", "1.38E+10", "#N/A", "2026/3/2", "3-Mar"] {
        let found = read_one("roster.csv", format!("{heading}{id},Ann Lee,,,,,1,,\n"));
        assert_eq!(found.is_good().students.len(), 1, "{id}");
        assert!(
            !read_one("students.csv", format!("student_id,name\n{id},Ann Lee\n")).problems().is_empty(),
            "{id}"
        );
    }
}

#[test]
fn two_lists_side_by_side_are_told_as_that() {
    for (text, place) in [
        ("学号,姓名,性别,,学号,姓名,性别\n1,王小明,男,,2,李雷,女\n", (1, 5)),
        ("Student ID,Name,Student ID,Name\n1,Ann Lee,2,Bea Fox\n", (1, 3)),
        ("7A,,7B,\nName,Student ID,Name,Student ID\nAnn Lee,1,Bea Fox,2\n", (2, 3)),
    ] {
        let found = read_one("list.csv", text);
        assert_eq!(found.problems(), [(place.0, place.1, "side-by-side")], "{}", found.messages());
        assert!(found.messages().contains("move the second list below the first"), "{}", found.messages());
    }
    let found = read_one("list.csv", "学号,姓名,姓名\n1,王小明,李雷\n");
    assert_eq!(found.problems(), [(1, 3, "duplicate-column")]);
}
