//! One delivery: a message to one target, or a ping. Says what was answered; nothing that it says holds an address beyond
//! its host, or a secret.

use rosterd_core::situation::Message;
use secrecy::{ExposeSecret as _, SecretString};

use super::hook::{self, HookRequest};
use super::mail::MailWay;
use crate::clock::Clock;
use crate::remote::http::{Parsed, Reply, Request, Transport, mask_service_text};
use crate::run::in_one_line;
use crate::settings::{Endpoint, HookSettings, MAIL, NotifySettings};

/// The word for the ping as a target.
pub(super) const PING: &str = "ping";

/// What is delivered.
#[derive(Clone, Debug)]
pub enum Delivery<'a> {
    /// Made at this moment, in milliseconds since 1970 UTC, however often it is sent.
    Message { message: &'a Message, made_at_ms: i64 },
    /// A run ended, and was good or not.
    Ping { good: bool },
}

/// Where messages go, in the settings of now.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    Hook(&'a HookSettings),
    Mail,
    Ping(&'a SecretString),
}

impl<'a> Target<'a> {
    /// The target of this word, where it is configured.
    #[must_use]
    pub fn named(word: &str, settings: &'a NotifySettings) -> Option<Self> {
        Self::all(settings).find(|target| target.word() == word)
    }

    /// All that are configured.
    pub fn all(settings: &'a NotifySettings) -> impl Iterator<Item = Self> {
        let hooks = settings.hooks.iter().map(Self::Hook);
        let mail = settings.mail.iter().map(|_| Self::Mail);
        hooks.chain(mail).chain(settings.ping_url.iter().map(Self::Ping))
    }

    /// Its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Hook(hook) => hook.form.word(),
            Self::Mail => MAIL,
            Self::Ping(_) => PING,
        }
    }

    /// Where it leads, without anything secret.
    #[must_use]
    pub fn place(&self, settings: &NotifySettings) -> String {
        let host = |url: &SecretString| match Address::of(url) {
            Some(address) => {
                address.base.split_once("://").map_or(String::new(), |(_, host)| host.to_owned())
            }
            None => "an address that cannot be read".to_owned(),
        };
        match (self, &settings.mail) {
            (Self::Hook(hook), _) => host(&hook.url),
            (Self::Ping(url), _) => host(url),
            (Self::Mail, Some(mail)) => {
                let to: Vec<String> = mail.to.iter().map(ToString::to_string).collect();
                format!("{} by {}", to.join(", "), mail.server)
            }
            (Self::Mail, None) => String::new(),
        }
    }
}

/// Delivers to one target; says what it answered.
///
/// # Errors
/// Why not, in words for a person.
pub async fn deliver(
    settings: &NotifySettings,
    target: Target<'_>,
    delivery: &Delivery<'_>,
    clock: &Clock,
) -> Result<String, String> {
    match (target, delivery) {
        (Target::Hook(hook), Delivery::Message { message, made_at_ms: _ }) => {
            let secret = hook.secret.as_ref().map(|secret| secret.expose_secret());
            let HookRequest { query, headers, body } =
                hook::request(hook.form, secret, message, clock.now_ms());
            let address = Address::of(&hook.url).ok_or("its address cannot be read")?;
            let request = Request { query, headers, json: Some(body), ..Request::post(address.path.clone()) };
            let reply = address.send(settings, clock, request).await?;
            let mask = |said: &str| mask_service_text(said, address.secrets(secret));
            hook::judge(hook.form, reply.status, &reply.body, mask)
        }
        (Target::Mail, Delivery::Message { message, made_at_ms }) => {
            let mail = settings.mail.as_ref().ok_or("there is no mail server")?;
            let ca_file = settings.ca_file.as_deref();
            let way = MailWay { settings: mail, timeout: settings.timeout, ca_file };
            way.send(message, *made_at_ms, clock.now_ms()).await
        }
        (Target::Ping(url), Delivery::Ping { good }) => {
            let address = Address::of(url).ok_or("its address cannot be read")?;
            let path = if *good { address.path.clone() } else { failed_path(&address.path) };
            let reply = address.send(settings, clock, Request::get(path)).await?;
            let said = format!("it answered {}", reply.status);
            if (200..300).contains(&reply.status) { Ok(said) } else { Err(said) }
        }
        (Target::Hook(_) | Target::Mail, Delivery::Ping { .. })
        | (Target::Ping(_), Delivery::Message { .. }) => Err("this target does not take that".to_owned()),
    }
}

/// `/fail` at the end of the path, before any query, as healthchecks.io wants it
/// (healthchecks.io/docs/signaling_failures).
fn failed_path(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    format!("{}/fail{query}", path.trim_end_matches('/'))
}

/// An address in two parts: what may be said of it, and what may not.
struct Address {
    base: String,
    path: String,
}

impl Address {
    fn of(url: &SecretString) -> Option<Self> {
        let url = reqwest::Url::parse(url.expose_secret().trim()).ok()?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(Self { base: url.origin().ascii_serialization(), path: format!("{}{query}", url.path()) })
    }

    async fn send(
        &self,
        settings: &NotifySettings,
        clock: &Clock,
        request: Request,
    ) -> Result<Reply, String> {
        let endpoint = Endpoint {
            base_url: self.base.clone(),
            requests_per_second: 0.0,
            max_in_flight: 1,
            timeout: settings.timeout,
            ca_file: settings.ca_file.clone(),
        };
        let transport = Transport::new(&endpoint, clock.clone()).map_err(|error| in_one_line(&error))?;
        let whole = |reply: &Reply| Parsed::documented(reply.clone());
        transport.write("notify", |_| request.clone(), whole).await.map_err(|error| in_one_line(&error))
    }

    /// The parts that an answer might repeat and nobody is to see.
    fn secrets<'a>(&'a self, secret: Option<&'a str>) -> Vec<&'a str> {
        let parts = self.path.split(['/', '?', '&', '=']).filter(|part| part.len() >= 8);
        parts.chain(secret).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failed_ping_keeps_the_query() {
        for (path, expected) in [
            ("/0a1b", "/0a1b/fail"),
            ("/0a1b/", "/0a1b/fail"),
            ("/ping/key/slug?create=1", "/ping/key/slug/fail?create=1"),
        ] {
            assert_eq!(failed_path(path), expected);
        }
    }
}
