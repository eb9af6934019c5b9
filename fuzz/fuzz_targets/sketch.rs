//! Live fuzzing of [`fuzz::SKETCH`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::SKETCH.check)(bytes));
