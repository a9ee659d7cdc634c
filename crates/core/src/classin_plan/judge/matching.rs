//! Matches the items of an answer to the students sent: docs/contracts/classin.md, 5, step 4.

use std::collections::HashMap;

use super::Sent;
use crate::classin_plan::answer::AnswerItem;

/// For each student sent, the position of their item in the answer, where that is sure.
pub(super) struct Matching {
    answered: Vec<Option<usize>>,
    order_differs: bool,
}

impl Matching {
    /// By token where there are tokens, by position where the lengths agree and no token contradicts it.
    pub(super) fn between(sent: Sent<'_>, items: &[AnswerItem]) -> Self {
        let positions_hold = items.len() == sent.count();
        let by_position = |place: usize| positions_hold.then_some(place);
        let Sent::Tokens(tokens) = sent else {
            return Self { answered: (0..sent.count()).map(by_position).collect(), order_differs: false };
        };
        let sent_times = times(tokens.iter().map(|token| token.as_str()));
        let came_at = places(items);
        let unique = |token: &str| match (came_at.get(token).map(Vec::as_slice), sent_times.get(token)) {
            (Some([place]), Some(1)) => Some(*place),
            _ => None,
        };
        let by_tokens: Vec<Option<usize>> = tokens.iter().map(|token| unique(token.as_str())).collect();
        let contradicted = tokens
            .iter()
            .zip(items)
            .any(|(token, item)| item.token.as_deref().is_some_and(|echoed| echoed != token.as_str()));
        if by_tokens.iter().all(Option::is_some) || !positions_hold || contradicted {
            let moved = |(place, found): (usize, &Option<usize>)| found.is_some_and(|found| found != place);
            let order_differs = positions_hold && by_tokens.iter().enumerate().any(moved);
            return Self { answered: by_tokens, order_differs };
        }
        Self { answered: (0..tokens.len()).map(by_position).collect(), order_differs: false }
    }

    /// The position of this student's item.
    pub(super) fn answered(&self, place: usize) -> Option<usize> {
        self.answered.get(place).copied().flatten()
    }

    /// Whether tokens were found elsewhere than they were sent, in an answer of the right length.
    pub(super) fn order_differs(&self) -> bool {
        self.order_differs
    }
}

fn times<'a>(tokens: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut times = HashMap::new();
    for token in tokens {
        *times.entry(token).or_insert(0) += 1;
    }
    times
}

fn places(items: &[AnswerItem]) -> HashMap<&str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        if let Some(token) = item.token.as_deref() {
            places.entry(token).or_default().push(place);
        }
    }
    places
}
