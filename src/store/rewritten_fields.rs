//! Fields whose values the service keeps in a form of its own: what was found out of them, and for whom.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::link_codec::{each, json, numbers, pack, unpack};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::roster::{FieldId, RunId, StudentId};

/// A field that is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncomparedField {
    pub field: FieldId,
    /// For how many students.
    pub students: u64,
    /// Since when for the first of them, in milliseconds since 1970 UTC; absent where an earlier version found it.
    pub since_ms: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct UncomparedRow {
    field: i64,
    students: i64,
    since_ms: Option<i64>,
}

impl From<UncomparedRow> for UncomparedField {
    fn from(row: UncomparedRow) -> Self {
        let UncomparedRow { field, students, since_ms } = row;
        Self { field: FieldId(field), students: counted(students), since_ms }
    }
}

impl StateStore {
    /// Fields that the service was found to rewrite, with for how many students and since when.
    pub async fn uncompared_fields(&self) -> Result<Vec<UncomparedField>, StoreError> {
        let rows: Vec<UncomparedRow> = sqlx::query_as(
            "SELECT field.value AS field, count(*) AS students, \
             min(json_extract(links.rewritten_since, '$.\"' || field.value || '\"')) AS since_ms \
             FROM links, json_each(links.rewritten) AS field \
             WHERE links.rewritten <> '[]' GROUP BY field.value ORDER BY field.value",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading rewritten fields")?;
        Ok(rows.into_iter().map(UncomparedField::from).collect())
    }

    /// The same for one student.
    pub async fn uncompared_fields_of(
        &self,
        student: &StudentId,
    ) -> Result<Vec<UncomparedField>, StoreError> {
        let rows: Vec<UncomparedRow> = sqlx::query_as(
            "SELECT field.value AS field, 1 AS students, \
             json_extract(links.rewritten_since, '$.\"' || field.value || '\"') AS since_ms \
             FROM links, json_each(links.rewritten) AS field \
             WHERE links.student_id = ? ORDER BY field.value",
        )
        .bind(student.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("reading a student's rewritten fields")?;
        Ok(rows.into_iter().map(UncomparedField::from).collect())
    }

    /// Fields whose listed values have to be told again by a later run: rewritten ones, those that are being found
    /// out, and those that were written since the last complete listing.
    pub async fn fields_to_recognise(&self, last_complete: RunId) -> Result<BTreeSet<FieldId>, StoreError> {
        let doing = "reading the fields to recognise";
        let kept: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT rewritten FROM links WHERE rewritten <> '[]' \
             UNION SELECT DISTINCT unverified FROM links WHERE written_run >= ? \
             UNION SELECT DISTINCT (SELECT json_group_array(CAST(field.key AS INTEGER)) \
             FROM json_each(links.sent_twice) AS field) FROM links WHERE sent_twice <> '{}' ORDER BY 1",
        )
        .bind(last_complete.0)
        .fetch_all(&self.reader)
        .await
        .doing(doing)?;
        Ok(kept.iter().filter_map(|fields| numbers(fields, FieldId)).flatten().collect())
    }
}

/// Fields that came back changed, with what is shown.
pub(super) async fn suspect(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    shown: &BTreeMap<FieldId, Fingerprint>,
) -> Result<(), StoreError> {
    if shown.is_empty() {
        return Ok(());
    }
    let mut suspected = suspicions(transaction, student).await?;
    suspected.extend(shown.iter().map(|(field, fingerprint)| (*field, *fingerprint)));
    write_suspicions(transaction, student, &suspected).await?;
    wait_no_more(transaction, student, shown.keys().copied()).await
}

/// Suspected fields whose second write was confirmed wait for two listings.
pub(super) async fn wait_for_listings(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    fields: &BTreeSet<FieldId>,
    seen: i64,
) -> Result<(), StoreError> {
    if fields.is_empty() {
        return Ok(());
    }
    sqlx::query("UPDATE links SET sent_twice = json_patch(sent_twice, ?) WHERE student_id = ?")
        .bind(each(fields.iter().copied(), Some(seen)))
        .bind(student.as_str())
        .execute(&mut **transaction)
        .await
        .done("remembering a second write")
}

async fn wait_no_more(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    fields: impl Iterator<Item = FieldId>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE links SET sent_twice = json_patch(sent_twice, ?) WHERE student_id = ?")
        .bind(each(fields, None))
        .bind(student.as_str())
        .execute(&mut **transaction)
        .await
        .done("forgetting a second write")
}

/// The service rewrites these fields; from now on they are not compared.
pub(super) async fn compare_no_more(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    fields: &BTreeSet<FieldId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    if fields.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE links SET rewritten_since = json_patch(?1, rewritten_since), \
         sent_twice = json_patch(sent_twice, ?2), \
         rewritten = (SELECT json_group_array(value) FROM \
         (SELECT value FROM json_each(rewritten) UNION SELECT value FROM json_each(?3))) WHERE student_id = ?4",
    )
    .bind(each(fields.iter().copied(), Some(now_ms)))
    .bind(each(fields.iter().copied(), None))
    .bind(json(fields.iter().map(|field| field.0)))
    .bind(student.as_str())
    .execute(&mut **transaction)
    .await
    .done("remembering rewritten fields")
}

/// These fields are compared as any other.
pub(super) async fn clear(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    fields: &BTreeSet<FieldId>,
) -> Result<(), StoreError> {
    if fields.is_empty() {
        return Ok(());
    }
    let mut suspected = suspicions(transaction, student).await?;
    suspected.retain(|field, _| !fields.contains(field));
    write_suspicions(transaction, student, &suspected).await?;
    sqlx::query(
        "UPDATE links SET rewritten_since = json_patch(rewritten_since, ?1), \
         sent_twice = json_patch(sent_twice, ?1), \
         rewritten = (SELECT json_group_array(value) FROM json_each(rewritten) \
         WHERE value NOT IN (SELECT value FROM json_each(?2))) WHERE student_id = ?3",
    )
    .bind(each(fields.iter().copied(), None))
    .bind(json(fields.iter().map(|field| field.0)))
    .bind(student.as_str())
    .execute(&mut **transaction)
    .await
    .done("comparing fields again")
}

async fn suspicions(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
) -> Result<BTreeMap<FieldId, Fingerprint>, StoreError> {
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT suspected FROM links WHERE student_id = ?")
        .bind(student.as_str())
        .fetch_optional(&mut **transaction)
        .await
        .doing("reading suspicions")?;
    Ok(kept.and_then(|kept| unpack(&kept)).unwrap_or_default())
}

async fn write_suspicions(
    transaction: &mut Transaction<'_, Sqlite>,
    student: &StudentId,
    suspected: &BTreeMap<FieldId, Fingerprint>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE links SET suspected = ? WHERE student_id = ?")
        .bind(pack(suspected))
        .bind(student.as_str())
        .execute(&mut **transaction)
        .await
        .done("remembering suspicions")
}
