//! Which columns of students hold numbers: there a text that ends in `.0` is a whole number that a spreadsheet has spoilt,
//! and anywhere else it is meant so.

use sqlx::{AssertSqlSafe, Row};

use super::tables::quoted;
use super::{RosterError, RosterSnapshot};

/// Signs that stand in telephone numbers besides digits.
const IN_NUMBERS: &str = "0-9 +()/-";

/// Whether the columns of a student's values hold numbers, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct NumberColumns(Vec<bool>);

impl NumberColumns {
    /// Whether the one at this place does.
    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at).copied().unwrap_or(false)
    }
}

/// Whether a column of `s` holds numbers: every value with a digit is one, a zero fraction aside, and words (as "none")
/// are fewer. Binary data says nothing: its row is a bad one.
fn holds_numbers(column: &str) -> String {
    let blanks = "' ' || char(9, 10, 11, 12, 13, 160, 8203, 12288, 65279)";
    let text = format!("CASE WHEN typeof({column}) = 'blob' THEN '' ELSE trim({column}, {blanks}) END");
    // What is left of 1001.00 is 1001, and of 100 it is 100.
    let digits = format!("rtrim({text}, '0')");
    let whole = format!(
        "CASE WHEN substr({digits}, -1) = '.' THEN substr({digits}, 1, length({digits}) - 1) ELSE {text} END"
    );
    let has_digit = format!("{text} GLOB '*[0-9]*'");
    let is_other = format!("{whole} GLOB '*[^{IN_NUMBERS}]*'");
    format!(
        "count(*) FILTER (WHERE {has_digit} AND {is_other}) = 0 AND count(*) FILTER (WHERE {has_digit}) > \
         count(*) FILTER (WHERE {text} <> '' AND NOT {has_digit})"
    )
}

impl RosterSnapshot<'_> {
    /// Which columns hold numbers, once for this snapshot: the answer reads all students.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn learn_number_columns(&mut self) -> Result<(), RosterError> {
        if self.number_columns.is_some() {
            return Ok(());
        }
        let columns = self.database.value_columns();
        let asked: Vec<String> =
            columns.iter().map(|column| holds_numbers(&format!("s.{}", quoted(column)))).collect();
        let mut known = NumberColumns::default();
        if !asked.is_empty() {
            let sql = format!("SELECT {} FROM {} AS s", asked.join(", "), self.tables.students);
            let failed = self.failure("students");
            let row =
                sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *self.transaction).await.map_err(failed)?;
            known.0 = (0..columns.len()).map(|at| row.try_get_unchecked(at).unwrap_or(false)).collect();
        }
        self.number_columns = Some(known);
        Ok(())
    }
}
