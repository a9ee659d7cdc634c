//! Links whose ids became one when ids were put into normal form: which of the two stays is the roster's to say.

use rosterd_core::roster::{StudentId, normalise_key};
use sqlx::{Sqlite, Transaction};

use super::error::{Doing, Written};
use super::{StateStore, StoreError};

/// The fact under which they are kept until a run has asked the roster.
const TWINS: &str = "exam.twin_links";

const DOING: &str = "settling which of two links stays";

/// What the roster has told of two links whose ids became one.
#[derive(Clone, Debug)]
pub enum SettledTwin {
    /// The link under the id in normal form is the student's, and stays so.
    Stays {
        /// The id of the other, as it was.
        twin: StudentId,
    },
    /// The link under the id as it was is the student's: the two change places.
    Exchanged {
        /// The id in normal form.
        student: StudentId,
        /// The id as it was.
        twin: StudentId,
    },
}

impl SettledTwin {
    fn twin(&self) -> &StudentId {
        match self {
            Self::Stays { twin } | Self::Exchanged { twin, .. } => twin,
        }
    }
}

/// Notes, while ids are put into normal form, which links had to keep their old one.
pub(super) async fn note(transaction: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT student_id FROM links WHERE student_id < '!' OR substr(student_id, -1) < '!' \
         OR length(CAST(student_id AS BLOB)) <> length(student_id) ORDER BY student_id",
    )
    .fetch_all(&mut **transaction)
    .await
    .doing(DOING)?;
    let twins: Vec<&String> = ids.iter().filter(|id| normalise_key(id) != id.as_str()).collect();
    if twins.is_empty() {
        return Ok(());
    }
    sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, CAST(? AS BLOB))")
        .bind(TWINS)
        .bind(serde_json::json!(twins).to_string())
        .execute(&mut **transaction)
        .await
        .done(DOING)
}

impl StateStore {
    /// Ids as they were that no run has settled yet.
    pub async fn unsettled_twins(&self) -> Result<Vec<StudentId>, StoreError> {
        let kept = self.fact(TWINS).await?.unwrap_or_default();
        let ids: Vec<String> = serde_json::from_str(&kept).unwrap_or_default();
        Ok(ids.into_iter().map(StudentId::new).collect())
    }

    /// What the roster has told is settled: where the two links change places, they do. The others are asked about again.
    pub async fn settle_twins(&self, settled: &[SettledTwin]) -> Result<(), StoreError> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut left = self.unsettled_twins().await?;
        left.retain(|twin| !settled.iter().any(|it| it.twin() == twin));
        let mut transaction = self.begin().await?;
        for it in settled {
            let SettledTwin::Exchanged { student: one, twin: other } = it else { continue };
            let aside = format!("{other}\u{1}");
            for (from, to) in
                [(one.as_str(), aside.as_str()), (other.as_str(), one.as_str()), (&aside, other.as_str())]
            {
                sqlx::query(
                    "UPDATE links SET student_id = ?, gone_since_ms = NULL, gone_runs = 0 WHERE student_id = ?",
                )
                .bind(to)
                .bind(from)
                .execute(&mut *transaction)
                .await
                .done(DOING)?;
            }
        }
        let left: Vec<&str> = left.iter().map(StudentId::as_str).collect();
        let statement = match left.is_empty() {
            true => sqlx::query("DELETE FROM facts WHERE name = ?").bind(TWINS),
            false => sqlx::query("UPDATE facts SET value = CAST(?2 AS BLOB) WHERE name = ?1")
                .bind(TWINS)
                .bind(serde_json::json!(left).to_string()),
        };
        statement.execute(&mut *transaction).await.done(DOING)?;
        transaction.commit().await.doing(DOING)
    }
}
