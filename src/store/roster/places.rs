//! Groups and classes of the roster, each with what makes its row unusable.

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::cursor::ClassCursor;
use super::tables::ACTIVE;
use super::value::{Number, number, problem, text};
use super::{RosterError, RosterSnapshot};
use rosterd_core::roster::{
    Class, ClassCode, ClassId, ClassTarget, CourseId, Gid, Group, GroupCode, RosterProblem,
};

const REPEATED: &str = "comes more than once, blanks and invisible characters aside: keep one row";

impl RosterSnapshot<'_> {
    /// The groups, by code; a row that cannot be used says why, and is reported.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn groups(&mut self) -> Result<(Vec<Group>, Vec<RosterProblem>), RosterError> {
        let sql = format!(
            "SELECT CAST(g.group_code AS TEXT) AS code, CAST(g.title AS TEXT) AS title, g.gid AS gid, \
             {} AS raw, {} AS is_binary FROM {} AS g ORDER BY g.group_code COLLATE BINARY",
            self.tables.raw_id("g", "group_code"),
            self.tables.has_binary_id("g"),
            self.tables.groups
        );
        let rows = self.places("groups", sql).await?;
        let mut problems: Vec<RosterProblem> = without_code("groups", &rows).into_iter().collect();
        let has_nameless = !problems.is_empty();
        let mut groups: Vec<Group> = Vec::new();
        for place in places(&rows) {
            let gid = number(place.row, "gid");
            let flaw = place.flaw.map(ToOwned::to_owned);
            let flaw =
                flaw.or_else(|| gid.flaw().map(|holds| format!("gid holds {holds}: enter the group's id")));
            let gid = gid.id().filter(|_| flaw.is_none()).map(Gid);
            let title = text(place.row, "title").unwrap_or_default();
            let group = Group { code: GroupCode::new(place.code), title, gid, flaw };
            match groups.last_mut() {
                Some(last) if last.code == group.code && (!place.is_same || last.gid != group.gid) => {
                    (last.gid, last.flaw) = (None, Some(REPEATED.to_owned()));
                }
                Some(last) if last.code == group.code => {}
                Some(_) | None => groups.push(group),
            }
        }
        let flawed = groups.iter().filter_map(|group| Some((group.code.as_str(), group.flaw.as_deref()?)));
        problems.extend(flawed.map(|(code, flaw)| problem("groups", code, flaw)));
        if let Some(RosterProblem { what, .. }) = problems.first().filter(|_| has_nameless) {
            // It stands on the roster all the same.
            let (code, title, flaw) = (GroupCode::new(""), String::new(), Some(what.clone()));
            groups.insert(0, Group { code, title, gid: None, flaw });
        }
        Ok((groups, problems))
    }

    /// The classes, by code; a row that cannot be used says why, and is reported.
    ///
    /// # Errors
    /// When the roster cannot be read.
    pub async fn classes(&mut self) -> Result<(Vec<Class>, Vec<RosterProblem>), RosterError> {
        let sql = format!(
            "SELECT CAST(c.class_code AS TEXT) AS code, CAST(c.title AS TEXT) AS title, \
             c.course_id AS course_id, c.class_id AS class_id, {} AS raw, {} AS is_binary \
             FROM {} AS c ORDER BY c.class_code COLLATE BINARY",
            self.tables.raw_id("c", "class_code"),
            self.tables.has_binary_id("c"),
            self.tables.classes
        );
        let rows = self.places("classes", sql).await?;
        let mut problems: Vec<RosterProblem> = without_code("classes", &rows).into_iter().collect();
        let mut classes: Vec<Class> = Vec::new();
        for place in places(&rows) {
            let (target, flaw) = match (place.flaw, target(place.row)) {
                (Some(flaw), _) => (None, Some(flaw.to_owned())),
                (None, Ok(target)) => (target, None),
                (None, Err(flaw)) => (None, Some(flaw)),
            };
            let title = text(place.row, "title").unwrap_or_default();
            let class = Class { code: ClassCode::new(place.code), title, target, flaw };
            match classes.last_mut() {
                Some(last) if last.code == class.code && (!place.is_same || last.target != class.target) => {
                    (last.target, last.flaw) = (None, Some(REPEATED.to_owned()));
                }
                Some(last) if last.code == class.code => {}
                Some(_) | None => classes.push(class),
            }
        }
        let flawed = classes.iter().filter_map(|class| Some((class.code.as_str(), class.flaw.as_deref()?)));
        problems.extend(flawed.map(|(code, flaw)| problem("classes", code, flaw)));
        Ok((classes, problems))
    }

    async fn places(&mut self, table: &'static str, sql: String) -> Result<Vec<SqliteRow>, RosterError> {
        let failed = self.failure(table);
        sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *self.transaction).await.map_err(failed)
    }

    /// The wanted members of every one of these classes that names a course, class by class in ascending order of ids.
    ///
    /// Only active students whose row can be used are wanted anywhere.
    pub fn wanted_classes(&mut self, classes: &[Class]) -> ClassCursor<'_> {
        let targets: Vec<(&str, i64, i64)> = classes
            .iter()
            .filter_map(|class| {
                let target = class.target?;
                Some((class.code.as_str(), target.course.0, target.class.map_or(0, |class| class.0)))
            })
            .collect();
        // The LIMIT keeps SQLite from flattening the subquery, so that it builds an index for the join.
        let sql = format!(
            "SELECT c.course AS course, c.class AS class, c.code AS code, \
             CAST(s.student_id AS TEXT) AS id, s.classin_uid AS uid \
             FROM (SELECT CAST(value ->> 0 AS TEXT) AS code, value ->> 1 AS course, value ->> 2 AS class \
             FROM json_each(?) LIMIT -1) AS c JOIN {} AS m ON m.class_code = c.code \
             JOIN {} AS s ON s.student_id = m.student_id \
             WHERE {ACTIVE} = 1 AND NOT ({}) AND NOT {} ORDER BY c.course, c.class, c.code, 4",
            self.tables.class_members,
            self.tables.students,
            self.is_nameless(),
            self.tables.has_binary_id("s")
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(serde_json::json!(targets).to_string());
        ClassCursor::new(rows.fetch(&mut *self.transaction), &self.database.path)
    }
}

