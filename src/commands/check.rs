//! `check`: configuration, databases, credentials, fields and clock, without a write anywhere.

use std::path::Path;

use serde::Serialize;

use super::{inbox, output};
use crate::app::{App, AppError, classin_probe, classin_side, exam_side};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::files;
use crate::notify::Target;
use crate::remote::classin::{ClassinDisposition, ClassinError, StopCause};
use crate::run::{
    RosterCheck, check_classin_account, check_exam_account, check_exam_fields, check_roster,
    configured_accounts, in_one_line, living_group_of_leavers, login_column, moment,
};
use crate::settings::{SecretFile, Settings};
use crate::store::{StateFile, StateStore};
use rosterd_core::counted::counted;
use rosterd_core::failure::Service;

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    /// Nothing that stops a start or a run, and all the same to be looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    warning: bool,
    detail: String,
}

#[derive(Default, Serialize)]
struct Findings {
    ok: bool,
    findings: Vec<Finding>,
    #[serde(skip)]
    exit: Exit,
}

impl Findings {
    fn good(&mut self, what: &'static str, detail: impl Into<String>) {
        self.findings.push(Finding { what, ok: true, warning: false, detail: detail.into() });
    }

    fn warn(&mut self, what: &'static str, detail: impl Into<String>) {
        self.findings.push(Finding { what, ok: true, warning: true, detail: detail.into() });
    }

    fn bad(&mut self, what: &'static str, exit: Exit, detail: impl Into<String>) {
        self.exit = self.exit.worst(exit);
        self.findings.push(Finding { what, ok: false, warning: false, detail: detail.into() });
    }
}

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

