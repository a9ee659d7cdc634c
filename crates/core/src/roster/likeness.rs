//! What two ids have in common that a spreadsheet, an import or a typist wrote differently.

use unicode_normalization::UnicodeNormalization;

use super::{LoginValue, StudentId, without_zero_fraction};

/// The part of an id that blanks, invisible characters, punctuation, case, leading zeros, a `.0` at the end and Unicode form leave
/// as it is.
///
/// Two ids with one likeness may belong to one person. It is no id: nothing is matched by it without asking.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdLikeness(Box<str>);

impl IdLikeness {
    /// The likeness of an id.
    #[must_use]
    pub fn of(id: &StudentId) -> Self {
        let visible = folded(without_zero_fraction(id.as_str().trim()));
        let signs = without_punctuation(&visible);
        // Nothing else tells an id of punctuation alone from another one.
        let signs = if signs.is_empty() { visible } else { signs };
        let rest = signs.trim_start_matches('0');
        let kept = if rest.is_empty() && !signs.is_empty() { "0" } else { rest };
        Self(kept.into())
    }
}

/// The part of a login value that blanks, invisible characters, case, width and Unicode form leave as it is, and of a telephone
/// number what is dialled in the country, whatever stands between the digits.
///
/// Two login values with one likeness may belong to one person. Nothing is matched by it without asking.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginLikeness(Box<str>);

impl LoginLikeness {
    /// The likeness as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The likeness, where it is another text than the login value itself.
    #[must_use]
    pub fn unlike(login: &LoginValue) -> Option<Self> {
        let text = login.as_str();
        if is_plainly_its_own(text.as_bytes()) {
            return None;
        }
        Some(Self::of(login)).filter(|likeness| likeness.as_str() != text)
    }

    /// The likeness of a login value.
    #[must_use]
    pub fn of(login: &LoginValue) -> Self {
        let visible = folded(without_zero_fraction(login.as_str().trim()));
        let digits: String = visible.chars().filter(|letter| !is_between_digits(*letter)).collect();
        let is_number =
            digits.len() >= SHORTEST_NUMBER && digits.chars().all(|letter| letter.is_ascii_digit());
        if !is_number {
            return Self(visible.into());
        }
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        let at_home = digits.strip_prefix("86").filter(|rest| rest.len() == 11);
        Self(at_home.unwrap_or(digits).into())
    }
}

/// Whether a login value is seen at once to be its own likeness, as nearly every one is: nothing to fold, and a letter, so that
/// it is no number; or a number as it is dialled in the country.
fn is_plainly_its_own(text: &[u8]) -> bool {
    if text.iter().all(u8::is_ascii_digit) {
        return !text.starts_with(b"00") && !text.starts_with(b"86");
    }
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"@._-".contains(byte);
    text.iter().all(is_plain) && text.iter().any(u8::is_ascii_lowercase)
}

/// Digits of a telephone number, at least. In shorter ones, such as the code of a class, a dash may mean something.
const SHORTEST_NUMBER: usize = 7;

/// What people write between the digits of a telephone number, and before the country's code.
fn is_between_digits(letter: char) -> bool {
    matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '.' | '/' | '(' | ')' | '+')
}

/// Fewer digits than these behind a sign are no number of their own.
const SHORTEST_SERIAL: usize = 3;

/// Without punctuation; between digits it is a dash that stays, where few digits follow: class 1, number 11 is not class 11,
/// number 1.
fn without_punctuation(id: &str) -> String {
    let mut parts = id.split(is_punctuation).filter(|part| !part.is_empty());
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        let is_between = kept.ends_with(|letter: char| letter.is_ascii_digit()) && digits > 0;
        if is_between && digits < SHORTEST_SERIAL {
            kept.push('-');
        }
        kept.push_str(part);
    }
    kept
}

/// What people write into an id and leave out again: `S-0001`, `#0004`, `2024/17`.
fn is_punctuation(letter: char) -> bool {
    letter.is_ascii_punctuation()
        || matches!(letter, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}' | '\u{2116}')
}

/// Without blanks and what shows nothing, in one case and one form, with western digits.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        let seen = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control());
        return seen.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    }
    folded_beyond_ascii(text)
}

fn folded_beyond_ascii(text: &str) -> String {
    // There and back again, so that letters with several lower-case forms are one. Case may take an accent apart, so the
    // form is settled after it.
    let lower = text.nfkc().flat_map(char::to_lowercase);
    let folded = lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let plain: String = folded.nfkc().map(western_digit).collect();
    plain.chars().filter(|letter| !is_unseen(*letter)).collect()
}

