//! What stands in the way of operations without their having been tried: told once, and kept among the failures while it
//! is so. It counts in the run that finds it, and is attention from then on.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::closed_classes::{Waiters, WaitingForClosed};
use super::plan::ClassinPlan;
use crate::run::Context;
use crate::store::{Standing, StandingRows, StoreError};
use rosterd_core::classin_plan::{
    ClassNames, EnrolmentKind, EnrolmentOperation, EnrolmentState, HeldBack, Reason, SharedContact,
    SharedKey, Subject, classin_holds,
};
use rosterd_core::exam_plan::{Digest, Fingerprint, Hold, IGNORE, NamedHold};
use rosterd_core::failure::{ClassinKind, FailureCode, FailureState, OperationKey, Service};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{ClassTarget, RunId, StudentId};

/// What stands in one plan, beside what stood before the run.
#[derive(Default)]
pub(super) struct StandingEnrolments {
    before: StandingRows,
    now: Vec<Standing>,
    /// What stands just as it stood before: it no longer makes a run end otherwise than well.
    known: HashSet<OperationKey>,
    /// Who waited before for classes that take no changes, and who waits now.
    waiters: Waiters,
    /// The row of each of those classes.
    closed: BTreeMap<ClassTarget, OperationKey>,
}

impl StandingEnrolments {
    /// Reads what stood before the run.
    pub(super) async fn before(context: &Context) -> Result<Self, StoreError> {
        let before = context.state.standing(Service::Classin).await?;
        let waiters = Waiters::read(context).await?;
        Ok(Self { before, waiters, ..Self::default() })
    }

    /// The same beside a plan that the guard has been through.
    pub(super) fn of(self, plan: &ClassinPlan) -> Self {
        let holds = classin_holds(&plan.operations, &plan.accounts.operations);
        let named = holds.iter().filter(|hold| hold.word.is_some());
        let holds: HashMap<&OperationKey, &Hold> =
            named.flat_map(|hold| hold.operations.iter().map(move |one| (&one.key, hold))).collect();
        let enrolments = plan.operations.iter();
        let enrolments = enrolments.map(|one| (Subject::from(one), &one.state, one.reason_text()));
        let accounts = plan.accounts.operations.iter();
        let accounts = accounts.map(|one| (Subject::from(one), &one.state, one.reason_text()));
        let mut now: Vec<Standing> = Vec::new();
        let mut taken = HashSet::new();
        let stands = |(subject, state, text)| standing(subject, (state, text), &holds);
        for one in enrolments.chain(accounts).filter_map(stands) {
            if taken.insert(one.key.clone()) {
                now.push(one);
            }
        }
        let waiting = WaitingForClosed::of(plan);
        let waiters = self.waiters.followed_by(&waiting);
        let closed: Vec<(ClassTarget, Standing)> = waiting.rows(&waiters, &plan.names).collect();
        now.extend(closed.iter().map(|(_, row)| row.clone()));
        let closed = closed.into_iter().map(|(target, row)| (target, row.key)).collect();
        now.extend(
            plan.unasked.iter().map(|(target, members)| probably_over(*target, *members, &plan.names)),
        );
        let known = now.iter().filter(|one| self.before.knows(one)).map(|one| one.key.clone()).collect();
        Self { before: self.before, now, known, waiters, closed }
    }

    /// Writes down what stands now, and closes what no longer does.
    pub(super) async fn record(
        &self,
        context: &Context,
        decided: &HashSet<OperationKey>,
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.waiters.remember(context).await?;
        context.state.record_standing(&self.before, &self.now, run, now_ms).await?;
        context.state.close_standing(&self.before, &self.now, |key| decided.contains(key), now_ms).await
    }

