//! The terms of Clever's sections: a section counts from its first day to its last, and one without days counts. Where none
//! counts, nobody is at school today by the bundle, and it is taken as it was last: between two terms, in the holidays, and
//! in a bundle whose terms nobody keeps up, as Clever's own example.
//!
//! Source: Clever's specification of `sections.csv`, whose `Term_start` and `Term_end` are dates as in 8/1/2026 or 8/1/26.

use std::collections::HashMap;

use jiff::civil::Date;
use rosterd_core::counted::counted;

use super::cells::Cells;
use super::{CellValue, Reading};

/// Days within which terms of several schools are one.
const NEAR: u32 = 31;

/// When a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Ended,
    NotBegun,
}

/// The sections that do not count on a day, and what was seen of them.
#[derive(Debug, Default)]
pub(super) struct Terms {
    others: HashMap<String, (Term, Date)>,
    has_current: bool,
    /// The last day of any term that is over.
    newest_end: Option<Date>,
    /// The first day of any term to come.
    earliest_start: Option<Date>,
    /// Of what terms sections count in a bundle without any of today.
    latest: Option<Term>,
    ended: u64,
    not_begun: u64,
    unreadable: u64,
}

impl Terms {
    /// Looks at the days of a section.
    pub(super) fn note(&mut self, cells: &mut Cells<'_>, section: &str, today: Option<Date>) {
        let [start, end] = ["Term_start", "Term_end"].map(|column| self.day(cells, column));
        let Some(today) = today else { return };
        if let Some(end) = end.filter(|end| *end < today) {
            self.others.insert(section.to_owned(), (Term::Ended, end));
            self.newest_end = self.newest_end.max(Some(end));
        } else if let Some(start) = start.filter(|start| *start > today) {
            self.others.insert(section.to_owned(), (Term::NotBegun, start));
            self.earliest_start = self.earliest_start.into_iter().chain([start]).min();
        } else {
            self.has_current = true;
        }
    }

    /// Whether an enrollment in a section counts.
    pub(super) fn counts(&mut self, section: &str) -> bool {
        let Some((term, day)) = self.others.get(section).copied() else { return true };
        if !self.has_current && self.is_latest(term, day) {
            self.latest = Some(term);
            return true;
        }
        match term {
            Term::Ended => self.ended += 1,
            Term::NotBegun => self.not_begun += 1,
        }
        false
    }

    /// Whether a section is of the last terms of a bundle, or of the first ones where none has been yet: schools of one
    /// district end on different days.
    fn is_latest(&self, term: Term, day: Date) -> bool {
        let near = |one: Date, other: Date| (one - other).get_days().unsigned_abs() <= NEAR;
        match (term, self.newest_end, self.earliest_start) {
            (Term::Ended, Some(newest), _) => near(newest, day),
            (Term::NotBegun, None, Some(earliest)) => near(earliest, day),
            (Term::Ended | Term::NotBegun, ..) => false,
        }
    }

    fn day(&mut self, cells: &mut Cells<'_>, column: &str) -> Option<Date> {
        let CellValue::Value(text) = cells.text(column) else { return None };
        let day = day(&text);
        self.unreadable += u64::from(day.is_none());
        day
    }

    /// Tells what was seen.
    pub(super) fn tell(&self, reading: &mut Reading) {
        let of = |count: u64| counted(count, "enrollment");
        let verb = |count: u64, one: &'static str, more: &'static str| if count == 1 { one } else { more };
        if let Some(latest) = self.latest {
            let which = match latest {
                Term::Ended => "the last terms count all the same",
                Term::NotBegun => "the first terms to come count already",
            };
            let message = format!("no term of the bundle is today's: sections of {which}");
            reading.notice("sections.csv", message);
        }
        if self.ended > 0 {
            let does = verb(self.ended, "counts", "count");
            let message =
                format!("{} of sections whose Term_end is before today {does} no more", of(self.ended));
            reading.notice("enrollments.csv", message);
        }
        if self.not_begun > 0 {
            let does = verb(self.not_begun, "does", "do");
            let message = format!(
                "{} of sections whose Term_start is later than today {does} not count yet: import again then",
                of(self.not_begun)
            );
            reading.notice("enrollments.csv", message);
        }
        if self.unreadable > 0 {
            let is = verb(self.unreadable, "is", "are");
            let message = format!(
                "{} of terms {is} not written as Clever writes dates (8/1/2026): ignored, so their sections count",
                counted(self.unreadable, "date")
            );
            reading.notice("sections.csv", message);
        }
    }
}

/// A day as Clever writes it, month first, with four or two digits of the year, or as 2026-08-01.
fn day(text: &str) -> Option<Date> {
    if let Ok(date) = text.parse() {
        return Some(date);
    }
    let mut parts = text.split('/');
    let month: i8 = parts.next()?.trim().parse().ok()?;
    let day: i8 = parts.next()?.trim().parse().ok()?;
    let year = parts.next()?.trim();
    let digits = year.bytes().all(|byte| byte.is_ascii_digit()).then_some(year.len())?;
    let year: i16 = match (digits, year.parse().ok()?) {
        (4, year) => year,
        (2, year) => 2000_i16.checked_add(year)?,
        _ => return None,
    };
    if parts.next().is_some() { None } else { Date::new(year, month, day).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_as_clever_writes_it() {
        let date = Some(jiff::civil::date(2026, 8, 1));
        for (text, found) in [
            ("8/1/2026", date),
            ("08/01/2026", date),
            ("2026-08-01", date),
            ("13/1/2026", None),
            ("8/1/26", date),
            ("8/1/026", None),
            ("8/1/-6", None),
            ("Fall", None),
            ("8/1/2026/1", None),
        ] {
            assert_eq!(day(text), found, "{text}");
        }
    }
}
