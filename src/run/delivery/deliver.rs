//! One call on its way: sent, judged item by item, read back where the answer proves nothing, mended where that is
//! possible, sent again in parts. No write is ever repeated blindly: what may be repeated, and how, is the judge's word.

use futures_util::future::BoxFuture;
use rosterd_core::outcome::{Outcome, Unsent};

use super::broken::Broken;
use super::service::{Attempt, CallService, Items, Judged, Judgement, Part, ReadBack, Repaired, Trouble};
use super::stop::ServiceStop;
use crate::remote::http::retry_limits::SENDINGS;

/// What became of a call.
#[derive(Debug)]
pub(in crate::run) struct Delivered<G> {
    /// One for each item.
    pub(in crate::run) outcomes: Vec<Outcome<G>>,
    /// Why no further call is made in this run.
    pub(in crate::run) stop: Option<ServiceStop>,
    /// How the service failed last, where no later call made it good.
    pub(in crate::run) trouble: Option<String>,
}

impl<G: Clone> Delivered<G> {
    /// Nothing was sent of so many items.
    pub(in crate::run) fn unsent(items: usize, stop: Option<ServiceStop>) -> Self {
        Self { outcomes: vec![Outcome::Unsent(Unsent::ServiceStopped); items], stop, trouble: None }
    }

    /// Takes in what became of some items that were sent once more.
    pub(in crate::run) fn replace(&mut self, positions: &[usize], later: Self) {
        for (at, outcome) in positions.iter().zip(later.outcomes) {
            if let Some(slot) = self.outcomes.get_mut(*at) {
                *slot = outcome;
            }
        }
        self.stop = self.stop.take().or(later.stop);
        self.trouble = later.trouble.or(self.trouble.take());
    }

    /// Takes in what became of the items that were sent after these.
    pub(in crate::run) fn append(&mut self, later: Self) {
        self.outcomes.extend(later.outcomes);
        self.stop = self.stop.take().or(later.stop);
        self.trouble = later.trouble.or(self.trouble.take());
    }
}

/// Sends a call and finds out what became of each item.
pub(in crate::run) async fn deliver<S: CallService>(
    service: &S,
    call: S::Call,
) -> Result<Delivered<S::Gain>, Broken> {
    let mut delivered = attempt(service, call, Attempt::FIRST).await?;
    delivered.stop = delivered.stop.or_else(|| open_breaker(service));
    Ok(delivered)
}

fn open_breaker<S: CallService>(service: &S) -> Option<ServiceStop> {
    let failures = service.failures_in_a_row()?;
    Some(ServiceStop::FailedCalls { service: S::SERVICE, failures })
}

/// Ends: every further sending has a higher number, which limits wholes, or fewer items, or is the one after mending.
fn attempt<S: CallService>(
    service: &S,
    mut call: S::Call,
    attempt: Attempt,
) -> BoxFuture<'_, Result<Delivered<S::Gain>, Broken>> {
    Box::pin(async move {
        service.before_sending(&call).await?;
        let judged = match service.send(&call).await {
            Ok(answer) => service.judge(&mut call, answer).await?,
            Err(error) => service.after_error(&mut call, &error, attempt).await?,
        };
        let Judged { items, stop, pause, trouble } = judged;
        let open = OpenCall { service, call, attempt, items, stop, trouble: None };
        open.finish(pause, trouble).await
    })
}

/// A call of which some items are open.
struct OpenCall<'a, S: CallService> {
    service: &'a S,
    call: S::Call,
    attempt: Attempt,
    items: Vec<Judgement<S::Gain>>,
    stop: Option<ServiceStop>,
    trouble: Option<String>,
}

