//! Files that must be different ones: what our own database is written to can be nothing else.

use std::path::Path;

use crate::files::{FileIdentity, beside, resolved};

/// What SQLite and the lock put beside a database.
const BESIDE: [&str; 5] = ["", "-wal", "-shm", "-journal", ".lock"];

/// What else is ours beside the state database or the roster: the locks of the daemon and of watched folders, and what imports
/// remember.
const OURS_BESIDE: [&str; 6] =
    [".daemon.lock", ".intake.lock", ".imports", ".imports-journal", ".previous", ".previous.part"];

/// Whether this path is one of the files that rosterd keeps for this database, there already or not.
pub(super) fn belongs_to(database: &Path, path: &Path) -> bool {
    let resolved = resolved(database);
    BESIDE
        .iter()
        .chain(&OURS_BESIDE)
        .any(|ending| is_same(&beside(database, ending), path) || is_same(&beside(&resolved, ending), path))
}

/// Whether a write to this state database, or to what stands beside it, would hit the other file.
pub(super) fn collide(state: &Path, other: &Path) -> bool {
    let ours = BESIDE.iter().any(|ending| is_same(&beside(state, ending), other));
    ours || BESIDE.iter().any(|ending| is_same(state, &beside(other, ending)))
}

/// One file under both paths: symbolic and hard links count.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    resolved(one) == resolved(other)
        || FileIdentity::of(one).is_some_and(|id| FileIdentity::of(other) == Some(id))
}
