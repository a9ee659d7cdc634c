//! Watched folders: a profile with `watch` has its files imported by themselves, each once, in the order in which they were
//! written. The daemon looks every few seconds and before each run, `--sync-now` before its run.
//!
//! A file is *taken* (moved into `.taking`), *copied* (so that nobody writes what is read), *imported* with its mark in the
//! roster's history, *kept* in `imported` or `refused` with its report, and *finished*. Whatever is found in `.taking` is
//! gone on with at the next look, so a kill at any moment neither loses a file nor imports it twice.

mod attention;
mod fate;
mod look;
mod place;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::import::{ImportRequest, import};
use crate::run::{FileOutcome, RosterFile, in_one_line};
use crate::settings::{FileKind, ImportProfile, Settings, WatchSettings};
use crate::store::IntakeLock;
use crate::store::roster_writer::has_taken;
use rosterd_import::RosterTable;

pub(super) use self::attention::{Standing, attention, standing};
use self::fate::Fate;
use self::look::look;
use self::place::{Kept, Places, TakenFile};

/// The pause between two looks of the daemon.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// How often somebody else's lock is tried again before a run goes on without.
const TRIES: u32 = 120;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Whether any folder is watched.
pub(super) fn is_watching(settings: &Settings) -> bool {
    !watched(settings).is_empty()
}

fn watched(settings: &Settings) -> Vec<(&String, &ImportProfile, &WatchSettings)> {
    let watched = settings.import.iter();
    watched.filter_map(|(name, profile)| Some((name, profile, profile.watch.as_ref()?))).collect()
}

/// Imports what lies whole in the watched folders; waits for another process that is just doing so. Says what became of each
/// file that was looked at.
pub(super) async fn take_in_time(settings: &Arc<Settings>, stop: &CancellationToken) -> Vec<RosterFile> {
    if !is_watching(settings) {
        return Vec::new();
    }
    for _ in 0..TRIES {
        if let Some(files) = take_and(settings, stop, Tidying::Yes).await {
            return files;
        }
        if stop.run_until_cancelled(tokio::time::sleep(BETWEEN_TRIES)).await.is_none() {
            break;
        }
    }
    Vec::new()
}

/// The same at once; `None` while another process is doing it.
pub(super) async fn take(settings: &Arc<Settings>, stop: &CancellationToken) -> Option<Vec<RosterFile>> {
    take_and(settings, stop, Tidying::No).await
}

/// Whether files that were kept long enough are removed too: before a run, not at each look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tidying {
    Yes,
    No,
}

async fn take_and(
    settings: &Arc<Settings>,
    stop: &CancellationToken,
    tidying: Tidying,
) -> Option<Vec<RosterFile>> {
    let (settings, stop) = (Arc::clone(settings), stop.clone());
    let runtime = Handle::current();
    // A thread of its own: files are copied, and a share may not answer for long.
    let look = spawn_blocking(move || runtime.block_on(take_here(&settings, &stop, tidying)));
    look.await.unwrap_or_else(|_| {
        tracing::error!("a look into the watched folders broke off; the next one goes on");
        Some(Vec::new())
    })
}

async fn take_here(
    settings: &Settings,
    stop: &CancellationToken,
    tidying: Tidying,
) -> Option<Vec<RosterFile>> {
    let _lock = match IntakeLock::take(&settings.state.database) {
        Ok(Some(lock)) => lock,
        Ok(None) => return None,
        Err(error) => {
            return Some(
                watched(settings)
                    .into_iter()
                    .map(|(name, _, _)| waiting(name, "", in_one_line(&error)))
                    .collect(),
            );
        }
    };
    let mut files = Vec::new();
    for (name, profile, watch) in watched(settings) {
        let mut intake = Intake { settings, name, profile, watch, files: Vec::new() };
        if let Err(why) = intake.take(stop, tidying).await {
            let folder = watch.folder.display().to_string();
            intake.files.push(waiting(name, &folder, why));
        }
        files.append(&mut intake.files);
    }
    Some(files)
}

fn waiting(profile: &str, file: &str, what: String) -> RosterFile {
    let (profile, file) = (profile.to_owned(), file.to_owned());
    RosterFile { profile, file, outcome: FileOutcome::Waiting, what, report: None }
}

/// One look into one folder.
struct Intake<'a> {
    settings: &'a Settings,
    name: &'a str,
    profile: &'a ImportProfile,
    watch: &'a WatchSettings,
    files: Vec<RosterFile>,
}

/// Whether the files behind one may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    /// They would overtake it.
    Stop,
}

