//! Students whose rows seem to have changed hands: one has the values of the other's candidate.

use std::collections::{BTreeMap, HashMap};

use super::PlanInput;
use super::by_values::exchanged_by_values;
use crate::exam_plan::diff::{Difference, LinkedStudent};
use crate::roster::{LoginLikeness, StudentId};

/// Students whose rows seem to have become others', with whom; and those others. Whom a login value ties together comes first.
pub(super) fn exchanged(input: &PlanInput<'_>, differences: &[Difference]) -> BTreeMap<StudentId, StudentId> {
    let mut found = exchanged_with_logins(input, differences);
    for (student, other) in exchanged_by_values(input, differences) {
        found.entry(student.clone()).or_insert_with(|| other.clone());
        found.entry(other).or_insert(student);
    }
    found
}

/// Those whose login values were exchanged with the rest.
///
/// A student's row has become another one's where it has the login value of that one's candidate and most of the values
/// in which the two candidates differ. A change of a login value alone leaves the other values where they are; so does
/// a swap of two.
fn exchanged_with_logins(
    input: &PlanInput<'_>,
    differences: &[Difference],
) -> BTreeMap<StudentId, StudentId> {
    if input.comparison.mapping.compared().next().is_none() {
        return BTreeMap::new();
    }
    let renamed = differences.iter().filter_map(|difference| match difference {
        Difference::Linked(linked) if linked.is_renamed() && linked.own.is_some() => Some(&**linked),
        Difference::Linked(_) | Difference::Newcomer(_) | Difference::Leaver(_) | Difference::Unusable(_) => {
            None
        }
    });
    // A service may keep a login value in a form of its own.
    let by_login: HashMap<LoginLikeness, &LinkedStudent> =
        renamed.map(|linked| (LoginLikeness::of(&linked.link.login), linked)).collect();
    let owner = |linked: &LinkedStudent| by_login.get(&LoginLikeness::of(&linked.wanted.login)).copied();
    let next: HashMap<&StudentId, &StudentId> = by_login
        .values()
        .filter_map(|linked| {
            let other = owner(linked)?;
            is_all_of(input, linked, other).then_some((&linked.wanted.id, &other.wanted.id))
        })
        .collect();
    let mut found: BTreeMap<StudentId, StudentId> =
        circles(&next).into_iter().map(|(student, other)| (student.clone(), other.clone())).collect();
    let rather: BTreeMap<&StudentId, &StudentId> = by_login
        .values()
        .filter_map(|linked| {
            let other = owner(linked)?;
            is_rather(input, linked, other).then_some((&linked.wanted.id, &other.wanted.id))
        })
        .collect();
    for (student, other) in &rather {
        found.entry((*student).clone()).or_insert_with(|| (*other).clone());
    }
    // The other one's own row may differ from everybody's by now: its record is not to be written over all the same.
    for (student, other) in rather {
        found.entry(other.clone()).or_insert_with(|| student.clone());
    }
    found
}

/// Whether most of the values in which the two candidates differ are the other's.
fn is_rather(input: &PlanInput<'_>, linked: &LinkedStudent, other: &LinkedStudent) -> bool {
    let comparison = &input.comparison;
    let rows = [&linked.link, &other.link].map(|link| comparison.observed.find(&link.login));
    let [Some(own), Some(row)] = rows else { return false };
    comparison.rather(row, own, &linked.wanted.values.0).is_majority()
}

/// Whether the other's candidate shows every value that the roster has for this student.
fn is_all_of(input: &PlanInput<'_>, linked: &LinkedStudent, other: &LinkedStudent) -> bool {
    input.comparison.observed.find(&other.link.login).is_some_and(|row| {
        let difference = input.comparison.fields(row, &linked.wanted.values.0, Some(&other.link));
        difference.send.is_empty() && difference.came_back.is_empty()
    })
}

/// Who comes round to themselves when each goes to the next, with that next one. Everybody is passed once: a file whose
/// column was shifted is one circle of all.
fn circles<'a>(next: &HashMap<&'a StudentId, &'a StudentId>) -> Vec<(&'a StudentId, &'a StudentId)> {
    let mut passed: HashMap<&StudentId, usize> = HashMap::with_capacity(next.len());
    let mut circles = Vec::new();
    for (walk, start) in next.keys().enumerate() {
        let mut at = *start;
        while !passed.contains_key(at) {
            passed.insert(at, walk);
            match next.get(at) {
                Some(other) => at = other,
                None => break,
            }
        }
        // Only this walk's own steps lead back into it; an end was passed by this walk too, and leads nowhere.
        if passed.get(at) == Some(&walk) {
            let back_at = at;
            while let Some(other) = next.get(at) {
                circles.push((at, *other));
                at = other;
                if at == back_at {
                    break;
                }
            }
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: impl Iterator<Item = usize>) -> Vec<StudentId> {
        numbers.map(|number| StudentId::new(format!("{number:06}"))).collect()
    }

    fn found(edges: &[(usize, usize)]) -> Vec<String> {
        let ids = ids(0..10);
        let next = edges.iter().map(|(from, to)| (&ids[*from], &ids[*to])).collect();
        let mut found: Vec<String> =
            circles(&next).into_iter().map(|(student, _)| student.to_string()).collect();
        found.sort_unstable();
        found.iter().map(|id| id.trim_start_matches("00000").to_owned()).collect()
    }

    #[test]
    fn only_who_comes_round_is_in_a_circle() {
        let none: [&str; 0] = [];
        assert_eq!(found(&[(0, 1), (1, 0)]), ["0", "1"]);
        assert_eq!(found(&[(0, 1), (1, 2), (2, 0), (3, 0), (4, 3)]), ["0", "1", "2"]);
        assert_eq!(found(&[(0, 1), (1, 2), (5, 6)]), none);
        assert_eq!(found(&[(7, 7), (8, 9), (9, 8)]), ["7", "8", "9"]);
    }

    #[test]
    fn a_column_that_was_shifted_is_one_circle_of_all() {
        let ids = ids(0..100_000);
        let next = ids.iter().zip(ids.iter().cycle().skip(1)).collect();
        assert_eq!(circles(&next).len(), ids.len());
    }
}
