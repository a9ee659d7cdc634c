//! A file that a command writes for people to take away: new, for its owner alone, and in place only when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use crate::files::beside;
use crate::settings::Settings;

/// Names that are tried for the file that is being written.
const MOST_NAMES: u32 = 100;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// It stays, and nothing is written.
    Kept,
    /// It stays, unless it is a list whose first column has this name: an earlier one of the same kind.
    ListReplaced(&'static str),
    /// It is replaced at the end, where it is a regular file and no database.
    Replaced,
}

impl Existing {
    /// As `--replace` says.
    pub(super) fn of(replace: bool) -> Self {
        if replace { Self::Replaced } else { Self::Kept }
    }

    fn at_a_free_place(self) -> Self {
        match self {
            Self::Kept | Self::ListReplaced(_) => Self::Kept,
            Self::Replaced => Self::Replaced,
        }
    }

    /// Whether the file that is there may be written over.
    fn gives_way(self, path: &Path) -> bool {
        match self {
            Self::Kept => false,
            Self::ListReplaced(first_column) => is_list(path, first_column),
            Self::Replaced => true,
        }
    }
}

/// A file that is being written beside the path that it is for.
pub(super) struct NewFile {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    existing: Existing,
    is_in_place: bool,
}

impl NewFile {
    /// Begins a file for this path. What rosterd itself uses is never written over, and no link is followed: the path may
    /// lie in a folder where others write. `config` is the configuration file that was named, if any.
    ///
    /// # Errors
    /// When the path is one of rosterd's own files, when anything is there that is not to be replaced, or when no file can
    /// be created.
    pub(super) fn create(
        settings: &Settings,
        config: Option<&Path>,
        path: &Path,
        existing: Existing,
    ) -> anyhow::Result<Self> {
        if let Some(what) = settings.own_file(config, path) {
            bail!("{} is {what}: rosterd writes nothing over it; name another file", path.display());
        }
        Self::begin(path, existing)
    }

    /// The same for a command that knows no configuration yet.
    ///
    /// # Errors
    /// When anything is there that is not to be replaced, or when no file can be created.
    pub(super) fn begin(path: &Path, existing: Existing) -> anyhow::Result<Self> {
        let name = path.display();
        match std::fs::symlink_metadata(path) {
            Ok(there) if there.is_symlink() => {
                bail!("{name} is a link: name the file itself, or remove the link")
            }
            Ok(there) if !there.is_file() => {
                bail!("{name} is no regular file: name a file, or leave the option out")
            }
            Ok(_) if !existing.gives_way(path) => return Err(is_there(path)),
            Ok(_) if is_database(path) => {
                bail!("{name} is a database, and --replace writes over none: name another file, or remove it")
            }
            Ok(_) | Err(_) => {}
        }
        let (beside, file) = create_beside(path).with_context(|| format!("{name} cannot be written"))?;
        // What comes to a free place meanwhile stays.
        let existing = if path.exists() { existing } else { existing.at_a_free_place() };
        Ok(Self { path: path.to_owned(), beside, file: BufWriter::new(file), existing, is_in_place: false })
    }

    /// Where the file is until it is put into its place, for whoever writes it by another way.
    pub(super) fn written_at(&self) -> &Path {
        &self.beside
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    /// When it cannot be written to its end, or not be renamed, or when another file has come to its place meanwhile.
    pub(super) fn put_in_place(mut self) -> anyhow::Result<()> {
        let cannot = || format!("{} cannot be written", self.path.display());
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.with_context(cannot)?;
        if self.existing == Existing::Kept {
            // Takes the name, so that the rename replaces nothing but this.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(is_there(&self.path));
                }
                Err(error) => return Err(error).with_context(cannot),
            }
        }
        std::fs::rename(&self.beside, &self.path).with_context(cannot)?;
        self.is_in_place = true;
        Ok(())
    }
}

