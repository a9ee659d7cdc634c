//! The clock on the school's wall: moments of documents, as a person there reads them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rosterd_core::situation::{apart, in_zone, retold, with_age};

use crate::app::App;

/// What time it is, and where.
#[derive(Clone, Debug)]
pub(super) struct WallClock {
    zone: TimeZone,
    now_ms: i64,
}

impl WallClock {
    pub(super) fn of(app: &App) -> Self {
        Self { zone: app.settings.schedule.time_zone.clone(), now_ms: app.clock.now_ms() }
    }

    /// Of a zone that there is, in January 2027.
    #[cfg(test)]
    pub(super) fn in_test(zone: &str) -> Self {
        Self { zone: TimeZone::get(zone).unwrap(), now_ms: 1_800_000_000_000 }
    }

    /// A moment in RFC 3339, as `2027-01-15 16:00 +08:00 (3 min ago)`.
    pub(super) fn told(&self, moment: &str) -> String {
        retold(moment, self.now_ms, &self.zone)
    }

    /// A moment in milliseconds, told in the same way.
    pub(super) fn at(&self, at_ms: i64) -> String {
        with_age(at_ms, self.now_ms, &self.zone)
    }

    /// For a table: the minute without the zone, and how long ago that was in few letters.
    pub(super) fn in_columns(&self, moment: &str) -> (String, String) {
        let Ok(at) = moment.parse::<Timestamp>() else { return (moment.to_owned(), String::new()) };
        let at_ms = at.as_millisecond();
        let when: String = in_zone(at_ms, &self.zone).chars().take("2027-01-15 16:00".len()).collect();
        (when, apart(at_ms, self.now_ms).replace("less than a minute", "<1 min"))
    }

    /// The name of the zone, or its offset now.
    pub(super) fn zone_name(&self) -> String {
        match self.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => in_zone(self.now_ms, &self.zone).rsplit(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shows_the_minute_of_the_school_and_how_long_ago_it_was() {
        let clock = WallClock::in_test("Asia/Shanghai");
        for (moment, when, age) in [
            ("2027-01-15T07:57:00Z", "2027-01-15 15:57", "3 min ago"),
            ("2027-01-15T07:59:59.5Z", "2027-01-15 15:59", "<1 min ago"),
            ("2027-01-13T00:00:00Z", "2027-01-13 08:00", "2 days ago"),
        ] {
            assert_eq!(clock.in_columns(moment), (when.to_owned(), age.to_owned()));
        }
        assert_eq!(clock.zone_name(), "Asia/Shanghai");
        assert_eq!(WallClock { zone: TimeZone::fixed(jiff::tz::offset(8)), now_ms: 0 }.zone_name(), "+08:00");
    }
}
