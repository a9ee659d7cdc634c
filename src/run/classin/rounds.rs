//! What follows the first calls of a course: removals whose students have their new place, adds that found no room before
//! somebody left, and full classes that exchange students.

use std::collections::BTreeMap;

use super::apply::{ClassinApplier, key};
use crate::run::delivery::{Applier, Lanes, carry_out};
use crate::run::progress::Bar;
use rosterd_core::classin_plan::{
    Code, Condition, EnrolmentBatch, EnrolmentKind, EnrolmentOperation, batches, circle,
};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::ClassTarget;

/// Goes on as long as one call makes another possible. Each round ends an operation, or takes room that is taken once.
pub(super) async fn go_round(applier: &ClassinApplier<'_>, lane: &[EnrolmentBatch]) {
    let mut rounds = Rounds::after(applier, lane);
    while !applier.state().is_over() && rounds.go_on().await {}
}

/// A chain over several courses goes on as long as one call makes another possible.
pub(super) async fn go_on_over_courses(
    applier: &ClassinApplier<'_>,
    lanes: &Lanes<EnrolmentBatch>,
    (in_flight, bar): (usize, &Bar),
) {
    let is_left = |one: &EnrolmentOperation| {
        !one.after.is_empty() && applier.outcome_of(key(one)).is_none() && applier.is_ready(one)
    };
    let is_left = |lane: &&Vec<EnrolmentBatch>| lane.iter().flat_map(|it| &it.operations).any(is_left);
    let ended = || {
        let state = applier.state();
        (0..applier.plan.operations.len()).filter(|at| state.outcome(*at).is_some()).count()
    };
    loop {
        let left: Lanes<EnrolmentBatch> = lanes.iter().filter(is_left).cloned().collect();
        let before = ended();
        if left.is_empty() || applier.state().is_over() {
            return;
        }
        carry_out(applier, &[left], in_flight, bar).await;
        if ended() == before {
            return;
        }
    }
}

struct Rounds<'a> {
    applier: &'a ClassinApplier<'a>,
    /// What makes a call of its own in this course.
    operations: Vec<&'a EnrolmentOperation>,
    /// How many of those who left each class have made room for somebody.
    used: BTreeMap<ClassTarget, usize>,
}

impl<'a> Rounds<'a> {
    fn after(applier: &'a ClassinApplier<'a>, lane: &'a [EnrolmentBatch]) -> Self {
        let operations: Vec<_> = lane.iter().flat_map(|batch| &batch.operations).collect();
        let mut rounds = Self { applier, operations, used: BTreeMap::new() };
        // Where the removals came first, the room is taken.
        for target in &applier.plan.full {
            rounds.used.insert(*target, rounds.removed(*target));
        }
        rounds
    }

    async fn go_on(&mut self) -> bool {
        let is_sent = self.send_ready().await;
        let is_filled = self.fill_room(&[]).await;
        is_sent || is_filled || self.break_circle().await
    }

    fn outcome(&self, operation: &EnrolmentOperation) -> Option<Outcome> {
        self.applier.outcome_of(key(operation))
    }

