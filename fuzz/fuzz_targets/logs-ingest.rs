//! Live fuzzing of [`fuzz::LOGS_INGEST`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::LOGS_INGEST.check)(bytes));
