//! Phone numbers as people write them, read by the rules of their country. The only file that knows the library.
//!
//! The rules are those of libphonenumber, by way of the crate `phonenumber`, which carries them along.

use std::fmt;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use phonenumber::{PhoneNumber, Type};
use unicode_normalization::UnicodeNormalization;

use super::text::normalise;

/// Longer texts hold no phone number.
const LONGEST_CHARS: usize = 40;

/// The last digits of a number that are the subscriber's own in every country.
const SUBSCRIBER_DIGITS: usize = 7;

/// The country whose numbers are written without a country code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HomeCountry(Id);

impl HomeCountry {
    /// A country by its two letters (ISO 3166), in either case; `None` where it has no phone numbers of its own.
    #[must_use]
    pub fn parse(letters: &str) -> Option<Self> {
        letters.to_ascii_uppercase().parse().ok().map(Self)
    }

    /// Its two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

impl fmt::Debug for HomeCountry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HomeCountry({})", self.as_str())
    }
}

/// One existing number, in its parts. Personal: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// Such as 86, without zeros in front.
    pub country_code: u16,
    /// The digits dialled after the country code; with a leading zero where a country wants one.
    pub number: Box<str>,
    /// Whether it is known to be a mobile phone's.
    pub mobile: bool,
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// The reason why a text is no phone number. Its text continues "the phone" and never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum PhoneProblem {
    /// Letters, several numbers, or anything else that is no digit or separator.
    #[error("holds something else than one phone number")]
    NotANumber,
    /// Digits that no phone can have.
    #[error("is not a number of its country: check its digits, and the country code where it has one")]
    Impossible,
}

impl Phone {
    /// Reads one number. Digits may be of full width; blanks, hyphens, points and brackets may group them. Without
    /// `+` or the international prefix it is one of `home`, unless it exists only when its first digits are taken
    /// for the country code of `home`.
    ///
    /// Strict: a number that no phone of that country can have is refused, because a slip of one digit
    /// reaches another person.
    ///
    /// # Errors
    /// [`PhoneProblem`], by whether it looks like a number at all.
    pub fn read(text: &str, home: HomeCountry) -> Result<Self, PhoneProblem> {
        let plain = plain(text).ok_or(PhoneProblem::NotANumber)?;
        let number = parse(&plain, home).ok_or(PhoneProblem::Impossible)?;
        let zeros = "0".repeat(usize::from(number.national().zeros()));
        Ok(Self {
            country_code: number.code().value(),
            number: format!("{zeros}{}", number.national().value()).into(),
            mobile: matches!(number.number_type(&DATABASE), Type::Mobile | Type::FixedLineOrMobile),
        })
    }
}

/// Half-width digits and separators alone; `None` where there is anything else.
fn plain(text: &str) -> Option<String> {
    let text = normalise(text);
    if text.chars().count() > LONGEST_CHARS {
        return None;
    }
    let mut plain = String::new();
    let mut digits = 0;
    for c in text.nfkc() {
        match c {
            '0'..='9' => {
                digits += 1;
                plain.push(c);
            }
            '+' if plain.is_empty() => plain.push(c),
            // Any of the hyphens and dashes that programs like to put there.
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            '(' | ')' | '.' => plain.push(c),
            ' ' | '\t' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' => plain.push(' '),
            _ => return None,
        }
    }
    (digits > 0).then_some(plain)
}

fn parse(plain: &str, home: HomeCountry) -> Option<PhoneNumber> {
    let number = phonenumber::parse(Some(home.0), plain).ok()?;
    let whole = number.is_valid() && number.extension().is_none();
    // Digits that were lost on the way would make another number of it.
    (whole && ends_alike(plain, &number)).then_some(number)
}

/// Whether the last digits as written are those of the number that was read. In front, countries have rules
/// of their own: a zero is dropped, a mobile prefix is added.
fn ends_alike(plain: &str, number: &PhoneNumber) -> bool {
    let read = number.national().value().to_string();
    let written: Vec<u8> = plain.bytes().filter(u8::is_ascii_digit).collect();
    let last = |digits: &[u8]| digits.iter().rev().take(SUBSCRIBER_DIGITS).copied().collect::<Vec<u8>>();
    last(&written) == last(read.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn home() -> impl Strategy<Value = HomeCountry> {
        prop::sample::select(vec!["CN", "HK", "US", "DE", "IT", "AR", "RU", "BR", "SM"])
            .prop_map(|letters| HomeCountry::parse(letters).unwrap())
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_judged(text in "\\PC{0,45}", home in home()) {
            let _ = Phone::read(&text, home);
        }

        #[test]
        fn what_is_read_is_made_of_the_digits_that_were_written(text in "[+0-9 ().-]{0,25}", home in home()) {
            if let Ok(phone) = Phone::read(&text, home) {
                let written: String = text.chars().filter(char::is_ascii_digit).collect();
                let tail = phone.number.len().saturating_sub(7);
                prop_assert!(written.ends_with(&phone.number[tail..]), "{text}");
            }
        }

        #[test]
        fn every_mobile_number_of_the_mainland_is_read_as_it_is(number in "1[358][0-9]{9}") {
            let home = HomeCountry::parse("CN").unwrap();
            if let Ok(phone) = Phone::read(&number, home) {
                prop_assert_eq!((phone.country_code, &*phone.number), (86, number.as_str()));
            }
        }
    }
}
