//! Reads `status`, `dateLastModified` and dates of a row, and counts what the admin should know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cells::Cells;
use crate::{CellValue, Reading};

/// Whether a row is there or over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowStatus {
    Here,
    Gone,
}

/// Facts counted over all files and reported at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Observation {
    StatusInBulk,
    NoStatusInDelta,
    Inactive,
    UnreadableDate,
    Disabled,
    Ended,
    NotBegun,
    OtherRole,
    LostRole,
}

/// Counts of what was seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<Observation, u64>,
    newest: Option<String>,
}

impl Tally {
    pub(super) fn count(&mut self, seen: Observation) {
        *self.counts.entry(seen).or_default() += 1;
    }

    /// The standing of a row by its status.
    pub(super) fn row_status(&mut self, cells: &mut Cells<'_>, is_bulk: bool) -> RowStatus {
        let CellValue::Value(status) = cells.text("status") else {
            if !is_bulk {
                self.count(Observation::NoStatusInDelta);
            }
            return RowStatus::Here;
        };
        if is_bulk {
            self.count(Observation::StatusInBulk);
        }
        match status.to_ascii_lowercase().as_str() {
            "active" => RowStatus::Here,
            "tobedeleted" => RowStatus::Gone,
            // From version 1.0, and still about.
            "inactive" => {
                self.count(Observation::Inactive);
                RowStatus::Gone
            }
            _ => {
                let message = "status is neither active nor tobedeleted".to_owned();
                cells.refuse("status", "bad-status", message);
                RowStatus::Here
            }
        }
    }

    /// When a row was changed, as RFC 3339 in UTC to the millisecond; the newest is remembered.
    pub(super) fn stamp(&mut self, cells: &mut Cells<'_>) -> Option<String> {
        let CellValue::Value(text) = cells.text("dateLastModified") else { return None };
        let Some(at) = moment(&text) else {
            self.count(Observation::UnreadableDate);
            return None;
        };
        let stamp = format!("{at:.3}");
        if self.newest.as_ref().is_none_or(|newest| *newest < stamp) {
            self.newest = Some(stamp.clone());
        }
        Some(stamp)
    }

    /// Whether a last day is over.
    pub(super) fn has_ended(&mut self, cells: &mut Cells<'_>, today: Date) -> bool {
        let CellValue::Value(text) = cells.text("endDate") else { return false };
        match moment(&text) {
            Some(at) => at.to_zoned(jiff::tz::TimeZone::UTC).date() < today,
            None => {
                self.count(Observation::UnreadableDate);
                false
            }
        }
    }

    /// Whether a first day is still to come.
    pub(super) fn has_not_begun(&mut self, cells: &mut Cells<'_>, today: Date) -> bool {
        let CellValue::Value(text) = cells.text("beginDate") else { return false };
        match moment(&text) {
            Some(at) => at.to_zoned(jiff::tz::TimeZone::UTC).date() > today,
            None => {
                self.count(Observation::UnreadableDate);
                false
            }
        }
    }

    /// Tells what was counted.
    pub(super) fn tell(self, reading: &mut Reading, is_bulk: bool) {
        reading.newest = self.newest;
        for (seen, count) in self.counts {
            let gone = if is_bulk { "counts as absent" } else { "has left" };
            let message = match seen {
                Observation::StatusInBulk => {
                    format!("{count} rows of a bulk bundle have a status: tobedeleted {gone}")
                }
                Observation::NoStatusInDelta => {
                    format!("{count} rows of a delta have no status: taken as active")
                }
                Observation::Inactive => {
                    format!("{count} rows are inactive, as in version 1.0: taken as tobedeleted")
                }
                Observation::UnreadableDate => {
                    format!("{count} dates are not written as the standard says: ignored")
                }
                Observation::Disabled => format!(
                    "{count} users have enabledUser false: they are kept (--disabled left takes them as leavers)"
                ),
                Observation::Ended => format!(
                    "{count} enrollments ended before today and count no more (--keep-ended keeps them)"
                ),
                Observation::NotBegun => {
                    format!(
                        "{count} enrollments begin later than today and do not count yet: import again then"
                    )
                }
                Observation::OtherRole => format!("{count} rows of people in other roles were left out"),
                Observation::LostRole => format!(
                    "{count} roles of students were deleted: only a user's own row marks a student as having left"
                ),
            };
            reading.notice("", message);
        }
    }
}

/// A date or date-time of the standard; a bare date is its beginning in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let date = text.parse::<Date>().ok()?;
    date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
}
