//! Puts the ids of our own tables into the form in which the roster's are compared: once, for states of before.

use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::error::{Doing, Written};
use super::{StoreError, twin_links};
use rosterd_core::roster::normalise_key;

/// The database's own number that says that it was done.
const DONE: i64 = 2;
const DOING: &str = "putting ids into normal form";

/// Ids that are changed at once.
const LOT: i64 = 1000;

/// The columns that hold ids, codes or login values, wherever they stand.
const COLUMNS: &str = "SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'results' \
     AND c.name IN ('student_id', 'group_code', 'class_code', 'class_key', 'login_value') ORDER BY t.name, c.name";

/// Where ids that are whole numbers on the roster stand in our own tables. What spreadsheets and number columns spoil is
/// `1001.0`, which is what an earlier version took such an id for.
const NUMBERED: [(&str, &[&str]); 2] = [
    ("student_id", &["links", "enrolments", "accounts"]),
    ("group_code", &["known_groups", "roster_groups"]),
];

/// Whether it was done in this database.
pub(super) async fn is_done(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let done: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await.doing(DOING)?;
    Ok(done >= DONE)
}

/// Puts every id into normal form, all in one transaction. Where two become one, the second stays as it is: what is
/// linked under it is held, until a person has decided. Which link that is, is settled with the roster.
pub(super) async fn normalise(writer: &SqlitePool) -> Result<(), StoreError> {
    if is_done(&mut *writer.acquire().await.doing(DOING)?).await? {
        return Ok(());
    }
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.doing(DOING)?;
    let columns: Vec<(String, String)> =
        sqlx::query_as(COLUMNS).fetch_all(&mut *transaction).await.doing(DOING)?;
    for (table, column) in columns {
        normalise_column(&mut transaction, &table, &column).await?;
    }
    for (column, tables) in NUMBERED {
        if are_whole_numbers(&mut transaction, column, tables).await? {
            take_zero_fractions_off(&mut transaction, column).await?;
        }
    }
    twin_links::note(&mut transaction).await?;
    let mark = format!("PRAGMA user_version = {DONE}");
    sqlx::query(AssertSqlSafe(mark)).execute(&mut *transaction).await.done(DOING)?;
    transaction.commit().await.doing(DOING)
}

async fn normalise_column(
    transaction: &mut Transaction<'_, Sqlite>,
    table: &str,
    column: &str,
) -> Result<(), StoreError> {
    // Ids of ASCII alone, without a blank at an edge, are in normal form as they are.
    let dubious = format!(
        "SELECT DISTINCT {column} FROM {table} WHERE {column} <> '' AND {column} > ? \
         AND ({column} < '!' OR substr({column}, -1) < '!' \
         OR length(CAST({column} AS BLOB)) <> length({column})) ORDER BY {column} LIMIT {LOT}"
    );
    let change = format!(
        "UPDATE OR IGNORE {table} SET {column} = found.value ->> 1 FROM json_each(?) AS found \
         WHERE {table}.{column} = found.value ->> 0"
    );
    let mut after = String::new();
    loop {
        let ids: Vec<String> = sqlx::query_scalar(AssertSqlSafe(dubious.clone()))
            .bind(&after)
            .fetch_all(&mut **transaction)
            .await
            .doing(DOING)?;
        let Some(last) = ids.last() else { return Ok(()) };
        after.clone_from(last);
        let changed: Vec<(&str, String)> = ids
            .iter()
            .map(|id| (id.as_str(), normalise_key(id).into_owned()))
            .filter(|(id, normal)| *id != normal && !normal.is_empty())
            .collect();
        if changed.is_empty() {
            continue;
        }
        sqlx::query(AssertSqlSafe(change.clone()))
            .bind(serde_json::json!(changed).to_string())
            .execute(&mut **transaction)
            .await
            .done(DOING)?;
    }
}

/// Whether every id of a kind is a whole number, as the roster is asked of its own.
async fn are_whole_numbers(
    transaction: &mut Transaction<'_, Sqlite>,
    column: &str,
    tables: &[&str],
) -> Result<bool, StoreError> {
    let whole =
        format!("iif(substr({column}, -2) = '.0', substr({column}, 1, length({column}) - 2), {column})");
    let other = |table: &&str| {
        format!("EXISTS (SELECT 1 FROM {table} WHERE {column} <> '' AND trim({whole}) GLOB '*[^0-9]*')")
    };
    let other: Vec<String> = tables.iter().map(other).collect();
    let question = format!("SELECT NOT ({})", other.join(" OR "));
    sqlx::query_scalar(AssertSqlSafe(question)).fetch_one(&mut **transaction).await.doing(DOING)
}

/// Takes `.0` off the ids of a column, wherever it stands. One whose whole number is there already is told from it by a
/// blank alone, like any other two that would become one.
async fn take_zero_fractions_off(
    transaction: &mut Transaction<'_, Sqlite>,
    column: &str,
) -> Result<(), StoreError> {
    let columns: Vec<(String, String)> =
        sqlx::query_as(COLUMNS).fetch_all(&mut **transaction).await.doing(DOING)?;
    for (table, _) in columns.iter().filter(|(_, name)| name == column) {
        for blank in ["", " "] {
            let change = format!(
                "UPDATE OR IGNORE {table} SET {column} = substr({column}, 1, length({column}) - 2) || '{blank}' \
                 WHERE substr({column}, -2) = '.0' \
                 AND substr({column}, 1, length({column}) - 2) NOT GLOB '*[^0-9]*'"
            );
            sqlx::query(AssertSqlSafe(change)).execute(&mut **transaction).await.done(DOING)?;
        }
    }
    Ok(())
}
