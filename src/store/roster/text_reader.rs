//! Students with their groups as text, in blocks: how a roster is read in which nothing is odd.
//!
//! Whatever a text cannot tell is [`Odd`], and then the roster is read row by row: see [`super::cursor`].

use std::collections::BTreeSet;

use rosterd_core::exam_plan::{BETWEEN_CODES, RosterTally, StudentText};
use rosterd_core::roster::{GroupCode, Student, StudentId, identifier, normalise, without_zero_fraction};
use sqlx::AssertSqlSafe;

use super::cursor::flaw;
use super::number_columns::NumberColumns;
use super::tables::{ACTIVE, quoted};
use super::{RosterDatabase, RosterRow, RosterSnapshot};
use crate::store::row_blocks::{BETWEEN_VALUES, RowReader, RowSender, UnreadableText, send_rows};

/// Why a roster has to be read row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// The statement failed; reading row by row says how.
    Failed,
    /// A value holds a separator, binary data or a floating-point number.
    Value,
    /// Bytes that are no text.
    Unreadable,
    /// An id or code is not in normal form.
    Id,
    /// A text looks like a number that a spreadsheet has spoilt, and nobody has asked yet which columns hold numbers.
    Spoilt,
    /// Students do not come in the order of their ids.
    Order,
    /// Rows name nobody, no group, or one student more than once.
    Rows,
}

impl From<UnreadableText> for Odd {
    fn from(UnreadableText: UnreadableText) -> Self {
        Self::Unreadable
    }
}

/// How many rows the tables have, as the same snapshot counts them.
#[derive(Clone, Copy, Debug)]
pub struct RowCounts {
    students: u64,
    members: u64,
}

/// Whether a text of the value in `column` would not tell it: SQLite writes a floating-point number as a text might stand
/// there. Plain comparisons, which cost next to nothing.
fn is_untold(column: &str) -> String {
    format!("{column} >= x'' OR ({column} < '' AND typeof({column}) = 'real')")
}

impl RosterSnapshot<'_> {
    /// Sends all students whose id can be told, with their group codes, in the roster's own order of ids.
    ///
    /// # Errors
    /// [`Odd::Failed`].
    pub async fn send_students(&mut self, sender: RowSender) -> Result<(), Odd> {
        let sql = self.students_as_text();
        send_rows(&mut self.transaction, &sql, vec![], &sender).await.map_err(|_| Odd::Failed)?;
        Ok(())
    }

    /// The tables and queries as they were given: what is wrapped to be read for certain is read slowly.
    fn students_as_text(&self) -> String {
        let database = self.database;
        let values: Vec<String> =
            database.value_columns().iter().map(|column| format!("s.{}", quoted(column))).collect();
        let keys = ["s.student_id", "m.student_id", "m.group_code"].map(ToOwned::to_owned);
        let untold: Vec<String> = keys.iter().chain(&values).map(|column| is_untold(column)).collect();
        let values: Vec<String> = values.iter().map(|column| format!(", ifnull({column}, '')")).collect();
        let [students, _, members, ..] = &database.given;
        format!(
            "SELECT concat_ws(char(31), s.student_id, {ACTIVE}, CASE WHEN {} THEN 1 ELSE 0 END, \
             ifnull(m.student_id, ''), ifnull(m.group_code, ''){}) AS row_text \
             FROM {} AS s LEFT JOIN {} AS m ON m.student_id = s.student_id WHERE s.student_id IS NOT NULL \
             ORDER BY s.student_id COLLATE BINARY",
            untold.join(" OR "),
            values.concat(),
            students.given,
            members.given
        )
    }

    /// The number of rows of students and of their memberships, those that name nobody included.
    ///
    /// # Errors
    /// [`Odd::Failed`].
    pub async fn count_rows(&mut self) -> Result<RowCounts, Odd> {
        let [students, _, members, ..] = &self.database.given;
        let sql = format!(
            "SELECT (SELECT count(*) FROM {} AS s), (SELECT count(*) FROM {} AS m)",
            students.given, members.given
        );
        let counts: Result<(i64, i64), _> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *self.transaction).await;
        let (students, members) = counts.map_err(|_| Odd::Failed)?;
        let count = |rows: i64| u64::try_from(rows).unwrap_or(0);
        Ok(RowCounts { students: count(students), members: count(members) })
    }

    /// Reads what [`RosterSnapshot::send_students`] sends.
    #[must_use]
    pub fn text_reader(&self, rows: RowReader) -> StudentTextReader {
        StudentTextReader::new(self.database, rows, self.number_columns.clone())
    }
}

