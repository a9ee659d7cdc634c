//! The one place where connections are opened.

use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// Opens at most so many connections; who finds none free waits so long for one.
///
/// Connections live as long as their pool. Were they closed for being idle or old, sqlx would look after them with a
/// task of its own, which can spin without end when a pool is closed meanwhile: then the program never exits.
///
/// # Errors
/// When the database cannot be opened.
pub(super) async fn open(
    options: SqliteConnectOptions,
    most: u32,
    patience: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new().max_connections(most).acquire_timeout(patience);
    pool.idle_timeout(None).max_lifetime(None).connect_with(options).await
}
