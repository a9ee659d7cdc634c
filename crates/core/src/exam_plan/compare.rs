//! Compares a candidate's values with those on the roster.

use std::collections::{BTreeMap, BTreeSet};

use super::fingerprint::{Fingerprint, MemoryKey};
use super::link::{Link, Origin};
use super::mapping::{MappedField, Mapping};
use super::observed::{Observed, Row};
use super::row_text::{LinkText, StudentText};
use super::second_write::SecondWrite;
use crate::roster::{FieldId, LoginValue};

/// The result of comparing one student with one candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldDifference {
    /// Positions in the mapping of the values to be sent.
    pub send: Vec<usize>,
    /// Those among them that an earlier call wrote already, and that are only sent once more.
    pub sent_again: BTreeSet<usize>,
    /// Written fields that came back as something else, with what is shown.
    pub came_back: BTreeMap<FieldId, Fingerprint>,
    /// Fields that show what is wanted, and of which the service was known or suspected to rewrite the value.
    pub cleared: BTreeSet<FieldId>,
    /// Those that are sent for the second time.
    pub second_writes: BTreeMap<FieldId, SecondWrite>,
    /// Values to remember although nothing is sent.
    pub confirm: BTreeMap<FieldId, Fingerprint>,
    /// How far the values agree; counted for a candidate without a link alone.
    pub agreement: Agreement,
}

/// How far a candidate's values agree with a student's, the login value and the password left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Values that both sides have, and that the account shows.
    pub compared: u32,
    /// Those that are equal.
    pub agreeing: u32,
}

impl Agreement {
    /// Whether something could be compared, and nothing agrees.
    #[must_use]
    pub fn is_none_of_some(self) -> bool {
        self.compared > 0 && self.agreeing == 0
    }

    /// Whether more agree than do not.
    #[must_use]
    pub(super) fn is_majority(self) -> bool {
        self.agreeing.saturating_mul(2) > self.compared
    }

    /// With one more value.
    #[must_use]
    pub(super) fn counting(self, agrees: bool) -> Self {
        Self { compared: self.compared + 1, agreeing: self.agreeing + u32::from(agrees) }
    }
}

impl FieldDifference {
    /// Whether there is nothing to send and nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { send, sent_again: _, came_back, cleared, second_writes: _, confirm, agreement: _ } = self;
        send.is_empty() && came_back.is_empty() && cleared.is_empty() && confirm.is_empty()
    }
}

/// Compares wanted values with a listed candidate's.
pub struct Comparison<'a> {
    /// The compared fields.
    pub mapping: &'a Mapping,
    /// The listing.
    pub observed: &'a Observed,
    /// Under which key confirmed values are remembered.
    pub key: &'a MemoryKey,
}

/// The verdict on one field.
#[derive(PartialEq, Eq)]
enum FieldVerdict {
    Equal,
    Send,
    CameBack(Fingerprint),
    Cleared,
    Remember,
}

