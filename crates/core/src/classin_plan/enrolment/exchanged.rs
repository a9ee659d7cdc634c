//! Contacts that changed places: of several students each has the phone now by which the account of the next was found. A block
//! of a column that slipped looks like that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{SharedContact, SharedKey};
use crate::classin_plan::account::Account;
use crate::exam_plan::Fingerprint;
use crate::roster::{ClassinUid, StudentId};

/// Students whose contact is another one than their account was obtained by.
#[derive(Clone, Debug, Default)]
pub struct Exchanges {
    /// The account of each, and the contact of today.
    changed: BTreeMap<StudentId, (ClassinUid, Fingerprint)>,
    /// Whose account was obtained by a contact.
    obtained: BTreeMap<Fingerprint, StudentId>,
}

impl Exchanges {
    /// Looks at one of them, with the contact of today.
    pub fn consider(&mut self, account: &Account, today: Option<Fingerprint>) {
        if let (Some(before), Some(today)) = (account.contact, today) {
            self.changed.insert(account.student.clone(), (account.uid, today));
            self.obtained.entry(before).or_insert_with(|| account.student.clone());
        }
    }

    /// Who stands in a round in which everybody has the contact of another, and what is asked about them.
    #[must_use]
    pub fn found(&self) -> Vec<(StudentId, Arc<SharedContact>)> {
        let mut found: BTreeMap<StudentId, Arc<SharedContact>> = BTreeMap::new();
        for student in self.changed.keys() {
            if found.contains_key(student) {
                continue;
            }
            let round = self.round_of(student);
            let uids = round.iter().filter_map(|one| self.changed.get(one)).map(|(uid, _)| *uid);
            let Some(first) = uids.min() else { continue };
            let shared = Arc::new(SharedContact::new(SharedKey::Exchanged(first), round.clone()));
            found.extend(round.into_iter().map(|one| (one, Arc::clone(&shared))));
        }
        found.into_iter().collect()
    }

    /// Nobody where it does not come back to this student.
    fn round_of(&self, student: &StudentId) -> BTreeSet<StudentId> {
        let mut round = BTreeSet::new();
        let mut next = student;
        while round.insert(next.clone()) {
            let other = self.changed.get(next).and_then(|(_, today)| self.obtained.get(today));
            let Some(other) = other else { return BTreeSet::new() };
            next = other;
        }
        if next == student && round.len() > 1 { round } else { BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classin_plan::account::AccountOrigin;

    /// The rounds that are found of students with the contact that they had and the one that they have.
    fn rounds(students: &[(&str, u64, u64)]) -> Vec<Vec<String>> {
        let mut exchanges = Exchanges::default();
        for (at, (student, before, today)) in students.iter().enumerate() {
            let account = Account {
                student: StudentId::new(*student),
                uid: ClassinUid(i64::try_from(at).unwrap()),
                origin: AccountOrigin::Found,
                is_school_student: true,
                contact: Some(Fingerprint(*before)),
                school_name: None,
                obtained: None,
                refused: None,
                found_anew: None,
            };
            exchanges.consider(&account, Some(Fingerprint(*today)));
        }
        let mut rounds: Vec<Vec<String>> = Vec::new();
        for (_, shared) in exchanges.found() {
            let names: Vec<String> = shared.students.iter().map(ToString::to_string).collect();
            if !rounds.contains(&names) {
                rounds.push(names);
            }
        }
        rounds
    }

    #[test]
    fn contacts_that_went_round_are_found_and_a_row_of_them_with_an_end_is_not() {
        assert_eq!(rounds(&[("a", 1, 2), ("b", 2, 1)]), [["a", "b"]]);
        assert_eq!(rounds(&[("a", 1, 2), ("b", 2, 3), ("c", 3, 1), ("d", 4, 5)]), [["a", "b", "c"]]);
        assert!(
            rounds(&[("a", 1, 2), ("b", 2, 3), ("c", 3, 9)]).is_empty(),
            "a column that slipped, or was mended"
        );
        assert!(rounds(&[("a", 1, 2)]).is_empty());
        assert_eq!(
            rounds(&[("a", 1, 2), ("b", 2, 1), ("c", 3, 1)]),
            [["a", "b"]],
            "and one who follows them"
        );
    }
}
