//! Several rows with one key. Rows that say the same are one row, and so are the classes of a list that has a row for each;
//! of rows that contradict each other none is taken, and both places are named.

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::compare::count_of;
use super::staging::{KeyedTable, Staging, run};
use rosterd_core::counted::counted;
use rosterd_import::{ImportProblem, Notice, Reading, RosterTable};

/// Examples that a notice names.
const SHOWN: usize = 3;

impl Staging {
    /// Settles what stands in several rows. In a bundle of a program (no `is_list`) every key stands once, and so does, where
    /// it is `foreign`, what refers to people.
    pub(super) async fn settle_doubled(
        &mut self,
        reading: &mut Reading,
        foreign: bool,
        is_list: bool,
    ) -> Result<(), RosterWriteError> {
        let connection = &mut *self.connection;
        for table in [&self.students, &self.groups, &self.classes] {
            let doubled = Doubled { table, by: "key" };
            if doubled.put_aside(connection).await? == 0 {
                continue;
            }
            if is_list {
                doubled.note_contradictions(connection).await?;
                doubled.unite(connection, reading).await?;
            }
            doubled.refuse(connection, reading).await?;
        }
        let doubled = Doubled { table: &self.students, by: "ref" };
        if foreign && doubled.put_aside(connection).await? > 0 {
            doubled.refuse(connection, reading).await?;
        }
        Ok(())
    }
}

/// The rows of a table that share an identity (`key`, or `ref`).
struct Doubled<'t> {
    table: &'t KeyedTable,
    by: &'static str,
}

