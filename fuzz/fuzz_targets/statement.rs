//! Live fuzzing of [`fuzz::STATEMENT`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::STATEMENT.check)(bytes));
