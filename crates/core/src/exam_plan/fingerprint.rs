//! Short hashes of values: one kind to compare within a run, one kind to remember.

use std::hash::{BuildHasher, RandomState};

use crate::roster::FieldId;

/// Hashes values for comparison within one run.
///
/// The key is new in every run, so that an accidental collision (1 in 2³² for a
/// field) hides a difference for one run at most.
#[derive(Clone, Debug)]
pub struct RunHasher {
    state: RandomState,
}

impl RunHasher {
    /// A hasher with the given key.
    #[must_use]
    pub fn new(state: RandomState) -> Self {
        Self { state }
    }

    /// 64 bits of a login value that has been normalised.
    #[must_use]
    pub fn login(&self, value: &str) -> u64 {
        self.state.hash_one(value)
    }

    /// 32 bits of a field's normalised value; 0 for an absent or empty one.
    #[must_use]
    pub fn field(&self, value: &str) -> u32 {
        if value.is_empty() {
            return 0;
        }
        let wide = self.state.hash_one(value);
        u32::try_from(wide >> 32).unwrap_or(u32::MAX).max(1)
    }
}

/// The key under which values are remembered; made once for a state database.
#[derive(Clone)]
pub struct MemoryKey([u8; 32]);

/// 64 bits under [`MemoryKey`]: tells whether a value is still the one last confirmed, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// A value that may or may not have been written. Equals no real value, not even the empty one.
    pub const IN_DOUBT: Self = Self(u64::MAX);

    /// 32 bits of it, as a listing keeps them. Of what has 32 bits only, it is that itself.
    #[must_use]
    pub fn short(self) -> u32 {
        u32::try_from(self.0).unwrap_or_else(|_| u32::try_from(self.0 >> 32).unwrap_or(u32::MAX))
    }

    /// Whether both are of one value, as far as the shorter of them tells.
    #[must_use]
    pub fn is_like(self, other: Self) -> bool {
        self.short() == other.short()
    }
}

impl MemoryKey {
    /// Wraps 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Remembers one field's value. The empty value is remembered as such.
    #[must_use]
    pub fn value(&self, field: FieldId, value: &str) -> Fingerprint {
        if value.is_empty() {
            return Fingerprint(0);
        }
        let mut digest = self.digest("value");
        digest.number(field.0).text(value);
        digest.finish()
    }

    /// Starts a digest over several parts, for one purpose.
    #[must_use]
    pub fn digest(&self, purpose: &str) -> Digest {
        let mut digest = Digest(blake3::Hasher::new_keyed(&self.0));
        digest.text(purpose);
        digest
    }
}

/// A keyed digest over several parts, each marked off from the next.
pub struct Digest(blake3::Hasher);

impl Digest {
    /// A digest without a key, reproducible by anybody. Only for data without personal values.
    #[must_use]
    pub fn open(purpose: &str) -> Self {
        let mut digest = Self(blake3::Hasher::new());
        digest.text(purpose);
        digest
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// 64 bits, never 0, because 0 means "empty".
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        let mut first = [0_u8; 8];
        self.0.finalize_xof().fill(&mut first);
        Fingerprint(u64::from_le_bytes(first).max(1))
    }

    /// 80 bits as 16 letters and digits that are easy to copy by hand.
    #[must_use]
    pub fn finish_text(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut bytes = [0_u8; 16];
        self.0.finalize_xof().fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| LETTERS.get(usize::from(byte & 31)).map_or('a', |letter| char::from(*letter)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_value_depends_on_field_value_and_key() {
        let key = MemoryKey::new([1; 32]);
        let same = key.value(FieldId(4), "x");
        assert_eq!(same, key.value(FieldId(4), "x"));
        assert_ne!(same, key.value(FieldId(5), "x"));
        assert_ne!(same, key.value(FieldId(4), "y"));
        assert_ne!(same, MemoryKey::new([2; 32]).value(FieldId(4), "x"));
    }

    #[test]
    fn an_empty_value_is_told_apart_from_every_other() {
        let key = MemoryKey::new([1; 32]);
        assert_eq!(key.value(FieldId(4), ""), Fingerprint(0));
        assert_ne!(key.value(FieldId(4), " "), Fingerprint(0));
    }

    #[test]
    fn a_fingerprint_is_like_its_short_form() {
        let long = MemoryKey::new([1; 32]).value(FieldId(4), "x");
        let short = Fingerprint(u64::from(long.short()));
        assert!(long.is_like(short) && short.is_like(long) && long.is_like(long));
        assert_eq!(short.short(), long.short());
        assert!(!Fingerprint(0).is_like(long) && Fingerprint(0).is_like(Fingerprint(0)));
    }

    #[test]
    fn parts_of_a_digest_do_not_run_into_each_other() {
        let key = MemoryKey::new([1; 32]);
        let digest = |parts: [&str; 2]| {
            let mut digest = key.digest("t");
            for part in parts {
                digest.text(part);
            }
            digest.finish()
        };
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}
