//! Live fuzzing of [`fuzz::TRACES_V04`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::TRACES_V04.check)(bytes));
