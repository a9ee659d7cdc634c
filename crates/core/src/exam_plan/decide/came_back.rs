//! Values that came back changed from a write of ours: by somebody's hand, or by the service, which masks or rewrites
//! them.
//!
//! Once is no proof, so the value is sent once more. A look-up right after that tells; where look-ups do not show the
//! field as the listing does, the next two listings tell.

use std::collections::{BTreeMap, BTreeSet};

use super::Decider;
use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::fingerprint::Fingerprint;
use crate::exam_plan::link::{Link, LinkNote};
use crate::exam_plan::lookup::SidFact;
use crate::exam_plan::mapping::MappedField;
use crate::exam_plan::second_write::SecondWrite;
use crate::roster::{FieldId, LoginValue};

/// What is done about a wanted login value that is not the one shown.
pub(super) enum LoginForm {
    /// The service keeps it in this form, or one more listing tells whether it does.
    Stays,
    /// It is sent, perhaps for the second time.
    Sent(Option<SecondWrite>),
}

impl Decider<'_> {
    /// Notes what a comparison asks to remember; says what is to be sent, with what is sent once more.
    pub(super) fn note_values(&mut self, link: &Link, mut difference: FieldDifference) -> FieldDifference {
        if !difference.confirm.is_empty() {
            self.notes.push(LinkNote::Confirm(link.student.clone(), difference.confirm.clone()));
        }
        self.note_cleared(link, &difference);
        let input = self.input;
        let mapping = input.comparison.mapping;
        // A candidate entered by a call that was cut off is sent all unlisted values again. That still
        // belongs to the add and is no new change.
        let in_doubt = |field: &MappedField| link.confirmed.get(&field.id) == Some(&Fingerprint::IN_DOUBT);
        if mapping.compared().all(|(_, field)| in_doubt(field)) {
            difference.sent_again = difference.send.iter().copied().collect();
        }
        // A candidate that was not looked up may have swapped login values with another one: what is
        // listed here is not what it was sent, and says nothing about how the service keeps values.
        if !input.lookups.by_sid.contains_key(&link.sid) {
            return difference;
        }
        let (mut seen_again, mut proven, mut suspected) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for (field, shown) in &difference.came_back {
            match listings_since(link, *field, *shown) {
                Some(0) => seen_again.insert(*field),
                Some(_) => proven.insert(*field),
                None => suspected.insert(*field, *shown).is_none(),
            };
        }
        let again = mapping.compared().filter(|(_, field)| suspected.contains_key(&field.id));
        let again: Vec<usize> = again.map(|(at, _)| at).collect();
        difference.send.extend(&again);
        difference.sent_again.extend(again);
        difference.send.sort_unstable();
        let looked_up = input.lookups.shown.get(&link.sid);
        let is_looked_up = |field: &FieldId, shown: Fingerprint| {
            looked_up.and_then(|values| values.get(field)).is_some_and(|value| value.is_like(shown))
        };
        let second = |(field, shown): (&FieldId, &Fingerprint)| {
            (*field, SecondWrite { shown: *shown, is_looked_up: is_looked_up(field, *shown) })
        };
        difference.second_writes = suspected.iter().map(second).collect();
        let student = &link.student;
        if !seen_again.is_empty() {
            self.notes.push(LinkNote::SeenAgain(student.clone(), seen_again));
        }
        if !proven.is_empty() {
            self.notes.push(LinkNote::Rewritten(student.clone(), proven));
        }
        if !suspected.is_empty() {
            self.notes.push(LinkNote::Suspected(student.clone(), suspected));
        }
        difference
    }

    /// Fields that show what is wanted, and those that are written for another reason: they are compared as any other.
    fn note_cleared(&mut self, link: &Link, difference: &FieldDifference) {
        let fields = self.input.comparison.mapping.fields();
        let sent = difference.send.iter().filter_map(|at| fields.get(*at)).map(|field| field.id);
        let sent = sent.filter(|field| link.suspected.contains_key(field) || link.rewritten.contains(field));
        let cleared: BTreeSet<FieldId> = sent.chain(difference.cleared.iter().copied()).collect();
        if !cleared.is_empty() {
            self.notes.push(LinkNote::Cleared(link.student.clone(), cleared));
        }
    }

    /// The same for the login value: services put it into lower case, take blanks out, keep its digits alone.
    ///
    /// A change that no write of ours came before is somebody's hand.
    pub(super) fn login_form(&mut self, link: &Link, wanted: &LoginValue) -> LoginForm {
        let comparison = &self.input.comparison;
        let field = comparison.mapping.login_field();
        let shown = comparison.key.value(field, link.login.as_str());
        let as_confirmed = link.confirmed.get(&field) == Some(&comparison.key.value(field, wanted.as_str()));
        let (student, fields) = (link.student.clone(), BTreeSet::from([field]));
        match listings_since(link, field, shown).filter(|_| as_confirmed) {
            Some(0) => {
                self.notes.push(LinkNote::SeenAgain(student, fields));
                return LoginForm::Stays;
            }
            Some(_) => {
                self.notes.push(LinkNote::Rewritten(student, fields));
                return LoginForm::Stays;
            }
            None => {}
        }
        if as_confirmed && link.unverified.contains(&field) {
            self.notes.push(LinkNote::Suspected(student, BTreeMap::from([(field, shown)])));
            let is_looked_up = matches!(
                self.input.lookups.by_sid.get(&link.sid),
                Some(SidFact::Found { login: Some(login), .. }) if *login == link.login
            );
            return LoginForm::Sent(Some(SecondWrite { shown, is_looked_up }));
        }
        if link.suspected.contains_key(&field) || link.rewritten.contains(&field) {
            self.notes.push(LinkNote::Cleared(student, fields));
        }
        LoginForm::Sent(None)
    }

    /// The wanted login value is shown: no other form of it is looked for any more.
    pub(super) fn note_wanted_login(&mut self, link: &Link, wanted: &LoginValue) {
        let comparison = &self.input.comparison;
        if comparison.clears_login(link, wanted) {
            let fields = BTreeSet::from([comparison.mapping.login_field()]);
            self.notes.push(LinkNote::Cleared(link.student.clone(), fields));
        }
    }
}

/// How many listings have shown the suspected value since the second write was confirmed.
fn listings_since(link: &Link, field: FieldId, shown: Fingerprint) -> Option<u32> {
    link.suspected.get(&field).filter(|suspected| suspected.is_like(shown))?;
    link.sent_twice.get(&field).copied()
}
