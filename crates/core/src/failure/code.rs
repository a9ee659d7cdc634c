//! The stable word or number under which a failure is stored, counted and shown.

use std::borrow::Cow;
use std::fmt;

use crate::classin_plan::Code;

/// The reason for a failure, in one word. Stored and printed: a word never changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureCode {
    /// The roster has no login value for the student.
    NoLoginValue,
    /// Several students have the same login value.
    SharedLoginValue,
    /// The student is in no group.
    NoGroup,
    /// No group of the student has a gid.
    GroupWithoutGid,
    /// The row cannot be used as it is.
    UnusableRow,
    /// The login value belongs to another student's candidate.
    LoginValueTaken,
    /// `exam.adopt` forbids taking over the candidate.
    AdoptionOff,
    /// The service refused the item, or the call as a whole.
    Refused,
    /// The exam side refused its own list of fields.
    FieldsRefused,
    /// The candidate no longer exists.
    CandidateGone,
    /// The account has no room for more candidates.
    AccountFull,
    /// The call is larger than the service takes.
    TooLarge,
    /// The service failed over the call (5xx).
    ServiceFailed,
    /// The service asks for fewer calls (429).
    RateLimited,
    /// The service gave up on the call by itself.
    TimedOut,
    /// The credentials are refused.
    Unauthorized,
    /// The base URL leads elsewhere.
    WrongAddress,
    /// The service redirects the call.
    Redirected,
    /// The call cannot be built.
    Setup,
    /// No connection.
    Unreachable,
    /// The service is not called any more in this run.
    ServiceStopped,
    /// The call was sent and its answer never came.
    LostAnswer,
    /// The answer cannot be read.
    Unreadable,
    /// An answer of a kind that is not documented.
    Unexpected,
    /// The call was certainly not made.
    NotSent,
    /// The student has no ClassIn account.
    NoAccount,
    /// The roster has no phone number or e-mail address to register an account by.
    NoContact,
    /// A student who is no longer wanted in a class is still in it, and not ours to take out.
    NotOurs,
    /// A class that no row names any more is probably over, and nobody may be taken out of it.
    ProbablyOver,
    /// Every add into a group was refused, while others went through: its gid is wrong.
    GroupRefused,
    /// The login value still belongs to another student's candidate: the operation waits until it is free.
    LoginValueInUse,
    /// A leaver and somebody on the roster may be one person.
    SamePerson,
    /// A leaver is also in a group that is not ours.
    ForeignGroup,
    /// Nothing but the login value says that a candidate is the student's.
    DoubtfulAdoption,
    /// A leaver may be in a roster row whose id cannot be read.
    UnreadableIds,
    /// One contact or one account stands for too many students.
    SharedContact,
    /// The candidate with the login value is only in groups that are not ours.
    ForeignCandidate,
    /// Several listed candidates have the login value.
    AmbiguousLogin,
    /// The candidate exists and is not listed.
    UnlistedCandidate,
    /// A look-up did not say what had to be known.
    NotFoundOut,
    /// A look-up showed the candidate without its groups.
    GroupsNotTold,
    /// The candidate is not shown, and its link is too new to call it gone.
    NotShownYet,
    /// One reading calls the candidate gone and another does not.
    Contradicted,
    /// The candidate's sid shows another login value than the one that is known of it.
    AnotherLoginValue,
    /// The candidate of a leaver is gone, and another one has the leaver's login value.
    EnteredAnew,
    /// Our clock and the service's are too far apart.
    ClocksDiffer,
    /// A code that ClassIn answered.
    Classin(Code),
    /// A word that this version does not know.
    Other(Box<str>),
}

