//! Links between students and candidates.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::stream::{Stream, StreamExt};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{StateStore, StoreError, link_writes};
use rosterd_core::exam_plan::{Fingerprint, Link, LinkNote, Origin, Owners};
use rosterd_core::roster::{FieldId, Gid, LoginValue, RunId, Sid, StudentId};

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// The link as it is to be remembered.
    pub link: Link,
    /// When its groups are to be looked up again, in milliseconds since 1970 UTC.
    pub groups_due_at_ms: i64,
}

/// The change to links that an applied operation causes.
#[derive(Clone, Debug)]
pub enum LinkWrite {
    /// A candidate was added or adopted.
    Make(Box<NewLink>),
    /// Values were written and confirmed.
    Values {
        /// The student.
        student: StudentId,
        /// The login value, where that changed.
        login: Option<LoginValue>,
        /// The confirmed values.
        confirmed: BTreeMap<FieldId, Fingerprint>,
    },
    /// The candidate is in these groups now.
    Groups {
        /// The student.
        student: StudentId,
        /// All of them.
        groups: BTreeSet<Gid>,
        /// When they are to be looked up again.
        due_at_ms: i64,
    },
    /// The candidate has joined and left groups.
    Regroup {
        /// The student.
        student: StudentId,
        /// Into these.
        join: BTreeSet<Gid>,
        /// Out of these.
        leave: BTreeSet<Gid>,
    },
    /// The candidate's existence is in doubt: look it up at the next occasion.
    CheckSoon(StudentId),
    /// The candidate is gone.
    Forget(StudentId),
}

const COLUMNS: &str = "student_id, sid, login_value, origin, confirmed, unverified, suspected, rewritten, \
                       written_run, gids, gone_since_ms, gone_runs";

fn link(row: &SqliteRow, last_complete: RunId) -> Result<Link, StoreError> {
    let student: String = row.try_get("student_id").map_err(StoreError::query("reading a link"))?;
    let bad = |what| StoreError::Row { table: "links", key: student.clone(), what };
    let read = || -> Result<_, sqlx::Error> {
        Ok((
            row.try_get::<i64, _>("sid")?,
            row.try_get::<String, _>("login_value")?,
            row.try_get::<String, _>("origin")?,
            row.try_get::<Vec<u8>, _>("confirmed")?,
            row.try_get::<String, _>("unverified")?,
            row.try_get::<Vec<u8>, _>("suspected")?,
            row.try_get::<String, _>("rewritten")?,
            row.try_get::<i64, _>("written_run")?,
            row.try_get::<Option<String>, _>("gids")?,
            row.try_get::<Option<i64>, _>("gone_since_ms")?,
            row.try_get::<i64, _>("gone_runs")?,
        ))
    };
    let (
        sid,
        login,
        origin,
        confirmed,
        unverified,
        suspected,
        rewritten,
        written_run,
        gids,
        gone_since_ms,
        gone_runs,
    ) = read().map_err(|_| bad("cannot be read"))?;
    let fresh = written_run >= last_complete.0;
    Ok(Link {
        sid: Sid(sid),
        login: LoginValue::new(login),
        origin: Origin::parse(&origin).ok_or_else(|| bad("has an unknown origin"))?,
        confirmed: unpack(&confirmed).ok_or_else(|| bad("has unreadable fingerprints"))?,
        unverified: if fresh {
            numbers(&unverified, FieldId).ok_or_else(|| bad("has unreadable fields"))?
        } else {
            BTreeSet::new()
        },
        suspected: unpack(&suspected).ok_or_else(|| bad("has unreadable fingerprints"))?,
        rewritten: numbers(&rewritten, FieldId).ok_or_else(|| bad("has unreadable fields"))?,
        groups: match gids {
            Some(gids) => Some(numbers(&gids, Gid).ok_or_else(|| bad("has unreadable groups"))?),
            None => None,
        },
        gone_since_ms,
        gone_runs: u32::try_from(gone_runs).unwrap_or(u32::MAX),
        student: StudentId::new(student),
    })
}

