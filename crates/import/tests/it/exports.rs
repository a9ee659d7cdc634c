//! Exports of school programs and office lists, made up and small. Each goes in without any option.

use super::*;

/// What goes in without any option: the file's name, its text, and the students and memberships that it brings.
type Ordinary = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[track_caller]
fn all_go_in(files: &[Ordinary]) {
    for (name, text, students, members) in files {
        let found = read_one(name, text);
        found.is_good();
        assert_eq!(found.students, *students, "{name}: {}", found.messages());
        assert_eq!(found.members, *members, "{name}");
    }
}

#[test]
fn a_person_whose_name_is_a_word_for_a_total_is_no_total() {
    let found = read_one("list.csv", "Name,Student ID\nSum,12\nAda,13\nSum,2\n");
    assert_eq!(found.is_good().students, ["12 Sum - - -", "13 Ada - - -"]);
    assert!(found.messages().contains("are totals were left out: 4"), "{}", found.messages());
}

#[test]
fn a_whole_name_beside_one_of_its_parts_is_not_joined_with_it() {
    for (heading, row, name) in [
        ("Student ID,Full Name,First Name", "1,Ada Lovelace,Ada", "Ada Lovelace"),
        ("Student ID,Name,First Name", "1,Ada Lovelace,Ada", "Ada Lovelace"),
        ("Student ID,Display Name,Surname", "1,Ada Lovelace,Lovelace", "Ada Lovelace"),
        ("学号,姓名,名", "1,王小明,小明", "王小明"),
        ("학번,성명,성", "1,김민수,김", "김민수"),
        ("학번,이름,성", "1,민수,김", "김민수"),
        ("Identifiant;Nom complet;Prénom", "1;Ada Lovelace;Ada", "Ada Lovelace"),
        ("Identifiant;Nom;Prénom", "1;Lovelace;Ada", "Ada Lovelace"),
        ("Student ID,Name,First Name", "1,Lovelace,Ada", "Ada Lovelace"),
    ] {
        let found = read_one("list.csv", format!("{heading}\n{row}\n"));
        assert_eq!(found.is_good().students, [format!("1 {name} - - -")], "{heading}");
    }
}

#[test]
fn exports_of_powerschool_go_in() {
    // PowerSchool, state reporting guides (ps-compliance.powerschool-docs.com), "Student Setup": [Students]Student_Number,
    // Last_Name, First_Name, Middle_Name, LastFirst, Gender, Grade_Level. A quick export separates by tabs, the data export
    // manager writes the table before the field.
    all_go_in(&[
        (
            "student.export.text",
            "Student_Number\tFirst_Name\tLast_Name\tGrade_Level\tHome_Room\tGender\r\n1001\tAda\tLovelace\t7\t7B\tF\r\n1002\tBo\tLi\t7\t7B\tM\r\n",
            &["1001 Ada Lovelace F - -", "1002 Bo Li M - -"],
            &["1001 in 7B", "1002 in 7B"],
        ),
        (
            "Students_export.csv",
            "STUDENTS.Student_Number,STUDENTS.Last_Name,STUDENTS.First_Name,STUDENTS.Grade_Level,STUDENTS.Home_Room,STUDENTS.Enroll_Status\n\
             1001,Lovelace,Ada,7,7B,0\n",
            &["1001 Ada Lovelace - - -"],
            &["1001 in 7B"],
        ),
        (
            "quick.export.text",
            "Student_Number\tLastFirst\tHome_Room\r1001\tLovelace, Ada\t7B\r",
            &["1001 Lovelace, Ada - - -"],
            &["1001 in 7B"],
        ),
    ]);
}

#[test]
fn exports_of_infinite_campus_go_in() {
    // Infinite Campus, "Student Filter Fields for Ad hoc Reporting": studentNumber, lastName, firstName, middleName, grade.
    // Without names of their own, columns are headed by their fields.
    all_go_in(&[
        (
            "Infinite Campus.csv",
            "\"Student Number\",\"Last Name\",\"First Name\",\"Middle Name\",\"Email\"\n\"1001\",\"Lovelace\",\"Ada\",\"King\",\"ada@example.org\"\n",
            &["1001 Ada King Lovelace - - ada@example.org"],
            &[],
        ),
        (
            "adhoc.csv",
            "student.studentNumber,student.lastName,student.firstName,student.grade,student.homeroomTeacher\n1001,Lovelace,Ada,07,Babbage\n",
            &["1001 Ada Lovelace - - -"],
            &[],
        ),
    ]);
}

