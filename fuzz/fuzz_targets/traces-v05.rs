//! Live fuzzing of [`fuzz::TRACES_V05`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::TRACES_V05.check)(bytes));
