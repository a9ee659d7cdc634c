//! Whose account is registered and by which contact, and whose name has changed: decided from values that were read.

mod contacts;
mod names;
mod registrations;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

pub use contacts::ContactChanges;
pub use names::NameDecision;

use super::{Account, AccountChange, AccountOperation, AccountOrigin, Doubts, Registration, SchoolName};
use crate::classin_plan::enrolment::{EnrolmentState, HeldBack, Reason, SharedHolds};
use crate::exam_plan::Fingerprint;
use crate::roster::{ClassinUid, Enrolment, HomeCountry, Mode, RosterProblem, StudentId};

/// One account that is to be obtained, for one student or for siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The account.
    pub account: Registration,
    /// What is remembered of it, when an earlier run got as far as its uid for the same contact and students.
    pub known: Option<Account>,
}

/// One name that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    /// The student.
    pub student: StudentId,
    /// The account.
    pub uid: ClassinUid,
    /// The new name.
    pub name: SchoolName,
    /// Of the name, to be remembered once it is written.
    pub fingerprint: Fingerprint,
}

/// Everything that is to be done about accounts.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct AccountPlan {
    /// Registrations, then names, each in ascending order of student.
    pub operations: Vec<AccountOperation>,
    /// One for each contact, in the order of their first students.
    pub applications: Vec<Application>,
    /// In ascending order of student; those of held operations too.
    pub renamings: Vec<Renaming>,
    /// Bookkeeping that needs no call.
    pub changes: Vec<AccountChange>,
    /// Rows that cannot be used, or only in part.
    pub problems: Vec<RosterProblem>,
    /// Accounts that ClassIn is asked for again.
    pub doubts: Doubts,
    /// Who is asked for by another contact than before without an approval.
    pub changed_contacts: HashSet<StudentId>,
    registrations: HashMap<StudentId, EnrolmentState>,
}

impl AccountPlan {
    /// What is to be done about one student's missing account; `None` when nothing is.
    #[must_use]
    pub fn registration_of(&self, student: &StudentId) -> Option<&EnrolmentState> {
        self.registrations.get(student)
    }
}

/// What accounts are planned with, besides the people.
#[derive(Clone, Copy)]
pub struct AccountPlanner<'a> {
    /// What a run may change.
    pub mode: Mode,
    /// Whose phone numbers need no country code.
    pub home: HomeCountry,
    /// Whether accounts are registered at all.
    pub registers: bool,
    /// The key of fingerprints and tokens.
    pub key: &'a [u8; 32],
    /// Failures that are not due, by fingerprint.
    pub holds: &'a BTreeMap<u64, HeldBack>,
    /// Those of them that a person silenced.
    pub ignored: &'a HashSet<u64>,
    /// Accounts that ClassIn is asked for again.
    pub doubts: &'a Doubts,
    /// Who is not registered because of what they share.
    pub shared: &'a SharedHolds,
    /// What contacts that change for many at once are counted against.
    pub contacts: &'a ContactChanges,
}

impl AccountPlanner<'_> {
    fn state_of(&self, least: Mode, desired_hash: u64, missing: Option<String>) -> EnrolmentState {
        if self.mode < least {
            return EnrolmentState::Skipped(Reason::Mode(self.mode));
        }
        match (missing, self.holds.get(&desired_hash)) {
            (Some(_), Some(_)) if self.ignored.contains(&desired_hash) => {
                EnrolmentState::Waiting(Reason::HeldBack(HeldBack::Ignored))
            }
            (Some(missing), _) => EnrolmentState::Cannot(Reason::Other(format!(
                "no ClassIn account can be registered: {missing}"
            ))),
            (None, Some(cause)) => EnrolmentState::Waiting(Reason::HeldBack(*cause)),
            (None, None) => EnrolmentState::Planned,
        }
    }

    /// Fills in the accounts that are remembered where the roster names none.
    pub fn fill_in(&self, members: &mut [Enrolment], known: &HashMap<StudentId, Account>) {
        for member in members.iter_mut().filter(|member| member.uid.is_none()) {
            let ours = known.get(&member.student).filter(|account| self.is_usable(account));
            member.uid = ours.map(|account| account.uid);
        }
    }

    /// A uid that only ever stood on the roster is gone with its cell, whatever ClassIn made of it: it may have been a
    /// slip. One that is not of the school yet counts only where nothing more is done about that.
    fn is_usable(&self, account: &Account) -> bool {
        account.origin != AccountOrigin::Roster && (account.is_school_student || !self.registers)
    }
}
