//! Reasons why an operation does not go ahead, in words that say what to do about it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

pub use super::cannot_reason::CannotReason;
pub use super::excess::Excess;
pub use super::skip_reason::SkipReason;

use super::fingerprint::Digest;
use super::first_contact::FirstContact;
use super::held_mass::{HeldMass, MassLimit};
use super::hold::{IGNORE, NAMED, with_student};
use super::hold_word::{HoldWord, NamedHold};
use super::person_doubt::PersonDoubt;
use super::renumbered::Renumbered;
use crate::counted::{counted, grouped};
use crate::roster::{Gid, Sid, StudentId, shell_option};

/// What to type first where leavers are probably on the roster under other ids. Approving them would cut them off from
/// their exam results.
pub const RELINK_SUGGESTED: &str = "rosterd relink --suggested";

/// How the sentence begins about a leaver whom rows still name: who silences it says that they have left.
pub const STILL_NAMED: &str = "member rows still name the student";

/// The reason to hold an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// More deletes than the limit.
    TooManyDeletes(Excess),
    /// More modifies than the limit.
    TooManyModifies(Excess),
    /// More changed login values than a mapping mistake would leave unnoticed.
    TooManyLoginChanges(Excess),
    /// More vanished candidates than a few deletions by hand explain.
    TooManyVanished(Excess),
    /// A group would lose its last member.
    GroupToZero(Gid),
    /// More groups to create than a roster gains at once.
    TooManyGroups {
        /// In this plan.
        count: u64,
        /// Groups of the roster.
        total: u64,
        /// The limit.
        limit: u64,
    },
    /// More students taken out of groups than the limit.
    TooManyMoves(Excess),
    /// More people would leave one group than the limit.
    GroupShrinks(Gid, Excess),
    /// The roster gives a group another gid, and more people would be put there than may leave one group.
    GroupReplaced {
        /// The gid that it had.
        was: Gid,
        /// The gid that it has now.
        now: Gid,
        /// The figures.
        excess: Excess,
    },
    /// More candidates would be overwritten when they are taken over than the limit.
    TooManyOverwrites(Excess),
    /// More leavers went missing within 24 hours than the limit.
    TooManyMissing(Excess),
    /// The same, where so many of them are probably on the roster under another id.
    TooManyMissingPaired {
        /// The figures.
        excess: Excess,
        /// How many.
        paired: u64,
    },
    /// Hardly a student without a link matches a candidate without one.
    FirstContact(Arc<FirstContact>),
    /// Newcomers have the values of a mass of leavers: their ids were probably changed.
    Renumbered(Arc<Renumbered>),
    /// A candidate would be taken over of which nothing but the login value is the student's.
    NothingAgrees {
        /// Whose login value the candidate has.
        student: StudentId,
        /// Which candidate.
        sid: Sid,
        /// The values that could be compared.
        compared: u32,
        /// Whether the login value is one that an add without an answer sent, and the roster has another by now.
        is_of_open_add: bool,
    },
    /// A person said to leave the candidate with the student's login value alone, and something has changed since.
    LeftBefore {
        /// Whose login value the candidate has.
        student: StudentId,
        /// Which candidate.
        sid: Sid,
    },
    /// The student has no row, and member rows still name them.
    StillNamed,
    /// The student has been missing since rows have had no readable id: one of those may be theirs.
    UnreadableIds,
    /// So many rows of `group_members` name nobody, and may name the student in a group that they would leave.
    RowsOfNobody(u64),
    /// The student's id differs from another one only in blanks or characters that nobody can see.
    TwinOf(Sid),
    /// It may be one person where it looks like two, or the other way round.
    SamePerson(PersonDoubt),
    /// The leaver is also in these groups, which never stood on the roster.
    ForeignGroup(BTreeSet<Gid>),
    /// Part of what a limit held before, about which nobody has decided, though what is left would be within it.
    StillHeld {
        /// What held it then.
        reason: Box<HoldReason>,
        /// How many of them there still are.
        left: u64,
    },
}

