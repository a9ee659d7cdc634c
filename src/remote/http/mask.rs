//! Takes personal data out of a text that a service wrote, before the text is kept or shown.

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
/// Values are found in whatever case. One or two ASCII characters (a gender `M`, a group `7`) are masked only where
/// they stand alone; otherwise they would eat every word.
#[must_use]
pub fn mask_service_text<V: AsRef<str>>(text: &str, sent_values: impl IntoIterator<Item = V>) -> String {
    let chars: Vec<char> = text.chars().take(SCANNED_CHARS).collect();
    let folded: Vec<char> = chars.iter().copied().map(fold).collect();
    let mut masked = vec![false; chars.len()];
    for value in sent_values {
        let needle: Vec<char> = value.as_ref().trim().chars().map(fold).collect();
        mask_value(&folded, &needle, &mut masked);
    }
    mask_digit_runs(&chars, &mut masked);
    render(&chars, &masked)
}

fn fold(c: char) -> char {
    // One to one, so that positions stay what they are.
    c.to_lowercase().next().unwrap_or(c)
}

fn mask_value(folded: &[char], needle: &[char], masked: &mut [bool]) {
    if needle.is_empty() {
        return;
    }
    let only_alone = needle.len() <= 2 && needle.iter().all(char::is_ascii);
    for (start, window) in folded.windows(needle.len()).enumerate() {
        let end = start + needle.len();
        if window != needle || (only_alone && !stands_alone(folded, start, end)) {
            continue;
        }
        if let Some(span) = masked.get_mut(start..end) {
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

fn mask_digit_runs(chars: &[char], masked: &mut [bool]) {
    let mut start = 0;
    for run in chars.chunk_by(|left, right| left.is_numeric() == right.is_numeric()) {
        let end = start + run.len();
        let is_number = run.first().is_some_and(|c| c.is_numeric());
        if is_number
            && run.len() >= DIGIT_RUN
            && let Some(span) = masked.get_mut(start..end)
        {
            span.fill(true);
        }
        start = end;
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
