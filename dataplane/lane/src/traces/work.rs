//! One payload of traces: decoded, answered, processed, encoded, a slice at a time.

use server::{Answer, Charge, Head, Media, Refusal, Reply, Request, Route, Text, TraceVersion};
use span::decode::{DecodeError, Decoder, Progress};
use span::encode::{idx_payload_of, tracer_payload_of};
use span::{Batch, Format};
use traces::PayloadHead;

use super::container::Container;
use super::{
    ClientHead, ClientStats, EncodedPayload, KEPT_BYTES_MAX, SLICE_SPANS, Shedding, Traces,
};

/// A payload in work.
#[derive(Debug)]
pub(crate) struct Work {
    head: Head,
    reply: Option<Reply>,
    container: Container,
    body_bytes: u64,
    /// Given back when the payload is done.
    _charge: Charge,
}

/// Whether a payload needs another slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    More,
    Done,
}

impl Traces {
    /// The answer to a request for which there is no room.
    pub(crate) fn busy(&self, head: &Head) -> Answer {
        Answer::busy(head, &self.reply_rates, self.settings.is_429_told)
    }

    /// Begins a payload, unless it is refused.
    pub(crate) fn begin(&mut self, request: Request, container: Container) -> Option<Work> {
        let Route::Traces(version) = request.head.route else {
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
        let is_json = request.head.media != Media::Msgpack;
        let (body, charge) = request.body.into_parts();
        let body_bytes = body.len() as u64;
        self.decoder.start(format(version), is_json, body, &mut self.batch);
        self.in_work = 1;
        Some(Work {
            head: request.head,
            reply: Some(request.reply),
            container,
            body_bytes,
            _charge: charge,
        })
    }

    /// Works on a payload for one slice. `now_ns` is Unix time, `container_with` looks up the
    /// container that a body names.
    pub(crate) fn step(
        &mut self,
        work: &mut Work,
        now_ns: u64,
        container_with: impl FnOnce(&str) -> Container,
    ) -> Step {
        let Some(reply) = work.reply.take() else {
            if self.processor.step(SLICE_SPANS) {
                return Step::More;
            }
            self.finish(work);
            self.in_work = 0;
            return Step::Done;
        };
        match self.decoder.step(&mut self.batch, SLICE_SPANS) {
            Ok(Progress::More) => work.reply = Some(reply),
            Ok(Progress::Done) => {
                self.counts.payloads_decoded += 1;
                let (traces, spans) = (self.batch.chunks.len(), self.batch.spans.len());
                self.counts.count_tracer(&work.head, traces as u64, spans as u64, work.body_bytes);
                reply.send(Answer::rates(&work.head, &self.reply_rates));
                let named = self.batch.strings.text(self.batch.header.container_id);
                if !named.is_empty() && named != work.container.id {
                    work.container = container_with(named);
                }
                self.begin_processing(work, now_ns);
            }
            Err(error) => {
                self.counts.payloads_malformed += 1;
                reply.send(refusal(error));
                self.batch = Batch::default();
                self.in_work = 0;
                return Step::Done;
            }
        }
        Step::More
    }

    /// Takes stats that a tracer computed.
    pub(crate) fn take_stats(&mut self, request: Request, container: Container) {
        let head = &request.head;
        match stats::ClientPayload::decode(request.body.bytes()) {
            Ok(payload) => {
                self.counts.client_stats += 1;
                let head = ClientHead {
                    language: head.text(Text::Language).to_owned(),
                    tracer_version: head.text(Text::TracerVersion).to_owned(),
                    is_obfuscated: !head.text(Text::ObfuscationVersion).is_empty(),
                };
                self.client_stats.push(ClientStats { payload, container, head });
                request.answer(Answer::empty());
            }
            Err(error) => {
                self.counts.client_stats_malformed += 1;
                request.answer(Answer::malformed(&error.to_string()));
            }
        }
    }

    fn begin_processing(&mut self, work: &Work, now_ns: u64) {
        let head = &work.head;
        let tags = work.container.joined_tags();
        let dropped = |count: i64| u64::try_from(count).unwrap_or(0);
        let payload_head = PayloadHead {
            language: head.text(Text::Language),
            language_version: head.text(Text::LanguageVersion),
            tracer_version: head.text(Text::TracerVersion),
            container_id: &work.container.id,
            container_tags: &tags,
            process_tags: head.text(Text::ProcessTags),
            is_top_level_by_client: head.is_top_level_computed,
            is_stats_by_client: head.is_stats_computed,
            dropped_p0_traces: dropped(head.dropped_p0_traces),
            dropped_p0_spans: dropped(head.dropped_p0_spans),
        };
        let mut batch = std::mem::take(&mut self.batch);
        if self.settings.is_converted && !batch.format.is_v1() {
            span::convert(&mut batch);
        }
        self.processor.begin(batch, &payload_head, now_ns);
    }

    /// Encodes what is kept.
    fn finish(&mut self, work: &Work) {
        let mut batch = self.processor.finish(&mut self.pieces);
        let is_v1 = batch.format.is_v1();
        for piece in &self.pieces {
            batch.header = piece.header;
            self.counts.payloads_encoded += 1;
            let language = batch.strings.text(batch.header.language_name);
            let described = EncodedPayload {
                is_v1,
                bytes: &[],
                chunks: piece.chunks.len() as u64,
                spans: piece.spans,
                estimated_bytes: piece.bytes,
                language: if language.is_empty() {
                    work.head.text(Text::Language)
                } else {
                    language
                },
            };
            let chunks = batch.chunks.get(piece.chunks.clone()).unwrap_or_default();
            self.outbox.push(described, |out| match is_v1 {
                true => idx_payload_of(&batch, chunks, out),
                false => tracer_payload_of(&batch, chunks, out),
            });
        }
        // What a hostile or unusual payload needed is not kept for all others.
        if batch.heap_bytes() <= KEPT_BYTES_MAX {
            self.batch = batch;
        }
        if self.decoder.heap_bytes() > KEPT_BYTES_MAX {
            self.decoder = Decoder::with_seed(self.settings.seed);
        }
    }
}

const fn format(version: TraceVersion) -> Format {
    match version {
        TraceVersion::V01 => Format::V01,
        TraceVersion::V02 => Format::V02,
        TraceVersion::V03 => Format::V03,
        TraceVersion::V04 => Format::V04,
        TraceVersion::V05 => Format::V05,
        TraceVersion::V07 => Format::V07,
        TraceVersion::V10 => Format::V1,
    }
}

/// spec: apm §3.1.
fn refusal(error: DecodeError) -> Answer {
    if error == DecodeError::UnexpectedEof {
        Answer::refused(400, Refusal::UnexpectedEof, "unexpected-eof")
    } else {
        Answer::malformed(error.as_str())
    }
}
