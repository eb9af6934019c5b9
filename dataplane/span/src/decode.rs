//! Bodies of all wire formats to batches, in slices. spec: apm §5.
//!
//! ```text
//! body -> Msgpack | Json (a cursor) -> Lists (v0.1 to v0.5) | Payload (v0.7, v1.0) -> Batch
//! ```
//!
//! A lane leaves a large body between two of its parts and serves others: [`Decoder`] keeps the
//! position and what is open. The parts are spans and, within a span, attributes, links and events;
//! what one of these may hold is bounded ([`DecodeError::TooMany`], [`DecodeError::TooLong`]), and
//! of a text beyond [`TEXT_BYTES_MAX`] the rest is passed over unread, so that no slice is much
//! longer than asked for. Nothing is allocated for what a header announces, only for what came, and
//! how much that may be is bounded for each kind of item. JSON is read by a cursor of our own: a
//! parser of whole documents would hold the lane for as long as it takes, build a second form of
//! the body that is many times its size, and refuse broken text that is to be repaired.

mod error;
mod grouping;
mod json;
mod msgpack;
mod output;
mod payload;
mod reader;
mod span;
mod v04;
mod v05;
mod v07;
mod v1;

pub use error::DecodeError;

pub use crate::strings::TEXT_BYTES_MAX;
use crate::{Attribute, Batch, Format};
use json::Json;
use msgpack::Msgpack;
use output::Output;
use payload::Payload;
use reader::Reader;
use span::{Open, span};
use v1::{Interned, Numbered};
use v04::Lists;
use v05::Dictionary;

/// How far a body has been decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to decode.
    More,
    /// The batch is complete.
    Done,
}

/// Decodes one body after the other, each in slices, and keeps its memory.
#[derive(Debug)]
pub struct Decoder {
    syntax: Syntax,
    at: usize,
    end: Option<Result<(), DecodeError>>,
    lists: Lists,
    payload: Payload,
    dictionary: Dictionary,
    interned: Interned,
    /// The span that the last slice left open.
    span: Open,
    open: Vec<Attribute>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syntax {
    FlatJson,
    Json,
    Msgpack,
    Dictionary,
    Named,
    Numbered,
}

/// Where this slice is to end.
#[derive(Clone, Copy, Debug)]
struct Budget {
    end: usize,
}

impl Budget {
    /// Whether a reader is there.
    #[inline]
    fn is_used_up<R: Reader>(self, reader: &R) -> bool {
        reader.at() >= self.end
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl Decoder {
    /// A decoder whose string tables are hashed under a seed, which should be random outside tests.
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        Self {
            syntax: Syntax::Msgpack,
            at: 0,
            end: Some(Ok(())),
            lists: Lists::default(),
            payload: Payload::default(),
            dictionary: Dictionary::default(),
            interned: Interned::with_seed(seed),
            span: Open::default(),
            open: Vec::new(),
        }
    }

    /// Bytes of memory that the decoder keeps: after a huge body it is better dropped.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        self.open.capacity() * size_of::<Attribute>()
            + self.dictionary.heap_bytes()
            + self.lists.heap_bytes()
            + self.interned.heap_bytes()
    }

    /// Starts on a body, for which the batch is emptied. Returns the batch's last body, emptied, to
    /// be filled again.
    ///
    /// `is_json` says whether the content type is not msgpack. It matters for v0.3 and v0.4 alone,
    /// and there only when the first byte leaves it open.
    pub fn start(
        &mut self,
        format: Format,
        is_json: bool,
        body: Vec<u8>,
        batch: &mut Batch,
    ) -> Vec<u8> {
        self.syntax = Syntax::of(format, is_json, &body);
        self.at = 0;
        self.end = None;
        self.lists = Lists::default();
        self.payload = Payload::default();
        self.dictionary.clear();
        self.span = Open::default();
        self.open.clear();
        if self.syntax == Syntax::Numbered {
            self.interned.clear();
        }
        batch.reset(format, body)
    }

    /// Decodes about `bytes_max` bytes more, at least one part, of the body that `batch` was
    /// started with. Until it is done the batch is incomplete.
    ///
    /// A byte costs 0.5 ns in what tracers send, at most some 5 ns in what is made to be dear.
    ///
    /// # Errors
    /// What is wrong with the body; the batch is then of no use.
    pub fn step(&mut self, batch: &mut Batch, bytes_max: usize) -> Result<Progress, DecodeError> {
        if let Some(end) = self.end {
            return end.map(|()| Progress::Done);
        }
        let progress = self.slice(batch, bytes_max.max(1));
        self.end = match progress {
            Ok(Progress::More) => None,
            Ok(Progress::Done) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        progress
    }

    fn slice(&mut self, batch: &mut Batch, bytes_max: usize) -> Result<Progress, DecodeError> {
        let budget = Budget { end: self.at.saturating_add(bytes_max) };
        let (body, table) = batch.strings.split();
        let mut out = Output {
            header: &mut batch.header,
            tags: &mut batch.tags,
            chunks: &mut batch.chunks,
            spans: &mut batch.spans,
            attributes: &mut batch.attributes,
            nested: &mut batch.nested,
            links: &mut batch.links,
            events: &mut batch.events,
            open: &mut self.open,
            nested_max: 0,
        };
        let (out, open) = (&mut out, &mut self.span);
        if matches!(self.syntax, Syntax::FlatJson | Syntax::Json) {
            let mut reader = Json::new(body, self.at, table);
            let progress = if self.syntax == Syntax::Json {
                self.lists.step(&mut reader, out, budget, |r, out| span(r, out, open, budget))
            } else {
                let span = |r: &mut Json<'_>, out: &mut Output<'_>| span(r, out, open, budget);
                self.lists.step_flat(&mut reader, out, budget, bytes_max, span)
            };
            self.at = reader.at();
            return progress;
        }
        let mut reader = Msgpack::new(body, self.at, table);
        let progress = match self.syntax {
            Syntax::Dictionary => self.dictionary.step(&mut reader, out, open, budget),
            Syntax::Named => self.payload.step(&mut v07::Named, &mut reader, out, open, budget),
            Syntax::Numbered => {
                let mut schema = Numbered(&mut self.interned);
                self.payload.step(&mut schema, &mut reader, out, open, budget)
            }
            Syntax::Msgpack | Syntax::Json | Syntax::FlatJson => {
                self.lists.step(&mut reader, out, budget, |r, out| span(r, out, open, budget))
            }
        };
        self.at = reader.at();
        progress
    }
}

impl Syntax {
    fn of(format: Format, is_json: bool, body: &[u8]) -> Self {
        match format {
            Format::V01 => Self::FlatJson,
            Format::V02 => Self::Json,
            Format::V03 | Format::V04 => match body.trim_ascii_start().first() {
                Some(0x90..=0x9f | 0xdc | 0xdd) => Self::Msgpack,
                Some(b'[' | b'n') => Self::Json,
                _ if is_json => Self::Json,
                _ => Self::Msgpack,
            },
            Format::V05 => Self::Dictionary,
            Format::V07 => Self::Named,
            Format::V1 => Self::Numbered,
        }
    }
}

/// Decodes a body at once. See [`Decoder::start`] for `is_json`.
///
/// # Errors
/// What is wrong with the body; the batch is then of no use.
pub fn decode(
    format: Format,
    is_json: bool,
    body: Vec<u8>,
    batch: &mut Batch,
) -> Result<(), DecodeError> {
    let mut decoder = Decoder::default();
    decoder.start(format, is_json, body, batch);
    while decoder.step(batch, usize::MAX)? == Progress::More {}
    Ok(())
}

#[cfg(test)]
mod tests;
