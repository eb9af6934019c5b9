//! Live fuzzing of [`fuzz::CONFIG`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::CONFIG.check)(bytes));
