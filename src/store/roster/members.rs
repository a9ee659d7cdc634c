//! How many students are in a group of the exam side, by the roster.

use sqlx::AssertSqlSafe;

use super::tables::ACTIVE;
use super::{RosterError, RosterSnapshot};
use rosterd_core::roster::{Gid, GroupCode};

/// A group of the roster that has students.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopulatedGroup {
    /// The first group by code with that gid.
    pub code: GroupCode,
    /// How many active students are in the groups with that gid.
    pub students: u64,
}

impl RosterSnapshot<'_> {
    /// The group that has this gid, where students are in it.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn populated_group(&mut self, gid: Gid) -> Result<Option<PopulatedGroup>, RosterError> {
        let (groups, _) = self.groups().await?;
        let codes: Vec<GroupCode> =
            groups.into_iter().filter(|group| group.gid == Some(gid)).map(|group| group.code).collect();
        let Some(code) = codes.first().cloned() else { return Ok(None) };
        let sql = format!(
            "SELECT count(DISTINCT CAST(s.student_id AS TEXT)) FROM {} AS m \
             JOIN {} AS s ON s.student_id = m.student_id \
             WHERE {ACTIVE} <> 0 AND CAST(m.group_code AS TEXT) IN (SELECT value FROM json_each(?))",
            self.tables.group_members, self.tables.students
        );
        let codes: Vec<&str> = codes.iter().map(GroupCode::as_str).collect();
        let failed = self.failure("group_members");
        let students: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(serde_json::json!(codes).to_string())
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let students = u64::try_from(students).unwrap_or(0);
        Ok((students > 0).then_some(PopulatedGroup { code, students }))
    }
}
