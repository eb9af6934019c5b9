//! Live fuzzing of [`fuzz::PROXY_HEAD`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::PROXY_HEAD.check)(bytes));
