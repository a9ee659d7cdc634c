//! Which fields are not compared, because the service keeps their values in a form of its own.

use std::fmt;

use serde::Serialize;

use super::memory;
use crate::run::report::moment;
use crate::settings::{ExamSettings, FieldRef};
use crate::store::{StateStore, StoreError, UncomparedField};
use rosterd_core::exam_plan::AccountFields;
use rosterd_core::roster::{FieldId, StudentId};

/// A field that is not compared, as a person knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UncomparedColumn {
    /// The roster's column; absent where none is mapped to the field any more.
    pub column: Option<String>,
    pub field: i64,
    /// For how many students.
    pub students: u64,
    /// Since when for the first of them, RFC 3339; absent where an earlier version found it.
    pub since: Option<String>,
}

impl fmt::Display for UncomparedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, field, students, since } = self;
        match column {
            Some(column) => write!(f, "{column} (field {field})")?,
            None => write!(f, "field {field}")?,
        }
        let word = if *students == 1 { "student" } else { "students" };
        write!(f, " is not compared for {students} {word}")?;
        if let Some(since) = since {
            write!(f, " since {since}")?;
        }
        f.write_str(
            ": the service shows another value than it is sent. A value is sent when it changes on the roster, or when \
             something else is shown",
        )
    }
}

/// Fields that are not compared for some student.
///
/// # Errors
/// When our own database cannot be read.
pub async fn uncompared_columns(
    settings: &ExamSettings,
    state: &StateStore,
) -> Result<Vec<UncomparedColumn>, StoreError> {
    named(settings, state, state.uncompared_fields().await?).await
}

/// The same for one student.
///
/// # Errors
/// When our own database cannot be read.
pub async fn uncompared_columns_of(
    settings: &ExamSettings,
    state: &StateStore,
    student: &StudentId,
) -> Result<Vec<UncomparedColumn>, StoreError> {
    named(settings, state, state.uncompared_fields_of(student).await?).await
}

async fn named(
    settings: &ExamSettings,
    state: &StateStore,
    fields: Vec<UncomparedField>,
) -> Result<Vec<UncomparedColumn>, StoreError> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let account = memory::account_fields(state).await?.unwrap_or_default();
    let column = |field: UncomparedField| UncomparedColumn {
        column: column_of(settings, &account, field.field),
        field: field.field.0,
        students: field.students,
        since: field.since_ms.map(moment),
    };
    Ok(fields.into_iter().map(column).collect())
}

fn column_of(settings: &ExamSettings, account: &AccountFields, field: FieldId) -> Option<String> {
    let is_meant = |meant: &FieldRef| match meant {
        FieldRef::Id(id) => FieldId(*id) == field,
        FieldRef::Label(label) => account.labelled(label).contains(&field),
    };
    settings.fields.iter().find(|mapping| is_meant(&mapping.field)).map(|mapping| mapping.column.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_compared_is_named_with_how_many_and_since_when() {
        let column = |column: Option<&str>, students, since: Option<&str>| UncomparedColumn {
            column: column.map(str::to_owned),
            field: 4,
            students,
            since: since.map(str::to_owned),
        };
        let said = column(Some("phone"), 1, Some("2027-01-02T03:04:05Z")).to_string();
        assert!(
            said.starts_with("phone (field 4) is not compared for 1 student since 2027-01-02T03:04:05Z: ")
        );
        let said = column(None, 30, None).to_string();
        assert!(said.starts_with("field 4 is not compared for 30 students: "), "{said}");
    }
}
