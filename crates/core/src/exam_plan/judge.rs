//! Judges an answer to a write: what it proves about each item of its batch. Pure; never panics on any
//! answer.
//!
//! Only `success` proves anything. An item without proof has not failed; it is unsettled and read back.

use std::collections::BTreeSet;

use super::answer::WriteAnswer;
use crate::roster::Sid;

/// The verdict on one item of a change, delete or group call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Applied,
    /// Must be read back.
    Unsettled,
}

/// The verdict on one added candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddVerdict {
    /// Added under this sid.
    Applied(Sid),
    /// Must be read back.
    Unsettled,
}

/// Judges an answer to `addStudents`: one verdict an item, in the batch's order.
///
/// Contract: docs/contracts/onlineexammaker.md, 4.1. The base of `success[].index` is not documented, so it counts
/// only where this very answer proves it, with *S* the indices in `success` and *F* the numbers in `fail`:
///
/// | case | verdict |
/// |---|---|
/// | one item, one success | that item, whatever its index |
/// | *S* ∪ *F* is exactly 0 … n−1 | base 0 |
/// | *S* ∪ *F* is exactly 1 … n | base 1 |
/// | 0 ∈ *S*, nothing in *S* above n−1 | base 0, even when incomplete |
/// | n ∈ *S*, 0 ∉ *S* | base 1, even when incomplete |
/// | anything else | no item is settled |
///
/// A malformed answer settles nothing either: an index or sid twice, an index in both lists or out of range,
/// 0 and n in one list, more entries than items, or an unreadable `fail` while `success` is incomplete.
#[must_use]
pub fn judge_add(batch_len: usize, answer: &WriteAnswer) -> Vec<AddVerdict> {
    let mut verdicts = vec![AddVerdict::Unsettled; batch_len];
    if let ([verdict], Some(sid)) = (verdicts.as_mut_slice(), only_success(answer)) {
        *verdict = AddVerdict::Applied(sid);
        return verdicts;
    }
    let Some(base) = i64::try_from(batch_len).ok().and_then(|n| proven_base(n, answer)) else {
        return verdicts;
    };
    for (sid, index) in &answer.added {
        let position = index.checked_sub(base).and_then(|position| usize::try_from(position).ok());
        if let Some(verdict) = position.and_then(|position| verdicts.get_mut(position)) {
            *verdict = AddVerdict::Applied(*sid);
        }
    }
    verdicts
}

/// Which items of an add this answer calls refused: only then is it told that nobody was entered. An item that it names
/// nowhere, or that stands in both lists, may have been done.
///
/// That is so where the two lists are each item once, or where nobody succeeded and as many failed as were sent.
#[must_use]
pub fn told_refused(batch_len: usize, answer: &WriteAnswer) -> Vec<bool> {
    let failed = refusals(answer);
    let has_nobody_succeeded = answer.added.is_empty() && answer.changed.is_empty();
    if has_nobody_succeeded {
        return vec![failed >= batch_len; batch_len];
    }
    let verdicts = judge_add(batch_len, answer);
    let applied = verdicts.iter().filter(|verdict| matches!(verdict, AddVerdict::Applied(_))).count();
    // A base that is proven has been: both lists are in it where they leave nobody out.
    let is_each_told = applied > 0 && applied == answer.added.len() && applied + failed == batch_len;
    verdicts.iter().map(|verdict| is_each_told && *verdict == AddVerdict::Unsettled).collect()
}

/// How many items an answer calls refused. One that it names twice is one.
fn refusals(answer: &WriteAnswer) -> usize {
    let named: BTreeSet<i64> = answer.fail.iter().copied().collect();
    named.len().saturating_add(answer.fail_unreadable)
}

/// Of each item of a `changeStuinfo`, `delStu` or `movestugroup`, whether the answer says that it was refused: its sid is in
/// `fail` alone, or every other item is told and so are as many refusals as are left. What is in neither list, or in both,
/// may have been done.
#[must_use]
pub fn told_refused_by_sid(batch: &[Sid], answer: &WriteAnswer) -> Vec<bool> {
    let verdicts = judge_by_sid(batch, answer);
    let applied = verdicts.iter().filter(|verdict| **verdict == Verdict::Applied).count();
    let succeeded: BTreeSet<Sid> =
        answer.changed.iter().copied().chain(answer.added.iter().map(|(sid, _)| *sid)).collect();
    let failed = refusals(answer);
    let is_each_told = applied == succeeded.len() && applied.saturating_add(failed) >= batch.len();
    let is_named = |sid: &Sid| answer.fail.contains(&sid.0) && !succeeded.contains(sid);
    let told =
        |(sid, verdict): (&Sid, &Verdict)| *verdict == Verdict::Unsettled && (is_each_told || is_named(sid));
    batch.iter().zip(&verdicts).map(told).collect()
}

