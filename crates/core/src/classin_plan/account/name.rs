//! A student's name on the school's side of ClassIn, and whether it has to be written anew.

use std::fmt;

use crate::roster::normalise;

/// Longer names are silently cut. Contract: docs/contracts/classin.md, 1.2. Assumed: characters are counted
/// as code points.
const LONGEST_NAME: usize = 24;

/// A name cut to ClassIn's length; two names that differ only behind the cut are equal. Personal: never
/// shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchoolName(Box<str>);

impl SchoolName {
    /// The name in the form it is compared in; `None` when nothing is left after trimming.
    #[must_use]
    pub fn cut(name: &str) -> Option<Self> {
        let cut: String = normalise(name).chars().take(LONGEST_NAME).collect();
        // A blank at the cut would depend on whether the other side trims.
        let cut = cut.trim_end();
        (!cut.is_empty()).then(|| Self(cut.into()))
    }

    /// The value itself, to be sent to ClassIn and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// 64 bits under a key, to remember the name by.
    #[must_use]
    pub fn fingerprint(&self, key: &[u8; 32]) -> u64 {
        keyed("school name", &self.0, key)
    }
}

impl fmt::Debug for SchoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SchoolName(…)")
    }
}

/// The change that one account's name needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameChange {
    /// It is the one last confirmed.
    None,
    /// Nothing is known of it. Only remembered: a name entered in ClassIn stays until the roster changes.
    FirstSeen {
        /// The fingerprint to remember.
        fingerprint: u64,
    },
    /// It was another one: to be written, and remembered once that is confirmed.
    Changed {
        /// The fingerprint to remember then.
        fingerprint: u64,
    },
}

impl NameChange {
    /// Compares the roster's name with the one last confirmed for this account.
    #[must_use]
    pub fn of(name: &SchoolName, confirmed: Option<u64>, key: &[u8; 32]) -> Self {
        let fingerprint = name.fingerprint(key);
        match confirmed {
            None => Self::FirstSeen { fingerprint },
            Some(known) if known == fingerprint => Self::None,
            Some(_) => Self::Changed { fingerprint },
        }
    }
}

/// 64 bits of a value under a key, apart for each purpose.
pub(super) fn keyed(purpose: &str, value: &str, key: &[u8; 32]) -> u64 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(purpose.as_bytes());
    // A byte that no UTF-8 text contains keeps the two parts apart.
    hasher.update(&[0xff]);
    hasher.update(value.as_bytes());
    let digest = hasher.finalize();
    u64::from_le_bytes(digest.as_bytes().first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn name(text: &str) -> SchoolName {
        SchoolName::cut(text).unwrap()
    }

    #[test]
    fn names_are_cut_at_24_characters_and_compared_as_cut() {
        let long = "王".repeat(24);
        assert_eq!(name(&long).expose(), long);
        assert_eq!(name(&format!("{long}小明")), name(&long));
        assert_ne!(name(&"王".repeat(23)), name(&long));
        assert_eq!(name(&format!("{}小明", "a".repeat(23))).expose().chars().count(), 24);
        assert_eq!(name("  Jose\u{301} "), name("Jos\u{e9}"));
        assert_eq!(name(&format!("{} b", "a".repeat(23))).expose(), "a".repeat(23));
        assert_eq!(SchoolName::cut(" \u{3000}"), None);
    }

    #[test]
    fn a_name_is_written_only_when_it_was_another_one_before() {
        let known = name("Li Lei").fingerprint(&KEY);
        assert_eq!(NameChange::of(&name("Li Lei "), Some(known), &KEY), NameChange::None);
        let fingerprint = name("Li Mei").fingerprint(&KEY);
        assert_eq!(NameChange::of(&name("Li Mei"), Some(known), &KEY), NameChange::Changed { fingerprint });
        assert_eq!(NameChange::of(&name("Li Mei"), None, &KEY), NameChange::FirstSeen { fingerprint });
        assert_ne!(fingerprint, name("Li Mei").fingerprint(&[8; 32]));
    }

    #[test]
    fn a_name_behind_the_cut_may_change_without_a_call() {
        let known = name(&"x".repeat(30)).fingerprint(&KEY);
        let longer = name(&format!("{}yyy", "x".repeat(24)));
        assert_eq!(NameChange::of(&longer, Some(known), &KEY), NameChange::None);
    }

    #[test]
    fn a_name_never_shows_in_debug_output() {
        assert!(!format!("{:?}", name("Li Lei")).contains("Li"));
    }
}
