//! Compares staged rows with a roster. The database does the work: memory holds only counts and the first
//! keys.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::alike::AS_READ;
use super::difference::{RowChange, TableDifference};
use super::staging::{KeyedTable, run};
use rosterd_import::{NO, RosterTable, YES};

/// Students on the roster and not among the rows, as SQL over `students AS t`.
pub(super) const ABSENT: &str = "t.active IS NOT 0 AND t.student_id IS NOT NULL AND NOT EXISTS
     (SELECT 1 FROM temp.staged_students AS s WHERE s.good = 1 AND s.key = CAST(t.student_id AS TEXT))";

pub(super) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Gives the table of students the columns it lacks; returns which those were.
pub(super) async fn add_columns(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
) -> Result<Vec<String>, RosterWriteError> {
    let names = sqlx::query_scalar::<_, String>("SELECT LOWER(name) FROM main.pragma_table_info('students')");
    let present: BTreeSet<String> = names.fetch(&mut *connection).try_collect().await?;
    let mut added = Vec::new();
    for (_, column) in table.compared() {
        if present.contains(&column.to_ascii_lowercase()) {
            continue;
        }
        let kind = match column {
            "classin_uid" => "INTEGER",
            "active" => "INTEGER NOT NULL DEFAULT 1",
            _ => "TEXT",
        };
        run(connection, format!("ALTER TABLE main.students ADD COLUMN {} {kind}", quoted(column))).await?;
        added.push(column.to_owned());
    }
    added.sort_unstable();
    Ok(added)
}

/// Compares a table with its rows. `compared_…` then has, for each row that the database has too, a text with
/// a letter for each compared column: 1 where it differs.
pub(super) async fn compare(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
) -> Result<TableDifference, RosterWriteError> {
    let (name, key) = (table.table, table.key());
    let columns = table.compared();
    let mut letters = String::from("''");
    for (at, column) in &columns {
        let present = format!("CAST(t.{} AS TEXT)", quoted(column));
        let meant = meant(name, column, &present);
        let collation =
            if *column == "password" && name == RosterTable::Students { "BINARY" } else { AS_READ };
        letters.push_str(&format!(
            " || CASE WHEN s.v{at} IS NULL THEN '0' WHEN s.v{at} = '' THEN COALESCE({meant}, '') <> ''
              WHEN {present} IS CAST(s.v{at} AS TEXT) THEN '0'
              ELSE {meant} COLLATE {collation} IS NOT CAST(s.v{at} AS TEXT) END"
        ));
    }
    let create = format!("CREATE TEMP TABLE compared_{name} (n INTEGER PRIMARY KEY, letters TEXT NOT NULL)");
    run(connection, create).await?;
    // The table on disk is walked through once, in its own order, and the rows are looked up.
    let statement = format!(
        "INSERT OR IGNORE INTO temp.compared_{name} SELECT s.n, {letters}
         FROM main.{name} AS t CROSS JOIN temp.staged_{name} AS s
         ON s.key = CAST(t.{key} AS TEXT) AND s.good = 1"
    );
    run(connection, statement).await?;
    let mut difference = counts(connection, table).await?;
    for change in [RowChange::Left, RowChange::Changed] {
        show_changed(connection, table, &columns, (change, &mut difference)).await?;
    }
    show_keys(connection, &added_keys(name), RowChange::Added, &mut difference).await?;
    Ok(difference)
}

/// What a present value means, as SQL: a school's own table pads its values, breaks names into lines and says in words that
/// somebody is there. A file that says the same changes nothing of it.
fn meant(table: RosterTable, column: &str, present: &str) -> String {
    let words = |words: &[&str]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    let is_student = table == RosterTable::Students;
    let trimmed = format!("TRIM({present}, CHAR(9, 10, 13, 32))");
    match column {
        "active" if is_student => format!(
            "CASE WHEN COALESCE({trimmed}, '') IN ('', '1.0') OR LOWER({trimmed}) IN ({yes}) THEN '1'
             WHEN LOWER({trimmed}) IN ('0.0', {no}) THEN '0' ELSE {present} END",
            yes = words(&YES),
            no = words(&NO),
        ),
        // Kept as floating-point numbers, or as texts of such.
        "phone" | "classin_uid" | "gid" | "course_id" | "class_id" => format!(
            "CASE WHEN {trimmed} GLOB '*[0-9].0' THEN SUBSTR({trimmed}, 1, LENGTH({trimmed}) - 2) ELSE {trimmed} END"
        ),
        // To the letter.
        "password" if is_student => present.to_owned(),
        "name" | "gender" if is_student => {
            format!("REPLACE(REPLACE(REPLACE({trimmed}, CHAR(13, 10), ' '), CHAR(10), ' '), CHAR(13), ' ')")
        }
        // Files are read with the line ends of one kind.
        _ => format!("REPLACE(REPLACE({trimmed}, CHAR(13, 10), CHAR(10)), CHAR(13), CHAR(10))"),
    }
}

