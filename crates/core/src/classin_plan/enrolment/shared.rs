//! One contact or one account that stands for too many students: an office phone, a slip, a number typed down a column.
//!
//! Siblings share a parent's phone and with it one account. More than three students who do are asked about first: each
//! would be the same member of every class. So is a student whose account becomes another student's: a cell that was filled
//! down, or the neighbour's uid, would put them out of their class and somebody else into it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::{EnrolmentState, HeldBack, Reason};
use crate::exam_plan::{Digest, Fingerprint, NAMED};
use crate::roster::{ClassinUid, StudentId};

/// So many students may share one contact or one account without a word.
pub const MOST_SIBLINGS: usize = 3;

/// What several students may be known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SharedKey {
    /// A phone number or e-mail address, by its fingerprint.
    Contact(Fingerprint),
    /// An account.
    Uid(ClassinUid),
    /// Phones or e-mails that changed places; the lowest of the accounts that were obtained by them.
    Exchanged(ClassinUid),
    /// Phones or e-mails that moved on by one; the lowest of the accounts that were obtained by them.
    MovedOn(ClassinUid),
}

/// One contact or one account, and everybody on the roster whom it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedContact {
    /// What they share.
    pub key: SharedKey,
    /// In ascending order.
    pub students: Vec<StudentId>,
    /// Those of them who had another account before, where they are asked about for that; else nobody.
    pub changed: BTreeSet<StudentId>,
    /// Those of whom a person said that it is right: they keep nothing by the account before.
    pub accepted: BTreeSet<StudentId>,
    /// What a hold of it is about.
    pub about: Fingerprint,
}

impl SharedKey {
    fn about(self) -> Fingerprint {
        let mut digest = Digest::open("about");
        match self {
            Self::Contact(contact) => {
                digest.text("shared contact").number(i64::from_le_bytes(contact.0.to_le_bytes()))
            }
            Self::Uid(uid) => digest.text("shared uid").number(uid.0),
            Self::Exchanged(uid) => digest.text("exchanged contacts").number(uid.0),
            Self::MovedOn(uid) => digest.text("contacts that moved on").number(uid.0),
        };
        digest.finish()
    }
}

impl SharedContact {
    /// That of these students.
    #[must_use]
    pub fn new(key: SharedKey, students: BTreeSet<StudentId>) -> Self {
        let students = students.into_iter().collect();
        Self { key, students, changed: BTreeSet::new(), accepted: BTreeSet::new(), about: key.about() }
    }

    /// The same, with those of whom a person said that it is right.
    #[must_use]
    pub fn accepting(&self, is_accepted: impl Fn(&StudentId) -> bool) -> Self {
        let accepted = self.changed.iter().filter(|student| is_accepted(student)).cloned().collect();
        Self { accepted, ..self.clone() }
    }

    /// Of contact and students: with another student it is another matter.
    #[must_use]
    pub fn desired_hash(&self) -> Fingerprint {
        let mut digest = Digest::open("shared contact");
        digest.number(i64::from_le_bytes(self.about.0.to_le_bytes()));
        self.students.iter().for_each(|student| {
            digest.text(student.as_str());
        });
        if !self.changed.is_empty() {
            digest.text("instead of another");
            self.changed.iter().for_each(|student| {
                digest.text(student.as_str());
            });
        }
        digest.finish()
    }
}

impl fmt::Display for SharedContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.changed.is_empty() {
            return self.fmt_changed(f);
        }
        let count = self.students.len();
        match self.key {
            SharedKey::Contact(_) => write!(f, "{count} students have one phone or e-mail")?,
            SharedKey::Uid(uid) => write!(f, "{count} students have one ClassIn account (uid {uid})")?,
            SharedKey::Exchanged(_) => return self.fmt_exchanged("changed places", f),
            SharedKey::MovedOn(_) => return self.fmt_exchanged("moved on from one to the next", f),
        }
        write!(
            f,
            " ({}), and none of them is registered or enrolled by it: mend what is wrong on the roster, or, where it is \
             right, rosterd approve DIGEST {NAMED}",
            names(&self.students)
        )
    }
}

impl SharedContact {
    fn fmt_exchanged(&self, what: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the phones or e-mails of {} have {what}: they would get the accounts of one another, and until a \
             person has looked they keep every class by the account that they had. Mend the phones, or, where they are right \
             now, rosterd approve DIGEST {NAMED}",
            names(&self.students)
        )
    }

    fn fmt_changed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            SharedKey::Contact(_) | SharedKey::Exchanged(_) | SharedKey::MovedOn(_) => {
                f.write_str("one phone or e-mail")?;
            }
            SharedKey::Uid(uid) => write!(f, "one ClassIn account (uid {uid})")?,
        }
        let keep: Vec<&StudentId> = self.changed.difference(&self.accepted).collect();
        write!(
            f,
            " is the account of {}, of whom {} had another one before and {} every class by that: mend the classin_uid or the \
             phone that is wrong, or, where they are siblings with one account, rosterd approve DIGEST {NAMED}",
            names(&self.students),
            names(keep.iter().copied()),
            if keep.len() == 1 { "keeps" } else { "keep" }
        )
    }
}

