//! Plain data that leaves a lane at flush, and what the merge makes of it.
//!
//! ```text
//! lane --FlushedLane{buckets, events, checks, timed}--> merge --Series, SketchSeries--> encode
//! ```
//!
//! No behaviour beyond construction and iteration lives here: a lane fills a [`Bucket`], the merge
//! drains the buckets of all lanes, the encoder borrows finished [`Series`].
//!
//! Sizes: a [`Cell`] is 32 bytes, a [`Chunk`] of cells 32 KiB and exists only where a context of
//! its range was seen in the bucket; a [`Context`] is shared by everything that mentions it.

#![forbid(unsafe_code)]

mod bucket;
mod context;
mod counters;
mod event;
mod flush;
mod series;

pub use bucket::{Bucket, CELLS_PER_CHUNK, Cell, CellValue, Chunk, Histogram, WeightedSample};
pub use context::{Context, ContextId, ContextKey, Provenance, TagSet};
pub use counters::{Counter, LaneCounters};
pub use event::{AlertType, CheckStatus, Event, Priority, ServiceCheck};
pub use flush::{FlushedLane, TimedKind, TimedSample};
pub use series::{Point, Series, SeriesKind, SeriesSink, SketchPoint, SketchSeries};
