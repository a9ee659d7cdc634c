//! The command line of `results`.

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// `results`
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ResultsArgs {
    /// Read the service's whole list, however lately that was done
    #[arg(long)]
    pub full: bool,
    /// Absent: pull.
    #[command(subcommand)]
    pub action: Option<ResultsAction>,
}

/// What to do with the results that are there.
#[derive(Clone, Debug, Subcommand)]
pub enum ResultsAction {
    /// Show the results that were pulled, newest first
    List {
        /// Which ones.
        #[command(flatten)]
        which: WhichResults,
        /// Show at most so many [default: 100 as text, all as JSON]
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// Write the results that were pulled to standard output as a table for other programs
    Export {
        /// In which form
        #[arg(value_enum)]
        form: ExportForm,
        /// Which ones.
        #[command(flatten)]
        which: WhichResults,
    },
}

/// How results are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// Comma-separated, with a header, in UTF-8.
    Csv,
    /// One array of objects.
    Json,
}

/// Which results, and how much of them.
#[derive(Clone, Debug, Args)]
pub struct WhichResults {
    /// Of this exam (eid)
    #[arg(long, value_name = "EID")]
    pub exam: Option<i64>,
    /// Of this student, whichever candidate that was
    #[arg(long, value_name = "STUDENT_ID")]
    pub student: Option<String>,
    /// Begun on this day or at this moment or later: 2026-11-01, or 2026-11-01T08:00:00Z (UTC)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<i64>,
    /// Begun on this day or before, or before this moment
    #[arg(long, value_name = "WHEN", value_parser = until)]
    pub until: Option<i64>,
    /// Show login values too: they are personal data
    #[arg(long)]
    pub reveal: bool,
}

const HOW: &str = "write a day like 2026-11-01 or a moment like 2026-11-01T08:00:00Z";

fn since(text: &str) -> Result<i64, String> {
    match day(text) {
        Some(day) => start_of(day),
        None => moment(text),
    }
}

/// The whole day counts, so its end is where the next one starts.
fn until(text: &str) -> Result<i64, String> {
    match day(text) {
        Some(day) => day.checked_add(1.day()).map_err(|_| HOW.to_owned()).and_then(start_of),
        None => moment(text),
    }
}

fn day(text: &str) -> Option<Date> {
    let is_day = text.len() == "2026-11-01".len();
    text.parse().ok().filter(|_| is_day)
}

fn start_of(day: Date) -> Result<i64, String> {
    let start = day.to_zoned(TimeZone::UTC).map_err(|_| HOW.to_owned())?;
    Ok(start.timestamp().as_millisecond())
}

fn moment(text: &str) -> Result<i64, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    let civil: DateTime = text.parse().map_err(|_| HOW.to_owned())?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| HOW.to_owned())?;
    Ok(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_counts_whole_and_a_moment_to_the_second() {
        let day_ms = 24 * 3600 * 1000;
        assert_eq!(since("1970-01-02"), Ok(day_ms));
        assert_eq!(until("1970-01-02"), Ok(2 * day_ms));
        for moment in ["1970-01-02T00:00:01Z", "1970-01-02T01:00:01+01:00", "1970-01-02T00:00:01"] {
            assert_eq!((since(moment), until(moment)), (Ok(day_ms + 1000), Ok(day_ms + 1000)), "{moment}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in ["yesterday", "2026-13-01", "", "01.11.2026"] {
            assert!(since(text).unwrap_err().contains("2026-11-01"), "{text}");
        }
    }
}
