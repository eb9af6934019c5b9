//! The passes over a batch, chunk by chunk. spec: apm §6.

use std::ops::Range;
use std::sync::Arc;

use sampling::LaneSamplers;
use span::{Batch, Header};
use stats::Concentrator;

use crate::attributes::{complete_chunk, complete_payload, note_client_rate};
use crate::counts::{Counts, Dropped};
use crate::estimate::chunk_bytes;
use crate::head::{PayloadHead, Sender};
use crate::index::SpanIndex;
use crate::marks::Marks;
use crate::normalise::{self, Context};
use crate::redact::Redactor;
use crate::replace::Rewriter;
use crate::root::root;
use crate::samplers::{self, View};
use crate::settings::Settings;
use crate::statistics::{self, Statistics};
use crate::{top_level, truncate};

/// Processes the payloads of one lane, one after the other.
#[derive(Debug)]
pub struct Processor {
    settings: Arc<Settings>,
    samplers: LaneSamplers,
    concentrator: Concentrator,
    redactor: Redactor,
    rewriter: Rewriter,
    statistics: Statistics,
    marks: Marks,
    index: SpanIndex,
    sender: Sender,
    counts: Counts,
    text: String,
    // The payload in work.
    batch: Batch,
    now_ns: u64,
    /// The next chunk; those before it are kept.
    at: usize,
    pieces: Vec<Piece>,
    piece: Piece,
}

/// Kept chunks of a payload that leave together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Which chunks of the batch.
    pub chunks: Range<usize>,
    /// The header as it was when the piece was cut; it may lack what a later chunk brought.
    pub header: Header,
    /// How many spans they have.
    pub spans: u64,
    /// How many bytes they will have, about.
    pub bytes: usize,
}

impl Processor {
    /// A processor with the samplers and the concentrator of its lane. `seed` is random.
    #[must_use]
    pub fn new(
        settings: Arc<Settings>,
        samplers: LaneSamplers,
        concentrator: Concentrator,
        seed: u64,
    ) -> Self {
        Self {
            samplers,
            concentrator,
            redactor: Redactor::new(&settings.obfuscation),
            rewriter: Rewriter::new(&settings.replace_rules),
            statistics: Statistics::new(&settings),
            marks: Marks::new(&settings),
            index: SpanIndex::new(seed),
            sender: Sender::default(),
            counts: Counts::default(),
            text: String::new(),
            batch: Batch::default(),
            now_ns: 0,
            at: 0,
            pieces: Vec::new(),
            piece: Piece::default(),
            settings,
        }
    }

    /// Lets it remember what SQL statements became, in this many bytes: the lane's share of what
    /// the process may use. Without, nothing is remembered.
    #[must_use]
    pub fn with_sql_cache(mut self, cache_bytes: usize) -> Self {
        self.redactor.keep_statements(&self.settings.obfuscation.sql, cache_bytes);
        self
    }

    /// Begins a payload. `now_ns` is Unix time. A payload that was begun before and not finished is
    /// given up with the chunks that were not worked on.
    pub fn begin(&mut self, batch: Batch, head: &PayloadHead<'_>, now_ns: u64) {
        self.batch = batch;
        self.now_ns = now_ns;
        self.at = 0;
        self.pieces.clear();
        self.piece = Piece::default();
        self.samplers.on_time(now_ns / 1_000_000);
        self.counts.payloads_received += 1;
        self.counts.payloads_empty += u64::from(self.batch.chunks.is_empty());
        self.counts.note_client(head.dropped_p0_traces, head.dropped_p0_spans);
        self.sender.begin(&mut self.batch, head);
        self.marks.begin(&mut self.batch);
        let Batch { header, strings, .. } = &mut self.batch;
        normalise::tag(&mut header.env, strings, &mut self.text);
    }

    /// Works on the next chunks, as many as have at most `spans_max` spans together, and at least
    /// on one. True while there are more.
    pub fn step(&mut self, spans_max: usize) -> bool {
        let mut worked = 0;
        while let Some(chunk) = self.batch.chunks.get(self.at) {
            let spans = chunk.spans.len;
            // An empty chunk is some work, too.
            let work = spans.max(1) as usize;
            if worked > 0 && worked + work > spans_max {
                return true;
            }
            worked += work;
            self.counts.traces_received += 1;
            self.counts.spans_received += u64::from(spans);
            if let Err(reason) = self.chunk() {
                self.counts.drop_trace(reason, u64::from(spans));
                self.batch.chunks.swap_remove(self.at);
            }
        }
        false
    }

    /// Ends the payload, after what is left of it. The kept chunks are in the batch; `pieces` says
    /// which of them leave together.
    pub fn finish(&mut self, pieces: &mut Vec<Piece>) -> Batch {
        while self.step(usize::MAX) {}
        self.cut();
        pieces.clear();
        pieces.append(&mut self.pieces);
        self.at = 0;
        std::mem::take(&mut self.batch)
    }

    /// What became of everything so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The samplers, for rates and handovers. Payloads tell them the time; a caller that hands over
    /// does so, too, since there may be none for long.
    pub const fn samplers_mut(&mut self) -> &mut LaneSamplers {
        &mut self.samplers
    }

    /// The concentrator, for flushes.
    pub const fn concentrator_mut(&mut self) -> &mut Concentrator {
        &mut self.concentrator
    }

