//! Lines that are parsed and hashed, and wait for their run to be complete.

use context::LineKey;
use parse::{MetricKind, Values};

/// Lines whose lookups overlap. Enough to hide a miss to memory behind the others' work, few enough
/// to stay in the first-level cache.
pub(crate) const RUN_LENGTH: usize = 32;

/// One metric line on its way to its cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending<'a> {
    /// Key of the line.
    pub(crate) key: LineKey,
    /// The line, to be parsed again if its context is not known.
    pub(crate) line: &'a [u8],
    /// Its values.
    pub(crate) values: Values<'a>,
    /// First of its packed numbers in the run's buffer.
    pub(crate) packed_first: u32,
    /// Sample rate as sent.
    pub(crate) rate: f64,
    /// Unix seconds given by the client, 0 when absent.
    pub(crate) timestamp_secs: i64,
    /// Receive time in microseconds since the start of the open bucket.
    pub(crate) stamp_us: u32,
    /// Type.
    pub(crate) kind: MetricKind,
    /// Whether it is the distribution that goes with a histogram.
    pub(crate) is_copy: bool,
}

impl Pending<'_> {
    pub(crate) const VACANT: Self = Self {
        key: LineKey(0),
        line: b"",
        values: Values::Number(0.0),
        packed_first: 0,
        rate: 1.0,
        timestamp_secs: 0,
        stamp_us: 0,
        kind: MetricKind::Gauge,
        is_copy: false,
    };

    /// How many samples the line brings; 1 for a set.
    #[inline]
    pub(crate) const fn count(&self) -> u32 {
        match self.values {
            Values::Numbers { count } => count,
            Values::Number(_) | Values::Member(_) => 1,
        }
    }

    /// The numbers of the line; none for a set. `packed` is the run's buffer.
    #[inline]
    pub(crate) fn numbers<'n>(&'n self, packed: &'n [f64]) -> &'n [f64] {
        match &self.values {
            Values::Number(number) => std::slice::from_ref(number),
            Values::Numbers { count } => {
                let first = self.packed_first as usize;
                packed.get(first..first + *count as usize).unwrap_or_default()
            }
            Values::Member(_) => &[],
        }
    }
}

/// A run of lines.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    lines: [Pending<'a>; RUN_LENGTH],
    len: usize,
}

impl<'a> Run<'a> {
    pub(crate) const fn new() -> Self {
        Self { lines: [Pending::VACANT; RUN_LENGTH], len: 0 }
    }

    #[inline]
    pub(crate) const fn push(&mut self, line: Pending<'a>) {
        self.lines[self.len] = line;
        self.len += 1;
    }

    /// Whether a line and its copy may not fit any more.
    #[inline]
    pub(crate) const fn is_full(&self) -> bool {
        self.len + 1 >= RUN_LENGTH
    }

    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn lines(&self) -> &[Pending<'a>] {
        &self.lines[..self.len]
    }
}
