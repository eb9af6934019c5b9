//! Live fuzzing of [`fuzz::RC_DOCUMENT`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::RC_DOCUMENT.check)(bytes));
