//! Codes that are no single group or class: several in one cell, such as `7A, 7B`, and numbers that became `701.0`. Where the
//! files or the roster know each of several, they are memberships; else the cell is refused, and no group is made of it.

use futures_util::TryStreamExt;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::RosterWriteError;
use super::compare::count_of;
use super::doubled::index_places;
use super::staging::{Staging, run};
use rosterd_core::counted::counted;
use rosterd_import::{ImportProblem, Notice, Reading, RosterTable};

/// Codes that are looked at at once.
const AT_ONCE: usize = 500;
/// Cells that a notice names.
const SHOWN: usize = 3;

/// What separates the groups of a cell.
const SEPARATORS: [char; 6] = [',', ';', '、', '，', '；', '\n'];
/// What may separate groups, and may be part of a code, such as `3/2`.
const SLASHES: [char; 2] = ['/', '／'];

/// How a code was read, as it is put aside.
#[derive(Clone, Copy)]
enum Form {
    /// Parted by what parts lists: several, unless something is called so.
    List,
    /// Parted by slashes, and the parts are of one form.
    Alike,
    /// Parted by slashes otherwise: a path, unless each is known.
    Path,
    /// A whole number with `.0`.
    Zero,
}

impl Form {
    fn letter(self) -> &'static str {
        match self {
            Self::List => "l",
            Self::Alike => "a",
            Self::Path => "p",
            Self::Zero => "z",
        }
    }
}

impl Staging {
    /// Parts or refuses the codes that cells of students make up.
    pub(super) async fn part_codes(&mut self, reading: &mut Reading) -> Result<(), RosterWriteError> {
        for (members, owners) in [
            (RosterTable::GroupMembers, RosterTable::Groups),
            (RosterTable::ClassMembers, RosterTable::Classes),
        ] {
            Codes { members, owners }.part(&mut self.connection, reading).await?;
        }
        Ok(())
    }
}

/// The codes of groups, or of classes.
#[derive(Clone, Copy)]
struct Codes {
    members: RosterTable,
    owners: RosterTable,
}