fn names<'a>(students: impl IntoIterator<Item = &'a StudentId>) -> String {
    let names: Vec<&str> = students.into_iter().map(StudentId::as_str).collect();
    names.join(", ")
}

/// What is known of one student's account.
#[derive(Clone, Debug, Default)]
pub struct AccountsOf {
    /// By which they are enrolled now.
    pub wanted: Option<ClassinUid>,
    /// What is remembered of them, believed or not.
    pub remembered: Option<ClassinUid>,
    /// Those they are recorded with in classes where that account is wanted no more.
    pub replaced: BTreeSet<ClassinUid>,
}

/// Students whose account has become one that is another student's, on the roster or as it was found.
#[derive(Clone, Debug, Default)]
pub struct OthersAccounts {
    changed: BTreeMap<ClassinUid, BTreeSet<StudentId>>,
    owners: BTreeMap<ClassinUid, BTreeSet<StudentId>>,
}

impl OthersAccounts {
    /// Looks at one student of whom anything is open.
    pub fn consider(&mut self, student: &StudentId, accounts: &AccountsOf) {
        let AccountsOf { wanted: Some(wanted), remembered, replaced } = accounts else { return };
        let mut before = remembered.iter().chain(replaced);
        if before.any(|uid| uid != wanted) {
            self.changed.entry(*wanted).or_default().insert(student.clone());
        }
    }

    /// Whether nobody's account has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// Looks at whose accounts those are: at every student of the roster.
    pub fn count(&mut self, student: &StudentId, accounts: &AccountsOf) {
        for uid in accounts.wanted.iter().chain(&accounts.remembered) {
            if self.changed.contains_key(uid) {
                self.owners.entry(*uid).or_default().insert(student.clone());
            }
        }
    }

    /// Who has an account now that is another student's too, and what is asked about them.
    #[must_use]
    pub fn of_others(self) -> Vec<(StudentId, Arc<SharedContact>)> {
        let mut taken = Vec::new();
        for (uid, changed) in self.changed {
            let mut students = self.owners.get(&uid).cloned().unwrap_or_default();
            students.extend(changed.iter().cloned());
            if students.len() < 2 {
                continue;
            }
            let key = SharedKey::Uid(uid);
            let shared =
                Arc::new(SharedContact { changed: changed.clone(), ..SharedContact::new(key, students) });
            taken.extend(changed.into_iter().map(|student| (student, Arc::clone(&shared))));
        }
        taken
    }
}

/// Which students share what with too many others.
#[derive(Clone, Debug, Default)]
pub struct SharedContacts {
    counted: BTreeMap<SharedKey, BTreeSet<StudentId>>,
    shared: BTreeMap<SharedKey, Arc<SharedContact>>,
}

impl SharedContacts {
    /// To be counted: what these are known by, and nothing else.
    #[must_use]
    pub fn among(keys: impl IntoIterator<Item = SharedKey>) -> Self {
        Self { counted: keys.into_iter().map(|key| (key, BTreeSet::new())).collect(), ..Self::default() }
    }

    /// Whether nothing is to be counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counted.is_empty()
    }

    /// Counts one student of the roster.
    pub fn count(&mut self, student: &StudentId, known_by: impl IntoIterator<Item = SharedKey>) {
        for key in known_by {
            if let Some(students) = self.counted.get_mut(&key) {
                students.insert(student.clone());
            }
        }
    }

    /// The same, once everybody has been counted.
    #[must_use]
    pub fn counted(self) -> Self {
        let too_many = self.counted.into_iter().filter(|(_, students)| students.len() > MOST_SIBLINGS);
        let shared = too_many.map(|(key, students)| (key, Arc::new(SharedContact::new(key, students))));
        Self { counted: BTreeMap::new(), shared: shared.collect() }
    }

    /// What stands for too many of those whom one of these stands for: the account first.
    #[must_use]
    pub fn of(&self, known_by: impl IntoIterator<Item = SharedKey>) -> Vec<Arc<SharedContact>> {
        known_by.into_iter().filter_map(|key| self.shared.get(&key)).cloned().collect()
    }
}

/// Who is neither registered nor enrolled because of what they share.
#[derive(Clone, Debug, Default)]
pub struct SharedHolds(HashMap<StudentId, EnrolmentState>);

