//! Workbooks: read as their sheets show them, all sheets of one form, merged cells filled.

use super::workbook::{Sheet, workbook};
use super::*;

const HEADING: &[&str] = &["学号", "姓名", "班级"];

#[test]
fn a_sheet_of_students_without_known_headings_is_not_left_out_of_a_whole_roster() {
    let first: &[&[&str]] = &[&["学号", "姓名"], &["20260001", "王小明"], &["20260002", "李雷"]];
    let desk = Desk::new();
    for (other, is_refused) in [
        // It goes on without a heading.
        (&[&["20260003", "韩梅梅"][..], &["20260004", "林涛"]][..], true),
        (&[&["编码", "姓名"], &["20260003", "韩梅梅"]], true),
        // Marks of the same people, and something else.
        (&[&["编码", "姓名", "成绩"], &["20260001", "王小明", "95"]], false),
        (&[&["说明"], &["请于周五前交回"]], false),
        (&[&["教室", "人数"], &["A101", "45"]], false),
    ] {
        let sheets = [
            Sheet { name: "初一", rows: first, ..Sheet::default() },
            Sheet { name: "初二", rows: other, ..Sheet::default() },
        ];
        let options = CsvOptions { whole: true, ..CsvOptions::default() };
        let found = read(vec![desk.put("list.xlsx", workbook(&sheets))], options);
        let is_left_out = found.problems().iter().any(|(_, _, code)| *code == "sheet-left-out");
        assert_eq!(is_left_out, is_refused, "{other:?}: {}", found.messages());
    }
}

#[test]
fn sheets_whose_mapped_heading_differs_in_case_are_of_one_form() {
    let [first, second]: [&[&[&str]]; 2] =
        [&[&["Nr", "Full", "Class"], &["1", "Ann", "7A"]], &[&["NR", "Full", "Class"], &["2", "Bea", "7B"]]];
    let sheets = [
        Sheet { name: "A", rows: first, ..Sheet::default() },
        Sheet { name: "B", rows: second, ..Sheet::default() },
    ];
    let desk = Desk::new();
    let options = mapped(&[("student_id", "Nr"), ("name", "Full")]);
    let found = read(vec![desk.put("list.xlsx", workbook(&sheets))], CsvOptions { whole: true, ..options });
    assert_eq!(found.is_good().students, ["1 Ann - - -", "2 Bea - - -"]);
}

#[test]
fn sheets_that_are_named_by_a_number_are_the_classes_of_their_students() {
    let [first, second]: [&[&[&str]]; 2] =
        [&[&["学号", "姓名"], &["20260001", "王小明"]], &[&["学号", "姓名"], &["20260002", "李雷"]]];
    let sheets = [
        Sheet { name: "701", rows: first, ..Sheet::default() },
        Sheet { name: "702", rows: second, ..Sheet::default() },
    ];
    let found = read_one("list.xlsx", workbook(&sheets));
    assert_eq!(found.is_good().members, ["20260001 in 701", "20260002 in 702"]);
}

#[test]
fn all_sheets_of_one_form_are_read_and_their_names_are_the_groups() {
    let heading = &["学号", "姓名"][..];
    let bytes = workbook(&[
        Sheet { name: "说明", rows: &[&["请勿修改"]], ..Sheet::default() },
        Sheet {
            name: "高一1班", rows: &[&["高一1班名单"], heading, &["1", "王小明"]], ..Sheet::default()
        },
        Sheet {
            name: "高一2班", rows: &[&["高一2班名单"], heading, &["2", "李雷"]], ..Sheet::default()
        },
        Sheet { name: "教师", rows: &[&["工号", "姓名"], &["T1", "王老师"]], ..Sheet::default() },
        Sheet { name: "去年", rows: &[heading, &["9", "韩梅梅"]], is_hidden: true, ..Sheet::default() },
    ]);
    let found = read_one("名单.xlsx", &bytes);
    found.is_good();
    assert_eq!(found.students, ["1 王小明 - - -", "2 李雷 - - -"]);
    assert_eq!(found.members, ["1 in 高一1班", "2 in 高一2班"]);
    let said = found.messages();
    assert!(
        said.contains("sheets that were not read: 说明, 教师") && said.contains("hidden sheets"),
        "{said}"
    );

    let desk = Desk::new();
    let path = desk.put("名单.xlsx", &bytes);
    let options = CsvOptions { sheets: vec!["高一1班".to_owned()], whole: true, ..CsvOptions::default() };
    let found = read(vec![path], options);
    assert_eq!(found.problems(), [(1, 1, "sheet-left-out")]);
    assert!(found.messages().contains("高一2班"), "{}", found.messages());
}

