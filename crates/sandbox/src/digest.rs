//! MD5 in lower-case hex, which is how both services sign. Not a security measure of ours.

use md5::{Digest, Md5};

/// Lower-case hex of the MD5 of the parts, one after the other.
pub(crate) fn md5_hex(parts: &[&str]) -> String {
    let mut hasher = Md5::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    base16ct::lower::encode_string(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::md5_hex;

    #[test]
    fn the_exam_token_is_time_then_code() {
        assert_eq!(md5_hex(&["1638768935", "xxx"]), "30679e08a3a265205c2af53f1a503d76");
    }

    #[test]
    fn the_classin_key_is_secret_then_time() {
        assert_eq!(md5_hex(&["topsecret", "1493726450"]), "ebb4181fcf497713b31666e61b297995");
    }
}
