//! The first look at a file, before any row of it is read: its encoding, how its lines begin, what separates
//! its fields. It reads to the end, because only the last byte settles the encoding, and keeps the beginning.

use std::io::Read;

use encoding_rs::{Encoding, GB18030, UTF_8};

use super::encoding::{Evidence, FileEncoding, Guess, decoder, is_utf8};
use super::header_words::known;
use super::samples::{cells, encoding_of_heading, samples};

/// Bytes of the beginning that are kept to find the separator in.
const HEAD: usize = 64 * 1024;
/// Bytes of one piece.
const PIECE: usize = 64 * 1024;
/// Largest file that is read, in bytes: a million students with many columns take a third of it.
pub(super) const LARGEST_FILE: u64 = 1 << 30;

/// The reason why a file could not be read as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: u64,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Unreadable {
    pub(super) fn new(line: u64, code: &'static str, message: impl Into<String>) -> Self {
        Self { line, code, message: message.into() }
    }

    pub(super) fn from_io(line: u64, error: &std::io::Error) -> Self {
        Self::new(line, "not-readable", error.to_string())
    }
}

/// How to read a file.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) encoding: FileEncoding,
    /// Bytes of the byte order mark.
    pub(super) mark: usize,
    pub(super) delimiter: u8,
    /// The first line says what separates fields, as `sep=;`.
    pub(super) names_separator: bool,
    /// The basis of a guessed encoding.
    pub(super) guessed: Option<String>,
}

/// The admin's options for reading files.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions {
    /// The encoding; absent: found out.
    pub encoding: Option<FileEncoding>,
    /// The field separator; absent: detected.
    pub delimiter: Option<u8>,
    /// Read by a guessed encoding too, where nothing is written: the guess is a remark then.
    pub allows_guess: bool,
}

/// Finds out how a file is to be read.
pub(super) fn sniff(mut reader: impl Read, reading: ReadOptions) -> Result<Shape, Unreadable> {
    let mut look = Look::default();
    let mut scratch = String::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = reader.read(&mut piece).map_err(|error| Unreadable::from_io(look.line, &error))?;
        let bytes = piece.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        look.total += u64::try_from(length).unwrap_or(u64::MAX);
        if look.total > LARGEST_FILE {
            return Err(Unreadable::new(1, "too-large", "files of more than 1 GiB are not read"));
        }
        let wanted = HEAD.saturating_sub(look.head.len()).min(bytes.len());
        look.head.extend_from_slice(bytes.get(..wanted).unwrap_or_default());
        look.has_letters |= !bytes.is_ascii();
        look.at(bytes, &mut scratch);
    }
    look.shape(reading)
}

#[derive(Default)]
struct Look {
    head: Vec<u8>,
    total: u64,
    /// Bytes of a sequence that the last piece cut in two.
    rest: Vec<u8>,
    /// The line of the first byte that is not UTF-8.
    broken_at: Option<u64>,
    line: u64,
    previous: u8,
    evidence: Option<Evidence>,
    /// Some byte is none of ASCII.
    has_letters: bool,
}

impl Look {
    fn at(&mut self, bytes: &[u8], scratch: &mut String) {
        if self.broken_at.is_none() {
            let mut whole = std::mem::take(&mut self.rest);
            whole.extend_from_slice(bytes);
            let good = match std::str::from_utf8(&whole) {
                Ok(_) => whole.len(),
                Err(error) => {
                    if error.error_len().is_some() {
                        self.broken_at = Some(0);
                    }
                    error.valid_up_to()
                }
            };
            self.count_lines(whole.get(..good).unwrap_or_default());
            if self.broken_at.is_some() {
                self.broken_at = Some(self.line + 1);
            } else {
                self.rest = whole.get(good..).unwrap_or_default().to_vec();
            }
        }
        self.evidence.get_or_insert_with(Evidence::new).look(bytes, scratch);
    }

