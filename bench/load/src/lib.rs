//! Load generator with exact counts, and the null receiver.
//!
//! The generator builds every packet before it starts, so that sending costs the system call and
//! nothing else, and it counts what it handed to the kernel: packets, lines, samples and the sums
//! of their values by type. Loss is then computed by whoever received, never guessed.
//!
//! ```text
//! LoadSpec --prepare--> Load{pool of packets} --run--> sendmmsg | write --> Sent{exact counts}
//!                                         NullSpec --run--> recvmmsg | io_uring --> Received
//! ```
//!
//! [`traces`] does the same with payloads of tracers over HTTP, and [`null::http`] receives them.
//!
//! The null receiver reads from the same sockets with the same batch size as the agent would, and
//! throws the bytes away: it is the floor against which the agent's receive path is measured.
//!
//! Invariants: the pool is a function of the specification alone (same seed, same bytes); no packet
//! is longer than the limit; one context has one type; sums are exact in binary floating point as
//! long as the sample rate is a power of two. Not here: decoding of payloads (`intake`), starting
//! the agent (`corelane-bench`).
//!
//! All unsafe code is in `sys`.

pub mod null;
mod pool;
mod rng;
mod send;
mod share;
mod spec;
#[expect(unsafe_code, reason = "the only module that talks to the kernel directly")]
mod sys;
mod tally;
pub mod traces;

pub use pool::{Packet, Pool};
pub use send::{Load, LoadError, Progress, Sent};
pub use spec::{Kind, LoadSpec, SpecError, Transport, TypeMix};
pub use sys::{CpuTime, pin_to_cpu};
pub use tally::{KindTally, Tally};
