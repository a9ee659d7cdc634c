//! What stands in a cell and is no value of its column: words for nothing, marks that repeat the cell above, masks, samples,
//! letters that were lost, and values of another column.

use encoding_rs::WINDOWS_1252;

/// What programs and people write where there is nothing, in lower case.
pub const NOTHING: [&str; 14] = [
    "null",
    "(null)",
    "<null>",
    "nan",
    "none",
    "nil",
    "n/a",
    "undefined",
    "\\n",
    "-",
    "--",
    "—",
    "无",
    "暂无",
];
/// Likewise, where a telephone number or an address should be.
const NO_CONTACT: [&str; 18] = [
    "na",
    "no",
    "anonymous",
    "unknown",
    "keine",
    "aucun",
    "ninguno",
    "sin",
    "没有",
    "不详",
    "未知",
    "未填",
    "未填写",
    "匿名",
    "なし",
    "없음",
    "/",
    "x",
];
/// Words for a group that is still to be found.
const UNDECIDED: [&str; 14] = [
    "tbd",
    "tba",
    "tbc",
    "待定",
    "未定",
    "未分班",
    "未知",
    "unknown",
    "unassigned",
    "not assigned",
    "k.a.",
    "offen",
    "미정",
    "미배정",
];
/// Marks by which people repeat the cell above.
const DITTO: [&str; 12] = ["〃", "″", "\"", "''", "”", "“", "同上", "同左", "ditto", "do.", "idem", "dito"];
/// What samples of a form say of themselves.
const SAMPLES: [&str; 12] = [
    "示例",
    "样例",
    "範例",
    "范例",
    "请删除",
    "請刪除",
    "delete this",
    "(example",
    "(sample",
    "(beispiel",
    "(exemple",
    "(ejemplo",
];

/// Whether a text says that there is nothing.
pub(super) fn is_word_for_nothing(text: &str) -> bool {
    NOTHING.contains(&text.to_lowercase().as_str())
}

/// Whether a text says that there is nothing, in a column of this name.
pub(super) fn is_nothing_in(column: &str, text: &str) -> bool {
    let is_contact = matches!(column, "phone" | "email");
    let is_zero = !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    is_word_for_nothing(text)
        || (is_contact && (is_zero || NO_CONTACT.contains(&text.to_lowercase().as_str())))
}

/// Whether a part of a name is no part: words for nothing that are nobody's name.
pub(super) fn is_mark_for_nothing(text: &str) -> bool {
    const MARKS: [&str; 9] = ["null", "(null)", "<null>", "n/a", "undefined", "\\n", "-", "--", "—"];
    MARKS.contains(&text.to_lowercase().as_str())
}

pub(super) fn is_undecided(text: &str) -> bool {
    UNDECIDED.contains(&text.to_lowercase().as_str())
}

pub(super) fn is_ditto(text: &str) -> bool {
    DITTO.contains(&text.to_lowercase().as_str())
}

pub(super) fn is_sample(text: &str) -> bool {
    let text = text.to_lowercase().replace('（', "(");
    SAMPLES.iter().any(|word| text.contains(word))
}

/// Whether parts of a value are hidden, as in `138****0000`.
pub(super) fn is_masked(column: &str, text: &str) -> bool {
    const MASKS: [char; 4] = ['*', '＊', '●', '•'];
    let count = text.chars().filter(|letter| MASKS.contains(letter)).count();
    let lower = text.to_lowercase();
    match column {
        "name" => count > 0,
        "phone" => count > 0 || (lower.contains("xxx") && text.contains(|c: char| c.is_ascii_digit())),
        "password" => count > 2 && count == text.chars().count(),
        _ => count > 1,
    }
}

/// That a value is masked, and the cure.
pub(super) fn masked(column: &str) -> String {
    format!("{column} is masked with stars: export it whole, or leave the cell empty")
}

/// Whether letters became question marks.
pub(super) fn has_lost_letters(text: &str) -> bool {
    text.contains(['?', '？'])
}