    /// Writes down whom classes leave out that turned out to take no changes any more.
    pub(super) async fn record_closed(
        &self,
        context: &Context,
        (waiting, names): (WaitingForClosed, &ClassNames),
        run: RunId,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let waiters = Waiters::read(context).await?.joined_by(&waiting);
        waiters.remember(context).await?;
        let rows: Vec<Standing> = waiting.rows(&waiters, names).map(|(_, row)| row).collect();
        context.state.record_standing(&self.before, &rows, run, now_ms).await
    }

    /// Whether this is held about single people as it was before.
    pub(super) fn is_known_hold(&self, subject: Subject, state: &EnrolmentState) -> bool {
        match state {
            EnrolmentState::Held(reason) if reason.named().is_some() => {
                self.known.contains(&row_key(subject, reason))
            }
            EnrolmentState::Held(_)
            | EnrolmentState::Planned
            | EnrolmentState::Skipped(_)
            | EnrolmentState::Cannot(_)
            | EnrolmentState::Waiting(_) => false,
        }
    }

    /// How an enrolment operation ends that no call was made for. Who waits for a class that takes no changes counts in the
    /// run that finds it.
    pub(super) fn outcome_of(&self, operation: &EnrolmentOperation, is_stopping: bool) -> Outcome {
        let row = self.closed.get(&operation.target);
        match (operation.kind, &operation.state, row) {
            (EnrolmentKind::Enrol, EnrolmentState::Skipped(Reason::Closed(_)), Some(row)) => {
                let is_known = self.known.contains(row);
                Outcome::Unsent(if is_known { Unsent::Standing } else { Unsent::Withheld })
            }
            // Withheld, and news in the run that finds it.
            (EnrolmentKind::Remove, EnrolmentState::Skipped(Reason::MemberRow), _) => {
                let is_known = self.known.contains(&Subject::from(operation).key);
                Outcome::Unsent(if is_known { Unsent::Standing } else { Unsent::Withheld })
            }
            _ => self.outcome_without_call(Subject::from(operation), &operation.state, is_stopping),
        }
    }

    /// How an operation ends that no call was made for.
    pub(super) fn outcome_without_call(
        &self,
        subject: Subject,
        state: &EnrolmentState,
        is_stopping: bool,
    ) -> Outcome {
        match state {
            EnrolmentState::Planned if is_stopping => Outcome::Unsent(Unsent::Terminated),
            EnrolmentState::Planned => Outcome::Unsent(Unsent::ServiceStopped),
            EnrolmentState::Held(_) => Outcome::Held,
            EnrolmentState::Cannot(Reason::NotOurs { .. }) if self.known.contains(&subject.key) => {
                Outcome::Unsent(Unsent::Standing)
            }
            EnrolmentState::Cannot(_)
                if self.before.is_dead(&subject.key, Fingerprint(subject.desired_hash)) =>
            {
                Outcome::Unsent(Unsent::Standing)
            }
            EnrolmentState::Cannot(_) => Outcome::Unsent(Unsent::Withheld),
            EnrolmentState::Waiting(reason) => Outcome::Unsent(waiting(reason)),
            EnrolmentState::Skipped(Reason::Mode(_)) => Outcome::Unsent(Unsent::LeftByMode),
            EnrolmentState::Skipped(_) => Outcome::Unsent(Unsent::Unneeded),
        }
    }
}

/// A failure that is due again by itself makes a run incomplete. What waits for a person, for room or for something else of
/// the plan has been told by that, or is.
fn waiting(reason: &Reason) -> Unsent {
    match reason {
        Reason::HeldBack(HeldBack::NotDue) | Reason::Other(_) => Unsent::LeftForLater,
        Reason::HeldBack(HeldBack::Ignored) => Unsent::Unneeded,
        Reason::Mode(_) => Unsent::LeftByMode,
        Reason::HeldBack(HeldBack::GivenUp)
        | Reason::NoRoom
        | Reason::Follows(_)
        | Reason::NoAccount
        | Reason::Closed(_)
        | Reason::WouldEmpty { .. }
        | Reason::Grace { .. }
        | Reason::Shrinks(_)
        | Reason::TooMany(_)
        | Reason::Missing(_)
        | Reason::StillNamed
        | Reason::UnreadableIds
        | Reason::RowsOfNobody { .. }
        | Reason::ClassRows { .. }
        | Reason::SharedContact(_)
        | Reason::NotOurs { .. }
        | Reason::LeftAsSet(_)
        | Reason::MemberRow => Unsent::Standing,
    }
}

