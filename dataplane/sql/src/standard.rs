//! The default tokenizer and its filters. spec: apm-obfuscation §2

mod filters;
mod keyword;
mod pass;
mod quoted;
mod run;
mod scanner;
mod signs;
mod token;

pub(crate) use run::{Buffers, Statement, obfuscate};
