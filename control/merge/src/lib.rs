//! The shards of all lanes become exactly one point per context and bucket. spec: dogstatsd §8, §9.
//!
//! ```text
//! FlushedLane* --gather--> cell references --sort by key, bucket--> fold --> zero-fill --> sink
//! ```
//!
//! Nothing is copied out of the shards but 32 bytes of reference per cell, for 262,144 cells at a
//! time and thread (8 MiB): larger flushes are walked in up to eight ranges of keys per thread, so
//! that the references only grow beyond 2 million cells. Remembering a counter takes 32 bytes and
//! keeps its context alive. Series are handed out with borrowed points. A cell costs about 140 ns
//! of CPU time, a quarter of it in the sort (`benches/merge.rs`, 100,000 contexts). The walk is in
//! order of key, which is not the order of the shards, so shards stay whole until the merge is
//! over; the caller drops them.
//!
//! Folding over lanes: counts add, the gauge with the latest receive time wins, sets unite,
//! histogram samples join, sketches merge. A context with two types in one bucket keeps the type
//! with most samples. Counters that were silent are filled with zeros, see [`Merger::merge`].
//!
//! It deliberately does not touch events and service checks, does not make the agent's own series,
//! and does not filter tags: contexts that a tag filter makes equal are equal from their naming on.
//!
//! Invariants: every sample handed in is in one number of [`MergeStats`]; every point is finite;
//! the result does not depend on how samples were spread over lanes, nor on the number of threads.

#![forbid(unsafe_code)]

mod fold;
mod gather;
mod histogram;
mod merger;
mod points;
mod settings;
mod stats;
mod timed;
mod walk;
mod zero_fill;

pub use histogram::{Aggregate, HistogramSettings};
pub use merger::{Merger, Workers};
pub use settings::{MergeSettings, NameFilter};
pub use stats::{MergeStats, SamplesOut};
