//! Numbers in scientific notation: what is certain of them is read, of the rest digits are lost.

use super::spoiled::Holds;

/// Digits that a number of a spreadsheet program keeps.
const MOST_DIGITS: usize = 15;
/// Digits behind the point to which spreadsheet programs round such a number, and how long a number is then rounded: a
/// telephone number that ends in eight zeros is nobody's.
const ROUNDED_TO: usize = 2;
const LONG: usize = 10;

/// A number such as `2.026E7`, in its parts.
struct Parts<'t> {
    whole: &'t str,
    /// What stands behind the point or comma; none where there is no such.
    fraction: Option<&'t str>,
    sign: &'t str,
    power: &'t str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, power) = text.split_once(['E', 'e'])?;
    let digits = power.trim_start_matches(['+', '-']);
    let sign = power.strip_suffix(digits).filter(|sign| sign.len() < 2)?;
    let (whole, fraction) = match number.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let is_number = are_digits(whole) && fraction.is_none_or(are_digits) && are_digits(digits);
    is_number.then_some(Parts { whole, fraction, sign, power: digits })
}

/// The whole number in `2.0260001E7`, as Java and other languages write numbers from ten million on. One that may be rounded is
/// none, and neither is `7E12`, which may be a code.
pub(super) fn whole_number(text: &str) -> Option<String> {
    let Parts { whole, fraction, sign, power } = parts(text)?;
    let fraction = fraction?;
    let power: usize = power.parse().ok().filter(|power| *power < MOST_DIGITS)?;
    let is_one_digit = whole.len() == 1 && whole != "0" && sign.is_empty();
    let is_rounded = fraction.len() <= ROUNDED_TO && power + 1 >= LONG;
    let digits = fraction.trim_end_matches('0');
    let is_certain = is_one_digit && !is_rounded && digits.len() <= power;
    is_certain.then(|| format!("{whole}{digits:0<power$}"))
}

/// Why a number in scientific notation cannot be taken, as a sentence without a full stop. Without a plus it may be a value of
/// its own in a text, and where it has no fraction in an id or a code.
pub(super) fn refusal(column: &str, text: &str, holds: Holds, is_sheet: bool) -> Option<String> {
    let Parts { fraction, sign, .. } = parts(text)?;
    let is_number = is_sheet && holds != Holds::Texts && fraction.is_some();
    if sign != "+" && !is_number {
        return None;
    }
    if let Some(number) = whole_number(text).filter(|_| holds == Holds::Codes) {
        return Some(format!(
            "{column} is a number in scientific notation ({text}), as a program writes the number {number}: format the column as \
             text, or write {number}"
        ));
    }
    Some(format!(
        "{column} is a number in scientific notation, as 1.38E+10: its digits are lost, so format the column as text and export \
         again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_read_where_no_digit_can_be_lost() {
        for (text, number) in [
            ("2.0260001E7", "20260001"),
            ("2,0260001e7", "20260001"),
            ("1.0E7", "10000000"),
            ("1.50E8", "150000000"),
            ("1.500E2", "150"),
            ("1.23456789012345E14", "123456789012345"),
        ] {
            assert_eq!(whole_number(text).as_deref(), Some(number), "{text}");
        }
        for text in [
            "7E12",
            "1.38E10",
            "1.38E+10",
            "12.5E7",
            "0.5E7",
            "1.234E2",
            "1.5E15",
            "1.5E99999999999999999999",
            "1.5E",
            ".5E3",
            "1.E3",
            "1.5E-3",
            "1.5EE3",
            "E3",
            "",
        ] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_number_is_refused_where_it_cannot_be_a_value() {
        use Holds::{Codes, Ids, Numbers, Texts};
        for (text, holds, is_sheet, is_refused) in [
            ("1.38E+10", Texts, false, true),
            ("7E+12", Codes, true, true),
            ("1.38E10", Ids, true, true),
            ("1.38E10", Ids, false, false),
            ("1.38E10", Texts, true, false),
            ("1.5E-3", Numbers, true, true),
            ("7E12", Ids, true, false),
            ("7E-12", Ids, true, false),
            ("2.026011E7", Codes, true, true),
            ("1.5E+-3", Codes, true, false),
            ("E+3", Codes, true, false),
        ] {
            let refusal = refusal("student_id", text, holds, is_sheet);
            assert_eq!(refusal.is_some(), is_refused, "{text} of {holds:?}");
        }
    }
}
