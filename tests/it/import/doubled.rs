//! What stands in several rows, in several forms, or several times in one cell: nothing of it wins in silence.

use super::*;

const STUDENT_ROWS: &str = "SELECT student_id || ':' || name FROM students ORDER BY 1";
const GROUP_ROWS: &str = "SELECT student_id || ':' || group_code FROM group_members ORDER BY 1";
const CLASS_ROWS: &str = "SELECT student_id || ':' || class_code FROM class_members ORDER BY 1";

/// The problems that stop an import, each as it is told.
fn told(result: Result<ImportReport, ImportError>) -> Vec<String> {
    match result {
        Err(ImportError::BadRows(report)) => report.problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected bad rows, found {other:?}"),
    }
}

#[tokio::test]
async fn rows_of_one_student_that_say_the_same_are_one_and_told() {
    let desk = Desk::new();
    let text = "student_id,name,phone,group_code\nS1,Ada,1,7A\nS2,Bo,2,7B\nS1,Ada,1,7A\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap().to_string();
    assert!(
        report.contains(
            "1 student stands in several rows that say the same, and each was taken once: S1 (lines 2 and 4)"
        ),
        "{report}"
    );
    assert_eq!(desk.column(STUDENT_ROWS).await, ["S1:Ada", "S2:Bo"]);
    assert_eq!(desk.column(GROUP_ROWS).await, ["S1:7A", "S2:7B"]);
}

#[tokio::test]
async fn rows_of_one_student_in_two_files_are_put_together_where_they_say_different_things() {
    let desk = Desk::new();
    desk.put("a.csv", "学号,姓名,手机\n1001,王小明,13800000001\n");
    desk.put("b.csv", "学号,姓名,班级\n1001,王小明,1班\n");
    let report = import(&desk.csv(&["a.csv", "b.csv"])).await.unwrap().to_string();
    assert!(report.contains("1001 (a.csv line 2 and b.csv line 2)"), "{report}");
    assert_eq!(desk.one("SELECT name || phone FROM students").await, "王小明13800000001");
    assert_eq!(desk.one(GROUP_ROWS).await, "1001:1班");
}

#[tokio::test]
async fn a_list_with_a_row_for_each_class_of_a_student_adds_them_up_and_says_so() {
    let desk = Desk::new();
    let text = "student_id,name,class_code\nS1,Ada,Maths\nS2,Bo,Maths\nS1,Ada,Physics\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap().to_string();
    assert!(report.contains("added up, for 1 student: S1 in Maths and Physics"), "{report}");
    assert_eq!(desk.column(CLASS_ROWS).await, ["S1:Maths", "S1:Physics", "S2:Maths"]);
    // The next list replaces what the column brought.
    let text = "student_id,name,class_code\nS1,Ada,Physics\nS2,Bo,Maths\n";
    drop(desk.import(&[("students.csv", text)]).await.unwrap());
    assert_eq!(desk.column(CLASS_ROWS).await, ["S1:Physics", "S2:Maths"]);
}

#[tokio::test]
async fn rows_that_contradict_each_other_are_refused_with_both_places_and_what_differs() {
    let desk = Desk::new();
    let text = "student_id,name,phone\nS1,Ada,1\nS2,Bo,2\nS1,Eve,3\n";
    assert_eq!(
        told(desk.import(&[("students.csv", text)]).await),
        [
            "students.csv:4:1: duplicate-id: S1 stands in lines 2 and 4, with another name, phone: leave the row that is right"
        ]
    );
    desk.put("one.csv", "学号,姓名,班级\n1001,王小明,1班\n");
    desk.put("two.csv", "学号,姓名,班级\n1001,王小明,2班\n");
    let found = told(import(&desk.csv(&["one.csv", "two.csv"])).await);
    assert_eq!(found.len(), 1, "{found:?}");
    let expected = "two.csv:2:1: duplicate-id: 1001 stands in one.csv line 2 and two.csv line 2, with another group (1班 and 2班): \
                    leave the row that is right; who belongs to both groups stands in a file group_members.csv";
    assert!(found[0].starts_with(expected), "{found:?}");
    let found = told(desk.import(&[("groups.csv", "group_code,title\n7A,Seven A\n7A,Seven B\n")]).await);
    assert!(found[0].contains("7A stands in lines 2 and 3, with another title"), "{found:?}");
}