impl SharedHolds {
    /// Holds whatever is wanted of this student by what they share.
    pub fn hold(&mut self, student: StudentId, shared: Arc<SharedContact>) {
        self.0.insert(student, EnrolmentState::Held(Reason::SharedContact(shared)));
    }

    /// A person said to leave it so.
    pub fn silence(&mut self, student: StudentId) {
        self.0.entry(student).or_insert(EnrolmentState::Waiting(Reason::HeldBack(HeldBack::Ignored)));
    }

    /// What becomes of an operation of this student that could go ahead.
    #[must_use]
    pub fn state_of(&self, student: &StudentId) -> EnrolmentState {
        self.0.get(student).cloned().unwrap_or(EnrolmentState::Planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(students: &[&str]) -> SharedContacts {
        let key = SharedKey::Uid(ClassinUid(7));
        let mut shared = SharedContacts::among([key]);
        for student in students {
            shared.count(&StudentId::new(*student), [key, SharedKey::Uid(ClassinUid(8))]);
        }
        shared.counted()
    }

    #[test]
    fn three_siblings_share_an_account_and_a_fourth_student_is_one_too_many() {
        let key = SharedKey::Uid(ClassinUid(7));
        assert!(counted(&["a", "b", "c", "c"]).of([key]).is_empty());
        let shared = counted(&["d", "a", "b", "c"]).of([key]);
        let names = shared[0].students.iter().map(StudentId::as_str);
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert!(
            counted(&["a", "b", "c", "d"]).of([SharedKey::Uid(ClassinUid(8))]).is_empty(),
            "not asked for"
        );
        let text = shared[0].to_string();
        assert!(text.contains("uid 7") && text.contains("a, b, c, d"), "{text}");
    }

    fn accounts(wanted: i64, remembered: i64, replaced: &[i64]) -> AccountsOf {
        let uid = |uid: i64| (uid != 0).then_some(ClassinUid(uid));
        let replaced = replaced.iter().map(|uid| ClassinUid(*uid)).collect();
        AccountsOf { wanted: uid(wanted), remembered: uid(remembered), replaced }
    }

    fn of_others(students: &[(&str, AccountsOf)]) -> Vec<String> {
        let mut taken = OthersAccounts::default();
        let all = || students.iter().map(|(student, accounts)| (StudentId::new(*student), accounts));
        all().for_each(|(student, accounts)| taken.consider(&student, accounts));
        all().for_each(|(student, accounts)| taken.count(&student, accounts));
        let names = |(student, shared): &(StudentId, Arc<SharedContact>)| {
            format!("{student}: {}", super::names(&shared.students))
        };
        taken.of_others().iter().map(names).collect()
    }

    #[test]
    fn an_account_that_becomes_another_students_is_asked_about_and_one_that_is_nobodys_is_not() {
        let ann = ("ann", accounts(1, 1, &[]));
        assert!(of_others(&[ann.clone(), ("ben", accounts(3, 2, &[]))]).is_empty(), "nobody's");
        assert!(
            of_others(&[ann.clone(), ("ben", accounts(1, 0, &[]))]).is_empty(),
            "siblings from the first"
        );
        assert!(of_others(&[ann.clone(), ("ben", accounts(1, 1, &[]))]).is_empty(), "siblings as before");
        assert!(of_others(&[ann.clone(), ("ben", accounts(0, 2, &[]))]).is_empty(), "an emptied cell");
        assert_eq!(of_others(&[ann.clone(), ("ben", accounts(1, 2, &[]))]), ["ben: ann, ben"]);
        assert_eq!(
            of_others(&[ann, ("ben", accounts(1, 1, &[2]))]),
            ["ben: ann, ben"],
            "recorded in a class"
        );
    }

    #[test]
    fn an_account_that_was_found_for_another_student_is_theirs_whatever_their_cell_says() {
        let slipped = [("ann", accounts(2, 1, &[])), ("ben", accounts(3, 2, &[]))];
        assert_eq!(of_others(&slipped), ["ann: ann, ben"]);
    }

    #[test]
    fn another_student_is_another_matter_about_the_same_contact() {
        let key = SharedKey::Contact(Fingerprint(5));
        let of = |students: &[&str]| {
            SharedContact::new(key, students.iter().map(|one| StudentId::new(*one)).collect())
        };
        let (four, five) = (of(&["a", "b", "c", "d"]), of(&["a", "b", "c", "d", "e"]));
        assert_eq!(four.about, five.about);
        assert_ne!(four.desired_hash(), five.desired_hash());
        assert!(!four.to_string().contains('5'), "a contact is never shown: {four}");
    }
}
