//! What a preview of an import shows beyond counts and keys: how each kind of change spreads over groups, and the values
//! of the rows that are shown.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::compare::{ABSENT, count_of, leaves, quoted};
use super::difference::{
    ByGroup, GroupCount, ImportDifference, RowChange, SHOWN_KEYS, ShownValue, TableDifference,
};
use super::members::missing;
use super::staging::KeyedTable;
use rosterd_import::RosterTable;

/// Groups that are named of each kind: the largest.
const NAMED_GROUPS: usize = 10;
/// A longer value is cut off.
const SHOWN_LETTERS: usize = 200;

/// Counts each kind of change by group. `absence_counts` says that students missing from the files have left.
pub(super) async fn count_by_group(
    connection: &mut SqliteConnection,
    students: &KeyedTable,
    absence_counts: bool,
    difference: &mut ImportDifference,
) -> Result<(), RosterWriteError> {
    for (change, keys) in student_keys(students, absence_counts) {
        // A newcomer's groups are those of the files, everybody else's those of the roster.
        let members = if change == RowChange::Added { "wanted" } else { "present" };
        let rows = format!(
            "SELECT m.code AS code FROM ({keys}) AS k LEFT JOIN temp.{members}_group_members AS m ON m.student = k.key"
        );
        count(connection, &rows, change, &mut difference.students).await?;
    }
    for (table, slot) in [
        (RosterTable::GroupMembers, &mut difference.group_members),
        (RosterTable::ClassMembers, &mut difference.class_members),
    ] {
        count(connection, &format!("SELECT code FROM temp.removed_{table}"), RowChange::Left, slot).await?;
        let new = format!("SELECT w.code AS code {}", missing(table));
        count(connection, &new, RowChange::Added, slot).await?;
    }
    Ok(())
}

/// The students of each kind of change, as SQL with one column `key`.
fn student_keys(students: &KeyedTable, absence_counts: bool) -> [(RowChange, String); 3] {
    let leaves = leaves(students);
    let compared = |and: &str| {
        format!(
            "SELECT s.key AS key FROM temp.compared_students AS c CROSS JOIN temp.staged_students AS s ON s.n = c.n
             WHERE INSTR(c.letters, '1') > 0 AND {and}"
        )
    };
    let mut left = compared(&leaves);
    if absence_counts {
        left.push_str(&format!(
            " UNION ALL SELECT CAST(t.student_id AS TEXT) FROM main.students AS t WHERE {ABSENT}"
        ));
    }
    let added = "SELECT s.key AS key FROM temp.staged_students AS s
                 WHERE s.good = 1 AND s.n NOT IN (SELECT n FROM temp.compared_students)";
    [
        (RowChange::Left, left),
        (RowChange::Changed, compared(&format!("NOT {leaves}"))),
        (RowChange::Added, added.to_owned()),
    ]
}

/// Counts rows of one column `code`.
async fn count(
    connection: &mut SqliteConnection,
    rows: &str,
    change: RowChange,
    difference: &mut TableDifference,
) -> Result<(), RosterWriteError> {
    if difference.count(change) == 0 {
        return Ok(());
    }
    let mut largest = QueryBuilder::<Sqlite>::new(format!(
        "SELECT code, COUNT(*) FROM ({rows}) GROUP BY code ORDER BY 2 DESC, code IS NULL, code LIMIT {NAMED_GROUPS}"
    ));
    let mut groups = Vec::new();
    for row in largest.build().persistent(false).fetch_all(&mut *connection).await? {
        let count = u64::try_from(row.try_get::<i64, _>(1)?).unwrap_or_default();
        groups.push(GroupCount { code: row.try_get(0)?, count });
    }
    let all =
        count_of(connection, &format!("SELECT COUNT(*) FROM (SELECT DISTINCT code FROM ({rows}))")).await?;
    let more = all.saturating_sub(u64::try_from(groups.len()).unwrap_or_default());
    difference.by_group.push(ByGroup { change, groups, more });
    Ok(())
}

/// Adds the values of the rows that a table shows: of a change before and after, of a new row what the files give, of a
/// leaver the name.
pub(super) async fn show_values(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
    difference: &mut TableDifference,
) -> Result<(), RosterWriteError> {
    let columns = table.compared();
    let (before, after) =
        (before(connection, table, difference).await?, after(connection, table, difference).await?);
    for row in &mut difference.rows {
        let nothing = Vec::new();
        let was = before.get(&row.stored_key).unwrap_or(&nothing);
        let is = after.get(&row.stored_key).unwrap_or(&nothing);
        for (place, (_, column)) in columns.iter().enumerate() {
            let value = |values: &[Option<String>]| {
                values.get(place).cloned().flatten().filter(|text| !text.is_empty())
            };
            let (before, after) = (value(was), value(is));
            let is_shown = match row.change {
                RowChange::Added => after.is_some() && *column != "active",
                RowChange::Changed => row.columns.iter().any(|changed| changed == column),
                RowChange::Left => *column == "name",
            };
            if is_shown {
                // A leaver's name is neither changed nor emptied.
                let (before, after) =
                    if row.change == RowChange::Left { (None, before) } else { (before, after) };
                row.values.push(ShownValue { column: (*column).to_owned(), before, after, is_hidden: false });
            }
        }
    }
    Ok(())
}

/// Values by key, in the order of the compared columns.
type ValuesByKey = BTreeMap<String, Vec<Option<String>>>;

/// What the roster has for the rows that are shown.
async fn before(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
    difference: &TableDifference,
) -> Result<ValuesByKey, RosterWriteError> {
    let key = format!("CAST({} AS TEXT)", quoted(table.key()));
    let columns: Vec<String> = table.compared().iter().map(|(_, column)| quoted(column)).collect();
    let rows = format!("main.{} WHERE", table.table);
    values(connection, (&key, &columns, &rows), difference).await
}

/// What the files give for them.
async fn after(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
    difference: &TableDifference,
) -> Result<ValuesByKey, RosterWriteError> {
    let columns: Vec<String> = table.compared().iter().map(|(at, _)| format!("v{at}")).collect();
    let rows = format!("temp.staged_{} WHERE good = 1 AND", table.table);
    values(connection, ("key", &columns, &rows), difference).await
}

async fn values(
    connection: &mut SqliteConnection,
    (key, columns, rows): (&str, &[String], &str),
    difference: &TableDifference,
) -> Result<ValuesByKey, RosterWriteError> {
    let mut found = ValuesByKey::new();
    if difference.rows.is_empty() {
        return Ok(found);
    }
    let shown = |column: &String| format!(", SUBSTR(CAST({column} AS TEXT), 1, {SHOWN_LETTERS})");
    let columns: String = columns.iter().map(shown).collect();
    let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {key}{columns} FROM {rows} {key} IN ("));
    let mut keys = query.separated(", ");
    for row in &difference.rows {
        keys.push_bind(&row.stored_key);
    }
    query.push(format_args!(") LIMIT {}", 3 * SHOWN_KEYS));
    for row in query.build().persistent(false).fetch_all(connection).await? {
        let values =
            (1..row.len()).map(|at| row.try_get::<Option<String>, _>(at)).collect::<Result<_, _>>()?;
        found.insert(row.try_get(0)?, values);
    }
    Ok(found)
}