#[test]
fn exports_of_aeries_go_in() {
    // Aeries, "PEIMS/TSDS Field Mapping by Page: Demographics" (support.aeries.com): Student ID, Last Name, First Name, Middle
    // Name, Gender, Grd, Primary Telephone, which is the household's. Extracts write STUDENT_ID, LAST_NAME, FIRST_NAME.
    all_go_in(&[
        (
            "aeries query.csv",
            "Student ID,Last Name,First Name,Middle Name,Grd,Gender,Student Email Address,Primary Telephone\n1001,Lovelace,Ada,King,7,F,ada@example.org,5550101\n",
            &["1001 Ada King Lovelace F - ada@example.org"],
            &[],
        ),
        (
            "aeries extract.txt",
            "STUDENT_ID,LAST_NAME,FIRST_NAME,BIRTHDATE,SSID\n1001,Lovelace,Ada,20131210,9\n",
            &["1001 Ada Lovelace - - -"],
            &[],
        ),
    ]);
}

#[test]
fn exports_of_veracross_go_in() {
    // Veracross, import types (learn.veracross.com): a person is known by the Person ID of a query.
    all_go_in(&[(
        "Find Students.csv",
        "Person ID,First Name,Last Name,Current Grade,Homeroom,Email 1\n1001,Ada,Lovelace,Grade 7,7B,ada@example.org\n",
        &["1001 Ada Lovelace - - ada@example.org"],
        &["1001 in 7B"],
    )]);
}

#[test]
fn exports_of_english_school_programs_go_in() {
    // SIMS reports: Adno, Forename and Surname or their legal forms, Reg Group, Year Group.
    all_go_in(&[
        (
            "SIMS report.csv",
            "Year 7 contact list\n\nAdno,Forename,Surname,Reg\n001001,Ada,Lovelace,7B\n001002,Bo,Li,7C\nTotal: 2,,,\n",
            &["001001 Ada Lovelace - - -", "001002 Bo Li - - -"],
            &["001001 in 7B", "001002 in 7C"],
        ),
        (
            "SIMS export.csv",
            "Adno,Legal Surname,Legal Forename,Reg Group,Year Group,Gender,UPN\n001001,Lovelace,Ada,7B,Year 7,F,Z1\n001002,Li,Bo,C,Year 7,M,Z2\n",
            &["001001 Ada Lovelace F - -", "001002 Bo Li M - -"],
            &["001001 in 7B", "001002 in Year 7C"],
        ),
    ]);
}

#[test]
fn exports_of_isams_go_in() {
    // iSAMS migration templates, "Pupil Data (Non-Independent Schools)": Id (required, unique), UPN (not required), Forename,
    // Middle Names, Surname, Preferred Name, Gender, NC Year, Form/Tutor Group, School Email Address, Mobile Number. Its other
    // templates name people by Pupil Id.
    all_go_in(&[
        (
            "Pupils.csv",
            "Id,UPN,Forename,Middle Names,Surname,Preferred Name,Gender,NC Year,Form/Tutor Group,School Email Address,Mobile Number\n\
             0012,,Ada,King,Lovelace,Addie,F,7,7B,ada@example.org,07700900123\n0013,Z2,Bo,,Li,,M,7,7B,,\n",
            &["0012 Ada King Lovelace F 07700900123 ada@example.org", "0013 Bo Li M - -"],
            &["0012 in 7B", "0013 in 7B"],
        ),
        (
            "iSAMS registers.csv",
            "Pupil Id,Forename,Surname,Form\n0012,Ada,Lovelace,7B\n",
            &["0012 Ada Lovelace - - -"],
            &["0012 in 7B"],
        ),
    ]);
}

#[test]
fn exports_of_skyward_go_in() {
    // Skyward's own guides leave the headings of an export to who builds it; programs that read such exports know them by Other
    // ID (the student's number) and Name ID (the person's).
    all_go_in(&[
        (
            "Skyward students.csv",
            "Other ID,Name ID,Last Name,First Name,Middle Name,Gender,Grade,Homeroom,School Email\n\
             001001,88001,Lovelace,Ada,King,F,07,7B,ada@example.org\n",
            &["001001 Ada King Lovelace F - ada@example.org"],
            &["001001 in 7B"],
        ),
        (
            "export.txt",
            "OTHER_ID\tNAME_ID\tLAST_NAME\tFIRST_NAME\tHOMEROOM_TEACHER\n001001\t88001\tLovelace\tAda\tBabbage\n",
            &["001001 Ada Lovelace - - -"],
            &[],
        ),
    ]);
}

#[test]
fn lists_in_other_languages_go_in() {
    all_go_in(&[
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
    ]);
}

const TWO_STUDENTS: &[&str] = &["02026001 王小明 男 13800000001 -", "02026002 李雷 男 13800000002 -"];

