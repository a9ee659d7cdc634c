//! Brings memberships of groups and classes into line with an import.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::compare::{count_of, show_keys};
use super::difference::{InSeveral, RowChange, TableDifference};
use super::staging::run;
use rosterd_import::RosterTable;

/// Compares memberships: afterwards `wanted_…` holds the pairs to keep, `present_…` those that exist,
/// `removed_…` those to remove. `removes_absent` says that pairs missing from the files are removed.
pub(super) async fn compare_members(
    connection: &mut SqliteConnection,
    table: RosterTable,
    removes_absent: bool,
    replaces_all: bool,
) -> Result<TableDifference, RosterWriteError> {
    let code = code_column(table);
    let spellings = ", stored_student TEXT, stored_code TEXT";
    for (name, further) in
        [("wanted", ""), ("present", spellings), ("removed", ", replaced INTEGER NOT NULL")]
    {
        let columns =
            format!("(student TEXT, code TEXT{further}, PRIMARY KEY (student, code)) WITHOUT ROWID");
        run(connection, format!("CREATE TEMP TABLE {name}_{table} {columns}")).await?;
    }
    let staged = format!("SELECT key, code FROM temp.staged_{table} WHERE good = 1 AND departs = ");
    run(connection, format!("INSERT OR IGNORE INTO temp.wanted_{table} {staged} 0")).await?;
    let owners = if table == RosterTable::ClassMembers { RosterTable::Classes } else { RosterTable::Groups };
    // Each pair as the tables of students and groups write it, and as it stands where that differs.
    let pairs = format!(
        "SELECT COALESCE(a.spelt, m.student), COALESCE(b.spelt, m.code),
                CASE WHEN a.spelt IS NOT NULL THEN m.student END, CASE WHEN b.spelt IS NOT NULL THEN m.code END
         FROM (SELECT CAST(student_id AS TEXT) AS student, CAST({code} AS TEXT) AS code FROM main.{table}
               WHERE student_id IS NOT NULL AND {code} IS NOT NULL) AS m
         LEFT JOIN temp.respelt AS a ON a.kind = 'students' AND a.stored = m.student
         LEFT JOIN temp.respelt AS b ON b.kind = '{owners}' AND b.stored = m.code"
    );
    run(connection, format!("INSERT OR IGNORE INTO temp.present_{table} {pairs}")).await?;
    let surplus =
        format!("SELECT p.student, p.code FROM temp.present_{table} AS p WHERE {}", not_wanted(table));
    let mut going = vec![
        format!("{surplus} AND (p.student, p.code) IN ({staged} 1)"),
        format!("{surplus} AND p.code IN (SELECT code FROM temp.staged_gone WHERE owner = '{owners}')"),
    ];
    if table == RosterTable::GroupMembers {
        going.push(format!(
            "{surplus} AND EXISTS (SELECT 1 FROM temp.staged_only AS o
             JOIN temp.staged_students AS s ON s.ref = o.ref AND s.good = 1
             WHERE s.key = p.student AND SUBSTR(p.code, 1, LENGTH(o.prefix)) = o.prefix)"
        ));
    }
    if removes_absent {
        going.push(surplus.clone());
    }
    let remove = |pairs: &str, replaced: u8| {
        format!(
            "INSERT OR IGNORE INTO temp.removed_{table} (student, code, replaced)
             SELECT student, code, {replaced} FROM ({pairs})"
        )
    };
    for pairs in going {
        run(connection, remove(&pairs, 0)).await?;
    }
    // What the same column of the student's own row brought before. Where that is not known, a single membership can only
    // be that, but for those that another column brought.
    let by_column = if replaces_all {
        String::new()
    } else {
        let known = known_columns(table);
        format!(
            " AND (EXISTS (SELECT 1 {known} AND b.code = p.code) OR NOT EXISTS (SELECT 1 {known}) AND NOT {of_other}
               AND (SELECT COUNT(*) FROM temp.present_{table} AS q WHERE q.student = p.student AND NOT {other_of_q}) = 1)",
            of_other = of_another_column(table, "p"),
            other_of_q = of_another_column(table, "q"),
        )
    };
    let own = format!("p.student IN (SELECT ref FROM temp.staged_columns WHERE members = '{table}')");
    let replaced = run(connection, remove(&format!("{surplus} AND {own}{by_column}"), 1)).await?;
    let mut difference = counts(connection, table).await?;
    difference.replaced = usize::try_from(replaced).unwrap_or_default();
    Ok(difference)
}

