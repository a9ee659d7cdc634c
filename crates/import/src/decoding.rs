//! Bytes of a file into UTF-8 with one kind of line end, piece by piece. What it delivers ends with a line of
//! its own, by which the rows tell whether a quote was left open.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Decoder, DecoderResult};

use super::encoding::decoder;
use super::sniff::{LARGEST_FILE, Shape, Unreadable};

/// Closes every text: if it does not come back as a row of its own, a quote was left open and swallowed the
/// rest of the file. Nothing that is read holds a zero byte.
pub(super) const END: &str = "\0end";
/// Bytes of one piece, before it is decoded.
const PIECE: usize = 16 * 1024;
/// Bytes that one row may take: an open quote must not fill the memory.
const LONGEST_ROW: u64 = 1 << 20;

/// What the decoder tells the row reader beside the text: line ends, and the reason for stopping early.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// Line ends in the delivered text, from the current row on.
    pub(super) line_ends: VecDeque<u64>,
    /// The beginning of the current row.
    pub(super) row_begins: u64,
    /// The line it begins in.
    pub(super) row_line: u64,
    /// The reason why the text stops early.
    pub(super) stopped: Option<Unreadable>,
    /// The text has ended, and its last line without a line end.
    pub(super) is_unended: bool,
}

/// Reads a file as text.
pub(super) struct DecodedText<R> {
    bytes: R,
    decoder: Decoder,
    encoding: &'static str,
    mark: usize,
    input: Vec<u8>,
    /// Decoded and not yet delivered.
    text: String,
    taken: usize,
    delivered: u64,
    lines: u64,
    after_cr: bool,
    /// The last letter so far is no line end.
    is_in_line: bool,
    total: u64,
    is_ended: bool,
    trail: Rc<RefCell<Trail>>,
    counter: Arc<AtomicU64>,
}

impl<R: Read> DecodedText<R> {
    /// Starts at the beginning of a file; `counter` gets the bytes that were read.
    pub(super) fn new(bytes: R, shape: &Shape, counter: Arc<AtomicU64>) -> (Self, Rc<RefCell<Trail>>) {
        let trail = Rc::new(RefCell::new(Trail::default()));
        let text = Self {
            bytes,
            decoder: decoder(shape.encoding),
            encoding: shape.encoding.name(),
            mark: shape.mark,
            input: vec![0; PIECE],
            text: String::with_capacity(PIECE * 3 + 16),
            taken: 0,
            delivered: 0,
            lines: 1,
            after_cr: false,
            is_in_line: false,
            total: 0,
            is_ended: false,
            trail: Rc::clone(&trail),
            counter,
        };
        (text, trail)
    }

    fn stop(&self, unreadable: Unreadable) -> io::Error {
        self.trail.borrow_mut().stopped = Some(unreadable);
        io::Error::other("the text ends here")
    }

    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        let read = self.bytes.read(&mut self.input);
        let length = match read {
            Ok(length) => length,
            Err(error) => return Err(self.stop(Unreadable::from_io(self.lines, &error))),
        };
        let length_64 = u64::try_from(length).unwrap_or(u64::MAX);
        self.counter.fetch_add(length_64, Ordering::Relaxed);
        self.total = self.total.saturating_add(length_64);
        if self.total > LARGEST_FILE {
            return Err(self.stop(Unreadable::new(1, "too-large", "files of more than 1 GiB are not read")));
        }
        let input = self.input.get(self.mark.min(length)..length).unwrap_or_default();
        self.mark = self.mark.saturating_sub(length);
        let mut decoded = String::with_capacity(input.len().saturating_mul(3).saturating_add(16));
        let last = length == 0;
        let (result, _) = self.decoder.decode_to_string_without_replacement(input, &mut decoded, last);
        self.one_line_end(&decoded);
        if matches!(result, DecoderResult::Malformed(_, _)) {
            let message = format!("the file is not {} from here on", self.encoding);
            return Err(self.stop(Unreadable::new(self.lines, "encoding", message)));
        }
        if let Some(at) = self.text.find('\0') {
            let line = self.lines_before(at);
            let message = "the file holds zero bytes, as UTF-16 without a byte order mark does: save it as \
                           UTF-8, or try --encoding utf-16le";
            return Err(self.stop(Unreadable::new(line, "encoding", message)));
        }
        if last {
            self.is_ended = true;
            self.trail.borrow_mut().is_unended = self.is_in_line;
            self.note_line_end(self.text.len());
            self.text.push('\n');
            self.text.push_str(END);
            self.text.push('\n');
        }
        Ok(())
    }

    /// The line of a place in the piece at hand.
    fn lines_before(&self, at: usize) -> u64 {
        let after = self.text.get(at..).unwrap_or_default();
        self.lines.saturating_sub(u64::try_from(after.matches('\n').count()).unwrap_or_default())
    }

    fn one_line_end(&mut self, decoded: &str) {
        for letter in decoded.chars() {
            let after_cr = std::mem::replace(&mut self.after_cr, letter == '\r');
            self.is_in_line = !matches!(letter, '\r' | '\n');
            match letter {
                '\n' if after_cr => {}
                '\r' | '\n' => {
                    self.note_line_end(self.text.len());
                    self.text.push('\n');
                    self.lines += 1;
                }
                other => self.text.push(other),
            }
        }
    }

    fn note_line_end(&self, at: usize) {
        let at = self.delivered + u64::try_from(at).unwrap_or_default();
        self.trail.borrow_mut().line_ends.push_back(at);
    }
}

