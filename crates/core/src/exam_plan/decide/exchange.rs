//! Students whose rows seem to have changed hands: each has all the values of the other's candidate.

use std::collections::{BTreeMap, HashMap};

use super::PlanInput;
use crate::exam_plan::diff::{Difference, LinkedStudent};
use crate::roster::{LoginValue, StudentId};

/// Students whose every value is what another student's candidate shows, and so round to themselves: with whom.
///
/// A change of a login value alone leaves the other values where they are; so does a swap of two.
pub(super) fn exchanged(input: &PlanInput<'_>, differences: &[Difference]) -> BTreeMap<StudentId, StudentId> {
    if input.comparison.mapping.compared().next().is_none() {
        return BTreeMap::new();
    }
    let renamed = differences.iter().filter_map(|difference| match difference {
        Difference::Linked(linked) if linked.is_renamed() && linked.own.is_some() => Some(&**linked),
        Difference::Linked(_) | Difference::Newcomer(_) | Difference::Leaver(_) | Difference::Unusable(_) => {
            None
        }
    });
    let by_login: HashMap<&LoginValue, &LinkedStudent> =
        renamed.map(|linked| (&linked.link.login, linked)).collect();
    let next: HashMap<&StudentId, &StudentId> = by_login
        .values()
        .filter_map(|linked| {
            let other = by_login.get(&linked.wanted.login)?;
            is_all_of(input, linked, other).then_some((&linked.wanted.id, &other.wanted.id))
        })
        .collect();
    next.iter()
        .filter(|(student, _)| comes_round(&next, student))
        .map(|(student, other)| ((*student).clone(), (*other).clone()))
        .collect()
}

/// Whether the other's candidate shows every value that the roster has for this student.
fn is_all_of(input: &PlanInput<'_>, linked: &LinkedStudent, other: &LinkedStudent) -> bool {
    input.comparison.observed.find(&other.link.login).is_some_and(|row| {
        let difference = input.comparison.fields(row, &linked.wanted.values.0, Some(&other.link));
        difference.send.is_empty() && difference.rewritten.is_empty()
    })
}

fn comes_round(next: &HashMap<&StudentId, &StudentId>, student: &StudentId) -> bool {
    let mut at = student;
    for _ in 0..next.len() {
        match next.get(at) {
            Some(other) if *other == student => return true,
            Some(other) => at = other,
            None => return false,
        }
    }
    false
}
