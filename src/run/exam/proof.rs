//! Whose a candidate is: no write goes to a sid that this run has not seen under the login value it is known by.
//!
//! Candidates in a batch are looked up together just before it is sent. What the plan's look-ups have shown is not asked
//! again.

use std::collections::{HashMap, HashSet};

use rosterd_core::exam_plan::{Batch, Call, Change, Identity, Operation, PlanTotals, SkipReason, allowance};
use rosterd_core::failure::{Attempts, FailureState, Fault, OpenFailure, RecordedHash};
use rosterd_core::outcome::{Outcome, Unsent};
use rosterd_core::roster::{LoginValue, Sid};

use super::apply::ExamApplier;
use super::lookup::{self, LookupOutcome};
use super::record;
use super::service_account::{remember_strangers, require_few_strangers};
use super::{ExamSide, ExamSyncError};
use crate::remote::exam::ExamError;
use crate::run::delivery::{Applier, Place, ServiceStop, failure};
use crate::store::{CallRecord, FailureRecord, StoreError};

/// What a look-up made of one candidate that is to be written to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Proven,
    Another,
    Gone,
    Untold,
}

impl ExamApplier<'_> {
    /// The operations of a batch whose candidates are proven to be their students'. The others end here.
    pub(super) async fn prove(&self, batch: &Batch, positions: Vec<usize>) -> Vec<usize> {
        let open = self.unproven(&batch.call, &positions);
        if open.is_empty() {
            return positions;
        }
        let findings = match self.look_at(&batch.call, &open).await {
            Ok(findings) => findings,
            Err(error) => {
                self.state().stop(ServiceStop::exam(&error));
                let mut state = self.state();
                positions.iter().for_each(|at| state.end_open(*at, &Outcome::Unsent(Unsent::ServiceStopped)));
                return Vec::new();
            }
        };
        let mut left_alone = Vec::new();
        let mut proven = Vec::with_capacity(positions.len());
        for at in positions {
            let sid = self.operation(at).and_then(|operation| target(&operation.change));
            match sid.and_then(|sid| findings.get(&sid).copied()) {
                None | Some(Finding::Proven) => proven.push(at),
                Some(finding) => left_alone.push((at, finding)),
            }
        }
        if let Err(error) = self.leave_alone(batch, &left_alone).await {
            self.state().break_off(error);
        }
        proven
    }

    /// The candidates of these operations that no look-up of this run has shown under their login values.
    fn unproven(&self, call: &Call, positions: &[usize]) -> HashMap<Sid, LoginValue> {
        // Who is deleted was decided by a look-up of their own, and who is added has no sid yet.
        if matches!(call, Call::Add | Call::Delete) {
            return HashMap::new();
        }
        let exam = self.exam();
        let targets = positions.iter().filter_map(|at| target(&self.operation(*at)?.change));
        let known = targets.filter_map(|sid| Some((sid, self.context.plan.known_as.get(&sid)?)));
        let is_open = |sid: Sid, login: &LoginValue| {
            !exam.is_proven(sid) && self.context.lookups.identity(sid, login) != Identity::Proven
        };
        known.filter(|(sid, login)| is_open(*sid, login)).map(|(sid, login)| (sid, login.clone())).collect()
    }

    /// Which of these candidates a look-up shows under these login values.
    pub(super) async fn proven_among(
        &self,
        candidates: &HashMap<Sid, LoginValue>,
    ) -> Result<HashSet<Sid>, ExamError> {
        let findings = self.look_at(&Call::Change, candidates).await?.into_iter();
        Ok(findings.filter(|(_, finding)| *finding == Finding::Proven).map(|(sid, _)| sid).collect())
    }

    async fn look_at(
        &self,
        call: &Call,
        open: &HashMap<Sid, LoginValue>,
    ) -> Result<HashMap<Sid, Finding>, ExamError> {
        let session = &self.calls.session;
        let mut sids: Vec<Sid> = open.keys().copied().collect();
        sids.sort_unstable();
        let rows = lookup::rows_by_sid(session, sids).await?;
        let mut findings = HashMap::new();
        let mut silent = HashMap::new();
        for (sid, login) in open {
            let finding = match rows.get(sid) {
                Some(LookupOutcome::Row(row)) => match lookup::login_of(row, session.login_field) {
                    Some(shown) if shown == *login => Finding::Proven,
                    Some(_) => Finding::Another,
                    None => Finding::Untold,
                },
                Some(LookupOutcome::Gone) => Finding::Gone,
                None => Finding::Untold,
            };
            if finding == Finding::Untold && rows.contains_key(sid) {
                silent.insert(login.clone(), *sid);
            }
            findings.insert(*sid, finding);
        }
        for (login, outcome) in lookup::rows_by_login_alone(session, silent.keys().cloned().collect()).await?
        {
            let Some(sid) = silent.get(&login) else { continue };
            let finding = match outcome.sid() {
                Some(found) if found == *sid => Finding::Proven,
                Some(_) => Finding::Another,
                // Nobody was found, so nothing says whose the sid is.
                None => Finding::Untold,
            };
            findings.insert(*sid, finding);
        }
        let mut exam = self.exam();
        let is_proven = |(_, finding): &(&Sid, &Finding)| **finding == Finding::Proven;
        exam.note_proven(findings.iter().filter(is_proven).map(|(sid, _)| *sid));
        if matches!(call, Call::Change | Call::GiveWay) {
            exam.note_rows(rows);
        }
        Ok(findings)
    }

    /// Ends operations whose candidates are not proven, and says why.
    async fn leave_alone(&self, batch: &Batch, left: &[(usize, Finding)]) -> Result<(), StoreError> {
        if left.is_empty() {
            return Ok(());
        }
        let mut record = CallRecord::default();
        let mut ended = Vec::new();
        for (at, finding) in left {
            let Some(operation) = self.operation(*at) else { continue };
            let outcome = match finding {
                Finding::Gone => {
                    record.links.push(record::check_soon(operation));
                    let cause = record::candidate_gone();
                    let place = Place::at(record::endpoint(&batch.call));
                    if let Some(subject) = self.subject(*at) {
                        let row = failure(self.context.run_context, &subject, &cause, place).await?;
                        record.failures.extend(row);
                    }
                    Outcome::Failed(cause.into())
                }
                Finding::Another => {
                    let (context, standing) = (self.context.run_context, self.context.standing);
                    let (key, run) = (self.context.key, self.context.run);
                    let is_known = standing.withhold_another(context, key, operation, run).await?;
                    let left = Unsent::from(&SkipReason::AnotherLogin);
                    Outcome::Unsent(if is_known { Unsent::Standing } else { left })
                }
                Finding::Proven | Finding::Untold => self.wait_for_proof(batch, operation, &mut record),
            };
            ended.push((*at, outcome));
        }
        let context = self.context.run_context;
        if self.note_strangers(left) {
            remember_strangers(&context.state).await?;
        }
        context.state.record_call(&record, self.context.run, context.clock.now_ms()).await?;
        let mut state = self.state();
        ended.into_iter().for_each(|(at, outcome)| state.end_open(at, &outcome));
        Ok(())
    }

    fn wait_for_proof(&self, batch: &Batch, operation: &Operation, record: &mut CallRecord) -> Outcome {
        let reason = SkipReason::NotFoundOut;
        let is_known = self.context.standing.is_known_unproven(operation);
        record.failures.extend(reason.code().map(|code| FailureRecord {
            key: operation.key(),
            call: record::endpoint(&batch.call),
            code,
            message: reason.to_string(),
            service_text: None,
            batch: None,
            index: None,
            failure: OpenFailure {
                state: FailureState::Waiting,
                due_at_ms: self.looked_at_again_ms(),
                recorded: RecordedHash::alone(operation.desired_hash),
            },
            attempts: Attempts::default(),
            fault: Fault::Item,
        }));
        Outcome::Unsent(if is_known { Unsent::Standing } else { Unsent::from(&reason) })
    }

    /// What was left alone is looked up again when groups are, or a failure would be tried again.
    fn looked_at_again_ms(&self) -> i64 {
        let context = self.context.run_context;
        let delay = self.context.side.settings.verify_groups.min(context.retry.max_delay);
        context.clock.now_ms().saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
    }

    /// More sids that show another login value than could be deletions by hand: this is another account. Says whether
    /// it is.
    fn note_strangers(&self, left: &[(usize, Finding)]) -> bool {
        let strangers = left.iter().filter(|(_, finding)| *finding == Finding::Another);
        let strangers: HashSet<Sid> =
            strangers.filter_map(|(at, _)| target(&self.operation(*at)?.change)).collect();
        let totals = &self.context.plan.totals;
        let count = self.exam().note_strangers(strangers).saturating_add(totals.another_login);
        let limit = most_strangers(totals, self.context.side);
        if count > limit {
            self.state().stop(ServiceStop::AnotherAccount { count, limit });
        }
        count > limit
    }
}

/// The candidate that a change goes to, where there is one already.
pub(super) fn target(change: &Change) -> Option<Sid> {
    match change {
        Change::Modify(modification) => Some(modification.sid),
        Change::Move(group_move) => group_move.sid(),
        Change::Delete(deletion) => Some(deletion.sid()),
        Change::Adopt(_) | Change::Add(_) | Change::Impossible(_) => None,
    }
}

/// So many candidates with another login value may have been renamed by hand: as many as could be deleted at once.
fn most_strangers(totals: &PlanTotals, side: &ExamSide) -> u64 {
    allowance(side.guard.max_delete, totals.managed)
}

/// A few candidates with another login value were renamed by hand. More than could be deleted at once are another
/// account's.
///
/// # Errors
/// Where they are more.
pub(super) fn not_another_account(totals: &PlanTotals, side: &ExamSide) -> Result<(), ExamSyncError> {
    require_few_strangers(totals.another_login, most_strangers(totals, side))
}
