//! Doubts about who is who: one person under two ids, two people under one, or records that changed hands.
//!
//! Who is in doubt is held: a person says whether it is one or two.

use std::fmt;

use super::fingerprint::Digest;
use super::hold::IGNORE;
use crate::roster::{StudentId, shell_option, shell_words};

/// The reason to ask whether it is one person or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonDoubt {
    /// A student on the roster wants the login value that a leaver's candidate has.
    LoginWanted {
        /// Who has left.
        leaver: StudentId,
        /// Who wants it.
        by: StudentId,
        /// Whether that student has a candidate already, to which no other can be carried over.
        has_candidate: bool,
    },
    /// The login value of a student on the roster is that of a leaver's candidate but for the way it is written.
    LoginAlike {
        /// Who has left.
        leaver: StudentId,
        /// Who wants it.
        by: StudentId,
        /// Whether that student has a candidate already, to which no other can be carried over.
        has_candidate: bool,
        /// Whether it is the student on the roster who is held here.
        holds_newcomer: bool,
    },
    /// Somebody gave a leaver's candidate the login value of a student on the roster.
    GivenTo {
        /// Who has left.
        leaver: StudentId,
        /// Whose login value it shows.
        by: StudentId,
        /// Whether that student has a candidate already, to which no other can be carried over.
        has_candidate: bool,
    },
    /// A leaver's id and that of a student without a candidate differ in their spelling alone. Both are held, each on its
    /// own line.
    AlikeIds {
        /// Who has left.
        leaver: StudentId,
        /// Who has come.
        newcomer: StudentId,
        /// Whether it is the newcomer who is held here.
        holds_newcomer: bool,
    },
    /// A person was asked whether a leaver and a student without a candidate are one, and has not answered. What tied them
    /// together is another value by now, and most values of the two are alike still.
    AskedBefore {
        /// Who has left.
        leaver: StudentId,
        /// Who has come.
        newcomer: StudentId,
        /// Whether it is the newcomer who is held here.
        holds_newcomer: bool,
    },
    /// A person was asked about a leaver, and has not answered; the student in question is not there any more, or has a
    /// candidate by now.
    AskedAbout {
        /// Who has left.
        leaver: StudentId,
        /// With whom the question was raised.
        newcomer: StudentId,
    },
    /// A student without a candidate wants the login value that the roster wanted of a leaver, whose candidate has another.
    WantedBefore {
        /// Who has left.
        leaver: StudentId,
        /// Who has come.
        newcomer: StudentId,
        /// Whether it is the newcomer who is held here.
        holds_newcomer: bool,
    },
    /// A student without a candidate has the name of a leaver, and another value that few have, or nobody else who comes or
    /// leaves has the name.
    SameValues {
        /// Who has left.
        leaver: StudentId,
        /// Who has come.
        newcomer: StudentId,
        /// Whether it is the newcomer who is held here.
        holds_newcomer: bool,
    },
    /// An id that is alike, and the other student has been entered since: a person said that they are somebody else, and nothing
    /// yet of the leaver.
    AlikeEntered {
        /// Who has left.
        leaver: StudentId,
        /// Who has a candidate of their own.
        other: StudentId,
    },
    /// A person called a leaver one student with somebody who has a candidate of their own, so that nothing could be
    /// carried over.
    CalledOne {
        /// Who has left.
        leaver: StudentId,
        /// Whose id they have now, as that person said.
        other: StudentId,
    },
    /// Somebody gave a leaver's candidate another login value after they had left.
    RenamedByHand {
        /// Who has left.
        leaver: StudentId,
    },
    /// The rows of two students seem to have changed hands: one has the login value of the other's candidate and most of
    /// its values.
    Exchanged {
        /// Whose row it is.
        student: StudentId,
        /// With whose it seems to have changed hands.
        other: StudentId,
    },
    /// Nothing is left in a student's row of what was known of the student: another person may have been given the id.
    UsedAgain {
        /// Whose row it is.
        student: StudentId,
    },
    /// The candidate of the student shows the login value of another one, or the other way round.
    ChangedHands {
        /// Who is held.
        student: StudentId,
        /// With whose record that of the student may have changed places.
        other: StudentId,
        /// Whether the candidate that shows another's login value is that of `student`.
        shows_others: bool,
        /// Whether one of the two has left: then no approval lets anything be written or deleted.
        one_left: bool,
    },
}