/// Fingerprints as rows of 16 bytes: the field's number, then the fingerprint.
pub(super) fn pack(confirmed: &BTreeMap<FieldId, Fingerprint>) -> Vec<u8> {
    confirmed
        .iter()
        .flat_map(|(field, fingerprint)| [field.0.to_le_bytes(), fingerprint.0.to_le_bytes()])
        .flatten()
        .collect()
}

pub(super) fn unpack(bytes: &[u8]) -> Option<BTreeMap<FieldId, Fingerprint>> {
    let chunks = bytes.chunks_exact(16);
    if !chunks.remainder().is_empty() {
        return None;
    }
    chunks
        .map(|chunk| {
            let (field, fingerprint) = chunk.split_at_checked(8)?;
            let field = i64::from_le_bytes(field.try_into().ok()?);
            Some((FieldId(field), Fingerprint(u64::from_le_bytes(fingerprint.try_into().ok()?))))
        })
        .collect()
}

pub(super) fn numbers<T: Ord>(json: &str, wrap: fn(i64) -> T) -> Option<BTreeSet<T>> {
    if json == "[]" {
        return Some(BTreeSet::new());
    }
    let numbers: Vec<i64> = serde_json::from_str(json).ok()?;
    Some(numbers.into_iter().map(wrap).collect())
}

pub(super) fn json(numbers: impl IntoIterator<Item = i64>) -> String {
    let parts: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", parts.join(","))
}