/// Students whose own row brings a new membership beside others that they had, which stay: how many, and the first. What
/// the column brought before is known of no one of them.
pub(super) async fn in_several(
    connection: &mut SqliteConnection,
    table: RosterTable,
) -> Result<Option<InSeveral>, RosterWriteError> {
    let students = format!(
        "SELECT DISTINCT w.student {} AND w.student IN (SELECT ref FROM temp.staged_columns WHERE members = '{table}')
         AND EXISTS (SELECT 1 FROM temp.present_{table} AS p WHERE p.student = w.student
             AND NOT EXISTS (SELECT 1 {known})
             AND NOT EXISTS (SELECT 1 FROM temp.removed_{table} AS r WHERE r.student = p.student AND r.code = p.code))",
        missing(table),
        known = known_columns(table)
    );
    let count = count_of(connection, &format!("SELECT COUNT(*) FROM ({students})")).await?;
    if count == 0 {
        return Ok(None);
    }
    let mut query = QueryBuilder::<Sqlite>::new(format!("{students} ORDER BY 1 LIMIT 10"));
    let first = query.build_query_scalar::<String>().persistent(false).fetch_all(connection).await?;
    Ok(Some(InSeveral { table, count, first }))
}

/// What the columns of the student's own row brought to the student of a present pair `p` before.
fn known_columns(table: RosterTable) -> String {
    format!(
        "FROM history.brought AS b WHERE b.members = '{table}' AND b.student = p.student
         AND (b.own = '' OR b.own IN ({}))",
        own_columns(table, "p")
    )
}

/// That another column than those of the student's own row brought a present pair.
fn of_another_column(table: RosterTable, pair: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM history.brought AS b WHERE b.members = '{table}' AND b.student = {pair}.student
         AND b.code = {pair}.code AND b.own <> '' AND b.own NOT IN ({}))",
        own_columns(table, pair)
    )
}

/// The columns of the own row of a present pair's student.
fn own_columns(table: RosterTable, pair: &str) -> String {
    format!(
        "SELECT o.own FROM temp.staged_columns AS o WHERE o.members = '{table}' AND o.ref = {pair}.student"
    )
}

/// That a present pair `p` is not wanted.
fn not_wanted(table: RosterTable) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM temp.wanted_{table} AS w WHERE w.student = p.student AND w.code = p.code)"
    )
}

/// Wanted pairs that are not there.
pub(super) fn missing(table: RosterTable) -> String {
    format!(
        "FROM temp.wanted_{table} AS w WHERE NOT EXISTS
         (SELECT 1 FROM temp.present_{table} AS p WHERE p.student = w.student AND p.code = w.code)"
    )
}

async fn counts(
    connection: &mut SqliteConnection,
    table: RosterTable,
) -> Result<TableDifference, RosterWriteError> {
    let count = async |connection: &mut SqliteConnection, rest: String| {
        let count = count_of(connection, &format!("SELECT COUNT(*) {rest}")).await?;
        Ok::<_, RosterWriteError>(usize::try_from(count).unwrap_or_default())
    };
    let added = count(connection, missing(table)).await?;
    let wanted = count(connection, format!("FROM temp.wanted_{table}")).await?;
    let left = count(connection, format!("FROM temp.removed_{table}")).await?;
    let unchanged = wanted.saturating_sub(added);
    let mut difference = TableDifference { added, unchanged, left, ..TableDifference::default() };
    let removed =
        format!("SELECT student || ' in ' || code FROM temp.removed_{table} ORDER BY student, code LIMIT ");
    show_keys(connection, &removed, RowChange::Left, &mut difference).await?;
    let new =
        format!("SELECT w.student || ' in ' || w.code {} ORDER BY w.student, w.code LIMIT ", missing(table));
    show_keys(connection, &new, RowChange::Added, &mut difference).await?;
    Ok(difference)
}

/// Writes what [`compare_members`] found.
pub(super) async fn write_members(
    connection: &mut SqliteConnection,
    table: RosterTable,
    difference: &TableDifference,
) -> Result<(), RosterWriteError> {
    let code = code_column(table);
    if difference.left > 0 {
        let removed = format!(
            "SELECT COALESCE(p.stored_student, r.student), COALESCE(p.stored_code, r.code) FROM temp.removed_{table} AS r
             JOIN temp.present_{table} AS p ON p.student = r.student AND p.code = r.code"
        );
        let pair = format!("(CAST(student_id AS TEXT), CAST({code} AS TEXT))");
        run(connection, format!("DELETE FROM main.{table} WHERE {pair} IN ({removed})")).await?;
    }
    if difference.added > 0 {
        let new = format!("SELECT w.student, w.code {} ORDER BY w.student, w.code", missing(table));
        run(connection, format!("INSERT INTO main.{table} (student_id, {code}) {new}")).await?;
    }
    Ok(())
}

fn code_column(table: RosterTable) -> &'static str {
    table.columns().get(1).copied().unwrap_or_default()
}
