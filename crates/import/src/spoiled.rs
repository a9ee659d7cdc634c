//! What spreadsheets do to a value on its way into a file: `="00123"`, `'00123`, `1001.0`, full-width digits, a code
//! that became a date. What is certain is taken back; the rest is told apart, so that it can be refused.

use std::borrow::Cow;

use super::scientific::whole_number;
use super::seen::{seen, with_plain_blanks};
use rosterd_core::roster::{normalise, normalise_key, without_zero_fraction};

/// Apostrophes, and what word processors and some input methods make of them.
const APOSTROPHES: [char; 5] = ['\'', '‘', '’', '＇', '`'];

/// What a column holds, as far as it matters for what a spreadsheet did to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Ids of people.
    Ids,
    /// Codes of groups and classes.
    Codes,
    /// Whole numbers and telephone numbers.
    Numbers,
    Texts,
}

/// A value as it was before a spreadsheet program wrote it.
pub(super) fn mended(raw: &str, holds: Holds) -> Cow<'_, str> {
    let text = match holds {
        Holds::Texts => seen(raw),
        Holds::Ids => normalise_key(raw),
        Holds::Codes | Holds::Numbers => with_plain_blanks(normalise_key(raw)),
    };
    if holds == Holds::Codes
        && let Some(code) = code_without_apostrophe(&text)
    {
        return Cow::Owned(with_plain_dashes(Cow::Borrowed(code)).into_owned());
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let inner = rest.trim_start_matches('\'');
        let is_digits = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
        let is_protected = computes(inner) || (holds != Holds::Texts && is_digits);
        return if is_protected { Cow::Owned(rest.to_owned()) } else { text };
    }
    // What word processors and some input methods make of that apostrophe; a name may begin with it.
    if holds != Holds::Texts
        && let Some(rest) = text.strip_prefix(['‘', '’', '＇', '`'])
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Cow::Owned(rest.to_owned());
    }
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        return Cow::Owned(normalise(&inner.replace("\"\"", "\"")).into_owned());
    }
    match holds {
        Holds::Ids | Holds::Numbers => {
            let narrow = narrowed(text);
            if let Some(number) = whole_number(&narrow) {
                return Cow::Owned(number);
            }
            match without_zero_fraction(without_zero_comma(&narrow)) {
                whole if whole.len() < narrow.len() => Cow::Owned(whole.to_owned()),
                _ => narrow,
            }
        }
        Holds::Codes => with_plain_dashes(text),
        Holds::Texts => text,
    }
}

/// A code without the apostrophe by which a spreadsheet program marks a text: a code has a digit, unlike the name of a group
/// that begins so (`'t Hof`).
fn code_without_apostrophe(text: &str) -> Option<&str> {
    let code = text.trim_start_matches(APOSTROPHES);
    let has_digit = code.contains(|letter: char| letter.is_ascii_digit());
    let begins = code.chars().next().is_some_and(char::is_alphanumeric);
    (code.len() < text.len() && begins && has_digit).then_some(code)
}

/// A code that begins with an apostrophe, of which nothing says whether it belongs to it.
pub(super) fn begins_with_apostrophe(code: &str) -> bool {
    code.starts_with(APOSTROPHES) && !computes(code.trim_start_matches(APOSTROPHES))
}

/// That a code begins so, and the cure.
pub(super) fn with_apostrophe(column: &str) -> String {
    format!(
        "{column} begins with an apostrophe, as a spreadsheet program marks a text: write it without, or enter it and its students \
         in files of their tables, groups.csv and group_members.csv"
    )
}

/// The dashes between digits and letters of a code as the ordinary one: word processors make others of it.
fn with_plain_dashes(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_dash) {
        return text;
    }
    let letters: Vec<char> = text.chars().collect();
    let is_of_code = |letter: Option<&char>| letter.is_some_and(char::is_ascii_alphanumeric);
    let plain = |(at, letter): (usize, &char)| {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let is_within = is_of_code(before) && is_of_code(letters.get(at + 1));
        if is_dash(*letter) && is_within { '-' } else { *letter }
    };
    Cow::Owned(letters.iter().enumerate().map(plain).collect())
}

/// Hyphens, the figure dash, the en and em dash, and the minus sign.
fn is_dash(letter: char) -> bool {
    matches!(letter, '\u{2010}'..='\u{2014}' | '\u{2212}')
}

