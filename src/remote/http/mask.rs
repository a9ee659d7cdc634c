//! Takes personal data out of a text that a service wrote, before the text is kept or shown.

use super::escapes::{self, Plain};

/// Values are looked for in so much of a text; nothing behind it is kept.
const SCANNED_CHARS: usize = 4_000;
/// No character behind this one is kept, so that a value reaching over the end of the scan cannot show.
const KEPT_FROM_CHARS: usize = 600;
/// No masked text is longer.
const LONGEST_CHARS: usize = 200;
/// This many digits in a row are taken for a number of a person.
const DIGIT_RUN: usize = 5;
const MASK: char = '…';

/// A service's text without what it may tell about people: every value that we sent and every run of five or more
/// digits becomes `…`, control characters become blanks, and what is long is cut.
///
/// Values are found in whatever case, and escaped as HTML, JSON or addresses escape them; of a value of several words each
/// word too. One or two ASCII characters (a gender `M`, a group `7`) are masked only where
/// they stand alone; otherwise they would eat every word.
#[must_use]
pub fn mask_service_text<V: AsRef<str>>(text: &str, sent_values: impl IntoIterator<Item = V>) -> String {
    let chars: Vec<char> = text.chars().take(SCANNED_CHARS).collect();
    let mut masked = vec![false; chars.len()];
    let depths = escapes::depths(&chars);
    let depths: Vec<(&Vec<Plain>, Vec<char>)> = depths.iter().map(|plain| (plain, folded(plain))).collect();
    for value in sent_values {
        let value: Vec<char> = value.as_ref().trim().chars().map(fold).collect();
        for (plain, folded) in &depths {
            mask_value(plain, folded, &value, &mut masked);
            for word in value.split(|c| *c == ' ').filter(|word| word.len() < value.len()) {
                mask_word(plain, folded, word, &mut masked);
            }
        }
    }
    for (plain, _) in &depths {
        mask_digit_runs(plain, &mut masked);
    }
    render(&chars, &masked)
}

fn folded(plain: &[Plain]) -> Vec<char> {
    plain.iter().map(|it| fold(it.meant)).collect()
}

fn fold(c: char) -> char {
    if c.is_whitespace() || c == '+' {
        // An address writes a blank so.
        return ' ';
    }
    // One to one, so that positions stay what they are.
    c.to_lowercase().next().unwrap_or(c)
}

fn mask_value(plain: &[Plain], folded: &[char], needle: &[char], masked: &mut [bool]) {
    let only_alone = needle.len() <= 2 && needle.iter().all(char::is_ascii);
    mask_all(plain, folded, (needle, only_alone), masked);
}

/// A word of a value is masked where it stands alone, or where its script knows no blanks.
fn mask_word(plain: &[Plain], folded: &[char], word: &[char], masked: &mut [bool]) {
    let only_alone = word.iter().any(char::is_ascii);
    if word.len() > 1 || !only_alone {
        mask_all(plain, folded, (word, only_alone), masked);
    }
}

fn mask_all(plain: &[Plain], folded: &[char], (needle, only_alone): (&[char], bool), masked: &mut [bool]) {
    if needle.is_empty() {
        return;
    }
    for (start, window) in folded.windows(needle.len()).enumerate() {
        let end = start + needle.len();
        if window != needle || (only_alone && !stands_alone(folded, start, end)) {
            continue;
        }
        let span = plain.get(start).zip(plain.get(end - 1)).map(|(first, last)| first.start..last.end);
        if let Some(span) = span.and_then(|span| masked.get_mut(span)) {
            span.fill(true);
        }
    }
}

fn stands_alone(text: &[char], start: usize, end: usize) -> bool {
    let is_word = |index: Option<usize>| {
        index.and_then(|index| text.get(index)).is_some_and(|c| c.is_ascii_alphanumeric())
    };
    !is_word(start.checked_sub(1)) && !is_word(Some(end))
}

fn mask_digit_runs(plain: &[Plain], masked: &mut [bool]) {
    for run in plain.chunk_by(|left, right| left.meant.is_numeric() == right.meant.is_numeric()) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if first.meant.is_numeric()
            && run.len() >= DIGIT_RUN
            && let Some(span) = masked.get_mut(first.start..last.end)
        {
            span.fill(true);
        }
    }
}

