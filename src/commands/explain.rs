//! `explain`: everything about one student, and what happens next. No network.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::approved::Approvals;
use super::explained_parts::{ChangePart, GroupsPart, take_in_created, wanted_groups};
use super::found_students::{self, FoundStudents};
use super::next_step::exam_next;
use super::plan::name_failures;
use super::wall_clock::WallClock;
use super::{health, output};
use crate::app::{self, App, AppError};
use crate::cli::Cli;
use crate::exit::{Exit, exit_code};
use crate::run::{
    Context, PasswordColumns, Progress, UncomparedColumn, moment, password_columns, preview_classin,
    uncompared_columns_of,
};
use crate::store::{EvidenceRow, FailureRow, RosterDatabase, RosterDetails, StudentHold};
use rosterd_core::classin_plan::Account;
use rosterd_core::exam_plan::{Link, with_digest};
use rosterd_core::failure::{FailureState, RetryPolicy};
use rosterd_core::roster::{ClassTarget, Standing, StudentId, shell_option};
use rosterd_core::situation::Situation;

/// One student.
#[derive(Serialize)]
struct Explanation {
    student_id: String,
    roster: Option<RosterPart>,
    link: Option<LinkPart>,
    candidate: Option<CandidatePart>,
    account: Option<AccountPart>,
    enrolments: Vec<EnrolmentPart>,
    /// What the roster wants beside what the candidate is in; absent where either is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<GroupsPart>,
    /// What was done last, the newest first.
    changes: Vec<ChangePart>,
    failures: Vec<FailureRow>,
    next: Vec<String>,
}

/// So many of the last changes are shown.
const MOST_CHANGES: u32 = 20;

/// The roster's row.
#[derive(Serialize)]
struct RosterPart {
    active: bool,
    values: BTreeMap<String, String>,
    groups: Vec<String>,
    classes: Vec<String>,
}

/// The recorded facts of the student's candidate.
#[derive(Serialize)]
struct LinkPart {
    origin: &'static str,
    gone_since: Option<String>,
    gone_runs: u32,
    /// Fields that are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<UncomparedColumn>,
}

/// The candidate as we last knew it.
#[derive(Serialize)]
struct CandidatePart {
    sid: i64,
    login_value: String,
    gids: Option<Vec<i64>>,
}

/// The ClassIn account.
#[derive(Serialize)]
struct AccountPart {
    uid: i64,
    origin: &'static str,
    school_student: bool,
}

/// One membership in ClassIn.
#[derive(Serialize)]
struct EnrolmentPart {
    class_code: Option<String>,
    course_id: i64,
    class_id: Option<i64>,
    uid: i64,
    evidence: String,
    code: Option<i64>,
    since: String,
    confirmed_at: Option<String>,
    run_id: i64,
}

/// Columns that tell nothing about a person.
const OPEN_COLUMNS: [&str; 3] = ["student_id", "active", "classin_uid"];

/// Whom an id, or any other word that a person knows of a student, names.
pub(super) async fn run(app: &App, cli: &Cli, typed: &str, reveal: bool) -> Result<Exit, AppError> {
    let student = StudentId::entered(typed);
    if let Some(exit) = explain(app, cli, student.clone(), reveal).await? {
        return Ok(exit);
    }
    let ids = found_students::ids(app, typed).await?;
    if let [one] = ids.as_slice()
        && let Some(exit) = explain(app, cli, one.clone(), reveal).await?
    {
        return Ok(exit);
    }
    if ids.is_empty() {
        return Ok(output::refuse(
            cli,
            Exit::Failed,
            &format!(
                "neither the roster nor rosterd's memory knows a student {student}, by id, name, login value or \
                 telephone number"
            ),
        ));
    }
    output::show(cli, &FoundStudents::of(app, ids, reveal).await?, FoundStudents::text);
    Ok(Exit::Done)
}

