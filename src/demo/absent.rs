//! A build without simulated services has no rehearsal: it says so.

use crate::settings::{DemoSettings, Settings};

/// A placeholder for the rehearsal, which this build lacks.
pub enum Demo {}

impl Demo {
    /// Refuses.
    ///
    /// # Errors
    /// Always: the section `[demo]` asks for simulated services.
    #[expect(clippy::unused_async, reason = "the same signature as the rehearsal's")]
    pub async fn start(_demo: &DemoSettings, _settings: &mut Settings) -> anyhow::Result<Self> {
        anyhow::bail!(
            "this build of rosterd carries no simulated services: remove [demo] from the configuration, or build \
             rosterd with its feature sandbox"
        )
    }
}
