//! From the layers as they were written to [`Settings`]: every problem is found before any is reported.
//!
//! Each section is read completely first and put together after, so that one bad key hides no other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::ValueKind;
use secrecy::SecretString;

use crate::files::{Right, folder_of, missing_right, resolved};

use super::credentials::Given;
use super::files;
use super::import;
use super::layers::{LayerValue, LayeredSettings};
use super::manual::{FIELDS, IMPORT};
use super::notify;
use super::parse::{self, Parsed};
use super::problem::{Origin, Problem};
use super::secret_file;
use super::{
    Adopt, ClassinSettings, DemoSettings, Endpoint, ExamSettings, GuardSettings, HttpSettings, ImportProfile,
    Missed, Mode, Removals, ResultsSettings, RetrySettings, RosterQueries, RosterSettings, ScheduleSettings,
    SecretFile, Settings, SettingsError, StateSettings,
};

const MODES: &[(&str, Mode)] = &[
    ("observe", Mode::Observe),
    ("create-only", Mode::CreateOnly),
    ("upsert", Mode::Upsert),
    ("sync", Mode::Sync),
];
const MISSED: &[(&str, Missed)] = &[("run-once", Missed::RunOnce), ("skip", Missed::Skip)];
const ADOPT: &[(&str, Adopt)] = &[("auto", Adopt::Auto), ("never", Adopt::Never)];
const REMOVALS: &[(&str, Removals)] =
    &[("none", Removals::None), ("added", Removals::Added), ("presumed", Removals::Presumed)];

/// Settings that name files of others.
const OTHER_FILES: [&str; 19] = [
    "roster.database",
    "exam.code_file",
    "exam.ca_file",
    "classin.secret_file",
    "classin.ca_file",
    "http.token_file",
    "notify.wecom_url_file",
    "notify.dingtalk_url_file",
    "notify.dingtalk_secret_file",
    "notify.feishu_url_file",
    "notify.feishu_secret_file",
    "notify.slack_url_file",
    "notify.teams_url_file",
    "notify.json_url_file",
    "notify.json_token_file",
    "notify.ping_url_file",
    "notify.mail.password_file",
    "notify.ca_file",
    "demo.sandbox_state",
];

/// Says what the layers mean.
///
/// # Errors
/// All problems of the layers and of their values, sorted by key.
pub(super) fn validate(mut layers: LayeredSettings) -> Result<Settings, SettingsError> {
    let problems = std::mem::take(&mut layers.problems);
    let mut reader = Reader { layers: &layers, problems, secret_files: Vec::new() };
    let settings = settings(&mut reader);
    let mut problems = reader.problems;
    match settings {
        Some(settings) if problems.is_empty() => return Ok(settings),
        _ => {}
    }
    // Whoever mends the rest would hear of these in the next attempt. A rehearsal brings its own, and a file that could
    // not be read may name them.
    if !layers.has_section("demo") && problems.iter().all(|problem| !problem.key.is_empty()) {
        problems.extend(Given::of(&layers).missing());
    }
    for problem in &mut problems {
        problem.line = layers.line(problem);
    }
    problems.sort();
    Err(SettingsError { problems })
}

fn settings(reader: &mut Reader<'_>) -> Option<Settings> {
    let roster = roster(reader);
    let state = reader.path("state.database");
    if let Some(state) = &state {
        reader.require_own_file(state);
    }
    let keep = reader.required("state.keep", parse::duration);
    let mode = reader.required("sync.mode", parse::word(MODES));
    let schedule = schedule(reader);
    let exam = exam(reader);
    let classin = classin(reader);
    let guard = guard(reader);
    let retry = retry(reader);
    let results_cron = reader.optional("results.cron", parse::cron);
    let full_every = reader.required("results.full_every", parse::duration);
    let listen = reader.required("http.listen", parse::listen);
    let token = reader.token("http.token_file");
    let notify = notify::read(reader);
    let import = profiles(reader, [roster.as_ref().map(|roster| &roster.database), state.as_ref()]);
    let demo = demo(reader);
    Some(Settings {
        roster: roster?,
        state: StateSettings { database: state?, keep: keep? },
        mode: mode?,
        schedule: schedule?,
        exam: exam?,
        classin: classin?,
        guard: guard?,
        retry: retry?,
        results: ResultsSettings { cron: results_cron?.map(|(_, cron)| cron), full_every: full_every? },
        http: HttpSettings { listen: listen?, token: token? },
        notify: notify?,
        import: import?.unwrap_or_default(),
        demo: demo?,
        looked_for: Vec::new(),
        secret_files: std::mem::take(&mut reader.secret_files),
    })
}

