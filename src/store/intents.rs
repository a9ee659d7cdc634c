//! Intents: calls recorded before they are sent.

use std::collections::{BTreeSet, HashSet};

use super::error::{Doing, Written};
use super::keys::stored;
use super::link_codec::{hex, pack, unpack};
use super::{NotedWrite, StateStore, StoreError, counted_writes, link_writes};
use rosterd_core::exam_plan::{Fingerprint, SentValues};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{FieldId, LoginValue, RunId, StudentId};

/// One item of a call that is about to be sent.
#[derive(Clone, Debug)]
pub struct Intent {
    pub key: OperationKey,
    /// The hash of the desired change.
    pub desired_hash: Fingerprint,
    /// For an add: the login value that is sent.
    pub login: Option<LoginValue>,
    /// What the guard's limits count it as.
    pub counted: Vec<NotedWrite>,
    /// For a modify: the fields that it writes. Until the answer comes their values are unknown.
    pub in_doubt: BTreeSet<FieldId>,
    /// For an add: what is sent.
    pub sent: SentValues,
}

/// An add of an earlier run whose answer was never written down.
#[derive(Clone, Debug)]
pub struct LostAdd {
    pub student: StudentId,
    pub login: LoginValue,
    /// When, in milliseconds since 1970 UTC.
    pub sent_at_ms: i64,
    /// What was sent; empty where an earlier version sent it.
    pub sent: SentValues,
}

/// Students with a call that an earlier, unfinished run sent and that was never answered.
pub type LostIntents = HashSet<StudentId>;

impl StateStore {
    /// Records intents, and marks the fields they write as unconfirmed: were the answer lost and the roster
    /// changed back, an unlisted value would otherwise stay wrong.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing may be sent.
    pub async fn record_intents(
        &self,
        run: RunId,
        batch: u64,
        at_ms: i64,
        intents: &[Intent],
    ) -> Result<(), StoreError> {
        let row = |intent: &Intent| {
            let Intent { key, desired_hash, login, counted: _, in_doubt: _, sent } = intent;
            let (service, kind) = (key.service().as_str(), key.kind.as_str());
            let login = login.as_ref().map(LoginValue::as_str);
            serde_json::json!([
                service,
                kind,
                key.student.as_str(),
                key.class_key,
                stored(*desired_hash),
                login,
                hex(&pack(sent.fingerprints()))
            ])
        };
        let rows: serde_json::Value = intents.iter().map(row).collect();
        let doing = "writing down what is about to be sent";
        let mut transaction = self.begin().await?;
        for intent in intents.iter().filter(|intent| !intent.in_doubt.is_empty()) {
            link_writes::doubt(&mut transaction, &intent.key.student, &intent.in_doubt).await?;
        }
        let counted: Vec<NotedWrite> =
            intents.iter().flat_map(|intent| intent.counted.iter().cloned()).collect();
        counted_writes::note(&mut transaction, &counted, run, at_ms).await?;
        sqlx::query(
            "INSERT OR REPLACE INTO intents \
             (service, kind, student_id, class_key, run_id, batch, want, login_value, sent_at_ms, sent) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?, ?, value ->> 4, value ->> 5, ?, unhex(value ->> 6) \
             FROM json_each(?)",
        )
        .bind(run.0)
        .bind(i64::try_from(batch).unwrap_or(i64::MAX))
        .bind(at_ms)
        .bind(rows.to_string())
        .execute(&mut *transaction)
        .await
        .doing(doing)?;
        transaction.commit().await.doing(doing)
    }

    /// Students with an unsettled add to the exam side.
    pub async fn lost_adds(&self) -> Result<LostIntents, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'add' ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading unanswered adds")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// The same with what was sent, of runs before this one.
    pub async fn lost_adds_sent(&self, before: RunId) -> Result<Vec<LostAdd>, StoreError> {
        let rows: Vec<(String, String, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT student_id, login_value, sent_at_ms, sent FROM intents WHERE service = 'exam' AND kind = 'add' \
             AND run_id < ? AND login_value IS NOT NULL ORDER BY student_id",
        )
        .bind(before.0)
        .fetch_all(&self.reader)
        .await
        .doing("reading unanswered adds")?;
        let lost = |(student, login, sent_at_ms, sent): (String, String, i64, Vec<u8>)| LostAdd {
            student: StudentId::new(student),
            login: LoginValue::new(login),
            sent_at_ms,
            sent: SentValues::stored(unpack(&sent).unwrap_or_default()),
        };
        Ok(rows.into_iter().map(lost).collect())
    }

    /// Students with an unsettled registration, and the time it was sent, in milliseconds since 1970 UTC.
    pub async fn lost_registrations(&self) -> Result<Vec<(StudentId, i64)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT student_id, sent_at_ms FROM intents WHERE service = 'classin' AND kind = 'register' \
             ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading unanswered registrations")?;
        Ok(rows.into_iter().map(|(student, sent_at_ms)| (StudentId::new(student), sent_at_ms)).collect())
    }

    /// Deletes intents of earlier runs that a complete reading has settled: a listed candidate was adopted as
    /// ours, an unlisted one was never entered. Those in `keep` are still open.
    pub async fn settle_exam_intents(
        &self,
        before: RunId,
        keep: &HashSet<StudentId>,
    ) -> Result<(), StoreError> {
        let keep: Vec<&str> = keep.iter().map(StudentId::as_str).collect();
        sqlx::query(
            "DELETE FROM intents WHERE service = 'exam' AND run_id < ? \
             AND student_id NOT IN (SELECT value FROM json_each(?))",
        )
        .bind(before.0)
        .bind(serde_json::json!(keep).to_string())
        .execute(self.writer()?)
        .await
        .done("settling unanswered calls")
    }
}
