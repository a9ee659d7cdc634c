//! Rows, columns and words that are nobody's on the roster: each is refused with its place, left out with a word, or read as
//! it was meant.

use super::*;

/// What must come of a file.
enum Must {
    /// It has a problem of this code in this line.
    Refuse(u64, &'static str),
    /// It is good, and brings these students and memberships; the report has these words.
    Hold(&'static [&'static str], &'static [&'static str], &'static [&'static str]),
}
use Must::{Hold, Refuse};

#[track_caller]
fn all_hold(files: &[(&str, &str, Must)]) {
    for (name, text, must) in files {
        let found = read_one(name, text);
        let what = format!("{name}: {text}\n{}\n{:?}", found.messages(), found.students);
        match must {
            Refuse(line, code) => {
                let places = found.problems();
                assert!(places.iter().any(|place| place.0 == *line && place.2 == *code), "{what}");
            }
            Hold(students, members, words) => {
                assert_eq!(found.problems(), [], "{what}");
                assert_eq!(found.students, *students, "{what}");
                assert_eq!(found.members, *members, "{what}");
                words.iter().for_each(|word| assert!(found.messages().contains(word), "no {word}: {what}"));
            }
        }
    }
}

#[test]
fn rows_above_the_heading_are_refused_and_titles_are_not() {
    all_hold(&[
        (
            "list.csv",
            "1001,张三,1班\n1002,李四,1班\n学号,姓名,班级\n1003,王五,2班\n",
            Refuse(3, "rows-above"),
        ),
        ("list.csv", "1001,张三,1班\n学号,姓名,班级\n", Refuse(2, "rows-above")),
        ("group_members.csv", "S1,G1\nstudent_id,group_code\nS2,G2\n", Refuse(2, "rows-above")),
        ("list.csv", "高一名单,,\n1001,张三,1班\n学号,姓名,班级\n999,王五,2班\n", Refuse(3, "rows-above")),
        ("list.csv", "ada,Ada Lovelace,7B\nUsername,Name,Class\nbo,Bo Li,7C\n", Refuse(2, "unknown-file")),
        ("list.csv", "ada,Ada Lovelace,7B\nUser ID,Name,Class\nbo,Bo Li,7C\n", Refuse(2, "rows-above")),
        (
            "list.csv",
            "2026,高一1班名单,\n学期,2026-1,人数：1\n学号,姓名,班级\n1003,王五,2班\n",
            Hold(&["1003 王五 - - -"], &["1003 in 2班"], &[]),
        ),
        (
            "list.csv",
            "Class,7B,2026\nStudent ID,Name,Class\n1003,Ada,7B\n",
            Hold(&["1003 Ada - - -"], &["1003 in 7B"], &[]),
        ),
    ]);
    let desk = Desk::new();
    let path = desk.put("list.csv", "1001,A,x\nNr,Wer,Wo\n1002,B,y\n");
    let found = read(vec![path], mapped(&[("student_id", "Nr"), ("name", "Wer")]));
    assert_eq!(found.problems(), [(2, 1, "rows-above")], "{}", found.messages());
}

#[test]
fn a_student_is_not_a_total_and_what_is_left_out_is_shown() {
    all_hold(&[
        (
            "list.csv",
            "Name,Student ID\nAda,13\nSuma Patel,12\n",
            Hold(&["13 Ada - - -", "12 Suma Patel - - -"], &[], &[]),
        ),
        ("list.csv", "이름,학번\n이인원,1\n총인원,2\n", Hold(&["1 이인원 - - -"], &[], &["3 (총인원 2)"])),
        (
            "group_members.csv",
            "group_code,student_id\n男生,1001\n女生,1002\n",
            Hold(&[], &["1001 in 男生", "1002 in 女生"], &[]),
        ),
        (
            "list.csv",
            "学号,姓名\n1,王\n合计,1人\n",
            Hold(&["1 王 - - -"], &[], &["are totals were left out: 3 (合计 1人)"]),
        ),
    ]);
    let found = read_one("groups.csv", "group_code,title,gid\n男生,男生,12\n女生,女生,13\n合计,,2\n");
    assert_eq!(found.is_good().reading.row_counts[&RosterTable::Groups], 2, "{}", found.messages());
}

