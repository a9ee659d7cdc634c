//! What an admin should know of the rows put aside, though it stops nothing: ids of several lengths, ids that are new,
//! people whose id changed, students who are there again.

use sqlx::{QueryBuilder, Row, Sqlite};

use super::RosterWriteError;
use super::checks::has_column;
use super::compare::count_of;
use super::staging::{Staging, run};
use rosterd_core::counted::counted;
use rosterd_core::roster::shell_words;
use rosterd_import::{Completeness, Notice, Reading};

/// So many new ids are no sign of a mistake yet.
const FEW: i64 = 5;
/// Brothers and sisters may share a telephone number.
const SHARED_BY_FEW: i64 = 4;

impl Staging {
    /// A spreadsheet that eats leading zeros leaves ids of several lengths.
    pub(super) async fn tell_lengths(&mut self, reading: &mut Reading) -> Result<(), RosterWriteError> {
        let row = sqlx::query(
            "SELECT COALESCE(MIN(LENGTH(key)), 0), COALESCE(MAX(LENGTH(key)), 0), COALESCE(SUM(key GLOB '0*'), 0)
             FROM temp.staged_students WHERE good = 1 AND key NOT GLOB '*[^0-9]*'",
        )
        .fetch_one(&mut *self.connection)
        .await?;
        let [shortest, longest, zeros] = [0, 1, 2].map(|at| row.try_get::<i64, _>(at));
        let (shortest, longest) = (shortest?, longest?);
        if shortest < longest && longest >= 4 {
            let zeros = if zeros? == 0 { "none begins" } else { "only some begin" };
            let message = format!(
                "ids have {shortest} to {longest} digits and {zeros} with a zero: a spreadsheet may have taken zeros"
            );
            reading.notices.push(Notice { file: String::new(), message });
        }
        Ok(())
    }

    /// One telephone number of many students is an office's, or was filled down.
    pub(super) async fn tell_shared_phones(&mut self, reading: &mut Reading) -> Result<(), RosterWriteError> {
        let Some(at) = self.students.columns.iter().position(|column| column == "phone") else {
            return Ok(());
        };
        if !self.students.given.contains(&at) {
            return Ok(());
        }
        let shared = format!(
            "SELECT COUNT(*), MIN(key), MAX(key) FROM temp.staged_students WHERE good = 1 AND v{at} <> '' GROUP BY v{at}
             HAVING COUNT(*) > {SHARED_BY_FEW}"
        );
        let mut query = QueryBuilder::<Sqlite>::new(format!("{shared} ORDER BY 1 DESC, 2 LIMIT 3"));
        let rows: Vec<(i64, String, String)> =
            query.build_query_as().persistent(false).fetch_all(&mut *self.connection).await?;
        let Some((most, one, other)) = rows.first() else { return Ok(()) };
        let message = format!(
            "one telephone number stands for {most} students, {one} and {other} among them: it is not their own, and leaves them \
             without one where it is to tell them apart"
        );
        reading.notices.push(Notice { file: String::new(), message });
        Ok(())
    }

    /// A person of the bundle whose id here is another than in the roster: the new id is entered, and the old one leaves,
    /// for the two are one person.
    pub(super) async fn follow_changed_ids(
        &mut self,
        reading: &mut Reading,
        completeness: Completeness,
    ) -> Result<(), RosterWriteError> {
        let active = self.students.columns.iter().position(|column| column == "active").unwrap_or_default();
        let changed = "FROM temp.staged_students AS s JOIN temp.known_refs AS k ON k.ref = s.ref
             WHERE s.good = 1 AND s.departs = 0 AND k.key <> s.key
             AND k.key NOT IN (SELECT o.key FROM temp.staged_students AS o)";
        let count = count_of(&mut self.connection, &format!("SELECT COUNT(*) {changed}")).await?;
        let mut first =
            QueryBuilder::<Sqlite>::new(format!("SELECT k.key, s.key {changed} ORDER BY k.key LIMIT 5"));
        let first: Vec<(String, String)> =
            first.build_query_as().persistent(false).fetch_all(&mut *self.connection).await?;
        let Some((old, new)) = first.first() else { return Ok(()) };
        let shown: Vec<String> = first.iter().map(|(old, new)| format!("{old} is now {new}")).collect();
        let people = if count == 1 {
            "1 person of the bundle has"
        } else {
            &format!("{count} people of the bundle have")
        };
        let message = format!(
            "{people} another id than in the roster ({}{}); carry over what is remembered of each \
             before the next run: rosterd relink {}",
            shown.join(", "),
            if count > 5 { ", …" } else { "" },
            shell_words(&[old, new]),
        );
        reading.notices.push(Notice { file: String::new(), message });
        // A whole bundle says all memberships itself.
        if completeness == Completeness::Partial {
            self.carry_memberships_over(changed).await?;
        }
        let leavers = format!(
            "INSERT INTO temp.staged_students (file, line, good, key, ref, departs, needs_role, v{active})
             SELECT s.file, s.line, 1, k.key, '', 1, 0, 0 {changed}"
        );
        run(&mut self.connection, leavers).await?;
        Ok(())
    }

