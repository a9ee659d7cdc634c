//! What was held as part of too much stays held, though what is left of it would be within the limit: other enrolments raise
//! the number that a limit is measured against, and what a person lets go by name, or what is wanted no more, says nothing about
//! the rest.

use std::collections::{HashMap, HashSet};

use super::ClassinGuard;
use crate::classin_plan::account::AccountOperation;
use crate::classin_plan::enrolment::{EnrolmentOperation, EnrolmentState, OverLimit, Reason};
use crate::classin_plan::subject::Subject;
use crate::counted::counted;
use crate::exam_plan::{Fingerprint, HeldMass, MassLimit, allowance};
use crate::failure::OperationKey;
use crate::roster::Limit;

/// The operations of the masses that were held.
#[derive(Clone, Debug, Default)]
pub struct HeldSubjects {
    subjects: HashMap<(OperationKey, Fingerprint), HeldMass>,
}

/// The limit, and for that of one class which.
type Mass = (MassLimit, String);

fn mass_of(limit: MassLimit, key: &OperationKey) -> Mass {
    let class = if limit == MassLimit::Class { key.class_key.clone() } else { String::new() };
    (limit, class)
}

impl HeldSubjects {
    /// Adds what was held.
    pub fn insert(&mut self, key: OperationKey, want: Fingerprint, mass: HeldMass) {
        self.subjects.insert((key, want), mass);
    }

    fn of(&self, operation: impl Into<Subject>) -> Option<(OperationKey, HeldMass)> {
        if self.subjects.is_empty() {
            return None;
        }
        let Subject { key, desired_hash } = operation.into();
        let mass = *self.subjects.get(&(key.clone(), Fingerprint(desired_hash)))?;
        Some((key, mass))
    }
}

/// How much of each mass there still is.
pub(super) struct MassSizes(HashMap<Mass, u64>);

impl ClassinGuard {
    /// How much is left of each mass: what a plan still wants.
    pub(super) fn mass_sizes<'o>(
        &self,
        enrolments: impl Iterator<Item = &'o EnrolmentOperation>,
        accounts: &[AccountOperation],
    ) -> MassSizes {
        let mut masses: HashMap<Mass, HashSet<OperationKey>> = HashMap::new();
        let enrolments = enrolments.filter_map(|operation| self.held_before.of(operation));
        let accounts = accounts.iter().filter_map(|operation| self.held_before.of(operation));
        for (key, mass) in enrolments.chain(accounts) {
            masses.entry(mass_of(mass.limit, &key)).or_default().insert(key);
        }
        let sizes = masses.into_iter().map(|(mass, keys)| (mass, keys.len().try_into().unwrap_or(u64::MAX)));
        MassSizes(sizes.collect())
    }

    /// Holds again what nobody has decided about.
    pub(super) fn hold_again(
        &self,
        enrolments: &mut [EnrolmentOperation],
        accounts: &mut [AccountOperation],
    ) {
        let sizes = self.mass_sizes(enrolments.iter(), accounts);
        for operation in enrolments.iter_mut().filter(|operation| self.is_judged(operation)) {
            if let Some(state) = self.still_too_much(&*operation, &sizes) {
                operation.state = state;
            }
        }
        let may_go = |it: &AccountOperation| it.is_planned() && !self.approved.contains(it);
        for operation in accounts.iter_mut().filter(|operation| may_go(operation)) {
            if let Some(state) = self.still_too_much(&*operation, &sizes) {
                operation.state = state;
            }
        }
    }

    /// That it is held still; `None` where it was in no mass, or the limit, as it is set now, allows the whole of it.
    pub(super) fn still_too_much(
        &self,
        operation: impl Into<Subject>,
        MassSizes(sizes): &MassSizes,
    ) -> Option<EnrolmentState> {
        let (key, HeldMass { limit, total, size }) = self.held_before.of(operation)?;
        let (setting, name) = self.setting(limit)?;
        let allowed = allowance(setting, total);
        if size <= allowed {
            return None;
        }
        let left = sizes.get(&mass_of(limit, &key)).copied().unwrap_or(0);
        let verb = if left == 1 { "is" } else { "are" };
        let what = counted(size, if limit == MassLimit::Modifies { "name" } else { "removal" });
        let sentence = format!(
            "{what} of {total}: more than the limit of {allowed} ({name}; {left} {verb} left of that, and nobody has \
             decided about them)"
        );
        let over = OverLimit { sentence, count: size, limit: allowed, total };
        let reason = if limit == MassLimit::Missing { Reason::Missing } else { Reason::TooMany };
        Some(EnrolmentState::Held(if limit == MassLimit::Class {
            Reason::Shrinks(over)
        } else {
            reason(over)
        }))
    }

    fn setting(&self, limit: MassLimit) -> Option<(Limit, &'static str)> {
        match limit {
            MassLimit::Deletes | MassLimit::Missing => Some((self.max_delete, "guard.max_delete")),
            MassLimit::Class => Some((self.max_group, "guard.max_group")),
            MassLimit::Modifies => Some((self.max_modify, "guard.max_modify")),
            MassLimit::LoginChanges
            | MassLimit::Vanished
            | MassLimit::Moves
            | MassLimit::Group(_)
            | MassLimit::Overwrites
            | MassLimit::FirstContact
            | MassLimit::NewGroups
            | MassLimit::Renumbered => None,
        }
    }
}

/// The mass that a hold of ClassIn is one of. What is too much only with the last 24 hours is none.
pub(super) fn mass(reason: &Reason, of_limit: Option<MassLimit>) -> Option<HeldMass> {
    let over = reason.over_limit()?;
    let limit = match reason.code() {
        Some(code) => MassLimit::parse(code, None)?,
        None => of_limit?,
    };
    (over.count > over.limit).then_some(HeldMass { limit, total: over.total, size: over.count })
}
