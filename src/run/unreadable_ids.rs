//! Since when the roster has had rows without a readable id: who went missing from then on may be in one of them.

use super::Context;
use crate::store::{RosterError, RosterSnapshot, StoreError};

/// The name under which it is remembered.
const UNREADABLE_SINCE: &str = "roster.unreadable_since_ms";

/// Since when, in milliseconds since 1970 UTC; absent where the roster has no such row. It stays the same while there
/// is one: whoever is held for it is not let go by a further such row.
///
/// # Errors
/// When the roster or our own database cannot be read.
pub(super) async fn unreadable_since<E: From<RosterError> + From<StoreError>>(
    context: &Context,
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<Option<i64>, E> {
    if snapshot.count_unreadable_ids().await? == 0 {
        return Ok(None);
    }
    let remembered = context.state.fact(UNREADABLE_SINCE).await?;
    let remembered = remembered.and_then(|since_ms| since_ms.parse::<i64>().ok());
    // A moment that lies ahead is read as now, as that of a leaver is: else nobody would have gone since.
    let now_ms = context.clock.now_ms();
    Ok(Some(remembered.map_or(now_ms, |since_ms| since_ms.min(now_ms))))
}

/// Remembers it for the next run.
///
/// # Errors
/// When our own database cannot be written.
pub(super) async fn remember_unreadable(context: &Context, since_ms: Option<i64>) -> Result<(), StoreError> {
    let remembered = context.state.fact(UNREADABLE_SINCE).await?;
    let since_ms = since_ms.map(|since_ms| since_ms.to_string());
    if remembered == since_ms {
        return Ok(());
    }
    context.state.remember(UNREADABLE_SINCE, since_ms.as_deref()).await
}
