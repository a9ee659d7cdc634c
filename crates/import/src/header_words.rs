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
    /// A column of ours, or a part of one (`given_name`, `family_name`, `middle_name`, `grade`, `section`).
    pub(super) column: &'static str,
    /// The word's place in the table: of two words of one level for one column the earlier counts.
    pub(super) rank: usize,
    /// How well it says what it means.
    pub(super) level: Level,
    /// The line of the table.
    pub(super) line: usize,
    /// The word's language says the family name first.
    pub(super) is_family_first: bool,
    /// A group of another sort than a class (`other_group` in the table).
    pub(super) is_other_group: bool,
}

impl KnownWord {
    /// It is an id of people who work somewhere, which serves as a student's where there is no other.
    pub(super) fn is_for_staff(&self) -> bool {
        self.level == Level::Staff
    }

    /// The better of two words for a column comes first.
    pub(super) fn order(&self) -> (Level, usize) {
        (self.level, self.rank)
    }
}

/// How well a word says what it means: a specific one counts before a general one of any language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Specific,
    /// `staff_id` in the table.
    Staff,
    /// `general_id`, `general_name`: ID may be a row's number, Name an account's.
    General,
}

static WORDS: LazyLock<HashMap<String, KnownWord>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    let mut rank = 0;
    for (line, text) in TABLE.lines().enumerate().skip(1) {
        let mut parts = text.splitn(3, ',');
        let (Some(sort), Some(language), Some(list)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let is_family_first = FAMILY_FIRST.contains(&language);
        let is_other_group = sort == "other_group";
        let (column, level) = match sort {
            "staff_id" => ("student_id", Level::Staff),
            "general_id" => ("student_id", Level::General),
            "general_name" => ("name", Level::General),
            "other_group" => ("group_code", Level::General),
            specific => (specific, Level::Specific),
        };
        for word in list.split('|') {
            rank += 1;
            let known = KnownWord { column, rank, level, line, is_family_first, is_other_group };
            words.entry(folded(word)).or_insert(known);
        }
    }
    words
});

/// The same words without accents, as programs write them that have none. Where two become one, the first counts.
static PLAIN_WORDS: LazyLock<HashMap<String, KnownWord>> = LazyLock::new(|| {
    let mut by_rank: Vec<(&String, &KnownWord)> = WORDS.iter().collect();
    by_rank.sort_by_key(|(_, word)| word.rank);
    let mut plain = HashMap::new();
    for (word, known) in by_rank {
        plain.entry(without_accents(word)).or_insert(*known);
    }
    plain
});

/// A word of the table, in its own spelling or without accents.
fn word(folded: &str) -> Option<KnownWord> {
    WORDS.get(folded).or_else(|| PLAIN_WORDS.get(&without_accents(folded))).copied()
}

/// A text in small letters without the accents of Western languages.
fn without_accents(text: &str) -> String {
    let plain = |letter: char| match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'º' => '°',
        other => other,
    };
    text.chars().map(plain).collect()
}

/// Words for people who are not the student.
const OTHER_PEOPLE: [&str; 62] = [
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
    "爷",
    "奶奶",
    "外公",
    "外婆",
    "姥",
    "祖父",
    "祖母",
    "亲属",
    "親屬",
    "联系人",
    "聯絡人",
    "班主任",
    "教师",
    "教師",
    "老师",
    "老師",
    "辅导员",
    "導師",
    "担任",
    "담임",
    "grand",
    "relative",
    "teacher",
    "advisor",
    "counselor",
    "contact name",
    "ansprechpartner",
    "lehrer",
    "professeur",
    "profesor",
];
/// Parents without their accents, as words of their own: `Sommerexamen` is no mother's.
const PARENTS: [&str; 2] = ["mere", "pere"];
/// Words that have one of those within them and mean the student's own.
const NO_PEOPLE: [&str; 4] = ["母语", "母語", "母國", "母国"];
/// Words for contacts, in whatever header.
const CONTACTS: [&str; 22] = [
    "电话",
    "電話",
    "手机",
    "手機",
    "邮箱",
    "郵箱",
    "联系方式",
    "聯絡方式",
    "微信",
    "phone",
    "mobile",
    "cell",
    "telef",
    "téléphone",
    "portable",
    "handy",
    "mail",
    "móvil",
    "tel.",
    "연락처",
    "전화",
    "メール",
];
/// Words for columns that may say who has left by a word, of any row.
const STATUS: [&str; 7] = ["status", "statut", "estado", "状态", "狀態", "状態", "学籍变动"];
/// What stands beside such a word where it is the student's being there, and not a grant, a lunch, a plan or a payment.
const OF_BEING_THERE: [&str; 22] = [
    "student",
    "pupil",
    "enrollment",
    "enrolment",
    "enrolled",
    "enroll",
    "school",
    "current",
    "active",
    "record",
    "学籍",
    "學籍",
    "学生",
    "學生",
    "在学",
    "在校",
    "学员",
    "schüler",
    "élève",
    "alumno",
    "inscription",
    "del",
];
/// Words for columns that say since when somebody has left.
const SINCE_WHEN: [&str; 14] = [
    "leave date",
    "leaving",
    "withdraw",
    "abgang",
    "离校",
    "離校",
    "exit date",
    "end date",
    "date left",
    "sortie",
    "fecha de baja",
    "转出日期",
    "退学日期",
    "卒業日",
];