impl<S: CallService> OpenCall<'_, S> {
    async fn finish(
        mut self,
        pause: std::time::Duration,
        trouble: Option<Trouble>,
    ) -> Result<Delivered<S::Gain>, Broken> {
        let mut repeats = None;
        if self.items.iter().any(|item| matches!(item, Judgement::ReadBack { .. })) {
            // The wait comes first: what is read back later is less likely to be old.
            repeats = Some(self.may_repeat(pause).await);
            self.read_back().await;
        }
        self.repair().await?;
        for part in self.smaller_parts() {
            self.send_again(&part, self.attempt.next()).await?;
        }
        let whole = self.positions(|item| is_sent_again(item, Part::Whole));
        let repeats = match repeats {
            Some(repeats) => repeats && !whole.is_empty() && self.stop.is_none(),
            None => self.may_repeat(pause).await,
        };
        if repeats {
            self.send_again(&whole, self.attempt.next()).await?;
        } else if let Some(Trouble { message, stop }) = trouble {
            self.trouble = Some(message);
            self.stop = self.stop.take().or(stop);
        }
        Ok(self.close())
    }

    fn positions(&self, wanted: impl Fn(&Judgement<S::Gain>) -> bool) -> Vec<usize> {
        self.items.iter().enumerate().filter(|(_, item)| wanted(item)).map(|(at, _)| at).collect()
    }

    /// Whether what is to go again as a whole does; waits before it says so.
    async fn may_repeat(&self, pause: std::time::Duration) -> bool {
        let wanted = self.items.iter().any(|item| {
            is_sent_again(item, Part::Whole)
                || matches!(item, Judgement::ReadBack { again: Some(Part::Whole), .. })
        });
        let signal = self.service.stop_signal();
        wanted
            && self.attempt.number < SENDINGS
            && self.stop.is_none()
            && self.service.failures_in_a_row().is_none()
            && !signal.is_cancelled()
            && signal.run_until_cancelled(tokio::time::sleep(pause)).await.is_some()
    }

    async fn read_back(&mut self) {
        tracing::debug!(items = self.call.len(), "looking up what became of a call");
        let items = std::mem::take(&mut self.items);
        let ReadBack { items, stop } = self.service.read_back(&self.call, items).await;
        self.items = items;
        self.stop = self.stop.take().or(stop);
    }

    async fn repair(&mut self) -> Result<(), Broken> {
        let open = self.positions(|item| matches!(item, Judgement::Repair(_)));
        if open.is_empty() || self.attempt.is_repaired || self.stop.is_some() {
            return Ok(());
        }
        let Repaired { settled, again, stop } = self.service.repair(&mut self.call, &open).await?;
        for (at, outcome) in settled {
            self.put(at, outcome);
        }
        self.stop = self.stop.take().or(stop);
        if again.is_empty() {
            return Ok(());
        }
        self.send_again(&again, Attempt { is_repaired: true, ..Attempt::FIRST }).await
    }

    /// Singles first, then halves.
    fn smaller_parts(&self) -> Vec<Vec<usize>> {
        let singles = self.positions(|item| is_sent_again(item, Part::Single));
        let halves = self.positions(|item| is_sent_again(item, Part::Halves));
        let (first, second) = halves.split_at(halves.len().div_ceil(2));
        let mut parts: Vec<Vec<usize>> = singles.into_iter().map(|at| vec![at]).collect();
        parts.extend([first.to_vec(), second.to_vec()]);
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// Sends some items again, unless there is to be no further call.
    async fn send_again(&mut self, positions: &[usize], next: Attempt) -> Result<(), Broken> {
        let is_left_alone = self.stop.is_some() || self.service.failures_in_a_row().is_some();
        if is_left_alone || self.service.stop_signal().is_cancelled() {
            return Ok(());
        }
        let part = self.call.part(positions);
        let Delivered { outcomes, stop, trouble } = attempt(self.service, part, next).await?;
        for (at, outcome) in positions.iter().zip(outcomes) {
            self.put(*at, outcome);
        }
        self.stop = self.stop.take().or(stop);
        self.trouble = trouble.or(self.trouble.take());
        Ok(())
    }

    /// An item that was not sent after all stays as the sending before left it, where that had no answer: what was
    /// intended must not be forgotten.
    fn put(&mut self, at: usize, outcome: Outcome<S::Gain>) {
        let Some(item) = self.items.get_mut(at) else { return };
        let kept = match item {
            Judgement::SendAgain { otherwise, .. } if is_unanswered(otherwise) => Some(otherwise.clone()),
            Judgement::SendAgain { .. }
            | Judgement::Settled(_)
            | Judgement::ReadBack { .. }
            | Judgement::Repair(_) => None,
        };
        let is_unsent = matches!(outcome, Outcome::Unsent(_));
        *item = Judgement::Settled(kept.filter(|_| is_unsent).unwrap_or(outcome));
    }

    fn close(self) -> Delivered<S::Gain> {
        let Self { service, items, stop, trouble, .. } = self;
        let never_sent = match &stop {
            Some(_) => Some(Unsent::ServiceStopped),
            None => service.stop_signal().is_cancelled().then_some(Unsent::Terminated),
        };
        let outcome = |item| match item {
            // A half was refused with the rest, so nothing of it was done; unless that is just what is not known.
            Judgement::SendAgain { part: Part::Halves, otherwise } if !is_unanswered(&otherwise) => {
                never_sent.map_or(otherwise, Outcome::Unsent)
            }
            Judgement::Settled(outcome)
            | Judgement::SendAgain { otherwise: outcome, .. }
            | Judgement::Repair(outcome) => outcome,
            Judgement::ReadBack { cause, .. } => Outcome::Unknown(cause),
        };
        Delivered { outcomes: items.into_iter().map(outcome).collect(), stop, trouble }
    }
}

/// Whether the call may have been done although it had no answer.
fn is_unanswered<G>(outcome: &Outcome<G>) -> bool {
    outcome.cause().is_some_and(|cause| cause.is_unanswered)
}

fn is_sent_again<G>(item: &Judgement<G>, wanted: Part) -> bool {
    matches!(item, Judgement::SendAgain { part, .. } if *part == wanted)
}
