//! What the owners of accounts do in the client, and who attends a class: set up and looked at by hand.
//!
//! Contract: docs/contracts/classin.md, 8.1 and 8.4. Nothing here is a call of the service, and nothing appears in
//! the journal.

use std::collections::BTreeSet;

use super::school::ClassInWorld;
use crate::Sandbox;

impl Sandbox {
    /// The owner of an account enters another phone or e-mail in the client: the uid stays. Whoever had that one
    /// until now keeps an account that nobody can be asked for by it.
    pub fn change_contact(&self, uid: i64, contact: &str) {
        self.owners(|school| school.change_contact(uid, contact));
    }

    /// A phone or e-mail goes to somebody else: whoever had it keeps their account under another one, and a new
    /// account, outside the school, is found by it. Answers the new account's uid.
    pub fn recycle_contact(&self, contact: &str, nickname: &str) -> i64 {
        self.owners(|school| {
            if let Some(former) = school.uid_of(contact) {
                school.change_contact(former, "");
            }
            school.register(contact, "", nickname)
        })
    }

    /// The owner cancels an account (886 from now on) and registers anew with the same phone or e-mail. Answers the
    /// new account's uid, which is outside the school; `None` where there is no such account.
    pub fn replace_account(&self, uid: i64) -> Option<i64> {
        self.owners(|school| {
            let former = school.accounts.get(&uid)?.clone();
            school.cancel(uid);
            Some(school.register(&former.contact, "", &former.nickname))
        })
    }

    /// Everybody who attends a class: its transfer students, and the students of its course but for those who were
    /// transferred out of it.
    #[must_use]
    pub fn class_attendees(&self, course_id: i64, class_id: i64) -> BTreeSet<i64> {
        let world = self.world();
        let class = world.classin.classes.get(&class_id).filter(|class| class.course_id == course_id);
        class.map(|class| world.classin.attendees(class)).unwrap_or_default()
    }

    fn owners<T>(&self, change: impl FnOnce(&mut ClassInWorld) -> T) -> T {
        let mut world = self.world();
        world.unsaved = true;
        change(&mut world.classin)
    }
}