    fn of_kind(&self, kind: EnrolmentKind) -> impl Iterator<Item = &'a EnrolmentOperation> {
        self.operations.iter().copied().filter(move |operation| operation.kind == kind)
    }

    fn removed(&self, target: ClassTarget) -> usize {
        let here = self.of_kind(EnrolmentKind::Remove).filter(|removal| removal.target == target);
        here.filter(|removal| self.applier.is_applied(removal)).count()
    }

    /// Sends what rested on calls that have been made. Says whether anything ended by that.
    async fn send_ready(&self) -> bool {
        let open = self.operations.iter().filter(|it| !it.after.is_empty() && self.outcome(it).is_none());
        let ready: Vec<EnrolmentOperation> =
            open.filter(|it| self.applier.is_ready(it)).map(|it| (*it).clone()).collect();
        self.send(&ready).await
    }

    async fn send(&self, operations: &[EnrolmentOperation]) -> bool {
        let size = self.applier.batch_size();
        for batch in batches(operations, size, &self.applier.plan.full) {
            self.applier.send_now(&batch).await;
        }
        operations.iter().any(|operation| self.outcome(operation).is_some())
    }

    /// A class that was full, and from which somebody was removed since, takes so many of the others: first those whose
    /// old place is given up already, then those whose move waits for it.
    async fn fill_room(&mut self, first: &[EnrolmentOperation]) -> bool {
        let mut is_filled = false;
        let targets: Vec<ClassTarget> = self.applier.calls.classes().full.keys().copied().collect();
        for target in targets {
            let free = self.removed(target).saturating_sub(self.used.get(&target).copied().unwrap_or(0));
            let mut waiting: Vec<&EnrolmentOperation> =
                self.of_kind(EnrolmentKind::Enrol).filter(|add| add.target == target).collect();
            waiting.retain(|add| self.waits_for_room(add));
            if free == 0 || waiting.is_empty() {
                continue;
            }
            waiting.sort_by_key(|add| (!first.contains(add), !self.is_move(add)));
            let is_room_for_all = waiting.len() <= free;
            let taken: Vec<EnrolmentOperation> = waiting.into_iter().take(free).cloned().collect();
            *self.used.entry(target).or_default() += taken.len();
            self.applier.calls.classes().full.remove(&target);
            self.send(&taken).await;
            if !is_room_for_all {
                self.applier.calls.classes().full.entry(target).or_insert(Code::NO_ROOM);
            }
            is_filled = true;
        }
        is_filled
    }

    fn waits_for_room(&self, add: &EnrolmentOperation) -> bool {
        match self.outcome(add) {
            Some(Outcome::Failed(cause)) => cause.code.classin().is_some_and(Code::is_full),
            None => self.applier.is_ready(add),
            Some(Outcome::Applied(()) | Outcome::Unknown(_) | Outcome::Held | Outcome::Unsent(_)) => false,
        }
    }

    /// Whether somebody's removal waits for this add.
    fn is_move(&self, add: &EnrolmentOperation) -> bool {
        let Some(uid) = add.uid else { return false };
        let settled = Condition::Settled { target: add.target, uid };
        self.of_kind(EnrolmentKind::Remove).any(|removal| removal.after.contains(&settled))
    }

    /// Full classes that exchange students: one of each leaves first, and takes the room of another one.
    async fn break_circle(&mut self) -> bool {
        let movers: Vec<(&EnrolmentOperation, &EnrolmentOperation)> = self
            .of_kind(EnrolmentKind::Remove)
            .filter_map(|removal| Some((removal, self.blocked_by(removal)?)))
            .collect();
        let moves: Vec<(ClassTarget, ClassTarget)> =
            movers.iter().map(|(removal, add)| (removal.target, add.target)).collect();
        let leaving = circle(&moves);
        let pairs = || leaving.iter().filter_map(|at| movers.get(*at));
        let removals: Vec<EnrolmentOperation> = pairs().map(|(removal, _)| (*removal).clone()).collect();
        let adds: Vec<EnrolmentOperation> = pairs().map(|(_, add)| (*add).clone()).collect();
        if !self.send(&removals).await {
            return false;
        }
        self.fill_room(&adds).await;
        true
    }

    /// The add that an open removal waits for, where it is the only thing and found no room.
    fn blocked_by(&self, removal: &EnrolmentOperation) -> Option<&'a EnrolmentOperation> {
        if self.outcome(removal).is_some() {
            return None;
        }
        let mut unmet = removal.after.iter().filter(|condition| !self.applier.is_met(removal, **condition));
        let (Some(Condition::Settled { target, uid }), None) = (unmet.next(), unmet.next()) else {
            return None;
        };
        let mut adds = self.of_kind(EnrolmentKind::Enrol);
        adds.find(|add| add.target == *target && add.uid == Some(*uid) && self.waits_for_room(add))
    }
}
