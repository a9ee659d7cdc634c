//! What one finding showed of one kind of file, held for the other kinds too.

use super::*;

const ONEROSTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/import/oneroster-1.1");

/// A copy of a bundle with some lines of one file left out.
fn without(desk: &Desk, folder: &str, file: &str, leaves_out: impl Fn(&str) -> bool) -> PathBuf {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.split_inclusive(['\r', '\n']).filter(|line| name != file || !leaves_out(line));
        desk.put(&format!("bundle/{name}"), lines.collect::<String>());
    }
    desk.path("bundle")
}

const HERE: &str = "SELECT COUNT(*) || '' FROM students WHERE active = 1";

#[tokio::test]
async fn a_bundle_whose_students_were_cut_off_at_a_row_makes_nobody_a_leaver() {
    for (kind, folder, file, last) in [
        (ImportKind::Clever, CLEVER, "students.csv", "0073"),
        (ImportKind::Oneroster, ONEROSTER, "users.csv", "u-3"),
    ] {
        let desk = Desk::new();
        drop(import(&desk.request(kind, vec![folder.into()])).await.unwrap());
        let cut = without(&desk, folder, file, |line| line.contains(last));
        let found = problems(import(&desk.request(kind, vec![cut])).await);
        assert_eq!((found[0].0.as_str(), found[0].3), ("enrollments.csv", "unknown-student"), "{found:?}");
        assert_eq!(desk.one(HERE).await, "3", "{kind}");
    }
}

#[tokio::test]
async fn a_student_whom_a_bundle_or_an_office_list_names_is_there_again() {
    let desk = Desk::new();
    desk.put("list.csv", "学号,姓名,班级\nu-1,王小明,1班\n");
    for (request, back) in [
        (desk.request(ImportKind::Clever, vec![CLEVER.into()]), "3"),
        (desk.request(ImportKind::Oneroster, vec![ONEROSTER.into()]), "3"),
        (desk.csv(&["list.csv"]), "1"),
    ] {
        if request.kind != ImportKind::Csv {
            let _absent = std::fs::remove_file(desk.database());
            drop(import(&request).await.unwrap());
        }
        desk.run("UPDATE students SET active = 0").await;
        let report = import(&request).await.unwrap();
        assert_eq!(desk.one(HERE).await, back, "{report}");
        assert!(report.to_string().contains("there again, as the files have them"), "{report}");
    }
}

#[tokio::test]
async fn a_class_that_changed_in_an_office_list_or_by_the_name_of_its_sheet_replaces_the_old_one() {
    let desk = Desk::new();
    desk.fill(&[("list.csv", "学号,姓名,年级,班级\n1,王小明,高一,1班\n")]).await;
    desk.fill(&[("list.csv", "学号,姓名,年级,班级\n1,王小明,高二,3班\n")]).await;
    let members = "SELECT student_id || group_code FROM group_members";
    assert_eq!(desk.one(members).await, "1高二3班");
    desk.fill(&[("DingTalk.csv", "员工UserID,姓名,部门\n1,王小明,高三1班\n")]).await;
    assert_eq!(desk.one(members).await, "1高三1班");
}

#[tokio::test]
async fn what_a_school_writes_in_its_own_way_is_not_changed_by_a_file_that_says_the_same() {
    let desk = Desk::new();
    desk.run(
        "CREATE TABLE students (student_id TEXT, name TEXT, phone TEXT, active TEXT);
         CREATE TABLE groups (group_code TEXT, title TEXT, gid INTEGER);
         CREATE TABLE group_members (student_id TEXT, group_code TEXT);
         CREATE TABLE classes (class_code TEXT, title TEXT, course_id INTEGER, class_id INTEGER);
         CREATE TABLE class_members (student_id TEXT, class_code TEXT);
         INSERT INTO students VALUES ('S1', 'Ada   ', '138 ', NULL), ('S2', 'Bo' || CHAR(10) || 'Li', '   ', '在读'),
             ('S3', 'Cy', NULL, 'Left'), ('S4', 'Di', '1', '')",
    )
    .await;
    let text = "student_id,name,phone,active\nS1,Ada,138,1\nS2,\"Bo\nLi\",,yes\nS3,Cy,,0\nS4,Di,1,\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap();
    assert!(report.difference.is_empty(), "{report}");
    let report =
        desk.import(&[("students.csv", "student_id,name,active\nS1,Ada,left\nS2,Bo,1\n")]).await.unwrap();
    assert_eq!((report.difference.students.left, report.difference.students.changed), (1, 1), "{report}");
}

