//! What removals are counted against: classes that take changes. A lesson that is over while its rows stay on the roster is
//! remembered as any other, and nothing tells but ClassIn. Where so many removals are few only because of such classes,
//! ClassIn is asked first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::ClassinGuard;
use crate::classin_plan::enrolment::{EnrolmentOperation, EnrolmentState, Reason};
use crate::exam_plan::allowance;
use crate::roster::{ClassTarget, Limit};

const ASKED_FIRST: &str = "so many removals are few only where the other classes are not over: ClassIn is asked first \
     whether they take changes still";

/// Enrolments, and how many of them are to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    enrolments: u64,
    removals: u64,
}

impl Share {
    fn and(self, other: Self) -> Self {
        Self {
            enrolments: self.enrolments.saturating_add(other.enrolments),
            removals: self.removals.saturating_add(other.removals),
        }
    }
}

/// The enrolments that removals are counted against: of classes that are known to take changes, and of those of which nobody
/// knows whether they are over.
#[derive(Clone, Debug, Default)]
pub struct LivingBase {
    limit: Option<Limit>,
    /// Removals of the last 24 hours.
    recent: u64,
    known: Share,
    doubted: BTreeMap<ClassTarget, Share>,
}

impl LivingBase {
    /// The class to ask next whether it takes changes, as long as it matters: while so many may leave if no class is over, and
    /// not if some are. The largest first, of those that nobody leaves.
    #[must_use]
    pub fn next_question(&self) -> Option<ClassTarget> {
        let by_use = |(target, share): &(&ClassTarget, &Share)| {
            (share.removals == 0, share.enrolments, Reverse(**target))
        };
        let largest = || self.doubted.iter().max_by_key(by_use);
        self.is_doubtful().then(largest).flatten().map(|(target, _)| *target)
    }

    /// A class takes changes still.
    pub fn lives(&mut self, target: ClassTarget) {
        self.known = self.known.and(self.doubted.remove(&target).unwrap_or_default());
    }

    /// A class is over, or does not say: its enrolments are no measure. Nobody is removed from it.
    pub fn is_over(&mut self, target: ClassTarget) {
        self.doubted.remove(&target);
    }

    fn is_doubtful(&self) -> bool {
        let all = self.doubted.values().fold(self.known, |sum, share| sum.and(*share));
        if self.is_too_many(all) {
            return false;
        }
        let mut shares: Vec<Share> =
            self.doubted.values().filter(|share| share.removals > 0).copied().collect();
        // Where the greatest part leaves, first.
        shares.sort_by_key(|share| Reverse(part(*share)));
        let mut sum = self.known;
        self.is_too_many(sum)
            || shares.into_iter().any(|share| {
                sum = sum.and(share);
                self.is_too_many(sum)
            })
    }

    fn is_too_many(&self, share: Share) -> bool {
        let Some(limit) = self.limit else { return false };
        share.removals > 0 && share.removals.saturating_add(self.recent) > allowance(limit, share.enrolments)
    }
}

/// In millionths.
fn part(share: Share) -> u64 {
    share.removals.saturating_mul(1_000_000).checked_div(share.enrolments).unwrap_or(u64::MAX)
}

impl ClassinGuard {
    /// Lets removals wait that are few only where no class is over. Says what is to be asked.
    pub(super) fn doubt_living(&self, enrolments: &mut [EnrolmentOperation]) -> LivingBase {
        let mut leaving: BTreeMap<ClassTarget, u64> = BTreeMap::new();
        for operation in enrolments.iter().filter(|operation| self.is_judged(operation)) {
            let here = leaving.entry(operation.target).or_default();
            *here = here.saturating_add(1);
        }
        let base = self.living_base(&leaving, &self.doubted, self.removed_before(enrolments));
        if base.next_question().is_some() {
            for operation in enrolments.iter_mut().filter(|operation| self.is_judged(operation)) {
                operation.state = EnrolmentState::Waiting(Reason::Follows(ASKED_FIRST));
            }
        }
        base
    }

