//! Brings memberships of groups and classes in line with an import.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::difference::{RowChange, TableDifference};
use super::rows::ROWS_PER_INSERT;
use crate::import::RosterTable;

/// What is said to a table of memberships.
pub(super) struct MemberStatements {
    /// The table.
    pub(super) table: RosterTable,
    select: &'static str,
    insert: &'static str,
    delete: &'static str,
}

/// Who is in which group.
pub(super) const GROUP_MEMBERS: MemberStatements = MemberStatements {
    table: RosterTable::GroupMembers,
    select: "SELECT CAST(student_id AS TEXT), CAST(group_code AS TEXT) FROM group_members
             WHERE student_id IS NOT NULL AND group_code IS NOT NULL
             ORDER BY student_id, group_code",
    insert: "INSERT INTO group_members (student_id, group_code) ",
    delete: "DELETE FROM group_members WHERE student_id = ? AND group_code = ?",
};

/// Who is in which class.
pub(super) const CLASS_MEMBERS: MemberStatements = MemberStatements {
    table: RosterTable::ClassMembers,
    select: "SELECT CAST(student_id AS TEXT), CAST(class_code AS TEXT) FROM class_members
             WHERE student_id IS NOT NULL AND class_code IS NOT NULL
             ORDER BY student_id, class_code",
    insert: "INSERT INTO class_members (student_id, class_code) ",
    delete: "DELETE FROM class_members WHERE student_id = ? AND class_code = ?",
};

/// Adds the memberships that are missing and, if asked to, removes those that are not among the pairs.
pub(super) async fn apply_members(
    connection: &mut SqliteConnection,
    statements: &MemberStatements,
    pairs: &[(String, String)],
    removes: bool,
    difference: &mut TableDifference,
) -> Result<(), RosterWriteError> {
    if pairs.is_empty() && !removes {
        return Ok(());
    }
    let mut missing: HashSet<&(String, String)> = pairs.iter().collect();
    let mut surplus = Vec::new();
    let mut present = sqlx::query_as::<_, (String, String)>(statements.select).fetch(&mut *connection);
    while let Some(pair) = present.try_next().await? {
        if missing.remove(&pair) {
            difference.unchanged += 1;
        } else if removes {
            surplus.push(pair);
        }
    }
    drop(present);
    for (student, code) in &surplus {
        sqlx::query(statements.delete).bind(student).bind(code).execute(&mut *connection).await?;
        difference.left += 1;
        difference.show(&format!("{student} in {code}"), RowChange::Left, Vec::new());
    }
    let added: Vec<&(String, String)> = pairs.iter().filter(|pair| missing.remove(*pair)).collect();
    for pairs in added.chunks(ROWS_PER_INSERT) {
        let mut statement = QueryBuilder::<Sqlite>::new(statements.insert);
        statement.push_values(pairs, |mut values, (student, code)| {
            values.push_bind(student).push_bind(code);
        });
        statement.build().persistent(false).execute(&mut *connection).await?;
    }
    for (student, code) in &added {
        difference.added += 1;
        difference.show(&format!("{student} in {code}"), RowChange::Added, Vec::new());
    }
    Ok(())
}