pub(super) async fn run(cli: &Cli, reach: Reach) -> Result<Exit, AppError> {
    let mut findings = Findings::default();
    let opened = match Settings::load_from_environment(cli.config.as_deref()) {
        Ok(settings) => {
            findings.good("configuration", format!("mode {}", settings.mode.as_str()));
            credentials(&settings, &mut findings);
            if let Some(what) = settings.http.unseen_pages() {
                findings.warn("status page", what);
            }
            notifications(&settings, &mut findings);
            match reach {
                Reach::ConfigurationAlone => None,
                Reach::Offline | Reach::Everything => open(settings, &mut findings).await,
            }
        }
        Err(error) => {
            findings.bad("configuration", Exit::Configuration, error.to_string());
            None
        }
    };
    if let Some(opened) = &opened {
        look(opened, reach == Reach::Offline, &mut findings).await?;
        opened.app.state.close().await;
    }
    findings.ok = findings.exit == Exit::Done;
    output::show(cli, &findings, text);
    Ok(findings.exit)
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

async fn open(settings: Settings, findings: &mut Findings) -> Option<Opened> {
    const WHAT: &str = "state database";
    let database = settings.state.database.clone();
    let path = database.display();
    match App::for_reading(settings).await {
        Ok((app, found)) => {
            if let Err(error) = app.state.require_sound().await {
                let error = AppError::from(error);
                findings.bad(WHAT, error.exit(), in_one_line(&error));
                app.state.close().await;
                return None;
            }
            match found {
                StateFile::Absent => match why_not_created(&database) {
                    Some(why) => {
                        findings.bad(WHAT, Exit::Configuration, format!("{path} cannot be created: {why}"));
                    }
                    None => {
                        findings.good(WHAT, format!("{path} is not there yet: the first run creates it"));
                    }
                },
                StateFile::Older => {
                    let what = format!("{path} is of an older version: the next run brings it up to date");
                    findings.good(WHAT, what);
                }
                StateFile::Current => findings.good(WHAT, path.to_string()),
            }
            // One that was put back by hand has the rights of the copy.
            if let Some(mode) = files::mode(&database).filter(|mode| mode & 0o077 != 0) {
                findings.warn(
                    WHAT,
                    format!(
                        "{path} has mode {mode:04o} and holds login values and results: chmod 600 {path}"
                    ),
                );
            }
            Some(Opened { app, has_state: found != StateFile::Absent })
        }
        Err(error) => {
            findings.bad(WHAT, error.exit(), in_one_line(&error));
            None
        }
    }
}

/// Why the first run cannot create the state database, with what to do.
fn why_not_created(path: &Path) -> Option<String> {
    if nearest_folder(path).is_none() {
        return Some("state.database is not in a folder: enter a path below one".to_owned());
    }
    StateStore::missing_right(path)
}

/// What there is to look at.
struct Opened {
    app: App,
    /// Whether a run has left a state.
    has_state: bool,
}

fn credentials(settings: &Settings, findings: &mut Findings) {
    for SecretFile { key, path } in &settings.secret_files {
        let Some((owner, mode)) = files::owner(path).zip(files::mode(path)) else { continue };
        let who = match mode {
            mode if mode & 0o002 != 0 => "everybody on this machine may write it: chmod 600",
            mode if mode & 0o004 != 0 => "everybody on this machine may read it: chmod 600",
            mode if mode & 0o070 != 0 => "its owner's group may use it",
            _ => "its owner's alone",
        };
        findings.good("credentials", format!("{key}: user {owner}, mode {mode:04o}: {who}"));
    }
    for problem in settings.missing_credentials() {
        findings.bad("credentials", Exit::Configuration, problem.to_string());
    }
}

/// Who is told when something is the matter. Whether messages arrive is tried by `notify --test`.
fn notifications(settings: &Settings, findings: &mut Findings) {
    let notify = &settings.notify;
    let targets: Vec<String> =
        Target::all(notify).map(|target| format!("{} ({})", target.word(), target.place(notify))).collect();
    if !targets.is_empty() {
        findings.good("notifications", format!("{}; try them: rosterd notify --test", targets.join(", ")));
    }
}

async fn look(opened: &Opened, offline: bool, findings: &mut Findings) -> Result<(), AppError> {
    let Opened { app, has_state } = opened;
    roster(app, findings).await?;
    watched_folders(app, findings);
    let missing = app.settings.missing_credentials();
    if !offline && missing.is_empty() {
        exam(app, findings).await?;
        classin(app, findings).await?;
    }
    if missing.is_empty() && *has_state {
        exam_account(app, offline, findings).await?;
        classin_account(app, findings).await?;
    }
    Ok(())
}

/// Folders whose files are imported by themselves. A trouble there stops no run.
fn watched_folders(app: &App, findings: &mut Findings) {
    for inbox::Standing { profile, folder, waiting, troubles } in
        inbox::standing(&app.settings, app.clock.now_ms())
    {
        let what = format!("import {profile}: {}", folder.display());
        if troubles.is_empty() {
            let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
            findings.good("watched folder", format!("{what}: {}", counted(waiting, "waiting file")));
        } else {
            findings.bad("watched folder", Exit::Configuration, format!("{what}: {}", troubles.join("; ")));
        }
    }
}

/// Which account the state belongs to. Another address or code is proved by look-ups, so not offline.
async fn exam_account(app: &App, offline: bool, findings: &mut Findings) -> Result<(), AppError> {
    const WHAT: &str = "exam account";
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(()) };
    if offline {
        let account = configured_accounts(Some(&side), None, &app.state.planner_key().await?).exam;
        let remembered = app.state.remembered_account(Service::Exam).await?;
        let detail = match (remembered, account) {
            (Some(remembered), Some(account)) if remembered.fingerprint == account.fingerprint => {
                let since = moment(remembered.since_ms);
                format!("the state belongs to the account at {} since {since}", remembered.host)
            }
            _ => "not told offline: look-ups prove whether the state belongs to this account".to_owned(),
        };
        findings.good(WHAT, detail);
        return Ok(());
    }
    match check_exam_account(&side, &app.state).await {
        Ok(detail) => findings.good(WHAT, detail),
        Err(error) => findings.bad(WHAT, error.severity().into(), in_one_line(&error)),
    }
    Ok(())
}

async fn classin_account(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    const WHAT: &str = "ClassIn school";
    let Some(side) = classin_side(&app.settings, &app.clock)? else { return Ok(()) };
    match check_classin_account(&side, &app.state).await {
        Ok(detail) => findings.good(WHAT, detail),
        Err((severity, sentence)) => findings.bad(WHAT, severity.into(), sentence),
    }
    Ok(())
}

