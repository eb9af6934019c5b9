//! The `corelane` binary: arguments, signals, log, and what the commands print.
//!
//! ```text
//! main -> cli (arguments) -> commands::* -> agent::Agent (run, demo)
//!                                      `--> status::client, over the socket of a running agent
//! ```
//!
//! Nothing here receives, aggregates or delivers; that is `agent` and below. A command is one file.
//!
//! Invariants: what a command was asked for goes to standard output, everything else to standard
//! error; a closed pipe ends it quietly; no secret is printed.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod demo;
mod exit;
mod logging;
mod notify;
mod output;
mod pidfile;
mod settings;
mod signals;
mod stop;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
