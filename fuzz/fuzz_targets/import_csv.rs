//! Coverage-guided: see `rosterd_testkit::fuzz_targets::import_csv`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rosterd_testkit::fuzz_targets::import_csv(bytes));
