//! The mapped values of a listing, in 32 bits each.

use super::fingerprint::Fingerprint;
use super::listed_page::PageHasher;
use super::shown::Bits;

/// Values by row and position in the mapping.
pub(super) struct ListedValues {
    hasher: PageHasher,
    values: Vec<u32>,
    carried: Vec<bool>,
    masked: Bits,
}

impl ListedValues {
    pub(super) fn new(hasher: PageHasher, rows: usize) -> Self {
        let fields = hasher.mapped().len();
        Self {
            carried: vec![false; fields],
            values: Vec::with_capacity(rows.saturating_mul(fields)),
            hasher,
            masked: Bits::default(),
        }
    }

    /// How the values are hashed.
    pub(super) fn hasher(&self) -> &PageHasher {
        &self.hasher
    }

    /// Adds the rows of a page.
    pub(super) fn extend(&mut self, values: &[u32], masked: &[usize]) {
        for at in masked {
            self.masked.set(self.values.len().saturating_add(*at));
        }
        for row in values.chunks_exact(self.carried.len().max(1)) {
            for (value, carried) in row.iter().zip(&mut self.carried) {
                *carried |= *value != 0;
            }
        }
        self.values.extend_from_slice(values);
    }

    pub(super) fn equals(&self, row: usize, at: usize, value: &str) -> bool {
        self.value(row, at) == self.hasher.value(at, value)
    }

    /// The rows that have this value.
    pub(super) fn rows_with(&self, at: usize, value: &str) -> impl Iterator<Item = usize> {
        let (value, fields) = (self.hasher.value(at, value), self.carried.len().max(1));
        let rows = self.values.len() / fields;
        (0..rows).filter(move |row| self.value(*row, at) == value)
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
        self.hasher.key_of(at)?;
        Some(Fingerprint(u64::from(self.value(row, at))))
    }

    fn value(&self, row: usize, at: usize) -> u32 {
        self.values.get(self.position(row, at)).copied().unwrap_or(0)
    }

    fn position(&self, row: usize, at: usize) -> usize {
        row.saturating_mul(self.carried.len()).saturating_add(at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::RandomState;

    use super::*;
    use crate::exam_plan::{MemoryKey, RunHasher};
    use crate::roster::FieldId;

    const NAME: FieldId = FieldId(1);
    const PHONE: FieldId = FieldId(4);

    #[test]
    fn a_value_of_a_recognised_field_is_told_again_by_another_run() {
        let key = MemoryKey::new([5; 32]);
        let listed = |phone: &str| {
            let hasher = PageHasher::new(RunHasher::new(RandomState::new()), vec![NAME, PHONE]);
            let hasher = hasher.recognising(&key, BTreeSet::from([PHONE]));
            let mut page = hasher.page();
            page.row("anna", &[(NAME, "Anna".to_owned()), (PHONE, phone.to_owned())]);
            let mut values = ListedValues::new(hasher, 1);
            values.extend(&page.values, &page.masked);
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
