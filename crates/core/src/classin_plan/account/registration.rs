//! Students without a uid put together into accounts, and accounts into calls.

use std::collections::BTreeMap;

use super::{Contact, SchoolName};
use crate::classin_plan::answer::Token;
use crate::roster::StudentId;

/// Most accounts a call; more answer 450. Contract: docs/contracts/classin.md, 1.2.
pub const LARGEST_REGISTRATION: usize = 10;

/// In milliseconds. Registrations and joinings repeated with the same parameters within this time are refused
/// as doubles (101003002), whatever the outcome of the first, so a repeat waits longer. Contract:
/// docs/contracts/classin.md, 1.2.
pub const SAME_PARAMETERS_MS: u64 = 5_000;

/// One student without a uid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applicant {
    /// The student.
    pub student: StudentId,
    /// By what the account is asked for.
    pub contact: Contact,
    /// The name; absent when the roster has none.
    pub name: Option<SchoolName>,
}

/// One account that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// By what it is asked for.
    pub contact: Contact,
    /// The name of its first student with a name.
    pub name: Option<SchoolName>,
    /// Its students, in ascending order; siblings who share a contact share it. Never empty.
    pub students: Vec<StudentId>,
    /// Our name for it in a call, derived from the first student.
    pub token: Token,
}

/// The accounts that these students need: one for each contact, ordered by first student, in whatever order
/// the students come. Each account appears once.
#[must_use]
pub fn registrations(
    applicants: impl IntoIterator<Item = Applicant>,
    token_key: &[u8; 32],
) -> Vec<Registration> {
    let mut by_contact: BTreeMap<Contact, BTreeMap<StudentId, Option<SchoolName>>> = BTreeMap::new();
    for Applicant { student, contact, name } in applicants {
        by_contact.entry(contact).or_default().insert(student, name);
    }
    let account = |(contact, students): (Contact, BTreeMap<StudentId, Option<SchoolName>>)| {
        let token = Token::derive(token_key, students.keys().next()?, None);
        let name = students.values().flatten().next().cloned();
        Some(Registration { contact, name, students: students.into_keys().collect(), token })
    };
    let mut accounts: Vec<Registration> = by_contact.into_iter().filter_map(account).collect();
    accounts.sort_by(|one, other| one.students.cmp(&other.students));
    accounts
}

/// The calls that these accounts need: at most `size` (1 to [`LARGEST_REGISTRATION`]) a call.
///
/// Calls about one account must follow one another: ClassIn answers 131 to two at once. As no account is in two of
/// these calls, they may overlap.
#[must_use]
pub fn registration_batches(accounts: &[Registration], size: usize) -> Vec<Vec<Registration>> {
    accounts.chunks(size.clamp(1, LARGEST_REGISTRATION)).map(<[Registration]>::to_vec).collect()
}
