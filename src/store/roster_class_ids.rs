//! Which class id each class of the roster had when it was last read.

use std::collections::BTreeMap;

use super::enrolments::{stored_class, target};
use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::roster::{ClassCode, ClassTarget};

impl StateStore {
    /// The ids of the classes that had a class id.
    pub async fn roster_class_ids(&self) -> Result<BTreeMap<ClassCode, ClassTarget>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT class_code, course_id, class_id FROM roster_class_ids ORDER BY class_code",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading the class ids of the roster")?;
        Ok(rows
            .into_iter()
            .map(|(code, course, class)| (ClassCode::new(code), target(course, class)))
            .collect())
    }

    /// Remembers these in place of what was remembered.
    pub async fn remember_roster_class_ids(
        &self,
        ids: &BTreeMap<ClassCode, ClassTarget>,
    ) -> Result<(), StoreError> {
        let doing = "remembering the class ids of the roster";
        let rows: Vec<(&str, i64, i64)> = ids
            .iter()
            .map(|(code, target)| (code.as_str(), target.course.0, stored_class(*target)))
            .collect();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM roster_class_ids").execute(&mut *transaction).await.done(doing)?;
        sqlx::query(
            "INSERT INTO roster_class_ids (class_code, course_id, class_id) \
             SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
