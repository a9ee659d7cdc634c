//! "Did you mean …": the nearest of the known names. It compares text and knows no settings.

use strsim::osa_distance;

/// The known name nearest to what was written, if it is near enough to be a slip of the finger.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (osa_distance(written, name), name))
        .filter(|(distance, name)| *distance <= tolerance(name))
        .min()
        .map(|(_, name)| name)
}

/// The number of wrong letters allowed: a third of the name, at least one and at most three.
fn tolerance(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["mode", "page_size", "batch_size"];
        assert_eq!(nearest("page_sise", known.into_iter()), Some("page_size"));
        assert_eq!(nearest("mod", known.into_iter()), Some("mode"));
        assert_eq!(nearest("mdoe", known.into_iter()), Some("mode"));
        assert_eq!(nearest("pagesize", known.into_iter()), Some("page_size"));
        assert_eq!(nearest("", known.into_iter()), None);
        assert_eq!(nearest("telephone", known.into_iter()), None);
    }
}
