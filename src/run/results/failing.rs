//! Since when pulls of exam results fail, and who can do something about it.

use serde::{Deserialize, Serialize};

use crate::run::attention::Attention;
use crate::run::report::moment;
use crate::run::severity::Severity;
use crate::store::{StateStore, StoreError};
use rosterd_core::failure::FailureOwner;

/// The fact under which it is kept.
const FAILING: &str = "results.failing";

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct FailingPulls {
    /// When the first pull failed after the last one that did not, in milliseconds since 1970 UTC.
    since_ms: i64,
    /// Whether it is the service that fails, and nothing that IT could set right.
    by_service: bool,
    /// What the last one said, in our own words.
    why: String,
}

/// Remembers how a pull ended: how badly and why, or `None` for one that brought what there is.
///
/// # Errors
/// When our own database cannot be used.
pub async fn remember_pull(
    state: &StateStore,
    ended: Option<(Severity, String)>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let before = stored(state).await?;
    let Some((severity, why)) = ended else {
        return match before {
            Some(_) => state.remember(FAILING, None).await,
            None => Ok(()),
        };
    };
    let since_ms = before.map_or(now_ms, |before| before.since_ms.min(now_ms));
    let by_service = matches!(severity, Severity::Temporary | Severity::Incomplete);
    let failing = FailingPulls { since_ms, by_service, why };
    state.remember(FAILING, serde_json::to_string(&failing).ok().as_deref()).await
}

/// What waits because pulls fail, where they do.
///
/// # Errors
/// When our own database cannot be read.
pub async fn failing_pulls(state: &StateStore) -> Result<Option<Attention>, StoreError> {
    let Some(FailingPulls { since_ms, by_service, why }) = stored(state).await? else { return Ok(None) };
    let owner = if by_service { FailureOwner::Service } else { FailureOwner::It };
    let what = format!("no exam results since {}: rosterd results tries again; {why}", moment(since_ms));
    Ok(Some(Attention::new(1, Some(since_ms), owner, what)))
}

async fn stored(state: &StateStore) -> Result<Option<FailingPulls>, StoreError> {
    Ok(state.fact(FAILING).await?.and_then(|text| serde_json::from_str(&text).ok()))
}