impl PersonDoubt {
    /// Whom it is about, and what is asked: whether two are one, or whether something changed hands.
    pub(super) fn take_into<'d>(&self, digest: &'d mut Digest) -> &'d mut Digest {
        match self {
            Self::LoginWanted { leaver, by: other, has_candidate: _ }
            | Self::LoginAlike { leaver, by: other, has_candidate: _, holds_newcomer: _ }
            | Self::AlikeIds { leaver, newcomer: other, holds_newcomer: _ }
            | Self::AskedBefore { leaver, newcomer: other, holds_newcomer: _ }
            | Self::AskedAbout { leaver, newcomer: other }
            | Self::WantedBefore { leaver, newcomer: other, holds_newcomer: _ }
            | Self::SameValues { leaver, newcomer: other, holds_newcomer: _ }
            | Self::AlikeEntered { leaver, other } => {
                digest.text("one or two").text(leaver.as_str()).text(other.as_str())
            }
            Self::CalledOne { leaver, other } => {
                digest.text("called one").text(leaver.as_str()).text(other.as_str())
            }
            Self::GivenTo { leaver, by, has_candidate: _ } => {
                digest.text("given to").text(leaver.as_str()).text(by.as_str())
            }
            Self::RenamedByHand { leaver } => digest.text("renamed by hand").text(leaver.as_str()),
            Self::Exchanged { student, other } => {
                digest.text("exchanged").text(student.as_str()).text(other.as_str())
            }
            Self::UsedAgain { student } => digest.text("used again").text(student.as_str()),
            // What an approval lets happen is another thing once one of the two has left.
            Self::ChangedHands { student, other, shows_others: _, one_left } => {
                let what = if *one_left { "changed hands, one left" } else { "changed hands" };
                digest.text(what).text(student.as_str()).text(other.as_str())
            }
        }
    }

    /// Whether the candidate of one who has left shows what belongs to somebody on the roster: no approval lets it be
    /// deleted.
    pub(super) fn is_about_somebody_elses_record(&self) -> bool {
        matches!(self, Self::GivenTo { .. } | Self::ChangedHands { one_left: true, .. })
    }

    /// A leaver and a student without a candidate, where it is about whether the two are one.
    pub(super) fn pair(&self) -> Option<(&StudentId, &StudentId)> {
        match self {
            Self::LoginWanted { leaver, by: other, has_candidate: false }
            | Self::LoginAlike { leaver, by: other, has_candidate: false, holds_newcomer: _ }
            | Self::AlikeIds { leaver, newcomer: other, holds_newcomer: _ }
            | Self::AskedBefore { leaver, newcomer: other, holds_newcomer: _ }
            | Self::WantedBefore { leaver, newcomer: other, holds_newcomer: _ }
            | Self::SameValues { leaver, newcomer: other, holds_newcomer: _ } => Some((leaver, other)),
            Self::LoginWanted { has_candidate: true, .. }
            | Self::LoginAlike { has_candidate: true, .. }
            | Self::GivenTo { .. }
            | Self::AlikeEntered { .. }
            | Self::AskedAbout { .. }
            | Self::CalledOne { .. }
            | Self::RenamedByHand { .. }
            | Self::Exchanged { .. }
            | Self::UsedAgain { .. }
            | Self::ChangedHands { .. } => None,
        }
    }

    /// Whether it names two ids of which one can be carried over to the other.
    #[must_use]
    pub fn suggests_a_pair(&self) -> bool {
        self.pair().is_some() || matches!(self, Self::GivenTo { has_candidate: false, .. })
    }
}

