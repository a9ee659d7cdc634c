//! The wanted enrolments whose evidence is oldest: what the nightly check asks for once more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    EnrolmentKind, EnrolmentOperation, EnrolmentRecord, EnrolmentState, Evidence, LARGEST_BATCH,
    WantedEnrolment, desired_hash,
};
use crate::roster::{ClassinUid, Enrolment};

/// What was confirmed less long ago is fresh.
const FRESH_MS: i64 = 24 * 60 * 60 * 1000;

/// The wanted enrolments whose evidence is oldest, put together into calls.
#[derive(Clone, Debug, Default)]
pub struct StaleEnrolments {
    /// Most calls.
    most: usize,
    /// Most students a call.
    batch_size: usize,
    /// Each with when its oldest enrolment was confirmed, in ascending order of that.
    calls: Vec<(i64, Vec<EnrolmentOperation>)>,
}

impl StaleEnrolments {
    /// None are looked for.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// So many calls at most, each with at most `batch_size` (1 to [`LARGEST_BATCH`]) students.
    #[must_use]
    pub fn at_most(calls: usize, batch_size: usize) -> Self {
        Self { most: calls, batch_size: batch_size.clamp(1, LARGEST_BATCH), calls: Vec::new() }
    }

    /// The same, with nothing found yet.
    #[must_use]
    pub fn anew(self) -> Self {
        Self { calls: Vec::new(), ..self }
    }

    /// Whether any are looked for; otherwise nothing needs to be read for it.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.most > 0
    }

    /// Takes in the wanted enrolments of one class that are settled and not fresh, without those that are `refused` and
    /// are wanted again anyway. `confirmed` says when each account
    /// was last confirmed there, in milliseconds since 1970 UTC.
    pub fn consider(
        &mut self,
        (wanted, refused): (&[Enrolment], &BTreeSet<u64>),
        records: &[EnrolmentRecord],
        confirmed: &BTreeMap<ClassinUid, i64>,
        now_ms: i64,
    ) {
        let stale = now_ms.saturating_sub(FRESH_MS);
        let evidence: HashMap<ClassinUid, Evidence> = records
            .iter()
            .filter(|record| !record.needs_proof)
            .map(|record| (record.uid, record.evidence))
            .collect();
        let mut rows: Vec<(i64, ClassinUid, EnrolmentOperation)> = Vec::new();
        for row in wanted {
            let Some(uid) = row.uid else { continue };
            let Some(at_ms) = confirmed.get(&uid).copied().filter(|at_ms| *at_ms <= stale) else { continue };
            // What needs a proof is wanted again anyway.
            let Some(evidence) = evidence.get(&uid) else { continue };
            let operation = once_more(row, uid, *evidence);
            if !refused.contains(&operation.desired_hash) {
                rows.push((at_ms, uid, operation));
            }
        }
        rows.sort_by_key(|(at_ms, uid, _)| (*at_ms, *uid));
        // Siblings share an account, and one class may have several codes.
        rows.dedup_by_key(|(_, uid, _)| *uid);
        for chunk in rows.chunks(self.batch_size.max(1)) {
            let oldest = chunk.first().map_or(0, |(at_ms, ..)| *at_ms);
            self.calls.push((oldest, chunk.iter().map(|(_, _, operation)| operation.clone()).collect()));
        }
        self.calls.sort_by_key(|(at_ms, _)| *at_ms);
        self.calls.truncate(self.most);
    }

    /// The calls, the one with the oldest evidence first.
    #[must_use]
    pub fn into_calls(self) -> Vec<Vec<EnrolmentOperation>> {
        self.calls.into_iter().map(|(_, operations)| operations).collect()
    }
}

fn once_more(row: &Enrolment, uid: ClassinUid, evidence: Evidence) -> EnrolmentOperation {
    EnrolmentOperation {
        kind: EnrolmentKind::Enrol,
        student: row.student.clone(),
        class_code: Some(row.class_code.clone()),
        uid: Some(uid),
        target: row.target,
        state: EnrolmentState::Planned,
        recorded: Some(evidence),
        follows: false,
        after: Vec::new(),
        is_replaced: false,
        is_put_back: false,
        desired_hash: desired_hash(&WantedEnrolment {
            kind: EnrolmentKind::Enrol,
            student: &row.student,
            class_code: Some(&row.class_code),
            uid: Some(uid),
            target: row.target,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{ClassCode, ClassTarget, CourseId, StudentId};

    const TARGET: ClassTarget = ClassTarget { course: CourseId(1), class: None };
    const NOW_MS: i64 = 100 * FRESH_MS;

    fn wanted(uid: i64) -> Enrolment {
        let (student, class_code) = (StudentId::new(format!("s{uid}")), ClassCode::new("c1"));
        Enrolment { student, class_code, target: TARGET, uid: Some(ClassinUid(uid)) }
    }

    fn record(uid: i64) -> EnrolmentRecord {
        EnrolmentRecord::new(ClassinUid(uid), TARGET, StudentId::new(format!("s{uid}")), Evidence::Added)
    }

    /// The uids of the calls, for enrolments that were confirmed so long before now.
    fn calls(mut stale: StaleEnrolments, ages_ms: &[i64]) -> Vec<Vec<i64>> {
        let uids = || (1_i64..).zip(ages_ms);
        let rows: Vec<Enrolment> = uids().map(|(uid, _)| wanted(uid)).collect();
        let records: Vec<EnrolmentRecord> = uids().map(|(uid, _)| record(uid)).collect();
        let confirmed = uids().map(|(uid, age)| (ClassinUid(uid), NOW_MS - age)).collect();
        stale.consider((&rows, &BTreeSet::new()), &records, &confirmed, NOW_MS);
        let uids = |call: Vec<EnrolmentOperation>| call.iter().map(|one| one.uid.unwrap().0).collect();
        stale.into_calls().into_iter().map(uids).collect()
    }

    #[test]
    fn an_enrolment_is_stale_a_day_after_it_was_confirmed() {
        for (age_ms, is_stale) in [(FRESH_MS - 1, false), (FRESH_MS, true), (FRESH_MS + 1, true)] {
            let calls = calls(StaleEnrolments::at_most(1, 10), &[age_ms]);
            assert_eq!(!calls.is_empty(), is_stale, "{age_ms} ms");
        }
    }

    #[test]
    fn the_oldest_come_first_in_as_many_calls_as_are_left() {
        let ages = [2, 5, 3, 4].map(|days| days * FRESH_MS);
        assert_eq!(calls(StaleEnrolments::at_most(9, 2), &ages), [vec![2, 4], vec![3, 1]]);
        assert_eq!(calls(StaleEnrolments::at_most(1, 2), &ages), [vec![2, 4]]);
        assert!(!StaleEnrolments::none().is_looking());
    }

    #[test]
    fn siblings_with_one_account_are_asked_for_once() {
        let mut stale = StaleEnrolments::at_most(1, 10);
        let sibling = Enrolment { student: StudentId::new("s2"), ..wanted(1) };
        let confirmed = BTreeMap::from([(ClassinUid(1), 0)]);
        stale.consider((&[wanted(1), sibling], &BTreeSet::new()), &[record(1)], &confirmed, NOW_MS);
        assert_eq!(stale.into_calls().concat().len(), 1);
    }
}
