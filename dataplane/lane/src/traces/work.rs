//! One payload of traces: decoded, answered, processed, encoded, a slice at a time.

use otlp::traces::Place;
#[cfg(test)]
use server::TraceVersion;
use server::{Answer, Charge, Head, Media, Refusal, Reply, Request, Route, Text};
use span::Batch;
use span::decode::{DecodeError, Progress};
use span::encode::Encoded;
use stats::ClientDecoding;
use traces::PayloadHead;

use super::container::Container;
use super::held::Held;
use super::reader::{ReadError, Reader, first_service};
use super::{ClientHead, ClientStats, EncodedPayload, KEPT_BYTES_MAX, Shedding, Traces};

/// Bytes decoded or encoded between two turns of the lane: some tenths of a millisecond, at most
/// one and a half.
const SLICE_BYTES: usize = 256 << 10;
/// Attributes converted between two turns.
const SLICE_ATTRIBUTES: usize = 64 << 10;
/// Work of processing between two turns, in its own units: some half millisecond.
const SLICE_WORK: usize = 250_000;

/// A payload in work.
#[derive(Debug)]
pub(crate) struct Work {
    pub(super) head: Head,
    /// That which the batch in work names, or else the sender's.
    pub(super) container: Container,
    /// The sender's, while the batch in work has another.
    sender: Option<Container>,
    stage: Stage,
    /// Where the batch in work begins in the body.
    place: Place,
    /// None once the answer is sent, and for one that was held.
    reply: Option<Reply>,
    body_bytes: u64,
    /// Whether it was held for the tags of its container.
    is_released: bool,
    /// Given back when the payload is done.
    _charge: Charge,
}

/// What a payload goes through.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Decode,
    Convert,
    Process,
    /// Of the pieces the one with this number.
    Encode(usize),
}

/// Stats of a tracer in work.
#[derive(Debug)]
pub(crate) struct StatsWork {
    request: Request,
    container: Container,
    decoding: ClientDecoding,
}

/// Whether a payload needs another slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    More,
    /// Not before control has taken what is encoded.
    Full,
    /// The tags of its container are not known yet: it is to be held.
    Untagged,
    Done,
}

impl Traces {
    /// The answer to a request for which there is no room.
    pub(crate) fn busy(&self, head: &Head) -> Answer {
        Answer::busy(head, &self.reply_rates, self.settings.is_429_told)
    }

    /// Begins a payload, unless it is refused.
    pub(crate) fn begin(&mut self, request: Request, container: Container) -> Option<Work> {
        let Route::Traces(_) = request.head.route else {
            request.answer(Answer::not_found());
            return None;
        };
        if let Some(reason) = self.shedding {
            match reason {
                Shedding::Memory => self.counts.payloads_shed_memory += 1,
                Shedding::Cpu => self.counts.payloads_shed_cpu += 1,
            }
            let answer = self.busy(&request.head);
            request.answer(answer);
            return None;
        }
        let (body, charge) = request.body.into_parts();
        let work = Work {
            head: request.head,
            container,
            sender: None,
            stage: Stage::Decode,
            place: Place::default(),
            reply: Some(request.reply),
            body_bytes: body.len() as u64,
            is_released: false,
            _charge: charge,
        };
        self.start(&work, body);
        Some(work)
    }

    /// Begins again with a payload that was held.
    pub(crate) fn begin_released(&mut self, held: Held) -> Work {
        let Held { mut work, body, .. } = held;
        (work.is_released, work.stage) = (true, Stage::Decode);
        self.start(&work, body);
        work
    }

    fn start(&mut self, work: &Work, body: Vec<u8>) {
        let Route::Traces(version) = work.head.route else { return };
        let is_json = work.head.media != Media::Msgpack;
        self.reader.start(version, is_json, work.place, body, &mut self.batch);
        self.in_work = 1;
    }

