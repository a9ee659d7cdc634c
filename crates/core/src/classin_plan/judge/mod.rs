//! Judges each student of a call: docs/contracts/classin.md, 5, steps 2 to 7.
//!
//! Each student sent gets exactly one verdict, for any answer. What the verdict means for our evidence is
//! decided in [`evidence_after`](super::evidence_after).

mod matching;
#[cfg(test)]
mod properties;
mod reading;
#[cfg(test)]
mod tests;

use super::answer::{CallAnswer, Token};
use super::codes::{Call, Code, Stop};
use reading::Reading;

/// The items of a call, in the order sent.
#[derive(Clone, Copy, Debug)]
pub enum Sent<'a> {
    /// Each item with a token of its own (adds).
    Tokens(&'a [Token]),
    /// A number of items without tokens (removals, and calls for one student).
    Positions(usize),
}

impl Sent<'_> {
    /// The number of items.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Tokens(tokens) => tokens.len(),
            Self::Positions(count) => *count,
        }
    }
}

/// How far a closure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// This class.
    Class,
    /// This course and all its classes.
    Course,
}

/// The verdict on one student. The codes are the service's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemVerdict {
    /// It is so now, by us.
    Done {
        /// 1, or 841.
        code: Code,
    },
    /// It was so before.
    Already {
        /// Such as 166 or 167.
        code: Code,
    },
    /// Fix the cause once and try again once.
    Repair {
        /// Such as 228.
        code: Code,
    },
    /// Nothing is settled, and the same call once more tells, after longer than ClassIn takes two calls for one.
    /// Only about accounts.
    Repeat {
        /// What it answered.
        code: Code,
    },
    /// Later.
    Retry {
        /// Such as 158.
        code: Code,
    },
    /// No room.
    Full {
        /// 157 or 130.
        code: Code,
    },
    /// Permanent for this student until the row changes; unknown codes too.
    Student {
        /// Such as 329.
        code: Code,
    },
    /// The class or course can take nothing more.
    Closed {
        /// How far it reaches.
        scope: Scope,
        /// Until the ids change on the roster; otherwise for this run.
        for_good: bool,
        /// Such as 145.
        code: Code,
    },
    /// ClassIn is left alone for the rest of this run.
    StopRun {
        /// Why.
        stop: Stop,
        /// Such as 102.
        code: Code,
    },
    /// Nothing is proven. The same call again settles it.
    Unknown,
    /// Nothing is proven, and only a call of its own will tell.
    SendSingly,
    /// The call was refused as a whole, for a bad value somewhere in it or because there is not room for so many, and
    /// changed nothing: send its halves.
    Halve {
        /// 100, 155, 157 or 130.
        code: Code,
    },
}

impl ItemVerdict {
    /// Whether the student is now where the call wanted them.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match self {
            Self::Done { .. } | Self::Already { .. } => true,
            Self::Repair { .. }
            | Self::Repeat { .. }
            | Self::Retry { .. }
            | Self::Full { .. }
            | Self::Student { .. }
            | Self::Closed { .. }
            | Self::StopRun { .. }
            | Self::Unknown
            | Self::SendSingly
            | Self::Halve { .. } => false,
        }
    }

    /// The service's code behind it; `None` where no code concerned this student.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match *self {
            Self::Done { code }
            | Self::Already { code }
            | Self::Repair { code }
            | Self::Repeat { code }
            | Self::Retry { code }
            | Self::Full { code }
            | Self::Student { code }
            | Self::Closed { code, .. }
            | Self::StopRun { code, .. }
            | Self::Halve { code } => Some(code),
            Self::Unknown | Self::SendSingly => None,
        }
    }
}

/// One student's verdict with the service's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedItem {
    /// The verdict.
    pub verdict: ItemVerdict,
    /// The text of the item, or of the whole answer where that decided; masked already.
    pub text: Option<String>,
}

/// A class or course that can take nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closure {
    /// How far it reaches.
    pub scope: Scope,
    /// Until the ids change on the roster; otherwise for this run.
    pub for_good: bool,
    /// Why.
    pub code: Code,
}

/// How a call is repeated in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// One student a call: the items with [`ItemVerdict::SendSingly`].
    Singly,
    /// In two halves, each halved again while it is refused: the items with [`ItemVerdict::Halve`].
    Halves,
}

/// Everything one answer proves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Judged {
    /// One for each student sent, in the order sent.
    pub items: Vec<JudgedItem>,
    /// The class or course can take nothing more.
    pub closed: Option<Closure>,
    /// ClassIn is left alone for the rest of this run, with the code.
    pub stop: Option<(Stop, Code)>,
    /// No more adds to this class in this run, with the code.
    pub full: Option<Code>,
    /// Send these items again in parts.
    pub split: Option<Split>,
    /// A code that may be one bad value's, for a student alone in the call. The same code for another student alone is
    /// a defect of ours: then stop ([`Stop::OurMistake`]).
    pub suspect: Option<Code>,
    /// The tokens came back in another order than they were sent in; worth a log line.
    pub order_differs: bool,
}

impl Judged {
    /// The verdicts alone.
    pub fn verdicts(&self) -> impl Iterator<Item = ItemVerdict> + '_ {
        self.items.iter().map(|item| item.verdict)
    }
}

/// Judges one answer. Never panics on any answer.
pub fn judge(call: Call, sent: Sent<'_>, answer: &CallAnswer) -> Judged {
    Reading::new(call, sent, answer).map_or_else(|| all_unknown(sent.count()), |reading| reading.judged())
}

fn all_unknown(count: usize) -> Judged {
    let item = JudgedItem { verdict: ItemVerdict::Unknown, text: None };
    Judged { items: vec![item; count], ..Judged::default() }
}
