//! A run in this process, with everything that must be true of any run whatever the rule of its test: its figures add
//! up, its plan passes the audit, and one that ended well leaves nothing behind.

use std::collections::HashMap;
use std::path::Path;

use rosterd::Exit;
use rosterd::{Context, Intended, PlannedExam, RunReport, Trigger, Writers, plan, reconcile_with_plan};
use rosterd_core::exam_plan::audit::{Audit, Departure, audit};
use rosterd_core::roster::{Mode, StudentId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::figures::Figures as _;
use super::leftovers::Leftovers;

/// One run.
pub(crate) async fn checked_run(
    context: &Context,
    writers: &Writers,
    state: &Path,
    leftovers: &Leftovers,
) -> RunReport {
    let before = departures(state).await;
    leftovers.expect_nothing();
    // On the heap: a test that makes many runs holds as many of these in one frame of its stack.
    let (report, intended) = Box::pin(reconcile_with_plan(context, writers, Trigger::SyncNow)).await.unwrap();
    assert_sound(context, &report, &intended, &before);
    // A mode that allows less leaves undone what it does not allow, and what has failed of that.
    if Exit::from(report.severity) == Exit::Done && context.mode == Mode::Sync {
        leftovers.run_ended_well();
        leftovers.check(state, context.clock.now_ms()).await;
    }
    report
}

/// What a run would do.
pub(crate) async fn checked_plan(context: &Context, state: &Path) -> (RunReport, Intended) {
    let before = departures(state).await;
    let (report, intended) = Box::pin(plan(context)).await.unwrap();
    assert_sound(context, &report, &intended, &before);
    (report, intended)
}

fn assert_sound(
    context: &Context,
    report: &RunReport,
    intended: &Intended,
    departures: &HashMap<StudentId, Departure>,
) {
    report.balances();
    assert_eq!(report.classin.imbalance(), None, "{report:?}");
    let (Some(side), Some(PlannedExam { plan, .. })) = (&context.exam, &intended.exam) else { return };
    let batch_size = side.settings.batch_size;
    let violations = audit(&Audit {
        plan,
        waves: &plan.waves(batch_size),
        batch_size,
        departures,
        guard: None,
        delete_grace_ms: i64::try_from(side.settings.delete_grace.as_millis()).unwrap(),
        now_ms: context.clock.now_ms(),
    });
    assert_eq!(violations, [], "{:?}", plan.operations);
}

/// Who is off the roster as far as earlier runs saw. Under the write lock: a run that was cut off may still be writing.
async fn departures(state: &Path) -> HashMap<StudentId, Departure> {
    let mut connection = SqliteConnectOptions::new().filename(state).connect().await.unwrap();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let rows: Vec<(String, i64, u32)> = sqlx::query_as(
        "SELECT student_id, gone_since_ms, gone_runs FROM links WHERE gone_since_ms IS NOT NULL \
         ORDER BY student_id",
    )
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    transaction.rollback().await.unwrap();
    connection.close().await.unwrap();
    let departure = |(student, since_ms, runs)| (StudentId::new(student), Departure { since_ms, runs });
    rows.into_iter().map(departure).collect()
}
