//! Full classes that exchange students: somebody has to leave first.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::ClassTarget;

/// A shortest chain of moves, each from a class to another, that ends where it began: positions among `moves`, none
/// where there is no such chain. When all of these leave first, each finds the room that another one left.
#[must_use]
pub fn circle(moves: &[(ClassTarget, ClassTarget)]) -> Vec<usize> {
    let mut from: BTreeMap<ClassTarget, Vec<usize>> = BTreeMap::new();
    for (at, (old, _)) in moves.iter().enumerate() {
        from.entry(*old).or_default().push(at);
    }
    let circles = from.keys().filter_map(|start| circle_through(*start, moves, &from));
    circles.min_by_key(Vec::len).unwrap_or_default()
}

fn circle_through(
    start: ClassTarget,
    moves: &[(ClassTarget, ClassTarget)],
    from: &BTreeMap<ClassTarget, Vec<usize>>,
) -> Option<Vec<usize>> {
    let mut seen = BTreeSet::new();
    let mut chains: Vec<(ClassTarget, Vec<usize>)> = vec![(start, Vec::new())];
    while !chains.is_empty() {
        let mut longer = Vec::new();
        for (place, chain) in chains {
            for at in from.get(&place).into_iter().flatten() {
                let Some((_, next)) = moves.get(*at) else { continue };
                let chain: Vec<usize> = chain.iter().copied().chain([*at]).collect();
                if *next == start {
                    return Some(chain);
                }
                if seen.insert(*next) {
                    longer.push((*next, chain));
                }
            }
        }
        chains = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{ClassId, CourseId};

    fn moves(pairs: &[(i64, i64)]) -> Vec<(ClassTarget, ClassTarget)> {
        let class = |id| ClassTarget { course: CourseId(1), class: Some(ClassId(id)) };
        pairs.iter().map(|(old, new)| (class(*old), class(*new))).collect()
    }

    #[test]
    fn classes_that_exchange_students_are_a_circle_and_a_chain_is_none() {
        assert!(circle(&moves(&[])).is_empty());
        assert!(circle(&moves(&[(1, 2), (2, 3)])).is_empty());
        assert_eq!(circle(&moves(&[(1, 2), (2, 1)])), [0, 1]);
        assert_eq!(circle(&moves(&[(1, 2), (2, 3), (3, 1)])), [0, 1, 2]);
        assert_eq!(circle(&moves(&[(1, 2), (2, 3), (3, 1), (2, 1)])), [0, 3], "the shortest");
    }
}