/// Judges an answer to `changeStuinfo`, `delStu` or `movestugroup`: one verdict an item, in the batch's order.
///
/// Contract: docs/contracts/onlineexammaker.md, 4.1: an item is applied if and only if its sid is in
/// `success`. A sid that is also in `fail` proves nothing.
#[must_use]
pub fn judge_by_sid(batch: &[Sid], answer: &WriteAnswer) -> Vec<Verdict> {
    let WriteAnswer { added, changed, fail, status_ok: _, fail_unreadable: _, lists_present: _, message: _ } =
        answer;
    let succeeded: BTreeSet<Sid> = changed.iter().copied().chain(added.iter().map(|(sid, _)| *sid)).collect();
    let failed: BTreeSet<Sid> = fail.iter().copied().map(Sid).collect();
    let verdict = |sid: &Sid| {
        if succeeded.contains(sid) && !failed.contains(sid) { Verdict::Applied } else { Verdict::Unsettled }
    };
    batch.iter().map(verdict).collect()
}

/// The sid of an answer that names one success and no position that failed.
fn only_success(answer: &WriteAnswer) -> Option<Sid> {
    match answer.added.as_slice() {
        [(sid, _)] if answer.changed.is_empty() && answer.fail.is_empty() => Some(*sid),
        _ => None,
    }
}

/// The base that the answer itself proves; `None` where it proves none or is malformed.
fn proven_base(n: i64, answer: &WriteAnswer) -> Option<i64> {
    let succeeded = distinct(answer.added.iter().map(|(_, index)| *index), n)?;
    let failed = distinct(answer.fail.iter().copied(), n)?;
    let sids: BTreeSet<Sid> = answer.added.iter().map(|(sid, _)| *sid).collect();
    let all: BTreeSet<i64> = succeeded.union(&failed).copied().collect();
    let items = usize::try_from(n).ok()?;
    let is_malformed = !answer.changed.is_empty()
        || sids.len() != answer.added.len()
        || all.len() != succeeded.len() + failed.len()
        || all.len() > items
        || (answer.fail_unreadable > 0 && succeeded.len() != items);
    if is_malformed {
        return None;
    }
    // `all` has no more than n members within 0 and n, so it is complete when it has n of them and lacks one end.
    let is_complete = all.len() == items;
    if succeeded.contains(&0) || (is_complete && !all.contains(&n)) {
        Some(0)
    } else if succeeded.contains(&n) || (is_complete && !all.contains(&0)) {
        Some(1)
    } else {
        None
    }
}

