//! Links between students and candidates.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::error::{Doing, Written, counted};
use super::link_codec::{counts, json, numbers, unpack};
use super::{StateStore, StoreError, link_writes};
use futures_util::stream::{Stream, StreamExt};
use rosterd_core::exam_plan::{Link, LinkNote, Origin, Owners};
use rosterd_core::roster::{FieldId, Gid, LoginValue, RunId, Sid, StudentId};
use sqlx::{Sqlite, Transaction};

#[derive(sqlx::FromRow)]
struct LinkRow {
    student_id: String,
    sid: i64,
    login_value: String,
    origin: String,
    confirmed: Vec<u8>,
    unverified: String,
    suspected: Vec<u8>,
    sent_twice: String,
    rewritten: String,
    written_run: i64,
    gids: Option<String>,
    gone_since_ms: Option<i64>,
    gone_runs: i64,
    linked_at_ms: i64,
    renamed_at_ms: Option<i64>,
}

/// The groups of one candidate as a look-up told them, and when it is looked up again.
pub type LookedUpGroups = (Sid, Option<BTreeSet<Gid>>, i64);

/// `last_complete` decides which written fields still wait for a listing that shows them.
fn link(row: LinkRow, last_complete: RunId) -> Result<Link, StoreError> {
    let bad = |what| StoreError::Row { table: "links", key: row.student_id.clone(), what };
    let (no_fingerprints, no_fields) = ("has unreadable fingerprints", "has unreadable fields");
    let is_fresh = row.written_run >= last_complete.0;
    Ok(Link {
        sid: Sid(row.sid),
        origin: Origin::parse(&row.origin).ok_or_else(|| bad("has an unknown origin"))?,
        confirmed: unpack(&row.confirmed).ok_or_else(|| bad(no_fingerprints))?,
        unverified: if is_fresh {
            numbers(&row.unverified, FieldId).ok_or_else(|| bad(no_fields))?
        } else {
            BTreeSet::new()
        },
        suspected: unpack(&row.suspected).ok_or_else(|| bad(no_fingerprints))?,
        sent_twice: counts(&row.sent_twice).ok_or_else(|| bad(no_fields))?,
        rewritten: numbers(&row.rewritten, FieldId).ok_or_else(|| bad(no_fields))?,
        groups: match &row.gids {
            Some(gids) => Some(numbers(gids, Gid).ok_or_else(|| bad("has unreadable groups"))?),
            None => None,
        },
        gone_since_ms: row.gone_since_ms,
        gone_runs: u32::try_from(row.gone_runs).unwrap_or(u32::MAX),
        linked_at_ms: row.linked_at_ms,
        renamed_by_hand: row.renamed_at_ms.is_some(),
        login: LoginValue::new(row.login_value),
        student: StudentId::new(row.student_id),
    })
}

/// A candidate that gave way to another, and got no login value of its student back yet.
#[derive(Clone, Debug)]
pub struct WayGiven {
    pub student: StudentId,
    pub sid: Sid,
    /// The temporary login value.
    pub login: LoginValue,
    /// What the candidate had before; absent where an earlier version did not remember it.
    pub from: Option<LoginValue>,
}

