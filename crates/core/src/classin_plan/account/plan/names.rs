//! Whose name has changed, and who of siblings gives it.

use super::{AccountPlan, AccountPlanner, Renaming};
use crate::classin_plan::account::{
    Account, AccountChange, AccountKind, AccountOperation, AccountOrigin, NameChange, SchoolName,
};
use crate::exam_plan::{Fingerprint, MemoryKey};
use crate::roster::{ClassinUid, Mode, StudentId};

/// What is to be done about one student's name.
#[derive(Clone, Debug)]
pub enum NameDecision {
    /// Nothing.
    Keep,
    /// The name is seen for the first time: it is only remembered.
    Remember(AccountChange),
    /// The name has changed: it is written where it is this student's to give.
    Write(Renaming),
}

impl AccountPlanner<'_> {
    /// Compares one student's name on the roster, beside the account that the roster names, with what is remembered.
    #[must_use]
    pub fn name_decision(
        &self,
        name: &str,
        on_roster: Option<ClassinUid>,
        account: &Account,
    ) -> NameDecision {
        // An account that ClassIn has not shown to be theirs at the school has no name there to speak of; one that only
        // a cell named is gone with it.
        let is_theirs = match on_roster {
            Some(uid) => uid == account.uid,
            None => account.origin != AccountOrigin::Roster,
        };
        if !account.is_school_student || !is_theirs {
            return NameDecision::Keep;
        }
        let Some(name) = SchoolName::cut(name) else { return NameDecision::Keep };
        let student = account.student.clone();
        match NameChange::of(&name, account.school_name.map(|known| known.0), self.key) {
            NameChange::None => NameDecision::Keep,
            NameChange::FirstSeen { fingerprint } => {
                NameDecision::Remember(AccountChange::Named { student, name: Fingerprint(fingerprint) })
            }
            NameChange::Changed { fingerprint } => {
                let (uid, fingerprint) = (account.uid, Fingerprint(fingerprint));
                NameDecision::Write(Renaming { student, uid, name, fingerprint })
            }
        }
    }

    /// The owners of a shared account who come before this student. Siblings share the account's one name: that of
    /// the first of them who is on the roster. `owners` are in ascending order.
    #[must_use]
    pub fn owners_before(owners: &[StudentId], student: &StudentId) -> Vec<StudentId> {
        owners.iter().take_while(|owner| *owner != student).cloned().collect()
    }

    /// Plans the writing of one name.
    pub fn plan_name(&self, renaming: Renaming, plan: &mut AccountPlan) {
        let mut digest = MemoryKey::new(*self.key).digest("rename");
        digest.number(renaming.uid.0).number(i64::from_le_bytes(renaming.fingerprint.0.to_le_bytes()));
        let desired_hash = digest.finish().0;
        let state = self.state_of(Mode::Upsert, desired_hash, None);
        let (kind, student) = (AccountKind::Rename, renaming.student.clone());
        plan.operations.push(AccountOperation { kind, student, state, desired_hash });
        plan.renamings.push(renaming);
    }
}
