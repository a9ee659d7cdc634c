//! `claim`: memberships that are certain, but not whether we made them, are taken as ours.

use serde::Serialize;

use super::output;
use crate::app::{App, AppError};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::store::EvidenceRow;
use rosterd_core::counted::counted;
use rosterd_core::roster::{ClassCode, ClassId, ClassTarget, CourseId, StudentId};

#[derive(Serialize)]
struct Claimed {
    student_id: String,
    class_code: String,
    course_id: i64,
    class_id: Option<i64>,
    evidence: &'static str,
}

#[derive(Serialize)]
struct ClaimedClass {
    class_code: String,
    course_id: i64,
    class_id: Option<i64>,
    claimed: u64,
}

/// Of one student, or of everybody in the class.
pub(super) async fn run(
    app: &App,
    cli: &Cli,
    student: Option<&str>,
    class_code: &str,
) -> Result<Exit, AppError> {
    let _lock = app.lock()?;
    let target = match target_of(app, class_code).await? {
        Ok(target) => target,
        Err(why) => {
            return Ok(output::refuse(cli, Exit::Failed, &why));
        }
    };
    match student {
        Some(student) => one(app, cli, &StudentId::entered(student), (class_code, target)).await,
        None => all(app, cli, (class_code, target)).await,
    }
}

async fn all(app: &App, cli: &Cli, (class_code, target): (&str, ClassTarget)) -> Result<Exit, AppError> {
    let noun = target.noun();
    let claimed = ClaimedClass {
        class_code: class_code.to_owned(),
        course_id: target.course.0,
        class_id: target.class.map(|class| class.0),
        claimed: app.state.claim_all(target, app.clock.now_ms()).await?,
    };
    output::show(cli, &claimed, |done| match done.claimed {
        0 => format!("Nobody in {noun} {} is left to claim.", done.class_code),
        n => format!(
            "{} in {noun} {} {} as added by rosterd from now on.",
            counted(n, "student"),
            done.class_code,
            if n == 1 { "counts" } else { "count" }
        ),
    });
    Ok(Exit::Done)
}

async fn one(
    app: &App,
    cli: &Cli,
    student: &StudentId,
    (class_code, target): (&str, ClassTarget),
) -> Result<Exit, AppError> {
    let account = app.state.account_of(student).await?;
    let rows = app.state.evidence_of_student(student, account.map(|account| account.uid)).await?;
    let here: Vec<EvidenceRow> = rows.into_iter().filter(|row| row.target == target).collect();
    let mut changed = false;
    for row in &here {
        changed |= app.state.claim(row.uid, target, app.clock.now_ms()).await?;
    }
    if !changed && !here.iter().any(|row| row.evidence == "added") {
        return Ok(output::refuse(cli, Exit::Failed, &why_not(student, (class_code, target), &here)));
    }
    let claimed = Claimed {
        student_id: student.to_string(),
        class_code: class_code.to_owned(),
        course_id: target.course.0,
        class_id: target.class.map(|class| class.0),
        evidence: "added",
    };
    output::show(cli, &claimed, |done| {
        let (student, class, noun) = (&done.student_id, &done.class_code, target.noun());
        if changed {
            format!("Student {student} in {noun} {class} counts as added by rosterd from now on.")
        } else {
            format!("Student {student} in {noun} {class} was added by rosterd already: nothing to claim.")
        }
    });
    Ok(Exit::Done)
}

/// A target by ClassIn's ids; 0 stands for the whole course.
fn by_ids(text: &str) -> Option<ClassTarget> {
    let (course, class) = text.split_once('/')?;
    let (course, class): (i64, i64) = (course.trim().parse().ok()?, class.trim().parse().ok()?);
    Some(ClassTarget { course: CourseId(course), class: (class != 0).then_some(ClassId(class)) })
}

/// The class that the roster names so; the inner error is a sentence.
async fn target_of(app: &App, class_code: &str) -> Result<Result<ClassTarget, String>, AppError> {
    let roster = app.roster().await?;
    let mut snapshot = roster.snapshot().await?;
    let (classes, _) = snapshot.classes().await?;
    snapshot.close().await?;
    let class = classes.into_iter().find(|class| class.code == ClassCode::entered(class_code));
    Ok(match (class, by_ids(class_code)) {
        // A class that the roster no longer has is named by its ids.
        (None, Some(target)) => Ok(target),
        (None, None) => Err(format!(
            "the roster has no class {class_code}: see class_code in its table classes, or name it by its ids in \
             ClassIn (COURSE_ID/CLASS_ID)"
        )),
        (Some(class), _) => class.target.ok_or_else(|| {
            format!("class {class_code} has no course_id on the roster, so it is not mirrored into ClassIn")
        }),
    })
}

fn why_not(student: &StudentId, (class_code, target): (&str, ClassTarget), here: &[EvidenceRow]) -> String {
    let noun = target.noun();
    let Some(row) = here.first() else {
        return format!("nothing is remembered of student {student} in {noun} {class_code}");
    };
    let why = match row.evidence.as_str() {
        "gone" => "is out of it",
        "condemned" => "is where ClassIn takes no changes any more",
        _ => "is not settled yet: run rosterd --sync-now first",
    };
    format!(
        "student {student} in {noun} {class_code} {why} (evidence: {}); only enrolments that are certain (present or presumed) can be claimed",
        row.evidence
    )
}