/// The noughts of scripts with ten digits of their own that stand in a row.
const NOUGHTS: [u32; 36] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
    0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0,
];

/// A digit of any script as one of ours; other signs as they are.
fn western_digit(letter: char) -> char {
    let code = u32::from(letter);
    let value = NOUGHTS.iter().find_map(|nought| code.checked_sub(*nought).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(letter)
}

/// Blanks, and what shows nothing at all.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(id: &str) -> IdLikeness {
        IdLikeness::of(&StudentId::new(id))
    }

    #[test]
    fn login_values_that_are_written_differently_are_alike() {
        let likeness = |login: &str| LoginLikeness::of(&LoginValue::new(login));
        let alike = [
            ("Anna@x.cn", "ANNA@x.cn "),
            ("13900000001", "+86 139-0000-0001"),
            ("13900000001", "008613900000001"),
            ("13900000001", "１３９０００００００１"),
            ("13900000001", "13900000001.0"),
            ("(0511) 8888", "05118888"),
        ];
        for (one, other) in alike {
            assert_eq!(likeness(one), likeness(other), "{one} and {other}");
        }
        let different = [
            ("13900000001", "13900000002"),
            ("a-b@x.cn", "ab@x.cn"),
            ("86123", "123"),
            ("0123", "123"),
            ("s-1", "s1"),
            ("1-11", "11-1"),
        ];
        for (one, other) in different {
            assert_ne!(likeness(one), likeness(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_login_value_that_is_its_own_likeness_has_no_other_one() {
        let plain = ["anna@x.cn", "s-1", "13900000001", "0123", "\u{5f20}\u{4f1f}", "a_1.0"];
        for text in plain {
            let login = LoginValue::new(text);
            assert_eq!(LoginLikeness::unlike(&login), None, "{text}");
            assert_eq!(LoginLikeness::of(&login).as_str(), text);
        }
        for text in ["Anna", "a b", "+8613900000001", "139-0000-0001", "\u{ff41}", "M\u{fc}LLER"] {
            assert!(LoginLikeness::unlike(&LoginValue::new(text)).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_folded_the_short_way_is_folded_alike() {
        for one in 0..=127_u8 {
            for other in 0..=127_u8 {
                let text: String = [one, b'0', other].map(char::from).iter().collect();
                assert_eq!(folded(&text), folded_beyond_ascii(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn a_login_value_seen_at_once_to_be_its_own_likeness_is() {
        let signs = ["", "0", "00", "86", "1", "a", "A", "@", ".", "-", "+", " ", "1390000000", "900000001"];
        for one in signs {
            for (two, three) in signs.iter().flat_map(|two| signs.iter().map(move |three| (two, three))) {
                let text = format!("{one}{two}{three}");
                if is_plainly_its_own(text.as_bytes()) {
                    assert_eq!(LoginLikeness::of(&LoginValue::new(&*text)).as_str(), text);
                }
            }
        }
    }

    #[test]
    fn ids_that_are_written_differently_are_alike() {
        let table = [
            ("0001", "1"),
            ("1001.0", "1001"),
            ("000", "0"),
            ("000001", "000001 "),
            ("20240001", "2024 0001"),
            ("ab12", "AB12"),
            ("M\u{fc}ller", "Mu\u{308}ller"),
            ("\u{ff11}\u{ff12}", "12"),
            ("s\u{200b}7", "s7"),
            ("0A7", "a7"),
            ("\u{130}1", "i\u{307}1"),
            ("Stra\u{df}e", "STRASSE"),
            ("\u{1e9e}1", "ss1"),
            ("\u{3bf}\u{3c2}", "\u{39f}\u{3a3}"),
            ("\u{661}\u{662}\u{660}", "120"),
            ("\u{6f0}\u{6f7}", "7"),
            ("\u{967}\u{966}", "10"),
            ("S-0001", "S0001"),
            ("#0004", "0004"),
            ("#0004", "4"),
            ("2024/17", "2024-17"),
            ("2024\u{2013}0017", "20240017"),
            ("12.A/7", "12-a7"),
            ("a_1", "A.1"),
        ];
        for (one, other) in table {
            assert_eq!(likeness(one), likeness(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn ids_that_name_two_people_are_not_alike() {
        for (one, other) in [
            ("1", "10"),
            ("s1", "s01"),
            ("a-1", "a-2"),
            ("#", "-"),
            ("1-11", "11-1"),
            ("0", "1"),
            ("12", "21"),
            ("0", "o"),
        ] {
            assert_ne!(likeness(one), likeness(other), "{one:?} and {other:?}");
        }
    }
}