#[tokio::test]
async fn a_student_whose_rows_contradict_each_other_keeps_groups_and_classes() {
    let desk = Desk::new();
    desk.fill(&[("list.csv", "学号,姓名,班级\n1001,王小明,3班\n1002,李雷,3班\n")]).await;
    let text = "学号,姓名,班级\n1001,王小明,1班\n1001,王小明,2班\n1002,李雷,1班\n";
    drop(import(&skipping(desk.put_all(&[("list.csv", text)]))).await.unwrap());
    assert_eq!(desk.column(GROUP_ROWS).await, ["1001:3班", "1002:1班"]);
    drop(import(&bulk(skipping(desk.put_all(&[("list.csv", text)])))).await.unwrap());
    assert_eq!(desk.column(GROUP_ROWS).await, ["1001:3班", "1002:1班"]);
    assert_eq!(desk.one("SELECT COUNT(*) || '' FROM students WHERE active = 1").await, "2");
}

#[tokio::test]
async fn several_classes_in_a_cell_are_memberships_where_each_is_known_by_itself() {
    for separator in [", ", ";", "、", "/", "\n", "；"] {
        let desk = Desk::new();
        let text =
            format!("student_id,name,group_code\nS1,Ada,7A\nS2,Bo,7B\nS3,Cy,\"7A{separator}7B\"\nS4,Di,7B\n");
        let report = desk.import(&[("students.csv", &text)]).await.unwrap().to_string();
        assert!(report.contains("taken as one membership each"), "{separator:?}: {report}");
        assert_eq!(
            desk.column(GROUP_ROWS).await,
            ["S1:7A", "S2:7B", "S3:7A", "S3:7B", "S4:7B"],
            "{separator:?}"
        );
        assert_eq!(desk.column("SELECT group_code FROM groups ORDER BY 1").await, ["7A", "7B"]);
        // The same list again changes nothing.
        let report = desk.import(&[("students.csv", &text)]).await.unwrap();
        assert!(report.difference.is_empty(), "{report}");
    }
}

#[tokio::test]
async fn several_classes_in_a_cell_that_are_not_known_by_themselves_are_refused_with_the_cell() {
    for separator in [", ", ";", "、", "/", "\n", "，"] {
        let desk = Desk::new();
        let text =
            format!("student_id,name,class_code\nS1,Ada,8A\nS2,Bo,8B\nS3,Cy,\"7A{separator}7B\"\nS4,Di,8B\n");
        let request = desk.put_all(&[("students.csv", &text)]);
        let found = told(import(&request).await);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(
                "students.csv:4:3: several-codes: class_code seems to name several in one cell (7A"
            ),
            "{found:?}"
        );
        assert!(found[0].contains("class_members.csv (student_id,class_code)"), "{found:?}");
        drop(import(&skipping(request)).await.unwrap());
        assert_eq!(desk.column("SELECT class_code FROM classes ORDER BY 1").await, ["8A", "8B"]);
        assert_eq!(desk.column("SELECT student_id FROM students ORDER BY 1").await, ["S1", "S2", "S4"]);
    }
}

#[tokio::test]
async fn a_code_with_a_slash_or_a_comma_that_is_one_stays_one() {
    let desk = Desk::new();
    let text = "student_id,name,group_code\nS1,Ada,3/2\nS2,Bo,3/1\nS3,Cy,Support\n";
    drop(desk.import(&[("students.csv", text)]).await.unwrap());
    let groups = "group_code,title\n\"Maths, advanced\",Maths\n";
    let text = "student_id,name,group_code\nS4,Di,\"Maths, advanced\"\n";
    drop(desk.import(&[("groups.csv", groups), ("students.csv", text)]).await.unwrap());
    assert_eq!(
        desk.column("SELECT group_code FROM groups ORDER BY 1").await,
        ["3/1", "3/2", "Maths, advanced", "Support"]
    );
}

#[tokio::test]
async fn ids_that_differ_in_capitals_or_blanks_alone_are_told() {
    let desk = Desk::new();
    let text = "student_id,name,group_code\nA1,Ada,7 A\na1,Bo,7a\nB2,Cy,8\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap().to_string();
    for expected in [
        "1 pair of student codes differs in capitals or blanks alone and count as two each: A1 (students.csv line 2) and a1 (students.csv line 3)",
        "7 A (students.csv line 2) and 7a (students.csv line 3)",
    ] {
        assert!(report.contains(expected), "{report}");
    }
    let report = desk.import(&[("students.csv", "student_id,name\nb2,Cy\n")]).await.unwrap().to_string();
    assert!(report.contains("B2 (in the roster) and b2 (students.csv line 2)"), "{report}");
}

