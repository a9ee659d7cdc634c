//! What offices' files do without a word: numbers as programs write them, dates with a time, apostrophes before codes, titles of
//! classes between their students, lines of printed pages, and headings of other programs.

use super::workbook::{Sheet, workbook};
use super::*;
use rosterd_import::csv_files::SheetIs;

fn list(cell: &str) -> Read {
    let heading = "学号,姓名,手机,班级\n1001,王小明,,3-1\n";
    read_one("list.csv", format!("{heading}1002,李雷,,\"{cell}\"\n1003,韩梅梅,,3-1\n"))
}

#[test]
fn numbers_as_programs_write_them_are_read_where_no_digit_is_lost() {
    for (id, number) in [
        ("2.0260001E7", "20260001"),
        ("\"2,0260001E7\"", "20260001"),
        ("2.0260001e07", "20260001"),
        ("1.3800138001E10", "13800138001"),
        ("1.0E7", "10000000"),
        ("2.026E7", "20260000"),
        ("1.23456789012345E14", "123456789012345"),
    ] {
        let found = read_one("list.csv", format!("学号,姓名,手机\n{id},王小明,\n1,李雷,{id}\n"));
        let expected = [format!("{number} 王小明 - - -"), format!("1 李雷 - {number} -")];
        assert_eq!(found.is_good().students, expected, "{id}");
    }
    let found = read_one("students.csv", "student_id,name,classin_uid\n1,Ann,1.3800138001E10\n");
    found.is_good();
}

#[test]
fn numbers_whose_digits_are_lost_are_refused_without_a_plus_too() {
    for text in
        ["1.38E10", "\"1,38E10\"", "2.0260001E5", "1.2345678901234567E16", "1.5E-3", "13.8E9", "1.38E+10"]
    {
        let found = read_one("list.csv", format!("学号,姓名,手机\n{text},王小明,\n1,李雷,{text}\n"));
        assert_eq!(
            found.problems(),
            [(2, 1, "scientific"), (3, 3, "scientific")],
            "{text}: {}",
            found.messages()
        );
        assert!(found.messages().contains("digits are lost"), "{}", found.messages());
    }
    // An id may be of a school that writes them so, and a further column holds what it holds.
    let found = read_one("students.csv", "student_id,name,note\n7E12,Ann Lee,1.5E3\nS1.5E7,Bo,\n");
    assert_eq!(found.is_good().students, ["7E12 Ann Lee - - -", "S1.5E7 Bo - - -"]);
}

#[test]
fn a_class_that_a_program_wrote_as_a_number_is_refused_with_that_number() {
    let found = list("2.026011E7");
    assert_eq!(found.problems(), [(3, 4, "scientific")], "{}", found.messages());
    assert!(found.messages().contains("(2.026011E7), as a program writes the number 20260110"));
    for cell in ["1.38E10", "7.01E2", "2,026011e7"] {
        assert_eq!(list(cell).problems(), [(3, 4, "scientific")], "{cell}");
    }
    for cell in ["1E1", "E7", "A1.5E3", "1.5E", "1.E5"] {
        list(cell).is_good();
    }
}

#[test]
fn a_code_that_became_a_date_is_found_with_a_time_and_in_words() {
    for cell in [
        "2026/3/2 0:00",
        "2026-03-02 00:00:00",
        "2026-03-02T00:00:00",
        "2026-03-02T00:00:00.000Z",
        "2026-03-02T00:00:00+08:00",
        "02.03.2026 00:00",
        "3/2/2026 12:00:00 AM",
        "3/2/2026 12:00 a. m.",
        "2026/3/2 上午 12:00:00",
        "2026年3月2日 0:00",
        "2026年3月2日星期一",
        "2 March 2026",
        "March 2, 2026",
        "Monday, March 2, 2026",
        "2nd March",
        "2. März 2026",
        "2 de marzo",
        "lunes, 2 de marzo de 2026",
        "2 février",
        "2026. 3. 2.",
        "2026. 3. 2. 오전 12:00:00",
        "02. 03. 2026",
    ] {
        let found = list(cell);
        assert_eq!(found.problems(), [(3, 4, "date")], "{cell}: {}", found.messages());
        let found = read_one("list.csv", format!("学号,姓名\n1,王小明\n\"{cell}\",李雷\n"));
        assert_eq!(found.problems(), [(3, 1, "date")], "{cell} as an id: {}", found.messages());
    }
    for cell in
        ["3-2", "2 B", "March", "Year 7 T1", "May Day", "7A 10:30", "2026. 3. 班", "2 de A", "Sun 3 B"]
    {
        list(cell).is_good();
    }
}

