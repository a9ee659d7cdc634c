//! Grades that a sheet, a file or a title is called after, and classes that say nothing of their grade.

use super::names::{class_of_grade, says_grade};

/// Words before the number of a grade.
const BEFORE: [&str; 11] = [
    "year",
    "yr",
    "grade",
    "klasse",
    "jahrgang",
    "jahrgangsstufe",
    "klassenstufe",
    "stufe",
    "niveau",
    "curso",
    "grado",
];
/// Words and letters before it, where the whole name is no more.
const BEFORE_ALONE: [&str; 14] =
    ["g", "y", "k", "p", "s", "form", "class", "std", "standard", "primary", "secondary", "sec", "kl", "gr"];
/// Words behind the number of a grade, with or without a mark of order between.
const BEHIND: [&str; 15] = [
    "grade",
    "klasse",
    "jahrgang",
    "jahrgangsstufe",
    "klassenstufe",
    "stufe",
    "eso",
    "bachillerato",
    "bach",
    "grado",
    "curso",
    "primaria",
    "secundaria",
    "année",
    "annee",
];
/// Marks of order behind a number.
const ORDER: [&str; 14] =
    ["st", "nd", "rd", "th", "e", "ème", "eme", "re", "ère", "ere", "er", "º", "ª", "°"];
/// Grades and stages without a number.
const ALONE: [&str; 34] = [
    "小学",
    "小学部",
    "小學",
    "小學部",
    "初中",
    "初中部",
    "高中",
    "高中部",
    "国中",
    "國中",
    "国中部",
    "國中部",
    "幼儿园",
    "kindergarten",
    "reception",
    "nursery",
    "sixième",
    "cinquième",
    "quatrième",
    "troisième",
    "seconde",
    "première",
    "terminale",
    "cp",
    "ce1",
    "ce2",
    "cm1",
    "cm2",
    "freshmen",
    "sophomores",
    "juniors",
    "seniors",
    "lower school",
    "upper school",
];
/// The last grade.
const LAST: u32 = 13;

/// The one grade that a name or a title speaks of, as it writes it.
pub(super) fn grade_in(text: &str) -> Option<String> {
    let text = text.trim();
    if ALONE.contains(&text.to_lowercase().as_str()) {
        return Some(text.to_owned());
    }
    let (mut grades, mut cohorts) = east_asian(text);
    grades.extend(latin(text));
    for found in [&mut grades, &mut cohorts] {
        found.sort();
        found.dedup();
    }
    match (grades.as_slice(), cohorts.as_slice()) {
        ([grade], _) => Some(grade.clone()),
        ([], [cohort]) => Some(cohort.clone()),
        _ => None,
    }
}

/// Whether a title is of one class, as 高一1班名单: its list may have another one's students.
pub(super) fn is_of_class(text: &str) -> bool {
    let parts = text.split('班').collect::<Vec<_>>();
    let before = parts.split_last().map(|(_, before)| before).unwrap_or_default();
    before.iter().any(|part| part.ends_with(|last| is_numeral(last) || matches!(last, ')' | '）')))
}

/// A class within the grade that stands elsewhere than in its row; a class that says its grade stays.
pub(super) fn class_within(grade: &str, class: &str) -> String {
    if says_its_grade(class) {
        return class.to_owned();
    }
    let is_named_so = !grade.is_ascii() && grade.chars().any(is_east_asian);
    class_of_grade(grade, class, is_named_so)
}

/// A class within several things: those that its name has already are not said again.
pub(super) fn class_within_all<'p>(parts: impl Iterator<Item = &'p str>, class: &str) -> String {
    if !is_bare(class) || class.ends_with(".0") {
        return class.to_owned();
    }
    let mut whole = String::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let is_year = part.len() == 4 && is_year(part);
        if is_year { whole.push_str(&format!("{part}级")) } else { whole.push_str(part) }
    }
    class_of_grade(&whole, class, true)
}