#[test]
fn lists_of_chinese_offices_go_in() {
    all_go_in(&[
        (
            "学生名单.csv",
            "高一年级学生名单,,,,,\n2026年9月1日,,,,,\n序号,学号,姓名,性别,手机,班级\n1,02026001,王小明,男,13800000001,高一1班\n\
             2,02026002,李雷,男,13800000002,高一2班\n合计,2人,,,,\n\n制表人：王老师,,,,日期：2026-9-1,\n",
            TWO_STUDENTS,
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
        (
            "两个班.csv",
            "学号,姓名,性别,联系电话,年级,班级\n02026001,王小明,男,13800000001,高一,1班\n学号,姓名,性别,联系电话,年级,班级\n\
             02026002,李雷,男,13800000002,高一,2班\n",
            TWO_STUDENTS,
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
        (
            "考生名册.csv",
            "考号,姓名,性别,手机号码,班级\n０２０２６００１,王小明,男,１３８０００００００１,高一1班\n02026002,李雷,男,13800000002,高一1班\n\
             全班共2人,,,,\n班主任签字：,,,校长签字：,\n",
            TWO_STUDENTS,
            &["02026001 in 高一1班", "02026002 in 高一1班"],
        ),
    ]);
}

#[test]
fn members_of_dingtalk_go_in() {
    // DingTalk's members as its console exports them: the user id is always there, the job number (工号) only where a school
    // has filled it in. Field names: 通讯录 of the console and its interfaces (userid, name, mobile, job_number, title).
    all_go_in(&[
        (
            "通讯录.csv",
            "员工UserID,姓名,部门,职位,手机号,性别\n02026001,王小明,高一1班,,13800000001,男\n02026002,李雷,高一2班,,13800000002,男\n",
            TWO_STUDENTS,
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
        (
            "钉钉通讯录.csv",
            "员工UserID,姓名,手机号,分机号,办公地点,备注,邮箱,部门,职位,工号,是否此部门主管,直属主管,入职时间\n\
             02026001,王小明,+86-13800000001,,,,ming@example.org,示范学校-高一-1班,,,否,,2026-09-01\n",
            &["02026001 王小明 - +86-13800000001 ming@example.org"],
            &["02026001 in 示范学校-高一-1班"],
        ),
    ]);
}

#[test]
fn members_of_wecom_go_in() {
    // WeCom's export of members: 姓名, 帐号, 别名, 职务, 部门, 性别, 手机 and fields of the school's own, below notes
    // (Tencent's help on 批量导入/导出, "支持导出成员的姓名、帐号、别名、职务、部门、性别、手机").
    all_go_in(&[
        (
            "企业微信.csv",
            "填写须知：,,,,\n1、姓名必填,,,,\n姓名,帐号,性别,手机,部门\n王小明,02026001,男,13800000001,高一1班\n李雷,02026002,男,13800000002,高一2班\n",
            TWO_STUDENTS,
            &["02026001 in 高一1班", "02026002 in 高一2班"],
        ),
        (
            "成员.csv",
            "姓名,帐号,别名,职务,部门,性别,手机,座机,个人邮箱,企业邮箱,地址\n王小明,02026001,,学生,示范学校/高一/1班,男,13800000001,,,ming@example.org,\n",
            &["02026001 王小明 男 13800000001 ming@example.org"],
            &["02026001 in 示范学校/高一/1班"],
        ),
    ]);
}

#[test]
fn headings_of_two_lines_go_in_and_parents_columns_are_not_the_students() {
    all_go_in(&[
        (
            "groups above.csv",
            ",,学生信息,,父亲,,母亲,\n学号,姓名,手机,班级,姓名,电话,姓名,电话\n1,王,138,1班,王大,1,李,2\n",
            &["1 王 - 138 -"],
            &["1 in 1班"],
        ),
        (
            "parent alone.csv",
            "Class list 7B,,,,\n,,,Parent,\nStudent ID,Name,Class,Phone,Email\n1,Ada,7B,555,p@example.org\n",
            &["1 Ada - - -"],
            &["1 in 7B"],
        ),
        (
            "merged.csv",
            "学号,姓名,联系方式,,班级\n,,手机,邮箱,\n1,王,138,a@example.org,1班\n2,李,139,b@example.org,1班\n",
            &["1 王 - 138 a@example.org", "2 李 - 139 b@example.org"],
            &["1 in 1班", "2 in 1班"],
        ),
        (
            "name below.csv",
            "Student ID,Student,,Class\n,First Name,Last Name,\n1,Ada,Lovelace,7B\n",
            &["1 Ada Lovelace - - -"],
            &["1 in 7B"],
        ),
        (
            "twice.csv",
            "学号,姓名,家长,\n,,姓名,电话\n1,王,王大,138\n学号,姓名,家长,\n,,姓名,电话\n2,李,李大,139\n",
            &["1 王 - - -", "2 李 - - -"],
            &[],
        ),
    ]);
}

#[test]
fn of_two_columns_with_one_heading_neither_is_taken_and_both_can_be_named() {
    let text = "学号,姓名,性别,电话,电话\n1,王,男,138,139\n";
    let found = read_one("名单.csv", text);
    found.is_good();
    assert_eq!(found.students, ["1 王 男 - -"]);
    let said = found.messages();
    assert!(said.contains("two columns are headed 电话 (4 and 5)"), "{said}");
    assert!(said.contains("--map 'phone=电话#1' --map 'gender=性别'"), "{said}");
    for (column, phone) in [("电话#1", "138"), ("电话#2", "139")] {
        let desk = Desk::new();
        let path = desk.put("名单.csv", text);
        let found = read(vec![path], mapped(&[("phone", column), ("gender", "性别")]));
        found.is_good();
        assert_eq!(found.students, [format!("1 王 男 {phone} -")]);
    }
    for text in
        ["学号,姓名,姓名\n1,王,李\n", "学号,学号,姓名\n1,2,王\n", "学号,姓名,班级,班级\n1,王,1班,2班\n"]
    {
        let found = read_one("名单.csv", text);
        assert_eq!(found.problems()[0].2, "duplicate-column", "{text}: {}", found.messages());
    }
}

#[test]
fn totals_and_signatures_below_a_table_are_left_out() {
    for footer in [
        "合计,35人,男20人,女15人",
        "共35人,,,",
        "全班共 35 人,,,",
        "35 students,,,",
        "Total: 35,,,",
        "Total number of students: 35,,,",
        "Students: 35,Boys: 20,Girls: 15,",
        "Records: 1,,,\nPage 1 of 1,,,",
        "End of report,,,",
        "制表人：王,审核人：李,日期：2026-9-1,",
        "制表人：王,审核人：李,校对：张,日期：2026-9-1",
        "班主任签字,,校长签字,",
        "以下空白,,,",
    ] {
        let found = read_one("名单.csv", format!("学号,姓名,班级,手机\n1,王,1班,138\n{footer}\n"));
        found.is_good();
        assert_eq!(found.students, ["1 王 - 138 -"], "{footer}");
        assert!(found.messages().contains("were left out: 3"), "{footer}: {}", found.messages());
    }
    for student in ["2,共,,", "35人,王,,", "urn:2,Sam Jones Jr.,,"] {
        let found = read_one("名单.csv", format!("学号,姓名,班级,手机\nurn:1,王,,\n{student}\n"));
        assert_eq!(found.students.len(), 2, "{student}: {}", found.messages());
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

#[test]
fn each_department_of_a_member_is_a_group_of_its_own() {
    // WeCom: "上下级部门间用/隔开 … 存在属于多个部门的情况，不同部门之间用;隔开"; DingTalk: "上下级部门间用-隔开 … 不同部门之间用,隔开"
    // (the notes above the headings of their forms).
    for (name, text, members) in [
        (
            "企业微信.csv",
            "姓名,帐号,部门\n王小明,20260001,一中/高一/1班;一中/社团\n李雷,20260002,一中\n",
            &["20260001 in 一中/高一/1班", "20260001 in 一中/社团", "20260002 in 一中"][..],
        ),
        (
            "钉钉.csv",
            "员工UserID,姓名,部门\n0123,王小明,\"一中-高一-1班,一中-社团,一中-社团\"\n0124,李雷,一中-高一-1班\n",
            &["0123 in 一中-高一-1班", "0123 in 一中-社团", "0124 in 一中-高一-1班"],
        ),
        (
            "通讯录.csv",
            "学号,姓名,部门\n1,王小明,\"一中；社团\n合唱团\"\n2,李雷,\n",
            &["1 in 一中", "1 in 社团", "1 in 合唱团"],
        ),
    ] {
        let found = read_one(name, text);
        assert_eq!(found.is_good().members, members, "{name}");
        assert!(found.reading.has_departments);
    }
    // Twelve long paths are no overlong code, and a date among them is one.
    let paths: Vec<String> =
        (1..=12).map(|number| format!("示范学校/高中部/2026级/高一年级/{number}班")).collect();
    let found =
        read_one("list.csv", format!("学号,姓名,部门\n1,王小明,{}\n2,李雷,一中;3月2日\n", paths.join(";")));
    assert_eq!(found.members.len(), 12, "{}", found.messages());
    assert_eq!(found.problems(), [(3, 3, "date")]);
    // A class is no department: there two in one cell are a slip, which the roster has to tell.
    let found = read_one("list.csv", "学号,姓名,班级\n1,王小明,1班;2班\n");
    assert_eq!(found.members, ["1 in 1班;2班"]);
}
