//! A file that holds one secret: what editors, shells and people put around it is taken off or refused by name.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use secrecy::{ExposeSecret as _, SecretString};

/// A secret file that is longer than this is some other file, named by mistake.
const LONGEST_BYTES: u64 = 4096;

/// The secret in a file, or what is wrong with it. No message repeats anything of the file.
pub(super) fn read(path: &Path) -> io::Result<Result<String, String>> {
    let mut bytes = Vec::new();
    open_regular(path)?.take(LONGEST_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST_BYTES) {
        return Err(io::Error::other(format!("longer than {LONGEST_BYTES} bytes")));
    }
    Ok(secret(&bytes))
}

/// Whether the file is there and holds nothing but blanks.
pub(super) fn is_blank(path: &Path) -> bool {
    let mut text = String::new();
    let read = open_regular(path).and_then(|file| file.take(LONGEST_BYTES).read_to_string(&mut text));
    read.is_ok() && text.trim().is_empty()
}

/// Opens a regular file for reading, and nothing else: opening a pipe would wait for whoever writes it, and a device may do
/// anything. It waits for nobody where the path comes to name another file meanwhile.
///
/// # Errors
/// When it is not there, may not be read, or is no regular file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let require = |is_file: bool| {
        let refusal = "it is a folder, a pipe or a device: name a regular file";
        if is_file { Ok(()) } else { Err(io::Error::other(refusal)) }
    };
    require(std::fs::metadata(path)?.is_file())?;
    let at_once = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(at_once).open(path)?;
    require(file.metadata()?.is_file())?;
    Ok(file)
}

/// The fewest characters of a token: 64 bits where they are hexadecimal figures.
const SHORTEST_TOKEN: usize = 16;

/// Whether this can be a token of ours, which travels in a header: long enough not to be guessed, and without blanks.
pub(super) fn require_token(token: &SecretString) -> Result<(), String> {
    let token = token.expose_secret();
    let way_out = "write a new one: openssl rand -hex 32";
    if token.len() < SHORTEST_TOKEN {
        return Err(format!("the token is shorter than {SHORTEST_TOKEN} characters: {way_out}"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = "the token holds a blank, or a character beyond plain English letters, figures and signs";
        return Err(format!("{what}: {way_out}"));
    }
    Ok(())
}

fn secret(bytes: &[u8]) -> Result<String, String> {
    let Some(text) = decoded(bytes) else {
        return Err("the file is no text: save it as UTF-8".to_owned());
    };
    let secret = text.trim();
    if secret.is_empty() {
        return Err("the file is empty: put the secret into it, on one line".to_owned());
    }
    if secret.contains(['\n', '\r']) {
        return Err("the file has several lines: put the secret alone into it, on one line".to_owned());
    }
    if secret.chars().any(|letter| letter.is_control() || is_invisible(letter)) {
        return Err(
            "the file holds a character that cannot be seen (a zero byte, a mark): write it anew with a plain editor, \
             or with printf '%s'"
                .to_owned(),
        );
    }
    let is_quoted = |quote| secret.len() > 1 && secret.starts_with(quote) && secret.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') {
        return Err("the secret stands in quotes: take them off".to_owned());
    }
    if is_assignment(secret) {
        return Err("the file holds NAME=secret: put the secret alone into it".to_owned());
    }
    Ok(secret.to_owned())
}

/// The text of a file in UTF-8, or in UTF-16 with its mark.
fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2);
        let is_whole = pairs.remainder().is_empty();
        let units: Vec<u16> = pairs.filter_map(|pair| Some(unit(pair.try_into().ok()?))).collect();
        String::from_utf16(&units).ok().filter(|_| is_whole).map(Cow::Owned)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, text @ ..] => std::str::from_utf8(text).ok().map(Cow::Borrowed),
        [0xff, 0xfe, text @ ..] => wide(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => wide(text, u16::from_be_bytes),
        text => std::str::from_utf8(text).ok().map(Cow::Borrowed),
    }
}

/// Marks and directions that no keyboard has.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A line as an environment file has it: a name of capitals with an underscore in it.
fn is_assignment(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').is_some_and(|(name, _)| {
        let is_letter =
            |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        name.contains('_')
            && name.starts_with(|letter: char| letter.is_ascii_uppercase())
            && name.chars().all(is_letter)
    })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::{require_token, secret};

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once('\u{feff}')
            .chain(text.chars())
            .flat_map(|letter| {
                let mut units = [0; 2];
                letter.encode_utf16(&mut units).iter().flat_map(|unit| order(*unit)).collect::<Vec<u8>>()
            })
            .collect()
    }

    #[test]
    fn what_editors_put_around_a_secret_is_taken_off() {
        for (row, bytes) in [
            ("plain", b"s3cret".to_vec()),
            ("a line end", b"s3cret\n".to_vec()),
            ("of Windows", b"s3cret\r\n".to_vec()),
            ("two line ends", b"s3cret\n\n".to_vec()),
            ("blanks", b" s3cret \t\n".to_vec()),
            ("a mark", b"\xef\xbb\xbfs3cret\r\n".to_vec()),
            ("UTF-16, little endian", utf16("s3cret\r\n", u16::to_le_bytes)),
            ("UTF-16, big endian", utf16("s3cret", u16::to_be_bytes)),
        ] {
            assert_eq!(secret(&bytes).as_deref(), Ok("s3cret"), "{row}");
        }
        assert_eq!(secret(b"a b=c==").as_deref(), Ok("a b=c=="), "blanks and signs within it are its own");
    }

    #[test]
    fn a_token_is_long_enough_and_fits_into_a_header() {
        let judged = |token: &str| require_token(&SecretString::from(token.to_owned()));
        for token in ["0123456789abcdef", "a:b/c+d=e~f!g(h)i"] {
            assert_eq!(judged(token), Ok(()), "{token}");
        }
        for (token, why) in [
            ("0123456789abcde", "16 characters"),
            ("0123456789 abcdef", "blank"),
            ("0123456789abcdé", "English"),
        ] {
            let refused = judged(token).unwrap_err();
            assert!(refused.contains(why) && refused.contains("openssl rand"), "{refused}");
            assert!(!refused.contains("0123"), "{refused}");
        }
    }

    #[test]
    fn what_can_be_no_secret_is_refused_and_not_repeated() {
        for (bytes, why) in [
            (&b""[..], "empty"),
            (b"\xef\xbb\xbf \r\n", "empty"),
            (b"s3cret\n# the new one", "several lines"),
            (b"s3cret\0", "cannot be seen"),
            (b"s3\xe2\x80\x8bcret", "cannot be seen"),
            (b"\"s3cret\"", "quotes"),
            (b"'s3cret'\n", "quotes"),
            (b"ROSTERD__EXAM__CODE=s3cret", "NAME="),
            (b"export EXAM_CODE=s3cret", "NAME="),
            (b"s3cret\xff", "no text"),
            (b"\xff\xfes", "no text"),
        ] {
            let refused = secret(bytes).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("s3"), "{refused}");
        }
    }
}