/// Whether a class is a number or a letter, which every grade has: `1班`, `A`, `(2)班`.
pub(super) fn is_bare(class: &str) -> bool {
    const NUMBERS: [&str; 17] = [
        "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "甲", "乙", "丙", "丁",
        "戊",
    ];
    let lower = class.to_lowercase();
    let core = lower.trim().trim_end_matches(".0");
    let core = core.strip_prefix("class ").unwrap_or(core);
    let core = core.trim_start_matches('第').trim_end_matches(['班', '组', '組', '반', '级', '級']);
    let core = core.trim_matches(['(', ')', '（', '）', ' ', '\u{3000}']);
    let letters = core.chars().count();
    let is_number = (1..=2).contains(&letters) && core.chars().all(is_digit);
    let is_letter = letters == 1 && core.chars().all(|letter| letter.is_ascii_alphabetic());
    is_number || is_letter || NUMBERS.contains(&core)
}

/// `高一(1)班`, `7A`, `2024级1班` and `701` do, `1班`, `A` and `Oak` do not.
fn says_its_grade(class: &str) -> bool {
    let digits = class.chars().take_while(|letter| is_digit(*letter)).count();
    says_grade(class) || digits > 2 || class.contains(['级', '級', '届', '屆']) || class.contains("학년")
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit() || ('０'..='９').contains(&letter)
}

fn is_numeral(letter: char) -> bool {
    is_digit(letter) || "一二三四五六七八九十".contains(letter)
}

fn is_east_asian(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// A year of this century or the last.
fn is_year(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|year| (1950..2100).contains(&year))
}

/// A number of a grade, in digits or Chinese.
fn grade_number(text: &str) -> Option<u32> {
    const NUMBERS: [&str; 12] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"];
    let place = NUMBERS.iter().position(|number| *number == text);
    let number = match place {
        Some(at) => u32::try_from(at).ok()?.checked_add(1)?,
        None => text.parse().ok()?,
    };
    (1..=LAST).contains(&number).then_some(number)
}

/// Grades (高一, 七年级, 2학년) and years of entry (2024级) of a text.
fn east_asian(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut grades, mut cohorts) = (Vec::new(), Vec::new());
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(letter) = rest.chars().next() {
        let found = grade_at(rest, before).map(|length| (length, true));
        let found = found.or_else(|| cohort_at(rest, before).map(|length| (length, false)));
        let length = match found.and_then(|(length, is_grade)| Some((rest.get(..length)?, is_grade))) {
            Some((found, is_grade)) => {
                if is_grade { &mut grades } else { &mut cohorts }.push(found.to_owned());
                found.len()
            }
            None => letter.len_utf8(),
        };
        let (passed, next) = rest.split_at(length);
        before = passed.chars().next_back();
        rest = next;
    }
    // The whole of a name, as in Japan: 1年, 2年生, 第3学年.
    if grades.is_empty() {
        let whole = text.strip_prefix('第').unwrap_or(text);
        let number = ["学年", "年生", "年"].iter().find_map(|word| whole.strip_suffix(word));
        if number.is_some_and(|number| grade_number(number).is_some()) {
            grades.push(text.to_owned());
        }
    }
    (grades, cohorts)
}

