//! The roster: whether it can be read, is sound, and says what a run needs.

use super::LOOKED_THROUGH_BYTES;
use super::finding::{Finding, Findings, Group};
use super::inbox;
use crate::app::{App, AppError, exam_side};
use crate::exit::Exit;
use crate::run::{
    RosterCheck, RosterShape, check_roster, in_one_line, living_group_of_leavers, login_column,
};
use crate::store::RosterDatabase;
use rosterd_core::counted::{counted, counted_len, in_bytes};
use rosterd_core::failure::{FailureCode, FailureOwner};

const WHAT: &str = "roster";

/// The number of unusable rows that are named.
const NAMED_ROWS: usize = 10;

/// What was read of it: active students, and what a run makes of them.
pub(super) type Read = (u64, RosterShape);

/// Reads it once.
pub(super) async fn roster(app: &App, findings: &mut Findings) -> Result<Option<Read>, AppError> {
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
            file(&roster, findings).await;
            roster.close().await;
            check.map(|check| (check, copied))
        }
        Err(error) => Err(error),
    };
    match read {
        Ok((check, copied)) => {
            let told = counted(check.active, "active student");
            let told = format!("{told}, {} unusable", counted_len(check.problems.len(), "row"));
            let text = roster_text(&check, copied);
            let finding = Finding::good(Group::Roster, WHAT, text).told_as(told);
            let has_problems = !check.problems.is_empty();
            findings.add(if has_problems {
                finding.mended_by(FailureOwner::SchoolOffice, [])
            } else {
                finding
            });
            group_of_leavers(app, findings).await?;
            groups(app, &check.shape, findings).await;
            classes(app, &check.shape, findings);
            Ok(Some((check.active, check.shape)))
        }
        Err(error) => {
            let line = in_one_line(&error);
            findings.add(Finding::bad(Group::Roster, WHAT, AppError::from(error).exit(), line));
            Ok(None)
        }
    }
}

/// How its own program writes it, and whether it is sound. What is wrong there is that program's to mend, and stops no run
/// that can read what it needs.
async fn file(roster: &RosterDatabase, findings: &mut Findings) {
    let journal = match roster.has_log().await {
        Some(true) => "in WAL mode: it is read while its own program writes",
        Some(false) => {
            "with a rollback journal: a run waits while its own program writes, and that program while a run reads"
        }
        None => return,
    };
    findings.add(Finding::good(Group::Roster, "journal", journal).told_as_it_is());
    const DAMAGE: &str = "soundness";
    let bytes = roster.path().metadata().map_or(0, |file| file.len());
    let finding = if bytes > LOOKED_THROUGH_BYTES {
        let detail =
            format!("{} are not looked through for damage, as that would take long", in_bytes(bytes));
        Finding::good(Group::Roster, DAMAGE, detail).told_as_it_is()
    } else {
        match roster.damage().await {
            Ok(None) => return,
            Ok(Some(what)) => damaged(&what),
            Err(error) => damaged(&in_one_line(&error)),
        }
    };
    findings.add(finding);
}

fn damaged(what: &str) -> Finding {
    let detail = format!(
        "the file is damaged ({what}): whoever looks after the school's own program has it repaired or put back from a backup"
    );
    Finding::warn(Group::Roster, "soundness", detail)
        .mended_by(FailureOwner::It, [])
        .told_as("the file is damaged")
}

/// Leavers are put among nobody who stays.
async fn group_of_leavers(app: &App, findings: &mut Findings) -> Result<(), AppError> {
    let Some(side) = exam_side(&app.settings, &app.clock)? else { return Ok(()) };
    let roster = app.roster().await?;
    let living = living_group_of_leavers(&roster, &side).await;
    roster.close().await;
    if let Some(living) = living? {
        findings.add(Finding::bad(Group::Roster, "leavers", Exit::Configuration, living.to_string()));
    }
    Ok(())
}