#[tokio::test]
async fn an_id_that_a_spreadsheet_has_spoilt_is_refused_with_its_value() {
    let desk = Desk::new();
    for id in [
        "1.5",
        "\"1,5\"",
        "-5",
        "1e3",
        "12E4",
        "0",
        "000",
        "#N/A",
        "#REF!",
        "#BEZUG!",
        "TRUE",
        "Wahr",
        "NULL",
        "nan",
        "2026/3/2",
        "2026-03-02",
    ] {
        let text = format!("student_id,name\n1001,Ada\n{id},Bo\n1003,Cy\n");
        let found = told(desk.import(&[("students.csv", &text)]).await);
        let value = id.trim_matches('"');
        assert_eq!(found.len(), 1, "{id}: {found:?}");
        assert!(found[0].starts_with("students.csv:3:1: ") && found[0].contains(value), "{id}: {found:?}");
        assert!(found[0].contains("enter") || found[0].contains("leave"), "{id}: {found:?}");
    }
}

#[tokio::test]
async fn ids_that_a_school_writes_like_numbers_of_another_kind_are_taken_where_most_are_such() {
    for form in ["2026.00N", "7E1N", "2026-01-0N"] {
        let desk = Desk::new();
        let rows = (1..=6).map(|n| format!("{},Student {n}\n", form.replace('N', &n.to_string())));
        let text: String = std::iter::once("student_id,name\n".to_owned()).chain(rows).collect();
        drop(desk.import(&[("students.csv", &text)]).await.unwrap());
        // One more of them later is no stranger either, once the roster has such ids.
        drop(desk.import(&[("students.csv", &text)]).await.unwrap());
        assert_eq!(desk.one("SELECT COUNT(*) || '' FROM students").await, "6", "{form}");
    }
}

#[tokio::test]
async fn what_nobody_sees_is_taken_out_and_told_with_its_cell() {
    let desk = Desk::new();
    let text = "student_id,name,phone,group_code,motto\n\u{200b}S1,An\u{200b}n,\u{202d}138\u{202c},7\u{a0}A,x\u{feff}y\n\
                S2,Li\u{a0}Lei,139,7 A,a\u{2009}b\n";
    let report = desk.import(&[("students.csv", text)]).await.unwrap().to_string();
    assert!(report.contains("held characters that nobody sees"), "{report}");
    assert!(report.contains("line 2 column 1, line 2 column 2, line 2 column 3 and"), "{report}");
    assert_eq!(
        desk.column("SELECT student_id || name || phone || motto FROM students ORDER BY 1").await,
        ["S1Ann138xy", "S2Li Lei139a b"]
    );
    assert_eq!(desk.column(GROUP_ROWS).await, ["S1:7 A", "S2:7 A"]);
    let text = "student_id,name\nS\u{a0}3,Ann\nS4,Ann\u{1b}[1m\n";
    let found = told(desk.import(&[("students.csv", text)]).await);
    assert!(
        found[0].starts_with("students.csv:2:1: bad-id: student_id holds a blank of another kind"),
        "{found:?}"
    );
    assert!(found[1].starts_with("students.csv:3:2: bad-text: name holds a control character"), "{found:?}");
}

#[tokio::test]
async fn a_name_in_another_form_of_the_same_letters_is_no_change() {
    let desk = Desk::new();
    desk.run(
        "CREATE TABLE students (student_id TEXT, name TEXT, active INTEGER);
         CREATE TABLE groups (group_code TEXT, title TEXT, gid INTEGER);
         CREATE TABLE group_members (student_id TEXT, group_code TEXT);
         CREATE TABLE classes (class_code TEXT, title TEXT, course_id INTEGER, class_id INTEGER);
         CREATE TABLE class_members (student_id TEXT, class_code TEXT);
         INSERT INTO students VALUES ('S1', 'Rene' || CHAR(769), 1), ('S2', 'An' || CHAR(8203) || 'n', 1),
             ('S3', 'Li' || CHAR(160) || 'Lei', 1);
         INSERT INTO groups VALUES ('G', 'E' || CHAR(769) || 'cole', 1)",
    )
    .await;
    let students = "student_id,name\nS1,Ren\u{e9}\nS2,Ann\nS3,Li Lei\n";
    let report = desk
        .import(&[("students.csv", students), ("groups.csv", "group_code,title\nG,\u{c9}cole\n")])
        .await
        .unwrap();
    assert!(report.difference.is_empty(), "{report}");
    let report = desk.import(&[("students.csv", "student_id,name\nS1,Rene\n")]).await.unwrap();
    assert_eq!(report.difference.students.changed, 1, "{report}");
}
