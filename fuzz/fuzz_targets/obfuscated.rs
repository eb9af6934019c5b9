//! Live fuzzing of [`fuzz::OBFUSCATED`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::OBFUSCATED.check)(bytes));
