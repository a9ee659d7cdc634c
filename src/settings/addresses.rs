//! Parses addresses that messages are sent to: web hooks, mail, mail servers. As ignorant of keys as `parse`.

use std::net::IpAddr;

use config::ValueKind;

use super::parse::{Parsed, is_loopback, text, texts};

/// An address that a message is sent to: it holds a secret, so no message repeats any of it.
pub(super) fn hook_url(address: &str) -> Parsed<()> {
    let Some(url) = reqwest::Url::parse(address.trim()).ok().filter(reqwest::Url::has_host) else {
        return Err("this is no web address: copy it whole, from https:// on".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address must not hold a user name or password".to_owned());
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url.host_str().unwrap_or_default()) => Ok(()),
        _ => Err("write an https address (plain http is accepted for this machine alone)".to_owned()),
    }
}

/// Addresses of mail, as a list or, from the environment, with commas between them.
pub(super) fn mail_addresses(kind: &ValueKind) -> Parsed<Vec<lettre::Address>> {
    const WANTED: &str = "write a list such as [\"it@example.org\"]";
    let texts = texts(kind).ok_or_else(|| WANTED.to_owned())?;
    if texts.is_empty() {
        return Err(WANTED.to_owned());
    }
    let address = |text: &str| text.parse().map_err(|_| format!("{text:?} is no address of mail: {WANTED}"));
    texts.into_iter().map(address).collect()
}

/// One address of mail.
pub(super) fn mail_address(kind: &ValueKind) -> Parsed<lettre::Address> {
    let text = text(kind)?;
    text.parse().map_err(|_| format!("{text:?} is no address of mail: write it like \"rosterd@example.org\""))
}

/// The name of a machine, without scheme or port.
pub(super) fn host_name(kind: &ValueKind) -> Parsed<String> {
    let text = text(kind)?;
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "-.:[]".contains(letter);
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let has_port = text.contains(':') && bare.parse::<IpAddr>().is_err();
    if !text.chars().all(is_of_name) || has_port {
        return Err(format!(
            "{text:?} is no name of a server: write it without scheme and port, such as \"smtp.example.org\""
        ));
    }
    Ok(bare.to_owned())
}
