//! Guesses the encoding of a file that has no byte order mark and is not UTF-8. A guess is taken only when
//! the bytes leave little doubt, and it is always reported; otherwise the admin is asked.

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, WINDOWS_1252};

/// An encoding that an admin named.
pub type FileEncoding = &'static Encoding;

/// Letters that a guess of Windows-1252 needs: one or two may be anything.
const ENOUGH_LETTERS: u64 = 3;
/// Everyday Chinese characters that a guess of GB18030 needs.
const ENOUGH_HANZI: u64 = 4;

/// The encoding of a name such as `gb18030`, `windows-1252` or `utf-16le`; `None` for an unknown one.
#[must_use]
pub fn encoding_named(name: &str) -> Option<FileEncoding> {
    let gb = ["gb2312", "gbk", "cp936"];
    if gb.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Some(GB18030);
    }
    Encoding::for_label(name.as_bytes())
}

/// Statistics of a file's bytes, collected piece by piece.
pub(super) struct Evidence {
    gb18030: Decoder,
    is_gb18030: bool,
    /// The last two bytes that were looked at.
    before: [u8; 2],
    /// The first byte of a pair, while the second is awaited.
    pair: Option<u8>,
    everyday_hanzi: u64,
    other_pairs: u64,
    western_letters: u64,
    other_high: u64,
    /// Sequences of three bytes that are UTF-8 for Chinese, an unlikely accident in GB18030.
    utf8_hanzi: u64,
    /// Sequences of two that are UTF-8 for Western letters, an unlikely accident in Windows-1252.
    utf8_letters: u64,
}

/// The conclusion from all bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// Little doubt.
    Likely(FileEncoding),
    /// Parts are UTF-8 and parts are not: no encoding reads it.
    Mixed,
    /// Too few signs.
    Doubtful,
}

impl Evidence {
    pub(super) fn new() -> Self {
        Self {
            gb18030: GB18030.new_decoder_without_bom_handling(),
            is_gb18030: true,
            before: [0; 2],
            pair: None,
            everyday_hanzi: 0,
            other_pairs: 0,
            western_letters: 0,
            other_high: 0,
            utf8_hanzi: 0,
            utf8_letters: 0,
        }
    }

    /// Looks at the next piece.
    pub(super) fn look(&mut self, piece: &[u8], scratch: &mut String) {
        if self.is_gb18030 {
            scratch.clear();
            scratch.reserve(piece.len().saturating_mul(3).saturating_add(16));
            let (result, _) = self.gb18030.decode_to_string_without_replacement(piece, scratch, false);
            self.is_gb18030 = !matches!(result, DecoderResult::Malformed(_, _));
        }
        for &byte in piece {
            self.note_pair(byte);
            self.note_letter(byte);
            self.before = [self.before[1], byte];
        }
    }

    /// GB18030's everyday characters are pairs of a byte from B0 to D7 and one from A1.
    fn note_pair(&mut self, byte: u8) {
        match self.pair.take() {
            Some(first) if (0xb0..=0xd7).contains(&first) && byte >= 0xa1 => self.everyday_hanzi += 1,
            Some(_) => self.other_pairs += 1,
            None if byte >= 0x81 => self.pair = Some(byte),
            None => {}
        }
    }

    fn note_letter(&mut self, byte: u8) {
        let [second, first] = [self.before[0], self.before[1]];
        if (0x80..=0xbf).contains(&byte) {
            let is_hanzi = (0xe4..=0xe9).contains(&second) && (0x80..=0xbf).contains(&first);
            self.utf8_hanzi += u64::from(is_hanzi);
            self.utf8_letters += u64::from(matches!(first, 0xc2 | 0xc3));
        }
        if byte < 0x80 {
            return;
        }
        if is_western_letter(byte) && first < 0x80 {
            self.western_letters += 1;
        } else {
            self.other_high += 1;
        }
    }

