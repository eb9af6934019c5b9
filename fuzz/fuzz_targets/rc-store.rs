//! Live fuzzing of [`fuzz::RC_STORE`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::RC_STORE.check)(bytes));