/// Under which key something stands: a contact that several share once for all of them, under the first.
fn row_key(subject: Subject, reason: &Reason) -> OperationKey {
    reason.shared().and_then(|(shared, _)| shared_key(shared)).unwrap_or(subject.key)
}

/// Under which key a shared contact stands among the failures.
pub(super) fn shared_key(shared: &SharedContact) -> Option<OperationKey> {
    let kind = match shared.key {
        SharedKey::Contact(_) | SharedKey::Exchanged(_) | SharedKey::MovedOn(_) => ClassinKind::Register,
        SharedKey::Uid(_) => ClassinKind::Enrol,
    };
    shared.students.first().map(|first| OperationKey::of(kind, first.clone()))
}

/// A class that no row names, in a mode or with a setting that takes nobody out.
fn probably_over(target: ClassTarget, members: usize, names: &ClassNames) -> Standing {
    let class = names.spoken(target);
    let message = format!(
        "no row of classes names {class} any more, and its students are wanted elsewhere in the course: the lesson is \
         probably over. {members} are still recorded in it; with sync.mode = \"sync\" and classin.removals = \"added\" \
         rosterd asks ClassIn and takes them out, and {IGNORE} leaves them there"
    );
    of_class(EnrolmentKind::Remove, target.to_string(), (FailureCode::ProbablyOver, message), target)
}

pub(super) fn of_class(
    kind: EnrolmentKind,
    class: String,
    (code, message): (FailureCode, String),
    target: ClassTarget,
) -> Standing {
    let mut digest = Digest::open("class");
    digest.text(&code.as_str()).number(target.course.0).number(target.class.map_or(0, |class| class.0));
    Standing {
        key: OperationKey::in_class(kind.into(), StudentId::new(""), class),
        state: FailureState::Waiting,
        code,
        message,
        desired_hash: digest.finish(),
        about: None,
        of_leaver: false,
    }
}

fn standing(
    subject: Subject,
    (state, text): (&EnrolmentState, Option<String>),
    holds: &HashMap<&OperationKey, &Hold>,
) -> Option<Standing> {
    let (reason, state, code, about) = match state {
        EnrolmentState::Cannot(reason @ Reason::NotOurs { .. })
        | EnrolmentState::Skipped(reason @ (Reason::LeftAsSet(_) | Reason::MemberRow)) => {
            (reason, FailureState::Waiting, FailureCode::NotOurs, None)
        }
        EnrolmentState::Held(reason) => {
            let NamedHold { word, about } = reason.named()?;
            (reason, FailureState::Held, word.code(), Some(about))
        }
        EnrolmentState::Planned
        | EnrolmentState::Skipped(_)
        | EnrolmentState::Cannot(_)
        | EnrolmentState::Waiting(_) => return None,
    };
    let hold = holds.get(&subject.key);
    let text = text.unwrap_or_else(|| reason.to_string());
    let message = match (hold, reason.shared()) {
        // One row for all whom it concerns, and one command.
        (Some(hold), Some((shared, _))) => hold.naming_those_about(&reason.to_string(), shared.about),
        (Some(hold), None) => hold.naming_digest(&text),
        (None, _) => text,
    };
    let desired_hash = reason.shared().map_or(Fingerprint(subject.desired_hash), |(_, hash)| hash);
    let key = row_key(subject, reason);
    Some(Standing { key, state, code, message, desired_hash, about, of_leaver: false })
}