    /// A part of the truth does not repeat what it does not change: a person's groups, classes and account go over to the new
    /// id, but for what these files take away.
    async fn carry_memberships_over(&mut self, changed: &str) -> Result<(), RosterWriteError> {
        let uid = self.students.columns.iter().position(|column| column == "classin_uid").unwrap_or_default();
        for (table, code) in [("group_members", "group_code"), ("class_members", "class_code")] {
            let members = format!(
                "INSERT INTO temp.staged_{table} (file, line, good, ref, key, code, departs)
                 SELECT DISTINCT s.file, s.line, 1, s.ref, s.key, CAST(m.{code} AS TEXT), 0 {from}
                 AND m.{code} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM temp.staged_{table} AS o
                     WHERE o.key = s.key AND o.code = CAST(m.{code} AS TEXT))",
                from = changed.replacen(
                    "WHERE",
                    &format!("JOIN main.{table} AS m ON CAST(m.student_id AS TEXT) = k.key WHERE"),
                    1
                ),
            );
            run(&mut self.connection, members).await?;
        }
        let account =
            "SELECT t.classin_uid FROM temp.known_refs AS k JOIN main.students AS t ON CAST(t.student_id AS TEXT) = k.key
             WHERE k.ref = staged_students.ref";
        let accounts = format!(
            "UPDATE temp.staged_students SET v{uid} = ({account}) WHERE v{uid} IS NULL AND ({account}) IS NOT NULL
             AND n IN (SELECT s.n {changed})"
        );
        if run(&mut self.connection, accounts).await? > 0 {
            self.students.given.insert(uid);
        }
        Ok(())
    }

    /// Ids that are new to a roster that is not: the wrong column may have been taken for the id.
    pub(super) async fn tell_new(&mut self, reading: &mut Reading) -> Result<(), RosterWriteError> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM temp.known_students), COUNT(*),
                    COALESCE(SUM(key NOT IN (SELECT key FROM temp.known_students)), 0)
             FROM temp.staged_students WHERE good = 1 AND departs = 0",
        )
        .fetch_one(&mut *self.connection)
        .await?;
        let [known, given, new] = [0, 1, 2].map(|at| row.try_get::<i64, _>(at));
        let (known, given, new) = (known?, given?, new?);
        if known > 0 && new >= FEW && new * 2 > given {
            let message = format!(
                "{new} of {given} ids are new to a roster of {known}: is the right column the id, and is it written as before?"
            );
            reading.notices.push(Notice { file: String::new(), message });
        }
        Ok(())
    }

    /// Students who had left and whom the files name.
    pub(super) async fn tell_returned(&mut self, reading: &mut Reading) -> Result<(), RosterWriteError> {
        if self.is_empty || !has_column(&mut self.connection, "active").await? {
            return Ok(());
        }
        let active = self.students.columns.iter().position(|column| column == "active").unwrap_or_default();
        let returned = format!(
            "SELECT COUNT(*) FROM main.students AS t CROSS JOIN temp.staged_students AS s
             ON s.key = CAST(t.student_id AS TEXT) AND s.good = 1 AND s.v{active} = 1 WHERE t.active = 0"
        );
        let count = count_of(&mut self.connection, &returned).await?;
        if count > 0 {
            let message = format!(
                "there again, as the files have them, though they had left: {}",
                counted(count, "student")
            );
            reading.notices.push(Notice { file: String::new(), message });
        }
        Ok(())
    }
}
