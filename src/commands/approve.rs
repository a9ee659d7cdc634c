//! `approve`: a person lets what is held go ahead.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::{ApproveArgs, Cli};
use crate::exit::Exit;
use crate::run::moment;
use crate::store::Approvable;
use rosterd_core::exam_plan::HoldWord;
use rosterd_core::failure::Service;
use rosterd_core::roster::StudentId;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A long weekend: what no run or plan has looked at for longer may have changed since.
const LONGEST_UNSEEN_MS: i64 = 3 * DAY_MS;

/// What an approval covers.
#[derive(Serialize)]
struct Approval {
    changed: usize,
    covers: Vec<Covered>,
}

#[derive(Serialize)]
struct Covered {
    service: Service,
    kind: &'static str,
    /// Absent for a group.
    student_id: Option<String>,
    /// For ClassIn the class, for a group its code.
    class_code: Option<String>,
    /// The word of the reason for which it is held.
    reason: String,
    until: String,
}

pub(super) async fn run(app: &App, cli: &Cli, arguments: &ApproveArgs) -> Result<Exit, AppError> {
    let ApproveArgs { digest, students, reasons } = arguments;
    let now_ms = app.clock.now_ms();
    let held = app.state.approvable(digest).await?;
    if let Some(refusal) = refusal(digest, &held, now_ms) {
        return Ok(output::refuse(cli, Exit::Failed, &refusal));
    }
    let is_asked_for = |one: &Approvable| asked_for(one, students, reasons);
    let (mut covered, left): (Vec<_>, Vec<_>) = held.into_iter().partition(is_asked_for);
    covered.sort_by_key(|one| !takes_away(one));
    let mut granted = Vec::new();
    for one in covered {
        let until_ms = until_ms(app, &one, now_ms).await?;
        granted.push((one, until_ms));
    }
    let is_unknown = |id: &&String| !granted.iter().any(|(one, _)| is_of(one, id));
    let unknown: Vec<&String> = students.iter().filter(is_unknown).collect();
    if !unknown.is_empty() {
        let named = unknown.iter().map(|student| student.as_str()).collect::<Vec<_>>().join(", ");
        let why = format!(
            "nothing of student {named} is held under this digest: nothing was approved; rosterd failures names whom it holds"
        );
        return Ok(output::refuse(cli, Exit::Failed, &why));
    }
    if granted.is_empty() {
        return Ok(output::refuse(cli, Exit::Failed, &unnamed(digest, &left)));
    }
    let covers = granted.iter().map(|(one, until_ms)| covered_line(one, *until_ms)).collect();
    // Said first, given then: whoever sees it stop half way has approved nothing.
    output::show(cli, &Approval { changed: granted.len(), covers }, text);
    if !output::all_is_written() {
        output::print_error("nothing was approved: what it would cover could not be written out");
        return Ok(Exit::Failed);
    }
    app.state.grant(&granted, now_ms).await?;
    Ok(Exit::Done)
}

/// Why nothing under this digest can be approved.
fn refusal(digest: &str, held: &[Approvable], now_ms: i64) -> Option<String> {
    let Some(newest) = held.iter().map(|one| one.held_at_ms).max() else {
        return Some(format!(
            "nothing is held under the digest {digest} now: see the newest run or plan, rosterd status names what is held"
        ));
    };
    let age = now_ms.saturating_sub(newest);
    (age > LONGEST_UNSEEN_MS).then(|| {
        format!(
            "what this digest names was last seen at {}, which is too long ago: run rosterd plan and approve what it names",
            moment(newest)
        )
    })
}

/// A digest alone covers what limits hold. With students or reasons it covers what they name and nothing else.
fn asked_for(one: &Approvable, students: &[String], reasons: &[HoldWord]) -> bool {
    if students.is_empty() && reasons.is_empty() {
        return one.word.is_none();
    }
    let is_named = students.is_empty() || students.iter().any(|id| is_of(one, id));
    let is_reason = reasons.is_empty() || one.word.is_some_and(|word| reasons.contains(&word));
    is_named && is_reason
}

/// Whether it is about this student, whose id may have been typed with blanks or invisible characters.
fn is_of(one: &Approvable, typed: &str) -> bool {
    typed == one.key.student.as_str() || StudentId::entered(typed) == one.key.student
}

fn takes_away(one: &Approvable) -> bool {
    matches!(one.key.kind.as_str(), "delete" | "remove")
}

/// A day; of a leaver who still has to wait, a day after that.
async fn until_ms(app: &App, one: &Approvable, now_ms: i64) -> Result<i64, AppError> {
    let mut from_ms = now_ms;
    let grace = i64::try_from(app.settings.exam.delete_grace.as_millis()).unwrap_or(i64::MAX);
    if one.of_leaver {
        let since_ms = app.state.gone_since(&one.key.student).await?.unwrap_or(now_ms);
        from_ms = from_ms.max(since_ms.min(now_ms).saturating_add(grace));
    } else if one.key.service() == Service::Classin {
        let since_ms = app.state.gone_from_classes_since(&one.key.student).await?;
        let ends_ms = since_ms.map(|since_ms| since_ms.min(now_ms).saturating_add(grace));
        from_ms = ends_ms.map_or(from_ms, |ends_ms| from_ms.max(ends_ms));
    }
    Ok(from_ms.saturating_add(DAY_MS))
}

fn unnamed(digest: &str, left: &[Approvable]) -> String {
    let words: std::collections::BTreeSet<HoldWord> = left.iter().filter_map(|one| one.word).collect();
    let ways: Vec<String> =
        words.iter().map(|word| format!("rosterd approve {digest} --reason {word}")).collect();
    if ways.is_empty() {
        return "nothing that is held under this digest is named by this".to_owned();
    }
    format!(
        "what is held under this digest is about single people: name them with --student ID, or the reason: {}",
        ways.join(", or ")
    )
}

fn covered_line(one: &Approvable, until_ms: i64) -> Covered {
    Covered {
        service: one.key.service(),
        kind: one.key.kind.as_str(),
        student_id: Some(one.key.student.as_str().to_owned()).filter(|id| !id.is_empty()),
        class_code: Some(one.key.class_key.clone()).filter(|code| !code.is_empty()),
        reason: one.reason.clone(),
        until: moment(until_ms),
    }
}

fn text(approval: &Approval) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for Covered { service, kind, student_id, class_code, reason, until } in &approval.covers {
        let whom = match (student_id, class_code) {
            (None, code) => format!("group {}", code.as_deref().unwrap_or_default()),
            (Some(student), None) => format!("student {student}"),
            (Some(student), Some(code)) => format!("student {student} in {code}"),
        };
        let _infallible = writeln!(text, "{service} {kind} of {whom} (held: {reason}), until {until}");
    }
    let _infallible = write!(
        text,
        "{} held operations may go ahead, once and within 24 hours; of leavers who still have to wait, within 24 hours \
         after that.",
        approval.changed
    );
    text
}
