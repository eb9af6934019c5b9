//! Live fuzzing of [`fuzz::OTLP_METRICS`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::OTLP_METRICS.check)(bytes));
