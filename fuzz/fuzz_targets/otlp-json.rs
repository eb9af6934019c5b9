//! Live fuzzing of [`fuzz::OTLP_JSON`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::OTLP_JSON.check)(bytes));
