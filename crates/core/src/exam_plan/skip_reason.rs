//! Reasons to leave an operation for another run, in words that say what has to happen first.

use std::collections::BTreeSet;
use std::fmt;

use super::hold::IGNORE;
use super::kind::OperationKind;
use crate::failure::FailureCode;
use crate::roster::{Gid, GroupCode, Mode, Sid, StudentId, shell_words};

/// The reason to leave an operation for another run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// `sync.mode` does not allow it.
    Mode(Mode),
    /// The listing cannot be believed.
    DoubtfulListing,
    /// It failed before and is not due yet.
    NotDue {
        /// When it is, in milliseconds since 1970 UTC.
        due_at_ms: i64,
    },
    /// It failed for good and waits for a person or for its row to change.
    DeadLetter,
    /// A person said to leave it.
    Ignored,
    /// Its login value still belongs to another student's candidate.
    LoginInUse(StudentId),
    /// An operation it depends on did not succeed.
    Depends(OperationKind),
    /// A look-up did not say what it needs to know.
    NotFoundOut,
    /// Several listed candidates have its login value.
    AmbiguousLogin,
    /// A candidate on the exam side, or another student, has a login value that differs from its own only in the way it is
    /// written, or lacks its end: many services take the two for one.
    LoginAlike(Option<StudentId>),
    /// Its candidate exists and is not listed.
    Unlisted(Sid),
    /// The service stopped answering, or refused us.
    ServiceStopped,
    /// The account takes no more candidates.
    AccountFull,
    /// The run was told to stop.
    Terminated,
    /// The candidate with the login value is only in groups that are not ours: it may be another school's.
    ForeignCandidate(BTreeSet<Gid>),
    /// A look-up showed the candidate without its groups.
    GroupsNotTold,
    /// A look-up calls the candidate gone, and its link is too new for that.
    TooNewToBeGone,
    /// An add of ours was never answered, and the candidate is not shown yet.
    AddNotShown {
        /// From when it is added again, in milliseconds since 1970 UTC.
        again_at_ms: i64,
    },
    /// A look-up calls the candidate gone, and another one or the listing does not.
    Contradicted,
    /// The candidate's sid shows another login value than the one that is known of it.
    AnotherLogin,
    /// The candidate of a leaver is gone, and another one has the leaver's login value.
    EnteredAnew {
        /// Who has left.
        student: StudentId,
        /// The sid of the leaver's candidate.
        gone: Sid,
        /// The sid of the other one.
        found: Sid,
    },
    /// Our clock and the service's are too far apart.
    ClocksDiffer,
    /// The row of its group cannot be used, and is a failure of its own.
    GroupRow(GroupCode),
    /// The roster gives a group this gid in the place of another, and a person is asked whether that is right.
    GroupAsked(Gid),
    /// Its login value still belongs to the candidate of somebody who has left.
    LoginOfLeaver {
        /// Who has left.
        leaver: StudentId,
        /// Who wants the login value.
        wanted_by: StudentId,
        /// Whether that student has no candidate yet.
        is_new: bool,
    },
}

impl SkipReason {
    /// The code under which it stands among the failures, where the operation is withheld: it goes ahead when data
    /// or a reading is mended, and nothing else reminds a person of that.
    #[must_use]
    pub fn code(&self) -> Option<FailureCode> {
        match self {
            Self::LoginInUse(_) | Self::LoginOfLeaver { .. } => Some(FailureCode::LoginValueInUse),
            Self::ForeignCandidate(_) => Some(FailureCode::ForeignCandidate),
            Self::AmbiguousLogin | Self::LoginAlike(_) => Some(FailureCode::AmbiguousLogin),
            Self::Unlisted(_) => Some(FailureCode::UnlistedCandidate),
            Self::NotFoundOut => Some(FailureCode::NotFoundOut),
            Self::GroupsNotTold => Some(FailureCode::GroupsNotTold),
            Self::TooNewToBeGone | Self::AddNotShown { .. } => Some(FailureCode::NotShownYet),
            Self::Contradicted => Some(FailureCode::Contradicted),
            Self::AnotherLogin => Some(FailureCode::AnotherLoginValue),
            Self::EnteredAnew { .. } => Some(FailureCode::EnteredAnew),
            Self::ClocksDiffer => Some(FailureCode::ClocksDiffer),
            Self::Mode(_)
            | Self::DoubtfulListing
            | Self::NotDue { .. }
            | Self::DeadLetter
            | Self::Ignored
            | Self::Depends(_)
            | Self::ServiceStopped
            | Self::AccountFull
            | Self::Terminated
            | Self::GroupAsked(_)
            | Self::GroupRow(_) => None,
        }
    }