impl<R: Read> Read for DecodedText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.text.len() {
            if self.is_ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let ready = self.text.as_bytes().get(self.taken..).unwrap_or_default();
        let length = ready.len().min(buffer.len());
        let (Some(to), Some(from)) = (buffer.get_mut(..length), ready.get(..length)) else { return Ok(0) };
        to.copy_from_slice(from);
        self.taken += length;
        // Positions of line ends are counted from the beginning of the current piece.
        if self.taken >= self.text.len() {
            self.delivered += u64::try_from(self.text.len()).unwrap_or_default();
            self.text.clear();
            self.taken = 0;
        }
        let (begins, line) = {
            let trail = self.trail.borrow();
            (trail.row_begins, trail.row_line)
        };
        if self.delivered.saturating_sub(begins) > LONGEST_ROW {
            let message = "a row takes more than 1 MiB: a quote is opened here and closed nowhere near";
            return Err(self.stop(Unreadable::new(line, "open-quote", message)));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sniff::{ReadOptions, sniff};

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(to_bytes).collect()
    }

    fn decode(bytes: &[u8], reading: ReadOptions) -> Result<String, Unreadable> {
        let shape = sniff(bytes, reading)?;
        let (mut text, trail) = DecodedText::new(bytes, &shape, Arc::default());
        let mut decoded = String::new();
        match text.read_to_string(&mut decoded) {
            Ok(_) => Ok(decoded.strip_suffix(&format!("\n{END}\n")).unwrap().to_owned()),
            Err(_) => Err(trail.borrow().stopped.clone().unwrap()),
        }
    }

    #[test]
    fn utf_8_and_marked_utf_16_are_read_alike() {
        let text = "student_id,name\nS1,Zoë 王\n".repeat(3_000);
        for (name, bytes) in [
            ("plain", text.as_bytes().to_vec()),
            ("with a mark", format!("\u{feff}{text}").into_bytes()),
            ("UTF-16LE", utf16(&text, u16::to_le_bytes)),
            ("UTF-16BE", utf16(&text, u16::to_be_bytes)),
            ("CR", text.replace('\n', "\r").into_bytes()),
            ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ] {
            assert!(decode(&bytes, ReadOptions::default()).unwrap() == text, "{name}");
        }
    }

    #[test]
    fn text_that_ends_in_the_middle_of_a_letter_is_refused_where_it_does() {
        let mut bytes = utf16("a\nb\nc", u16::to_le_bytes);
        bytes.pop();
        let fault = decode(&bytes, ReadOptions::default()).unwrap_err();
        assert_eq!((fault.line, fault.code), (3, "encoding"));
    }

    #[test]
    fn zero_bytes_are_no_text() {
        let fault = decode(b"a\n\ns\0t\0", ReadOptions::default()).unwrap_err();
        assert_eq!((fault.line, fault.code), (3, "encoding"));
    }
}