#[test]
fn the_schools_id_counts_before_a_rows_number() {
    all_hold(&[
        ("list.csv", "ID,学号,姓名\n1,1001,王\n", Hold(&["1001 王 - - -"], &[], &[])),
        ("list.csv", "ID;Schülernummer;Name\n1;1001;Ada\n", Hold(&["1001 Ada - - -"], &[], &[])),
        (
            "list.csv",
            "ID;Matricule;Nom;Prénom\n1;1001;Lovelace;Ada\n",
            Hold(&["1001 Ada Lovelace - - -"], &[], &[]),
        ),
        (
            "forms.csv",
            "ID,Start time,Email,Name,学号,姓名\n1,1/2/26 8:00,anonymous,,1001,王\n",
            Hold(&["1001 王 - - -"], &[], &[]),
        ),
        ("list.csv", "学号,姓名,Name\n1001,王,Wang\n", Hold(&["1001 王 - - -"], &[], &[])),
        ("list.csv", "Roll No,Admission No,Name\n1,A7,Ada\n", Hold(&["A7 Ada - - -"], &[], &[])),
        ("list.csv", "Student ID,学号,姓名\n7,1001,王\n", Refuse(1, "two-columns")),
        ("list.csv", "学号,姓名,Full Name\n1001,王,Wang\n", Refuse(1, "two-columns")),
        ("list.csv", "Nº Id. Escolar;Nombre;Apellidos\n5;Ana;Gil\n", Hold(&["5 Ana Gil - - -"], &[], &[])),
        ("list.csv", "INE;Nom;Prénom\n5A;Gil;Ana\n", Hold(&["5A Ana Gil - - -"], &[], &[])),
        (
            "list.csv",
            "ASV-ID;Name;Vorname;Klassenbezeichnung\n5;Gil;Ana;7a\n",
            Hold(&["5 Ana Gil - - -"], &["5 in 7a"], &[]),
        ),
    ]);
}

#[test]
fn names_of_two_columns_are_whole() {
    all_hold(&[
        (
            "list.csv",
            "Matricule;Nom de l'élève;Prénom de l'élève\n1;DUPONT;Éloïse\n",
            Hold(&["1 Éloïse DUPONT - - -"], &[], &[]),
        ),
        (
            "list.csv",
            "Schülernummer;Name;Vorname des Schülers\n1;Gil;Ana\n",
            Hold(&["1 Ana Gil - - -"], &[], &[]),
        ),
        (
            "list.csv",
            "Student ID,Student Name,Student Surname\n1,Ana,Gil\n",
            Hold(&["1 Ana Gil - - -"], &[], &[]),
        ),
        (
            "list.csv",
            "Student ID,Student Name,First Name\n1,Ana Gil,Ann\n",
            Hold(&["1 Ana Gil - - -"], &[], &[]),
        ),
        ("list.csv", "Schülernummer;Name;Vorname(n) lt. Pass\n1;Gil;Ana\n", Refuse(1, "half-name")),
        (
            "list.csv",
            "Student ID,First Name,Last Name\n1,Ana,NULL\n2,-,Li\n",
            Hold(&["1 Ana - - -", "2 Li - - -"], &[], &[]),
        ),
    ]);
    let found = read_one("list.csv", "Student ID,Preferred Name,Surname\n1,Ana,Gil\n");
    let said = found.messages();
    assert!(said.contains("the column name is missing"), "{said}");
    assert!(said.contains("import csv 'list.csv' --map 'name=Preferred Name+Surname'"), "{said}");
}

