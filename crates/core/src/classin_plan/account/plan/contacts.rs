//! Contacts that change for many at once: a mapping mistake looks like that, a lost column or one that slipped by a row.

use std::collections::HashSet;

use super::AccountPlanner;
use crate::classin_plan::account::{AccountOperation, Applicant, Doubt};
use crate::classin_plan::enrolment::{EnrolmentState, OverLimit, Reason};
use crate::classin_plan::guard::Approvals;
use crate::counted::counted;
use crate::exam_plan::allowance;
use crate::roster::{Limit, StudentId};

/// People whose account is asked for by another contact than before, of those with an account; as of login values.
const MOST_CHANGED_CONTACTS: Limit = Limit::Percent(5.0);

/// What changed contacts are counted against.
#[derive(Clone, Debug, Default)]
pub struct ContactChanges {
    /// The accounts that we remember.
    pub accounts: u64,
    /// Who was asked for by another contact in the last 24 hours; approved ones not counted.
    pub recent: HashSet<StudentId>,
    /// What a person let go ahead.
    pub approved: Approvals,
}

impl AccountPlanner<'_> {
    /// Whether it goes ahead, by another contact than before, and nobody has approved that.
    pub(super) fn counts_as_changed_contact(&self, operation: &AccountOperation) -> bool {
        operation.is_planned()
            && matches!(self.doubts.get(&operation.student), Some(Doubt::AnotherContact { .. }))
            && !self.contacts.approved.contains(operation)
    }

    /// Holds the questions for all whose contact is another than before, where those are too many. Accounts that are
    /// registered cannot be taken back, and who is asked for by another's phone gets another's account.
    pub(super) fn hold_changed_contacts(&self, wanted: &mut [(AccountOperation, Option<Applicant>)]) {
        let ContactChanges { accounts, recent, approved: _ } = self.contacts;
        let changed: HashSet<StudentId> = wanted
            .iter()
            .filter(|(operation, _)| self.counts_as_changed_contact(operation))
            .map(|(operation, _)| operation.student.clone())
            .collect();
        let number = |people: usize| u64::try_from(people).unwrap_or(u64::MAX);
        let (count, before) = (number(changed.len()), number(recent.difference(&changed).count()));
        let limit = allowance(MOST_CHANGED_CONTACTS, *accounts);
        if count == 0 || count.saturating_add(before) <= limit {
            return;
        }
        let earlier =
            if before == 0 { String::new() } else { format!(", and {before} in the last 24 hours") };
        let sentence = format!(
            "phone or e-mail changed for {count} of {} with a ClassIn account{earlier}: more than the limit of {limit}; is a \
             column empty, or has it slipped by a row?",
            counted(*accounts, "student")
        );
        let state =
            EnrolmentState::Held(Reason::TooMany(OverLimit { sentence, count, limit, total: *accounts }));
        for (operation, _) in wanted.iter_mut().filter(|(operation, _)| changed.contains(&operation.student))
        {
            operation.state = state.clone();
        }
    }
}
