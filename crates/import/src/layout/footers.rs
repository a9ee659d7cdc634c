//! What stands below a table and belongs to no student: totals and notes, by the words that they begin with.

use crate::dates::is_date_or_time;
use crate::spoiled::Holds;
use rosterd_core::roster::normalise_key;

/// Words that begin a line with a total.
const TOTALS: [&str; 47] = [
    "合计",
    "本班合计",
    "统计",
    "平均",
    "男生",
    "女生",
    "総数",
    "総計",
    "insgesamt",
    "gesamtzahl",
    "durchschnitt",
    "total général",
    "total general",
    "total alumnos",
    "total students",
    "number of students",
    "sub-total",
    "average",
    "总计",
    "共计",
    "小计",
    "总数",
    "总人数",
    "人数",
    "合計",
    "總計",
    "小計",
    "計",
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "count",
    "summe",
    "gesamt",
    "gesamtsumme",
    "anzahl",
    "somme",
    "effectif",
    "suma",
    "totales",
    "총계",
    "합계",
    "소계",
    "인원",
    "총원",
];
/// Units that a count may carry.
const UNITS: [&str; 11] =
    ["人", "名", "명", "位", "students", "pupils", "records", "rows", "schüler", "élèves", "alumnos"];
/// Words for those who are counted, before the number.
const COUNTED: [&str; 10] = ["全班", "全校", "本班", "本校", "应到", "实到", "男生", "女生", "男", "女"];
/// Words that begin a note.
const NOTES: [&str; 29] = [
    "注",
    "备注",
    "備註",
    "说明",
    "制表",
    "填表",
    "打印",
    "※",
    "以下空白",
    "以下无",
    "note",
    "printed",
    "page ",
    "generated",
    "end of ",
    "created on",
    "created by",
    "exported",
    "erstellt",
    "gedruckt",
    "édité",
    "imprimé",
    "impreso",
    "approved by",
    "prepared by",
    "审核",
    "審核",
    "ende der liste",
    "fin de la liste",
];
/// Notes of one word.
const WORDS: [&str; 8] = ["以上", "完", "end", "ende", "fin", "confidential", "vertraulich", "confidentiel"];
/// Words for those who sign a list, wherever they stand.
const SIGNED: [&str; 7] = ["签字", "签名", "簽名", "盖章", "蓋章", "signature", "unterschrift"];

/// Words for a total that are people's names, too.
const NAMES: [&str; 4] = ["sum", "count", "average", "suma"];

pub(super) fn may_be_a_name(text: &str) -> bool {
    NAMES.contains(&normalise_key(text).to_lowercase().as_str())
}

/// A full name that begins or ends as a total does: `Suma Patel`, and 이인원 of the family 이.
pub(super) fn is_full_name(text: &str) -> bool {
    const FAMILIES: &str =
        "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구나진민";
    let text = normalise_key(text).to_lowercase();
    let is_counted = text.contains(|letter: char| letter.is_ascii_digit());
    let mut letters = text.chars();
    let is_korean = text.ends_with("인원") && letters.next().is_some_and(|first| FAMILIES.contains(first));
    !is_counted && (text.starts_with("suma ") || (is_korean && letters.count() == 2))
}

pub(super) fn begins_with_total(text: &str) -> bool {
    let text = normalise_key(text).to_lowercase();
    // 合 计, as it is set to fill its cell.
    let text = if text.is_ascii() { text } else { without_wide_blanks(&text) };
    TOTALS.iter().any(|word| {
        text.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_start_matches([' ', ':', '：', '\u{3000}', '=', '(', '（']);
            rest.is_empty() || is_count(rest.trim_end_matches([')', '）']))
        })
    })
}

/// A total of some of them, such as `Total males` or `班级人数`: one where nothing but numbers stands behind it.
pub(super) fn is_sort_of_total(text: &str) -> bool {
    let text = normalise_key(text).to_lowercase();
    let begins =
        ["total ", "sum of ", "number of ", "summe ", "gesamt ", "anzahl ", "suma ", "nombre ", "effectif "];
    let ends = ["人数", "总数", "總數", "合计", "合計", "总计", "總計", "小计", "小計", "인원", "합계"];
    !text.contains(|letter: char| letter.is_ascii_digit())
        && (begins.iter().any(|word| text.starts_with(word)) || ends.iter().any(|word| text.ends_with(word)))
}