/// The number of unusable rows that are named.
const NAMED_ROWS: usize = 10;

async fn roster(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    // Without an exam side no column holds a login value.
    let column = match exam_side(&app.settings, &app.clock)? {
        Some(side) => login_column(&side, &app.state).await?,
        None => None,
    };
    let fields = &app.settings.exam.fields;
    let login_at = column.as_deref().and_then(|column| {
        fields.iter().position(|mapping| mapping.column == column).map(|place| (place, column))
    });
    let read = match app.roster().await {
        Ok(roster) => {
            let check = check_roster(&roster, login_at, app.settings.guard.min_roster).await;
            let copied = roster.why_copied().await;
            roster.close().await;
            check.map(|check| (check, copied))
        }
        Err(error) => Err(error),
    };
    match read {
        Ok((check, copied)) => {
            findings.good("roster", roster_text(&check, copied));
            group_of_leavers(app, findings).await?;
        }
        Err(error) => {
            let line = in_one_line(&error);
            findings.bad("roster", AppError::from(error).exit(), line);
        }
    }
    Ok(())
}

/// Leavers are put among nobody who stays.
async fn group_of_leavers(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(()) };
    let roster = app.roster().await?;
    let living = living_group_of_leavers(&roster, &side).await;
    roster.close().await;
    if let Some(living) = living? {
        findings.bad("leavers", Exit::Configuration, living.to_string());
    }
    Ok(())
}

fn roster_text(check: &RosterCheck, copied: Option<&str>) -> String {
    let RosterCheck { active, problems } = check;
    let mut text = counted(*active, "active student");
    if let Some(why) = copied {
        text.push_str(&format!(" (read from a private copy: {why})"));
    }
    if problems.is_empty() {
        return text;
    }
    let rows = u64::try_from(problems.len()).unwrap_or(u64::MAX);
    text.push_str(&format!(", and {} that cannot be used as they are:", counted(rows, "row")));
    for problem in problems.iter().take(NAMED_ROWS) {
        text.push_str(&format!("\n{problem}"));
    }
    if problems.len() > NAMED_ROWS {
        text.push_str(&format!("\nand {} more", problems.len() - NAMED_ROWS));
    }
    text
}

async fn exam(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(()) };
    let roster = app.roster().await.ok();
    match check_exam_fields(&side, &app.state, roster.as_ref()).await {
        Ok(detail) => findings.good("exam side", detail),
        Err(error) => findings.bad("exam side", error.severity().into(), in_one_line(&error)),
    }
    Ok(())
}

async fn classin(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    let Some(probe) = classin_probe(&app.settings, &app.clock)? else { return Ok(()) };
    match probe.prove().await {
        Ok(clock) => {
            let detail = match clock.ahead_seconds() {
                Some(0) => "credentials accepted, our clock agrees with theirs".to_owned(),
                Some(seconds) => format!("credentials accepted, our clock is {seconds} s ahead of theirs"),
                None => "credentials accepted".to_owned(),
            };
            findings.good("ClassIn", detail);
        }
        Err(error) => {
            findings.bad("ClassIn", classin_exit(&error), in_one_line(&error));
        }
    }
    Ok(())
}

/// What a check of ClassIn's credentials that failed means for whoever asked for it.
pub(super) fn classin_exit(error: &ClassinError) -> Exit {
    match error.disposition() {
        ClassinDisposition::Stop(StopCause::Credentials) => Exit::Credentials,
        ClassinDisposition::Stop(StopCause::Settings) => Exit::Configuration,
        ClassinDisposition::Stop(StopCause::Temporary)
        | ClassinDisposition::Retry { .. }
        | ClassinDisposition::RetryThenStop
        | ClassinDisposition::SmallerBatch => Exit::Temporary,
    }
}

fn text(findings: &Findings) -> String {
    let lines: Vec<String> = findings
        .findings
        .iter()
        .map(|finding| {
            let word = match finding {
                Finding { ok: false, .. } => "FAIL",
                Finding { warning: true, .. } => "warn",
                Finding { .. } => "ok  ",
            };
            format!("{word}  {}: {}", finding.what, finding.detail.trim_end().replace('\n', "\n      "))
        })
        .collect();
    lines.join("\n")
}
