//! Failures of our own database.

use std::path::PathBuf;

/// The state database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened or created.
    #[error("state.database {path}: cannot be opened")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Its folder cannot be created, or its mode not set.
    #[error("state.database {path}: cannot be prepared")]
    Prepare {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was written by a newer rosterd, or its history was changed.
    #[error(
        "state.database {path}: was written by another version of rosterd; use that version or a newer one"
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("state database: {doing} failed")]
    Query {
        /// The action that failed.
        doing: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds something that we never write.
    #[error("state database: table {table}, key {key}: {what}")]
    Row {
        /// The table.
        table: &'static str,
        /// The row.
        key: String,
        /// The fault.
        what: &'static str,
    },
}

impl StoreError {
    /// For `map_err` on a statement.
    pub(super) fn query(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { doing, source }
    }
}
