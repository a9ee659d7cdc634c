//! The copy of the state database that is kept from before an upgrade that rewrites or drops rows. An upgrade goes forward only;
//! this is the way back. What a copy looks like and how it is put back is not said here.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use super::error::{Doing as _, Written as _, counted};
use super::state::MIGRATIONS;
use super::{StoreError, ids_in_normal_form};
use crate::files::{self, beside};
use rosterd_core::roster::shell_word;

/// What a migration does to rows that are there before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It changes what they say, moves them or takes them away.
    Rewrites,
    /// It writes columns that it has just added.
    Fills,
}

/// Every migration that writes to rows which are there, with what it does. A test finds one that is missing here.
const EFFECTS: [(i64, Effect, &str); 11] = [
    (2, Effect::Rewrites, "enrolments move into a table of another form, accounts are drawn from them"),
    (5, Effect::Fills, "failures say whether a contact is mixed into what was wanted"),
    (7, Effect::Rewrites, "departures become counted writes, and their table goes"),
    (
        8,
        Effect::Rewrites,
        "failures move into a table of another form, holds take the place of held operations",
    ),
    (19, Effect::Rewrites, "approvals move into a table of another form"),
    (20, Effect::Rewrites, "results and their owners move into tables of another form"),
    (25, Effect::Rewrites, "how a run ended moves into another column"),
    (26, Effect::Rewrites, "tries of failures are counted anew, and what an outage gave up is open again"),
    (29, Effect::Rewrites, "results move into a table of another form"),
    (32, Effect::Fills, "links say which login value was given way from"),
    (51, Effect::Fills, "masses say how large they were"),
];

/// The fact that an upgrade is under way, and which copy was kept before it began.
const UNDER_WAY: &str = "upgrade.copy";

/// Beside the state's own name.
const ENDING: &str = ".before-";

/// The name of a copy that is not whole yet.
const PART: &str = ".part";

/// What the file system needs beside the copy itself: its own bookkeeping, and a log to begin the upgrade with.
const SPARE_BYTES: u64 = 256 * 1024;

const DOING: &str = "copying it before the upgrade";

/// The step of an upgrade before which the copy is made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rewriting {
    /// As the copy's name says it: the number of a migration.
    step: String,
    why: &'static str,
}

/// Keeps a copy of the state as it is, where the upgrade that is about to begin rewrites or drops rows and none was kept for it
/// yet. Says whether an upgrade is under way that [`ended`] is to close.
///
/// # Errors
/// [`StoreError::NoRoomForCopy`] where the disk has no room for it, [`StoreError::Copy`] where a file cannot be made; then
/// nothing has begun.
pub(super) async fn keep(writer: &SqlitePool, state: &Path) -> Result<bool, StoreError> {
    let mut connection = writer.acquire().await.doing(DOING)?;
    if rewriting(&mut connection).await?.is_none() {
        return Ok(under_way(&mut connection).await?.is_some());
    }
    drop(connection);
    // Nobody else writes, and nobody else upgrades, until the copy stands.
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.doing(DOING)?;
    let Some(Rewriting { step, why }) = rewriting(&mut transaction).await? else {
        return Ok(under_way(&mut transaction).await?.is_some());
    };
    let newest = newest_step(&mut transaction).await?;
    let kept = under_way(&mut transaction).await?;
    // Where no step came after it, an earlier version may have been at work since: that copy is old.
    if kept.is_some_and(|kept| {
        kept.newest < newest && beside(state, &format!("{ENDING}{}", kept.step)).is_file()
    }) {
        return Ok(true);
    }
    let copy = beside(state, &format!("{ENDING}{step}"));
    let needed = copy_bytes(&mut transaction).await?;
    require_room(state, needed)?;
    make(state, &copy).await?;
    drop_earlier(state, &copy);
    sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)")
        .bind(UNDER_WAY)
        .bind(format!("{step}@{newest}").as_bytes())
        .execute(&mut *transaction)
        .await
        .done(DOING)?;
    transaction.commit().await.doing(DOING)?;
    tracing::info!(
        "{} is brought up to date, and rows of it are rewritten ({why}): as it was before, it is kept beside it; to go back to the \
         version of before, stop rosterd, install that version, then type: rosterd restore {}",
        state.display(),
        shell_word(&copy.display().to_string())
    );
    Ok(true)
}

/// Says that the upgrade has ended: the next one keeps a copy of its own.
pub(super) async fn ended(writer: &SqlitePool) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM facts WHERE name = ?").bind(UNDER_WAY).execute(writer).await.done(DOING)
}

/// The bytes that a copy of the database has.
pub(super) async fn copy_bytes(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), \
         pragma_page_size()",
    )
    .fetch_one(connection)
    .await
    .doing("asking how large it is")?;
    Ok(counted(bytes))
}

/// The first step that is still to come and rewrites rows. A state without a run has none that would be missed.
async fn rewriting(connection: &mut SqliteConnection) -> Result<Option<Rewriting>, StoreError> {
    let has_history: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name IN ('_sqlx_migrations', 'runs')")
            .fetch_one(&mut *connection)
            .await
            .doing(DOING)?;
    if has_history < 2 {
        return Ok(None);
    }
    let done: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await
        .doing(DOING)?;
    let known = |version: i64| MIGRATIONS.iter().any(|migration| migration.version == version);
    // Of a newer version: it is refused, and nothing is done to it.
    if done.iter().any(|version| !known(*version)) {
        return Ok(None);
    }
    let first = EFFECTS
        .iter()
        .find(|(version, effect, _)| *effect == Effect::Rewrites && !done.contains(version))
        .map(|(version, _, why)| Rewriting { step: format!("{version:04}"), why });
    let first = match first {
        None if !ids_in_normal_form::is_done(&mut *connection).await? => {
            Some(Rewriting { step: "ids".to_owned(), why: "ids are put into normal form" })
        }
        first => first,
    };
    if first.is_none() {
        return Ok(None);
    }
    let has_run: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM runs)")
        .fetch_one(&mut *connection)
        .await
        .doing(DOING)?;
    Ok(first.filter(|_| has_run))
}

