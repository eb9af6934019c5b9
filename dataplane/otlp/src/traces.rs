//! Requests of spans to batches, in slices. spec: otlp §4.
//!
//! ```text
//! body -> index of one resource: its spans by their traces -> span after span -> Batch (v0.7)
//!  ^                                                                                |
//!  '------------------------- next resource, same body -----------------------------'
//! ```
//!
//! A batch is what one resource sends, in the model of v0.7: `meta` are texts, `metrics` doubles.
//! The body belongs to the batch, and texts that stay as they came are ranges of it. What a
//! resource or a scope says is put into the strings of a batch once, however many spans take it
//! over.
//!
//! Of equal keys of a span the first that is written stays, so that each key is there once.
//!
//! A span of 370 bytes that ends up with 30 to 40 attributes takes 1.3 µs and two or three
//! allocations, for names that are made anew (`cargo bench -p corelane-otlp`, shared 2-core virtual
//! machine).
//!
//! A lane leaves a request between two spans and serves others. What one span, resource or scope
//! may hold is bounded ([`WireError::TooLong`], [`WireError::TooMany`]). A resource with more spans
//! than a batch is to hold becomes several batches.

mod decision;
mod index;
mod known;
mod limits;
mod lookup;
mod mapping;
mod operation;
mod parts;
mod reason;
mod resource_name;
mod seen;
mod settings;
mod shared;
mod span_type;
mod tracestate;
mod translate;
mod word;
mod writer;

use span::decode::Progress;
use span::{Attribute, Batch, Chunk, Format, Key, Slice, Value};

use crate::Source;
use crate::wire::WireError;
use decision::decide;
use index::{Index, low_bits};
use limits::{BATCH_ATTRIBUTES, BATCH_ATTRIBUTES_MAX, ITEMS_MAX, SHARED_MAX};
pub use settings::Settings;
use shared::{Shared, SharedScope};
use translate::{Around, Given, translate};
use word::Word;
use writer::{Memo, Writer};

/// Translates one request after the other, each in slices, and keeps its memory.
#[derive(Debug)]
pub struct Translator {
    settings: Settings,
    stage: Stage,
    end: Option<Result<(), WireError>>,
    place: Place,
    /// Where the next resource is looked for, and where the request ends.
    next_at: usize,
    body_len: usize,
    index: Index,
    /// The next span of the resource, in the order of traces.
    span_at: usize,
    chunk: Option<OpenChunk>,
    resource: Shared,
    /// Scopes, as far as a span of the batch asked for them.
    scopes: Vec<Option<SharedScope>>,
    memo: Memo,
    /// Spans, and attributes taken over, that the request may still have.
    spans_left: usize,
    shared_left: usize,
}

/// Where a batch begins in its request, to translate it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    resource_at: usize,
    span_at: usize,
}

/// What a resource says of its batch beside header and tags.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'t> {
    /// Where it comes from. The header has the name of a host; without one it is empty.
    pub source: &'t Source,
    /// Tags of the container that the resource tells, joined by commas; also a tag of the batch,
    /// `_dd.tags.container`, if there are any. Those of a tagger are to follow them.
    pub container_tags: &'t str,
    /// Whether the sender computes statistics itself.
    pub is_stats_by_client: bool,
    /// Whether top-level spans are marked.
    pub is_top_level_by_client: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Looks for the next resource.
    Find,
    /// Looks for its spans.
    Index,
    /// Reads the resource.
    Begin,
    Spans,
}

/// The trace in work.
#[derive(Clone, Copy, Debug)]
struct OpenChunk {
    number: u32,
    /// Its first span in the batch.
    first: usize,
    trace_id: u128,
    priority: Option<f64>,
}

/// Bytes of a body that cost as much as an attribute that a span takes over.
const SHARED_BYTES: usize = 16;