/// What holds an operation: a limit, or a doubt about single people.
enum HoldKind {
    /// Its word for programs.
    Limit(&'static str),
    People(NamedHold),
}

impl HoldReason {
    /// Too much by one of the limits that count people.
    pub(super) fn of_mass(limit: MassLimit, excess: Excess) -> Option<Self> {
        Some(match limit {
            MassLimit::Deletes => Self::TooManyDeletes(excess),
            MassLimit::Missing => Self::TooManyMissing(excess),
            MassLimit::Modifies => Self::TooManyModifies(excess),
            MassLimit::LoginChanges => Self::TooManyLoginChanges(excess),
            MassLimit::Vanished => Self::TooManyVanished(excess),
            MassLimit::Moves => Self::TooManyMoves(excess),
            MassLimit::Group(gid) => Self::GroupShrinks(gid, excess),
            MassLimit::Overwrites => Self::TooManyOverwrites(excess),
            MassLimit::Class | MassLimit::FirstContact | MassLimit::NewGroups | MassLimit::Renumbered => {
                return None;
            }
        })
    }

    /// By which limit that counts people it is too much, and the figures.
    fn excess(&self) -> Option<(MassLimit, &Excess)> {
        Some(match self {
            Self::TooManyDeletes(excess) => (MassLimit::Deletes, excess),
            Self::TooManyMissing(excess) | Self::TooManyMissingPaired { excess, paired: _ } => {
                (MassLimit::Missing, excess)
            }
            Self::TooManyModifies(excess) => (MassLimit::Modifies, excess),
            Self::TooManyLoginChanges(excess) => (MassLimit::LoginChanges, excess),
            Self::TooManyVanished(excess) => (MassLimit::Vanished, excess),
            Self::TooManyMoves(excess) => (MassLimit::Moves, excess),
            Self::GroupShrinks(gid, excess) | Self::GroupReplaced { was: gid, now: _, excess } => {
                (MassLimit::Group(*gid), excess)
            }
            Self::TooManyOverwrites(excess) => (MassLimit::Overwrites, excess),
            Self::StillHeld { reason, left: _ } => return reason.excess(),
            Self::GroupToZero(_)
            | Self::TooManyGroups { .. }
            | Self::FirstContact(_)
            | Self::Renumbered(_)
            | Self::NothingAgrees { .. }
            | Self::LeftBefore { .. }
            | Self::StillNamed
            | Self::UnreadableIds
            | Self::RowsOfNobody(_)
            | Self::TwinOf(_)
            | Self::SamePerson(_)
            | Self::ForeignGroup(_) => return None,
        })
    }

    /// The mass that this holds, where it is one of people. Those who are too many only with the ones of the last 24 hours are
    /// none: they go ahead when that day is over.
    pub(super) fn mass(&self) -> Option<HeldMass> {
        match self {
            Self::FirstContact(contact) => {
                let (total, size) = (contact.students, contact.students);
                return Some(HeldMass { limit: MassLimit::FirstContact, total, size });
            }
            Self::Renumbered(renumbered) => {
                let (total, size) = (renumbered.newcomers, renumbered.agree);
                return Some(HeldMass { limit: MassLimit::Renumbered, total, size });
            }
            Self::StillHeld { reason, left: _ } => return reason.mass(),
            Self::TooManyGroups { count, total, limit: _ } => {
                return Some(HeldMass { limit: MassLimit::NewGroups, total: *total, size: *count });
            }
            Self::TooManyDeletes(_)
            | Self::TooManyModifies(_)
            | Self::TooManyLoginChanges(_)
            | Self::TooManyVanished(_)
            | Self::GroupToZero(_)
            | Self::TooManyMoves(_)
            | Self::GroupShrinks(..)
            | Self::GroupReplaced { .. }
            | Self::TooManyOverwrites(_)
            | Self::TooManyMissing(_)
            | Self::TooManyMissingPaired { .. }
            | Self::NothingAgrees { .. }
            | Self::LeftBefore { .. }
            | Self::StillNamed
            | Self::UnreadableIds
            | Self::RowsOfNobody(_)
            | Self::TwinOf(_)
            | Self::SamePerson(_)
            | Self::ForeignGroup(_) => {}
        }
        let (limit, excess) = self.excess()?;
        (excess.count > excess.limit).then_some(HeldMass { limit, total: excess.total, size: excess.count })
    }

