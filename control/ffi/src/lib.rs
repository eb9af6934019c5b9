//! The agent inside another program: its C ABI.
//!
//! Two interfaces over `datadog_agent_native::blocking::Agent`, declared in
//! `include/datadog_agent_native.h`, which is made from this crate (`cargo x header`):
//!
//! - `datadog_*`: structs and functions with fixed layouts. spec: config §11.2
//! - `corelane_*`: opaque objects and settings by name, which can grow. spec: config §11.3
//!
//! Beside them [`live_debugger`], which needs no agent in this process.
//!
//! ```text
//! C -> guard: catch_unwind, null checks -> registry: is this handle alive -> blocking::Agent
//! ```
//!
//! Ownership: what a function returns is freed by the library's function for it, never by `free`.
//! What is passed in stays the caller's and is copied before the function returns.
//!
//! Errors: `corelane_*` returns an error object, or NULL for success. The numbers are those of
//! `DatadogError`. A handle that was freed, or is none, is answered with an error as long as it can
//! be told: handles are looked up, not followed.
//!
//! Threads: a `corelane_agent` may be used by any number of threads, but freed by one, when no
//! other uses it. A `corelane_config` belongs to one thread at a time.
//!
//! Invariants: no panic leaves a function; no message is printed; no signal handler is installed
//! but by `datadog_agent_wait_for_shutdown`, for its duration; in a child of `fork` every call
//! returns at once.

#![allow(unsafe_code, reason = "a C ABI is made of pointers")]

pub mod agent;
pub mod config;
pub mod error;
mod guard;
pub mod legacy;
#[cfg(feature = "debugger")]
pub mod live_debugger;
pub mod log_callback;
mod registry;
mod text;
