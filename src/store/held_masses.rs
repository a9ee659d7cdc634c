//! Who was held as part of too much at once, by person.

use std::collections::HashSet;

use rosterd_core::classin_plan::{EnrolmentRecord, HeldSubjects};
use rosterd_core::exam_plan::{Fingerprint, HeldMass, HeldMasses, Hold, MassLimit};
use rosterd_core::failure::{ClassinKind, OperationKey, RecordedKind, Service};
use rosterd_core::roster::{Gid, GroupCode, StudentId};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::keys::{fingerprint, read_key, stored};
use super::{StateStore, StoreError};

/// In milliseconds. What no complete plan has held for so long is wanted no more.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

const DOING: &str = "remembering who was held";

#[derive(sqlx::FromRow)]
struct MassRow {
    kind: String,
    student_id: String,
    class_code: String,
    want: i64,
    of_leaver: bool,
    reason: String,
    gid: Option<i64>,
    total: i64,
    size: i64,
    is_decided: bool,
}

/// One row, read.
struct Held {
    key: OperationKey,
    want: Fingerprint,
    of_leaver: bool,
    mass: HeldMass,
    is_decided: bool,
}

impl StateStore {
    /// Who was held on the exam side as part of too much at once.
    ///
    /// # Errors
    /// When the database cannot be read, or a row has a word that this version does not know.
    pub async fn held_masses(&self) -> Result<HeldMasses, StoreError> {
        let mut masses = HeldMasses::default();
        for Held { key, want, of_leaver, mass, is_decided } in self.held(Service::Exam).await? {
            let OperationKey { kind, student, class_key } = key;
            if is_decided {
                masses.decide(student.clone(), mass.limit);
            }
            match kind {
                _ if mass.limit == MassLimit::NewGroups => {
                    masses.insert_group(GroupCode::new(class_key), mass);
                }
                _ if of_leaver => masses.insert_leaver(student, mass),
                RecordedKind::Exam(kind) if is_decided => masses.insert_let_go(student, kind, want, mass),
                RecordedKind::Exam(kind) => masses.insert(student, kind, mass),
                RecordedKind::Classin(_) | RecordedKind::RosterRow => {}
            }
        }
        Ok(masses)
    }

    /// What was held of ClassIn as part of too much at once.
    ///
    /// # Errors
    /// When the database cannot be read, or a row has a word that this version does not know.
    pub async fn held_in_classin(&self) -> Result<HeldSubjects, StoreError> {
        let mut masses = HeldSubjects::default();
        for Held { key, want, of_leaver: _, mass, is_decided: _ } in self.held(Service::Classin).await? {
            masses.insert(key, want, mass);
        }
        Ok(masses)
    }