/// Students one at a time, each in the buffers of the one before.
pub struct StudentTextReader {
    rows: RowReader,
    /// Which columns hold numbers, where that was asked.
    numbers: Option<NumberColumns>,
    student: Buffers,
    /// How many of the values are mapped: the name is read too where it is none of them.
    mapped: usize,
    /// How many values are read.
    read: usize,
    name_at: Option<usize>,
    students: u64,
    members: u64,
}

/// One student.
#[derive(Default)]
struct Buffers {
    id: String,
    says: Option<i64>,
    values: String,
    ends: Vec<usize>,
    codes: String,
    /// Where the last code begins.
    last_code: usize,
}

impl StudentTextReader {
    fn new(database: &RosterDatabase, rows: RowReader, numbers: Option<NumberColumns>) -> Self {
        Self {
            rows,
            numbers,
            student: Buffers::default(),
            mapped: database.columns.len(),
            read: database.value_columns().len(),
            name_at: database.name_at(),
            students: 0,
            members: 0,
        }
    }

    /// Reads the next student, with all groups; false after the last.
    ///
    /// # Errors
    /// Why the roster has to be read row by row.
    pub async fn next(&mut self) -> Result<bool, Odd> {
        let Some(row) = self.rows.row().await? else { return Ok(false) };
        let mut parts = row.split(BETWEEN_VALUES);
        self.student.begin(parts.next().unwrap_or_default(), self.students > 0)?;
        self.students += 1;
        self.student.says = parts.next().and_then(|says| says.parse().ok());
        let [untold, member, code] = [(); 3].map(|()| parts.next().unwrap_or_default());
        for value in parts {
            self.student.add_value(value, self.numbers.as_ref())?;
        }
        if untold != "0" || self.student.ends.len() != self.read {
            return Err(Odd::Value);
        }
        if !member.is_empty() {
            self.members += 1;
            self.student.add_group(member, code)?;
        }
        self.read_further_groups().await?;
        Ok(true)
    }

    /// The rows that follow for the same student tell one more group each.
    async fn read_further_groups(&mut self) -> Result<(), Odd> {
        loop {
            self.rows.step();
            let Some(row) = self.rows.row().await? else { return Ok(()) };
            let rest = row.strip_prefix(self.student.id.as_str());
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix(BETWEEN_VALUES)) else { return Ok(()) };
            let mut parts = rest.split(BETWEEN_VALUES).skip(1);
            let [untold, member, code] = [(); 3].map(|()| parts.next().unwrap_or_default());
            if untold != "0" || parts.count() != self.read {
                return Err(Odd::Value);
            }
            self.members += 1;
            self.student.add_group(member, code)?;
        }
    }

    /// The student's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.student.id
    }

    /// The student as text, where they are active and the row can be used.
    #[must_use]
    pub fn usable(&self) -> Option<StudentText<'_>> {
        let is_usable = self.student.says == Some(1) && self.flaw().is_none();
        is_usable.then(|| self.student.text())
    }

    /// The student with a copy of everything.
    #[must_use]
    pub fn row(&self) -> RosterRow {
        let text = self.student.text();
        let codes = text.codes.split(BETWEEN_CODES).filter(|code| !code.is_empty());
        let student = Student {
            id: StudentId::new(text.id),
            active: self.student.is_active(),
            values: (0..self.mapped).map(|at| text.value(at).to_owned()).collect(),
            groups: codes.map(GroupCode::new).collect(),
        };
        RosterRow { student, unusable: self.flaw().map(ToOwned::to_owned) }
    }

    fn flaw(&self) -> Option<&'static str> {
        let text = self.student.text();
        let name = self.name_at.filter(|_| self.student.is_active()).map(|at| text.value(at));
        flaw(text.id, self.student.says, name)
    }

    /// The counts of this reading against those of the snapshot.
    ///
    /// # Errors
    /// [`Odd::Rows`] where a row was left out, or came twice.
    pub fn tally(&self, counted: RowCounts, least: u64) -> Result<RosterTally, Odd> {
        let RowCounts { students, members } = counted;
        if (self.students, self.members) != (students, members) {
            return Err(Odd::Rows);
        }
        Ok(RosterTally {
            counted: students.saturating_add(members),
            read: self.students.saturating_add(self.members),
            students: self.students,
            least,
        })
    }
}

