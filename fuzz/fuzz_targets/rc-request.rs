//! Live fuzzing of [`fuzz::RC_REQUEST`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::RC_REQUEST.check)(bytes));