#[test]
fn an_apostrophe_before_a_code_is_taken_off_and_one_before_a_word_is_refused() {
    for (cell, code) in [
        ("'3-1", "3-1"),
        ("’3-1", "3-1"),
        ("'高一1班", "高一1班"),
        ("＇7A", "7A"),
        ("''3-2", "3-2"),
        ("3-1", "3-1"),
    ] {
        let found = list(cell);
        let expected = ["1001 in 3-1", &format!("1002 in {code}"), "1003 in 3-1"];
        assert_eq!(found.is_good().members, expected, "{cell}");
    }
    for cell in ["'Mathe", "'t Hof", "‘红队"] {
        let found = list(cell);
        assert_eq!(found.problems(), [(3, 4, "spoiled-code")], "{cell}: {}", found.messages());
        assert!(found.messages().contains("begins with an apostrophe"), "{}", found.messages());
    }
    // In a table of ours it is the code.
    let found = read_one("group_members.csv", "student_id,group_code\n1,'t Hof\n2,'3-1\n");
    assert_eq!(found.is_good().members, ["1 in 't Hof", "2 in 3-1"]);
}

#[test]
fn dashes_of_another_kind_are_one_code_with_the_ordinary_one() {
    for cell in ["3–1", "3‒1", "3−1", "3‐1", "3\u{2011}1", "'3–1", "3—1"] {
        let found = list(cell);
        assert_eq!(found.is_good().members, ["1001 in 3-1", "1002 in 3-1", "1003 in 3-1"], "{cell}");
        assert_eq!(found.messages(), "", "everybody sees a dash: {cell}");
    }
    for cell in ["高一 – 理科", "A – B", "高一—文科"] {
        assert_eq!(list(cell).is_good().members[1], format!("1002 in {cell}"));
    }
}

#[test]
fn the_title_of_a_class_between_its_students_is_their_group() {
    for text in [
        "高一(1)班,\n学号,姓名\n1,王小明\n2,李雷\n高一(2)班,\n学号,姓名\n3,韩梅梅\n",
        "学号,姓名\n高一(1)班,\n1,王小明\n2,李雷\n高一(2)班,\n3,韩梅梅\n",
        "高一年级名单,\n高一(1)班学生名单,\n学号,姓名\n1,王小明\n2,李雷\n,\n高一(2)班（1人）,\n学号,姓名\n3,韩梅梅\n制表：王,\n",
        "学号,姓名\n班级：高一(1)班,班主任：张\n1,王小明\n2,李雷\n班级：高一(2)班,班主任：刘\n3,韩梅梅\n",
    ] {
        let found = read_one("list.csv", text);
        let expected = ["1 in 高一(1)班", "2 in 高一(1)班", "3 in 高一(2)班"];
        assert_eq!(found.is_good().members, expected, "{text}");
        assert_eq!(found.students.len(), 3, "{text}");
        assert!(found.messages().contains("the group of the rows below"), "{}", found.messages());
    }
    for (text, codes) in [
        ("Student ID,Name\nClass 7A,\n1,Ann\nClass 7B (25 students),\n2,Bo\n", ["Class 7A", "Class 7B"]),
        ("7A,\nStudent ID,Name\n1,Ann\n7B,\nStudent ID,Name\n2,Bo\n", ["7A", "7B"]),
        (
            "Student ID,Name\nClass: 7A,Teacher: Ms Smith\n1,Ann\nClass: 7B,Teacher: Ms Jones\n2,Bo\n",
            ["7A", "7B"],
        ),
        ("Schülernummer,Name\nKlasse 7a,\n1,Ann\nKlasse 7b,\n2,Bo\n", ["Klasse 7a", "Klasse 7b"]),
        ("学籍番号,氏名\n1年2組,\n1,Ann\n1年3組,\n2,Bo\n", ["1年2組", "1年3組"]),
        ("학번,성명\n1학년 2반,\n1,Ann\n1학년 3반,\n2,Bo\n", ["1학년 2반", "1학년 3반"]),
    ] {
        let found = read_one("list.csv", text);
        let expected = [format!("1 in {}", codes[0]), format!("2 in {}", codes[1])];
        assert_eq!(found.is_good().members, expected, "{text}");
    }
}

