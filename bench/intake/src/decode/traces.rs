//! `AgentPayload`: the head, and what both formats of tracer payloads share. spec: apm §10.1.

mod indexed;
mod plain;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DecodeError;
use super::message::{Message, Notes, Part, entry};
use crate::{AgentHead, AgentTraces, Payload};

/// A map of texts.
type Texts = BTreeMap<Arc<str>, Arc<str>>;

/// Decodes an `AgentPayload`. Its own fields may stand after the tracer payloads, which all point
/// to them: the body is read twice.
pub(super) fn payload(body: &[u8]) -> Result<Payload, DecodeError> {
    let mut notes = Notes::default();
    let mut head = AgentHead::default();
    let mut message = Message::new("AgentPayload", body);
    while let Some(part) = message.next()? {
        match part.number {
            1 => head.host = part.text()?,
            2 => head.env = part.text()?,
            5 | 11 => {}
            6 => insert_text(part, &mut head.tags, &mut notes)?,
            7 => head.version = part.text()?,
            8 => head.target_tps = part.double()?,
            9 => head.error_tps = part.double()?,
            10 => head.is_rare_sampler_enabled = part.boolean()?,
            _ => part.unknown(&mut notes),
        }
    }
    let agent = Arc::new(head);
    let mut payloads = Vec::new();
    let mut message = Message::new("AgentPayload", body);
    while let Some(part) = message.next()? {
        match part.number {
            5 => payloads.push(plain::payload(part, &agent, &mut notes)?),
            11 => payloads.push(indexed::payload(part, &agent, &mut notes)?),
            _ => {}
        }
    }
    let traces = Some(AgentTraces { agent, payloads });
    Ok(Payload { traces, remarks: notes.remarks, ..Payload::default() })
}

/// Takes one entry of a map of texts.
fn insert_text(part: Part<'_>, texts: &mut Texts, notes: &mut Notes) -> Result<(), DecodeError> {
    let (key, value) =
        entry(part, notes, Arc::from(""), |key| key.text(), |value, _| value.text())?;
    insert(texts, key, value, notes);
    Ok(())
}

/// Inserts into a map, remarking on a key that is there already.
fn insert<V>(map: &mut BTreeMap<Arc<str>, V>, key: Arc<str>, value: V, notes: &mut Notes) {
    if map.contains_key(&key) {
        notes.remark(|| format!("the key {key:?} is twice in one map"));
    }
    map.insert(key, value);
}

#[cfg(test)]
mod tests;