    /// Whether a run that leaves this undone is incomplete.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        match self {
            Self::Mode(_) | Self::Ignored | Self::GroupRow(_) => false,
            Self::DoubtfulListing
            | Self::NotDue { .. }
            | Self::DeadLetter
            | Self::LoginInUse(_)
            | Self::ForeignCandidate(_)
            | Self::LoginOfLeaver { .. }
            | Self::Depends(_)
            | Self::GroupAsked(_)
            | Self::NotFoundOut
            | Self::AmbiguousLogin
            | Self::LoginAlike(_)
            | Self::Unlisted(_)
            | Self::ServiceStopped
            | Self::AccountFull
            | Self::Terminated
            | Self::GroupsNotTold
            | Self::TooNewToBeGone
            | Self::AddNotShown { .. }
            | Self::Contradicted
            | Self::AnotherLogin
            | Self::EnteredAnew { .. }
            | Self::ClocksDiffer => true,
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) => write!(f, "sync.mode = \"{}\" does not allow it", mode.as_str()),
            Self::DoubtfulListing => f.write_str("the listing does not add up"),
            Self::NotDue { due_at_ms } => match jiff::Timestamp::from_millisecond(*due_at_ms) {
                Ok(due) => write!(f, "failed before, due again at {due:.0}"),
                Err(_) => f.write_str("failed before, not due yet"),
            },
            Self::DeadLetter => f.write_str("failed for good: see rosterd failures"),
            Self::Ignored => f.write_str("ignored until its row changes"),
            Self::LoginInUse(owner) => {
                write!(f, "its login value still belongs to the candidate of student {owner}")
            }
            Self::LoginOfLeaver { leaver, wanted_by, is_new } => {
                let whose = "its login value still belongs to the candidate of student";
                write!(f, "{whose} {leaver}, who has left: ")?;
                if *is_new {
                    let pair = shell_words(&[leaver.as_str(), wanted_by.as_str()]);
                    write!(f, "if {leaver} and {wanted_by} are one person, rosterd relink {pair}; ")?;
                    write!(f, "if they are two, ")?;
                }
                f.write_str("it waits until that candidate is deleted or has another login value")
            }
            Self::Depends(kind) => write!(f, "waits for the {kind} it depends on"),
            Self::AmbiguousLogin => f.write_str(
                "several candidates on the exam side have its login value, or one that differs by blanks or spelling only: make them differ",
            ),
            Self::LoginAlike(other) => {
                match other {
                    Some(other) => write!(f, "its login value and that of student {other} differ")?,
                    None => f.write_str("its login value and that of a candidate on the exam side differ")?,
                }
                f.write_str(
                    " only by case, width, blanks, the writing of a number or an end that is cut off, and the exam side may take \
                     them for one: if they are two people, make the login values differ; if it is one, write it on the roster as it is there",
                )
            }
            Self::Unlisted(sid) => write!(
                f,
                "its candidate exists with sid {sid} and is not in the candidate list: put it back there, or delete it"
            ),
            Self::NotFoundOut => f.write_str("the service did not say which candidate it is"),
            Self::ServiceStopped => f.write_str("the service was not called any more in this run"),
            Self::AccountFull => f.write_str("the account takes no more candidates"),
            Self::Terminated => f.write_str("the run was told to stop"),
            Self::ForeignCandidate(gids) => {
                let gids: Vec<String> = gids.iter().map(ToString::to_string).collect();
                let gids = gids.join(", ");
                write!(
                    f,
                    "the candidate with its login value is only in gid {gids}: is that yours? enter it in groups"
                )
            }
            Self::GroupsNotTold => f.write_str("the service did not say which groups the candidate is in"),
            Self::TooNewToBeGone => f.write_str(
                "the candidate was linked minutes ago and is not shown yet: the next run looks it up again",
            ),
            Self::AddNotShown { again_at_ms } => {
                f.write_str(
                    "the student was sent to the exam side, and neither an answer nor a look-up has shown a candidate yet: \
                     every run looks again, and ",
                )?;
                match jiff::Timestamp::from_millisecond(*again_at_ms) {
                    Ok(again) => write!(f, "from {again:.0} on the student is added once more"),
                    Err(_) => f.write_str("later the student is added once more"),
                }
            }
            Self::Contradicted => {
                f.write_str("the service calls the candidate gone and shows it all the same: it is left alone")
            }
            Self::AnotherLogin => f.write_str(
                "the candidate's sid shows another login value: see on the exam side whose candidate it is",
            ),
            Self::EnteredAnew { student, gone, found } => write!(
                f,
                "the candidate of student {student}, who has left (sid {gone}), is gone, and sid {found} has its login value, \
                 which no run deletes: if that is the same person, delete it on the exam side, or {IGNORE} leaves it there; \
                 if {student} is on the roster under another id, rosterd relink {typed} NEW, where NEW is that id",
                typed = shell_words(&[student.as_str()])
            ),
            Self::GroupRow(code) => write!(
                f,
                "the row of group {code} in groups cannot be used: until it is mended its students keep the groups they hold"
            ),
            Self::GroupAsked(gid) => write!(
                f,
                "gid {gid} is new on the roster for a group that had another, and is asked about: who is to be put there waits"
            ),
            Self::ClocksDiffer => f.write_str(
                "our clock and the service's are more than 10 minutes apart: nobody is dismissed until they agree; rosterd \
                 check says by how much, timedatectl set-ntp true sets this machine's clock",
            ),
        }
    }
}
