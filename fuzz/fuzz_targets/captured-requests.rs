//! Live fuzzing of [`fuzz::CAPTURED_REQUESTS`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::CAPTURED_REQUESTS.check)(bytes));