/// A row of a group or class with a code that can be told.
struct Place<'a> {
    code: String,
    row: &'a SqliteRow,
    /// Whether the row before it has the very same code in the roster, or another one altogether.
    is_same: bool,
    flaw: Option<&'static str>,
}

fn places(rows: &[SqliteRow]) -> impl Iterator<Item = Place<'_>> {
    let mut before: Option<(String, String)> = None;
    rows.iter().filter_map(move |row| {
        let code = text(row, "code").filter(|code| !code.is_empty())?;
        let raw = text(row, "raw").unwrap_or_default();
        let is_same = before.as_ref().is_none_or(|(last, last_raw)| *last != code || *last_raw == raw);
        before = Some((code.clone(), raw));
        let is_binary = !matches!(number(row, "is_binary"), Number::Is(0));
        let flaw = is_binary.then_some("its code is stored as binary data (BLOB): store it as text");
        Some(Place { code, row, is_same, flaw })
    })
}

/// One line about all rows without a code that can be told.
fn without_code(table: &'static str, rows: &[SqliteRow]) -> Option<RosterProblem> {
    let count = rows.iter().filter(|row| text(row, "code").is_none_or(|code| code.is_empty())).count();
    let key = if table == "groups" { "group_code" } else { "class_code" };
    let rows = if count == 1 { "row has" } else { "rows have" };
    let what = format!("{count} {rows} no {key} that can be read: enter one");
    (count > 0).then(|| problem(table, &format!("(no {key})"), &what))
}

/// The course and class of a row.
fn target(row: &SqliteRow) -> Result<Option<ClassTarget>, String> {
    let (course, class) = (number(row, "course_id"), number(row, "class_id"));
    let flawed = |column: &str, number: &Number| {
        number.flaw().map_or(Ok(()), |holds| Err(format!("{column} holds {holds}: enter the id on ClassIn")))
    };
    flawed("course_id", &course)?;
    flawed("class_id", &class)?;
    match (course.id(), class.id().map(ClassId)) {
        (Some(course), class) => Ok(Some(ClassTarget { course: CourseId(course), class })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err("has a class_id but no course_id: enter it".to_owned()),
    }
}