#[test]
fn a_sheet_whose_headings_are_written_otherwise_is_read_and_with_bulk_none_is_left_out() {
    let sheets = |second: &'static [&'static str], row: &'static [&'static [&'static str]]| {
        let rows: Vec<&[&str]> = std::iter::once(second).chain(row.iter().copied()).collect();
        let rows: &'static [&'static [&'static str]] = Vec::leak(rows);
        workbook(&[
            Sheet { name: "1班", rows: &[&["学号", "姓名"], &["1", "王"]], ..Sheet::default() },
            Sheet { name: "2班", rows, ..Sheet::default() },
        ])
    };
    for second in
        [&["学 号", "姓  名"][..], &["学籍号", "姓名"], &["学号", "学生姓名"], &["学号（8位）", "姓名*"]]
    {
        let found = read_one("名单.xlsx", sheets(second, &[&["2", "李"]]));
        found.is_good();
        assert_eq!(found.members, ["1 in 1班", "2 in 2班"], "{second:?}");
    }
    let desk = Desk::new();
    let bulk = || CsvOptions { whole: true, ..CsvOptions::default() };
    let path = desk.put("half.xlsx", sheets(&["编码", "姓名", "手机"], &[&["2", "李", "138"]]));
    let found = read(vec![path], bulk());
    assert_eq!(found.problems(), [(1, 1, "sheet-left-out")], "{}", found.messages());
    let path = desk.put("empty.xlsx", sheets(&["学号", "姓名"], &[]));
    assert_eq!(read(vec![path], bulk()).problems(), [(1, 1, "no-rows")]);
}

#[test]
fn a_sheet_of_teachers_that_comes_first_leaves_no_student_out() {
    let bytes = workbook(&[
        Sheet { name: "教师", rows: &[&["工号", "姓名"], &["T1", "王老师"]], ..Sheet::default() },
        Sheet { name: "1班", rows: &[&["学号", "姓名"], &["1", "王"]], ..Sheet::default() },
    ]);
    let desk = Desk::new();
    let path = desk.put("名单.xlsx", bytes);
    let found = read(vec![path], CsvOptions { whole: true, ..CsvOptions::default() });
    found.is_good();
    assert_eq!(found.students, ["1 王 - - -"]);
}

#[test]
fn a_number_is_read_as_its_format_shows_it_and_a_date_is_no_code() {
    let bytes = workbook(&[Sheet {
        name: "Sheet1",
        rows: &[
            HEADING,
            &["#1:123", "王", "1班"],
            &["#1:45678", "李", "#2:46083"],
            &["#3:0.5", "韩", "2班"],
            &["#0:4", "张", "#0:7.1"],
        ],
        ..Sheet::default()
    }]);
    let found = read_one("名单.xlsx", bytes);
    assert_eq!(found.problems(), [(3, 3, "date"), (4, 1, "format")]);
    assert_eq!(found.students, ["00123 王 - - -", "4 张 - - -"]);
    assert_eq!(found.members, ["00123 in 1班", "4 in 7.1"]);
    assert!(found.messages().contains("a date (2026-03-02)"), "{}", found.messages());
}

#[test]
fn a_merged_class_cell_is_the_class_of_all_its_rows() {
    let bytes = workbook(&[Sheet {
        name: "Sheet1",
        rows: &[
            &["名单"],
            HEADING,
            &["1", "王", "1班"],
            &["2", "李"],
            &["3", "韩"],
            &["4", "张", "2班"],
            &["合计", "4人"],
        ],
        merged: &["A1:C1", "C3:C5"],
        is_hidden: false,
    }]);
    let found = read_one("名单.xlsx", bytes);
    found.is_good();
    assert_eq!(found.members, ["1 in 1班", "2 in 1班", "3 in 1班", "4 in 2班"]);
}

#[test]
fn workbooks_of_another_writer_are_read_as_they_show_themselves() {
    let map = [("student_id", "Nr"), ("name", "Name")];
    for (name, students, members, problems) in [
        ("five-digits", &["00123 Ann - 07700900123 -", "45678 Bea - 07700900124 -"][..], &[][..], &[][..]),
        ("four-digits", &["0123 Ann - - -", "0456 Bea - - -"], &[], &[]),
        ("decimals", &["S1 Ann - - -", "S2 Bea - - -"], &["S1 in 7.10", "S2 in 7.1"], &[]),
        (
            "one-cell-for-three",
            &["S1 Ann - - -", "S2 Bea - - -", "S3 Cid - - -"],
            &["S1 in 7A", "S2 in 7A", "S3 in 7A"],
            &[],
        ),
        ("date-class", &["S2 Bea - - -"], &["S2 in 3-10"], &[(2, 3, "date")]),
        ("time-class", &[], &[], &[(2, 3, "date")]),
        ("date-id", &[], &[], &[(2, 1, "date")]),
    ] {
        let path = format!("{}/tests/fixtures/{name}.xlsx", env!("CARGO_MANIFEST_DIR"));
        let phone = (name == "five-digits").then_some(("phone", "Phone"));
        let pairs: Vec<_> = map.into_iter().chain(phone).collect();
        let found = read(vec![path.into()], mapped(&pairs));
        assert_eq!(found.problems(), problems, "{name}: {}", found.messages());
        assert_eq!(found.students, students, "{name}");
        assert_eq!(found.members, members, "{name}");
    }
}

