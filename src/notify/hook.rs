//! Web hooks: what each chat service wants to be sent, and what it answers. Pure.
//!
//! All of them are told in plain text: markdown differs from service to service, and a command must stay as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use rosterd_core::situation::{Message, Purpose};
use serde_json::{Value, json};

use crate::settings::HookForm;

/// The longest text that each service takes in one message, in bytes, with some room.
///
/// Sources: WeCom 2048 bytes (developer.work.weixin.qq.com/document/path/91770); Feishu 20 KB a request
/// (open.feishu.cn/document/client-docs/bot-v3/add-custom-bot); DingTalk 20,000 bytes
/// (open.dingtalk.com/document/robots/custom-robot-access); Slack 40,000 characters
/// (docs.slack.dev/reference/methods/chat.postMessage); Teams 28 KB
/// (learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook).
fn longest_bytes(form: HookForm) -> usize {
    match form {
        HookForm::Wecom => 2000,
        HookForm::Dingtalk | HookForm::Feishu | HookForm::Slack | HookForm::Teams | HookForm::Json => 15_000,
    }
}

/// What a hook is sent.
pub(super) struct HookRequest {
    /// What is added to the query of its address.
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// Writes the message as this service wants it, signed at this moment where there is a secret.
pub(super) fn request(form: HookForm, secret: Option<&str>, message: &Message, now_ms: i64) -> HookRequest {
    let text = cut(&message.text(), longest_bytes(form));
    let plain = |body: Value| HookRequest { query: vec![], headers: vec![], body: body.to_string() };
    match form {
        // developer.work.weixin.qq.com/document/path/91770: text messages of group robots.
        HookForm::Wecom => plain(json!({ "msgtype": "text", "text": { "content": text } })),
        // open.dingtalk.com/document/robots/customize-robot-security-settings: the signature of "timestamp\nsecret" under
        // the secret stands in the query; the timestamp is in milliseconds.
        HookForm::Dingtalk => {
            let body = json!({ "msgtype": "text", "text": { "content": text } });
            let query = secret.map(|secret| {
                let signature = sign(secret, &format!("{now_ms}\n{secret}"));
                vec![("timestamp", now_ms.to_string()), ("sign", signature)]
            });
            HookRequest { query: query.unwrap_or_default(), ..plain(body) }
        }
        // open.feishu.cn/document/client-docs/bot-v3/add-custom-bot: the signature of nothing under "timestamp\nsecret"
        // stands in the body; the timestamp is in seconds.
        HookForm::Feishu => {
            let mut body = json!({ "msg_type": "text", "content": { "text": text } });
            if let (Some(secret), Some(body)) = (secret, body.as_object_mut()) {
                let seconds = now_ms.div_euclid(1000).to_string();
                let signature = sign(&format!("{seconds}\n{secret}"), "");
                body.insert("timestamp".to_owned(), Value::from(seconds));
                body.insert("sign".to_owned(), Value::from(signature));
            }
            plain(body)
        }
        // docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; three signs are escaped
        // (docs.slack.dev/messaging/formatting-message-text).
        HookForm::Slack => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            plain(json!({ "text": text }))
        }
        // learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: a message with one
        // adaptive card, which hooks of Workflows and the older connectors both take.
        HookForm::Teams => plain(json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": null,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.2",
                    "body": text.split("\n\n").map(text_block).collect::<Vec<Value>>(),
                },
            }],
        })),
        HookForm::Json => {
            let token = secret.map(|token| vec![("Authorization", format!("Bearer {token}"))]);
            HookRequest { headers: token.unwrap_or_default(), ..plain(document(message)) }
        }
    }
}

fn text_block(paragraph: &str) -> Value {
    json!({ "type": "TextBlock", "wrap": true, "text": paragraph.replace('\n', "\n\n") })
}

/// The message for programs: its values, and the same in words.
fn document(message: &Message) -> Value {
    let mut document = serde_json::to_value(message).unwrap_or_default();
    if let Some(document) = document.as_object_mut() {
        document.insert("subject".to_owned(), Value::from(message.subject()));
        document.insert("text".to_owned(), Value::from(message.text()));
        document.insert("is_alarm".to_owned(), Value::from(message.purpose == Purpose::Alarm));
    }
    document
}

