//! Packed answers: honest ones, and a stream that unpacks to blanks without end.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};

/// A gzip header without name, time and extra fields (RFC 1952, 2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Bytes that one [`bomb_step`] unpacks to.
pub(crate) const BLANKS_PER_STEP: usize = 1 << 20;

/// `plain` as a gzip stream.
///
/// # Errors
/// None is known: the stream is written to memory.
pub(crate) fn wrap(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}

/// The start of a gzip stream.
pub(crate) fn bomb_start() -> Vec<u8> {
    HEADER.to_vec()
}

/// Blanks as deflate blocks that end on a byte, none of them the last: it may follow itself any number of times.
///
/// # Errors
/// None is known: the step is written to memory.
pub(crate) fn bomb_step() -> std::io::Result<Vec<u8>> {
    let blanks = vec![b' '; BLANKS_PER_STEP];
    // Enough for a ratio of 1 to 100; deflate reaches 1 to 1,000.
    let mut step = Vec::with_capacity(BLANKS_PER_STEP / 100);
    Compress::new(Compression::best(), false).compress_vec(&blanks, &mut step, FlushCompress::Sync)?;
    Ok(step)
}
