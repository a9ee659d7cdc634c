//! The one place where connections are opened.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, SqlitePool};

/// Opens at most so many connections; who finds none free waits so long for one.
///
/// Connections live as long as their pool. Were they closed for being idle or old, sqlx would look after them with a
/// task of its own, which can spin without end when a pool is closed meanwhile: then the program never exits.
///
/// A connection whose transaction SQLite ended by itself, for want of room for instance, is not used again: sqlx goes on
/// counting that transaction, and would let no other begin.
///
/// sqlx warns of a slow statement with its whole text, which says nothing to an admin.
///
/// # Errors
/// When the database cannot be opened.
pub(super) async fn open(
    options: SqliteConnectOptions,
    most: u32,
    patience: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    let options = options.disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(most).acquire_timeout(patience);
    let pool = pool.idle_timeout(None).max_lifetime(None).before_acquire(|connection, _| {
        let is_sound = !connection.is_in_transaction();
        Box::pin(async move { Ok(is_sound) })
    });
    pool.connect_with(options).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_task_looks_after_connections_for_being_idle_or_old() {
        let options = SqliteConnectOptions::new().in_memory(true);
        let pool = open(options, 1, Duration::from_secs(1)).await.unwrap();
        assert_eq!((pool.options().get_idle_timeout(), pool.options().get_max_lifetime()), (None, None));
    }
}