#[test]
fn titles_of_classes_in_a_workbook_are_groups_and_notes_at_the_end_of_a_class_are_notes() {
    let one: &[&[&str]] = &[
        &["高一(1)班"],
        &["班主任：张老师"],
        &["学号", "姓名"],
        &["#0:1", "王小明"],
        &["制表人：", "李"],
        &["高一(2)班"],
        &["班主任：刘老师"],
        &["学号", "姓名"],
        &["#0:2", "李雷"],
        &["第1页 共1页"],
    ];
    let sheet = |name| Sheet { name, rows: one, merged: &["A1:B1", "A6:B6"], ..Sheet::default() };
    let found = read_one("list.xlsx", workbook(&[sheet("Sheet1")]));
    assert_eq!(found.is_good().members, ["1 in 高一(1)班", "2 in 高一(2)班"]);
    // The name of the sheet is the group only where that is said.
    let other: &[&[&str]] = &[&["学号", "姓名"], &["#0:3", "韩梅梅"]];
    let sheets = [sheet("高一"), Sheet { name: "高二(1)班", rows: other, ..Sheet::default() }];
    let found = read_one("list.xlsx", workbook(&sheets));
    assert_eq!(found.is_good().members, ["1 in 高一(1)班", "2 in 高一(2)班", "3 in 高二(1)班"]);
    let desk = Desk::new();
    let path = desk.put("list.xlsx", workbook(&sheets));
    let found = read(vec![path], CsvOptions { sheet_is: SheetIs::Group, ..CsvOptions::default() });
    assert_eq!(found.is_good().members, ["1 in 高一", "2 in 高一", "3 in 高二(1)班"]);
}

#[test]
fn a_title_of_a_class_is_no_group_where_a_column_says_it() {
    let text = "高一(1)班,,\n学号,姓名,班级\n1,王小明,1班\n高一(2)班,,\n学号,姓名,班级\n2,李雷,2班\n";
    let found = read_one("list.csv", text);
    assert_eq!(found.is_good().members, ["1 in 1班", "2 in 2班"]);
    assert!(found.messages().contains("高一(2)班"), "{}", found.messages());
    // A title above a single list is a title.
    let found = read_one("list.csv", "高一(1)班,\n学号,姓名\n1,王小明\n");
    assert_eq!(found.is_good().members, [""; 0]);
    let found = read_one("list.csv", "高一(1)班,\n学号,姓名\n1,王小明\n合计,1\n注：转学生,\n");
    assert_eq!(found.is_good().members, [""; 0]);
}

