//! The check between plan and apply: too many removals or names at once are held, and the last of a class; the rest
//! goes on.

mod held_before;
#[cfg(test)]
mod held_before_tests;
mod living;
mod missing;
#[cfg(test)]
mod missing_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub use held_before::HeldSubjects;
pub use living::LivingBase;

use super::account::{AccountKind, AccountOperation};
use super::enrolment::{
    Condition, EnrolmentKind, EnrolmentOperation, EnrolmentState, Evidence, OverLimit, Reason,
};
use super::subject::{Subject, class_key};
use crate::counted::counted;
use crate::exam_plan::{Fingerprint, HeldOperation, Hold, MassLimit, NamedHold, allowance, named_together};
use crate::failure::{OperationKey, Service};
use crate::roster::{ClassTarget, ClassinUid, Limit, StudentId};

/// A class of so many may lose them all.
const TOO_SMALL_TO_COUNT: u64 = 2;

/// The limits, what they are counted against, and the approvals.
#[derive(Clone, Debug)]
pub struct ClassinGuard {
    /// Removals a run, and in 24 hours.
    pub max_delete: Limit,
    /// Names a run, and in 24 hours.
    pub max_modify: Limit,
    /// Removals from one class, of its size 24 hours ago.
    pub max_group: Limit,
    /// The enrolments that we remember in classes that take changes, as far as is known.
    pub enrolments: u64,
    /// Those beside them in classes that did not say whether they take changes: they count for nothing until they do.
    pub silent: u64,
    /// The size of each class.
    pub sizes: BTreeMap<ClassTarget, ClassSize>,
    /// Who of those that are to be removed came in the last 24 hours.
    pub newcomers: HashSet<(ClassTarget, ClassinUid)>,
    /// Classes among them of which nobody knows whether they take changes still.
    pub doubted: BTreeSet<ClassTarget>,
    /// Those of them of which nobody has known it for a day: so long it counts where students only wait.
    pub doubted_all_day: BTreeSet<ClassTarget>,
    /// How many are settled in each class and stay there.
    pub staying: BTreeMap<ClassTarget, usize>,
    /// The accounts that we remember.
    pub accounts: u64,
    /// Who was removed from what in the last 24 hours, by [`class_key`]; approved ones not counted.
    pub recent_removals: HashSet<(StudentId, String)>,
    /// Whose name was written in the last 24 hours; approved ones not counted.
    pub recent_names: HashSet<StudentId>,
    /// What was held as part of too much before.
    pub held_before: HeldSubjects,
    /// What a person let go ahead.
    pub approved: Approvals,
}

/// How many we remember in one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSize {
    /// Those who are in it.
    pub living: u64,
    /// Those of them who were there 24 hours ago.
    pub since_yesterday: u64,
    /// Those who left it in the last 24 hours or perhaps did, as the answer was lost; approved ones not counted.
    pub left: u64,
}

/// What a person let go ahead, and what each of it wants.
///
/// An approval of what a limit holds says nothing about a hold about single people. Such a hold is approved with what it
/// named; that approval covers the limits too.
#[derive(Clone, Debug, Default)]
pub struct Approvals(HashMap<(OperationKey, Fingerprint), HashSet<NamedHold>>);

impl Approvals {
    /// Adds one operation, with what its hold named, where it was one about single people.
    pub fn insert(&mut self, key: OperationKey, desired_hash: Fingerprint, named: Option<NamedHold>) {
        self.0.entry((key, desired_hash)).or_default().extend(named);
    }

    /// Whether this very operation was approved: no limit holds it.
    #[must_use]
    pub fn contains(&self, operation: impl Into<Subject>) -> bool {
        let Subject { key, desired_hash } = operation.into();
        self.0.contains_key(&(key, Fingerprint(desired_hash)))
    }

    /// Whether a person let this very operation go ahead although it is held for this.
    #[must_use]
    pub fn names(&self, operation: impl Into<Subject>, hold: NamedHold) -> bool {
        let Subject { key, desired_hash } = operation.into();
        self.0.get(&(key, Fingerprint(desired_hash))).is_some_and(|named| named.contains(&hold))
    }
}

