//! What earlier imports did to a roster: who left and what was emptied within the last day, how new the last bundle was, and
//! which memberships a column of the students' own rows brought. A file beside the roster, attached as `history`, so that
//! it is written in the same transaction. Only its owner can read it; it holds ids and codes, no other values.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::RosterWriteError;
use super::compare::{ABSENT, count_of, leaves, quoted};
use super::opening::BUSY_TIMEOUT;
use super::previous::beside;
use super::staging::{KeyedTable, run};
use rosterd_import::RosterTable;

/// How long what left counts against what leaves.
const LOOK_BACK: Duration = Duration::from_hours(24);
/// Of so many imports the marks are kept.
const MARKS_OF_IMPORTS: i64 = 100;
/// By this, behind the table, memberships are noted that others replaced.
const MOVES: &str = "moves";
/// Written into the file; a later release counts on.
const VERSION: i64 = 2;
const SCHEMA: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS history.imports (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,
     newest TEXT, changed INTEGER NOT NULL, undone INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE IF NOT EXISTS history.departures (what TEXT NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL,
     import INTEGER NOT NULL, PRIMARY KEY (what, key, code, import)) STRICT, WITHOUT ROWID",
    // `own` is the column by its heading; empty where an earlier release noted the membership.
    "CREATE TABLE IF NOT EXISTS history.brought (members TEXT NOT NULL, student TEXT NOT NULL, code TEXT NOT NULL,
     own TEXT NOT NULL DEFAULT '', PRIMARY KEY (members, student, code)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS history.brought_before (members TEXT NOT NULL, student TEXT NOT NULL, code TEXT NOT NULL,
     own TEXT NOT NULL DEFAULT '', PRIMARY KEY (members, student, code)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS history.taken (mark TEXT PRIMARY KEY, import INTEGER NOT NULL) STRICT, WITHOUT ROWID",
];

/// Which import this is.
#[derive(Clone, Debug)]
pub struct Occasion {
    /// The kind of files, as the command calls it.
    pub kind: String,
    pub now: Timestamp,
    /// The newest change that the files tell of, as RFC 3339 in UTC to the millisecond.
    pub newest: Option<String>,
    /// The arrivals of the files in a watched folder: none is imported twice.
    pub marks: Vec<String>,
}

/// The file that says what earlier imports did to a roster.
#[must_use]
pub fn history_of(database: &Path) -> PathBuf {
    beside(database, ".imports")
}

/// Attaches the file, or an empty history in memory.
pub(super) async fn attach(pool: &SqlitePool, file: Option<&PathBuf>) -> Result<(), RosterWriteError> {
    let mut connection = pool.acquire().await?;
    attach_to(&mut connection, file).await
}

/// As [`attach`], to one connection.
pub(super) async fn attach_to(
    connection: &mut SqliteConnection,
    file: Option<&PathBuf>,
) -> Result<(), RosterWriteError> {
    let name = file.map_or_else(|| ":memory:".to_owned(), |file| file.to_string_lossy().into_owned());
    let path = file.cloned().unwrap_or_default();
    let unusable = |source| RosterWriteError::History { path: path.clone(), source };
    sqlx::query("ATTACH DATABASE ? AS history")
        .bind(name)
        .execute(&mut *connection)
        .await
        .map_err(unusable)?;
    let version: i64 =
        sqlx::query_scalar("PRAGMA history.user_version").fetch_one(connection).await.map_err(unusable)?;
    if version > VERSION { Err(RosterWriteError::NewerHistory { path }) } else { Ok(()) }
}

/// Removes the file when nothing has been written into it.
pub(super) fn remove_if_empty(database: &Path) {
    let path = history_of(database);
    if std::fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        // One that stays is filled by the next import.
        let _stays = std::fs::remove_file(&path);
    }
}

