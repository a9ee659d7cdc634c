//! Mail: one plain text over SMTP, with the TLS of the rest of the program.

use std::path::Path;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor};
use rosterd_core::situation::{Message, Purpose};
use secrecy::ExposeSecret as _;

use crate::remote::http::{install_crypto, mask_service_text};
use crate::run::in_one_line;
use crate::settings::{MailSettings, MailTls};

/// What a delivery is made with.
pub(super) struct MailWay<'a> {
    pub(super) settings: &'a MailSettings,
    pub(super) timeout: Duration,
    pub(super) ca_file: Option<&'a Path>,
}

impl MailWay<'_> {
    /// Hands the message to the mail server; says what it answered.
    ///
    /// # Errors
    /// In words, without a password.
    pub(super) async fn send(
        &self,
        message: &Message,
        made_at_ms: i64,
        now_ms: i64,
    ) -> Result<String, String> {
        install_crypto();
        let mail = self.mail(message, made_at_ms, now_ms)?;
        let transport = self.transport()?;
        let sent = tokio::time::timeout(self.timeout, transport.send(mail));
        let server = &self.settings.server;
        match sent.await {
            Ok(Ok(response)) => Ok(format!("{server} answered {}", response.code())),
            Ok(Err(error)) => {
                let said = mask_service_text(&in_one_line(&error), self.secrets());
                Err(format!("{server} did not take the mail: {said}"))
            }
            Err(_) => Err(format!("{server} did not take the mail within notify.timeout")),
        }
    }

    fn secrets(&self) -> Vec<&str> {
        let MailSettings { user, password, .. } = self.settings;
        let password = password.iter().map(|password| password.expose_secret());
        password.chain(user.iter().map(String::as_str)).collect()
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let MailSettings { server, port, tls, user, password, from, to: _, digest_to: _ } = self.settings;
        let tls = match tls {
            MailTls::StartTls => Tls::Required(self.tls_parameters()?),
            MailTls::Tls => Tls::Wrapper(self.tls_parameters()?),
            MailTls::None => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.clone())
            .port(*port)
            .timeout(Some(self.timeout))
            .hello_name(ClientId::Domain(from.domain().to_owned()))
            .tls(tls);
        let builder = match (user, password) {
            (Some(user), Some(password)) => {
                builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()))
            }
            (Some(_) | None, _) => builder,
        };
        Ok(builder.build())
    }

    fn tls_parameters(&self) -> Result<TlsParameters, String> {
        let mut parameters = TlsParameters::builder(self.settings.server.clone());
        if let Some(path) = self.ca_file {
            let unusable = |why: String| format!("notify.ca_file {}: {why}", path.display());
            let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(in_one_line(&error)))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        parameters.build().map_err(|error| format!("TLS cannot be set up: {}", in_one_line(&error)))
    }

    fn mail(&self, message: &Message, made_at_ms: i64, now_ms: i64) -> Result<Mail, String> {
        let MailSettings { from, to, digest_to, .. } = self.settings;
        let is_for_office = message.purpose == Purpose::Digest && !digest_to.is_empty();
        let to = if is_for_office { digest_to } else { to };
        let since_1970 = Duration::from_millis(u64::try_from(now_ms).unwrap_or(0));
        let mut builder = Mail::builder()
            .from(Mailbox::new(Some(message.title.clone()), from.clone()))
            .subject(message.subject())
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(message_id(message, made_at_ms, from.domain())))
            .header(ContentType::TEXT_PLAIN);
        builder = automatic(builder);
        for address in to {
            builder = builder.to(Mailbox::new(None, address.clone()));
        }
        builder
            .body(message.text())
            .map_err(|error| format!("the mail cannot be written: {}", in_one_line(&error)))
    }
}

/// The same whenever the same message is sent again: where the answer of a server was lost, the mail may have arrived, and
/// whoever keeps mailboxes shows one of two with one id (RFC 5322, section 3.6.4).
fn message_id(message: &Message, made_at_ms: i64, domain: &str) -> String {
    let content = serde_json::to_vec(message).unwrap_or_default();
    format!("<rosterd.{made_at_ms}.{}@{domain}>", &blake3::hash(&content).to_hex()[..16])
}

/// No machine is to answer it (RFC 3834, section 5).
fn automatic(builder: MessageBuilder) -> MessageBuilder {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_mail_that_is_sent_again_keeps_its_id_and_no_other_one_has_it() {
        let message = Message::test("School", "healthy", &TimeZone::UTC, 1_000);
        let id = message_id(&message, 1_000, "school.example");
        assert!(id.starts_with("<rosterd.1000.") && id.ends_with("@school.example>"), "{id}");
        assert_eq!(message_id(&message, 1_000, "school.example"), id);
        let other = Message::test("Another school", "healthy", &TimeZone::UTC, 1_000);
        assert_ne!(message_id(&other, 1_000, "school.example"), id);
        assert_ne!(message_id(&message, 1_001, "school.example"), id);
    }
}