    pub(super) fn guess(&self) -> Guess {
        let pairs = self.everyday_hanzi + self.other_pairs;
        let chinese = self.is_gb18030 && self.everyday_hanzi.saturating_mul(10) >= pairs.saturating_mul(6);
        let letters = self.western_letters + self.other_high;
        let western = self.western_letters.saturating_mul(10) >= letters.saturating_mul(9);
        let is_mixed = if self.is_gb18030 {
            self.utf8_hanzi > pairs / 50 + 1
        } else if western {
            self.utf8_hanzi + self.utf8_letters > 0
        } else {
            // In other encodings of two bytes a letter such sequences come about by accident.
            self.utf8_hanzi + self.utf8_letters > letters / 10 + 1
        };
        if is_mixed {
            return Guess::Mixed;
        }
        match (chinese, western) {
            (true, _) if self.everyday_hanzi >= ENOUGH_HANZI => Guess::Likely(GB18030),
            (false, true) if self.western_letters >= ENOUGH_LETTERS => Guess::Likely(WINDOWS_1252),
            (true, _) | (false, _) => Guess::Doubtful,
        }
    }
}

/// Letters of Western European names, and the quotation marks of word processors.
fn is_western_letter(byte: u8) -> bool {
    matches!(byte, 0x8a | 0x8c | 0x8e | 0x91..=0x94 | 0x96 | 0x97 | 0x9a | 0x9c | 0x9e | 0x9f)
        || (byte >= 0xc0 && !matches!(byte, 0xd7 | 0xf7))
}

/// A decoder for a file whose byte order mark, if any, was removed.
pub(super) fn decoder(encoding: FileEncoding) -> Decoder {
    encoding.new_decoder_without_bom_handling()
}

/// The encoding that needs no word.
pub(super) fn is_utf8(encoding: FileEncoding) -> bool {
    encoding == UTF_8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(bytes: &[u8]) -> Guess {
        let mut evidence = Evidence::new();
        let mut scratch = String::new();
        for piece in bytes.chunks(7) {
            evidence.look(piece, &mut scratch);
        }
        evidence.guess()
    }

    fn encoded(encoding: &'static Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    const CHINESE: &str = "student_id,name\nS1,王小明\nS2,李雷\nS3,韩梅梅\nS4,张伟\nS5,刘洋\nS6,陈静\n";
    const WESTERN: &str =
        "student_id,name\nS1,Zoë Müller\nS2,André Gonçalves\nS3,Señor Muñoz\nS4,Åse Østby\n";

    #[test]
    fn everyday_chinese_and_western_names_are_told_apart() {
        assert_eq!(guess(&encoded(GB18030, CHINESE)), Guess::Likely(GB18030));
        assert_eq!(guess(&encoded(WINDOWS_1252, WESTERN)), Guess::Likely(WINDOWS_1252));
    }

    #[test]
    fn one_strange_letter_is_no_evidence() {
        assert_eq!(guess(b"S2,Zo\xeb\r"), Guess::Doubtful);
    }

    #[test]
    fn russian_is_taken_for_neither() {
        let russian =
            encoded(encoding_rs::WINDOWS_1251, "S1,Иванов Иван\nS2,Петров Пётр\nS3,Смирнова Анна\n");
        assert_eq!(guess(&russian), Guess::Doubtful);
    }

    #[test]
    fn a_file_in_two_encodings_is_seen_to_be_one() {
        for (one, other) in [(GB18030, CHINESE), (WINDOWS_1252, WESTERN)] {
            let mut bytes = other.as_bytes().to_vec();
            bytes.extend(encoded(one, other));
            assert_eq!(guess(&bytes), Guess::Mixed, "{}", one.name());
        }
    }

    #[test]
    fn encodings_go_by_the_names_that_people_use() {
        for name in ["GB18030", "gb2312", "GBK", "windows-1252", "latin1", "utf-8", "utf-16le", "big5"] {
            assert!(encoding_named(name).is_some(), "{name}");
        }
        assert!(encoding_named("cp-of-nobody").is_none());
    }
}
