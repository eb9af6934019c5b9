//! Live fuzzing of [`fuzz::STREAM`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::STREAM.check)(bytes));
