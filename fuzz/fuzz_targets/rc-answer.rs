//! Live fuzzing of [`fuzz::RC_ANSWER`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::RC_ANSWER.check)(bytes));
