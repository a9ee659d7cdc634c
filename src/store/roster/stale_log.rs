//! What stands beside a database and belongs to an earlier one of its name: a log or a journal that was left when its program
//! was killed, and that stayed when another file took the database's place.
//!
//! SQLite knows a log by its name alone. It plays it over whatever file has that name now, also over one that is in no WAL
//! mode, and its checksums prove only that the log is whole. Pages of two databases are read as one then.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::descriptor::Descriptor;
use super::error::RosterError;
use crate::files::{self, beside};

/// A log that is not longer than its header has nothing to play.
// Contract: SQLite, "Database File Format", 4.1: the header of a log has 32 bytes.
const LOG_HEADER_BYTES: u64 = 32;

/// The first bytes of a journal that SQLite would play back.
// Contract: SQLite, "Database File Format", 3: "The Rollback Journal".
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// What a rename stamps, the file and its folder, it stamps at one moment: within a few ticks of the system's clock.
const ONE_MOMENT_NS: i128 = 20_000_000;

/// A log or a journal that is surely not its database's own.
#[derive(Clone, Debug)]
pub(in crate::store) struct StaleLog {
    side: PathBuf,
    why: &'static str,
}

impl StaleLog {
    /// The log or the journal.
    pub(in crate::store) fn side(&self) -> &Path {
        &self.side
    }

    /// By what it is told.
    pub(in crate::store) fn why(&self) -> &'static str {
        self.why
    }
}

impl fmt::Display for StaleLog {
    /// What stands there, and what to do, of a roster.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (side, why) = (self.side.display(), self.why);
        write!(
            f,
            "beside it stands {side}, left by a program that was ended while it wrote an earlier roster of this name ({why}): \
             read together they would be a mixture of two rosters, so nothing was read. For whoever exports the roster: if the \
             roster's file is whole as it is, remove {side} (and the file in -shm) while no program has the roster open; \
             if the two do belong together, open the roster once with the program that writes it, and close it"
        )
    }
}

/// Refuses a roster beside which something stands that SQLite would play over it, and that is surely not its own.
///
/// # Errors
/// [`RosterError::Passing`]: says what stands there, why it is not the roster's, and what to do.
pub(super) fn refuse(path: &Path, resolved: &Path, descriptor: &Descriptor) -> Result<(), RosterError> {
    find(resolved, Some(descriptor))
        .map_or(Ok(()), |stale| Err(RosterError::Passing { path: path.to_owned(), what: stale.to_string() }))
}

/// What stands beside the database at this path, links resolved, and is surely not its own. `descriptor` tells whether the
/// database is in WAL mode; without it that is not looked at.
pub(in crate::store) fn find(resolved: &Path, descriptor: Option<&Descriptor>) -> Option<StaleLog> {
    let database = std::fs::metadata(resolved).ok()?;
    // Over an empty database nothing is played: SQLite removes the log.
    if database.len() == 0 {
        return None;
    }
    let stale = |side: PathBuf, why| StaleLog { side, why };
    let log = beside(resolved, "-wal");
    if has_something(&log) {
        // The header says WAL before the first log is there, and a log is gone before it says otherwise.
        if descriptor.is_some_and(|it| !it.is_wal().unwrap_or(true)) && has_something(&log) {
            return Some(stale(log, "the database is in no WAL mode"));
        }
        if let Some(why) = why_not_its_own(resolved, &log) {
            return Some(stale(log, why));
        }
    }
    let journal = beside(resolved, "-journal");
    let why = can_be_played_back(&journal).then(|| why_not_its_own(resolved, &journal))??;
    Some(stale(journal, why))
}

fn why_not_its_own(database: &Path, side: &Path) -> Option<&'static str> {
    let moments = |path: &Path| std::fs::metadata(path).ok().map(|file| Moments::of(&file));
    let folder = std::fs::metadata(files::folder_of(database)).ok().map(|folder| Moments::of(&folder));
    let why = judge(moments(database)?, moments(side)?, folder.map(|folder| folder.written))?;
    // It may have gone meanwhile.
    side.exists().then_some(why)
}

