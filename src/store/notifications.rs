//! What was told of the situation, and messages that are still to be delivered.

use jiff::civil::Date;
use rosterd_core::situation::ToldIncident;
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written, counted};
use super::{StateStore, StoreError};

/// The day, in the school's zone, for which the office was told last.
const DIGEST_DAY: &str = "notify.digest_day";

const TELLING: &str = "remembering what is told";

/// Lets a message wait for delivery to this target.
async fn queue(
    transaction: &mut Transaction<'_, Sqlite>,
    target: &str,
    content: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO notifications (target, content, made_at_ms, due_at_ms) VALUES (?1, ?2, ?3, ?3)")
        .bind(target)
        .bind(content)
        .bind(now_ms)
        .execute(&mut **transaction)
        .await
        .done(TELLING)?;
    Ok(())
}

/// What is to be told: in one transaction it becomes known as told, and a message for each target waits for delivery.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// Incidents that began, or whose cause changed.
    pub told: &'a [ToldIncident],
    /// Incidents that are over.
    pub over: &'a [ToldIncident],
    /// The words of the targets.
    pub targets: &'a [&'static str],
    /// The message, as JSON.
    pub content: &'a str,
}

/// A message that waits for delivery.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Notification {
    pub notification_id: i64,
    pub target: String,
    pub content: String,
    pub made_at_ms: i64,
    pub attempts: i64,
    pub due_at_ms: i64,
}

/// What could not be delivered to one target so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    pub target: String,
    pub count: u64,
    /// When the oldest message was made.
    pub since_ms: i64,
    /// What the last attempt ended in.
    pub error: String,
}

#[derive(sqlx::FromRow)]
struct Told {
    incident: String,
    kind: String,
    cause: String,
    since_at_ms: i64,
}

impl StateStore {
    /// What was told and is not over.
    pub async fn told_incidents(&self) -> Result<Vec<ToldIncident>, StoreError> {
        let rows: Vec<Told> =
            sqlx::query_as("SELECT incident, kind, cause, since_at_ms FROM told_incidents ORDER BY incident")
                .fetch_all(&self.reader)
                .await
                .doing("reading what was told")?;
        let told = |row| {
            let Told { incident, kind, cause, since_at_ms: since_ms } = row;
            ToldIncident { incident, kind, cause, since_ms }
        };
        Ok(rows.into_iter().map(told).collect())
    }

    /// Notes what is told, and the messages that tell it.
    pub async fn tell(&self, telling: Telling<'_>, now_ms: i64) -> Result<(), StoreError> {
        let Telling { told, over, targets, content } = telling;
        let mut transaction = self.begin().await?;
        for ToldIncident { incident, kind, cause, since_ms } in told {
            sqlx::query(
                "INSERT OR REPLACE INTO told_incidents (incident, kind, cause, since_at_ms) VALUES (?, ?, ?, ?)",
            )
            .bind(incident)
            .bind(kind)
            .bind(cause)
            .bind(since_ms)
            .execute(&mut *transaction)
            .await
            .done(TELLING)?;
        }
        for ToldIncident { incident, .. } in over {
            sqlx::query("DELETE FROM told_incidents WHERE incident = ?")
                .bind(incident)
                .execute(&mut *transaction)
                .await
                .done(TELLING)?;
        }
        for target in targets {
            queue(&mut transaction, target, content, now_ms).await?;
        }
        transaction.commit().await.doing(TELLING)
    }

    /// The day for which the office was told last what waits for it.
    pub async fn digest_day(&self) -> Result<Option<Date>, StoreError> {
        Ok(self.fact(DIGEST_DAY).await?.and_then(|day| day.parse().ok()))
    }

    /// Notes that the office was told for this day, and the message that tells it, where there is one. A message of an earlier
    /// day that could not be delivered yet gives way to it.
    pub async fn tell_digest(
        &self,
        day: Date,
        targets: &[&'static str],
        content: Option<&str>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)")
            .bind(DIGEST_DAY)
            .bind(day.to_string().into_bytes())
            .execute(&mut *transaction)
            .await
            .done(TELLING)?;
        for (target, content) in targets.iter().filter_map(|target| Some((target, content?))) {
            sqlx::query(
                "DELETE FROM notifications WHERE target = ? AND json_extract(content, '$.purpose') = 'digest'",
            )
            .bind(target)
            .execute(&mut *transaction)
            .await
            .done(TELLING)?;
            queue(&mut transaction, target, content, now_ms).await?;
        }
        transaction.commit().await.doing(TELLING)
    }

    /// Has a target hear this instead of all that it has not heard yet: of pings the newest alone counts. Since when it
    /// has heard none is kept.
    pub async fn tell_newest(
        &self,
        target: &'static str,
        content: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let since_ms: Option<i64> =
            sqlx::query_scalar("SELECT min(made_at_ms) FROM notifications WHERE target = ?")
                .bind(target)
                .fetch_one(&mut *transaction)
                .await
                .doing(TELLING)?;
        sqlx::query("DELETE FROM notifications WHERE target = ?")
            .bind(target)
            .execute(&mut *transaction)
            .await
            .done(TELLING)?;
        sqlx::query("INSERT INTO notifications (target, content, made_at_ms, due_at_ms) VALUES (?, ?, ?, ?)")
            .bind(target)
            .bind(content)
            .bind(since_ms.unwrap_or(now_ms))
            .bind(now_ms)
            .execute(&mut *transaction)
            .await
            .done(TELLING)?;
        transaction.commit().await.doing(TELLING)
    }

    /// What waits for delivery, the oldest first, whether it is due or not.
    pub async fn notifications(&self) -> Result<Vec<Notification>, StoreError> {
        sqlx::query_as(
            "SELECT notification_id, target, content, made_at_ms, attempts, due_at_ms FROM notifications \
             ORDER BY notification_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading messages to be delivered")
    }

    /// Forgets a message: it was delivered, or nobody waits for it any more.
    pub async fn forget_notification(&self, notification_id: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM notifications WHERE notification_id = ?")
            .bind(notification_id)
            .execute(self.writer()?)
            .await
            .done("forgetting a message")
    }

    /// Notes that a message could not be delivered, and when it is tried again.
    pub async fn postpone_notification(
        &self,
        notification_id: i64,
        due_at_ms: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE notifications SET attempts = attempts + 1, due_at_ms = ?, error = ? WHERE notification_id = ?",
        )
        .bind(due_at_ms)
        .bind(error)
        .bind(notification_id)
        .execute(self.writer()?)
        .await
        .done("postponing a message")
    }

    /// What was tried and could not be delivered, by target.
    pub async fn undelivered(&self) -> Result<Vec<Undelivered>, StoreError> {
        let rows: Vec<(String, i64, i64, String)> = sqlx::query_as(
            "SELECT n.target, count(*), min(n.made_at_ms), (SELECT e.error FROM notifications AS e \
             WHERE e.target = n.target AND e.error IS NOT NULL ORDER BY e.notification_id LIMIT 1) AS error \
             FROM notifications AS n \
             WHERE EXISTS (SELECT 1 FROM notifications AS f WHERE f.target = n.target AND f.error IS NOT NULL) \
             GROUP BY n.target ORDER BY n.target",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading messages that could not be delivered")?;
        let undelivered =
            |(target, count, since_ms, error)| Undelivered { target, count: counted(count), since_ms, error };
        Ok(rows.into_iter().map(undelivered).collect())
    }
}