/// A value of our own export, which puts an apostrophe before what would compute and nothing else.
pub(super) fn unprotected(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.strip_prefix('\'') {
        Some(rest) if computes(rest.trim_start_matches('\'')) => Cow::Owned(rest.to_owned()),
        _ => text,
    }
}

/// A text in the form in which a list is read.
#[must_use]
pub fn text_as_read(raw: &str) -> Cow<'_, str> {
    seen(raw)
}

/// The whole number in `1001,0`, as spreadsheets of many languages write it. Three zeros are thousands.
fn without_zero_comma(text: &str) -> &str {
    match text.split_once(',') {
        Some((whole, "0" | "00")) if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) => {
            whole
        }
        _ => text,
    }
}

/// A student's id in the form in which a list is read.
#[must_use]
pub fn id_as_read(raw: &str) -> String {
    mended(raw, Holds::Ids).into_owned()
}

/// A group's or class's code in the form in which a list is read.
#[must_use]
pub fn code_as_read(raw: &str) -> String {
    mended(raw, Holds::Codes).into_owned()
}

/// A text that a spreadsheet program would compute. Numbers and telephone numbers, such as +8613800138000, compute
/// nothing.
#[must_use]
pub fn computes(text: &str) -> bool {
    let mut letters = text.chars();
    let first = letters.next();
    let rest = letters.as_str();
    match first {
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        Some('+') => rest.is_empty() || !rest.chars().all(|c| c.is_ascii_digit() || c == ' '),
        Some('-') => rest.parse::<f64>().is_err() || rest.starts_with(['+', '-']),
        _ => false,
    }
}

/// What a cell shows whose formula failed, or a formula that was written as a text.
pub(super) fn is_failed_formula(text: &str) -> bool {
    let call = text.strip_prefix('=').and_then(|rest| rest.split_once('('));
    let is_call = call.is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    });
    // A cell that was too narrow for its number or date.
    let is_too_narrow = text.len() > 2 && text.bytes().all(|byte| byte == b'#');
    is_call || is_too_narrow || is_error(text)
}

