//! The first time through the courses: who is no longer wanted where, who has no account, and of whom anything is open.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::ClassinSyncError;
use super::contradiction::Contradictions;
use super::courses::{Courses, not_wanted, places};
use super::history::PriorState;
use super::owners::{Owners, unheard_of};
use crate::run::Context;
use crate::store::RosterSnapshot;
use rosterd_core::classin_plan::{AccountChange, AccountPlanner, EnrolmentRecord, MOST_SIBLINGS};
use rosterd_core::roster::{Class, ClassCode, ClassTarget, ClassinUid, Enrolment, RosterProblem, StudentId};

/// What the first reading is for.
pub(super) struct FirstReading {
    /// Of those who are remembered in a class, and not wanted there.
    pub(super) contradictions: Contradictions,
    /// Who is wanted in a class that takes changes, and has no account that we know of and believe.
    pub(super) without_account: BTreeSet<StudentId>,
    /// Who is wanted in a class that takes changes, and is not surely there.
    pub(super) open: BTreeSet<StudentId>,
    /// The accounts that students are recorded with where those are wanted no more.
    pub(super) replaced: HashMap<StudentId, BTreeSet<ClassinUid>>,
    /// Students who are recorded with accounts that are wanted there for somebody else alone.
    pub(super) recorded_owners: HashMap<ClassinUid, BTreeSet<StudentId>>,
    /// Whose the accounts are that nobody is wanted with where they are recorded.
    pub(super) owners: Owners,
    /// The accounts of siblings for whom no call was ever made.
    pub(super) unheard_of: Vec<AccountChange>,
}

impl FirstReading {
    pub(super) async fn read(
        context: &Context,
        planner: AccountPlanner<'_>,
        prior: &PriorState,
        (classes, problems, lost, repeated): (&[Class], &[RosterProblem], &[&ClassCode], &HashSet<StudentId>),
        snapshot: &mut RosterSnapshot<'_>,
    ) -> Result<Self, ClassinSyncError> {
        let mut leaving = HashSet::new();
        let mut replaced: HashMap<StudentId, BTreeSet<ClassinUid>> = HashMap::new();
        let mut recorded_owners: HashMap<ClassinUid, BTreeSet<StudentId>> = HashMap::new();
        let mut without_account = BTreeSet::new();
        let mut open = BTreeSet::new();
        let mut sharing: BTreeMap<StudentId, ClassinUid> = BTreeMap::new();
        let mut courses = Courses::begin(context, planner, (classes, repeated), snapshot).await?;
        while let Some((course, members)) = courses.next().await? {
            let remembered = prior.remembered(context, course).await?;
            let wanted = places(&members);
            for (record, _) in remembered.iter().filter(|(it, _)| !wanted.contains(&(it.target, it.uid))) {
                replaced.entry(record.student.clone()).or_default().insert(record.uid);
            }
            let owned: HashSet<(ClassTarget, ClassinUid, &StudentId)> =
                members.iter().filter_map(|one| Some((one.target, one.uid?, &one.student))).collect();
            for (EnrolmentRecord { uid, target, student, .. }, _) in &remembered {
                if wanted.contains(&(*target, *uid)) && !owned.contains(&(*target, *uid, student)) {
                    recorded_owners.entry(*uid).or_default().insert(student.clone());
                }
            }
            leaving.extend(not_wanted(&remembered, &wanted));
            let settled =
                remembered.iter().filter(|(record, _)| record.evidence.is_settled() && !record.needs_proof);
            let settled: HashSet<(ClassTarget, ClassinUid)> =
                settled.map(|(record, _)| (record.target, record.uid)).collect();
            let recorded: HashSet<(ClassTarget, ClassinUid, &StudentId)> =
                remembered.iter().map(|(it, _)| (it.target, it.uid, &it.student)).collect();
            let of_siblings = owned.iter().filter(|(target, uid, _)| settled.contains(&(*target, *uid)));
            let of_siblings = of_siblings.filter(|one| !recorded.contains(*one));
            sharing.extend(of_siblings.map(|(_, uid, student)| ((*student).clone(), *uid)));
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
        let asked_about = match &context.exam {
            Some(_) => context.state.asked_about_as_one_person().await?.into_iter().collect(),
            None => HashSet::new(),
        };
        let owners = Owners::read(context, &replaced, snapshot).await?;
        let unheard_of = unheard_of(context, &sharing).await?;
        leaving.extend(owners.by_uid.values().flatten().cloned());
        let mut contradictions =
            Contradictions::read(context, snapshot, &leaving, (classes, problems, lost)).await?;
        contradictions.asked_about = asked_about;
        Ok(Self { contradictions, without_account, open, replaced, recorded_owners, owners, unheard_of })
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