    /// Works on the chunk at `self.at`, and steps over it when it is kept.
    fn chunk(&mut self) -> Result<(), Dropped> {
        let root = self.prepare()?;
        self.edit(root);
        let decided = self.decide(root);
        let before = self.batch.chunks.get(self.at).copied().unwrap_or_default();
        samplers::apply(&mut self.batch, self.at, root, &decided, self.samplers.events());
        let Some(&after) = self.batch.chunks.get(self.at) else { return Ok(()) };
        let reason = self.drop_reason(decided.is_error_tracking, before.priority);
        if after.spans.len == 0 {
            return Err(reason);
        }
        if decided.is_kept() {
            self.marks.install(&mut self.batch, root);
        } else {
            self.counts.traces_kept_in_part += 1;
        }
        self.counts.traces_kept += 1;
        self.counts.spans_kept += u64::from(after.spans.len);
        self.counts.drop_spans(reason, u64::from(before.spans.len - after.spans.len));
        self.piece.spans += u64::from(after.spans.len);
        self.piece.bytes += chunk_bytes(&self.batch, &after);
        self.at += 1;
        if self.piece.bytes > self.settings.payload_bytes_max {
            self.cut();
        }
        Ok(())
    }

    /// Steps a to f: what drops a chunk before anything is edited. Returns the place of the root.
    fn prepare(&mut self) -> Result<usize, Dropped> {
        let settings = &*self.settings;
        let batch = &mut self.batch;
        let chunk = batch.chunks.get(self.at).copied().unwrap_or_default();
        if let Some(reason) = normalise::refusal(batch, chunk.spans) {
            return Err(reason);
        }
        let context = Context {
            language: &self.sender.language,
            now_ns: self.now_ns,
            is_component_name: settings.features.is_component_name,
        };
        normalise::normalise(batch, chunk.spans, &context, &mut self.counts, &mut self.text);
        let spans = batch.spans.get(chunk.spans.range()).unwrap_or_default();
        let duplicates = self.index.fill(spans);
        self.counts.note(crate::Malformed::DuplicateSpanId, duplicates);
        let root = chunk.spans.start as usize + root(spans, &self.index);
        if !batch.format.is_v1() {
            complete_chunk(batch, self.at, root);
        }
        let Some(root_span) = batch.spans.get(root) else { return Err(Dropped::Empty) };
        if !settings.ignore_resources.is_empty() {
            let resource = batch.strings.text(root_span.resource);
            if settings.ignore_resources.iter().any(|pattern| pattern.matches(resource)) {
                return Err(Dropped::IgnoredResource);
            }
        }
        if settings.filter.is_dropped(batch, root_span, &mut self.text) {
            return Err(Dropped::Filtered);
        }
        Ok(root)
    }

    /// Steps g to k: everything that changes spans.
    fn edit(&mut self, root: usize) {
        let settings = &*self.settings;
        let batch = &mut self.batch;
        let chunk = batch.chunks.get(self.at).copied().unwrap_or_default();
        let resource_bytes_max = truncate::resource_bytes_max(settings.features.is_big_resource);
        self.marks.chunk(batch, self.at);
        for at in chunk.spans.range() {
            self.marks.span(batch, at);
            self.redactor.span(batch, at);
            truncate::truncate(batch, at, resource_bytes_max, &mut self.text);
            if self.sender.is_top_level_by_client {
                top_level::adopt(batch, at);
            }
        }
        self.rewriter.apply(&settings.replace_rules, batch, chunk.spans);
        note_client_rate(batch, root);
        if !self.sender.is_top_level_by_client {
            top_level::mark(batch, chunk.spans, &self.index);
        }
        complete_payload(batch, chunk.spans, root);
    }

    /// Steps l and m: statistics, then the samplers.
    fn decide(&mut self, root: usize) -> sampling::Decision {
        let batch = &self.batch;
        let chunk = batch.chunks.get(self.at).copied().unwrap_or_default();
        if !self.sender.is_stats_by_client {
            let payload =
                statistics::payload_key(batch, &chunk, root, &self.sender, &self.settings);
            let tags = batch.strings.text(self.sender.container_tags);
            let recorder = self.concentrator.chunk(&payload, tags);
            let is_kind_counted = self.settings.is_stats_by_span_kind;
            self.statistics.chunk(batch, &chunk, root, is_kind_counted, recorder);
        }
        // Chunks of the payload in work: what was cut off before counts no more.
        let chunks = batch.chunks.len() - self.piece.chunks.start;
        #[expect(clippy::cast_precision_loss, reason = "a weight")]
        let weight = self.sender.dropped_p0_traces as f64 / chunks.max(1) as f64;
        let facts = samplers::facts(batch, self.at, root, weight);
        self.samplers.decide(&facts, &View::new(batch, chunk.spans))
    }

    /// Why spans of a chunk are dropped that no sampler kept.
    fn drop_reason(&self, is_error_tracking: bool, priority: i32) -> Dropped {
        if self.settings.is_error_tracking_standalone && !is_error_tracking {
            Dropped::NoError
        } else if priority < 0 && priority != span::PRIORITY_NONE {
            Dropped::ByPriority
        } else {
            Dropped::SampledOut
        }
    }

    /// Ends the piece in work.
    fn cut(&mut self) {
        self.piece.chunks.end = self.at;
        let next = Piece { chunks: self.at..self.at, ..Piece::default() };
        let mut piece = std::mem::replace(&mut self.piece, next);
        if !piece.chunks.is_empty() {
            piece.header = self.batch.header;
            self.pieces.push(piece);
        }
    }
}
