//! The pass row by row: for a roster in which anything is odd.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::pin::pin;

use futures_util::stream::StreamExt;

use super::Terms;
use crate::run::exam::ExamSyncError;
use crate::run::unusable_rows::unusable;
use crate::store::{RosterSnapshot, StoreError, StudentCursor};
use rosterd_core::exam_plan::{CannotReason, Diff, DiffBuilder, Link, RosterCertificate, SharedLogins};
use rosterd_core::roster::StudentId;

/// Passes the roster once; once more in the same transaction for every discovery of shared login values.
pub(super) async fn pass(
    terms: &Terms<'_>,
    snapshot: &mut RosterSnapshot<'_>,
    mut shared: SharedLogins,
) -> Result<(Diff, RosterCertificate), ExamSyncError> {
    let counted = snapshot.count_student_rows().await?;
    let repeated = snapshot.repeated_students().await?;
    loop {
        let links = terms.state.links(terms.last_complete);
        let students = snapshot.students().await?;
        let (builder, students) = merge(terms.builder(&shared), students, links, &repeated).await?;
        let tally = students.tally(counted, terms.least);
        drop(students);
        match builder.finish() {
            Ok(diff) => {
                let certified = RosterCertificate::of(&diff, tally);
                let certificate = certified.map_err(|flaw| snapshot.incomplete(flaw))?;
                return Ok((diff, certificate));
            }
            Err(found) => shared.extend(found),
        }
    }
}

/// Both sides come in ascending order of student id; what has one id belongs together.
async fn merge<'s, 'r>(
    mut builder: DiffBuilder<'s>,
    mut students: StudentCursor<'r>,
    links: impl futures_util::Stream<Item = Result<Link, StoreError>>,
    repeated: &HashSet<StudentId>,
) -> Result<(DiffBuilder<'s>, StudentCursor<'r>), ExamSyncError> {
    let mut links = pin!(links);
    let mut student = students.next().await?;
    let mut link = links.next().await.transpose()?;
    loop {
        let order = match (&student, &link) {
            (None, None) => return Ok((builder, students)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(row), Some(link)) => row.student.id.cmp(&link.student),
        };
        let row = if order.is_le() { student.take() } else { None };
        let own = if order.is_ge() { link.take() } else { None };
        let problem = row.as_ref().and_then(|row| unusable(row, repeated)).map(CannotReason::UnusableRow);
        builder.pair(row.map(|row| row.student), own, problem);
        if order.is_le() {
            student = students.next().await?;
        }
        if order.is_ge() {
            link = links.next().await.transpose()?;
        }
    }
}
