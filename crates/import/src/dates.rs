//! Dates and times as spreadsheet programs write them, in numbers or with the month as a word: what becomes of codes such as 3-2
//! and 7:02.

use super::spoiled::Holds;

/// Months in the languages that write the month as a word, short and in full.
const MONTHS: [&str; 76] = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
    "jän",
    "mär",
    "mrz",
    "mai",
    "juni",
    "juli",
    "okt",
    "dez",
    "janv",
    "févr",
    "fevr",
    "mars",
    "avr",
    "avril",
    "juin",
    "juil",
    "août",
    "aout",
    "déc",
    "ene",
    "abr",
    "ago",
    "dic",
    "janvier",
    "février",
    "fevrier",
    "märz",
    "april",
    "january",
    "february",
    "march",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "januar",
    "jänner",
    "februar",
    "oktober",
    "dezember",
    "juillet",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "decembre",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "setiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "marz",
];
/// Days of the week in the same languages, as they stand before a date.
const DAYS: [&str; 36] = [
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonnabend",
    "sonntag",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];
/// Words for the halves of a day, before or behind the clock.
const HALVES: [&str; 12] =
    ["am", "pm", "a.m.", "p.m.", "a. m.", "p. m.", "上午", "下午", "午前", "午後", "오전", "오후"];

/// A date or a time where an id or a code should be. An id may be of a year, a class and a number (2026-03-02), but has no time
/// behind it.
pub(super) fn is_date_or_time(text: &str, holds: Holds) -> bool {
    if let Some(date) = before_time(text) {
        return is_date_of_a_code(date) || is_date_in_numbers(date, Holds::Codes);
    }
    is_date_of_a_code(text) || is_time_of_a_code(text) || is_date_in_numbers(text, holds)
}

/// What stands before a time of day: `2026/3/2 0:00`, `2026-03-02T00:00:00`, `3/2/2026 12:00:00 AM`.
fn before_time(text: &str) -> Option<&str> {
    let mut places = text.char_indices().filter(|(_, letter)| matches!(letter, ' ' | 'T'));
    places.find_map(|(at, letter)| {
        let (date, time) = (text.get(..at)?.trim_end(), text.get(at + letter.len_utf8()..)?);
        (!date.is_empty() && is_clock(time)).then_some(date)
    })
}