#[test]
fn a_title_between_rows_that_is_not_clear_stops_the_import() {
    for (text, line) in [
        ("学号,姓名\n1,王小明\n高一(2)班,\n2,李雷\n", 3),
        ("Student ID,Name\nRed House,\n1,Ann\nBlue House,\n2,Bo\n", 2),
        ("学号,姓名\n高一(1)班,\n1,王小明\n红队,\n2,李雷\n", 4),
        ("Student ID,Name\n20260001,Ann\n7B,\n20260002,Bo\n", 3),
        ("List A,\nStudent ID,Name\n1,Ann\nList B,\nStudent ID,Name\n2,Bo\n", 4),
    ] {
        let found = read_one("list.csv", text);
        assert_eq!(found.problems(), [(line, 1, "title-between")], "{text}: {}", found.messages());
        assert!(!found.reading.file_problems.is_empty(), "no row of it goes in: {text}");
        assert!(found.messages().contains("in a column of its own"), "{}", found.messages());
    }
    // A student without a name is one, and so is one without an id.
    for (text, code) in [
        ("Student ID,Name\n20260001,Ann\n20260003,\n20260002,Bo\n", (3, 2, "missing-name")),
        ("Student ID,Name\n1,Ann\n,Page Turner\n2,Bo\n", (3, 1, "missing-id")),
        ("Name,Student ID\nAnn Lee,1\nPage Turner,\nBo Fox,2\n", (3, 2, "missing-id")),
    ] {
        assert_eq!(read_one("list.csv", text).problems(), [code], "{text}");
    }
}

#[test]
fn lines_of_printed_pages_are_left_out_wherever_they_stand() {
    for line in [
        "Page 1 of 2,,",
        "Page 1/2,,",
        "第1页，共2页,,",
        "第1页,共2页,",
        "第 1 页 共 2 页,,",
        "Seite 1 von 2,,",
        "Página 1 de 2,,",
        ",,Page 1 sur 2",
        "- 1 -,,",
        "1 / 2,,",
    ] {
        let text =
            format!("学号,姓名,班级\n1,王小明,1班\n{line}\n2,李雷,2班\n{line}\n3,韩梅梅,2班\n{line}\n");
        let found = read_one("list.csv", text);
        assert_eq!(found.is_good().members, ["1 in 1班", "2 in 2班", "3 in 2班"], "{line}");
        assert!(
            found.messages().contains("lines of printed pages were left out: 3 ("),
            "{}",
            found.messages()
        );
        assert!(!found.messages().contains("group_code"), "{}", found.messages());
    }
    let found = read_one("list.csv", "学号,姓名,班级\nP1,Page,1班\n2,李雷,第1页\n");
    assert_eq!(found.is_good().students.len(), 2);
}

#[test]
fn signatures_and_notes_below_a_table_are_left_out() {
    for line in [
        "填表人：,王,审核：",
        "制表：王老师,,2026年9月1日",
        "制表：王老师,2026-09-01,",
        "Prepared by:,Ms Smith,",
        "* = new student,,",
        "(2 records),,",
        "（2人）,,",
        "以上,,",
        "（以下空白）,,",
        "Erstellt am 01.09.2026,,",
        "Édité le 01/09/2026,,",
        "Printed on 1 September 2026,,",
        "Approved by,,",
        "审核,,",
        "————,,",
        "END,,",
    ] {
        let found = read_one("list.csv", format!("学号,姓名,班级\n1,王小明,1班\n2,李雷,1班\n{line}\n"));
        assert_eq!(found.is_good().students.len(), 2, "{line}: {:?}", found.students);
        assert!(found.messages().contains("were left out: 4"), "{line}: {}", found.messages());
    }
    for (line, code) in
        [("3,王,审核", None), ("制表：,3,1班", None), ("*3,Ann,1班", None), ("END,Ann,1班", None)]
    {
        let found = read_one("list.csv", format!("学号,姓名,班级\n1,王小明,1班\n{line}\n2,李雷,1班\n"));
        assert_eq!(found.problems().first().copied(), code, "{line}: {}", found.messages());
        assert_eq!(found.students.len(), 3, "{line}");
    }
}

#[test]
fn a_refused_row_is_not_told_as_one_without_a_group() {
    for row in ["2,李雷,2-Mar", "2,,", ",李雷,"] {
        let found = read_one("list.csv", format!("学号,姓名,班级\n1,王小明,1班\n{row}\n3,韩梅梅,1班\n"));
        assert_eq!(found.problems().len(), 1, "{row}: {}", found.messages());
        assert!(!found.messages().contains("no group_code"), "{row}: {}", found.messages());
    }
    let found = read_one("list.csv", "学号,姓名,班级\n1,王小明,1班\n2,李雷,2-Mar\n3,韩梅梅,3-Mar\n");
    assert_eq!(
        found.problems(),
        [(3, 3, "date"), (4, 3, "date")],
        "and no merged cells: {}",
        found.messages()
    );
}

