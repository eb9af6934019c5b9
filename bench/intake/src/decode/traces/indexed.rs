//! Tracer payloads with a string table and typed attributes. spec: apm §10.1 (idx messages).

use std::sync::Arc;

use super::insert;
use crate::decode::message::{Notes, Part, entry};
use crate::decode::{DecodeError, invalid};
use crate::record::{
    AgentHead, Attribute, Attributes, ChunkHead, ReceivedChunk, ReceivedEvent, ReceivedLink,
    ReceivedSpan, TraceFormat, TracerHead, TracerPayload,
};

/// Nesting of lists and maps in attributes.
const DEPTH_MAX: u32 = 64;

/// Names of the span kinds by number. spec: apm §5.4
const KINDS: [&str; 6] = ["", "internal", "server", "client", "producer", "consumer"];

/// The string table, and which of it was used.
struct Strings {
    texts: Vec<Arc<str>>,
    is_used: Vec<bool>,
}

impl Strings {
    /// The string that a field refers to.
    fn refer(&mut self, part: Part<'_>) -> Result<Arc<str>, DecodeError> {
        let index = part.unsigned32()? as usize;
        self.at(index)
    }

    fn at(&mut self, index: usize) -> Result<Arc<str>, DecodeError> {
        if let Some(is_used) = self.is_used.get_mut(index) {
            *is_used = true;
        }
        match self.texts.get(index) {
            Some(text) => Ok(Arc::clone(text)),
            // A payload without any string may leave the table out.
            None if index == 0 => Ok(Arc::from("")),
            None => {
                let count = self.texts.len();
                invalid(format!("string {index} is referred to, the table has {count}"))
            }
        }
    }

    /// Remarks on what a compact table would not have.
    fn remark(&self, notes: &mut Notes) {
        if self.texts.first().is_none_or(|first| !first.is_empty()) {
            notes.remark(|| "strings: the first one is not empty".to_owned());
        }
        let unused = self.is_used.iter().skip(1).filter(|is_used| !**is_used).count();
        let rest = self.texts.iter().zip(&self.is_used).skip(1);
        if let Some((text, _)) = rest.clone().find(|(_, is_used)| !**is_used) {
            let text: String = text.chars().take(80).collect();
            notes.remark(|| format!("strings: {unused} are never referred to, first {text:?}"));
        }
        let mut sorted: Vec<&Arc<str>> = self.texts.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let text: String = pair[0].chars().take(80).collect();
            notes.remark(|| format!("strings: {text:?} is in the table twice"));
        }
    }
}

/// Decodes an idx `TracerPayload`. The table may stand anywhere: it is read first.
pub(super) fn payload(
    part: Part<'_>,
    agent: &Arc<AgentHead>,
    notes: &mut Notes,
) -> Result<TracerPayload, DecodeError> {
    const NAME: &str = "idx.TracerPayload";
    let mut strings = Strings { texts: Vec::new(), is_used: Vec::new() };
    let mut message = part.message(NAME, notes)?;
    while let Some(part) = message.next()? {
        if part.number == 1 {
            notes.count_element()?;
            strings.texts.push(part.text()?);
        }
    }
    strings.is_used = vec![false; strings.texts.len()];
    let mut head = TracerHead {
        agent: Arc::clone(agent),
        format: TraceFormat::Indexed,
        ..TracerHead::default()
    };
    let mut chunks = Vec::new();
    let mut message = part.message(NAME, notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => {}
            2 => head.container_id = strings.refer(part)?,
            3 => head.language = strings.refer(part)?,
            4 => head.language_version = strings.refer(part)?,
            5 => head.tracer_version = strings.refer(part)?,
            6 => head.runtime_id = strings.refer(part)?,
            7 => head.env = strings.refer(part)?,
            8 => head.hostname = strings.refer(part)?,
            9 => head.app_version = strings.refer(part)?,
            10 => insert_attribute(part, &mut head.tags, &mut strings, notes)?,
            11 => chunks.push(part),
            12 => part.bytes().map(drop)?,
            _ => part.unknown(notes),
        }
    }
    let head = Arc::new(head);
    let chunks = chunks.into_iter().map(|part| chunk(part, &head, &mut strings, notes));
    let chunks = chunks.collect::<Result<_, _>>()?;
    strings.remark(notes);
    Ok(TracerPayload { head, chunks })
}

