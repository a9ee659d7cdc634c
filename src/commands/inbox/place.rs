//! The way of a file through the folders of an inbox: taken out of the folder, copied, kept. Each step can be found again
//! after the program was killed in it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::look::{IMPORTED, REFUSED, TAKEN, TAKING, WaitingFile, shown};
use crate::files::{Arrival, folder_of, give_to_owner_of_file, move_to_free_name, open_folder, open_regular};
use crate::invocation::{self, Written};
use rosterd_core::roster::shell_word;

/// Longer names are cut at their beginning: ours are longer by a moment and an ending.
const LONGEST_NAME: usize = 180;
/// Ends the name of a report.
pub(super) const REPORT: &str = ".report.txt";

/// The folders of one inbox.
pub(super) struct Places {
    folder: PathBuf,
    /// Whose owner is the service.
    state: PathBuf,
}

/// A file that was taken out of the folder.
#[derive(Clone, Debug)]
pub(super) struct TakenFile {
    /// Where it lies now.
    path: PathBuf,
    /// Its own name.
    pub(super) name: String,
    /// The name under which it is kept: when it came, and its own.
    kept: String,
    pub(super) arrival: Arrival,
}

/// Where a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Imported,
    Refused,
}

impl Kept {
    fn folder(self) -> &'static str {
        match self {
            Self::Imported => IMPORTED,
            Self::Refused => REFUSED,
        }
    }
}

impl Places {
    /// Makes the folders where they are missing, for the service alone. What root makes is the service's, to which the state
    /// database belongs.
    pub(super) fn prepare(folder: &Path, state: &Path) -> anyhow::Result<Self> {
        for name in [TAKING, IMPORTED, REFUSED] {
            let path = folder.join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let made = open_folder(&path);
                    let made = made.with_context(|| format!("{} cannot be opened", path.display()))?;
                    give_to_service(&made, &path, state)?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_folder(&path) => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("{} cannot be created", path.display()));
                }
            }
        }
        Ok(Self { folder: folder.to_owned(), state: state.to_owned() })
    }

    fn taking(&self) -> PathBuf {
        self.folder.join(TAKING)
    }

    /// What time it is on the machine that has the folder.
    pub(super) fn now_ns(&self) -> anyhow::Result<i128> {
        let probe = self.taking().join("now");
        remove(&probe)?;
        let _made = self.new_file(&probe)?;
        let now = Arrival::of(&probe).map(|probe| probe.changed_ns());
        remove(&probe)?;
        now.context("the file that tells the time went away")
    }

    /// What was taken before and has not got to its end, the oldest first. Copies are removed: they are made anew.
    pub(super) fn unfinished(&self) -> anyhow::Result<Vec<TakenFile>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.taking())? {
            let path = entry?.path();
            let name = shown(&path);
            match (name.strip_suffix(TAKEN), Arrival::of(&path)) {
                (Some(kept), Some(arrival)) => {
                    let own = kept.split_once('-').map_or(kept, |(_, own)| own);
                    found.push(TakenFile { path, name: own.to_owned(), kept: kept.to_owned(), arrival });
                }
                _ => remove(&path)?,
            }
        }
        found.sort_by(|one, other| one.kept.cmp(&other.kept));
        Ok(found)
    }

    /// Takes a file out of the folder, unless another one has its name by now.
    pub(super) fn take(&self, file: &WaitingFile) -> anyhow::Result<Option<TakenFile>> {
        let name = short(&file.name);
        let kept = format!("{}-{name}", stamp(file.arrival.changed_ns()));
        let path = self.taking().join(format!("{kept}{TAKEN}"));
        if Arrival::of(&file.path) != Some(file.arrival) {
            return Ok(None);
        }
        std::fs::rename(&file.path, &path)
            .with_context(|| format!("{} cannot be taken out of its folder", file.name))?;
        let Some(arrival) = Arrival::of(&path) else { bail!("{} went away", file.name) };
        let is_same =
            (arrival.bytes(), arrival.modified_ns()) == (file.arrival.bytes(), file.arrival.modified_ns());
        let taken = TakenFile { path, name, kept, arrival };
        if is_same {
            return Ok(Some(taken));
        }
        self.put_back(&taken)?;
        Ok(None)
    }

    /// Puts a file back into the folder, because somebody still writes it.
    pub(super) fn put_back(&self, file: &TakenFile) -> anyhow::Result<()> {
        let mut to = self.folder.join(&file.name);
        if std::fs::symlink_metadata(&to).is_ok() {
            to = self.folder.join(&file.kept);
        }
        move_to_free_name(&file.path, &to).with_context(|| format!("{} cannot be put back", file.name))
    }

    /// A copy that nobody else writes, under its own name; `None` where the file changed meanwhile.
    pub(super) fn copy(&self, file: &TakenFile) -> anyhow::Result<Option<PathBuf>> {
        let copy = self.taking().join(&file.name);
        remove(&copy)?;
        let mut from = open_regular(&file.path).with_context(|| format!("{} cannot be read", file.name))?;
        let found = from.metadata()?;
        if !file.arrival.is_of(&found) {
            return Ok(None);
        }
        let mut to = self.new_file(&copy)?;
        let copied =
            io::copy(&mut from, &mut to).with_context(|| format!("{} cannot be copied", file.name))?;
        to.set_modified(found.modified()?)?;
        to.sync_all()?;
        let is_same = Arrival::of(&file.path) == Some(file.arrival) && copied == file.arrival.bytes();
        Ok(is_same.then_some(copy))
    }

    /// Whether a file is kept already: only its end was missing.
    pub(super) fn is_kept(&self, file: &TakenFile) -> bool {
        [IMPORTED, REFUSED].iter().any(|folder| is_file(&self.folder.join(folder).join(&file.kept)))
    }

    /// What is said of files that are kept so, with commands that can be typed as they stand: by then each file lies here.
    pub(super) fn typed(&self, files: &[TakenFile], kept: Kept, text: &str) -> String {
        let named = files.iter().fold(text.to_owned(), |text, file| {
            let place = self.folder.join(kept.folder()).join(&file.kept);
            let place = place.display().to_string();
            text.replace(
                &format!("rosterd import csv '{}'", file.name),
                &format!("rosterd import csv {}", shell_word(&place)),
            )
        });
        invocation::complete(&named, Written::Plain).into_owned()
    }

    /// Keeps the copy with its report. Says where the report is.
    pub(super) fn keep(
        &self,
        file: &TakenFile,
        copy: &Path,
        kept: Kept,
        report: &str,
    ) -> anyhow::Result<PathBuf> {
        let place = self.folder.join(kept.folder()).join(&file.kept);
        let report_path = crate::files::beside(&place, REPORT);
        remove(&report_path)?;
        let mut written = self.new_file(&report_path)?;
        io::Write::write_all(&mut written, report.as_bytes())
            .with_context(|| format!("{} cannot be written", report_path.display()))?;
        written.sync_all()?;
        std::fs::rename(copy, &place).with_context(|| format!("{} cannot be kept", file.name))?;
        Ok(report_path)
    }

    /// Removes what was kept before a moment, reports included: it is personal data. What has no name of ours is left alone.
    /// Says how many files of the office went.
    pub(super) fn forget(&self, before_ms: i64) -> anyhow::Result<u64> {
        let mut gone = 0;
        for folder in [IMPORTED, REFUSED] {
            for entry in std::fs::read_dir(self.folder.join(folder))? {
                let path = entry?.path();
                let name = shown(&path);
                if is_file(&path) && came_at_ms(&name).is_some_and(|came| came < before_ms) {
                    remove(&path)?;
                    gone += u64::from(!name.ends_with(REPORT));
                }
            }
        }
        Ok(gone)
    }

    fn new_file(&self, path: &Path) -> anyhow::Result<File> {
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = opened.with_context(|| format!("{} cannot be written", path.display()))?;
        give_to_service(&file, path, &self.state)?;
        Ok(file)
    }

    /// The end: the file itself is needed no more.
    pub(super) fn finish(&self, file: &TakenFile) -> anyhow::Result<()> {
        remove(&file.path)
    }
}

