//! What lies in a watched folder, and what of it is whole. It changes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::{
    Arrival, Right, effective_group, effective_user, is_read_only, missing_right, mode, owner,
};
use crate::settings::FileKind;
use rosterd_core::roster::shell_word;
use rosterd_core::situation::span;

/// Folders of ours in a watched folder.
pub(super) const TAKING: &str = ".taking";
pub(super) const IMPORTED: &str = "imported";
pub(super) const REFUSED: &str = "refused";
/// Ends the name of a file that was taken out of the folder to be imported.
pub(super) const TAKEN: &str = ".taken";

/// Larger files are refused by every reader; copying them would fill the disk.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// How the names of files begin or end that a program is still writing, or keeps for itself.
const PASSING_STARTS: [&str; 3] = [".", "~$", "~"];
const PASSING_ENDS: [&str; 12] = [
    "~",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".filepart",
    ".download",
    ".crdownload",
    ".upload",
    ".swp",
    ".lock",
    ".bak",
];
/// What file managers put into folders.
const JUNK: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// A file that waits in the folder.
#[derive(Clone, Debug)]
pub(super) struct WaitingFile {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) arrival: Arrival,
    /// Why it is not taken yet; it stops those after it too.
    pub(super) not_yet: Option<String>,
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// In the order in which they are imported: by when their contents were written, then by name.
    pub(super) waiting: Vec<WaitingFile>,
    /// What is left alone, each with its reason and cure.
    pub(super) left: Vec<String>,
}

/// Looks into a folder at a moment of the machine that has it.
///
/// # Errors
/// Why the folder cannot be used, and the cure.
pub(super) fn look(folder: &Path, kind: FileKind, settle: Duration, now_ns: i128) -> Result<Inbox, String> {
    require_usable(folder)?;
    let cannot = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut inbox = Inbox::default();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = shown(&path);
        if passes(&name) || is_our_folder(&path, &name) {
            continue;
        }
        match waiting(&path, &name, kind, (settle, now_ns)) {
            Ok(Some(file)) => inbox.waiting.push(file),
            Ok(None) => {}
            Err(why) => inbox.left.push(format!("{name} {why}")),
        }
    }
    inbox.waiting.sort_by_key(|file| (file.arrival.modified_ns(), file.name.clone()));
    inbox.left.sort();
    Ok(inbox)
}

/// Files are taken out of the folder, so we must be able to write there.
fn require_usable(folder: &Path) -> Result<(), String> {
    let name = folder.display();
    if !folder.exists() && missing_right(Right::Read, folder).is_none() {
        return Err(format!("{name} is not there: create it, or mend watch"));
    }
    if folder.exists() && !folder.is_dir() {
        return Err(format!("{name} is no folder: name one in watch"));
    }
    let needed = [Right::Read, Right::Enter, Right::Write];
    if let Some(missing) = needed.into_iter().find_map(|right| missing_right(right, folder)) {
        if is_read_only(folder) {
            return Err(missing);
        }
        let (us, group) = (effective_user(), effective_group());
        let folder = folder.display().to_string();
        let folder = shell_word(&folder);
        return Err(format!(
            "{missing}; as root: chown {us} {folder}, or, where others upload there: chgrp {group} {folder} && chmod 2770 \
             {folder}"
        ));
    }
    // Then only the owner of a file, or of the folder, may move it.
    let is_sticky = mode(folder).is_some_and(|mode| mode & 0o1000 != 0);
    if is_sticky && effective_user() != 0 && owner(folder) != Some(effective_user()) {
        let folder = folder.display().to_string();
        let folder = shell_word(&folder);
        return Err(format!(
            "{folder} has the sticky bit, so that files of others cannot be taken out of it: chmod -t {folder}"
        ));
    }
    Ok(())
}

/// A file that could be imported; nothing where it went meanwhile; else why it is left alone.
fn waiting(
    path: &Path,
    name: &str,
    kind: FileKind,
    (settle, now_ns): (Duration, i128),
) -> Result<Option<WaitingFile>, String> {
    let Ok(there) = std::fs::symlink_metadata(path) else { return Ok(None) };
    if there.is_symlink() {
        return Err("is a link, and links are not followed: put the file itself there".to_owned());
    }
    if there.is_dir() {
        return Err("is a folder: put the files themselves there, or for a bundle its zip archive".to_owned());
    }
    if !there.is_file() {
        return Err("is no regular file: remove it".to_owned());
    }
    require_ending(path, kind)?;
    let Some(arrival) = Arrival::of(path) else { return Ok(None) };
    // Somebody may be about to write it: taken now, that would be lost.
    if arrival.bytes() == 0 {
        return Err("is empty: send it once more, or remove it".to_owned());
    }
    if arrival.bytes() > MOST_BYTES {
        return Err("is larger than 1 GiB, which nothing reads: divide it".to_owned());
    }
    let not_yet = missing_right(Right::Read, path).or_else(|| growing(&arrival, settle, now_ns));
    Ok(Some(WaitingFile { path: path.to_owned(), name: name.to_owned(), arrival, not_yet }))
}

