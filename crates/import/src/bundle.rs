//! A folder or a zip archive of files, each found by its own name. Nothing is unpacked to disk, so no path in
//! an archive leads anywhere; what claims or turns out to be too much is refused.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::sheet::{FileSource, Source};
use super::sniff::LARGEST_FILE;

/// Files that an archive may hold.
const MOST_ENTRIES: usize = 512;
/// Bytes of all files of an archive, unpacked.
const LARGEST_ARCHIVE: u64 = 4 << 30;
/// The largest ratio of unpacked to packed size: roster texts stay under 40.
const LARGEST_RATIO: u64 = 400;
/// Below this no ratio is a danger, in bytes unpacked.
const HARMLESS: u64 = 4 << 20;

/// Files by name.
pub(super) enum Bundle {
    /// A folder, with its files.
    Folder(Vec<(String, PathBuf)>),
    /// An archive, with its entries.
    Archive {
        archive: Box<ZipArchive<BufReader<File>>>,
        /// The names without the folders before them, with their numbers in the archive.
        entries: Vec<(String, usize)>,
    },
}

impl Bundle {
    /// Opens a folder or an archive; the error is a code and a sentence.
    pub(super) fn open(path: &Path) -> Result<Self, (&'static str, String)> {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| ("not-readable", error.to_string()))?;
            let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
            let mut files: Vec<_> = paths.map(|path| (super::shown_name(&path), path)).collect();
            files.sort();
            return Ok(Self::Folder(files));
        }
        let file = File::open(path).map_err(|error| ("not-readable", error.to_string()))?;
        let not_a_bundle = |error| {
            ("not-a-bundle", format!("neither a folder nor a whole zip archive: {}", why_no_archive(&error)))
        };
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(not_a_bundle)?;
        let entries = check(&mut archive).map_err(|message| ("unsafe-archive", message))?;
        Ok(Self::Archive { archive: Box::new(archive), entries })
    }

    /// The names of all files, without folders.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Folder(files) => files.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Archive { entries, .. } => entries.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    /// The number of files with this name, in any case.
    pub(super) fn count(&self, name: &str) -> usize {
        self.names().iter().filter(|found| found.eq_ignore_ascii_case(name)).count()
    }

    /// A file by its name, in any case; the first of several.
    pub(super) fn source(&mut self, name: &str) -> Option<Box<dyn Source + '_>> {
        match self {
            Self::Folder(files) => {
                let exact = files.iter().find(|(found, _)| found == name);
                let alike = || files.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
                let (_, path) = exact.or_else(alike)?;
                Some(Box::new(FileSource(path.clone())))
            }
            Self::Archive { archive, entries } => {
                let (_, at) = entries.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
                Some(Box::new(ArchiveSource { archive, at: *at }))
            }
        }
    }
}

/// Opens an archive whose entries something else reads, after the same checks.
pub(super) fn open_archive(path: &Path) -> Result<ZipArchive<BufReader<File>>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| why_no_archive(&error))?;
    check(&mut archive)?;
    Ok(archive)
}

/// What stands at the end of an archive tells what is in it.
fn why_no_archive(error: &ZipError) -> String {
    if matches!(error, ZipError::InvalidArchive(_)) {
        "its end is missing or damaged, as where a download or a copy was cut off: export or copy it again"
            .to_owned()
    } else {
        error.to_string()
    }
}

/// The files of an archive by name, or why it is not touched. Sizes are what the archive claims; what comes
/// out is counted again while it is read.
fn check(archive: &mut ZipArchive<BufReader<File>>) -> Result<Vec<(String, usize)>, String> {
    if archive.len() > MOST_ENTRIES {
        return Err(format!("the archive holds more than {MOST_ENTRIES} files"));
    }
    let mut entries = Vec::new();
    let mut total = 0_u64;
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(|error| error.to_string())?;
        let name = entry.name().map_err(|error| error.to_string())?.into_owned();
        if entry.is_dir() || name.ends_with(['/', '\\']) || name.starts_with("__MACOSX/") {
            continue;
        }
        let shown = super::shown(&name);
        // Old programs on Windows write names with backslashes.
        let name = name.replace('\\', "/");
        let is_outside =
            name.starts_with('/') || name.contains(':') || name.split('/').any(|part| part == "..");
        if is_outside || entry.enclosed_name().is_none() {
            return Err(format!("{shown} leads out of the archive"));
        }
        if entry.is_symlink() {
            return Err(format!("{shown} is a link"));
        }
        if entry.encrypted() {
            return Err(format!("{shown} is encrypted: unpack the archive first"));
        }
        let (packed, size) = (entry.compressed_size(), entry.size());
        total = total.saturating_add(size);
        if size > HARMLESS && size / LARGEST_RATIO > packed {
            return Err(format!("{shown} unpacks to more than {LARGEST_RATIO} times its size"));
        }
        if size > LARGEST_FILE || total > LARGEST_ARCHIVE {
            return Err(format!("{shown} is too large unpacked"));
        }
        let own = name.rsplit('/').next().unwrap_or_default();
        entries.push((super::shown(own), at));
    }
    entries.sort();
    Ok(entries)
}

struct ArchiveSource<'a> {
    archive: &'a mut ZipArchive<BufReader<File>>,
    at: usize,
}

impl Source for ArchiveSource<'_> {
    fn open(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(Unpacked::new(self.archive.by_index(self.at).map_err(io::Error::other)?)))
    }
}

/// Unpacks no more than was claimed.
pub(super) struct Unpacked<R> {
    entry: R,
    left: u64,
}

impl<'a, R: Read> Unpacked<ZipFile<'a, R>> {
    pub(super) fn new(entry: ZipFile<'a, R>) -> Self {
        let most = entry.compressed_size().saturating_mul(LARGEST_RATIO).max(HARMLESS);
        Self { left: entry.size().min(most), entry }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.entry.read(buffer)?;
        let read = u64::try_from(length).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(read).ok_or_else(|| {
            io::Error::other("the archive unpacks to more than it claims: it is damaged, or made to harm")
        })?;
        Ok(length)
    }
}