#[test]
fn headings_of_other_programs_and_without_accents_are_known() {
    for heading in [
        "Student #,Student Name,Homeroom",
        "Stu ID,Name,Class",
        "Local ID,Name,Class",
        "Perm ID,Name,Class",
        "Reg. No.,Name,Class",
        "考生号,姓名,班级",
        "学生証番号,氏名,クラス",
        "Numero de alumno,Nombre completo,Unidad",
        "Numero de matricula,Nombre y apellidos,Clase",
        "NUMERO ELEVE,NOM COMPLET,CLASSE",
    ] {
        let found = read_one("list.csv", format!("{heading}\n1001,Ann Lee,7A\n"));
        assert_eq!(found.is_good().students, ["1001 Ann Lee - - -"], "{heading}");
        assert_eq!(found.members, ["1001 in 7A"], "{heading}");
    }
    let found = read_one(
        "list.csv",
        "Numero de alumno,Nombre,Apellidos,Telefono movil,Correo electronico\n1,Ann,Lee,600111222,a@x\n",
    );
    assert_eq!(found.is_good().students, ["1 Ann Lee - 600111222 a@x"]);
    let found = read_one("list.csv", "INE;NOM;PRENOM;SEXE\n1A;Lee;Ann;F\n");
    assert_eq!(found.is_good().students, ["1A Ann Lee F - -"]);
}

#[test]
fn a_word_for_the_students_id_counts_before_a_local_one_and_other_peoples_stay_theirs() {
    for heading in ["Local ID,Student ID,Name", "Perm ID,Student Number,Name", "ID,Local ID,Name"] {
        let found = read_one("list.csv", format!("{heading}\n7,1001,Ann Lee\n"));
        assert_eq!(found.is_good().students, ["1001 Ann Lee - - -"], "{heading}");
    }
    for heading in [
        "INE;NOM;PRENOM;MERE;TELEPHONE",
        "INE;NOM;PRENOM;PERE;TELEPHONE",
        "INE;NOM;PRENOM;CLASSE;TELEPHONE MERE",
    ] {
        let found = read_one("list.csv", format!("{heading}\n1;Lee;Ann;Eve;0611\n"));
        assert_eq!(found.is_good().students, ["1 Ann Lee - - -"], "{heading}");
    }
}

#[test]
fn an_export_of_ours_is_read_as_it_was_written() {
    let heading = "student_id,name,gender,phone,email,password,classin_uid,active,class_code,group_code,groups,classes\n";
    let text = format!(
        "{heading}1,Ann,,'13800138000,,,,1,7A,G7,G1,C1\n2,Bo,,１３８,,,,1,7B,,G2,\n合计,合计,,,,,,1,,,,\npage,1,,,,,,1,,,,\n3,'=Cy,,'=1,,,,1,,,,\n--,x：,,,,,,1,,,,\n"
    );
    let found = read_one("roster.csv", text);
    let expected = [
        "1 Ann - '13800138000 -",
        "2 Bo - １３８ -",
        "合计 合计 - - -",
        "page 1 - - -",
        "3 =Cy - =1 -",
        "-- x： - - -",
    ];
    assert_eq!(found.is_good().students, expected);
    assert_eq!(found.members, [""; 0], "its own columns are no memberships");
    assert!(!found.messages().contains("totals"), "{}", found.messages());
    // What stands behind the export's own columns was added to it, and a line without the word for who is there is none of its rows.
    let heading = "student_id,name,gender,phone,email,classin_uid,active,groups,classes,group_code\n";
    let found = read_one("roster.csv", format!("{heading}1,Ann,,,,,1,,,G7\n合计,1,,,,,,,,\n"));
    assert_eq!(found.is_good().students, ["1 Ann - - -"]);
    assert_eq!(found.members, ["1 in G7"]);
}
