//! What is remembered of a run for the question whether a leaver and a newcomer of a later one are one person.

use std::collections::{BTreeMap, HashMap};

use super::PlanInput;
use crate::exam_plan::diff::{AskedNewcomer, Difference, Pair, Wanted};
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::person_doubt::PersonDoubt;
use crate::exam_plan::person_doubts::PersonDoubts;
use crate::roster::StudentId;

/// The pairs that a person may be asked about, whether this run asks about them or not.
pub(super) fn askable_pairs(
    input: &PlanInput<'_>,
    differences: &[Difference],
    doubts: &PersonDoubts,
) -> BTreeMap<Pair, AskedNewcomer> {
    let mut newcomers: HashMap<&StudentId, &Wanted> = HashMap::new();
    if doubts.nobody_has_left() {
        return BTreeMap::new();
    }
    for difference in differences {
        if let Difference::Newcomer(newcomer) = difference {
            newcomers.insert(&newcomer.wanted.id, &newcomer.wanted);
        }
    }
    let mut pairs = BTreeMap::new();
    for difference in differences {
        let Difference::Leaver(leaver) = difference else { continue };
        for doubt in doubts.of_leaver(&leaver.link, None, leaver.listed) {
            let Some((left, new)) = doubt.pair() else { continue };
            if let Some(wanted) = newcomers.get(new) {
                let pair = (left.clone(), new.clone());
                let mut asked = input.comparison.asked_newcomer(&leaver.link, wanted);
                // Who took somebody's place in a question is asked about as that one was.
                asked.were_alike |= input.diff.in_doubt.asked.contains(&pair);
                asked.is_by_values = matches!(doubt, PersonDoubt::SameValues { .. });
                pairs.insert(pair, asked);
            }
        }
    }
    pairs
}

/// The login values that the roster wants of students whose candidates have others.
pub(super) fn wanted_logins(
    input: &PlanInput<'_>,
    differences: &[Difference],
) -> BTreeMap<StudentId, Fingerprint> {
    let renamed = differences.iter().filter_map(|difference| match difference {
        Difference::Linked(linked) if linked.is_renamed() => Some(&linked.wanted),
        Difference::Linked(_) | Difference::Newcomer(_) | Difference::Leaver(_) | Difference::Unusable(_) => {
            None
        }
    });
    renamed.map(|wanted| (wanted.id.clone(), input.comparison.remembered_login(wanted))).collect()
}
