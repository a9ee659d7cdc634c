//! Which groups look-ups have shown, with their titles: the only way to learn of a group that somebody else made.
//!
//! Contract: docs/contracts/onlineexammaker.md, 3.9: no call lists groups; those that somebody is in can be seen in
//! look-ups.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rosterd_core::roster::Gid;

/// Titles by gid. Clones share them.
#[derive(Clone, Default)]
pub(super) struct SeenGroups(Arc<Mutex<BTreeMap<Gid, String>>>);

impl SeenGroups {
    /// Takes in what one answer shows; the newest title counts.
    pub(super) fn note(&self, titles: &BTreeMap<Gid, String>) {
        self.lock().extend(titles.iter().map(|(gid, title)| (*gid, title.clone())));
    }

    /// Everything that was shown so far.
    pub(super) fn all(&self) -> BTreeMap<Gid, String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Gid, String>> {
        // The map is whole after every step, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
