//! Live fuzzing of [`fuzz::OTLP_TRACES`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::OTLP_TRACES.check)(bytes));
