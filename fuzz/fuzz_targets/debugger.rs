//! Live fuzzing of [`fuzz::DEBUGGER`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::DEBUGGER.check)(bytes));