async fn counts(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
) -> Result<TableDifference, RosterWriteError> {
    let name = table.table;
    let leaves = leaves(table);
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT (SELECT COUNT(*) FROM temp.staged_{name} WHERE good = 1),
                COUNT(*), COALESCE(SUM(INSTR(c.letters, '1') = 0), 0), COALESCE(SUM({leaves}), 0)
         FROM temp.compared_{name} AS c CROSS JOIN temp.staged_{name} AS s ON s.n = c.n"
    ));
    let row = query.build().persistent(false).fetch_one(connection).await?;
    let count = |at: usize| row.try_get::<i64, _>(at).map(|count| usize::try_from(count).unwrap_or_default());
    let (given, known, unchanged, left) = (count(0)?, count(1)?, count(2)?, count(3)?);
    Ok(TableDifference {
        added: given.saturating_sub(known),
        changed: known.saturating_sub(unchanged).saturating_sub(left),
        unchanged,
        left,
        ..TableDifference::default()
    })
}

/// Whether a compared student becomes a leaver by the row itself, as SQL.
pub(super) fn leaves(table: &KeyedTable) -> String {
    let columns = table.compared();
    let active = columns.iter().enumerate().find(|(_, (_, name))| *name == "active");
    match active {
        Some((place, (at, _))) if table.table == RosterTable::Students => {
            format!("(SUBSTR(c.letters, {}, 1) = '1' AND s.v{at} = 0)", place + 1)
        }
        _ => "0".to_owned(),
    }
}

async fn show_changed(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
    columns: &[(usize, &str)],
    (change, difference): (RowChange, &mut TableDifference),
) -> Result<(), RosterWriteError> {
    let (name, leaves) = (table.table, leaves(table));
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT s.key, c.letters, {leaves} AS leaves
         FROM temp.compared_{name} AS c CROSS JOIN temp.staged_{name} AS s ON s.n = c.n
         WHERE INSTR(c.letters, '1') > 0 AND leaves = "
    ));
    query.push_bind(i64::from(change == RowChange::Left)).push(" ORDER BY c.n LIMIT ");
    query.push_bind(difference.room(change));
    for row in query.build().persistent(false).fetch_all(connection).await? {
        let (key, letters): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if change == RowChange::Left {
            difference.show(&key, change, Vec::new());
            continue;
        }
        let differing = letters.chars().zip(columns).filter(|(letter, _)| *letter == '1');
        let names = differing.map(|(_, (_, name))| (*name).to_owned()).collect();
        difference.show(&key, change, names);
    }
    Ok(())
}

fn added_keys(name: RosterTable) -> String {
    format!(
        "SELECT s.key FROM temp.staged_{name} AS s
         WHERE s.good = 1 AND s.n NOT IN (SELECT n FROM temp.compared_{name}) ORDER BY s.n LIMIT "
    )
}

/// Shows the first keys that a query finds; it ends with `LIMIT `.
pub(super) async fn show_keys(
    connection: &mut SqliteConnection,
    query: &str,
    change: RowChange,
    difference: &mut TableDifference,
) -> Result<(), RosterWriteError> {
    let mut query = QueryBuilder::<Sqlite>::new(query);
    query.push_bind(difference.room(change));
    for key in query.build_query_scalar::<String>().persistent(false).fetch_all(connection).await? {
        difference.show(&key, change, Vec::new());
    }
    Ok(())
}

/// Counts students missing from a whole roster and lists them first.
pub(super) async fn compare_leavers(
    connection: &mut SqliteConnection,
    difference: &mut TableDifference,
) -> Result<(), RosterWriteError> {
    let count = format!("SELECT COUNT(*) FROM main.students AS t WHERE {ABSENT}");
    let absent = count_of(connection, &count).await?;
    let mut first = TableDifference::default();
    let keys = format!(
        "SELECT CAST(t.student_id AS TEXT) FROM main.students AS t WHERE {ABSENT} ORDER BY t.student_id LIMIT "
    );
    show_keys(connection, &keys, RowChange::Left, &mut first).await?;
    difference.left += usize::try_from(absent).unwrap_or_default();
    for row in std::mem::take(&mut difference.rows) {
        first.show(&row.stored_key, row.change, row.columns);
    }
    difference.rows = first.rows;
    Ok(())
}

pub(super) async fn count_of(
    connection: &mut SqliteConnection,
    query: &str,
) -> Result<u64, RosterWriteError> {
    let mut query = QueryBuilder::<Sqlite>::new(query);
    let count = query.build_query_scalar::<i64>().persistent(false).fetch_one(connection).await?;
    Ok(u64::try_from(count).unwrap_or_default())
}
