//! How far a run is, for somebody who watches a terminal.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows bars where somebody watches, and nothing elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    bars: Option<MultiProgress>,
}

/// One bar; gone when dropped.
#[derive(Debug)]
pub struct Bar(Option<ProgressBar>);

impl Progress {
    /// Shows nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self::default()
    }

    /// Shows bars among the given ones.
    #[must_use]
    pub fn shown(bars: MultiProgress) -> Self {
        Self { bars: Some(bars) }
    }

    /// Starts a bar of `length` steps.
    #[must_use]
    pub fn bar(&self, what: &'static str, length: u64) -> Bar {
        Bar(self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(length));
            if let Ok(style) = ProgressStyle::with_template("{msg:<22} {bar:32} {pos}/{len} {eta}") {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        }))
    }
}

impl Bar {
    /// Moves on.
    pub fn advance(&self, steps: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(steps);
        }
    }

    /// Learns how long it is.
    pub fn set_length(&self, length: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(length);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
