//! What of a text can be seen: characters that nobody sees are taken out where nothing is lost by it, and blanks that look like
//! the ordinary one are it.

use std::borrow::Cow;

use rosterd_core::roster::{is_invisible, normalise};

/// A text in normal form, as people see it. Joiners stay where they shape letters, as in Persian or Hindi, and variation
/// selectors behind the letters that have them. Idempotent.
pub(super) fn seen(raw: &str) -> Cow<'_, str> {
    let text = normalise(raw);
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r')) || !text.chars().any(is_odd) {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_blank(letter) {
            kept.push(' ');
        } else if !is_unseen(letter, kept.chars().next_back()) {
            kept.push(letter);
        }
    }
    Cow::Owned(normalise(&kept).into_owned())
}

/// Other blanks that look like the ordinary one as that; the wide one of East Asia can be seen.
pub(super) fn with_plain_blanks(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_blank) {
        return text;
    }
    Cow::Owned(text.chars().map(|letter| if is_blank(letter) { ' ' } else { letter }).collect())
}

fn is_odd(letter: char) -> bool {
    is_blank(letter) || is_unseen(letter, None)
}

/// No-break and other blanks of the width of about an ordinary one, tabs and the lesser line ends.
fn is_blank(letter: char) -> bool {
    matches!(
        letter,
        '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}'
    )
}

/// Whether a character behind another one is seen in no way.
fn is_unseen(letter: char, before: Option<char>) -> bool {
    match letter {
        // They shape letters of scripts that join, and pictures.
        '\u{200c}' | '\u{200d}' => before.is_none_or(|before| !is_shaped(before)),
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => before.is_none_or(|before| before.is_ascii()),
        other => is_invisible(other),
    }
}

fn is_shaped(letter: char) -> bool {
    matches!(
        letter,
        '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{1cff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe0f}' | '\u{fe70}'..='\u{fefe}'
            | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_taken_out_of_a_text_and_other_blanks_become_ordinary_ones() {
        for (raw, text) in [
            ("An\u{200b}n", "Ann"),
            ("\u{feff}An\u{ad}n\u{2060}", "Ann"),
            ("Li\u{a0}Lei", "Li Lei"),
            ("Li\tLei", "Li Lei"),
            ("\u{202e}Ann\u{202c}", "Ann"),
            ("Ann\u{200d}", "Ann"),
            ("A\u{fe0f}nn", "Ann"),
            ("山田\u{3000}太郎", "山田\u{3000}太郎"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("葛\u{e0100}飾", "葛\u{e0100}飾"),
            ("e\u{200b}\u{301}", "\u{e9}"),
            ("Ann\nLee", "Ann\nLee"),
        ] {
            assert_eq!(seen(raw), text, "{raw:?}");
            assert_eq!(seen(text), text, "{raw:?} twice");
        }
    }
}
