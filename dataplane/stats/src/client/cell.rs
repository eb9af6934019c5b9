//! What a group of client statistics counts.

use crate::bucket::{Counts, Exported, Summary};
use crate::sketch::Sketch;

use super::ClientGroup;

/// Counts of a group, and its sketches as they came until others join them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientCell {
    /// Spans.
    pub hits: u64,
    /// Top-level spans.
    pub top_level_hits: u64,
    /// Failed spans.
    pub errors: u64,
    /// Sum of durations in nanoseconds.
    pub duration_ns: u64,
    /// Durations of spans that did not fail.
    pub ok: EncodedSketch,
    /// Durations of failed spans.
    pub error: EncodedSketch,
    /// Sketches left out because they could not be read.
    pub unreadable_count: u64,
}

/// A sketch as its sender encoded it, or the sum of several.
#[derive(Clone, Debug, PartialEq)]
pub enum EncodedSketch {
    /// Bytes of one sender, not looked at.
    Encoded(Box<[u8]>),
    /// The sum.
    Sketch(Box<Sketch>),
}

impl Default for EncodedSketch {
    fn default() -> Self {
        Self::Encoded(Box::default())
    }
}

impl ClientCell {
    pub(super) fn new(group: &mut ClientGroup) -> Self {
        let encoded = |summary: &mut Vec<u8>| {
            EncodedSketch::Encoded(std::mem::take(summary).into_boxed_slice())
        };
        Self {
            hits: group.hits,
            top_level_hits: group.top_level_hits,
            errors: group.errors,
            duration_ns: group.duration_ns,
            ok: encoded(&mut group.ok_summary),
            error: encoded(&mut group.error_summary),
            unreadable_count: 0,
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.ok.heap_bytes() + self.error.heap_bytes()
    }
}

impl Counts for ClientCell {
    fn merge(&mut self, other: Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.top_level_hits = self.top_level_hits.saturating_add(other.top_level_hits);
        self.errors = self.errors.saturating_add(other.errors);
        self.duration_ns = self.duration_ns.saturating_add(other.duration_ns);
        let unreadable_count = self.ok.merge(other.ok) + self.error.merge(other.error);
        self.unreadable_count += other.unreadable_count + unreadable_count;
    }

    fn export(&self, _: &mut dyn FnMut(f64) -> u64) -> Exported<'_> {
        Exported {
            hits: self.hits,
            top_level_hits: self.top_level_hits,
            errors: self.errors,
            duration_ns: self.duration_ns,
            ok: self.ok.summary(),
            error: self.error.summary(),
        }
    }
}

impl EncodedSketch {
    /// Adds another one. Returns how many of both could not be read, and are left out.
    fn merge(&mut self, other: Self) -> u64 {
        if other.is_absent() {
            return 0;
        }
        if self.is_absent() {
            *self = other;
            return 0;
        }
        let (held, is_held_read) = std::mem::take(self).into_sketch();
        let (other, is_other_read) = other.into_sketch();
        let mut sum = held;
        sum.merge(&other);
        *self = Self::Sketch(sum);
        u64::from(!is_held_read) + u64::from(!is_other_read)
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Encoded(bytes) if bytes.is_empty())
    }

    /// The sketch, empty if it cannot be read, and whether it could.
    fn into_sketch(self) -> (Box<Sketch>, bool) {
        match self {
            Self::Sketch(sketch) => (sketch, true),
            Self::Encoded(bytes) => match Sketch::decode(&bytes) {
                Ok(sketch) => (Box::new(sketch), true),
                Err(_) => (Box::default(), false),
            },
        }
    }

    fn summary(&self) -> Summary<'_> {
        match self {
            Self::Encoded(bytes) => Summary::Encoded(bytes),
            Self::Sketch(sketch) => Summary::Sketch(sketch),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Encoded(bytes) => bytes.len(),
            Self::Sketch(sketch) => size_of::<Sketch>() + sketch.heap_bytes(),
        }
    }
}