/// `None` where nobody has that id.
async fn explain(app: &App, cli: &Cli, student: StudentId, reveal: bool) -> Result<Option<Exit>, AppError> {
    let roster = app.roster().await?;
    let mut snapshot = roster.snapshot().await?;
    let details = snapshot.details(&student).await?;
    let (classes, _) = snapshot.classes().await?;
    let (mut groups, _) = snapshot.groups().await?;
    snapshot.close().await?;
    if app.settings.exam.create_groups {
        take_in_created(&mut groups, &app.state.known_groups().await?);
    }
    let codes: HashMap<ClassTarget, String> = classes
        .into_iter()
        .filter_map(|class| Some((class.target?, class.code.as_str().to_owned())))
        .collect();
    let state = &app.state;
    let link = state.link_of(&student).await?;
    let account = state.account_of(&student).await?;
    let rows = state.evidence_of_student(&student, account.as_ref().map(|account| account.uid)).await?;
    let mut failures = state.open_failures().await?;
    failures.retain(|failure| failure.student_id == student.as_str());
    let approved = Approvals::read(app).await?;
    approved.mark_rows(&mut failures);
    if details.is_none() && link.is_none() && account.is_none() && rows.is_empty() && failures.is_empty() {
        return Ok(None);
    }
    let clock = WallClock::of(app);
    let wanted = details.as_ref().map(|details| wanted_groups(details, &groups));
    let mut next = exam_next(app, details.as_ref(), link.as_ref(), &failures, groups, &clock).await?;
    let holds = state.holds_of(&student, app.clock.now_ms()).await?;
    next.extend(classin_next(app, roster, &student, &holds, &failures).await?);
    next.extend(holds.iter().map(|hold| hold_next(hold, &student, &clock)));
    // What is approved is told by its hold.
    let is_told = |row: &&FailureRow| !approved.is_of_row(row);
    next.extend(failures.iter().filter(is_told).map(|failure| failure_next(failure, &clock)));
    let situation =
        Situation::of(&health::facts(state, &app.settings, app.clock.now_ms()).await?, app.clock.now_ms());
    if !situation.healthy {
        let what = format!("nothing, until runs are good again: {}", situation.why);
        next.insert(0, what);
    }
    let changes = state.changes_of(&student, MOST_CHANGES).await?;
    let passwords = password_columns(&app.settings.exam, state).await?;
    let not_compared = uncompared_columns_of(&app.settings.exam, state, &student).await?;
    let explanation = Explanation {
        student_id: student.to_string(),
        roster: details.map(|details| roster_part(details, &passwords, reveal)),
        candidate: link.as_ref().map(|link| candidate_part(link, reveal)),
        link: link.as_ref().map(|link| link_part(link, not_compared)),
        account: account.map(account_part),
        enrolments: rows.into_iter().map(|row| enrolment_part(row, &codes)).collect(),
        groups: wanted.and_then(|wanted| GroupsPart::of(wanted, link.as_ref())),
        changes: changes.into_iter().map(ChangePart::from).collect(),
        failures,
        next,
    };
    output::show(cli, &explanation, |explanation| text(explanation, &clock));
    Ok(Some(Exit::Done))
}

/// A value, or whether there is one: its first letter or its length would tell more than is needed.
fn shown(value: &str, reveal: bool) -> String {
    if reveal { value.to_owned() } else { if value.is_empty() { "empty" } else { "set" }.to_owned() }
}

/// Nobody is shown a password.
fn roster_part(details: RosterDetails, passwords: &PasswordColumns, reveal: bool) -> RosterPart {
    let RosterDetails { active, values, groups, classes } = details;
    let values = values.into_iter().map(|(column, value)| {
        let is_open = reveal || OPEN_COLUMNS.contains(&column.to_lowercase().as_str());
        let value = shown(&value, is_open && !passwords.hide(&column));
        (column, value)
    });
    RosterPart {
        active,
        values: values.collect(),
        groups: groups.iter().map(ToString::to_string).collect(),
        classes: classes.iter().map(ToString::to_string).collect(),
    }
}

fn link_part(link: &Link, not_compared: Vec<UncomparedColumn>) -> LinkPart {
    LinkPart {
        origin: link.origin.as_str(),
        gone_since: link.gone_since_ms.map(moment),
        gone_runs: link.gone_runs,
        not_compared,
    }
}

