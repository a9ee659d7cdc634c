//! The mapped values of a listing, in 32 bits each.

use std::collections::BTreeSet;

use super::fingerprint::{Fingerprint, MemoryKey, RunHasher};
use super::shown::{Bits, is_masked};
use crate::roster::{FieldId, normalise};

/// Values by row and position in the mapping.
pub(super) struct ListedValues {
    hasher: RunHasher,
    mapped: Vec<FieldId>,
    values: Vec<u32>,
    carried: Vec<bool>,
    masked: Bits,
    /// Fields whose values are hashed so that another run can tell them again.
    recognised: Option<(MemoryKey, BTreeSet<FieldId>)>,
}

impl ListedValues {
    pub(super) fn new(hasher: RunHasher, mapped: Vec<FieldId>, rows: usize) -> Self {
        Self {
            hasher,
            carried: vec![false; mapped.len()],
            values: Vec::with_capacity(rows.saturating_mul(mapped.len())),
            mapped,
            masked: Bits::default(),
            recognised: None,
        }
    }

    /// Hashes values of these fields under the key of our memory. Ask for it before the first row.
    pub(super) fn recognise(&mut self, key: &MemoryKey, fields: BTreeSet<FieldId>) {
        self.recognised = (!fields.is_empty()).then(|| (key.clone(), fields));
    }

    /// Adds one row.
    pub(super) fn push(&mut self, fields: &[(FieldId, String)]) {
        for at in 0..self.mapped.len() {
            let id = self.mapped.get(at);
            let raw =
                fields.iter().find(|(field, _)| Some(field) == id).map_or("", |(_, value)| value.as_str());
            let hash = self.hash(at, &normalise(raw));
            if is_masked(raw) {
                self.masked.set(self.values.len());
            }
            self.values.push(hash);
            if hash != 0
                && let Some(carried) = self.carried.get_mut(at)
            {
                *carried = true;
            }
        }
    }

    pub(super) fn equals(&self, row: usize, at: usize, value: &str) -> bool {
        self.value(row, at) == self.hash(at, value)
    }

    pub(super) fn agree(&self, one: usize, other: usize, at: usize) -> bool {
        self.value(one, at) == self.value(other, at)
    }

    pub(super) fn lacks(&self, row: usize, at: usize) -> bool {
        self.value(row, at) == 0
    }

    pub(super) fn is_masked(&self, row: usize, at: usize) -> bool {
        self.masked.get(self.position(row, at))
    }

    pub(super) fn hides(&self, at: usize) -> bool {
        !self.carried.get(at).copied().unwrap_or(false)
    }

    /// The value as another run can tell it again; absent for a field that this listing was not read for.
    pub(super) fn fingerprint(&self, row: usize, at: usize) -> Option<Fingerprint> {
        self.key_of(at)?;
        Some(Fingerprint(u64::from(self.value(row, at))))
    }

    /// 32 bits of a normalised value; 0 for an absent or empty one.
    fn hash(&self, at: usize, value: &str) -> u32 {
        match self.key_of(at) {
            Some((key, field)) => key.value(field, value).short(),
            None => self.hasher.field(value),
        }
    }

    fn key_of(&self, at: usize) -> Option<(&MemoryKey, FieldId)> {
        let (key, fields) = self.recognised.as_ref()?;
        let field = self.mapped.get(at).copied().filter(|field| fields.contains(field))?;
        Some((key, field))
    }

    fn value(&self, row: usize, at: usize) -> u32 {
        self.values.get(self.position(row, at)).copied().unwrap_or(0)
    }

    fn position(&self, row: usize, at: usize) -> usize {
        row.saturating_mul(self.mapped.len()).saturating_add(at)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    const NAME: FieldId = FieldId(1);
    const PHONE: FieldId = FieldId(4);

    #[test]
    fn a_value_of_a_recognised_field_is_told_again_by_another_run() {
        let key = MemoryKey::new([5; 32]);
        let listed = |phone: &str| {
            let hasher = RunHasher::new(RandomState::new());
            let mut values = ListedValues::new(hasher, vec![NAME, PHONE], 1);
            values.recognise(&key, BTreeSet::from([PHONE]));
            values.push(&[(NAME, "Anna".to_owned()), (PHONE, phone.to_owned())]);
            values
        };
        let (one, other) = (listed(" 138 "), listed("138"));
        assert_eq!(one.fingerprint(0, 1), other.fingerprint(0, 1));
        assert_ne!(one.fingerprint(0, 1), listed("139").fingerprint(0, 1));
        assert_eq!(one.fingerprint(0, 1).map(Fingerprint::short), Some(key.value(PHONE, "138").short()));
        assert_eq!(one.fingerprint(0, 0), None, "the name is compared within one run alone");
        assert!(one.equals(0, 1, "138") && one.equals(0, 0, "Anna") && !one.equals(0, 1, "139"));
        assert_eq!(listed("").fingerprint(0, 1), Some(Fingerprint(0)));
    }
}
