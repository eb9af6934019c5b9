//! DDSketch, agent variant: the summary a distribution leaves the lane as.
//!
//! This is not the sketch of the sketches-go family that APM statistics use: keys are `i16`, the
//! relative accuracy is fixed at 1/128 and at most [`BIN_LIMIT`] bins are kept.
//! spec: dogstatsd §10.
//!
//! Flow: [`Sketch::insert`] per sample in the lane, [`Sketch::merge`] at flush, [`Sketch::bins`]
//! when a payload is encoded. An insert costs one logarithm (about 8 ns), and one count in an array
//! or, while bins are few or far apart, a binary search; 4 or 8 bytes a bin, see [`Bins`].
//!
//! Samples that arrive counted, of which only the bounds of their bucket are known, are spread over
//! it by [`Sketch::insert_interpolate`]; whoever knows the exact [`Summary`] of such samples
//! overrides that of the sketch, [`Sketch::set_summary`].
//!
//! Invariants: bins are sorted by key, each key appears once, no bin is empty, and the bin counts
//! add up to `count` unless a count saturated or the summary was overridden.

#![forbid(unsafe_code)]

mod bins;
mod interpolate;
mod key;
mod sketch;

pub use bins::{BIN_LIMIT, Bin, Bins};
pub use interpolate::NotMonotonic;
pub use key::{INFINITY_KEY, key_of, lower_bound};
pub use sketch::{Sketch, Summary};
