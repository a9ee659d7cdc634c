//! The roster, read: our tables or a school's own queries, in one read transaction, never written.

mod cursor;
pub(super) mod descriptor;
mod error;
mod file;
mod members;
mod nobody;
mod normal_form;
mod number_columns;
mod people;
mod places;
mod private_copy;
mod search;
mod share;
mod snapshot;
pub(super) mod stale_log;
mod standing;
mod tables;
mod text_reader;
mod value;

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Sqlite, SqlitePool, Transaction};

pub use cursor::{ClassCursor, StudentCursor};
pub use error::RosterError;
pub use members::PopulatedGroup;
pub use people::{ListedPerson, RosterDetails};
pub use snapshot::RosterSnapshot;
pub use text_reader::{Odd, StudentTextReader};

use crate::files::{FileIdentity, beside};
use crate::settings::RosterQueries;
pub(super) use error::failure;
pub(super) use file::OpenFile;
use rosterd_core::roster::{ClassTarget, Enrolment, Student};
use share::OnShare;
use tables::{Declared, Tables, quoted};

/// A student with what is wrong with the row, where something is.
#[derive(Debug)]
pub struct RosterRow {
    pub student: Student,
    /// The reason why the row is unusable; the student still counts as being on the roster.
    pub unusable: Option<String>,
}

/// The members that the roster wants in one class of ClassIn.
#[derive(Debug)]
pub struct WantedClass {
    pub target: ClassTarget,
    /// The enrolments, of one or more class codes, by class code and student.
    pub members: Vec<Enrolment>,
}

/// A roster database, opened read-only.
#[derive(Clone, Debug)]
pub struct RosterDatabase {
    path: PathBuf,
    file: OpenFile,
    tables: Tables,
    /// The tables as they were given.
    given: [tables::Table; 5],
    columns: Vec<String>,
    /// The optional columns that this roster has.
    personal: Vec<&'static str>,
}

