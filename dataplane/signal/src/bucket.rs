//! One time bucket of one lane: a cell for each context that was seen in it.

use std::collections::HashSet;
use std::sync::Arc;

use sketch::Sketch;

use crate::{Context, ContextId};

/// Cells that are allocated together.
pub const CELLS_PER_CHUNK: usize = 1024;

/// Samples of one context in one bucket.
#[derive(Debug, Default)]
pub struct Cell {
    /// The context; `None` exactly while the value is [`CellValue::Empty`].
    pub context: Option<Arc<Context>>,
    /// Samples recorded in this cell (values, not lines); saturates.
    pub samples: u32,
    /// Aggregated value. The first type that arrives in a bucket decides. spec: dogstatsd §8.1.
    pub value: CellValue,
}

/// The aggregated state of a cell. spec: dogstatsd §8.3.
#[derive(Debug, Default)]
pub enum CellValue {
    /// Nothing was recorded.
    #[default]
    Empty,
    /// The latest value.
    Gauge {
        /// Receive time in microseconds since the start of the bucket, to find the latest value
        /// over several lanes.
        stamp_us: u32,
        /// The value.
        value: f64,
    },
    /// Sum of `value / rate`.
    Counter {
        /// The sum.
        sum: f64,
    },
    /// Distinct members.
    Set(Box<HashSet<Box<[u8]>>>),
    /// Weighted samples, unsorted.
    Histogram(Box<Histogram>),
    /// Distribution.
    Distribution(Box<Sketch>),
}

/// Samples of a histogram or timing.
#[derive(Debug, Default)]
pub struct Histogram {
    /// All samples in order of arrival.
    pub samples: Vec<WeightedSample>,
    /// Whether the first sample was a timing (`ms`): its series carry the unit `millisecond`.
    pub is_timing: bool,
}

/// One histogram sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedSample {
    /// The value.
    pub value: f64,
    /// Inverse of the sample rate.
    pub weight: f64,
}

/// A run of cells with neighbouring context ids.
pub type Chunk = [Cell; CELLS_PER_CHUNK];

/// All cells of one lane in one time bucket, indexed by context id.
///
/// Chunks are allocated at first touch, so that a bucket costs what was seen in it and handing it
/// over moves one pointer.
#[derive(Debug, Default)]
pub struct Bucket {
    start_secs: u64,
    chunks: Vec<Option<Box<Chunk>>>,
}

impl Bucket {
    /// An empty bucket that starts at `start_secs` (Unix seconds).
    #[must_use]
    pub const fn new(start_secs: u64) -> Self {
        Self { start_secs, chunks: Vec::new() }
    }

    /// Unix time in seconds at which the bucket starts: the timestamp of its points.
    #[must_use]
    pub const fn start_secs(&self) -> u64 {
        self.start_secs
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The cell of `id`, made when it is not there.
    #[inline]
    pub fn cell_mut(&mut self, id: ContextId) -> &mut Cell {
        let chunk = id.0 as usize / CELLS_PER_CHUNK;
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || None);
        }
        let cells = self.chunks[chunk].get_or_insert_with(new_chunk);
        &mut cells[id.0 as usize % CELLS_PER_CHUNK]
    }

    /// The cell of `id`, if its chunk exists.
    #[inline]
    #[must_use]
    pub fn cell(&self, id: ContextId) -> Option<&Cell> {
        let cells = self.chunks.get(id.0 as usize / CELLS_PER_CHUNK)?.as_deref()?;
        Some(&cells[id.0 as usize % CELLS_PER_CHUNK])
    }

    /// Every cell that holds something, in order of context id.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.chunks
            .iter()
            .flatten()
            .flat_map(|chunk| chunk.iter())
            .filter(|cell| !matches!(cell.value, CellValue::Empty))
    }

    /// The chunks, for a consumer that works in slices.
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter().flatten().map(|chunk| &**chunk)
    }
}

#[cold]
fn new_chunk() -> Box<Chunk> {
    let cells: Box<[Cell]> = (0..CELLS_PER_CHUNK).map(|_| Cell::default()).collect();
    match cells.try_into() {
        Ok(chunk) => chunk,
        Err(_) => unreachable!("collected exactly CELLS_PER_CHUNK cells"),
    }
}

const _: () = assert!(size_of::<Cell>() == 32, "two cells a cache line");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_allocates_only_the_chunks_it_touches() {
        let mut bucket = Bucket::new(1000);
        assert!(bucket.is_empty());
        bucket.cell_mut(ContextId(5000)).value = CellValue::Counter { sum: 1.0 };
        assert_eq!(bucket.chunks().count(), 1);
        assert_eq!(bucket.cells().count(), 1);
        assert!(bucket.cell(ContextId(1)).is_none());
        assert!(matches!(
            bucket.cell(ContextId(5000)).map(|cell| &cell.value),
            Some(CellValue::Counter { .. })
        ));
    }
}
