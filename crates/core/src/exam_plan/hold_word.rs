//! Holds about single people: the word that names each of them.

use std::fmt;

use super::fingerprint::Fingerprint;
use crate::failure::FailureCode;

/// Why single people are held. A digest alone never covers such a hold: an approval names the student or this word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldWord {
    /// A leaver and somebody on the roster may be one person.
    SamePerson,
    /// A leaver is also in a group that is not ours.
    ForeignGroup,
    /// Nothing but the login value says that a candidate is the student's.
    Adoption,
    /// A leaver may be in a roster row whose id cannot be read, or is still named by other rows.
    UnreadableIds,
    /// One contact or one account stands for too many students.
    SharedContact,
}

impl HoldWord {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SamePerson, Self::ForeignGroup, Self::Adoption, Self::UnreadableIds, Self::SharedContact];

    /// The word in tables, reports and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SamePerson => "same-person",
            Self::ForeignGroup => "foreign-group",
            Self::Adoption => "adoption",
            Self::UnreadableIds => "unreadable-ids",
            Self::SharedContact => "shared-contact",
        }
    }

    /// Reads [`HoldWord::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The code under which such a hold stands among the failures.
    #[must_use]
    pub fn code(self) -> FailureCode {
        match self {
            Self::SamePerson => FailureCode::SamePerson,
            Self::ForeignGroup => FailureCode::ForeignGroup,
            Self::Adoption => FailureCode::DoubtfulAdoption,
            Self::UnreadableIds => FailureCode::UnreadableIds,
            Self::SharedContact => FailureCode::SharedContact,
        }
    }
}

/// A hold about single people as it was shown: an approval of it says nothing about another student, group or variant
/// under the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedHold {
    /// What an approval has to name.
    pub word: HoldWord,
    /// What the hold named: the variant of the doubt with the other student, the groups or the sid.
    pub about: Fingerprint,
}

impl fmt::Display for HoldWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hold_word_reads_back_as_itself_and_is_its_own_code() {
        for word in HoldWord::ALL {
            assert_eq!(HoldWord::parse(word.as_str()), Some(word));
            assert_eq!(word.code().as_str(), word.as_str());
        }
        assert_eq!(HoldWord::parse("Same-person"), None);
    }
}