#[test]
fn what_stands_for_nothing_is_nothing_and_what_is_masked_or_moved_is_refused() {
    for word in ["-", "无", "NULL", "0", "N/A", "n/a", "NA"] {
        let found = read_one("list.csv", format!("学号,姓名,手机,邮箱\n1,王,{word},{word}\n"));
        assert_eq!(found.is_good().students, ["1 王 - - -"], "{word}");
    }
    all_hold(&[
        ("list.csv", "学号,姓名\n1,NULL\n", Refuse(2, "missing-name")),
        ("list.csv", "学号,姓名\n1,无\n", Refuse(2, "missing-name")),
        ("list.csv", "学号,姓名,手机\n1,王,138****0000\n", Refuse(2, "masked")),
        ("list.csv", "学号,姓名\n1,王*明\n", Refuse(2, "masked")),
        ("list.csv", "学号,姓名,邮箱\n1,王,w***@example.org\n", Refuse(2, "masked")),
        ("students.csv", "student_id,name,password\n1,A,******\n", Refuse(2, "masked")),
        ("list.csv", "学号,姓名\n2026****01,王\n", Refuse(2, "masked")),
        ("list.csv", "学号,姓名\n1,??\n", Refuse(2, "broken-value")),
        ("list.csv", "学号,姓名,班级\n1,王,1?\n", Refuse(2, "broken-value")),
        ("list.csv", "Student ID,Name\n1,M?ller\n", Refuse(2, "broken-value")),
        ("list.csv", "学号,姓名,班级\n1,王,1班\n2,李,〃\n", Refuse(3, "ditto")),
        ("list.csv", "学号,姓名,班级\n1,王,1班\n2,李,同上\n", Refuse(3, "ditto")),
        ("list.csv", "学号,姓名,班级\n1,王,TBD\n", Refuse(2, "missing-id")),
        ("list.csv", "学号,姓名,性别,班级\n1,王,1班,13800000002\n", Refuse(2, "shifted")),
        ("list.csv", "学号,姓名,手机,班级\n1,王,138,13800000002\n", Refuse(2, "shifted")),
        ("list.csv", "学号,姓名,手机\n1,王,1班\n", Refuse(2, "shifted")),
        ("list.csv", "Student ID,Name\n1,ann@example.org\n", Refuse(2, "shifted")),
        ("list.csv", "Student ID,Name\n1,Ann @ Home\n", Hold(&["1 Ann @ Home - - -"], &[], &[])),
        ("list.csv", "Student ID,Name\n1,M&uuml;ller\n", Refuse(2, "broken-value")),
        ("list.csv", "Student ID,Name\n1,JÃ¼rgen\n", Refuse(2, "broken-value")),
        ("list.csv", "学号,姓名\n20260000,张三（示例，请删除）\n", Refuse(2, "sample")),
        ("list.csv", "Student ID,Name,Gender\n1,John Sample,2\n", Hold(&["1 John Sample 2 - -"], &[], &[])),
    ]);
}

#[test]
fn values_of_our_own_export_are_taken_as_they_are() {
    let values = [
        "NULL",
        "N/A",
        "=1+1",
        "@x",
        "1.0",
        "a?b",
        "M&uuml;ller",
        "王*明",
        "13800000002",
        "\"\"\"\"",
        "JÃ¼rgen",
    ];
    for value in values {
        let value = if value.starts_with('=') { format!("'{value}") } else { value.to_owned() };
        let text =
            format!("student_id,name,gender,email,active,groups,classes\n1,{value},{value},{value},1,G,\n");
        read_one("roster.csv", text).is_good();
    }
    let found = read_one("roster.csv", "student_id,name,active,groups,classes\n1,NULL,1,,\n");
    assert_eq!(found.is_good().students, ["1 NULL - - -"]);
}

