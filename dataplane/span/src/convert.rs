//! Spans of v0.4 and v0.5 in the model of v1.0. spec: apm §5.4, end.

use crate::{Attribute, Batch, Format, Header, Key, Span, SpanKind, Str, Strings, Value};

/// Turns decoded batches of the formats before v1.0 into ones of v1.0, in steps, as the feature
/// `convert-traces` asks for. Where spans of a chunk disagree about it, the last one counts. A
/// batch of v1.0 stays.
#[derive(Debug, Default)]
pub struct Converter {
    place: Place,
    /// The next span, or the next chunk and its next span.
    at: usize,
    span: usize,
    origin: Str,
    found: Found,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    Spans,
    Chunks,
    Payload,
    #[default]
    End,
}

/// What the payload takes over from its spans.
#[derive(Clone, Copy, Debug)]
struct Found {
    header: Header,
    tags: [(Key, Str); 2],
}

impl Default for Found {
    fn default() -> Self {
        let tags = [(Key::DdGitCommitSha, Str::EMPTY), (Key::DdApmMode, Str::EMPTY)];
        Self { header: Header::default(), tags }
    }
}

impl Converter {
    /// Begins with a batch.
    pub fn begin(&mut self, batch: &mut Batch) {
        let origin = match batch.format {
            Format::V1 => {
                self.place = Place::End;
                return;
            }
            Format::V05 => "v05",
            Format::V01 | Format::V02 | Format::V03 | Format::V04 | Format::V07 => "v04",
        };
        batch.format = Format::V1;
        let origin = batch.strings.add(origin);
        *self = Self { place: Place::Spans, origin, ..Self::default() };
    }

    /// Works on about `attributes_max` attributes, at least one span; whether there is more.
    pub fn step(&mut self, batch: &mut Batch, attributes_max: usize) -> bool {
        let mut left = attributes_max.max(1);
        while left > 0 {
            match self.place {
                Place::Spans => {
                    let Some(span) = batch.spans.get(self.at) else {
                        (self.place, self.at) = (Place::Chunks, 0);
                        continue;
                    };
                    left = left.saturating_sub(SPAN_ATTRIBUTES + span.attributes.len());
                    drop_overwritten(batch, self.at);
                    promote_from_span(batch, self.at);
                    batch.set(self.at, Key::DdConvertedV1, Value::Text(self.origin));
                    self.at += 1;
                }
                Place::Chunks => {
                    let Some(chunk) = batch.chunks.get(self.at) else {
                        (self.place, self.at) = (Place::Payload, 0);
                        continue;
                    };
                    left = left.saturating_sub(1);
                    let next = chunk.spans.range().nth(self.span);
                    let Some(span) = next.and_then(|at| batch.spans.get(at)).copied() else {
                        self.at += 1;
                        self.span = 0;
                        continue;
                    };
                    left = left.saturating_sub(span.attributes.len() / 4);
                    promote_to_chunk(batch, self.at, &span);
                    self.span += 1;
                }
                Place::Payload => {
                    let Some(span) = batch.spans.get(self.at) else {
                        promote_to_payload(batch, &self.found);
                        self.place = Place::End;
                        continue;
                    };
                    left = left.saturating_sub(1 + span.attributes.len() / 4);
                    self.found.note(batch, span);
                    self.at += 1;
                }
                Place::End => return false,
            }
        }
        true
    }
}

impl Found {
    fn note(&mut self, batch: &Batch, span: &Span) {
        let first = |held: &mut Str, text: Str| {
            if held.is_empty() {
                *held = text;
            }
        };
        let found = &mut self.header;
        first(&mut found.env, span.env);
        first(&mut found.app_version, span.version);
        found.hostname = batch.meta(span, Key::DdHostname).unwrap_or(found.hostname);
        for (key, value) in &mut self.tags {
            *value = batch.meta(span, *key).unwrap_or(*value);
        }
    }
}

/// Attributes that cost as much as a span without any: a table of the known keys is emptied.
const SPAN_ATTRIBUTES: usize = 16;

/// Of a key that is in more than one of `meta`, `metrics` and `meta_struct`, the last one stays.
/// Other keys than the known ones are left to the reader, for whom the last one counts as well.
fn drop_overwritten(batch: &mut Batch, at: usize) {
    let Some(span) = batch.spans.get_mut(at) else { return };
    let mut left = [0u32; Key::Other as usize];
    for attribute in batch.attributes.get(span.attributes) {
        if let Some(left) = left.get_mut(attribute.name as usize) {
            *left += 1;
        }
    }
    if left.iter().all(|left| *left <= 1) {
        return;
    }
    batch.attributes.retain(&mut span.attributes, |attribute| {
        let Some(left) = left.get_mut(attribute.name as usize) else { return true };
        *left -= 1;
        *left == 0
    });
}

/// Fields of the span that were entries of `meta`; these stay.
fn promote_from_span(batch: &mut Batch, at: usize) {
    let Some(mut span) = batch.spans.get(at).copied() else { return };
    let text = |key| batch.meta(&span, key).unwrap_or_default();
    let kind = kind(batch.strings.bytes(text(Key::SpanKind)));
    (span.env, span.version, span.component) =
        (text(Key::Env), text(Key::Version), text(Key::Component));
    span.kind = kind;
    if let Some(held) = batch.spans.get_mut(at) {
        *held = span;
    }
}

