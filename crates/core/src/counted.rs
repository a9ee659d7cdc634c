//! Numbers with their nouns, as sentences need them: `1 leaver`, `2 leavers`, `12,000 classes`.

/// So many of something, with the thousands set apart and the noun in the form that the number asks for.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {}", grouped(count), of_count(count, noun))
}

/// The same for a length.
#[must_use]
pub fn counted_len(count: usize, noun: &str) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), noun)
}

/// The noun in the form that the number asks for.
#[must_use]
pub fn of_count(count: u64, noun: &str) -> String {
    let is_hissing = ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end));
    match count {
        1 => noun.to_owned(),
        _ if is_hissing => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// 1234567 as 1,234,567.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many bytes as people say them, in steps of 1024: `900 bytes`, `12 KiB`, `3.4 MiB`, `2.0 GiB`.
#[must_use]
pub fn in_bytes(bytes: u64) -> String {
    const STEP: u64 = 1024;
    let tenths = |unit: u64| {
        let (whole, rest) = (bytes / unit, bytes % unit);
        format!("{}.{}", grouped(whole), rest.saturating_mul(10) / unit)
    };
    match bytes {
        0..STEP => counted(bytes, "byte"),
        STEP..0x10_0000 => format!("{} KiB", bytes.div_ceil(STEP)),
        0x10_0000..0x4000_0000 => format!("{} MiB", tenths(0x10_0000)),
        _ => format!("{} GiB", tenths(0x4000_0000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let table = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in table {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn one_is_singular_and_everything_else_plural() {
        let table = [
            (0, "leaver", "0 leavers"),
            (1, "leaver", "1 leaver"),
            (2, "leaver", "2 leavers"),
            (1, "class", "1 class"),
            (1200, "class", "1,200 classes"),
            (3, "batch", "3 batches"),
        ];
        for (count, noun, text) in table {
            assert_eq!(counted(count, noun), text);
        }
    }

    #[test]
    fn bytes_are_said_in_the_unit_that_fits_them() {
        let table = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1025, "2 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (1024 * 1024 * 3 / 2, "1.5 MiB"),
            (5 * 1024 * 1024 * 1024, "5.0 GiB"),
            (u64::MAX, "17,179,869,183.9 GiB"),
        ];
        for (bytes, text) in table {
            assert_eq!(in_bytes(bytes), text);
        }
    }
}
