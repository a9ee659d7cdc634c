//! Applies what was put aside, in one transaction: compares, asks the guard, writes only what differs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::compare::{ABSENT, add_columns, compare, compare_leavers, count_of, quoted};
use super::difference::{ImportDifference, Shrink, TableDifference, Verdict};
use super::history::{self, Departing, Occasion, moved_lately};
use super::members::{compare_members, write_members};
use super::staging::{KeyedTable, Staging, run};
use super::{Commit, MIGRATIONS, RosterWriteError, found};
use super::{preview, previous};
use rosterd_core::exam_plan::allowance;
use rosterd_core::roster::Limit;
use rosterd_import::{Completeness, RosterTable};

/// So few may go over from one group to others, however small it is.
const MOVES_OF_FEW: i64 = 5;
/// Groups that a refusal names.
const SHOWN_MOVES: i64 = 10;
/// Changed rows that are looked up at once.
const ROWS_AT_ONCE: i64 = 500;

impl Staging {
    /// The number of students in the good rows who have not left.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn students_here(&mut self) -> Result<u64, RosterWriteError> {
        let active = self.students.columns.iter().position(|column| column == "active").unwrap_or_default();
        let here = format!("SELECT COUNT(*) FROM temp.staged_students WHERE good = 1 AND v{active} IS NOT 0");
        count_of(&mut self.connection, &here).await
    }

    /// Brings the database into line with the rows, in one transaction. Rows that already agree are not
    /// written. Absence counts only in the complete tables of a whole roster. If more than `limit` allows
    /// would go from any table or column, with what went by other imports of the last 24 hours, nothing is written.
    ///
    /// # Errors
    /// [`RosterWriteError::NoStudents`] for a whole roster without any, and failures of the database.
    pub async fn apply(
        mut self,
        complete: &BTreeSet<RosterTable>,
        completeness: Completeness,
        limit: Option<Limit>,
        (commit, occasion): (Commit, &Occasion),
    ) -> Result<Verdict, RosterWriteError> {
        let whole = completeness == Completeness::Whole;
        let absence_counts = |table| whole && complete.contains(&table);
        if absence_counts(RosterTable::Students) && self.students_here().await? == 0 {
            return Err(RosterWriteError::NoStudents);
        }
        let Self {
            mut connection,
            is_empty,
            keeps,
            students,
            groups,
            classes,
            replaces_all,
            reveals,
            reassigns: _,
        } = self;
        if is_empty {
            MIGRATIONS.run(&mut *connection).await.map_err(RosterWriteError::of_migration)?;
        }
        // The write lock is taken at once: a transaction that read first could not get it later.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        history::prepare(&mut transaction, is_empty).await?;
        let mut difference = ImportDifference {
            added_columns: add_columns(&mut transaction, &students).await?,
            students: compare(&mut transaction, &students).await?,
            groups: compare(&mut transaction, &groups).await?,
            classes: compare(&mut transaction, &classes).await?,
            ..ImportDifference::default()
        };
        if absence_counts(RosterTable::Students) {
            compare_leavers(&mut transaction, &mut difference.students).await?;
        }
        let mut in_several = Vec::new();
        for (table, slot) in [
            (RosterTable::GroupMembers, &mut difference.group_members),
            (RosterTable::ClassMembers, &mut difference.class_members),
        ] {
            *slot = compare_members(&mut transaction, table, absence_counts(table), replaces_all).await?;
            in_several.extend(super::members::in_several(&mut transaction, table).await?);
        }
        let mut departing = vec![
            Departing::students(&students, absence_counts(RosterTable::Students)),
            Departing::memberships(RosterTable::GroupMembers),
            Departing::memberships(RosterTable::ClassMembers),
        ];
        departing.extend([&students, &groups, &classes].into_iter().flat_map(Departing::columns));
        let too_much = match limit {
            Some(limit) => shrinks(&mut transaction, &departing, (limit, occasion.now)).await?,
            None => Vec::new(),
        };
        if commit == Commit::DryRun || !too_much.is_empty() {
            let absence_counts = absence_counts(RosterTable::Students);
            preview::count_by_group(&mut transaction, &students, absence_counts, &mut difference).await?;
            for (table, slot) in [
                (&students, &mut difference.students),
                (&groups, &mut difference.groups),
                (&classes, &mut difference.classes),
            ] {
                if reveals {
                    preview::show_values(&mut transaction, table, slot).await?;
                }
            }
            transaction.rollback().await?;
            return Ok(Verdict { difference, too_much, in_several });
        }
        // One that changes nothing says that the roster is of today.
        let import = history::note_import(&mut transaction, occasion, !difference.is_empty()).await?;
        if !difference.is_empty() {
            // What a person let go counts against nothing.
            let moves = [RosterTable::GroupMembers, RosterTable::ClassMembers].map(Departing::moves);
            for departing in departing.iter().chain(&moves).filter(|_| limit.is_some()) {
                departing.note(&mut transaction, import).await?;
            }
            history::note_brought(&mut transaction).await?;
        }
        let is_kept = keeps && !difference.is_empty();
        if is_kept {
            previous::begin_notes(&mut transaction).await?;
        }
        for (table, difference) in [
            (&students, &difference.students),
            (&groups, &difference.groups),
            (&classes, &difference.classes),
        ] {
            write_rows(&mut transaction, table, difference).await?;
        }
        if absence_counts(RosterTable::Students) && difference.students.left > 0 {
            run(&mut transaction, format!("UPDATE main.students AS t SET active = 0 WHERE {ABSENT}")).await?;
        }
        write_members(&mut transaction, RosterTable::GroupMembers, &difference.group_members).await?;
        write_members(&mut transaction, RosterTable::ClassMembers, &difference.class_members).await?;
        if is_kept {
            previous::end_notes(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(Verdict { difference, too_much, in_several })
    }
}

async fn shrinks(
    connection: &mut SqliteConnection,
    departing: &[Departing],
    (limit, now): (Limit, Timestamp),
) -> Result<Vec<Shrink>, RosterWriteError> {
    let mut found = Vec::new();
    for departing in departing {
        let (leaving, earlier, total) = departing.count(connection, now).await?;
        let limit = allowance(limit, total);
        if leaving > 0 && leaving.saturating_add(earlier) > limit {
            let column = departing.column.clone();
            let (table, group) = (departing.table, None);
            found.push(Shrink { table, column, group, leaving, earlier, total, limit });
        }
    }
    found.extend(moves(connection, now).await?);
    Ok(found)
}

/// Groups and classes of which more than half, and more than a few, would have gone over to others within a day.
async fn moves(connection: &mut SqliteConnection, now: Timestamp) -> Result<Vec<Shrink>, RosterWriteError> {
    let mut found = Vec::new();
    for table in [RosterTable::GroupMembers, RosterTable::ClassMembers] {
        let moving = format!("FROM temp.removed_{table} WHERE replaced = 1");
        if count_of(connection, &format!("SELECT COUNT(*) {moving}")).await? == 0 {
            continue;
        }
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "WITH moving AS (SELECT code, COUNT(*) AS leaving {moving} GROUP BY code),
                 lately AS (SELECT code, COUNT(*) AS earlier FROM ({}) GROUP BY code),
                 judged AS (SELECT m.code, m.leaving, COALESCE(l.earlier, 0) AS earlier,
                     (SELECT COUNT(*) FROM temp.present_{table} AS p WHERE p.code = m.code) AS present
                     FROM moving AS m LEFT JOIN lately AS l ON l.code = m.code)
             SELECT code, leaving, earlier, present + earlier FROM judged
             WHERE leaving + earlier > {MOVES_OF_FEW} AND (leaving + earlier) * 2 > present + earlier
             ORDER BY code LIMIT {SHOWN_MOVES}",
            moved_lately(table, now)
        ));
        let rows: Vec<(String, i64, i64, i64)> =
            query.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
        found.extend(rows.into_iter().map(|(group, leaving, earlier, total)| {
            let [leaving, earlier, total] =
                [leaving, earlier, total].map(|count| u64::try_from(count).unwrap_or_default());
            let (column, group) = (None, Some(group));
            Shrink { table, column, group, leaving, earlier, total, limit: total / 2 }
        }));
    }
    Ok(found)
}

