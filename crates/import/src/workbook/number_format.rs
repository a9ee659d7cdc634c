//! What a workbook's number format makes of a number. Only what is certain is shown: zeros in front, fixed
//! decimals, letters around. Dates are told apart, for a code that became a date cannot be read back.

/// A number format, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// The number as it is.
    Plain,
    /// Places for digits, with texts around and between them.
    Pattern {
        /// Before the decimal point.
        whole: Vec<PatternPart>,
        /// The fewest and the most decimals.
        decimals: (usize, usize),
        /// Behind all digits.
        tail: String,
    },
    /// `0.00E+00`, with so many decimals.
    Scientific(usize),
    /// A date or a time.
    Date,
    /// Anything else, such as percentages and fractions.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PatternPart {
    /// `0`: a digit, zero where there is none.
    Zero,
    /// `#` or `?`: a digit where there is one.
    Digit,
    Text(char),
}

/// Numbers of formats that are built in and dates or times; those from 27 on are Chinese, Japanese and Korean.
const BUILT_IN_DATES: [std::ops::RangeInclusive<u32>; 4] = [14..=22, 27..=36, 45..=47, 50..=58];

impl NumberFormat {
    /// A format that has no text, by its number.
    pub(super) fn built_in(number: u32) -> Self {
        if BUILT_IN_DATES.iter().any(|dates| dates.contains(&number)) {
            return Self::Date;
        }
        match number {
            2 => Self::parse("0.00"),
            4 => Self::parse("#,##0.00"),
            9 | 10 | 12 | 13 => Self::Other,
            11 => Self::Scientific(2),
            48 => Self::Scientific(1),
            _ => Self::Plain,
        }
    }

    /// A format by its text. Of several sections the first counts, which is for numbers above zero.
    pub(super) fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("general") || text.starts_with('@') {
            return Self::Plain;
        }
        let mut parsed = Parsed::default();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if let Some(length) = general_at(letter, letters.as_str()) {
                letters = letters.as_str().get(length..).unwrap_or_default().chars();
                parsed.general();
                continue;
            }
            match letter {
                ';' => break,
                '"' => parsed.texts(letters.by_ref().take_while(|c| *c != '"')),
                '\\' => parsed.texts(letters.next().into_iter()),
                // A blank as wide as a letter, and a filler.
                '_' | '*' => drop(letters.next()),
                '[' => {
                    let inside: String = letters.by_ref().take_while(|c| *c != ']').collect();
                    parsed.bracket(&inside);
                }
                '0' => parsed.place(PatternPart::Zero),
                '#' | '?' => parsed.place(PatternPart::Digit),
                '.' if parsed.has_places => parsed.is_decimal = true,
                ',' => parsed.has_thousands = true,
                'E' | 'e' if parsed.has_places => {
                    parsed.is_scientific = true;
                    break;
                }
                '%' | '/' | '@' => parsed.is_other = true,
                'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | 'e' | 'g' | 'b' => {
                    parsed.is_date = true;
                }
                'G' | 'E' | 'A' | 'P' => parsed.is_other = true,
                other => parsed.texts(std::iter::once(other)),
            }
        }
        parsed.format()
    }

    /// What is shown of a number; `None` where that is not certain.
    pub(super) fn show(&self, number: f64) -> Option<String> {
        match self {
            Self::Plain => Some(number.to_string()),
            Self::Pattern { whole, decimals, tail } => show(number, whole, *decimals, tail),
            Self::Scientific(decimals) => (!is_shown_whole(number, *decimals)).then(|| number.to_string()),
            Self::Date | Self::Other => None,
        }
    }
}

/// A number has no more decimals.
const MOST_DECIMALS: usize = 15;

/// The length of what is left of the word for "the number as it is", which begins with this letter: `General`, and as Chinese,
/// Japanese and Korean programs write it.
fn general_at(first: char, rest: &str) -> Option<usize> {
    let words = ["eneral", "/通用格式", "/標準", "/표준"];
    let begins = |word: &&str| rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    words.iter().find(|word| first.eq_ignore_ascii_case(&'g') && begins(word)).map(|word| word.len())
}

#[derive(Default)]
struct Parsed {
    whole: Vec<PatternPart>,
    decimals: (usize, usize),
    tail: String,
    has_places: bool,
    is_decimal: bool,
    has_thousands: bool,
    is_scientific: bool,
    is_date: bool,
    is_other: bool,
}

impl Parsed {
    fn texts(&mut self, letters: impl Iterator<Item = char>) {
        for letter in letters {
            if self.is_decimal { self.tail.push(letter) } else { self.whole.push(PatternPart::Text(letter)) }
        }
    }

    fn place(&mut self, piece: PatternPart) {
        self.has_places = true;
        if !self.is_decimal {
            return self.whole.push(piece);
        }
        // A text between decimals is nothing that people write.
        self.is_other |= !self.tail.is_empty();
        self.decimals.1 += 1;
        if piece == PatternPart::Zero {
            self.decimals.0 = self.decimals.1;
        }
    }

    /// The number as it is, with texts around it.
    fn general(&mut self) {
        self.place(PatternPart::Zero);
        self.is_decimal = true;
        self.decimals = (0, MOST_DECIMALS);
    }