impl StateStore {
    /// All links in ascending order of student id. `last_complete` decides which written fields still
    /// wait for a listing that shows them.
    pub fn links(&self, last_complete: RunId) -> impl Stream<Item = Result<Link, StoreError>> + Send + '_ {
        sqlx::query(
            "SELECT student_id, sid, login_value, origin, confirmed, unverified, suspected, rewritten, \
             written_run, gids, gone_since_ms, gone_runs FROM links ORDER BY student_id",
        )
        .fetch(&self.reader)
        .map(move |row| link(&row.map_err(StoreError::query("reading links"))?, last_complete))
    }

    /// One student's link.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn link_of(&self, student: &StudentId) -> Result<Option<Link>, StoreError> {
        let last_complete = self.last_complete_run().await?;
        let sql = format!("SELECT {COLUMNS} FROM links WHERE student_id = ?");
        // Only our own column list is spliced in.
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(student.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(StoreError::query("reading a link"))?;
        row.as_ref().map(|row| link(row, last_complete)).transpose()
    }

    /// The number of links.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn count_links(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM links")
            .fetch_one(&self.reader)
            .await
            .map_err(StoreError::query("counting links"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The students linked to candidates with these login values; others are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn owners(&self, logins: &BTreeSet<LoginValue>) -> Result<Owners, StoreError> {
        if logins.is_empty() {
            return Ok(Owners::new());
        }
        let asked: Vec<&str> = logins.iter().map(LoginValue::as_str).collect();
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT login_value, min(student_id) FROM links \
             WHERE login_value IN (SELECT value FROM json_each(?)) GROUP BY login_value ORDER BY login_value",
        )
        .bind(serde_json::json!(asked).to_string())
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("finding whose a login value is"))?;
        Ok(rows
            .into_iter()
            .map(|(login, student)| (LoginValue::new(login), StudentId::new(student)))
            .collect())
    }

    /// The students linked to these candidates; others are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sid_owners(
        &self,
        sids: impl IntoIterator<Item = Sid>,
    ) -> Result<HashMap<Sid, StudentId>, StoreError> {
        let asked = json(sids.into_iter().map(|sid| sid.0));
        if asked == "[]" {
            return Ok(HashMap::new());
        }
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT sid, student_id FROM links WHERE sid IN (SELECT value FROM json_each(?)) ORDER BY sid",
        )
        .bind(asked)
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query("finding whose a candidate is"))?;
        Ok(rows.into_iter().map(|(sid, student)| (Sid(sid), StudentId::new(student))).collect())
    }

    /// Candidates due for a look-up of their groups, filled up to whole requests with those due next; empty
    /// when none is due. Candidates with a group move of unknown outcome come first, because their recorded
    /// groups may be wrong.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn groups_due(&self, now_ms: i64, request_size: usize) -> Result<Vec<Sid>, StoreError> {
        let doing = "finding groups to look up";
        let due: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM links WHERE groups_due_at_ms <= ? OR student_id IN \
             (SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'move')",
        )
        .bind(now_ms)
        .fetch_one(&self.reader)
        .await
        .map_err(StoreError::query(doing))?;
        let due = usize::try_from(due).unwrap_or(0);
        let whole_requests = due.div_ceil(request_size.max(1)).saturating_mul(request_size);
        // Two ordered readings instead of one by an expression, which no index serves.
        let sids: Vec<i64> = sqlx::query_scalar(
            "SELECT sid FROM (SELECT sid FROM links WHERE student_id IN \
             (SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'move') ORDER BY sid) \
             UNION ALL SELECT sid FROM (SELECT sid FROM links WHERE student_id NOT IN \
             (SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'move') \
             ORDER BY groups_due_at_ms, sid) LIMIT ?",
        )
        .bind(i64::try_from(whole_requests).unwrap_or(i64::MAX))
        .fetch_all(&self.reader)
        .await
        .map_err(StoreError::query(doing))?;
        Ok(sids.into_iter().map(Sid).collect())
    }

    /// Remembers groups as they were looked up.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remember_groups(&self, looked_up: &[(Sid, BTreeSet<Gid>, i64)]) -> Result<(), StoreError> {
        let rows: Vec<(i64, Vec<i64>, i64)> = looked_up
            .iter()
            .map(|(sid, groups, due_at_ms)| (sid.0, groups.iter().map(|gid| gid.0).collect(), *due_at_ms))
            .collect();
        sqlx::query(
            "UPDATE links SET gids = seen.value ->> 1, groups_due_at_ms = seen.value ->> 2 \
             FROM json_each(?) AS seen WHERE links.sid = seen.value ->> 0",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(&self.writer)
        .await
        .map(drop)
        .map_err(StoreError::query("remembering groups"))
    }

    /// Remembers what a plan found out by reading alone.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn apply_notes(&self, notes: &[LinkNote], now_ms: i64) -> Result<(), StoreError> {
        if notes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for note in notes {
            link_writes::apply_note(&mut transaction, note, now_ms).await?;
        }
        transaction.commit().await.map_err(StoreError::query("remembering what was read"))
    }

    /// Moves all records of one student to another id. Open failures recorded under the other id are dropped:
    /// they concerned a student who seemed to be new.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the other id has a candidate of its own; when the database cannot be written.
    pub async fn relink(&self, from: &StudentId, to: &StudentId) -> Result<u64, StoreError> {
        let doing = "carrying a student's record over";
        let mut transaction = self.begin().await?;
        let taken: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM links WHERE student_id = ? \
             AND EXISTS (SELECT 1 FROM links WHERE student_id = ?)",
        )
        .bind(to.as_str())
        .bind(from.as_str())
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::query(doing))?;
        if taken > 0 && from != to {
            let what = "has a candidate of its own: delete that one first, or leave the two as they are";
            return Err(StoreError::Row { table: "links", key: to.as_str().to_owned(), what });
        }
        let mut moved = 0;
        for statement in [
            "UPDATE links SET student_id = ?, gone_since_ms = NULL, gone_runs = 0 WHERE student_id = ?",
            "UPDATE enrolments SET student_id = ?, gone_since_ms = NULL, gone_runs = 0 WHERE student_id = ?",
            "UPDATE OR REPLACE accounts SET student_id = ? WHERE student_id = ?",
            "UPDATE result_owners SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE former_candidates SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE failures SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE intents SET student_id = ? WHERE student_id = ?",
        ] {
            moved += sqlx::query(statement)
                .bind(to.as_str())
                .bind(from.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(StoreError::query(doing))?
                .rows_affected();
        }
        transaction.commit().await.map_err(StoreError::query(doing))?;
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_survive_packing() {
        let confirmed = BTreeMap::from([(FieldId(1), Fingerprint(u64::MAX)), (FieldId(10), Fingerprint(7))]);
        assert_eq!(unpack(&pack(&confirmed)), Some(confirmed));
        assert_eq!(unpack(&[1, 2, 3]), None);
    }
}
