//! Checks `Host` headers: a page in a browser must not reach this server by a name of its own (DNS
//! rebinding). Pure.

use std::net::IpAddr;

use axum::http::uri::Authority;

/// Whether a request for this host is meant for us: a loopback name, or an address written in figures (the one we
/// listen on among them), since a rebinding attack needs a name.
pub(super) fn is_ours(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    if name.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_and_addresses_in_figures_are_answered() {
        for (host, ours) in [
            ("localhost", true),
            ("LOCALHOST:8480", true),
            ("rosterd.localhost:8480", true),
            ("127.0.0.1:8480", true),
            ("[::1]:8480", true),
            ("10.1.2.3", true),
            ("evil.example", false),
            ("evil.example:8480", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("notlocalhost", false),
            ("user@127.0.0.1", false),
            ("", false),
            ("a b", false),
        ] {
            assert_eq!(is_ours(host), ours, "{host}");
        }
    }
}
