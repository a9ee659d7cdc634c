//! Pairs of ids that a person called one student and that could not be carried over: the old candidate is not deleted
//! before somebody has said what it is.

use std::collections::{BTreeMap, HashMap};

use super::{StateStore, StoreError};
use rosterd_core::roster::StudentId;

/// The fact under which they are kept, as a JSON object from the old id to the new one.
const REFUSED_RELINKS: &str = "exam.refused_relinks";

impl StateStore {
    /// The new id by the old one.
    pub async fn refused_relinks(&self) -> Result<HashMap<StudentId, StudentId>, StoreError> {
        let kept = self.fact(REFUSED_RELINKS).await?.unwrap_or_default();
        let pairs: BTreeMap<String, String> = serde_json::from_str(&kept).unwrap_or_default();
        Ok(pairs.into_iter().map(|(old, new)| (StudentId::new(old), StudentId::new(new))).collect())
    }

    /// Notes that `old` was to become `new`; `None`: that is over. Pairs whose old candidate is no longer linked go with it.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn note_refused_relink(
        &self,
        old: &StudentId,
        new: Option<&StudentId>,
    ) -> Result<(), StoreError> {
        let mut pairs: BTreeMap<String, String> = BTreeMap::new();
        for (kept_old, kept_new) in self.refused_relinks().await? {
            if kept_old != *old && self.link_of(&kept_old).await?.is_some() {
                pairs.insert(kept_old.to_string(), kept_new.to_string());
            }
        }
        pairs.extend(new.map(|new| (old.to_string(), new.to_string())));
        let kept = (!pairs.is_empty()).then(|| serde_json::json!(pairs).to_string());
        self.remember(REFUSED_RELINKS, kept.as_deref()).await
    }
}