/// HMAC-SHA256 in base64.
fn sign(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// At most so many bytes, whole letters.
fn cut(text: &str, longest: usize) -> String {
    const MORE: &str = "\n… (cut; all of it: rosterd status)";
    if text.len() <= longest {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(longest.saturating_sub(MORE.len()));
    format!("{}{MORE}", text.get(..end).unwrap_or_default())
}

/// Whether the service took the message; else in its words, masked, why not.
///
/// WeCom and DingTalk answer 200 whatever happens and say so in `errcode`, Feishu in `code` (`StatusCode` before); the
/// sources are those of [`request`]. All others say so by the status alone.
pub(super) fn judge(
    form: HookForm,
    status: u16,
    body: &[u8],
    mask: impl Fn(&str) -> String,
) -> Result<String, String> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let number = |name: &str| answer.as_ref()?.get(name)?.as_i64();
    let words = |name: &str| answer.as_ref()?.get(name)?.as_str();
    let told = match form {
        HookForm::Wecom | HookForm::Dingtalk => Some((number("errcode"), words("errmsg"))),
        HookForm::Feishu => {
            let code = number("code").or_else(|| number("StatusCode"));
            Some((code, words("msg").or_else(|| words("StatusMessage"))))
        }
        HookForm::Slack | HookForm::Teams | HookForm::Json => None,
    };
    let words = |words: Option<&str>| words.map(|words| format!(": {}", mask(words))).unwrap_or_default();
    match told {
        _ if !(200..300).contains(&status) => {
            let said =
                std::str::from_utf8(body).ok().filter(|said| !said.contains('<') && !said.trim().is_empty());
            Err(format!("it answered {status}{}", words(said.map(str::trim))))
        }
        None | Some((Some(0), _)) => Ok(format!("it answered {status}")),
        Some((Some(code), said)) => Err(format!("it answered code {code}{}", words(said))),
        Some((None, _)) => {
            Err(format!("it answered {status}, and nothing that {} is known to answer", form.word()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::test("School <7> & more", "healthy", &jiff::tz::TimeZone::UTC, 1_800_000_000_000)
    }

    /// Worked out with Python's hmac as the services' documents show it.
    #[test]
    fn signatures_are_those_that_the_services_documents_work_out() {
        let dingtalk = request(HookForm::Dingtalk, Some("this is secret"), &message(), 1_577_262_236_757);
        let sign = dingtalk.query.iter().find(|(name, _)| *name == "sign").unwrap();
        assert_eq!(sign.1, "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=");
        let feishu = request(HookForm::Feishu, Some("this is secret"), &message(), 1_577_262_236_757);
        let body: Value = serde_json::from_str(&feishu.body).unwrap();
        assert_eq!(body["timestamp"], "1577262236");
        assert_eq!(body["sign"], "RAfCltg8rVdmpPK5kCz1M40hrj/YzGYnkc/3vXwYNts=");
    }

    #[test]
    fn without_a_secret_nothing_is_signed() {
        for form in HookForm::ALL {
            let HookRequest { query, headers, body } = request(form, None, &message(), 0);
            assert!(query.is_empty() && headers.is_empty() && !body.contains("\"sign\""), "{form:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_whole_letter_and_says_so() {
        let long = "高一2班".repeat(1000);
        let cut = cut(&long, 2000);
        assert!(cut.len() <= 2000 && cut.ends_with("all of it: rosterd status)"), "{}", cut.len());
        assert_eq!(super::cut("short", 2000), "short");
    }

    #[test]
    fn an_answer_is_believed_only_where_the_service_says_that_it_took_the_message() {
        use HookForm::{Dingtalk, Feishu, Json, Slack, Teams, Wecom};
        let table = [
            (Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Ok("it answered 200")),
            (
                Wecom,
                200,
                r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
                Err("it answered code 93000: invalid webhook url"),
            ),
            (
                Wecom,
                200,
                "<html>log in</html>",
                Err("it answered 200, and nothing that wecom is known to answer"),
            ),
            (
                Dingtalk,
                200,
                r#"{"errcode":310000,"errmsg":"sign not match"}"#,
                Err("it answered code 310000: sign not match"),
            ),
            (Feishu, 200, r#"{"code":0,"msg":"success","data":{}}"#, Ok("it answered 200")),
            (Feishu, 200, r#"{"StatusCode":0,"StatusMessage":"success"}"#, Ok("it answered 200")),
            (
                Feishu,
                200,
                r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}"#,
                Err("it answered code 19021: sign match fail or timestamp is not within one hour"),
            ),
            (Slack, 200, "ok", Ok("it answered 200")),
            (Slack, 404, "no_service", Err("it answered 404: no_service")),
            (Teams, 202, "", Ok("it answered 202")),
            (Json, 204, "", Ok("it answered 204")),
            (Json, 502, "<html>Bad Gateway</html>", Err("it answered 502")),
            (Json, 302, "", Err("it answered 302")),
        ];
        for (form, status, body, expected) in table {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(
                judge(form, status, body.as_bytes(), str::to_owned),
                expected,
                "{form:?} {status} {body}"
            );
        }
    }
}
