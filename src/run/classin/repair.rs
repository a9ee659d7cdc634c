//! Who is no student of the school yet is taken into it once, and then added to the class once more.

use std::collections::{BTreeSet, HashMap};

use super::ClassinSyncError;
use super::history::contact_of;
use super::record::{ClassinFailureCause, action};
use super::school::{Joined, School};
use super::send::{ClassinApplyContext, ClassinSendResult, EnrolmentItem, send};
use crate::store::RosterPerson;
use rosterd_core::classin_plan::{Code, EnrolmentKind, ItemVerdict, SchoolName};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, NextAttempt};
use rosterd_core::roster::StudentId;

const NO_CONTACT: &str = "this account is not a student of the school, and the roster has no phone or e-mail to \
     add it by: enter one, or add the student in ClassIn's console";

const JOINED_IN_VAIN: &str = "this account is not a student of the school, although the one of the roster's phone \
     or e-mail is: they are two accounts; correct classin_uid, phone or e-mail, or add the student in ClassIn's \
     console";

/// Mends what a call could not do because its students are not of the school.
pub(super) async fn repair(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    items: &[EnrolmentItem],
    sending: &mut ClassinSendResult,
) -> Result<(), ClassinSyncError> {
    let needs_it: Vec<usize> = positions(sending, 0..items.len());
    if needs_it.is_empty() || sending.stop.is_some() {
        return Ok(());
    }
    let people = people(terms, needs_it.iter().filter_map(|at| items.get(*at))).await?;
    let mut again = Vec::new();
    let mut contacts = HashMap::new();
    for at in needs_it {
        let Some(item) = items.get(at) else { continue };
        if sending.stop.is_some() || terms.context.stop.is_cancelled() {
            break;
        }
        let person = people.get(&item.operation.student);
        let contact = person.and_then(|person| contact_of(person, terms.side));
        let name = person.and_then(|person| SchoolName::cut(&person.name));
        let cause = match (contact, name) {
            (Some(contact), Some(name)) => {
                let fingerprint = Fingerprint(contact.fingerprint(terms.token_key));
                match school.join(&contact, &name).await {
                    Joined::Member => {
                        contacts.insert(at, fingerprint);
                        again.push(at);
                        continue;
                    }
                    Joined::Not(cause) => ClassinFailureCause { contact: Some(fingerprint), ..*cause },
                    Joined::Stopped(exit, message) => {
                        sending.stop = Some((exit, message));
                        break;
                    }
                }
            }
            _ => permanent(item, NO_CONTACT, None),
        };
        note(sending, at, cause);
    }
    if again.is_empty() || sending.stop.is_some() {
        return Ok(());
    }
    let once_more: Vec<EnrolmentItem> = again.iter().filter_map(|at| items.get(*at)).cloned().collect();
    let more = send(terms, once_more, 0).await?;
    sending.take(&again, more);
    for at in positions(sending, again.into_iter()) {
        if let Some(item) = items.get(at) {
            note(sending, at, permanent(item, JOINED_IN_VAIN, contacts.get(&at).copied()));
        }
    }
    Ok(())
}

fn positions(sending: &ClassinSendResult, among: impl Iterator<Item = usize>) -> Vec<usize> {
    let is_repair = |at: &usize| {
        let item = sending.items.get(*at);
        item.is_some_and(|item| matches!(item.judged.verdict, ItemVerdict::Repair { .. }))
    };
    among.filter(is_repair).collect()
}

fn note(sending: &mut ClassinSendResult, at: usize, cause: ClassinFailureCause) {
    if let Some(item) = sending.items.get_mut(at) {
        item.mending = Some(cause);
    }
}

fn permanent(item: &EnrolmentItem, message: &str, contact: Option<Fingerprint>) -> ClassinFailureCause {
    let (call, code) = (action(&item.operation), FailureCode::Classin(Code::NOT_A_SCHOOL_STUDENT));
    let cause = ClassinFailureCause::of_account(call, code, message.to_owned(), NextAttempt::ByHand, None);
    ClassinFailureCause { contact, ..cause }
}

async fn people<'a>(
    terms: ClassinApplyContext<'_>,
    items: impl Iterator<Item = &'a EnrolmentItem>,
) -> Result<HashMap<StudentId, RosterPerson>, ClassinSyncError> {
    let students: BTreeSet<StudentId> = items
        .filter(|item| item.operation.kind == EnrolmentKind::Enrol)
        .map(|item| item.operation.student.clone())
        .collect();
    // A reading of its own, and short: the roster must not be kept open while the network is waited for.
    let mut snapshot = terms.context.roster.snapshot().await?;
    let people = snapshot.people(&students).await?;
    snapshot.close().await;
    Ok(people.into_iter().map(|person| (person.student.clone(), person)).collect())
}
