//! Live fuzzing of [`fuzz::PACKET`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (fuzz::PACKET.check)(bytes));
