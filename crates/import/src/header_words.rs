//! The words by which column headers are known without a mapping: one table, `header_words.csv`, that anyone can
//! extend. It has a line for each column of ours and language, with the best words first.

use std::collections::HashMap;
use std::sync::LazyLock;

use rosterd_core::roster::normalise_key;

const TABLE: &str = include_str!("header_words.csv");

/// The languages in which the family name comes first, and grade and class always make one name.
const FAMILY_FIRST: [&str; 3] = ["zh", "ja", "ko"];

/// What a header word stands for. Some words stand for the same in several languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownWord {
    /// A column of ours, or a part of one (`given_name`, `family_name`, `middle_name`, `grade`).
    pub(super) column: &'static str,
    /// The word's place in the table: of two words for one column the earlier counts.
    pub(super) rank: usize,
    /// The word's language says the family name first.
    pub(super) is_family_first: bool,
    /// It is an id of people who work somewhere (`staff_id` in the table), which serves as a student's where there is no other.
    pub(super) is_for_staff: bool,
}

static WORDS: LazyLock<HashMap<String, KnownWord>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    let mut rank = 0;
    for line in TABLE.lines().skip(1) {
        let mut parts = line.splitn(3, ',');
        let (Some(column), Some(language), Some(list)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let is_family_first = FAMILY_FIRST.contains(&language);
        let is_for_staff = column == "staff_id";
        let column = if is_for_staff { "student_id" } else { column };
        for word in list.split('|') {
            rank += 1;
            let known = KnownWord { column, rank, is_family_first, is_for_staff };
            words.entry(folded(word)).or_insert(known);
        }
    }
    words
});

/// Words for people who are not the student.
const OTHER_PEOPLE: [&str; 32] = [
    "家长",
    "家長",
    "父",
    "母",
    "监护",
    "監護",
    "紧急",
    "緊急",
    "爸",
    "妈",
    "媽",
    "parent",
    "guardian",
    "mother",
    "father",
    "carer",
    "emergency",
    "mutter",
    "vater",
    "eltern",
    "erziehungs",
    "notfall",
    "mère",
    "père",
    "responsable",
    "tuteur",
    "madre",
    "padre",
    "tutor",
    "保護者",
    "보호자",
    "학부모",
];

/// What a header is known to mean. A remark in brackets may say that it is somebody else's.
pub(super) fn known(header: &str) -> Option<KnownWord> {
    let word = WORDS.get(&folded(header)).or_else(|| WORDS.get(&folded(of_the_student(header)?))).copied()?;
    let is_others =
        matches!(word.column, "phone" | "email" | "name" | "last_first" | "given_name" | "family_name");
    (!(is_others && remarks(header).is_some_and(|remark| names_others(&remark)))).then_some(word)
}

/// A header without the table that it is of, as ad hoc reports write it: `student.lastName`, `STUDENTS.Last_Name`.
fn of_the_student(header: &str) -> Option<&str> {
    let (table, column) = header.trim().split_once('.')?;
    ["student", "students"].iter().any(|known| known.eq_ignore_ascii_case(table)).then_some(column)
}

/// Whether it is about somebody else than the student.
pub(super) fn names_others(text: &str) -> bool {
    let text = text.to_lowercase();
    OTHER_PEOPLE.iter().any(|word| text.contains(word))
}

/// What stands in brackets.
fn remarks(header: &str) -> Option<String> {
    let from = header.find(['(', '（', '[', '【'])?;
    header.get(from..).map(str::to_owned)
}

/// A header without what changes from one export to the next: case, blanks, marks of required fields, remarks in
/// brackets.
pub(super) fn folded(header: &str) -> String {
    let mut depth = 0_u32;
    let mut folded = String::new();
    for letter in normalise_key(header).chars() {
        match letter {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ' ' | '\u{a0}' | '\u{3000}' | '_' | '-' | '.' | '*' | '＊' | ':' | '：' | '\'' | '’' | '\n'
            | '\r' => {}
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_names_a_column_a_language_and_words() {
        let columns = [
            "student_id",
            "staff_id",
            "name",
            "last_first",
            "given_name",
            "middle_name",
            "family_name",
            "second_family_name",
            "gender",
            "phone",
            "email",
            "grade",
            "group_code",
            "active",
        ];
        for line in TABLE.lines().skip(1) {
            let parts: Vec<&str> = line.split(',').collect();
            assert_eq!(parts.len(), 3, "{line}");
            assert!(columns.contains(&parts[0]), "{line}");
            assert!(["en", "zh", "de", "fr", "es", "ja", "ko"].contains(&parts[1]), "{line}");
            for word in parts[2].split('|') {
                assert!(!folded(word).is_empty(), "{line}");
            }
        }
    }

    #[test]
    fn a_header_is_known_however_an_export_writes_it() {
        for (header, column) in [
            ("First_Name", "given_name"),
            ("FIRST NAME", "given_name"),
            ("*姓名", "name"),
            ("手机号码（必填）", "phone"),
            ("E-Mail", "email"),
            ("Numéro d’élève", "student_id"),
            ("학번", "student_id"),
            ("学籍番号", "student_id"),
            ("班 级", "group_code"),
            ("Apellidos", "family_name"),
            ("student.studentNumber", "student_id"),
            ("STUDENTS.Last_Name", "family_name"),
        ] {
            assert_eq!(known(header).map(|word| word.column), Some(column), "{header}");
        }
        for header in [
            "序号",
            "No.",
            "家长电话",
            "Parent Phone",
            "Password",
            "密码",
            "身份证号",
            "出席番号",
            "",
            "手机（家长）",
            "联系电话（父亲）",
            "Phone (Parent)",
            "Handy (Mutter)",
            "電話番号（保護者）",
            "Email [Guardian 1]",
            "guardian.phone",
            "contacts.email",
        ] {
            assert_eq!(known(header), None, "{header}");
        }
    }
}
