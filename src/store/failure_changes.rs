//! How failures change: recorded, resolved, closed, silenced, and taken apart after an upgrade.

use std::collections::HashSet;

use rosterd_core::exam_plan::{HoldReason, HoldWord};
use rosterd_core::failure::{FailureCode, FailureState, Fault, OperationKey, RecordedHash, Service};
use rosterd_core::roster::{RunId, StudentId};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::failures::{key, stored_contact};
use super::keys::{keys, stored};
use super::link_codec::json;
use super::{FailureRecord, StateStore, StoreError};

const ACCOUNT_FULL: &str = "the account has no room for more candidates: raise its candidate number limit, or delete \
                            candidates that nobody needs";

/// Writes one failure inside the caller's transaction: a new row, or the newest state of the open one.
pub(super) async fn record(
    transaction: &mut Transaction<'_, Sqlite>,
    record: &FailureRecord,
    run: RunId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let FailureRecord { key, call, code, message, service_text, batch, index, failure, attempts, fault } =
        record;
    let number = |number: &Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    let (contact, contact_form) = stored_contact(failure.recorded);
    sqlx::query(
        "INSERT INTO failures (service, kind, student_id, class_code, state, call, code, message, \
         service_text, batch, item_index, attempts, service_attempts, is_service_fault, first_failed_at_ms, \
         last_failed_at_ms, due_at_ms, want, contact, contact_form, run_id) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (service, kind, student_id, class_code, is_standing) \
         WHERE state IN ('waiting', 'dead', 'ignored', 'held') DO UPDATE SET state = excluded.state, call = excluded.call, \
         code = iif(code = 'group-refused' AND excluded.code = 'refused' AND want = excluded.want, code, excluded.code), \
         message = iif(code = 'group-refused' AND excluded.code = 'refused' AND want = excluded.want, message, excluded.message), \
         service_text = excluded.service_text, batch = excluded.batch, \
         item_index = excluded.item_index, attempts = excluded.attempts, \
         service_attempts = excluded.service_attempts, is_service_fault = excluded.is_service_fault, \
         last_failed_at_ms = excluded.last_failed_at_ms, due_at_ms = excluded.due_at_ms, \
         want = excluded.want, contact = excluded.contact, contact_form = excluded.contact_form, \
         run_id = excluded.run_id",
    )
    .bind(key.service().as_str())
    .bind(key.kind.as_str())
    .bind(key.student.as_str())
    .bind(&key.class_key)
    .bind(failure.state.as_str())
    .bind(*call)
    .bind(code.as_str())
    .bind(message)
    .bind(service_text)
    .bind(number(batch))
    .bind(number(index))
    .bind(attempts.own)
    .bind(attempts.of_service)
    .bind(*fault == Fault::Service)
    .bind(now_ms)
    .bind(now_ms)
    .bind(failure.due_at_ms)
    .bind(stored(failure.recorded.hash))
    .bind(contact)
    .bind(contact_form)
    .bind(run.0)
    .execute(&mut **transaction)
    .await
    .done("recording a failure")
}

/// Closes the open failures of what has succeeded, inside the caller's transaction.
pub(super) async fn resolve(
    transaction: &mut Transaction<'_, Sqlite>,
    applied: &[OperationKey],
    now_ms: i64,
) -> Result<(), StoreError> {
    if applied.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE failures SET state = 'resolved', closed_at_ms = ? WHERE failure_id IN \
         (SELECT f.failure_id FROM json_each(?) AS done CROSS JOIN failures AS f \
          ON f.service = done.value ->> 0 AND f.kind = done.value ->> 1 \
          AND f.student_id = done.value ->> 2 AND f.class_code = done.value ->> 3 \
          WHERE f.state IN ('waiting', 'dead', 'ignored', 'held'))",
    )
    .bind(now_ms)
    .bind(keys(applied))
    .execute(&mut **transaction)
    .await
    .done("closing failures")
}

