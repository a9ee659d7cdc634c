//! Finds students by what a person knows of them: a name or a part of it, a login value, a telephone number.

use futures_util::stream::TryStreamExt;
use sqlx::{AssertSqlSafe, Column, Row};

use super::error::failure;
use super::people::cell;
use super::{RosterError, RosterSnapshot};
use rosterd_core::roster::{StudentId, normalise};

/// Columns by which nobody looks for a person.
const TELL_NOBODY_APART: [&str; 2] = ["gender", "active"];

/// A telephone number that is written in two ways has so many digits in common, at its end.
const LEAST_DIGITS: usize = 7;

/// What a person typed.
struct Wanted {
    folded: String,
    /// The digits, where it looks like a telephone number.
    digits: Option<String>,
}

impl Wanted {
    fn of(typed: &str) -> Self {
        Self { folded: folded(typed), digits: digits(typed) }
    }

    fn is(&self, column: &str, value: &str) -> bool {
        let (value, other_digits) = (folded(value), digits(value));
        let is_part = column == "name" && self.folded.chars().count() > 1 && value.contains(&self.folded);
        let is_number = match (&self.digits, &other_digits) {
            (Some(one), Some(other)) => one.ends_with(other.as_str()) || other.ends_with(one.as_str()),
            (None, _) | (_, None) => false,
        };
        value == self.folded || is_part || is_number
    }
}

fn folded(text: &str) -> String {
    normalise(text).to_lowercase().split_whitespace().collect()
}

/// The digits of what is written like a telephone number.
fn digits(text: &str) -> Option<String> {
    let text = normalise(text);
    let is_number = text.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (is_number && digits.len() >= LEAST_DIGITS).then_some(digits)
}

impl RosterSnapshot<'_> {
    /// The students of whom any value that is not hidden is this, or whose name has it in it, in ascending order: so many at
    /// most.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn found_by(
        &mut self,
        typed: &str,
        is_hidden: impl Fn(&str) -> bool,
        most: usize,
    ) -> Result<Vec<StudentId>, RosterError> {
        let wanted = Wanted::of(typed);
        let mut found: Vec<StudentId> = Vec::new();
        if wanted.folded.is_empty() {
            return Ok(found);
        }
        let path = &self.database.path;
        let sql = format!(
            "SELECT s.* FROM {} AS s WHERE s.student_id IS NOT NULL ORDER BY s.student_id COLLATE BINARY",
            self.tables.students
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *self.transaction);
        while let Some(row) = rows.try_next().await.map_err(|source| failure(path, "students", source))? {
            let mut id = None;
            let mut is_wanted = false;
            for column in row.columns() {
                let name = column.name().to_lowercase();
                let Some(value) = cell(&row, column.ordinal()) else { continue };
                if name == "student_id" {
                    id = Some(StudentId::entered(&value));
                } else if !is_hidden(&name) && !TELL_NOBODY_APART.contains(&name.as_str()) {
                    is_wanted |= wanted.is(&name, &value);
                }
            }
            found.extend(id.filter(|id| is_wanted && found.last() != Some(id)));
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_a_part_of_the_name_and_by_any_other_value_as_a_whole() {
        for (typed, column, value, expected) in [
            ("娜娜", "name", "欧阳娜娜", true),
            ("li hua", "name", "Li  Hua", true),
            ("李", "name", "李华", false),
            ("a@b.example", "login", "A@B.example", true),
            ("b.example", "login", "a@b.example", false),
            ("13800000001", "phone", "+86 138-0000-0001", true),
            ("+8613800000001", "phone", "13800000001", true),
            ("0000001", "login", "x0000001", false),
            ("000001", "phone", "13800000001", false),
            ("138", "phone", "13800000001", false),
        ] {
            assert_eq!(Wanted::of(typed).is(column, value), expected, "{typed} {value}");
        }
    }
}
