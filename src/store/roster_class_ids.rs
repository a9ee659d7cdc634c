//! Which class id each class of the roster had when it was last read.

use super::enrolments::{stored_class, target};
use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::classin_plan::{RememberedClass, RememberedClasses};
use rosterd_core::roster::ClassCode;

impl StateStore {
    /// The ids of the classes, and which of them were given back.
    pub async fn roster_class_ids(&self) -> Result<RememberedClasses, StoreError> {
        let rows: Vec<(String, i64, i64, bool)> = sqlx::query_as(
            "SELECT class_code, course_id, class_id, is_kept FROM roster_class_ids ORDER BY class_code",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading the class ids of the roster")?;
        let class = |(code, course, class, is_kept): (String, _, _, _)| {
            (ClassCode::new(code), RememberedClass { target: target(course, class), is_kept })
        };
        Ok(rows.into_iter().map(class).collect())
    }

    /// Remembers these in place of what was remembered.
    pub async fn remember_roster_class_ids(&self, ids: &RememberedClasses) -> Result<(), StoreError> {
        let doing = "remembering the class ids of the roster";
        let row = |(code, it): (&ClassCode, &RememberedClass)| {
            (code.as_str().to_owned(), it.target.course.0, stored_class(it.target), it.is_kept)
        };
        let rows: Vec<(String, i64, i64, bool)> = ids.iter().map(row).collect();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM roster_class_ids").execute(&mut *transaction).await.done(doing)?;
        sqlx::query(
            "INSERT INTO roster_class_ids (class_code, course_id, class_id, is_kept) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
