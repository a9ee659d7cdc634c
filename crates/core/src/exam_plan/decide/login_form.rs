//! Login values that the service keeps in a form of its own: lower-cased, without blanks, digits alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Decider;
use crate::exam_plan::link::{Link, LinkNote};
use crate::roster::LoginValue;

impl Decider<'_> {
    /// Whether a login value came back changed, in the same way, from two writes in a row: the service keeps it so.
    ///
    /// What comes back changed from one write may have been changed by hand since, and is sent once more. A change
    /// that no write of ours came before is somebody's hand.
    pub(super) fn is_rewritten_login(&mut self, link: &Link, wanted: &LoginValue) -> bool {
        let comparison = &self.input.comparison;
        let field = comparison.mapping.login_field();
        let shown = comparison.key.value(field, link.login.as_str());
        let was_written = link.confirmed.get(&field) == Some(&comparison.key.value(field, wanted.as_str()))
            && link.unverified.contains(&field);
        let (student, fields) = (link.student.clone(), BTreeSet::from([field]));
        if was_written && link.suspected.get(&field) == Some(&shown) {
            self.notes.push(LinkNote::Rewritten(student, fields));
            return true;
        }
        if was_written {
            self.notes.push(LinkNote::Suspected(student, BTreeMap::from([(field, shown)])));
        } else if link.suspected.contains_key(&field) {
            self.notes.push(LinkNote::Cleared(student, fields));
        }
        false
    }
}
