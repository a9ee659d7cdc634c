//! Failures of our own database.

use std::path::PathBuf;

use sqlx::sqlite::SqliteQueryResult;

/// The state database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened or created.
    #[error("state.database {path}: cannot be opened")]
    Open {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// Its folder cannot be created, or its mode not set.
    #[error("state.database {path}: cannot be prepared")]
    Prepare {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It was written by a newer rosterd, or its history was changed.
    #[error(
        "state.database {path}: was written by another version of rosterd; use that version or a newer one"
    )]
    Schema {
        path: PathBuf,
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    #[error("state database: {doing} failed")]
    Query {
        /// The action that failed.
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// A row holds something that we never write.
    #[error("state database: table {table}, key {key}: {what}")]
    Row { table: &'static str, key: String, what: &'static str },
}

/// Says what was being done when a statement failed.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Query { doing, source })
    }
}

/// Of a statement that writes: how many rows it changed, or nothing at all.
pub(super) trait Written {
    fn rows(self, doing: &'static str) -> Result<u64, StoreError>;
    fn done(self, doing: &'static str) -> Result<(), StoreError>;
}

impl Written for Result<SqliteQueryResult, sqlx::Error> {
    fn rows(self, doing: &'static str) -> Result<u64, StoreError> {
        self.doing(doing).map(|written| written.rows_affected())
    }

    fn done(self, doing: &'static str) -> Result<(), StoreError> {
        self.doing(doing).map(drop)
    }
}

/// A number that SQLite counted: never negative.
pub(super) fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
