//! What a chunk and its payload take over from their spans. spec: apm §6 steps 4 d, i and k, §6.2.

use span::{Attribute, Batch, Key, PRIORITY_NONE, Slice, Span, Str, Value};

use crate::access::{number_of, remove_number, set_number, str_of};

/// Priority, origin and decision maker of a chunk in the formats before v1.0, where spans carry
/// them. `root` is the place of its root in the batch.
pub(crate) fn complete_chunk(batch: &mut Batch, chunk: usize, root: usize) {
    let Some(&held) = batch.chunks.get(chunk) else { return };
    let (mut priority, mut origin) = (held.priority, held.origin);
    if let Some(root) = batch.spans.get(root) {
        if priority == PRIORITY_NONE {
            let spans = batch.spans.get(held.spans.range()).unwrap_or_default();
            let mut all = std::iter::once(root).chain(spans);
            let found = all.find_map(|span| batch.metric(span, Key::SamplingPriority));
            #[expect(clippy::cast_possible_truncation, reason = "saturates; the fraction is lost")]
            let found = found.map(|number| number as i32);
            priority = found.unwrap_or(PRIORITY_NONE);
        }
        if origin.is_empty() {
            origin = batch.meta(root, Key::DdOrigin).unwrap_or_default();
        }
    }
    let first = batch.spans.get(held.spans.start as usize);
    let maker = first.and_then(|span| batch.meta(span, Key::DdDecisionMaker));
    let Some(held) = batch.chunks.get_mut(chunk) else { return };
    (held.priority, held.origin) = (priority, origin);
    let tags = batch.attributes.get(held.attributes);
    if let Some(maker) = maker
        && !tags.iter().any(|tag| tag.name == Key::DdDecisionMaker)
    {
        let name = batch.strings.name(Key::DdDecisionMaker);
        let tag = Attribute::new(name, Key::DdDecisionMaker, Value::Text(maker));
        batch.attributes.push(&mut held.attributes, tag);
    }
}

/// Notes the rate of the client at the root, where the backend looks for it.
pub(crate) fn note_client_rate(batch: &mut Batch, root: usize) {
    let Some(span) = batch.spans.get(root) else { return };
    let rate = number_of(batch, span, Key::SampleRate).unwrap_or(1.0);
    if rate < 1.0 {
        let name = batch.strings.name(Key::DdClientRate);
        set_number(batch, root, Key::DdClientRate, name, rate);
    } else if span.keys.has(Key::DdClientRate) {
        remove_number(batch, root, Key::DdClientRate);
    }
}

/// Host name, environment and version of a payload, where it does not say them itself.
pub(crate) fn complete_payload(batch: &mut Batch, chunk: Slice, root: usize) {
    let header = batch.header;
    let Some(span) = batch.spans.get(root) else { return };
    let hostname = if header.hostname.is_empty() {
        str_of(batch, span, Key::DdHostname).unwrap_or_default()
    } else {
        header.hostname
    };
    let env = or_first(batch, header.env, chunk, span, Key::Env);
    let app_version = or_first(batch, header.app_version, chunk, span, Key::Version);
    batch.header.hostname = hostname;
    batch.header.env = env;
    batch.header.app_version = app_version;
}

/// `held`, or what the root has under a key, or the first other span that has something.
fn or_first(batch: &Batch, held: Str, chunk: Slice, root: &Span, key: Key) -> Str {
    if held.is_empty() { first(batch, chunk, root, key) } else { held }
}

/// What the root has under a key, or the first other span that has something.
pub(crate) fn first(batch: &Batch, chunk: Slice, root: &Span, key: Key) -> Str {
    let spans = batch.spans.get(chunk.range()).unwrap_or_default();
    let mut all = std::iter::once(root).chain(spans);
    all.find_map(|span| str_of(batch, span, key).filter(|text| !text.is_empty()))
        .unwrap_or_default()
}