    /// Works on a payload for one slice. `now_ns` is Unix time, `container_with` looks up the
    /// container that a body names.
    pub(crate) fn step(
        &mut self,
        work: &mut Work,
        now_ns: u64,
        container_with: impl FnOnce(&str) -> Container,
    ) -> Step {
        match work.stage {
            Stage::Decode => match self.reader.step(&mut self.batch, SLICE_BYTES) {
                Ok(Progress::More) => Step::More,
                Ok(Progress::Done) => self.decoded(work, container_with),
                Err(error) => {
                    self.malformed(work, error);
                    Step::Done
                }
            },
            Stage::Convert => {
                if !self.converter.step(&mut self.batch, SLICE_ATTRIBUTES) {
                    self.begin_processing(work, now_ns);
                    work.stage = Stage::Process;
                }
                Step::More
            }
            Stage::Process => {
                if !self.processor.step(SLICE_WORK) {
                    self.batch = self.processor.finish(&mut self.pieces);
                    work.stage = Stage::Encode(0);
                    self.begin_encoding(0);
                }
                Step::More
            }
            Stage::Encode(at) => self.encode(work, at),
        }
    }

    /// Answers a payload that could be decoded.
    fn decoded(&mut self, work: &mut Work, with: impl FnOnce(&str) -> Container) -> Step {
        if let Some(reply) = work.reply.take() {
            self.counts.payloads_decoded += 1;
            let (traces, spans) = (self.batch.chunks.len(), self.batch.spans.len());
            self.counts.count_tracer(&work.head, traces as u64, spans as u64, work.body_bytes);
            reply.send(Answer::rates(&work.head, &self.reply_rates));
        }
        let named = self.batch.strings.text(self.batch.header.container_id);
        if !named.is_empty() && named != work.container.id {
            let before = std::mem::replace(&mut work.container, with(named));
            work.sender.get_or_insert(before);
        }
        if !work.is_released && self.held.wants(&work.container, work.body_bytes) {
            work.place = self.reader.place();
            return Step::Untagged;
        }
        work.stage = Stage::Convert;
        if self.settings.is_converted {
            self.converter.begin(&mut self.batch);
        }
        Step::More
    }

    fn malformed(&mut self, work: &mut Work, error: ReadError) {
        self.counts.payloads_malformed += 1;
        if let Some(reply) = work.reply.take() {
            reply.send(refusal(error).of_service(self.batch.first_service()));
        }
        self.batch = Batch::default();
        self.in_work = 0;
    }

    /// Holds a payload whose container has no tags yet.
    pub(crate) fn keep_until_tagged(&mut self, work: Work) {
        let body = std::mem::take(&mut self.batch).into_body();
        self.held.push(Held { work, body, since: self.server.now() });
        self.in_work = 0;
    }

    fn begin_processing(&mut self, work: &Work, now_ns: u64) {
        let head = &work.head;
        let tags = work.container.joined_tags();
        self.reader.add_container_tags(&mut self.batch, &tags);
        let (is_stats_computed, is_top_level_marked) = self.reader.is_computed();
        let dropped = |count: i64| u64::try_from(count).unwrap_or(0);
        let payload_head = PayloadHead {
            language: head.text(Text::Language),
            language_version: head.text(Text::LanguageVersion),
            tracer_version: head.text(Text::TracerVersion),
            container_id: &work.container.id,
            container_tags: &tags,
            process_tags: head.text(Text::ProcessTags),
            is_top_level_by_client: head.is_top_level_computed || is_top_level_marked,
            is_stats_by_client: head.is_stats_computed || is_stats_computed,
            dropped_p0_traces: dropped(head.dropped_p0_traces),
            dropped_p0_spans: dropped(head.dropped_p0_spans),
        };
        self.processor.begin(std::mem::take(&mut self.batch), &payload_head, now_ns);
    }

    fn begin_encoding(&mut self, at: usize) {
        self.encoded.clear();
        if let Some(piece) = self.pieces.get(at) {
            self.batch.header = piece.header;
            self.encoder.begin(&self.batch, piece.chunks.clone());
        }
    }

