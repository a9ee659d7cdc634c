//! Leavers judged while they wait: a broken export is known when it is first read, not when the grace has ended.

use std::collections::BTreeMap;

use super::{ClassinGuard, LivingBase, count};
use crate::classin_plan::enrolment::{
    EnrolmentKind, EnrolmentOperation, EnrolmentState, Evidence, OverLimit, Reason,
};
use crate::counted::counted;
use crate::exam_plan::{allowance, largest_stretch, masses};
use crate::roster::{ClassTarget, StudentId};

impl ClassinGuard {
    /// Holds the removals of leavers of whom more went missing within 24 hours than `max_delete` allows, until they are
    /// back, taken out or approved, whether their grace has ended or not. Who left at another time goes on.
    ///
    /// `leavers` says since when each is gone; of whoever still waits the removal is in `in_grace`. Those who wait and are
    /// not held are returned.
    pub fn hold_missing(
        &self,
        operations: &mut Vec<EnrolmentOperation>,
        in_grace: Vec<EnrolmentOperation>,
        leavers: &BTreeMap<StudentId, i64>,
    ) -> Vec<EnrolmentOperation> {
        let is_judged = |operation: &EnrolmentOperation| self.is_judged_leaver(operation, leavers);
        let may_go = operations.iter().filter(|operation| operation.is_planned());
        let judged = may_go.chain(&in_grace).filter(|operation| is_judged(operation));
        let mut since: Vec<i64> =
            judged.filter_map(|operation| leavers.get(&operation.student)).copied().collect();
        since.sort_unstable();
        let mut held: BTreeMap<i64, OverLimit> = BTreeMap::new();
        for range in masses(&since, |removals| self.is_too_many(removals)) {
            let moments = since.get(range).unwrap_or_default();
            let excess = self.excess(moments.len());
            held.extend(moments.iter().map(|moment| (*moment, excess.clone())));
        }
        let sizes = self.mass_sizes(operations.iter().chain(&in_grace), &[]);
        let reason = |operation: &EnrolmentOperation| {
            let fresh = held.get(leavers.get(&operation.student)?);
            let fresh = fresh.map(|excess| EnrolmentState::Held(Reason::Missing(excess.clone())));
            is_judged(operation).then(|| fresh.or_else(|| self.still_too_much(operation, &sizes)))?
        };
        for operation in operations.iter_mut().filter(|operation| operation.is_planned()) {
            if let Some(state) = reason(operation) {
                operation.state = state;
            }
        }
        let mut waiting = Vec::new();
        for operation in in_grace {
            match reason(&operation) {
                Some(state) => operations.push(EnrolmentOperation { state, ..operation }),
                None => waiting.push(operation),
            }
        }
        operations.sort_by_key(|operation| operation.target);
        waiting
    }

    fn is_judged_leaver(&self, operation: &EnrolmentOperation, leavers: &BTreeMap<StudentId, i64>) -> bool {
        operation.kind == EnrolmentKind::Remove
            && leavers.contains_key(&operation.student)
            && !operation.recorded.is_some_and(Evidence::is_being_removed)
            && !self.approved.contains(operation)
    }

    /// What the leavers who are held by no limit are measured against while they wait: as many as went missing within 24 hours
    /// may be few only because of lessons that are over. Which class to ask is known by
    /// [`LivingBase::next_question`].
    #[must_use]
    pub fn living_of_missing(
        &self,
        operations: &[EnrolmentOperation],
        in_grace: &[EnrolmentOperation],
        leavers: &BTreeMap<StudentId, i64>,
    ) -> LivingBase {
        let may_go = operations.iter().filter(|operation| operation.is_planned());
        let judged = may_go.chain(in_grace).filter(|operation| self.is_judged_leaver(operation, leavers));
        let mut judged: Vec<(i64, ClassTarget)> = judged
            .filter_map(|operation| Some((*leavers.get(&operation.student)?, operation.target)))
            .collect();
        judged.sort_unstable();
        let since: Vec<i64> = judged.iter().map(|(since_ms, _)| *since_ms).collect();
        let most = largest_stretch(&since);
        let mut leaving: BTreeMap<ClassTarget, u64> = BTreeMap::new();
        for (_, target) in judged.get(most).unwrap_or_default() {
            let here = leaving.entry(*target).or_default();
            *here = here.saturating_add(1);
        }
        self.living_base(&leaving, &self.doubted_all_day, 0)
    }

    fn is_too_many(&self, removals: usize) -> bool {
        count(0..removals) > allowance(self.max_delete, self.enrolments)
    }

    fn excess(&self, removals: usize) -> OverLimit {
        let (count, total) = (count(0..removals), self.enrolments);
        let limit = allowance(self.max_delete, total);
        let sentence = format!(
            "{} of {}: more than the limit of {limit} (guard.max_delete); their students went missing within 24 \
             hours: is the export broken?",
            counted(count, "removal"),
            // Those of classes that do not say whether they live are no measure, and may leave all the same.
            counted(total.max(count), "enrolment")
        );
        OverLimit { sentence, count, limit, total: self.with_silent() }
    }
}
