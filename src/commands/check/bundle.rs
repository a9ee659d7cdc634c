//! `check --bundle`: one plain text with what a support mail needs. Plain text, because whoever sends it must be able to read
//! all of it first. What goes in is chosen line by line: numbers, moments and words of ours. Nothing that a person, a group or an
//! account is known by goes in, nor any sentence that could name one.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::bail;
use serde_json::Value;

use super::bundle_settings;
use super::finding::Findings;
use super::text::lines_of;
use crate::app::App;
use crate::cli::VERSION;
use crate::clock::Clock;
use crate::commands::health;
use crate::commands::new_file::{Existing, NewFile};
use crate::files;
use crate::run::moment;
use crate::settings::{Settings, SettingsError};
use crate::store::{PLAN, RunRow, StoreError};
use rosterd_core::counted::in_bytes;
use rosterd_core::failure::FailureCode;
use rosterd_core::situation::Situation;

/// Runs that are told.
const RUNS: u32 = 20;

/// Runs and plans among which they are looked for.
const LOOKED_AT: u32 = 60;

/// A word of ours is not longer.
const LONGEST_WORD: usize = 40;

const HEAD: &str = "\
rosterd support bundle

Read it before you send it. It holds settings, figures, moments and words of
rosterd's own. It is made to hold nothing that a student, a group or an account
is known by, no password and no secret. Paths and addresses of services are in
it as they are configured.";

/// Begins the file: new, for its owner alone, and in place only once it is whole.
///
/// # Errors
/// Where anything is there, or no file can be created.
pub(super) fn begin(
    settings: Option<&Settings>,
    config: Option<&Path>,
    path: &Path,
) -> anyhow::Result<NewFile> {
    if path.is_file() {
        bail!(
            "{} is there already, and a bundle is written over nothing: name another file, as in rosterd check --bundle \
             rosterd-bundle-$(date +%F).txt",
            path.display()
        );
    }
    match settings {
        Some(settings) => NewFile::create(settings, config, path, Existing::Kept),
        None => NewFile::begin(path, Existing::Kept),
    }
}

/// Writes all of it and puts it into its place.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn write(
    mut file: NewFile,
    settings: Result<&Settings, &SettingsError>,
    findings: &Findings,
    facts: &[String],
) -> anyhow::Result<()> {
    let mut text = vec![HEAD.to_owned()];
    text.push(section("Program and machine", program()));
    text.push(section(
        "Configuration",
        match settings {
            Ok(settings) => bundle_settings::lines(settings),
            Err(error) => unreadable(error),
        },
    ));
    let looks =
        findings.findings.iter().flat_map(|finding| lines_of(&finding.of_strangers(), &finding.told()));
    text.push(section("What check found", looks.collect()));
    text.extend(facts.iter().cloned());
    writeln!(file, "{}", text.join("\n\n"))?;
    file.put_in_place()
}

fn section(title: &str, lines: Vec<String>) -> String {
    let lines = if lines.is_empty() { vec!["nothing".to_owned()] } else { lines };
    format!("== {title} ==\n{}", lines.join("\n"))
}

fn unreadable(error: &SettingsError) -> Vec<String> {
    // The sentence may repeat a value.
    error.problems.iter().map(|problem| format!("refused: {}", known_key(&problem.key))).collect()
}

/// A key as the configuration that ships has it. One that it has not may be a value on the wrong side of its `=`.
fn known_key(key: &str) -> String {
    const SHIPPED: &str = include_str!("../../../config/default.toml");
    let lines = || SHIPPED.lines().map(|line| line.trim_start_matches(['#', ' ']));
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    let is_section = lines().any(|line| line.trim_end() == format!("[{section}]"));
    let last = rest.rsplit('.').next().unwrap_or_default();
    let is_key = !last.is_empty() && lines().any(|line| line.starts_with(&format!("{last} =")));
    match (is_section, is_key) {
        (true, true) if rest == last => key.to_owned(),
        (true, true) => format!("{section}: {last}"),
        (true, false) => format!("{section}: a setting that there is not"),
        (false, _) if key.is_empty() => "a file or the environment".to_owned(),
        (false, _) => "a setting that there is not".to_owned(),
    }
}