    fn bracket(&mut self, inside: &str) {
        let is_elapsed = matches!(inside.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss");
        self.is_date |= is_elapsed;
        self.is_other |= inside.starts_with(['<', '>', '=']);
        // `[$€-407]` shows what stands before the dash; colours and languages show nothing.
        if let Some(currency) = inside.strip_prefix('$') {
            let shown = currency.split('-').next().unwrap_or_default().to_owned();
            self.texts(shown.chars());
        }
    }

    fn format(self) -> NumberFormat {
        if self.is_date {
            return NumberFormat::Date;
        }
        if self.is_scientific {
            return NumberFormat::Scientific(self.decimals.1);
        }
        if self.is_other || !self.has_places {
            return NumberFormat::Other;
        }
        let texts =
            self.whole.iter().any(|piece| matches!(piece, PatternPart::Text(_))) || !self.tail.is_empty();
        let zeros = self.whole.iter().filter(|piece| **piece == PatternPart::Zero).count();
        match (self.has_thousands, texts, zeros, self.decimals) {
            // Separators are there for people's eyes, and belong to no id.
            (true, false, _, _) | (false, false, 0 | 1, (0, 0)) => NumberFormat::Plain,
            (true, true, _, _) => NumberFormat::Other,
            _ => NumberFormat::Pattern { whole: self.whole, decimals: self.decimals, tail: self.tail },
        }
    }
}

/// Whether scientific notation shows a number without rounding it: a code such as 1E5 that was taken for a number looks like
/// that, and a number of many digits does not.
fn is_shown_whole(number: f64, decimals: usize) -> bool {
    format!("{number:.decimals$e}").parse::<f64>() == Ok(number)
}

fn show(number: f64, whole: &[PatternPart], decimals: (usize, usize), tail: &str) -> Option<String> {
    if number < 0.0 {
        return None;
    }
    let plain = number.to_string();
    let (digits, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    // More decimals than are shown: what people see is rounded.
    if fraction.len() > decimals.1 {
        return None;
    }
    let mut digits: Vec<char> = if digits == "0" { Vec::new() } else { digits.chars().collect() };
    let first = whole.iter().position(|piece| !matches!(piece, PatternPart::Text(_)))?;
    let mut shown: Vec<char> = Vec::new();
    for (at, piece) in whole.iter().enumerate().rev() {
        match piece {
            PatternPart::Text(letter) => shown.push(*letter),
            PatternPart::Zero => shown.push(digits.pop().unwrap_or('0')),
            PatternPart::Digit => shown.extend(digits.pop()),
        }
        if at == first {
            shown.extend(std::mem::take(&mut digits).into_iter().rev());
        }
    }
    let mut text: String = shown.into_iter().rev().collect();
    let zeros = decimals.0.saturating_sub(fraction.len());
    if !fraction.is_empty() || zeros > 0 {
        text.push('.');
        text.push_str(fraction);
        text.push_str(&"0".repeat(zeros));
    }
    text.push_str(tail);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_as_its_format_shows_it_or_not_at_all() {
        for (format, number, shown) in [
            ("General", 123.0, Some("123")),
            ("@", 123.0, Some("123")),
            ("0", 20_260_001.0, Some("20260001")),
            ("00000", 123.0, Some("00123")),
            ("00000", 1_234_567.0, Some("1234567")),
            ("00000000000", 7_700_900_123.0, Some("07700900123")),
            ("0.00", 7.1, Some("7.10")),
            ("0.0", 7.25, None),
            ("0", 7.5, Some("7.5")),
            ("000-0000-0000", 13_800_138_000.0, Some("138-0013-8000")),
            ("\"S\"0000", 7.0, Some("S0007")),
            ("0000\"班\"", 7.0, Some("0007班")),
            ("General\"班\"", 7.0, Some("7班")),
            ("G/通用格式\"班\"", 12.0, Some("12班")),
            ("\"高\"G/通用格式", 1.5, Some("高1.5")),
            ("General\"班\"", 7.5, Some("7.5班")),
            ("General\"班\"", 0.0, Some("0班")),
            ("G/標準", 7.0, Some("7")),
            ("[Red]00000;-00000", 5.0, Some("00005")),
            ("00000_ ", 5.0, Some("00005")),
            ("#,##0", 20_260_001.0, Some("20260001")),
            ("0.00E+00", 13_800_138_000.0, Some("13800138000")),
            ("0.00E+00", 100_000.0, None),
            ("0.00E+00", 100_100.0, Some("100100")),
            ("0E+00", 7e12, None),
            ("[>99]0000;00", 5.0, None),
            ("0%", 0.5, None),
            ("# ?/?", 0.5, None),
            ("00000", -5.0, None),
        ] {
            assert_eq!(NumberFormat::parse(format).show(number).as_deref(), shown, "{format} of {number}");
        }
    }

    #[test]
    fn dates_and_times_are_told_from_numbers() {
        for format in [
            "yyyy-mm-dd",
            "m\"-\"d",
            "d-mmm",
            "[h]:mm",
            "yyyy\"年\"m\"月\"d\"日\"",
            "m/d",
            "h:mm AM/PM",
            "[$-804]m月d日",
        ] {
            assert_eq!(NumberFormat::parse(format), NumberFormat::Date, "{format}");
        }
        for (number, is_date) in
            [(0, false), (1, false), (14, true), (21, true), (31, true), (49, false), (57, true)]
        {
            assert_eq!(NumberFormat::built_in(number) == NumberFormat::Date, is_date, "{number}");
        }
    }
}