fn promote_to_chunk(batch: &mut Batch, at: usize, span: &Span) {
    let Some(mut chunk) = batch.chunks.get(at).copied() else { return };
    chunk.trace_id = span.trace_id;
    if let Some(high) = batch.meta(span, Key::DdTraceIdHigh) {
        chunk.trace_id_high = hexadecimal(&batch.strings, high);
    }
    if let Some(priority) = batch.metric(span, Key::SamplingPriority) {
        chunk.priority = whole(priority);
    }
    if let Some(maker) = batch.meta(span, Key::DdDecisionMaker) {
        let maker = batch.strings.text(maker);
        let mechanism = maker.strip_prefix('-').unwrap_or(maker).parse();
        chunk.sampling_mechanism = mechanism.unwrap_or(chunk.sampling_mechanism);
    }
    if let Some(origin) = batch.meta(span, Key::DdOrigin) {
        chunk.origin = origin;
    }
    if let Some(held) = batch.chunks.get_mut(at) {
        *held = chunk;
    }
}

fn promote_to_payload(batch: &mut Batch, &Found { header: found, tags }: &Found) {
    let header = &mut batch.header;
    if header.env.is_empty() {
        header.env = found.env;
    }
    if header.app_version.is_empty() {
        header.app_version = found.app_version;
    }
    if !found.hostname.is_empty() {
        header.hostname = found.hostname;
    }
    for (key, value) in tags {
        if !value.is_empty() {
            let name = batch.strings.name(key);
            let attribute = Attribute::new(name, key, Value::Text(value));
            batch.attributes.push(&mut batch.tags, attribute);
        }
    }
}

fn kind(name: &[u8]) -> SpanKind {
    let mut kinds = (1..=5).map(SpanKind::from_number);
    kinds.find(|kind| kind.as_str().as_bytes() == name).unwrap_or(SpanKind::Internal)
}

fn hexadecimal(strings: &Strings, text: Str) -> u64 {
    u64::from_str_radix(strings.text(text), 16).unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "a priority beyond the range stays beyond it")]
const fn whole(number: f64) -> i32 {
    number as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;

    fn converted(format: Format, body: &[u8]) -> Batch {
        let mut batch = Batch::default();
        decode(format, true, body.to_vec(), &mut batch).unwrap();
        let mut converter = Converter::default();
        converter.begin(&mut batch);
        // Each step does the least that it can.
        let mut steps = 0;
        while converter.step(&mut batch, 1) {
            steps += 1;
        }
        assert!(steps >= batch.spans.len());
        batch
    }

    #[test]
    fn promoted_keys_become_fields_and_stay() {
        let body = br#"[[
            {"trace_id": 7, "meta": {
                "_dd.p.tid": "6650000000000001", "_dd.p.dm": "-3", "_dd.origin": "synthetics",
                "env": "prod", "version": "1.2", "component": "flask", "span.kind": "server",
                "_dd.hostname": "h1", "_dd.git.commit.sha": "abc", "_dd.apm_mode": "edge"
            }, "metrics": {"_sampling_priority_v1": 2}},
            {"trace_id": 7, "meta": {"env": "other", "_dd.p.dm": "x"}}
        ], []]"#;
        let batch = converted(Format::V04, body);
        let (chunk, span) = (batch.chunks[0], batch.spans[0]);
        let text = |of| batch.strings.text(of);
        assert_eq!((chunk.trace_id_high, chunk.trace_id), (0x6650_0000_0000_0001, 7));
        assert_eq!((chunk.priority, chunk.sampling_mechanism), (2, 3));
        assert_eq!(text(chunk.origin), "synthetics");
        assert_eq!((text(span.env), text(span.version)), ("prod", "1.2"));
        assert_eq!((text(span.component), span.kind), ("flask", SpanKind::Server));
        assert_eq!(batch.spans[1].kind, SpanKind::Internal);
        assert_eq!(batch.meta(&span, Key::Env).map(text), Some("prod"));
        assert_eq!(batch.meta(&span, Key::DdConvertedV1).map(text), Some("v04"));
        let header = batch.header;
        assert_eq!(
            (text(header.env), text(header.app_version), text(header.hostname)),
            ("prod", "1.2", "h1")
        );
        let tags: Vec<_> = batch.attributes.get(batch.tags).iter().map(|tag| tag.name).collect();
        assert_eq!(tags, [Key::DdGitCommitSha, Key::DdApmMode]);
        assert_eq!(batch.chunks[1].priority, crate::PRIORITY_NONE);
    }

    #[test]
    fn the_maps_become_one_key_space() {
        let body = br#"[[{
            "meta": {"http.status_code": "200", "env": "prod"},
            "metrics": {"http.status_code": 404}
        }]]"#;
        let batch = converted(Format::V04, body);
        let span = batch.spans[0];
        assert_eq!(batch.meta(&span, Key::HttpStatusCode), None);
        assert_eq!(batch.metric(&span, Key::HttpStatusCode), Some(404.0));
        assert_eq!(span.attributes.len(), 3);
    }

    #[test]
    fn a_dictionary_body_says_where_it_came_from() {
        let body = b"\x92\x91\xa0\x91\x91\x9c\x00\x00\x00\x01\x02\x00\x00\x00\x00\x80\x80\x00";
        let batch = converted(Format::V05, body);
        let origin = batch.meta(&batch.spans[0], Key::DdConvertedV1);
        assert_eq!(origin.map(|text| batch.strings.text(text)), Some("v05"));
        assert!(batch.format.is_v1());
    }
}