impl Translator {
    /// A translator whose tables are hashed under a seed, which should be random outside tests.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            stage: Stage::Find,
            end: Some(Ok(())),
            place: Place::default(),
            next_at: 0,
            body_len: 0,
            index: Index::default(),
            span_at: 0,
            chunk: None,
            resource: Shared::default(),
            scopes: Vec::new(),
            memo: Memo::with_seed(seed),
            spans_left: 0,
            shared_left: 0,
        }
    }

    /// Bytes of memory that it keeps: after a huge request it is better dropped.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.index.heap_bytes()
            + self.resource.heap_bytes()
            + self.scopes.capacity() * size_of::<Option<SharedScope>>()
            + self.memo.heap_bytes()
    }

    /// Starts on a request (`ExportTraceServiceRequest`), for which the batch is emptied; its first
    /// batch is that of its first resource. Returns the batch's last body, emptied, to be filled
    /// again.
    pub fn start(&mut self, body: Vec<u8>, batch: &mut Batch) -> Vec<u8> {
        self.start_at(Place::default(), body, batch)
    }

    /// Starts on a request with a later batch, whose place [`Self::place`] told.
    pub fn start_at(&mut self, place: Place, body: Vec<u8>, batch: &mut Batch) -> Vec<u8> {
        let old = batch.reset(Format::V07, body);
        (self.spans_left, self.shared_left) = (ITEMS_MAX, SHARED_MAX);
        (self.next_at, self.body_len) = (place.resource_at, batch.strings.body().len());
        (self.place, self.span_at) = (place, place.span_at);
        (self.stage, self.end) = (Stage::Find, None);
        old
    }

    /// Translates about `bytes_max` bytes more, at least one part. Until it is done the batch is
    /// incomplete; then it is that of one resource, or empty.
    ///
    /// # Errors
    /// What is wrong with the request; the batch is then of no use, and there is no other.
    pub fn step(&mut self, batch: &mut Batch, bytes_max: usize) -> Result<Progress, WireError> {
        if let Some(end) = self.end {
            return end.map(|()| Progress::Done);
        }
        let mut left = bytes_max.max(1);
        let result = self.slice(batch, &mut left);
        self.end = match result {
            Ok(false) => None,
            Ok(true) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        result.map(|is_done| if is_done { Progress::Done } else { Progress::More })
    }

    /// Whether the request has another batch after the one that is done.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.end == Some(Ok(()))
            && (self.span_at < self.index.count() || self.next_at < self.body_len)
    }

    /// Begins the next batch of the request, if there is one; the batch must still have its body.
    /// It may turn out to be empty.
    pub fn next(&mut self, batch: &mut Batch) -> bool {
        if !self.has_next() {
            return false;
        }
        batch.restart(Format::V07);
        self.end = None;
        if self.span_at < self.index.count() {
            self.place.span_at = self.span_at;
            self.stage = Stage::Begin;
        } else {
            (self.place.span_at, self.span_at) = (0, 0);
            self.stage = Stage::Find;
        }
        true
    }

    /// Where the batch in work begins.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What the resource says of the batch that is done.
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload {
            source: &self.resource.source,
            container_tags: &self.resource.container_tags,
            is_stats_by_client: self.resource.is_stats_computed,
            is_top_level_by_client: self.settings.is_top_level_by_kind,
        }
    }

    /// Works until `left` is used up; whether the batch is done.
    fn slice(&mut self, batch: &mut Batch, left: &mut usize) -> Result<bool, WireError> {
        while *left > 0 {
            match self.stage {
                Stage::Find => {
                    if !self.find(batch.strings.body(), left)? {
                        return Ok(true);
                    }
                }
                Stage::Index => {
                    if self.index.step(batch.strings.body(), left, self.spans_left)? {
                        self.spans_left -= self.index.count();
                        self.stage = Stage::Begin;
                    }
                }
                Stage::Begin => self.begin(batch, left)?,
                Stage::Spans => return self.spans(batch, left),
            }
        }
        Ok(false)
    }

    /// Looks at the next field of the request; false at its end.
    fn find(&mut self, body: &[u8], left: &mut usize) -> Result<bool, WireError> {
        let at = self.next_at;
        let found = index::field(body, at, body.len())?;
        let Some(index::Found { number, content, next }) = found else {
            // No resource, no spans.
            self.index.begin(index::Range::default());
            self.resource = Shared::default();
            self.span_at = 0;
            return Ok(false);
        };
        self.next_at = next;
        if number == 1 {
            self.place.resource_at = at;
            self.index.begin(content?);
            self.stage = Stage::Index;
        } else {
            *left = left.saturating_sub(next - at);
        }
        Ok(true)
    }

    /// Begins a batch with what its resource says.
    fn begin(&mut self, batch: &mut Batch, left: &mut usize) -> Result<(), WireError> {
        let Batch { strings, attributes, header, tags, .. } = batch;
        let (body, table) = strings.split();
        self.memo.clear();
        let mut writer = Writer::new(table, attributes, &mut self.memo);
        let message = self.index.resource;
        let (said, tag) = self.resource.read(message.of(body), &mut writer)?;
        *header = said;
        if let Some(tag) = tag {
            *tags = attributes.list();
            attributes.push(tags, tag);
            attributes.reserve(tags, 1);
        }
        self.scopes.clear();
        self.scopes.resize(self.index.scopes.len(), None);
        self.chunk = None;
        self.stage = Stage::Spans;
        *left = left.saturating_sub(message.len());
        Ok(())
    }

    /// Translates spans; whether the batch is done.
    fn spans(&mut self, batch: &mut Batch, left: &mut usize) -> Result<bool, WireError> {
        let Batch { strings, attributes, spans, chunks, .. } = batch;
        let (body, table) = strings.split();
        let mut writer = Writer::new(table, attributes, &mut self.memo);
        let mut given = Given::default();
        loop {
            let next = self.index.span(self.span_at);
            let is_full = writer.arena.count() >= BATCH_ATTRIBUTES_MAX;
            if let Some(open) = self.chunk
                && (is_full || next.is_none_or(|next| next.chunk != open.number))
            {
                chunks.push(close(open, spans, &self.settings, &mut writer));
                self.chunk = None;
                if is_full || writer.arena.count() >= BATCH_ATTRIBUTES {
                    return Ok(true);
                }
            }
            let Some(next) = next else { return Ok(true) };
            if *left == 0 {
                return Ok(false);
            }
            let Some(scope) = self.scopes.get_mut(next.scope as usize) else { return Ok(true) };
            if scope.is_none() {
                let message = self.index.scopes.get(next.scope as usize).copied();
                let message = message.unwrap_or_default();
                let is_label = self.settings.is_old_naming();
                *left = left.saturating_sub(message.len());
                *scope = Some(self.resource.read_scope(message.of(body), is_label, &mut writer)?);
            }
            let Some(scope) = scope else { return Ok(true) };
            let shared = self.resource.entries.len() + self.resource.entries_of(scope).len();
            self.shared_left = self.shared_left.checked_sub(shared).ok_or(WireError::TooMany)?;
            let around = Around { settings: &self.settings, resource: &self.resource, scope };
            let translated = translate(next.message.of(body), &mut given, around, &mut writer)?;
            let open = self.chunk.get_or_insert(OpenChunk {
                number: next.chunk,
                first: spans.len(),
                trace_id: translated.trace_id,
                priority: None,
            });
            open.priority = translated.priority.or(open.priority);
            spans.push(translated.span);
            self.span_at += 1;
            *left = left.saturating_sub(next.message.len() + shared * SHARED_BYTES);
        }
    }
}

