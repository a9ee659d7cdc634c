//! Whether a remembered account is still believed to be its student's.
//!
//! | the roster's cell | remembered | believed |
//! |---|---|---|
//! | names an account | anything | the cell |
//! | empty | nothing, or an account that only the cell ever named | nothing: ClassIn is asked |
//! | empty | obtained by the student's contact | yes |
//! | empty | obtained by another contact than the student has now | doubted: ClassIn is asked again |
//! | empty | obtained, and ClassIn says that there is no such account | doubted, once a contact |
//!
//! A doubted account keeps its places until the answer is there, and gets no new ones. A student without a readable
//! contact cannot be asked for: then nothing is doubted.

use std::collections::BTreeMap;
use std::fmt;

use super::record::{Account, AccountOrigin};
use crate::classin_plan::codes::Code;
use crate::exam_plan::Fingerprint;
use crate::roster::{ClassinUid, StudentId};

/// Why ClassIn is asked again for an account of our own finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It was obtained by another contact than the roster has now.
    AnotherContact {
        /// The account until now.
        uid: ClassinUid,
    },
    /// ClassIn says that there is no such account (any more).
    NoSuchAccount {
        /// The account until now.
        uid: ClassinUid,
        /// By this code.
        code: Code,
    },
}

/// The doubted accounts, by student.
pub type Doubts = BTreeMap<StudentId, Doubt>;

impl Doubt {
    /// What is doubted of an account whose student the roster names no uid for; `contact` is the student's today.
    #[must_use]
    pub fn of(account: &Account, contact: Option<Fingerprint>) -> Option<Self> {
        let contact = contact?;
        if account.origin == AccountOrigin::Roster {
            return None;
        }
        let uid = account.uid;
        if let Some(code) = account.refused
            && account.found_anew != Some(contact)
        {
            return Some(Self::NoSuchAccount { uid, code });
        }
        account.contact.filter(|known| *known != contact).map(|_| Self::AnotherContact { uid })
    }

    /// The account until now.
    #[must_use]
    pub fn uid(&self) -> ClassinUid {
        match self {
            Self::AnotherContact { uid } | Self::NoSuchAccount { uid, .. } => *uid,
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherContact { uid } => write!(
                f,
                "phone or e-mail changed since the ClassIn account (uid {uid}) was found: ClassIn has to name the account \
                 anew first"
            ),
            Self::NoSuchAccount { uid, code } => write!(
                f,
                "the ClassIn account (uid {uid}) is cancelled or unknown (code {code}): ClassIn has to name the account \
                 anew first"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Fingerprint = Fingerprint(1);
    const BEFORE: Fingerprint = Fingerprint(2);

    fn account(contact: Fingerprint, refused: Option<i64>, found_anew: Option<Fingerprint>) -> Account {
        Account {
            student: StudentId::new("s1"),
            uid: ClassinUid(7),
            origin: AccountOrigin::Found,
            is_school_student: true,
            contact: Some(contact),
            school_name: None,
            obtained: None,
            refused: refused.map(Code),
            found_anew,
        }
    }

    #[test]
    fn an_account_is_doubted_by_another_contact_and_once_a_contact_when_it_is_dead() {
        let (uid, code) = (ClassinUid(7), Code(886));
        let another = Some(Doubt::AnotherContact { uid });
        let dead = Some(Doubt::NoSuchAccount { uid, code });
        for (what, account, doubt) in [
            ("by this contact", account(NOW, None, None), None),
            ("by another one", account(BEFORE, None, None), another),
            ("dead", account(NOW, Some(886), None), dead),
            ("dead, and found anew by this contact", account(NOW, Some(886), Some(NOW)), None),
            ("dead, and found anew by another one", account(BEFORE, Some(886), Some(BEFORE)), dead),
            ("dead, and by another one", account(BEFORE, Some(886), None), dead),
        ] {
            assert_eq!(Doubt::of(&account, Some(NOW)), doubt, "{what}");
            assert_eq!(Doubt::of(&account, None), None, "{what}: nobody can be asked without a contact");
        }
    }

    #[test]
    fn what_only_the_roster_named_is_not_doubted_and_an_account_of_an_unknown_contact_neither() {
        let of_the_roster = Account { origin: AccountOrigin::Roster, ..account(BEFORE, Some(886), None) };
        assert_eq!(Doubt::of(&of_the_roster, Some(NOW)), None);
        let of_no_contact = Account { contact: None, ..account(BEFORE, None, None) };
        assert_eq!(Doubt::of(&of_no_contact, Some(NOW)), None);
    }

    #[test]
    fn the_answer_to_a_doubt_is_remembered_with_it() {
        let obtained =
            crate::classin_plan::Obtained { call: "register".to_owned(), code: Code(135), at_ms: 5 };
        let answered = |uid, doubt| {
            Account::obtained_by((StudentId::new("s1"), ClassinUid(uid)), NOW, obtained.clone(), doubt)
        };
        let dead = Doubt::NoSuchAccount { uid: ClassinUid(7), code: Code(886) };
        let another = answered(8, Some(&dead));
        assert_eq!((another.refused, another.found_anew), (None, Some(NOW)));
        let the_same = answered(7, Some(&dead));
        assert_eq!((the_same.refused, the_same.found_anew), (Some(Code(886)), Some(NOW)));
        assert_eq!(Doubt::of(&the_same, Some(NOW)), None, "asked once");
        let moved = answered(8, Some(&Doubt::AnotherContact { uid: ClassinUid(7) }));
        assert_eq!((moved.refused, moved.found_anew, moved.origin), (None, None, AccountOrigin::Found));
        assert_eq!(answered(8, None).contact, Some(NOW));
    }
}
