//! Several sheets, and several files, of one school: their grades, summaries, and people who have left.

use super::workbook::{Sheet, workbook};
use super::*;

const ZH: &[&str] = &["学号", "姓名", "班级"];
const EN: &[&str] = &["Student ID", "Name", "Class"];
const SHORT: &[&str] = &["学号", "姓名"];

fn sheet<'s>(name: &'s str, rows: &'s [&'s [&'s str]]) -> Sheet<'s> {
    Sheet { name, rows, ..Sheet::default() }
}

/// The memberships of a workbook of these sheets, which is good.
fn members(sheets: &[Sheet<'_>]) -> Vec<String> {
    let found = read_one("list.xlsx", workbook(sheets));
    found.is_good();
    found.members
}

#[test]
fn a_class_on_a_sheet_that_is_called_after_a_grade_is_a_class_of_that_grade() {
    let sheets = [sheet("高一", &[ZH, &["1", "甲", "1班"]]), sheet("高二", &[ZH, &["2", "乙", "1班"]])];
    assert_eq!(members(&sheets), ["1 in 高一1班", "2 in 高二1班"]);
    let said = read_one("list.xlsx", workbook(&sheets)).messages();
    assert!(said.contains("list.xlsx[高一]: the grade 高一 stands in the name of the sheet and not in the class: 1班 is read as 高一1班"), "{said}");

    let english = [
        sheet("Year 7", &[EN, &["1", "A", "A"]]),
        sheet("Year 8", &[EN, &["2", "B", "A"], &["3", "C", "8B"]]),
    ];
    assert_eq!(members(&english), ["1 in Year 7A", "2 in Year 8A", "3 in 8B"]);

    // Chosen alone it is the same class.
    let desk = Desk::new();
    let path = desk.put("list.xlsx", workbook(&sheets));
    let options =
        |sheet_is| CsvOptions { sheets: vec!["高一".to_owned()], sheet_is, ..CsvOptions::default() };
    assert_eq!(
        read(vec![path.clone()], options(csv_files::SheetIs::Auto)).is_good().members,
        ["1 in 高一1班"]
    );
    assert_eq!(read(vec![path], options(csv_files::SheetIs::Nothing)).is_good().members, ["1 in 1班"]);
}

#[test]
fn a_class_that_says_its_grade_stays_as_it_is_on_a_sheet_of_a_grade() {
    let sheets = [
        sheet("高一", &[ZH, &["1", "甲", "高一(1)班"]]),
        sheet("2025级", &[ZH, &["2", "乙", "高二1班"]]),
        sheet("七年级", &[ZH, &["3", "丙", "701"]]),
    ];
    assert_eq!(members(&sheets), ["1 in 高一(1)班", "2 in 高二1班", "3 in 701"]);
    assert!(!read_one("list.xlsx", workbook(&sheets)).messages().contains("the grade"), "nothing to tell");
}

#[test]
fn a_title_above_the_heading_or_the_name_of_a_file_says_the_grade_of_its_classes() {
    let titles = [
        sheet("Sheet1", &[&["高一年级名单"], ZH, &["1", "甲", "1"]]),
        sheet("Sheet2", &[&["高二年级名单"], ZH, &["2", "乙", "1"]]),
    ];
    assert_eq!(members(&titles), ["1 in 高一年级1", "2 in 高二年级1"]);

    let desk = Desk::new();
    let one = |rows: &[&[&str]]| workbook(&[Sheet { name: "Sheet1", rows, ..Sheet::default() }]);
    let paths = vec![
        desk.put("高一.xlsx", one(&[ZH, &["1", "甲", "1班"]])),
        desk.put("高二.xlsx", one(&[ZH, &["2", "乙", "1班"]])),
        desk.put("Year 9 2026.csv", "Student ID,Name,Class\n3,C,A\n"),
    ];
    let found = read(paths, CsvOptions::default());
    assert_eq!(found.is_good().members, ["1 in 高一1班", "2 in 高二1班", "3 in Year 9A"]);

    // What the admin maps is the group as it stands there.
    let path = desk.put("高三.csv", "学号,姓名,班级\n4,丁,1班\n");
    assert_eq!(read(vec![path], mapped(&[("group_code", "班级")])).is_good().members, ["4 in 1班"]);
}

#[test]
fn one_class_of_two_sheets_that_are_no_grades_is_refused_with_both_places() {
    for (first, second) in [("理科", "文科"), ("男生", "女生"), ("Sheet1", "Sheet2")] {
        let sheets = [
            sheet(first, &[ZH, &["1", "甲", "1班"]]),
            sheet(second, &[ZH, &["2", "乙", "2班"], &["3", "丙", "1班"]]),
        ];
        let found = read_one("list.xlsx", workbook(&sheets));
        assert_eq!(found.problems(), [(3, 1, "class-of-two-sheets")]);
        let said = found.messages();
        let places = format!("the class 1班 stands here in row 3 and on list.xlsx[{first}] in row 2");
        assert!(said.contains(&places) && said.contains("--sheet-is nothing"), "{said}");

        let desk = Desk::new();
        let path = desk.put("list.xlsx", workbook(&sheets));
        let options = CsvOptions { sheet_is: csv_files::SheetIs::Nothing, ..CsvOptions::default() };
        assert_eq!(read(vec![path], options).is_good().members, ["1 in 1班", "2 in 2班", "3 in 1班"]);
    }
    // Classes with their grade go on from sheet to sheet.
    let sheets = [sheet("Sheet1", &[EN, &["1", "A", "7A"]]), sheet("Sheet2", &[EN, &["2", "B", "7A"]])];
    assert_eq!(members(&sheets), ["1 in 7A", "2 in 7A"]);
}

#[test]
fn a_class_beside_a_stage_a_year_of_entry_or_a_profession_is_read_within_them() {
    for (heading, rows, groups) in [
        ("入学年份", "1,甲,2024,1班\n2,乙,2025,1班\n", ["1 in 2024级1班", "2 in 2025级1班"]),
        ("级", "1,甲,2024级,1班\n2,乙,2025级,1班\n", ["1 in 2024级1班", "2 in 2025级1班"]),
        ("专业", "1,甲,汽修,1班\n2,乙,会计,1班\n", ["1 in 汽修1班", "2 in 会计1班"]),
        ("学段", "1,甲,初中,1班\n2,乙,高中,1班\n", ["1 in 初中1班", "2 in 高中1班"]),
        ("专业", "1,甲,汽修,汽修2401班\n2,乙,会计,高一(1)班\n", ["1 in 汽修2401班", "2 in 高一(1)班"]),
    ] {
        let found = read_one("list.csv", format!("学号,姓名,{heading},班级\n{rows}"));
        assert_eq!(found.is_good().members, groups, "{heading}");
        assert!(found.messages().contains(&format!("are read within {heading}")), "{}", found.messages());
    }
    let found = read_one("list.csv", "学号,姓名,入学年份,年级,专业,班级\n1,甲,2024,高一,汽修,1班\n");
    assert_eq!(found.is_good().members, ["1 in 高一汽修1班"], "a grade says more than a year");
    // As merged cells leave it.
    let found = read_one("list.csv", "学号,姓名,专业,班级\n1,甲,汽修,1班\n2,乙,,1班\n3,丙,,1班\n");
    assert_eq!(found.problems(), [(1, 3, "merged-cells")]);
}

#[test]
fn a_sheet_of_people_who_have_left_is_not_read_beside_others() {
    let desk = Desk::new();
    for name in ["已毕业", "转学", "备份", "Left", "Inactive", "Old", "Template", "Bajas", "卒業生", "2025届"]
    {
        let sheets = [
            sheet("1班", &[SHORT, &["1", "甲"]]),
            sheet("2班", &[SHORT, &["2", "乙"]]),
            sheet(name, &[SHORT, &["91", "走"]]),
        ];
        let path = desk.put("list.xlsx", workbook(&sheets));
        for whole in [false, true] {
            let (paths, options) = (vec![path.clone()], CsvOptions { whole, ..CsvOptions::default() });
            let found = come_of(move |sink| csv_files::read(on_a_day(sink), &paths, &options));
            found.is_good();
            assert_eq!(found.members, ["1 in 1班", "2 in 2班"], "{name}");
            let note = format!(
                "sheets of people who have left, or of samples, by their names, that were not read: {name}"
            );
            assert!(found.messages().contains(&note), "{}", found.messages());
        }
    }
    // Those who leave this year are here, and alone any sheet is read.
    let path = desk.put(
        "list.xlsx",
        workbook(&[sheet("2026届", &[SHORT, &["1", "甲"]]), sheet("2027届", &[SHORT, &["2", "乙"]])]),
    );
    let found = come_of(move |sink| csv_files::read(on_a_day(sink), &[path], &CsvOptions::default()));
    assert_eq!(found.is_good().members, ["1 in 2026届", "2 in 2027届"]);
    assert_eq!(
        read_one("list.xlsx", workbook(&[sheet("备份", &[SHORT, &["1", "甲"]])])).is_good().students.len(),
        1
    );
}

pub(super) fn on_a_day(sink: &mut RowSink) -> &mut RowSink {
    let placeholder = RowSink::new(tokio::sync::mpsc::channel(1).0, Arc::default());
    *sink = std::mem::replace(sink, placeholder).on(jiff::civil::date(2026, 11, 28));
    sink
}

#[test]
fn a_sheet_that_sums_up_the_sheets_of_classes_makes_no_group_and_no_second_row() {
    let all: &[&[&str]] = &[SHORT, &["1", "甲"], &["2", "乙"], &["3", "丙"]];
    let classes = [sheet("1班", &[SHORT, &["1", "甲"], &["2", "乙"]]), sheet("2班", &[SHORT, &["3", "丙"]])];
    let desk = Desk::new();
    for (name, whole) in
        [("汇总", false), ("All students", true), ("Gesamt", false), ("Total", true), ("名册", true)]
    {
        let [first, second] = &classes;
        let again = |of: &Sheet<'static>| Sheet { name: of.name, rows: of.rows, ..Sheet::default() };
        let bytes = workbook(&[sheet(name, all), again(first), again(second)]);
        let path = desk.put("list.xlsx", bytes);
        let found = read(vec![path.clone()], CsvOptions { whole, ..CsvOptions::default() });
        found.is_good();
        assert_eq!(found.members, ["1 in 1班", "2 in 1班", "3 in 2班"], "{name}");
        assert_eq!(found.students.len(), 3, "{name}");
        let note = format!("the sheet {name} sums up the others, and was not read");
        assert!(found.messages().contains(&note), "{}", found.messages());

        let sheets = vec!["1班".to_owned(), "2班".to_owned()];
        let found = read(vec![path], CsvOptions { whole: true, sheets, ..CsvOptions::default() });
        assert_eq!(
            found.is_good().members,
            ["1 in 1班", "2 in 1班", "3 in 2班"],
            "{name}: nobody would leave with it"
        );
    }
}

#[test]
fn a_summary_is_read_for_what_it_alone_says_and_one_with_other_people_is_no_summary() {
    let classes = || [sheet("1班", &[SHORT, &["1", "甲"]]), sheet("2班", &[SHORT, &["2", "乙"]])];
    let [first, second] = classes();
    let phones =
        sheet("汇总", &[&["学号", "姓名", "手机"], &["1", "甲", "13800000001"], &["2", "乙", "13800000002"]]);
    let found = read_one("list.xlsx", workbook(&[first, second, phones]));
    found.is_good();
    assert_eq!(found.members, ["1 in 1班", "2 in 2班"]);
    assert!(found.students.contains(&"1 甲 - 13800000001 -".to_owned()), "{:?}", found.students);
    assert!(found.messages().contains("read for its further columns"), "{}", found.messages());

    // Its classes are those of the others, and no others of another grade.
    let first = sheet("1班", &[ZH, &["1", "甲", "1班"]]);
    let second = sheet("2班", &[ZH, &["2", "乙", "2班"]]);
    let all = sheet(
        "汇总",
        &[
            &["学号", "姓名", "班级", "手机"],
            &["1", "甲", "1班", "13800000001"],
            &["2", "乙", "2班", "13800000002"],
        ],
    );
    let found = read_one("list.xlsx", workbook(&[first, second, all]));
    assert_eq!(found.is_good().members, ["1 in 1班", "2 in 2班", "1 in 1班", "2 in 2班"]);

    // Some of the others: a choir and no summary. It stays a group.
    let [first, second] = classes();
    let choir = sheet("合唱团", &[SHORT, &["1", "甲"]]);
    let found = read_one("list.xlsx", workbook(&[first, second, choir]));
    assert_eq!(found.members, ["1 in 1班", "2 in 2班", "1 in 合唱团"]);

    let desk = Desk::new();
    let [first, second] = classes();
    let more = sheet("汇总", &[SHORT, &["1", "甲"], &["2", "乙"], &["3", "丙"]]);
    let path = desk.put("list.xlsx", workbook(&[first, second, more]));
    let sheets = vec!["1班".to_owned(), "2班".to_owned()];
    let found = read(vec![path.clone()], CsvOptions { whole: true, sheets, ..CsvOptions::default() });
    assert_eq!(found.problems(), [(1, 1, "sheet-left-out")], "somebody would leave");
    let found = read(vec![path], CsvOptions::default());
    assert_eq!(found.is_good().members, ["1 in 1班", "2 in 2班"], "its name is no class");
    assert_eq!(found.students.len(), 5);
}

#[test]
fn what_a_spreadsheet_spoiled_of_a_class_is_found_before_its_grade_is_joined() {
    for class in ["#2:46083", "2-Mar", "3月2日", "2026/3/2", "7:02:00", "TRUE", "#N/A", "13800000001", "〃"]
    {
        let rows: &[&[&str]] = &[ZH, &["1", "甲", "1班"], &["2", "乙", class]];
        let found = read_one("list.xlsx", workbook(&[sheet("高一", rows)]));
        assert_eq!(found.problems().len(), 1, "{class}: {:?} {}", found.members, found.messages());
        for (heading, value) in [("年级", "高一"), ("专业", "汽修")] {
            if class.starts_with("#2") {
                continue;
            }
            let text = format!("学号,姓名,{heading},班级\n1,甲,{value},1班\n2,乙,{value},{class}\n");
            let found = read_one("list.csv", text);
            assert_eq!(found.problems().len(), 1, "{heading} {class}: {:?}", found.members);
        }
    }
}

#[test]
fn a_class_that_a_spreadsheet_protected_is_joined_as_it_was() {
    let found = read_one("高一.csv", "学号,姓名,班级\n1,甲,\"=\"\"1\"\"\"\n2,乙,'2\n");
    assert_eq!(found.is_good().members, ["1 in 高一1", "2 in 高一2"]);
    // What a program made of a number is not the same class on two sheets.
    let sheets = [sheet("高一", &[ZH, &["1", "甲", "1.0"]]), sheet("高二", &[ZH, &["2", "乙", "1.0"]])];
    assert_eq!(read_one("list.xlsx", workbook(&sheets)).problems(), [(2, 1, "class-of-two-sheets")]);
}

#[test]
fn a_heading_that_is_repeated_in_other_words_is_none_of_the_people_of_a_sheet() {
    const AGAIN: &[&str] = &["学籍号", "学生姓名", "所在班级"];
    const SHORT_AGAIN: &[&str] = &["学籍号", "学生姓名"];
    let grade = sheet("高一", &[ZH, &["1", "甲", "1班"], AGAIN, &["2", "乙", "2班"]]);
    assert_eq!(members(&[grade]), ["1 in 高一1班", "2 in 高一2班"]);
    let first = sheet("1班", &[SHORT, &["1", "甲"], SHORT_AGAIN, &["2", "乙"]]);
    let second = sheet("2班", &[SHORT, &["3", "丙"]]);
    assert_eq!(members(&[first, second]), ["1 in 1班", "2 in 1班", "3 in 2班"]);
}