impl Buffers {
    /// Empties the buffers for the next student; where it is not the first, its id comes after the last one's.
    fn begin(&mut self, id: &str, is_further: bool) -> Result<(), Odd> {
        if is_further && *id <= *self.id {
            return Err(Odd::Order);
        }
        require_normal_form(id)?;
        for text in [&mut self.id, &mut self.values, &mut self.codes] {
            text.clear();
        }
        self.id.push_str(id);
        self.ends.clear();
        self.last_code = 0;
        Ok(())
    }

    /// What looks like a number that a spreadsheet has spoilt is one where its column holds numbers.
    fn add_value(&mut self, value: &str, numbers: Option<&NumberColumns>) -> Result<(), Odd> {
        let text = normalise(value);
        let whole = without_zero_fraction(&text);
        let is_whole = whole.len() < text.len() && numbers.ok_or(Odd::Spoilt)?.has(self.ends.len());
        self.values.push_str(if is_whole { whole } else { &text });
        self.ends.push(self.values.len());
        Ok(())
    }

    /// A row that was joined by other than equal ids is left to the careful reading.
    fn add_group(&mut self, member: &str, code: &str) -> Result<(), Odd> {
        if member != self.id {
            return Err(Odd::Id);
        }
        if code.is_empty() {
            return Err(Odd::Rows);
        }
        let last = self.codes.get(self.last_code..).unwrap_or_default();
        if last == code {
            return Ok(());
        }
        require_normal_form(code)?;
        if *last > *code {
            self.insert_group(code);
            return Ok(());
        }
        if !self.codes.is_empty() {
            self.codes.push(BETWEEN_CODES);
        }
        self.last_code = self.codes.len();
        self.codes.push_str(code);
        Ok(())
    }

    /// The codes of a student mostly come in order, by the key of the table. SQLite would sort each student's by themselves.
    fn insert_group(&mut self, code: &str) {
        let before = std::mem::take(&mut self.codes);
        let codes: BTreeSet<&str> = before.split(BETWEEN_CODES).chain([code]).collect();
        for code in codes {
            if !self.codes.is_empty() {
                self.codes.push(BETWEEN_CODES);
            }
            self.last_code = self.codes.len();
            self.codes.push_str(code);
        }
    }

    fn is_active(&self) -> bool {
        self.says != Some(0)
    }

    fn text(&self) -> StudentText<'_> {
        let Self { id, says: _, values, ends, codes, last_code: _ } = self;
        StudentText { id, values, ends, codes }
    }
}

/// An id or code that is compared just as it stands. One like a number that a spreadsheet has spoilt may have to be read
/// otherwise.
fn require_normal_form(key: &str) -> Result<(), Odd> {
    let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic()) && !key.is_empty();
    let is_normal = is_plain || identifier(key).as_deref() == Some(key);
    if is_normal && !key.ends_with(".0") { Ok(()) } else { Err(Odd::Id) }
}
