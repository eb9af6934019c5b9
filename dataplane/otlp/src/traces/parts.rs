//! Events and links of a span as JSON. spec: otlp §4.8.

use std::fmt::Write;

use super::limits::{JSON_BYTES_MAX, PARTS_MAX};
use crate::wire::{Fields, WireError};
use crate::{Attributes, push_quoted};

/// What errors ask of events.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions {
    /// Whether an event is named just as the convention says.
    pub(super) is_met: bool,
    /// Message, type and stack of the last exception that tells them.
    pub(super) texts: [Option<String>; 3],
}

/// Attributes of an exception, in the order of [`Exceptions::texts`].
const EXCEPTION: [&str; 3] = ["exception.message", "exception.type", "exception.stacktrace"];

/// Writes the events. Those with which the text gets too long are left out: it is cut far shorter
/// on its way to the intake.
pub(super) fn push_events(
    json: &mut String,
    events: &[&[u8]],
    exceptions: &mut Exceptions,
) -> Result<(), WireError> {
    check_count(events)?;
    json.push('[');
    for message in events {
        let start = json.len();
        if start > 1 {
            json.push(',');
        }
        push_event(json, message, exceptions)?;
        if json.len() > JSON_BYTES_MAX {
            json.truncate(start);
        }
    }
    json.push(']');
    Ok(())
}

fn push_event(
    json: &mut String,
    message: &[u8],
    exceptions: &mut Exceptions,
) -> Result<(), WireError> {
    let (mut time_ns, mut name, mut attributes, mut dropped) = Default::default();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.read()? {
        match field.number {
            1 => time_ns = field.fixed64()?,
            2 => name = field.text()?,
            3 => Attributes::push(&mut attributes, field)?,
            4 => dropped = field.unsigned()?,
            _ => {}
        }
    }
    exceptions.is_met |= name == "exception";
    if name.eq_ignore_ascii_case("exception") {
        for (key, text) in EXCEPTION.iter().zip(&mut exceptions.texts) {
            if let Some(value) = attributes.get(key) {
                *text = Some(value.to_text()?.into_owned());
            }
        }
    }
    let mut object = Object::begin(json);
    if time_ns != 0 {
        object.number("time_unix_nano", time_ns);
    }
    if !name.is_empty() {
        push_quoted(object.key("name"), &name);
    }
    if !attributes.0.is_empty() {
        let mut map = Object::begin(object.key("attributes"));
        for attribute in attributes.iter() {
            attribute.value.push_json(map.key(&attribute.key))?;
        }
        map.end();
    }
    if dropped != 0 {
        object.number("dropped_attributes_count", dropped);
    }
    object.end();
    Ok(())
}

/// Writes the links; what holds of events holds of these.
pub(super) fn push_links(json: &mut String, links: &[&[u8]]) -> Result<(), WireError> {
    check_count(links)?;
    json.push('[');
    for message in links {
        let start = json.len();
        if start > 1 {
            json.push(',');
        }
        push_link(json, message)?;
        if json.len() > JSON_BYTES_MAX {
            json.truncate(start);
        }
    }
    json.push(']');
    Ok(())
}

fn push_link(json: &mut String, message: &[u8]) -> Result<(), WireError> {
    let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
    let (mut tracestate, mut attributes, mut dropped) = Default::default();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.read()? {
        match field.number {
            1 => trace_id = field.bytes()?.try_into().unwrap_or_default(),
            2 => span_id = field.bytes()?.try_into().unwrap_or_default(),
            3 => tracestate = field.text()?,
            4 => Attributes::push(&mut attributes, field)?,
            5 => dropped = field.unsigned()?,
            _ => {}
        }
    }
    let mut object = Object::begin(json);
    push_shown(object.key("trace_id"), format_args!("\"{:032x}\"", u128::from_be_bytes(trace_id)));
    push_shown(object.key("span_id"), format_args!("\"{:016x}\"", u64::from_be_bytes(span_id)));
    if !tracestate.is_empty() {
        push_quoted(object.key("tracestate"), &tracestate);
    }
    if !attributes.0.is_empty() {
        let mut map = Object::begin(object.key("attributes"));
        for attribute in attributes.iter() {
            push_quoted(map.key(&attribute.key), &attribute.value.to_text()?);
        }
        map.end();
    }
    if dropped != 0 {
        object.number("dropped_attributes_count", dropped);
    }
    object.end();
    Ok(())
}

const fn check_count(parts: &[&[u8]]) -> Result<(), WireError> {
    if parts.len() > PARTS_MAX { Err(WireError::TooMany) } else { Ok(()) }
}

/// An object of JSON that is being written.
struct Object<'j> {
    json: &'j mut String,
    is_first: bool,
}

impl<'j> Object<'j> {
    fn begin(json: &'j mut String) -> Self {
        json.push('{');
        Self { json, is_first: true }
    }

    /// Writes a key; its value is to follow.
    fn key(&mut self, key: &str) -> &mut String {
        if !std::mem::take(&mut self.is_first) {
            self.json.push(',');
        }
        push_quoted(self.json, key);
        self.json.push(':');
        self.json
    }

    fn number(&mut self, key: &str, number: u64) {
        push_shown(self.key(key), format_args!("{number}"));
    }

    fn end(self) {
        self.json.push('}');
    }
}

fn push_shown(json: &mut String, shown: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    json.write_fmt(shown).ok();
}