    async fn held(&self, service: Service) -> Result<Vec<Held>, StoreError> {
        let rows: Vec<MassRow> = sqlx::query_as(
            "SELECT kind, student_id, class_code, want, of_leaver, reason, gid, total, size, \
             is_decided FROM held_masses \
             WHERE service = ? ORDER BY student_id, kind, class_code, want",
        )
        .bind(service.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading who was held")?;
        let held = rows.into_iter().map(|row| {
            let MassRow {
                kind,
                student_id,
                class_code,
                want,
                of_leaver,
                reason,
                gid,
                total,
                size,
                is_decided,
            } = row;
            let what = "has an unknown reason";
            let bad = || StoreError::Row { table: "held_masses", key: student_id.clone(), what };
            let limit = MassLimit::parse(&reason, gid.map(Gid)).ok_or_else(bad)?;
            let number = |stored: i64| u64::try_from(stored).unwrap_or(0);
            let mass = HeldMass { limit, total: number(total), size: number(size) };
            let place = ("held_masses", &reason as &dyn std::fmt::Display);
            let key = read_key(place, (service.as_str(), &kind), student_id, class_code)?;
            Ok(Held { key, want: fingerprint(want), of_leaver, mass, is_decided })
        });
        held.collect()
    }

    /// The leavers among them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn leavers_held_together(&self) -> Result<HashSet<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT student_id FROM held_masses WHERE of_leaver = 1 ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading who was held")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }
}

/// Remembers whom these holds concern.
pub(super) async fn remember(
    transaction: &mut Transaction<'_, Sqlite>,
    holds: &[Hold],
    now_ms: i64,
) -> Result<(), StoreError> {
    for hold in holds {
        let Some(HeldMass { limit, total, size }) = hold.mass else { continue };
        let operations = hold.operations.iter().map(|operation| {
            let key = &operation.key;
            let want = stored(operation.desired_hash);
            (key.kind.as_str(), key.student.as_str(), &key.class_key, want, operation.of_leaver)
        });
        let operations: Vec<(&str, &str, &String, i64, bool)> = operations.collect();
        sqlx::query(
            "INSERT INTO held_masses (service, kind, student_id, class_code, want, of_leaver, reason, gid, total, \
             size, held_at_ms) \
             SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2, ?3, ?4, ?5, ?6 \
             FROM json_each(?7) WHERE true \
             ON CONFLICT DO UPDATE SET of_leaver = excluded.of_leaver, reason = excluded.reason, gid = excluded.gid, \
             total = excluded.total, \
             size = CASE WHEN reason = excluded.reason AND gid IS excluded.gid THEN max(size, excluded.size) \
             ELSE excluded.size END, is_decided = 0, held_at_ms = excluded.held_at_ms",
        )
        .bind(hold.service.as_str())
        .bind(limit.code())
        .bind(limit.group().map(|gid| gid.0))
        .bind(i64::try_from(total).unwrap_or(i64::MAX))
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .bind(now_ms)
        .bind(serde_json::json!(operations).to_string())
        .execute(&mut **transaction)
        .await
        .done(DOING)?;
    }
    Ok(())
}

/// Forgets what has not been held for a day by plans that could tell, and who was let go of a mass of which nobody is left.
pub(super) async fn forget(
    transaction: &mut Transaction<'_, Sqlite>,
    service: Service,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM held_masses WHERE service = ? AND is_decided = 0 AND held_at_ms < ?")
        .bind(service.as_str())
        .bind(now_ms.saturating_sub(KEPT_MS))
        .execute(&mut **transaction)
        .await
        .done(DOING)?;
    sqlx::query(
        "DELETE FROM held_masses AS one WHERE service = ? AND is_decided = 1 AND NOT EXISTS \
         (SELECT 1 FROM held_masses AS other WHERE other.service = one.service AND other.reason = one.reason \
         AND other.gid IS one.gid AND other.is_decided = 0)",
    )
    .bind(service.as_str())
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

/// A person lets this go.
pub(super) async fn decide(
    transaction: &mut Transaction<'_, Sqlite>,
    key: &OperationKey,
    want: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE held_masses SET is_decided = 1 WHERE service = ? AND kind = ? AND student_id = ? AND class_code = ? \
         AND want = ?",
    )
    .bind(key.service().as_str())
    .bind(key.kind.as_str())
    .bind(key.student.as_str())
    .bind(&key.class_key)
    .bind(want)
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

/// These leavers are back on the roster: who leaves again is judged anew.
pub(super) async fn forget_returned(
    transaction: &mut Transaction<'_, Sqlite>,
    students: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM held_masses WHERE of_leaver = 1 AND student_id IN (SELECT value FROM json_each(?))",
    )
    .bind(students)
    .execute(&mut **transaction)
    .await
    .done(DOING)
}

/// The student is wanted there again: who leaves again is judged anew, as on the exam side.
pub(super) async fn forget_removal(
    transaction: &mut Transaction<'_, Sqlite>,
    record: &EnrolmentRecord,
) -> Result<(), StoreError> {
    let key = OperationKey::of(ClassinKind::Remove, record.student.clone());
    sqlx::query("DELETE FROM held_masses WHERE service = ? AND kind = ? AND student_id = ? AND want = ?")
        .bind(key.service().as_str())
        .bind(key.kind.as_str())
        .bind(key.student.as_str())
        .bind(stored(Fingerprint(record.removal_hash())))
        .execute(&mut **transaction)
        .await
        .done(DOING)
}
