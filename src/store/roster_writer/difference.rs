//! The difference that an import makes or would make in a roster database: counts, and the first keys. It
//! holds no values.

use serde::Serialize;

use rosterd_core::counted::counted;
use rosterd_import::RosterTable;

/// Keys that a difference shows of each table; the counts are of all.
pub(super) const SHOWN_KEYS: usize = 20;

/// The change of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    Added,
    /// Some of its columns have other values.
    Changed,
    /// A student marked as having left, or a membership removed.
    Left,
}

/// One row that differs: its key and the columns, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedRow {
    /// The row's key; of a membership both parts.
    pub key: String,
    pub change: RowChange,
    /// Changed columns; empty unless it is [`RowChange::Changed`].
    pub columns: Vec<String>,
}

/// The difference in one table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableDifference {
    pub added: usize,
    /// Rows with other values than before.
    pub changed: usize,
    /// Given rows that the database already had so.
    pub unchanged: usize,
    /// Students marked as having left, or memberships removed.
    pub left: usize,
    /// The first rows that differ: leavers, then changes, then additions.
    pub rows: Vec<ChangedRow>,
    /// Of the memberships removed, those that another one of the student's own row replaces.
    pub replaced: usize,
}

impl TableDifference {
    /// True when no row differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added == 0 && self.changed == 0 && self.left == 0
    }

    /// The number of further keys that may be listed.
    pub(super) fn room(&self) -> i64 {
        i64::try_from(SHOWN_KEYS.saturating_sub(self.rows.len())).unwrap_or_default()
    }

    pub(super) fn show(&mut self, key: &str, change: RowChange, columns: Vec<String>) {
        if self.rows.len() < SHOWN_KEYS {
            let key = key.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
            self.rows.push(ChangedRow { key, change, columns });
        }
    }
}

/// The difference that an import makes or would make in a roster database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[must_use]
pub struct ImportDifference {
    pub students: TableDifference,
    pub groups: TableDifference,
    pub group_members: TableDifference,
    /// `ClassIn` classes.
    pub classes: TableDifference,
    pub class_members: TableDifference,
    /// Columns that the table of students got.
    pub added_columns: Vec<String>,
}

impl ImportDifference {
    /// The tables in their order.
    #[must_use]
    pub fn tables(&self) -> [(RosterTable, &TableDifference); 5] {
        let Self { students, groups, group_members, classes, class_members, added_columns: _ } = self;
        [
            (RosterTable::Students, students),
            (RosterTable::Groups, groups),
            (RosterTable::GroupMembers, group_members),
            (RosterTable::Classes, classes),
            (RosterTable::ClassMembers, class_members),
        ]
    }

    /// True when nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added_columns.is_empty() && self.tables().iter().all(|(_, table)| table.is_empty())
    }
}

/// More leaves a table than an import may take away unasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shrink {
    pub table: RosterTable,
    /// The column whose values would go; none where students or memberships would.
    pub column: Option<String>,
    /// Students who would be marked as having left, memberships that would be removed, or values that would be emptied.
    pub leaving: u64,
    /// Those that went by other imports of the last 24 hours, and are still gone.
    pub earlier: u64,
    /// Out of how many, before those.
    pub total: u64,
    /// The number that may go.
    pub limit: u64,
}

impl std::fmt::Display for Shrink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, column, leaving, earlier, total, limit } = self;
        write!(f, "{leaving} of {total} ")?;
        match (table, column) {
            (_, Some(column)) => write!(f, "{table} would lose their {column}")?,
            (RosterTable::Students, None) => f.write_str("students would be marked as having left")?,
            (RosterTable::GroupMembers | RosterTable::Groups, None) => {
                f.write_str("memberships of groups would be removed")?;
            }
            (RosterTable::ClassMembers | RosterTable::Classes, None) => {
                f.write_str("memberships of classes would be removed")?;
            }
        }
        if *earlier > 0 {
            write!(f, " after {earlier} by other imports of the last 24 hours")?;
        }
        write!(f, ", and guard.max_delete allows {limit}")
    }
}

/// Students who keep several memberships beside a new one that their own row brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InSeveral {
    pub table: RosterTable,
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl std::fmt::Display for InSeveral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table, count, first } = self;
        let what = if *table == RosterTable::ClassMembers { "classes" } else { "groups" };
        let more = count.saturating_sub(u64::try_from(first.len()).unwrap_or_default());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let verbs = if *count == 1 { "has a new one and stays" } else { "have a new one and stay" };
        write!(
            f,
            "{} {verbs} in several {what} that they had: {}{more} (--replace-groups takes them out of those)",
            counted(*count, "student"),
            first.join(", ")
        )
    }
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    pub difference: ImportDifference,
    /// Not empty: too much would go, and nothing was written.
    pub too_much: Vec<Shrink>,
    pub in_several: Vec<InSeveral>,
}
