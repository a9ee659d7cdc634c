//! Moments in HTTP headers: `Date` and `Retry-After`.

use std::time::Duration;

use jiff::fmt::rfc2822;

use super::message::UnixSeconds;

/// The moment a `Date` header names.
pub(super) fn http_date(value: &str) -> Option<UnixSeconds> {
    rfc2822::parse(value.trim()).ok().map(|zoned| UnixSeconds(zoned.timestamp().as_second()))
}

/// The span a `Retry-After` header asks to wait: seconds, or the time until a date.
pub(super) fn retry_after(value: &str, now: UnixSeconds) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(value)?;
    Some(Duration::from_secs(u64::try_from(until.0.saturating_sub(now.0)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_read_as_unix_seconds() {
        assert_eq!(http_date("Mon, 06 Dec 2021 05:35:35 GMT"), Some(UnixSeconds(1_638_768_935)));
        assert_eq!(http_date("soon"), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = UnixSeconds(1_638_768_935);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Mon, 06 Dec 2021 05:35:45 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Mon, 06 Dec 2021 05:35:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("-3", now), None);
    }
}
