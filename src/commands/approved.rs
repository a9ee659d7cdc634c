//! What a person has approved and no run has done yet: shown as that, and not as held.

use std::collections::HashSet;

use crate::app::{App, AppError};
use crate::store::FailureRow;
use rosterd_core::exam_plan::{HoldWord, OperationLine};
use rosterd_core::failure::{FailureState, OperationKey};

/// What is said of it in the place of why it was held.
const APPROVED: &str = "approved, goes with the next run";

/// The approvals that are good now.
pub(super) struct Approvals(HashSet<(OperationKey, Option<HoldWord>)>);

impl Approvals {
    pub(super) async fn read(app: &App) -> Result<Self, AppError> {
        Ok(Self(app.state.approved_now(app.clock.now_ms()).await?))
    }

    /// Says of operations that go ahead that somebody let them.
    pub(super) fn mark_operations(&self, operations: &mut [OperationLine]) {
        if self.0.is_empty() {
            return;
        }
        // A group is named by its code alone, in the plan as in the key.
        let named = |key: &OperationKey| match key.student.as_str() {
            "" => (key.kind.as_str(), key.class_key.clone(), String::new()),
            student => (key.kind.as_str(), student.to_owned(), key.class_key.clone()),
        };
        let approved: HashSet<(&str, String, String)> = self.0.iter().map(|(key, _)| named(key)).collect();
        let is_approved = |line: &OperationLine| {
            approved.contains(&(
                line.kind,
                line.subject.as_str().to_owned(),
                line.class.clone().unwrap_or_default(),
            ))
        };
        let planned = operations.iter_mut().filter(|line| line.state == "planned" && line.reason.is_none());
        for line in planned.filter(|line| is_approved(line)) {
            line.reason = Some(APPROVED.to_owned());
            line.reason_code = Some("approved".to_owned());
        }
    }

    /// Whether the row is of a hold about single people that somebody let go ahead.
    pub(super) fn is_of_row(&self, row: &FailureRow) -> bool {
        row.state == FailureState::Held
            && self.0.iter().any(|(key, word)| {
                let is_its = word.is_some_and(|word| word.as_str() == row.code);
                // A leaver's hold is theirs whatever the kind.
                is_its
                    && (key.service(), key.student.as_str(), key.class_key.as_str())
                        == (row.service, row.student_id.as_str(), row.class_code.as_str())
            })
    }

    /// Whether the row says so already.
    pub(super) fn is_marked(row: &FailureRow) -> bool {
        row.state == FailureState::Held && row.message == APPROVED
    }

    /// Says of rows of what is approved that it goes ahead.
    pub(super) fn mark_rows(&self, rows: &mut [FailureRow]) {
        for row in rows.iter_mut().filter(|row| self.is_of_row(row)) {
            row.message = APPROVED.to_owned();
        }
    }
}
