//! Whose accounts those are that nobody is wanted with any more: siblings may share one, and a student may have another by now.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::ClassinSyncError;
use crate::run::Context;
use crate::store::RosterSnapshot;
use rosterd_core::classin_plan::AccountChange;
use rosterd_core::roster::{ClassinUid, StudentId};

/// Of the accounts that students are recorded with where those are wanted no more.
#[derive(Default)]
pub(super) struct Owners {
    /// Who has each of them on the roster, whatever else their rows say.
    pub(super) by_uid: HashMap<ClassinUid, BTreeSet<StudentId>>,
    /// Accounts that were a student's who has another one by now.
    pub(super) outdated: HashSet<(StudentId, ClassinUid)>,
}

impl Owners {
    pub(super) async fn read(
        context: &Context,
        unwanted: &HashMap<StudentId, BTreeSet<ClassinUid>>,
        snapshot: &mut RosterSnapshot<'_>,
    ) -> Result<Self, ClassinSyncError> {
        let mut owners = Self::default();
        if unwanted.is_empty() {
            return Ok(owners);
        }
        let uids: BTreeSet<ClassinUid> = unwanted.values().flatten().copied().collect();
        for (student, uid) in snapshot.named_with(&uids).await? {
            owners.by_uid.entry(uid).or_default().insert(student);
        }
        let remembered = context.state.owners_of_accounts(&uids).await?;
        let mut asked: BTreeSet<StudentId> = unwanted.keys().cloned().collect();
        asked.extend(remembered.iter().map(|(student, _)| student.clone()));
        let cells = snapshot.uids_among(&asked).await?;
        // Where the cell is empty or cannot be read, what is remembered is theirs.
        for (student, uid) in remembered.into_iter().filter(|(student, _)| !cells.contains_key(student)) {
            owners.by_uid.entry(uid).or_default().insert(student);
        }
        let accounts = context.state.accounts_among(unwanted.keys()).await?;
        for (student, uids) in unwanted {
            let remembered = accounts.get(student).map(|account| account.uid);
            let Some(today) = cells.get(student).copied().or(remembered) else { continue };
            let outdated = uids.iter().filter(|uid| **uid != today);
            owners.outdated.extend(outdated.map(|uid| (student.clone(), *uid)));
        }
        Ok(owners)
    }

    pub(super) fn of(&self, uid: ClassinUid) -> Vec<StudentId> {
        self.by_uid.get(&uid).into_iter().flatten().cloned().collect()
    }
}

/// Remembers the accounts of those who are in a class by what was done for a sibling: no call was made for them, and their cell
/// may be empty one day.
pub(super) async fn unheard_of(
    context: &Context,
    sharing: &BTreeMap<StudentId, ClassinUid>,
) -> Result<Vec<AccountChange>, ClassinSyncError> {
    let known = context.state.accounts_among(sharing.keys()).await?;
    let unknown = sharing.iter().filter(|(student, _)| !known.contains_key(*student));
    Ok(unknown
        .map(|(student, uid)| AccountChange::Accepted { student: student.clone(), uid: *uid })
        .collect())
}
