//! The agent inside other languages' processes: each language runs its own tests, of the package as
//! it is built for users, against an intake of ours. What arrived is decoded here.
//!
//! `control/ffi/LANGUAGE/tests` hold what a language promises: sockets and in-process calls, flush,
//! errors, hundreds of starts and stops, collected agents, forks. Examples run as they stand.

mod examples;
mod languages;
