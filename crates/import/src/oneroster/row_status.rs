//! Reads `status`, `dateLastModified` and dates of a row, and counts what the admin should know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use rosterd_core::counted::counted;

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
    RoleEnded,
    RoleNotBegun,
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
        let Some(text) = first_given(cells, ["endDate", "roleEndDate"]) else { return false };
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
        let Some(text) = first_given(cells, ["beginDate", "roleStartDate"]) else { return false };
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
            reading.notice("", sentence(seen, count, is_bulk));
        }
    }
}

/// The first of two columns that holds anything.
fn first_given(cells: &mut Cells<'_>, columns: [&str; 2]) -> Option<String> {
    columns.into_iter().find_map(|column| match cells.text(column) {
        CellValue::Value(text) => Some(text),
        CellValue::Empty | CellValue::Nothing => None,
    })
}

fn sentence(seen: Observation, count: u64, is_bulk: bool) -> String {
    let of = |noun: &str| counted(count, noun);
    let verb = |one: &'static str, more: &'static str| if count == 1 { one } else { more };
    match seen {
        Observation::StatusInBulk => {
            let gone = if is_bulk { "counts as absent" } else { "has left" };
            let has = verb("has", "have");
            format!("{} of a bulk bundle {has} a status: tobedeleted {gone}", of("row"))
        }
        Observation::NoStatusInDelta => {
            format!("{} of a delta {} no status: taken as active", of("row"), verb("has", "have"))
        }
        Observation::Inactive => {
            let is = verb("is", "are");
            format!("{} {is} inactive, as in version 1.0: taken as tobedeleted", of("row"))
        }
        Observation::UnreadableDate => {
            let is = verb("is", "are");
            format!("{} {is} not written as the standard says: ignored", of("date"))
        }
        Observation::Disabled => format!(
            "{} {} enabledUser false and {} kept (--disabled left takes them as leavers)",
            of("user"),
            verb("has", "have"),
            verb("is", "are")
        ),
        Observation::Ended => format!(
            "{} ended before today and {} no more (--keep-ended keeps them)",
            of("enrollment"),
            verb("counts", "count")
        ),
        Observation::NotBegun => {
            let (begins, does) = (verb("begins", "begin"), verb("does", "do"));
            format!(
                "{} {begins} later than today and {does} not count yet: import again then",
                of("enrollment")
            )
        }
        Observation::RoleEnded => format!(
            "{} of students ended before today and {} all the same: who has left is absent from the bundle, or tobedeleted",
            of("role"),
            verb("counts", "count")
        ),
        Observation::RoleNotBegun => format!(
            "{} of students {} later than today and {} already",
            of("role"),
            verb("begins", "begin"),
            verb("counts", "count")
        ),
        Observation::OtherRole => {
            format!("{} of people in other roles {} left out", of("row"), verb("was", "were"))
        }
        Observation::LostRole => format!(
            "{} of students {} deleted: only a user's own row marks a student as having left",
            of("role"),
            verb("was", "were")
        ),
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
