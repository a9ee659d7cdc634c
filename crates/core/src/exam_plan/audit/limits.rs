//! The limits: what goes ahead unapproved, together with the last 24 hours, is no more than they allow.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Violation};
use crate::exam_plan::guard::{Guard, allowance};
use crate::exam_plan::operation::{Change, Operation};
use crate::exam_plan::recent_writes::CountedWrite;
use crate::roster::{Gid, Limit, StudentId};

pub(super) fn violations(audit: &Audit<'_>) -> Vec<Violation> {
    let Some(guard) = audit.guard else { return Vec::new() };
    let going: Vec<&Operation> = audit
        .plan
        .operations
        .iter()
        .filter(|operation| operation.is_planned() && !guard.approved.contains(operation))
        .collect();
    let mut found = above_limits(audit, guard, &going);
    found.extend(shrinking_groups(audit, guard, &going));
    found.extend(strangers(audit, &going));
    found
}

/// The people of this plan who count as such a write, and how many further ones the last 24 hours had.
fn people<'p>(guard: &Guard, going: &[&'p Operation], write: CountedWrite) -> (BTreeSet<&'p StudentId>, u64) {
    let now: BTreeSet<&StudentId> = going
        .iter()
        .filter(|operation| operation.counts_as(write))
        .map(|operation| &operation.student)
        .collect();
    let again = now.iter().filter(|student| guard.recent.has(write, student)).count();
    (now, guard.recent.count(write) - whole(again))
}

fn above_limits(audit: &Audit<'_>, guard: &Guard, going: &[&Operation]) -> Vec<Violation> {
    let linked = audit.plan.totals.linked;
    let limits = [
        (CountedWrite::Dismissal, guard.max_delete),
        (CountedWrite::Vanished, guard.max_delete),
        (CountedWrite::Modify, guard.max_modify),
        (CountedWrite::LoginChange, Limit::Percent(5.0)),
        (CountedWrite::Move, guard.max_move),
    ];
    let violation = |(write, limit)| {
        let (now, before) = people(guard, going, write);
        let people = whole(now.len()) + before;
        let leavers = if write == CountedWrite::Dismissal { people } else { 0 };
        let allowed = allowance(limit, linked + leavers);
        (!now.is_empty() && people > allowed).then_some(Violation::AboveLimit { write, people, allowed })
    };
    limits.into_iter().filter_map(violation).collect()
}

fn shrinking_groups(audit: &Audit<'_>, guard: &Guard, going: &[&Operation]) -> Vec<Violation> {
    let mut leaving: BTreeMap<Gid, BTreeSet<&StudentId>> = BTreeMap::new();
    for operation in going {
        operation.groups_left.iter().for_each(|gid| {
            leaving.entry(*gid).or_default().insert(&operation.student);
        });
    }
    let violation = |(gid, now): (Gid, BTreeSet<&StudentId>)| {
        let there = audit.plan.totals.group_sizes.get(&gid).copied().unwrap_or(0);
        let is_new = there <= guard.recent.count_newcomers(gid);
        let now: BTreeSet<_> =
            now.into_iter().filter(|student| is_new || !guard.recent.came(gid, student)).collect();
        let again = now.iter().filter(|student| guard.recent.has_left(gid, student)).count();
        let before = guard.recent.count_left(gid) - whole(again);
        let size = there + before;
        let (people, allowed) = (whole(now.len()) + before, allowance(guard.max_group, size));
        (people > allowed).then_some(Violation::GroupShrinks { gid, people, allowed })
    };
    leaving.into_iter().filter_map(violation).collect()
}

/// Nobody is entered anew while hardly anybody matches.
fn strangers(audit: &Audit<'_>, going: &[&Operation]) -> Vec<Violation> {
    let enters =
        |operation: &&&Operation| matches!(&operation.change, Change::Add(add) if add.replaces.is_none());
    let adds = whole(going.iter().filter(enters).count());
    let is_strange = audit.plan.contact.is_strange() && adds > 0;
    is_strange.then_some(Violation::AmongStrangers { adds }).into_iter().collect()
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
