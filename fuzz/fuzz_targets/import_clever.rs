//! Coverage-guided: see `targets::import_clever`.

#![no_main]

#[path = "../targets/mod.rs"]
#[allow(dead_code, reason = "each program has one target")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::import_clever(bytes));
