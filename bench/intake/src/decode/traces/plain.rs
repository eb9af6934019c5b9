//! Tracer payloads with strings in place. spec: apm §10.1.

use std::sync::Arc;

use super::{Texts, insert, insert_text};
use crate::decode::message::{Message, Notes, Part, entry};
use crate::decode::{DecodeError, invalid};
use crate::record::{
    AgentHead, Attribute, Attributes, ChunkHead, ReceivedChunk, ReceivedEvent, ReceivedLink,
    ReceivedSpan, TraceFormat, TracerHead, TracerPayload,
};

/// Decodes a `TracerPayload`.
pub(super) fn payload(
    part: Part<'_>,
    agent: &Arc<AgentHead>,
    notes: &mut Notes,
) -> Result<TracerPayload, DecodeError> {
    let mut head = TracerHead {
        agent: Arc::clone(agent),
        format: TraceFormat::Plain,
        ..TracerHead::default()
    };
    let mut chunks = Vec::new();
    let mut message = part.message("TracerPayload", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => head.container_id = part.text()?,
            2 => head.language = part.text()?,
            3 => head.language_version = part.text()?,
            4 => head.tracer_version = part.text()?,
            5 => head.runtime_id = part.text()?,
            6 => chunks.push(part),
            7 => insert_attribute(part, &mut head.tags, notes)?,
            8 => head.env = part.text()?,
            9 => head.hostname = part.text()?,
            10 => head.app_version = part.text()?,
            // ContainerDebug is for people and has no bearing on the traces.
            11 => part.bytes().map(drop)?,
            _ => part.unknown(notes),
        }
    }
    let head = Arc::new(head);
    let chunks = chunks.into_iter().map(|part| chunk(part, &head, notes));
    Ok(TracerPayload { head: Arc::clone(&head), chunks: chunks.collect::<Result<_, _>>()? })
}

fn chunk(
    part: Part<'_>,
    payload: &Arc<TracerHead>,
    notes: &mut Notes,
) -> Result<ReceivedChunk, DecodeError> {
    let mut head = ChunkHead {
        payload: Arc::clone(payload),
        encoded_bytes: part.bytes()?.len(),
        ..ChunkHead::default()
    };
    let mut spans = Vec::new();
    let mut message = part.message("TraceChunk", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => head.priority = part.signed32()?,
            2 => head.origin = part.text()?,
            3 => spans.push(span(part, notes)?),
            4 => insert_attribute(part, &mut head.tags, notes)?,
            5 => head.is_dropped = part.boolean()?,
            _ => part.unknown(notes),
        }
    }
    let upper = spans.iter().find_map(|span| upper_bits(span, notes)).unwrap_or_default();
    for span in &mut spans {
        span.trace_id |= u128::from(upper) << 64;
    }
    head.trace_id = spans.first().map_or(0, |span| span.trace_id);
    head.sampling_mechanism = head.tags.get("_dd.p.dm").and_then(|decision| {
        let decision = decision.as_text()?;
        decision.strip_prefix('-').unwrap_or(decision).parse().ok()
    });
    let head = Arc::new(head);
    for span in &mut spans {
        span.chunk = Arc::clone(&head);
    }
    Ok(ReceivedChunk { head, spans })
}

/// The upper half of a trace id of 128 bits.
fn upper_bits(span: &ReceivedSpan, notes: &mut Notes) -> Option<u64> {
    let text = span.meta.get("_dd.p.tid")?;
    let bits = u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16);
    if bits.is_none() {
        notes.remark(|| format!("_dd.p.tid {text:?} is not 16 hexadecimal digits"));
    }
    bits
}