    /// The two kinds, told apart in this one place.
    fn kind(&self) -> HoldKind {
        match self {
            Self::TooManyDeletes(_) => HoldKind::Limit(MassLimit::Deletes.code()),
            Self::TooManyModifies(_) => HoldKind::Limit(MassLimit::Modifies.code()),
            Self::TooManyLoginChanges(_) => HoldKind::Limit(MassLimit::LoginChanges.code()),
            Self::TooManyVanished(_) => HoldKind::Limit(MassLimit::Vanished.code()),
            Self::GroupToZero(_) => HoldKind::Limit("group-to-zero"),
            Self::TooManyGroups { .. } => HoldKind::Limit(MassLimit::NewGroups.code()),
            Self::TooManyMoves(_) => HoldKind::Limit(MassLimit::Moves.code()),
            Self::GroupShrinks(gid, _) | Self::GroupReplaced { was: gid, now: _, excess: _ } => {
                HoldKind::Limit(MassLimit::Group(*gid).code())
            }
            Self::TooManyOverwrites(_) => HoldKind::Limit(MassLimit::Overwrites.code()),
            Self::TooManyMissing(_) | Self::TooManyMissingPaired { .. } => {
                HoldKind::Limit(MassLimit::Missing.code())
            }
            Self::FirstContact(_) => HoldKind::Limit(MassLimit::FirstContact.code()),
            Self::Renumbered(_) => HoldKind::Limit(MassLimit::Renumbered.code()),
            Self::StillHeld { reason, left: _ } => reason.kind(),
            Self::NothingAgrees { sid, student: _, compared: _, is_of_open_add: _ } => {
                people(HoldWord::Adoption, |about| about.text("nothing agrees").number(sid.0))
            }
            Self::LeftBefore { sid, student: _ } => {
                people(HoldWord::Adoption, |about| about.text("left before").number(sid.0))
            }
            Self::StillNamed => people(HoldWord::UnreadableIds, |about| about.text("still named")),
            Self::UnreadableIds => people(HoldWord::UnreadableIds, |about| about.text("unreadable ids")),
            Self::RowsOfNobody(_) => people(HoldWord::UnreadableIds, |about| about.text("rows of nobody")),
            Self::TwinOf(sid) => people(HoldWord::UnreadableIds, |about| about.text("twin").number(sid.0)),
            Self::SamePerson(doubt) => people(HoldWord::SamePerson, |about| doubt.take_into(about)),
            Self::ForeignGroup(gids) => people(HoldWord::ForeignGroup, |about| {
                gids.iter().fold(about.text("foreign group"), |about, gid| about.number(gid.0))
            }),
        }
    }

    /// The sentence about this student, with what to type for them.
    #[must_use]
    pub fn about(&self, student: &StudentId) -> String {
        with_student(&self.to_string(), student)
    }

    /// Whether it is a limit: too much at once, and no doubt about single people.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        matches!(self.kind(), HoldKind::Limit(_))
    }

