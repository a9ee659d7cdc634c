//! What spreadsheets and exports spoil, kind by kind: each is read as it was meant, refused with its place, or told.

use super::workbook::{Sheet, workbook};
use super::*;

/// What must come of a file.
enum Must {
    /// It is refused, in words that have these.
    Refuse(&'static [&'static str]),
    /// It goes in, the roster then has these rows (`id name phone uid` or `id in code`), and the report has these words.
    Hold(&'static [&'static str], &'static [&'static str]),
}
use Must::{Hold, Refuse};

/// How a file is imported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Plainly,
    /// As the whole truth.
    Whole,
    /// As the whole truth, of the sheet `A` alone.
    SheetAlone,
}
use How::{Plainly, SheetAlone, Whole};

/// A kind of harm, what is on the roster before, the file, and what must come of it.
struct Case {
    kind: &'static str,
    before: &'static [(&'static str, &'static str)],
    file: (&'static str, Vec<u8>),
    how: How,
    must: Must,
}

fn text(kind: &'static str, name: &'static str, text: &str, must: Must) -> Case {
    Case { kind, before: &[], file: (name, text.as_bytes().to_vec()), how: Plainly, must }
}

/// Onto a roster.
fn onto(
    kind: &'static str,
    before: &'static [(&'static str, &'static str)],
    (name, text): (&'static str, &str),
    (how, must): (How, Must),
) -> Case {
    Case { kind, before, file: (name, text.as_bytes().to_vec()), how, must }
}

fn bytes(kind: &'static str, file: (&'static str, Vec<u8>), (how, must): (How, Must)) -> Case {
    Case { kind, before: &[], file, how, must }
}

fn two_sheets(first: Sheet<'_>, second: Sheet<'_>) -> Vec<u8> {
    workbook(&[first, second])
}

fn sheet<'s>(name: &'s str, rows: &'s [&'s [&'s str]]) -> Sheet<'s> {
    Sheet { name, rows, ..Sheet::default() }
}

/// A list in an encoding that is none of Unicode's.
fn encoded(name: &str, text: &str) -> Vec<u8> {
    encoding_rs::Encoding::for_label(name.as_bytes()).unwrap().encode(text).0.into_owned()
}

async fn come_of(case: &Case) -> (bool, String, Vec<String>) {
    let desk = Desk::new();
    if !case.before.is_empty() {
        desk.fill(case.before).await;
    }
    let (name, contents) = &case.file;
    desk.put(name, contents);
    let mut request = desk.csv(&[name]);
    request.bulk = case.how != Plainly;
    if case.how == SheetAlone {
        request.sheets = vec!["A".to_owned()];
    }
    let (refused, said) = match import(&request).await {
        Ok(report) => (false, report.to_string()),
        Err(ImportError::BadRows(report) | ImportError::TooMuch(report)) => (true, report.to_string()),
        Err(ImportError::Files(problems)) => {
            (true, problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
        Err(other) => (true, other.to_string()),
    };
    let mut rows = Vec::new();
    if !refused {
        let students = "SELECT student_id || ' ' || name || COALESCE(' ' || phone, '') || COALESCE(' ' || classin_uid, '')
             FROM students WHERE active = 1 ORDER BY student_id";
        rows.extend(desk.column(students).await);
        for (members, code) in [("group_members", "group_code"), ("class_members", "class_code")] {
            rows.extend(
                desk.column(&format!("SELECT student_id || ' in ' || {code} FROM {members} ORDER BY 1"))
                    .await,
            );
        }
    }
    (refused, said, rows)
}

async fn all_hold(cases: Vec<Case>) {
    let mut kinds = std::collections::BTreeMap::new();
    for case in &cases {
        *kinds.entry(case.kind).or_insert(0) += 1;
        let (refused, said, rows) = come_of(case).await;
        let what = format!("{}: {:?}\n{said}\n{rows:?}", case.kind, String::from_utf8_lossy(&case.file.1));
        match case.must {
            Refuse(words) => {
                assert!(refused, "not refused: {what}");
                words.iter().for_each(|word| assert!(said.contains(word), "no {word:?}: {what}"));
            }
            Hold(expected, words) => {
                assert!(!refused, "refused: {what}");
                assert_eq!(rows, expected, "{what}");
                words.iter().for_each(|word| assert!(said.contains(word), "no {word:?}: {what}"));
            }
        }
    }
    for (kind, count) in kinds {
        assert!(count >= 3, "{kind} has {count} examples only");
    }
}

const PADDED: &[(&str, &str)] =
    &[("students.csv", "student_id,name,group_code\n00123,Ada,0701\n00124,Bo,0701\n")];
const BARE: &[(&str, &str)] = &[("students.csv", "student_id,name,group_code\n123,Ada,701\n124,Bo,701\n")];
const TEN: &[(&str, &str)] = &[
    ("groups.csv", "group_code,title,gid\nG,Gee,5\n"),
    ("classes.csv", "class_code,title,course_id\nC1,One,11\nC2,Two,12\nC3,Three,13\n"),
    (
        "students.csv",
        "student_id,name,phone,classin_uid,group_code\nS1,A,1,1,G\nS2,B,2,2,G\nS3,C,3,3,G\nS4,D,4,4,G\nS5,E,5,5,G\nS6,F,6,6,G\n\
         S7,G,7,7,G\nS8,H,8,8,G\nS9,I,9,9,G\nS0,J,10,10,G\n",
    ),
];
const CLASSES: &[(&str, &str)] = &[("list.csv", "学号,姓名,班级\n1001,王小明,高一1班\n1002,李雷,高一1班\n")];

#[tokio::test]
async fn what_a_spreadsheet_does_to_numbers_is_taken_back_or_refused() {
    all_hold(vec![
        onto(
            "lost zeros",
            PADDED,
            ("list.csv", "学号,姓名\n123,Ada\n"),
            (Plainly, Refuse(&["list.csv:2:1", "123 is in the database as 00123: zeros were lost"])),
        ),
        text(
            "lost zeros",
            "list.csv",
            "学号,姓名\n0456,Ada\n456,Bo\n",
            Refuse(&["lost-zeros", "456 stands in the files as 0456 too"]),
        ),
        onto(
            "lost zeros",
            PADDED,
            ("list.csv", "学号,姓名,班级\n00123,Ada,701\n"),
            (Plainly, Refuse(&["lost-zeros", "701 is in the database as 0701"])),
        ),
        text(
            "lost zeros",
            "list.csv",
            "学号,姓名\n00123,Ada\n456,Bo\n7890,Cy\n",
            Hold(
                &["00123 Ada", "456 Bo", "7890 Cy"],
                &["ids have 3 to 5 digits and only some begin with a zero"],
            ),
        ),
        onto(
            "returned zeros",
            BARE,
            ("list.csv", "学号,姓名\n00123,Ada\n"),
            (Plainly, Refuse(&["00123 is in the database as 123, without zeros in front"])),
        ),
        onto(
            "returned zeros",
            BARE,
            ("list.csv", "学号,姓名\n=\"0124\",Bo\n"),
            (Plainly, Refuse(&["returned-zeros"])),
        ),
        onto(
            "returned zeros",
            BARE,
            ("list.csv", "学号,姓名,班级\n123,Ada,0701\n"),
            (Plainly, Refuse(&["0701 is in the database as 701", "came back"])),
        ),
        text(
            "scientific",
            "list.csv",
            "学号,姓名,手机\n1,Ada,1.38E+10\n",
            Refuse(&["list.csv:2:3", "scientific", "format the column as text"]),
        ),
        text(
            "scientific",
            "list.csv",
            "学号,姓名\n2.02601E+11,Ada\n",
            Refuse(&["list.csv:2:1", "scientific"]),
        ),
        text("scientific", "list.csv", "学号;姓名\n1,2E+09;Ada\n", Refuse(&["list.csv:2:1", "scientific"])),
        text(
            "scientific",
            "list.csv",
            "学号,姓名\n1001,Ada\n1e3,Bo\n",
            Refuse(&["list.csv:3:1", "1e3", "scientific"]),
        ),
        text("point zero", "list.csv", "学号,姓名\n1001.0,Ada\n", Hold(&["1001 Ada"], &[])),
        text(
            "point zero",
            "students.csv",
            "student_id,name,phone,classin_uid\n1001,Ada,13800138000.0,7001.0\n",
            Hold(&["1001 Ada 13800138000 7001"], &[]),
        ),
        text("point zero", "list.csv", "学号;姓名\n1001,0;Ada\n", Hold(&["1001 Ada"], &[])),
        onto(
            "point zero",
            BARE,
            ("list.csv", "学号,姓名,班级\n123,Ada,701.0\n"),
            (Plainly, Refuse(&["list.csv:2:3", "701.0", "write 701"])),
        ),
        text(
            "number of another kind",
            "list.csv",
            "学号,姓名\n1001,Ada\n1.5,Bo\n",
            Refuse(&["list.csv:3:1", "1.5", "fraction"]),
        ),
        text(
            "number of another kind",
            "list.csv",
            "学号,姓名\n1001,Ada\n-5,Bo\n",
            Refuse(&["list.csv:3:1", "-5", "below zero"]),
        ),
        text(
            "number of another kind",
            "list.csv",
            "学号,姓名\n1001,Ada\n0,Bo\n",
            Refuse(&["list.csv:3:1", "points to an empty cell"]),
        ),
        text(
            "number of another kind",
            "list.csv",
            "学号,姓名\n\"20,260,001\",Ada\n",
            Refuse(&["separators of thousands"]),
        ),
        text(
            "formula and its quotes",
            "list.csv",
            "学号,姓名\n\"=\"\"00123\"\"\",Ada\n",
            Hold(&["00123 Ada"], &[]),
        ),
        text(
            "formula and its quotes",
            "list.csv",
            "学号,姓名,班级\n1,Ada,\"=\"\"7-1\"\"\"\n",
            Hold(&["1 Ada", "1 in 7-1"], &[]),
        ),
        text(
            "formula and its quotes",
            "list.csv",
            "学号,姓名,手机\n1,Ada,\"=\"\"0138\"\"\"\n",
            Hold(&["1 Ada 0138"], &[]),
        ),
        text("apostrophe", "list.csv", "学号,姓名\n'00123,Ada\n", Hold(&["00123 Ada"], &[])),
        text(
            "apostrophe",
            "list.csv",
            "学号,姓名,手机\n1,Ada,'13800000001\n",
            Hold(&["1 Ada 13800000001"], &[]),
        ),
        text(
            "apostrophe",
            "list.csv",
            "学号,姓名\n1,'-Bea\n2,'t Hooft\n",
            Hold(&["1 -Bea", "2 't Hooft"], &[]),
        ),
        text("full-width digits", "list.csv", "学号,姓名\n１００１,Ada\n", Hold(&["1001 Ada"], &[])),
        text("full-width digits", "list.csv", "学号,姓名,手机\n1,Ada,１３８０\n", Hold(&["1 Ada 1380"], &[])),
        text("full-width digits", "list.csv", "学号,姓名\nＳ０１,Ada\n", Hold(&["S01 Ada"], &[])),
    ])
    .await;
}

#[tokio::test]
async fn what_a_spreadsheet_does_to_codes_and_words_is_taken_back_or_refused() {
    let dated = workbook(&[sheet("A", &[&["学号", "姓名", "班级"], &["1", "Ada", "#2:46083"]])]);
    all_hold(vec![
        bytes(
            "dates that were codes",
            ("a.xlsx", dated),
            (Plainly, Refuse(&["a.xlsx[A]:2:3", "date (2026-03-02)"])),
        ),
        text(
            "dates that were codes",
            "list.csv",
            "学号,姓名,班级\n1,Ada,2-Mar\n",
            Refuse(&["list.csv:2:3", "a date (2-Mar)"]),
        ),
        text(
            "dates that were codes",
            "list.csv",
            "学号,姓名,班级\n1,Ada,2026/3/2\n",
            Refuse(&["list.csv:2:3", "2026/3/2"]),
        ),
        text("dates that were codes", "list.csv", "学号,姓名,班级\n1,Ada,03/02/26\n", Refuse(&["03/02/26"])),
        text(
            "dates that were codes",
            "list.csv",
            "学号,姓名\n1001,Ada\n2026-03-02,Bo\n",
            Refuse(&["list.csv:3:1", "2026-03-02"]),
        ),
        text(
            "dates that were codes",
            "list.csv",
            "学号,姓名\n1,02.03.2026\n",
            Refuse(&["list.csv:2:2", "02.03.2026"]),
        ),
        text(
            "errors of formulas",
            "list.csv",
            "学号,姓名\n#N/A,Ada\n",
            Refuse(&["list.csv:2:1", "#N/A", "enter the value"]),
        ),
        text(
            "errors of formulas",
            "list.csv",
            "学号,姓名,班级\n1,Ada,#NV\n",
            Refuse(&["list.csv:2:3", "#NV"]),
        ),
        text(
            "errors of formulas",
            "list.csv",
            "学号,姓名\n1,#BEZUG!\n",
            Refuse(&["list.csv:2:2", "#BEZUG!"]),
        ),
        text(
            "errors of formulas",
            "list.csv",
            "学号,姓名\n1,\"=VLOOKUP(A2,B:C,2,0)\"\n",
            Refuse(&["formula"]),
        ),
        text(
            "truth values",
            "list.csv",
            "学号,姓名\nTRUE,Ada\n",
            Refuse(&["list.csv:2:1", "truth value (TRUE)"]),
        ),
        text("truth values", "list.csv", "学号,姓名\n1,FALSCH\n", Refuse(&["list.csv:2:2", "FALSCH"])),
        text("truth values", "list.csv", "学号,姓名,班级\n1,Ada,VRAI\n", Refuse(&["list.csv:2:3", "VRAI"])),
        text("words for nothing", "list.csv", "学号,姓名\nNULL,Ada\n", Refuse(&["list.csv:2:1", "NULL"])),
        text("words for nothing", "list.csv", "学号,姓名\nnan,Ada\n", Refuse(&["nan", "enter the id"])),
        text(
            "words for nothing",
            "list.csv",
            "学号,姓名,班级\n1,Ada,无\n",
            Refuse(&["list.csv:2:3", "leave the cell empty"]),
        ),
        text(
            "invisible characters",
            "list.csv",
            "学号,姓名\n\u{200e}1001,Ada\n",
            Hold(&["1001 Ada"], &["characters that nobody sees", "line 2 column 1"]),
        ),
        text(
            "invisible characters",
            "list.csv",
            "学号,姓名\n1,A\u{200b}da\n",
            Hold(&["1 Ada"], &["line 2 column 2"]),
        ),
        text(
            "invisible characters",
            "list.csv",
            "学号,姓名,班级\n1,Ada,7\u{feff}A\n2,Bo,7A\n",
            Hold(&["1 Ada", "2 Bo", "1 in 7A", "2 in 7A"], &["line 2 column 3"]),
        ),
        text(
            "invisible characters",
            "list.csv",
            "学号,姓名\n10\u{a0}01,Ada\n",
            Refuse(&["list.csv:2:1", "blank of another kind"]),
        ),
        text(
            "one student twice",
            "list.csv",
            "学号,姓名\n1,Ada\n1,Eve\n",
            Refuse(&["1 stands in lines 2 and 3, with another name"]),
        ),
        text(
            "one student twice",
            "list.csv",
            "学号,姓名,班级\n1,Ada,7A\n1,Ada,7B\n",
            Refuse(&["another group (7A and 7B)"]),
        ),
        text(
            "one student twice",
            "list.csv",
            "学号,姓名\n1,Ada\n1,Ada\n",
            Hold(&["1 Ada"], &["say the same, and each was taken once: 1 (lines 2 and 3)"]),
        ),
        bytes(
            "one student twice",
            (
                "a.xlsx",
                two_sheets(
                    sheet("1班", &[&["学号", "姓名"], &["1", "王"]]),
                    sheet("2班", &[&["学号", "姓名"], &["1", "王"]]),
                ),
            ),
            (Plainly, Refuse(&["1 stands in a.xlsx[1班] line 2 and a.xlsx[2班] line 2", "1班 and 2班"])),
        ),
        text(
            "several in a cell",
            "list.csv",
            "学号,姓名,班级\n1,Ada,\"7A, 7B\"\n",
            Refuse(&["list.csv:2:3", "7A, 7B", "group_members.csv"]),
        ),
        text(
            "several in a cell",
            "list.csv",
            "学号,姓名,班级\n1,Ada,7A\n2,Bo,7B\n3,Cy,7A、7B\n",
            Hold(
                &["1 Ada", "2 Bo", "3 Cy", "1 in 7A", "2 in 7B", "3 in 7A", "3 in 7B"],
                &["one membership each"],
            ),
        ),
        text(
            "several in a cell",
            "list.csv",
            "学号,姓名,班级\n1,Ada,7C\n2,Bo,7C\n3,Cy,7A/7B\n",
            Refuse(&["list.csv:4:3"]),
        ),
        text(
            "alike ids",
            "list.csv",
            "学号,姓名\nA1,Ada\na1,Bo\n",
            Hold(&["A1 Ada", "a1 Bo"], &["A1 (list.csv line 2) and a1 (list.csv line 3)"]),
        ),
        text(
            "alike ids",
            "list.csv",
            "学号,姓名,班级\n1,Ada,7A\n2,Bo,7a\n",
            Hold(
                &["1 Ada", "2 Bo", "1 in 7A", "2 in 7a"],
                &["7A (list.csv line 2) and 7a (list.csv line 3)"],
            ),
        ),
        text(
            "alike ids",
            "list.csv",
            "学号,姓名,班级\n1,Ada,7 A\n2,Bo,7A\n",
            Hold(&["1 Ada", "2 Bo", "1 in 7 A", "2 in 7A"], &["capitals or blanks"]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_stands_around_a_table_is_left_out_and_told() {
    let head: &[&str] = &["学号", "姓名"];
    let two: &[&str] = &["1 王", "2 李"];
    let both: &[&str] = &["1 王", "2 李", "1 in A", "2 in B"];
    let of_two = |second: Sheet<'_>| two_sheets(sheet("A", &[head, &["1", "王"]]), second);
    let hidden = |name: &'static str| Sheet {
        is_hidden: true,
        ..sheet(name, &[&["学号", "姓名"], &["9", "去年"]])
    };
    all_hold(vec![
        bytes(
            "second sheet",
            ("a.xlsx", of_two(sheet("B", &[head, &["2", "李"]]))),
            (Plainly, Hold(Vec::leak(both.to_vec()), &[])),
        ),
        bytes(
            "second sheet",
            ("a.xlsx", of_two(sheet("B", &[head, &["2", "李"]]))),
            (SheetAlone, Refuse(&["sheet-left-out", "B"])),
        ),
        bytes(
            "second sheet",
            ("a.xlsx", of_two(sheet("B", &[&["2", "李"]]))),
            (Whole, Refuse(&["sheet-left-out", "without a heading"])),
        ),
        bytes(
            "second sheet",
            ("a.xlsx", of_two(sheet("B", &[&["请勿修改"]]))),
            (Plainly, Hold(&["1 王"], &["sheets that were not read: B"])),
        ),
        bytes(
            "hidden sheet",
            ("a.xlsx", two_sheets(hidden("old"), sheet("A", &[head, &["1", "王"]]))),
            (Plainly, Hold(&["1 王"], &["hidden sheets that were not read: old"])),
        ),
        bytes(
            "hidden sheet",
            ("a.xlsx", two_sheets(sheet("A", &[head, &["1", "王"]]), hidden("old"))),
            (Whole, Hold(&["1 王"], &["hidden sheets"])),
        ),
        bytes(
            "hidden sheet",
            ("a.xlsx", workbook(&[hidden("old")])),
            (Plainly, Refuse(&["no sheet that is seen", "--sheet"])),
        ),
        text(
            "title rows",
            "list.csv",
            "高一学生名单,\n学号,姓名\n1,王\n2,李\n",
            Hold(Vec::leak(two.to_vec()), &[]),
        ),
        text(
            "title rows",
            "list.csv",
            "某中学,\n2026年秋,\n\n学号,姓名\n1,王\n2,李\n",
            Hold(Vec::leak(two.to_vec()), &[]),
        ),
        text(
            "title rows",
            "list.csv",
            "sep=;\nClass list;\n学号;姓名\n1;王\n2;李\n",
            Hold(Vec::leak(two.to_vec()), &[]),
        ),
        text(
            "totals",
            "list.csv",
            "学号,姓名\n1,王\n2,李\n合计,2人\n",
            Hold(Vec::leak(two.to_vec()), &["are totals were left out: 4"]),
        ),
        text(
            "totals",
            "list.csv",
            "学号,姓名\n1,王\n2,李\nTotal,2\n",
            Hold(Vec::leak(two.to_vec()), &["are totals"]),
        ),
        text(
            "totals",
            "list.csv",
            "学号,姓名\n1,王\n2,李\n班级人数,2\n",
            Hold(Vec::leak(two.to_vec()), &["are totals"]),
        ),
        text(
            "notes below",
            "list.csv",
            "学号,姓名\n1,王\n2,李\n\n制表人：张三,\n",
            Hold(Vec::leak(two.to_vec()), &["are notes"]),
        ),
        text(
            "notes below",
            "list.csv",
            "学号,姓名\n1,王\n2,李\nNote: without guests,\n",
            Hold(Vec::leak(two.to_vec()), &["are notes"]),
        ),
        text(
            "notes below",
            "list.csv",
            "学号,姓名\n1,王\n2,李\n※ 以上,\n",
            Hold(Vec::leak(two.to_vec()), &["are notes"]),
        ),
        text(
            "repeated headers",
            "list.csv",
            "学号,姓名\n1,王\n学号,姓名\n2,李\n",
            Hold(Vec::leak(two.to_vec()), &["repeat the heading were left out: 3"]),
        ),
        text(
            "repeated headers",
            "students.csv",
            "student_id,name\n1,王\n\u{feff}student_id,name\n2,李\n",
            Hold(Vec::leak(two.to_vec()), &["repeat the heading"]),
        ),
        text(
            "repeated headers",
            "list.csv",
            "名单,\n学号,姓名\n1,王\n名单,\n学号,姓名\n2,李\n",
            Hold(Vec::leak(two.to_vec()), &["repeat the heading were left out: 4, 5"]),
        ),
        text(
            "merged cells",
            "list.csv",
            "学号,姓名,班级\n1,王,1班\n2,李,\n3,韩,\n",
            Refuse(&["merged-cells", "fill it in every row"]),
        ),
        text(
            "merged cells",
            "list.csv",
            "学号,姓名,年级,班级\n1,王,高一,1班\n2,李,,\n3,韩,,\n",
            Refuse(&["merged-cells"]),
        ),
        bytes(
            "merged cells",
            (
                "a.xlsx",
                workbook(&[Sheet {
                    merged: &["C2:C3"],
                    ..sheet("A", &[&["学号", "姓名", "班级"], &["1", "王", "1班"], &["2", "李", ""]])
                }]),
            ),
            (Plainly, Hold(&["1 王", "2 李", "1 in 1班", "2 in 1班"], &[])),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_file_that_is_less_or_another_than_before_is_refused_or_told() {
    let korean = encoded("euc-kr", "학번,이름\n1,김민수\n2,이영희\n3,박철수\n");
    let turkish = encoded("windows-1254", "No,Name\n1,Ayşe Yılmaz\n2,Çağrı Şahin\n");
    let czech = encoded("windows-1250", "Student ID,Name\n1,Erdős Pál\n2,Szűcs Ágnes\n");
    let few = "student_id,name,phone,classin_uid,group_code\nS1,A,1,1,G\nS2,B,2,2,G\n";
    let empty = |column: usize| {
        let rows = TEN[2].1.lines().enumerate().map(|(at, line)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if at > 0 {
                cells[column] = "";
            }
            cells.join(",")
        });
        rows.collect::<Vec<_>>().join("\n")
    };
    all_hold(vec![
        bytes(
            "wrong encoding",
            ("list.csv", korean),
            (Plainly, Hold(&["1 김민수", "2 이영희", "3 박철수"], &[])),
        ),
        bytes(
            "wrong encoding",
            ("list.csv", encoded("euc-kr", "Student ID,Name\n1,김민수\n2,이영희\n3,박철수\n")),
            (Plainly, Refuse(&["--encoding"])),
        ),
        bytes("wrong encoding", ("list.csv", turkish), (Plainly, Refuse(&["--encoding"]))),
        bytes("wrong encoding", ("list.csv", czech), (Plainly, Refuse(&["--encoding"]))),
        onto(
            "shrunk file",
            TEN,
            ("students.csv", few),
            (Whole, Refuse(&["8 of 10 students would be marked as having left", "--allow-shrink"])),
        ),
        onto("shrunk file", TEN, ("list.csv", "学号,姓名\nS1,A\n"), (Whole, Refuse(&["9 of 10 students"]))),
        onto(
            "shrunk file",
            TEN,
            ("group_members.csv", "student_id,group_code\nS1,G\n"),
            (Whole, Refuse(&["9 of 10"])),
        ),
        onto(
            "emptied column",
            TEN,
            ("students.csv", &empty(2)),
            (Plainly, Refuse(&["phone", "--allow-shrink"])),
        ),
        onto(
            "emptied column",
            TEN,
            ("students.csv", &empty(3)),
            (Plainly, Refuse(&["classin_uid", "--allow-shrink"])),
        ),
        onto(
            "emptied column",
            TEN,
            ("list.csv", &empty(2).replace("student_id,name,phone", "学号,姓名,手机")),
            (Plainly, Refuse(&["phone"])),
        ),
        onto(
            "changed class",
            CLASSES,
            ("list.csv", "学号,姓名,班级\n1001,王小明,高一2班\n1002,李雷,高一1班\n"),
            (Plainly, Hold(&["1001 王小明", "1002 李雷", "1001 in 高一2班", "1002 in 高一1班"], &[])),
        ),
        onto(
            "changed class",
            CLASSES,
            ("list.csv", "学号,姓名,年级,班级\n1001,王小明,高二,3班\n"),
            (Plainly, Hold(&["1001 王小明", "1002 李雷", "1001 in 高二3班", "1002 in 高一1班"], &[])),
        ),
        onto(
            "changed class",
            CLASSES,
            ("list.csv", "学号,姓名,班级\n1001,王小明,\n1002,李雷,高一2班\n"),
            (
                Plainly,
                Hold(
                    &["1001 王小明", "1002 李雷", "1001 in 高一1班", "1002 in 高一2班"],
                    &["1 row has no group_code"],
                ),
            ),
        ),
        onto(
            "new ids",
            TEN,
            ("list.csv", "序号,学号,姓名\n1,1001,A\n2,1002,B\n3,1003,C\n4,1004,D\n5,1005,E\n"),
            (
                Plainly,
                Hold(
                    &[
                        "1001 A",
                        "1002 B",
                        "1003 C",
                        "1004 D",
                        "1005 E",
                        "S0 J 10 10",
                        "S1 A 1 1",
                        "S2 B 2 2",
                        "S3 C 3 3",
                        "S4 D 4 4",
                        "S5 E 5 5",
                        "S6 F 6 6",
                        "S7 G 7 7",
                        "S8 H 8 8",
                        "S9 I 9 9",
                        "S0 in G",
                        "S1 in G",
                        "S2 in G",
                        "S3 in G",
                        "S4 in G",
                        "S5 in G",
                        "S6 in G",
                        "S7 in G",
                        "S8 in G",
                        "S9 in G",
                    ],
                    &["5 of 5 ids are new to a roster of 10"],
                ),
            ),
        ),
        onto(
            "new ids",
            TEN,
            ("list.csv", "学号,姓名\n01,A\n02,B\n03,C\n04,D\n05,E\n"),
            (Whole, Refuse(&["10 of 10 students"])),
        ),
        onto(
            "new ids",
            BARE,
            ("list.csv", "学号,姓名\nX1,A\nX2,B\nX3,C\nX4,D\nX5,E\n"),
            (
                Plainly,
                Hold(
                    &[
                        "123 Ada",
                        "124 Bo",
                        "X1 A",
                        "X2 B",
                        "X3 C",
                        "X4 D",
                        "X5 E",
                        "123 in 701",
                        "124 in 701",
                    ],
                    &["5 of 5 ids are new to a roster of 2"],
                ),
            ),
        ),
        text(
            "text under another name",
            "list.xls",
            "学号\t姓名\n1\t王\n",
            Hold(&["1 王"], &["is text under the name of a workbook"]),
        ),
        text(
            "text under another name",
            "list.xls",
            "<html><table><tr><td>1</td></tr></table></html>",
            Refuse(&["HTML", "save it as .xlsx"]),
        ),
        text("text under another name", "list.xlsx", "<?xml version=\"1.0\"?><Workbook/>", Refuse(&["XML"])),
        text("quotes and rows", "list.csv", "学号,姓名\n1,\"王\n2,李\n3,韩\n", Refuse(&["open-quote"])),
        text(
            "quotes and rows",
            "students.csv",
            "student_id,name,phone\nS1,Ada,1\nS2,B",
            Refuse(&["cut-off"]),
        ),
        text("quotes and rows", "list.csv", "学号,姓名\n", Refuse(&["no-rows"])),
    ])
    .await;
}
