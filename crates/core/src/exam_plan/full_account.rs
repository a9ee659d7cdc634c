//! Words by which a service says that an account has no room for more candidates.

/// Whether a refusal says that the account is full, whatever its language's case. A limit of anything else than people is
/// none: of calls, of rows, of the length of a value.
#[must_use]
pub fn says_account_is_full(text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let of_people = has(&["candidate", "student", "user", "people", "\u{4eba}\u{6570}", "\u{8003}\u{751f}"]);
    let no_room = has(&[
        "number limit",
        "limit is reached",
        "limit reached",
        "reached the limit",
        "limit exceeded",
        "exceeds the limit",
        "quota",
        "no room",
        "is full",
        "maximum number",
        "\u{4e0a}\u{9650}",
        "\u{5df2}\u{6ee1}",
        "\u{8d85}\u{51fa}",
    ]);
    // What is too long is one value of one person, whose row is to be mended.
    let of_a_value = has(&[
        "name",
        "length",
        "character",
        "digit",
        "phone",
        "password",
        "mail",
        "\u{59d3}\u{540d}",
        "\u{957f}\u{5ea6}",
        "\u{5b57}\u{7b26}",
        "\u{624b}\u{673a}",
        "\u{5bc6}\u{7801}",
    ]);
    of_people && no_room && !of_a_value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_limit_of_people_is_a_full_account() {
        let full = [
            "the candidate number limit is reached",
            "Student quota exceeded",
            "\u{8003}\u{751f}\u{4eba}\u{6570}\u{5df2}\u{8fbe}\u{4e0a}\u{9650}",
        ];
        for text in full {
            assert!(says_account_is_full(text), "{text}");
        }
        let other = [
            "the login value exists",
            "limit must not exceed 100",
            "request quota exceeded",
            "the student is refused",
            "the user name exceeds the limit",
            "student phone: the maximum number of digits is 11",
            "\u{8003}\u{751f}\u{59d3}\u{540d}\u{957f}\u{5ea6}\u{8d85}\u{51fa}\u{9650}\u{5236}",
            "",
        ];
        for text in other {
            assert!(!says_account_is_full(text), "{text}");
        }
    }
}
