//! How students and candidates without a link match, where a school meets an account.

use crate::counted::counted;
use std::fmt;

/// Fewer students or candidates than this say nothing.
pub(super) const LEAST: u64 = 10;

/// What is known of students without a link and candidates without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstContact {
    /// Students without a link.
    pub students: u64,
    /// Links.
    pub links: u64,
    /// Listed candidates without a link.
    pub candidates: u64,
    /// Students without a link who match one of these.
    pub matches: u64,
    /// What most login values of these candidates look like.
    pub theirs: Option<String>,
    /// What most login values of these students look like.
    pub ours: Option<String>,
    /// Who came lately.
    pub recent: RecentContacts,
}

impl FirstContact {
    /// Whether the two sides look like different schools, or like login values that are written otherwise.
    #[must_use]
    pub fn is_strange(&self) -> bool {
        let Self { students, links, candidates, matches, theirs: _, ours: _, recent: _ } = self;
        let (students, candidates) = (*students, *candidates);
        students > *links
            && students >= LEAST
            && candidates >= LEAST
            && candidates.saturating_mul(10) >= students
            && matches.saturating_mul(2) < students.min(candidates)
    }
}

/// Students who came to candidates within the time that limits look back on, those left out whom a person let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentContacts {
    /// Who were entered.
    pub entered: u64,
    /// Who took candidates over that were there.
    pub taken_over: u64,
}

impl FirstContact {
    /// As it was before these came: an account that is met in slices is none the better known for the first of them.
    pub(super) fn looking_back(&self) -> Self {
        let RecentContacts { entered, taken_over } = self.recent;
        let before = self.before(entered.saturating_add(taken_over));
        Self {
            candidates: self.candidates.saturating_add(taken_over),
            matches: self.matches.saturating_add(taken_over),
            ..before
        }
    }

    /// As it was before so many of these students were entered.
    pub(super) fn before(&self, entered: u64) -> Self {
        Self {
            students: self.students.saturating_add(entered),
            links: self.links.saturating_sub(entered),
            ..self.clone()
        }
    }
}

impl fmt::Display for FirstContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { students, links: _, candidates, matches, theirs, ours, recent: _ } = self;
        let verb = if *matches == 1 { "matches" } else { "match" };
        write!(f, "{matches} of {students} {verb} one of {}", counted(*candidates, "candidate"))?;
        match (theirs, ours) {
            (Some(theirs), Some(ours)) => write!(f, ": values there look like {theirs}, yours like {ours}")?,
            (Some(theirs), None) => write!(f, ": values there look like {theirs}")?,
            (None, Some(ours)) => write!(f, ": yours look like {ours}")?,
            (None, None) => {}
        }
        f.write_str(": check exam.login_field and exam.code")
    }
}