#[test]
fn a_contact_beside_somebody_else_is_not_taken_unasked() {
    all_hold(&[
        (
            "list.csv",
            "学号,姓名,班级,监护人,关系,手机\n1,王,1班,王大,父,138\n",
            Hold(&["1 王 - - -"], &["1 in 1班"], &["follows 监护人 (4)", "--map 'phone=手机'"]),
        ),
        (
            "list.csv",
            "Student ID,Name,Mother Name,Mobile,Email\n1,Ada,Eve,138,e@example.org\n",
            Hold(&["1 Ada - - -"], &[], &["follows Mother Name", "--map 'email=Email'"]),
        ),
        (
            "list.csv",
            "Schülernummer;Name;Mutter;Handy\n1;Ada;Eve;138\n",
            Hold(&["1 Ada - - -"], &[], &["Handy"]),
        ),
        ("list.csv", "学号,姓名,班主任,联系电话\n1,王,李老师,138\n", Hold(&["1 王 - - -"], &[], &["班主任"])),
        (
            "list.csv",
            "Student ID,Name,Tutor,Email\n1,Ada,Eve,e@example.org\n",
            Hold(&["1 Ada - - -"], &[], &["Tutor"]),
        ),
        ("list.csv", "学号,姓名,手机(爷爷)\n1,王,138\n", Hold(&["1 王 - - -"], &[], &[])),
        ("list.csv", "学号,姓名,家长电话,手机\n1,王,139,138\n", Hold(&["1 王 - 138 -"], &[], &[])),
        (
            "list.csv",
            "Student ID,Name,Homeroom Teacher,Student Email,Phone\n1,Ada,Eve,a@example.org,138\n",
            Hold(&["1 Ada - - a@example.org"], &[], &["follows Homeroom Teacher"]),
        ),
        (
            "list.csv",
            ",,Parent evening 2026,\nStudent ID,Name,Class,Phone\n1,Ada,7B,138\n",
            Hold(&["1 Ada - 138 -"], &["1 in 7B"], &[]),
        ),
    ]);
}

#[test]
fn a_column_that_says_who_left_decides_who_is_there() {
    for (heading, word, code) in [
        ("Status", "Withdrawn", "0"),
        ("Status", "Enrolled", "1"),
        ("状态", "退学", "0"),
        ("状态", "在读", "1"),
        ("Enroll_Status", "0", "1"),
        ("Enroll_Status", "2", "0"),
    ] {
        assert_eq!(
            active_of(&format!("Student ID,Name,{heading}\n1,Ada,{word}\n")),
            [code],
            "{heading} {word}"
        );
    }
    all_hold(&[
        ("list.csv", "Student ID,Name,Status\n1,Ada,Pending\n", Refuse(2, "bad-flag")),
        ("list.csv", "学号,姓名,状态\n1,王,休学\n", Refuse(2, "bad-flag")),
        (
            "list.csv",
            "Student ID,Name,School Status\n1,Ada,x\n",
            Hold(&["1 Ada - - -"], &[], &["--map 'active=School Status'"]),
        ),
        (
            "list.csv",
            "Student ID,Name,Leaving Date\n1,Ada,\n",
            Hold(&["1 Ada - - -"], &[], &["where a date in it says that somebody has left"]),
        ),
    ]);
    // Followed, the advice would make leavers of everybody who has no such plan.
    for heading in ["IEP Status", "Ell_status", "Frl_status", "Lunch Status", "Visa Status", "Payment status"]
    {
        let desk = Desk::new();
        let path = desk.put("list.csv", format!("Student ID,Name,{heading}\n1,Ada,No\n"));
        let found = read(vec![path], CsvOptions::default());
        assert!(!found.is_good().messages().contains("--map"), "{heading}: {}", found.messages());
    }
}

/// What a file with these headings is told to type.
fn advice(heading: &str) -> String {
    let desk = Desk::new();
    let cells = vec!["1"; heading.split(',').count()].join(",");
    let found = read(vec![desk.put("my list's.csv", format!("{heading}\n{cells}\n"))], CsvOptions::default());
    let said = found.messages();
    let command = said.find("rosterd import csv").map(|at| said[at..].to_owned());
    command.unwrap_or_else(|| panic!("no command: {said}"))
}