/// Ends a trace: what is decided about it is noted at its first span and with the trace.
fn close(
    open: OpenChunk,
    spans: &mut [span::Span],
    settings: &Settings,
    writer: &mut Writer<'_, '_>,
) -> Chunk {
    let decision = decide(settings, low_bits(open.trace_id), open.priority);
    if let Some(maker) = decision.maker
        && let Some(span) = spans.get_mut(open.first)
        && let Some(name) = writer.word(Word::DecisionMaker)
    {
        let value = Value::Text(writer.table.find(maker));
        let held = writer.arena.get_mut(span.attributes).iter_mut();
        let is_maker =
            |held: &&mut Attribute| held.name == Key::DdDecisionMaker && held.text().is_some();
        match held.rev().find(is_maker) {
            Some(held) => held.set(value),
            None => {
                let attribute = Attribute::new(name.text, Key::DdDecisionMaker, value);
                writer.arena.push(&mut span.attributes, attribute);
                span.keys.insert(Key::DdDecisionMaker);
            }
        }
    }
    let mut attributes = writer.arena.list();
    if let Some(name) = writer.word(Word::OtlpRate) {
        let rate = writer.table.find(&format!("{:.2}", settings.rate()));
        let tag = Attribute::new(name.text, name.key, Value::Text(rate));
        writer.arena.push(&mut attributes, tag);
        writer.arena.reserve(&mut attributes, 1);
    }
    // There are at most some million spans.
    let index = |n| u32::try_from(n).unwrap_or(u32::MAX);
    let start = index(open.first);
    Chunk {
        priority: decision.priority,
        attributes,
        spans: Slice { start, len: index(spans.len()) - start },
        trace_id: low_bits(open.trace_id),
        trace_id_high: low_bits(open.trace_id >> 64),
        ..Chunk::default()
    }
}

#[cfg(test)]
mod tests;
