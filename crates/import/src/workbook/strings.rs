//! The texts that the cells of a workbook share, packed: hundreds of thousands of small texts take little more memory
//! than their letters.

use super::xml::{Archive, Fault, Part, Piece};

/// Bytes of all shared texts: those of a million students fit in half of it.
const MOST_BYTES: usize = 128 << 20;
/// Shared texts.
const MOST_TEXTS: usize = 5_000_000;
/// Bytes of one block.
const BLOCK: usize = 1 << 20;

/// Shared texts by number.
#[derive(Default)]
pub(super) struct Strings {
    blocks: Vec<String>,
    /// Block, begin and length of each text.
    places: Vec<[u32; 3]>,
    bytes: usize,
}

impl Strings {
    /// Reads the shared texts of a workbook; it may have none.
    pub(super) fn read(archive: &mut Archive, path: &str) -> Result<Self, Fault> {
        let mut strings = Self::default();
        let Some(mut part) = Part::open(archive, path)? else { return Ok(strings) };
        let mut text = String::new();
        let (mut is_text, mut phonetic) = (false, 0_u32);
        loop {
            match part.next()? {
                Piece::Eof => return Ok(strings),
                Piece::Start(name, _) => match name.as_str() {
                    "si" => text.clear(),
                    // How a name is said, beside how it is written.
                    "rPh" => phonetic += 1,
                    "t" => is_text = phonetic == 0,
                    _ => {}
                },
                Piece::End(name) => match name.as_str() {
                    "si" => strings.push(&unescaped(&text))?,
                    "rPh" => phonetic = phonetic.saturating_sub(1),
                    "t" => is_text = false,
                    _ => {}
                },
                Piece::Text(piece) if is_text => {
                    text.push_str(&piece);
                    if text.len() > BLOCK {
                        return Err(
                            "a text of it is longer than 1 MiB: it is damaged, or made to harm".to_owned()
                        );
                    }
                }
                Piece::Text(_) => {}
            }
        }
    }

    fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.bytes += text.len();
        if self.bytes > MOST_BYTES || self.places.len() >= MOST_TEXTS {
            return Err("its texts unpack to more than 128 MiB: save the sheet as CSV".to_owned());
        }
        let is_full = self.blocks.last().is_none_or(|block| block.len() + text.len() > BLOCK);
        if is_full {
            self.blocks.push(String::with_capacity(BLOCK.max(text.len())));
        }
        let number = u32::try_from(self.blocks.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let Some(block) = self.blocks.last_mut() else { return Ok(()) };
        let begin = u32::try_from(block.len()).unwrap_or(u32::MAX);
        block.push_str(text);
        self.places.push([number, begin, u32::try_from(text.len()).unwrap_or(u32::MAX)]);
        Ok(())
    }

    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let [block, begin, length] =
            self.places.get(number)?.map(|part| usize::try_from(part).unwrap_or(usize::MAX));
        self.blocks.get(block)?.get(begin..begin.checked_add(length)?)
    }
}

/// `_x000D_` is a line end that XML would lose.
pub(super) fn unescaped(text: &str) -> String {
    if !text.contains("_x") {
        return text.to_owned();
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        whole.push_str(before);
        let code = from.get(2..6).filter(|_| from.get(6..7) == Some("_"));
        let letter = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        match (letter, from.get(7..)) {
            (Some(letter), Some(after)) => {
                whole.push(letter);
                rest = after;
            }
            _ => {
                whole.push_str("_x");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_number_across_blocks() {
        let mut strings = Strings::default();
        let texts: Vec<String> = (0..50_000).map(|n| format!("{n}{}", "王".repeat(n % 40))).collect();
        texts.iter().for_each(|text| strings.push(text).unwrap());
        assert!(strings.blocks.len() > 1);
        assert!(texts.iter().enumerate().all(|(at, text)| strings.get(at) == Some(text)));
        assert_eq!(strings.get(50_000), None);
    }

    #[test]
    fn a_workbook_with_too_many_texts_is_refused() {
        let mut strings = Strings::default();
        let text = "x".repeat(1 << 20);
        let taken = (0..200).take_while(|_| strings.push(&text).is_ok()).count();
        assert_eq!(taken, 128);
        assert!(strings.push("x").unwrap_err().contains("save the sheet as CSV"));
    }

    #[test]
    fn control_characters_that_are_written_out_are_read() {
        assert_eq!(unescaped("a_x000D_b"), "a\rb");
        assert_eq!(unescaped("a_x005F_x000D_"), "a_x000D_");
        assert_eq!(unescaped("a_xyz_"), "a_xyz_");
    }
}
