//! The kinds of difference between roster, listing and links.

use crate::exam_plan::compare::FieldDifference;
use crate::exam_plan::groups::WantedGroups;
use crate::exam_plan::link::Link;
use crate::exam_plan::reason::CannotReason;
use crate::roster::{LoginValue, Sid, StudentId};

/// One student or link that differs, with what is needed to decide about it.
#[derive(Debug, PartialEq)]
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
    /// The student it concerns.
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

/// The desired state of one student.
#[derive(Debug, PartialEq)]
pub struct Wanted {
    /// The student.
    pub id: StudentId,
    /// Under which login value.
    pub login: LoginValue,
    /// The values, in the mapping's order.
    pub values: MappedValues,
    /// The groups.
    pub groups: WantedGroups,
    /// Whether several listed candidates have the login value.
    pub is_ambiguous: bool,
}

/// Values in the mapping's order; masked in debug output.
#[derive(PartialEq)]
pub struct MappedValues(pub Vec<String>);

impl std::fmt::Debug for MappedValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} masked", self.0.len())
    }
}

/// A student without a link.
#[derive(Debug, PartialEq)]
pub struct Newcomer {
    /// The desired state.
    pub wanted: Wanted,
    /// The listed candidate with the student's login value, and how it differs.
    pub listed: Option<FieldDifference>,
    /// The candidate that was linked and turned out to be gone.
    pub replaces: Option<Sid>,
}

/// A linked student that differs from its candidate.
#[derive(Debug, PartialEq)]
pub struct LinkedStudent {
    /// The desired state.
    pub wanted: Wanted,
    /// The link.
    pub link: Link,
    /// How the candidate listed under the link's login value differs; absent when none is listed.
    pub own: Option<FieldDifference>,
    /// How the candidate listed under the desired login value differs, if that is another candidate.
    pub target: Option<FieldDifference>,
    /// Whether the service keeps the desired login value in the form that the link remembers.
    pub keeps_login: bool,
    /// Earlier findings about the candidate.
    pub prior: PriorKnowledge,
}

impl LinkedStudent {
    /// Whether the desired login value differs from the remembered one, which is not the service's form of it.
    #[must_use]
    pub fn is_renamed(&self) -> bool {
        self.wanted.login != self.link.login && !self.keeps_login
    }
}

/// A link whose student has left the roster.
#[derive(Debug, PartialEq)]
pub struct Leaver {
    /// The link.
    pub link: Link,
    /// Whether a candidate is listed under the link's login value.
    pub listed: bool,
    /// Earlier findings about the candidate.
    pub prior: PriorKnowledge,
    /// How the student left.
    pub absence: Absence,
}

/// How a student left the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The student's row says so.
    Marked,
    /// There is no row of the student's.
    Missing,
    /// There is none, while member rows still name the student.
    StillNamed,
}

/// A student whose row cannot be used.
#[derive(Debug, PartialEq)]
pub struct Unusable {
    /// The student.
    pub student: StudentId,
    /// The link, which is kept as it is.
    pub link: Option<Box<Link>>,
    /// Whether its candidate is listed under the link's login value.
    pub listed: bool,
    /// What this run already found out about that candidate.
    pub prior: PriorKnowledge,
    /// Whether the link still counts the student as gone from the roster.
    pub returned: bool,
    /// The login value that the row names all the same.
    pub login: Option<LoginValue>,
    /// The reason.
    pub reason: CannotReason,
}

impl Unusable {
    /// The link whose candidate is missing from the listing, where nothing of that is known of old.
    pub(in crate::exam_plan) fn missing(&self) -> Option<&Link> {
        let is_news = match self.prior {
            PriorKnowledge::None | PriorKnowledge::Groups | PriorKnowledge::Gone => true,
            PriorKnowledge::Contested | PriorKnowledge::OfAnother | PriorKnowledge::Unlisted => false,
        };
        self.link.as_deref().filter(|_| !self.listed && is_news)
    }
}

/// What this run already found out about a linked candidate before the plan's look-ups.
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
    /// The sid showed another login value, which is listed, in a look-up of this run or of an earlier one.
    OfAnother,
    /// Several runs found the candidate by its sid and not in the listing, and it is still not in it.
    Unlisted,
}
