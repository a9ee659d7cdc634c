//! What clocks say: the service's, and ours when it was ahead once.

use std::time::Duration;

use super::ExamSide;
use crate::run::{Context, ServiceReport};
use crate::store::StoreError;
use rosterd_core::exam_plan::{GuardedPlan, Operation, OperationState, SkipReason};

/// Our clock and the service's may differ by so many seconds before nobody is dismissed: how long somebody has been
/// gone is told by ours.
const LARGEST_CLOCK_DIFFERENCE: u64 = 10 * 60;

/// Room in a class is asked for again within so long.
const AN_HOUR: Duration = Duration::from_secs(60 * 60);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether the service, where it says what time it is, is too far from our clock.
pub(super) fn clocks_differ(side: &ExamSide) -> bool {
    let ahead = side.reader.transport().clock_difference();
    ahead.is_some_and(|ahead| ahead.unsigned_abs() > LARGEST_CLOCK_DIFFERENCE)
}

/// By how much the clocks differ and what to do, where that keeps somebody from being dismissed.
pub(super) fn describe(side: &ExamSide, plan: &GuardedPlan, report: &mut ServiceReport) {
    let is_kept =
        |operation: &Operation| matches!(operation.state, OperationState::Skipped(SkipReason::ClocksDiffer));
    let kept = plan.operations.iter().filter(|operation| is_kept(operation)).count();
    let Some(ahead) = side.reader.transport().clock_difference().filter(|_| kept > 0) else { return };
    let minutes = ahead.unsigned_abs() / 60;
    let word = if ahead > 0 { "ahead of" } else { "behind" };
    let who = if kept == 1 {
        "1 student who has left is".to_owned()
    } else {
        format!("{kept} students who have left are")
    };
    report.notes.push(format!(
        "exam: this machine's clock is {minutes} min {word} the service's: {who} not dismissed until they agree; see which \
         one is wrong with timedatectl, and set this one with timedatectl set-ntp true"
    ));
}

/// What a clock that was ahead has put off for too long is due now.
pub(super) async fn mend_moments(context: &Context, side: &ExamSide) -> Result<(), StoreError> {
    let longest_delay = context.retry.max_delay.max(context.retry.first_delay).max(AN_HOUR);
    let (longest_delay_ms, verify_groups_ms) = (millis(longest_delay), millis(side.settings.verify_groups));
    context.state.mend_moments(context.clock.now_ms(), longest_delay_ms, verify_groups_ms).await
}

/// What a limit looks back on, and approvals, of a clock that was ahead: else they would count, and be good, until then.
/// Nothing is mended by a clock that is itself wrong; where the service does not say what time it is, a day is allowed for.
pub(super) async fn mend_looked_back(context: &Context, side: &ExamSide) -> Result<(), StoreError> {
    let margin = match side.reader.transport().clock_difference() {
        Some(ahead) if ahead.unsigned_abs() > LARGEST_CLOCK_DIFFERENCE => return Ok(()),
        Some(_) => Duration::ZERO,
        None => A_DAY,
    };
    let longest_approval = A_DAY.saturating_add(side.settings.delete_grace);
    context.state.mend_looked_back(context.clock.now_ms(), millis(margin), millis(longest_approval)).await
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
