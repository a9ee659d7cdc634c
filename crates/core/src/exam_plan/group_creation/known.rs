//! What is remembered of groups: gids from elsewhere than the roster, and how earlier creations ended.

use crate::roster::Gid;

/// Where a gid is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupOrigin {
    /// The roster named it.
    Roster,
    /// We created the group.
    Created,
    /// The group was there already, with the title and with students of ours in it.
    Adopted,
}

impl GroupOrigin {
    /// The word in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Roster => "roster",
            Self::Created => "created",
            Self::Adopted => "adopted",
        }
    }

    /// Reads [`GroupOrigin::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Roster, Self::Created, Self::Adopted].into_iter().find(|origin| origin.as_str() == word)
    }
}

/// The gid of a group of the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownGroup {
    /// Its gid.
    pub gid: Gid,
    /// Where that is known from.
    pub origin: GroupOrigin,
}

impl KnownGroup {
    /// The gid, where the roster does not need to name it. A gid that the roster named once counts as long as it does.
    #[must_use]
    pub fn own_gid(self) -> Option<Gid> {
        match self.origin {
            GroupOrigin::Created | GroupOrigin::Adopted => Some(self.gid),
            GroupOrigin::Roster => None,
        }
    }
}

/// How the creation of a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreationOutcome {
    /// Nobody can say: the call was sent and its answer never came, or never was written down.
    Unknown,
    /// It was not created.
    Refused {
        /// How often that happened.
        attempts: u32,
        /// When it is tried again, in milliseconds since 1970 UTC; `None`: not before a person has looked.
        due_at_ms: Option<i64>,
    },
    /// There is such a group.
    Done(KnownGroup),
}

impl CreationOutcome {
    /// How often it was refused.
    #[must_use]
    pub fn refusals(self) -> u32 {
        match self {
            Self::Refused { attempts, .. } => attempts,
            Self::Unknown | Self::Done(_) => 0,
        }
    }

    /// Whether nothing is sent before a person has looked, or before a later moment than this.
    #[must_use]
    pub fn waits(self, now_ms: i64) -> bool {
        match self {
            Self::Unknown => true,
            Self::Refused { attempts: _, due_at_ms } => due_at_ms.is_none_or(|due_at_ms| due_at_ms > now_ms),
            Self::Done(_) => false,
        }
    }

    /// What is left for a person to do, or for time; nothing where there is such a group.
    #[must_use]
    pub fn left_undone(self) -> Option<String> {
        match self {
            Self::Unknown => Some(
                "has no gid: it was to be created and no answer came, so it may be there. Look for its title on the \
                 exam side, create it there if it is missing, and enter its gid"
                    .to_owned(),
            ),
            Self::Refused { attempts, due_at_ms } => {
                let next = if due_at_ms.is_some() { "it is tried again later" } else { "enter its gid" };
                Some(format!("has no gid, and creating it was refused {attempts} times: {next}"))
            }
            Self::Done(_) => None,
        }
    }
}