/// The number of the newest step that was taken.
async fn newest_step(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await
        .doing(DOING)
}

/// A copy that was made for an upgrade that has not ended.
struct Kept {
    step: String,
    /// The newest step that was taken by then.
    newest: i64,
}

async fn under_way(connection: &mut SqliteConnection) -> Result<Option<Kept>, StoreError> {
    let has_facts: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'facts'")
        .fetch_one(&mut *connection)
        .await
        .doing(DOING)?;
    if has_facts == 0 {
        return Ok(None);
    }
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM facts WHERE name = ?")
        .bind(UNDER_WAY)
        .fetch_optional(connection)
        .await
        .doing(DOING)?;
    Ok(kept.map(|kept| {
        let kept = String::from_utf8_lossy(&kept).into_owned();
        match kept.split_once('@') {
            Some((step, newest)) => {
                Kept { step: step.to_owned(), newest: newest.parse().unwrap_or(i64::MAX) }
            }
            None => Kept { step: kept, newest: i64::MAX },
        }
    }))
}

fn require_room(state: &Path, needed: u64) -> Result<(), StoreError> {
    let needed = needed.saturating_add(SPARE_BYTES);
    match files::room_in(files::folder_of(state)) {
        Some(free) if free < needed => {
            Err(StoreError::NoRoomForCopy { path: state.to_owned(), needed, free })
        }
        Some(_) | None => Ok(()),
    }
}

/// Makes the copy beside its place and puts it there once the disk has all of it.
async fn make(state: &Path, copy: &Path) -> Result<(), StoreError> {
    let refused = |source| StoreError::Copy { path: copy.to_owned(), source };
    let part = beside(copy, PART);
    // What is left of an upgrade that was killed: whoever is at work holds the write lock.
    match std::fs::remove_file(&part) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(refused(source)),
        Ok(()) | Err(_) => {}
    }
    let made = files::create_own(&part).map_err(refused)?;
    let copied = match vacuum_into(state, &part).await {
        Ok(()) => made.sync_all().and_then(|()| std::fs::rename(&part, copy)).map_err(refused),
        Err(error) => Err(error),
    };
    copied.inspect_err(|_| {
        // Of no use to anybody; the error says what happened.
        let _stays = std::fs::remove_file(&part);
    })?;
    // The name too, before what it names is changed.
    File::open(files::folder_of(state)).and_then(|folder| folder.sync_all()).map_err(refused)
}

async fn vacuum_into(state: &Path, part: &Path) -> Result<(), StoreError> {
    let options = SqliteConnectOptions::new().filename(state).read_only(true);
    let options = options.busy_timeout(Duration::from_secs(10)).disable_statement_logging();
    let mut original = options.connect().await.doing(DOING)?;
    let copied = sqlx::query("VACUUM INTO ?").bind(part.to_string_lossy()).execute(&mut original).await;
    let _closed = original.close().await;
    copied.done(DOING)
}

/// One generation is kept: copies from before earlier upgrades go.
fn drop_earlier(state: &Path, newest: &Path) {
    let Some(name) = state.file_name().map(|name| format!("{}{ENDING}", name.to_string_lossy())) else {
        return;
    };
    let Ok(entries) = std::fs::read_dir(files::folder_of(state)) else { return };
    let is_step = |rest: &str| rest == "ids" || (rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit()));
    let earlier: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().strip_prefix(&name).is_some_and(is_step))
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| path.file_name() != newest.file_name())
        .collect();
    for path in earlier {
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(
                "{}, a copy from before an earlier upgrade, cannot be removed: {error}",
                path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a migration does outside its triggers.
    fn writes_to_rows(script: &str) -> bool {
        let mut is_trigger = false;
        script.lines().map(str::trim_start).any(|line| {
            is_trigger = (is_trigger || line.starts_with("CREATE TRIGGER")) && !line.starts_with("END;");
            let begins = ["DROP TABLE", "DELETE ", "UPDATE ", "REPLACE ", "INSERT OR REPLACE"];
            !is_trigger
                && (begins.iter().any(|begin| line.starts_with(begin)) || line.contains(" DROP COLUMN "))
        })
    }

    #[test]
    fn every_migration_that_writes_to_rows_says_what_it_does_to_them() {
        let writing: Vec<i64> = MIGRATIONS
            .iter()
            .filter(|migration| writes_to_rows(migration.sql.as_str()))
            .map(|migration| migration.version)
            .collect();
        assert_eq!(writing, EFFECTS.map(|(version, ..)| version), "add it to EFFECTS, with what it does");
    }

    #[test]
    fn what_a_migration_does_to_rows_is_seen_outside_its_triggers_alone() {
        for (script, writes) in [
            ("CREATE TABLE a (b TEXT);\nINSERT INTO a SELECT 1;", false),
            ("CREATE TRIGGER t AFTER DELETE ON a BEGIN\n    DELETE FROM b;\nEND;\n", false),
            ("CREATE TRIGGER t AFTER DELETE ON a BEGIN\n    DELETE FROM b;\nEND;\nDELETE FROM c;", true),
            ("ALTER TABLE a DROP COLUMN b;", true),
            ("  UPDATE a SET b = 1;", true),
        ] {
            assert_eq!(writes_to_rows(script), writes, "{script}");
        }
    }
}