/// Makes the tables, and forgets what belonged to a roster that is no longer there.
pub(super) async fn prepare(
    connection: &mut SqliteConnection,
    is_new_roster: bool,
) -> Result<(), RosterWriteError> {
    for statement in SCHEMA {
        run(connection, statement.to_owned()).await?;
    }
    for table in ["brought", "brought_before"] {
        // A file of the first version.
        let own = format!("SELECT COUNT(*) FROM pragma_table_info('{table}', 'history') WHERE name = 'own'");
        if count_of(connection, &own).await? == 0 {
            let own = format!("ALTER TABLE history.{table} ADD COLUMN own TEXT NOT NULL DEFAULT ''");
            run(connection, own).await?;
        }
    }
    run(connection, format!("PRAGMA history.user_version = {VERSION}")).await?;
    if is_new_roster {
        for table in ["imports", "departures", "brought", "brought_before", "taken"] {
            run(connection, format!("DELETE FROM history.{table}")).await?;
        }
    }
    Ok(())
}

/// The kind of an import of a delta; a whole bundle goes by the kind alone.
#[must_use]
pub fn delta_of(kind: &str) -> String {
    format!("{kind} delta")
}

/// The newest change in any bundle of these kinds that was imported and not taken back.
pub(super) async fn newest_bundle(
    connection: &mut SqliteConnection,
    [kind, other]: [&str; 2],
) -> Result<Option<String>, RosterWriteError> {
    let tables = "SELECT COUNT(*) FROM history.sqlite_schema WHERE name = 'imports'";
    if count_of(connection, tables).await? == 0 {
        return Ok(None);
    }
    let query =
        sqlx::query_scalar("SELECT MAX(newest) FROM history.imports WHERE kind IN (?, ?) AND undone = 0");
    Ok(query.bind(kind).bind(other).fetch_one(connection).await?)
}

/// Something that an import takes away: people, memberships, or the values of one column.
pub(super) struct Departing {
    pub(super) table: RosterTable,
    /// The column that is emptied.
    pub(super) column: Option<String>,
    /// What goes now: two columns, `key` and `code`.
    now: String,
    /// How many there are of it.
    there: String,
    /// Of a departure `d` of an earlier import: that it is still gone, and stays gone with this one.
    still_gone: String,
}