fn chunk(
    part: Part<'_>,
    payload: &Arc<TracerHead>,
    strings: &mut Strings,
    notes: &mut Notes,
) -> Result<ReceivedChunk, DecodeError> {
    let mut head = ChunkHead {
        payload: Arc::clone(payload),
        encoded_bytes: part.bytes()?.len(),
        ..ChunkHead::default()
    };
    let mut spans = Vec::new();
    let mut message = part.message("idx.TraceChunk", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => head.priority = part.signed32()?,
            2 => head.origin = strings.refer(part)?,
            3 => insert_attribute(part, &mut head.tags, strings, notes)?,
            4 => spans.push(span(part, strings, notes)?),
            5 => head.is_dropped = part.boolean()?,
            6 => head.trace_id = trace_id(part)?,
            7 => head.sampling_mechanism = Some(part.unsigned32()?),
            _ => part.unknown(notes),
        }
    }
    let head = Arc::new(head);
    for span in &mut spans {
        span.trace_id = head.trace_id;
        span.chunk = Arc::clone(&head);
    }
    Ok(ReceivedChunk { head, spans })
}

fn span(
    part: Part<'_>,
    strings: &mut Strings,
    notes: &mut Notes,
) -> Result<ReceivedSpan, DecodeError> {
    let mut span = ReceivedSpan::default();
    let mut attributes = Attributes::new();
    let mut message = part.message("idx.Span", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => span.service = strings.refer(part)?,
            2 => span.name = strings.refer(part)?,
            3 => span.resource = strings.refer(part)?,
            4 => span.span_id = part.fixed64()?,
            5 => span.parent_id = part.unsigned()?,
            6 => span.start_ns = part.fixed64()?.cast_signed(),
            7 => span.duration_ns = part.signed()?,
            8 => span.error = i32::from(part.boolean()?),
            9 => insert_attribute(part, &mut attributes, strings, notes)?,
            10 => span.span_type = strings.refer(part)?,
            11 => span.links.push(link(part, strings, notes)?),
            12 => span.events.push(event(part, strings, notes)?),
            13 => span.env = strings.refer(part)?,
            14 => span.version = strings.refer(part)?,
            15 => span.component = strings.refer(part)?,
            16 => {
                let kind = part.unsigned()?;
                let name = usize::try_from(kind).ok().and_then(|kind| KINDS.get(kind));
                let Some(name) = name else {
                    return invalid(format!("idx.Span: kind {kind} is not known"));
                };
                span.kind = Arc::from(*name);
            }
            _ => part.unknown(notes),
        }
    }
    for (key, value) in attributes {
        match value {
            Attribute::Text(text) => drop(span.meta.insert(key, text)),
            Attribute::Float(number) => drop(span.metrics.insert(key, number)),
            Attribute::Bytes(bytes) => drop(span.meta_struct.insert(key, bytes)),
            other @ (Attribute::Bool(_)
            | Attribute::Int(_)
            | Attribute::List(_)
            | Attribute::Map(_)) => drop(span.others.insert(key, other)),
        }
    }
    Ok(span)
}

fn link(
    part: Part<'_>,
    strings: &mut Strings,
    notes: &mut Notes,
) -> Result<ReceivedLink, DecodeError> {
    let mut link = ReceivedLink::default();
    let mut message = part.message("idx.SpanLink", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => link.trace_id = trace_id(part)?,
            2 => link.span_id = part.fixed64()?,
            3 => insert_attribute(part, &mut link.attributes, strings, notes)?,
            4 => link.tracestate = strings.refer(part)?,
            5 => link.flags = part.unsigned32()?,
            _ => part.unknown(notes),
        }
    }
    Ok(link)
}

