//! Live fuzzing of [`fuzz::TRACES_JSON`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::TRACES_JSON.check)(bytes));
