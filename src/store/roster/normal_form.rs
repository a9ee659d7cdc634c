//! Ids and codes in normal form: a roster that has them so is read as it stands, any other through copies.
//!
//! The copies stand in the connection's temporary database, which SQLite keeps in a file of its own; memory stays flat.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::error::failure;
use super::tables::{Table, Tables, copy_of, quoted};
use super::{RosterDatabase, RosterError};
use rosterd_core::roster::{identifier, without_zero_fraction};

/// Ids that are put into normal form at once.
const LOT: i64 = 1000;

/// Stands where a program lost bytes that it could not read as text.
const LOST: char = '\u{fffd}';

/// Whether the id in `column` may be in another form than it is compared in: no text, empty, not of visible ASCII and
/// blanks alone, with a blank around it, or like a number that a spreadsheet has spoilt.
///
/// The lengths differ where a NUL ends the text for SQLite. They say nothing of bytes that are no text, each of which
/// SQLite may count as a character: GLOB meets every one of them.
fn dubious(column: &str) -> String {
    format!(
        "(typeof({column}) <> 'integer' AND {column} IS NOT NULL AND (typeof({column}) <> 'text' \
         OR {column} < '!' OR length(CAST({column} AS BLOB)) <> length({column}) OR substr({column}, -1) < '!' \
         OR substr({column}, -2) = '.0' OR {column} GLOB '*[^ -~]*'))"
    )
}

/// Ids and codes of one roster that is not in normal form, in one transaction.
struct Copying<'a> {
    database: &'a RosterDatabase,
    transaction: &'a mut Transaction<'static, Sqlite>,
    /// Whether all ids of a kind are whole numbers, as far as it was asked: a question reads the whole table.
    numbers: HashMap<String, bool>,
}

/// The tables to read, where ids or codes are not in normal form; `None` where all of them are.
///
/// # Errors
/// When the roster cannot be read.
pub(super) async fn copies(
    database: &RosterDatabase,
    transaction: &mut Transaction<'static, Sqlite>,
) -> Result<Option<Tables>, RosterError> {
    let mut copying = Copying { database, transaction, numbers: HashMap::new() };
    if !copying.is_dubious(&database.given.each_ref()).await? {
        return Ok(None);
    }
    // The file is opened read-only, so that only the temporary database can be written.
    copying.run("PRAGMA query_only = 0").await?;
    let differs = copying.normalise().await?;
    if differs {
        copying.copy().await?;
    }
    copying.run("PRAGMA query_only = 1").await?;
    Ok(differs.then(Tables::normalised))
}

/// Whether groups, classes and the members of classes have their ids and codes in normal form, as far as that is told
/// without asking for each.
///
/// # Errors
/// When the roster cannot be read.
pub(super) async fn are_places_normal(
    database: &RosterDatabase,
    transaction: &mut Transaction<'static, Sqlite>,
) -> Result<bool, RosterError> {
    let [_, groups, _, classes, class_members] = &database.given;
    let mut copying = Copying { database, transaction, numbers: HashMap::new() };
    Ok(!copying.is_dubious(&[groups, classes, class_members]).await?)
}

