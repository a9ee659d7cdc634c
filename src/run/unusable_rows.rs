//! Rows of students that cannot be used: what is wrong with each.

use std::collections::HashSet;

use rosterd_core::roster::{RosterProblem, StudentId};

use crate::store::{RosterError, RosterRow, RosterSnapshot};

/// What makes a student's row unusable; `None` where nothing does.
pub(super) fn unusable(row: &RosterRow, repeated: &HashSet<StudentId>) -> Option<String> {
    if repeated.contains(&row.student.id) {
        let what = "students has this student_id more than once, blanks and invisible characters aside: keep one row";
        return Some(what.to_owned());
    }
    row.unusable.clone()
}

/// All of them, for runs without an exam side, which otherwise names each among its failures.
pub(super) async fn unusable_students(
    snapshot: &mut RosterSnapshot<'_>,
    repeated: &HashSet<StudentId>,
) -> Result<Vec<RosterProblem>, RosterError> {
    let mut problems = Vec::new();
    let mut students = snapshot.students().await?;
    while let Some(row) = students.next().await? {
        if let Some(what) = unusable(&row, repeated) {
            let key = row.student.id.as_str().to_owned();
            problems.push(RosterProblem { table: "students", key, what });
        }
    }
    Ok(problems)
}
