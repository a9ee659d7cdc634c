//! The daemon's look at the situation: after each run and now and then. What is new becomes a message in the state
//! database, and what waits there is delivered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use rosterd_core::counted::counted;
use rosterd_core::failure::FailureOwner;
use rosterd_core::situation::{DigestDay, Message, News, Situation, ToldIncident, digest, news};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::deliver::{Delivery, PING, Target, deliver};
use crate::clock::Clock;
use crate::invocation::{self, Written};
use crate::run::{Attention, in_one_line};
use crate::settings::{NotifySettings, Settings};
use crate::store::{Notification, StateStore, StoreError, Telling};
use crate::web::Health;

/// How often the situation is looked at without a run: a run that does not come is noticed so late at most.
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);

/// The first line of the log about the situation comes so soon: by then the schedule stands.
const BEFORE_FIRST_LINE: Duration = Duration::from_secs(1);

/// A run that was due while the daemon was down begins within so long, and proves that nothing is late.
const FIRST_LOOK: Duration = Duration::from_secs(75);

/// The pause after the first failed delivery, in milliseconds; it doubles with each one up to [`LONGEST_PAUSE_MS`].
const FIRST_PAUSE_MS: i64 = 30_000;
const LONGEST_PAUSE_MS: i64 = 60 * 60 * 1000;

/// Nobody waits for a message that is older.
const OLDEST_MS: i64 = 72 * 60 * 60 * 1000;

/// How long the end waits for a delivery that is under way, beyond `notify.timeout`.
const GRACE: Duration = Duration::from_secs(2);

/// What is stored of a ping.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Ping {
    good: bool,
}

/// What the watching works with.
pub struct Watching<S> {
    /// The settings of now: a reload changes them.
    pub settings: S,
    pub state: StateStore,
    pub clock: Clock,
    pub health: Health,
    /// Has the health read what the state tells now.
    pub refresh: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    /// What the log said last.
    pub logged: Mutex<Option<String>>,
}

/// The watching under way.
pub struct Notifying {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Notifying {
    /// Begins.
    pub fn start<S>(watching: Watching<S>) -> Self
    where
        S: Fn() -> Arc<Settings> + Send + Sync + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(watching.run(stop.clone()));
        Self { stop, task }
    }

