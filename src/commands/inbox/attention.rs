//! What in the watched folders waits for somebody: read from the folders themselves, so that every command and the daemon
//! say the same. It changes nothing there.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::look::{REFUSED, TAKEN, TAKING, look, shown};
use super::place::{REPORT, came_at_ms};
use super::watched;
use crate::files::{Arrival, beside, open_regular};
use crate::run::{Attention, REFUSED_FILES, WATCHED_FOLDERS};
use crate::settings::{Settings, WatchSettings};
use rosterd_core::counted::counted;
use rosterd_core::failure::FailureOwner;

/// A whole file is taken within seconds; one that lies there for so long beyond is not being taken.
const LONGEST_WAIT_MS: i64 = 30 * 60 * 1000;
/// The first line of a report is read this far.
const MOST_OF_A_LINE: u64 = 2000;

/// How a watched folder stands.
pub(in crate::commands) struct Standing {
    pub(in crate::commands) profile: String,
    pub(in crate::commands) folder: PathBuf,
    /// Files that will be taken.
    pub(in crate::commands) waiting: usize,
    /// What is in the way, each with its cure.
    pub(in crate::commands) troubles: Vec<String>,
}

/// How each watched folder stands.
pub(in crate::commands) fn standing(settings: &Settings, now_ms: i64) -> Vec<Standing> {
    let each = watched(settings).into_iter().map(|(name, profile, watch)| {
        let now_ns = i128::from(now_ms) * 1_000_000;
        let (waiting, troubles) = match look(&watch.folder, profile.kind, watch.settle, now_ns) {
            Ok(inbox) => {
                let mut troubles = inbox.left;
                let late = inbox.waiting.iter().filter(|file| is_late(&file.arrival, watch, now_ms));
                troubles.extend(late.map(|file| late_in_words(&file.name, file.not_yet.as_deref())));
                troubles.extend(taken_long_ago(watch, now_ms));
                (inbox.waiting.len(), troubles)
            }
            Err(why) => (0, vec![why]),
        };
        Standing { profile: name.clone(), folder: watch.folder.clone(), waiting, troubles }
    });
    each.collect()
}

fn is_late(arrival: &Arrival, watch: &WatchSettings, now_ms: i64) -> bool {
    let settle = i64::try_from(watch.settle.as_millis()).unwrap_or(i64::MAX);
    let changed_ms = i64::try_from(arrival.changed_ns() / 1_000_000).unwrap_or(i64::MAX);
    now_ms.saturating_sub(changed_ms) > LONGEST_WAIT_MS.saturating_add(settle)
}

fn late_in_words(name: &str, why: Option<&str>) -> String {
    let why = why.map(|why| format!(": {why}"));
    let why = why.unwrap_or_else(|| {
        ": is rosterd running? rosterd --sync-now takes it too, and says why where it cannot".to_owned()
    });
    format!("{name} has been waiting for more than half an hour{why}")
}

/// Files that were taken out of the folder and got no further.
fn taken_long_ago(watch: &WatchSettings, now_ms: i64) -> Vec<String> {
    let entries = std::fs::read_dir(watch.folder.join(TAKING)).into_iter().flatten().flatten();
    let mut late: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| Arrival::of(path).is_some_and(|arrival| is_late(&arrival, watch, now_ms)))
        .filter_map(|path| Some(shown(&path).strip_suffix(TAKEN)?.to_owned()))
        .map(|name| late_in_words(name.split_once('-').map_or(name.as_str(), |(_, own)| own), None))
        .collect();
    late.sort();
    late
}

/// What waits for somebody, by kind.
pub(in crate::commands) fn attention(settings: &Settings, now_ms: i64) -> Vec<(&'static str, Attention)> {
    let standings = standing(settings, now_ms);
    let troubles: Vec<String> = standings
        .iter()
        .flat_map(|it| it.troubles.iter().map(move |trouble| format!("{}: {trouble}", it.profile)))
        .collect();
    let mut found = Vec::new();
    if !troubles.is_empty() {
        let count = u64::try_from(troubles.len()).unwrap_or(u64::MAX);
        let what = format!("watched folders: {}", troubles.join("; "));
        found.push((WATCHED_FOLDERS, Attention::new(count, None, FailureOwner::It, what)));
    }
    found.extend(refused(settings).map(|refused| (REFUSED_FILES, refused)));
    found
}

/// Files that were refused stay until somebody has looked at them.
fn refused(settings: &Settings) -> Option<Attention> {
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for (_, _, watch) in watched(settings) {
        let entries = std::fs::read_dir(watch.folder.join(REFUSED)).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path()).filter(|path| path.is_file());
        files.extend(paths.map(|path| (shown(&path), path)).filter(|(name, _)| !name.ends_with(REPORT)));
    }
    files.sort();
    let since_ms = files.iter().filter_map(|(name, _)| came_at_ms(name)).min();
    let (_, newest) = files.last()?;
    let count = u64::try_from(files.len()).unwrap_or(u64::MAX);
    let verb = if count == 1 { "was" } else { "were" };
    let which = if count == 1 { "it is" } else { "the newest is" };
    let report = beside(newest, REPORT);
    let cause = cause(&report).map(|cause| format!(": {cause}")).unwrap_or_default();
    let what = format!(
        "{} {verb} refused, {which} {}{cause}; mend it as {} says and put it into the watched folder again, or remove it",
        counted(count, "roster file"),
        newest.display(),
        report.display()
    );
    Some(Attention::new(count, since_ms, FailureOwner::SchoolOffice, what))
}

fn cause(report: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(open_regular(report).ok()?.take(MOST_OF_A_LINE)).read_line(&mut line).ok()?;
    line.trim_end().strip_prefix("refused: ").map(str::to_owned)
}
