//! What became of values that were sent for the second time: looked up right after the call, so that only what the service
//! itself changes is blamed on it.

use std::collections::{BTreeMap, BTreeSet};

use rosterd_core::exam_plan::{AfterSecondWrite, Batch, Call, Change, Modification, Operation};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::{FieldId, Sid, normalise};

use super::apply::ExamApplier;
use super::lookup::{self, LookupOutcome};
use crate::remote::exam::CandidateInfo;
use crate::run::delivery::Applier;
use crate::store::{CallRecord, LinkWrite};

impl ExamApplier<'_> {
    /// Looks up the candidates whose second write was just confirmed, where look-ups show the fields. What is not found
    /// out now, the next listings tell.
    pub(super) async fn look_after_second_writes(&self, batch: &Batch, positions: &[usize]) {
        if batch.call != Call::Change || self.unsent(&batch.call).is_some() {
            return;
        }
        let written: BTreeMap<Sid, (&Operation, &Modification)> =
            positions.iter().filter_map(|at| self.second_write(*at)).collect();
        if written.is_empty() {
            return;
        }
        let sids = written.keys().copied().collect();
        let rows = match lookup::rows_by_sid(&self.calls.session, sids).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::debug!(%error, "what became of second writes is left to the next listings");
                return;
            }
        };
        let told = written.iter().filter_map(|(sid, (operation, modification))| match rows.get(sid) {
            Some(LookupOutcome::Row(row)) => Some(self.told(operation, modification, row)),
            Some(LookupOutcome::Gone) | None => None,
        });
        let record = CallRecord { links: told.collect(), ..CallRecord::default() };
        let context = self.context.run_context;
        let recorded = context.state.record_call(&record, self.context.run, context.clock.now_ms()).await;
        if let Err(error) = recorded {
            self.state().break_off(error);
        }
    }

    /// An applied operation with a second write that a look-up can tell of.
    fn second_write(&self, at: usize) -> Option<(Sid, (&Operation, &Modification))> {
        let operation = self.operation(at)?;
        let Change::Modify(modification) = &operation.change else { return None };
        let is_looked_up = modification.second_writes.values().any(|write| write.is_looked_up);
        let is_applied = self.state().outcome(at).is_some_and(Outcome::is_applied);
        (is_looked_up && is_applied).then_some((modification.sid, (operation, modification)))
    }

    fn told(&self, operation: &Operation, modification: &Modification, row: &CandidateInfo) -> LinkWrite {
        let login_field = self.context.mapping.login_field();
        let shown_login = lookup::login_of(row, login_field);
        let (mut rewritten, mut kept, mut login) = (BTreeMap::new(), BTreeSet::new(), None);
        let looked_up = modification.second_writes.iter().filter(|(_, write)| write.is_looked_up);
        for (field, _) in looked_up {
            let value = |value: &str| self.context.key.value(*field, value);
            let shown = if *field == login_field {
                shown_login.as_ref().map(|login| value(login.as_str()))
            } else {
                value_of(row, *field).map(|shown| value(&normalise(shown)))
            };
            let Some(sent) = sent(modification, *field).map(value) else { continue };
            match AfterSecondWrite::of(sent, shown) {
                AfterSecondWrite::Kept => {
                    kept.insert(*field);
                }
                AfterSecondWrite::Rewritten(shown) => {
                    rewritten.insert(*field, shown);
                    if *field == login_field {
                        login.clone_from(&shown_login);
                    }
                }
                AfterSecondWrite::Untold => {}
            }
        }
        LinkWrite::SecondWrites { student: operation.student.clone(), login, rewritten, kept }
    }
}

/// What was sent of a field.
fn sent(modification: &Modification, field: FieldId) -> Option<&str> {
    let login = modification.login.as_ref().filter(|login| login.id == field).map(|login| login.to.as_str());
    let value = || modification.values.iter().find(|change| change.id == field);
    login.or_else(|| value().map(|change| change.value.as_str()))
}

fn value_of(row: &CandidateInfo, field: FieldId) -> Option<&str> {
    row.fields.iter().find(|(id, _)| *id == field).map(|(_, value)| value.as_str())
}
