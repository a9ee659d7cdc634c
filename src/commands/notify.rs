//! `notify --test`: sends one message to everybody who is told, and says what was answered.

use serde::Serialize;

use super::{health, output};
use crate::app::AppError;
use crate::cli::Cli;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::notify::{Delivery, Target, deliver};
use crate::run::in_one_line;
use crate::settings::Settings;
use crate::store::StateStore;
use rosterd_core::situation::{Message, Situation, Weight};

/// How one delivery ended.
#[derive(Serialize)]
struct Tried {
    /// `wecom`, `dingtalk`, `feishu`, `slack`, `teams`, `json`, `mail` or `ping`.
    target: &'static str,
    /// Where it leads, without anything secret.
    place: String,
    ok: bool,
    said: String,
}

/// What the state says now: whoever gets a test takes it for the truth, and so does a dead man's switch.
struct NowKnown {
    what: String,
    is_failing: bool,
}

impl NowKnown {
    async fn of(settings: &Settings, now_ms: i64) -> Self {
        let known = async {
            let (state, _) = StateStore::open_for_reading(&settings.state.database).await?;
            health::facts(&state, settings, now_ms).await
        };
        match known.await {
            Ok(facts) => {
                let situation = Situation::of(&facts, now_ms);
                let is_failing = situation.matters.iter().any(|matter| matter.weight == Weight::Failing);
                Self { what: situation.heading, is_failing }
            }
            Err(error) => Self {
                what: format!("what the matter is cannot be told: {}", in_one_line(&error)),
                is_failing: true,
            },
        }
    }
}

pub(super) async fn test(cli: &Cli) -> Result<Exit, AppError> {
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let (notify, clock) = (&settings.notify, Clock::system());
    let made_at_ms = clock.now_ms();
    let now = NowKnown::of(&settings, made_at_ms).await;
    let message = Message::test(&notify.title, &now.what, &settings.schedule.time_zone, made_at_ms);
    let mut tried = Vec::new();
    for target in Target::all(notify) {
        let delivery = match target {
            Target::Hook(_) | Target::Mail => Delivery::Message { message: &message, made_at_ms },
            Target::Ping(_) => Delivery::Ping { good: !now.is_failing },
        };
        let answered = deliver(notify, target, &delivery, &clock).await;
        let ok = answered.is_ok();
        let said = answered.unwrap_or_else(|why| why);
        let is_of_failing = now.is_failing && matches!(target, Target::Ping(_));
        let said = if is_of_failing { format!("{said} to /fail, as runs are not good now") } else { said };
        tried.push(Tried { target: target.word(), place: target.place(notify), ok, said });
    }
    output::show(cli, &tried, |tried| text(tried));
    let is_well = tried.iter().all(|tried| tried.ok);
    Ok(match (tried.is_empty(), is_well) {
        (true, _) => Exit::Configuration,
        (false, true) => Exit::Done,
        (false, false) => Exit::Failed,
    })
}

fn text(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return "Nobody is told: [notify] names no web hook, no mail server and no ping_url (docs/notifications.md)."
            .to_owned();
    }
    let lines: Vec<String> = tried
        .iter()
        .map(|Tried { target, place, ok, said }| {
            let word = if *ok { "ok  " } else { "FAIL" };
            format!("{word}  {target} ({place}): {said}")
        })
        .collect();
    lines.join("\n")
}
