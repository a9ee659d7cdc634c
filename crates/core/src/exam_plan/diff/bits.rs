//! A set of listed candidates, one bit each.

use crate::exam_plan::observed::Row;

/// One bit a listed candidate.
pub(super) struct BitSet(Vec<u64>);

impl BitSet {
    pub(super) fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    /// Sets the bit and says whether it was unset before.
    pub(super) fn insert(&mut self, row: Row) -> bool {
        let index = row.index();
        let Some(word) = self.0.get_mut(index / 64) else { return true };
        let bit = 1_u64 << (index % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    pub(super) fn contains(&self, row: Row) -> bool {
        let index = row.index();
        self.0.get(index / 64).is_some_and(|word| word & (1_u64 << (index % 64)) != 0)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(super) fn union_count(&self, other: &Self) -> u64 {
        self.0.iter().zip(&other.0).map(|(one, two)| u64::from((one | two).count_ones())).sum()
    }
}
