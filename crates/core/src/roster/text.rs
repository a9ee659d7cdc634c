//! Brings values into the form in which they are compared.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Trims white space (also no-break, zero-width and ideographic blanks) and normalises to NFC.
///
/// Nothing else: case and width inside a value are the school's business. Idempotent.
#[must_use]
pub fn normalise(raw: &str) -> Cow<'_, str> {
    if is_plainly_normal(raw) {
        return Cow::Borrowed(raw);
    }
    let trimmed = raw.trim_matches(is_blank);
    if trimmed.is_ascii() || is_nfc_quick(trimmed.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(trimmed);
    }
    let composed: String = trimmed.nfc().collect();
    Cow::Owned(composed.trim_matches(is_blank).to_owned())
}

/// Brings an identifier or a login value into the form in which it is compared: as [`normalise`], and without the
/// characters that nobody can see, wherever they stand. Idempotent.
#[must_use]
pub fn normalise_key(raw: &str) -> Cow<'_, str> {
    if is_plainly_normal(raw) {
        return Cow::Borrowed(raw);
    }
    if raw.is_ascii() && !raw.contains('\0') {
        return Cow::Borrowed(raw.trim_matches(is_blank));
    }
    if !raw.contains(is_invisible) {
        return normalise(raw);
    }
    let visible: String = raw.chars().filter(|c| !is_invisible(*c)).collect();
    Cow::Owned(normalise(&visible).into_owned())
}

/// Whether a text is in both normal forms at first sight: visible ASCII at both ends, and no NUL or other control
/// character between. Of others it says nothing.
pub(crate) fn is_plainly_normal(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let is_visible = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    is_visible(bytes.first())
        && is_visible(bytes.last())
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// An identifier in normal form; `None` for one that cannot be told: nothing is left of it, or it runs over a line end
/// or another control character.
#[must_use]
pub fn identifier(raw: &str) -> Option<Cow<'_, str>> {
    let key = normalise_key(raw);
    (!key.is_empty() && !key.contains(is_control)).then_some(key)
}

/// The whole number in a text that ends in `.0`, as spreadsheets write it; any other text as it is.
#[must_use]
pub fn without_zero_fraction(text: &str) -> &str {
    let Some((whole, fraction)) = text.split_once('.') else { return text };
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(digits) && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') {
        whole
    } else {
        text
    }
}

/// Control characters and the two line ends of Unicode.
pub(super) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// NUL, soft hyphen, zero-width characters, direction marks, byte order marks, fillers, variation selectors and tags.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\0' | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_normal_at_first_sight_is_normal_at_second_sight_too() {
        let table = [
            ("", true),
            ("S01", true),
            ("Li  Lei", true),
            (" S01", false),
            ("S01 ", false),
            ("S\t1", false),
            ("S01\0", false),
            ("S\u{7f}1", false),
            ("王小明", false),
        ];
        for (text, is_plain) in table {
            assert_eq!(is_plainly_normal(text), is_plain, "{text:?}");
            if is_plain {
                assert_eq!((normalise(text), normalise_key(text)), (text.into(), text.into()));
            }
        }
    }

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

    #[test]
    fn a_key_loses_what_nobody_can_see_wherever_it_stands() {
        let table = [
            ("S\u{200b}0\u{ad}1", "S01"),
            ("\u{200e}S01\u{200f}", "S01"),
            ("\u{feff}S\u{2060}01\r\n", "S01"),
            ("S01\0", "S01"),
            ("S03\u{fe0f}", "S03"),
            ("\u{3164}S\u{e0100}03\u{e0020}", "S03"),
            ("\u{202d}S01\u{202c} ", "S01"),
            ("e\u{200d}\u{301}", "\u{e9}"),
            (" S 01 ", "S 01"),
            ("高一1班\u{3000}", "高一1班"),
        ];
        for (raw, expected) in table {
            assert_eq!(normalise_key(raw), expected, "{raw:?}");
            assert_eq!(normalise_key(&normalise_key(raw)), expected, "{raw:?} twice");
        }
        assert!(matches!(normalise_key("S01"), Cow::Borrowed("S01")));
    }

    #[test]
    fn an_identifier_that_runs_over_a_line_end_cannot_be_told() {
        for raw in ["", " \u{200b}", "\0", "S01\n- S02", "S\t1", "S\u{1b}[1m", "S\u{2028}1"] {
            assert_eq!(identifier(raw), None, "{raw:?}");
        }
        assert_eq!(identifier("\nS01\n").as_deref(), Some("S01"));
    }

    #[test]
    fn a_text_that_ends_in_point_zero_is_a_whole_number() {
        let table = [
            ("13800000001.0", "13800000001"),
            ("-4.0", "-4"),
            ("7.00", "7"),
            ("7.1", "7.1"),
            ("7.", "7."),
            (".0", ".0"),
            ("a.0", "a.0"),
            ("1.0.0", "1.0.0"),
            ("1e5", "1e5"),
        ];
        for (text, expected) in table {
            assert_eq!(without_zero_fraction(text), expected, "{text}");
        }
    }
}