/// What a file system remembers of a file, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Moments {
    /// When it was made; not every file system knows.
    born: Option<i128>,
    /// When its contents were last written; of a folder, when a name in it last came or went.
    written: i128,
    /// When anything about it last changed: contents, name, owner, mode.
    changed: i128,
}

impl Moments {
    fn of(file: &Metadata) -> Self {
        let born = file.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        let at = |seconds: i64, part: i64| i128::from(seconds) * 1_000_000_000 + i128::from(part);
        Self {
            born: born.and_then(|born| i128::try_from(born.as_nanos()).ok()),
            written: at(file.mtime(), file.mtime_nsec()),
            changed: at(file.ctime(), file.ctime_nsec()),
        }
    }
}

/// Why this log or journal is not the database's own, where the moments prove it. `folder_changed`: when a name in their folder
/// last came or went.
fn judge(database: Moments, side: Moments, folder_changed: Option<i128>) -> Option<&'static str> {
    let births = database.born.zip(side.born);
    // It is begun by a program that has the database open: one that was there before the database's file is of another file.
    if births.is_some_and(|(database, side)| side < database) {
        return Some("the database was put there after it was begun");
    }
    // A file that was made earlier, and came here after the program had ended: nobody has written to it since, and nobody to
    // the log.
    let was_stamped = database.written < database.changed;
    let is_log_older = side.written.max(side.changed) < database.changed;
    // A new owner or mode stamps the file in the same way, and stamps no folder; what stamped the folder may be the log, made
    // at that moment.
    let is_moment = |at: i128, other: i128| (at - other).abs() <= ONE_MOMENT_NS;
    let came_here = folder_changed.is_some_and(|at| {
        is_moment(at, database.changed) && !side.born.is_some_and(|born| is_moment(at, born))
    });
    let is_stale = was_stamped && is_log_older && (came_here || births.is_none());
    is_stale.then_some("the database was put there, or given other rights, after it was last written")
}

fn has_something(log: &Path) -> bool {
    std::fs::metadata(log).is_ok_and(|file| file.len() > LOG_HEADER_BYTES)
}

fn can_be_played_back(journal: &Path) -> bool {
    let mut begin = [0; JOURNAL_MAGIC.len()];
    File::open(journal).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == JOURNAL_MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds.
    fn moments(born: Option<i128>, written: i128, changed: i128) -> Moments {
        let ns = |seconds: i128| seconds * 1_000_000_000;
        Moments { born: born.map(ns), written: ns(written), changed: ns(changed) }
    }

    #[test]
    fn a_mode_that_is_set_right_after_the_log_was_begun_makes_it_no_other_ones() {
        let database = Moments { born: Some(1_000), written: 1_000, changed: 5_000_000 };
        let side = Moments { born: Some(4_000_000), written: 4_000_000, changed: 4_000_000 };
        assert_eq!(judge(database, side, Some(4_000_000)), None);
    }

    #[test]
    fn a_log_is_anothers_where_the_database_came_after_it_and_nobody_has_written_since() {
        let log = |born| moments(born, 50, 50);
        for (row, database, side, folder_at, is_stale) in [
            ("made after the log was begun", moments(Some(60), 60, 60), log(Some(40)), 60, true),
            ("its owner wrote both", moments(Some(10), 45, 45), log(Some(40)), 40, false),
            ("its owner took the log over into it", moments(Some(10), 55, 55), log(Some(40)), 40, false),
            ("made earlier, put there later", moments(Some(10), 10, 60), log(Some(40)), 60, true),
            (
                "put there before the log was last written",
                moments(Some(10), 10, 45),
                log(Some(40)),
                45,
                false,
            ),
            ("written since it was put there", moments(Some(10), 61, 61), log(Some(40)), 60, false),
            ("another mode", moments(Some(10), 10, 60), log(Some(40)), 40, false),
            ("put there, without births", moments(None, 10, 60), log(None), 60, true),
            ("another mode, without births", moments(None, 10, 60), log(None), 40, true),
            ("its owner at work, without births", moments(None, 45, 45), log(None), 40, false),
        ] {
            let judged = judge(database, side, Some(folder_at * 1_000_000_000));
            assert_eq!(judged.is_some(), is_stale, "{row}: {judged:?}");
        }
    }
}