impl Doubled<'_> {
    fn name(&self) -> String {
        format!("temp.doubled_{}_{}", self.table.table, self.by)
    }

    fn is_of_students(&self) -> bool {
        self.table.table == RosterTable::Students && self.by == "key"
    }

    /// Puts the identities aside that occur more than once, with their first row, so that each row is looked up and not
    /// compared with all others. Says how many there are.
    async fn put_aside(&self, connection: &mut SqliteConnection) -> Result<u64, RosterWriteError> {
        let (name, table, by) = (self.name(), self.table.table, self.by);
        let columns = "(id TEXT PRIMARY KEY, n INTEGER, file INTEGER, line INTEGER, differs TEXT NOT NULL,
             one TEXT, other TEXT) WITHOUT ROWID";
        run(connection, format!("CREATE TEMP TABLE {} {columns}", name.trim_start_matches("temp."))).await?;
        // Beside a MIN, SQLite takes the other columns from its row.
        let doubled = format!(
            "SELECT {by}, MIN(n), file, line, '-', NULL, NULL FROM temp.staged_{table} WHERE {by} <> ''
             GROUP BY {by} HAVING COUNT(*) > 1"
        );
        run(connection, format!("INSERT INTO {name} (id, n, file, line, differs, one, other) {doubled}"))
            .await
    }

    /// Notes in which columns the rows of each identity differ: their numbers, `-` for a bad row among them, `g` for groups,
    /// nothing where they agree. A row that says nothing of a column contradicts none.
    async fn note_contradictions(&self, connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
        let (name, table) = (self.name(), self.table.table);
        let columns = (0..self.table.columns.len())
            .map(|at| format!(" || CASE WHEN COUNT(DISTINCT s.v{at}) > 1 THEN ' {at}' ELSE '' END"));
        let differs = format!(
            "SELECT CASE WHEN MIN(s.good) = 0 THEN ' -' ELSE '' END{} FROM temp.staged_{table} AS s WHERE s.key = d.id",
            columns.collect::<String>()
        );
        run(connection, format!("UPDATE {name} AS d SET differs = ({differs})")).await?;
        if !self.is_of_students() {
            return Ok(());
        }
        index_places(connection).await?;
        // A column of the student's own row has one group, or as many as a cell of it names.
        run(
            connection,
            "CREATE TEMP TABLE doubled_owners (id TEXT, members TEXT, one TEXT, other TEXT, PRIMARY KEY (members, id))
             WITHOUT ROWID"
                .to_owned(),
        )
        .await?;
        for members in ["group_members", "class_members"] {
            let several = format!(
                "INSERT INTO temp.doubled_owners SELECT s.key, '{members}', MIN(m.code), MAX(m.code)
                 FROM {name} AS d CROSS JOIN temp.staged_students AS s ON s.key = d.id
                 CROSS JOIN temp.staged_{members} AS m ON m.file = s.file AND m.line = s.line AND m.key = s.key
                 GROUP BY s.key HAVING COUNT(DISTINCT m.code) > COUNT(*) / COUNT(DISTINCT s.n)"
            );
            run(connection, several).await?;
        }
        let groups = "FROM temp.doubled_owners AS o WHERE o.members = 'group_members'";
        let noted = format!(
            "UPDATE {name} AS d SET differs = differs || ' g', one = (SELECT o.one {groups} AND o.id = d.id),
             other = (SELECT o.other {groups} AND o.id = d.id) WHERE id IN (SELECT o.id {groups})"
        );
        run(connection, noted).await?;
        Ok(())
    }

    /// Makes one row of those that agree, with what each of them says, and tells of it.
    async fn unite(
        &self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
    ) -> Result<(), RosterWriteError> {
        let (name, table) = (self.name(), self.table.table);
        let agreeing =
            count_of(connection, &format!("SELECT COUNT(*) FROM {name} WHERE differs = ''")).await?;
        if agreeing == 0 {
            return Ok(());
        }
        self.tell_united(connection, reading, agreeing).await?;
        let all = |at: usize| {
            format!(
                "v{at} = COALESCE(v{at}, (SELECT MAX(o.v{at}) FROM temp.staged_{table} AS o WHERE o.key = s.key))"
            )
        };
        let all: Vec<String> = (0..self.table.columns.len()).map(all).collect();
        let first = format!("SELECT n FROM {name} WHERE differs = ''");
        run(
            connection,
            format!("UPDATE temp.staged_{table} AS s SET {} WHERE s.n IN ({first})", all.join(", ")),
        )
        .await?;
        let others = format!(
            "DELETE FROM temp.staged_{table} WHERE key IN (SELECT id FROM {name} WHERE differs = '') AND n NOT IN ({first})"
        );
        run(connection, others).await?;
        run(connection, format!("DELETE FROM {name} WHERE differs = ''")).await?;
        Ok(())
    }

    async fn tell_united(
        &self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
        count: u64,
    ) -> Result<(), RosterWriteError> {
        let (name, table) = (self.name(), self.table.table);
        let first = format!(
            "SELECT d.id, d.file, d.line, s.file, s.line, MIN(s.n) FROM {name} AS d JOIN temp.staged_{table} AS s
             ON s.key = d.id AND s.n > d.n WHERE d.differs = '' GROUP BY d.id ORDER BY d.n LIMIT {SHOWN}"
        );
        let mut query = QueryBuilder::<Sqlite>::new(first);
        let rows: Vec<(String, i64, i64, i64, i64, i64)> =
            query.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let shown: Vec<String> = rows
            .into_iter()
            .map(|(id, file, line, other_file, other_line, _)| {
                let [one, other] = [file, other_file].map(|file| file_name(reading, file));
                format!("{id} ({})", two_places((&one, line), (&other, other_line)))
            })
            .collect();
        let what = match table {
            RosterTable::Students => "student",
            RosterTable::Groups => "group",
            RosterTable::Classes | RosterTable::GroupMembers | RosterTable::ClassMembers => "class",
        };
        let verb = if count == 1 { "stands" } else { "stand" };
        let message = format!(
            "{} {verb} in several rows that say the same, and each was taken once: {}{}",
            counted(count, what),
            shown.join(", "),
            more(count, shown.len())
        );
        reading.notices.push(Notice { file: String::new(), message });
        if self.is_of_students() {
            self.tell_added_up(connection, reading).await?;
        }
        Ok(())
    }

    /// Says whose classes were added up.
    async fn tell_added_up(
        &self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
    ) -> Result<(), RosterWriteError> {
        let several = format!(
            "FROM temp.doubled_owners AS o JOIN {} AS d ON d.id = o.id WHERE o.members = 'class_members' AND d.differs = ''",
            self.name()
        );
        let count = count_of(connection, &format!("SELECT COUNT(*) {several}")).await?;
        if count == 0 {
            return Ok(());
        }
        let first = format!("SELECT o.id, o.one, o.other {several} ORDER BY o.id LIMIT {SHOWN}");
        let mut query = QueryBuilder::<Sqlite>::new(first);
        let rows: Vec<(String, String, String)> =
            query.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        let shown: Vec<String> =
            rows.into_iter().map(|(id, one, other)| format!("{id} in {one} and {other}")).collect();
        let message = format!(
            "the classes of the rows of one student were added up, for {}: {}{}",
            counted(count, "student"),
            shown.join(", "),
            more(count, shown.len())
        );
        reading.notices.push(Notice { file: String::new(), message });
        Ok(())
    }

    /// Reports the rows that are left. Of rows with one identity none is kept, since nothing says which is right; an identity
    /// counts as taken by a bad row too.
    async fn refuse(
        &self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
    ) -> Result<(), RosterWriteError> {
        let (name, table, by) = (self.name(), self.table.table, self.by);
        let tables = match table {
            RosterTable::Students => {
                vec![RosterTable::Students, RosterTable::GroupMembers, RosterTable::ClassMembers]
            }
            RosterTable::Groups
            | RosterTable::Classes
            | RosterTable::GroupMembers
            | RosterTable::ClassMembers => vec![table],
        };
        let statement = format!(
            "SELECT s.file, s.line, s.{by}, d.file, d.line, d.differs, COALESCE(d.one, ''), COALESCE(d.other, '')
             FROM {name} AS d CROSS JOIN temp.staged_{table} AS s ON s.{by} = d.id AND s.n > d.n ORDER BY s.n"
        );
        let mut found = QueryBuilder::<Sqlite>::new(statement);
        {
            let mut rows = found.build().persistent(false).fetch(&mut *connection);
            while let Some(row) = rows.try_next().await? {
                let [file, line, first_file, first_line] = [0, 1, 3, 4].map(|at| row.try_get::<i64, _>(at));
                let (file, first_file) = (file_name(reading, file?), file_name(reading, first_file?));
                let [id, differs, one, other] = [2, 5, 6, 7].map(|at| row.try_get::<String, _>(at));
                let (id, line) = (id?, line?);
                let places = two_places((&first_file, first_line?), (&file, line));
                let message =
                    format!("{id} stands in {places}{}", self.contradiction(&differs?, [&one?, &other?]));
                let line = u64::try_from(line).unwrap_or_default();
                // A repeated key is a fault of the whole row.
                let problem = ImportProblem { file, line, column: 1, code: "duplicate-id", message };
                reading.refuse_row(&tables, problem);
            }
        }
        if self.is_of_students() {
            // What such a row says of groups and classes goes with it.
            for members in ["group_members", "class_members"] {
                let places = format!(
                    "SELECT s.file, s.line FROM temp.staged_students AS s WHERE s.key IN (SELECT id FROM {name})"
                );
                let refused = format!(
                    "UPDATE temp.staged_{members} SET good = 0 WHERE (file, line) IN ({places})
                     AND ref IN (SELECT id FROM {name})"
                );
                run(connection, refused).await?;
            }
            run(connection, format!("DELETE FROM temp.staged_columns WHERE ref IN (SELECT id FROM {name})"))
                .await?;
        }
        run(
            connection,
            format!("UPDATE temp.staged_{table} SET good = 0 WHERE {by} IN (SELECT id FROM {name})"),
        )
        .await?;
        Ok(())
    }

    /// What rows with one identity differ in, and the cure.
    fn contradiction(&self, differs: &str, [one, other]: [&str; 2]) -> String {
        let mut columns: Vec<&str> = differs
            .split(' ')
            .filter_map(|at| self.table.columns.get(at.parse::<usize>().ok()?))
            .map(String::as_str)
            .collect();
        let groups = format!("group ({one} and {other})");
        if !one.is_empty() {
            columns.push(&groups);
        }
        match (columns.is_empty(), one.is_empty()) {
            (true, _) => ": leave one of them".to_owned(),
            (false, true) => format!(", with another {}: leave the row that is right", columns.join(", ")),
            (false, false) => format!(
                ", with another {}: leave the row that is right; who belongs to both groups stands in a file group_members.csv \
                 (student_id,group_code), a row for each",
                columns.join(", ")
            ),
        }
    }
}

/// Finds the memberships that a row of a student brings.
pub(super) async fn index_places(connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
    for members in ["group_members", "class_members"] {
        let index = format!(
            "CREATE INDEX IF NOT EXISTS temp.staged_{members}_by_place ON staged_{members} (file, line)"
        );
        run(connection, index).await?;
    }
    Ok(())
}

fn file_name(reading: &Reading, file: i64) -> String {
    reading.file_name(usize::try_from(file).unwrap_or(usize::MAX))
}

/// `lines 2 and 5`, or `a.csv line 2 and b.csv line 5`.
fn two_places((one_file, one): (&str, i64), (other_file, other): (&str, i64)) -> String {
    if one_file == other_file {
        format!("lines {one} and {other}")
    } else {
        format!("{one_file} line {one} and {other_file} line {other}")
    }
}

fn more(count: u64, shown: usize) -> String {
    let more = count.saturating_sub(u64::try_from(shown).unwrap_or(u64::MAX));
    if more == 0 { String::new() } else { format!(" and {more} more") }
}