fn render(chars: &[char], masked: &[bool]) -> String {
    let mut shown: Vec<char> = Vec::new();
    for (c, masked) in chars.iter().zip(masked).take(KEPT_FROM_CHARS) {
        let next = match (masked, c.is_control() || c.is_whitespace()) {
            (true, _) => MASK,
            (false, true) => ' ',
            (false, false) => *c,
        };
        let repeats = (next == MASK || next == ' ') && shown.last() == Some(&next);
        if !repeats {
            shown.push(next);
        }
    }
    let whole: String = shown.iter().collect();
    let whole = whole.trim();
    if whole.chars().count() <= LONGEST_CHARS && chars.len() <= KEPT_FROM_CHARS {
        return whole.to_owned();
    }
    let mut cut: String = whole.chars().take(LONGEST_CHARS - 1).collect();
    if !cut.ends_with(MASK) {
        cut.push(MASK);
    }
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_that_we_sent_is_masked_in_whatever_case() {
        let text = "user ZHANG.San already exists (zhang.san, 张三)";
        let masked = mask_service_text(text, ["zhang.san", "张三"]);
        assert_eq!(masked, "user … already exists (…, …)");
    }

    #[test]
    fn five_digits_in_a_row_are_masked_and_four_are_not() {
        let none: [&str; 0] = [];
        assert_eq!(mask_service_text("code 1234, sid 17060, ７８９０１", none), "code 1234, sid …, …");
    }

    #[test]
    fn a_single_letter_that_we_sent_does_not_eat_the_text() {
        assert_eq!(mask_service_text("Maximum is M, not 'm'", ["M"]), "Maximum is …, not '…'");
        assert_eq!(mask_service_text("性别男无效", ["男"]), "性别…无效");
    }

    #[test]
    fn a_value_that_is_repeated_escaped_is_masked_too() {
        let names = ["O'Brien Zoë", "Müller & Söhne", "𠀀𠀁", "quo\"te"];
        for text in [
            "duplicate: O&#x27;Brien Zo&euml;",
            "duplicate: O&#39;Brien Zoë",
            "duplicate: O\\u0027Brien Zo\\u00eb",
            "duplicate: O\\u0026#x27;Brien Zo\\u00EB",
            "duplicate: M%C3%BCller%20%26%20S%C3%B6hne",
            "duplicate: m%c3%bcller+%26+s%c3%b6hne",
            "duplicate: Müller &amp; Söhne",
            "duplicate: M&uuml;ller &amp;amp; S&ouml;hne",
            "duplicate: \\ud840\\udc00\\ud840\\udc01",
            "duplicate: quo\\\"te",
            "duplicate: \\x4d\\xc3\\xbcller & Söhne",
        ] {
            assert_eq!(mask_service_text(text, names), "duplicate: …", "{text}");
        }
    }

    #[test]
    fn a_word_of_a_value_is_masked_where_it_stands_alone() {
        let masked = mask_service_text("no O'Brien here, nor O&#39;Brien or Zoë, Zoëtrope", ["O'Brien Zoë"]);
        assert_eq!(masked, "no … here, nor … or …, Zoëtrope");
        assert_eq!(mask_service_text("a small b", ["a b c"]), "a small b");
    }

    #[test]
    fn what_only_looks_escaped_stays_as_it_is() {
        let text = "100% of R&D; \\ufoo %zz &nothing; \\";
        assert_eq!(mask_service_text(text, ["absent"]), text);
    }

    #[test]
    fn overlapping_values_leave_no_rest() {
        assert_eq!(mask_service_text("x abcdef y", ["abcd", "cdef"]), "x … y");
    }

    #[test]
    fn a_long_text_is_cut_and_has_no_line_breaks() {
        let text = "no\r\nno\t".repeat(500);
        let masked = mask_service_text(&text, ["absent"]);
        assert_eq!(masked.chars().count(), LONGEST_CHARS);
        assert!(!masked.contains(['\r', '\n', '\t']));
    }

    proptest! {
        #[test]
        fn no_sent_value_survives(before in "[a-z ]{0,40}", value in "[A-Za-z0-9\u{4e00}-\u{4e20}]{3,12}", after in ".{0,700}") {
            let masked = mask_service_text(&format!("{before}{value}{after}"), [&value]);
            prop_assert!(!masked.contains(&value));
            prop_assert!(masked.chars().count() <= LONGEST_CHARS);
        }
    }
}
