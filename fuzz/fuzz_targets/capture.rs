//! Live fuzzing of [`fuzz::CAPTURE`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::CAPTURE.check)(bytes));
