//! The Live Debugger's sender for C. spec: proxies §5.5.
//!
//! Names and shapes are those that tracers call already (`ddog_*`); every function is there under
//! the prefix `corelane_` as well. What a function takes over ("consumes") it frees in any case,
//! also when it fails; what it borrows must live until it returns.
//!
//! Null pointers are errors, not crashes; no panic crosses the boundary; nothing is printed.
//! Handles are not locked: one may be used by several threads at a time except while it is being
//! changed, dropped or joined.

pub mod aliases;
pub mod config;
pub mod endpoint;
pub mod error;
mod guard;
pub mod sender;
pub mod slice;
pub mod tags;

#[cfg(test)]
mod tests;
