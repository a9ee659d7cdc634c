//! One ClassIn call and its answer, free of wire spelling.

use std::fmt;

use crate::roster::{ClassCode, ClassinUid, StudentId};

/// A longer token comes back cut, and then matches nothing.
///
/// Contract: docs/contracts/classin.md, 1.2.
const LONGEST_TOKEN: usize = 50;

/// Our opaque name for one row of a call, sent along and echoed. Tells nothing about the student.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(Box<str>);

impl Token {
    /// Derives the token of one enrolment: 32 hexadecimal digits of a keyed hash. The same key, student and
    /// class give the same token; without the key it cannot be traced back to the student.
    #[must_use]
    pub fn derive(key: &[u8; 32], student: &StudentId, class_code: Option<&ClassCode>) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(student.as_str().as_bytes());
        // A byte that no UTF-8 text contains keeps the two parts apart.
        hasher.update(&[0xff]);
        hasher.update(class_code.map_or("", ClassCode::as_str).as_bytes());
        let digits = hasher.finalize().to_hex();
        Self(digits.chars().take(32).collect())
    }

    /// A token that was made elsewhere: 1 to 50 printable ASCII characters without blanks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A call's answer, read leniently and not yet judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallAnswer {
    /// The code at the top; absent when there was none to read.
    pub top: Option<i64>,
    /// The service's own text beside it, with sent values and long numbers masked.
    pub top_text: Option<String>,
    /// The items in the order they came; absent when the answer held no array.
    pub items: Option<Vec<AnswerItem>>,
    /// The account that a registration of one names; absent in the answer to any other call.
    pub uid: Option<ClassinUid>,
}

/// One item of an answer. What is absent or unreadable is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerItem {
    /// Its code.
    pub code: Option<i64>,
    /// The token it echoes.
    pub token: Option<String>,
    /// The service's own text, with sent values and long numbers masked.
    pub text: Option<String>,
    /// The account that an item of a registration names; absent in the answer to any other call.
    pub uid: Option<ClassinUid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(key: u8, student: &str, class: &str) -> Token {
        Token::derive(&[key; 32], &StudentId::new(student), Some(&ClassCode::new(class)))
    }

    #[test]
    fn a_token_is_short_ascii_and_does_not_show_the_student() {
        let token = token(7, "2024-0317", "math-1");
        assert_eq!(token.as_str().len(), 32);
        assert!(token.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!token.as_str().contains("0317"));
    }

    #[test]
    fn a_token_that_would_be_cut_or_dropped_is_refused() {
        assert!(Token::parse(&"x".repeat(50)).is_some());
        for text in ["", " ", "s 1", "é", "s1\n", &"x".repeat(51)] {
            assert_eq!(Token::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_token_depends_on_key_student_and_class_and_on_nothing_else() {
        let first = token(7, "s1", "c1");
        assert_eq!(first, token(7, "s1", "c1"));
        for other in [token(8, "s1", "c1"), token(7, "s2", "c1"), token(7, "s1", "c2"), token(7, "s1c", "1")]
        {
            assert_ne!(first, other);
        }
    }
}
