//! A run's report as a person enjoys reading it.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Deserialize;
use serde_json::Value;

use super::output::way_on;
use super::wall_clock::WallClock;
use crate::run::RunReport;
use rosterd_core::counted::{counted, grouped};
use rosterd_core::failure::FailureOwner;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const HELD: Style = AnsiColor::Yellow.on_default();

/// Kinds in the order in which people think of them, with the sign that the plan uses.
const KINDS: [(&str, char); 10] = [
    ("create", '+'),
    ("adopt", '+'),
    ("add", '+'),
    ("modify", '~'),
    ("move", '>'),
    ("delete", '-'),
    ("register", '+'),
    ("enrol", '+'),
    ("rename", '~'),
    ("remove", '-'),
];

/// A report as it is shown: of the run that has just ended, or as it was stored.
#[derive(Deserialize)]
struct Shown {
    run_id: i64,
    trigger: String,
    mode: String,
    outcome: String,
    started_at: String,
    finished_at: String,
    exit_code: u8,
    #[serde(default)]
    approve: Option<String>,
    #[serde(default)]
    holds: Vec<HoldSection>,
    #[serde(default)]
    attention: BTreeMap<String, ShownAttention>,
    #[serde(default)]
    imports: Vec<ShownImport>,
    exam: ServiceSection,
    classin: ServiceSection,
}

/// One reason for which something is held.
#[derive(Deserialize)]
struct HoldSection {
    reason_code: String,
    operations: u64,
    since: String,
    approve: String,
}

/// What became of a file of a watched folder.
#[derive(Deserialize)]
struct ShownImport {
    profile: String,
    file: String,
    outcome: String,
    what: String,
    #[serde(default)]
    report: Option<String>,
}

impl ShownImport {
    fn is_refused(&self) -> bool {
        self.outcome == "refused"
    }
}

/// What waits for somebody, as a report says it.
#[derive(Deserialize)]
struct ShownAttention {
    what: String,
}

/// One service's part of it. What an older version did not say counts as nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ServiceSection {
    enabled: bool,
    planned: Counts,
    applied: Counts,
    failed: Counts,
    held: Counts,
    unknown: Counts,
    skipped: Counts,
    observed: u64,
    unmanaged: u64,
    students: u64,
    leavers_waiting: u64,
    leavers_kept: u64,
    not_mirrored: u64,
    calls: Counts,
    problems: Vec<String>,
    holds: Vec<String>,
    notes: Vec<String>,
    failures_by_who: Counts,
    errors: Vec<String>,
    /// Absent in reports of older versions.
    complete: Option<bool>,
}

impl ServiceSection {
    /// Whether the run ended before it had read anything of this side.
    fn is_unread(&self) -> bool {
        let Self { complete, observed, students, planned, .. } = self;
        *complete == Some(false) && *observed == 0 && *students == 0 && planned.is_empty()
    }
}

type Counts = BTreeMap<String, u64>;

fn sum(counts: &Counts) -> u64 {
    counts.values().sum()
}

/// The report of a run that has just ended.
pub(super) fn run_text(report: &RunReport, clock: &WallClock) -> String {
    serde_json::to_value(report).map_or_else(|error| error.to_string(), |report| stored_text(&report, clock))
}

/// A report of the history, as it was stored.
pub(super) fn stored_text(report: &Value, clock: &WallClock) -> String {
    match Shown::deserialize(report) {
        Ok(shown) => text(&shown, clock),
        Err(_) => serde_json::to_string_pretty(report).unwrap_or_default(),
    }
}

fn text(report: &Shown, clock: &WallClock) -> String {
    let mut text = String::new();
    let style = match report.exit_code {
        0 => GOOD,
        3 | 4 => HELD,
        _ => BAD,
    };
    let took = took(&report.started_at, &report.finished_at);
    let _infallible = writeln!(
        text,
        "{BOLD}Run {}{BOLD:#}  {style}{}{style:#}  {DIM}{} · {} · mode {} · {took}{DIM:#}",
        report.run_id,
        report.outcome,
        clock.told(&report.started_at),
        report.trigger,
        report.mode
    );
    import_section(&mut text, &report.imports);
    service_section(&mut text, "Exam side", &exam_line(&report.exam), &report.exam);
    service_section(&mut text, "ClassIn", &classin_line(&report.classin), &report.classin);
    for attention in report.attention.values() {
        let _infallible = writeln!(text, "\n{HELD}attention:{HELD:#} {}", attention.what);
    }
    if let Some(approve) = &report.approve {
        let lead_in = way_on(approve);
        let _infallible = writeln!(text, "\n{HELD}{lead_in}:{HELD:#} {approve}");
    }
    for HoldSection { reason_code, operations, since, approve } in &report.holds {
        let _infallible = writeln!(
            text,
            "{DIM}{reason_code}, {}, held since {since}:{DIM:#} {approve}",
            counted(*operations, "operation"),
            since = clock.told(since)
        );
    }
    let _infallible = writeln!(text, "\n{}", closing(report));
    text
}

