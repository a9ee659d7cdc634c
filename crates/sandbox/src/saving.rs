//! The state file: both worlds as JSON, replaced whole by a rename. Switches, faults and secrets are not in it.

use std::fs;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::classin::ClassInWorld;
use super::exam::ExamWorld;
use super::world::World;
use super::{SandboxError, Shared};

#[derive(Deserialize)]
struct Loaded {
    exam: ExamWorld,
    classin: ClassInWorld,
}

#[derive(Serialize)]
struct Saved<'w> {
    exam: &'w ExamWorld,
    classin: &'w ClassInWorld,
}

/// Replaces the world's state by the file's, where there is a file.
///
/// # Errors
/// A file that cannot be read or holds something else.
pub(crate) fn load(path: &Path, world: &mut World) -> Result<(), SandboxError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(SandboxError::StateFile { path: path.to_owned(), source }),
    };
    let loaded: Loaded = serde_json::from_reader(BufReader::new(file))
        .map_err(|source| SandboxError::StateFormat { path: path.to_owned(), source })?;
    world.exam = loaded.exam;
    world.exam.reindex();
    world.classin = loaded.classin;
    world.classin.reindex();
    Ok(())
}

/// Writes the state beside the file and renames it into place.
///
/// # Errors
/// [`SandboxError::StateFile`].
pub(crate) fn save(shared: &Shared) -> Result<(), SandboxError> {
    let Some(path) = &shared.state_file else { return Ok(()) };
    let _one_writer = shared.saving.lock().unwrap_or_else(PoisonError::into_inner);
    let text = {
        let mut world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.unsaved = false;
        serde_json::to_vec(&Saved { exam: world.kept_account(), classin: &world.classin })
            .map_err(|source| SandboxError::StateFormat { path: path.clone(), source })?
    };
    replace(path, &text).map_err(|source| {
        shared.world.lock().unwrap_or_else(PoisonError::into_inner).unsaved = true;
        SandboxError::StateFile { path: path.clone(), source }
    })
}

fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // The state may be a rehearsal with a real roster, names and passwords included.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(&name)?);
    file.write_all(text)?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&name, path)
}
