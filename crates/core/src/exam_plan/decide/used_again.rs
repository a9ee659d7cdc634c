//! Students whose ids seem to have been given to other people: nothing is left in the row of what was known of the student.

use std::collections::HashSet;

use super::PlanInput;
use crate::exam_plan::diff::{Difference, KnownValues, LinkedStudent, MOST_HOLDERS, NameKey};
use crate::roster::{FieldId, StudentId};

/// So many at once are no ids that were given away: a mapping or a spelling has changed, and the limits judge that.
const LEAST_OF_A_MASS: u64 = 5;

/// Students whose rows have another name, another login value and other values wherever they can be compared.
pub(super) fn used_again(input: &PlanInput<'_>, differences: &[Difference]) -> HashSet<StudentId> {
    let found = differences.iter().filter_map(|difference| match difference {
        Difference::Linked(linked) if is_another_person(input, linked) => Some(linked.wanted.id.clone()),
        Difference::Linked(_) | Difference::Newcomer(_) | Difference::Leaver(_) | Difference::Unusable(_) => {
            None
        }
    });
    let found: HashSet<StudentId> = found.collect();
    let most = LEAST_OF_A_MASS.max(input.diff.linked.div_ceil(20));
    if u64::try_from(found.len()).is_ok_and(|found| found <= most) { found } else { HashSet::new() }
}

/// A value that few have and that stayed makes it the same person: somebody who married and has another phone. What many have
/// says nothing.
fn is_another_person(input: &PlanInput<'_>, linked: &LinkedStudent) -> bool {
    let LinkedStudent { wanted, link, own, .. } = linked;
    let comparison = &input.comparison;
    let Some(name) = NameKey::column(comparison.mapping) else { return false };
    let has_another_name = own.as_ref().is_some_and(|own| own.send.contains(&name));
    // A login value that is the id is the same whoever has the id.
    let is_the_id = wanted.login.as_str() == wanted.id.as_str();
    if !has_another_name || !(is_the_id || linked.is_renamed()) {
        return false;
    }
    let mut known = comparison.confirmed_values(link);
    known.retain(|field, _| !link.rewritten.contains(field) && !link.unverified.contains(field));
    let row = comparison.compared_values(wanted);
    let named = comparison.mapping.fields().get(name).map(|field| field.id);
    if !named.is_some_and(|name| differs(&known, &row, name)) || keeps_password(input, linked) {
        return false;
    }
    let mut different = u32::from(!is_the_id);
    for (at, field) in comparison.mapping.compared().filter(|(at, _)| *at != name) {
        let value = wanted.values.0.get(at).map_or("", String::as_str);
        if differs(&known, &row, field.id) {
            different += 1;
        } else if known.contains_key(&field.id)
            && row.contains_key(&field.id)
            && comparison.observed.is_held_by_at_most(at, value, MOST_HOLDERS)
        {
            return false;
        }
    }
    different > 0
}

/// Whether both have a value, and not the same.
fn differs(known: &KnownValues, row: &KnownValues, field: FieldId) -> bool {
    known.get(&field).zip(row.get(&field)).is_some_and(|(known, wanted)| known != wanted)
}

/// Whether the roster has the password that we last sent, and few have it where that can be seen.
fn keeps_password(input: &PlanInput<'_>, linked: &LinkedStudent) -> bool {
    let comparison = &input.comparison;
    comparison.mapping.compared().filter(|(_, field)| field.is_password()).any(|(at, field)| {
        let value = linked.wanted.values.0.get(at).map_or("", String::as_str);
        let is_known = linked.link.confirmed.get(&field.id) == Some(&comparison.key.value(field.id, value));
        !value.is_empty() && is_known && comparison.observed.is_held_by_at_most(at, value, MOST_HOLDERS)
    })
}
