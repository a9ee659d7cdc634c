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

/// What such services may make of a login value, where it is another text: in lower case, without blanks, both, and its
/// digits alone.
#[must_use]
pub fn service_forms(sent: &LoginValue) -> Vec<LoginValue> {
    let text = sent.as_str();
    let squeezed: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = Some(digits).filter(|digits| digits.len() >= DIGITS_OF_A_NUMBER);
    let forms = [text.to_lowercase(), squeezed.to_lowercase(), squeezed].into_iter().chain(digits);
    let mut found: Vec<LoginValue> = Vec::new();
    for form in forms.filter_map(|form| LoginValue::parse(&form)) {
        if form != *sent && !found.contains(&form) {
            found.push(form);
        }
    }
    found
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
    fn the_forms_of_a_login_value_are_those_that_are_told_from_another_one() {
        let forms = |sent: &str| -> Vec<String> {
            service_forms(&LoginValue::new(sent)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(forms("Anna  B"), ["anna  b", "annab", "AnnaB"]);
        assert_eq!(forms("138 0000 0001"), ["13800000001"]);
        assert_eq!(forms("+86-13800000001"), ["8613800000001"]);
        assert_eq!(forms("s001"), [""; 0]);
        assert_eq!(forms("13800000001"), [""; 0]);
        for sent in ["Anna  B", "+86 138-0000-0001", "M\u{dc}LLER 12345"] {
            let sent = LoginValue::new(sent);
            assert!(service_forms(&sent).iter().all(|form| is_service_form(form, &sent)), "{sent}");
        }
    }

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
