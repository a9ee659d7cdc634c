//! Texts as they are typed in a command.

use std::borrow::Cow;

/// A text as one word of a shell's command line: in quotes where a shell would split or expand it.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.,:/@%+=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Such words as a command takes one after the other: behind `--` where one of them begins like an option.
#[must_use]
pub fn shell_words(texts: &[&str]) -> String {
    let words: Vec<Cow<'_, str>> = texts.iter().map(|text| shell_word(text)).collect();
    let marker = if texts.iter().any(|text| text.starts_with('-')) { "-- " } else { "" };
    format!("{marker}{}", words.join(" "))
}

/// An option with a value: in one word where the value begins like an option.
#[must_use]
pub fn shell_option(option: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("{option}{between}{}", shell_word(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_split_or_expand_is_quoted() {
        for plain in ["S01", "2026-07", "a.b@c", "高一1班", "ñ/1"] {
            assert_eq!(shell_word(plain), plain);
        }
        let table = [
            ("", "''"),
            ("S 01", "'S 01'"),
            ("S\u{3000}1", "'S\u{3000}1'"),
            ("$HOME", "'$HOME'"),
            ("a*", "'a*'"),
            ("~root", "'~root'"),
            ("a;rm -rf b", "'a;rm -rf b'"),
            ("O'Brien", r"'O'\''Brien'"),
            ("#1", "'#1'"),
            ("!1", "'!1'"),
            ("`x`", "'`x`'"),
            ("a\\b", "'a\\b'"),
        ];
        for (text, word) in table {
            assert_eq!(shell_word(text), word, "{text}");
        }
    }

    #[test]
    fn what_begins_like_an_option_is_taken_for_none() {
        assert_eq!(shell_words(&["a", "b c"]), "a 'b c'");
        assert_eq!(shell_words(&["a", "-b"]), "-- a -b");
        assert_eq!(shell_option("--student", "a b"), "--student 'a b'");
        assert_eq!(shell_option("--student", "-b"), "--student=-b");
    }
}
