//! Since when pulls of exam results fail or are due, what the service does not list, and who can do something about it.

use serde::{Deserialize, Serialize};

use crate::run::attention::Attention;
use crate::run::report::moment;
use crate::run::severity::Severity;
use crate::store::{StateStore, StoreError};
use rosterd_core::failure::FailureOwner;
use rosterd_core::situation::CLOCK_MARGIN_MS;

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

/// The fact under which stands how many results are counted and not listed.
const UNLISTED: &str = "results.unlisted";

/// The fact under which stands since when pulls are due, where none has come yet.
const SCHEDULED: &str = "results.scheduled_since_ms";

/// How many results the service counts beyond those that it lists, and since when, where it does.
///
/// # Errors
/// When our own database cannot be read.
pub async fn unlisted_results(state: &StateStore) -> Result<Option<(u64, i64)>, StoreError> {
    Ok(state.fact(UNLISTED).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Remembers that; 0 is none.
pub(super) async fn remember_unlisted(state: &StateStore, count: u64, now_ms: i64) -> Result<(), StoreError> {
    let text = (count > 0).then(|| serde_json::json!([count, now_ms]).to_string());
    state.remember(UNLISTED, text.as_deref()).await
}

/// When the last pull ended; where none has, since when pulls are due by themselves.
///
/// # Errors
/// When our own database cannot be read.
pub async fn last_pull(state: &StateStore, now_ms: i64) -> Result<Option<i64>, StoreError> {
    // One that a clock which was ahead has dated would be the last one for as long.
    let is_past = |at_ms: &i64| *at_ms <= now_ms.saturating_add(CLOCK_MARGIN_MS);
    if let Some(at_ms) = state.last_results_pass().await?.map(|pass| pass.at_ms).filter(is_past) {
        return Ok(Some(at_ms));
    }
    Ok(state.fact(SCHEDULED).await?.and_then(|text| text.parse().ok()).filter(is_past))
}

/// Remembers since when pulls are due by themselves, where nothing is known of any.
///
/// # Errors
/// When our own database cannot be used.
pub async fn remember_schedule(state: &StateStore, now_ms: i64) -> Result<(), StoreError> {
    match last_pull(state, now_ms).await? {
        Some(_) => Ok(()),
        None => state.remember(SCHEDULED, Some(&now_ms.to_string())).await,
    }
}

async fn stored(state: &StateStore) -> Result<Option<FailingPulls>, StoreError> {
    Ok(state.fact(FAILING).await?.and_then(|text| serde_json::from_str(&text).ok()))
}
