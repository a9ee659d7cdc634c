//! Coverage-guided: see `targets::exam_writes`.

#![no_main]

#[path = "../targets/mod.rs"]
#[allow(dead_code, reason = "each program has one target")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::exam_writes(bytes));
