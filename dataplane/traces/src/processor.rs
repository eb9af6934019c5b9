//! The passes over a batch, chunk by chunk. spec: apm §6.

use std::ops::Range;
use std::sync::Arc;

use sampling::{Event, LaneSamplers, Leaving};
use span::{Batch, Chunk, Header, Key, Slice, Span};
use stats::Concentrator;

use crate::attributes::{complete_chunk, complete_payload, note_client_rate};
use crate::budget::{Budget, span_units};
use crate::counts::{Counts, Dropped, Malformed};
use crate::estimate::{chunk_bytes, span_bytes};
use crate::facts::Facts;
use crate::head::{PayloadHead, Sender};
use crate::index::SpanIndex;
use crate::marks::Marks;
use crate::normalise::{self, Context};
use crate::redact::Redactor;
use crate::replace::Rewriter;
use crate::root::{RootSearch, is_orphan};
use crate::samplers::{self, View};
use crate::settings::Settings;
use crate::statistics::{self, OfChunk, Statistics};
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
    work: Work,
    /// Events of the chunk in work, if they are what leaves.
    events: Vec<Event>,
    pieces: Vec<Piece>,
    piece: Piece,
}

/// How far a chunk is.
#[derive(Debug, Default)]
struct Work {
    phase: Phase,
    /// The next span of the phase, and of that the next attribute.
    next: usize,
    attribute: usize,
    spans_received: u64,
    search: RootSearch,
    /// Priority of the first span that has one.
    first_priority: Option<f64>,
    /// Priority before the samplers.
    priority: i32,
    /// Place of the root in the batch.
    root: usize,
    facts: Facts,
    decision: Option<sampling::Decision>,
    /// Spans that leave, so far.
    kept: usize,
    /// Spans that do not, and why.
    dropped: Option<(Dropped, u64)>,
    bytes: usize,
}

/// Bytes of one chunk on the wire. The intake takes less, and a body that repeats its strings by
/// reference must not become many times itself.
const CHUNK_BYTES_MAX: usize = 40 << 20;

