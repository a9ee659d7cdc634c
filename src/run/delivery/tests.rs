//! The engine with a service of which each sending is told beforehand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rosterd_core::classin_plan::{Code, Stop};
use rosterd_core::failure::{FailureCode, Service};
use rosterd_core::outcome::{FailureCause, Outcome, Unsent};
use tokio_util::sync::CancellationToken;

use super::*;

/// A call with numbered items.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Numbers(Vec<u32>);

impl Items for Numbers {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn part(&self, positions: &[usize]) -> Self {
        Self(positions.iter().map(|at| self.0[*at]).collect())
    }
}

/// How the service takes one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Done,
    Refused,
    /// The whole call is refused because of it.
    RefusesAll,
    /// No answer proves it.
    Lost,
    /// The first sending may have been done and has no answer; the service is stopped before the next.
    LostAndStopped,
    /// It is done after mending.
    Broken,
    /// It stops the service.
    Stops,
    /// The answer does not say; a look shows that it is done.
    Silent,
}

#[derive(Default)]
struct Scripted {
    items: Vec<(u32, Taken)>,
    sent: Mutex<Vec<Vec<u32>>>,
    repaired: Mutex<BTreeSet<u32>>,
    looked_up: Mutex<u32>,
    signal: CancellationToken,
    /// Whether a call that is refused as a whole may have been done in part.
    may_be_done_in_part: bool,
    failures: Option<u32>,
}

impl Scripted {
    fn with(items: &[(u32, Taken)]) -> Self {
        Self { items: items.to_vec(), ..Self::default() }
    }

    fn taken(&self, number: u32) -> Taken {
        self.items.iter().find(|(other, _)| *other == number).map_or(Taken::Done, |(_, taken)| *taken)
    }

    async fn deliver(&self, numbers: impl IntoIterator<Item = u32>) -> (Vec<String>, Option<ServiceStop>) {
        let delivered = deliver(self, Numbers(numbers.into_iter().collect())).await.unwrap();
        (delivered.outcomes.iter().map(shown).collect(), delivered.stop)
    }

    fn sent(&self) -> Vec<Vec<u32>> {
        self.sent.lock().unwrap().clone()
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied(()) => "applied".to_owned(),
        Outcome::Failed(cause) => format!("failed {}", cause.code),
        Outcome::Unknown(cause) => format!("unknown {}", cause.code),
        Outcome::Held => "held".to_owned(),
        Outcome::Unsent(why) => format!("unsent {why:?}"),
    }
}

fn cause(code: FailureCode) -> Arc<FailureCause> {
    Arc::new(FailureCause::new(code, ""))
}

fn unanswered() -> Arc<FailureCause> {
    Arc::new(FailureCause { is_unanswered: true, ..FailureCause::new(FailureCode::LostAnswer, "") })
}

fn refused() -> Outcome {
    Outcome::Failed(cause(FailureCode::Refused))
}

impl CallService for Scripted {
    type Call = Numbers;
    type Answer = Vec<Taken>;
    type Error = ();
    type Gain = ();

    const SERVICE: Service = Service::Exam;

    fn failures_in_a_row(&self) -> Option<u32> {
        self.failures
    }

    fn stop_signal(&self) -> &CancellationToken {
        &self.signal
    }

    async fn send(&self, call: &Numbers) -> Result<Vec<Taken>, ()> {
        self.sent.lock().unwrap().push(call.0.clone());
        let answer: Vec<Taken> = call.0.iter().map(|number| self.taken(*number)).collect();
        let is_refused = answer.contains(&Taken::RefusesAll) && answer.len() > 1;
        if is_refused { Err(()) } else { Ok(answer) }
    }

    async fn judge(&self, call: &mut Numbers, answer: Vec<Taken>) -> Result<Judged<()>, Broken> {
        let judgement = |(number, taken): (&u32, &Taken)| match taken {
            Taken::Done => Judgement::Settled(Outcome::Applied(())),
            Taken::Refused | Taken::RefusesAll => Judgement::Settled(refused()),
            Taken::Lost => Judgement::SendAgain {
                part: Part::Whole,
                otherwise: Outcome::Unknown(cause(FailureCode::LostAnswer)),
            },
            Taken::LostAndStopped if self.sent().len() > 1 => {
                Judgement::Settled(Outcome::Unsent(Unsent::ServiceStopped))
            }
            Taken::LostAndStopped => {
                Judgement::SendAgain { part: Part::Whole, otherwise: Outcome::Unknown(unanswered()) }
            }
            Taken::Broken if self.repaired.lock().unwrap().contains(number) => {
                Judgement::Settled(Outcome::Applied(()))
            }
            Taken::Broken => Judgement::Repair(refused()),
            Taken::Stops => Judgement::Settled(Outcome::Unsent(Unsent::ServiceStopped)),
            Taken::Silent => Judgement::ReadBack { cause: cause(FailureCode::Refused), again: None },
        };
        let judged = Judged::of(call.0.iter().zip(&answer).map(judgement).collect());
        let stop = ServiceStop::ClassinCode { stop: Stop::OurMistake, code: Code(100) };
        Ok(if answer.contains(&Taken::Stops) { judged.stopped(stop) } else { judged })
    }

    async fn after_error(
        &self,
        call: &mut Numbers,
        (): &(),
        _attempt: Attempt,
    ) -> Result<Judged<()>, Broken> {
        let otherwise = if self.may_be_done_in_part { Outcome::Unknown(unanswered()) } else { refused() };
        Ok(Judged::all(call.len(), Judgement::SendAgain { part: Part::Halves, otherwise }))
    }