/// Groups that nobody can be put into: without gid, and with one that the service refused. No call of the service tells which
/// gids there are.
async fn groups(app: &App, shape: &RosterShape, findings: &mut Findings) {
    const GROUPS: &str = "groups";
    if !app.settings.exam.enabled {
        return;
    }
    let without = shape.groups_without_gid.len();
    if without > 0 {
        let told = format!("{} of {} without gid", counted_len(without, "group"), shape.groups);
        let named = named(&shape.groups_without_gid);
        findings.add(if app.settings.exam.create_groups {
            let detail = format!("{told}: the next run finds them by their title or creates them ({named})");
            Finding::good(Group::Roster, GROUPS, detail).told_as(told)
        } else {
            let detail = format!(
                "{told} ({named}): nobody is added to these. Enter the gids in groups, or let rosterd create the groups with \
                 exam.create_groups = true"
            );
            Finding::warn(Group::Roster, GROUPS, detail).mended_by(FailureOwner::It, []).told_as(told)
        });
    }
    let failures = match app.state.open_failures().await {
        Ok(failures) => failures,
        Err(error) => {
            let error = AppError::from(error);
            findings.add(Finding::bad(Group::State, "failures", error.exit(), in_one_line(&error)));
            Vec::new()
        }
    };
    let refused = failures.iter().filter(|row| row.code == FailureCode::GroupRefused.as_str()).count();
    if refused > 0 {
        let told = format!("the service refuses the gid of {}", counted_len(refused, "group"));
        let detail = format!("{told}, as runs have found: correct it in groups");
        let finding = Finding::warn(Group::Roster, GROUPS, detail);
        findings
            .add(finding.mended_by(FailureOwner::It, ["rosterd failures --for it".to_owned()]).told_as(told));
    }
}

fn classes(app: &App, shape: &RosterShape, findings: &mut Findings) {
    const CLASSES: &str = "classes";
    if !app.settings.classin.enabled {
        return;
    }
    let without = shape.classes_without_ids.len();
    if without > 0 {
        let told = format!("{} of {} without course_id", counted_len(without, "class"), shape.classes);
        let named = named(&shape.classes_without_ids);
        let detail =
            format!("{told} ({named}): they are not mirrored to ClassIn until their ids stand in classes");
        findings.add(
            Finding::warn(Group::Roster, CLASSES, detail)
                .mended_by(FailureOwner::SchoolOffice, [])
                .told_as(told),
        );
    }
    if shape.whole_courses > 0 {
        let detail = format!(
            "{} without class_id {} for the whole course",
            counted(shape.whole_courses, "class"),
            if shape.whole_courses == 1 { "stands" } else { "stand" }
        );
        findings.add(Finding::good(Group::Roster, CLASSES, detail).told_as_it_is());
    }
}

/// The first codes, and how many more there are.
fn named<C: std::fmt::Display>(codes: &[C]) -> String {
    let mut shown: Vec<String> = codes.iter().take(NAMED_ROWS).map(ToString::to_string).collect();
    if codes.len() > NAMED_ROWS {
        shown.push(format!("{} more", codes.len() - NAMED_ROWS));
    }
    shown.join(", ")
}

fn roster_text(check: &RosterCheck, copied: Option<&str>) -> String {
    let RosterCheck { active, problems, shape: _ } = check;
    let mut text = counted(*active, "active student");
    if let Some(why) = copied {
        text.push_str(&format!(" (read from a private copy: {why})"));
    }
    if problems.is_empty() {
        return text;
    }
    text.push_str(&format!(", and {} that cannot be used as they are:", counted_len(problems.len(), "row")));
    for problem in problems.iter().take(NAMED_ROWS) {
        text.push_str(&format!("\n{problem}"));
    }
    if problems.len() > NAMED_ROWS {
        text.push_str(&format!("\nand {} more", problems.len() - NAMED_ROWS));
    }
    text
}

/// Folders whose files are imported by themselves. A trouble there stops no run.
pub(super) fn watched_folders(app: &App, findings: &mut Findings) {
    const FOLDER: &str = "watched folder";
    for inbox::Standing { profile, folder, waiting, troubles } in
        inbox::standing(&app.settings, app.clock.now_ms())
    {
        let what = format!("import {profile}: {}", folder.display());
        let waiting = counted(u64::try_from(waiting).unwrap_or(u64::MAX), "waiting file");
        findings.add(if troubles.is_empty() {
            Finding::good(Group::Roster, FOLDER, format!("{what}: {waiting}")).told_as(waiting)
        } else {
            let detail = format!("{what}: {}", troubles.join("; "));
            Finding::bad(Group::Roster, FOLDER, Exit::Configuration, detail)
        });
    }
}
