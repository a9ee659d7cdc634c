//! Failures that were the service's doing, once a run has shown that the service does such work: what waits for it is due,
//! and what failed alone beside it is at fault itself.

use rosterd_core::failure::{Attempts, FailureCode, FailureState, OperationKey, Service};
use rosterd_core::roster::RunId;

use super::error::{Doing, Written};
use super::keys::keys;
use super::{StateStore, StoreError};

const REFUSED_ALIKE: &str = "the service refused every change of this kind with one and the same answer, so it is tried again by \
     itself; if that lasts, ask the service what the answer means, and check this row's values and gid";

const DOING: &str = "settling what a service failed over";

impl StateStore {
    /// What waits for the service and needs one of these calls, which have succeeded, is due now; what failed in this run
    /// waits as it was told. What is refused again from now on is refused beside others that went through.
    pub async fn wake_service_faults(
        &self,
        service: Service,
        calls: &[&'static str],
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE failures SET due_at_ms = min(due_at_ms, ?1), attempts = iif(code = ?5, max(attempts, 1), attempts) \
             WHERE service = ?2 AND state = 'waiting' AND is_standing = 0 \
             AND is_service_fault = 1 AND run_id <> ?3 AND call IN (SELECT value FROM json_each(?4))",
        )
        .bind(now_ms)
        .bind(service.as_str())
        .bind(run.0)
        .bind(serde_json::json!(calls).to_string())
        .bind(FailureCode::ServiceStopped.as_str())
        .execute(self.writer()?)
        .await
        .done(DOING)
    }

    /// Whether an open failure is known to be of its own doing: it was found to be, or such work was done for others
    /// since it failed first.
    pub async fn fails_by_itself(
        &self,
        operation: &OperationKey,
        accepted_ms: Option<i64>,
    ) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM failures WHERE state = 'waiting' AND is_standing = 0 \
             AND (attempts > 0 OR first_failed_at_ms < ?1) AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)))",
        )
        .bind(accepted_ms)
        .bind(keys(std::slice::from_ref(operation)))
        .fetch_one(&self.reader)
        .await
        .doing(DOING)
    }

    /// These failed alone in this run, while other calls of their kind went through: it counts as an attempt of theirs. What
    /// follows from the attempts is for `decide` to say.
    pub async fn blame_items(
        &self,
        alone: &[OperationKey],
        run: RunId,
        decide: impl Fn(Attempts) -> (FailureState, i64),
    ) -> Result<(), StoreError> {
        if alone.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT failure_id, attempts, service_attempts FROM failures \
             WHERE state = 'waiting' AND is_standing = 0 AND is_service_fault = 1 AND run_id = ?1 \
             AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)) ORDER BY failure_id",
        )
        .bind(run.0)
        .bind(keys(alone))
        .fetch_all(&mut *transaction)
        .await
        .doing(DOING)?;
        for (id, own, of_service) in rows {
            let number = |stored: i64| u32::try_from(stored).unwrap_or(u32::MAX);
            let (own, of_service) = (own.saturating_add(1), of_service.saturating_sub(1).max(0));
            let (state, due_at_ms) = decide(Attempts { own: number(own), of_service: number(of_service) });
            sqlx::query(
                "UPDATE failures SET attempts = ?, service_attempts = ?, is_service_fault = 0, state = ?, \
                 due_at_ms = max(due_at_ms, ?) WHERE failure_id = ?",
            )
            .bind(own)
            .bind(of_service)
            .bind(state.as_str())
            .bind(due_at_ms)
            .bind(id)
            .execute(&mut *transaction)
            .await
            .doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)
    }

    /// These were refused with everything else of the run: no attempt of theirs, unless they have been refused before beside
    /// others that went through. What follows is for `decide` to say.
    pub async fn excuse_items(
        &self,
        refused: &[OperationKey],
        decide: impl Fn(Attempts) -> (FailureState, i64),
    ) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT failure_id, service_attempts FROM failures \
             WHERE state IN ('waiting', 'dead') AND is_standing = 0 AND code = ?1 AND attempts <= 1 \
             AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)) ORDER BY failure_id",
        )
        .bind(FailureCode::Refused.as_str())
        .bind(keys(refused))
        .fetch_all(&mut *transaction)
        .await
        .doing(DOING)?;
        for (id, of_service) in rows {
            let of_service = of_service.saturating_add(1);
            let number = u32::try_from(of_service).unwrap_or(u32::MAX);
            let (state, due_at_ms) = decide(Attempts { own: 0, of_service: number });
            sqlx::query(
                "UPDATE failures SET code = ?, message = ?, attempts = 0, service_attempts = ?, is_service_fault = 1, \
                 state = ?, due_at_ms = ? WHERE failure_id = ?",
            )
            .bind(FailureCode::ServiceStopped.as_str())
            .bind(REFUSED_ALIKE)
            .bind(of_service)
            .bind(state.as_str())
            .bind(due_at_ms)
            .bind(id)
            .execute(&mut *transaction)
            .await
            .doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)
    }
}
