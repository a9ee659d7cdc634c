//! The `safeKey` that signs each v1 call.
//!
//! It covers neither the action nor the body, so TLS is the only protection of what is sent.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};

use crate::remote::http::UnixSeconds;

/// MD5 of the secret followed by the time stamp, in lower-case hexadecimal. MD5 is the vendor's choice,
/// here and for first passwords, and used for nothing else.
///
/// Contract: docs/contracts/classin.md, 3.2.
pub(super) fn safe_key(secret: &SecretString, time_stamp: UnixSeconds) -> String {
    let digest = Md5::new()
        .chain_update(secret.expose_secret().as_bytes())
        .chain_update(time_stamp.to_string().as_bytes())
        .finalize();
    base16ct::lower::encode_string(&digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str, time_stamp: i64) -> String {
        safe_key(&SecretString::from(secret), UnixSeconds(time_stamp))
    }

    #[test]
    fn the_key_is_that_of_every_vector_of_the_contract() {
        let vectors = [
            (1_493_726_450, "ebb4181fcf497713b31666e61b297995"),
            (1_494_410_390, "d86e7dc25e985c33295ef153a2b63510"),
            (1_795_280_820, "ae40bab7320cd4292dce6470b93e0775"),
            (1_795_281_986, "45ded87ac0c610f63b609121c99eb815"),
        ];
        for (time_stamp, expected) in vectors {
            assert_eq!(key("topsecret", time_stamp), expected);
        }
    }

    #[test]
    fn the_secret_comes_first_and_never_the_time() {
        assert_ne!(key("topsecret", 1_493_726_450), "78c0b5f1a7a9a2fe2349366b9f8080b9");
    }
}
