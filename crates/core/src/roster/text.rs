//! Brings values into the form in which they are compared.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Trims white space (also no-break, zero-width and ideographic blanks) and normalises to NFC.
///
/// Nothing else: case and width inside a value are the school's business. Idempotent.
#[must_use]
pub fn normalise(raw: &str) -> Cow<'_, str> {
    let trimmed = raw.trim_matches(is_blank);
    if trimmed.is_ascii() || is_nfc_quick(trimmed.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(trimmed);
    }
    let composed: String = trimmed.nfc().collect();
    Cow::Owned(composed.trim_matches(is_blank).to_owned())
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_every_kind_are_trimmed_and_inner_ones_kept() {
        assert_eq!(normalise("\u{feff}\u{3000} Li  Lei \u{200b}\u{a0}"), "Li  Lei");
    }

    #[test]
    fn a_decomposed_letter_is_composed() {
        assert_eq!(normalise("e\u{301}"), "\u{e9}");
    }

    #[test]
    fn a_value_in_normal_form_is_borrowed_as_it_is() {
        assert!(matches!(normalise("王小明"), Cow::Borrowed("王小明")));
    }
}