fn candidate_part(link: &Link, reveal: bool) -> CandidatePart {
    CandidatePart {
        sid: link.sid.0,
        login_value: shown(link.login.as_str(), reveal),
        gids: link.groups.as_ref().map(|groups| groups.iter().map(|gid| gid.0).collect()),
    }
}

fn account_part(account: Account) -> AccountPart {
    AccountPart {
        uid: account.uid.0,
        origin: account.origin.as_str(),
        school_student: account.is_school_student,
    }
}

fn enrolment_part(row: EvidenceRow, codes: &HashMap<ClassTarget, String>) -> EnrolmentPart {
    EnrolmentPart {
        class_code: codes.get(&row.target).cloned(),
        course_id: row.target.course.0,
        class_id: row.target.class.map(|class| class.0),
        uid: row.uid.0,
        evidence: row.evidence,
        code: row.code,
        since: moment(row.changed_at_ms),
        confirmed_at: row.confirmed_at_ms.map(moment),
        run_id: row.run.0,
    }
}

/// The next steps on ClassIn for this student.
async fn classin_next(
    app: &App,
    roster: RosterDatabase,
    student: &StudentId,
    holds: &[StudentHold],
    failures: &[FailureRow],
) -> Result<Vec<String>, AppError> {
    let settings = &app.settings;
    let Some(side) = app::classin_side(settings, &app.clock)? else { return Ok(Vec::new()) };
    let context = Context {
        state: app.state.clone(),
        roster,
        exam: None,
        classin: None,
        mode: settings.mode,
        min_roster: settings.guard.min_roster,
        keep: settings.state.keep,
        retry: RetryPolicy {
            max_attempts: settings.retry.max_attempts,
            first_delay: settings.retry.first_delay,
            max_delay: settings.retry.max_delay,
        },
        clock: app.clock.clone(),
        progress: Progress::silent(),
        stop: CancellationToken::new(),
        exit_code,
        roster_files: Vec::new(),
        folders: Vec::new(),
    };
    let mut lines = match preview_classin(&context, &side).await {
        Ok(lines) => lines,
        Err(why) => return Ok(vec![format!("classin: nothing can be said: {why}")]),
    };
    name_failures(&mut lines.operations, failures);
    Approvals::read(app).await?.mark_operations(&mut lines.operations);
    let mine = lines.operations.iter().filter(|line| line.subject.is_student(student.as_str()));
    let mut next: Vec<String> = mine
        .map(|line| {
            let class = line.class.as_deref().unwrap_or_default();
            let is_this = |hold: &&StudentHold| hold.kind == line.kind && hold.class_code == class;
            let hold = holds.iter().find(is_this);
            let named =
                |reason: &String| hold.map_or(reason.clone(), |hold| with_digest(reason, &hold.digest));
            let reason =
                line.reason.as_ref().map(|reason| format!(": {}", named(reason))).unwrap_or_default();
            format!("classin: {} ({}{reason})", line.detail, line.state)
        })
        .collect();
    if next.is_empty() {
        let is_unusable = stands(&context.roster, student).await? == Some(Standing::Unusable);
        let what = if is_unusable {
            "classin: nothing is sent, and every class is kept, as the row of this student on the roster cannot be used: \
             rosterd failures says what to mend"
        } else {
            "classin: nothing to do"
        };
        next.push(what.to_owned());
    }
    Ok(next)
}

/// Where a student stands on the roster; absent where no row has the id.
async fn stands(roster: &RosterDatabase, student: &StudentId) -> Result<Option<Standing>, AppError> {
    let mut snapshot = roster.snapshot().await?;
    let (classes, _) = snapshot.classes().await?;
    let stands = snapshot.standing_among(&HashSet::from([student.clone()]), &classes).await?;
    snapshot.close().await?;
    Ok(stands.get(student).copied())
}

/// Why something is held, since when, and the command that lets it go ahead for this student alone.
fn hold_next(hold: &StudentHold, student: &StudentId, clock: &WallClock) -> String {
    let StudentHold { service, kind, class_code, message, since_ms, digest, approved_until_ms } = hold;
    let class = if class_code.is_empty() { String::new() } else { format!(" in {class_code}") };
    let since = clock.at(*since_ms);
    if let Some(until) = approved_until_ms {
        let until = clock.at(*until);
        return format!(
            "{service}: the {kind}{class} was held since {since} and is approved until {until}: it goes with the next run, \
             or, of a leaver, once the grace has ended"
        );
    }
    let message = with_digest(message, digest);
    format!(
        "{service}: the {kind}{class} is held since {since}: {message}; to let it happen: rosterd approve {digest} \
         {}",
        shell_option("--student", student.as_str())
    )
}