    /// Encodes some of a piece that is kept.
    fn encode(&mut self, work: &mut Work, at: usize) -> Step {
        let Some(piece) = self.pieces.get(at) else {
            if self.reader.next(&mut self.batch) {
                if let Some(sender) = work.sender.take() {
                    work.container = sender;
                }
                work.stage = Stage::Decode;
                return Step::More;
            }
            self.finish();
            return Step::Done;
        };
        if self.is_full() {
            return Step::Full;
        }
        let batch = &self.batch;
        match self.encoder.step(batch, &mut self.encoded, SLICE_BYTES) {
            Encoded::More => {}
            Encoded::Done { strings_at } => {
                let language = batch.strings.text(batch.header.language_name);
                let described = EncodedPayload {
                    is_v1: batch.format.is_v1(),
                    parts: [&[]; 2],
                    chunks: piece.chunks.len() as u64,
                    spans: piece.spans,
                    estimated_bytes: piece.bytes,
                    language: if language.is_empty() {
                        work.head.text(Text::Language)
                    } else {
                        language
                    },
                };
                self.outbox.push(described, &mut self.encoded, strings_at);
                self.counts.payloads_encoded += 1;
                work.stage = Stage::Encode(at + 1);
                self.begin_encoding(at + 1);
            }
        }
        Step::More
    }

    /// Gives back what a hostile or unusual payload needed and all others do not.
    fn finish(&mut self) {
        self.in_work = 0;
        if self.batch.heap_bytes() > KEPT_BYTES_MAX {
            self.batch = Batch::default();
        }
        if self.reader.heap_bytes() > KEPT_BYTES_MAX {
            self.reader = Reader::new(&self.settings);
        }
    }

    /// Works on stats of a tracer for one slice; gives them back if there is more.
    pub(crate) fn step_stats(&mut self, mut work: StatsWork) -> Option<StatsWork> {
        match work.decoding.step(work.request.body.bytes(), SLICE_BYTES) {
            Ok(false) => return Some(work),
            Ok(true) => {
                self.counts.client_stats += 1;
                let head = &work.request.head;
                let head = ClientHead {
                    language: head.text(Text::Language).to_owned(),
                    tracer_version: head.text(Text::TracerVersion).to_owned(),
                    is_obfuscated: !head.text(Text::ObfuscationVersion).is_empty(),
                };
                let payload = work.decoding.payload;
                self.client_stats.push(ClientStats { payload, container: work.container, head });
                work.request.answer(Answer::empty());
            }
            Err(error) => {
                self.counts.client_stats_malformed += 1;
                let answer = Answer::malformed(&error.to_string());
                let service = work.decoding.payload.first_service().to_owned();
                work.request.answer(answer.of_service(&service));
            }
        }
        None
    }
}

/// The service that the first bytes of a body name; empty when they name none.
pub(crate) fn service_of(head: &Head, prefix: &[u8]) -> String {
    match head.route {
        Route::Traces(version) => first_service(version, head.media != Media::Msgpack, prefix),
        Route::Stats => {
            let mut decoding = ClientDecoding::default();
            while decoding.step(prefix, SLICE_BYTES) == Ok(false) {}
            decoding.payload.first_service().to_owned()
        }
        Route::Info | Route::Services(_) | Route::Proxy(_) | Route::Unknown => String::new(),
    }
}

#[cfg(test)]
impl Work {
    /// A payload of a container that was decoded once.
    pub(super) fn of_container(container: Container) -> Self {
        let route = Route::Traces(TraceVersion::V04);
        let peer = server::Peer::Unix(None);
        Self {
            head: Head::new(route, peer, &Default::default()),
            container,
            sender: None,
            stage: Stage::Decode,
            place: Place::default(),
            reply: None,
            body_bytes: 10,
            is_released: false,
            _charge: Charge::default(),
        }
    }
}

impl StatsWork {
    pub(crate) fn new(request: Request, container: Container) -> Self {
        Self { request, container, decoding: ClientDecoding::default() }
    }
}

/// spec: apm §3.1.
fn refusal(error: ReadError) -> Answer {
    match error {
        ReadError::Payload(DecodeError::UnexpectedEof) => {
            Answer::refused(400, Refusal::UnexpectedEof, "unexpected-eof")
        }
        ReadError::Payload(error) => Answer::malformed(error.as_str()),
        ReadError::Otlp(error) => Answer::malformed(&error.to_string()),
    }
}
