//! The mapped values of a listing, in 32 bits each.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::fingerprint::Fingerprint;
use super::listed_page::PageHasher;
use super::shown::Bits;

/// Values by row and position in the mapping.
pub(super) struct ListedValues {
    hasher: PageHasher,
    values: Vec<u32>,
    carried: Vec<bool>,
    masked: Bits,
    shared: OnceLock<Vec<HashMap<u32, u8>>>,
}

impl ListedValues {
    pub(super) fn new(hasher: PageHasher, rows: usize) -> Self {
        let fields = hasher.mapped().len();
        Self {
            carried: vec![false; fields],
            values: Vec::with_capacity(rows.saturating_mul(fields)),
            hasher,
            masked: Bits::default(),
            shared: OnceLock::new(),
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

    /// Whether at most so many rows have this value, which are one or more.
    pub(super) fn is_held_by_at_most(&self, at: usize, value: &str, most: u8) -> bool {
        let shared = self.shared.get_or_init(|| (0..self.carried.len()).map(|at| self.shared(at)).collect());
        let rows = shared.get(at).and_then(|shared| shared.get(&self.hasher.value(at, value)));
        rows.is_none_or(|rows| *rows <= most)
    }

    /// The values of one field that more rows than one have, with how many; from 255 on nobody counts. The whole column is gone
    /// through at once: whoever asks about one value asks about many.
    fn shared(&self, at: usize) -> HashMap<u32, u8> {
        let mut rows: HashMap<u32, u8> = HashMap::new();
        let column = self.values.iter().skip(at).step_by(self.carried.len().max(1));
        for value in column.filter(|value| **value != 0) {
            let count = rows.entry(*value).or_default();
            *count = count.saturating_add(1);
        }
        rows.retain(|_, count| *count > 1);
        rows.shrink_to_fit();
        rows
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
    fn it_is_known_of_each_value_how_many_have_it() {
        let hasher = PageHasher::new(RunHasher::new(RandomState::new()), vec![NAME, PHONE]);
        let mut page = hasher.page();
        let mut rows = 0;
        for (name, phone, count) in [("Anna", "", 1), ("Li Hua", "138", 2), ("Wang Fang", "139", 300)] {
            for _ in 0..count {
                rows += 1;
                page.row(&format!("login {rows}"), &[(NAME, name.to_owned()), (PHONE, phone.to_owned())]);
            }
        }
        let mut values = ListedValues::new(hasher, rows);
        values.extend(&page.values, &page.masked);
        let at_most = |most| {
            ["Nobody", "Anna", "Li Hua", "Wang Fang"].map(|name| values.is_held_by_at_most(0, name, most))
        };
        assert_eq!(at_most(1), [true, true, false, false]);
        assert_eq!(at_most(2), [true, true, true, false]);
        assert_eq!(at_most(254), [true, true, true, false]);
        assert!(values.is_held_by_at_most(1, "138", 2) && !values.is_held_by_at_most(1, "138", 1));
        assert!(values.is_held_by_at_most(1, "", 1), "who has no number shares none");
    }

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
