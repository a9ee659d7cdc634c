//! The gzip container written by hand: stored blocks for honest answers, a tiny spring for a compression bomb.
//!
//! Not a compressor: honest answers come out a little longer than they went in.

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// `plain` as a gzip stream that does not compress.
pub(crate) fn wrap(plain: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let mut blocks = plain.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(crc32(plain).to_le_bytes());
    out.extend(u32::try_from(plain.len() & 0xffff_ffff).unwrap_or(u32::MAX).to_le_bytes());
    out
}

/// How many blanks one [`bomb_step`] unpacks to.
pub(crate) const BLANKS_PER_STEP: u64 = 8 * 258;

/// The start of a gzip stream that unpacks to blanks without end.
///
/// One block with the fixed Huffman code, one literal blank (8 bits) and one copy of 258 (13 bits): with the three
/// bits of the block's head these are exactly three bytes, so that every step after it starts on a byte.
pub(crate) fn bomb_start() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.low_first(0b011, 3);
    bits.high_first(0x30 + 0x20, 8);
    bits.copy_258();
    let mut out = HEADER.to_vec();
    out.extend(bits.bytes);
    out
}

/// Eight copies of 258 blanks in thirteen bytes; may follow [`bomb_start`] any number of times.
pub(crate) fn bomb_step() -> Vec<u8> {
    let mut bits = Bits::default();
    for _ in 0..8 {
        bits.copy_258();
    }
    bits.bytes
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u8,
    count: u8,
}

impl Bits {
    fn bit(&mut self, bit: u8) {
        self.held |= (bit & 1) << self.count;
        self.count += 1;
        if self.count == 8 {
            self.bytes.push(self.held);
            self.held = 0;
            self.count = 0;
        }
    }

    fn low_first(&mut self, value: u16, width: u8) {
        for position in 0..width {
            self.bit(u8::from(value >> position & 1 == 1));
        }
    }

    fn high_first(&mut self, value: u16, width: u8) {
        for position in (0..width).rev() {
            self.bit(u8::from(value >> position & 1 == 1));
        }
    }

    /// Length code 285 (258 bytes, no extra bits), then distance code 0 (one byte back).
    fn copy_258(&mut self) {
        self.high_first(0b1100_0101, 8);
        self.high_first(0, 5);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
