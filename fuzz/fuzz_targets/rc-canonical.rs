//! Live fuzzing of [`fuzz::RC_CANONICAL`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::RC_CANONICAL.check)(bytes));