/// Takes back what a person let go ahead of these open failures, or of all, inside the caller's transaction. Of a leaver that
/// is whatever would be done to their candidate. Whose silence says that somebody has left contradicts no approval.
async fn end_approvals(
    transaction: &mut Transaction<'_, Sqlite>,
    ids: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM approvals WHERE EXISTS (SELECT 1 FROM open_failures AS f WHERE f.service = approvals.service \
         AND f.student_id = approvals.student_id AND f.class_code = approvals.class_code \
         AND (f.kind = approvals.kind OR (f.of_leaver = 1 AND approvals.of_leaver = 1)) \
         AND NOT (f.is_standing = 1 AND f.code = ?2 AND f.about IS ?3) \
         AND (?1 IS NULL OR f.failure_id IN (SELECT value FROM json_each(?1))))",
    )
    .bind(ids)
    .bind(HoldReason::StillNamed.named().map(|named| named.word.as_str()))
    .bind(HoldReason::StillNamed.named().map(|named| stored(named.about)))
    .execute(&mut **transaction)
    .await
    .done("ending approvals of what is silenced")
}

/// Whoever was told to take a student out of a whole course, and now says that this is seen to, has taken them out of its
/// classes too: those are asked about once more, inside the caller's transaction. Of these open failures, or of all.
async fn prove_what_rests_on(
    transaction: &mut Transaction<'_, Sqlite>,
    ids: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE enrolments SET needs_proof = 1 WHERE class_id <> 0 AND evidence IN ('added', 'present', 'presumed') \
         AND EXISTS (SELECT 1 FROM open_failures AS f JOIN enrolments AS whole ON whole.student_id = f.student_id \
         WHERE whole.class_id = 0 AND whole.course_id = enrolments.course_id AND whole.uid = enrolments.uid \
         AND whole.evidence NOT IN ('gone', 'condemned') AND f.service = 'classin' AND f.kind = 'remove' AND f.code = ?2 \
         AND (?1 IS NULL OR f.failure_id IN (SELECT value FROM json_each(?1))))",
    )
    .bind(ids)
    .bind(FailureCode::NotOurs.as_str())
    .execute(&mut **transaction)
    .await
    .done("asking about classes of a course once more")
}

const REFUSED_ALL: &str =
    "the service refused everything of this kind that it was sent: it is tried again by itself";

