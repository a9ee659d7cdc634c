//! Students who are not of the school yet are taken into it once, and then added to the class once more.

use std::collections::{BTreeSet, HashMap};

use super::cause;
use super::context::ClassinApplyContext;
use super::enrolments::{EnrolmentCall, EnrolmentItem};
use super::history::contact_of;
use super::school::{Joined, School};
use crate::run::delivery::{Broken, Repaired};
use rosterd_core::classin_plan::SchoolName;
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::outcome::{FailureCause, Outcome};
use rosterd_core::roster::{RosterPerson, StudentId};

const NO_CONTACT: &str = "this account is not a student of the school, and the roster has no phone or e-mail to \
     add it by: enter one, or add the student in ClassIn's console";

const JOINED_IN_VAIN: &str = "this account is not a student of the school, although the one of the roster's phone \
     or e-mail is: they are two accounts; correct classin_uid, phone or e-mail, or add the student in ClassIn's \
     console";

/// Takes these students into the school. Those who are in it now are to be added once more.
pub(super) async fn repair(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    call: &mut EnrolmentCall,
    positions: &[usize],
) -> Result<Repaired<()>, Broken> {
    let people = people(terms, positions.iter().filter_map(|at| call.0.get(*at))).await?;
    let mut repaired = Repaired::default();
    for at in positions {
        let Some(item) = call.0.get_mut(*at) else { continue };
        if repaired.stop.is_some() || terms.context.stop.is_cancelled() {
            break;
        }
        let person = people.get(&item.operation.student);
        let contact = person.and_then(|person| contact_of(person, terms.side));
        let name = person.and_then(|person| SchoolName::cut(&person.name));
        let (Some(contact), Some(name)) = (contact, name) else {
            repaired.settled.push((*at, cause::outcome(cause::not_of_the_school(NO_CONTACT))));
            continue;
        };
        let fingerprint = Fingerprint(contact.fingerprint(terms.token_key));
        match school.join(&contact, &name).await? {
            Joined::Member => {
                item.joined_by = Some(fingerprint);
                // What this call brought before was about an account that could not be in the class.
                item.was = item.operation.recorded;
                repaired.again.push(*at);
            }
            Joined::Not(cause) => repaired.settled.push((*at, cause::outcome(with(cause, fingerprint)))),
            Joined::Stopped(stop) => repaired.stop = Some(stop),
        }
    }
    Ok(repaired)
}

/// The account that was taken into the school by this contact is another one.
pub(super) fn joined_in_vain(contact: Fingerprint) -> Outcome {
    cause::outcome(with(cause::not_of_the_school(JOINED_IN_VAIN), contact))
}

/// The same cause, which another contact would take away.
pub(super) fn with(cause: FailureCause, contact: Fingerprint) -> FailureCause {
    FailureCause { contact: Some(contact), ..cause }
}

/// A reading of its own, and short: the roster must not be kept open while the network is waited for.
async fn people<'a>(
    terms: ClassinApplyContext<'_>,
    items: impl Iterator<Item = &'a EnrolmentItem>,
) -> Result<HashMap<StudentId, RosterPerson>, Broken> {
    let students: BTreeSet<StudentId> = items.map(|item| item.operation.student.clone()).collect();
    let mut snapshot = terms.context.roster.snapshot().await?;
    let people = snapshot.people(&students).await?;
    snapshot.close().await?;
    Ok(people.into_iter().map(|person| (person.student.clone(), person)).collect())
}