/// The bytes of a grade with which a text begins.
fn grade_at(text: &str, before: Option<char>) -> Option<usize> {
    const SCHOOLS: [&str; 9] = ["小学", "初中", "高中", "高", "初", "小", "大", "国", "國"];
    const GRADES: [&str; 3] = ["年级", "年級", "학년"];
    let school = SCHOOLS.iter().find(|school| text.starts_with(**school)).map_or(0, |school| school.len());
    if school == 0 && before.is_some_and(is_numeral) {
        return None;
    }
    // 师大一附中 and 光大三中 are schools.
    let goes_on = before.is_some_and(|letter| u32::from(letter) >= 0x2e80 && letter.is_alphabetic());
    if goes_on && text.starts_with('大') {
        return None;
    }
    let rest = text.get(school..)?;
    let numeral: usize = rest.chars().take_while(|letter| is_digit(*letter)).map(char::len_utf8).sum();
    let chinese = rest.chars().take_while(|letter| is_numeral(*letter) && !is_digit(*letter));
    let numeral = if numeral > 0 { numeral } else { chinese.map(char::len_utf8).sum() };
    grade_number(rest.get(..numeral)?)?;
    let behind = rest.get(numeral..)?;
    let word = GRADES.iter().find(|word| behind.starts_with(**word)).map_or(0, |word| word.len());
    // 高一班 may be a class that is called so.
    const NO_GRADE: [char; 8] = ['班', '级', '級', '月', '号', '附', '中', '校'];
    let is_said = word > 0 || (school > 0 && !behind.starts_with(NO_GRADE));
    is_said.then_some(school + numeral + word)
}

/// The bytes of a year of entry with which a text begins.
fn cohort_at(text: &str, before: Option<char>) -> Option<usize> {
    let school =
        ["高", "初"].iter().find(|school| text.starts_with(**school)).map_or(0, |school| school.len());
    if school == 0 && before.is_some_and(is_numeral) {
        return None;
    }
    let rest = text.get(school..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let behind = rest.get(digits..)?;
    let is_cohort = (digits == 2 || (digits == 4 && is_year(rest.get(..digits)?)))
        && behind.starts_with(['级', '級'])
        && !behind.chars().nth(1).is_some_and(|next| matches!(next, '别' | '別'));
    is_cohort.then(|| school + digits + '级'.len_utf8())
}

/// A word or a number of a text, and where it ends.
struct Token<'t> {
    text: &'t str,
    lower: String,
    /// Nothing stands between it and the one before.
    is_glued: bool,
}