#[test]
fn a_sheet_of_open_document_is_read_as_it_shows_itself() {
    let content = concat!(
        "<office:document-content><office:automatic-styles><style:style style:name=\"off\"><style:table-properties ",
        "table:display=\"false\"/></style:style></office:automatic-styles><office:body><office:spreadsheet>",
        "<table:table table:name=\"old\" table:style-name=\"off\"><table:table-row/></table:table>",
        "<table:table table:name=\"list\">",
        "<table:table-row><table:table-cell><text:p>学号</text:p></table:table-cell><table:table-cell><text:p>姓名</text:p>",
        "</table:table-cell><table:table-cell><text:p>班级</text:p></table:table-cell></table:table-row>",
        "<table:table-row><table:table-cell office:value-type=\"float\" office:value=\"123\"><text:p>00123</text:p></table:table-cell>",
        "<table:table-cell office:value-type=\"string\"><office:annotation><text:p>note</text:p></office:annotation>",
        "<text:p>王<text:s/>明</text:p></table:table-cell><table:table-cell table:number-rows-spanned=\"2\"><text:p>1班</text:p>",
        "</table:table-cell></table:table-row>",
        "<table:table-row><table:table-cell office:value-type=\"float\" office:value=\"124\"><text:p>00124</text:p></table:table-cell>",
        "<table:table-cell><text:p>李 &amp; 雷</text:p></table:table-cell><table:covered-table-cell/></table:table-row>",
        "<table:table-row table:number-rows-repeated=\"1048573\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>",
        "</table:table></office:spreadsheet></office:body></office:document-content>",
    );
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, content.as_bytes()).unwrap();
    let found = read_one("list.ods", archive.finish().unwrap().into_inner());
    found.is_good();
    assert_eq!(found.students, ["00123 王 明 - - -", "00124 李 & 雷 - - -"]);
    assert_eq!(found.members, ["00123 in 1班", "00124 in 1班"]);
}

#[test]
fn a_sheet_that_is_chosen_of_several_still_names_the_class_of_its_students() {
    let heading = &["学号", "姓名"][..];
    let bytes = workbook(&[
        Sheet { name: "高一1班", rows: &[heading, &["1", "王小明"]], ..Sheet::default() },
        Sheet { name: "高一2班", rows: &[heading, &["2", "李雷"]], ..Sheet::default() },
    ]);
    let desk = Desk::new();
    let path = desk.put("名单.xlsx", bytes);
    let found = read(vec![path], CsvOptions { sheets: vec!["高一2班".to_owned()], ..CsvOptions::default() });
    found.is_good();
    assert_eq!(found.members, ["2 in 高一2班"]);
}

#[test]
fn beside_sheets_of_groups_and_members_a_sheet_of_any_name_holds_the_students() {
    let bytes = workbook(&[
        Sheet { name: "Sheet1", rows: &[&["student_id", "name"], &["S1", "Ann"]], ..Sheet::default() },
        Sheet { name: "groups", rows: &[&["group_code", "title"], &["G1", "One"]], ..Sheet::default() },
        Sheet {
            name: "group_members",
            rows: &[&["student_id", "group_code"], &["S1", "G1"]],
            ..Sheet::default()
        },
    ]);
    let found = read_one("students.xlsx", bytes);
    found.is_good();
    assert_eq!(
        (found.students, found.members),
        (vec!["S1 Ann - - -".to_owned()], vec!["S1 in G1".to_owned()])
    );
}

#[test]
fn with_bulk_a_sheet_of_the_form_in_other_capitals_is_read_and_one_without_a_heading_is_an_error() {
    let sheets = |second: &'static [&'static [&'static str]]| {
        workbook(&[
            Sheet { name: "A", rows: &[&["Nr", "Full", "Class"], &["1", "Ann", "7A"]], ..Sheet::default() },
            Sheet { name: "B", rows: second, ..Sheet::default() },
        ])
    };
    let pairs = vec![("student_id".to_owned(), "Nr".to_owned()), ("name".to_owned(), "Full".to_owned())];
    let options = || CsvOptions { whole: true, map: ColumnMap::new(pairs.clone()), ..CsvOptions::default() };
    let desk = Desk::new();
    let path = desk.put("case.xlsx", sheets(&[&["NR", "FULL", "Class"], &["2", "Bo", "7B"]]));
    let found = read(vec![path], options());
    found.is_good();
    assert_eq!(found.students.len(), 2, "{:?}", found.students);
    const BARE: [&[&[&str]]; 2] =
        [&[&["2", "Bo", "7B"], &["3", "Cy", "7B"]], &[&["7B list"], &["2", "Bo"], &["3", "Cy"]]];
    for second in BARE {
        let path = desk.put("bare.xlsx", sheets(second));
        let found = read(vec![path], options());
        assert_eq!(found.problems(), [(1, 1, "sheet-left-out")]);
        assert!(found.messages().contains("the sheet B seems to go on"), "{}", found.messages());
    }
    let path = desk.put("words.xlsx", sheets(&[&["Read me"], &["1", "first rule 1"], &["Class", "Room 12"]]));
    read(vec![path], options()).is_good();
}
