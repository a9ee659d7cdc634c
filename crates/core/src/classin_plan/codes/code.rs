//! One code of ClassIn, and what may be asked of it without looking at the number.

use std::fmt;

use super::CodeClass;
use super::table::{Says, TABLE};

/// A code as ClassIn answers it, or as it was stored. What a number means stands in this folder alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub i64);

impl Code {
    /// It is so now, by this very call.
    pub(crate) const DONE: Self = Self(1);
    /// The credentials are refused.
    pub const NO_PERMISSION: Self = Self(102);
    /// The class has no room.
    pub const NO_ROOM: Self = Self(157);
    /// The account is not a student of the school.
    pub const NOT_A_SCHOOL_STUDENT: Self = Self(228);
    /// The service is closed for maintenance. ClassIn uses it as HTTP status as well.
    pub const MAINTENANCE: Self = Self(901);

    /// Whether a class or account limit is reached: such a failure waits for room.
    #[must_use]
    pub fn is_full(self) -> bool {
        TABLE.iter().any(|row| row.code == self && row.class == CodeClass::Full)
    }

    /// Whether it asks that the account be made a student of the school.
    #[must_use]
    pub fn asks_for_school_membership(self) -> bool {
        self.says(Says::JoinTheSchool)
    }

    /// Whether it answers a registration that made the account, rather than found it.
    #[must_use]
    pub fn was_registered(self) -> bool {
        self.says(Says::Registered)
    }

    /// Whether the call came too soon after one with the same parameters, which may have worked.
    #[must_use]
    pub fn is_too_soon(self) -> bool {
        self.says(Says::TooSoon)
    }

    /// Whether the class is over: its members are what they were, and nobody need do anything.
    #[must_use]
    pub fn has_ended(self) -> bool {
        self.says(Says::ClassEnded)
    }

    /// Whether the class, or its whole course, was deleted, and every membership with it.
    #[must_use]
    pub fn is_deleted(self) -> bool {
        self.says(Says::ClassDeleted)
    }

    /// Whether the class was made in ClassIn's app: it goes on, and nobody can edit it from here.
    #[must_use]
    pub fn is_of_the_app(self) -> bool {
        self.says(Says::MadeInTheApp)
    }

    /// Whether ClassIn knows no class or course by these ids. Where nobody means any by them any more, that is over.
    #[must_use]
    pub fn is_not_there(self) -> bool {
        self.says(Says::NotThere)
    }

    /// Whether no account has this uid, so that a lost call cannot have entered anybody.
    #[must_use]
    pub fn has_no_account(self) -> bool {
        self.says(Says::NoSuchAccount)
    }

    /// Whether it says that an account does not exist (any more), so that one of our own finding has to be found anew.
    #[must_use]
    pub fn says_no_account(self) -> bool {
        self.has_no_account() || self.says(Says::AccountGone)
    }

    /// Whether it says that the account is no student in this place: a teacher, an auditor, none of the school. Contract:
    /// docs/contracts/classin.md, 8.1: nobody is that and a member as well.
    #[must_use]
    pub fn is_of_no_member(self) -> bool {
        self.says(Says::NoMember)
    }

    /// Every code that says so.
    pub fn of_no_member() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.code).filter(|code| code.is_of_no_member())
    }

    /// Whether it may come from one bad value in the call, which halving finds.
    ///
    /// Contract: docs/contracts/classin.md, 6.1.
    #[must_use]
    pub fn may_be_one_value(self) -> bool {
        self.says(Says::OneValueOrTheCall)
    }

    fn says(self, what: Says) -> bool {
        TABLE.iter().any(|row| row.code == self && row.says.contains(&what))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