fn is_there(path: &Path) -> anyhow::Error {
    anyhow!(
        "{} is there already: name another file, remove it, or add --replace to write over it",
        path.display()
    )
}

/// Whether this is a text file whose first line begins with this heading.
fn is_list(path: &Path, first_column: &str) -> bool {
    let mut begin = Vec::new();
    let length = u64::try_from(first_column.len() + 4).unwrap_or_default();
    let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut begin));
    let text = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&begin);
    read.is_ok() && text.strip_prefix(first_column.as_bytes()).is_some_and(|rest| rest.starts_with(b","))
}

/// Whether this is a database of SQLite: no file for people to take away is one.
fn is_database(path: &Path) -> bool {
    let mut begin = [0; 16];
    File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok()
        && &begin == b"SQLite format 3\0"
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_in_place {
            // The error that led here says what happened.
            let _stays = std::fs::remove_file(&self.beside);
        }
    }
}

/// A file that was not there before: one that somebody put there would keep its owner and mode.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let ending = if number == 0 { ".part".to_owned() } else { format!(".{number}.part") };
        let beside = beside(path, &ending);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST_NAMES => number += 1,
            opened => return opened.map(|file| (beside, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(path: &Path, existing: Existing, text: &str) -> anyhow::Result<()> {
        let mut file = NewFile::begin(path, existing)?;
        file.write_all(text.as_bytes())?;
        file.put_in_place()
    }

    #[test]
    fn a_file_is_written_anew_beside_what_others_put_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("students.csv");
        let (planted, victim) = (folder.path().join("students.csv.part"), folder.path().join("victim"));
        std::fs::write(&victim, "kept").unwrap();
        symlink(&victim, &planted).unwrap();
        std::fs::write(folder.path().join("students.csv.1.part"), "open to all").unwrap();
        std::fs::write(&path, "old").unwrap();
        write(&path, Existing::Replaced, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "kept");
        assert!(planted.is_symlink(), "what is not ours stays");
    }

    #[test]
    fn links_folders_and_devices_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        std::fs::write(&file, "kept").unwrap();
        symlink(&file, &link).unwrap();
        for (path, why) in
            [(link.as_path(), "link"), (folder.path(), "regular"), (Path::new("/dev/null"), "regular")]
        {
            let refused = write(path, Existing::Replaced, "x").unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        symlink(folder.path().join("none"), folder.path().join("dangling")).unwrap();
        assert!(write(&folder.path().join("dangling"), Existing::Kept, "x").is_err());
    }

    #[test]
    fn a_file_that_is_given_up_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("students.csv");
        std::fs::write(&path, "old").unwrap();
        let mut file = NewFile::begin(&path, Existing::Replaced).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_is_to_be_replaced_even_where_it_comes_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("students.csv");
        let mut file = NewFile::begin(&path, Existing::Kept).unwrap();
        file.write_all(b"new").unwrap();
        std::fs::write(&path, "old").unwrap();
        let refused = file.put_in_place().unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
        let refused = write(&path, Existing::Kept, "new").unwrap_err().to_string();
        assert!(refused.contains("is there already") && refused.contains("--replace"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_earlier_list_of_the_same_kind_is_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("students.csv");
        for old in ["student_id,name\nS1,Ann\n", "\u{feff}student_id,name\r\n"] {
            std::fs::write(&path, old).unwrap();
            write(&path, Existing::ListReplaced("student_id"), "new").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        }
        for old in ["", "student_ids,name\n", "id,student_id\n", "notes"] {
            std::fs::write(&path, old).unwrap();
            let refused = write(&path, Existing::ListReplaced("student_id"), "new").unwrap_err().to_string();
            assert!(refused.contains("is there already"), "{refused}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), old);
        }
    }

    #[test]
    fn no_database_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("another.db");
        std::fs::write(&path, "SQLite format 3\0 and so on").unwrap();
        let refused = write(&path, Existing::Replaced, "x").unwrap_err().to_string();
        assert!(refused.contains("is a database"), "{refused}");
    }
}
