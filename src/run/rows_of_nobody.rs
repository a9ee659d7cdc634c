//! Since when the roster has had rows that name nobody: who went missing from then on may be in one of them, who was
//! missing before is not.

use std::collections::BTreeMap;

use super::Context;
use crate::store::{RosterError, RosterSnapshot, StoreError};
use rosterd_core::roster::{ClassId, ClassTarget, CourseId};

/// The name under which it is remembered of rows of `students`.
const UNREADABLE_SINCE: &str = "roster.unreadable_since_ms";

/// The same of rows of `class_members`: a JSON list of course, class and moment.
const CLASS_ROWS_SINCE: &str = "roster.class_rows_of_nobody_since";

/// Since when there is such a row; absent where there is none. It stays the same while there is one: who went missing between
/// one such row and the next is held already, and is not let go by the next.
fn since(remembered: Option<i64>, rows: u64, now_ms: i64) -> Option<i64> {
    // A moment that lies ahead is read as now, as that of a leaver is: else nobody would have gone since.
    (rows > 0).then(|| remembered.map_or(now_ms, |since_ms| since_ms.min(now_ms)))
}

/// Since when rows of `students` have had no id that can be read, in milliseconds since 1970 UTC.
///
/// # Errors
/// When the roster or our own database cannot be read.
pub(super) async fn unreadable_since<E: From<RosterError> + From<StoreError>>(
    context: &Context,
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<Option<i64>, E> {
    let rows = snapshot.count_unreadable_ids().await?;
    if rows == 0 {
        return Ok(None);
    }
    let remembered = context.state.fact(UNREADABLE_SINCE).await?;
    let remembered = remembered.and_then(|since_ms| since_ms.parse::<i64>().ok());
    Ok(since(remembered, rows, context.clock.now_ms()))
}

/// Remembers it for the next run.
///
/// # Errors
/// When our own database cannot be written.
pub(super) async fn remember_unreadable(context: &Context, since_ms: Option<i64>) -> Result<(), StoreError> {
    remember(context, UNREADABLE_SINCE, since_ms.map(|since_ms| since_ms.to_string())).await
}

/// Since when rows of `class_members` have named nobody, in milliseconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClassRowsSince {
    /// By class; of nobody and of no class that can be told under `None`.
    since_ms: BTreeMap<Option<ClassTarget>, i64>,
}

impl ClassRowsSince {
    /// What an earlier run has remembered.
    ///
    /// # Errors
    /// When our own database cannot be read.
    pub(super) async fn remembered(context: &Context) -> Result<Self, StoreError> {
        let stored = context.state.fact(CLASS_ROWS_SINCE).await?.unwrap_or_default();
        let rows: Vec<(i64, i64, i64)> = serde_json::from_str(&stored).unwrap_or_default();
        let since_ms = rows.into_iter().map(|(course, class, since_ms)| {
            let class = (class != 0).then_some(ClassId(class));
            ((course != 0).then_some(ClassTarget { course: CourseId(course), class }), since_ms)
        });
        Ok(Self { since_ms: since_ms.collect() })
    }

    /// The same with what the roster has now: how many rows of each class.
    pub(super) fn with(&self, rows: &BTreeMap<Option<ClassTarget>, u64>, now_ms: i64) -> Self {
        let since_ms = rows.iter().filter_map(|(class, rows)| {
            Some((*class, since(self.since_ms.get(class).copied(), *rows, now_ms)?))
        });
        Self { since_ms: since_ms.collect() }
    }

    /// Whether who went missing from the class at that moment may be in such a row of it, or of no class.
    pub(super) fn concern(&self, class: Option<ClassTarget>, missing_since_ms: i64) -> bool {
        self.since_ms.get(&class).is_some_and(|since_ms| missing_since_ms >= *since_ms)
    }

    /// Remembers it for the next run.
    ///
    /// # Errors
    /// When our own database cannot be written.
    pub(super) async fn remember(&self, context: &Context) -> Result<(), StoreError> {
        let row = |(class, since_ms): (&Option<ClassTarget>, &i64)| {
            let ids = class.map_or((0, 0), |class| (class.course.0, class.class.map_or(0, |class| class.0)));
            (ids.0, ids.1, *since_ms)
        };
        let rows: Vec<(i64, i64, i64)> = self.since_ms.iter().map(row).collect();
        remember(context, CLASS_ROWS_SINCE, (!rows.is_empty()).then(|| serde_json::json!(rows).to_string()))
            .await
    }
}

async fn remember(context: &Context, name: &'static str, value: Option<String>) -> Result<(), StoreError> {
    if context.state.fact(name).await? == value {
        return Ok(());
    }
    context.state.remember(name, value.as_deref()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_name_nobody_stand_since_the_first_of_them_until_the_last_is_mended() {
        assert_eq!(since(None, 0, 9), None);
        assert_eq!(since(None, 1, 9), Some(9));
        assert_eq!(since(Some(5), 3, 9), Some(5), "a further one lets nobody go");
        assert_eq!(since(Some(50), 1, 9), Some(9), "of a clock that was ahead");
        assert_eq!(since(Some(5), 0, 9), None);
    }
}