#[test]
fn half_a_name_is_never_advised_as_the_whole_one() {
    for (heading, wanted) in [
        ("N° élève,Nom d'usage,Prénom", r"--map 'name=Prénom+Nom d'\''usage'"),
        ("Matrícula,Ap. Paterno,Ap. Materno,Nombres", "--map 'name=Nombres+Ap. Paterno'"),
        ("Student ID,Student Surname Name,First Name", "--map 'name=First Name+Student Surname Name'"),
        ("Student ID,First Name,House", "--map 'name=First Name+COLUMN'"),
        ("学号,名,院系", "--map 'name=COLUMN+名'"),
    ] {
        let said = advice(heading);
        assert!(said.contains(wanted), "{heading}: {said}");
    }
}

#[test]
fn a_command_that_is_printed_goes_into_a_shell_as_it_stands() {
    let said = advice("Student ID,Pupil's full name");
    let command = r"rosterd import csv 'my list'\''s.csv' --map 'name=Pupil'\''s full name'";
    assert!(said.starts_with(command), "{said}");
}

/// Whether each student is there.
fn active_of(text: &str) -> Vec<String> {
    let desk = Desk::new();
    let path = desk.put("list.csv", text);
    let (outlet, mut lots) = tokio::sync::mpsc::channel(8);
    let mut sink = RowSink::new(outlet, Arc::default());
    csv_files::read(&mut sink, &[path], &CsvOptions::default());
    let reading = sink.finish();
    assert_eq!(reading.row_problems, [], "{text}");
    let mut found = Vec::new();
    while let Some(lot) = lots.blocking_recv() {
        for row in lot {
            if let Item::Student(person) = row.item {
                found.push(match person.row.active {
                    CellValue::Value(true) => "1".to_owned(),
                    CellValue::Value(false) => "0".to_owned(),
                    CellValue::Empty | CellValue::Nothing => "-".to_owned(),
                });
            }
        }
    }
    found
}

#[test]
fn a_class_has_its_grade_and_its_section() {
    all_hold(&[
        (
            "list.csv",
            "学号,姓名,年级,班级\n1,王,高一年级,高一(1)班\n2,李,高一年级,高一(2)班\n",
            Hold(&["1 王 - - -", "2 李 - - -"], &["1 in 高一(1)班", "2 in 高一(2)班"], &[]),
        ),
        (
            "list.csv",
            "学号,姓名,年级,班级\n1,王,七年级,七(1)班\n",
            Hold(&["1 王 - - -"], &["1 in 七(1)班"], &[]),
        ),
        (
            "list.csv",
            "Student ID,Name,Class,Section\n1,Ada,10,A\n",
            Hold(&["1 Ada - - -"], &["1 in 10A"], &[]),
        ),
        (
            "list.csv",
            "Student ID,Name,Grade,Section\n1,Ada,7,Rizal\n",
            Hold(&["1 Ada - - -"], &["1 in 7Rizal"], &[]),
        ),
    ]);
}

#[test]
fn a_file_that_became_utf_8_is_not_read_as_the_profile_says() {
    let desk = Desk::new();
    let path = desk.put("list.csv", "Student ID,Name\n1,Jürgen\n");
    for name in ["windows-1252", "gb18030", "windows-1250"] {
        let reading = rosterd_import::ReadOptions {
            encoding: rosterd_import::encoding_named(name),
            ..rosterd_import::ReadOptions::default()
        };
        let found = read(vec![path.clone()], CsvOptions { reading, ..CsvOptions::default() });
        assert_eq!(found.problems()[0].2, "encoding", "{name}: {:?}", found.students);
        assert!(found.messages().contains("UTF-8 reads Jürgen"), "{}", found.messages());
    }
    let latin = desk.put("latin.csv", b"Student ID,Name\n1,J\xfcrgen\n");
    let reading = rosterd_import::ReadOptions {
        encoding: rosterd_import::encoding_named("windows-1252"),
        ..rosterd_import::ReadOptions::default()
    };
    let found = read(vec![latin], CsvOptions { reading, ..CsvOptions::default() });
    assert_eq!(found.is_good().students, ["1 Jürgen - - -"]);
    let wide: Vec<u8> = "学号,姓名\n1,王\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let found = read_one("wide.csv", wide);
    assert!(found.messages().contains("--encoding utf-16le"), "{}", found.messages());
}