impl Comparison<'_> {
    /// Compares all mapped values but the login value; `link` is absent for a candidate to be adopted.
    #[must_use]
    pub fn fields(&self, row: Row, values: &[String], link: Option<&Link>) -> FieldDifference {
        let mut difference = FieldDifference::default();
        for (at, field) in self.mapping.compared() {
            let value = values.get(at).map_or("", String::as_str);
            if link.is_none() && !field.is_password() && self.is_comparable(row, at, value) {
                difference.agreement.compared += 1;
                difference.agreement.agreeing += u32::from(self.observed.equals(row, at, value));
            }
            match self.field(row, at, field, value, link) {
                FieldVerdict::Equal => {}
                FieldVerdict::Send => difference.send.push(at),
                FieldVerdict::CameBack(shown) => {
                    difference.came_back.insert(field.id, shown);
                }
                FieldVerdict::Cleared => {
                    difference.cleared.insert(field.id);
                }
                FieldVerdict::Remember => {
                    difference.confirm.insert(field.id, self.key.value(field.id, value));
                }
            }
        }
        if link.is_some_and(|link| link.origin == Origin::Added && self.is_emptied(row, values, link)) {
            self.give_back_password(row, values, &mut difference);
        }
        difference
    }

    /// A password that is as confirmed says nothing of what is shown, so a candidate that lost it looks as wanted.
    fn give_back_password(&self, row: Row, values: &[String], difference: &mut FieldDifference) {
        let lost = |(at, field): &(usize, &MappedField)| {
            let has_one = values.get(*at).is_some_and(|value| !value.is_empty());
            let is_seen = !self.observed.hides(*at) && self.observed.lacks(row, *at);
            field.is_password() && has_one && is_seen && !difference.send.contains(at)
        };
        let lost: Vec<usize> = self.mapping.compared().filter(lost).map(|(at, _)| at).collect();
        difference.send.extend(lost);
        difference.send.sort_unstable();
    }

    /// Whether a candidate that was written to since the last listing shows nothing any more of what was not written: the
    /// account empties what a change does not name.
    pub(super) fn is_emptied(&self, row: Row, values: &[String], link: &Link) -> bool {
        if link.unverified.is_empty() {
            return false;
        }
        let mut unwritten = self.mapping.compared().filter(|(at, field)| {
            let value = values.get(*at).map_or("", String::as_str);
            // A candidate that was taken over may never have had a password.
            let may_lack = field.is_password() && link.origin == Origin::Adopted;
            let is_told = !value.is_empty() && !self.observed.hides(*at) && !may_lack;
            let is_unwritten = !link.unverified.contains(&field.id) && !is_in_question(link, field.id);
            is_told
                && is_unwritten
                && confirmed(Some(link), field.id) == Some(self.key.value(field.id, value))
        });
        let Some((first, _)) = unwritten.next() else { return false };
        self.observed.lacks(row, first) && unwritten.all(|(at, _)| self.observed.lacks(row, at))
    }

    /// Whether a candidate has all values of a student, the login value left out: what [`Comparison::fields`] finds
    /// nothing about where no field of the link is in question.
    pub(super) fn has_all(&self, row: Row, student: &StudentText<'_>, link: &LinkText<'_>) -> bool {
        let mut confirmed = link.confirmed.iter();
        self.mapping.compared().all(|(at, field)| {
            let value = student.value(at);
            let is_password = field.is_password();
            if !is_password && !self.observed.hides(at) {
                return self.observed.equals(row, at, value);
            }
            let confirmed = confirmed.next().copied().flatten();
            if is_password && value.is_empty() {
                return true;
            }
            if is_password && !self.observed.hides(at) && self.observed.lacks(row, at) {
                return false;
            }
            let told = if is_password { confirmed } else { confirmed.or(Some(Fingerprint(0))) };
            told == Some(self.key.value(field.id, value))
        })
    }

    /// Whether the service keeps the wanted login value in a form of its own, and shows just that form.
    #[must_use]
    pub fn keeps_login(&self, link: &Link, wanted: &LoginValue) -> bool {
        let field = self.mapping.login_field();
        let of = |login: &LoginValue| Some(self.key.value(field, login.as_str()));
        link.rewritten.contains(&field)
            && confirmed(Some(link), field) == of(wanted)
            && link.suspected.get(&field).copied() == of(&link.login)
    }

    /// Whether the wanted login value is shown, of which the service was known or suspected to keep another form.
    #[must_use]
    pub fn clears_login(&self, link: &Link, wanted: &LoginValue) -> bool {
        link.login == *wanted && is_in_question(link, self.mapping.login_field())
    }

    /// How far a listed candidate has what a linked student has. What the roster itself has changed since, and what the
    /// service masks or rewrites, says nothing against it.
    pub(super) fn likeness(&self, row: Row, values: &[String], link: &Link) -> Agreement {
        let told = self.mapping.compared().filter(|(_, field)| !field.is_password());
        told.fold(Agreement::default(), |sum, (at, field)| {
            let value = values.get(at).map_or("", String::as_str);
            if !self.is_comparable(row, at, value) {
                return sum;
            }
            if self.observed.equals(row, at, value) {
                return sum.counting(true);
            }
            let is_as_confirmed = confirmed(Some(link), field.id) == Some(self.key.value(field.id, value));
            let may_be_rewritten = link.rewritten.contains(&field.id) || link.unverified.contains(&field.id);
            if is_as_confirmed && !may_be_rewritten { sum.counting(false) } else { sum }
        })
    }

    /// Of the fields in which two students differ, those in which a listed candidate has what one of them has: how many
    /// there are, and in how many of them it is the first one's.
    pub(super) fn between(&self, row: Row, one: &[String], other: &[String]) -> Agreement {
        let told = self.mapping.compared().filter(|(_, field)| !field.is_password());
        told.fold(Agreement::default(), |sum, (at, _)| {
            let [one, other] = [one, other].map(|values| values.get(at).map_or("", String::as_str));
            let has =
                |value: &str| self.is_comparable(row, at, value) && self.observed.equals(row, at, value);
            match (has(one), has(other)) {
                (true, false) => sum.counting(true),
                (false, true) => sum.counting(false),
                (true, true) | (false, false) => sum,
            }
        })
    }

    /// Of the fields in which two listed candidates differ: how many there are, and in how many of them the first one has
    /// these values.
    pub(super) fn rather(&self, row: Row, other: Row, values: &[String]) -> Agreement {
        let told = self.mapping.compared().filter(|(at, field)| {
            !field.is_password()
                && !self.observed.agree(row, other, *at)
                && !self.observed.is_masked(row, *at)
        });
        told.fold(Agreement::default(), |sum, (at, _)| {
            let value = values.get(at).map_or("", String::as_str);
            sum.counting(self.observed.equals(row, at, value))
        })
    }

    /// Whether both sides have a value that can be read.
    fn is_comparable(&self, row: Row, at: usize, value: &str) -> bool {
        let is_shown = !self.observed.lacks(row, at) && !self.observed.is_masked(row, at);
        !value.is_empty() && is_shown
    }

    fn field(
        &self,
        row: Row,
        at: usize,
        field: &MappedField,
        value: &str,
        link: Option<&Link>,
    ) -> FieldVerdict {
        if field.is_password() {
            return self.password(row, at, field, value, link);
        }
        if self.observed.hides(at) {
            // Where no listed candidate has a value, an empty one equals. Any other value is known by what
            // was confirmed.
            let confirmed = confirmed(link, field.id).unwrap_or(Fingerprint(0));
            return send_unless(confirmed == self.key.value(field.id, value));
        }
        let Some(link) = link else { return send_unless(self.observed.equals(row, at, value)) };
        if self.observed.equals(row, at, value) {
            return if is_in_question(link, field.id) { FieldVerdict::Cleared } else { FieldVerdict::Equal };
        }
        if confirmed(Some(link), field.id) != Some(self.key.value(field.id, value)) {
            return FieldVerdict::Send;
        }
        let Some(shown) = self.observed.shown(row, at) else { return FieldVerdict::Send };
        let is_as_before = link.suspected.get(&field.id).is_some_and(|suspected| suspected.is_like(shown));
        if link.rewritten.contains(&field.id) {
            return send_unless(is_as_before);
        }
        let waits = link.sent_twice.contains_key(&field.id) && is_as_before;
        if waits || link.unverified.contains(&field.id) {
            FieldVerdict::CameBack(shown)
        } else {
            FieldVerdict::Send
        }
    }

    /// People change their passwords: a listed one that differs stays, unless the roster's own has changed. A
    /// candidate that is taken over keeps the password it has, whether that is shown or not.
    fn password(
        &self,
        row: Row,
        at: usize,
        field: &MappedField,
        value: &str,
        link: Option<&Link>,
    ) -> FieldVerdict {
        if value.is_empty() {
            return FieldVerdict::Equal;
        }
        let wanted = self.key.value(field.id, value);
        let confirmed = confirmed(link, field.id);
        if confirmed == Some(wanted) {
            return FieldVerdict::Equal;
        }
        if link.is_none() {
            return FieldVerdict::Remember;
        }
        if self.observed.hides(at) {
            return FieldVerdict::Send;
        }
        if self.observed.equals(row, at, value) {
            return FieldVerdict::Remember;
        }
        let never_settled = confirmed.is_none();
        if never_settled && !self.observed.lacks(row, at) {
            FieldVerdict::Remember
        } else {
            FieldVerdict::Send
        }
    }
}

/// Whether the service was found, or is being found, to rewrite the field's value.
fn is_in_question(link: &Link, field: FieldId) -> bool {
    link.rewritten.contains(&field) || link.sent_twice.contains_key(&field)
}

fn confirmed(link: Option<&Link>, field: FieldId) -> Option<Fingerprint> {
    link.and_then(|link| link.confirmed.get(&field).copied())
}

fn send_unless(equal: bool) -> FieldVerdict {
    if equal { FieldVerdict::Equal } else { FieldVerdict::Send }
}
