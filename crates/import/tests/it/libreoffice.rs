//! Workbooks that LibreOffice wrote: styles, merged cells, dates and formulas are a spreadsheet program's own.
//! `tests/fixtures/libreoffice/make.sh` makes them from the sources beside it.

use super::*;

fn fixture(name: &str) -> PathBuf {
    format!("{}/tests/fixtures/libreoffice/{name}", env!("CARGO_MANIFEST_DIR")).into()
}

fn read_fixture(name: &str) -> Read {
    read(vec![fixture(name)], CsvOptions::default())
}

#[test]
fn an_office_list_with_title_date_merged_classes_and_a_counted_total_goes_in() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("grade-list.{kind}"));
        found.is_good();
        let students = [
            "02026001 王小明 - 13800000001 -",
            "02026002 李雷 - 13800000002 -",
            "02026003 韩梅梅 - 13800000003 -",
        ];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        assert_eq!(
            found.members,
            ["02026001 in 高一1班", "02026002 in 高一1班", "02026003 in 高一2班"],
            "{kind}"
        );
        let said = found.messages();
        assert!(
            said.contains("are totals were left out: 7") && said.contains("notes were left out: 9"),
            "{said}"
        );
    }
}

#[test]
fn an_office_list_with_merged_grades_and_classes_and_its_heading_on_each_page_goes_in() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("grade-and-class.{kind}"));
        found.is_good();
        let students = [
            "02026001 王小明 男 - -",
            "02026002 李雷 男 - -",
            "02026003 韩梅梅 女 - -",
            "02025001 张伟 男 - -",
        ];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        let members =
            ["02026001 in 高一1班", "02026002 in 高一1班", "02026003 in 高一2班", "02025001 in 高二1班"];
        assert_eq!(found.members, members, "{kind}");
    }
}

#[test]
fn an_office_list_of_an_examination_with_wide_digits_and_signatures_goes_in() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("exam-list.{kind}"));
        found.is_good();
        let students = ["02026001 王小明 - 13800000001 -", "02026002 李雷 - 13800000002 -"];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        assert_eq!(found.members, ["02026001 in 高一1班", "02026002 in 高一1班"], "{kind}");
    }
}

#[test]
fn a_workbook_with_one_sheet_a_class_goes_in() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("one-sheet-a-class.{kind}"));
        found.is_good();
        let students = ["02026001 王小明 男 - -", "02026002 李雷 男 - -", "02026003 韩梅梅 男 - -"];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        assert_eq!(
            found.members,
            ["02026001 in 高一1班", "02026002 in 高一1班", "02026003 in 高一2班"],
            "{kind}"
        );
        let said = found.messages();
        assert!(said.contains("填写说明") && said.contains("hidden"), "{said}");
    }
    // An .xls says numbers without their formats, and the import says so.
    let found = read_fixture("one-sheet-a-class.xls");
    found.is_good();
    assert_eq!(found.students.len(), 3, "{:?}", found.students);
    assert!(found.messages().contains("an .xls says numbers without their formats"), "{}", found.messages());
}

#[test]
fn an_english_workbook_with_one_sheet_a_class_and_an_overview_goes_in() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("classes-of-a-year.{kind}"));
        found.is_good();
        let students = [
            "00001001 Ada Lovelace - 07700900123 -",
            "00001002 Bo Li - 07700900124 -",
            "00001003 Ida Okafor - 07700900125 -",
        ];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        assert_eq!(found.members, ["00001001 in 7A", "00001002 in 7A", "00001003 in 7B"], "{kind}");
        assert!(found.messages().contains("Overview"), "{}", found.messages());
    }
}

#[test]
fn a_heading_of_two_lines_with_merged_cells_goes_in_without_the_parents() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("two-line-heading.{kind}"));
        found.is_good();
        let students =
            ["02026001 王小明 - 13800000001 ming@example.org", "02026002 李雷 - 13800000002 lei@example.org"];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        assert_eq!(found.members, ["02026001 in 高一1班", "02026002 in 高一1班"], "{kind}");
    }
}

#[test]
fn a_class_that_became_a_date_is_refused() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("date-class.{kind}"));
        assert_eq!(found.problems(), [(2, 3, "date")], "{kind}: {}", found.messages());
        assert_eq!(found.members, ["02026002 in 3-10"], "{kind}");
    }
}

#[test]
fn a_text_file_that_was_opened_and_saved_as_a_workbook_goes_in() {
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("sis-export-text.{kind}"));
        found.is_good();
        let students = ["001001 Ada Lovelace - 07700900123 -", "001002 Bo Li - 07700900124 -"];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
        assert_eq!(found.members, ["001001 in 7-2", "001002 in 7-11"], "{kind}");
    }
}

#[test]
fn what_a_spreadsheet_made_of_a_text_file_by_itself_is_read_as_it_shows_itself() {
    // The zeros in front are in no cell any more, and nothing in the workbook tells of them: the ids are compared with those of
    // the roster where there is one.
    for kind in ["xlsx", "ods"] {
        let found = read_fixture(&format!("sis-export-numbers.{kind}"));
        found.is_good();
        let students = ["1001 Ada Lovelace - 7700900123 -", "1002 Bo Li - 7700900124 -"];
        assert_eq!(found.students, students, "{kind}: {}", found.messages());
    }
}