/// The indices as a set; `None` when one is there twice, is out of range in both bases, or both ends are there.
fn distinct(indices: impl Iterator<Item = i64>, n: i64) -> Option<BTreeSet<i64>> {
    let mut seen = BTreeSet::new();
    for index in indices {
        if !(0..=n).contains(&index) || !seen.insert(index) {
            return None;
        }
    }
    let has_both_ends = n > 0 && seen.contains(&0) && seen.contains(&n);
    (!has_both_ends).then_some(seen)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer whose successes have sid 100 + index.
    fn answer(succeeded: &[i64], failed: &[i64]) -> WriteAnswer {
        let added = succeeded.iter().map(|index| (Sid(100 + index), *index)).collect();
        WriteAnswer {
            status_ok: true,
            added,
            fail: failed.to_vec(),
            lists_present: true,
            ..WriteAnswer::default()
        }
    }

    /// The sid of each item, `-` where it is unsettled.
    fn shown(verdicts: &[AddVerdict]) -> String {
        let one = |verdict: &AddVerdict| match verdict {
            AddVerdict::Applied(sid) => sid.to_string(),
            AddVerdict::Unsettled => "-".to_owned(),
        };
        verdicts.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn judged(n: usize, succeeded: &[i64], failed: &[i64]) -> String {
        shown(&judge_add(n, &answer(succeeded, failed)))
    }

    #[test]
    fn the_one_success_of_one_item_is_that_item_whatever_its_index() {
        for index in [0, 1, 7, -1, i64::MIN, i64::MAX - 100] {
            let mut answer = answer(&[], &[]);
            answer.added = vec![(Sid(5), index)];
            assert_eq!(judge_add(1, &answer), [AddVerdict::Applied(Sid(5))], "{index}");
        }
    }

    #[test]
    fn lists_that_together_count_from_zero_prove_base_zero() {
        assert_eq!(judged(3, &[1], &[0, 2]), "- 101 -");
        assert_eq!(judged(3, &[2, 0, 1], &[]), "100 101 102");
        assert_eq!(judged(2, &[0], &[1]), "100 -");
    }

    #[test]
    fn lists_that_together_count_from_one_prove_base_one() {
        assert_eq!(judged(3, &[2], &[3, 1]), "- 102 -");
        assert_eq!(judged(3, &[1, 2, 3], &[]), "101 102 103");
        assert_eq!(judged(2, &[1], &[2]), "101 -");
    }

    #[test]
    fn an_item_is_refused_only_where_the_answer_says_so() {
        let refused = |n: usize, succeeded: &[i64], failed: &[i64]| {
            told_refused(n, &answer(succeeded, failed)).into_iter().map(u8::from).collect::<Vec<_>>()
        };
        assert_eq!(refused(3, &[0, 2], &[1]), [0, 1, 0]);
        assert_eq!(refused(3, &[3, 1], &[2]), [0, 1, 0]);
        assert_eq!(refused(3, &[0, 2], &[]), [0, 0, 0], "in neither list");
        assert_eq!(refused(3, &[0, 1, 2], &[1]), [0, 0, 0], "in both lists");
        assert_eq!(refused(3, &[], &[0, 1, 2]), [1, 1, 1]);
        assert_eq!(refused(2, &[], &[13_800_000_000, 13_800_000_001]), [1, 1], "login values");
        assert_eq!(refused(3, &[], &[0, 1]), [0, 0, 0]);
        assert_eq!(refused(2, &[], &[]), [0, 0]);
        assert_eq!(refused(1, &[], &[7]), [1]);
        assert_eq!(refused(3, &[1], &[2]), [0, 0, 0], "no base is proven");
        assert_eq!(refused(2, &[], &[0, 0]), [0, 0], "one refusal, named twice");
    }

    #[test]
    fn an_item_with_a_sid_is_refused_only_where_the_answer_says_so() {
        let batch = [Sid(101), Sid(102), Sid(103)];
        let refused = |succeeded: &[i64], failed: &[i64], unreadable: usize| {
            let changed = succeeded.iter().map(|sid| Sid(*sid)).collect();
            let answer = WriteAnswer { changed, fail_unreadable: unreadable, ..answer(&[], failed) };
            told_refused_by_sid(&batch, &answer).into_iter().map(u8::from).collect::<Vec<_>>()
        };
        assert_eq!(refused(&[101, 103], &[102], 0), [0, 1, 0]);
        assert_eq!(refused(&[], &[101, 102, 103], 0), [1, 1, 1]);
        assert_eq!(refused(&[], &[102], 0), [0, 1, 0], "the others are in neither list");
        assert_eq!(refused(&[101, 102], &[], 0), [0, 0, 0], "in neither list");
        assert_eq!(refused(&[101, 102, 103], &[102], 0), [0, 0, 0], "in both lists");
        assert_eq!(refused(&[101], &[1, 2], 0), [0, 1, 1], "by their places, and nobody is left over");
        assert_eq!(refused(&[101, 103], &[], 1), [0, 1, 0], "named in a way that nobody can read");
        assert_eq!(refused(&[101], &[102, 102], 0), [0, 1, 0], "one refusal, named twice");
        assert_eq!(refused(&[999], &[1, 2, 3], 0), [0, 0, 0], "an answer about somebody else proves nothing");
    }

    #[test]
    fn a_success_at_zero_proves_base_zero_even_when_incomplete() {
        assert_eq!(judged(4, &[0, 2], &[]), "100 - 102 -");
        assert_eq!(judged(4, &[0], &[3]), "100 - - -");
    }

    #[test]
    fn a_success_at_n_proves_base_one_even_when_incomplete() {
        assert_eq!(judged(4, &[2, 4], &[]), "- 102 - 104");
        assert_eq!(judged(3, &[2, 3], &[0]), "- 102 103", "the two lists need not share a base");
    }

    #[test]
    fn middle_indices_alone_prove_nothing() {
        assert_eq!(judged(3, &[1], &[2]), "- - -");
        assert_eq!(judged(3, &[1, 2], &[]), "- - -");
        assert_eq!(judged(4, &[1], &[4]), "- - - -", "an end in fail proves nothing about success");
        assert_eq!(judged(4, &[1], &[0]), "- - - -", "an end in fail proves nothing about success");
        assert_eq!(judged(3, &[], &[1, 2, 3]), "- - -");
        assert_eq!(judged(3, &[], &[]), "- - -");
    }

    #[test]
    fn a_malformed_answer_settles_nothing() {
        assert_eq!(judged(3, &[0, 3], &[]), "- - -", "both ends in success");
        assert_eq!(judged(3, &[1], &[0, 3]), "- - -", "both ends in fail");
        assert_eq!(judged(3, &[0, 1, 4], &[]), "- - -", "out of range");
        assert_eq!(judged(3, &[0, -1], &[]), "- - -", "out of range");
        assert_eq!(judged(3, &[0, 1], &[4]), "- - -", "out of range in fail");
        assert_eq!(judged(2, &[0], &[13_800_000_000]), "- -", "a login value in fail");
        assert_eq!(judged(3, &[0, 1, 1], &[]), "- - -", "one index twice");
        assert_eq!(judged(3, &[0, 1], &[2, 2]), "- - -", "one index twice in fail");
        assert_eq!(judged(3, &[0, 1, 2], &[2]), "- - -", "one index in both lists");
        assert_eq!(judged(2, &[1, 2], &[0]), "- -", "more entries than items");
        assert_eq!(judged(1, &[1], &[1]), "-", "the one item in both lists");
        assert_eq!(judged(1, &[0, 1], &[]), "-", "two successes of one item");
    }

    #[test]
    fn a_sid_that_appears_twice_is_malformed() {
        let mut answer = answer(&[], &[]);
        answer.added = vec![(Sid(5), 0), (Sid(5), 1)];
        assert_eq!(shown(&judge_add(2, &answer)), "- -");
    }

    #[test]
    fn successes_without_an_index_settle_nothing() {
        let mut answer = answer(&[], &[]);
        answer.changed = vec![Sid(5), Sid(6)];
        assert_eq!(shown(&judge_add(2, &answer)), "- -");
        answer.changed = vec![Sid(5)];
        assert_eq!(shown(&judge_add(1, &answer)), "-", "a bare number may as well be a position");
        answer.changed = vec![];
        answer.added = vec![(Sid(5), -1), (Sid(6), -1)];
        assert_eq!(shown(&judge_add(2, &answer)), "- -");
    }

    #[test]
    fn an_unreadable_fail_counts_only_where_success_lacks_somebody() {
        let with_unreadable =
            |succeeded: &[i64]| WriteAnswer { fail_unreadable: 1, ..answer(succeeded, &[]) };
        assert_eq!(shown(&judge_add(3, &with_unreadable(&[0, 1]))), "- - -");
        assert_eq!(shown(&judge_add(3, &with_unreadable(&[0, 1, 2]))), "100 101 102");
    }

    #[test]
    fn a_call_without_items_has_no_verdicts() {
        assert_eq!(judge_add(0, &answer(&[0], &[])), []);
        assert_eq!(judge_by_sid(&[], &answer(&[0], &[])), []);
    }

    #[test]
    fn an_item_is_applied_when_its_sid_is_in_success() {
        let answer = WriteAnswer { changed: vec![Sid(8), Sid(7)], fail: vec![2], ..WriteAnswer::default() };
        let verdicts = judge_by_sid(&[Sid(7), Sid(8), Sid(9)], &answer);
        assert_eq!(verdicts, [Verdict::Applied, Verdict::Applied, Verdict::Unsettled]);
    }

    #[test]
    fn an_item_in_both_lists_is_not_settled() {
        let answer = WriteAnswer { changed: vec![Sid(8), Sid(7)], fail: vec![7], ..WriteAnswer::default() };
        assert_eq!(judge_by_sid(&[Sid(7), Sid(8)], &answer), [Verdict::Unsettled, Verdict::Applied]);
    }

    /// An answer of a server with these bases about a batch, with parts left out, in any order.
    #[derive(Clone, Debug)]
    struct Told {
        was_added: Vec<bool>,
        answer: WriteAnswer,
    }

    fn told() -> impl Strategy<Value = Told> {
        let item = (any::<bool>(), prop::bool::weighted(0.8));
        let noise = prop::option::weighted(0.2, prop_oneof![-2_i64..20, any::<i64>()]);
        (prop::collection::vec(item, 0..12), 0_i64..=1, 0_i64..=1, noise, 0_usize..2)
            .prop_map(|(items, base, fail_base, noise, fail_unreadable)| {
                let (mut added, mut fail) = (Vec::new(), Vec::new());
                for (position, (was_added, is_told)) in (0_i64..).zip(&items) {
                    match (is_told, was_added) {
                        (false, _) => {}
                        (true, true) => added.push((Sid(1000 + position), position + base)),
                        (true, false) => fail.push(position + fail_base),
                    }
                }
                // Noise is out of range: a number within it would be a lie, not an incomplete answer.
                let n = i64::try_from(items.len()).unwrap();
                fail.extend(noise.filter(|number| !(0..=n).contains(number)));
                let was_added: Vec<bool> = items.into_iter().map(|(was_added, _)| was_added).collect();
                (was_added, added, fail, fail_unreadable)
            })
            .prop_flat_map(|(was_added, added, fail, fail_unreadable)| {
                (
                    Just(was_added),
                    Just(added).prop_shuffle(),
                    Just(fail).prop_shuffle(),
                    Just(fail_unreadable),
                )
            })
            .prop_map(|(was_added, added, fail, fail_unreadable)| {
                let answer = WriteAnswer { added, fail, fail_unreadable, ..WriteAnswer::default() };
                Told { was_added, answer }
            })
    }

    proptest! {
        #[test]
        fn nobody_is_ever_given_somebody_elses_sid(told in told()) {
            let Told { was_added, answer } = told;
            let verdicts = judge_add(was_added.len(), &answer);
            prop_assert_eq!(verdicts.len(), was_added.len());
            for ((position, verdict), was_added) in (0_i64..).zip(verdicts).zip(was_added) {
                if let AddVerdict::Applied(sid) = verdict {
                    prop_assert!(was_added, "item {} failed", position);
                    prop_assert_eq!(sid, Sid(1000 + position));
                }
            }
        }

        #[test]
        fn a_complete_answer_with_one_base_settles_every_success(
            was_added in prop::collection::vec(any::<bool>(), 1..12),
            base in 0_i64..=1,
        ) {
            let mut answer = WriteAnswer::default();
            for (position, was_added) in (0_i64..).zip(&was_added) {
                if *was_added {
                    answer.added.push((Sid(1000 + position), position + base));
                } else {
                    answer.fail.push(position + base);
                }
            }
            let settled: Vec<_> =
                judge_add(was_added.len(), &answer).iter().map(|verdict| *verdict != AddVerdict::Unsettled).collect();
            prop_assert_eq!(settled, was_added);
        }

        #[test]
        fn any_answer_gets_one_verdict_an_item(
            n in 0_usize..20,
            added in prop::collection::vec((any::<i64>(), prop_oneof![any::<i64>(), -1_i64..21]), 0..20),
            changed in prop::collection::vec(any::<i64>(), 0..3),
            fail in prop::collection::vec(prop_oneof![any::<i64>(), -1_i64..21], 0..20),
            fail_unreadable in 0_usize..3,
        ) {
            let added = added.into_iter().map(|(sid, index)| (Sid(sid), index)).collect();
            let changed: Vec<Sid> = changed.into_iter().map(Sid).collect();
            let batch = vec![Sid(1); n];
            let answer = WriteAnswer { added, changed, fail, fail_unreadable, ..WriteAnswer::default() };
            prop_assert_eq!(judge_add(n, &answer).len(), n);
            prop_assert_eq!(judge_by_sid(&batch, &answer).len(), n);
        }
    }
}