/// What is done with all spans of a chunk before the next begins.
#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    /// Nothing was done.
    #[default]
    Start,
    /// What drops a chunk unread.
    Check,
    Normalise,
    /// The search for the root, where it is not told by the spans one by one.
    Root,
    /// Global tags, obfuscation, truncation.
    Edit,
    Replace,
    /// Top-level marks, and what is asked of all spans.
    Facts,
    Statistics,
    /// Which spans leave.
    Leave,
    Size,
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
            work: Work::default(),
            events: Vec::new(),
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
        self.work.phase = Phase::Start;
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

    /// Works on the next chunks until the budget of work is used up: a unit is some 2 to 4 ns. True
    /// while there is more.
    pub fn step(&mut self, work_max: usize) -> bool {
        let mut budget = Budget::new(work_max.max(1));
        while let Some(chunk) = self.batch.chunks.get(self.at) {
            if budget.is_used_up() {
                return true;
            }
            // The spans that it came with; later it may have fewer.
            let is_new = matches!(self.work.phase, Phase::Start);
            let spans = if is_new { u64::from(chunk.spans.len) } else { self.work.spans_received };
            let Some(result) = self.advance(&mut budget) else { return true };
            self.work.phase = Phase::Start;
            self.counts.traces_received += 1;
            self.counts.spans_received += spans;
            match result {
                Ok(()) => self.keep(),
                Err(reason) => {
                    self.counts.drop_trace(reason, spans);
                    self.batch.chunks.swap_remove(self.at);
                }
            }
        }
        false
    }

    /// Counts the chunk in work, of which nothing will come, as received.
    pub fn give_up(&mut self) {
        if !matches!(self.work.phase, Phase::Start) {
            self.work.phase = Phase::Start;
            self.counts.traces_received += 1;
            self.counts.spans_received += self.work.spans_received;
        }
    }

    /// Ends the payload, after what is left of it. The kept chunks are in the batch; `pieces` says
    /// which of them leave together.
    pub fn finish(&mut self, pieces: &mut Vec<Piece>) -> Batch {
        while self.step(usize::MAX) {}
        self.counts.note(Malformed::ValueCut, self.batch.strings.cut_count());
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

    /// Goes on with the chunk at `self.at`; nothing when the budget is used up before its end.
    fn advance(&mut self, budget: &mut Budget) -> Option<Result<(), Dropped>> {
        if matches!(self.work.phase, Phase::Start) {
            self.work = self.begin_chunk(budget);
        }
        let chunk = self.batch.chunks.get(self.at).copied().unwrap_or_default();
        if chunk.spans.len == 0 {
            return Some(Err(Dropped::Empty));
        }
        loop {
            match self.work.phase {
                Phase::Start | Phase::Check => {
                    let first = self.batch.spans.get(chunk.spans.start as usize).copied()?;
                    let is_v1 = self.batch.format.is_v1();
                    let check = |span: &Span| normalise::refusal(is_v1, span, &first);
                    if let Some(reason) = self.find(chunk.spans, 2, budget, check)? {
                        return Some(Err(reason));
                    }
                    self.index.begin(chunk.spans.len as usize);
                    self.go_on(Phase::Normalise);
                }
                Phase::Normalise => {
                    self.each(chunk.spans, budget, Self::normalise)?;
                    self.go_on(Phase::Root);
                }
                Phase::Root => {
                    if let Err(reason) = self.choose_root(chunk.spans, budget)? {
                        return Some(Err(reason));
                    }
                    self.go_on(Phase::Edit);
                }
                Phase::Edit => {
                    self.each(chunk.spans, budget, Self::edit)?;
                    self.rewriter.begin();
                    self.go_on(Phase::Replace);
                }
                Phase::Replace => {
                    let rules = &self.settings.replace_rules;
                    if !self.rewriter.step(rules, &mut self.batch, chunk.spans, budget) {
                        return None;
                    }
                    note_client_rate(&mut self.batch, self.work.root);
                    self.go_on(Phase::Facts);
                }
                Phase::Facts => {
                    self.each(chunk.spans, budget, Self::note_facts)?;
                    complete_payload(&mut self.batch, self.work.root, &self.work.facts);
                    self.go_on(Phase::Statistics);
                }
                Phase::Statistics => {
                    if !self.sender.is_stats_by_client && !self.count(&chunk, budget) {
                        return None;
                    }
                    self.work.decision = self.decide(budget);
                    self.go_on(Phase::Leave);
                }
                Phase::Leave => {
                    match self.work.decision.as_ref().map(|decided| decided.leaving) {
                        Some(Leaving::All) => self.work.kept = chunk.spans.len as usize,
                        Some(Leaving::Nothing) | None => {}
                        Some(Leaving::SampledSpans | Leaving::Events) => {
                            self.each(chunk.spans, budget, Self::leave)?
                        }
                    }
                    let reason = self.drop_reason();
                    if self.work.kept == 0 {
                        return Some(Err(reason));
                    }
                    self.end_leave(reason);
                    self.go_on(Phase::Size);
                }
                Phase::Size => {
                    self.each(chunk.spans, budget, Self::measure)?;
                    // A dictionary makes much of little.
                    let is_large = self.work.bytes > CHUNK_BYTES_MAX;
                    return Some(if is_large { Err(Dropped::TooLarge) } else { Ok(()) });
                }
            }
        }
    }

    fn begin_chunk(&self, budget: &mut Budget) -> Work {
        // An empty chunk is some work, too.
        budget.spend(8);
        let chunk = self.batch.chunks.get(self.at).copied().unwrap_or_default();
        Work {
            phase: Phase::Check,
            spans_received: u64::from(chunk.spans.len),
            priority: chunk.priority,
            ..Work::default()
        }
    }

    const fn go_on(&mut self, phase: Phase) {
        self.work.phase = phase;
        (self.work.next, self.work.attribute) = (0, 0);
    }

    /// Does something with each span of a chunk, by its place; nothing when the budget is used up
    /// before the last. What is done pays for itself, and says whether it is done with the span.
    fn each(
        &mut self,
        chunk: Slice,
        budget: &mut Budget,
        mut work: impl FnMut(&mut Self, usize, &mut Budget) -> bool,
    ) -> Option<()> {
        while self.work.next < chunk.len as usize {
            if budget.is_used_up() {
                return None;
            }
            if work(self, chunk.start as usize + self.work.next, budget) {
                self.work.next += 1;
            }
        }
        Some(())
    }

    /// The first that is found in a span, if any; nothing when the budget is used up before.
    fn find<T>(
        &mut self,
        chunk: Slice,
        units: usize,
        budget: &mut Budget,
        look: impl Fn(&Span) -> Option<T>,
    ) -> Option<Option<T>> {
        while self.work.next < chunk.len as usize {
            if budget.is_used_up() {
                return None;
            }
            budget.spend(units);
            let span = self.batch.spans.get(chunk.start as usize + self.work.next)?;
            if let Some(found) = look(span) {
                return Some(Some(found));
            }
            self.work.next += 1;
        }
        Some(None)
    }

    /// Step b, and what finding the root needs.
    fn normalise(&mut self, at: usize, budget: &mut Budget) -> bool {
        let context = Context {
            language: &self.sender.language,
            now_ns: self.now_ns,
            is_component_name: self.settings.features.is_component_name,
        };
        normalise::normalise(&mut self.batch, at, &context, &mut self.counts, &mut self.text);
        let Some(span) = self.batch.spans.get(at) else { return true };
        budget.spend(span_units(span));
        if self.index.add(span.span_id, self.work.next) {
            self.counts.note(Malformed::DuplicateSpanId, 1);
        }
        self.work.search.note(self.work.next, span);
        if self.work.first_priority.is_none() && !self.batch.format.is_v1() {
            self.work.first_priority = self.batch.metric(span, Key::SamplingPriority);
        }
        true
    }

    /// Steps c to f: the root, and whether it drops the chunk.
    fn choose_root(&mut self, chunk: Slice, budget: &mut Budget) -> Option<Result<(), Dropped>> {
        let root = if let Some(root) = self.work.search.found() {
            root
        } else {
            let index = std::mem::take(&mut self.index);
            let found = self.find(chunk, 4, budget, |span| is_orphan(span, &index).then_some(()));
            self.index = index;
            found?.map_or(chunk.len as usize - 1, |()| self.work.next)
        };
        let root = chunk.start as usize + root;
        self.work.root = root;
        let settings = &*self.settings;
        let batch = &mut self.batch;
        if !batch.format.is_v1() {
            complete_chunk(batch, self.at, root, self.work.first_priority);
        }
        self.work.priority = batch.chunks.get(self.at).map_or(0, |chunk| chunk.priority);
        let Some(root_span) = batch.spans.get(root) else { return Some(Err(Dropped::Empty)) };
        if !settings.ignore_resources.is_empty() {
            let resource = batch.strings.text(root_span.resource);
            if settings.ignore_resources.iter().any(|pattern| pattern.matches(resource)) {
                return Some(Err(Dropped::IgnoredResource));
            }
        }
        if settings.filter.is_dropped(batch, root_span, &mut self.text) {
            return Some(Err(Dropped::Filtered));
        }
        self.marks.chunk(&mut self.batch, self.at);
        Some(Ok(()))
    }

    /// Step g: what changes spans one by one.
    fn edit(&mut self, at: usize, budget: &mut Budget) -> bool {
        let settings = &*self.settings;
        let batch = &mut self.batch;
        if self.work.attribute == 0 {
            self.marks.span(batch, at);
            budget.spend(self.redactor.span(batch, at));
            budget.spend(batch.spans.get(at).map_or(0, span_units) * 2);
        }
        let resource_bytes_max = truncate::resource_bytes_max(settings.features.is_big_resource);
        let (from, text) = (self.work.attribute, &mut self.text);
        let next = truncate::truncate(batch, at, from, resource_bytes_max, text, budget);
        self.work.attribute = next.unwrap_or(0);
        if next.is_none() && self.sender.is_top_level_by_client {
            top_level::adopt(batch, at);
        }
        next.is_none()
    }

    /// Step j, and what step k and the samplers ask of all spans.
    fn note_facts(&mut self, at: usize, budget: &mut Budget) -> bool {
        let batch = &mut self.batch;
        if !self.sender.is_top_level_by_client {
            let start = at - self.work.next;
            top_level::mark(batch, at, start, &self.index);
        }
        let Some(span) = batch.spans.get(at) else { return true };
        budget.spend(4 + span.attributes.len() / 4);
        self.work.facts.note(batch, span);
        true
    }

    /// Step l: statistics; false when the budget is used up before the last span.
    fn count(&mut self, chunk: &Chunk, budget: &mut Budget) -> bool {
        let batch = &self.batch;
        let root = self.work.root;
        let payload =
            statistics::payload_key(batch, root, &self.work.facts, &self.sender, &self.settings);
        let tags = batch.strings.text(self.sender.container_tags);
        let mut recorder = self.concentrator.chunk(&payload, tags);
        let of = OfChunk::new(batch, chunk, root, self.settings.is_stats_by_span_kind);
        let spans = batch.spans.get(chunk.spans.range()).unwrap_or_default();
        budget.spend(64 + tags.len());
        // At least one, since the key alone may cost what a step has.
        for span in spans.iter().skip(self.work.next) {
            let bytes = self.statistics.span(batch, span, &of, &mut recorder);
            budget.spend(64 + span.attributes.len() * 2 + bytes);
            self.work.next += 1;
            if budget.is_used_up() {
                break;
            }
        }
        self.work.next >= spans.len()
    }

    /// Step m: the samplers, whose work is bounded.
    fn decide(&mut self, budget: &mut Budget) -> Option<sampling::Decision> {
        let batch = &self.batch;
        let chunk = batch.chunks.get(self.at).copied().unwrap_or_default();
        // Chunks of the payload in work: what was cut off before counts no more.
        let chunks = batch.chunks.len() - self.piece.chunks.start;
        #[expect(clippy::cast_precision_loss, reason = "a weight")]
        let weight = self.sender.dropped_p0_traces as f64 / chunks.max(1) as f64;
        let view = View::new(batch, chunk.spans, self.work.root, self.work.facts);
        budget.spend(view.units());
        let facts = samplers::facts(batch, self.at, self.work.root, &view, weight);
        let decided = self.samplers.decide(&facts, &view);
        let events = self.samplers.events();
        samplers::apply(&mut self.batch, self.at, self.work.root, &decided, events);
        self.events.clear();
        if decided.leaving == Leaving::Events {
            // Other lanes' rates may come before this chunk is done.
            self.events.extend_from_slice(events);
        }
        Some(decided)
    }

    /// Moves a span that leaves to the front of its chunk.
    fn leave(&mut self, at: usize, budget: &mut Budget) -> bool {
        let Some(decided) = &self.work.decision else { return true };
        let start = at - self.work.next;
        budget.spend(4);
        let of = (start, self.work.root);
        let is_kept = samplers::is_kept(&self.batch, at, of, decided.leaving, &self.events);
        if is_kept {
            if start + self.work.kept != at {
                self.batch.spans.swap(at, start + self.work.kept);
            }
            self.work.kept += 1;
        }
        true
    }

    /// Ends a chunk of which spans are kept. Those that are not have a reason.
    fn end_leave(&mut self, reason: Dropped) {
        let kept = u32::try_from(self.work.kept).unwrap_or(u32::MAX);
        let Some(chunk) = self.batch.chunks.get_mut(self.at) else { return };
        let dropped = u64::from(chunk.spans.len - kept);
        chunk.spans.len = kept;
        self.work.dropped = Some((reason, dropped));
        if self.is_kept_whole() {
            self.marks.install(&mut self.batch, self.work.root);
        }
        if let Some(chunk) = self.batch.chunks.get(self.at) {
            self.work.bytes = chunk_bytes(&self.batch, chunk);
        }
    }

    /// Step o, for one span.
    fn measure(&mut self, at: usize, budget: &mut Budget) -> bool {
        if self.work.next < self.work.kept
            && let Some(span) = self.batch.spans.get(at)
        {
            budget.spend(span_units(span));
            self.work.bytes += span_bytes(&self.batch, span);
        }
        true
    }

    fn is_kept_whole(&self) -> bool {
        self.work.decision.as_ref().is_some_and(sampling::Decision::is_kept)
    }

    /// Counts the chunk at `self.at` as kept, and steps over it.
    fn keep(&mut self) {
        let spans = self.work.kept as u64;
        self.counts.traces_kept_in_part += u64::from(!self.is_kept_whole());
        self.counts.traces_kept += 1;
        self.counts.spans_kept += spans;
        if let Some((reason, dropped)) = self.work.dropped {
            self.counts.drop_spans(reason, dropped);
        }
        self.piece.spans += spans;
        self.piece.bytes += self.work.bytes;
        self.at += 1;
        if self.piece.bytes > self.settings.payload_bytes_max {
            self.cut();
        }
    }

    /// Why spans of a chunk are dropped that no sampler kept.
    fn drop_reason(&self) -> Dropped {
        let decided = self.work.decision.as_ref();
        let is_error_tracking = decided.is_some_and(|decided| decided.is_error_tracking);
        // What the tracer said; the samplers may have changed it since.
        let priority = self.work.priority;
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