impl ClassinGuard {
    /// Lets approved operations go ahead, and holds what is above a limit. Says which classes are to be asked first whether
    /// they take changes still.
    pub fn judge(
        &self,
        enrolments: &mut [EnrolmentOperation],
        accounts: &mut [AccountOperation],
    ) -> LivingBase {
        self.release_approved(enrolments);
        self.hold_emptied_classes(enrolments);
        self.hold_removals(enrolments);
        self.hold_shrinking_classes(enrolments);
        self.hold_names(accounts);
        self.hold_again(enrolments, accounts);
        self.doubt_living(enrolments)
    }

    fn release_approved(&self, enrolments: &mut [EnrolmentOperation]) {
        for operation in enrolments {
            let EnrolmentState::Held(reason) = &operation.state else { continue };
            let is_released = match reason.named() {
                Some(named) => self.approved.names(&*operation, named),
                None => self.approved.contains(&*operation),
            };
            if is_released {
                operation.state = EnrolmentState::Planned;
            }
        }
    }

    /// A class in which nobody stays keeps everybody, until somebody else is settled in it or a person says so. Where
    /// somebody is to be added, it is judged once more when that has ended.
    fn hold_emptied_classes(&self, enrolments: &mut [EnrolmentOperation]) {
        let is_judged = |operation: &EnrolmentOperation| self.is_judged(operation);
        let mut leaving: BTreeMap<ClassTarget, usize> = BTreeMap::new();
        for operation in enrolments.iter().filter(|operation| is_judged(operation)) {
            *leaving.entry(operation.target).or_default() += 1;
        }
        leaving.retain(|target, removals| self.would_be_empty(*target, *removals));
        let waiting = waiting_in(enrolments, &leaving);
        let entered: BTreeSet<ClassTarget> = enrolments
            .iter()
            .filter(|operation| operation.kind == EnrolmentKind::Enrol && operation.is_planned())
            .map(|operation| operation.target)
            .collect();
        for operation in enrolments.iter_mut().filter(|operation| is_judged(operation)) {
            match leaving.get(&operation.target) {
                None => {}
                // Whoever waits for another place stays until then, and is judged when they leave.
                Some(_) if waiting.contains(&operation.target) && !rests_on_a_place(operation) => {}
                Some(_) if entered.contains(&operation.target) => {
                    operation.after.push(Condition::SomebodyEnters);
                }
                Some(removals) => {
                    let reason = Reason::WouldEmpty { removals: *removals };
                    operation.state = EnrolmentState::Held(reason);
                }
            }
        }
    }

    fn would_be_empty(&self, target: ClassTarget, removals: usize) -> bool {
        let ClassSize { living, left, since_yesterday: _ } =
            self.sizes.get(&target).copied().unwrap_or_default();
        let size = living.saturating_add(left).max(u64::try_from(removals).unwrap_or(u64::MAX));
        size > TOO_SMALL_TO_COUNT && self.staying.get(&target).copied().unwrap_or(0) == 0
    }

    /// Whether a limit says what becomes of it. The repeat of a removal whose answer was lost takes nobody out anew: it was
    /// let go, and counted, when it was sent first.
    fn is_judged(&self, operation: &EnrolmentOperation) -> bool {
        operation.kind == EnrolmentKind::Remove
            && operation.is_planned()
            && !operation.recorded.is_some_and(Evidence::is_being_removed)
            && !self.approved.contains(operation)
    }

    fn hold_removals(&self, enrolments: &mut [EnrolmentOperation]) {
        let (total, recent) = (self.enrolments, self.removed_before(enrolments));
        let concerns = |operation: &EnrolmentOperation| self.is_judged(operation);
        let count = count(enrolments.iter().filter(|operation| concerns(operation)));
        let limit = allowance(self.max_delete, total);
        if count == 0 || count.saturating_add(recent) <= limit {
            return;
        }
        let reason = format!(
            "{} of {}, and {recent} in the last 24 hours: more than the limit of {limit} (guard.max_delete)",
            counted(count, "removal"),
            counted(total.max(count), "enrolment")
        );
        let reason = Reason::TooMany(OverLimit { sentence: reason, count, limit, total: self.with_silent() });
        for operation in enrolments.iter_mut().filter(|operation| concerns(operation)) {
            operation.state = EnrolmentState::Held(reason.clone());
        }
    }

