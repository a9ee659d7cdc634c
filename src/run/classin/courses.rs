//! Goes through the courses: those of the roster with whom it wants there, then those that are only remembered.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::ClassinSyncError;
use super::account::fill_in;
use crate::run::Context;
use crate::store::{ClassCursor, EnrolmentChange, RosterSnapshot, WantedClass};
use rosterd_core::classin_plan::{AccountPlanner, EnrolmentRecord};
use rosterd_core::exam_plan::Digest;
use rosterd_core::roster::{Class, ClassCode, ClassTarget, ClassinUid, CourseId, Enrolment, StudentId};

/// The courses one at a time, in ascending order; one that the roster does not name has nobody wanted in it.
pub(super) struct Courses<'a> {
    context: &'a Context,
    planner: AccountPlanner<'a>,
    /// Students whose id comes more than once: none of their rows counts.
    repeated: &'a HashSet<StudentId>,
    cursor: ClassCursor<'a>,
    /// The first class of the next course.
    ahead: Option<WantedClass>,
    /// What is remembered and not wanted, as far as it is known by now.
    unwanted: BTreeSet<CourseId>,
}

impl<'a> Courses<'a> {
    pub(super) async fn begin(
        context: &'a Context,
        planner: AccountPlanner<'a>,
        (classes, repeated): (&[Class], &'a HashSet<StudentId>),
        snapshot: &'a mut RosterSnapshot<'_>,
    ) -> Result<Self, ClassinSyncError> {
        let unwanted = context.state.remembered_courses().await?;
        let mut cursor = snapshot.wanted_classes(classes);
        let ahead = cursor.next().await?;
        Ok(Self { context, planner, repeated, cursor, ahead, unwanted })
    }

    /// The next course with the wanted members of it and its classes, each with the account that is believed.
    pub(super) async fn next(&mut self) -> Result<Option<(CourseId, Vec<Enrolment>)>, ClassinSyncError> {
        let Some(WantedClass { target, mut members }) = self.ahead.take() else {
            return Ok(self.unwanted.pop_first().map(|course| (course, Vec::new())));
        };
        let course = target.course;
        loop {
            self.ahead = self.cursor.next().await?;
            match &mut self.ahead {
                Some(class) if class.target.course == course => members.append(&mut class.members),
                Some(_) | None => break,
            }
        }
        members.retain(|member| !self.repeated.contains(&member.student));
        self.unwanted.remove(&course);
        fill_in(self.context, self.planner, &mut members).await?;
        Ok(Some((course, members)))
    }
}

/// The first code by which the roster names each class.
pub(super) fn codes(classes: &[Class]) -> HashMap<ClassTarget, ClassCode> {
    let mut codes = HashMap::new();
    for class in classes {
        if let Some(target) = class.target {
            codes.entry(target).or_insert_with(|| class.code.clone());
        }
    }
    codes
}

/// Which accounts are wanted where.
pub(super) fn places(wanted: &[Enrolment]) -> HashSet<(ClassTarget, ClassinUid)> {
    wanted.iter().filter_map(|enrolment| Some((enrolment.target, enrolment.uid?))).collect()
}

/// Who is remembered where nobody wants the account.
pub(super) fn not_wanted(
    remembered: &[(EnrolmentRecord, u32)],
    wanted: &HashSet<(ClassTarget, ClassinUid)>,
) -> HashSet<StudentId> {
    remembered
        .iter()
        .filter(|(record, _)| !wanted.contains(&(record.target, record.uid)))
        .map(|(record, _)| record.student.clone())
        .collect()
}

/// What the roster says of a record from this run on.
pub(super) fn note_presence(
    record: &EnrolmentRecord,
    wanted: &HashSet<(ClassTarget, ClassinUid)>,
    seen_gone: &HashMap<&StudentId, (i64, u32)>,
    changes: &mut Vec<EnrolmentChange>,
) {
    let (uid, target) = (record.uid, record.target);
    if wanted.contains(&(target, uid)) {
        if record.gone_since_ms.is_some() || record.unwanted_since_ms.is_some() {
            changes.push(EnrolmentChange::Returned { record: record.clone() });
        }
    } else if seen_gone.contains_key(&record.student) {
        changes.push(EnrolmentChange::Gone { uid, target });
    } else if record.gone_since_ms.is_some() || record.unwanted_since_ms.is_none() {
        changes.push(EnrolmentChange::Unwanted { uid, target });
    }
}

/// What the roster wants in a class, in one number.
pub(super) fn roster_of(wanted: &[Enrolment]) -> u64 {
    let mut digest = Digest::open("class roster");
    for member in wanted {
        let uid = member.uid.map_or(0, |uid| uid.0);
        digest.text(member.student.as_str()).text(member.class_code.as_str()).number(uid);
    }
    digest.finish().0
}
