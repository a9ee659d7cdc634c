//! Who is not simply as wanted, with what is needed to decide about them.

use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::groups::WantedGroups;
use crate::exam_plan::link::Link;
use crate::exam_plan::reason::CannotReason;
use crate::roster::{LoginValue, Sid, StudentId};

/// Somebody who is not simply as wanted.
#[derive(Debug)]
pub enum Difference {
    /// On the roster, without a link.
    Newcomer(Newcomer),
    /// On the roster, with a link.
    Linked(Box<LinkedStudent>),
    /// With a link, no longer on the roster.
    Leaver(Leaver),
    /// On the roster with a row that cannot be used.
    Unusable(Unusable),
}

impl Difference {
    /// Whose case it is.
    #[must_use]
    pub fn student(&self) -> &StudentId {
        match self {
            Self::Newcomer(newcomer) => &newcomer.wanted.id,
            Self::Linked(linked) => &linked.wanted.id,
            Self::Leaver(leaver) => &leaver.link.student,
            Self::Unusable(unusable) => &unusable.student,
        }
    }
}

/// What the roster wants for one student.
#[derive(Debug)]
pub struct Wanted {
    /// Who.
    pub id: StudentId,
    /// Under which login value.
    pub login: LoginValue,
    /// With which values.
    pub values: MappedValues,
    /// In which groups.
    pub groups: WantedGroups,
}

/// Values in the mapping's order; masked in debug output.
pub struct MappedValues(pub Vec<String>);

impl std::fmt::Debug for MappedValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} masked", self.0.len())
    }
}

/// A student without a link.
#[derive(Debug)]
pub struct Newcomer {
    /// What the roster wants.
    pub wanted: Wanted,
    /// The listed candidate with the student's login value, and how it differs.
    pub listed: Option<FieldDifference>,
    /// The candidate that was linked and turned out to be gone.
    pub replaces: Option<Sid>,
}

/// A student with a link whose candidate is not simply as wanted.
#[derive(Debug)]
pub struct LinkedStudent {
    /// What the roster wants.
    pub wanted: Wanted,
    /// What is remembered.
    pub link: Link,
    /// How the candidate listed under the link's login value differs; absent when none is listed there.
    pub own: Option<FieldDifference>,
    /// How the candidate listed under the wanted login value differs, where that is another one.
    pub target: Option<FieldDifference>,
    /// What is known of the candidate beforehand.
    pub prior: PriorKnowledge,
}

impl LinkedStudent {
    /// Whether the roster wants another login value than the one remembered.
    #[must_use]
    pub fn is_renamed(&self) -> bool {
        self.wanted.login != self.link.login
    }
}

/// A link whose student is gone.
#[derive(Debug)]
pub struct Leaver {
    /// What is remembered.
    pub link: Link,
    /// Whether a candidate is listed under the link's login value.
    pub listed: bool,
    /// What is known of the candidate beforehand.
    pub prior: PriorKnowledge,
}

/// A student whose row cannot be used.
#[derive(Debug)]
pub struct Unusable {
    /// Who.
    pub student: StudentId,
    /// Whether there is a link, which is kept as it is.
    pub linked: bool,
    /// Whether the link still counts the student as gone from the roster.
    pub returned: bool,
    /// What is wrong.
    pub reason: CannotReason,
}

/// What is known of a linked candidate before it is looked up for this plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PriorKnowledge {
    /// Nothing.
    #[default]
    None,
    /// The link's groups are as looked up in this run.
    Groups,
    /// The candidate no longer exists.
    Gone,
    /// Nothing, and another link claims the same listed candidate: one of the two is out of date.
    Contested,
}
