//! What is wanted and what is recorded in one target of a course.

use std::collections::{BTreeMap, BTreeSet};

use crate::classin_plan::enrolment::{EnrolmentRecord, Evidence};
use crate::roster::{ClassTarget, ClassinUid, CourseId, Enrolment, StudentId};

/// One target: a class, or the whole course.
#[derive(Default)]
pub(super) struct Place<'a> {
    /// In the order of class code and student.
    pub(super) wanted: Vec<&'a Enrolment>,
    /// By account; what is gone is left out.
    pub(super) recorded: BTreeMap<ClassinUid, &'a EnrolmentRecord>,
    /// The enrolment that wants each account here; the first of several.
    pub(super) wanted_uids: BTreeMap<ClassinUid, &'a Enrolment>,
    /// Every wanted pair of student and account.
    pub(super) wanted_pairs: BTreeSet<(&'a StudentId, ClassinUid)>,
    /// Students wanted here whose account is not known.
    pub(super) wanted_without_uid: BTreeSet<&'a StudentId>,
}

impl<'a> Place<'a> {
    fn take_wanted(&mut self, row: &'a Enrolment) {
        match row.uid {
            Some(uid) => {
                self.wanted_uids.entry(uid).or_insert(row);
                self.wanted_pairs.insert((&row.student, uid));
            }
            None => {
                self.wanted_without_uid.insert(&row.student);
            }
        }
        self.wanted.push(row);
    }
}

/// Every target of one course, the whole course first.
pub(super) fn places<'a>(
    course: CourseId,
    wanted: &'a [Enrolment],
    recorded: &'a [EnrolmentRecord],
) -> BTreeMap<ClassTarget, Place<'a>> {
    let mut places: BTreeMap<ClassTarget, Place<'a>> = BTreeMap::new();
    let mut rows: Vec<&Enrolment> = wanted.iter().filter(|row| row.target.course == course).collect();
    rows.sort_by_cached_key(|row| (row.target, &row.class_code, &row.student, row.uid));
    rows.dedup();
    for row in rows {
        places.entry(row.target).or_default().take_wanted(row);
    }
    let records = recorded.iter().filter(|record| record.evidence != Evidence::Gone);
    for record in records.filter(|record| record.target.course == course) {
        places.entry(record.target).or_default().recorded.insert(record.uid, record);
    }
    places
}
