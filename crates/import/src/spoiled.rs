//! What spreadsheets do to a value on its way into a file: `="00123"`, `'00123`, `1001.0`, full-width digits, a code
//! that became a date. What is certain is taken back; the rest is told apart, so that it can be refused.

use std::borrow::Cow;

use super::seen::{seen, with_plain_blanks};
use rosterd_core::roster::{normalise, normalise_key, without_zero_fraction};

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
            match without_zero_fraction(without_zero_comma(&narrow)) {
                whole if whole.len() < narrow.len() => Cow::Owned(whole.to_owned()),
                _ => narrow,
            }
        }
        Holds::Codes | Holds::Texts => text,
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

/// `2026/3/2`, `03/02/26`, `02.03.2026`, and of what is no id `2026-03-02`: what becomes of a code such as 3-2 where a date is
/// written in numbers.
pub(super) fn is_date_in_numbers(text: &str, holds: Holds) -> bool {
    let of = |separator: char| -> Option<[(usize, u32); 3]> {
        let mut parts = text.split(separator).map(|part| {
            let number =
                part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten()?;
            Some((part.len(), number))
        });
        let three = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(three)
    };
    let is_day_and_month = |one: (usize, u32), other: (usize, u32)| {
        let (least, most) = (one.1.min(other.1), one.1.max(other.1));
        one.0 <= 2 && other.0 <= 2 && (1..=12).contains(&least) && (1..=31).contains(&most)
    };
    let is_year = |part: (usize, u32)| part.0 == 4 && (1900..2200).contains(&part.1);
    ['/', '.', '-'].into_iter().any(|separator| {
        let Some([one, two, three]) = of(separator) else { return false };
        let short = three.0 == 2 && one.0 == two.0;
        match separator {
            '-' if holds == Holds::Ids => false,
            '-' => {
                (is_year(one) && is_day_and_month(two, three))
                    || (is_year(three) && is_day_and_month(one, two))
            }
            '.' => {
                (is_year(one) && is_day_and_month(two, three))
                    || (is_year(three) && is_day_and_month(one, two))
            }
            _ => {
                (is_year(one) && is_day_and_month(two, three))
                    || ((is_year(three) || short) && is_day_and_month(one, two))
            }
        }
    })
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

/// `1.38E+10`, as spreadsheets show a long number that they were not told to keep.
pub(super) fn is_rounded(text: &str) -> bool {
    let Some((digits, power)) = text.split_once("E+").or_else(|| text.split_once("e+")) else {
        return false;
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, rest) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    are_digits(whole) && are_digits(rest) && are_digits(power)
}

/// Months as spreadsheet programs shorten them, in the languages that write the month as a word.
const MONTHS: [&str; 40] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "jän", "mär",
    "mrz", "mai", "juni", "juli", "okt", "dez", "janv", "févr", "fevr", "mars", "avr", "avril", "juin",
    "juil", "août", "aout", "déc", "ene", "abr", "ago", "dic", "janvier", "février", "märz", "april",
];

/// `7:02:00`, `7:02 PM`: what becomes of a code such as 7:02 in a spreadsheet program that takes it for a time.
pub(super) fn is_time_of_a_code(text: &str) -> bool {
    let (clock, half) = match text.rsplit_once(' ') {
        Some((clock, half)) if ["am", "pm"].iter().any(|known| half.eq_ignore_ascii_case(known)) => {
            (clock, true)
        }
        _ => (text, false),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let are_digits = parts
        .iter()
        .all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    are_digits && (parts.len() == 3 || (parts.len() == 2 && half))
}

/// `2-Mar`, `Mar-02`, `02. Mrz`, `3月2日`: what becomes of a code such as 3-2 in a spreadsheet program that takes it for
/// a date.
pub(super) fn is_date_of_a_code(text: &str) -> bool {
    let are_digits =
        |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    for (month, day) in [('月', '日'), ('월', '일')] {
        if let Some((before, after)) = text.split_once(month) {
            let before = before.trim().rsplit(['年', '년']).next().unwrap_or_default().trim();
            return are_digits(before) && after.trim().strip_suffix(day).is_some_and(are_digits);
        }
    }
    let parts: Vec<&str> = text.split(['-', ' ', '.', '/']).filter(|part| !part.is_empty()).collect();
    let is_month = |text: &str| MONTHS.contains(&text.to_lowercase().as_str());
    match parts.as_slice() {
        [one, other] => (are_digits(one) && is_month(other)) || (is_month(one) && are_digits(other)),
        [day, month, year] => are_digits(day) && is_month(month) && are_digits(year),
        _ => false,
    }
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
            ("１３８００１３８０００", Numbers, "13800138000"),
            ("Ｓ０１", Ids, "S01"),
            ("高一１班", Codes, "高一１班"),
            ("\u{200e}10\u{ad}01", Ids, "1001"),
        ] {
            assert_eq!(mended(raw, holds), value, "{raw} of {holds:?}");
        }
    }

    #[test]
    fn a_date_in_numbers_is_told_from_codes_and_ids() {
        use Holds::{Codes, Ids};
        for text in ["2026/3/2", "2026-03-02", "03/02/26", "3/2/26", "2/3/2026", "02.03.2026", "2026.3.2"] {
            assert!(is_date_in_numbers(text, Codes), "{text}");
        }
        for text in
            ["3-2", "7.1.2", "26-01-15", "1/2", "20.260.001", "2026/13/40", "2026-03", "1/2/3", "010.203.456"]
        {
            assert!(!is_date_in_numbers(text, Codes), "{text}");
        }
        assert!(!is_date_in_numbers("2026-03-02", Ids), "ids may be of a year, a class and a number");
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

    #[test]
    fn a_code_that_became_a_date_is_told_from_other_codes() {
        for text in [
            "2-Mar",
            "Mar-02",
            "02. Mrz",
            "02-mars",
            "3月2日",
            "2026年3月2日",
            "03월 02일",
            "2-Mar-26",
            "2 mar",
        ] {
            assert!(is_date_of_a_code(text), "{text}");
        }
        for text in ["3-2", "高一1班", "2026-03-02", "7B", "May", "Mars", "G-March", "3月班", "7.1", "A 12"]
        {
            assert!(!is_date_of_a_code(text), "{text}");
        }
    }
}
