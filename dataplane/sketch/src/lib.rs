//! DDSketch, agent variant: the summary a distribution leaves the lane as.
//!
//! This is not the sketch of the sketches-go family that APM statistics use: keys are `i16`, the
//! relative accuracy is fixed at 1/128 and at most [`BIN_LIMIT`] bins are kept.
//! spec: dogstatsd §10.
//!
//! Flow: [`Sketch::insert`] per sample in the lane, [`Sketch::merge`] at flush, [`Sketch::bins`]
//! when a payload is encoded. An insert costs one logarithm (about 8 ns), one binary search over
//! the bins and, for a key not seen before, a move of the bins above it; 8 bytes per bin.
//!
//! Invariants: bins are sorted by key, each key appears once, no bin is empty, and the bin counts
//! add up to `count` unless a count saturated.

#![forbid(unsafe_code)]

mod key;
mod sketch;

pub use key::{INFINITY_KEY, key_of, lower_bound};
pub use sketch::{BIN_LIMIT, Bin, Sketch};