/// Whoever writes a file changes its time, so one whose time is far from now is not being written. That holds in both
/// directions: the clock may have been set back since.
fn growing(arrival: &Arrival, settle: Duration, now_ns: i128) -> Option<String> {
    let age = now_ns.saturating_sub(arrival.changed_ns()).unsigned_abs();
    (age < settle.as_nanos()).then(|| {
        let settle = span(i64::try_from(settle.as_millis()).unwrap_or(i64::MAX));
        format!("it was changed a moment ago: it is taken when nobody has changed it for {settle} (settle)")
    })
}

fn require_ending(path: &Path, kind: FileKind) -> Result<(), String> {
    let known: &[&str] = match kind {
        FileKind::Csv => &["csv", "tsv", "txt", "xlsx", "xlsm", "xls", "ods"],
        FileKind::Clever | FileKind::Oneroster => &["zip"],
    };
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if known.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|known| format!(".{known}")).collect();
    Err(format!("is left alone, for it is no {}: save it as one, or remove it", known.join(", ")))
}

/// Names of files that are still written, or that programs keep for themselves.
fn passes(name: &str) -> bool {
    let lower = name.to_lowercase();
    JUNK.contains(&lower.as_str())
        || PASSING_STARTS.iter().any(|start| lower.starts_with(start))
        || PASSING_ENDS.iter().any(|end| lower.ends_with(end))
}

fn is_our_folder(path: &Path, name: &str) -> bool {
    [IMPORTED, REFUSED].contains(&name) && path.is_dir() && !path.is_symlink()
}

/// A name that may be shown and made a name again.
pub(super) fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(folder: &Path, kind: FileKind, settle: Duration, ahead_ns: i128) -> Inbox {
        let probe = folder.join(".probe");
        std::fs::write(&probe, "").unwrap();
        let now_ns = Arrival::of(&probe).unwrap().changed_ns();
        look(folder, kind, settle, now_ns + ahead_ns).unwrap()
    }

    #[test]
    fn a_file_is_whole_when_nobody_has_changed_it_for_a_while_whatever_the_clock_did() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("list.csv"), "x").unwrap();
        let hours = |count: i128| count * 3_600_000_000_000;
        for (ahead_ns, whole) in [(0, false), (hours(2), true), (-hours(2), true)] {
            let inbox = at(folder.path(), FileKind::Csv, HOUR, ahead_ns);
            assert_eq!(inbox.waiting[0].not_yet.is_none(), whole, "{ahead_ns}");
        }
    }

    #[test]
    fn what_programs_keep_for_themselves_is_passed_over_and_what_nothing_reads_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let passed = [
            ".list.csv",
            "~$list.xlsx",
            "list.csv.part",
            "list.csv.tmp",
            "Thumbs.db",
            "list.csv~",
            ".~lock.a#",
        ];
        for name in passed.iter().chain(&["list.csv", "roster.pdf", "empty.csv"]) {
            std::fs::write(folder.path().join(name), if *name == "empty.csv" { "" } else { "x" }).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.csv")).unwrap();
        std::fs::create_dir(folder.path().join("bundle")).unwrap();
        std::fs::create_dir(folder.path().join(IMPORTED)).unwrap();
        let inbox = at(folder.path(), FileKind::Csv, Duration::ZERO, 0);
        let names: Vec<&str> = inbox.waiting.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["list.csv"]);
        let left: Vec<&str> = inbox.left.iter().map(|left| left.split(' ').next().unwrap()).collect();
        assert_eq!(left, ["bundle", "empty.csv", "link.csv", "roster.pdf"]);
    }

    #[test]
    fn files_are_taken_in_the_order_in_which_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        for (name, seconds) in [("b.csv", 10), ("c.csv", 5), ("a.csv", 10)] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            std::io::Write::write_all(&mut &file, b"x").unwrap();
            file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        let inbox = at(folder.path(), FileKind::Csv, Duration::ZERO, 0);
        let names: Vec<&str> = inbox.waiting.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["c.csv", "a.csv", "b.csv"]);
    }
}