fn span(part: Part<'_>, notes: &mut Notes) -> Result<ReceivedSpan, DecodeError> {
    let mut span = ReceivedSpan::default();
    let mut message = part.message("Span", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => span.service = part.text()?,
            2 => span.name = part.text()?,
            3 => span.resource = part.text()?,
            4 => span.trace_id = u128::from(part.unsigned()?),
            5 => span.span_id = part.unsigned()?,
            6 => span.parent_id = part.unsigned()?,
            7 => span.start_ns = part.signed()?,
            8 => span.duration_ns = part.signed()?,
            9 => span.error = part.signed32()?,
            10 => insert_text(part, &mut span.meta, notes)?,
            11 => {
                let (key, value) =
                    entry(part, notes, 0.0, |key| key.text(), |value, _| value.double())?;
                insert(&mut span.metrics, key, value, notes);
            }
            12 => span.span_type = part.text()?,
            13 => {
                let none: Arc<[u8]> = Arc::from([]);
                let read = |value: Part<'_>, _: &mut Notes| value.bytes().map(Arc::from);
                let (key, value) = entry(part, notes, none, |key| key.text(), read)?;
                insert(&mut span.meta_struct, key, value, notes);
            }
            14 => span.links.push(link(part, notes)?),
            15 => span.events.push(event(part, notes)?),
            _ => part.unknown(notes),
        }
    }
    for (key, field) in [
        ("env", &mut span.env),
        ("version", &mut span.version),
        ("component", &mut span.component),
        ("span.kind", &mut span.kind),
    ] {
        if let Some(value) = span.meta.get(key) {
            *field = Arc::clone(value);
        }
    }
    Ok(span)
}

fn link(part: Part<'_>, notes: &mut Notes) -> Result<ReceivedLink, DecodeError> {
    let mut link = ReceivedLink::default();
    let (mut lower, mut upper) = (0, 0);
    let mut message = part.message("SpanLink", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => lower = part.unsigned()?,
            2 => upper = part.unsigned()?,
            3 => link.span_id = part.unsigned()?,
            4 => insert_attribute(part, &mut link.attributes, notes)?,
            5 => link.tracestate = part.text()?,
            6 => link.flags = part.unsigned32()?,
            _ => part.unknown(notes),
        }
    }
    link.trace_id = u128::from(upper) << 64 | u128::from(lower);
    Ok(link)
}

fn event(part: Part<'_>, notes: &mut Notes) -> Result<ReceivedEvent, DecodeError> {
    let mut event = ReceivedEvent::default();
    let mut message = part.message("SpanEvent", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => event.time_ns = part.fixed64()?,
            2 => event.name = part.text()?,
            3 => {
                let none = Attribute::Text("".into());
                let (key, value) = entry(part, notes, none, |key| key.text(), any_value)?;
                insert(&mut event.attributes, key, value, notes);
            }
            _ => part.unknown(notes),
        }
    }
    Ok(event)
}

/// Kinds of `AttributeAnyValue` and of the elements of its arrays.
const STRING: u64 = 0;
const BOOL: u64 = 1;
const INT: u64 = 2;
const DOUBLE: u64 = 3;
const ARRAY: u64 = 4;

/// A value of which the member named by `type` counts.
fn any_value(part: Part<'_>, notes: &mut Notes) -> Result<Attribute, DecodeError> {
    let mut kind = STRING;
    let (mut text, mut boolean, mut int, mut double) = (Arc::from(""), false, 0, 0.0);
    let mut list = Vec::new();
    let mut message = part.message("AttributeAnyValue", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => kind = part.unsigned()?,
            2 => text = part.text()?,
            3 => boolean = part.boolean()?,
            4 => int = part.signed()?,
            5 => double = part.double()?,
            6 => array(part, &mut list, notes)?,
            _ => part.unknown(notes),
        }
    }
    Ok(match kind {
        STRING => Attribute::Text(text),
        BOOL => Attribute::Bool(boolean),
        INT => Attribute::Int(int),
        DOUBLE => Attribute::Float(double),
        ARRAY => Attribute::List(list),
        _ => return invalid(format!("AttributeAnyValue: type {kind} is not known")),
    })
}

/// Elements are scalars: a list within a list is refused before anything recurses.
fn array(part: Part<'_>, list: &mut Vec<Attribute>, notes: &mut Notes) -> Result<(), DecodeError> {
    let mut message = part.message("AttributeArray", notes)?;
    while let Some(part) = message.next()? {
        if part.number != 1 {
            part.unknown(notes);
            continue;
        }
        let mut fields = Message::new("AttributeArrayValue", part.bytes()?);
        while let Some(field) = fields.next()? {
            if field.number > 5 || field.number == 1 && field.unsigned()? > DOUBLE {
                return field.wrong("part of an array's element");
            }
        }
        list.push(any_value(part, notes)?);
    }
    Ok(())
}

fn insert_attribute(
    part: Part<'_>,
    attributes: &mut Attributes,
    notes: &mut Notes,
) -> Result<(), DecodeError> {
    let mut texts = Texts::new();
    insert_text(part, &mut texts, notes)?;
    for (key, value) in texts {
        insert(attributes, key, Attribute::Text(value), notes);
    }
    Ok(())
}