    /// A word for programs that never changes its meaning: of a limit the setting where there is one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind() {
            HoldKind::Limit(code) => code,
            HoldKind::People(hold) => hold.word.as_str(),
        }
    }

    /// How many there are of what is limited, and the limit, where it is one of numbers.
    #[must_use]
    pub fn figures(&self) -> Option<(u64, u64)> {
        if let Self::TooManyGroups { count, limit, .. } = self {
            return Some((*count, *limit));
        }
        if let Self::StillHeld { reason, left: _ } = self {
            return reason.figures();
        }
        let (_, excess) = self.excess()?;
        Some((excess.count.saturating_add(excess.recent), excess.limit))
    }

    /// The word of a hold about single people; `None` for a limit.
    #[must_use]
    pub fn word(&self) -> Option<HoldWord> {
        self.named().map(|hold| hold.word)
    }

    /// A hold about single people with what it names; `None` for a limit. Another student, group, sid or variant is
    /// another hold, which a person has to be asked about anew.
    #[must_use]
    pub fn named(&self) -> Option<NamedHold> {
        match self.kind() {
            HoldKind::Limit(_) => None,
            HoldKind::People(hold) => Some(hold),
        }
    }
}

/// A hold about single people. What it is about are ids, gids and sids alone, which every report names.
fn people(word: HoldWord, about: impl FnOnce(&mut Digest) -> &mut Digest) -> HoldKind {
    let about = about(&mut Digest::open("about")).finish();
    HoldKind::People(NamedHold { word, about })
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyDeletes(it) => {
                write!(f, "{} of {}{}", counted(it.count, "leaver"), managed(it.total), it.before())?;
                write!(f, ": more than the limit of {} (guard.max_delete)", it.limit)
            }
            Self::TooManyMissing(it) => {
                write!(f, "{} of {}: more than the limit", counted(it.count, "leaver"), managed(it.total))?;
                write!(
                    f,
                    " of {} (guard.max_delete); they went missing within 24 hours of one another",
                    it.limit
                )?;
                f.write_str(": is the export broken?")
            }
            Self::TooManyMissingPaired { excess: it, paired } => {
                let verb = if *paired == 1 { "is" } else { "are" };
                write!(f, "{paired} of {} {verb} probably on the roster", counted(it.count, "leaver"))?;
                f.write_str(" under another id: ")?;
                write!(f, "{RELINK_SUGGESTED} shows the pairs, and --yes carries them over. Else ")?;
                write!(f, "{} of {}: more than the limit", counted(it.count, "leaver"), managed(it.total))?;
                write!(
                    f,
                    " of {} (guard.max_delete); they went missing within 24 hours of one another",
                    it.limit
                )?;
                f.write_str(": is the export broken?")
            }
            Self::FirstContact(contact) => contact.fmt(f),
            Self::Renumbered(renumbered) => write!(
                f,
                "{renumbered}, and would be entered beside them: {RELINK_SUGGESTED} shows the pairs, and --yes carries them \
                 over; approve only if they are other people"
            ),
            Self::TooManyModifies(it) => {
                write!(f, "{} of {}{}", modifies(it.count), managed(it.total), it.before())?;
                write!(f, ": more than the limit of {} (guard.max_modify)", it.limit)
            }
            Self::TooManyLoginChanges(it) => {
                write!(
                    f,
                    "{} of {} would change{}",
                    counted(it.count, "login value"),
                    it.total,
                    it.before()
                )?;
                write!(f, ", more than {}: check the mapping in exam.fields", it.limit)
            }
            Self::TooManyVanished(it) => {
                let verb = if it.count == 1 { "exists" } else { "exist" };
                write!(f, "{} of {} no longer {verb}{}", it.count, managed(it.total), it.before())?;
                write!(f, ", more than {}: check exam.code", it.limit)
            }
            Self::TooManyGroups { count, total, limit } => write!(
                f,
                "{count} of the roster's {} would be created, more than {limit}: check groups.gid on the roster",
                counted(*total, "group")
            ),
            Self::NothingAgrees { student, sid, compared, is_of_open_add } => {
                let values = counted(u64::from(*compared), "other value");
                match is_of_open_add {
                    false => {
                        write!(f, "a candidate with the login value is there, and none of {values} agrees: ")?
                    }
                    true => write!(
                        f,
                        "the student was sent to the exam side with an earlier login value and no answer came; sid {sid} has \
                         it, and none of {values} agrees: "
                    )?,
                }
                write!(f, "rosterd approve DIGEST {}", shell_option("--student", student.as_str()))?;
                f.write_str(" if it is the student's")?;
                if *is_of_open_add {
                    write!(f, "; if not, {IGNORE}, and the student is added")?;
                }
                Ok(())
            }
            Self::LeftBefore { student, sid } => write!(
                f,
                "sid {sid} has the student's login value, a person said to leave it alone, and something has changed since: \
                 rosterd approve DIGEST {} if it is the student's; if not, {IGNORE}",
                shell_option("--student", student.as_str())
            ),
            Self::StillNamed => write!(
                f,
                "{STILL_NAMED}, whose row in students is gone: enter the row again; if they have left, set active = 0, \
                 rosterd approve DIGEST {NAMED}, or say so with {IGNORE}"
            ),
            Self::UnreadableIds => write!(
                f,
                "the student has been missing since students has rows without a readable student_id, and may be in one \
                 of them: mend those rows, or, if they have left, rosterd approve DIGEST {NAMED}"
            ),
            Self::RowsOfNobody(rows) => write!(
                f,
                "{} of group_members {} nobody, and the student may be meant: mend or remove what names nobody, or, if they \
                 leave the group, rosterd approve DIGEST {NAMED}",
                counted(*rows, "row"),
                if *rows == 1 { "names" } else { "name" }
            ),
            Self::TwinOf(sid) => write!(
                f,
                "an earlier version linked the candidate with sid {sid} under an id that differs from another one only in \
                 blanks or invisible characters: rosterd approve DIGEST {NAMED} lets it go, {IGNORE} keeps it"
            ),
            Self::GroupToZero(gid) => write!(f, "the group with gid {gid} would lose its last member"),
            Self::TooManyMoves(it) => {
                write!(
                    f,
                    "{} of {} would change groups{}",
                    it.count,
                    counted(it.total, "student"),
                    it.before()
                )?;
                write!(f, ": more than the limit of {} (guard.max_move)", it.limit)
            }
            Self::GroupShrinks(gid, it) => {
                write!(
                    f,
                    "the group with gid {gid} would lose {} of {}{}",
                    it.count,
                    counted(it.total, "member"),
                    it.before()
                )?;
                write!(f, ": more than the limit of {} (guard.max_group)", it.limit)
            }
            Self::GroupReplaced { was, now, excess: it } => {
                write!(
                    f,
                    "the roster gives a group gid {now} in the place of {was}, and would put {} of {} there{}",
                    it.count,
                    counted(it.total, "member"),
                    it.before()
                )?;
                write!(f, ": more than the limit of {} (guard.max_group). Is gid {now} right?", it.limit)
            }
            Self::TooManyOverwrites(it) => {
                write!(
                    f,
                    "{} of {} taken over would be overwritten{}",
                    it.count,
                    counted(it.total, "candidate"),
                    it.before()
                )?;
                write!(f, ": more than the limit of {} (guard.max_modify)", it.limit)
            }
            Self::StillHeld { reason, left } => {
                let verb = if *left == 1 { "is" } else { "are" };
                write!(f, "{reason} ({left} {verb} left of that, and nobody has decided about them)")
            }
            Self::SamePerson(doubt) => doubt.fmt(f),
            Self::ForeignGroup(gids) => write!(
                f,
                "has left, and is also in {}: rosterd approve DIGEST {NAMED} lets it happen, {IGNORE} keeps the candidate, exam.shared = true keeps all of them",
                never_on_the_roster(gids)
            ),
        }
    }
}

fn managed(total: u64) -> String {
    counted(total, "managed candidate")
}

fn modifies(count: u64) -> String {
    if count == 1 { "1 modify".to_owned() } else { format!("{} modifies", grouped(count)) }
}

/// Groups of others, as part of a sentence.
pub(super) fn never_on_the_roster(gids: &BTreeSet<Gid>) -> String {
    let named: Vec<String> = gids.iter().map(ToString::to_string).collect();
    format!("gid {}, which never stood on the roster", named.join(", gid "))
}
