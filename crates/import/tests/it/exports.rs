//! Exports of school programs and office lists, made up and small. Each goes in without any option.

use super::*;

#[test]
fn exports_of_school_programs_go_in_without_any_option() {
    for (name, text, students, members) in [
        (
            // PowerSchool's quick export separates by tabs.
            "student.export.text",
            "Student_Number\tFirst_Name\tLast_Name\tGrade_Level\tHome_Room\tGender\r\n1001\tAda\tLovelace\t7\t7B\tF\r\n1002\tBo\tLi\t7\t7B\tM\r\n",
            &["1001 Ada Lovelace F - -", "1002 Bo Li M - -"][..],
            &["1001 in 7B", "1002 in 7B"][..],
        ),
        (
            "Infinite Campus.csv",
            "\"Student Number\",\"Last Name\",\"First Name\",\"Middle Name\",\"Email\"\n\"1001\",\"Lovelace\",\"Ada\",\"King\",\"ada@example.org\"\n",
            &["1001 Ada King Lovelace - - ada@example.org"],
            &[],
        ),
        (
            "SIMS report.csv",
            "Year 7 contact list\n\nAdno,Forename,Surname,Reg\n001001,Ada,Lovelace,7B\n001002,Bo,Li,7C\nTotal: 2,,,\n",
            &["001001 Ada Lovelace - - -", "001002 Bo Li - - -"],
            &["001001 in 7B", "001002 in 7C"],
        ),
        (
            "Klassenliste.csv",
            "sep=;\r\nSchülernummer;Name;Vorname;Klasse;E-Mail\r\n0815;Müller;Zoë;7b;zoe@example.org\r\n",
            &["0815 Zoë Müller - - zoe@example.org"],
            &["0815 in 7b"],
        ),
        (
            "élèves.csv",
            "Identifiant;Nom;Prénom;Sexe;Division;Téléphone portable\n12;Dupont;Éloïse;F;4e A;06 00 00 00 01\n",
            &["12 Éloïse Dupont F 06 00 00 00 01 -"],
            &["12 in 4e A"],
        ),
        (
            "alumnos.csv",
            "Matrícula,Nombre,Apellidos,Grupo\n31,Ana María,García López,1º B\n",
            &["31 Ana María García López - - -"],
            &["31 in 1º B"],
        ),
        (
            "名簿.csv",
            "学籍番号,姓,名,学年,組\n26001,山田,太郎,1,A\n",
            &["26001 山田太郎 - - -"],
            &["26001 in 1A"],
        ),
        (
            "명단.csv",
            "학번,이름,성별,휴대폰,반\n20260001,김민수,남,010-1234-5678,1반\n",
            &["20260001 김민수 남 010-1234-5678 -"],
            &["20260001 in 1반"],
        ),
    ] {
        let found = read_one(name, text);
        found.is_good();
        assert_eq!(found.students, students, "{name}: {}", found.messages());
        assert_eq!(found.members, members, "{name}");
    }
}

#[test]
fn lists_of_chinese_offices_go_in_without_any_option() {
    for (name, text, members) in [
        (
            "学生名单.csv",
            "高一年级学生名单,,,,,\n2026年9月1日,,,,,\n序号,学号,姓名,性别,手机,班级\n1,02026001,王小明,男,13800000001,高一1班\n2,02026002,李雷,男,13800000002,高一2班\n合计,2人,,,,\n\n制表人：王老师,,,,日期：2026-9-1,\n",
            &["02026001 in 高一1班", "02026002 in 高一2班"][..],
        ),
        (
            "两个班.csv",
            "学号,姓名,性别,联系电话,年级,班级\n02026001,王小明,男,13800000001,高一,1班\n学号,姓名,性别,联系电话,年级,班级\n02026002,李雷,男,13800000002,高一,2班\n",
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
        (
            // Members as DingTalk exports them.
            "通讯录.csv",
            "员工UserID,姓名,部门,职位,手机号,性别\n02026001,王小明,高一1班,,13800000001,男\n02026002,李雷,高一2班,,13800000002,男\n",
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
        (
            // Members as WeCom exports them, below its notes.
            "企业微信.csv",
            "填写须知：,,,,\n1、姓名必填,,,,\n姓名,帐号,性别,手机,部门\n王小明,02026001,男,13800000001,高一1班\n李雷,02026002,男,13800000002,高一2班\n",
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
    ] {
        let found = read_one(name, text);
        found.is_good();
        let students = ["02026001 王小明 男 13800000001 -", "02026002 李雷 男 13800000002 -"];
        assert_eq!(found.students, students, "{name}: {}", found.messages());
        assert_eq!(found.members, members, "{name}");
    }
}

#[test]
fn one_column_is_group_and_class_at_once_and_two_make_a_name() {
    let desk = Desk::new();
    let path = desk.put("list.csv", "Nr,Vor,Nach,Kurs\n1,Ada,Lovelace,M1\n");
    let pairs = [("student_id", "Nr"), ("name", "Vor+Nach"), ("group_code", "Kurs"), ("class_code", "Kurs")];
    let found = read(vec![path], mapped(&pairs));
    found.is_good();
    assert_eq!(found.students, ["1 Ada Lovelace - - -"]);
    assert_eq!(found.members, ["1 in M1", "1 in class M1"]);
}

#[test]
fn a_password_or_a_parents_phone_is_never_taken_unasked() {
    let found = read_one("list.csv", "学号,姓名,密码,家长电话,身份证号\n1,王,geheim,13800000001,1\n");
    found.is_good();
    assert_eq!(found.students, ["1 王 - - -"]);
    assert_eq!(found.reading.skipped_columns[0].columns, ["密码", "家长电话", "身份证号"]);
}

#[test]
fn a_missing_column_is_named_with_what_was_found_and_the_command_that_would_do() {
    let found = read_one("名单.csv", "高一名单\n序号,姓名,班级\n1,王小明,1班\n");
    assert_eq!(found.problems(), [(2, 1, "unknown-file")]);
    let said = found.messages();
    assert!(said.contains("row 2 has the headings 序号, 姓名, 班级"), "{said}");
    assert!(said.contains("rosterd import csv '名单.csv' --map student_id=COLUMN"), "{said}");
    assert!(!said.contains("王小明"), "{said}");
}