impl StateStore {
    /// All links in ascending order of student id. `last_complete` decides which written fields still
    /// wait for a listing that shows them.
    pub fn links(&self, last_complete: RunId) -> impl Stream<Item = Result<Link, StoreError>> + Send + '_ {
        sqlx::query_as(
            "SELECT student_id, sid, login_value, origin, confirmed, unverified, suspected, sent_twice, \
             rewritten, written_run, gids, gone_since_ms, gone_runs, linked_at_ms, renamed_at_ms FROM links ORDER BY student_id",
        )
        .fetch(&self.reader)
        .map(move |row| link(row.doing("reading links")?, last_complete))
    }

    /// The links of these students, by student id; others are left out.
    pub async fn links_of(
        &self,
        students: &[&str],
        last_complete: RunId,
    ) -> Result<HashMap<String, Link>, StoreError> {
        if students.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<LinkRow> = sqlx::query_as(
            "SELECT student_id, sid, login_value, origin, confirmed, unverified, suspected, sent_twice, \
             rewritten, written_run, gids, gone_since_ms, gone_runs, linked_at_ms, renamed_at_ms FROM links \
             WHERE student_id IN (SELECT value FROM json_each(?)) ORDER BY student_id",
        )
        .bind(serde_json::json!(students).to_string())
        .fetch_all(&self.reader)
        .await
        .doing("reading links")?;
        let links = rows.into_iter().map(|row| link(row, last_complete));
        links.map(|link| link.map(|link| (link.student.as_str().to_owned(), link))).collect()
    }

    /// Students with a link whom no run has seen gone, and when each was linked.
    pub fn linked_ids(&self) -> impl Stream<Item = Result<(StudentId, i64), StoreError>> + Send + '_ {
        sqlx::query_as(
            "SELECT student_id, linked_at_ms FROM links WHERE gone_since_ms IS NULL ORDER BY student_id",
        )
        .fetch(&self.reader)
        .map(|row| {
            let (student, linked_at_ms): (String, i64) = row.doing("reading who is linked")?;
            Ok((StudentId::new(student), linked_at_ms))
        })
    }

    /// Students with a link whom a run has seen gone, and none has seen back.
    pub async fn gone_students(&self) -> Result<HashSet<StudentId>, StoreError> {
        let students: Vec<String> = sqlx::query_scalar(
            "SELECT student_id FROM links WHERE gone_since_ms IS NOT NULL ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading who was seen gone")?;
        Ok(students.into_iter().map(StudentId::new).collect())
    }

    /// One student's link.
    pub async fn link_of(&self, student: &StudentId) -> Result<Option<Link>, StoreError> {
        let last_complete = self.last_complete_run().await?;
        let row: Option<LinkRow> = sqlx::query_as(
            "SELECT student_id, sid, login_value, origin, confirmed, unverified, suspected, sent_twice, \
             rewritten, written_run, gids, gone_since_ms, gone_runs, linked_at_ms, renamed_at_ms FROM links WHERE student_id = ?",
        )
        .bind(student.as_str())
        .fetch_optional(&self.reader)
        .await
        .doing("reading a link")?;
        row.map(|row| link(row, last_complete)).transpose()
    }

    /// The number of links.
    pub async fn students_with_login(&self, login: &LoginValue) -> Result<Vec<StudentId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT student_id FROM links WHERE login_value = ? ORDER BY student_id LIMIT 20",
        )
        .bind(login.as_str())
        .fetch_all(&self.reader)
        .await
        .doing("looking for a login value")?;
        Ok(ids.into_iter().map(StudentId::new).collect())
    }

    /// How many students are linked.
    pub async fn count_links(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM links")
            .fetch_one(&self.reader)
            .await
            .doing("counting links")?;
        Ok(counted(count))
    }

    /// The students linked to candidates with these login values; others are left out.
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
        .doing("finding whose a login value is")?;
        Ok(rows
            .into_iter()
            .map(|(login, student)| (LoginValue::new(login), StudentId::new(student)))
            .collect())
    }

    /// The students linked to these candidates; others are left out.
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
        .doing("finding whose a candidate is")?;
        Ok(rows.into_iter().map(|(sid, student)| (Sid(sid), StudentId::new(student))).collect())
    }

    /// Linked candidates of students who have not left, those first that a look-up has shown last.
    pub async fn candidates_seen_last(&self, count: u32) -> Result<Vec<(Sid, LoginValue)>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT sid, login_value FROM links WHERE gone_since_ms IS NULL \
             ORDER BY groups_due_at_ms DESC, sid LIMIT ?",
        )
        .bind(count)
        .fetch_all(&self.reader)
        .await
        .doing("finding candidates that exist")?;
        Ok(rows.into_iter().map(|(sid, login)| (Sid(sid), LoginValue::new(login))).collect())
    }

    /// Candidates that gave way to another and have a login value of our making still.
    pub async fn ways_given(&self) -> Result<Vec<WayGiven>, StoreError> {
        let rows: Vec<(String, i64, String, String)> = sqlx::query_as(
            "SELECT student_id, sid, login_value, gave_way_from FROM links WHERE gave_way_from IS NOT NULL \
             ORDER BY student_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading who gave way")?;
        let way = |(student, sid, login, from): (String, i64, String, String)| WayGiven {
            student: StudentId::new(student),
            sid: Sid(sid),
            from: Some(from).filter(|from| *from != login).map(LoginValue::new),
            login: LoginValue::new(login),
        };
        Ok(rows.into_iter().map(way).collect())
    }

    /// Candidates due for a look-up of their groups, filled up to whole requests with those due next; empty
    /// when none is due. Candidates with a group move of unknown outcome come first, because their recorded
    /// groups may be wrong.
    pub async fn groups_due(&self, now_ms: i64, request_size: usize) -> Result<Vec<Sid>, StoreError> {
        let doing = "finding groups to look up";
        let due: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM links WHERE groups_due_at_ms <= ? OR student_id IN \
             (SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'move')",
        )
        .bind(now_ms)
        .fetch_one(&self.reader)
        .await
        .doing(doing)?;
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
        .doing(doing)?;
        Ok(sids.into_iter().map(Sid).collect())
    }

    /// Look-ups of groups that are due later than any is ever put off come due within this span: a clock was ahead
    /// when they were put off.
    pub async fn bring_group_checks_forward(&self, now_ms: i64, span_ms: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE links SET groups_due_at_ms = ?1 + (sid % 100) * ?2 / 100 WHERE groups_due_at_ms > ?1 + ?2",
        )
        .bind(now_ms)
        .bind(span_ms)
        .execute(self.writer()?)
        .await
        .done("bringing look-ups forward")
    }

    /// Whether anybody linked is known to be in this group: then its gid is right.
    pub async fn has_members(&self, gid: Gid) -> Result<bool, StoreError> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM links, json_each(links.gids) AS held WHERE held.value = ?)",
        )
        .bind(gid.0)
        .fetch_one(&self.reader)
        .await
        .doing("looking for members of a group")
    }

    /// Remembers groups as they were looked up, and when to look again. Groups that were not told stay as they are
    /// remembered, but for those of an open move: nothing is known of them.
    pub async fn remember_groups(&self, looked_up: &[LookedUpGroups]) -> Result<(), StoreError> {
        let rows: Vec<(i64, Option<Vec<i64>>, i64)> = looked_up
            .iter()
            .map(|(sid, groups, due_at_ms)| {
                let gids = groups.as_ref().map(|groups| groups.iter().map(|gid| gid.0).collect());
                (sid.0, gids, *due_at_ms)
            })
            .collect();
        sqlx::query(
            "UPDATE links SET groups_due_at_ms = seen.value ->> 2, gids = CASE \
             WHEN seen.value ->> 1 IS NOT NULL THEN seen.value ->> 1 \
             WHEN student_id IN (SELECT student_id FROM intents WHERE service = 'exam' AND kind = 'move') THEN NULL \
             ELSE gids END \
             FROM json_each(?) AS seen WHERE links.sid = seen.value ->> 0",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(self.writer()?)
        .await
        .done("remembering groups")
    }

    /// Remembers what a plan found out by reading alone.
    pub async fn apply_notes(&self, notes: &[LinkNote], now_ms: i64) -> Result<(), StoreError> {
        if notes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for note in notes {
            link_writes::apply_note(&mut transaction, note, now_ms).await?;
        }
        transaction.commit().await.doing("remembering what was read")
    }

    /// Moves all records of one student to another id. Open failures recorded under the other id are dropped:
    /// they concerned a student who seemed to be new.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the other id has a candidate of its own; when the database cannot be written.
    pub async fn relink(&self, from: &StudentId, to: &StudentId) -> Result<u64, StoreError> {
        let moved = self.relink_all(&[(from, to)]).await?;
        Ok(moved.into_iter().sum())
    }

    /// The same of several, one after another, in one transaction. Says how many records each has.
    ///
    /// # Errors
    /// As [`StateStore::relink`]; then nothing has changed.
    pub async fn relink_all(&self, pairs: &[(&StudentId, &StudentId)]) -> Result<Vec<u64>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut moved = Vec::with_capacity(pairs.len());
        for (from, to) in pairs {
            moved.push(Self::relink_in(&mut transaction, from, to).await?);
        }
        transaction.commit().await.doing(RELINKING)?;
        Ok(moved)
    }

    async fn relink_in(
        transaction: &mut Transaction<'_, Sqlite>,
        from: &StudentId,
        to: &StudentId,
    ) -> Result<u64, StoreError> {
        let doing = RELINKING;
        let taken: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM links WHERE student_id = ? \
             AND EXISTS (SELECT 1 FROM links WHERE student_id = ?)",
        )
        .bind(to.as_str())
        .bind(from.as_str())
        .fetch_one(&mut **transaction)
        .await
        .doing(doing)?;
        if taken > 0 && from != to {
            let what = "has a candidate of its own: delete that one first, or leave the two as they are";
            return Err(StoreError::Row { table: "links", key: to.as_str().to_owned(), what });
        }
        // What was decided about a leaver says nothing about a student who is there.
        sqlx::query("UPDATE failures SET of_leaver = 0 WHERE student_id = ?")
            .bind(from.as_str())
            .execute(&mut **transaction)
            .await
            .doing(doing)?;
        let mut moved = 0;
        for statement in [
            "UPDATE links SET student_id = ?, gone_since_ms = NULL, gone_runs = 0, renamed_at_ms = NULL \
             WHERE student_id = ?",
            "UPDATE enrolments SET student_id = ?, gone_since_ms = NULL, gone_runs = 0 WHERE student_id = ?",
            "UPDATE OR REPLACE accounts SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE accepted_contacts SET student_id = ? WHERE student_id = ?",
            "UPDATE result_owners SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE former_candidates SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE failures SET student_id = ? WHERE student_id = ?",
            "UPDATE OR REPLACE intents SET student_id = ? WHERE student_id = ?",
        ] {
            moved += sqlx::query(statement)
                .bind(to.as_str())
                .bind(from.as_str())
                .execute(&mut **transaction)
                .await
                .doing(doing)?
                .rows_affected();
        }
        // Whose the new id is has been said: nobody else is asked about it.
        sqlx::query("DELETE FROM asked_pairs WHERE newcomer_id = ?")
            .bind(to.as_str())
            .execute(&mut **transaction)
            .await
            .doing(doing)?;
        // The history goes along, and is none of what a person counts.
        sqlx::query("UPDATE OR REPLACE student_changes SET student_id = ? WHERE student_id = ?")
            .bind(to.as_str())
            .bind(from.as_str())
            .execute(&mut **transaction)
            .await
            .doing(doing)?;
        Ok(moved)
    }
}

const RELINKING: &str = "carrying a student's record over";
