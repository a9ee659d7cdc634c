//! `notify --test`: sends one message to everybody who is told, and says what was answered.

use serde::Serialize;

use super::output;
use crate::app::AppError;
use crate::cli::Cli;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::notify::{Delivery, Target, deliver};
use crate::settings::Settings;
use rosterd_core::situation::Message;

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

pub(super) async fn test(cli: &Cli) -> Result<Exit, AppError> {
    let settings = Settings::load_from_environment(cli.config.as_deref())?;
    let (notify, clock) = (&settings.notify, Clock::system());
    let made_at_ms = clock.now_ms();
    let message = Message::test(&notify.title, &settings.schedule.time_zone, made_at_ms);
    let mut tried = Vec::new();
    for target in Target::all(notify) {
        let delivery = match target {
            Target::Hook(_) | Target::Mail => Delivery::Message { message: &message, made_at_ms },
            Target::Ping(_) => Delivery::Ping { good: true },
        };
        let answered = deliver(notify, target, &delivery, &clock).await;
        let ok = answered.is_ok();
        let said = answered.unwrap_or_else(|why| why);
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
