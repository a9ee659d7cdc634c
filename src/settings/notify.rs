//! `[notify]`: who is told when something is the matter, and how. Addresses of web hooks are secrets.

use std::path::PathBuf;
use std::time::Duration;

use config::ValueKind;
use jiff::civil::Time;
use rosterd_core::situation::Weight;
use secrecy::{ExposeSecret as _, SecretString};

use super::parse::Parsed;
use super::validate::Reader;
use super::{addresses, parse};

const LEAST: &[(&str, Weight)] =
    &[("failing", Weight::Failing), ("held", Weight::Held), ("waiting", Weight::Waiting)];
const TLS: &[(&str, MailTls)] =
    &[("starttls", MailTls::StartTls), ("tls", MailTls::Tls), ("none", MailTls::None)];

/// `[notify]`
#[derive(Clone, Debug)]
pub struct NotifySettings {
    /// What each message begins with: which school, or which server, it speaks of.
    pub title: String,
    /// Matters that weigh less begin untold.
    pub least: Weight,
    /// Web hooks, in the order of the manual.
    pub hooks: Vec<HookSettings>,
    pub mail: Option<MailSettings>,
    /// Called after each good run.
    pub ping_url: Option<SecretString>,
    /// When, in the school's zone, the office is told each day what waits for it; absent: never.
    pub digest_at: Option<Time>,
    /// The words of those who are told; empty: all.
    pub digest_to: Vec<&'static str>,
    /// Whether a day on which nothing waits is told too.
    pub digest_empty: bool,
    /// Deadline of one delivery.
    pub timeout: Duration,
    /// An extra trusted certificate in PEM form.
    pub ca_file: Option<PathBuf>,
}

/// One web hook.
#[derive(Clone, Debug)]
pub struct HookSettings {
    pub form: HookForm,
    pub url: SecretString,
    /// What requests are signed with; for plain JSON, the token in their header.
    pub secret: Option<SecretString>,
}

/// What a web hook understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookForm {
    Wecom,
    Dingtalk,
    Feishu,
    Slack,
    Teams,
    Json,
}

impl HookForm {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 6] =
        [Self::Wecom, Self::Dingtalk, Self::Feishu, Self::Slack, Self::Teams, Self::Json];

    /// The word in keys and tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Json => "json",
        }
    }

    /// The word of the key for its secret, where it has one.
    fn secret_word(self) -> Option<&'static str> {
        match self {
            Self::Dingtalk | Self::Feishu => Some("secret"),
            Self::Json => Some("token"),
            Self::Wecom | Self::Slack | Self::Teams => None,
        }
    }
}

/// `[notify.mail]`
#[derive(Clone, Debug)]
pub struct MailSettings {
    pub server: String,
    pub port: u16,
    pub tls: MailTls,
    /// Whom to log in as; absent: nobody.
    pub user: Option<String>,
    pub password: Option<SecretString>,
    pub from: lettre::Address,
    pub to: Vec<lettre::Address>,
    /// Who gets the daily digest instead; empty: the same.
    pub digest_to: Vec<lettre::Address>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// It begins plain and turns to TLS before anything is said; a server that cannot is refused.
    StartTls,
    /// It is TLS from the first byte.
    Tls,
    /// Not at all: for this machine alone.
    None,
}

impl MailTls {
    /// The port that is usual for it.
    fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl NotifySettings {
    /// The words of all who are told of the situation.
    pub fn targets(&self) -> impl Iterator<Item = &'static str> {
        let mail = self.mail.iter().map(|_| MAIL);
        self.hooks.iter().map(|hook| hook.form.word()).chain(mail)
    }

    /// The words of all who are told what waits for the office.
    pub fn digest_targets(&self) -> impl Iterator<Item = &'static str> {
        self.targets().filter(|word| self.digest_to.is_empty() || self.digest_to.contains(word))
    }
}

/// Who is told each day what waits for the office: the words of targets, as a list or with commas between them.
fn target_words(kind: &ValueKind) -> Parsed<Vec<&'static str>> {
    let texts = parse::texts(kind).ok_or_else(|| "write a list such as [\"mail\"]".to_owned())?;
    let known = || HookForm::ALL.into_iter().map(HookForm::word).chain([MAIL]);
    let word = |text: &str| {
        known().find(|word| *word == text).ok_or_else(|| {
            let names: Vec<String> = known().map(|word| format!("\"{word}\"")).collect();
            format!("{text:?} is none of {}", names.join(", "))
        })
    };
    texts.into_iter().map(word).collect()
}

const DIGEST_TO: &str = "notify.digest_to";

/// The word for mail as a target.
pub const MAIL: &str = "mail";