impl Token<'_> {
    fn is_number(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn is_grade(&self) -> bool {
        self.is_number() && self.text.len() <= 2 && grade_number(&self.lower).is_some()
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let kind = |letter: char| match letter {
        _ if letter.is_ascii_digit() => 1,
        '°' => 2,
        _ if letter.is_alphabetic() => 2,
        _ => 0,
    };
    let mut found: Vec<Token<'_>> = Vec::new();
    let (mut start, mut last) = (0, 0);
    let mut is_glued = false;
    for (at, now) in text.char_indices().map(|(at, letter)| (at, kind(letter))).chain([(text.len(), 0)]) {
        if now == last {
            continue;
        }
        if last != 0
            && let Some(word) = text.get(start..at)
        {
            found.push(Token { text: word, lower: word.to_lowercase(), is_glued });
        }
        is_glued = last != 0;
        (start, last) = (at, now);
    }
    found
}

/// Grades such as `Year 7`, `7th Grade`, `7. Klasse`, `1º ESO`; of a whole name also `G7` and `6ème`.
fn latin(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, number) in tokens.iter().enumerate().filter(|(_, token)| token.is_grade()) {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let behind = tokens.get(at + 1);
        let is_before = |words: &[&str]| before.is_some_and(|it| words.contains(&it.lower.as_str()));
        let order = behind.filter(|it| it.is_glued && ORDER.contains(&it.lower.as_str()));
        let word = if order.is_some() { tokens.get(at + 2) } else { behind };
        let goes_on = behind.is_some_and(|it| it.is_glued) && order.is_none();
        // `Year 7 and 8`, `Year 7-9`.
        let is_range = word.is_some_and(Token::is_grade)
            || (word.is_some_and(|it| {
                ["and", "und", "et", "y", "to", "bis", "à", "a"].contains(&it.lower.as_str())
            }) && tokens.get(at + if order.is_some() { 3 } else { 2 }).is_some_and(Token::is_grade));
        let is_whole = tokens.len() == 2 && at == 1;
        if is_range {
            // Not one grade.
            found.extend([String::new(), text.to_owned()]);
        } else if !goes_on
            && let Some(before) = before
            && (is_before(&BEFORE) || (is_whole && is_before(&BEFORE_ALONE)))
        {
            let blank = if before.lower.len() > 1 { " " } else { "" };
            found.push(format!("{}{blank}{}", before.text, number.text));
        } else if let Some(word) = word.filter(|it| BEHIND.contains(&it.lower.as_str()))
            && !goes_on
        {
            let order = order.map(|order| order.text).unwrap_or_default();
            found.push(format!("{}{order} {}", number.text, word.text));
        } else if order.is_some() && tokens.len() == 2 {
            found.push(text.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grade_of_a_name_or_a_title_is_found_where_it_speaks_of_one() {
        for (text, grade) in [
            ("高一", "高一"),
            ("高一年级学生名单", "高一年级"),
            ("2025-2026学年高二年级名单", "高二年级"),
            ("七年级", "七年级"),
            ("7年级 (2)", "7年级"),
            ("2026级新生", "2026级"),
            ("高2025级", "高2025级"),
            ("2025级高一", "高一"),
            ("高一1班名单", "高一"),
            ("初中部", "初中部"),
            ("1年", "1年"),
            ("2학년", "2학년"),
            ("Year 7", "Year 7"),
            ("year7 contact list", "year 7"),
            ("Students_Grade_10", "Grade 10"),
            ("G7", "G7"),
            ("7th Grade", "7th Grade"),
            ("7. Klasse", "7 Klasse"),
            ("Klasse 7", "Klasse 7"),
            ("6ème", "6ème"),
            ("1º ESO", "1º ESO"),
            ("Terminale", "Terminale"),
        ] {
            assert_eq!(grade_in(text).as_deref(), Some(grade), "{text}");
        }
        for text in [
            "",
            "Sheet1",
            "1班",
            "名单",
            "高一高二名单",
            "Year 7 and 8",
            "Year 7-9",
            "7A",
            "Klasse 7a",
            "2026",
            "2026年9月1日",
            "2025-2026学年",
            "理科",
            "Oak",
            "高一班",
            "华中师大一附中2026年秋季学生名单",
            "首师大二附中花名册",
            "光大三中学生花名册",
            "3",
            "二十一年级",
            "Year 2026",
            "Page 1 of 2",
        ] {
            assert_eq!(grade_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_class_is_read_within_a_grade_that_stands_elsewhere_unless_it_says_its_own() {
        for (grade, class, name) in [
            ("高一", "1班", "高一1班"),
            ("高一", "(1)班", "高一(1)班"),
            ("高一年级", "高一(1)班", "高一(1)班"),
            ("高一", "高二1班", "高二1班"),
            ("2026级", "高一(1)班", "高一(1)班"),
            ("2026级", "1班", "2026级1班"),
            ("七年级", "701", "701"),
            ("七年级", "7.1", "7.1"),
            ("Year 7", "A", "Year 7A"),
            ("Year 7", "7A", "7A"),
            ("Year 7", "Oak", "Oak"),
            ("1º ESO", "A", "1º ESO A"),
            ("2학년", "1학년2반", "1학년2반"),
        ] {
            assert_eq!(class_within(grade, class), name);
        }
        for (class, is_it) in [
            ("1班", true),
            ("A", true),
            ("(2)班", true),
            ("三班", true),
            ("第1组", true),
            ("12", true),
            ("1.0", true),
            ("7A", false),
            ("高一1班", false),
            ("701", false),
            ("Oak", false),
            ("", false),
        ] {
            assert_eq!(is_bare(class), is_it, "{class}");
        }
        for (parts, class, name) in [
            (&["2024", "计算机"][..], "1班", "2024级计算机1班"),
            (&["2024级", ""], "1班", "2024级1班"),
            (&["初中"], "2", "初中2"),
            (&["计算机"], "计算机2401班", "计算机2401班"),
        ] {
            assert_eq!(class_within_all(parts.iter().copied(), class), name);
        }
    }
}