    async fn read_back(&self, _call: &Numbers, items: Vec<Judgement<()>>) -> ReadBack<()> {
        *self.looked_up.lock().unwrap() += 1;
        let found = |item| match item {
            Judgement::ReadBack { .. } => Judgement::Settled(Outcome::Applied(())),
            other @ (Judgement::Settled(_) | Judgement::SendAgain { .. } | Judgement::Repair(_)) => other,
        };
        ReadBack { items: items.into_iter().map(found).collect(), stop: None }
    }

    async fn repair(&self, call: &mut Numbers, positions: &[usize]) -> Result<Repaired<()>, Broken> {
        self.repaired.lock().unwrap().extend(positions.iter().map(|at| call.0[*at]));
        Ok(Repaired { again: positions.to_vec(), ..Repaired::default() })
    }
}

#[tokio::test]
async fn a_call_refused_as_a_whole_is_halved_until_the_culprit_stands_alone() {
    let service = Scripted::with(&[(2, Taken::RefusesAll)]);
    let (outcomes, stop) = service.deliver(0..4).await;
    assert_eq!((outcomes.join(", "), stop), ("applied, applied, failed refused, applied".to_owned(), None));
    assert_eq!(service.sent(), [vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], vec![2], vec![3]]);
}

#[tokio::test]
async fn what_only_a_repeat_can_settle_is_sent_three_times_in_all_and_nothing_else_with_it() {
    let service = Scripted::with(&[(1, Taken::Lost)]);
    let (outcomes, _) = service.deliver(0..3).await;
    assert_eq!(outcomes, ["applied", "unknown lost-answer", "applied"]);
    assert_eq!(service.sent(), [vec![0, 1, 2], vec![1], vec![1]]);
}

#[tokio::test]
async fn what_can_be_mended_is_mended_once_and_sent_once_more() {
    let service = Scripted::with(&[(0, Taken::Broken), (1, Taken::Refused)]);
    let (outcomes, _) = service.deliver(0..3).await;
    assert_eq!(outcomes, ["applied", "failed refused", "applied"]);
    assert_eq!(service.sent(), [vec![0, 1, 2], vec![0]]);
}

#[tokio::test]
async fn what_the_answer_does_not_prove_is_looked_up_and_not_sent_again() {
    let service = Scripted::with(&[(1, Taken::Silent)]);
    assert_eq!(service.deliver(0..2).await.0, ["applied", "applied"]);
    assert_eq!((service.sent().len(), *service.looked_up.lock().unwrap()), (1, 1));
}

#[tokio::test]
async fn after_a_stop_the_other_half_is_left_unsent() {
    let service = Scripted::with(&[(0, Taken::Stops), (3, Taken::RefusesAll)]);
    let (outcomes, stop) = service.deliver(0..4).await;
    let unsent = "unsent ServiceStopped";
    assert_eq!(outcomes, [unsent, "applied", unsent, unsent]);
    assert!(stop.is_some());
    assert_eq!(service.sent(), [vec![0, 1, 2, 3], vec![0, 1]]);
}

#[tokio::test]
async fn an_open_breaker_stops_repeats_and_says_so() {
    let service = Scripted { failures: Some(5), ..Scripted::with(&[(0, Taken::Lost)]) };
    let (outcomes, stop) = service.deliver(0..1).await;
    assert_eq!(outcomes, ["unknown lost-answer"]);
    assert_eq!(stop, Some(ServiceStop::FailedCalls { service: Service::Exam, failures: 5 }));
    assert_eq!(service.sent().len(), 1);
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_repeats_nothing() {
    let service = Scripted::with(&[(0, Taken::Lost), (1, Taken::RefusesAll)]);
    service.signal.cancel();
    let (outcomes, _) = service.deliver(0..2).await;
    assert_eq!(outcomes, ["unsent Terminated", "unsent Terminated"]);
    let (outcomes, _) = service.deliver([0]).await;
    assert_eq!(outcomes, ["unknown lost-answer"]);
    assert_eq!(service.sent(), [vec![0, 1], vec![0]]);
}

#[tokio::test]
async fn a_repeat_that_is_not_sent_leaves_the_doubt_of_the_sending_before_it() {
    let service = Scripted::with(&[(0, Taken::LostAndStopped), (1, Taken::Refused)]);
    let (outcomes, _) = service.deliver(0..2).await;
    assert_eq!(outcomes, ["unknown lost-answer", "failed refused"]);
    assert_eq!(service.sent(), [vec![0, 1], vec![0]]);
}

#[tokio::test]
async fn halves_of_a_call_that_may_be_done_in_part_stay_in_doubt_when_they_are_not_sent() {
    let service = Scripted { may_be_done_in_part: true, ..Scripted::with(&[(0, Taken::RefusesAll)]) };
    service.signal.cancel();
    assert_eq!(service.deliver(0..2).await.0, ["unknown lost-answer", "unknown lost-answer"]);
}

#[tokio::test]
async fn no_part_is_sent_once_the_breaker_is_open() {
    let service = Scripted { failures: Some(5), ..Scripted::with(&[(0, Taken::RefusesAll)]) };
    let (outcomes, stop) = service.deliver(0..4).await;
    assert_eq!((outcomes[0].as_str(), stop.is_some()), ("failed refused", true));
    assert_eq!(service.sent().len(), 1);
}
