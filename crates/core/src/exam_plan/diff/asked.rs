//! Pairs of a leaver and a newcomer of whom a person was asked whether they are one: which of them are asked about again.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Diff, Difference, Wanted};
use crate::exam_plan::fingerprint::{Fingerprint, MemoryKey};
use crate::exam_plan::link::Link;
use crate::exam_plan::mapping::Mapping;
use crate::roster::StudentId;

impl Diff {
    /// Asks again about the pairs of a leaver and a student without a candidate whose values are mostly alike: who corrected
    /// the one value that tied them together has not said that they are two.
    pub fn ask_again(
        &mut self,
        pairs: impl IntoIterator<Item = (StudentId, StudentId)>,
        mapping: &Mapping,
        key: &MemoryKey,
    ) {
        let pairs: BTreeSet<(StudentId, StudentId)> = pairs.into_iter().collect();
        if pairs.is_empty() {
            return;
        }
        let mut links: HashMap<&StudentId, &Link> = HashMap::new();
        let mut newcomers: HashMap<&StudentId, &Wanted> = HashMap::new();
        let mut unusable_newcomers: HashSet<&StudentId> = HashSet::new();
        for difference in &self.differences {
            match difference {
                Difference::Leaver(leaver) => {
                    links.insert(&leaver.link.student, &leaver.link);
                }
                Difference::Newcomer(newcomer) if newcomer.replaces.is_none() => {
                    newcomers.insert(&newcomer.wanted.id, &newcomer.wanted);
                }
                Difference::Unusable(unusable) if unusable.link.is_none() => {
                    unusable_newcomers.insert(&unusable.student);
                }
                Difference::Newcomer(_) | Difference::Linked(_) | Difference::Unusable(_) => {}
            }
        }
        let are_alike = |leaver: &StudentId, newcomer: &StudentId| {
            // A row that cannot be used says nothing against it.
            if unusable_newcomers.contains(newcomer) {
                return links.contains_key(leaver);
            }
            let pair = links.get(leaver).zip(newcomers.get(newcomer));
            pair.is_some_and(|(link, wanted)| is_mostly_alike(link, wanted, mapping, key))
        };
        self.asked = pairs.into_iter().filter(|(leaver, newcomer)| are_alike(leaver, newcomer)).collect();
    }
}

/// Whether more than half of the values that are known of a candidate, beside login value and password, are the student's.
/// Where none is known, nothing says that they are two.
fn is_mostly_alike(link: &Link, wanted: &Wanted, mapping: &Mapping, key: &MemoryKey) -> bool {
    let compared = mapping.compared().filter(|(_, field)| !field.is_password());
    let known = compared.filter_map(|(at, field)| {
        let value = wanted.values.0.get(at).filter(|value| !value.is_empty())?;
        let confirmed = link.confirmed.get(&field.id).filter(|known| **known != Fingerprint::IN_DOUBT)?;
        Some(*confirmed == key.value(field.id, value))
    });
    let known: Vec<bool> = known.collect();
    known.is_empty() || known.iter().filter(|is_alike| **is_alike).count() * 2 > known.len()
}
