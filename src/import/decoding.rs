//! Bytes of a file into text with one kind of line end. It guesses no encoding: what is neither UTF-8 nor
//! marked as UTF-16 is refused, because a wrong guess spoils names silently.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use encoding_rs::Encoding;

/// Largest file that is read, in bytes: a million students with many columns take a third of it.
const LARGEST_FILE: u64 = 1 << 30;

/// Why a file could not be read as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: u64,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Unreadable {
    fn new(line: u64, code: &'static str, message: impl Into<String>) -> Self {
        Self { line, code, message: message.into() }
    }
}

/// Reads a whole file as text; CR and CRLF become LF, so that lines can be counted.
pub(super) fn read_text(path: &Path) -> Result<String, Unreadable> {
    let unreadable = |error: std::io::Error| Unreadable::new(1, "not-readable", error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err(Unreadable::new(1, "too-large", "files of more than 1 GiB are not read"));
    }
    decode(bytes)
}

fn decode(bytes: Vec<u8>) -> Result<String, Unreadable> {
    let text = match Encoding::for_bom(&bytes) {
        Some((encoding, mark)) => encoding
            .decode_without_bom_handling_and_without_replacement(bytes.get(mark..).unwrap_or_default())
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| broken(1, &format!("is not the {} its first bytes say", encoding.name())))?,
        None => String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            broken(line_of(error.as_bytes().get(..good).unwrap_or_default()), "is not UTF-8")
        })?,
    };
    let text = one_line_end(text);
    match text.find('\0') {
        None => Ok(text),
        Some(at) => {
            let line = line_of(text.as_bytes().get(..at).unwrap_or_default());
            Err(broken(line, "holds zero bytes, as UTF-16 without a byte order mark does"))
        }
    }
}

fn broken(line: u64, what: &str) -> Unreadable {
    Unreadable::new(
        line,
        "encoding",
        format!("the file {what}: save it as UTF-8, or as UTF-16 with a byte order mark"),
    )
}

fn one_line_end(text: String) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// The line that follows these bytes, whatever ends their lines.
fn line_of(before: &[u8]) -> u64 {
    let mut line = 1;
    let mut previous = 0;
    for &byte in before {
        if byte == b'\r' || (byte == b'\n' && previous != b'\r') {
            line += 1;
        }
        previous = byte;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(to_bytes).collect()
    }

    #[test]
    fn utf_8_and_marked_utf_16_are_read_alike() {
        let text = "student_id,name\nS1,Zoë 王\n";
        for (name, bytes) in [
            ("plain", text.as_bytes().to_vec()),
            ("with a mark", format!("\u{feff}{text}").into_bytes()),
            ("UTF-16LE", utf16(text, u16::to_le_bytes)),
            ("UTF-16BE", utf16(text, u16::to_be_bytes)),
            ("CR", text.replace('\n', "\r").into_bytes()),
            ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok(text), "{name}");
        }
    }

    #[test]
    fn other_encodings_are_refused_with_the_line_of_the_first_bad_byte() {
        let latin = decode(b"student_id,name\r\nS1,Anna\rS2,Zo\xeb\r".to_vec()).unwrap_err();
        assert_eq!((latin.line, latin.code), (3, "encoding"));
        let unmarked = decode(b"s\0t\0".to_vec()).unwrap_err();
        assert_eq!((unmarked.line, unmarked.code), (1, "encoding"));
    }
}