fn program() -> Vec<String> {
    let first_line = |path: &str, prefix: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(prefix)).unwrap_or("not told");
        line.trim_matches('"').to_owned()
    };
    let is_container = ["/.dockerenv", "/run/.containerenv"].iter().any(|path| Path::new(path).exists());
    vec![
        format!("rosterd: {VERSION}"),
        format!("made at: {}", moment(Clock::system().now_ms())),
        format!("platform: {} {}", std::env::consts::OS, std::env::consts::ARCH),
        format!("system: {}", first_line("/etc/os-release", "PRETTY_NAME=")),
        format!("kernel: {}", first_line("/proc/sys/kernel/osrelease", "")),
        format!("container: {}", if is_container { "yes" } else { "not told" }),
        format!("user: {}", files::effective_user()),
    ]
}

/// What the state tells. A part that cannot be read says so, and the others are told all the same.
pub(super) async fn facts(app: &App) -> Vec<String> {
    let now_ms = app.clock.now_ms();
    let part = |title: &str, lines: Result<Vec<String>, StoreError>| {
        // The sentence may name a row.
        section(title, lines.unwrap_or_else(|_| vec!["cannot be read".to_owned()]))
    };
    vec![
        part("Databases", databases(app).await),
        part("Rows of the state", rows(app).await),
        part("Situation", situation(app, now_ms).await),
        part("Runs, the newest first", runs(app).await),
        part("Open failures", failures(app).await),
        part("Holds", holds(app, now_ms).await),
    ]
}

async fn databases(app: &App) -> Result<Vec<String>, StoreError> {
    let size = |path: &Path| {
        let kind = files::network_share(path)
            .map_or_else(String::new, |share| format!(", on a network share ({share})"));
        match path.metadata() {
            Ok(file) => format!("{}{kind}", in_bytes(file.len())),
            Err(_) => "not there".to_owned(),
        }
    };
    Ok(vec![
        format!("schema of the state: {}", app.state.schema_version().await?),
        format!("SQLite: {}", app.state.sqlite_version().await?),
        format!("state: {}", size(&app.settings.state.database)),
        format!("its log: {}", size(&files::beside(&app.settings.state.database, "-wal"))),
        format!("roster: {}", size(&app.settings.roster.database)),
    ])
}

async fn rows(app: &App) -> Result<Vec<String>, StoreError> {
    let counts = app.state.row_counts().await?;
    Ok(counts
        .into_iter()
        .filter(|(_, rows)| *rows > 0)
        .map(|(table, rows)| format!("{table}: {rows}"))
        .collect())
}

async fn situation(app: &App, now_ms: i64) -> Result<Vec<String>, StoreError> {
    let facts = health::facts(&app.state, &app.settings, now_ms).await?;
    let situation = Situation::of(&facts, now_ms);
    let mut lines = vec![
        format!("{}, {}", situation.kind.word(), if situation.healthy { "healthy" } else { "not healthy" }),
        format!("last good run: {}", facts.health.last_good_ms.map_or("none".to_owned(), moment)),
        format!("next run: {}", facts.next_run_ms.map_or("none".to_owned(), moment)),
    ];
    lines.extend(situation.matters.iter().map(|matter| {
        let since = matter.since_ms.map_or(String::new(), |since_ms| format!(", since {}", moment(since_ms)));
        format!("{}: {} for {}{since}", word(&matter.kind), matter.count, matter.owner.word())
    }));
    Ok(lines)
}

async fn runs(app: &App) -> Result<Vec<String>, StoreError> {
    let runs = app.state.runs(LOOKED_AT).await?;
    let told = usize::try_from(RUNS).unwrap_or(usize::MAX);
    Ok(runs.iter().filter(|run| run.trigger != PLAN).take(told).map(run).collect())
}