impl Intake<'_> {
    async fn take(&mut self, stop: &CancellationToken, tidying: Tidying) -> Result<(), String> {
        // Before anything is created there.
        look(&self.watch.folder, self.profile.kind, self.watch.settle, 0)?;
        let places = Places::prepare(&self.watch.folder, &self.settings.state.database).map_err(one_line)?;
        let unfinished = places.unfinished().map_err(one_line)?;
        for batch in self.batches(unfinished) {
            if stop.is_cancelled() || self.through(&places, batch).await == Next::Stop {
                return Ok(());
            }
        }
        let now_ns = places.now_ns().map_err(one_line)?;
        if tidying == Tidying::Yes {
            self.forget(&places, now_ns).map_err(one_line)?;
        }
        let inbox = look(&self.watch.folder, self.profile.kind, self.watch.settle, now_ns)?;
        let mut taken = Vec::new();
        for file in &inbox.waiting {
            if let Some(why) = &file.not_yet {
                self.files.push(waiting(self.name, &file.name, why.clone()));
                break;
            }
            taken.push(file);
        }
        for batch in batches(&taken, self.profile.kind, |file| &file.name) {
            let mut files = Vec::new();
            for file in batch {
                files.extend(places.take(file).map_err(one_line)?);
            }
            if stop.is_cancelled() || self.through(&places, files).await == Next::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Kept files are personal data: they go when their time is over.
    fn forget(&self, places: &Places, now_ns: i128) -> anyhow::Result<()> {
        let keep = self.watch.keep.unwrap_or(self.settings.state.keep);
        let now_ms = i64::try_from(now_ns / 1_000_000).unwrap_or(i64::MAX);
        let before_ms = now_ms.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        let gone = places.forget(before_ms)?;
        if gone > 0 {
            tracing::info!(
                profile = self.name,
                files = gone,
                "files of the watched folder were kept long enough and removed"
            );
        }
        Ok(())
    }

    fn batches(&self, files: Vec<TakenFile>) -> Vec<Vec<TakenFile>> {
        let files: Vec<&TakenFile> = files.iter().collect();
        let batches = batches(&files, self.profile.kind, |file| &file.name);
        batches.into_iter().map(|batch| batch.into_iter().cloned().collect()).collect()
    }

    /// Takes one batch to its end, or says what keeps it.
    async fn through(&mut self, places: &Places, batch: Vec<TakenFile>) -> Next {
        let names: Vec<String> = batch.iter().map(|file| file.name.clone()).collect();
        match self.try_through(places, batch).await {
            Ok(next) => next,
            Err(error) => {
                self.files.push(waiting(self.name, &names.join(", "), one_line(error)));
                Next::Stop
            }
        }
    }

    async fn try_through(&mut self, places: &Places, batch: Vec<TakenFile>) -> anyhow::Result<Next> {
        let mut fresh = Vec::new();
        for file in batch {
            if places.is_kept(&file) {
                places.finish(&file)?;
            } else if has_taken(&self.settings.roster.database, &file.arrival.mark()).await? {
                let Some(copy) = places.copy(&file)? else { return self.changed(places, &[file]) };
                let report = "imported; rosterd was stopped before it could write the report\n";
                places.keep(&file, &copy, Kept::Imported, report)?;
                places.finish(&file)?;
            } else {
                fresh.push(file);
            }
        }
        let mut copies = Vec::new();
        for file in &fresh {
            match places.copy(file)? {
                Some(copy) => copies.push(copy),
                None => return self.changed(places, &fresh),
            }
        }
        if fresh.is_empty() { Ok(Next::GoOn) } else { self.import(places, &fresh, copies).await }
    }

    /// Somebody still writes one of them.
    fn changed(&mut self, places: &Places, files: &[TakenFile]) -> anyhow::Result<Next> {
        for file in files {
            places.put_back(file)?;
            let why = "it is still being written".to_owned();
            self.files.push(waiting(self.name, &file.name, why));
        }
        Ok(Next::Stop)
    }

    async fn import(
        &mut self,
        places: &Places,
        files: &[TakenFile],
        copies: Vec<PathBuf>,
    ) -> anyhow::Result<Next> {
        let marks = files.iter().map(|file| file.arrival.mark()).collect();
        let request = ImportRequest::of_profile(self.profile, copies.clone(), self.settings);
        let fate = Fate::of(import(&ImportRequest { marks, ..request }).await, self.name, &self.watch.folder);
        let (kept, outcome) = match fate.outcome {
            FileOutcome::Imported | FileOutcome::Unchanged => (Kept::Imported, fate.outcome),
            FileOutcome::Refused => (Kept::Refused, fate.outcome),
            FileOutcome::Waiting => {
                let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
                self.files.push(waiting(self.name, &names.join(", "), fate.what));
                return Ok(Next::Stop);
            }
        };
        let (report_text, what) =
            (places.typed(files, kept, &fate.report), places.typed(files, kept, &fate.what));
        for (file, copy) in files.iter().zip(&copies) {
            let report = places.keep(file, copy, kept, &report_text);
            let report = report.with_context(|| format!("{} was {}", file.name, fate.word()))?;
            places.finish(file)?;
            self.files.push(RosterFile {
                profile: self.name.to_owned(),
                file: file.name.clone(),
                outcome,
                what: what.clone(),
                report: Some(report.display().to_string()),
            });
        }
        Ok(Next::GoOn)
    }
}

/// Files that are named after our tables are one import, as they would be on the command line; each other file is one.
fn batches<'a, F>(files: &[&'a F], kind: FileKind, name: impl Fn(&F) -> &String) -> Vec<Vec<&'a F>> {
    let is_table = |file: &F| {
        let stem = name(file).rsplit_once('.').map_or(name(file).as_str(), |(stem, _)| stem).to_owned();
        kind == FileKind::Csv
            && RosterTable::ALL.iter().any(|table| table.name().eq_ignore_ascii_case(stem.trim()))
    };
    let mut batches: Vec<Vec<&F>> = Vec::new();
    let mut tables: Option<usize> = None;
    for file in files {
        match tables.and_then(|at| batches.get_mut(at)) {
            Some(batch) if is_table(file) => batch.push(file),
            Some(_) | None => {
                if is_table(file) {
                    tables = Some(batches.len());
                }
                batches.push(vec![file]);
            }
        }
    }
    batches
}

fn one_line(error: anyhow::Error) -> String {
    in_one_line(&*error)
}
