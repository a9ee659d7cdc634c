//! Where tables begin and end.

use super::*;

fn rows(lines: &[&str]) -> Vec<Result<Row, RowFault>> {
    let row = |(at, line): (usize, &&str)| {
        let fields: StringRecord = line.split('|').collect();
        Ok(Row::new(at as u64 + 1, fields))
    };
    lines.iter().enumerate().map(row).filter(|row| !row.as_ref().is_ok_and(Row::is_blank)).collect()
}

/// The line of the heading, the lines of the rows, and the lines that were left out.
fn found(lines: &[&str]) -> (u64, Vec<u64>, [Vec<u64>; 3]) {
    let map = ColumnMap::default();
    let wanted = Wanted { table: RosterTable::Students, map: &map };
    let mut table = find(rows(lines).into_iter(), wanted).unwrap().unwrap();
    assert!(table.heading.is_acceptable(), "{}", table.found);
    let line = |row: Result<Row, RowFault>| row.map_or_else(|fault| fault.line, |row| row.line);
    let below = table.rows.by_ref().map(line).collect();
    let LeftOut { repeated, totals, notes, .. } = std::mem::take(&mut table.rows.left_out);
    (table.headers.line, below, [repeated, totals, notes].map(|left_out| left_out.first))
}

#[test]
fn the_heading_is_found_below_titles_and_the_table_ends_before_totals_and_notes() {
    let lines = [
        "高一年级学生名单",
        "2026年9月||",
        "学号|姓名|班级",
        "1|王小明|1班",
        "学号|姓名|班级",
        "2|李雷|1班",
        "小 计|2人|",
        "高一年级学生名单",
        "3|韩梅梅|2班",
        "合计：3人||",
        "",
        "制表人：王老师||日期：2026-9-1",
    ];
    assert_eq!(found(&lines), (3, vec![4, 6, 9], [vec![5, 8], vec![7, 10], vec![12]]));
}

#[test]
fn a_student_is_not_taken_for_a_total_or_a_note() {
    let lines = ["student_id|name", "Total|Ada", "S: 1|Bo", "Sum|Summer Lee", "S4|总计", "S5|"];
    assert_eq!(found(&lines), (1, vec![2, 3, 4, 5, 6], [vec![], vec![], vec![]]));
    let lines = ["student_id|name", "Note: S1|", "S2|Ada"];
    assert_eq!(found(&lines).1, [2, 3], "what is followed by a student is no note at the end");
}

#[test]
fn a_heading_is_repeated_however_it_is_written_and_another_order_is_refused() {
    let lines = ["学号|姓名|手机", "1|王|138", "学 号|姓  名|*手机（必填）", "2|李|139"];
    assert_eq!(found(&lines), (1, vec![2, 4], [vec![3], vec![], vec![]]));
    let lines = ["ID|Full Name|Class", "1|Ann|A", "id|full name|CLASS", "2|Bo|A"];
    assert_eq!(found(&lines).2, [vec![3], vec![], vec![]]);
    for lines in [
        ["学号|姓名|手机", "1|王|138", "姓名|学号|手机", "李|3|139"],
        ["student_id|name|email", "1|Ann|a@x", "student_id|email|name", "2|b@x|Bo"],
        ["学号|姓名|手机|班级", "1|王|138|1班", "学号|姓名|班级|手机", "2|李|1班|139"],
    ] {
        let map = ColumnMap::default();
        let wanted = Wanted { table: RosterTable::Students, map: &map };
        let table = find(rows(&lines).into_iter(), wanted).unwrap().unwrap();
        let faults: Vec<_> =
            table.rows.filter_map(Result::err).map(|fault| (fault.line, fault.code)).collect();
        assert_eq!(faults, [(3, "other-heading")], "{lines:?}");
    }
}

#[test]
fn totals_are_known_in_their_usual_spellings() {
    for line in [
        "合　计|2",
        "总 计|2人",
        "합 계|2",
        "総数|2",
        "Insgesamt|2",
        "Sub-total|2",
        "Number of students|2",
        "男生|1",
        "Total général|2",
    ] {
        assert_eq!(found(&["student_id|name", "1|Ann", line]).2[1], [3], "{line}");
    }
}

#[test]
fn a_row_without_a_known_heading_is_never_shown() {
    let map = ColumnMap::default();
    let wanted = Wanted { table: RosterTable::Students, map: &map };
    let table = find(rows(&["S1|Ann Lee", "S2|Bea Fox"]).into_iter(), wanted).unwrap().unwrap();
    assert!(!table.heading.is_acceptable());
    assert!(!table.found.contains("Ann") && table.found.contains("2 cells"), "{}", table.found);
    let table = find(rows(&["序号|姓名", "1|王"]).into_iter(), wanted).unwrap().unwrap();
    assert_eq!(table.found, "row 1 has the headings 序号, 姓名; without a meaning for us: 序号");
}