fn import_section(text: &mut String, imports: &[ShownImport]) {
    if imports.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "\n{BOLD}Roster files{BOLD:#}");
    for import in imports {
        let ShownImport { profile, file, outcome, what, report } = import;
        let style = if import.is_refused() { BAD } else { DIM };
        let what = if what.is_empty() { String::new() } else { format!(": {what}") };
        let see = report.as_ref().filter(|_| import.is_refused()).map(|report| format!(" (see {report})"));
        let _infallible =
            writeln!(text, "  {profile}: {file} {style}{outcome}{style:#}{what}{}", see.unwrap_or_default());
    }
}

fn took(started_at: &str, finished_at: &str) -> String {
    let parse = |text: &str| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    match (parse(started_at), parse(finished_at)) {
        (Some(started), Some(finished)) if finished - started >= 1 => format!("{} s", finished - started),
        _ => "less than a second".to_owned(),
    }
}

fn exam_line(service: &ServiceSection) -> String {
    if service.is_unread() {
        return "not read".to_owned();
    }
    format!(
        "{}, {} listed, {} of them not ours",
        counted(service.students, "student"),
        counted(service.observed, "candidate"),
        grouped(service.unmanaged)
    )
}

fn classin_line(service: &ServiceSection) -> String {
    if service.is_unread() {
        return "not read".to_owned();
    }
    format!("{} remembered before the run", counted(service.observed, "enrolment"))
}

fn service_section(text: &mut String, name: &str, line: &str, service: &ServiceSection) {
    if !service.enabled {
        return;
    }
    let _infallible = writeln!(text, "\n{BOLD}{name}{BOLD:#}  {line}");
    for (kind, sign) in KINDS {
        kind_line(text, kind, sign, service);
    }
    let is_read = service.complete.unwrap_or(true) && service.errors.is_empty();
    if sum(&service.planned) == 0 && is_read && service.leavers_waiting == 0 {
        let _infallible = writeln!(text, "  {GOOD}in step, nothing to do{GOOD:#}");
    }
    if service.leavers_waiting > 0 {
        let _infallible =
            writeln!(text, "  {DIM}{} for exam.delete_grace{DIM:#}", waiting(service.leavers_waiting));
    }
    if service.leavers_kept > 0 {
        let _infallible = writeln!(text, "  {DIM}{} kept{DIM:#}", counted(service.leavers_kept, "leaver"));
    }
    if service.not_mirrored > 0 {
        let _infallible = writeln!(
            text,
            "  {DIM}not mirrored, as no course_id is known: {}{DIM:#}",
            counted(service.not_mirrored, "class")
        );
    }
    if !service.failures_by_who.is_empty() {
        let parts: Vec<String> = FailureOwner::ALL
            .into_iter()
            .filter_map(|owner| Some((owner, service.failures_by_who.get(owner.as_str())?)))
            .map(|(owner, count)| format!("{} for {}", grouped(*count), owner.spoken()))
            .collect();
        let _infallible = writeln!(text, "  {HELD}open failures:{HELD:#} {}", parts.join(", "));
    }
    let calls: u64 = service.calls.values().sum();
    if calls > 0 {
        let parts: Vec<String> =
            service.calls.iter().map(|(endpoint, count)| format!("{} {endpoint}", grouped(*count))).collect();
        let _infallible = writeln!(text, "  {DIM}{}: {}{DIM:#}", counted(calls, "request"), parts.join(", "));
    }
    for (style, title, lines) in [
        (HELD, "held", &service.holds),
        (HELD, "roster", &service.problems),
        (DIM, "note", &service.notes),
        (BAD, "error", &service.errors),
    ] {
        few(text, style, title, lines);
    }
}

/// The number of lines of one sort shown; the JSON report has all.
const MOST_LINES: usize = 10;