/// The profiles of imports. A watched folder is one of its own: what lies there is moved.
#[expect(clippy::option_option, reason = "the outer one is `a problem was found`, as everywhere here")]
fn profiles(
    reader: &mut Reader<'_>,
    databases: [Option<&PathBuf>; 2],
) -> Option<Option<BTreeMap<String, ImportProfile>>> {
    let base = reader.folder(IMPORT);
    let profiles = reader.optional(IMPORT, |kind| import::profiles(kind, &base))?;
    let mut seen: Vec<(PathBuf, String)> = Vec::new();
    let files = databases.into_iter().flatten().map(PathBuf::as_path).chain(reader.layers.file());
    let ours: Vec<PathBuf> = files.map(|file| resolved(folder_of(file))).collect();
    for (name, profile) in profiles.iter().flatten() {
        let Some(watch) = &profile.watch else { continue };
        let folder = resolved(&watch.folder);
        let problem = match seen
            .iter()
            .find(|(other, _)| folder.starts_with(other) || other.starts_with(&folder))
        {
            Some((_, other)) => {
                Some(format!("{name}: watch: {other} watches this folder too: give each its own"))
            }
            None if ours.contains(&folder) => Some(format!(
                "{name}: watch: roster, state or configuration lie in this folder: give the files to import one of their own"
            )),
            None => None,
        };
        if let Some(problem) = problem {
            reader.refuse(IMPORT, problem);
            return None;
        }
        seen.push((folder, name.clone()));
    }
    Some(profiles)
}

fn roster(reader: &mut Reader<'_>) -> Option<RosterSettings> {
    let database = reader.path("roster.database");
    let max_age = reader.optional("roster.max_age", parse::duration);
    let students = reader.optional("roster.queries.students", parse::query);
    let groups = reader.optional("roster.queries.groups", parse::query);
    let group_members = reader.optional("roster.queries.group_members", parse::query);
    let classes = reader.optional("roster.queries.classes", parse::query);
    let class_members = reader.optional("roster.queries.class_members", parse::query);
    let queries = RosterQueries {
        students: students?,
        groups: groups?,
        group_members: group_members?,
        classes: classes?,
        class_members: class_members?,
    };
    let is_chosen =
        reader.layers.get("roster.database").is_some_and(|value| !matches!(value.origin, Origin::Default));
    Some(RosterSettings { database: database?, is_chosen, max_age: max_age?, queries })
}

fn schedule(reader: &mut Reader<'_>) -> Option<ScheduleSettings> {
    let cron = reader.required("schedule.cron", parse::cron);
    let time_zone = reader.required("schedule.time_zone", parse::time_zone);
    let missed = reader.required("schedule.missed", parse::word(MISSED));
    let jitter = reader.required("schedule.jitter", parse::duration);
    let blackout = reader.optional("schedule.blackout", parse::blackout);
    let (expression, cron) = cron?;
    Some(ScheduleSettings {
        expression,
        cron,
        time_zone: time_zone?,
        missed: missed?,
        jitter: jitter?,
        blackout: blackout?.unwrap_or_default(),
    })
}

fn exam(reader: &mut Reader<'_>) -> Option<ExamSettings> {
    let enabled = reader.required("exam.enabled", parse::boolean);
    let endpoint = endpoint(reader, "exam");
    let code = reader.secret_of(enabled, "exam.code", "exam.code_file");
    let login_field = reader.required("exam.login_field", parse::login_field);
    let page_size = reader.required("exam.page_size", parse::whole(1..=100));
    let batch_size = reader.required("exam.batch_size", parse::whole(1..=100));
    let verify_groups = reader.required("exam.verify_groups", parse::duration);
    let leavers = reader.required("exam.leavers", parse::leavers);
    let adopt = reader.required("exam.adopt", parse::word(ADOPT));
    let create_groups = reader.required("exam.create_groups", parse::boolean);
    let create_groups_under =
        reader.required("exam.create_groups_under", parse::whole(0..=1_000_000_000_000));
    let delete_grace = reader.required("exam.delete_grace", parse::duration);
    let shared = reader.optional("exam.shared", parse::boolean);
    let fields = reader.required(FIELDS, parse::fields);
    Some(ExamSettings {
        enabled: enabled?,
        endpoint: endpoint?,
        code: code?,
        login_field: login_field?,
        page_size: page_size?,
        batch_size: batch_size?,
        verify_groups: verify_groups?,
        leavers: leavers?,
        adopt: adopt?,
        create_groups: create_groups?,
        create_groups_under: create_groups_under?,
        delete_grace: delete_grace?,
        shared: shared?,
        fields: fields?,
    })
}

