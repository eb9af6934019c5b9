//! Live fuzzing of [`fuzz::OTLP_LOGS`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::OTLP_LOGS.check)(bytes));
