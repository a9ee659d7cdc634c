//! Where the configuration and what belongs to it come: all of it, or nothing.

use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;

use super::answers::Answers;
use crate::commands::new_file::{Existing, NewFile};
use crate::files::folder_of;

/// The roster that a list is imported into, beside the configuration.
pub(super) const IMPORTED: &str = "roster.db";

/// The configuration that is to be written.
pub(super) struct Place {
    config: PathBuf,
    folder: PathBuf,
    /// A folder of our own for what is not finished; gone in the end.
    draft: Option<PathBuf>,
}

impl Place {
    /// # Errors
    /// When something is there already, or no folder is.
    pub(super) fn new(config: &Path) -> anyhow::Result<Self> {
        let folder = folder_of(config).to_owned();
        if std::fs::symlink_metadata(config).is_ok() {
            bail!(
                "{} is there already, and init writes over nothing: name another file with --config, or remove it",
                config.display()
            );
        }
        if !folder.is_dir() {
            bail!("there is no folder {}: make it, or name another file with --config", folder.display());
        }
        Ok(Self { config: config.to_owned(), folder, draft: None })
    }

    /// The state database that the configuration will name.
    pub(super) fn state(&self) -> PathBuf {
        self.folder.join("state.db")
    }

    /// A path of the current folder as the configuration names it: relative ones are those of its own folder there.
    pub(super) fn seen_from_here(&self, path: &Path) -> PathBuf {
        if path.is_absolute() || self.folder == Path::new(".") || self.folder.as_os_str().is_empty() {
            return path.to_owned();
        }
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    }

    /// Where a list is imported to until all is well.
    ///
    /// # Errors
    /// When a roster is there already, or no folder can be made.
    pub(super) fn draft(&mut self) -> anyhow::Result<PathBuf> {
        let roster = self.folder.join(IMPORTED);
        if std::fs::symlink_metadata(&roster).is_ok() {
            bail!("{} is there already: name it as the roster, or remove it", roster.display());
        }
        let _earlier_attempt = self.draft.take().map(std::fs::remove_dir_all);
        let draft = self.folder.join(format!(".rosterd-init-{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&draft)
            .with_context(|| format!("no folder can be made in {}", self.folder.display()))?;
        self.draft = Some(draft.clone());
        Ok(draft.join(IMPORTED))
    }

    /// Puts everything into its place. Says what was written.
    ///
    /// # Errors
    /// When something cannot be written, or has come there meanwhile; then nothing is left of it.
    pub(super) fn fill(self, answers: &Answers) -> anyhow::Result<Vec<PathBuf>> {
        let mut written = Written { files: Vec::new(), folder: None };
        if let Some(draft) = &self.draft {
            let to = self.folder.join(IMPORTED);
            // Takes the name only where it is free.
            std::fs::hard_link(draft.join(IMPORTED), &to)
                .with_context(|| format!("{} cannot be written", to.display()))?;
            written.files.push(to);
        }
        for (name, secret) in answers.typed() {
            let path = self.folder.join(name);
            let folder = folder_of(&path);
            if !folder.is_dir() {
                let made = DirBuilder::new().mode(0o700).create(folder);
                made.with_context(|| format!("{} cannot be made", folder.display()))?;
                written.folder = Some(folder.to_owned());
            }
            written.put(&path, &format!("{}\n", secret.expose_secret()))?;
        }
        written.put(&self.config, &answers.text())?;
        let files = std::mem::take(&mut written.files);
        written.folder = None;
        Ok(files
            .into_iter()
            .map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path))
            .collect())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(draft) = &self.draft {
            let _left = std::fs::remove_dir_all(draft);
        }
    }
}

/// What is in its place so far; taken back where the rest does not come.
struct Written {
    files: Vec<PathBuf>,
    folder: Option<PathBuf>,
}

impl Written {
    fn put(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let mut file = NewFile::begin(path, Existing::Kept)?;
        file.write_all(text.as_bytes()).with_context(|| format!("{} cannot be written", path.display()))?;
        file.put_in_place()?;
        self.files.push(path.to_owned());
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for file in &self.files {
            let _left = std::fs::remove_file(file);
        }
        if let Some(folder) = &self.folder {
            let _left = std::fs::remove_dir(folder);
        }
    }
}
