//! Contacts that changed places: of several students each has the phone now by which the account of the next was found. A block
//! of a column that slipped looks like that, whether its last phone came to stand at its head or dropped out.
//!
//! A column that slipped before anybody was registered looks the same once it is mended. Such a mistake is noticed soon, so
//! whose accounts are new is asked of ClassIn alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{SharedContact, SharedKey};
use crate::classin_plan::account::Account;
use crate::exam_plan::Fingerprint;
use crate::failure::HOUR_MS;
use crate::roster::{ClassinUid, StudentId};

/// Of so many students in a row, one has the phone of another: it was handed down, and ClassIn says whose it is.
const MOST_HANDED_DOWN: usize = 2;

/// So long after an account was obtained its contact is still being put right.
const SETTLING_IN_MS: i64 = 14 * 24 * HOUR_MS;

/// Students whose contact is another one than their account was obtained by.
#[derive(Clone, Debug, Default)]
pub struct Exchanges {
    /// The account of each, and the contact of today.
    changed: BTreeMap<StudentId, (ClassinUid, Fingerprint)>,
    /// Whose account was obtained by a contact.
    obtained: BTreeMap<Fingerprint, StudentId>,
    /// Since when they have had their account, where that is known.
    since_ms: BTreeMap<StudentId, i64>,
}

impl Exchanges {
    /// Looks at one of them, with the contact of today.
    pub fn consider(&mut self, account: &Account, today: Option<Fingerprint>) {
        if let (Some(before), Some(today)) = (account.contact, today) {
            self.changed.insert(account.student.clone(), (account.uid, today));
            let since_ms = account.obtained.as_ref().map(|obtained| obtained.at_ms);
            self.since_ms.extend(since_ms.map(|since_ms| (account.student.clone(), since_ms)));
            self.obtained.entry(before).or_insert_with(|| account.student.clone());
        }
    }

    /// Who stands in a round in which everybody has the contact of another, or in a row in which several have the contact of
    /// the next, and what is asked about them.
    #[must_use]
    pub fn found(&self, now_ms: i64) -> Vec<(StudentId, Arc<SharedContact>)> {
        let mut found: BTreeMap<StudentId, Arc<SharedContact>> = BTreeMap::new();
        for student in self.changed.keys() {
            if !found.contains_key(student) {
                self.ask(self.round_of(student), SharedKey::Exchanged, &mut found);
            }
        }
        let taken: BTreeSet<&StudentId> = self.changed.keys().filter_map(|one| self.next(one)).collect();
        // A row begins with somebody whose own contact nobody has now.
        for first in self.changed.keys().filter(|one| !taken.contains(one)) {
            let row = self.row_from(first);
            let is_settled = |one: &StudentId| {
                self.since_ms.get(one).is_none_or(|at_ms| now_ms.saturating_sub(*at_ms) > SETTLING_IN_MS)
            };
            if row.len() > MOST_HANDED_DOWN && row.iter().any(is_settled) {
                self.ask(row, SharedKey::MovedOn, &mut found);
            }
        }
        found.into_iter().collect()
    }

    fn ask(
        &self,
        students: BTreeSet<StudentId>,
        key: impl Fn(ClassinUid) -> SharedKey,
        found: &mut BTreeMap<StudentId, Arc<SharedContact>>,
    ) {
        let uids = students.iter().filter_map(|one| self.changed.get(one)).map(|(uid, _)| *uid);
        let Some(first) = uids.min() else { return };
        let shared = Arc::new(SharedContact::new(key(first), students.clone()));
        for one in students {
            found.entry(one).or_insert_with(|| Arc::clone(&shared));
        }
    }

    /// Whose account was obtained by the contact that the student has today.
    fn next(&self, student: &StudentId) -> Option<&StudentId> {
        let (_, today) = self.changed.get(student)?;
        self.obtained.get(today)
    }

    /// Nobody where it does not come back to this student.
    fn round_of(&self, student: &StudentId) -> BTreeSet<StudentId> {
        let mut round = BTreeSet::new();
        let mut next = student;
        while round.insert(next.clone()) {
            let Some(other) = self.next(next) else { return BTreeSet::new() };
            next = other;
        }
        if next == student && round.len() > 1 { round } else { BTreeSet::new() }
    }

    /// Everybody from this student to one who has a contact that nobody had. Nobody where it runs into a round.
    fn row_from(&self, first: &StudentId) -> BTreeSet<StudentId> {
        let mut row = BTreeSet::new();
        let mut next = first;
        while row.insert(next.clone()) {
            let Some(other) = self.next(next) else { return row };
            next = other;
        }
        BTreeSet::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classin_plan::account::{AccountOrigin, Obtained};
    use crate::classin_plan::codes::Code;

    /// The rounds and rows that are found of students with the contact that they had and the one that they have, so many
    /// days after their accounts were obtained.
    fn found(days: i64, students: &[(&str, u64, u64)]) -> Vec<Vec<String>> {
        let mut exchanges = Exchanges::default();
        for (at, (student, before, today)) in students.iter().enumerate() {
            let account = Account {
                student: StudentId::new(*student),
                uid: ClassinUid(i64::try_from(at).unwrap()),
                origin: AccountOrigin::Found,
                is_school_student: true,
                contact: Some(Fingerprint(*before)),
                school_name: None,
                obtained: Some(Obtained { call: "register".to_owned(), code: Code(1), at_ms: 0 }),
                refused: None,
                found_anew: None,
            };
            exchanges.consider(&account, Some(Fingerprint(*today)));
        }
        let mut rounds: Vec<Vec<String>> = Vec::new();
        for (_, shared) in exchanges.found(days * 24 * HOUR_MS) {
            let names: Vec<String> = shared.students.iter().map(ToString::to_string).collect();
            if !rounds.contains(&names) {
                rounds.push(names);
            }
        }
        rounds
    }

    #[test]
    fn contacts_that_went_round_are_found_whenever_the_accounts_were_obtained() {
        for days in [0, 14, 15, 400] {
            assert_eq!(found(days, &[("a", 1, 2), ("b", 2, 1)]), [["a", "b"]]);
            assert_eq!(found(0, &[("a", 1, 2), ("b", 2, 3), ("c", 3, 1), ("d", 4, 5)]), [["a", "b", "c"]]);
            assert!(found(days, &[("a", 1, 2)]).is_empty());
            assert_eq!(
                found(days, &[("a", 1, 2), ("b", 2, 1), ("c", 3, 1)]),
                [["a", "b"]],
                "and one who follows them"
            );
        }
    }

    #[test]
    fn contacts_that_moved_on_by_one_are_found_once_the_accounts_are_older_than_a_mistake_of_the_first_days()
    {
        let slipped = [("a", 1, 2), ("b", 2, 3), ("c", 3, 9)];
        assert!(found(0, &slipped).is_empty(), "a column that slipped, or was mended");
        assert!(found(14, &slipped).is_empty());
        assert_eq!(found(15, &slipped), [["a", "b", "c"]]);
        assert_eq!(found(15, &[("c", 3, 9), ("b", 2, 3), ("d", 7, 8), ("a", 1, 2)]), [["a", "b", "c"]]);
        assert!(found(400, &[("a", 1, 2), ("b", 2, 9)]).is_empty(), "a phone that was handed down");
        assert!(found(400, &[("a", 1, 8), ("b", 2, 9)]).is_empty(), "new numbers");
    }
}