fn endpoint(reader: &mut Reader<'_>, section: &str) -> Option<Endpoint> {
    let base_url = reader.required(&format!("{section}.base_url"), parse::base_url);
    let requests_per_second = reader.required(&format!("{section}.requests_per_second"), parse::rate);
    let max_in_flight = reader.required(&format!("{section}.max_in_flight"), parse::whole(1..=64));
    let timeout = reader.required(&format!("{section}.timeout"), parse::deadline);
    let ca_file = reader.readable_file(&format!("{section}.ca_file"));
    Some(Endpoint {
        base_url: base_url?,
        requests_per_second: requests_per_second?,
        max_in_flight: max_in_flight?,
        timeout: timeout?,
        ca_file: ca_file?,
    })
}

fn classin(reader: &mut Reader<'_>) -> Option<ClassinSettings> {
    let enabled = reader.required("classin.enabled", parse::boolean);
    let endpoint = endpoint(reader, "classin");
    let sid = reader.optional("classin.sid", parse::identifier);
    let secret = reader.secret_of(enabled, "classin.secret", "classin.secret_file");
    let batch_size = reader.required("classin.batch_size", parse::whole(1..=30));
    let register = reader.required("classin.register", parse::boolean);
    let home_country = reader.required("classin.home_country", parse::home_country);
    let removals = reader.required("classin.removals", parse::word(REMOVALS));
    let verify_calls = reader.required("classin.verify_calls", parse::whole(0..=100_000));
    Some(ClassinSettings {
        enabled: enabled?,
        endpoint: endpoint?,
        sid: sid?,
        secret: secret?,
        batch_size: batch_size?,
        register: register?,
        home_country: home_country?,
        removals: removals?,
        verify_calls: verify_calls?,
    })
}

fn guard(reader: &mut Reader<'_>) -> Option<GuardSettings> {
    let max_delete = reader.required("guard.max_delete", parse::limit);
    let max_modify = reader.required("guard.max_modify", parse::limit);
    let max_move = reader.required("guard.max_move", parse::limit);
    let max_group = reader.required("guard.max_group", parse::limit);
    let min_roster = reader.required("guard.min_roster", parse::whole(0..=1_000_000_000));
    Some(GuardSettings {
        max_delete: max_delete?,
        max_modify: max_modify?,
        max_move: max_move?,
        max_group: max_group?,
        min_roster: min_roster?,
    })
}

fn retry(reader: &mut Reader<'_>) -> Option<RetrySettings> {
    let max_attempts = reader.required("retry.max_attempts", parse::whole(1..=1000));
    let first_delay = reader.required("retry.first_delay", parse::duration);
    let max_delay = reader.required("retry.max_delay", parse::duration);
    let (first_delay, max_delay) = (first_delay?, max_delay?);
    if max_delay < first_delay {
        reader
            .refuse("retry.max_delay", "it is shorter than retry.first_delay: make it the longer of the two");
    }
    Some(RetrySettings { max_attempts: max_attempts?, first_delay, max_delay })
}

#[expect(clippy::option_option, reason = "the outer one is `a problem was found`, as everywhere here")]
fn demo(reader: &mut Reader<'_>) -> Option<Option<DemoSettings>> {
    if !reader.layers.has_section("demo") {
        return Some(None);
    }
    let students = reader.required("demo.students", parse::whole(1..=1_000_000));
    let seed = reader.required("demo.seed", parse::whole(0..=u64::MAX));
    let sandbox_state = reader.path("demo.sandbox_state");
    Some(Some(DemoSettings { students: students?, seed: seed?, sandbox_state: sandbox_state? }))
}

