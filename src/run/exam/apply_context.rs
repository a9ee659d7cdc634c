//! What a plan is applied under.

use rosterd_core::exam_plan::{Approved, GuardedPlan, LookupResults, Mapping, MemoryKey, Observed};
use rosterd_core::roster::RunId;

use super::ExamSide;
use super::standing::StandingOperations;
use super::witnesses::Witness;
use crate::remote::exam::ExamWriter;
use crate::run::Context;

/// What a plan is applied under.
#[derive(Clone, Copy)]
pub(super) struct ApplyContext<'a> {
    pub(super) run_context: &'a Context,
    pub(super) side: &'a ExamSide,
    pub(super) writer: &'a ExamWriter,
    pub(super) run: RunId,
    pub(super) plan: &'a GuardedPlan,
    pub(super) lookups: &'a LookupResults,
    pub(super) approved: &'a Approved,
    pub(super) standing: &'a StandingOperations,
    pub(super) mapping: &'a Mapping,
    pub(super) observed: &'a Observed,
    pub(super) witnesses: &'a [Witness],
    pub(super) key: &'a MemoryKey,
}
