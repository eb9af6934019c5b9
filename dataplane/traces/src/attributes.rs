//! What a chunk and its payload take over from their spans. spec: apm §6 steps 4 d, i and k, §6.2.

use span::{Attribute, Batch, Key, PRIORITY_NONE, Str, Value};

use crate::access::{number_of, remove_number, set_number, str_of};
use crate::facts::Facts;

/// Priority, origin and decision maker of a chunk in the formats before v1.0, where spans carry
/// them. `root` is the place of its root in the batch, `priority` that of its first span with one.
pub(crate) fn complete_chunk(batch: &mut Batch, chunk: usize, root: usize, priority: Option<f64>) {
    let Some(&held) = batch.chunks.get(chunk) else { return };
    let (mut held_priority, mut origin) = (held.priority, held.origin);
    if let Some(root) = batch.spans.get(root) {
        if held_priority == PRIORITY_NONE {
            let found = batch.metric(root, Key::SamplingPriority).or(priority);
            #[expect(clippy::cast_possible_truncation, reason = "saturates; the fraction is lost")]
            let found = found.map(|number| number as i32);
            held_priority = found.unwrap_or(PRIORITY_NONE);
        }
        if origin.is_empty() {
            origin = batch.meta(root, Key::DdOrigin).unwrap_or_default();
        }
    }
    let first = batch.spans.get(held.spans.start as usize);
    let maker = first.and_then(|span| batch.meta(span, Key::DdDecisionMaker));
    let Some(held) = batch.chunks.get_mut(chunk) else { return };
    (held.priority, held.origin) = (held_priority, origin);
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

/// Host name, environment and version of a payload, where it does not say them itself. `facts` are
/// those of its chunk.
pub(crate) fn complete_payload(batch: &mut Batch, root: usize, facts: &Facts) {
    let Some(span) = batch.spans.get(root) else { return };
    let or = |held: Str, key: Key, otherwise: Str| {
        let of_root = || str_of(batch, span, key).filter(|text| !text.is_empty());
        if held.is_empty() { of_root().unwrap_or(otherwise) } else { held }
    };
    let header = batch.header;
    let hostname = or(header.hostname, Key::DdHostname, Str::EMPTY);
    let env = or(header.env, Key::Env, facts.env);
    let app_version = or(header.app_version, Key::Version, facts.version);
    batch.header.hostname = hostname;
    batch.header.env = env;
    batch.header.app_version = app_version;
}