impl RosterDatabase {
    /// Opens a roster and checks that it has every table and column that is needed; `columns` are the
    /// mapped columns of students. Beside `state`, our own database, a private copy of the roster stands where it has
    /// to be read by one.
    ///
    /// # Errors
    /// When the file is missing, locked, corrupt, may not be read, or lacks something: the message names it.
    pub async fn open(
        path: &Path,
        queries: &RosterQueries,
        columns: &[String],
        state: &Path,
    ) -> Result<Self, RosterError> {
        let file = OpenFile::open(path, state).await?;
        let pool = file.pool().await?;
        let [students, ..] = tables::given(queries, columns);
        let personal = personal(path, &pool, &students.given).await?;
        let more: Vec<String> =
            columns.iter().cloned().chain(personal.iter().map(|column| (*column).to_owned())).collect();
        let mut given = tables::given(queries, &more);
        check(path, &pool, &given).await?;
        for table in &mut given {
            let declared = declared(path, &pool, table.name).await?;
            table.learn(&declared);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            tables: Tables::new(&given),
            given,
            columns: columns.to_vec(),
            personal,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the roster is read by a private copy, if it is.
    pub async fn why_copied(&self) -> Option<&'static str> {
        self.file.why_copied().await
    }

    /// What SQLite finds wrong in the whole of it, in its own words; `None` where all is well.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn damage(&self) -> Result<Option<String>, RosterError> {
        let (mut transaction, _) = self.file.begin().await?;
        let said: String = sqlx::query_scalar("SELECT quick_check FROM pragma_quick_check LIMIT 1")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|source| failure(&self.path, "the file", source))?;
        // Rolling back a read cannot lose anything.
        let _ended = transaction.rollback().await;
        Ok(Some(said).filter(|said| said != "ok"))
    }

    /// Whether its own program writes it by a log (WAL mode); `None` where it cannot be told.
    pub async fn has_log(&self) -> Option<bool> {
        self.file.has_log().await
    }

    /// Lets go of the file.
    pub async fn close(&self) {
        self.file.close().await;
    }

    /// The file that the path names now. Equal values are the same file, whatever is written to it.
    #[must_use]
    pub fn identity(&self) -> Option<FileIdentity> {
        FileIdentity::of(&self.path)
    }

    /// The number of active students now, in a short read of its own; ids that look like none are counted as well.
    ///
    /// # Errors
    /// When it cannot be read, or has fewer than `least`.
    pub async fn require_students(&self, least: u64) -> Result<u64, RosterError> {
        let mut snapshot = self.begin().await?;
        let students = snapshot.count_active().await?;
        snapshot.close().await?;
        if students < least {
            return Err(RosterError::TooFew { path: self.path.clone(), students, least });
        }
        Ok(students)
    }

    /// Asks whether there are enough active students now, in a short read of its own; more are not counted.
    ///
    /// # Errors
    /// When it cannot be read, or has fewer than `least`.
    pub async fn require_at_least(&self, least: u64) -> Result<(), RosterError> {
        let mut snapshot = self.begin().await?;
        snapshot.require_students(least).await?;
        snapshot.close().await?;
        Ok(())
    }

    /// Opens one consistent read of the tables as they stand, where the codes of groups and classes are in normal form;
    /// `None` where they are not. Whether students and their memberships are so is for [`StudentTextReader`] to tell.
    ///
    /// # Errors
    /// When the roster is locked or cannot be read.
    pub async fn snapshot_as_it_stands(&self) -> Result<Option<RosterSnapshot<'_>>, RosterError> {
        let mut snapshot = self.begin().await?;
        let is_normal = normal_form::are_places_normal(self, &mut snapshot.transaction).await?;
        Ok(is_normal.then_some(snapshot))
    }

    /// The columns of a student's values: the mapped ones, and the name where the roster has it and it is none of them.
    fn value_columns(&self) -> Vec<String> {
        let mut columns = self.columns.clone();
        if self.name_at() == Some(columns.len()) {
            columns.push("name".to_owned());
        }
        columns
    }

    /// Where the name stands among these, where the roster has it.
    fn name_at(&self) -> Option<usize> {
        let mapped = self.columns.iter().position(|column| column == "name");
        mapped.or_else(|| self.personal.contains(&"name").then_some(self.columns.len()))
    }

    /// Opens one consistent read: everything read through it is of one moment, with ids and codes in normal form. It
    /// ends when it is closed or dropped. It reads the file that the path names now, which need not be the one that was
    /// there at the start.
    ///
    /// # Errors
    /// When the roster is locked or cannot be read.
    pub async fn snapshot(&self) -> Result<RosterSnapshot<'_>, RosterError> {
        let mut snapshot = self.begin().await?;
        if let Some(copies) = normal_form::copies(self, &mut snapshot.transaction).await? {
            snapshot.tables = copies;
        }
        Ok(snapshot)
    }

    async fn begin(&self) -> Result<RosterSnapshot<'_>, RosterError> {
        let on_share = OnShare::before_reading(&self.path);
        let (mut transaction, read) = self.file.begin().await?;
        self.require_whole_file(&mut transaction, &read).await?;
        Ok(RosterSnapshot::new(self, transaction, self.tables.clone(), on_share))
    }

    /// SQLite reads what lies behind the end of a file as zeros, and so may lose rows of the last page without a
    /// word. Pages that are still in a log need not be in the file.
    async fn require_whole_file(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        read: &Path,
    ) -> Result<(), RosterError> {
        let pages: (i64, i64) =
            sqlx::query_as("SELECT page_count, page_size FROM pragma_page_count(), pragma_page_size()")
                .fetch_one(&mut **transaction)
                .await
                .map_err(|source| failure(&self.path, "the file", source))?;
        let expected = u64::try_from(pages.0.saturating_mul(pages.1)).unwrap_or(0);
        if !self.path.is_file() {
            return Err(RosterError::Missing { path: self.path.clone() });
        }
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = length(read);
        // The file in which WAL mode keeps changes that are not yet in the main file.
        let log = length(&beside(read, "-wal"));
        if bytes < expected && log == 0 {
            return Err(RosterError::Cut { path: self.path.clone(), bytes, expected });
        }
        Ok(())
    }
}

