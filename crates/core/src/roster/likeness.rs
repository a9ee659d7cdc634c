//! What two ids have in common that a spreadsheet, an import or a typist wrote differently.

use unicode_normalization::UnicodeNormalization;

use super::{StudentId, without_zero_fraction};

/// The part of an id that blanks, invisible characters, case, leading zeros, a `.0` at the end and Unicode form leave as it is.
///
/// Two ids with one likeness may belong to one person. It is no id: nothing is matched by it without asking.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdLikeness(Box<str>);

impl IdLikeness {
    /// The likeness of an id.
    #[must_use]
    pub fn of(id: &StudentId) -> Self {
        // Lower case may take an accent apart, so the form is settled after it.
        let plain: String =
            without_zero_fraction(id.as_str().trim()).nfkc().flat_map(char::to_lowercase).nfkc().collect();
        let visible: String = plain.chars().filter(|letter| !is_unseen(*letter)).collect();
        let rest = visible.trim_start_matches('0');
        let kept = if rest.is_empty() && !visible.is_empty() { "0" } else { rest };
        Self(kept.into())
    }
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
        ];
        for (one, other) in table {
            assert_eq!(likeness(one), likeness(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn ids_that_name_two_people_are_not_alike() {
        for (one, other) in [("1", "10"), ("s1", "s01"), ("a-1", "a1"), ("0", "1"), ("12", "21"), ("0", "o")]
        {
            assert_ne!(likeness(one), likeness(other), "{one:?} and {other:?}");
        }
    }
}