    /// What a mass is measured against later on: what is only not known today holds nobody for good.
    fn with_silent(&self) -> u64 {
        self.enrolments.saturating_add(self.silent)
    }

    /// Removals of the last 24 hours beside those that are judged now. What is held for another reason has not been taken
    /// back, so it goes on counting; so does what is only repeated.
    fn removed_before(&self, enrolments: &[EnrolmentOperation]) -> u64 {
        let is_repeat = |it: &EnrolmentOperation| it.recorded.is_some_and(Evidence::is_being_removed);
        let planned = enrolments.iter();
        let planned =
            planned.filter(|it| it.kind == EnrolmentKind::Remove && it.is_planned() && !is_repeat(it));
        let planned: HashSet<_> = planned.map(|it| (it.student.clone(), class_key(it))).collect();
        count(self.recent_removals.difference(&planned))
    }

    /// A class that more leave than one class loses in a day keeps them all.
    fn hold_shrinking_classes(&self, enrolments: &mut [EnrolmentOperation]) {
        let concerns = |operation: &EnrolmentOperation| self.is_judged(operation);
        let mut leaving: BTreeMap<ClassTarget, BTreeSet<&StudentId>> = BTreeMap::new();
        for operation in enrolments.iter().filter(|operation| concerns(operation)) {
            let leaving = leaving.entry(operation.target).or_default();
            if self.was_there_yesterday(operation) {
                leaving.insert(&operation.student);
            }
        }
        let shrinking: BTreeMap<ClassTarget, OverLimit> = leaving
            .into_iter()
            .filter_map(|(target, people)| Some((target, self.loses_too_many(target, people.len())?)))
            .collect();
        for operation in enrolments.iter_mut().filter(|operation| concerns(operation)) {
            if let Some(reason) = shrinking.get(&operation.target) {
                operation.state = EnrolmentState::Held(Reason::Shrinks(reason.clone()));
            }
        }
    }

    /// Who came today is not missed in what the class was yesterday. Of a class that is new today, nothing else is known.
    fn was_there_yesterday(&self, operation: &EnrolmentOperation) -> bool {
        let is_new = self.sizes.get(&operation.target).is_none_or(|size| size.since_yesterday == 0);
        let place = operation.uid.map(|uid| (operation.target, uid));
        is_new || place.is_none_or(|place| !self.newcomers.contains(&place))
    }

    fn loses_too_many(&self, target: ClassTarget, count: usize) -> Option<OverLimit> {
        let ClassSize { living, left, since_yesterday } =
            self.sizes.get(&target).copied().unwrap_or_default();
        // Of a class that is new today, nothing else is known.
        let living = if since_yesterday == 0 { living } else { since_yesterday };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let size = living.saturating_add(left);
        let limit = allowance(self.max_group, size);
        let before = if left == 0 { String::new() } else { format!(", and {left} in the last 24 hours") };
        (count > 0 && count.saturating_add(left) > limit).then(|| {
            let sentence = format!(
                "{count} of {size} would leave it{before}: more than the limit of {limit} (guard.max_group)"
            );
            OverLimit { sentence, count, limit, total: size }
        })
    }

    fn hold_names(&self, accounts: &mut [AccountOperation]) {
        let total = self.accounts;
        let concerns = |operation: &AccountOperation| {
            operation.kind == AccountKind::Rename
                && operation.is_planned()
                && !self.approved.contains(operation)
        };
        let named: HashSet<&StudentId> = accounts
            .iter()
            .filter(|operation| concerns(operation))
            .map(|operation| &operation.student)
            .collect();
        let recent = count(self.recent_names.iter().filter(|student| !named.contains(student)));
        let count = count(named.into_iter());
        let limit = allowance(self.max_modify, total);
        if count == 0 || count.saturating_add(recent) <= limit {
            return;
        }
        let before = if recent == 0 { String::new() } else { format!(", and {recent} in the last 24 hours") };
        let reason = format!(
            "{} of {}{before}: more than the limit of {limit} (guard.max_modify)",
            counted(count, "name"),
            counted(total, "account")
        );
        let reason = Reason::TooMany(OverLimit { sentence: reason, count, limit, total });
        for operation in accounts.iter_mut().filter(|operation| concerns(operation)) {
            operation.state = EnrolmentState::Held(reason.clone());
        }
    }
}