/// Reads the section. `None` means that a problem was noted.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<NotifySettings> {
    let title = reader.required("notify.title", parse::text);
    let least = reader.required("notify.least", parse::word(LEAST));
    let timeout = reader.required("notify.timeout", parse::deadline);
    let ca_file = reader.readable_file("notify.ca_file");
    let hooks: Vec<Option<Option<HookSettings>>> =
        HookForm::ALL.into_iter().map(|form| hook(reader, form)).collect();
    let ping_url = url(reader, "notify.ping_url", "notify.ping_url_file");
    let mail = mail(reader);
    let digest_at = reader.optional("notify.digest_at", parse::time_of_day);
    let digest_to = reader.optional(DIGEST_TO, target_words);
    let digest_empty = reader.required("notify.digest_empty", parse::boolean);
    let hooks: Vec<Option<HookSettings>> = hooks.into_iter().collect::<Option<_>>()?;
    let hooks: Vec<HookSettings> = hooks.into_iter().flatten().collect();
    let (mail, digest_to) = (mail?, digest_to?.unwrap_or_default());
    let is_known =
        |word: &&str| (*word == MAIL && mail.is_some()) || hooks.iter().any(|hook| hook.form.word() == *word);
    if let Some(word) = digest_to.iter().find(|word| !is_known(word)) {
        reader.refuse(DIGEST_TO, format!("{word} is not configured: give its address too, or leave it out"));
        return None;
    }
    Some(NotifySettings {
        title: title?,
        least: least?,
        digest_at: digest_at?,
        digest_to,
        digest_empty: digest_empty?,
        hooks,
        mail,
        ping_url: ping_url?,
        timeout: timeout?,
        ca_file: ca_file?,
    })
}

#[expect(clippy::option_option, reason = "the outer one is `a problem was found`, as everywhere here")]
fn hook(reader: &mut Reader<'_>, form: HookForm) -> Option<Option<HookSettings>> {
    let word = form.word();
    let url = url(reader, &format!("notify.{word}_url"), &format!("notify.{word}_url_file"));
    let secret = match form.secret_word() {
        Some(name) => {
            let key = format!("notify.{word}_{name}");
            let secret = reader.secret(&key, &format!("{key}_file"));
            if let (Some(None), Some(Some(_))) = (&url, &secret) {
                reader.refuse(&key, format!("it is given without an address: give notify.{word}_url too"));
                return None;
            }
            secret
        }
        None => Some(None),
    };
    let (url, secret) = (url?, secret?);
    Some(url.map(|url| HookSettings { form, url, secret }))
}

/// An address that is a secret.
#[expect(clippy::option_option, reason = "the outer one is `a problem was found`, as everywhere here")]
fn url(reader: &mut Reader<'_>, key: &str, file_key: &str) -> Option<Option<SecretString>> {
    let given = reader.secret(key, file_key)?;
    if let Some(address) = &given {
        let named = if reader.layers.get(file_key).is_some() { file_key } else { key };
        reader.accept(named, addresses::hook_url(address.expose_secret()))?;
    }
    Some(given)
}

#[expect(clippy::option_option, reason = "the outer one is `a problem was found`, as everywhere here")]
fn mail(reader: &mut Reader<'_>) -> Option<Option<MailSettings>> {
    const SERVER: &str = "notify.mail.server";
    let server = reader.optional(SERVER, addresses::host_name);
    let tls = reader.required("notify.mail.tls", parse::word(TLS));
    let port = reader.optional("notify.mail.port", parse::whole(1..=65_535));
    let user = reader.optional("notify.mail.user", parse::text);
    let password = reader.secret("notify.mail.password", "notify.mail.password_file");
    let from = reader.optional("notify.mail.from", addresses::mail_address);
    let to = reader.optional("notify.mail.to", addresses::mail_addresses);
    let digest_to = reader.optional("notify.mail.digest_to", addresses::mail_addresses);
    let (server, tls, port) = (server?, tls?, port?);
    let (user, password, from, to) = (user?, password?, from?, to?);
    let digest_to = digest_to?.unwrap_or_default();
    let Some(server) = server else {
        let is_begun = user.is_some() || password.is_some() || from.is_some() || to.is_some();
        if is_begun {
            reader.refuse(
                SERVER,
                "it is missing, and other keys of [notify.mail] are given: name the mail server",
            );
        }
        return (!is_begun).then_some(None);
    };
    if tls == MailTls::None && !parse::is_loopback(&server) {
        reader.refuse(
            "notify.mail.tls",
            "mail without TLS is accepted for a server on this machine alone: write \"starttls\" or \"tls\"",
        );
    }
    match (&user, &password) {
        (Some(_), None) => reader.refuse(
            "notify.mail.password",
            "the password of notify.mail.user is missing: set ROSTERD__NOTIFY__MAIL__PASSWORD, or name a file that \
             holds it as notify.mail.password_file",
        ),
        (None, Some(_)) => {
            reader.refuse("notify.mail.user", "a password is given without a user: name the user too");
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    if from.is_none() {
        reader.refuse("notify.mail.from", "it is missing: enter the address that mail is sent from");
    }
    if to.is_none() {
        reader.refuse("notify.mail.to", "it is missing: enter who is told, such as [\"it@example.org\"]");
    }
    let port = port.unwrap_or_else(|| tls.usual_port());
    Some(Some(MailSettings { server, port, tls, user, password, from: from?, to: to?, digest_to }))
}
