//! Rows that have become those of other students, where no login value says so: it is the id, or was left where it was.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::PlanInput;
use crate::exam_plan::diff::{Difference, KnownValues, LinkedStudent, NameKey, Wanted};
use crate::exam_plan::mapping::Mapping;
use crate::roster::StudentId;

/// A name that more have tells nobody from another.
const MOST_NAMESAKES: usize = 5;

/// A candidate whose student's row has another name by now, or none.
struct Displaced<'a> {
    student: &'a StudentId,
    values: KnownValues,
    has_left: bool,
}

/// Students whose rows have the name of another one's candidate and not that of their own, each with that other one.
///
/// The other one's row has another name too, or they have left: a namesake who is as they were has nothing to do with it. A new
/// name beside values that stay where they were is a correction.
pub(super) fn exchanged_by_values(
    input: &PlanInput<'_>,
    differences: &[Difference],
) -> Vec<(StudentId, StudentId)> {
    let mapping = input.comparison.mapping;
    let displaced = displaced(input, differences);
    if displaced.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for difference in differences {
        let (wanted, own) = match difference {
            Difference::Linked(linked) if has_another_name(linked, mapping) => {
                (&linked.wanted, Some(input.comparison.confirmed_values(&linked.link)))
            }
            Difference::Newcomer(newcomer) if newcomer.replaces.is_none() => (&newcomer.wanted, None),
            Difference::Linked(_)
            | Difference::Newcomer(_)
            | Difference::Leaver(_)
            | Difference::Unusable(_) => continue,
        };
        found.extend(row_of(input, wanted, own.as_ref(), &displaced));
    }
    found
}

fn displaced<'a>(
    input: &PlanInput<'_>,
    differences: &'a [Difference],
) -> HashMap<NameKey, Vec<Displaced<'a>>> {
    let mapping = input.comparison.mapping;
    let mut displaced: HashMap<NameKey, Vec<Displaced<'a>>> = HashMap::new();
    for difference in differences {
        let (link, has_left) = match difference {
            Difference::Leaver(leaver) => (&leaver.link, true),
            Difference::Linked(linked) if has_another_name(linked, mapping) => (&linked.link, false),
            Difference::Linked(_) | Difference::Newcomer(_) | Difference::Unusable(_) => continue,
        };
        let values = input.comparison.confirmed_values(link);
        let Some(name) = NameKey::of(&values, mapping) else { continue };
        let is_own = |wanted: &Wanted| {
            NameKey::of(&input.comparison.compared_values(wanted), mapping).as_ref() == Some(&name)
        };
        // Somebody changed it on the exam side.
        if matches!(difference, Difference::Linked(linked) if is_own(&linked.wanted)) {
            continue;
        }
        let one = Displaced { student: &link.student, values, has_left };
        displaced.entry(name).or_default().push(one);
    }
    displaced
}

/// Whose row this one has become, with the student it is now.
fn row_of(
    input: &PlanInput<'_>,
    wanted: &Wanted,
    own: Option<&KnownValues>,
    displaced: &HashMap<NameKey, Vec<Displaced<'_>>>,
) -> Option<(StudentId, StudentId)> {
    let values = input.comparison.compared_values(wanted);
    let name = NameKey::of(&values, input.comparison.mapping)?;
    let others = displaced.get(&name).filter(|others| others.len() <= MOST_NAMESAKES)?;
    let alike = |known: &KnownValues| {
        known.iter().filter(|(field, value)| values.get(*field) == Some(*value)).count()
    };
    let agrees_beside = |known: &KnownValues| {
        known.iter().any(|(field, value)| !name.has(*field) && values.get(field) == Some(value))
    };
    // Whether a newcomer and a leaver are one person is asked of the two.
    let may_be = |other: &&Displaced<'_>| {
        let is_askable = own.is_some() || (!other.has_left && agrees_beside(&other.values));
        // A second link of the very id is nobody else's.
        StudentId::entered(other.student.as_str()) != wanted.id && is_askable
    };
    let other =
        others.iter().filter(may_be).max_by_key(|other| (alike(&other.values), Reverse(other.student)))?;
    let is_rather = alike(&other.values) > own.map_or(0, alike);
    is_rather.then(|| (wanted.id.clone(), other.student.clone()))
}

/// Whether the row has another name than the candidate shows; where no column is called so, another value.
fn has_another_name(linked: &LinkedStudent, mapping: &Mapping) -> bool {
    let name = NameKey::column(mapping);
    let is_name = |at: &usize| name.is_none_or(|name| name == *at);
    linked.own.as_ref().is_some_and(|own| own.send.iter().any(is_name))
}