fn few(text: &mut String, style: Style, title: &str, lines: &[String]) {
    for line in lines.iter().take(MOST_LINES) {
        let _infallible = writeln!(text, "  {style}{title}:{style:#} {line}");
    }
    if lines.len() > MOST_LINES {
        let _infallible = writeln!(text, "  {style}{title}:{style:#} and {} more", lines.len() - MOST_LINES);
    }
}

fn kind_line(text: &mut String, kind: &str, sign: char, service: &ServiceSection) {
    let of = |counts: &Counts| counts.get(kind).copied().unwrap_or(0);
    let planned = of(&service.planned);
    if planned == 0 {
        return;
    }
    let applied = of(&service.applied);
    let _infallible = write!(text, "  {GOOD}{sign}{GOOD:#} {kind:<8} {:>9}", grouped(applied));
    for (word, style, count) in [
        ("failed", BAD, of(&service.failed)),
        ("held", HELD, of(&service.held)),
        ("unknown", HELD, of(&service.unknown)),
        ("skipped", DIM, of(&service.skipped)),
    ] {
        if count > 0 {
            let _infallible = write!(text, "   {style}{} {word}{style:#}", grouped(count));
        }
    }
    text.push('\n');
}

fn closing(report: &Shown) -> String {
    let of =
        |figures: fn(&ServiceSection) -> &Counts| sum(figures(&report.exam)) + sum(figures(&report.classin));
    let (changes, held, skipped) = (of(|it| &it.applied), of(|it| &it.held), of(|it| &it.skipped));
    let unfinished = of(|it| &it.failed) + of(|it| &it.unknown);
    let made = changes_made(changes);
    match report.exit_code {
        0 if report.trigger == "plan" => "This was only a plan: nothing was changed.".to_owned(),
        0 if held > 0 => format!("{made}; {} as before: see rosterd status", approvals(held)),
        0 if skipped > 0 && report.mode == "sync" => {
            format!(
                "{made}; {} not tried, because it waits or was silenced: see rosterd plan",
                operations(skipped)
            )
        }
        0 if skipped > 0 => format!(
            "{made}; {} not tried, because mode {} does not allow it, it waits, or it was silenced: see rosterd plan",
            operations(skipped),
            report.mode
        ),
        0 => in_step(report, changes),
        3 if unfinished > 0 => format!(
            "{made}; {} did not succeed. What is tried again and what waits for a person: rosterd failures",
            operations(unfinished)
        ),
        3 if report.imports.iter().any(ShownImport::is_refused) => {
            format!("{made}; a roster file was refused: its report says why. What else waits: rosterd status")
        }
        3 => format!("{made}; not everything is in step yet. What waits, and for whom: rosterd failures"),
        4 if unfinished > 0 => format!(
            "{made}; {}, and {} did not succeed: see rosterd failures",
            approvals(held),
            operations(unfinished)
        ),
        4 => format!("{made}; {}.", approvals(held)),
        143 => {
            "The run was told to stop. What was done is recorded; the next run goes on from there.".to_owned()
        }
        code => format!(
            "{BAD}The run could not do all of its work{BAD:#} (exit {code}). {made}; nothing was lost."
        ),
    }
}

/// Nothing was left undone that could be done now. What waits is not in step all the same.
fn in_step(report: &Shown, changes: u64) -> String {
    let waits =
        report.exam.leavers_waiting + report.classin.leavers_waiting > 0 || !report.attention.is_empty();
    let said = if changes > 0 { format!("{}.", changes_made(changes)) } else { "Nothing to do.".to_owned() };
    if waits {
        return format!("{said} What is named above waits; all else is in step.");
    }
    let sides = match (report.exam.enabled, report.classin.enabled) {
        (true, false) => "The exam side is in step.",
        (false, true) => "ClassIn is in step.",
        (true, true) | (false, false) => "Both sides are in step.",
    };
    format!("{GOOD}{sides}{GOOD:#} {said}")
}

fn changes_made(changes: u64) -> String {
    match changes {
        0 => "Nothing was changed".to_owned(),
        _ => format!("{} made", counted(changes, "change")),
    }
}

fn operations(count: u64) -> String {
    counted(count, "operation")
}

fn approvals(held: u64) -> String {
    let verb = if held == 1 { "waits" } else { "wait" };
    format!("{} {verb} for your approval", operations(held))
}

/// So many leavers wait.
pub(super) fn waiting(leavers: u64) -> String {
    let verb = if leavers == 1 { "waits" } else { "wait" };
    format!("{} {verb}", counted(leavers, "leaver"))
}
