//! What a service supplies to carry a plan out: its batches and its bookkeeping.
//!
//! The engine names operations by their position in the plan, and knows nothing else of them.

use std::future::Future;
use std::sync::MutexGuard;

use rosterd_core::exam_plan::Fingerprint;
use rosterd_core::failure::{OperationKey, Service};
use rosterd_core::outcome::Outcome;
use rosterd_core::roster::RunId;

use super::broken::Broken;
use super::deliver::Delivered;
use super::service::Items;
use super::state::ApplyState;
use crate::run::Context;
use crate::store::CallRecord;

/// Lanes that may overlap; the batches of one lane follow one another.
pub(in crate::run) type Lanes<B> = Vec<Vec<B>>;

/// One operation as failures and approvals name it.
#[derive(Clone, Debug)]
pub(in crate::run) struct Subject {
    pub(in crate::run) key: OperationKey,
    /// Fingerprint of what is wanted: a failure holds only while it is the same.
    pub(in crate::run) desired_hash: Fingerprint,
}

/// Where an item stood: in which call, in which batch of the run, at which position of it.
#[derive(Clone, Copy, Default)]
pub(in crate::run) struct Place {
    pub(in crate::run) call: &'static str,
    pub(in crate::run) batch: Option<u64>,
    pub(in crate::run) index: Option<u64>,
}

impl Place {
    /// In a batch.
    pub(in crate::run) fn in_batch(call: &'static str, number: u64, index: usize) -> Self {
        Self { call, batch: Some(number), index: u64::try_from(index).ok() }
    }

    /// In a call for one.
    pub(in crate::run) fn at(call: &'static str) -> Self {
        Self { call, batch: None, index: None }
    }
}

/// What a service supplies to carry a plan out. Operations are named by their position in the plan.
pub(in crate::run) trait Applier: Sync {
    const SERVICE: Service;

    type Batch: Send + Sync;
    type Call: Items;
    /// What the service gives for an item that is applied.
    type Gain: Clone + Send + Sync;

    fn context(&self) -> &Context;

    fn run(&self) -> RunId;

    /// Never held across a call.
    fn state(&self) -> MutexGuard<'_, ApplyState>;

    /// Sends what is open of a batch, in as many calls as are wise; each through [`super::apply::send_call`].
    fn send_batch(&self, batch: &Self::Batch) -> impl Future<Output = ()> + Send;

    /// What follows when a lane has gone.
    fn after_lane(&self, _lane: &[Self::Batch]) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Writes down what is about to be sent.
    fn intend(&self, positions: &[usize], number: u64) -> impl Future<Output = Result<(), Broken>> + Send;

    fn deliver(&self, call: Self::Call)
    -> impl Future<Output = Result<Delivered<Self::Gain>, Broken>> + Send;

    /// Learns from a call for those to come.
    fn note_call(&self, batch: &Self::Batch, positions: &[usize], delivered: &Delivered<Self::Gain>);

    /// Looks at the outcomes once more before they are written down.
    fn check_outcomes(
        &self,
        _positions: &[usize],
        outcomes: Vec<Outcome<Self::Gain>>,
    ) -> impl Future<Output = Result<Vec<Outcome<Self::Gain>>, Broken>> + Send {
        async { Ok(outcomes) }
    }

    /// What follows when a call is written down.
    fn after_call(&self, _batch: &Self::Batch) -> impl Future<Output = Result<(), Broken>> + Send {
        async { Ok(()) }
    }

    /// Where an item stood, for records.
    fn place(&self, batch: &Self::Batch, number: u64, index: usize) -> Place;

    fn subject(&self, position: usize) -> Option<Subject>;

    /// The operations that end as this one does, itself among them.
    fn ending_together(&self, position: usize) -> Vec<usize> {
        vec![position]
    }

    /// Notes what an applied item changes. `false`: the operation needs further calls.
    fn note_applied(
        &self,
        batch: &Self::Batch,
        position: usize,
        gain: &Self::Gain,
        record: &mut CallRecord,
    ) -> bool;

    /// Notes what follows from an outcome other than applied, beside the failure itself.
    fn note_not_applied(&self, position: usize, outcome: &Outcome<Self::Gain>, record: &mut CallRecord);
}