/// Whether it is written as web pages write letters: `M&uuml;ller`, `&#29579;`.
pub(super) fn has_entity(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('&') {
        if let Some((name, _)) = behind.split_once(';') {
            let number = name.strip_prefix('#').map(|number| number.trim_start_matches(['x', 'X']));
            let is_named =
                (2..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic());
            let is_number = number.is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_hexdigit())
            });
            if is_named || is_number {
                return true;
            }
        }
        rest = behind;
    }
    false
}

/// The text of UTF-8 that an earlier program read as a Western encoding: `JÃ¼rgen` is Jürgen.
pub(super) fn read_twice(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let (bytes, _, is_lossy) = WINDOWS_1252.encode(text);
    let once = std::str::from_utf8(&bytes).ok().filter(|_| !is_lossy)?;
    (once != text).then(|| once.to_owned())
}

/// Whether a value is one of another column, as where cells were moved.
pub(super) fn is_of_another_column(column: &str, text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let has_letters = text.chars().any(char::is_alphabetic);
    let is_number =
        digits > 0 && text.chars().all(|letter| letter.is_ascii_digit() || " -+".contains(letter));
    match column {
        "name" => is_address(text) || (is_number && digits > 4),
        "gender" => {
            is_address(text) || digits > 1 || (digits > 0 && has_letters) || text.chars().count() > 30
        }
        "phone" => is_address(text) || (has_letters && digits < 3),
        "email" => is_number && digits > 4,
        "group_code" | "class_code" => is_address(text) || is_mobile(text),
        _ => false,
    }
}

/// An e-mail address.
fn is_address(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.contains([' ', '(', ')', '|', '@']);
    text.split_once('@').is_some_and(|(who, place)| is_part(who) && is_part(place) && place.contains('.'))
}

/// A Chinese mobile number.
fn is_mobile(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() == 11
        && bytes.next() == Some(b'1')
        && matches!(bytes.next(), Some(b'3'..=b'9'))
        && bytes.all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_value_is_told_from_values() {
        for (column, text, is_nothing) in [
            ("phone", "0", true),
            ("phone", "NA", true),
            ("email", "anonymous", true),
            ("name", "NULL", true),
            ("name", "Na", false),
            ("gender", "0", false),
            ("phone", "0138", false),
        ] {
            assert_eq!(is_nothing_in(column, text), is_nothing, "{column} {text}");
        }
        for (column, text, masked) in [
            ("phone", "138****0000", true),
            ("phone", "138xxxx0000", true),
            ("name", "王*明", true),
            ("email", "a**@example.org", true),
            ("email", "a*b@example.org", false),
            ("password", "******", true),
            ("password", "a***b", false),
            ("phone", "0138 ext 5", false),
        ] {
            assert_eq!(is_masked(column, text), masked, "{column} {text}");
        }
        for (column, text, is_other) in [
            ("gender", "1班", true),
            ("gender", "13800000002", true),
            ("gender", "1", false),
            ("gender", "female", false),
            ("group_code", "13800000002", true),
            ("group_code", "20260000001", false),
            ("phone", "1班", true),
            ("phone", "138 (ext 5)", false),
            ("name", "13800000002", true),
            ("name", "X Æ A-12", false),
            ("email", "13800000002", true),
        ] {
            assert_eq!(is_of_another_column(column, text), is_other, "{column} {text}");
        }
    }

    #[test]
    fn letters_that_were_written_in_another_way_are_found() {
        for text in ["M&uuml;ller", "&#29579;", "A &#x738B;"] {
            assert!(has_entity(text), "{text}");
        }
        for text in ["Tom & Ann", "A&B;", "R&D", "Q&A 1"] {
            assert!(!has_entity(text), "{text}");
        }
        for text in ["Jürgen", "王小明", "Zoë 王"] {
            let (twice, _) = WINDOWS_1252.decode_without_bom_handling(text.as_bytes());
            assert_eq!(read_twice(&twice).as_deref(), Some(text));
            assert_eq!(read_twice(text), None);
        }
        assert!(is_sample("张三（示例，请删除）") && !is_sample("Sample, John"));
    }
}