    /// Counts line ends of any kind.
    fn count_lines(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\r' || (byte == b'\n' && self.previous != b'\r') {
                self.line += 1;
            }
            self.previous = byte;
        }
    }

    fn shape(self, reading: ReadOptions) -> Result<Shape, Unreadable> {
        let marked = Encoding::for_bom(&self.head);
        if let Some(encoding) = reading.encoding {
            self.refuse_garbled(encoding)?;
        }
        let (encoding, mark, guessed) = match (reading.encoding, marked) {
            (Some(encoding), Some((found, mark))) if found == encoding => (encoding, mark, None),
            (Some(encoding), _) => (encoding, 0, None),
            (None, Some((encoding, mark))) => (encoding, mark, None),
            (None, None) => self.without_mark(reading.allows_guess)?,
        };
        let text = beginning(encoding, self.head.get(mark..).unwrap_or_default());
        let named = named_delimiter(&text);
        let delimiter = reading.delimiter.or(named).unwrap_or_else(|| sniff_delimiter(&text));
        Ok(Shape { encoding, mark, delimiter, names_separator: named.is_some(), guessed })
    }

    /// A file that is UTF-8 is garbled by any other encoding that reads it, such as a profile's from before it became UTF-8.
    fn refuse_garbled(&self, encoding: FileEncoding) -> Result<(), Unreadable> {
        let is_of_unicode = encoding.output_encoding() == UTF_8;
        if is_of_unicode || !self.has_letters || self.broken_at.is_some() || !self.rest.is_empty() {
            return Ok(());
        }
        let name = encoding.name().to_ascii_lowercase();
        let sample = |encoding| cells(&beginning(encoding, &self.head)).join(", ");
        let message = format!(
            "the file is UTF-8, and {name}, which --encoding or the profile says, would garble it: {name} reads {}; UTF-8 reads {}; \
             repeat without --encoding, and take encoding out of the profile",
            sample(encoding),
            sample(UTF_8)
        );
        Err(Unreadable::new(1, "encoding", message))
    }

    /// UTF-16 has a zero byte in each letter of ASCII.
    fn refuse_wide(&self) -> Result<(), Unreadable> {
        let zeros = |from: usize| self.head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let (first, second) = (zeros(0), zeros(1));
        let name = if first > second { "utf-16be" } else { "utf-16le" };
        if first.max(second) < 4
            || first.max(second) * 10 < self.head.len()
            || first.min(second) * 4 > first.max(second)
        {
            return Ok(());
        }
        let message = format!(
            "the file seems to be UTF-16 without a byte order mark: save it as UTF-8, or repeat with --encoding {name}"
        );
        Err(Unreadable::new(1, "encoding", message))
    }

    fn without_mark(&self, allows_guess: bool) -> Result<(FileEncoding, usize, Option<String>), Unreadable> {
        self.refuse_wide()?;
        let line = match (self.broken_at, self.rest.is_empty()) {
            (None, true) => return Ok((UTF_8, 0, None)),
            (Some(line), _) => line,
            (None, false) => {
                let message = "the file ends in the middle of a letter: it was cut off, so export it again";
                return Err(Unreadable::new(self.line + 1, "encoding", message));
            }
        };
        let of_heading = encoding_of_heading(&self.head);
        if let Some(encoding) = of_heading.filter(|encoding| *encoding != GB18030) {
            return Ok((encoding, 0, None));
        }
        match self.evidence.as_ref().map(Evidence::guess) {
            Some(Guess::Likely(encoding)) if of_heading == Some(encoding) => Ok((encoding, 0, None)),
            Some(Guess::Likely(encoding)) => {
                let samples = samples(&self.head);
                if allows_guess {
                    let name = encoding.name().to_ascii_lowercase();
                    return Ok((encoding, 0, Some(format!("read as {name}, which is a guess: {samples}"))));
                }
                let message = format!(
                    "the file is not UTF-8, and its encoding would be a guess: repeat with the one that reads rightly: {samples}"
                );
                Err(Unreadable::new(line, "encoding", message))
            }
            Some(Guess::Mixed) => Err(Unreadable::new(
                line,
                "mixed-encodings",
                "parts of the file are UTF-8 and parts are not: export it again in one encoding",
            )),
            Some(Guess::Doubtful) | None => Err(untold(line, &self.head)),
        }
    }
}

fn untold(line: u64, head: &[u8]) -> Unreadable {
    let samples = samples(head);
    let which = if samples.is_empty() {
        "say which it is with --encoding NAME".to_owned()
    } else {
        format!("repeat with the one that reads rightly: {samples}")
    };
    let message =
        format!("the file is not UTF-8, and its encoding cannot be told: save it as UTF-8, or {which}");
    Unreadable::new(line, "encoding", message)
}

fn beginning(encoding: FileEncoding, head: &[u8]) -> String {
    if is_utf8(encoding) {
        return String::from_utf8_lossy(head).into_owned();
    }
    let mut text = String::with_capacity(head.len().saturating_mul(3));
    let _lossy = decoder(encoding).decode_to_string(head, &mut text, false);
    text
}

/// The separator that the first line names: `sep=;` tells it to spreadsheet programs.
fn named_delimiter(text: &str) -> Option<u8> {
    let line = text.split(['\n', '\r']).find(|line| !line.trim().is_empty())?;
    let line = line.trim_matches(['"', ' ', '\u{feff}']);
    let (word, rest) = line.split_at_checked(4)?;
    match rest.as_bytes() {
        [delimiter, b',' | b';' | b'"' | b' ', ..] | [delimiter] if word.eq_ignore_ascii_case("sep=") => {
            Some(*delimiter).filter(u8::is_ascii)
        }
        _ => None,
    }
}

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Lines in which a header is looked for.
const HEADER_LINES: usize = 30;