    /// Ends it, once a delivery under way has its answer.
    pub async fn finish(self, settings: &NotifySettings) {
        let Self { stop, mut task } = self;
        stop.cancel();
        if tokio::time::timeout(settings.timeout + GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl<S: Fn() -> Arc<Settings> + Send + Sync> Watching<S> {
    async fn run(self, stop: CancellationToken) {
        let first_look = Instant::now() + FIRST_LOOK;
        let mut pause = BEFORE_FIRST_LINE;
        loop {
            let is_news = tokio::select! {
                () = stop.cancelled() => return,
                () = self.health.run_ended() => true,
                () = tokio::time::sleep(pause) => false,
            };
            pause = BETWEEN_LOOKS;
            let looked = async {
                let is_time = is_news || Instant::now() >= first_look;
                self.tell_news(is_time).await?;
                self.tell_digest().await?;
                self.deliver_due(&stop).await
            };
            if let Err(error) = looked.await {
                tracing::warn!("what there is to tell could not be stored: {}", in_one_line(&error));
            }
        }
    }

    /// Logs the situation, and tells what is new of it where it is time.
    async fn tell_news(&self, is_time: bool) -> Result<(), StoreError> {
        let settings = (self.settings)();
        let targets: Vec<&'static str> = settings.notify.targets().collect();
        let now_ms = self.clock.now_ms();
        let situation = self.health.situation(now_ms);
        // A run under way hides that one was late, and does not prove yet that all is well.
        if self.health.is_running() && situation.healthy {
            return Ok(());
        }
        self.log(&situation);
        if targets.is_empty() || !is_time {
            return Ok(());
        }
        let known = self.state.told_incidents().await?;
        let news = news(&situation, &known, settings.notify.least, self.health.last_good_ms());
        if news.is_empty() {
            return Ok(());
        }
        let zone = &settings.schedule.time_zone;
        let message = Message::of(&news, &situation, &settings.notify.title, zone, now_ms);
        let (mut told, mut over) = (Vec::new(), Vec::<ToldIncident>::new());
        for news in news {
            match news {
                News::Began(matter) | News::Changed(matter) => told.push(matter.as_told(now_ms)),
                News::Ended(incident) => over.push(incident),
            }
        }
        let content = serde_json::to_string(&message).unwrap_or_default();
        let content = invocation::complete(&content, Written::Json);
        let telling = Telling { told: &told, over: &over, targets: &targets, content: &content };
        self.state.tell(telling, now_ms).await?;
        tracing::info!(targets = targets.join(", "), "told: {}", message.subject());
        Ok(())
    }

    /// Says the situation in the log, once for each: what it is, how much of it, for whom, and what to type.
    fn log(&self, situation: &Situation) {
        let lines: Vec<String> = situation.lines().collect();
        let known: Vec<_> =
            situation.matters.iter().map(|it| (&it.kind, &it.cause, it.count, &it.command)).collect();
        let known = format!("{} {known:?}", situation.kind.word());
        let before = self.logged.lock().unwrap_or_else(PoisonError::into_inner).replace(known.clone());
        if before.is_some_and(|before| before == known) {
            return;
        }
        let text = [vec![situation.heading.clone()], lines].concat().join(" | ");
        let text = invocation::complete(&text, Written::Plain);
        let next = situation.next_run();
        let (situation, is_well) = (situation.kind.word(), situation.healthy);
        match is_well {
            true => tracing::info!(situation, next_run = next, "{text}"),
            false => tracing::warn!(situation, next_run = next, "{text}"),
        }
    }

    /// Once a day tells the office what waits for it.
    async fn tell_digest(&self) -> Result<(), StoreError> {
        let settings = (self.settings)();
        let Some(wanted) = settings.notify.digest_at else { return Ok(()) };
        let targets: Vec<&'static str> = settings.notify.digest_targets().collect();
        if targets.is_empty() {
            return Ok(());
        }
        let zone = &settings.schedule.time_zone;
        let now = self.clock.now().to_zoned(zone.clone());
        let told = self.state.digest_day().await?;
        let now_ms = self.clock.now_ms();
        let today = match DigestDay::of(told, now.date(), now.time(), wanted) {
            DigestDay::NotDue => return Ok(()),
            DigestDay::Mended(today) => return self.state.tell_digest(today, &[], None, now_ms).await,
            DigestDay::Due(today) => today,
        };
        // Somebody may have mended, approved or silenced something since the last run.
        (self.refresh)().await;
        let message = digest(&self.health.situation(now_ms), &settings.notify.title, zone, now_ms);
        let is_wanted = !message.items.is_empty() || settings.notify.digest_empty;
        let content = serde_json::to_string(&message).unwrap_or_default();
        let content = invocation::complete(&content, Written::Json);
        let content = is_wanted.then_some(&*content);
        self.state.tell_digest(today, &targets, content, now_ms).await?;
        let said = if is_wanted { "told" } else { "not told, as notify.digest_empty wants" };
        tracing::info!(targets = targets.join(", "), "the daily digest is {said}: {}", message.subject());
        Ok(())
    }

    /// Delivers what is due: to each target one after another, to all targets at once.
    async fn deliver_due(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let mut by_target: BTreeMap<String, Vec<Notification>> = BTreeMap::new();
        for notification in self.state.notifications().await? {
            by_target.entry(notification.target.clone()).or_default().push(notification);
        }
        let settings = (self.settings)();
        let deliveries =
            by_target.into_values().map(|waiting| self.deliver_all(&settings.notify, waiting, stop));
        join_all(deliveries).await.into_iter().collect()
    }

    /// The first one that fails holds up those behind it: what is over is not told before what began.
    async fn deliver_all(
        &self,
        settings: &NotifySettings,
        waiting: Vec<Notification>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        for notification in waiting {
            if stop.is_cancelled() || !self.deliver_one(settings, &notification).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says whether the next one has its turn.
    async fn deliver_one(
        &self,
        settings: &NotifySettings,
        notification: &Notification,
    ) -> Result<bool, StoreError> {
        let Notification { notification_id: id, target: word, content, made_at_ms, attempts, due_at_ms } =
            notification;
        let now_ms = self.clock.now_ms();
        // A moment further ahead than it ever could be was written under a clock that was ahead.
        if (now_ms.saturating_add(1)..=now_ms.saturating_add(LONGEST_PAUSE_MS)).contains(due_at_ms) {
            return Ok(false);
        }
        let Some(target) = Target::named(word, settings) else {
            // It is no longer configured.
            self.state.forget_notification(*id).await?;
            return Ok(true);
        };
        if now_ms.saturating_sub(*made_at_ms) > OLDEST_MS && word != PING {
            tracing::error!(to = word, "a message could not be delivered for three days and is given up");
            self.state.forget_notification(*id).await?;
            return Ok(true);
        }
        let delivered = match word.as_str() {
            PING => match serde_json::from_str(content) {
                Ok(Ping { good }) => deliver(settings, target, &Delivery::Ping { good }, &self.clock).await,
                Err(_) => Ok("it could not be read and is left out".to_owned()),
            },
            _ => match serde_json::from_str(content) {
                Ok(message) => {
                    let delivery = Delivery::Message { message: &message, made_at_ms: *made_at_ms };
                    deliver(settings, target, &delivery, &self.clock).await
                }
                Err(_) => Ok("it could not be read and is left out".to_owned()),
            },
        };
        match delivered {
            Ok(said) => {
                tracing::debug!(to = word, "a message was delivered: {said}");
                self.state.forget_notification(*id).await?;
                Ok(true)
            }
            Err(why) => {
                tracing::warn!(to = word, "a message could not be delivered and is tried again: {why}");
                let due_at_ms = now_ms.saturating_add(pause_ms(*attempts));
                self.state.postpone_notification(*id, due_at_ms, &why).await?;
                Ok(false)
            }
        }
    }
}

/// The pause after so many failed attempts before this one.
fn pause_ms(attempts: i64) -> i64 {
    let doubled = u32::try_from(attempts).ok().and_then(|attempts| 2_i64.checked_pow(attempts));
    doubled.map_or(LONGEST_PAUSE_MS, |times| FIRST_PAUSE_MS.saturating_mul(times).min(LONGEST_PAUSE_MS))
}

/// Has whoever watches the pings hear how a run ended. A failure to do so is logged here.
pub async fn tell_ping(state: &StateStore, good: bool, now_ms: i64) {
    let content = serde_json::to_string(&Ping { good }).unwrap_or_default();
    if let Err(error) = state.tell_newest(PING, &content, now_ms).await {
        tracing::warn!("a ping could not be stored: {}", in_one_line(&error));
    }
}

/// What could not be delivered so far, for `status`.
///
/// # Errors
/// When our own database cannot be read.
pub async fn undelivered_attention(
    state: &StateStore,
    settings: &NotifySettings,
) -> Result<Option<Attention>, StoreError> {
    let mut waiting = state.undelivered().await?;
    waiting.retain(|it| Target::named(&it.target, settings).is_some());
    let Some(since_ms) = waiting.iter().map(|it| it.since_ms).min() else { return Ok(None) };
    let each: Vec<String> = waiting
        .iter()
        .map(|it| format!("{} to {}: {}", counted(it.count, "message"), it.target, it.error))
        .collect();
    let what = format!(
        "not delivered so far: {}; tried again by itself, or try it: rosterd notify --test",
        each.join("; ")
    );
    let count = waiting.iter().map(|it| it.count).sum();
    Ok(Some(Attention::new(count, Some(since_ms), FailureOwner::It, what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_between_attempts_double_up_to_an_hour() {
        let pauses: Vec<i64> = (0..9).map(|attempts| pause_ms(attempts) / 1000).collect();
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(pause_ms(i64::MAX), LONGEST_PAUSE_MS);
    }
}
