//! The first time through the courses: who is no longer wanted where, who has no account, and of whom anything is open.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::ClassinSyncError;
use super::contradiction::Contradictions;
use super::courses::{Courses, not_wanted, places};
use super::history::PriorState;
use crate::run::Context;
use crate::run::unreadable_ids::unreadable_since;
use crate::store::RosterSnapshot;
use rosterd_core::classin_plan::{AccountPlanner, MOST_SIBLINGS};
use rosterd_core::roster::{Class, ClassTarget, ClassinUid, Enrolment, RosterProblem, StudentId};

/// What the first reading is for.
pub(super) struct FirstReading {
    /// Of those who are remembered in a class, and not wanted there.
    pub(super) contradictions: Contradictions,
    /// Who is wanted in a class that takes changes, and has no account that we know of and believe.
    pub(super) without_account: BTreeSet<StudentId>,
    /// Who is wanted in a class that takes changes, and is not surely there.
    pub(super) open: BTreeSet<StudentId>,
}

impl FirstReading {
    pub(super) async fn read(
        context: &Context,
        planner: AccountPlanner<'_>,
        prior: &PriorState,
        (classes, problems, repeated): (&[Class], &[RosterProblem], &HashSet<StudentId>),
        snapshot: &mut RosterSnapshot<'_>,
    ) -> Result<Self, ClassinSyncError> {
        let mut leaving = HashSet::new();
        let mut without_account = BTreeSet::new();
        let mut open = BTreeSet::new();
        let mut courses = Courses::begin(context, planner, (classes, repeated), snapshot).await?;
        while let Some((course, members)) = courses.next().await? {
            let remembered = context.state.enrolments_of_course(course).await?;
            leaving.extend(not_wanted(&remembered, &places(&members)));
            let settled =
                remembered.iter().filter(|(record, _)| record.evidence.is_settled() && !record.needs_proof);
            let settled: HashSet<(ClassTarget, ClassinUid)> =
                settled.map(|(record, _)| (record.target, record.uid)).collect();
            open.extend(sharing_with_too_many(&members));
            for member in members.iter().filter(|member| prior.closed(member.target).is_none()) {
                let Enrolment { student, target, uid, .. } = member;
                if uid.is_none() || planner.doubts.contains_key(student) {
                    without_account.insert(student.clone());
                    open.insert(student.clone());
                } else if uid.is_none_or(|uid| !settled.contains(&(*target, uid)))
                    || leaving.contains(student)
                {
                    // Also whose account another one replaces: what they have rests on it.
                    open.insert(student.clone());
                }
            }
        }
        drop(courses);
        let unreadable_since_ms = unreadable_since::<ClassinSyncError>(context, snapshot).await?;
        let asked_about = match &context.exam {
            Some(_) => context.state.asked_about_as_one_person().await?.into_iter().collect(),
            None => HashSet::new(),
        };
        let mut contradictions =
            Contradictions::read(snapshot, &leaving, (classes, problems), unreadable_since_ms).await?;
        contradictions.asked_about = asked_about;
        Ok(Self { contradictions, without_account, open })
    }
}

/// Of one course: who is wanted there by an account that is too many students'. They are looked at also where the account is
/// in every class that it is wanted in.
fn sharing_with_too_many(members: &[Enrolment]) -> BTreeSet<StudentId> {
    let mut students: HashMap<ClassinUid, BTreeSet<&StudentId>> = HashMap::new();
    for Enrolment { student, uid, .. } in members {
        if let Some(uid) = uid {
            students.entry(*uid).or_default().insert(student);
        }
    }
    let shared = students.into_values().filter(|students| students.len() > MOST_SIBLINGS);
    shared.flatten().cloned().collect()
}
