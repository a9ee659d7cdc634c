//! Who may do what with the files that a run uses, as its service would, and whether their disks have room.

use std::path::{Path, PathBuf};

use super::finding::{Finding, Findings, Group};
use super::mode_rights::mode_lets;
use crate::files::{self, Right};
use crate::settings::{ConfigSource, SecretFile, Settings};
use rosterd_core::counted::in_bytes;
use rosterd_core::failure::FailureOwner;
use rosterd_core::roster::shell_word;

const RIGHTS: &str = "rights";
const DISK: &str = "disk";

/// What a new state database needs before it holds anybody.
const NEW_STATE_BYTES: u64 = 2 * 1024 * 1024;

/// Everybody on the machine may write it.
const WRITTEN_BY_ALL: u32 = 0o002;

/// Who may write into the folder may not take away what others have put there.
const STICKY: u32 = 0o1000;

/// A file that a run uses.
struct Used {
    what: String,
    path: PathBuf,
    right: Right,
}

/// Modes and owners of configuration, secrets, state and roster, and of their folders.
pub(super) fn rights(settings: &Settings, config: Option<&Path>, findings: &mut Findings) {
    let before = findings.findings.len();
    let used = used(settings, config);
    for Used { what, path, .. } in used.iter().filter(|used| is_written_by_all(&used.path)) {
        let name = path.display();
        let detail = format!(
            "everybody on this machine may write {name} ({what}): whoever does decides what rosterd does"
        );
        let command = format!("chmod o-w {}", shell_word(&name.to_string()));
        let told = format!("everybody on the machine may write {what}");
        findings.add(
            Finding::warn(Group::Files, RIGHTS, detail).mended_by(FailureOwner::It, [command]).told_as(told),
        );
    }
    let state = &settings.state.database;
    for (what, folder, is_safe_if_sticky) in [
        // A log with the name of the state's own could be put beside it.
        ("the state", files::folder_of(state), false),
        ("the roster", files::folder_of(&settings.roster.database), true),
    ] {
        let Some(mode) = files::mode(folder).filter(|mode| mode & WRITTEN_BY_ALL != 0) else { continue };
        if is_safe_if_sticky && mode & STICKY != 0 {
            continue;
        }
        let name = folder.display();
        let detail = format!("everybody on this machine may put files into {name}, beside {what}");
        let command = format!("chmod o-w {}", shell_word(&name.to_string()));
        let told = format!("everybody on the machine may write the folder of {what}");
        findings.add(
            Finding::warn(Group::Files, RIGHTS, detail).mended_by(FailureOwner::It, [command]).told_as(told),
        );
    }
    for_the_service(&used, state, findings);
    if findings.findings.len() == before {
        let detail = "nobody else may write configuration, secrets, state or roster";
        findings.add(Finding::good(Group::Files, RIGHTS, detail).told_as_it_is());
    }
}

fn used(settings: &Settings, config: Option<&Path>) -> Vec<Used> {
    let source = config.map_or(ConfigSource::Standard, |path| ConfigSource::File(path.to_owned()));
    let config = source.path().map(|path| ("the configuration".to_owned(), path, Right::Read));
    let secrets = settings
        .secret_files
        .iter()
        .map(|SecretFile { key, path }| (format!("the file of {key}"), path.clone(), Right::Read));
    let databases = [
        ("the state".to_owned(), settings.state.database.clone(), Right::Write),
        ("the roster".to_owned(), settings.roster.database.clone(), Right::Read),
    ];
    config
        .into_iter()
        .chain(secrets)
        .chain(databases)
        .map(|(what, path, right)| Used { what, path, right })
        .filter(|used| used.path.exists())
        .collect()
}

fn is_written_by_all(path: &Path) -> bool {
    // Devices and pipes are nobody's configuration; who may write them is another matter.
    path.is_file() && files::mode(path).is_some_and(|mode| mode & WRITTEN_BY_ALL != 0)
}

/// Root may do everything, so what root sees says nothing of the service: the state's owner is who it works as.
fn for_the_service(used: &[Used], state: &Path, findings: &mut Findings) {
    let owner = files::owner(state).or_else(|| files::owner(files::folder_of(state)));
    let Some(service) = owner.filter(|owner| files::effective_user() == 0 && *owner != 0) else { return };
    for Used { what, path, right } in used {
        if mode_lets(service, *right, path) != Some(false) {
            continue;
        }
        let name = path.display();
        let detail = format!(
            "{name} ({what}) belongs to others: user {service}, to whom the state belongs, has no right to use it, though root has"
        );
        let commands = match right {
            // The school's own program must go on writing its roster.
            Right::Read if what.ends_with("roster") => Vec::new(),
            Right::Read | Right::Write | Right::Enter => {
                vec![format!("chown {service} {}", shell_word(&name.to_string()))]
            }
        };
        let told = format!("user {service}, to whom the state belongs, has no right to use {what}");
        findings.add(
            Finding::warn(Group::Files, RIGHTS, detail).mended_by(FailureOwner::It, commands).told_as(told),
        );
    }
}

/// Whether the disks of state and roster have room for one more copy of the state: what a backup, an upgrade and an import need.
/// `copy`: what such a copy has; absent where there is no state yet.
pub(super) fn disk(settings: &Settings, copy: Option<u64>, findings: &mut Findings) {
    let needed = copy.unwrap_or(0).max(NEW_STATE_BYTES);
    let places = [("state", &settings.state.database), ("roster", &settings.roster.database)];
    let mut is_short = false;
    for (what, path) in places {
        let Some(folder) = super::nearest_folder(path) else { continue };
        let Some(free) = files::room_in(folder).filter(|free| *free < needed) else { continue };
        is_short = true;
        let figures = format!(
            "{} are free beside the {what}, and one copy of the state needs {}",
            in_bytes(free),
            in_bytes(needed)
        );
        let detail = format!("{figures}: make room on the disk of {}, before it is full", folder.display());
        let command = format!("df -h {}", shell_word(&folder.display().to_string()));
        findings.add(
            Finding::warn(Group::Files, DISK, detail).mended_by(FailureOwner::It, [command]).told_as(figures),
        );
    }
    if !is_short {
        let detail = "room for one more copy of the state, beside it and beside the roster";
        let told = format!("{detail} ({})", in_bytes(needed));
        findings.add(Finding::good(Group::Files, DISK, detail).told_as(told));
    }
}
