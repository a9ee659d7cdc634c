//! What stands beside a roster and belongs to an earlier one of its name: a log or a journal that was left when its program
//! was killed, and that stayed when another file took the roster's place.
//!
//! SQLite knows a log by its name alone. It plays it over whatever file has that name now, also over one that is in no WAL
//! mode, and its checksums prove only that the log is whole. Pages of two rosters are read as one then.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::descriptor::Descriptor;
use super::error::RosterError;
use crate::files::beside;

/// A log that is not longer than its header has nothing to play.
// Contract: SQLite, "Database File Format", 4.1: the header of a log has 32 bytes.
const LOG_HEADER_BYTES: u64 = 32;

/// The first bytes of a journal that SQLite would play back.
// Contract: SQLite, "Database File Format", 3: "The Rollback Journal".
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Refuses a roster beside which something stands that SQLite would play over it, and that is surely not its own.
///
/// # Errors
/// [`RosterError::Passing`]: says what stands there, why it is not the roster's, and what to do.
pub(super) fn refuse(path: &Path, resolved: &Path, descriptor: &Descriptor) -> Result<(), RosterError> {
    let log = beside(resolved, "-wal");
    if has_something(&log) {
        // The header says WAL before the first log is there, and a log is gone before it says otherwise.
        if !descriptor.is_wal().unwrap_or(true) && has_something(&log) {
            return Err(refusal(path, &log, "the roster is in no WAL mode"));
        }
        refuse_older(path, resolved, &log)?;
    }
    let journal = beside(resolved, "-journal");
    if can_be_played_back(&journal) {
        refuse_older(path, resolved, &journal)?;
    }
    Ok(())
}

/// A log is begun by a program that has the roster open: one that was there before the roster's file is of another file.
fn refuse_older(path: &Path, resolved: &Path, side: &Path) -> Result<(), RosterError> {
    let begun = |path: &Path| std::fs::metadata(path).and_then(|file| file.created());
    let (Ok(of_side), Ok(of_roster)) = (begun(side), begun(resolved)) else {
        // A file system that does not know it says nothing.
        return Ok(());
    };
    if of_side < of_roster && side.exists() {
        return Err(refusal(path, side, "the roster's file was put there after it was begun"));
    }
    Ok(())
}

fn has_something(log: &Path) -> bool {
    std::fs::metadata(log).is_ok_and(|file| file.len() > LOG_HEADER_BYTES)
}

fn can_be_played_back(journal: &Path) -> bool {
    let mut begin = [0; JOURNAL_MAGIC.len()];
    File::open(journal).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == JOURNAL_MAGIC
}

fn refusal(path: &Path, side: &Path, why: &str) -> RosterError {
    let what = format!(
        "beside it stands {}, left by a program that was ended while it wrote an earlier roster of this name ({why}): \
         read together they would be a mixture of two rosters, so nothing was read. For whoever exports the roster: if the \
         roster's file is whole as it is, remove {} (and the file in -shm) while no program has the roster open; \
         if the two do belong together, open the roster once with the program that writes it, and close it",
        side.display(),
        side.display()
    );
    RosterError::Passing { path: path.to_owned(), what }
}