/// Every code that is a word of ours.
const WORDS: [FailureCode; 46] = [
    FailureCode::NoLoginValue,
    FailureCode::SharedLoginValue,
    FailureCode::NoGroup,
    FailureCode::GroupWithoutGid,
    FailureCode::UnusableRow,
    FailureCode::LoginValueTaken,
    FailureCode::AdoptionOff,
    FailureCode::Refused,
    FailureCode::FieldsRefused,
    FailureCode::CandidateGone,
    FailureCode::AccountFull,
    FailureCode::TooLarge,
    FailureCode::ServiceFailed,
    FailureCode::RateLimited,
    FailureCode::TimedOut,
    FailureCode::Unauthorized,
    FailureCode::WrongAddress,
    FailureCode::Redirected,
    FailureCode::Setup,
    FailureCode::Unreachable,
    FailureCode::ServiceStopped,
    FailureCode::LostAnswer,
    FailureCode::Unreadable,
    FailureCode::Unexpected,
    FailureCode::NotSent,
    FailureCode::NoAccount,
    FailureCode::NoContact,
    FailureCode::LoginValueInUse,
    FailureCode::SamePerson,
    FailureCode::ForeignGroup,
    FailureCode::DoubtfulAdoption,
    FailureCode::UnreadableIds,
    FailureCode::SharedContact,
    FailureCode::ForeignCandidate,
    FailureCode::AmbiguousLogin,
    FailureCode::UnlistedCandidate,
    FailureCode::NotFoundOut,
    FailureCode::GroupsNotTold,
    FailureCode::NotShownYet,
    FailureCode::Contradicted,
    FailureCode::AnotherLoginValue,
    FailureCode::ClocksDiffer,
    FailureCode::NotOurs,
    FailureCode::ProbablyOver,
    FailureCode::GroupRefused,
    FailureCode::EnteredAnew,
];

impl FailureCode {
    /// Whether it passes by itself: a look-up that told nothing, or a clock that is wrong. It decides nothing about what
    /// a person said.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::NotFoundOut
                | Self::GroupsNotTold
                | Self::NotShownYet
                | Self::Contradicted
                | Self::ClocksDiffer
        )
    }

    /// Whether it says that something is impossible until a row or a setting is mended.
    #[must_use]
    pub fn says_impossible(&self) -> bool {
        matches!(
            self,
            Self::NoLoginValue
                | Self::SharedLoginValue
                | Self::NoGroup
                | Self::GroupWithoutGid
                | Self::UnusableRow
                | Self::LoginValueTaken
                | Self::AdoptionOff
        )
    }

    /// Whether one item may bring it about whatever the service is like: met alone, while others of its kind go through, it
    /// is the item's.
    #[must_use]
    pub fn may_be_of_one_item(&self) -> bool {
        matches!(
            self,
            Self::ServiceFailed | Self::LostAnswer | Self::Unreadable | Self::Unexpected | Self::Classin(_)
        )
    }

    /// The text in tables and reports.
    #[must_use]
    pub fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::NoLoginValue => "no-login-value",
            Self::SharedLoginValue => "shared-login-value",
            Self::NoGroup => "no-group",
            Self::GroupWithoutGid => "group-without-gid",
            Self::UnusableRow => "unusable-row",
            Self::LoginValueTaken => "login-value-taken",
            Self::AdoptionOff => "adoption-off",
            Self::Refused => "refused",
            Self::FieldsRefused => "fields-refused",
            Self::CandidateGone => "candidate-gone",
            Self::AccountFull => "account-full",
            Self::TooLarge => "too-large",
            Self::ServiceFailed => "service-failed",
            Self::RateLimited => "rate-limited",
            Self::TimedOut => "timed-out",
            Self::Unauthorized => "unauthorized",
            Self::WrongAddress => "wrong-address",
            Self::Redirected => "redirected",
            Self::Setup => "setup",
            Self::Unreachable => "unreachable",
            Self::ServiceStopped => "service-stopped",
            Self::LostAnswer => "lost-answer",
            Self::Unreadable => "unreadable",
            Self::Unexpected => "unexpected",
            Self::NotSent => "not-sent",
            Self::NoAccount => "no-account",
            Self::NoContact => "no-contact",
            Self::NotOurs => "not-ours",
            Self::ProbablyOver => "probably-over",
            Self::GroupRefused => "group-refused",
            Self::LoginValueInUse => "login-value-in-use",
            Self::SamePerson => "same-person",
            Self::ForeignGroup => "foreign-group",
            Self::DoubtfulAdoption => "adoption",
            Self::UnreadableIds => "unreadable-ids",
            Self::SharedContact => "shared-contact",
            Self::ForeignCandidate => "foreign-candidate",
            Self::AmbiguousLogin => "ambiguous-login-value",
            Self::UnlistedCandidate => "unlisted-candidate",
            Self::NotFoundOut => "not-found-out",
            Self::GroupsNotTold => "groups-not-told",
            Self::NotShownYet => "not-shown-yet",
            Self::Contradicted => "contradicted",
            Self::AnotherLoginValue => "another-login-value",
            Self::EnteredAnew => "entered-anew",
            Self::ClocksDiffer => "clocks-differ",
            Self::Classin(code) => return Cow::Owned(code.to_string()),
            Self::Other(word) => word,
        })
    }

    /// Reads [`FailureCode::as_str`] back. An unknown word is kept as it is.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        if let Some(known) = WORDS.into_iter().find(|code| code.as_str() == word) {
            return known;
        }
        match word.parse().map(Code) {
            // Only a number that is written as we write it: every stored text reads back as itself.
            Ok(code) if Self::Classin(code).as_str() == word => Self::Classin(code),
            Ok(_) | Err(_) => Self::Other(word.into()),
        }
    }

    /// The code, where it is a code that ClassIn answered.
    #[must_use]
    pub fn classin(&self) -> Option<Code> {
        if let Self::Classin(code) = self { Some(*code) } else { None }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str())
    }
}

