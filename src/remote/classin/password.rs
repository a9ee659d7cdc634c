//! The first password of an account that rosterd registers: random, told to nobody, kept nowhere.
//!
//! It is never made from a phone number, a name or anything else that somebody could know. The owner sets one of
//! their own in the ClassIn app.

use std::fmt;
use std::sync::Arc;

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};

/// The longest that ClassIn takes. Contract: docs/contracts/classin.md, 1.2.
const LENGTH: usize = 20;
/// 64 letters, so that each random byte picks one without favour.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Makes passwords of 6 to 20 characters; `None` where the machine gives no random numbers. Clones share the source.
#[derive(Clone)]
pub struct PasswordSource(Arc<dyn Fn() -> Option<SecretString> + Send + Sync>);

impl PasswordSource {
    /// From the operating system's random numbers.
    #[must_use]
    pub fn system() -> Self {
        Self::new(|| {
            let mut bytes = [0; LENGTH];
            getrandom::fill(&mut bytes).ok()?;
            let letter = |byte: &u8| LETTERS.get(usize::from(byte % 64)).copied().map(char::from);
            Some(SecretString::from(bytes.iter().filter_map(letter).collect::<String>()))
        })
    }

    /// From somewhere else.
    pub fn new(make: impl Fn() -> Option<SecretString> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    /// The digest of a new password, as ClassIn wants it: it never sees the password itself.
    pub(super) fn next_digest(&self) -> Option<String> {
        let password = (self.0)()?;
        Some(base16ct::lower::encode_string(&Md5::digest(password.expose_secret().as_bytes())))
    }
}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordSource")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn passwords_are_as_long_as_allowed_and_never_the_same() {
        let source = PasswordSource::system();
        let passwords: BTreeSet<String> =
            (0..200).map(|_| (source.0)().unwrap().expose_secret().to_owned()).collect();
        assert_eq!(passwords.len(), 200);
        assert!(passwords.iter().all(|password| password.len() == 20));
        let letters: BTreeSet<char> = passwords.iter().flat_map(|password| password.chars()).collect();
        assert_eq!(letters.len(), 64);
    }

    #[test]
    fn the_digest_is_that_of_the_contract() {
        let source = PasswordSource::new(|| Some(SecretString::from("123456")));
        assert_eq!(source.next_digest().as_deref(), Some("e10adc3949ba59abbe56e057f20f883e"));
    }
}