/// Writes changed rows and new ones. Nothing is taken away here.
async fn write_rows(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
    difference: &TableDifference,
) -> Result<(), RosterWriteError> {
    if difference.changed > 0 || difference.left > 0 {
        update_changed(connection, table).await?;
    }
    if difference.added == 0 {
        return Ok(());
    }
    let (name, key) = (table.table, table.key());
    let (mut columns, mut values) = (String::new(), String::new());
    for (at, column) in table.compared() {
        columns.push_str(&format!(", {}", quoted(column)));
        // A new student is there unless the file says otherwise.
        let absent = if name == RosterTable::Students && column == "active" { "1" } else { "NULL" };
        values.push_str(&format!(", COALESCE(NULLIF(s.v{at}, ''), {absent})"));
    }
    let statement = format!(
        "INSERT INTO main.{name} ({key}{columns}) SELECT s.key{values} FROM temp.staged_{name} AS s
         WHERE s.good = 1 AND s.n NOT IN (SELECT n FROM temp.compared_{name}) ORDER BY s.n"
    );
    run(connection, statement).await?;
    Ok(())
}

async fn update_changed(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
) -> Result<(), RosterWriteError> {
    let (name, columns) = (table.table, table.compared());
    let mut last = 0_i64;
    loop {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT c.n, s.key, c.letters
             FROM temp.compared_{name} AS c CROSS JOIN temp.staged_{name} AS s ON s.n = c.n
             WHERE INSTR(c.letters, '1') > 0 AND c.n > "
        ));
        query.push_bind(last).push(" ORDER BY c.n LIMIT ").push_bind(ROWS_AT_ONCE);
        let rows = query.build().fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            last = row.try_get(0)?;
            let (key, letters): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            let differing = letters.chars().zip(&columns).filter(|(letter, _)| *letter == '1');
            let differing: Vec<(usize, &str)> = differing.map(|(_, column)| *column).collect();
            update(connection, table, (last, &key), &differing).await?;
        }
    }
}

/// Sets the columns that differ, and no others: the school may watch them.
async fn update(
    connection: &mut SqliteConnection,
    table: &KeyedTable,
    (n, key): (i64, &str),
    columns: &[(usize, &str)],
) -> Result<(), RosterWriteError> {
    let name = table.table;
    let mut statement = QueryBuilder::<Sqlite>::new(format!("UPDATE main.{name} SET "));
    for (number, (at, column)) in columns.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        statement.push(format_args!(
            "{comma}{} = (SELECT NULLIF(s.v{at}, '') FROM temp.staged_{name} AS s WHERE s.n = ",
            quoted(column)
        ));
        statement.push_bind(n).push(")");
    }
    statement.push(format_args!(" WHERE {} = ", table.key())).push_bind(key);
    let done = statement.build().execute(connection).await?;
    found(done.rows_affected(), name, key)
}
