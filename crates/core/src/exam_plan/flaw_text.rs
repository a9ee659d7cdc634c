//! What does not add up in a listing, in words.

use std::fmt;

use super::observed::Flaw;
use crate::counted::counted;

/// Unlisted candidates that a sentence names.
const NAMED: usize = 5;

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TotalChanged { first, later } => {
                write!(f, "the total changed from {first} to {later} while the pages were read")
            }
            Self::RowCount { total, rows } => {
                write!(f, "{} came where the total says {total}", counted(*rows, "row"))
            }
            Self::Repeated { rows } => {
                let verb = if *rows == 1 { "repeats" } else { "repeat" };
                write!(f, "{} {verb} a login value", counted(*rows, "row"))
            }
            Self::Nameless { rows } => write!(f, "none of {} has a login value", counted(*rows, "row")),
            Self::TooMany { total, read } => {
                write!(f, "the total says {total}, and reading stopped after {}", counted(*read, "candidate"))
            }
            Self::Incomplete { unlisted } => {
                match unlisted.len() {
                    1 => f.write_str("a candidate that exists by its sid is not in it:")?,
                    count => write!(f, "{count} candidates that exist by their sid are not in it:")?,
                }
                for (at, (student, sid)) in unlisted.iter().take(NAMED).enumerate() {
                    write!(f, "{} sid {sid} of student {student}", if at == 0 { "" } else { "," })?;
                }
                if unlisted.len() > NAMED {
                    f.write_str(", …")?;
                }
                Ok(())
            }
        }
    }
}
