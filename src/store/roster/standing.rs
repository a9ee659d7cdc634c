//! Where single students stand: on the roster, marked as left, or with a row that cannot be used.

use std::collections::{HashMap, HashSet};

use futures_util::stream::StreamExt;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::error::failure;
use super::snapshot::NAMED_KEYS;
use super::tables::ACTIVE;
use super::value::{Number, number, problem, text};
use super::{RosterError, RosterSnapshot};
use rosterd_core::counted::counted;
use rosterd_core::roster::{Class, RosterProblem, Standing, StudentId};

impl RosterSnapshot<'_> {
    /// Whether the name of a row `s` of students is blank, where the roster has names.
    pub(super) fn is_nameless(&self) -> &'static str {
        if self.database.personal.contains(&"name") {
            "trim(coalesce(CAST(s.name AS TEXT), ''), ' ' || char(9, 10, 11, 12, 13, 160, 8203, 12288, 65279)) = ''"
        } else {
            "0"
        }
    }

    /// Where these students stand, as far as ClassIn is concerned; who has no row is left out. A student whose row
    /// cannot be used keeps the classes they hold, and so does one with a member row for a class that is not there.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn standing_among(
        &mut self,
        students: &HashSet<StudentId>,
        classes: &[Class],
    ) -> Result<HashMap<StudentId, Standing>, RosterError> {
        let asked: Vec<&str> = students.iter().map(StudentId::as_str).collect();
        let usable: Vec<&str> =
            classes.iter().filter(|class| class.flaw.is_none()).map(|class| class.code.as_str()).collect();
        let sql = format!(
            "SELECT asked.value AS id, {ACTIVE} AS says, {} AS nameless, s.classin_uid AS uid, {} AS is_binary, \
             s.student_id IN (SELECT m.student_id FROM {} AS m WHERE m.student_id IS NOT NULL \
             AND (m.class_code IS NULL OR m.class_code NOT IN (SELECT value FROM json_each(?)))) AS dangling \
             FROM json_each(?) AS asked JOIN {} AS s ON s.student_id = asked.value",
            self.is_nameless(),
            self.tables.has_binary_id("s"),
            self.tables.class_members,
            self.tables.students
        );
        let failed = self.failure("students");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(serde_json::json!(usable).to_string())
            .bind(serde_json::json!(asked).to_string())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let mut standing = HashMap::with_capacity(rows.len());
        for row in &rows {
            let Some(id) = text(row, "id") else { continue };
            let one = stands(row);
            // Of several rows with one id none can be used.
            standing
                .entry(StudentId::new(id))
                .and_modify(|stands| *stands = Standing::Unusable)
                .or_insert(one);
        }
        Ok(standing)
    }

    /// Which of these ids member rows name.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn named_by_members(
        &mut self,
        students: &[&StudentId],
    ) -> Result<HashSet<StudentId>, RosterError> {
        if students.is_empty() {
            return Ok(HashSet::new());
        }
        let asked: Vec<&str> = students.iter().map(|student| student.as_str()).collect();
        let asked = serde_json::json!(asked).to_string();
        let named = |members: &str| {
            format!(
                "SELECT m.student_id AS id FROM {members} AS m WHERE m.student_id IN (SELECT value FROM json_each(?))"
            )
        };
        let sql =
            format!("{} UNION {}", named(&self.tables.group_members), named(&self.tables.class_members));
        let failed = self.failure("group_members");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(asked.clone())
            .bind(asked)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        Ok(rows.iter().filter_map(|row| text(row, "id")).map(StudentId::new).collect())
    }

    /// One line about students whose `classin_uid` is no id, with the first of them.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn unreadable_uids(&mut self) -> Result<Option<RosterProblem>, RosterError> {
        let sql = format!(
            "SELECT CAST(s.student_id AS TEXT) AS id, s.classin_uid AS uid FROM {} AS s \
             WHERE s.classin_uid IS NOT NULL AND s.student_id IS NOT NULL AND {ACTIVE} <> 0 \
             AND (typeof(s.classin_uid) <> 'integer' OR s.classin_uid <= 0) \
             ORDER BY s.student_id COLLATE BINARY",
            self.tables.students
        );
        let path = &self.database.path;
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction);
        let (mut count, mut first) = (0_u64, Vec::new());
        let mut holds: Vec<&'static str> = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|source| failure(path, "students", source))?;
            let (Some(flaw), Some(id)) = (number(&row, "uid").flaw(), text(&row, "id")) else { continue };
            count += 1;
            if first.len() < NAMED_KEYS {
                first.push(id);
            }
            if !holds.contains(&flaw) {
                holds.push(flaw);
            }
        }
        let (keys, holds) = (first.join(", "), holds.join("; "));
        let what = format!(
            "classin_uid of {} is no id ({holds}): enter the uid, or empty it",
            counted(count, "student")
        );
        Ok((count > 0).then(|| problem("students", &keys, &what)))
    }
}

/// What one row says.
fn stands(row: &SqliteRow) -> Standing {
    let is = |column: &str| !matches!(number(row, column), Number::Is(0));
    match number(row, "says") {
        Number::Is(0) => Standing::Left,
        Number::Is(1) if is("nameless") || is("is_binary") || number(row, "uid").flaw().is_some() => {
            Standing::Unusable
        }
        Number::Is(1) if is("dangling") => Standing::Dangling,
        Number::Is(1) => Standing::OnRoster,
        Number::Is(_) | Number::Absent | Number::Other(_) => Standing::Unusable,
    }
}
