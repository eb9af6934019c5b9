//! The agent inside programs of other languages: built by their compilers, run against the local
//! intake. Rust has its tests beside its crate, `control/native`.

#![forbid(unsafe_code)]

mod c;
mod debugger;
mod library;
mod musl;
