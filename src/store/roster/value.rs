//! Single values of the roster: SQLite lets any column hold anything.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, TypeInfo, ValueRef};

use rosterd_core::roster::{RosterProblem, normalise, without_zero_fraction};

/// A row that cannot be used.
pub(super) fn problem(table: &'static str, key: &str, what: &str) -> RosterProblem {
    RosterProblem { table, key: key.to_owned(), what: what.to_owned() }
}

/// A text, where the value is one that can be read.
pub(super) fn text(row: &SqliteRow, column: &str) -> Option<String> {
    row.try_get_unchecked::<Option<String>, _>(column).ok().flatten()
}

/// A value that should be a whole number.
pub(super) enum Number {
    Is(i64),
    Absent,
    /// It holds something else: what, for a sentence.
    Other(&'static str),
}

impl Number {
    /// The number, where it can be an id.
    pub(super) fn id(&self) -> Option<i64> {
        match self {
            Self::Is(id) if *id > 0 => Some(*id),
            Self::Is(_) | Self::Absent | Self::Other(_) => None,
        }
    }

    /// Why it is neither an id nor absent; `None` where it is one of them.
    pub(super) fn flaw(&self) -> Option<&'static str> {
        match self {
            Self::Is(id) if *id > 0 => None,
            Self::Absent => None,
            Self::Is(_) => Some("a number that is not positive"),
            Self::Other(what) => Some(what),
        }
    }
}

const BINARY: &str = "binary data (BLOB), not readable text";
const UNREADABLE: &str = "bytes that are not readable text";
const TOO_LONG: &str = "a number with more digits than an id has";
const INEXACT: &str = "a number with a fraction, or with more digits than it can keep";

/// The largest whole number up to which a floating-point number tells every one.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number that a floating-point number stands for.
fn whole(real: f64) -> Option<i64> {
    if real.fract() != 0.0 || real.abs() > LARGEST_EXACT {
        return None;
    }
    format!("{real:.0}").parse().ok()
}

/// A value that should be a whole number. Programs that keep numbers with gaps as floating-point ones write `1001.0`.
pub(super) fn number(row: &SqliteRow, column: &str) -> Number {
    let Ok(raw) = row.try_get_raw(column) else { return Number::Other(UNREADABLE) };
    if raw.is_null() {
        return Number::Absent;
    }
    let inexact = Number::Other(INEXACT);
    let kind = raw.type_info();
    match kind.name() {
        "INTEGER" | "BOOLEAN" => row.try_get_unchecked::<i64, _>(column).map_or(inexact, Number::Is),
        "REAL" => {
            let real = row.try_get_unchecked::<f64, _>(column).ok();
            real.and_then(whole).map_or(inexact, Number::Is)
        }
        "BLOB" => Number::Other(BINARY),
        // Spreadsheets and careless exports write numbers as text.
        _ => match text(row, column).map(|text| normalise(&text).into_owned()) {
            Some(text) if text.is_empty() => Number::Absent,
            Some(text) => {
                let digits = without_zero_fraction(&text);
                let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
                let other = if is_whole { TOO_LONG } else { "text that is not a whole number" };
                digits.parse().map_or(Number::Other(other), Number::Is)
            }
            None => Number::Other(UNREADABLE),
        },
    }
}

/// A value of a student, normalised; empty when absent. Whole numbers are written without a fraction, as text too where the
/// column holds numbers.
///
/// # Errors
/// What the column holds instead, for a sentence.
pub(super) fn value(row: &SqliteRow, at: usize, holds_numbers: bool) -> Result<String, &'static str> {
    let raw = row.try_get_raw(at).map_err(|_| UNREADABLE)?;
    if raw.is_null() {
        return Ok(String::new());
    }
    let kind = raw.type_info();
    match kind.name() {
        "INTEGER" | "BOOLEAN" => {
            row.try_get_unchecked::<i64, _>(at).map(|number| number.to_string()).map_err(|_| UNREADABLE)
        }
        "REAL" => real(row.try_get_unchecked::<f64, _>(at).map_err(|_| UNREADABLE)?),
        "BLOB" => Err(BINARY),
        _ => {
            let text = row.try_get_unchecked::<String, _>(at).map_err(|_| UNREADABLE)?;
            let text = normalise(&text);
            Ok(if holds_numbers { without_zero_fraction(&text).to_owned() } else { text.into_owned() })
        }
    }
}

/// A floating-point number as text: whole numbers without a fraction, others with the 15 digits that SQLite shows.
fn real(real: f64) -> Result<String, &'static str> {
    if real.fract() == 0.0 {
        return whole(real).map(|whole| whole.to_string()).ok_or(INEXACT);
    }
    let shown = format!("{real:.14e}").parse::<f64>().unwrap_or(real);
    if shown.is_finite() { Ok(shown.to_string()) } else { Err(INEXACT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floating_point_number_that_is_whole_is_written_without_a_fraction() {
        let table = [
            (13_800_000_001.0, Ok("13800000001".to_owned())),
            (-4.0, Ok("-4".to_owned())),
            (0.1 + 0.2, Ok("0.3".to_owned())),
            (3.5, Ok("3.5".to_owned())),
            (1e20, Err(INEXACT)),
            (f64::INFINITY, Err(INEXACT)),
        ];
        for (number, expected) in table {
            assert_eq!(real(number), expected, "{number}");
        }
    }
}
