//! Which account of a service a state database belongs to, and what proves that it is still that one.
//!
//! A link holds a sid, and a sid means something in one account only. So the state remembers a keyed fingerprint of the
//! account, and another address or code is believed only where candidates show the login values that we remember.

use crate::exam_plan::{Fingerprint, MemoryKey};
use crate::failure::Service;

/// How many links are looked up to prove an account. More would prove no more: two accounts share not even one pair of
/// sid and login value by chance.
pub const PROVING_LINKS: u64 = 20;

/// The account of a service as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Which service.
    pub service: Service,
    /// The host, with its port where that is not the usual one. Not a secret.
    pub host: String,
    /// Stands for host and code, or host and SID.
    pub fingerprint: Fingerprint,
}

impl ServiceAccount {
    /// The account that this host has under this name: the code on the exam side, the SID on ClassIn.
    #[must_use]
    pub fn new(service: Service, host: &str, name: &str, key: &MemoryKey) -> Self {
        let host = usual_host(host);
        let mut digest = key.digest("service-account");
        digest.text(service.as_str()).text(&host).text(name.trim());
        Self { service, host, fingerprint: digest.finish() }
    }
}

/// One spelling for one host: lower case, no scheme, no path, no dot at the end, no usual port.
fn usual_host(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest).to_ascii_lowercase();
    let usual_port = if scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
    let authority = authority.strip_suffix(usual_port).unwrap_or(&authority);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => format!("{}:{port}", host.trim_end_matches('.')),
        Some(_) | None => authority.trim_end_matches('.').to_owned(),
    }
}

/// What a run does about the account before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStep {
    /// It is the remembered one.
    GoOn,
    /// Nothing is remembered that could belong to another account: the state takes this one.
    Take,
    /// The state is of a version that remembered no account, and nothing can prove one: it takes this one, and says so.
    TakeUnproved,
    /// Only candidates who show the remembered login values prove that it is the same account.
    Prove,
    /// It is another one, and nothing could prove otherwise: a person decides.
    Refuse,
}

impl AccountStep {
    /// For the exam side, with this many links.
    #[must_use]
    pub fn on_exam_side(remembered: Option<Fingerprint>, current: Fingerprint, links: u64) -> Self {
        match remembered {
            Some(remembered) if remembered == current => Self::GoOn,
            Some(_) | None if links == 0 => Self::Take,
            Some(_) | None => Self::Prove,
        }
    }

    /// For ClassIn, which has no call that reads anything.
    #[must_use]
    pub fn on_classin(remembered: Option<Fingerprint>, current: Fingerprint, has_records: bool) -> Self {
        match (remembered, has_records) {
            (Some(remembered), _) if remembered == current => Self::GoOn,
            (Some(_) | None, false) => Self::Take,
            (None, true) => Self::TakeUnproved,
            (Some(_), true) => Self::Refuse,
        }
    }
}

/// The places, counted from 0 in the order of the sids, of the links that are looked up: spread over the whole range,
/// the first and the last among them.
#[must_use]
pub fn proving_places(links: u64) -> Vec<u64> {
    let count = links.min(PROVING_LINKS);
    let last_place = links.saturating_sub(1);
    let last_index = count.saturating_sub(1).max(1);
    (0..count).map(|index| index * last_place / last_index).collect()
}

/// How many linked candidates were looked up, and how many showed the login value that the link remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountProof {
    /// Looked up.
    pub asked: u64,
    /// Shown as the link remembers them.
    pub shown: u64,
}

impl AccountProof {
    /// At least nine tenths and at least one: a few may have been deleted or renamed by hand since.
    #[must_use]
    pub fn holds(self) -> bool {
        self.shown > 0 && self.shown.saturating_mul(10) >= self.asked.saturating_mul(9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(host: &str, name: &str) -> ServiceAccount {
        ServiceAccount::new(Service::Exam, host, name, &MemoryKey::new([1; 32]))
    }

    #[test]
    fn one_host_in_several_spellings_is_one_account() {
        let usual = account("api.example.org", "code");
        for spelling in [
            "API.Example.ORG",
            "https://api.example.org",
            "https://api.example.org/",
            "https://api.example.org:443",
            "HTTPS://api.example.org:443/some/path?x=1",
            "http://api.example.org:80/",
            "api.example.org.",
            "https://api.example.org.:443",
        ] {
            assert_eq!(account(spelling, " code "), usual, "{spelling}");
        }
        assert_eq!(account("http://[::1]:8481/", "c").host, "[::1]:8481");
        assert_eq!(account("https://[::1]", "c").host, "[::1]");
    }

    #[test]
    fn another_host_port_name_service_or_key_is_another_account() {
        let usual = account("api.example.org", "code");
        let others = [
            account("api2.example.org", "code"),
            account("api.example.org:8443", "code"),
            account("api.example.org", "Code"),
            ServiceAccount::new(Service::Classin, "api.example.org", "code", &MemoryKey::new([1; 32])),
            ServiceAccount::new(Service::Exam, "api.example.org", "code", &MemoryKey::new([2; 32])),
        ];
        for other in others {
            assert_ne!(other.fingerprint, usual.fingerprint, "{other:?}");
        }
    }

    #[test]
    fn links_to_look_up_are_spread_over_the_whole_range() {
        assert_eq!(proving_places(0), Vec::<u64>::new());
        assert_eq!(proving_places(1), [0]);
        assert_eq!(proving_places(3), [0, 1, 2]);
        assert_eq!(proving_places(20), (0..20).collect::<Vec<_>>());
        for links in [21, 22, 399, 1_000_000] {
            let places = proving_places(links);
            assert_eq!((places.len(), places.first(), places.last()), (20, Some(&0), Some(&(links - 1))));
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{links}: {places:?}");
        }
    }

    #[test]
    fn nine_tenths_and_at_least_one_prove_an_account() {
        let rows = [
            (0, 0, false),
            (1, 0, false),
            (1, 1, true),
            (2, 1, false),
            (9, 8, false),
            (10, 9, true),
            (19, 17, false),
            (20, 17, false),
            (20, 18, true),
            (20, 20, true),
        ];
        for (asked, shown, holds) in rows {
            assert_eq!(AccountProof { asked, shown }.holds(), holds, "{shown} of {asked}");
        }
    }

    #[test]
    fn links_are_proved_and_records_of_classin_never_are() {
        let (ours, other) = (Fingerprint(1), Fingerprint(2));
        let exam = AccountStep::on_exam_side;
        assert_eq!(exam(Some(ours), ours, 7), AccountStep::GoOn);
        assert_eq!(exam(Some(ours), ours, 0), AccountStep::GoOn);
        assert_eq!(exam(Some(other), ours, 7), AccountStep::Prove);
        assert_eq!(exam(None, ours, 7), AccountStep::Prove);
        assert_eq!(exam(Some(other), ours, 0), AccountStep::Take);
        assert_eq!(exam(None, ours, 0), AccountStep::Take);
        let classin = AccountStep::on_classin;
        assert_eq!(classin(Some(ours), ours, true), AccountStep::GoOn);
        assert_eq!(classin(Some(other), ours, true), AccountStep::Refuse);
        assert_eq!(classin(Some(other), ours, false), AccountStep::Take);
        assert_eq!(classin(None, ours, true), AccountStep::TakeUnproved);
        assert_eq!(classin(None, ours, false), AccountStep::Take);
    }
}
