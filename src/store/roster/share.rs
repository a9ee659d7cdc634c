//! A roster on a network share: read in place, and believed only where nobody wrote to it meanwhile.
//!
//! SQLite relies on locks. On a share those of a program on another machine are often not seen, so a reading may be of
//! two moments, or look like damage or like a write that broke off.

use std::path::{Path, PathBuf};

use super::error::RosterError;
use crate::files::{self, Written, beside};

/// The files of a database that are written to.
const SIDES: [&str; 2] = ["", "-journal"];

/// A roster on a share, as it stood before a reading.
#[derive(Debug)]
pub(super) struct OnShare {
    /// With links resolved.
    path: PathBuf,
    share: &'static str,
    before: [Option<Written>; 2],
}

impl OnShare {
    /// `None` where the roster lies on this machine, whose locks can be relied on.
    pub(super) fn before_reading(path: &Path) -> Option<Self> {
        let share = files::network_share(path)?;
        let path = files::resolved(path);
        Some(Self { share, before: SIDES.map(|side| Written::of(&beside(&path, side))), path })
    }

    /// Whether what was read since is one moment of the roster.
    ///
    /// # Errors
    /// [`RosterError::Passing`] where somebody wrote to it meanwhile.
    pub(super) fn believe(&self, roster: &Path) -> Result<(), RosterError> {
        let Self { path, share, before } = self;
        if SIDES.map(|side| Written::of(&beside(path, side))) == *before {
            return Ok(());
        }
        let what = format!("was written to while it was read. {}", cure(share));
        Err(RosterError::Passing { path: roster.to_owned(), what })
    }
}

/// What a reading means that looks like damage, or like a write that broke off: on a share both are seen while the roster's
/// own program is at work. `None` where it lies on this machine.
pub(super) fn at_work(roster: &Path, seen: &str) -> Option<RosterError> {
    let share = files::network_share(roster)?;
    let what = format!("{seen}, or its own program is just writing it. {}", cure(share));
    Some(RosterError::Passing { path: roster.to_owned(), what })
}

fn cure(share: &str) -> String {
    format!(
        "It lies on a network share ({share}), where the locks of that program need not be seen here: it will be tried \
         again. Where it stays like this, let that program close the roster when it is done, or let it write a copy to a \
         local disk under another name, rename that and enter it as roster.database"
    )
}