impl Departing {
    /// Students who are marked as having left.
    pub(super) fn students(students: &KeyedTable, absence_counts: bool) -> Self {
        let by_row = format!(
            "SELECT s.key AS key, '' AS code FROM temp.compared_students AS c
             CROSS JOIN temp.staged_students AS s ON s.n = c.n WHERE {}",
            leaves(students)
        );
        let absent = format!(
            "SELECT CAST(t.student_id AS TEXT) AS key, '' AS code FROM main.students AS t WHERE {ABSENT}"
        );
        let now = if absence_counts { format!("{by_row} UNION {absent}") } else { by_row };
        let active = students.columns.iter().position(|column| column == "active").unwrap_or_default();
        Self {
            table: RosterTable::Students,
            column: None,
            now,
            there: "SELECT COUNT(*) FROM main.students WHERE active IS NOT 0".to_owned(),
            still_gone: format!(
                "d.key NOT IN (SELECT CAST(student_id AS TEXT) FROM main.students
                     WHERE active IS NOT 0 AND student_id IS NOT NULL)
                 AND d.key NOT IN (SELECT key FROM temp.staged_students WHERE good = 1 AND v{active} IS NOT 0)"
            ),
        }
    }

    /// Memberships that are removed and not replaced by another of the student's own row.
    pub(super) fn memberships(table: RosterTable) -> Self {
        let lacks = |name: &str| {
            format!(
                "NOT EXISTS (SELECT 1 FROM temp.{name}_{table} AS p WHERE p.student = d.key AND p.code = d.code)"
            )
        };
        Self {
            table,
            column: None,
            now: format!("SELECT student AS key, code FROM temp.removed_{table} WHERE replaced = 0"),
            there: format!("SELECT COUNT(*) FROM temp.present_{table}"),
            still_gone: format!("{} AND {}", lacks("present"), lacks("wanted")),
        }
    }

    /// Memberships that another of the student's own row replaces. They are noted, and judged group by group.
    pub(super) fn moves(table: RosterTable) -> Self {
        Self {
            column: Some(MOVES.to_owned()),
            now: format!("SELECT student AS key, code FROM temp.removed_{table} WHERE replaced = 1"),
            ..Self::memberships(table)
        }
    }

    /// Columns that files empty: one for each that some row empties. Whether somebody is there is no value.
    pub(super) fn columns(table: &KeyedTable) -> Vec<Self> {
        let (name, key) = (table.table, table.key());
        let compared = table.compared();
        let values = compared.iter().enumerate().filter(|(_, (_, column))| *column != "active");
        let emptied = values.map(|(place, (at, column))| {
            let filled = format!("{} <> ''", quoted(column));
            Self {
                table: name,
                column: Some((*column).to_owned()),
                now: format!(
                    "SELECT s.key AS key, '' AS code FROM temp.compared_{name} AS c
                     CROSS JOIN temp.staged_{name} AS s ON s.n = c.n
                     WHERE SUBSTR(c.letters, {}, 1) = '1' AND s.v{at} = ''",
                    place + 1
                ),
                there: format!("SELECT COUNT(*) FROM main.{name} WHERE {filled}"),
                still_gone: format!(
                    "d.key NOT IN (SELECT CAST({key} AS TEXT) FROM main.{name} WHERE {filled} AND {key} IS NOT NULL)
                     AND d.key NOT IN (SELECT key FROM temp.staged_{name} WHERE good = 1 AND v{at} <> '')"
                ),
            }
        });
        emptied.collect()
    }

    fn what(&self) -> String {
        self.column.as_ref().map_or_else(
            || self.table.name().to_owned(),
            |column| format!("{}.{}", self.table.name(), column.to_ascii_lowercase()),
        )
    }

    /// How many go now, how many went within the last day by other imports, and how many there were before those.
    pub(super) async fn count(
        &self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(u64, u64, u64), RosterWriteError> {
        let leaving = count_of(connection, &format!("SELECT COUNT(*) FROM ({})", self.now)).await?;
        if leaving == 0 {
            return Ok((0, 0, 0));
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT COUNT(*) FROM (SELECT DISTINCT d.key, d.code FROM history.departures AS d
             JOIN history.imports AS i ON i.id = d.import WHERE i.undone = 0 AND d.what = ",
        );
        query.push_bind(self.what()).push(" AND i.at > ").push_bind(since(now));
        query.push(format_args!(" AND {})", self.still_gone));
        let earlier = query.build_query_scalar::<i64>().persistent(false).fetch_one(&mut *connection).await?;
        let earlier = u64::try_from(earlier).unwrap_or_default();
        let there = count_of(connection, &self.there).await?;
        Ok((leaving, earlier, there.saturating_add(earlier)))
    }

    /// Notes what goes, before it goes.
    pub(super) async fn note(
        &self,
        connection: &mut SqliteConnection,
        import: i64,
    ) -> Result<(), RosterWriteError> {
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT INTO history.departures (what, key, code, import) SELECT ");
        query.push_bind(self.what()).push(", key, code, ").push_bind(import);
        query.push(format_args!(" FROM ({})", self.now));
        query.build().persistent(false).execute(connection).await?;
        Ok(())
    }
}

/// The pairs of students who are here and groups or classes that they went out of by other imports of the last day, and are
/// still out of: by another of their own row, or because a list no longer had them there.
pub(super) fn moved_lately(table: RosterTable, now: Timestamp) -> String {
    let lacks = |name: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM temp.{name}_{table} AS p WHERE p.student = d.key AND p.code = d.code)"
        )
    };
    format!(
        "SELECT DISTINCT d.key AS student, d.code AS code FROM history.departures AS d
         JOIN history.imports AS i ON i.id = d.import
         WHERE i.undone = 0 AND i.at > {} AND d.what IN ('{table}', '{table}.{MOVES}') AND {} AND {}
         AND d.key IN (SELECT CAST(student_id AS TEXT) FROM main.students WHERE active IS NOT 0)",
        since(now),
        lacks("present"),
        lacks("wanted")
    )
}

fn since(now: Timestamp) -> i64 {
    now.as_second().saturating_sub(i64::try_from(LOOK_BACK.as_secs()).unwrap_or(i64::MAX))
}

