//! Rows as people take them away: the roster and the links, one at a time and as texts.

use std::path::{Path, PathBuf};

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column, Row, SqlitePool};

use super::error::Doing;
use super::roster::{OpenFile, RosterError, failure};
use super::{StateStore, StoreError};
use crate::settings::RosterQueries;

/// A row as texts; what is absent is empty.
pub type TextRow = Vec<String>;

/// The columns of [`StateStore::link_rows`].
pub const LINK_COLUMNS: [&str; 7] =
    ["student_id", "sid", "login_value", "origin", "gids", "linked_at", "gone_since"];

/// A roster opened to be taken away whole.
#[derive(Debug)]
pub struct RosterExport {
    path: PathBuf,
    /// Kept open while its rows are read.
    _file: OpenFile,
    pool: SqlitePool,
    statement: String,
    /// The names of the columns, in order.
    pub columns: Vec<String>,
    /// The positions of these columns in the statement.
    places: Vec<usize>,
}

impl RosterExport {
    /// Opens a roster; `without` says which columns of students are left out, `state` is our own database.
    ///
    /// # Errors
    /// When the file is missing, locked or corrupt, or lacks a table.
    pub async fn open(
        path: &Path,
        queries: &RosterQueries,
        state: &Path,
        without: impl Fn(&str) -> bool,
    ) -> Result<Self, RosterError> {
        let file = OpenFile::open(path, state).await?;
        let pool = file.pool().await?;
        let statement = statement(queries);
        // The table is ours or the admin's own query from the configuration file. The join makes a row, and so
        // names columns, also where there is no student.
        let probe =
            sqlx::query(AssertSqlSafe(format!("SELECT * FROM ({statement}) RIGHT JOIN (SELECT 1) LIMIT 1")));
        let row = probe.fetch_one(&pool).await.map_err(|source| failure(path, "students", source))?;
        let named = row.columns().iter().enumerate().map(|(place, column)| (place, column.name().to_owned()));
        let last = row.columns().len().saturating_sub(1);
        let (places, columns) = named.filter(|(place, name)| *place != last && !without(name)).unzip();
        Ok(Self { path: path.to_owned(), _file: file, pool, statement, columns, places })
    }

    /// The students with their groups and classes, by id.
    pub fn rows(&self) -> BoxStream<'_, Result<TextRow, RosterError>> {
        let rows = sqlx::query(AssertSqlSafe(self.statement.clone())).fetch(&self.pool);
        let row = |row: Result<SqliteRow, sqlx::Error>| {
            let row = row.map_err(|source| failure(&self.path, "students", source))?;
            let text = |place: &usize| row.try_get_unchecked::<Option<String>, _>(*place).ok().flatten();
            Ok(self.places.iter().map(|place| text(place).unwrap_or_default()).collect())
        };
        rows.map(row).boxed()
    }
}

fn statement(queries: &RosterQueries) -> String {
    let source = |query: &Option<String>, table: &str| match query {
        // The line end closes a comment at the end of the query.
        Some(query) => format!("({}\n)", query.trim().trim_end_matches(';')),
        None => table.to_owned(),
    };
    let students = source(&queries.students, "students");
    let codes = |query: &Option<String>, table: &str, code: &str| {
        let members = source(query, table);
        format!(
            "(SELECT GROUP_CONCAT(code, ';') FROM (SELECT m.{code} AS code FROM {members} AS m
             WHERE m.student_id = s.student_id ORDER BY m.{code}))"
        )
    };
    let groups = codes(&queries.group_members, "group_members", "group_code");
    let classes = codes(&queries.class_members, "class_members", "class_code");
    format!("SELECT s.*, {groups} AS groups, {classes} AS classes FROM {students} AS s ORDER BY s.student_id")
}

impl StateStore {
    /// The links by student, in the columns of [`LINK_COLUMNS`]; times as RFC 3339 in UTC.
    pub fn link_rows(&self) -> BoxStream<'_, Result<TextRow, StoreError>> {
        let rows = sqlx::query(
            "SELECT student_id, sid, login_value, origin, gids, linked_at_ms, gone_since_ms FROM links \
             ORDER BY student_id",
        )
        .fetch(&self.reader);
        let doing = "listing links";
        rows.map(move |row| link_row(&row.doing(doing)?).doing(doing)).boxed()
    }
}

fn link_row(row: &SqliteRow) -> Result<TextRow, sqlx::Error> {
    let moment = |at: Option<i64>| {
        let at = at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        at.map(|at| format!("{at:.0}")).unwrap_or_default()
    };
    Ok(vec![
        row.try_get("student_id")?,
        row.try_get::<i64, _>("sid")?.to_string(),
        row.try_get("login_value")?,
        row.try_get("origin")?,
        // A list of numbers as JSON.
        row.try_get::<Option<String>, _>("gids")?
            .map(|gids| gids.trim_matches(['[', ']']).replace(',', ";"))
            .unwrap_or_default(),
        moment(row.try_get::<Option<i64>, _>("linked_at_ms")?),
        moment(row.try_get("gone_since_ms")?),
    ])
}
