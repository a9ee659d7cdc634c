//! Why an operation does not go ahead: in a sentence, in a word for programs, and as a hold about single people.

use std::fmt;
use std::sync::Arc;

use super::{EnrolmentOperation, Evidence, SharedContact};
use crate::classin_plan::codes::Code;
use crate::counted::{counted, counted_len};
use crate::exam_plan::{Digest, Fingerprint, HoldReason, HoldWord, IGNORE, NAMED, NamedHold, with_student};
use crate::roster::{ClassTarget, ClassinUid, Mode, shell_words};

/// How an earlier failure holds an operation back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// It is tried again by itself, and not yet.
    NotDue,
    /// It waits for a person, or for its row to change.
    GivenUp,
    /// A person silenced it until its row changes.
    Ignored,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDue => "failed before, not due yet",
            Self::GivenUp => "failed for good: see rosterd failures",
            Self::Ignored => "ignored until its row changes",
        })
    }
}

/// Which setting leaves somebody in a class who is no longer wanted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftAsSet {
    /// `classin.removals` is `none`.
    NoRemovals(Evidence),
    /// `sync.mode` removes nobody, and the evidence would not allow it in another mode either.
    Mode(Mode, Evidence),
}

impl LeftAsSet {
    fn fmt_of(self, noun: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NoRemovals(evidence) | Self::Mode(_, evidence)) = self;
        let still = if evidence.is_settled() { "still in" } else { "perhaps still in" };
        write!(f, "{still} the {noun} (evidence: {}), and ", evidence.as_str())?;
        match self {
            Self::NoRemovals(_) => f.write_str("classin.removals = \"none\" takes nobody out")?,
            Self::Mode(mode, _) => write!(f, "the mode {} takes nobody out", mode.as_str())?,
        }
        write!(f, ": take them out in ClassIn, then end this with {IGNORE}")
    }
}

/// Who is in a class, is no longer wanted there and not ours to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftBehind {
    /// The student.
    Student,
    /// A student of the whole course who is wanted in a class of it: out of the course they are out of the class.
    PutsInClass,
    /// An account that was the student's, who is wanted there with another one.
    Account(ClassinUid),
    /// The student, in a class that lives and that rosterd cannot edit.
    InClassOfTheApp,
}

/// A limit that was exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// With the figures.
    pub sentence: String,
    /// How many there are of what is limited.
    pub count: u64,
    /// The limit itself.
    pub limit: u64,
    /// Of how many.
    pub total: u64,
}

/// The reason why an operation does not go ahead. Its text is a sentence without a full stop and without
/// personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The student has no uid.
    NoAccount,
    /// `[sync] mode` does not allow it.
    Mode(Mode),
    /// The class takes no changes, with the code that said so.
    Closed(Code),
    /// It would take the last member of ours out of the class.
    WouldEmpty {
        /// The number of removals that would empty it.
        removals: usize,
    },
    /// The student has left less than `delete_grace` ago, or fewer than two runs have seen it.
    Grace {
        /// When the grace ends, in milliseconds since 1970 UTC.
        until_ms: i64,
    },
    /// Too many would leave the class at once.
    Shrinks(OverLimit),
    /// Too many removals, or too many new names.
    TooMany(OverLimit),
    /// Too many left the roster within 24 hours, whether their grace has ended or not.
    Missing(OverLimit),
    /// The student has no row, and member rows still name them.
    StillNamed,
    /// The student has been missing since rows have had no readable id: one of those may be theirs.
    UnreadableIds,
    /// The student is on the roster, and the class has member rows that name nobody: one of them may be theirs.
    RowsOfNobody {
        /// How many.
        rows: u64,
    },
    /// No row names the class that the student is in, and rows of `classes` have ids that cannot be read or are gone:
    /// one of them may be its row.
    ClassRows {
        /// How many.
        rows: u64,
    },
    /// One contact or one account stands for too many students.
    SharedContact(Arc<SharedContact>),
    /// It is no longer wanted there, and the evidence does not let us take it out.
    NotOurs {
        /// How we know of it.
        evidence: Evidence,
        /// Who that is.
        whom: LeftBehind,
    },
    /// It is no longer wanted there, and the configuration takes nobody out, or not on this evidence.
    LeftAsSet(LeftAsSet),
    /// A member row of the student names no class: this one may be meant.
    MemberRow,
    /// An earlier failure holds it back.
    HeldBack(HeldBack),
    /// The class is full.
    NoRoom,
    /// It follows something else that is to happen first, in the words of that.
    Follows(&'static str),
    /// The reason of the ledger or the guard, in its own words.
    Other(String),
}