/// Notes an import and forgets departures that no longer count. Returns its number.
pub(super) async fn note_import(
    connection: &mut SqliteConnection,
    occasion: &Occasion,
    changed: bool,
) -> Result<i64, RosterWriteError> {
    let old = "DELETE FROM history.departures WHERE import IN (SELECT id FROM history.imports WHERE at <= ?)";
    sqlx::query(old).bind(since(occasion.now)).execute(&mut *connection).await?;
    let new = "INSERT INTO history.imports (at, kind, newest, changed) VALUES (?, ?, ?, ?) RETURNING id";
    let query = sqlx::query_scalar(new).bind(occasion.now.as_second()).bind(&occasion.kind);
    let import: i64 = query.bind(&occasion.newest).bind(changed).fetch_one(&mut *connection).await?;
    for mark in &occasion.marks {
        let taken = "INSERT OR REPLACE INTO history.taken (mark, import) VALUES (?, ?)";
        sqlx::query(taken).bind(mark).bind(import).execute(&mut *connection).await?;
    }
    // They matter until the file has left the folder, right after the import.
    let old = "DELETE FROM history.taken WHERE import <= ?";
    sqlx::query(old).bind(import.saturating_sub(MARKS_OF_IMPORTS)).execute(&mut *connection).await?;
    Ok(import)
}

/// Whether an import has taken the file with this mark.
///
/// # Errors
/// When the file beside the roster cannot be read.
pub async fn has_taken(database: &Path, mark: &str) -> Result<bool, RosterWriteError> {
    let history = history_of(database);
    // Without the roster itself what was imported is gone.
    if !history.exists() || !database.exists() {
        return Ok(false);
    }
    look_up(&history, mark).await.map_err(|source| RosterWriteError::History { path: history, source })
}

async fn look_up(history: &Path, mark: &str) -> Result<bool, sqlx::Error> {
    let mut options = SqliteConnectOptions::new().filename(history).read_only(true);
    options = options.busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await?;
    let tables = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'taken'");
    let there: i64 = tables.fetch_one(&mut connection).await?;
    let count: i64 = if there == 0 {
        0
    } else {
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM taken WHERE mark = ?");
        query.bind(mark).fetch_one(&mut connection).await?
    };
    connection.close().await?;
    Ok(count > 0)
}

/// Remembers which memberships columns of the students' own rows brought.
pub(super) async fn note_brought(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    let mut statements = vec![
        "DELETE FROM history.brought_before".to_owned(),
        "INSERT INTO history.brought_before (members, student, code, own)
         SELECT members, student, code, own FROM history.brought"
            .to_owned(),
    ];
    for table in [RosterTable::GroupMembers, RosterTable::ClassMembers] {
        statements.push(format!(
            "DELETE FROM history.brought WHERE members = '{table}'
             AND (student, code) IN (SELECT student, code FROM temp.removed_{table})"
        ));
        statements.push(format!(
            "INSERT INTO history.brought (members, student, code, own)
             SELECT o.members, o.ref, o.code, o.own FROM temp.staged_columns AS o
             JOIN temp.wanted_{table} AS w ON w.student = o.ref AND w.code = o.code WHERE o.members = '{table}'
             ON CONFLICT DO UPDATE SET own = excluded.own WHERE own = ''"
        ));
    }
    for statement in statements {
        run(connection, statement).await?;
    }
    Ok(())
}

/// Takes the last import that changed the roster back, or brings it back.
pub(super) async fn undo_last(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    for statement in [
        "UPDATE history.imports SET undone = 1 - undone
         WHERE id = (SELECT MAX(id) FROM history.imports WHERE changed = 1)",
        "CREATE TEMP TABLE brought AS SELECT members, student, code, own FROM history.brought",
        "DELETE FROM history.brought",
        "INSERT INTO history.brought (members, student, code, own)
         SELECT members, student, code, own FROM history.brought_before",
        "DELETE FROM history.brought_before",
        "INSERT INTO history.brought_before (members, student, code, own)
         SELECT members, student, code, own FROM temp.brought",
        "DROP TABLE temp.brought",
    ] {
        run(connection, statement.to_owned()).await?;
    }
    Ok(())
}