impl fmt::Display for PersonDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = |student: &StudentId| shell_words(&[student.as_str()]);
        let pair = |old: &StudentId, new: &StudentId| shell_words(&[old.as_str(), new.as_str()]);
        let named = |student: &StudentId| shell_option("--student", student.as_str());
        match self {
            Self::LoginWanted { leaver, by, has_candidate } => {
                write!(f, "student {by} wants the login value of student {leaver}, who has left: ")?;
                if !has_candidate {
                    write!(f, "if they are one person, rosterd relink {}; ", pair(leaver, by))?;
                }
                write!(f, "if they are two, rosterd approve DIGEST {}", named(leaver))
            }
            Self::LoginAlike { leaver, by, has_candidate, holds_newcomer } => {
                write!(
                    f,
                    "the login value of student {by} is that of student {leaver}, who has left, but for the way it is \
                     written: "
                )?;
                if !has_candidate {
                    write!(f, "if they are one person, rosterd relink {}; ", pair(leaver, by))?;
                }
                let held = named(if *holds_newcomer { by } else { leaver });
                write!(f, "if they are two, rosterd approve DIGEST {held}")
            }
            Self::GivenTo { leaver, by, has_candidate } => {
                write!(
                    f,
                    "the candidate of student {leaver}, who has left, was given the login value of student {by} on the exam \
                     side, and is deleted by no run while it shows that, whatever is approved: "
                )?;
                if !has_candidate {
                    write!(f, "if it is {by}'s now, rosterd relink {}; ", pair(leaver, by))?;
                }
                f.write_str("if it is not, give it another login value there")
            }
            Self::AlikeIds { leaver, newcomer, holds_newcomer } => write!(
                f,
                "the id of student {newcomer}, who is new, is that of student {leaver}, who has left, but for its spelling: \
                 if they are one person, rosterd relink {pair}; if they are two, \
                 rosterd approve DIGEST {held}",
                pair = pair(leaver, newcomer),
                held = named(if *holds_newcomer { newcomer } else { leaver })
            ),
            Self::AskedBefore { leaver, newcomer, holds_newcomer } => write!(
                f,
                "student {newcomer}, who is new, may be student {leaver}, who has left: that was asked before, values have \
                 changed since, and nobody has answered. If they are one person, rosterd relink {pair}; if they are two, \
                 rosterd approve DIGEST {held}",
                pair = pair(leaver, newcomer),
                held = named(if *holds_newcomer { newcomer } else { leaver })
            ),
            Self::AskedAbout { leaver, newcomer } => write!(
                f,
                "student {leaver}, who has left, may be on the roster under another id: that was asked of student {newcomer}, \
                 who is no newcomer any more, and nobody has answered. If they are there, rosterd relink {typed} NEW, where \
                 NEW is their id now; if they have left, rosterd approve DIGEST {named}",
                typed = typed(leaver),
                named = named(leaver)
            ),
            Self::WantedBefore { leaver, newcomer, holds_newcomer } => write!(
                f,
                "student {newcomer}, who is new, wants the login value that the roster wanted of student {leaver} before they \
                 left: if they are one person, rosterd relink {pair}; if they are two, rosterd approve DIGEST {held}",
                pair = pair(leaver, newcomer),
                held = named(if *holds_newcomer { newcomer } else { leaver })
            ),
            Self::SameValues { leaver, newcomer, holds_newcomer } => write!(
                f,
                "student {newcomer}, who is new, has the name or other telling values of student {leaver}, who has left: if they \
                 are one person, rosterd relink {pair}; if they are two, rosterd approve DIGEST {held}",
                pair = pair(leaver, newcomer),
                held = named(if *holds_newcomer { newcomer } else { leaver })
            ),
            Self::AlikeEntered { leaver, other } => write!(
                f,
                "the id of student {other}, who has a candidate of their own, is that of student {leaver}, who has left, but \
                 for its spelling: if they are one person, keep the candidate of {leaver} ({IGNORE}) until one of \
                 the two is removed on the exam side; if they are two, rosterd approve DIGEST {}",
                named(leaver)
            ),
            Self::CalledOne { leaver, other } => write!(
                f,
                "student {leaver}, who has left, was to become student {other}, who has a candidate of their own: if they are \
                 one person, remove the candidate of {other} on the exam side, then rosterd relink {pair}; if they are two, \
                 rosterd approve DIGEST {named}",
                pair = pair(leaver, other),
                named = named(leaver)
            ),
            Self::RenamedByHand { leaver } => write!(
                f,
                "the candidate of student {leaver}, who has left, was given another login value on the exam side: \
                 if somebody else uses it now, keep it ({IGNORE}), or rosterd relink {typed} NEW, where \
                 NEW is the id of the student whose it is; if not, rosterd approve DIGEST {named}",
                typed = typed(leaver),
                named = named(leaver)
            ),
            Self::Exchanged { student, other } => write!(
                f,
                "what the roster has of student {student} and what the candidate of student {other} shows, or the other way \
                 round, is alike: if their ids were exchanged on the roster, put them right there; if not, \
                 rosterd approve DIGEST {}",
                named(student)
            ),
            Self::UsedAgain { student } => write!(
                f,
                "another person under this id? The row of student {student} has another name, and no value of those that were \
                 known of the student: if it is one person, rosterd approve DIGEST {}; if it is another person, enter them \
                 under an id of their own, as an id is never used again",
                named(student)
            ),
            Self::ChangedHands { student, other, shows_others, one_left } => {
                let (by_sid, by_login) = if *shows_others { (student, other) } else { (other, student) };
                write!(
                    f,
                    "the candidate of student {by_sid} shows the login value of student {by_login}, their records may have \
                     changed hands on the exam side: "
                )?;
                if *one_left {
                    return write!(
                        f,
                        "one of the two has left, and no run writes to either candidate or deletes it, whatever is approved; \
                         put them right there; if the exam side gave them new sids, rosterd account confirm exam"
                    );
                }
                write!(
                    f,
                    "put them right there; if the exam side gave them new sids, rosterd account confirm exam; if the candidate \
                     of {student} is to be written over with the values of {student}, rosterd approve DIGEST {}",
                    named(student)
                )
            }
        }
    }
}
