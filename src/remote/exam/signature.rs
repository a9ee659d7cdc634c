//! Proves that a request is ours. Pure; the only place that opens the account's code.
//!
//! Contract: docs/contracts/onlineexammaker.md, 2.2 and 2.3. Token, header and `time` come from one clock read. MD5
//! is the service's choice, not ours: the token covers neither path nor body, so TLS is the only protection.

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};

use crate::remote::http::{Method, Request, UnixSeconds};
use rosterd_core::account::ServiceAccount;
use rosterd_core::exam_plan::MemoryKey;
use rosterd_core::failure::Service;

/// The parameters a call has of its own, in any order.
pub(super) type Parameters = Vec<(&'static str, String)>;

/// A complete request: `code` and `time` join the call's own parameters, in the query of a GET and in the form of a
/// POST, alphabetically as the vendor's samples have them; the token goes into `Authorization` without a scheme.
pub(super) fn signed(
    method: Method,
    path: &str,
    own: &Parameters,
    time: UnixSeconds,
    code: &SecretString,
) -> Request {
    let mut parameters = own.clone();
    parameters.push(("code", code.expose_secret().to_owned()));
    parameters.push(("time", time.to_string()));
    parameters.sort_by_key(|(name, _)| *name);
    let mut request = match method {
        Method::Get => Request { query: parameters, ..Request::get(path) },
        Method::Post => Request { form: parameters, ..Request::post(path) },
    };
    request.headers.push(("Authorization", token(time, code)));
    request
}

/// What of a request is secret, to be masked in whatever the service says about it.
pub(super) fn secrets(time: UnixSeconds, code: &SecretString) -> Vec<String> {
    vec![code.expose_secret().to_owned(), token(time, code)]
}

/// The account that this host has under this code, with the code as a keyed fingerprint.
pub(super) fn account(host: &str, code: &SecretString, key: &MemoryKey) -> ServiceAccount {
    ServiceAccount::new(Service::Exam, host, code.expose_secret(), key)
}

/// Lower-case hexadecimal MD5 of the decimal seconds followed by the code, nothing between.
fn token(time: UnixSeconds, code: &SecretString) -> String {
    let mut digest = Md5::new();
    digest.update(time.to_string());
    digest.update(code.expose_secret());
    base16ct::lower::encode_string(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(code: &str) -> SecretString {
        SecretString::from(code.to_owned())
    }

    #[test]
    fn the_token_is_the_documented_one() {
        // Contract: docs/contracts/onlineexammaker.md, 2.2, all seven vectors.
        let vectors = [
            (1_638_768_935, "xxx", "30679e08a3a265205c2af53f1a503d76"),
            (1_639_647_217, "xxx", "c282c34fe13cfd64637f667e6256dc28"),
            (1_638_768_935, "0123456789abcdef0123456789abcdef", "021a5365f20947ff59df94fdd48f606a"),
            (1_795_280_827, "xxx", "5c62100972422fa2a9c229a9af2217b7"),
            (1_795_280_828, "xxx", "204b088040518eea98e5a5731c226565"),
            (1_795_280_829, "xxx", "7014f2d9ef51a53aa8344d74daac4f29"),
            (1_795_280_831, "xxx", "367740a6b92eec4d0915de234cd46d32"),
        ];
        for (time, code, expected) in vectors {
            assert_eq!(token(UnixSeconds(time), &secret(code)), expected, "{time} {code}");
        }
    }

    #[test]
    fn the_code_does_not_come_first() {
        // Contract: docs/contracts/onlineexammaker.md, 2.2, the negative vector.
        let code_first = base16ct::lower::encode_string(&Md5::digest("xxx1638768935"));
        assert_eq!(code_first, "11cf305a5843c7a36f8b81ce585cabf7");
        assert_ne!(token(UnixSeconds(1_638_768_935), &secret("xxx")), code_first);
    }

    #[test]
    fn code_and_time_take_their_alphabetical_places() {
        let own = vec![("start", "0".to_owned()), ("limit", "3".to_owned())];
        let request = signed(Method::Post, "/x", &own, UnixSeconds(7), &secret("xxx"));
        let names: Vec<_> = request.form.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["code", "limit", "start", "time"]);
        assert!(request.query.is_empty());
    }

    #[test]
    fn a_get_carries_code_and_time_in_its_query() {
        let request = signed(Method::Get, "/x", &vec![], UnixSeconds(7), &secret("xxx"));
        assert_eq!(request.query, [("code", "xxx".to_owned()), ("time", "7".to_owned())]);
        assert!(request.form.is_empty());
    }
}
