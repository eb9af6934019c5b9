//! Batches to what the intake reads, in steps. spec: apm §10.1.
//!
//! An [`Encoder`] writes a payload span by span and can be left between two of them; where the
//! length of a message is not known ahead, its likely width is left free and corrected behind it.
//! The result is the message alone: whoever puts it into an `AgentPayload` writes its key and
//! length, as field 5 before v1.0 and field 11 from then.
//!
//! Which strings a payload of v1.0 refers to is known when its chunks are written, so that its
//! table, which readers expect first, is written behind them: [`Encoded::Done`] says where it is.

mod idx;
mod size;
mod v0;
mod wire;

use std::ops::Range;

pub use size::{chunk_bytes, span_bytes};

use crate::{Batch, Chunk};
use idx::{Idx, Table};
use wire::{begin_message, end_message, varint_len};

/// Encodes one payload after the other, each in steps, and keeps its memory.
#[derive(Debug, Default)]
pub struct Encoder {
    place: Place,
    /// Chunks that are not written yet.
    chunks: Range<usize>,
    /// The next span of the chunk in work.
    span: usize,
    /// Where the length of the chunk in work is, and its width.
    open: (usize, usize),
    /// Strings of the table that are written.
    strings: usize,
    strings_at: usize,
    table: Table,
}

/// How far a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded {
    /// There is more to write.
    More,
    /// It is complete.
    Done {
        /// Where in the output its table of strings begins; at the end before v1.0.
        strings_at: usize,
    },
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    Head,
    Chunks,
    Spans,
    Strings,
    #[default]
    End,
}

/// Bytes that count for a span that has less.
const SPAN_BYTES_MIN: usize = 32;
/// A chunk that may be larger has a length of full width: it is not moved to correct it.
const MOVED_BYTES_MAX: usize = 1 << 20;
/// Width of a length that is not corrected, but filled up.
const FULL_WIDTH: usize = 5;

impl Encoder {
    /// Begins a payload: the header of a batch, its tags, and some of its chunks.
    pub fn begin(&mut self, batch: &Batch, chunks: Range<usize>) {
        self.place = Place::Head;
        self.chunks = chunks;
        self.strings = 0;
        if batch.format.is_v1() {
            self.table.begin(batch.strings.count());
        }
    }

    /// Appends about `bytes_max` bytes, at least one span.
    pub fn step(&mut self, batch: &Batch, out: &mut Vec<u8>, bytes_max: usize) -> Encoded {
        let is_v1 = batch.format.is_v1();
        let mut left = bytes_max;
        loop {
            match self.place {
                Place::Head => {
                    if is_v1 {
                        Idx { batch, out, table: &mut self.table }.head();
                    } else {
                        v0::head(batch, out);
                    }
                    self.place = Place::Chunks;
                }
                Place::Chunks => {
                    let next = self.chunks.next();
                    let Some(chunk) = next.and_then(|at| batch.chunks.get(at)) else {
                        if !is_v1 {
                            v0::tail(batch, out);
                        }
                        self.strings_at = out.len();
                        self.place = if is_v1 { Place::Strings } else { Place::End };
                        continue;
                    };
                    self.begin_chunk(batch, chunk, out);
                    self.span = 0;
                    self.place = Place::Spans;
                }
                Place::Spans => {
                    // The chunk in work is the one before the next.
                    let at = self.chunks.start.saturating_sub(1);
                    let Some(chunk) = batch.chunks.get(at) else { return self.end(out) };
                    let spans = batch.spans.get(chunk.spans.range()).unwrap_or_default();
                    while let Some(span) = spans.get(self.span) {
                        if left == 0 {
                            return Encoded::More;
                        }
                        let start = out.len();
                        if is_v1 {
                            Idx { batch, out, table: &mut self.table }.chunk_span(span);
                        } else {
                            v0::chunk_span(batch, span, out);
                        }
                        self.span += 1;
                        left = left.saturating_sub((out.len() - start).max(SPAN_BYTES_MIN));
                    }
                    self.end_chunk(batch, chunk, out);
                    self.place = Place::Chunks;
                    left = left.saturating_sub(SPAN_BYTES_MIN);
                }
                Place::Strings => {
                    if left == 0 {
                        return Encoded::More;
                    }
                    let start = out.len();
                    if !self.table.put(self.strings, batch, out) {
                        self.place = Place::End;
                    }
                    self.strings += 1;
                    left = left.saturating_sub((out.len() - start).max(8));
                }
                Place::End => return self.end(out),
            }
        }
    }

    const fn end(&self, out: &[u8]) -> Encoded {
        let len = out.len();
        Encoded::Done { strings_at: if self.strings_at < len { self.strings_at } else { len } }
    }

    fn begin_chunk(&mut self, batch: &Batch, chunk: &Chunk, out: &mut Vec<u8>) {
        let is_v1 = batch.format.is_v1();
        let (field, span_bytes) = if is_v1 { (11, idx::SPAN_BYTES) } else { (6, v0::SPAN_BYTES) };
        let guess = chunk.spans.range().len() * span_bytes;
        let width = if guess > MOVED_BYTES_MAX { FULL_WIDTH } else { varint_len(guess as u64) };
        self.open = (begin_message(out, field, width), width);
        if is_v1 {
            Idx { batch, out, table: &mut self.table }.chunk_head(chunk);
        } else {
            v0::chunk_head(batch, chunk, out);
        }
    }

    fn end_chunk(&self, batch: &Batch, chunk: &Chunk, out: &mut Vec<u8>) {
        if batch.format.is_v1() {
            idx::chunk_tail(chunk, out);
        } else {
            v0::chunk_tail(batch, chunk, out);
        }
        let (start, width) = self.open;
        end_message(out, start, width, width == FULL_WIDTH);
    }
}

/// Appends a whole payload at once: the header of a batch, its tags, and some of its chunks, with
/// the strings that these refer to and no others.
pub fn payload(batch: &Batch, chunks: Range<usize>, out: &mut Vec<u8>) {
    let mut encoder = Encoder::default();
    encoder.begin(batch, chunks);
    while encoder.step(batch, out, usize::MAX) == Encoded::More {}
}

#[cfg(test)]
mod tests;
