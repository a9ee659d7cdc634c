//! Small facts by name.

use std::path::Path;

use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::exam_plan::MemoryKey;

const MEMORY_KEY: &str = "memory-key";

/// The path of the roster that a run has read last.
const ROSTER_READ: &str = "roster.read_at_path";

impl StateStore {
    /// The key under which values are remembered; made at first use.
    ///
    /// # Errors
    /// When the database cannot be read or written, or no random bytes can be had.
    pub async fn memory_key(&self) -> Result<[u8; 32], StoreError> {
        if !self.has_memory_key().await? {
            self.make_memory_key().await?;
        }
        let kept: Vec<u8> = sqlx::query_scalar("SELECT value FROM facts WHERE name = ?")
            .bind(MEMORY_KEY)
            .fetch_one(self.writer()?)
            .await
            .doing("reading the memory key")?;
        kept.try_into().map_err(|_| StoreError::Row {
            table: "facts",
            key: MEMORY_KEY.to_owned(),
            what: "is not 32 bytes long",
        })
    }

    /// Whether there is a key already.
    pub(super) async fn has_memory_key(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM facts WHERE name = ?)")
            .bind(MEMORY_KEY)
            .fetch_one(self.writer()?)
            .await
            .doing("reading the memory key")
    }

    async fn make_memory_key(&self) -> Result<(), StoreError> {
        let mut fresh = [0_u8; 32];
        getrandom::fill(&mut fresh).map_err(|_| StoreError::Row {
            table: "facts",
            key: MEMORY_KEY.to_owned(),
            what: "the system gives no random bytes",
        })?;
        sqlx::query("INSERT OR IGNORE INTO facts (name, value) VALUES (?, ?)")
            .bind(MEMORY_KEY)
            .bind(fresh.as_slice())
            .execute(self.writer()?)
            .await
            .done("making the memory key")
    }

    /// The memory key, wrapped for the planner.
    ///
    /// # Errors
    /// As [`StateStore::memory_key`].
    pub async fn planner_key(&self) -> Result<MemoryKey, StoreError> {
        self.memory_key().await.map(MemoryKey::new)
    }

    /// A remembered text.
    pub async fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        let value: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM facts WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.reader)
            .await
            .doing("reading a fact")?;
        Ok(value.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// Whether a run has read the roster at this path.
    pub async fn has_read(&self, roster: &Path) -> Result<bool, StoreError> {
        Ok(self.fact(ROSTER_READ).await?.as_deref() == Some(&*roster.to_string_lossy()))
    }

    /// Remembers that a run has read the roster at this path.
    pub async fn remember_read(&self, roster: &Path) -> Result<(), StoreError> {
        if self.has_read(roster).await? {
            return Ok(());
        }
        self.remember(ROSTER_READ, Some(&roster.to_string_lossy())).await
    }

    /// Remembers a text, or forgets it.
    pub async fn remember(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        let statement = match value {
            Some(value) => sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)")
                .bind(name)
                .bind(value.as_bytes()),
            None => sqlx::query("DELETE FROM facts WHERE name = ?").bind(name),
        };
        statement.execute(self.writer()?).await.done("remembering a fact")
    }
}