impl Codes {
    fn column(self) -> &'static str {
        self.members.columns().get(1).copied().unwrap_or_default()
    }

    async fn part(
        self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
    ) -> Result<(), RosterWriteError> {
        let Self { members, owners } = self;
        let all = format!("FROM temp.staged_{owners} AS s WHERE s.made_up = 1");
        let made_up = format!("{all} AND s.key NOT IN (SELECT key FROM temp.known_{owners})");
        let odd = format!(
            "{made_up} AND (s.key GLOB '*[,;/、，；／]*' OR s.key GLOB '[0-9]*.0' AND s.key NOT GLOB '*[^0-9.]*')"
        );
        if count_of(connection, &format!("SELECT COUNT(*) {odd}")).await? == 0 {
            return Ok(());
        }
        index_places(connection).await?;
        for index in [
            "CREATE INDEX IF NOT EXISTS temp.staged_students_by_place ON staged_students (file, line)"
                .to_owned(),
            format!("CREATE INDEX temp.staged_{members}_by_code ON staged_{members} (code)"),
            "CREATE INDEX IF NOT EXISTS temp.staged_columns_by_code ON staged_columns (members, code)"
                .to_owned(),
        ] {
            run(connection, index).await?;
        }
        let half = |form: &str| {
            format!("SELECT (SELECT COUNT(*) {all} AND s.key GLOB '{form}') * 2 > (SELECT COUNT(*) {all})")
        };
        // Departments are paths however few of them have a slash, and what a list of them had is parted already.
        let has_paths = reading.has_departments || count_of(connection, &half("*[/／]*")).await? > 0;
        let fractions =
            format!("SELECT COUNT(*) {all} AND s.key GLOB '[0-9]*.[0-9]*' AND s.key NOT GLOB '*.0'");
        let has_fractions = count_of(connection, &fractions).await? > 0;
        self.put_parts(connection, &odd, has_paths).await?;
        self.judge(connection, has_fractions).await?;
        self.tell(connection, reading).await?;
        self.refuse(connection, reading).await?;
        self.take_each(connection).await
    }

    /// Puts the parts of each code aside.
    async fn put_parts(
        self,
        connection: &mut SqliteConnection,
        odd: &str,
        has_paths: bool,
    ) -> Result<(), RosterWriteError> {
        for statement in [
            "DROP TABLE IF EXISTS temp.code_parts",
            "CREATE TEMP TABLE code_parts (code TEXT NOT NULL, part TEXT NOT NULL, form TEXT NOT NULL)",
        ] {
            run(connection, statement.to_owned()).await?;
        }
        let mut after = 0_i64;
        loop {
            let mut page = QueryBuilder::<Sqlite>::new(format!("SELECT s.n, s.key {odd} AND s.n > "));
            page.push_bind(after).push(format_args!(" ORDER BY s.n LIMIT {AT_ONCE}"));
            let codes: Vec<(i64, String)> =
                page.build_query_as().persistent(false).fetch_all(&mut *connection).await?;
            let Some((last, _)) = codes.last() else { return Ok(()) };
            after = *last;
            let parted = codes.iter().filter_map(|(_, code)| Some((code, parts(code, has_paths)?)));
            let rows: Vec<(&String, String, &str)> = parted
                .flat_map(|(code, (form, parts))| {
                    parts.into_iter().map(move |part| (code, part, form.letter()))
                })
                .collect();
            for rows in rows.chunks(AT_ONCE) {
                let mut put = QueryBuilder::<Sqlite>::new("INSERT INTO temp.code_parts (code, part, form) ");
                put.push_values(rows, |mut values, (code, part, form)| {
                    values.push_bind(*code).push_bind(part).push_bind(*form);
                });
                put.build().persistent(false).execute(&mut *connection).await?;
            }
        }
    }

    /// Says of each code whether it is several (`s`) or refused (`r`). What is one is left out.
    async fn judge(
        self,
        connection: &mut SqliteConnection,
        has_fractions: bool,
    ) -> Result<(), RosterWriteError> {
        let owners = self.owners;
        let is_known = format!(
            "(EXISTS (SELECT 1 FROM temp.known_{owners} AS k WHERE k.key = p.part)
              OR EXISTS (SELECT 1 FROM temp.staged_{owners} AS o WHERE o.key = p.part AND o.good = 1))"
        );
        let zeros = if has_fractions { "are_known = 1" } else { "1" };
        for statement in [
            "DROP TABLE IF EXISTS temp.code_judged".to_owned(),
            "CREATE TEMP TABLE code_judged (code TEXT PRIMARY KEY, form TEXT, verdict TEXT NOT NULL) WITHOUT ROWID"
                .to_owned(),
            format!(
                "INSERT INTO temp.code_judged SELECT code, form, CASE WHEN form <> 'z' AND are_known = 1 THEN 's' ELSE 'r' END
                 FROM (SELECT p.code, p.form, MIN({is_known}) AS are_known FROM temp.code_parts AS p GROUP BY p.code)
                 WHERE form IN ('l', 'a') OR (form = 'p' AND are_known = 1) OR (form = 'z' AND {zeros})"
            ),
        ] {
            run(connection, statement).await?;
        }
        Ok(())
    }

    async fn tell(
        self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
    ) -> Result<(), RosterWriteError> {
        let several = "FROM temp.code_judged WHERE verdict = 's'";
        let count = count_of(connection, &format!("SELECT COUNT(*) {several}")).await?;
        if count == 0 {
            return Ok(());
        }
        let first = format!(
            "SELECT code || ' (' || (SELECT GROUP_CONCAT(part, ' and ') FROM temp.code_parts AS p WHERE p.code = j.code) || ')'
             FROM (SELECT code {several} ORDER BY code LIMIT {SHOWN}) AS j"
        );
        let mut first = QueryBuilder::<Sqlite>::new(first);
        let shown =
            first.build_query_scalar::<String>().persistent(false).fetch_all(&mut *connection).await?;
        let more = count.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!(
            "{} of {} that several stand in, each known by itself, and taken as one membership each: {}{more}",
            counted(count, "value"),
            self.column(),
            shown.join(", ")
        );
        reading.notices.push(Notice { file: String::new(), message });
        Ok(())
    }

    /// Makes bad rows of those that name what is refused.
    async fn refuse(
        self,
        connection: &mut SqliteConnection,
        reading: &mut Reading,
    ) -> Result<(), RosterWriteError> {
        let Self { members, .. } = self;
        let [_, column] = reading.key_columns(members);
        let tables = [RosterTable::Students, RosterTable::GroupMembers, RosterTable::ClassMembers];
        let named = format!(
            "FROM temp.code_judged AS j CROSS JOIN temp.staged_{members} AS m ON m.code = j.code WHERE j.verdict = 'r'"
        );
        let mut found = QueryBuilder::<Sqlite>::new(format!(
            "SELECT m.file, m.line, m.code, j.form = 'z' {named} AND m.good = 1 ORDER BY m.n"
        ));
        {
            let mut rows =
                found.build_query_as::<(i64, i64, String, bool)>().persistent(false).fetch(&mut *connection);
            while let Some((file, line, code, is_number)) = rows.try_next().await? {
                let file = reading.file_name(usize::try_from(file).unwrap_or(usize::MAX));
                let line = u64::try_from(line).unwrap_or_default();
                let (code, message) = self.why(&code, is_number);
                reading.refuse_row(&tables, ImportProblem { file, line, column, code, message });
            }
        }
        // The student's own row is bad, and what else it says of groups and classes.
        for table in ["students", "group_members", "class_members"] {
            if table == members.name() {
                continue;
            }
            let rows = named.replacen(
                "WHERE",
                &format!(
                    "CROSS JOIN temp.staged_{table} AS s ON s.file = m.file AND s.line = m.line AND s.key = m.key WHERE"
                ),
                1,
            );
            run(
                connection,
                format!("UPDATE temp.staged_{table} SET good = 0 WHERE n IN (SELECT s.n {rows})"),
            )
            .await?;
        }
        let codes = "SELECT code FROM temp.code_judged WHERE verdict = 'r'";
        for statement in [
            format!(
                "DELETE FROM temp.staged_columns WHERE members IN ('group_members', 'class_members')
                 AND ref IN (SELECT m.ref {named})"
            ),
            format!("UPDATE temp.staged_{members} SET good = 0 WHERE code IN ({codes})"),
            format!("DELETE FROM temp.staged_{} WHERE made_up = 1 AND key IN ({codes})", self.owners),
        ] {
            run(connection, statement).await?;
        }
        Ok(())
    }

    fn why(self, code: &str, is_number: bool) -> (&'static str, String) {
        let (column, owner, members) = (self.column(), self.owners.name(), self.members.name());
        if is_number {
            let whole = code.trim_end_matches(".0");
            let why = format!(
                "{column} is {code}, as a program writes the number {whole}: format the column as text, or write {whole}"
            );
            return ("spoiled-code", why);
        }
        let why = format!(
            "{column} seems to name several in one cell ({code}): those are rows of a file {members}.csv (student_id,{column}), one for \
             each; a single one of that name stands in {owner}.csv ({column},title)"
        );
        ("several-codes", why)
    }

    /// Makes a membership of each.
    async fn take_each(self, connection: &mut SqliteConnection) -> Result<(), RosterWriteError> {
        let Self { members, owners } = self;
        let parts = "FROM temp.code_judged AS j JOIN temp.code_parts AS p ON p.code = j.code";
        let codes = "SELECT code FROM temp.code_judged WHERE verdict = 's'";
        for statement in [
            format!(
                "INSERT INTO temp.staged_{members} (file, line, good, ref, key, code, departs)
                 SELECT m.file, m.line, m.good, m.ref, m.key, p.part, m.departs {parts}
                 CROSS JOIN temp.staged_{members} AS m ON m.code = p.code WHERE j.verdict = 's'"
            ),
            format!(
                "INSERT OR IGNORE INTO temp.staged_columns (members, ref, code, own) SELECT c.members, c.ref, p.part, c.own {parts}
                 CROSS JOIN temp.staged_columns AS c ON c.members = '{members}' AND c.code = p.code WHERE j.verdict = 's'"
            ),
            format!("DELETE FROM temp.staged_columns WHERE members = '{members}' AND code IN ({codes})"),
            format!("DELETE FROM temp.staged_{members} WHERE code IN ({codes})"),
            format!("DELETE FROM temp.staged_{owners} WHERE made_up = 1 AND key IN ({codes})"),
        ] {
            run(connection, statement).await?;
        }
        Ok(())
    }
}