fn failure_next(failure: &FailureRow, clock: &WallClock) -> String {
    let FailureRow { id, service, kind, state, .. } = failure;
    let what = match (state, &failure.due_at) {
        (FailureState::Waiting, Some(due)) => format!("is tried again at {}", clock.told(due)),
        (FailureState::Ignored, _) => "is silenced until the row changes".to_owned(),
        (FailureState::Held, _) => {
            return format!(
                "{service}: the {kind} waits for your approval, or for rosterd failures ignore {id}"
            );
        }
        (FailureState::Waiting | FailureState::Dead, _) => {
            format!("waits for a person: mend the cause, then rosterd failures retry {id}")
        }
    };
    format!("{service}: the failed {kind} {what}")
}

fn text(explanation: &Explanation, clock: &WallClock) -> String {
    use std::fmt::Write;
    let mut text = format!("Student {}\n", explanation.student_id);
    match &explanation.roster {
        None => text.push_str("roster: not there\n"),
        Some(roster) => {
            let word = if roster.active { "active" } else { "has left" };
            let _infallible = writeln!(text, "roster: {word}");
            for (column, value) in &roster.values {
                let _infallible = writeln!(text, "  {column}: {value}");
            }
            let _infallible = writeln!(text, "  groups: {}", list(&roster.groups));
            let _infallible = writeln!(text, "  classes: {}", list(&roster.classes));
        }
    }
    if let (Some(link), Some(candidate)) = (&explanation.link, &explanation.candidate) {
        let groups = candidate.gids.as_ref().map_or_else(
            || "not looked up".to_owned(),
            |gids| list(&gids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        );
        let _infallible = writeln!(
            text,
            "candidate: sid {}, {}, login value {}, groups {groups}",
            candidate.sid, link.origin, candidate.login_value
        );
        for field in &link.not_compared {
            let _infallible = writeln!(text, "  {field}");
        }
    }
    if let Some(groups) = &explanation.groups {
        let _infallible = writeln!(text, "{}", groups.text());
    }
    if let Some(account) = &explanation.account {
        let school =
            if account.school_student { "a student of the school" } else { "not shown to be one yet" };
        let _infallible =
            writeln!(text, "ClassIn account: uid {} ({}), {school}", account.uid, account.origin);
    }
    for row in &explanation.enrolments {
        let _infallible = writeln!(text, "enrolment: {}", enrolment_text(row, clock));
    }
    for failure in &explanation.failures {
        let _infallible = writeln!(
            text,
            "failure {}: {} {}: {} ({}; attempt {}; {})",
            failure.id,
            failure.service,
            failure.kind,
            failure.message,
            failure.code,
            failure.attempts,
            failure.state
        );
    }
    for change in &explanation.changes {
        let _infallible = writeln!(text, "{}", change.text(clock));
    }
    for next in &explanation.next {
        let _infallible = writeln!(text, "next: {next}");
    }
    text
}

fn list(codes: &[String]) -> String {
    if codes.is_empty() { "none".to_owned() } else { codes.join(", ") }
}

fn enrolment_text(row: &EnrolmentPart, clock: &WallClock) -> String {
    let class = match (&row.class_code, row.class_id) {
        (Some(code), _) => code.clone(),
        (None, Some(class)) => format!("course {} class {class}", row.course_id),
        (None, None) => format!("course {}", row.course_id),
    };
    let code = row.code.map(|code| format!(", code {code}")).unwrap_or_default();
    let confirmed =
        row.confirmed_at.as_ref().map(|at| format!(", confirmed {}", clock.told(at))).unwrap_or_default();
    format!(
        "{class}, uid {}: {} since {}{confirmed}{code}, run {}",
        row.uid,
        row.evidence,
        clock.told(&row.since),
        row.run_id
    )
}