/// What root makes belongs to whom the state database belongs.
fn give_to_service(made: &File, path: &Path, state: &Path) -> anyhow::Result<()> {
    let service = std::fs::metadata(state).or_else(|_| std::fs::metadata(folder_of(state)));
    let Ok(service) = service else { return Ok(()) };
    give_to_owner_of_file(made, &service)
        .with_context(|| format!("{} cannot be given to the service", path.display()))
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn is_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|there| there.is_dir())
}

fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|there| there.is_file())
}

/// When a file came, in a form that sorts and may stand in a name.
fn stamp(at_ns: i128) -> String {
    let at = Timestamp::from_nanosecond(at_ns).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%S.%6fZ").to_string()
}

/// When a kept file came, by its name.
pub(super) fn came_at_ms(kept: &str) -> Option<i64> {
    let (stamp, _) = kept.split_once('-')?;
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S%.fZ", stamp).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn short(name: &str) -> String {
    let over = name.len().saturating_sub(LONGEST_NAME);
    let start = (over..=name.len()).find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    name.get(start..).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_kept_file_tells_when_it_came() {
        let at: Timestamp = "2027-01-04T08:15:30.123456Z".parse().unwrap();
        let kept = format!("{}-a-b.csv", stamp(at.as_nanosecond()));
        assert_eq!(kept, "20270104T081530.123456Z-a-b.csv");
        assert_eq!(came_at_ms(&kept), Some(at.as_millisecond()));
        assert_eq!(came_at_ms("notes.csv"), None);
    }
}