/// The separator by which one of the first lines has most headers that are known; where none has two, the one that the
/// first separated line has most of, outside quotes; a comma where there is none.
fn sniff_delimiter(text: &str) -> u8 {
    let lines = || text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(HEADER_LINES);
    let known_by = |delimiter: u8| {
        let is_known = |field: &&str| {
            let field = field.trim().trim_matches('"');
            known(field).is_some() || OUR_COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(field))
        };
        lines()
            .map(|line| line.split(char::from(delimiter)).filter(is_known).count())
            .max()
            .unwrap_or_default()
    };
    let mut best = (b',', 1);
    for delimiter in DELIMITERS {
        let count = known_by(delimiter);
        if count > best.1 {
            best = (delimiter, count);
        }
    }
    if best.1 > 1 {
        return best.0;
    }
    let counts = |line: &str| DELIMITERS.map(|delimiter| outside_quotes(line, delimiter));
    let Some(counts) = lines().map(counts).find(|counts| counts.iter().any(|count| *count > 0)) else {
        return b',';
    };
    let mut best = (b',', 0);
    for (delimiter, count) in DELIMITERS.into_iter().zip(counts) {
        if count > best.1 {
            best = (delimiter, count);
        }
    }
    best.0
}

/// Columns that headers may have besides known words.
const OUR_COLUMNS: [&str; 10] = [
    "student_id",
    "name",
    "group_code",
    "class_code",
    "title",
    "gid",
    "course_id",
    "class_id",
    "sourcedId",
    "propertyName",
];

fn outside_quotes(line: &str, delimiter: u8) -> u32 {
    let (mut quoted, mut count) = (false, 0);
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        count += u32::from(!quoted && byte == delimiter);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(bytes: &[u8]) -> Result<(&'static str, u8, bool), Unreadable> {
        let shape = sniff(bytes, ReadOptions::default())?;
        Ok((shape.encoding.name(), shape.delimiter, shape.guessed.is_some()))
    }

    #[test]
    fn the_separator_is_found_outside_quotes() {
        for (header, delimiter) in [
            ("a,b", b','),
            ("a;b", b';'),
            ("a\tb", b'\t'),
            ("a|b", b'|'),
            ("\"a,b,c\";d", b';'),
            ("a", b','),
            ("\r\n\r\na;b\r\n1,2,3;4", b';'),
            ("Class list, year 7, 2026\nStudent ID;Name\n1;Ada", b';'),
            ("名单\n学号\t姓名\n1\t王", b'\t'),
        ] {
            assert_eq!(sniff_delimiter(header), delimiter, "{header}");
        }
    }

    #[test]
    fn a_line_that_names_the_separator_is_understood() {
        for (text, delimiter) in [
            ("sep=;\na;b", Some(b';')),
            ("SEP=,\r\na,b", Some(b',')),
            ("sep=\t\na\tb", Some(b'\t')),
            ("\"sep=;\"\na;b", Some(b';')),
            ("sep=;;\na;b", Some(b';')),
            ("sep=\na", None),
            ("separate,b", None),
        ] {
            assert_eq!(named_delimiter(text), delimiter, "{text}");
        }
    }

    #[test]
    fn a_sequence_that_lies_across_two_pieces_is_no_fault() {
        let mut text = "x".repeat(PIECE - 1);
        text.push('王');
        assert_eq!(probed(text.as_bytes()).unwrap(), ("UTF-8", b',', false));
        text.push('明');
        let cut = text.len() - 1;
        let fault = probed(&text.as_bytes()[..cut]).unwrap_err();
        assert!(fault.message.contains("cut off"), "{}", fault.message);
    }

    #[test]
    fn the_line_of_the_first_bad_byte_is_named_whatever_ends_lines() {
        let latin = probed(b"student_id,name\r\nS1,Anna\rS2,Zo\xeb\r").unwrap_err();
        assert_eq!((latin.line, latin.code), (3, "encoding"));
        assert!(latin.message.contains("--encoding windows-1252"), "{}", latin.message);
    }

    #[test]
    fn what_the_admin_says_is_not_questioned() {
        let encoding = Some(encoding_rs::WINDOWS_1252);
        let reading = ReadOptions { encoding, delimiter: Some(b'|'), ..ReadOptions::default() };
        let shape = sniff(&b"a,b\nZo\xeb,1"[..], reading).unwrap();
        assert_eq!((shape.encoding.name(), shape.delimiter), ("windows-1252", b'|'));
        assert!(shape.guessed.is_none());
    }
}