fn event(
    part: Part<'_>,
    strings: &mut Strings,
    notes: &mut Notes,
) -> Result<ReceivedEvent, DecodeError> {
    let mut event = ReceivedEvent::default();
    let mut message = part.message("idx.SpanEvent", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => event.time_ns = part.fixed64()?,
            2 => event.name = strings.refer(part)?,
            3 => insert_attribute(part, &mut event.attributes, strings, notes)?,
            _ => part.unknown(notes),
        }
    }
    Ok(event)
}

fn trace_id(part: Part<'_>) -> Result<u128, DecodeError> {
    match <[u8; 16]>::try_from(part.bytes()?) {
        Ok(bytes) => Ok(u128::from_be_bytes(bytes)),
        Err(_) => part.wrong("16 bytes"),
    }
}

fn insert_attribute(
    part: Part<'_>,
    attributes: &mut Attributes,
    strings: &mut Strings,
    notes: &mut Notes,
) -> Result<(), DecodeError> {
    let none = Attribute::Text("".into());
    let (key, value) = entry(part, notes, none, Part::unsigned32, |value, notes| {
        any_value(value, strings, notes, DEPTH_MAX)
    })?;
    let key = strings.at(key as usize)?;
    insert(attributes, key, value, notes);
    Ok(())
}

fn any_value(
    part: Part<'_>,
    strings: &mut Strings,
    notes: &mut Notes,
    depth_left: u32,
) -> Result<Attribute, DecodeError> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return invalid(format!("attributes are nested more than {DEPTH_MAX} deep"));
    };
    let mut found = None;
    let mut message = part.message("idx.AnyValue", notes)?;
    while let Some(part) = message.next()? {
        if found.is_some() {
            notes.remark(|| "idx.AnyValue: has more than one value".to_owned());
        }
        found = Some(match part.number {
            1 => Attribute::Text(strings.refer(part)?),
            2 => Attribute::Bool(part.boolean()?),
            3 => Attribute::Float(part.double()?),
            4 => Attribute::Int(part.signed()?),
            5 => Attribute::Bytes(part.bytes()?.into()),
            6 => list(part, strings, notes, depth_left)?,
            7 => map(part, strings, notes, depth_left)?,
            _ => return part.wrong("a kind of value"),
        });
    }
    if found.is_none() {
        notes.remark(|| "idx.AnyValue: has no value".to_owned());
    }
    Ok(found.unwrap_or_else(|| Attribute::Text("".into())))
}

fn list(
    part: Part<'_>,
    strings: &mut Strings,
    notes: &mut Notes,
    depth_left: u32,
) -> Result<Attribute, DecodeError> {
    let mut values = Vec::new();
    let mut message = part.message("idx.ArrayValue", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => values.push(any_value(part, strings, notes, depth_left)?),
            _ => part.unknown(notes),
        }
    }
    Ok(Attribute::List(values))
}

fn map(
    part: Part<'_>,
    strings: &mut Strings,
    notes: &mut Notes,
    depth_left: u32,
) -> Result<Attribute, DecodeError> {
    let mut values = Attributes::new();
    let mut message = part.message("idx.KeyValueList", notes)?;
    while let Some(part) = message.next()? {
        if part.number != 1 {
            part.unknown(notes);
            continue;
        }
        let none = Attribute::Text("".into());
        let (key, value) = entry(part, notes, none, Part::unsigned32, |value, notes| {
            any_value(value, strings, notes, depth_left)
        })?;
        let key = strings.at(key as usize)?;
        insert(&mut values, key, value, notes);
    }
    Ok(Attribute::Map(values))
}