/// `0:00`, `12:00:00 AM`, `上午 9:30`, `00:00:00.000+08:00`.
fn is_clock(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    let bare = HALVES.iter().find_map(|half| lower.strip_prefix(half).or_else(|| lower.strip_suffix(half)));
    let bare = bare.unwrap_or(&lower).trim();
    let bare = bare.strip_suffix('z').unwrap_or(bare);
    let clock = bare.split(['+', '-']).next().unwrap_or_default();
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let zone = bare.get(clock.len()..).unwrap_or_default();
    let is_zone = zone.is_empty() || are_digits(&zone.replace([':', '+', '-'], ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let last = parts.len().saturating_sub(1);
    let is_part = |(at, part): (usize, &&str)| {
        let part = if at == last { part.split(['.', ',']).next().unwrap_or_default() } else { part };
        (1..=2).contains(&part.len()) && are_digits(part)
    };
    is_zone && (2..=3).contains(&parts.len()) && parts.iter().enumerate().all(is_part)
}

/// `2026/3/2`, `03/02/26`, `02.03.2026`, `2026. 3. 2.`, and of what is no id `2026-03-02`: what becomes of a code such as 3-2
/// where a date is written in numbers.
pub(super) fn is_date_in_numbers(text: &str, holds: Holds) -> bool {
    let spaced = text.contains(". ").then(|| text.trim_end_matches('.').replace(". ", "."));
    let text = spaced.as_deref().unwrap_or(text);
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

/// `2-Mar`, `Mar-02`, `02. Mrz`, `2 de marzo`, `March 2, 2026`, `3月2日`: what becomes of a code such as 3-2 in a spreadsheet
/// program that takes it for a date.
pub(super) fn is_date_of_a_code(text: &str) -> bool {
    let are_digits =
        |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    for (month, day) in [('月', '日'), ('월', '일')] {
        if let Some((before, after)) = text.split_once(month) {
            let before = before.trim().rsplit(['年', '년']).next().unwrap_or_default().trim();
            let (number, rest) = after.split_once(day).unwrap_or_default();
            return are_digits(before) && are_digits(number.trim()) && is_day_of_the_week(rest.trim());
        }
    }
    let is_separator = |letter: char| matches!(letter, '-' | ' ' | '.' | '/' | ',');
    let parts = text.split(is_separator).filter(|part| !part.is_empty() && *part != "de");
    let mut parts: Vec<&str> = parts.collect();
    if parts.len() > 2 && parts.first().is_some_and(|first| DAYS.contains(&first.to_lowercase().as_str())) {
        parts.remove(0);
    }
    let is_day = |text: &str| {
        let ends = ["st", "nd", "rd", "th", "er"];
        are_digits(ends.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text))
    };
    let is_month = |text: &str| MONTHS.contains(&text.to_lowercase().as_str());
    match parts.as_slice() {
        [one, other] => (is_day(one) && is_month(other)) || (is_month(one) && is_day(other)),
        [one, two, year] => {
            are_digits(year) && ((is_day(one) && is_month(two)) || (is_month(one) && is_day(two)))
        }
        _ => false,
    }
}

/// What stands behind a date in East Asia: nothing, or the day of the week, perhaps in brackets.
fn is_day_of_the_week(text: &str) -> bool {
    text.is_empty()
        || ["星期", "周", "週", "(", "（"].iter().any(|begin| text.starts_with(begin))
        || ["曜日", "요일"].iter().any(|end| text.ends_with(end))
}

/// That a value is a date or a time, what it may have been, and the cure.
pub(super) fn dated(column: &str, text: &str) -> String {
    let (what, code) = if is_time_of_a_code(text) { ("time", "7:02") } else { ("date", "3-2") };
    format!(
        "{column} is a {what} ({}), which a spreadsheet program makes of a code such as {code}: format the column as text and \
         enter it again",
        super::shown(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_numbers_is_told_from_codes_and_ids() {
        use Holds::{Codes, Ids};
        for text in [
            "2026/3/2",
            "2026-03-02",
            "03/02/26",
            "3/2/26",
            "2/3/2026",
            "02.03.2026",
            "2026.3.2",
            "2026. 3. 2.",
            "02. 03. 2026",
        ] {
            assert!(is_date_in_numbers(text, Codes), "{text}");
        }
        for text in [
            "3-2",
            "7.1.2",
            "26-01-15",
            "1/2",
            "20.260.001",
            "2026/13/40",
            "2026-03",
            "1/2/3",
            "010.203.456",
            "7. 1. 2.",
        ] {
            assert!(!is_date_in_numbers(text, Codes), "{text}");
        }
        assert!(!is_date_in_numbers("2026-03-02", Ids), "ids may be of a year, a class and a number");
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
            "2026年3月2日（月）",
            "03월 02일",
            "2-Mar-26",
            "2 mar",
            "2nd March",
            "1er mars 2026",
            "2 de marzo",
            "Sunday, March 1, 2026",
        ] {
            assert!(is_date_of_a_code(text), "{text}");
        }
        for text in [
            "3-2",
            "高一1班",
            "2026-03-02",
            "7B",
            "May",
            "Mars",
            "G-March",
            "3月班",
            "7.1",
            "A 12",
            "3月2日班",
            "2 de A",
            "Sun 3",
            "May 2nd B",
        ] {
            assert!(!is_date_of_a_code(text), "{text}");
        }
    }

    #[test]
    fn a_time_behind_a_date_is_told_from_other_words() {
        for (text, date) in [
            ("2026/3/2 0:00", Some("2026/3/2")),
            ("2026-03-02T00:00:00.000+08:00", Some("2026-03-02")),
            ("3/2/2026 12:00:00 AM", Some("3/2/2026")),
            ("3-1 T", None),
            ("7:02 PM", None),
            ("A 7", None),
            ("2026-03-02 x:00", None),
        ] {
            assert_eq!(before_time(text), date, "{text}");
        }
        assert!(!is_date_or_time("7A 10:30", Holds::Codes), "a class at a time of day is no date");
    }
}
