//! What a listing shows otherwise than it is: masks in place of values, and login values that are not in normal form.

use std::collections::HashMap;

/// Login values that are kept as the service wrote them, at most: only odd ones are.
const MOST_RAW_LOGINS: usize = 200_000;

/// Signs that a service puts in the place of what it hides.
const MASKS: [char; 5] = ['*', '\u{2022}', '\u{25cf}', '\u{2217}', '\u{ff0a}'];

/// Whether a value is shown as a mask, whole or in part: `******`, `138****0001`. A mask says nothing about the value.
#[must_use]
pub fn is_masked(value: &str) -> bool {
    // Nearly every value shows at first sight that it is none.
    if value.bytes().all(|byte| byte.is_ascii() && byte != b'*') {
        return false;
    }
    let value = value.trim();
    if value.is_empty() {
        return false;
    }
    let masks = value.chars().filter(|sign| MASKS.contains(sign)).count();
    masks >= 3 || (masks > 0 && masks == value.chars().count())
}

/// One bit for a position; positions that were never set are unset.
#[derive(Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn set(&mut self, at: usize) {
        let word = at / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn get(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
    }
}

/// Login values whose text differs from their normal form, by the hash of the normal form.
#[derive(Default)]
pub(super) struct RawLogins(HashMap<u64, Box<str>>);

impl RawLogins {
    pub(super) fn keep(&mut self, hash: u64, raw: &str) {
        if self.0.len() < MOST_RAW_LOGINS {
            self.0.insert(hash, raw.into());
        }
    }

    pub(super) fn of(&self, hash: u64) -> Option<&str> {
        self.0.get(&hash).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_told_from_a_value() {
        for mask in ["******", "*", "138****0001", "\u{2022}\u{2022}\u{2022}\u{2022}", "a***"] {
            assert!(is_masked(mask), "{mask}");
        }
        for value in ["", " ", "-", "--", "Anna", "4*4", "138 0001"] {
            assert!(!is_masked(value), "{value}");
        }
    }

    #[test]
    fn bits_are_set_one_by_one() {
        let mut bits = Bits::default();
        bits.set(3);
        bits.set(130);
        assert_eq!(
            [2, 3, 129, 130, 131, 5000].map(|at| bits.get(at)),
            [false, true, false, true, false, false]
        );
    }
}