/// What a header is known to mean. A remark in brackets may say that it is somebody else's.
pub(super) fn known(header: &str) -> Option<KnownWord> {
    let plain = folded(header);
    let word = match word(&plain) {
        Some(word) => word,
        None => match of_the_student(header).map(folded) {
            Some(field) => word(&field)?,
            None => word(without_student(&plain)?)?,
        },
    };
    let is_others =
        matches!(word.column, "phone" | "email" | "name" | "last_first" | "given_name" | "family_name");
    (!(is_others && remarks(header).is_some_and(|remark| names_others(&remark)))).then_some(word)
}

/// A header without the table that it is of, as ad hoc reports write it: `student.lastName`, `STUDENTS.Last_Name`.
fn of_the_student(header: &str) -> Option<&str> {
    let (table, column) = header.trim().split_once('.')?;
    ["student", "students"].iter().any(|known| known.eq_ignore_ascii_case(table)).then_some(column)
}

/// A folded header without the word that says that it is the student's: `Vorname des Schülers`, 学生班级.
fn without_student(folded: &str) -> Option<&str> {
    without_student_before(folded).or_else(|| without_student_behind(folded))
}

fn without_student_before(folded: &str) -> Option<&str> {
    const WORDS: [&str; 7] = ["student", "pupil", "learner", "学生", "學生", "生徒", "학생"];
    WORDS.iter().find_map(|word| folded.strip_prefix(word)).filter(|rest| !rest.is_empty())
}

fn without_student_behind(folded: &str) -> Option<&str> {
    const WORDS: [&str; 11] = [
        "ofthestudent",
        "ofstudent",
        "desschülers",
        "desschuelers",
        "derschülerin",
        "delélève",
        "deleleve",
        "delétudiant",
        "delalumno",
        "delaalumna",
        "delestudiante",
    ];
    WORDS.iter().find_map(|word| folded.strip_suffix(word)).filter(|rest| !rest.is_empty())
}

/// A header for a name, folded, without the word that says that it is the student's: behind it, and where `before` is set
/// in front of it too.
pub(super) fn plain_name(header: &str, before: bool) -> String {
    let folded = folded(header);
    let plain =
        without_student_behind(&folded).or_else(|| without_student_before(&folded).filter(|_| before));
    plain.map(str::to_owned).unwrap_or(folded)
}

/// Whether a header says itself that it is the student's, or the school's.
pub(super) fn is_students_own(header: &str) -> bool {
    let folded = folded(header);
    ["school", "企业", "学校"].iter().any(|word| folded.starts_with(word))
        || without_student(&folded).is_some()
}

/// Whether it is about somebody else than the student.
pub(super) fn names_others(text: &str) -> bool {
    let text = text.to_lowercase();
    let is_parent = text.split(|letter: char| !letter.is_alphabetic()).any(|word| PARENTS.contains(&word));
    let is_named = OTHER_PEOPLE.iter().any(|word| text.contains(word));
    is_parent || (is_named && !NO_PEOPLE.iter().any(|word| text.contains(word)))
}

/// Whether it says nothing but somebody else: `Parent 1`, 父亲信息, and no `Parent evening 2026`.
pub(super) fn names_others_alone(text: &str) -> bool {
    const BESIDE: [&str; 20] = [
        "information",
        "info",
        "details",
        "contact",
        "信息",
        "资料",
        "資料",
        "情况",
        "亲",
        "親",
        "方",
        "人",
        "联系",
        "legal",
        "or",
        "and",
        "und",
        "et",
        "daten",
        "s",
    ];
    let mut rest = text.to_lowercase();
    let is_named = names_others(&rest);
    for word in OTHER_PEOPLE.iter().chain(&PARENTS).chain(&BESIDE) {
        rest = rest.replace(word, "");
    }
    is_named && !rest.contains(char::is_alphabetic) && rest.chars().filter(char::is_ascii_digit).count() < 2
}

/// Whether it is a telephone number or an address, of whomever.
pub(super) fn is_contact(header: &str) -> bool {
    let header = without_accents(&header.to_lowercase());
    CONTACTS.iter().any(|word| header.contains(&without_accents(word)))
}

/// How a column may say who has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaysWhoLeft {
    /// By a word in each row.
    Word,
    /// By a date, or a blank, in each row.
    Date,
}

/// Whether it may say who has left, and how.
pub(super) fn says_who_left(header: &str) -> Option<SaysWhoLeft> {
    let header = header.to_lowercase();
    if SINCE_WHEN.iter().any(|word| header.contains(word)) {
        return Some(SaysWhoLeft::Date);
    }
    let word = STATUS.iter().find(|word| header.contains(*word))?;
    let beside = OF_BEING_THERE.iter().fold(header.replace(word, ""), |rest, known| rest.replace(known, ""));
    (!beside.contains(char::is_alphabetic)).then_some(SaysWhoLeft::Word)
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
            "general_id",
            "name",
            "general_name",
            "last_first",
            "given_name",
            "middle_name",
            "family_name",
            "second_family_name",
            "gender",
            "phone",
            "email",
            "grade",
            "section",
            "group_code",
            "other_group",
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
            ("Numero d'eleve", "student_id"),
            ("PRENOM", "given_name"),
            ("Schulernummer", "student_id"),
            ("Nº de alumno", "student_id"),
            ("Student #", "student_id"),
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
            "Telephone (mere)",
        ] {
            assert_eq!(known(header), None, "{header}");
        }
    }
}
