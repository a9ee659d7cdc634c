//! The forms in which services keep login values: lower-cased, without blanks, digits alone.

use crate::roster::LoginValue;

/// Fewer digits are no number that anybody logs in with.
const DIGITS_OF_A_NUMBER: usize = 5;

/// Whether a service that keeps login values in a form of its own may have made this of what was sent.
#[must_use]
pub fn is_service_form(shown: &LoginValue, sent: &LoginValue) -> bool {
    let (shown, sent) = (shown.as_str(), sent.as_str());
    folded(shown) == folded(sent) || is_number_of(shown, sent)
}

fn folded(login: &str) -> String {
    login.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn is_number_of(shown: &str, sent: &str) -> bool {
    shown.len() >= DIGITS_OF_A_NUMBER && shown.chars().eq(sent.chars().filter(char::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_makes_of_a_login_value_is_told_from_another_one() {
        let rows = [
            ("anna.b@x.org", "Anna.B@X.org", true),
            ("Anna B", "Anna  B", true),
            ("8613800000001", "+86 138-0000-0001", true),
            ("anna.c@x.org", "Anna.B@X.org", false),
            ("8613800000002", "+86 138-0000-0001", false),
            ("1", "anna1@x.org", false),
            ("", "anna", false),
        ];
        for (shown, sent, expected) in rows {
            let found = is_service_form(&LoginValue::new(shown), &LoginValue::new(sent));
            assert_eq!(found, expected, "{shown:?} of {sent:?}");
        }
    }
}
