//! What the headers of a request say, and what follows from them for its payload.
//! spec: apm §4, §6 steps 1 to 3.

use span::{Attribute, Batch, Format, Key, Str, Value};

/// What the request's headers and its container tell about a payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct PayloadHead<'a> {
    /// `Datadog-Meta-Lang`.
    pub language: &'a str,
    /// `Datadog-Meta-Lang-Version`.
    pub language_version: &'a str,
    /// `Datadog-Meta-Tracer-Version`.
    pub tracer_version: &'a str,
    /// Container id, resolved as of §4.2; one in the body wins.
    pub container_id: &'a str,
    /// Tags of the container, joined by commas; empty if there are none.
    pub container_tags: &'a str,
    /// `X-Datadog-Process-Tags`.
    pub process_tags: &'a str,
    /// Whether the client marked top-level spans itself.
    pub is_top_level_by_client: bool,
    /// Whether the client computes statistics itself.
    pub is_stats_by_client: bool,
    /// `Datadog-Client-Dropped-P0-Traces`.
    pub dropped_p0_traces: u64,
    /// `Datadog-Client-Dropped-P0-Spans`.
    pub dropped_p0_spans: u64,
}

/// What is known of the payload in work, beside its batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sender {
    pub(crate) language: String,
    pub(crate) is_top_level_by_client: bool,
    pub(crate) is_stats_by_client: bool,
    pub(crate) dropped_p0_traces: u64,
    /// Tags of the container, joined by commas.
    pub(crate) container_tags: Str,
    /// Tags of the process, joined by commas.
    pub(crate) process_tags: Str,
    /// From the tags of the container.
    pub(crate) git_commit_sha: Str,
    /// From the tags of the container.
    pub(crate) image_tag: Str,
}

impl Sender {
    /// Takes over what the headers say, and completes the payload by it.
    pub(crate) fn begin(&mut self, batch: &mut Batch, head: &PayloadHead<'_>) {
        self.language.clear();
        self.language.push_str(head.language);
        self.is_top_level_by_client = head.is_top_level_by_client;
        self.is_stats_by_client = head.is_stats_by_client;
        self.dropped_p0_traces = head.dropped_p0_traces;
        complete_header(batch, head);
        self.container_tags = payload_tag(batch, Key::DdTagsContainer, head.container_tags);
        let of_process = first_span_tag(batch, Key::DdTagsProcess);
        self.process_tags = match of_process {
            Some(text) if payload_text(batch, Key::DdTagsProcess).is_none() => {
                push_tag(batch, Key::DdTagsProcess, text);
                text
            }
            _ => payload_tag(batch, Key::DdTagsProcess, head.process_tags),
        };
        self.git_commit_sha = container_tag(batch, self.container_tags, "git.commit.sha:");
        self.image_tag = container_tag(batch, self.container_tags, "image_tag:");
    }
}

fn complete_header(batch: &mut Batch, head: &PayloadHead<'_>) {
    let Batch { header, strings, .. } = batch;
    if header.container_id.is_empty() {
        header.container_id = strings.add(head.container_id);
    }
    if !matches!(batch.format, Format::V07 | Format::V1) {
        header.language_name = strings.add(head.language);
        header.language_version = strings.add(head.language_version);
        header.tracer_version = strings.add(head.tracer_version);
    }
}

/// The text that a payload has under a key.
fn payload_text(batch: &Batch, key: Key) -> Option<Str> {
    let held = batch.attributes.get(batch.tags).iter().rev().find(|held| held.name == key)?;
    held.text().filter(|text| !text.is_empty())
}

/// The text that a payload has under a key, or `otherwise`, which it then gets.
fn payload_tag(batch: &mut Batch, key: Key, otherwise: &str) -> Str {
    if let Some(text) = payload_text(batch, key) {
        return text;
    }
    if otherwise.is_empty() {
        return Str::EMPTY;
    }
    let text = batch.strings.add(otherwise);
    push_tag(batch, key, text);
    text
}

fn push_tag(batch: &mut Batch, key: Key, text: Str) {
    let name = batch.strings.add(key.as_str());
    batch.attributes.push(&mut batch.tags, Attribute::new(name, key, Value::Text(text)));
}

/// The text that the first span of the payload has under a key.
fn first_span_tag(batch: &Batch, key: Key) -> Option<Str> {
    let chunk = batch.chunks.iter().find(|chunk| chunk.spans.len > 0)?;
    let span = batch.spans.get(chunk.spans.start as usize)?;
    batch.meta(span, key).filter(|text| !text.is_empty())
}

/// The value of the first of the comma-separated tags that starts with `key`.
fn container_tag(batch: &mut Batch, tags: Str, key: &str) -> Str {
    let mut tags = batch.strings.text(tags).split(',');
    let Some(value) = tags.find_map(|tag| tag.strip_prefix(key)) else { return Str::EMPTY };
    let value = value.to_owned();
    batch.strings.add(&value)
}
