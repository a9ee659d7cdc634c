//! Bytes that look a little like the samples.

use fastrand::Rng;

/// No input is longer.
const LONGEST: usize = 8 * 1024;

/// What answers, tables and configurations trip over.
const PIECES: &[&[u8]] = &[
    b"null",
    b"[]",
    b"{}",
    b"\"\"",
    b"0",
    b"-1",
    b"1",
    b"9223372036854775808",
    b"1e999",
    b"0.5",
    b"true",
    b"\"1\"",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b"\"",
    b"'",
    b"\"\"\"",
    b",",
    b";",
    b"\t",
    b"<html>",
    b"status",
    b"\"ok\"",
    b"\"error\"",
    b"success",
    b"fail",
    b"data",
    b"index",
    b"sid",
    b"total",
    b"errno",
    b"error_info",
    b"customColumn",
    b"[exam]\n",
    b"code = ",
    b"[[roster]]\n",
    b"\"100%\"",
    b"\"9999999999999999h\"",
    b"student_id",
    b"active",
    b"166",
    b"102",
    b"=",
    b"#",
    b"$",
];

/// One of the samples with a few changes, sometimes with a part of another.
pub fn mutate(samples: &[Vec<u8>], chance: &mut Rng) -> Vec<u8> {
    let mut bytes = samples[chance.usize(0..samples.len())].clone();
    for _ in 0..chance.u32(1..8) {
        let at = chance.usize(0..=bytes.len());
        let end = (at + chance.usize(0..24)).min(bytes.len());
        match chance.u32(0..8) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, PIECES[chance.usize(0..PIECES.len())].iter().copied())),
            2 => drop(bytes.splice(at..end, PIECES[chance.usize(0..PIECES.len())].iter().copied())),
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << chance.u32(0..8);
                }
            }
            4 => {
                let again = bytes[at..end].to_vec();
                let times = chance.usize(1..5);
                drop(bytes.splice(at..at, again.repeat(times)));
            }
            5 => bytes.truncate(at),
            6 => {
                let other = &samples[chance.usize(0..samples.len())];
                let from = chance.usize(0..=other.len());
                let until = (from + chance.usize(0..200)).min(other.len());
                drop(bytes.splice(at..at, other[from..until].iter().copied()));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = chance.u8(..);
                }
            }
        }
    }
    bytes.truncate(LONGEST);
    bytes
}