impl Copying<'_> {
    async fn run(&mut self, sql: &str) -> Result<u64, RosterError> {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut **self.transaction).await;
        done.map(|done| done.rows_affected()).map_err(|source| self.failed(source))
    }

    async fn ask(&mut self, sql: String) -> Result<bool, RosterError> {
        let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut **self.transaction).await;
        found.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: sqlx::Error) -> RosterError {
        failure(&self.database.path, "ids and codes", source)
    }

    /// Whether any id or code of these tables is.
    async fn is_dubious(&mut self, tables: &[&Table]) -> Result<bool, RosterError> {
        let parts: Vec<String> = tables
            .iter()
            .map(|table| {
                let any: Vec<String> =
                    table.keys().map(|key| dubious(&format!("q.{}", quoted(key)))).collect();
                format!("EXISTS (SELECT 1 FROM {} AS q WHERE {})", table.given, any.join(" OR "))
            })
            .collect();
        self.ask(format!("SELECT {}", parts.join(" OR "))).await
    }

    /// Puts every dubious id into normal form, beside the form that it has; says whether any differs.
    async fn normalise(&mut self) -> Result<bool, RosterError> {
        self.run(
            "CREATE TEMP TABLE rosterd_ids (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, raw TEXT NOT NULL, \
             is_real INTEGER NOT NULL, is_binary INTEGER NOT NULL, normal TEXT, UNIQUE (kind, raw))",
        )
        .await?;
        let database = self.database;
        for table in &database.given {
            for key in table.keys() {
                self.run(&collect(table, key)).await?;
            }
        }
        let mut after = 0;
        while let Some(last) = self.normalise_lot(after).await? {
            after = last;
        }
        self.ask(
            "SELECT EXISTS (SELECT 1 FROM temp.rosterd_ids WHERE normal IS NOT raw OR is_binary)".to_owned(),
        )
        .await
    }

    /// The ids after number `after`, up to a lot of them; the number of the last one.
    async fn normalise_lot(&mut self, after: i64) -> Result<Option<i64>, RosterError> {
        let rows = sqlx::query(
            "SELECT number, raw, is_real, kind FROM temp.rosterd_ids WHERE number > ? ORDER BY number LIMIT ?",
        )
        .bind(after)
        .bind(LOT)
        .fetch_all(&mut **self.transaction)
        .await
        .map_err(|source| self.failed(source))?;
        let mut last = None;
        let mut normal = Vec::with_capacity(rows.len());
        for row in &rows {
            let number: i64 = sqlx::Row::get(row, 0);
            let raw = super::value::text(row, "raw");
            let is_real = sqlx::Row::get::<bool, _>(row, 2);
            last = Some(number);
            let spoilt = raw.as_deref().is_some_and(|raw| raw.ends_with(".0"));
            let is_number = is_real || (spoilt && self.holds_numbers(sqlx::Row::get(row, 3)).await?);
            normal.push((number, raw.and_then(|raw| in_normal_form(&raw, is_real, is_number))));
        }
        sqlx::query(
            "UPDATE temp.rosterd_ids SET normal = found.value ->> 1 FROM json_each(?) AS found \
             WHERE number = found.value ->> 0",
        )
        .bind(serde_json::json!(normal).to_string())
        .execute(&mut **self.transaction)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(last)
    }

    /// Whether every id of this kind is a whole number, as its own table has them.
    async fn holds_numbers(&mut self, kind: String) -> Result<bool, RosterError> {
        if let Some(known) = self.numbers.get(&kind) {
            return Ok(*known);
        }
        let owner = |table: &&Table| table.keys().eq([kind.as_str()]);
        let database = self.database;
        let Some(table) = database.given.iter().find(owner) else { return Ok(false) };
        let (column, given) = (format!("q.{}", quoted(&kind)), &table.given);
        let text = format!("CAST({column} AS TEXT)");
        let whole = format!(
            "CASE WHEN substr({text}, -2) = '.0' THEN substr({text}, 1, length({text}) - 2) ELSE {text} END"
        );
        let found = self
            .ask(format!(
                "SELECT NOT EXISTS (SELECT 1 FROM {given} AS q WHERE {column} IS NOT NULL \
                 AND trim({text}) <> '' AND trim({whole}) GLOB '*[^0-9]*')"
            ))
            .await?;
        self.numbers.insert(kind, found);
        Ok(found)
    }

    /// Copies every table, with its ids and codes in normal form; what cannot be told becomes NULL.
    async fn copy(&mut self) -> Result<(), RosterError> {
        let database = self.database;
        for table in &database.given {
            let name = copy_of(table.name);
            self.run(&format!("CREATE TEMP TABLE rosterd_{} AS {}", table.name, copied(table))).await?;
            for (at, key) in table.keys().enumerate() {
                let index = format!("rosterd_{}_{at}", table.name);
                let on = name.trim_start_matches("temp.");
                self.run(&format!("CREATE INDEX temp.{index} ON {on} ({})", quoted(key))).await?;
            }
        }
        Ok(())
    }
}

fn in_normal_form(raw: &str, is_real: bool, is_number: bool) -> Option<String> {
    let id = identifier(raw).filter(|id| !id.contains(LOST))?;
    let whole = if is_number { without_zero_fraction(&id) } else { &id };
    // A floating-point number with a fraction, or of more digits than it keeps, tells no id.
    let is_lost = is_real && whole.contains(|c: char| !c.is_ascii_digit() && c != '-');
    (!is_lost).then(|| whole.to_owned())
}

/// The statement that collects the dubious ids of one column.
fn collect(table: &Table, key: &str) -> String {
    let column = format!("q.{}", quoted(key));
    format!(
        "INSERT INTO temp.rosterd_ids (kind, raw, is_real, is_binary) \
         SELECT '{key}', CAST({column} AS TEXT) COLLATE BINARY, max(typeof({column}) = 'real'), max(typeof({column}) = 'blob') \
         FROM {} AS q WHERE {} GROUP BY 2 \
         ON CONFLICT (kind, raw) DO UPDATE SET is_real = max(is_real, excluded.is_real), \
         is_binary = max(is_binary, excluded.is_binary)",
        table.given,
        dubious(&column)
    )
}

/// The query that reads a table with its ids and codes in normal form.
fn copied(table: &Table) -> String {
    let keys: Vec<&str> = table.keys().collect();
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let name = quoted(column);
            match keys.iter().position(|key| key == column) {
                Some(at) => format!(
                    "CASE WHEN n{at}.number IS NULL THEN CAST(q.{name} AS TEXT) ELSE n{at}.normal END AS {name}"
                ),
                None => format!("q.{name} AS {name}"),
            }
        })
        .collect();
    let joins: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(at, key)| {
            format!(
                " LEFT JOIN temp.rosterd_ids AS n{at} ON n{at}.kind = '{key}' AND n{at}.raw = CAST(q.{} AS TEXT)",
                quoted(key)
            )
        })
        .collect();
    let own = match keys.as_slice() {
        [key] => {
            let name = quoted(key);
            format!(
                ", CAST(q.{name} AS TEXT) AS rosterd_raw_id, typeof(q.{name}) = 'blob' AS rosterd_binary_id"
            )
        }
        _ => String::new(),
    };
    format!("SELECT {}{own} FROM {} AS q{}", columns.join(", "), table.given, joins.concat())
}
