//! Texts that are alike: ids that differ in capitals or blanks alone, and values that a file says in another form of the same
//! letters. `SQLite` compares them by our own rules.

use std::cmp::Ordering;

use sqlx::QueryBuilder;

use super::RosterWriteError;
use super::staging::Staging;
use rosterd_core::counted::counted;
use rosterd_import::{Notice, Reading, text_as_read};

/// The name of the rule that passes over capitals and blanks.
pub(super) const ALIKE: &str = "ROSTERD_ALIKE";
/// The name of the rule that compares values as a file is read.
pub(super) const AS_READ: &str = "ROSTERD_AS_READ";

/// Pairs that a notice names.
const SHOWN: usize = 3;

/// Compares without capitals and blanks.
pub(super) fn compare_alike(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        bytes(one).cmp(bytes(other))
    } else {
        letters(one).cmp(letters(other))
    }
}

fn bytes(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| byte.to_ascii_lowercase())
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase)
}

/// Compares two values as the reader of a file understands them.
pub(super) fn compare_as_read(one: &str, other: &str) -> Ordering {
    if one == other { Ordering::Equal } else { text_as_read(one).cmp(&text_as_read(other)) }
}

impl Staging {
    /// Ids and codes that differ in capitals or blanks alone: they count as two, and may be one.
    pub(super) async fn tell_alike(&mut self, reading: &mut Reading) -> Result<(), RosterWriteError> {
        for (table, what) in [("students", "student"), ("groups", "group"), ("classes", "class")] {
            // Numbers are told apart by their digits; zeros in front have rules of their own.
            let pairs = format!(
                "SELECT MIN(key), MAX(key) FROM (
                     SELECT key, 1 AS is_here FROM temp.staged_{table} WHERE good = 1 AND key GLOB '*[^0-9]*'
                     UNION ALL SELECT key, 0 FROM temp.known_{table} WHERE key GLOB '*[^0-9]*')
                 GROUP BY key COLLATE {ALIKE} HAVING MIN(key) <> MAX(key) AND SUM(is_here) > 0"
            );
            let mut first = QueryBuilder::<sqlx::Sqlite>::new(format!("{pairs} ORDER BY 1 LIMIT 1000"));
            let found: Vec<(String, String)> =
                first.build_query_as().persistent(false).fetch_all(&mut *self.connection).await?;
            let mut shown = Vec::new();
            for (one, other) in found.iter().take(SHOWN) {
                let one = self.placed(reading, table, one).await?;
                let other = self.placed(reading, table, other).await?;
                shown.push(format!("{one} and {other}"));
            }
            if shown.is_empty() {
                continue;
            }
            let more = found.len() - shown.len();
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let verb = if found.len() == 1 { "differs" } else { "differ" };
            let message = format!(
                "{} of {what} codes {verb} in capitals or blanks alone and count as two each: {}{more}; where the two are one, \
                 write them in one way",
                counted(u64::try_from(found.len()).unwrap_or(u64::MAX), "pair"),
                shown.join("; ")
            );
            reading.notices.push(Notice { file: String::new(), message });
        }
        Ok(())
    }

    /// A key with the place where it stands.
    async fn placed(
        &mut self,
        reading: &Reading,
        table: &str,
        key: &str,
    ) -> Result<String, RosterWriteError> {
        let mut query = QueryBuilder::<sqlx::Sqlite>::new(format!(
            "SELECT file, line FROM temp.staged_{table} WHERE good = 1 AND key = "
        ));
        query.push_bind(key).push(" LIMIT 1");
        let place: Option<(i64, i64)> =
            query.build_query_as().persistent(false).fetch_optional(&mut *self.connection).await?;
        Ok(match place {
            Some((file, line)) => {
                let file = reading.file_name(usize::try_from(file).unwrap_or(usize::MAX));
                format!("{key} ({file} line {line})")
            }
            None => format!("{key} (in the roster)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_blanks_make_no_difference_between_codes_that_are_alike() {
        for (one, other, is_alike) in [
            ("A1", "a1", true),
            ("7 A", "7a", true),
            ("Ä1", "ä 1", true),
            ("高一　1班", "高一1班", true),
            ("A1", "A2", false),
            ("a", "ä", false),
        ] {
            assert_eq!(compare_alike(one, other) == Ordering::Equal, is_alike, "{one} and {other}");
        }
    }
}
