//! Moments as people read them: in the school's zone, and how long ago they were.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::health::{moment, span};

/// A moment as people in that zone write it, with the zone's offset.
#[must_use]
pub fn in_zone(at_ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(
        |_| at_ms.to_string(),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string(),
    )
}

/// The same with how long ago it was, or how soon it comes: `2027-01-15 16:00 +08:00 (3 min ago)`.
#[must_use]
pub fn with_age(at_ms: i64, now_ms: i64, zone: &TimeZone) -> String {
    format!("{} ({})", in_zone(at_ms, zone), apart(at_ms, now_ms))
}

/// How long ago a moment was, or how soon it comes.
#[must_use]
pub fn apart(at_ms: i64, now_ms: i64) -> String {
    let ago_ms = now_ms.saturating_sub(at_ms);
    if ago_ms < 0 { format!("in {}", span(ago_ms.saturating_neg())) } else { format!("{} ago", span(ago_ms)) }
}

/// A moment that a document names as RFC 3339, as [`with_age`] says it; anything else as it is.
#[must_use]
pub fn retold(moment: &str, now_ms: i64, zone: &TimeZone) -> String {
    let at = moment.parse::<Timestamp>().map(Timestamp::as_millisecond);
    at.map_or_else(|_| moment.to_owned(), |at_ms| with_age(at_ms, now_ms, zone))
}

/// In the school's zone where that is known, else as RFC 3339.
pub(super) fn spoken(at_ms: i64, zone: Option<&TimeZone>) -> String {
    zone.map_or_else(|| moment(at_ms), |zone| in_zone(at_ms, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const MINUTE: i64 = 60_000;

    #[test]
    fn a_moment_is_said_in_the_schools_zone_with_how_long_ago_it_was_or_how_soon_it_comes() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        for (at_ms, said) in [
            (NOW, "2027-01-15 16:00 +08:00 (less than a minute ago)"),
            (NOW - 3 * MINUTE, "2027-01-15 15:57 +08:00 (3 min ago)"),
            (NOW + 180 * MINUTE, "2027-01-15 19:00 +08:00 (in 3 h)"),
        ] {
            assert_eq!(with_age(at_ms, NOW, &zone), said);
        }
        assert_eq!(retold("2027-01-15T07:57:00Z", NOW, &zone), "2027-01-15 15:57 +08:00 (3 min ago)");
        assert_eq!(retold("never", NOW, &zone), "never");
        assert_eq!((spoken(NOW, None), spoken(NOW, Some(&zone))), (moment(NOW), in_zone(NOW, &zone)));
    }
}