impl StateStore {
    /// These were refused like everything of their kind: the service's doing, which uses up no attempt and is never
    /// given up.
    pub async fn blame_service(&self, refused: &[OperationKey]) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE failures SET code = ?, state = 'waiting', attempts = max(attempts - 1, 0), \
             service_attempts = service_attempts + 1, is_service_fault = 1, message = ? \
             WHERE state IN ('waiting', 'dead') AND is_standing = 0 AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
        )
        .bind(FailureCode::ServiceStopped.as_str())
        .bind(REFUSED_ALL)
        .bind(keys(refused))
        .execute(self.writer()?)
        .await
        .done("recording that the service refused everything")
    }

    /// These adds were refused because the account is full: no fault of their students, and no attempt that
    /// counts towards giving up.
    pub async fn blame_account(&self, refused: &[OperationKey]) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE failures SET code = ?, state = 'waiting', attempts = max(attempts - 1, 1), message = ? \
             WHERE state IN ('waiting', 'dead') AND is_standing = 0 AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))",
        )
        .bind(FailureCode::AccountFull.as_str())
        .bind(ACCOUNT_FULL)
        .bind(keys(refused))
        .execute(self.writer()?)
        .await
        .done("recording that the account is full")
    }

    /// These were refused because of their group, whose gid is wrong: no fault of their students. It stays so until one
    /// of them is put into it.
    pub async fn blame_group(&self, refused: &[OperationKey], message: &str) -> Result<(), StoreError> {
        let either = [FailureCode::Refused, FailureCode::GroupRefused];
        self.blame(refused, &either, &FailureCode::GroupRefused, message).await
    }

    /// These were refused although others are put into their group, which was blamed before.
    pub async fn blame_students_of_group(
        &self,
        refused: &[OperationKey],
        message: &str,
    ) -> Result<(), StoreError> {
        self.blame(refused, &[FailureCode::GroupRefused], &FailureCode::Refused, message).await
    }

    /// Says more of what was refused than the answer did.
    pub async fn say_of_group(&self, refused: &[OperationKey], message: &str) -> Result<(), StoreError> {
        self.blame(refused, &[FailureCode::Refused], &FailureCode::Refused, message).await
    }

    async fn blame(
        &self,
        refused: &[OperationKey],
        before: &[FailureCode],
        code: &FailureCode,
        message: &str,
    ) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        let before: Vec<_> = before.iter().map(FailureCode::as_str).collect();
        sqlx::query(
            "UPDATE failures SET code = ?1, message = ?2 WHERE state IN ('waiting', 'dead') \
             AND code IN (SELECT value FROM json_each(?3)) AND is_standing = 0 \
             AND (service, kind, student_id, class_code) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?4))",
        )
        .bind(code.as_str())
        .bind(message)
        .bind(serde_json::json!(before).to_string())
        .bind(keys(refused))
        .execute(self.writer()?)
        .await
        .done("recording that a group takes nobody")
    }

    /// Closes as superseded every open failure of a service that the newest complete plan no longer wants. Says how
    /// many that are.
    pub async fn supersede_failures(
        &self,
        service: Service,
        wanted: &HashSet<OperationKey>,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let doing = "closing failures";
        let open: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT failure_id, kind, student_id, class_code FROM open_failures \
             WHERE service = ? AND is_standing = 0 ORDER BY failure_id",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .doing(doing)?;
        let mut unwanted = Vec::new();
        for (id, kind, student, class) in open {
            if !wanted.contains(&key(id, service.as_str(), &kind, student, class)?) {
                unwanted.push(id);
            }
        }
        self.supersede(unwanted, now_ms, doing).await
    }

    /// Closes those of these failures that are open. Says how many that were.
    pub(super) async fn supersede(
        &self,
        ids: Vec<i64>,
        now_ms: i64,
        doing: &'static str,
    ) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        sqlx::query(
            "UPDATE failures SET state = 'superseded', closed_at_ms = ? \
             WHERE failure_id IN (SELECT value FROM json_each(?)) \
             AND failure_id IN (SELECT failure_id FROM open_failures)",
        )
        .bind(now_ms)
        .bind(json(ids))
        .execute(self.writer()?)
        .await
        .rows(doing)
    }

    /// Closes what was impossible on the exam side of that which a complete plan no longer finds impossible.
    pub async fn supersede_impossible(
        &self,
        possible: &HashSet<OperationKey>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let doing = "closing what is possible again";
        let open: Vec<(i64, String, String, String)> = sqlx::query_as(
            "SELECT failure_id, kind, student_id, code FROM open_failures \
             WHERE service = 'exam' AND is_standing = 0 ORDER BY failure_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing(doing)?;
        let mut over = Vec::new();
        for (id, kind, student, code) in open {
            let is_over = FailureCode::parse(&code).says_impossible()
                && possible.contains(&key(id, Service::Exam.as_str(), &kind, student, String::new())?);
            over.extend(is_over.then_some(id));
        }
        self.supersede(over, now_ms, doing).await.map(drop)
    }

    /// A service that is switched off: nothing of it is tried, and nobody can do anything about what failed or is asked. What a
    /// person silenced stays so, for when it is switched on again.
    pub async fn end_failures_of_switched_off(
        &self,
        service: Service,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        sqlx::query(
            "UPDATE failures SET state = 'superseded', closed_at_ms = ? WHERE service = ? \
             AND failure_id IN (SELECT failure_id FROM open_failures) AND state <> 'ignored'",
        )
        .bind(now_ms)
        .bind(service.as_str())
        .execute(self.writer()?)
        .await
        .rows("closing failures of a service that is switched off")
    }

    /// Closes what failed because the candidate of one of these students was gone.
    pub async fn supersede_changes_of_gone(
        &self,
        students: &HashSet<&StudentId>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if students.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = students.iter().map(|student| student.as_str()).collect();
        sqlx::query(
            "UPDATE failures SET state = 'superseded', closed_at_ms = ? WHERE failure_id IN \
             (SELECT failure_id FROM open_failures WHERE service = 'exam' AND is_standing = 0 AND code = ? \
             AND student_id IN (SELECT value FROM json_each(?)))",
        )
        .bind(now_ms)
        .bind(FailureCode::CandidateGone.as_str())
        .bind(serde_json::json!(ids).to_string())
        .execute(self.writer()?)
        .await
        .done("closing failures of candidates that are gone")
    }

    /// Makes failures due now (`failures retry`), or silences them (`failures ignore`); all open ones
    /// when `ids` is absent, but what is silenced wakes only by its number, and only by its number is silenced a hold whose
    /// silence says that somebody has left, or a failure whose silence takes somebody out of the place that they have. What is withheld or held is never due: it
    /// is silenced, or stands again as it stood. What is silenced is approved no longer: the later word counts. Says how
    /// many were changed.
    pub async fn change_failures(
        &self,
        ids: Option<&[i64]>,
        to: FailureState,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let of_the_roster = self.change_roster_rows(ids, to).await?;
        let ids = ids.map(|ids| json(ids.iter().copied()));
        let doing = "changing failures";
        let mut transaction = self.begin().await?;
        if to == FailureState::Ignored {
            end_approvals(&mut transaction, ids.as_deref()).await?;
            prove_what_rests_on(&mut transaction, ids.as_deref()).await?;
        }
        if to == FailureState::Waiting {
            // Who is to be tried again is asked about again.
            sqlx::query(
                "DELETE FROM standing_answers WHERE ?1 IS NULL OR student_id IN (SELECT student_id FROM failures \
                 WHERE failure_id IN (SELECT value FROM json_each(?1)))",
            )
            .bind(&ids)
            .execute(&mut *transaction)
            .await
            .done(doing)?;
        }
        let says_left = HoldReason::StillNamed.named();
        let changed = sqlx::query(
            "UPDATE failures SET due_at_ms = ?2, \
             state = CASE WHEN is_standing = 1 AND ?1 = 'waiting' AND code IN (SELECT value FROM json_each(?4)) \
             THEN 'held' ELSE ?1 END, \
             attempts = CASE WHEN ?1 = 'waiting' THEN 0 ELSE attempts END, \
             service_attempts = CASE WHEN ?1 = 'waiting' THEN 0 ELSE service_attempts END \
             WHERE failure_id IN (SELECT failure_id FROM open_failures) \
             AND ((?3 IS NULL AND (state <> 'ignored' OR ?1 = 'ignored') \
             AND NOT (?1 = 'ignored' AND (is_standing = 1 AND code = ?5 AND about = ?6 \
             OR failure_id IN (SELECT failure_id FROM failures_that_keep_places)))) \
             OR failure_id IN (SELECT value FROM json_each(?3)))",
        )
        .bind(to.as_str())
        .bind(now_ms)
        .bind(ids)
        .bind(serde_json::json!(HoldWord::ALL.map(HoldWord::as_str)).to_string())
        .bind(says_left.map(|named| named.word.as_str()))
        .bind(says_left.map(|named| stored(named.about)))
        .execute(&mut *transaction)
        .await
        .rows(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(changed.saturating_add(of_the_roster))
    }

    /// Stores in parts what an earlier version stored mixed, by number of the failure: all of them or none.
    pub async fn store_apart(&self, taken_apart: &[(i64, RecordedHash)]) -> Result<(), StoreError> {
        if taken_apart.is_empty() {
            return Ok(());
        }
        let rows: Vec<(i64, i64, Option<i64>, &str)> = taken_apart
            .iter()
            .map(|(id, recorded)| {
                let (contact, form) = stored_contact(*recorded);
                (*id, stored(recorded.hash), contact, form)
            })
            .collect();
        sqlx::query(
            "UPDATE failures SET want = parts.value ->> 1, contact = parts.value ->> 2, \
             contact_form = parts.value ->> 3 FROM json_each(?) AS parts \
             WHERE failures.failure_id = parts.value ->> 0 AND contact_form <> 'apart'",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(self.writer()?)
        .await
        .done("storing failures in parts")
    }
}
