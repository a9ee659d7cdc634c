//! What is taken from leavers: only with proof that both sides were read, that an earlier run saw them gone, and that
//! their grace has run out.

use super::{Audit, MissingProof, Violation};
use crate::exam_plan::kind::OperationKind;
use crate::exam_plan::operation::Operation;

pub(super) fn violations(audit: &Audit<'_>) -> Vec<Violation> {
    let planned = audit.plan.operations.iter().filter(|operation| operation.is_planned());
    let of_leavers = planned.filter(|it| it.of_leaver || it.kind() == OperationKind::Delete);
    of_leavers
        .flat_map(|operation| {
            missing(audit, operation).into_iter().map(|lacks| Violation::Unproven {
                student: operation.student.clone(),
                kind: operation.kind(),
                lacks,
            })
        })
        .collect()
}

fn missing(audit: &Audit<'_>, operation: &Operation) -> Vec<MissingProof> {
    let departure = audit.departures.get(&operation.student);
    let was_seen = departure.is_some_and(|departure| departure.runs >= 1);
    let is_over = departure.is_some_and(|departure| {
        audit.now_ms.saturating_sub(departure.since_ms).max(0) >= audit.delete_grace_ms
    });
    let proofs = [
        (audit.plan.doubt.is_none(), MissingProof::Certificate),
        (was_seen, MissingProof::EarlierRun),
        (is_over, MissingProof::Grace),
    ];
    proofs.into_iter().filter(|(is_there, _)| !is_there).map(|(_, lacks)| lacks).collect()
}
