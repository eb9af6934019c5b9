//! Live fuzzing of [`fuzz::CLIENT_STATS`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::CLIENT_STATS.check)(bytes));
