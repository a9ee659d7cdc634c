//! What offices' files do without a word: numbers as programs write them, dates with a time, apostrophes before codes.

use super::*;

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
        assert_eq!(list(cell).is_good().members, ["1001 in 3-1", "1002 in 3-1", "1003 in 3-1"], "{cell}");
    }
    for cell in ["高一 – 理科", "A – B", "高一—文科"] {
        assert_eq!(list(cell).is_good().members[1], format!("1002 in {cell}"));
    }
}

#[test]
fn headings_of_other_programs_and_without_accents_are_known() {
    for heading in [
        "Student #,Student Name,Homeroom",
        "ID Number,Full name,Class",
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
    for heading in
        ["Local ID,Student ID,Name", "ID Number,学号,姓名", "Perm ID,Student Number,Name", "ID,Local ID,Name"]
    {
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
