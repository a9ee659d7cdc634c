//! The simulators' own clock: the machine's, read in this file only.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox stands for other machines: it has a clock of its own"
)]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whole seconds since 1970, UTC.
pub(crate) fn now_s() -> i64 {
    now_ms() / 1000
}

/// A moment as HTTP writes it; `None` for one that no calendar has.
pub(crate) fn http_date(unix_seconds: i64) -> Option<String> {
    let moment = jiff::Timestamp::from_second(unix_seconds).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).ok()
}