/// Whether it waits for an add in another place.
fn rests_on_a_place(operation: &EnrolmentOperation) -> bool {
    operation.after.iter().any(|condition| matches!(condition, Condition::Settled { .. }))
}

/// In which of these classes others stay, as they wait for another place.
fn waiting_in(
    enrolments: &[EnrolmentOperation],
    leaving: &BTreeMap<ClassTarget, usize>,
) -> BTreeSet<ClassTarget> {
    let removals = enrolments.iter().filter(|operation| operation.kind == EnrolmentKind::Remove);
    let waits = |operation: &EnrolmentOperation| match &operation.state {
        EnrolmentState::Planned => rests_on_a_place(operation),
        // Whose grace runs, or whose removal is due again, only waits to be removed.
        EnrolmentState::Waiting(reason) => matches!(reason, Reason::Follows(_)),
        EnrolmentState::Held(_) | EnrolmentState::Skipped(_) | EnrolmentState::Cannot(_) => false,
    };
    let waiting = removals.filter(|operation| leaving.contains_key(&operation.target) && waits(operation));
    waiting.map(|operation| operation.target).collect()
}

pub(super) fn count<T>(operations: impl Iterator<Item = T>) -> u64 {
    u64::try_from(operations.count()).unwrap_or(u64::MAX)
}

/// What is held, and why: each reason once, in alphabetical order of its sentence; what is held about single people once
/// for each word.
#[must_use]
pub fn classin_holds(enrolments: &[EnrolmentOperation], accounts: &[AccountOperation]) -> Vec<Hold> {
    let mut holds: BTreeMap<String, Hold> = BTreeMap::new();
    let mut hold = |subject: Subject, reason: &Reason, of_limit: &'static str, sentence: String| {
        let mass = held_before::mass(reason, MassLimit::parse(of_limit, None));
        let Subject { key, desired_hash } = subject;
        let named = reason.named();
        let name = named.map_or_else(|| sentence.clone(), |named| named.word.to_string());
        let hold = holds.entry(name).or_insert_with(|| Hold {
            service: Service::Classin,
            reason: reason.code().unwrap_or(of_limit),
            word: named.map(|named| named.word),
            message: sentence,
            count: None,
            limit: reason.figures().map(|(_, limit)| limit),
            mass,
            operations: Vec::new(),
        });
        let desired_hash = Fingerprint(desired_hash);
        hold.operations.push(HeldOperation { key, desired_hash, of_leaver: false, named });
    };
    for operation in enrolments {
        if let EnrolmentState::Held(reason) = &operation.state {
            hold(Subject::from(operation), reason, "max-delete", sentence(operation, reason));
        }
    }
    for operation in accounts {
        if let EnrolmentState::Held(reason) = &operation.state {
            let of_limit = match operation.kind {
                AccountKind::Register => "changed-contacts",
                AccountKind::Rename => "max-modify",
            };
            hold(Subject::from(operation), reason, of_limit, reason.to_string());
        }
    }
    holds.into_values().map(with_count).map(|hold| named_together(hold, false)).collect()
}

fn with_count(hold: Hold) -> Hold {
    Hold { count: u64::try_from(hold.operations.len()).ok(), ..hold }
}

/// The reason, with the class where it is about one.
fn sentence(operation: &EnrolmentOperation, reason: &Reason) -> String {
    match reason {
        Reason::WouldEmpty { .. }
        | Reason::Shrinks(_)
        | Reason::RowsOfNobody { .. }
        | Reason::ClassRows { .. } => {
            format!("{} {}: {}", operation.target.noun(), class_key(operation), reason.of(operation.target))
        }
        Reason::NoAccount
        | Reason::Mode(_)
        | Reason::Closed(_)
        | Reason::Grace { .. }
        | Reason::StillNamed
        | Reason::UnreadableIds
        | Reason::SharedContact(_)
        | Reason::NotOurs { .. }
        | Reason::LeftAsSet(_)
        | Reason::MemberRow
        | Reason::HeldBack(_)
        | Reason::NoRoom
        | Reason::Follows(_)
        | Reason::TooMany(_)
        | Reason::Missing(_)
        | Reason::Other(_) => reason.to_string(),
    }
}
