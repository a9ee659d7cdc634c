//! Writes the new names of students at the school.

use std::collections::{BTreeSet, HashMap};

use super::ClassinSyncError;
use super::account::{AccountKind, AccountOperation, Accounts, Renaming};
use super::history::contact_of;
use super::outcome::EnrolmentOutcome;
use super::outcome::OutcomeKind;
use super::record::{ClassinFailureCause, Subject, failure};
use super::school::{Joined, Reaction, School, reaction};
use super::send::{ClassinApplyContext, REPEATS, stopped, waited};
use crate::run::severity::Severity;
use crate::store::{AccountChange, CallRecord, StoreError};
use rosterd_core::classin_plan::{Call, Code, EnrolmentState, ItemVerdict, decide, judge_name};
use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{FailureCode, NextAttempt};
use rosterd_core::roster::StudentId;

/// ClassIn's name for the call, for records.
const CALL: &str = "editSchoolStudent";

/// What became of the names.
#[derive(Default)]
pub(super) struct Renamed {
    /// By student; who is absent was not tried.
    pub(super) ends: HashMap<StudentId, EnrolmentOutcome>,
    /// Why ClassIn is left alone for the rest of this run.
    pub(super) stopped: Option<(Severity, String)>,
    /// How the service itself failed.
    pub(super) trouble: Option<String>,
}

/// What one name came to.
enum RenameOutcome {
    Written,
    /// Not of the school, and whether a person can help.
    NotOfTheSchool,
    Not(ClassinFailureCause),
    Stopped(Severity, String),
}

/// Writes the names that are planned, one call at a time. Repeating one is safe.
pub(super) async fn run(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    accounts: &Accounts,
) -> Result<Renamed, ClassinSyncError> {
    let mut done = Renamed::default();
    let renamings: HashMap<&StudentId, &Renaming> =
        accounts.renamings.iter().map(|renaming| (&renaming.student, renaming)).collect();
    let planned = accounts.operations.iter().filter(|operation| {
        operation.kind == AccountKind::Rename && operation.state == EnrolmentState::Planned
    });
    for operation in planned {
        let Some(renaming) = renamings.get(&operation.student) else { continue };
        if done.stopped.is_some() || done.trouble.is_some() || terms.context.stop.is_cancelled() {
            break;
        }
        let mut outcome = write(terms, renaming, &mut done).await;
        if matches!(outcome, RenameOutcome::NotOfTheSchool) {
            outcome = after_joining(terms, school, renaming, &mut done).await?;
        }
        conclude(terms, operation, renaming, outcome, &mut done).await?;
    }
    Ok(done)
}

async fn write(terms: ClassinApplyContext<'_>, renaming: &Renaming, done: &mut Renamed) -> RenameOutcome {
    let mut repeat = 0;
    loop {
        let answer = terms.writer.edit_school_student(renaming.uid, &renaming.name).await;
        let cause = match answer {
            Ok(answer) => {
                let judged = judge_name(&answer);
                match outcome(judged.verdict, judged.text) {
                    Some(outcome) => return outcome,
                    None => ClassinFailureCause::lost(CALL),
                }
            }
            Err(error) => match reaction(&error) {
                Reaction::Stop(exit, message, _) => return RenameOutcome::Stopped(exit, message),
                Reaction::Again if repeat >= REPEATS => {
                    done.trouble.get_or_insert(super::in_one_line(&error));
                    if error.is_lost() {
                        ClassinFailureCause::lost(CALL)
                    } else {
                        ClassinFailureCause::not_sent(CALL, &error)
                    }
                }
                Reaction::Again if error.is_lost() => ClassinFailureCause::lost(CALL),
                Reaction::Again => ClassinFailureCause::not_sent(CALL, &error),
            },
        };
        if repeat >= REPEATS || !waited(terms, terms.side.retry_delays.before_repeating).await {
            return RenameOutcome::Not(cause);
        }
        repeat += 1;
    }
}

/// What a proven answer came to; `None` where nothing is proven.
fn outcome(verdict: ItemVerdict, text: Option<String>) -> Option<RenameOutcome> {
    if verdict.is_success() {
        return Some(RenameOutcome::Written);
    }
    if let ItemVerdict::StopRun { stop, code } = verdict {
        let (exit, message) = stopped(stop, code);
        return Some(RenameOutcome::Stopped(exit, message));
    }
    if matches!(verdict, ItemVerdict::Repair { .. }) {
        return Some(RenameOutcome::NotOfTheSchool);
    }
    let code = verdict.code()?;
    let message = decide(Call::SchoolName, code).sentence();
    let (code, next) = (FailureCode::Classin(code), NextAttempt::after(verdict));
    Some(RenameOutcome::Not(ClassinFailureCause::of_account(CALL, code, message, next, text)))
}

/// Takes the account into the school under the new name, once, and writes the name once more.
async fn after_joining(
    terms: ClassinApplyContext<'_>,
    school: &School<'_>,
    renaming: &Renaming,
    done: &mut Renamed,
) -> Result<RenameOutcome, ClassinSyncError> {
    let mut snapshot = terms.context.roster.snapshot().await?;
    let people = snapshot.people(&BTreeSet::from([renaming.student.clone()])).await?;
    snapshot.close().await;
    let contact = people.first().and_then(|person| contact_of(person, terms.side));
    let Some(contact) = contact else { return Ok(RenameOutcome::NotOfTheSchool) };
    Ok(match school.join(&contact, &renaming.name).await {
        Joined::Member => write(terms, renaming, done).await,
        Joined::Not(cause) => RenameOutcome::Not(ClassinFailureCause {
            contact: Some(Fingerprint(contact.fingerprint(terms.token_key))),
            ..*cause
        }),
        Joined::Stopped(exit, message) => RenameOutcome::Stopped(exit, message),
    })
}

async fn conclude(
    terms: ClassinApplyContext<'_>,
    operation: &AccountOperation,
    renaming: &Renaming,
    outcome: RenameOutcome,
    done: &mut Renamed,
) -> Result<(), StoreError> {
    let subject = Subject::from(operation);
    let mut record = CallRecord::default();
    let end = match outcome {
        RenameOutcome::Written => {
            let (student, name) = (renaming.student.clone(), renaming.fingerprint);
            record.accounts.push(AccountChange::Named { student, name });
            record.applied.push(subject.key.clone());
            EnrolmentOutcome::of(OutcomeKind::Applied)
        }
        RenameOutcome::Stopped(exit, message) => {
            done.stopped = Some((exit, message));
            return Ok(());
        }
        RenameOutcome::NotOfTheSchool => {
            let code = Code::NOT_A_SCHOOL_STUDENT;
            let message = "the account is not a student of the school; add the student in ClassIn's console, or \
                           enter phone or e-mail on the roster";
            let (code, next) = (FailureCode::Classin(code), NextAttempt::ByHand);
            let cause = ClassinFailureCause::of_account(CALL, code, message.to_owned(), next, None);
            record.failures.push(failure(terms.context, &subject, cause).await?);
            EnrolmentOutcome::recorded(OutcomeKind::Failed)
        }
        RenameOutcome::Not(cause) => {
            let is_lost = cause.next == NextAttempt::NextRun;
            record.failures.push(failure(terms.context, &subject, cause).await?);
            EnrolmentOutcome::recorded(if is_lost { OutcomeKind::Unknown } else { OutcomeKind::Failed })
        }
    };
    done.ends.insert(operation.student.clone(), end);
    let now_ms = terms.context.clock.now_ms();
    terms.context.state.record_call(&record, terms.run, now_ms).await
}
