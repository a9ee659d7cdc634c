//! What login values look like, for a sentence that shows nobody's own.

use std::collections::BTreeMap;

/// A shape that fewer share could tell somebody's value.
const LEAST_SHARING: u64 = 10;

/// So many shapes are kept apart; with more, none is common.
const MOST_SHAPES: usize = 1000;

/// How often each shape of login value occurs.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    counts: BTreeMap<String, u64>,
    /// Where a shape is made, so that a known one takes no new memory.
    shape: String,
}

impl Shapes {
    /// Counts one value.
    pub(super) fn add(&mut self, value: &str) {
        self.shape.clear();
        write_shape(value, &mut self.shape);
        if let Some(count) = self.counts.get_mut(&self.shape) {
            *count += 1;
        } else if self.counts.len() < MOST_SHAPES {
            self.counts.insert(self.shape.clone(), 1);
        }
    }

    /// The commonest shape of these values without `others`, which are among them. Of two the first by alphabet.
    pub(super) fn commonest_without(&self, others: &Self) -> Option<String> {
        let left = self.counts.iter().map(|(shape, count)| {
            let others = others.counts.get(shape).copied().unwrap_or(0);
            (count.saturating_sub(others), shape)
        });
        let (count, shape) =
            left.max_by(|(one, first), (two, second)| one.cmp(two).then(second.cmp(first)))?;
        (count >= LEAST_SHARING).then(|| shape.clone())
    }

    /// The commonest shape.
    pub(super) fn commonest(&self) -> Option<String> {
        self.commonest_without(&Self::default())
    }
}

/// Digits become `#` and words `x`. Kept are what stands between them, a country code, the first digit of a number
/// and the letters that open one, the domain of an address.
fn write_shape(value: &str, shape: &mut String) {
    let (own, domain) = value.split_once('@').map_or((value, None), |(own, domain)| (own, Some(domain)));
    let opening = opening_of(own);
    shape.push_str(opening);
    let mut in_word = false;
    for letter in own.get(opening.len()..).unwrap_or_default().chars() {
        let is_word = letter.is_alphabetic();
        if letter.is_numeric() {
            shape.push('#');
        } else if !is_word {
            shape.push(letter);
        } else if !in_word {
            shape.push('x');
        }
        in_word = is_word;
    }
    if let Some(domain) = domain {
        shape.push('@');
        shape.push_str(domain);
    }
}

/// What a number opens with: `+86`, the `1` of a number, the `S` of `S100002`.
fn opening_of(value: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let kept = match value.strip_prefix('+') {
        Some(number) if is_number(number) => 3,
        Some(_) => 0,
        None if is_number(value) => 1,
        None => {
            let letters = value.len() - value.trim_start_matches(|it: char| it.is_ascii_alphabetic()).len();
            let opens = letters <= 3 && value.get(letters..).is_some_and(is_number);
            if opens { letters } else { 0 }
        }
    };
    value.get(..kept).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_keeps_how_a_value_is_written_and_not_what_it_says() {
        let table = [
            ("13812345678", "1##########"),
            ("+8613812345678", "+86###########"),
            ("0012", "0###"),
            ("S100002", "S######"),
            ("ab-12", "x-##"),
            ("anna.smith@school.example", "x.x@school.example"),
            ("Nguyễn Thị Hương", "x x x"),
            ("张伟", "x"),
            ("+", "+"),
            ("", ""),
        ];
        for (value, shape) in table {
            let mut written = String::new();
            write_shape(value, &mut written);
            assert_eq!(written, shape, "{value}");
        }
    }

    fn shapes(values: &[(&str, usize)]) -> Shapes {
        let mut shapes = Shapes::default();
        for (value, count) in values {
            (0..*count).for_each(|_| shapes.add(value));
        }
        shapes
    }

    #[test]
    fn what_fewer_than_ten_share_is_not_shown() {
        assert_eq!(shapes(&[("1234", 9)]).commonest(), None);
        assert_eq!(shapes(&[("1234", 10), ("x", 4)]).commonest(), Some("1###".to_owned()));
        assert_eq!(shapes(&[]).commonest(), None);
    }

    #[test]
    fn the_values_of_others_do_not_count() {
        let all = shapes(&[("S1", 30), ("12", 15)]);
        assert_eq!(all.commonest(), Some("S#".to_owned()));
        assert_eq!(all.commonest_without(&shapes(&[("S1", 30)])), Some("1#".to_owned()));
    }

    #[test]
    fn too_many_shapes_use_up_no_memory() {
        let mut shapes = Shapes::default();
        (0..3_000).for_each(|at| shapes.add(&format!("x@{at}.example")));
        assert_eq!(shapes.counts.len(), MOST_SHAPES);
    }
}