/// What a code names, where it seems to be more than a code.
fn parts(code: &str, has_paths: bool) -> Option<(Form, Vec<String>)> {
    if let Some(whole) = code.strip_suffix(".0")
        && !whole.is_empty()
        && whole.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some((Form::Zero, vec![whole.to_owned()]));
    }
    let split = |separators: &[char]| -> Vec<String> {
        let parts = code.split(separators).map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let listed = split(&SEPARATORS);
    if listed.len() > 1 {
        return Some((Form::List, listed));
    }
    let slashed = split(&SLASHES);
    if slashed.len() < 2 || has_paths {
        return None;
    }
    let form = if are_alike(&slashed) { Form::Alike } else { Form::Path };
    Some((form, slashed))
}

/// Whether all are of one form, as `7A` and `10B` are: the same sorts of letters in the same order.
fn are_alike(parts: &[String]) -> bool {
    let form = |text: &str| {
        let mut form: Vec<char> = text
            .chars()
            .map(|letter| match letter {
                '0'..='9' => '0',
                'a'..='z' | 'A'..='Z' => 'a',
                other if other.is_alphabetic() => 'x',
                other => other,
            })
            .collect();
        form.dedup();
        form
    };
    let mut forms = parts.iter().map(|part| form(part));
    let Some(first) = forms.next() else { return true };
    forms.all(|other| other == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_school_are_of_one_form_and_the_parts_of_a_path_are_not() {
        for (parts, alike) in [
            (["7A", "10B"], true),
            (["高一1班", "高一12班"], true),
            (["高一", "1班"], false),
            (["Support", "7A"], false),
        ] {
            assert_eq!(are_alike(&parts.map(str::to_owned)), alike, "{parts:?}");
        }
    }
}