/// An error's name, in any of the languages that spreadsheet programs speak: `#REF!`, `#BEZUG!`, `#¿NOMBRE?`, `#N/A`, `Err:502`.
fn is_error(text: &str) -> bool {
    const WITHOUT_MARK: [&str; 7] = ["#N/A", "#NV", "#N/D", "#N/V", "#GETTING_DATA", "#H/A", "#N/A!"];
    if let Some(number) = text.strip_prefix("Err:") {
        return number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let inner = text.strip_prefix('#').and_then(|rest| rest.strip_suffix(['!', '?']));
    let is_named = inner.is_some_and(|inner| {
        inner.chars().count() > 2
            && inner
                .chars()
                .all(|letter| letter.is_uppercase() || matches!(letter, '¡' | '¿' | '/' | '0' | '_'))
    });
    is_named || WITHOUT_MARK.contains(&text)
}

/// What a spreadsheet makes of the words true and false, in the languages whose headings are known.
pub(super) fn is_truth(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["TRUE", "FALSE", "WAHR", "FALSCH", "VRAI", "FAUX", "VERDADERO", "FALSO", "真", "假", "참", "거짓"];
    WORDS.contains(&text)
}

/// `20,260,001`, and of ids `20.260.001`: a number with what sets its thousands apart. Telephone numbers may have points.
pub(super) fn has_thousands(text: &str, holds: Holds) -> bool {
    let text = text
        .split_once('.')
        .filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'))
        .map_or(text, |(whole, _)| whole);
    let is_grouped = |separator: char, least: usize| {
        let mut groups = text.split(separator);
        let first = groups.next().unwrap_or_default();
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_first = (1..=3).contains(&first.len()) && are_digits(first) && !first.starts_with('0');
        let groups: Vec<&str> = groups.collect();
        is_first && groups.len() >= least && groups.iter().all(|group| group.len() == 3 && are_digits(group))
    };
    match holds {
        Holds::Ids => is_grouped(',', 1) || is_grouped('.', 2),
        Holds::Numbers => is_grouped(',', 1),
        Holds::Codes | Holds::Texts => false,
    }
}

/// Full-width digits and letters as ordinary ones, where nothing but such and ordinary ones are there.
fn narrowed(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_wide = |letter: char| ('\u{ff01}'..='\u{ff5e}').contains(&letter);
    if text.is_ascii() || !text.chars().all(|letter| letter.is_ascii() || is_wide(letter)) {
        return text;
    }
    let narrow = |letter: char| {
        let code = u32::from(letter);
        if is_wide(letter) { char::from_u32(code - 0xfee0).unwrap_or(letter) } else { letter }
    };
    Cow::Owned(text.chars().map(narrow).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::no_values::is_word_for_nothing;

    #[test]
    fn what_a_spreadsheet_put_around_a_value_is_taken_off_where_that_is_certain() {
        use Holds::{Codes, Ids, Numbers, Texts};
        for (raw, holds, value) in [
            ("=\"00123\"", Ids, "00123"),
            ("=\"a\"\"b\"", Texts, "a\"b"),
            ("=A1", Texts, "=A1"),
            ("'00123", Ids, "00123"),
            ("'00123", Codes, "00123"),
            ("'00123", Texts, "'00123"),
            ("''00123", Ids, "'00123"),
            ("'t Hooft", Texts, "'t Hooft"),
            ("'-Bea", Texts, "-Bea"),
            ("''-Bea", Texts, "'-Bea"),
            ("'=\"x\"", Texts, "=\"x\""),
            ("'+1 (212) 555", Numbers, "+1 (212) 555"),
            ("'+86138", Texts, "'+86138"),
            ("1001.0", Ids, "1001"),
            ("1001,0", Ids, "1001"),
            ("1,000", Ids, "1,000"),
            ("13800138000.0", Numbers, "13800138000"),
            ("7.0", Codes, "7.0"),
            ("7.0", Texts, "7.0"),
            ("2.0260001E7", Ids, "20260001"),
            ("２.０２６０００１E7", Numbers, "20260001"),
            ("2.0260001E7", Codes, "2.0260001E7"),
            ("2.0260001E7", Texts, "2.0260001E7"),
            ("'3-1", Codes, "3-1"),
            ("’高一1班", Codes, "高一1班"),
            ("'t Hof", Codes, "'t Hof"),
            ("'-1", Codes, "'-1"),
            ("3–1", Codes, "3-1"),
            ("'3−1", Codes, "3-1"),
            ("高一–理科", Codes, "高一–理科"),
            ("3–1", Texts, "3–1"),
            ("１３８００１３８０００", Numbers, "13800138000"),
            ("Ｓ０１", Ids, "S01"),
            ("高一１班", Codes, "高一１班"),
            ("\u{200e}10\u{ad}01", Ids, "1001"),
        ] {
            assert_eq!(mended(raw, holds), value, "{raw} of {holds:?}");
        }
    }

    #[test]
    fn truth_and_nothing_are_told_in_the_languages_of_the_headings() {
        for text in ["TRUE", "WAHR", "FAUX", "VERDADERO", "참", "假"] {
            assert!(is_truth(text), "{text}");
        }
        for text in ["NULL", "NaN", "None", "\\N", "-", "无"] {
            assert!(is_word_for_nothing(text), "{text}");
        }
        assert!(!is_truth("True North") && !is_word_for_nothing("Nadia") && !is_word_for_nothing("0"));
    }

    #[test]
    fn a_formula_and_its_error_are_no_values() {
        for text in
            ["#NV", "#BEZUG!", "#WERT!", "#NOM?", "#VALEUR!", "#¡REF!", "#¿NOMBRE?", "Err:502", "#ЗНАЧ!"]
        {
            assert!(is_failed_formula(text), "{text}");
        }
        for text in ["#1!", "#1A", "Err: none", "#a!", "#AB!"] {
            assert!(!is_failed_formula(text), "{text}");
        }
        for text in ["#N/A", "#DIV/0!", "=VLOOKUP(A2,Sheet2!A:B,2,0)", "=T.TEST(1)"] {
            assert!(is_failed_formula(text), "{text}");
        }
        for text in ["#1", "#", "=x", "=", "N/A", "=(a)"] {
            assert!(!is_failed_formula(text), "{text}");
        }
    }

    #[test]
    fn thousands_set_apart_are_told_from_other_values() {
        for (text, holds, is_grouped) in [
            ("20,260,001", Holds::Ids, true),
            ("1,001.00", Holds::Ids, true),
            ("20.260.001", Holds::Ids, true),
            ("13,800,000,001", Holds::Numbers, true),
            ("030.123.456", Holds::Numbers, false),
            ("1.001", Holds::Ids, false),
            ("001,002", Holds::Ids, false),
            ("13800000001,13800000002", Holds::Numbers, false),
            ("20260001", Holds::Ids, false),
            ("1,001", Holds::Codes, false),
        ] {
            assert_eq!(has_thousands(text, holds), is_grouped, "{text} of {holds:?}");
        }
    }
}
