//! What the guard counts a modify as.

use super::Decider;
use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::link::{Link, Origin};
use crate::exam_plan::operation::{FieldChange, LoginChange};
use crate::exam_plan::recent_writes::{CountedWrite, LOOK_BACK_MS};
use crate::roster::{FieldId, LoginValue};

/// Whose candidate is modified.
#[derive(Clone, Copy)]
pub(super) enum Basis<'a> {
    /// One that this plan takes over.
    TakeOver,
    /// One that a lost call of ours entered.
    OwnAdd,
    /// A linked one, with the login value that we confirmed last.
    Linked(&'a Link, &'a LoginValue),
}

impl Decider<'_> {
    /// What only repeats a value that was confirmed, or is sent once more, is nothing new.
    pub(super) fn counts_as(
        &self,
        basis: Basis<'_>,
        difference: &FieldDifference,
        values: &[FieldChange],
        login: Option<&LoginChange>,
    ) -> Vec<CountedWrite> {
        let (link, confirmed_login) = match basis {
            Basis::TakeOver => return vec![CountedWrite::Overwrite],
            Basis::OwnAdd => return Vec::new(),
            Basis::Linked(link, confirmed_login) => (link, confirmed_login),
        };
        let sent_again = self.fields_sent_again(difference);
        let key = self.input.comparison.key;
        let is_new = |value: &&FieldChange| {
            !sent_again.contains(&value.id)
                && link.confirmed.get(&value.id) != Some(&key.value(value.id, &value.value))
        };
        let new: Vec<&FieldChange> = values.iter().filter(is_new).collect();
        let changes_login = login.is_some_and(|login| login.to != *confirmed_login);
        if !changes_login && !new.is_empty() && self.is_unfinished_take_over(link, &new) {
            return vec![CountedWrite::Overwrite];
        }
        let modify = (changes_login || !new.is_empty()).then_some(CountedWrite::Modify);
        modify.into_iter().chain(changes_login.then_some(CountedWrite::LoginChange)).collect()
    }

    fn fields_sent_again(&self, difference: &FieldDifference) -> Vec<FieldId> {
        let fields = self.input.comparison.mapping.fields();
        difference.sent_again.iter().filter_map(|at| Some(fields.get(*at)?.id)).collect()
    }

    /// Whether a candidate was taken over within the day that limits look back on, and these values were never confirmed: the
    /// rest of the take-over. Later it may be a column that was mapped since.
    fn is_unfinished_take_over(&self, link: &Link, values: &[&FieldChange]) -> bool {
        let is_recent = self.input.now_ms.saturating_sub(link.linked_at_ms) <= LOOK_BACK_MS;
        let is_unconfirmed = |value: &&FieldChange| !link.confirmed.contains_key(&value.id);
        link.origin == Origin::Adopted && is_recent && values.iter().all(is_unconfirmed)
    }
}
