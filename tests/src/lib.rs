//! The test bed: the built binary between real senders and a local intake.
//!
//! ```text
//! raw sockets | real clients --> corelane run (own process) --> intake::Intake (this process)
//!      |                              |                              |
//!    Plan                       status::Snapshot                  Contents
//!      '------------- Expected::check, Bed::finish ------------------'
//! ```
//!
//! - [`Bed`] owns a directory and an intake; [`Settings`] become the `datadog.yaml` of an agent.
//! - [`Agent`] is one running process, reached over its API socket and its DogStatsD listeners.
//! - [`Plan`] says what a client is told to send, [`Expected`] what must arrive for it.
//! - [`tracing`] does the same for tracers, which are told what spans to make.
//! - [`Bed::finish`] ends every test the same way: identities hold, the agent stops with status 0,
//!   and the intake has nothing to object to.
//!
//! Comparisons do not depend on where bucket boundaries fall: counts are summed over all points,
//! gauges compared by their latest point, samples by their number, sum and extremes.
//!
//! Not here: a model of the agent. What must arrive follows from what was sent alone.
//!
//! Invariants: nothing waits for a fixed time, only for conditions with a limit; every port and
//! path belongs to one test; the agent sees nothing of the environment but the search path.

#![forbid(unsafe_code)]

mod agent;
mod bed;
mod binary;
mod bindings;
mod clients;
mod differences;
mod expected;
mod plan;
mod poll;
mod port;
mod products;
mod settings;
pub mod tracing;
mod upstream;
mod wire;

pub use agent::{Agent, Ended};
pub use bed::{Bed, Finished, HOST, assert_accepted};
pub use binary::{corelane, target_dir, workspace_root};
pub use bindings::{Binding, metrics_library, musl_library};
pub use clients::{Client, ClientReport};
pub use differences::assert_same;
pub use expected::Expected;
pub use plan::{Call, Features, Plan, Target};
pub use poll::{WAIT_MAX, wait_for};
pub use port::PortLease;
pub use products::Program;
pub use settings::Settings;
pub use upstream::{Upstream, UpstreamAnswer, UpstreamRequest, checksum};
pub use wire::{Sender, Transport};
