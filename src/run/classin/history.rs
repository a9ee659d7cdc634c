//! What earlier runs left behind that this one's plan depends on: failures, closed classes, full classes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::closed_classes::Waiters;
use super::{ClassinSide, ClassinSyncError, lessons};
use crate::run::Context;
use crate::store::{ClassinOpenFailure, FullClass, RosterSnapshot, StoreError};
use rosterd_core::classin_plan::{
    Code, Contact, ContactReading, EnrolmentKind, EnrolmentRecord, Evidence, HeldBack, SharedContact,
    Subject, class_hash,
};
use rosterd_core::exam_plan::{Fingerprint, HoldReason, HoldWord, NamedHold};
use rosterd_core::failure::{ClassinKind, ContactPart, FailureState, HOUR_MS, OperationKey, RecordedHash};
use rosterd_core::roster::{Class, ClassTarget, ClassinUid, CourseId, Enrolment, RosterPerson, StudentId};

/// A failure that an earlier version stored with the contact mixed into what was wanted.
#[derive(Clone)]
pub(super) struct MixedFailure {
    pub(super) id: i64,
    pub(super) key: OperationKey,
    pub(super) recorded: RecordedHash,
    /// Of its student, as the roster has it now.
    pub(super) contact_today: Fingerprint,
}

