//! The difference that an import makes or would make in a roster database: counts, the first keys, and their values
//! where a preview is asked for them.

use serde::Serialize;

use rosterd_core::counted::counted;
use rosterd_import::RosterTable;

/// Keys that a difference shows of each table and kind; the counts are of all.
pub(super) const SHOWN_KEYS: usize = 10;

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

/// One row that differs: its key and the columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedRow {
    /// The row's key; of a membership both parts.
    pub key: String,
    /// The key as it is stored, with any control characters.
    #[serde(skip)]
    pub(super) stored_key: String,
    pub change: RowChange,
    /// Changed columns; empty unless it is [`RowChange::Changed`].
    pub columns: Vec<String>,
    /// Its values, only where they were asked for: they are personal data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ShownValue>,
}

/// A value of a row before and after an import; `None` where there is none, or where it is shown to nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownValue {
    pub column: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// The column holds passwords: both are `None`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_hidden: bool,
}

/// How the rows of one kind of change spread over groups, or for class memberships over classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ByGroup {
    pub change: RowChange,
    /// The largest of them.
    pub groups: Vec<GroupCount>,
    /// The number of further groups.
    pub more: u64,
}

/// The rows of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupCount {
    /// Its code; `None` for students in no group.
    pub code: Option<String>,
    pub count: u64,
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
    /// The first rows of each kind: leavers, then changes, then additions.
    pub rows: Vec<ChangedRow>,
    /// Each kind by group, in a preview.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by_group: Vec<ByGroup>,
    /// Of the memberships removed, those that another one of the student's own row replaces.
    pub replaced: usize,
}

impl TableDifference {
    /// True when no row differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added == 0 && self.changed == 0 && self.left == 0
    }

    /// The number of rows of a kind that are listed.
    pub(super) fn shown(&self, change: RowChange) -> usize {
        self.rows.iter().filter(|row| row.change == change).count()
    }

    /// The number of further keys of a kind that may be listed.
    pub(super) fn room(&self, change: RowChange) -> i64 {
        i64::try_from(SHOWN_KEYS.saturating_sub(self.shown(change))).unwrap_or_default()
    }

    pub(super) fn show(&mut self, key: &str, change: RowChange, columns: Vec<String>) {
        if self.room(change) > 0 {
            let (stored_key, key) = (key.to_owned(), on_one_line(key));
            self.rows.push(ChangedRow { key, stored_key, change, columns, values: Vec::new() });
        }
    }

    /// How many rows changed in this way.
    #[must_use]
    pub fn count(&self, change: RowChange) -> usize {
        match change {
            RowChange::Added => self.added,
            RowChange::Changed => self.changed,
            RowChange::Left => self.left,
        }
    }

    /// Takes the values of columns out that nobody is shown.
    pub fn hide(&mut self, is_hidden: impl Fn(&str) -> bool) {
        for value in self.rows.iter_mut().flat_map(|row| &mut row.values) {
            if is_hidden(&value.column) {
                (value.before, value.after, value.is_hidden) = (None, None, true);
            }
        }
    }
}

/// Without line ends and other control characters.
pub(super) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

impl ShownValue {
    /// On one line: before and after of a change, else the one value that there is.
    #[must_use]
    pub fn in_words(&self, change: RowChange) -> String {
        let Self { column, before, after, is_hidden } = self;
        let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "empty".to_owned(), on_one_line);
        match (is_hidden, change) {
            (true, RowChange::Changed) => format!("{column}: changed"),
            (true, RowChange::Added | RowChange::Left) => format!("{column}: set"),
            (false, RowChange::Changed) => format!("{column}: {} → {}", shown(before), shown(after)),
            (false, RowChange::Added | RowChange::Left) => format!("{column}: {}", shown(after)),
        }
    }
}

impl std::fmt::Display for ByGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { change: _, groups, more } = self;
        for (number, GroupCount { code, count }) in groups.iter().enumerate() {
            let code = code.as_deref().map_or_else(|| "in no group".to_owned(), on_one_line);
            write!(f, "{}{code} ({count})", if number == 0 { "" } else { ", " })?;
        }
        if *more > 0 { write!(f, " and {} more", counted(*more, "group")) } else { Ok(()) }
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

    /// The tables with room for more, in their order.
    pub fn tables_mut(&mut self) -> [(RosterTable, &mut TableDifference); 5] {
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
    /// The group or class that would lose its members to others; none where a whole table is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
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
        let Self { table, column, group, leaving, earlier, total, limit } = self;
        if let Some(group) = group {
            let what = if *table == RosterTable::ClassMembers { "class" } else { "group" };
            let group = on_one_line(group);
            write!(f, "{leaving} of the {total} students of the {what} {group} would move to another")?;
            if *earlier > 0 {
                write!(f, " after {earlier} by other imports of the last 24 hours")?;
            }
            return write!(
                f,
                ", and half of them ({limit}) may: a column of another spelling or form looks like that"
            );
        }
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
            "{} {verbs} in other {what} that they had: {}{more} (--replace-groups takes them out of those)",
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