fn run(run: &RunRow) -> String {
    let RunRow { run, trigger, mode, started_at_ms, finished_at_ms, outcome, exit_code, is_good, report } =
        run;
    let lasted = finished_at_ms.map_or("not finished".to_owned(), |at_ms| {
        format!("{} s", at_ms.saturating_sub(*started_at_ms) / 1000)
    });
    let exit = exit_code.map_or("none".to_owned(), |code| code.to_string());
    format!(
        "{}: {} {} {} {}, {lasted}, exit {exit}{}{}",
        run.0,
        moment(*started_at_ms),
        word(trigger),
        word(mode),
        word(outcome.as_deref().unwrap_or("cut-off")),
        if *is_good { ", good" } else { "" },
        report.as_deref().map(figures).unwrap_or_default()
    )
}

/// How many operations ended in which way, of both services.
fn figures(report: &str) -> String {
    let Ok(report) = serde_json::from_str::<Value>(report) else { return String::new() };
    let mut text = String::new();
    for service in ["exam", "classin"] {
        for ending in ["applied", "failed", "held", "unknown", "skipped"] {
            let kinds = report.get(service).and_then(|part| part.get(ending)).and_then(Value::as_object);
            let sum: u64 = kinds.into_iter().flat_map(|kinds| kinds.values()).filter_map(Value::as_u64).sum();
            if sum > 0 {
                text.push_str(&format!(", {service} {ending} {sum}"));
            }
        }
    }
    text
}

async fn failures(app: &App) -> Result<Vec<String>, StoreError> {
    let mut counts: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for row in app.state.open_failures().await? {
        let code = FailureCode::parse(&row.code);
        let is_known = !matches!(code, FailureCode::Other(_));
        let code = if is_known { code.to_string() } else { "another code".to_owned() };
        let state = serde_json::to_value(row.state).ok();
        let state = state.as_ref().and_then(Value::as_str).map_or("waiting", |state| word(state));
        let key = format!("{} {code} {state} for {}", row.service.as_str(), row.owner);
        let (count, most) = counts.entry(key).or_default();
        *count += 1;
        *most = (*most).max(row.attempts);
    }
    Ok(counts
        .into_iter()
        .map(|(key, (count, most))| format!("{key}: {count}, at most {most} tries"))
        .collect())
}

async fn holds(app: &App, now_ms: i64) -> Result<Vec<String>, StoreError> {
    let holds = app.state.standing_holds(now_ms).await?;
    Ok(holds
        .iter()
        .map(|hold| {
            let limit = hold.limit.map_or(String::new(), |limit| format!(", the limit is {limit}"));
            let approved = if hold.approved_until_ms.is_some() { ", approved" } else { "" };
            format!(
                "{} {}: {}{limit}, since {}{approved}",
                hold.service.as_str(),
                word(&hold.reason),
                hold.operations,
                moment(hold.since_ms)
            )
        })
        .collect())
}

/// A word of ours; what does not look like one may be anybody's.
fn word(text: &str) -> &str {
    let is_ours =
        text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if is_ours { text } else { "(not told)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_there_is_not_is_told_by_its_section_alone() {
        for (key, told) in [
            ("sync.mode", "sync.mode"),
            ("exam.timeout", "exam.timeout"),
            ("exam.code_topsecret", "exam: a setting that there is not"),
            ("notify.https://hooks.example/services/T0/TOKEN", "notify: a setting that there is not"),
            ("Li Hua", "a setting that there is not"),
            ("13800138000.exam", "a setting that there is not"),
            ("", "a file or the environment"),
        ] {
            assert_eq!(known_key(key), told, "{key}");
        }
    }

    #[test]
    fn only_words_of_ours_are_told() {
        for ours in ["sync-now", "group-refused", "converged"] {
            assert_eq!(word(ours), ours);
        }
        for other in ["Li Hua", "s001", "高一", "Mark", &"a".repeat(41)] {
            assert_eq!(word(other), "(not told)");
        }
    }

    #[test]
    fn of_a_report_figures_alone_are_told() {
        let report = r#"{"exam": {"applied": {"add": 3, "move": 1}, "failed": {"add": 2}, "errors": ["Li Hua"]},
                         "classin": {"held": {"remove": 4}, "applied": {}}, "digest": "abc"}"#;
        assert_eq!(figures(report), ", exam applied 4, exam failed 2, classin held 4");
        assert_eq!(figures("Li Hua"), "");
    }
}
