//! A value that came back changed and is sent once more: what a look-up right after that tells.

use super::fingerprint::Fingerprint;

/// The second write of a value that came back changed from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondWrite {
    /// What the listing showed in its place.
    pub shown: Fingerprint,
    /// Whether look-ups show the field as the listing does, so that one can tell what becomes of the second write.
    pub is_looked_up: bool,
}

/// What a look-up right after the second write of a value tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSecondWrite {
    /// It stands as it was sent: somebody had changed it by hand.
    Kept,
    /// It shows something else: the service keeps it so.
    Rewritten(Fingerprint),
    /// Nothing is shown. The next two listings tell.
    Untold,
}

impl AfterSecondWrite {
    /// Judges by what was sent and what is shown now.
    #[must_use]
    pub fn of(sent: Fingerprint, shown: Option<Fingerprint>) -> Self {
        match shown {
            None => Self::Untold,
            Some(shown) if shown.is_like(sent) => Self::Kept,
            Some(shown) => Self::Rewritten(shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exam_plan::MemoryKey;
    use crate::roster::FieldId;

    #[test]
    fn only_what_is_seen_changed_right_after_the_second_write_is_the_services_doing() {
        let key = MemoryKey::new([1; 32]);
        let value = |value: &str| key.value(FieldId(4), value);
        let after = |shown: Option<&str>| AfterSecondWrite::of(value("0 12"), shown.map(value));
        assert_eq!(after(Some("0 12")), AfterSecondWrite::Kept);
        assert_eq!(after(Some("012")), AfterSecondWrite::Rewritten(value("012")));
        assert_eq!(after(Some("")), AfterSecondWrite::Rewritten(value("")), "it takes nothing");
        assert_eq!(after(None), AfterSecondWrite::Untold);
    }
}
