//! Redis and Valkey commands. spec: apm-obfuscation §4.

mod obfuscate;
mod quantize;
mod remove;
mod rules;
mod tokens;

pub use obfuscate::obfuscate;
pub use quantize::quantize;
pub use remove::remove_all_arguments;