/// Reads values by key and collects problems. `None` always means that a problem was noted.
pub(super) struct Reader<'a> {
    pub(super) layers: &'a LayeredSettings,
    problems: Vec<Problem>,
    /// The files that secrets were read from.
    secret_files: Vec<SecretFile>,
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, key: &str, message: impl Into<String>) {
        let origin = self.layers.get(key).map_or(Origin::Unset, |value| value.origin.clone());
        self.problems.push(Problem { key: key.to_owned(), origin, message: message.into(), line: None });
    }

    pub(super) fn accept<T>(&mut self, key: &str, parsed: Parsed<T>) -> Option<T> {
        parsed.map_err(|message| self.refuse(key, message)).ok()
    }

    /// A value that some layer must give.
    pub(super) fn required<T>(&mut self, key: &str, parse: impl Fn(&ValueKind) -> Parsed<T>) -> Option<T> {
        let found = self.optional(key, parse)?;
        if found.is_none() {
            self.refuse(key, "it is missing: give it a value");
        }
        found
    }

    /// A value that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&ValueKind) -> Parsed<T>,
    ) -> Option<Option<T>> {
        match self.layers.get(key) {
            Some(value) => self.accept(key, parse(&value.kind)).map(Some),
            None => Some(None),
        }
    }

    fn path(&mut self, key: &str) -> Option<PathBuf> {
        let path = self.required(key, parse::text)?;
        Some(self.folder(key).join(path))
    }

    /// Refuses a state database that is another file of the configuration too: a run would write over it.
    fn require_own_file(&mut self, state: &Path) {
        const KEY: &str = "state.database";
        let way_out = "enter a path of its own for it, such as state.db";
        for key in OTHER_FILES {
            let Some(other) = self.layers.get(key).and_then(|value| parse::text(&value.kind).ok()) else {
                continue;
            };
            let other = self.folder(key).join(other);
            if files::collide(state, &other) {
                // The path of a secret's file stays unsaid: it may be the secret itself by mistake.
                self.refuse(KEY, format!("rosterd would write to the file that {key} names: {way_out}"));
            }
        }
        let configuration = self.layers.file().filter(|file| files::collide(state, file));
        if configuration.is_some() {
            self.refuse(KEY, format!("rosterd would write to the configuration file itself: {way_out}"));
        }
    }

    /// A file that must open, if one is named at all.
    pub(super) fn readable_file(&mut self, key: &str) -> Option<Option<PathBuf>> {
        let Some(path) = self.optional(key, parse::text)? else {
            return Some(None);
        };
        let path = self.folder(key).join(path);
        let opened = secret_file::open_regular(&path).map_err(|error| self.unreadable(key, &error));
        self.accept(key, opened)?;
        Some(Some(path))
    }

    /// The secret of a service. That of one that is switched off may be blank: the unit files hand over such a file where
    /// there is none.
    fn secret_of(&mut self, is_on: Option<bool>, key: &str, file_key: &str) -> Option<Option<SecretString>> {
        if is_on == Some(false) && self.is_blank(file_key) { Some(None) } else { self.secret(key, file_key) }
    }

    fn is_blank(&self, file_key: &str) -> bool {
        let path = self.layers.get(file_key).and_then(|value| parse::text(&value.kind).ok());
        path.is_some_and(|path| secret_file::is_blank(&self.folder(file_key).join(path)))
    }

    /// A secret, given itself or by the file that holds it; the later layer wins.
    pub(super) fn secret(&mut self, key: &str, file_key: &str) -> Option<Option<SecretString>> {
        match (self.layers.get(key), self.layers.get(file_key)) {
            (None, None) => Some(None),
            (Some(given), Some(file)) if same_layer(given, file) => {
                self.refuse(key, format!("{file_key} is given too: keep one of them"));
                None
            }
            (Some(given), Some(file)) if rank(file) > rank(given) => self.secret_file(file_key),
            (None, Some(_)) => self.secret_file(file_key),
            (Some(given), _) => {
                let secret = self.accept(key, parse::secret(&given.kind))?;
                Some(Some(SecretString::from(secret)))
            }
        }
    }

    /// A token of our own, from the file that holds it.
    fn token(&mut self, key: &str) -> Option<Option<SecretString>> {
        if self.layers.get(key).is_none() {
            return Some(None);
        }
        let token = self.secret_file(key)?;
        let is_good = token.as_ref().map_or(Ok(()), secret_file::require_token);
        self.accept(key, is_good)?;
        Some(token)
    }

    fn secret_file(&mut self, key: &str) -> Option<Option<SecretString>> {
        let path = self.path(key)?;
        let content = secret_file::read(&path).map_err(|error| self.unreadable(key, &error));
        let content = self.accept(key, content)?;
        let secret = self.accept(key, content)?;
        self.secret_files.push(SecretFile { key: key.to_owned(), path });
        Some(Some(SecretString::from(secret)))
    }

    /// The message for a file that does not open. It names the file only where there is one, because the setting may hold a
    /// secret by mistake.
    fn unreadable(&self, key: &str, error: &std::io::Error) -> String {
        let folder = self.folder(key);
        let path = self.layers.get(key).and_then(|value| parse::text(&value.kind).ok());
        let path = path.map(|path| folder.join(path)).filter(|path| path.is_file());
        if let Some(missing) = path.and_then(|path| missing_right(Right::Read, &path)) {
            return missing;
        }
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        format!("the file cannot be read ({error}); a relative path starts at {}", folder.display())
    }

    fn folder(&self, key: &str) -> PathBuf {
        self.layers.get(key).map(|value| value.folder.clone()).unwrap_or_default()
    }
}

fn same_layer(one: &LayerValue, other: &LayerValue) -> bool {
    rank(one) == rank(other)
}

/// The place of a value's layer: later ones win.
fn rank(value: &LayerValue) -> u8 {
    match value.origin {
        Origin::Unset => 0,
        Origin::Default => 1,
        Origin::File(_) => 2,
        Origin::Environment(_) => 3,
    }
}
