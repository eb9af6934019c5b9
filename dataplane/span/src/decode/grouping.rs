//! Spans of v0.1, which come in any order, to a chunk for each trace. spec: apm §5.1.
//!
//! A merge sort by trace id and place that stops after any number of elements: passes over up to a
//! million spans are too long for one turn of a lane.

use super::DecodeError;
use super::output::{Output, since};
use crate::{Chunk, Span};

/// Spans that are sorted in one go.
const RUN: usize = 256;

/// How far the spans have been grouped.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    place: Place,
    /// Trace id and place of each span; runs of `width` are in order.
    order: Vec<(u64, u32)>,
    /// The next pass, with twice that width.
    merged: Vec<(u64, u32)>,
    width: usize,
    /// The runs in work: where they began, and what is left of both.
    start: usize,
    left: usize,
    right: usize,
    sorted: Vec<Span>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Keys,
    Runs,
    Merges,
    Spans,
    Chunks,
    End,
}

impl Grouping {
    pub(super) const fn heap_bytes(&self) -> usize {
        (self.order.capacity() + self.merged.capacity()) * size_of::<(u64, u32)>()
            + self.sorted.capacity() * size_of::<Span>()
    }

    /// Works on about `count_max` spans in one of the passes; whether it is done.
    pub(super) fn step(
        &mut self,
        out: &mut Output<'_>,
        count_max: usize,
    ) -> Result<bool, DecodeError> {
        let count = out.spans.len();
        match self.place {
            Place::Keys => {
                let first = self.order.len();
                let spans = out.spans.iter().enumerate().skip(first).take(count_max);
                self.order.extend(spans.map(|(at, span)| (span.trace_id, index(at))));
                self.go_on(self.order.len() == count, Place::Runs);
            }
            Place::Runs => {
                let end = (self.start + count_max.next_multiple_of(RUN)).min(count);
                let runs = self.order.get_mut(self.start..end).unwrap_or_default();
                runs.chunks_mut(RUN).for_each(<[_]>::sort_unstable);
                self.start = end;
                if end == count {
                    (self.width, self.start) = (RUN, 0);
                    (self.left, self.right) = (0, RUN);
                    self.place = Place::Merges;
                }
            }
            Place::Merges => {
                if self.merge(count, count_max) {
                    self.place = Place::Spans;
                }
            }
            Place::Spans => {
                let next = self.order.iter().skip(self.sorted.len()).take(count_max);
                let spans = next.filter_map(|(_, at)| out.spans.get(*at as usize));
                self.sorted.extend(spans);
                if self.sorted.len() == count {
                    std::mem::swap(out.spans, &mut self.sorted);
                    (self.left, self.right) = (0, 0);
                    self.place = Place::Chunks;
                }
            }
            Place::Chunks => {
                self.cut_chunks(out, count_max)?;
                self.go_on(self.right == count, Place::End);
            }
            Place::End => {}
        }
        Ok(matches!(self.place, Place::End))
    }

    const fn go_on(&mut self, is_done: bool, next: Place) {
        if is_done {
            self.place = next;
        }
    }

    /// Merges pairs of runs; whether there is but one run.
    fn merge(&mut self, count: usize, mut count_max: usize) -> bool {
        while self.width < count {
            while self.start < count {
                let middle = (self.start + self.width).min(count);
                let end = (self.start + 2 * self.width).min(count);
                while self.left < middle || self.right < end {
                    if count_max == 0 {
                        return false;
                    }
                    count_max -= 1;
                    let left = self.order.get(self.left).filter(|_| self.left < middle);
                    let right = self.order.get(self.right).filter(|_| self.right < end);
                    let is_left = right.is_none() || left.is_some() && left <= right;
                    let from = if is_left { &mut self.left } else { &mut self.right };
                    let Some(least) = self.order.get(*from) else { return true };
                    self.merged.push(*least);
                    *from += 1;
                }
                self.start = end;
                (self.left, self.right) = (end, (end + self.width).min(count));
            }
            std::mem::swap(&mut self.order, &mut self.merged);
            self.merged.clear();
            self.width *= 2;
            (self.start, self.left, self.right) = (0, 0, self.width.min(count));
        }
        true
    }

    /// Makes chunks of the spans from `left` on; `right` is the next to look at.
    fn cut_chunks(&mut self, out: &mut Output<'_>, count_max: usize) -> Result<(), DecodeError> {
        let count = out.spans.len();
        let end = self.right.saturating_add(count_max).min(count);
        while self.right < end {
            let id = out.spans.get(self.left).map(|span| span.trace_id);
            if out.spans.get(self.right).map(|span| span.trace_id) != id {
                let spans = since(self.left, self.right);
                out.push_chunk(Chunk { spans, ..Chunk::default() })?;
                self.left = self.right;
            }
            self.right += 1;
        }
        if end == count && count > 0 {
            out.push_chunk(Chunk { spans: since(self.left, count), ..Chunk::default() })?;
        }
        Ok(())
    }
}

/// There are at most some million spans.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