/// Digits alone, perhaps with a unit.
pub(super) fn is_number(text: &str) -> bool {
    text.contains(|letter: char| letter.is_ascii_digit()) && is_count(text)
}

/// Without the blanks between letters that are written without blanks.
fn without_wide_blanks(text: &str) -> String {
    let is_blank = |letter: char| matches!(letter, ' ' | '\u{3000}');
    let letters: Vec<char> = text.chars().collect();
    let is_wide = |letter: Option<&char>| letter.is_some_and(|letter| *letter >= '\u{2e80}');
    let is_kept = |(at, letter): &(usize, &char)| {
        let before = letters.get(..*at).unwrap_or_default().iter().rev().find(|letter| !is_blank(**letter));
        let after = letters.get(*at..).unwrap_or_default().iter().find(|letter| !is_blank(**letter));
        !(is_blank(**letter) && is_wide(before) && is_wide(after))
    };
    letters.iter().enumerate().filter(is_kept).map(|(_, letter)| *letter).collect()
}

/// A number of people that stands alone in its line: `共 35 人`, `35 students`.
pub(super) fn is_number_of_people(text: &str) -> bool {
    let text = without_wide_blanks(&normalise_key(text).to_lowercase());
    let text = text.trim_matches(['(', ')', '（', '）', '-', ' ']);
    let counted = COUNTED.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    let has_unit = UNITS.iter().any(|unit| counted.ends_with(unit));
    has_unit && counted.contains(|letter: char| letter.is_ascii_digit()) && is_count(counted)
}

pub(super) fn is_count(text: &str) -> bool {
    let text = normalise_key(text).to_lowercase();
    let text = COUNTED.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(&text).to_owned();
    let digits = text.trim_start_matches(['共', '计', '計', ':', '：', ' ']);
    let bare = UNITS.iter().find_map(|unit| digits.strip_suffix(unit)).unwrap_or(digits).trim();
    bare.is_empty()
        || bare.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        || begins_plainly(&text)
}

/// A second word for a total within the same line, as in `合计 | 男生 | 12`.
fn begins_plainly(text: &str) -> bool {
    matches!(text, "男" | "女" | "男生" | "女生" | "其中" | "boys" | "girls") || TOTALS.contains(&text)
}

/// Whether the cells of a row are notes: labels with their values beside them (`填表人：`, 王) and a date among them.
pub(super) fn are_notes(texts: &[&str]) -> bool {
    let is_of_label = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| texts.get(before));
        before.is_some_and(|before| before.trim_end().ends_with([':', '：']))
    };
    let mut texts_with_places = texts.iter().enumerate();
    texts_with_places.all(|(at, text)| {
        let is_date = at > 0 && is_date_or_time(normalise_key(text).as_ref(), Holds::Codes);
        is_note(text) || is_of_label(at) || is_date
    })
}

pub(super) fn is_note(text: &str) -> bool {
    let text = normalise_key(text);
    let lower = text.to_lowercase();
    let lower = lower.trim_matches(['(', ')', '（', '）', '[', ']', '【', '】', '-', ' ']);
    let is_line = text.chars().count() > 1 && text.chars().all(|letter| "-–—―─_=*·".contains(letter));
    // What a star in the list means.
    let is_of_a_star =
        text.strip_prefix(['*', '＊']).is_some_and(|rest| rest.starts_with([' ', '=', '：', ':']));
    is_line
        || is_of_a_star
        || WORDS.contains(&lower)
        || text.contains([':', '：', '。'])
        || text.ends_with('.')
        || text.chars().count() > 40
        || NOTES.iter().any(|word| lower.starts_with(word))
        || SIGNED.iter().any(|word| lower.contains(word))
}
