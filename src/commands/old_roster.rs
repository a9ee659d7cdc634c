//! A roster that nobody has written for longer than `roster.max_age`: an export that stopped looks like a quiet school.

use std::path::Path;

use jiff::Timestamp;

use crate::files::beside;
use crate::run::{Attention, moment};
use crate::settings::Settings;
use crate::store::roster_writer::history_of;
use rosterd_core::failure::FailureOwner;
use rosterd_core::situation::span;

/// Whether it is too old, and what to do.
pub(super) fn attention(settings: &Settings, now_ms: i64) -> Option<Attention> {
    let max_age_ms = i64::try_from(settings.roster.max_age?.as_millis()).unwrap_or(i64::MAX);
    let database = &settings.roster.database;
    let written_ms = written_at_ms(database)?;
    let age_ms = now_ms.saturating_sub(written_ms);
    (age_ms > max_age_ms).then(|| {
        let what = format!(
            "the roster {} was last written at {}, {} ago, and roster.max_age is {}: look why the export or the import no longer \
             comes, or raise roster.max_age",
            database.display(),
            moment(written_ms),
            span(age_ms),
            span(max_age_ms)
        );
        let since_ms = written_ms.saturating_add(max_age_ms);
        Attention::new(1, Some(since_ms), FailureOwner::It, what)
    })
}

/// When the roster was last written, or last imported without a change.
fn written_at_ms(database: &Path) -> Option<i64> {
    let modified = |path: &Path| {
        let at = std::fs::metadata(path).ok()?.modified().ok()?;
        Timestamp::try_from(at).ok().map(Timestamp::as_millisecond)
    };
    let own = modified(database)?;
    let others = [modified(&beside(database, "-wal")), modified(&history_of(database))];
    Some(others.into_iter().flatten().fold(own, i64::max))
}
