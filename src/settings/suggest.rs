//! "Did you mean …": the nearest of the known names. It compares text and knows no settings.

/// The known name nearest to what was written, if it is near enough to be a slip of the finger.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (distance(written, name), name))
        .filter(|(distance, name)| *distance <= tolerance(name))
        .min()
        .map(|(_, name)| name)
}

/// How many letters may be wrong: a third of them, at least one and at most three.
fn tolerance(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 3)
}

/// How many slips lie between the two: letters inserted, left out, replaced, or swapped with their neighbour.
fn distance(written: &str, name: &str) -> usize {
    let name: Vec<char> = name.chars().collect();
    let mut last: Option<(char, Vec<usize>)> = None; // the letter before, and the row before its row
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (above, letter) in written.chars().enumerate() {
        let mut next = vec![above + 1];
        for (column, wanted) in name.iter().enumerate() {
            let cost = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = cost(&row, column) + usize::from(*wanted != letter);
            let inserted_or_left_out = cost(&row, column + 1).min(cost(&next, column)) + 1;
            let before = column.checked_sub(1);
            let swapped = match (&last, before.and_then(|before| name.get(before))) {
                (Some((previous, rows)), Some(neighbour)) if previous == wanted && *neighbour == letter => {
                    before.map_or(usize::MAX, |before| cost(rows, before) + 1)
                }
                _ => usize::MAX,
            };
            next.push(replaced.min(inserted_or_left_out).min(swapped));
        }
        last = Some((letter, std::mem::replace(&mut row, next)));
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_slips() {
        assert_eq!(distance("page_sise", "page_size"), 1);
        assert_eq!(distance("pagesize", "page_size"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("exma", "exam"), 1);
        assert_eq!(distance("mdoe", "mode"), 1);
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["mode", "page_size", "batch_size"];
        assert_eq!(nearest("page_sise", known.into_iter()), Some("page_size"));
        assert_eq!(nearest("mod", known.into_iter()), Some("mode"));
        assert_eq!(nearest("telephone", known.into_iter()), None);
    }
}
