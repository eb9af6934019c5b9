//! Live fuzzing of [`fuzz::HTTP`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::HTTP.check)(bytes));
