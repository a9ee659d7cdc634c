//! What the roster called each class of ClassIn when it last named it.

use super::enrolments::{stored_class, target};
use super::error::{Doing, Written};
use super::{StateStore, StoreError};
use rosterd_core::classin_plan::{ClassName, ClassNames};
use rosterd_core::roster::ClassCode;

impl StateStore {
    /// The names by ClassIn's ids.
    pub async fn class_names(&self) -> Result<ClassNames, StoreError> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT course_id, class_id, class_code, title FROM class_names ORDER BY course_id, class_id",
        )
        .fetch_all(&self.reader)
        .await
        .doing("reading the names of classes")?;
        let named = |(course, class, code, title): (i64, i64, String, String)| {
            (target(course, class), ClassName { code: ClassCode::new(code), title })
        };
        Ok(ClassNames::from_iter(rows.into_iter().map(named)))
    }

    /// Remembers these, and forgets those of classes that neither the roster nor any record names.
    pub async fn remember_class_names(&self, names: &ClassNames) -> Result<(), StoreError> {
        let doing = "remembering the names of classes";
        let rows: Vec<(i64, i64, &str, &str)> = names
            .iter()
            .map(|(target, name)| {
                (target.course.0, stored_class(*target), name.code.as_str(), name.title.as_str())
            })
            .collect();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM class_names").execute(&mut *transaction).await.done(doing)?;
        sqlx::query(
            "INSERT INTO class_names (course_id, class_id, class_code, title) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)",
        )
        .bind(serde_json::json!(rows).to_string())
        .execute(&mut *transaction)
        .await
        .done(doing)?;
        transaction.commit().await.doing(doing)
    }
}