impl Reason {
    /// A word for programs that never changes its meaning; `None` for a limit, whose hold has one.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoAccount => Some("no-account"),
            Self::Mode(_) => Some("mode"),
            Self::Closed(_) => Some("class-closed"),
            Self::WouldEmpty { .. } => Some("class-to-zero"),
            Self::Grace { .. } => Some("grace"),
            Self::Shrinks(_) => Some("max-group"),
            Self::TooMany(_) => None,
            Self::Missing(_) => Some("missing"),
            Self::StillNamed
            | Self::UnreadableIds
            | Self::RowsOfNobody { .. }
            | Self::ClassRows { .. }
            | Self::SharedContact(_) => self.named().map(|named| named.word.as_str()),
            Self::NotOurs { .. } | Self::LeftAsSet(_) => Some("not-ours"),
            Self::MemberRow => Some("member-row"),
            Self::HeldBack(HeldBack::NotDue) => Some("not-due"),
            Self::HeldBack(HeldBack::GivenUp) => Some("dead-letter"),
            Self::HeldBack(HeldBack::Ignored) => Some("ignored"),
            Self::NoRoom => Some("class-full"),
            Self::Follows(_) => Some("follows"),
            Self::Other(_) => None,
        }
    }

    /// The same, said of one class or of one whole course.
    #[must_use]
    pub fn of(&self, target: ClassTarget) -> ReasonOf<'_> {
        ReasonOf { reason: self, noun: target.noun() }
    }

    /// Of a hold by a limit: how many there are of what is limited, and how many may be.
    #[must_use]
    pub fn figures(&self) -> Option<(u64, u64)> {
        if let Self::WouldEmpty { removals } = self {
            let count = u64::try_from(*removals).unwrap_or(u64::MAX);
            // One has to stay.
            return Some((count, count.saturating_sub(1)));
        }
        self.over_limit().map(|over| (over.count, over.limit))
    }

    /// The limit, of a hold by one that is a number.
    #[must_use]
    pub fn over_limit(&self) -> Option<&OverLimit> {
        if let Self::Shrinks(over) | Self::TooMany(over) | Self::Missing(over) = self {
            Some(over)
        } else {
            None
        }
    }

    /// Of a hold about single people: what an approval has to name, and what the hold is about. Another contact, or
    /// another kind of row, is another hold.
    #[must_use]
    pub fn named(&self) -> Option<NamedHold> {
        match self {
            Self::StillNamed => HoldReason::StillNamed.named(),
            Self::UnreadableIds => HoldReason::UnreadableIds.named(),
            Self::RowsOfNobody { rows } => HoldReason::RowsOfNobody(*rows).named(),
            Self::ClassRows { .. } => {
                let about = Digest::open("about").text("class rows").finish();
                Some(NamedHold { word: HoldWord::UnreadableIds, about })
            }
            Self::SharedContact(shared) => {
                Some(NamedHold { word: HoldWord::SharedContact, about: shared.about })
            }
            Self::NoAccount
            | Self::Mode(_)
            | Self::Closed(_)
            | Self::WouldEmpty { .. }
            | Self::Grace { .. }
            | Self::Shrinks(_)
            | Self::TooMany(_)
            | Self::Missing(_)
            | Self::NotOurs { .. }
            | Self::LeftAsSet(_)
            | Self::MemberRow
            | Self::HeldBack(_)
            | Self::NoRoom
            | Self::Follows(_)
            | Self::Other(_) => None,
        }
    }

    /// What is wanted of the hold, where it is one for several students together and not for one operation.
    #[must_use]
    pub fn shared(&self) -> Option<(&SharedContact, Fingerprint)> {
        match self {
            Self::SharedContact(shared) => Some((shared, shared.desired_hash())),
            Self::NoAccount
            | Self::Mode(_)
            | Self::Closed(_)
            | Self::WouldEmpty { .. }
            | Self::Grace { .. }
            | Self::Shrinks(_)
            | Self::TooMany(_)
            | Self::Missing(_)
            | Self::StillNamed
            | Self::UnreadableIds
            | Self::RowsOfNobody { .. }
            | Self::ClassRows { .. }
            | Self::NotOurs { .. }
            | Self::LeftAsSet(_)
            | Self::MemberRow
            | Self::HeldBack(_)
            | Self::NoRoom
            | Self::Follows(_)
            | Self::Other(_) => None,
        }
    }
}

/// Stands in a reason for the student and the class that a command is to name.
const CLAIMED: &str = "STUDENT_ID CLASS_CODE";

