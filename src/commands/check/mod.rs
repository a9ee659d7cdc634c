//! `check`: everything that a run needs, looked at without a write anywhere. One file a look; each says what it found, who mends
//! it and what to type.

mod bundle;
mod bundle_settings;
mod files;
mod finding;
mod mode_rights;
mod roster;
mod schedule;
mod services;
mod state;
mod text;

use std::path::Path;

use self::finding::{Finding, Findings, Group};
use self::schedule::Costs;
pub(super) use self::services::classin_exit;
use self::state::Opened;
use super::{inbox, output};
use crate::app::AppError;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::notify::Target;
use crate::run::in_one_line;
use crate::settings::{SecretFile, Settings};
use rosterd_core::failure::FailureOwner;

/// Databases that are larger are not looked through for damage: that reads every page of them.
const LOOKED_THROUGH_BYTES: u64 = 1024 * 1024 * 1024;

/// How far a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The configuration and its secrets: what a start needs. A roster that is not there yet is the next run's business.
    ConfigurationAlone,
    /// The databases too.
    Offline,
    /// And the services.
    Everything,
}

impl Reach {
    /// By the options of the command line.
    pub(super) fn of(config_only: bool, offline: bool) -> Self {
        match (config_only, offline) {
            (true, _) => Self::ConfigurationAlone,
            (false, true) => Self::Offline,
            (false, false) => Self::Everything,
        }
    }
}

/// Looks, and says what was found; with `bundle`, writes what a support mail needs into that file too.
pub(super) async fn run(cli: &Cli, reach: Reach, bundle: Option<&Path>) -> Result<Exit, AppError> {
    let config = cli.config.as_deref();
    let settings = Settings::load_from_environment(config);
    // Before the looks, which may take long: what cannot be written is said at once.
    let file = match bundle {
        Some(path) => Some(bundle::begin(settings.as_ref().ok(), config, path)?),
        None => None,
    };
    let mut findings = Findings::default();
    let mut facts = Vec::new();
    let opened = match &settings {
        Ok(settings) => configured(settings, config, reach, &mut findings).await,
        Err(error) => {
            let (exit, what) = (Exit::Configuration, error.to_string());
            findings.add(Finding::bad(Group::Configuration, "configuration", exit, what));
            None
        }
    };
    if let Some(opened) = &opened {
        // What was found until then is said all the same.
        if let Err(error) = look(opened, reach == Reach::Offline, &mut findings).await {
            findings.add(Finding::bad(Group::State, "looks", error.exit(), in_one_line(&error)));
        }
        if file.is_some() {
            facts = bundle::facts(&opened.app).await;
        }
        opened.app.state.close().await;
    }
    if let Some((file, path)) = file.zip(bundle) {
        bundle::write(file, settings.as_ref(), &findings, &facts)?;
        findings.bundle = Some(path.to_owned());
    }
    output::show(cli, &findings, text::text);
    Ok(findings.exit())
}

/// What a configuration that can be read says, and the state that it names.
async fn configured(
    settings: &Settings,
    config: Option<&Path>,
    reach: Reach,
    findings: &mut Findings,
) -> Option<Opened> {
    let mode = format!("mode {}", settings.mode.as_str());
    findings.add(Finding::good(Group::Configuration, "configuration", mode).told_as_it_is());
    credentials(settings, findings);
    if let Some(what) = settings.http.unseen_pages() {
        findings.add(Finding::warn(Group::Configuration, "status page", what).told_as_it_is());
    }
    notifications(settings, findings);
    if reach == Reach::ConfigurationAlone {
        return None;
    }
    files::rights(settings, config, findings);
    let opened = state::open(settings.clone(), findings).await;
    let copy = match &opened {
        Some(opened) if opened.has_state => opened.app.state.copy_bytes().await.ok(),
        Some(_) | None => None,
    };
    files::disk(settings, copy, findings);
    opened
}

/// The folder that a file, or the folders above it, would be created in; `None` where a file is in the way.
fn nearest_folder(path: &Path) -> Option<&Path> {
    let folders = path.ancestors().skip(1);
    let here =
        |folder: &Path| if folder.as_os_str().is_empty() { Path::new(".").exists() } else { folder.exists() };
    let nearest = folders.into_iter().find(|folder| here(folder))?;
    let nearest = if nearest.as_os_str().is_empty() { Path::new(".") } else { nearest };
    nearest.is_dir().then_some(nearest)
}

fn credentials(settings: &Settings, findings: &mut Findings) {
    const WHAT: &str = "credentials";
    for SecretFile { key, path } in &settings.secret_files {
        let Some((owner, mode)) = crate::files::owner(path).zip(crate::files::mode(path)) else { continue };
        let who = match mode {
            mode if mode & 0o002 != 0 => "everybody on this machine may write it: chmod 600",
            mode if mode & 0o004 != 0 => "everybody on this machine may read it: chmod 600",
            mode if mode & 0o070 != 0 => "its owner's group may use it",
            _ => "its owner's alone",
        };
        let detail = format!("{key}: user {owner}, mode {mode:04o}: {who}");
        findings.add(Finding::good(Group::Configuration, WHAT, detail).told_as_it_is());
    }
    for problem in settings.missing_credentials() {
        let missing = Finding::bad(Group::Configuration, WHAT, Exit::Configuration, problem.to_string());
        findings.add(missing.mended_by(FailureOwner::It, []));
    }
}

/// Who is told when something is the matter. Whether messages arrive is tried by `notify --test`.
fn notifications(settings: &Settings, findings: &mut Findings) {
    let notify = &settings.notify;
    let targets: Vec<String> =
        Target::all(notify).map(|target| format!("{} ({})", target.word(), target.place(notify))).collect();
    if !targets.is_empty() {
        let detail = format!("{}; try them: rosterd notify --test", targets.join(", "));
        let told = rosterd_core::counted::counted_len(targets.len(), "target");
        findings.add(Finding::good(Group::Configuration, "notifications", detail).told_as(told));
    }
}

async fn look(opened: &Opened, offline: bool, findings: &mut Findings) -> Result<(), AppError> {
    let Opened { app, has_state } = opened;
    let read = roster::roster(app, findings).await?;
    roster::watched_folders(app, findings);
    let missing = app.settings.missing_credentials();
    let mut candidates = None;
    if !offline && missing.is_empty() {
        candidates = services::exam(app, findings).await?;
        services::classin(app, findings).await?;
    }
    if missing.is_empty() && *has_state {
        services::exam_account(app, offline, findings).await?;
        services::classin_account(app, findings).await?;
    }
    schedule::schedule(&app.settings, app.clock.now(), findings);
    if let Some((active, shape)) = &read {
        let (linked, enrolled) = (app.state.count_links().await?, app.state.count_enrolments().await?);
        Costs { app, active: *active, shape, candidates, linked, enrolled }.say(findings);
    }
    Ok(())
}
