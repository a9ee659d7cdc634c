//! What earlier runs left behind that this one's plan depends on: failures, closed classes, full classes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ClassinSide, ClassinSyncError};
use crate::run::Context;
use crate::store::{ClassinOpenFailure, FullClass, RosterPerson, RosterSnapshot};
use rosterd_core::classin_plan::Contact;
use rosterd_core::exam_plan::FailureState;
use rosterd_core::roster::{ClassTarget, StudentId};

/// What is said of a want that a person silenced.
pub(super) const IGNORED: &str = "ignored until its row changes";

/// Not a student of the school: what helps is a phone or e-mail on the roster, which is not part of the want.
pub(super) const NOT_OF_THE_SCHOOL: &str = "228";

/// No room: such a failure holds nothing back by itself, the class does.
const NO_ROOM: [&str; 2] = ["157", "130"];

/// A class without room is tried again when another hour has begun.
pub(super) const HOUR_MS: i64 = 60 * 60 * 1000;

/// What earlier runs left behind.
pub(super) struct PriorState {
    /// Why wants are held back.
    pub(super) holds: BTreeMap<u64, String>,
    /// Wants that a person silenced.
    pub(super) ignored: HashSet<u64>,
    /// Wants for which there was no room, and which are due again.
    pub(super) due_again: HashSet<u64>,
    closed: HashMap<ClassTarget, i64>,
    full: HashMap<ClassTarget, FullClass>,
}

impl PriorState {
    /// Reads it, in the same moment of the roster as the rest.
    pub(super) async fn read(
        context: &Context,
        side: &ClassinSide,
        key: &[u8; 32],
        snapshot: &mut RosterSnapshot<'_>,
    ) -> Result<Self, ClassinSyncError> {
        let failures = context.state.classin_open_failures().await?;
        let now_ms = context.clock.now_ms();
        let contacts = contacts(&failures, side, key, snapshot).await?;
        let mut prior = Self {
            holds: BTreeMap::new(),
            ignored: HashSet::new(),
            due_again: HashSet::new(),
            closed: HashMap::new(),
            full: HashMap::new(),
        };
        for ClassinOpenFailure { student, code, failure: hold, .. } in failures {
            // Another contact is another want: see `ClassinFailureCause::contact`. After a 228 one always was part of it, if only as
            // none; after what ClassIn answers to joining the school, the code alone does not tell.
            let contact = contacts.get(&student).copied().unwrap_or_default();
            let with_contact = hold.desired_hash.0 ^ contact;
            let desired_hashes = if code == NOT_OF_THE_SCHOOL {
                [with_contact; 2]
            } else {
                [hold.desired_hash.0, with_contact]
            };
            let has_no_room = NO_ROOM.contains(&code.as_str());
            let cause = match hold.state {
                FailureState::Waiting if has_no_room => {
                    if hold.due_at_ms <= now_ms {
                        prior.due_again.extend(desired_hashes);
                    }
                    continue;
                }
                FailureState::Waiting if hold.due_at_ms <= now_ms => continue,
                FailureState::Waiting => "failed before, not due yet",
                FailureState::Dead => "failed for good: see rosterd failures",
                FailureState::Ignored => {
                    prior.ignored.extend(desired_hashes);
                    IGNORED
                }
            };
            prior.holds.extend(desired_hashes.map(|desired_hash| (desired_hash, cause.to_owned())));
        }
        for closed in context.state.closed_classes().await? {
            prior.closed.insert(closed.target, closed.code);
        }
        for full in context.state.full_classes().await? {
            prior.full.insert(full.target, full);
        }
        Ok(prior)
    }

    /// The code for which a class takes no changes; a condemned course condemns its classes.
    pub(super) fn closed(&self, target: ClassTarget) -> Option<i64> {
        let course = ClassTarget { class: None, ..target };
        self.closed.get(&target).or_else(|| self.closed.get(&course)).copied()
    }

    /// Whether the class had no room when it was last asked.
    pub(super) fn was_full(&self, target: ClassTarget) -> bool {
        self.full.contains_key(&target)
    }

    /// Whether the class had no room, and neither the roster nor the hour has changed since.
    pub(super) fn is_full_still(&self, target: ClassTarget, wanted: u64, now_ms: i64) -> bool {
        self.full.get(&target).is_some_and(|full| {
            full.wanted == wanted && full.at_ms.div_euclid(HOUR_MS) == now_ms.div_euclid(HOUR_MS)
        })
    }
}

/// Fingerprints of the contacts of those for whom something failed.
async fn contacts(
    failures: &[ClassinOpenFailure],
    side: &ClassinSide,
    key: &[u8; 32],
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<HashMap<StudentId, u64>, ClassinSyncError> {
    let students: BTreeSet<StudentId> = failures.iter().map(|failure| failure.student.clone()).collect();
    let people = snapshot.people(&students).await?;
    let read = |person: RosterPerson| {
        let contact = contact_of(&person, side)?;
        Some((person.student, contact.fingerprint(key)))
    };
    Ok(people.into_iter().filter_map(read).collect())
}

/// By what a student's account is found.
pub(super) fn contact_of(person: &RosterPerson, side: &ClassinSide) -> Option<Contact> {
    let phone = person.phone.as_deref().unwrap_or_default();
    let email = person.email.as_deref().unwrap_or_default();
    Contact::read(phone, email, side.settings.home_country).contact
}