impl EnrolmentOperation {
    /// Why it does not go ahead, for a person: with the command to type, where there is one.
    #[must_use]
    pub fn reason_text(&self) -> Option<String> {
        let text = self.state.reason()?.of(self.target).to_string();
        let class = match (&self.class_code, self.target.class) {
            (Some(code), _) => code.as_str().to_owned(),
            (None, class) => format!("{}/{}", self.target.course, class.map_or(0, |class| class.0)),
        };
        let text = with_student(&text, &self.student);
        Some(text.replace(CLAIMED, &shell_words(&[self.student.as_str(), &class])))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_of("class", f)
    }
}

/// A reason as it is said of a class or of a whole course.
#[derive(Clone, Copy, Debug)]
pub struct ReasonOf<'a> {
    reason: &'a Reason,
    noun: &'static str,
}

impl fmt::Display for ReasonOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt_of(self.noun, f)
    }
}

impl Reason {
    fn fmt_of(&self, noun: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccount => {
                f.write_str("no ClassIn account: enter the student's classin_uid on the roster")
            }
            Self::Mode(mode) => write!(f, "the mode {} does not allow it", mode.as_str()),
            Self::Closed(code) => write!(
                f,
                "ClassIn takes no changes to this {noun} (code {code}) until its ids change on the roster"
            ),
            Self::WouldEmpty { removals } => write!(
                f,
                "a {} that would go to zero: {} would leave nobody of ours in it",
                if noun == "class" { "group or class" } else { noun },
                counted_len(*removals, "removal")
            ),
            Self::Grace { .. } => {
                f.write_str("the student has left only recently: delete_grace and two runs must pass first")
            }
            Self::StillNamed => fmt::Display::fmt(&HoldReason::StillNamed, f),
            Self::UnreadableIds => fmt::Display::fmt(&HoldReason::UnreadableIds, f),
            Self::RowsOfNobody { rows } => write!(
                f,
                "{} of class_members {} nobody, and the student may be meant: mend or remove what names nobody, or, if they \
                 left the {noun}, rosterd approve DIGEST {NAMED}; {IGNORE} leaves them in it, also when the row is gone",
                counted(*rows, "row"),
                if *rows == 1 { "names" } else { "name" }
            ),
            Self::ClassRows { rows } => write!(
                f,
                "{} of classes {} no ids that can be read, and this {noun} or the student may be meant: enter course_id and class_id \
                 again, or, if the student leaves the {noun}, rosterd approve DIGEST {NAMED}; {IGNORE} leaves them in it for good",
                counted(*rows, "row"),
                if *rows == 1 { "has" } else { "have" }
            ),
            Self::SharedContact(shared) => fmt::Display::fmt(shared, f),
            Self::NotOurs { evidence, whom: LeftBehind::Account(uid) } => write!(
                f,
                "account {uid}, which the roster gave to this student once, is in the {noun} and not ours to remove (evidence: \
                 {}). The student belongs there with another account: where this one is nobody else's, take it out in \
                 ClassIn. Then end this with {IGNORE}",
                evidence.as_str()
            ),
            Self::NotOurs { whom: LeftBehind::InClassOfTheApp, .. } => write!(
                f,
                "still in the {noun}, which was made in the ClassIn app, where rosterd cannot edit its students: take them out \
                 in ClassIn, then end this with {IGNORE}"
            ),
            Self::NotOurs { evidence, .. } if !evidence.is_settled() => write!(
                f,
                "perhaps still in the {noun}, as an answer was lost (evidence: {}): look there and take them out, then end \
                 this with {IGNORE}",
                evidence.as_str()
            ),
            Self::NotOurs { evidence, whom: LeftBehind::PutsInClass } => write!(
                f,
                "still in the whole course, which puts them in their class too, and not ours to remove (evidence: {}): let \
                 rosterd take them out of the course and add them to the class with `rosterd claim {CLAIMED}`",
                evidence.as_str()
            ),
            Self::NotOurs { evidence, whom: LeftBehind::Student } => write!(
                f,
                "still in the {noun} and not ours to remove (evidence: {}): take them out in ClassIn, or let rosterd do \
                 it with `rosterd claim {CLAIMED}`",
                evidence.as_str()
            ),
            Self::LeftAsSet(left) => left.fmt_of(noun, f),
            Self::MemberRow => write!(
                f,
                "still in the {noun}: a row of class_members that is this student's names a class that is not there or \
                 cannot be read, and this one may be meant. Mend or remove that row, and the student is taken out; \
                 {IGNORE} leaves them in the {noun}"
            ),
            Self::HeldBack(how) => fmt::Display::fmt(how, f),
            Self::NoRoom => write!(
                f,
                "the {noun} is full: rosterd asks again within the hour, or when the roster changes"
            ),
            Self::Follows(what) => f.write_str(what),
            Self::Shrinks(over) | Self::TooMany(over) | Self::Missing(over) => f.write_str(&over.sentence),
            Self::Other(text) => f.write_str(text),
        }
    }
}