#[tokio::test]
async fn ids_that_a_school_writes_in_its_own_way_are_those_of_its_rows() {
    let desk = Desk::new();
    desk.run(
        "CREATE TABLE students (student_id TEXT, name TEXT, active INTEGER);
         CREATE TABLE groups (group_code TEXT, title TEXT, gid INTEGER);
         CREATE TABLE group_members (student_id TEXT, group_code TEXT);
         CREATE TABLE classes (class_code TEXT, title TEXT, course_id INTEGER, class_id INTEGER);
         CREATE TABLE class_members (student_id TEXT, class_code TEXT);
         INSERT INTO students VALUES ('S1  ', 'Ada', 1), ('1001.0', 'Bo', 1), ('２００２', 'Cy', 1), ('S' || CHAR(173) || '4', 'Di', 1),
             (CHAR(39) || '005', 'Ed', 1);
         INSERT INTO groups VALUES ('7A ', 'Seven A', 11), ('7B', 'Seven B', 12);
         INSERT INTO group_members VALUES ('S1', '7A'), ('1001.0', '7A '), ('2002', '7A'), ('S4', '7B '), ('005', '7B')",
    )
    .await;
    let students = "SELECT '[' || student_id || name || active || ']' FROM students ORDER BY 1";
    let members = "SELECT '[' || student_id || group_code || ']' FROM group_members ORDER BY 1";
    let rows =
        |last: &str| format!("Nr,Name,Class\nS1,Ada,7A\n1001,Bo,7A\n2002,Cy,7A\nS4,Di,7B\n005,Ed,{last}\n");
    let request = |text: &str| {
        desk.put("list.csv", text);
        let pairs = [("student_id", "Nr"), ("name", "Name"), ("group_code", "Class")];
        let pairs = pairs.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
        bulk(ImportRequest { map: ColumnMap::new(pairs.to_vec()), ..desk.csv(&["list.csv"]) })
    };
    let (before, memberships) = (desk.column(students).await, desk.column(members).await);
    let report = import(&request(&rows("7B"))).await.unwrap();
    assert!(report.difference.is_empty(), "{report}");
    let report = import(&request(&rows("7A"))).await.unwrap();
    assert_eq!((report.difference.students.added, report.difference.students.left), (0, 0), "{report}");
    assert_eq!(desk.column(students).await, before);
    let after = desk.column(members).await;
    assert_eq!(after.iter().filter(|pair| !memberships.contains(pair)).collect::<Vec<_>>(), ["['0057A ]"]);
    assert_eq!(memberships.iter().filter(|pair| !after.contains(pair)).collect::<Vec<_>>(), ["[0057B]"]);
}

#[tokio::test]
async fn accounts_of_members_are_words_or_numbers_and_their_departments_are_groups() {
    let desk = Desk::new();
    let list = "姓名,帐号,部门\n王小明,1001,一中/高一;一中/社团\n李雷,1002,一中/高一\n韩梅梅,1003,一中\n林涛,lintao,一中/社团\n";
    desk.fill(&[("企业微信.csv", list)]).await;
    assert_eq!(desk.one("SELECT student_id FROM students ORDER BY 1").await, "1001|1002|1003|lintao");
    let members = "SELECT student_id || ' ' || group_code FROM group_members ORDER BY 1";
    let all = "1001 一中/社团|1001 一中/高一|1002 一中/高一|1003 一中|lintao 一中/社团";
    assert_eq!(desk.one(members).await, all);
    // Who leaves one of two departments keeps the other.
    desk.fill(&[("企业微信.csv", &list.replace("一中/高一;一中/社团", "一中/社团"))]).await;
    assert_eq!(desk.one(members).await, all.replace("1001 一中/高一|", ""));
    // A note in the column of accounts, or a word among the numbers of another list, is still none.
    for (name, list) in [
        ("账号.csv", "姓名,帐号\n王小明,1001\n李雷,1002\n必填,填写帐号\n"),
        ("学号.csv", "姓名,学号\n王小明,1001\n李雷,1002\n林涛,teacher\n"),
    ] {
        let found = problems(desk.import(&[(name, list)]).await);
        assert_eq!(found, [at(name, 4, 2, "word-for-id")], "{name}");
    }
}

#[tokio::test]
async fn an_id_of_our_own_export_that_looks_spoiled_stands_where_the_roster_has_it() {
    let desk = Desk::new();
    desk.fill(&[("students.csv", "student_id,name\nS1,Ann Lee\n")]).await;
    desk.run("INSERT INTO students (student_id, name) VALUES ('1,000', 'Bea Fox'), ('TRUE', 'Cid Ray')")
        .await;
    let export = "student_id,name,gender,phone,email,classin_uid,active,groups,classes\n\"1,000\",Bea Fox,,,,,1,,\nTRUE,Cid Roe,,,,,1,,\n";
    let report = desk.import(&[("roster.csv", export)]).await.unwrap();
    let students = report.difference.students;
    assert_eq!((students.added, students.changed, students.unchanged), (0, 1, 1));
    let found = desk.import(&[("roster.csv", &export.replace("TRUE", "WAHR"))]).await;
    assert_eq!(problems(found), [at("roster.csv", 3, 1, "spoiled-id")]);
}
