//! The pass over text in blocks: for a roster in which nothing is odd, which is nearly every one.
//!
//! Who is plainly as wanted is counted and costs no allocation; everybody else goes the same way as row by row.

use std::cmp::Ordering;

use super::{Passed, Terms};
use crate::run::exam::ExamSyncError;
use crate::store::{
    LinkTextReader, Odd, RosterRow, RosterSnapshot, StoreError, StudentTextReader, groups_of, row_channel,
};
use rosterd_core::exam_plan::{CannotReason, DiffBuilder, RosterCertificate, SharedLogins};

/// So many differences wait until their links are read together.
const LOT: usize = 500;

/// Why the pass is not made to its end.
#[derive(Debug)]
enum Unfinished {
    Odd(Odd),
    Store(StoreError),
}

impl From<Odd> for Unfinished {
    fn from(odd: Odd) -> Self {
        Self::Odd(odd)
    }
}

impl From<StoreError> for Unfinished {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Passes the roster once. Both sides are sent while they are read.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn pass(
    terms: &Terms<'_>,
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<Passed, ExamSyncError> {
    match try_pass(terms, snapshot).await {
        Ok(passed) => Ok(passed),
        Err(Unfinished::Odd(odd)) => Ok(Passed::Odd(odd)),
        Err(Unfinished::Store(error)) => Err(error.into()),
    }
}

async fn try_pass(terms: &Terms<'_>, snapshot: &mut RosterSnapshot<'_>) -> Result<Passed, Unfinished> {
    let counted = snapshot.count_rows().await?;
    let shared = SharedLogins::default();
    let builder = terms.builder(&shared);
    let fields = builder.fields_told_by_links();
    let (student_sender, students) = row_channel();
    let (link_sender, links) = row_channel();
    let pass = Pass {
        terms,
        builder,
        students: snapshot.text_reader(students),
        links: LinkTextReader::new(fields.len(), links),
        others: Vec::new(),
    };
    // An end of rows counts only where the statement that sent them has come to its end too.
    let (students_sent, links_sent, passed) = tokio::join!(
        snapshot.send_students(student_sender),
        terms.state.send_links(&fields, link_sender),
        pass.run()
    );
    let (builder, students) = passed?;
    students_sent?;
    let unpacked = links_sent?;
    let tally = students.tally(counted, terms.least)?;
    match builder.finish() {
        Ok(diff) => match RosterCertificate::of(&diff, tally) {
            Ok(certificate) => Ok(Passed::Whole(Box::new(diff), certificate, unpacked)),
            Err(_) => Ok(Passed::Odd(Odd::Rows)),
        },
        Err(found) => Ok(Passed::Shared(found)),
    }
}

/// Somebody who is not plainly as wanted.
struct Other {
    row: Option<RosterRow>,
    /// Whose link it is, where there is one.
    link: Option<String>,
}

/// Both sides, in ascending order of student id.
struct Pass<'t, 'b> {
    terms: &'t Terms<'t>,
    builder: DiffBuilder<'b>,
    students: StudentTextReader,
    links: LinkTextReader,
    others: Vec<Other>,
}

impl<'b> Pass<'_, 'b> {
    /// What has one id belongs together.
    async fn run(mut self) -> Result<(DiffBuilder<'b>, StudentTextReader), Unfinished> {
        let mut has_student = self.students.next().await?;
        let mut has_link = self.links.next().await?;
        while has_student || has_link {
            let order = match (has_student, has_link) {
                (true, true) => self.students.id().cmp(self.links.student()),
                (true, false) => Ordering::Less,
                (false, _) => Ordering::Greater,
            };
            if !(order.is_eq() && self.count_as_wanted()) {
                let row = order.is_le().then(|| self.students.row());
                let link = order.is_ge().then(|| self.links.student().to_owned());
                self.others.push(Other { row, link });
                if self.others.len() >= LOT {
                    self.pair_others().await?;
                }
            }
            if order.is_le() {
                has_student = self.students.next().await?;
            }
            if order.is_ge() {
                has_link = self.links.next().await?;
            }
        }
        self.pair_others().await?;
        Ok((self.builder, self.students))
    }

    fn count_as_wanted(&mut self) -> bool {
        let Some((student, link)) = self.students.usable().zip(self.links.unnoted()) else { return false };
        self.builder.count_as_wanted(&student, &link, groups_of)
    }

    /// Gives those who wait to the builder, with their whole links.
    async fn pair_others(&mut self) -> Result<(), Unfinished> {
        let linked: Vec<&str> = self.others.iter().filter_map(|other| other.link.as_deref()).collect();
        let mut links = self.terms.state.links_of(&linked, self.terms.last_complete).await?;
        for Other { row, link } in self.others.drain(..) {
            let link = match link {
                Some(student) => Some(links.remove(student.as_str()).ok_or(Odd::Rows)?),
                None => None,
            };
            let (student, problem) = match row {
                Some(RosterRow { student, unusable }) => (Some(student), unusable),
                None => (None, None),
            };
            self.builder.pair(student, link, problem.map(CannotReason::UnusableRow));
        }
        Ok(())
    }
}
