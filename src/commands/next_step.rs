//! What comes next for one student on the exam side, as far as it is known without a call.

use super::approved::Approvals;
use super::wall_clock::WallClock;
use crate::app::{App, AppError};
use crate::run::exam_account_is_shared;
use crate::store::{FailureRow, RosterDetails};
use rosterd_core::counted::counted;
use rosterd_core::exam_plan::{GroupBook, LeaverStanding, Link, OperationKind, STILL_NAMED};
use rosterd_core::failure::{FailureCode, FailureState, RecordedKind};
use rosterd_core::roster::{Gid, Group, Leavers, Mode};

/// The next steps, in sentences.
pub(super) async fn exam_next(
    app: &App,
    details: Option<&RosterDetails>,
    link: Option<&Link>,
    failures: &[FailureRow],
    groups: Vec<Group>,
    clock: &WallClock,
) -> Result<Vec<String>, AppError> {
    if !app.settings.exam.enabled {
        return Ok(Vec::new());
    }
    let is_active = details.is_some_and(|details| details.active);
    if let Some(row) = link.and_then(|_| unusable_row(failures)) {
        return Ok(vec![format!("exam: nothing is sent: {}", row.message)]);
    }
    let sentence = match (is_active, link) {
        (true, None) => match standing(failures, &[OperationKind::Add, OperationKind::Adopt]) {
            Some(row) => format!("exam: is not entered: {}", row.message),
            None => "exam: the next run adopts the candidate with the student's login value, or adds one"
                .to_owned(),
        },
        (true, Some(_)) => "exam: every run compares the candidate with the roster".to_owned(),
        (false, None) => "exam: nothing, as no candidate is theirs".to_owned(),
        (false, Some(link)) => leaver_next(app, link, failures, groups, clock).await?,
    };
    Ok(vec![sentence])
}

/// The open row of one of these kinds that nothing but a person, or another row, ends.
fn standing<'f>(failures: &'f [FailureRow], kinds: &[OperationKind]) -> Option<&'f FailureRow> {
    failures.iter().find(|row| matches!(row.kind, RecordedKind::Exam(kind) if kinds.contains(&kind)))
}

/// The open row that says why nothing can be made of the student's row on the roster.
fn unusable_row(failures: &[FailureRow]) -> Option<&FailureRow> {
    const UNUSABLE: [FailureCode; 3] =
        [FailureCode::UnusableRow, FailureCode::NoLoginValue, FailureCode::SharedLoginValue];
    failures.iter().find(|row| {
        matches!(row.kind, RecordedKind::Exam(OperationKind::Modify))
            && UNUSABLE.iter().any(|code| code.as_str() == row.code)
    })
}

async fn leaver_next(
    app: &App,
    link: &Link,
    failures: &[FailureRow],
    groups: Vec<Group>,
    clock: &WallClock,
) -> Result<String, AppError> {
    let settings = &app.settings.exam;
    let seen = link.gone_since_ms.map_or_else(
        || "no run has seen that yet".to_owned(),
        |since| format!("seen by {} since {}", counted(u64::from(link.gone_runs), "run"), clock.at(since)),
    );
    let grace_ms = i64::try_from(settings.delete_grace.as_millis()).unwrap_or(i64::MAX);
    let when = link.gone_since_ms.map_or_else(
        || "after exam.delete_grace and two runs".to_owned(),
        |since| {
            format!("not before {}, and once two runs have seen it", clock.at(since.saturating_add(grace_ms)))
        },
    );
    let moved_to = match settings.leavers {
        Leavers::Keep => {
            return Ok(format!("exam: has left ({seen}), and stays: exam.leavers is \"keep\""));
        }
        Leavers::MoveTo(gid) => Some(Gid(gid)),
        Leavers::Delete => None,
    };
    if let Some(row) = standing(failures, &[OperationKind::Delete, OperationKind::Move]) {
        if Approvals::is_marked(row) {
            return Ok(format!(
                "exam: has left ({seen}), and is approved: goes with the next run, or once the grace has ended"
            ));
        }
        let what = match row.state {
            // Who silenced this has said that they have left.
            FailureState::Ignored if row.message.starts_with(STILL_NAMED) => "goes, as a person said",
            FailureState::Ignored => "stays, as a person silenced this",
            FailureState::Held => "is held",
            FailureState::Waiting | FailureState::Dead => "waits",
        };
        return Ok(format!("exam: has left ({seen}), and {what}: {}", row.message));
    }
    if app.settings.mode != Mode::Sync {
        let mode = app.settings.mode.as_str();
        return Ok(format!(
            "exam: has left ({seen}), and stays: sync.mode = \"{mode}\" does not handle leavers"
        ));
    }
    let shared = exam_account_is_shared(&app.state, settings.shared).await?;
    let book = GroupBook::new(groups, moved_to).remembering(app.state.roster_groups().await?, shared);
    let held = link.groups.clone().unwrap_or_default();
    Ok(match book.standing_of_leaver(&held) {
        LeaverStanding::Moved => {
            format!("exam: has left ({seen}), and stands in the group of leavers: nothing more")
        }
        LeaverStanding::Foreign(gids) if shared && book.ours_among(&held).is_empty() => {
            format!("exam: has left ({seen}), and stays: is in groups of others ({})", listed(&gids))
        }
        LeaverStanding::Foreign(gids) if shared => format!(
            "exam: has left ({seen}); {when}, it leaves our groups, and stays in those of others ({})",
            listed(&gids)
        ),
        LeaverStanding::Foreign(gids) => format!(
            "exam: has left ({seen}); {when}, a person is asked, as it is in groups that never \
             stood on the roster ({})",
            listed(&gids)
        ),
        LeaverStanding::Ours => {
            let what = match moved_to {
                Some(gid) => format!("the candidate is moved into the group of leavers, gid {gid}"),
                None => "the candidate is deleted, with its exam results".to_owned(),
            };
            format!("exam: has left ({seen}); {when}, {what}")
        }
    })
}

fn listed(gids: &std::collections::BTreeSet<Gid>) -> String {
    let gids: Vec<String> = gids.iter().map(|gid| format!("gid {gid}")).collect();
    gids.join(", ")
}
