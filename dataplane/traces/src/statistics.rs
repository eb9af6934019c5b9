//! Hands the spans of a chunk to the concentrator, without copying them.
//! spec: apm §6 step 4 l, §9.2, §9.3.

mod tags;

use span::{Batch, Chunk, Key, KeySet, Span, Str};
use stats::{
    HttpStatus, PayloadKey, Recorder, SpanMarks, SpanStats, grpc_status, http_status, is_counted,
    weight,
};

use crate::access::{number_of, str_of, text_of, typed_number_of};
use crate::facts::Facts;
use crate::head::Sender;
use crate::settings::Settings;
use crate::top_level::{is_measured, is_partial, is_top_level};
use tags::{AdditionalTags, PeerTags};

/// What statistics need of the settings, and scratch memory.
#[derive(Debug)]
pub(crate) struct Statistics {
    peers: PeerTags,
    additional: AdditionalTags,
    kind: String,
}

const GRPC_KEYS: KeySet = KeySet::of(&[
    Key::RpcGrpcStatusCode,
    Key::GrpcCode,
    Key::RpcGrpcStatusDotCode,
    Key::GrpcStatusCode,
]);
const HTTP_KEYS: KeySet = KeySet::of(&[Key::HttpStatusCode, Key::HttpResponseStatusCode]);
/// Begins the origin of a chunk that a synthetic test made.
const SYNTHETICS: &[u8] = b"synthetics";

impl Statistics {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            peers: PeerTags::new(&settings.peer_tags),
            additional: AdditionalTags::new(&settings.additional_metric_tags),
            kind: String::new(),
        }
    }

    /// Counts a span of a chunk, whose facts are `of`. Returns the bytes of tags that were looked
    /// at.
    pub(crate) fn span(
        &mut self,
        batch: &Batch,
        span: &Span,
        of: &OfChunk,
        recorder: &mut Recorder<'_>,
    ) -> usize {
        let strings = &batch.strings;
        let span_kind = text_of(batch, span, Key::SpanKind, &mut self.kind).unwrap_or_default();
        let is_top_level = is_top_level(batch, span);
        let marks = SpanMarks {
            is_top_level,
            is_measured: is_measured(batch, span),
            is_partial_snapshot: is_partial(batch, span),
            span_kind,
        };
        if !is_counted(marks, of.is_kind_counted) {
            return 0;
        }
        let source = str_of(batch, span, Key::DdServiceSource).unwrap_or_default();
        let peer_tags = self.peers.of(batch, span, span_kind);
        let additional_tags = self.additional.of(batch, span);
        let bytes = peer_tags.iter().map(|(_, value)| value.len()).sum();
        recorder.add(&SpanStats {
            service: strings.text(span.service),
            name: strings.text(span.name),
            resource: strings.text(span.resource),
            span_type: strings.text(span.span_type),
            span_kind,
            svc_src: strings.text(source),
            http_status: http_status_of(batch, span),
            grpc_status: grpc_status_of(batch, span),
            is_synthetics: of.is_synthetics,
            is_trace_root: span.parent_id == 0,
            is_top_level,
            is_error: span.error != 0,
            peer_tags: &peer_tags,
            additional_tags: &additional_tags,
            start_ns: span.start_ns,
            duration_ns: span.duration_ns,
            weight: of.weight,
        });
        let (peer_tags, additional_tags) =
            (tags::recycle(peer_tags), tags::recycle(additional_tags));
        self.peers.keep(peer_tags);
        self.additional.keep(additional_tags);
        bytes
    }
}

/// What the statistics of all spans of a chunk share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfChunk {
    is_synthetics: bool,
    is_kind_counted: bool,
    weight: f64,
}

impl OfChunk {
    /// `root` is the place of the root of the chunk in the batch.
    pub(crate) fn new(batch: &Batch, chunk: &Chunk, root: usize, is_kind_counted: bool) -> Self {
        let rate = batch.spans.get(root).and_then(|root| number_of(batch, root, Key::SampleRate));
        Self {
            is_synthetics: batch.strings.bytes(chunk.origin).starts_with(SYNTHETICS),
            is_kind_counted,
            weight: weight(rate),
        }
    }
}

/// What all groups of a chunk share. `root` is the place of its root in the batch.
pub(crate) fn payload_key<'a>(
    batch: &'a Batch,
    root: usize,
    facts: &Facts,
    sender: &Sender,
    settings: &'a Settings,
) -> PayloadKey<'a> {
    let text = |text: Str| batch.strings.text(text);
    let or = |text: &'a str, otherwise: &'a str| if text.is_empty() { otherwise } else { text };
    let header = &batch.header;
    let features = settings.features;
    let root = batch.spans.get(root);
    let commit = root.and_then(|root| str_of(batch, root, Key::DdGitCommitSha));
    let commit = commit.filter(|text| !text.is_empty()).unwrap_or(facts.git_commit_sha);
    let container_id =
        if features.is_container_id_left_out { "" } else { text(header.container_id) };
    let process_tags = if features.is_process_left_out { "" } else { text(sender.process_tags) };
    PayloadKey {
        env: or(text(header.env), &settings.env),
        hostname: or(text(header.hostname), &settings.hostname),
        version: text(header.app_version),
        container_id,
        git_commit_sha: or(text(commit), text(sender.git_commit_sha)),
        image_tag: text(sender.image_tag),
        lang: text(header.language_name),
        process_tags,
        service: "",
    }
}

fn http_status_of(batch: &Batch, span: &Span) -> u32 {
    if !span.keys.has_any(HTTP_KEYS) {
        return 0;
    }
    let meta = batch.meta(span, Key::HttpStatusCode);
    http_status(HttpStatus {
        metric: typed_number_of(batch, span, Key::HttpStatusCode),
        meta: meta.map(|text| batch.strings.text(text)),
        response_metric: typed_number_of(batch, span, Key::HttpResponseStatusCode),
    })
}

fn grpc_status_of(batch: &Batch, span: &Span) -> Option<u32> {
    if !span.keys.has_any(GRPC_KEYS) {
        return None;
    }
    let meta = |key: &str| {
        let text = batch.meta(span, Key::of(key.as_bytes()));
        text.map(|text| batch.strings.text(text))
    };
    grpc_status(meta, |key| typed_number_of(batch, span, Key::of(key.as_bytes())))
}