    /// The base of these removals, by class, beside those of the last 24 hours.
    pub(super) fn living_base(
        &self,
        leaving: &BTreeMap<ClassTarget, u64>,
        doubted: &BTreeSet<ClassTarget>,
        recent: u64,
    ) -> LivingBase {
        let size = |target: &ClassTarget| self.sizes.get(target).map_or(0, |size| size.living);
        let share = |target: &ClassTarget| {
            let removals = leaving.get(target).copied().unwrap_or(0);
            (*target, Share { enrolments: size(target), removals })
        };
        let doubted: BTreeMap<ClassTarget, Share> = doubted.iter().map(share).collect();
        let all = Share { enrolments: self.enrolments, removals: leaving.values().sum() };
        let known = doubted.values().fold(all, |sum, share| Share {
            enrolments: sum.enrolments.saturating_sub(share.enrolments),
            removals: sum.removals.saturating_sub(share.removals),
        });
        // Whoever lets all go is not asked how many there are.
        let limits = !matches!(self.max_delete, Limit::Percent(percent) if percent >= 100.0);
        let limit = limits.then_some(self.max_delete);
        LivingBase { limit, recent, known, doubted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{ClassId, CourseId};

    fn class(id: i64) -> ClassTarget {
        ClassTarget { course: CourseId(1), class: Some(ClassId(id)) }
    }

    fn base(limit: Limit, classes: &[(u64, u64)]) -> LivingBase {
        let share = |(at, (enrolments, removals)): (usize, &(u64, u64))| {
            let id = i64::try_from(at).unwrap();
            (class(id), Share { enrolments: *enrolments, removals: *removals })
        };
        LivingBase {
            limit: Some(limit),
            doubted: classes.iter().enumerate().map(share).collect(),
            ..LivingBase::default()
        }
    }

    /// How many questions are asked until it is known, where all classes but these are over.
    fn asked(mut base: LivingBase, living: &[i64]) -> usize {
        let mut asked = 0;
        while let Some(target) = base.next_question() {
            asked += 1;
            if living.iter().any(|id| class(*id) == target) {
                base.lives(target)
            } else {
                base.is_over(target)
            }
        }
        asked
    }

    #[test]
    fn only_what_would_be_too_much_without_the_other_classes_is_asked_about() {
        // 20 % of 72 are 15, 10 % of 144 too, of 216 they are 22.
        let of = |leaving| base(Limit::Auto, &[(72, leaving), (72, 0), (72, 0), (72, 0)]);
        assert_eq!(asked(of(15), &[]), 0, "few of the class itself");
        assert_eq!(asked(of(16), &[0, 1, 2, 3]), 2);
        assert_eq!(asked(of(60), &[0, 1, 2, 3]), 0, "too many however many there are");
    }

    #[test]
    fn the_largest_is_asked_first_and_no_more_than_is_needed() {
        let of = base(Limit::Percent(10.0), &[(50, 10), (20, 0), (100, 0)]);
        assert_eq!(of.next_question(), Some(class(2)));
        assert_eq!(asked(of.clone(), &[0, 1, 2]), 1, "15 of 150 may leave");
        assert_eq!(asked(of, &[]), 1, "too many of what is left");
    }

    #[test]
    fn a_few_of_each_that_is_over_do_not_make_many_of_the_one_that_lives_few() {
        let mut classes = vec![(72, 36)];
        classes.extend([(72, 1); 9]);
        let of = base(Limit::Auto, &classes);
        assert!(of.next_question().is_some(), "45 of 720");
        assert_eq!(base(Limit::Auto, &[(30, 6), (30, 6), (30, 5)]).next_question(), None);
    }

    #[test]
    fn a_plain_number_asks_nobody_and_what_left_before_counts() {
        assert_eq!(base(Limit::Count(40), &[(72, 36), (72, 0)]).next_question(), None);
        let of = base(Limit::Percent(10.0), &[(100, 6), (100, 0)]);
        assert_eq!(of.next_question(), None);
        assert!(LivingBase { recent: 6, ..of }.next_question().is_some());
        assert_eq!(LivingBase::default().next_question(), None);
    }

    #[test]
    fn removals_of_classes_that_are_known_are_never_doubted_by_those_that_nobody_leaves() {
        let of = base(Limit::Percent(10.0), &[(500, 0)]);
        let known = Share { enrolments: 100, removals: 10 };
        assert_eq!(LivingBase { known, ..of.clone() }.next_question(), None);
        let known = Share { enrolments: 100, removals: 11 };
        assert_eq!(LivingBase { known, ..of }.next_question(), Some(class(0)));
    }
}