/// The columns of students in a roster of our own schema, in lower case; none where there is no such table.
///
/// # Errors
/// When the file is missing, locked, corrupt, or may not be read.
pub async fn student_columns(path: &Path, state: &Path) -> Result<Vec<String>, RosterError> {
    let file = OpenFile::open(path, state).await?;
    let pool = file.pool().await?;
    let declared = declared(path, &pool, "students").await;
    file.close().await;
    Ok(declared?.into_iter().map(|(name, ..)| name).collect())
}

/// Prepares a statement for every table without reading rows; where one fails, one for every column, which tells what is
/// missing.
async fn check(path: &Path, pool: &SqlitePool, given: &[tables::Table; 5]) -> Result<(), RosterError> {
    for table in given {
        let (name, source) = (table.name, &table.given);
        // Qualified, because SQLite takes an unknown quoted name for a text.
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
        let all = format!("SELECT {} FROM {source} AS t LIMIT 0", columns.join(", "));
        // The table is ours or the admin's own query from the configuration file; columns are quoted.
        if sqlx::query(AssertSqlSafe(all)).fetch_optional(pool).await.is_ok() {
            continue;
        }
        if has_no_table(pool).await {
            return Err(RosterError::Empty { path: path.to_owned() });
        }
        let whole = format!("SELECT * FROM {source} AS t LIMIT 0");
        probe(path, pool, name, &whole, |message| table.cannot_be_read(path, message)).await?;
        for (column, qualified) in table.columns.iter().zip(&columns) {
            let sql = format!("SELECT {qualified} FROM {source} AS t LIMIT 0");
            probe(path, pool, name, &sql, |message| table.lacks(path, column, message)).await?;
        }
    }
    Ok(())
}

/// Whether this is a database in which nothing has been made yet. What cannot be read says so where it is read.
async fn has_no_table(pool: &SqlitePool) -> bool {
    let made = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema").fetch_one(pool).await;
    made.is_ok_and(|made| made == 0)
}

/// The optional columns that this roster has.
async fn personal(path: &Path, pool: &SqlitePool, students: &str) -> Result<Vec<&'static str>, RosterError> {
    // Nearly every roster has all of them.
    let all = people::PERSONAL.map(|column| format!("t.{}", quoted(column))).join(", ");
    let sql = format!("SELECT {all} FROM {students} AS t LIMIT 0");
    if sqlx::query(AssertSqlSafe(sql)).fetch_optional(pool).await.is_ok() {
        return Ok(people::PERSONAL.to_vec());
    }
    let mut there = Vec::new();
    for column in people::PERSONAL {
        // Qualified, because SQLite takes an unknown quoted name for a text.
        let sql = format!("SELECT t.{} FROM {students} AS t LIMIT 0", quoted(column));
        match sqlx::query(AssertSqlSafe(sql)).fetch_optional(pool).await {
            Ok(_) => there.push(column),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("1") => {}
            Err(source) => return Err(failure(path, "students", source)),
        }
    }
    Ok(there)
}

async fn probe(
    path: &Path,
    pool: &SqlitePool,
    table: &'static str,
    sql: &str,
    missing: impl FnOnce(&str) -> RosterError,
) -> Result<(), RosterError> {
    // The table is ours or the admin's own query from the configuration file; columns are quoted.
    match sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_optional(pool).await {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("1") => {
            Err(missing(error.message()))
        }
        Err(source) => Err(failure(path, table, source)),
    }
}

/// A table's declaration; little or nothing for a view or a missing table.
async fn declared(path: &Path, pool: &SqlitePool, table: &'static str) -> Result<Vec<Declared>, RosterError> {
    sqlx::query_as("SELECT lower(name), type, pk FROM pragma_table_info(?) ORDER BY cid")
        .bind(table)
        .fetch_all(pool)
        .await
        .map_err(|source| failure(path, table, source))
}
