//! Reads who shares a contact or an account with too many others, and what a person has said of it.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;

use futures_util::stream::StreamExt;

use super::ClassinSyncError;
use super::first_reading::FirstReading;
use super::history::PriorState;
use super::standing::shared_key;
use crate::run::Context;
use crate::store::{ListedPerson, RosterSnapshot, StoreError};
use rosterd_core::classin_plan::{
    Account, AccountPlanner, AccountsOf, Doubt, Exchanges, OthersAccounts, SharedContact, SharedContacts,
    SharedHolds, SharedKey,
};
use rosterd_core::exam_plan::{Fingerprint, HoldWord};
use rosterd_core::failure::OperationKey;
use rosterd_core::roster::{ClassinUid, StudentId};

/// Who is neither registered nor enrolled by what they share.
#[derive(Default)]
pub(super) struct ContactSharing {
    pub(super) holds: SharedHolds,
    /// The rows among the failures that a person silenced.
    pub(super) decided: Vec<OperationKey>,
}

/// Looks at the contacts and accounts of those students of whom something is open: at nobody's where nothing is.
pub(super) async fn read(
    context: &Context,
    planner: AccountPlanner<'_>,
    prior: &PriorState,
    seen: &FirstReading,
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<ContactSharing, ClassinSyncError> {
    let mut sharing = ContactSharing::default();
    let FirstReading { open, replaced, recorded_owners, .. } = seen;
    if open.is_empty() {
        return Ok(sharing);
    }
    let mut known_by: HashMap<StudentId, Vec<SharedKey>> = HashMap::new();
    let mut taken = OthersAccounts::default();
    // The accounts that cells name: of one that was asked for by a contact, ClassIn has said whose it is.
    let mut typed: BTreeSet<ClassinUid> = BTreeSet::new();
    let mut exchanges = Exchanges::default();
    let note = |one: &ListedPerson, keys: Vec<SharedKey>, own: Option<&Account>| {
        let student = &one.person.student;
        let remembered = own.map(|account| account.uid);
        if let (Some(Doubt::AnotherContact { .. }), Some(own)) = (planner.doubts.get(student), own) {
            exchanges.consider(own, planner.contact_of(&one.person));
        }
        if open.contains(student) {
            if keys.iter().all(|key| matches!(key, SharedKey::Uid(_))) {
                typed.extend(accounts_of(&keys, None).wanted);
            }
            let replaced = replaced.get(student).cloned().unwrap_or_default();
            taken.consider(student, &AccountsOf { replaced, ..accounts_of(&keys, remembered) });
            known_by.insert(student.clone(), keys);
        }
    };
    everybody(context, planner, snapshot, note).await?;
    let mut contacts = SharedContacts::among(known_by.values().flatten().copied());
    if contacts.is_empty() {
        return Ok(sharing);
    }
    let count = |one: &ListedPerson, keys: Vec<SharedKey>, own: Option<&Account>| {
        let student = &one.person.student;
        taken.count(student, &accounts_of(&keys, own.map(|account| account.uid)));
        // A phone is the phone of those too whose account a cell names.
        let contact = planner.registers.then(|| planner.contact_of(&one.person)).flatten();
        contacts.count(student, keys.into_iter().chain(contact.map(SharedKey::Contact)));
    };
    everybody(context, planner, snapshot, count).await?;
    for (student, uid) in context.state.recorded_with(&typed).await? {
        // Also who has left, and waits for the grace.
        taken.count(&student, &AccountsOf { remembered: Some(uid), ..AccountsOf::default() });
    }
    let contacts = contacts.counted();
    for (uid, owners) in recorded_owners.iter().filter(|(uid, _)| typed.contains(*uid)) {
        owners.iter().for_each(|owner| {
            taken.count(owner, &AccountsOf { remembered: Some(*uid), ..AccountsOf::default() })
        });
    }
    let accepted = accepted(context).await?;
    let taken: HashMap<StudentId, Arc<SharedContact>> = taken
        .of_others()
        .into_iter()
        .map(|(student, shared)| {
            let is_accepted = |one: &StudentId| accepted.contains(&(one.clone(), shared.about));
            (student, Arc::new(shared.accepting(is_accepted)))
        })
        .collect();
    let exchanged: HashMap<StudentId, Arc<SharedContact>> =
        exchanges.found(context.clock.now_ms()).into_iter().collect();
    for (student, keys) in known_by {
        let is_accepted = |shared: &Arc<SharedContact>| accepted.contains(&(student.clone(), shared.about));
        let mut shared = contacts.of(keys);
        if shared.is_empty() {
            shared.extend(exchanged.get(&student).or_else(|| taken.get(&student)).cloned());
        }
        // What is right of the contact is right of the account that it leads to.
        if shared.iter().any(|one| matches!(one.key, SharedKey::Contact(_)) && is_accepted(one)) {
            continue;
        }
        for shared in shared.into_iter().filter(|one| !is_accepted(one)) {
            if prior.is_silenced_for_all(&shared) {
                sharing.decided.extend(shared_key(&shared));
                sharing.holds.silence(student.clone());
            } else {
                sharing.holds.hold(student.clone(), shared);
            }
        }
    }
    Ok(sharing)
}

fn accounts_of(keys: &[SharedKey], remembered: Option<ClassinUid>) -> AccountsOf {
    let uid = |key: &SharedKey| match key {
        SharedKey::Uid(uid) => Some(*uid),
        SharedKey::Contact(_) | SharedKey::Exchanged(_) | SharedKey::MovedOn(_) => None,
    };
    AccountsOf { wanted: keys.iter().find_map(uid), remembered, replaced: BTreeSet::new() }
}

/// Roster and accounts side by side, both in ascending order of student: what each is known by, and the account that is
/// remembered of them.
async fn everybody(
    context: &Context,
    planner: AccountPlanner<'_>,
    snapshot: &mut RosterSnapshot<'_>,
    mut take: impl FnMut(&ListedPerson, Vec<SharedKey>, Option<&Account>),
) -> Result<(), ClassinSyncError> {
    let mut people = pin!(snapshot.everybody());
    let mut remembered = pin!(context.state.accounts());
    let mut account = remembered.next().await.transpose()?;
    while let Some(one) = people.next().await.transpose()? {
        while account.as_ref().is_some_and(|it| it.student.cmp(&one.person.student) == Ordering::Less) {
            account = remembered.next().await.transpose()?;
        }
        let own = account.as_ref().filter(|it| it.student == one.person.student);
        let keys = planner.known_by(&one.person, one.uid, own);
        take(&one, keys, own);
    }
    Ok(())
}

/// What a person said to be right: before, and by an approval that is valid now.
async fn accepted(context: &Context) -> Result<HashSet<(StudentId, Fingerprint)>, StoreError> {
    let mut accepted = context.state.accepted_contacts().await?;
    accepted.extend(approved(context).await?);
    Ok(accepted)
}

async fn approved(context: &Context) -> Result<Vec<(StudentId, Fingerprint)>, StoreError> {
    let approvals = context.state.approved_in_classin(context.clock.now_ms()).await?.into_iter();
    let of_contact = |(key, _, named): (OperationKey, _, Option<rosterd_core::exam_plan::NamedHold>)| {
        let named = named.filter(|named| named.word == HoldWord::SharedContact)?;
        Some((key.student, named.about))
    };
    Ok(approvals.filter_map(of_contact).collect())
}

/// Remembers what valid approvals say of contacts, as an approval ends with what it let go ahead.
pub(super) async fn remember_approved(context: &Context) -> Result<(), StoreError> {
    let approved = approved(context).await?;
    context.state.accept_contacts(&approved, context.clock.now_ms()).await
}
