//! What a service supplies for one kind of call, and what it may say of an answer.
//!
//! The engine knows nothing of what is sent; a service knows nothing of attempts, halves and their order.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rosterd_core::outcome::{FailureCause, Outcome};
use tokio_util::sync::CancellationToken;

use super::broken::Broken;
use super::stop::ServiceStop;
use rosterd_core::failure::Service;

/// A call with items. What is said of the items is always said in their order.
pub(in crate::run) trait Items: Send + Sync {
    fn len(&self) -> usize;

    /// The same call for some of its items.
    fn part(&self, positions: &[usize]) -> Self;
}

/// One kind of call to a service. Every error that ends it is one of our own databases.
pub(in crate::run) trait CallService: Sync {
    type Call: Items;
    type Answer: Send;
    type Error: Send + Sync;
    /// What the service gives for an item that is applied.
    type Gain: Clone + Send + Sync;

    const SERVICE: Service;

    /// How many calls in a row have failed, where that is too many for another one: the word of the breaker.
    fn failures_in_a_row(&self) -> Option<u32>;

    /// Cancelled when the run is to end.
    fn stop_signal(&self) -> &CancellationToken;

    /// What is written down before every single sending.
    fn before_sending(&self, _call: &Self::Call) -> impl Future<Output = Result<(), Broken>> + Send {
        async { Ok(()) }
    }

    /// Makes the call exactly once.
    fn send(&self, call: &Self::Call) -> impl Future<Output = Result<Self::Answer, Self::Error>> + Send;

    /// What an answer means for each item. What has to be kept of it at once is written down here.
    fn judge(
        &self,
        call: &mut Self::Call,
        answer: Self::Answer,
    ) -> impl Future<Output = Result<Judged<Self::Gain>, Broken>> + Send;

    /// What it means that there is no answer to judge.
    fn after_error(
        &self,
        call: &mut Self::Call,
        error: &Self::Error,
        attempt: Attempt,
    ) -> impl Future<Output = Result<Judged<Self::Gain>, Broken>> + Send;

    /// Finds out by looking what became of the items with [`Judgement::ReadBack`].
    fn read_back(
        &self,
        _call: &Self::Call,
        items: Vec<Judgement<Self::Gain>>,
    ) -> impl Future<Output = ReadBack<Self::Gain>> + Send {
        async { ReadBack { items, stop: None } }
    }

    /// Mends what kept these items from being done.
    fn repair(
        &self,
        _call: &mut Self::Call,
        _positions: &[usize],
    ) -> impl Future<Output = Result<Repaired<Self::Gain>, Broken>> + Send {
        async { Ok(Repaired::default()) }
    }
}

/// How a call came to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) struct Attempt {
    /// The first is 1; parts of a call count on.
    pub(in crate::run) number: u32,
    /// Whether its items have been mended: that is done once.
    pub(in crate::run) is_repaired: bool,
}

impl Attempt {
    pub(in crate::run) const FIRST: Self = Self { number: 1, is_repaired: false };

    pub(super) fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

/// What an answer, or its absence, means for one item.
#[derive(Clone, Debug)]
pub(in crate::run) enum Judgement<G> {
    Settled(Outcome<G>),
    /// A look at the service tells. What is not done then has this cause, and is sent again in this way.
    ReadBack {
        cause: Arc<FailureCause>,
        again: Option<Part>,
    },
    /// Only another call tells; this is it without one.
    SendAgain {
        part: Part,
        otherwise: Outcome<G>,
    },
    /// The cause can be mended, once; this is it without that.
    Repair(Outcome<G>),
}

/// In what part items are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum Part {
    Single,
    /// In two halves. Nothing of the call was done.
    Halves,
    /// All of them together, a limited number of times.
    Whole,
}

/// What an answer, or its absence, means.
pub(in crate::run) struct Judged<G> {
    /// One for each item.
    pub(in crate::run) items: Vec<Judgement<G>>,
    /// Why no further call is made in this run.
    pub(in crate::run) stop: Option<ServiceStop>,
    /// How long to wait before the whole is sent again.
    pub(in crate::run) pause: Duration,
    /// The call had no answer to judge; this counts when it is not sent again.
    pub(in crate::run) trouble: Option<Trouble>,
}

/// How a call failed that is not sent again.
#[derive(Clone, Debug)]
pub(in crate::run) struct Trouble {
    /// What went wrong, in one line.
    pub(in crate::run) message: String,
    /// Set where the service is not called any more because of it.
    pub(in crate::run) stop: Option<ServiceStop>,
}

impl<G: Clone> Judged<G> {
    pub(in crate::run) fn of(items: Vec<Judgement<G>>) -> Self {
        Self { items, stop: None, pause: Duration::ZERO, trouble: None }
    }

    /// The same for so many items.
    pub(in crate::run) fn all(items: usize, judgement: Judgement<G>) -> Self {
        Self::of(vec![judgement; items])
    }

    /// The same, and no further call is made in this run.
    pub(in crate::run) fn stopped(self, stop: ServiceStop) -> Self {
        Self { stop: Some(stop), ..self }
    }

    pub(in crate::run) fn after(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }
}

/// What looking brought.
pub(in crate::run) struct ReadBack<G> {
    /// One for each item, none of them [`Judgement::ReadBack`].
    pub(in crate::run) items: Vec<Judgement<G>>,
    /// Why no further call is made in this run.
    pub(in crate::run) stop: Option<ServiceStop>,
}

/// What mending brought.
pub(in crate::run) struct Repaired<G> {
    /// Items that ended by it, one way or the other.
    pub(in crate::run) settled: Vec<(usize, Outcome<G>)>,
    /// Items that are sent once more.
    pub(in crate::run) again: Vec<usize>,
    /// Why no further call is made in this run.
    pub(in crate::run) stop: Option<ServiceStop>,
}

impl<G> Default for Repaired<G> {
    fn default() -> Self {
        Self { settled: Vec::new(), again: Vec::new(), stop: None }
    }
}