impl serde::Serialize for FailureCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that earlier versions stored, letter by letter.
    const STORED: [&str; 46] = [
        "no-login-value",
        "shared-login-value",
        "no-group",
        "group-without-gid",
        "unusable-row",
        "login-value-taken",
        "adoption-off",
        "refused",
        "fields-refused",
        "candidate-gone",
        "account-full",
        "too-large",
        "service-failed",
        "rate-limited",
        "timed-out",
        "unauthorized",
        "wrong-address",
        "redirected",
        "setup",
        "unreachable",
        "service-stopped",
        "lost-answer",
        "unreadable",
        "unexpected",
        "not-sent",
        "no-account",
        "no-contact",
        "login-value-in-use",
        "same-person",
        "foreign-group",
        "adoption",
        "unreadable-ids",
        "shared-contact",
        "foreign-candidate",
        "ambiguous-login-value",
        "unlisted-candidate",
        "not-found-out",
        "groups-not-told",
        "not-shown-yet",
        "contradicted",
        "another-login-value",
        "clocks-differ",
        "not-ours",
        "probably-over",
        "group-refused",
        "entered-anew",
    ];

    #[test]
    fn every_word_that_was_ever_stored_is_a_code_of_its_own_and_reads_back_as_itself() {
        for (word, code) in STORED.into_iter().zip(WORDS) {
            assert_eq!(FailureCode::parse(word), code);
            assert_eq!(code.as_str(), word);
        }
    }

    #[test]
    fn a_number_is_a_code_of_classin() {
        for (word, code) in [("228", 228), ("-1", -1), ("101003002", 101_003_002)] {
            assert_eq!(FailureCode::parse(word), FailureCode::Classin(Code(code)));
            assert_eq!(FailureCode::Classin(Code(code)).as_str(), word);
        }
    }

    #[test]
    fn an_unknown_word_stays_readable_and_is_stored_again_as_it_was() {
        for word in ["never heard of", "", "007", "+5", "9223372036854775808", "Refused"] {
            let code = FailureCode::parse(word);
            assert_eq!(code, FailureCode::Other(word.into()), "{word}");
            assert_eq!(code.as_str(), word);
        }
    }
}