/// What earlier runs left behind.
pub(super) struct PriorState {
    /// Why wants are held back.
    pub(super) holds: BTreeMap<u64, HeldBack>,
    /// Those of them that nobody waits for any more.
    pub(super) given_up: BTreeSet<u64>,
    /// Wanted enrolments that were refused, whether the failure is due or not and whatever the contact is today.
    pub(super) refused: BTreeSet<u64>,
    /// Wants that a person silenced.
    pub(super) ignored: HashSet<u64>,
    /// Wants for which there was no room, and which are due again.
    pub(super) due_again: HashSet<u64>,
    /// Failures that an earlier version stored with the contact mixed in.
    pub(super) mixed: Vec<MixedFailure>,
    /// Holds about single people that a person silenced.
    silenced: HashSet<(OperationKey, Fingerprint, NamedHold)>,
    /// Those of them that say: leave it, also when the reason for asking has passed. By what they leave: the class may have had no
    /// code then.
    left: HashMap<(StudentId, Fingerprint), OperationKey>,
    /// Classes that were found to take changes still, and when.
    pub(super) asked: BTreeMap<ClassTarget, i64>,
    closed: HashMap<ClassTarget, Code>,
    /// Those that were taken for over as no row named them, and that a row names again.
    reopened: BTreeSet<ClassTarget>,
    full: HashMap<ClassTarget, FullClass>,
    /// Who was there when a class was last refused for its ids.
    refused_with: Waiters,
    /// Adds whose answer was lost, and that ClassIn refused when they were repeated, as the account is no student there.
    no_members: HashSet<(ClassTarget, ClassinUid)>,
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
        let silenced = context.state.silenced_in_classin().await?;
        let says_left = HoldReason::StillNamed.named();
        let is_left =
            |named: &NamedHold| named.word == HoldWord::UnreadableIds && says_left.as_ref() != Some(named);
        let left = silenced.iter().filter(|(_, _, named)| is_left(named));
        let mut prior = Self {
            holds: BTreeMap::new(),
            given_up: BTreeSet::new(),
            refused: BTreeSet::new(),
            ignored: HashSet::new(),
            due_again: HashSet::new(),
            mixed: Vec::new(),
            left: left.map(|(key, hash, _)| ((key.student.clone(), *hash), key.clone())).collect(),
            silenced: silenced.into_iter().collect(),
            asked: lessons::asked(context).await?,
            closed: HashMap::new(),
            reopened: BTreeSet::new(),
            full: HashMap::new(),
            refused_with: Waiters::of_refused(context).await?,
            no_members: context.state.unknown_and_refused(Code::of_no_member()).await?,
        };
        for failure in failures {
            let contact = contacts.get(&failure.key.student).copied().unwrap_or(ContactPart::ABSENT);
            prior.take(failure, contact, now_ms);
        }
        for closed in context.state.closed_classes().await? {
            prior.closed.insert(closed.target, closed.code);
        }
        for full in context.state.full_classes().await? {
            prior.full.insert(full.target, full);
        }
        Ok(prior)
    }

    /// What one failure holds back, with today's contact of its student.
    fn take(&mut self, open: ClassinOpenFailure, contact_today: Fingerprint, now_ms: i64) {
        let ClassinOpenFailure { id, key, code, failure } = open;
        let recorded = failure.recorded;
        let is_of_class = key.student.as_str().is_empty();
        let desired_hashes: Vec<u64> = recorded.desired_hashes(contact_today).map(|hash| hash.0).collect();
        if key.kind == ClassinKind::Enrol.into() && failure.state != FailureState::Held {
            self.refused.insert(recorded.hash.0);
        }
        if matches!(recorded.contact, ContactPart::Mixed | ContactPart::PerhapsMixed) {
            self.mixed.push(MixedFailure { id, key, recorded, contact_today });
        }
        let is_due = failure.is_due(now_ms);
        let how = match failure.state {
            // No room: such a failure holds nothing back by itself, the class does.
            FailureState::Waiting if code.classin().is_some_and(Code::is_full) => {
                self.due_again.extend(desired_hashes.into_iter().filter(|_| is_due));
                return;
            }
            FailureState::Waiting if is_due => return,
            // A hold is decided by its approval, never by its row.
            FailureState::Held => return,
            FailureState::Waiting => HeldBack::NotDue,
            FailureState::Dead => {
                // Whoever is to have an account that does not exist, or to be in a class by ids that are not taken, has only the
                // old one: a person says that it is to go.
                if !is_of_class && !code.classin().is_some_and(Code::has_no_account) {
                    self.given_up.extend(&desired_hashes);
                }
                HeldBack::GivenUp
            }
            FailureState::Ignored => {
                self.given_up.extend(&desired_hashes);
                self.ignored.extend(&desired_hashes);
                HeldBack::Ignored
            }
        };
        self.holds.extend(desired_hashes.into_iter().map(|desired_hash| (desired_hash, how)));
    }

    /// Classes and courses whose ids ClassIn did not take, for which nobody is tried any more, and that somebody has joined
    /// since: their row has changed. As [`class_hash`] has them.
    pub(super) fn joined(
        &self,
        course: CourseId,
        wanted: &[Enrolment],
        records: &[EnrolmentRecord],
    ) -> BTreeSet<u64> {
        let settled = records.iter().filter(|record| record.evidence.is_settled());
        let settled: HashSet<(ClassTarget, ClassinUid)> =
            settled.map(|record| (record.target, record.uid)).collect();
        let mut joined = BTreeSet::new();
        for row in wanted {
            if row.uid.is_some_and(|uid| settled.contains(&(row.target, uid))) {
                continue;
            }
            for target in [row.target, ClassTarget { course, class: None }] {
                let hash = class_hash(EnrolmentKind::Enrol, target);
                let is_over = matches!(self.holds.get(&hash), Some(HeldBack::GivenUp | HeldBack::Ignored));
                if is_over && !self.refused_with.knows(target, &row.student) {
                    joined.insert(hash);
                }
            }
        }
        joined
    }

    /// Classes and courses that ClassIn did not know were taken for over as no row named them. One that a row names again is
    /// asked anew, as any other whose ids may be wrong.
    pub(super) fn reopen(&mut self, classes: &[Class]) {
        let named: HashSet<ClassTarget> = classes.iter().filter_map(|class| class.target).collect();
        let courses: HashSet<CourseId> = named.iter().map(|target| target.course).collect();
        let is_named = |target: &ClassTarget| match target.class {
            Some(_) => named.contains(target),
            None => courses.contains(&target.course),
        };
        let is_back = |(target, code): &(&ClassTarget, &Code)| code.is_not_there() && is_named(target);
        self.reopened = self.closed.iter().filter(is_back).map(|(target, _)| *target).collect();
        self.closed.retain(|target, _| !self.reopened.contains(target));
    }

    pub(super) fn reopened(&self) -> impl Iterator<Item = ClassTarget> {
        self.reopened.iter().copied()
    }

    /// What is remembered of a course and its classes, each with the number of runs that saw its student gone. Of what is asked
    /// anew nothing is known.
    pub(super) async fn remembered(
        &self,
        context: &Context,
        course: CourseId,
    ) -> Result<Vec<(EnrolmentRecord, u32)>, StoreError> {
        let mut remembered = context.state.enrolments_of_course(course).await?;
        let is_reopened = |target: ClassTarget| {
            let course = ClassTarget { class: None, ..target };
            self.reopened.contains(&target) || self.reopened.contains(&course)
        };
        remembered.retain(|(it, _)| it.evidence != Evidence::Closed || !is_reopened(it.target));
        Ok(remembered)
    }

    /// Whether nobody needs to look whether the account is there: its add was lost, and refused when it was repeated.
    pub(super) fn is_no_member(&self, record: &EnrolmentRecord) -> bool {
        record.evidence == Evidence::Unknown && self.no_members.contains(&(record.target, record.uid))
    }

    /// The code for which a class takes no changes; a condemned course condemns its classes.
    pub(super) fn closed(&self, target: ClassTarget) -> Option<Code> {
        let course = ClassTarget { class: None, ..target };
        self.closed.get(&target).or_else(|| self.closed.get(&course)).copied()
    }

    /// Whether a person silenced this hold of just this operation.
    pub(super) fn is_silenced(&self, subject: Subject, named: NamedHold) -> bool {
        let Subject { key, desired_hash } = subject;
        self.silenced.contains(&(key, Fingerprint(desired_hash), named))
    }

    /// The row by which a person left just this as it is, when it was asked whether a row that cannot be read means the student.
    pub(super) fn left_by(&self, subject: &Subject) -> Option<&OperationKey> {
        self.left.get(&(subject.key.student.clone(), Fingerprint(subject.desired_hash)))
    }

    /// Whether a person silenced the hold of just these students.
    pub(super) fn is_silenced_for_all(&self, shared: &SharedContact) -> bool {
        let desired_hash = shared.desired_hash();
        self.silenced.iter().any(|(_, hash, named)| *hash == desired_hash && named.about == shared.about)
    }

    /// Whether the class had no room when it was last asked.
    pub(super) fn was_full(&self, target: ClassTarget) -> bool {
        self.full.contains_key(&target)
    }

    /// Whether the class had no room less than an hour ago, and the roster has not changed since.
    pub(super) fn is_full_still(&self, target: ClassTarget, wanted: u64, now_ms: i64) -> bool {
        self.full.get(&target).is_some_and(|full| {
            full.wanted == wanted && (0..HOUR_MS).contains(&now_ms.saturating_sub(full.at_ms))
        })
    }
}

/// Fingerprints of the contacts of those for whom something failed.
async fn contacts(
    failures: &[ClassinOpenFailure],
    side: &ClassinSide,
    key: &[u8; 32],
    snapshot: &mut RosterSnapshot<'_>,
) -> Result<HashMap<StudentId, Fingerprint>, ClassinSyncError> {
    let students: BTreeSet<StudentId> = failures.iter().map(|failure| failure.key.student.clone()).collect();
    let people = snapshot.people(&students).await?;
    let read = |person: RosterPerson| {
        let contact = contact_of(&person, side)?;
        Some((person.student, Fingerprint(contact.fingerprint(key))))
    };
    Ok(people.into_iter().filter_map(read).collect())
}

/// By what a student's account is found.
pub(super) fn contact_of(person: &RosterPerson, side: &ClassinSide) -> Option<Contact> {
    contact_reading(person, side).contact
}

/// The same, with what is wrong with it.
pub(super) fn contact_reading(person: &RosterPerson, side: &ClassinSide) -> ContactReading {
    let phone = person.phone.as_deref().unwrap_or_default();
    let email = person.email.as_deref().unwrap_or_default();
    Contact::read(phone, email, side.settings.home_country)
}
