//! A file that a command writes for people to take away: new, for its owner alone, and in place only when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::files::beside;

/// Names that are tried for the file that is being written.
const MOST_NAMES: u32 = 100;

/// A file that is being written beside the one whose place it takes.
pub(super) struct NewFile {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
    is_in_place: bool,
}

impl NewFile {
    /// Begins a file for this path. A regular file that is there is replaced at the end; nothing else is, and no link is
    /// followed: the path may lie in a folder where others write.
    ///
    /// # Errors
    /// When something else is there, or no file can be created.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        match std::fs::symlink_metadata(path) {
            Ok(there) if there.is_symlink() => {
                bail!("{name} is a link: name the file itself, or remove the link")
            }
            Ok(there) if !there.is_file() => {
                bail!("{name} is no regular file: name a file, or leave --to out for standard output")
            }
            Ok(_) | Err(_) => {}
        }
        let (beside, file) = create_beside(path).with_context(|| format!("{name} cannot be written"))?;
        Ok(Self { path: path.to_owned(), beside, file: BufWriter::new(file), is_in_place: false })
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    /// When it cannot be written to its end, or not be renamed.
    pub(super) fn put_in_place(mut self) -> anyhow::Result<()> {
        let put = |new: &mut Self| {
            new.file.flush()?;
            new.file.get_ref().sync_all()?;
            std::fs::rename(&new.beside, &new.path)
        };
        put(&mut self).with_context(|| format!("{} cannot be written", self.path.display()))?;
        self.is_in_place = true;
        Ok(())
    }
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

    fn write(path: &Path, text: &str) -> anyhow::Result<()> {
        let mut file = NewFile::create(path)?;
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
        write(&path, "new").unwrap();
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
            let refused = write(path, "x").unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        symlink(folder.path().join("none"), folder.path().join("dangling")).unwrap();
        assert!(write(&folder.path().join("dangling"), "x").is_err());
    }

    #[test]
    fn a_file_that_is_given_up_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("students.csv");
        std::fs::write(&path, "old").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
