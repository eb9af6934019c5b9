//! One span. spec: otlp §4.3.

use std::borrow::Cow;

use span::{Span, SpanKind};

use super::Settings;
use super::index::{low_bits, trace_id};
use super::known::{Known, Places};
use super::limits::{PART_BYTES_MAX, SPAN_ATTRIBUTES_MAX};
use super::lookup::{Lookup, normalized};
use super::operation::{kind_text, operation};
use super::parts::{Exceptions, push_events, push_links};
use super::reason::reason_phrase;
use super::resource_name::resource;
use super::shared::{Shared, SharedScope, service_of};
use super::span_type::span_type;
use super::tracestate::probability;
use super::word::Word;
use super::writer::{Writer, number};
use crate::wire::{Fields, WireError};
use crate::{Attributes, Value};

/// Room that a span's attributes get for what processing adds.
const ATTRIBUTES_ROOM: u32 = 4;
/// Attributes whose keys begin so are those of a call to a model.
const MODEL_CALL: &str = "gen_ai.";

/// What a span is translated with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'s> {
    pub(super) settings: &'s Settings,
    pub(super) resource: &'s Shared,
    pub(super) scope: &'s SharedScope,
}

/// A translated span, and what its trace asks of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Translated {
    pub(super) span: Span,
    pub(super) trace_id: u128,
    /// What its sender wants to become of the trace.
    pub(super) priority: Option<f64>,
}

/// A message `Span`.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    trace_id: u128,
    has_trace_id: bool,
    span_id: u64,
    parent_id: u64,
    state: Cow<'a, str>,
    name: Cow<'a, str>,
    kind: SpanKind,
    start_ns: u64,
    end_ns: u64,
    attributes: Attributes<'a>,
    events: Vec<&'a [u8]>,
    links: Vec<&'a [u8]>,
    status: Status<'a>,
}

/// A message `Status`.
#[derive(Debug, Default)]
struct Status<'a> {
    message: Cow<'a, str>,
    code: u64,
}

const STATUS_OK: u64 = 1;
const STATUS_ERROR: u64 = 2;

impl<'a> Given<'a> {
    /// Reads another span, keeping the memory of the last one.
    fn read(&mut self, message: &'a [u8]) -> Result<(), WireError> {
        if message.len() > PART_BYTES_MAX {
            return Err(WireError::TooLong);
        }
        let Self { mut attributes, mut events, mut links, .. } = std::mem::take(self);
        attributes.0.clear();
        events.clear();
        links.clear();
        *self = Self { attributes, events, links, ..Self::default() };
        let id = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).unwrap_or_default();
        let mut fields = Fields::new(message);
        while let Some(field) = fields.read()? {
            match field.number {
                // The index took the first.
                1 if self.has_trace_id => {}
                1 => (self.trace_id, self.has_trace_id) = (trace_id(field.bytes()?), true),
                2 => self.span_id = id(field.bytes()?),
                3 => self.state = field.text()?,
                4 => self.parent_id = id(field.bytes()?),
                5 => self.name = field.text()?,
                6 => {
                    let kind = u32::try_from(field.unsigned()?).unwrap_or_default();
                    self.kind = SpanKind::from_number(kind);
                }
                7 => self.start_ns = field.fixed64()?,
                8 => self.end_ns = field.fixed64()?,
                9 => self.attributes.push(field)?,
                11 => self.events.push(field.bytes()?),
                13 => self.links.push(field.bytes()?),
                15 => self.status = Status::read(field.bytes()?)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> Status<'a> {
    fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut read) = (Fields::new(message), Self::default());
        while let Some(field) = fields.read()? {
            match field.number {
                2 => read.message = field.text()?,
                3 => read.code = field.unsigned()?,
                _ => {}
            }
        }
        Ok(read)
    }
}

/// Translates a message `Span`. Of equal keys the first attribute stays; so what is to overwrite
/// others is written before them.
pub(super) fn translate<'a>(
    message: &'a [u8],
    given: &mut Given<'a>,
    around: Around<'_>,
    out: &mut Writer<'_, '_>,
) -> Result<Translated, WireError> {
    let Around { settings, resource: shared, scope } = around;
    given.read(message)?;
    let given = &*given;
    let (mut places, mut is_model_call) = (Places::default(), false);
    for (at, attribute) in given.attributes.iter().enumerate() {
        match Known::of(&attribute.key) {
            Some(known) => places.note(known, at),
            None => is_model_call |= attribute.key.starts_with(MODEL_CALL),
        }
    }
    let of = Lookup { attributes: &given.attributes, places: &places, resource: shared };
    let is_error = given.status.code == STATUS_ERROR;

    out.begin();
    shared.entries_of(scope).iter().for_each(|entry| out.entry(entry));
    out.trace_id(given.trace_id);
    first_attributes(given, &of, settings, out);
    for attribute in given.attributes.iter() {
        out.attribute(attribute, Known::of(&attribute.key))?;
    }
    version(&of, out);
    let exceptions = parts(given, out)?;
    scope_names(scope, settings, out);
    out.text(Word::StatusCode, status_text(given.status.code));
    if !given.status.message.is_empty() {
        out.text(Word::StatusDescription, &given.status.message);
    }
    if is_error {
        error(given, &of, exceptions, out);
    }
    env(&of, out);
    shared.entries.iter().for_each(|entry| out.entry(entry));
    if let Some(name) = of.text(Known::DbNamespace) {
        out.text(Word::DbName, &name);
    }

    let (attributes, keys) = out.end(ATTRIBUTES_ROOM);
    if attributes.len() > SPAN_ATTRIBUTES_MAX {
        return Err(WireError::TooMany);
    }
    let operation = operation(given.kind, &of, &given.name, &scope.label, settings);
    let resource = resource(given.kind, &of, &given.name, settings.is_old_naming());
    let service = match of.of_span(Known::ServiceName) {
        Some(service) => out.table.find(&service_of(&service)),
        None => shared.service,
    };
    let span = Span {
        keys,
        trace_id: low_bits(given.trace_id),
        span_id: given.span_id,
        parent_id: given.parent_id,
        start_ns: given.start_ns.cast_signed(),
        duration_ns: given.end_ns.wrapping_sub(given.start_ns).cast_signed(),
        service,
        name: out.table.find(&operation),
        resource: out.table.find(&resource),
        span_type: out.table.find(&span_type(given.kind, &of, is_model_call)),
        error: i32::from(is_error),
        attributes,
        ..Span::default()
    };
    let priority = of.value(Known::SamplingPriority).and_then(number);
    Ok(Translated { span, trace_id: given.trace_id, priority })
}

/// What stands before the attributes that the span has itself.
fn first_attributes(
    given: &Given<'_>,
    of: &Lookup<'_>,
    settings: &Settings,
    out: &mut Writer<'_, '_>,
) {
    out.text(Word::SpanKind, kind_text(given.kind));
    if let Some(status) = http_status(of) {
        #[expect(clippy::cast_precision_loss, reason = "spans have doubles alone")]
        out.number(Word::HttpStatusCode, status as f64);
    }
    if let Some(status) = grpc_status(of) {
        out.text(Word::RpcGrpcStatusCode, &status);
    }
    let is_called = matches!(given.kind, SpanKind::Server | SpanKind::Consumer);
    let is_calling = matches!(given.kind, SpanKind::Client | SpanKind::Producer);
    if settings.is_top_level_by_kind && (given.parent_id == 0 || is_called) {
        out.number(Word::TopLevel, 1.0);
    }
    let is_marked = match of.value(Known::Measured) {
        Some(Value::Int(1)) => true,
        Some(Value::Text(text)) => text == "1",
        _ => false,
    };
    if is_marked || settings.is_top_level_by_kind && is_calling {
        out.number(Word::Measured, 1.0);
    }
    if !given.state.is_empty() {
        out.text(Word::Tracestate, &given.state);
    }
    let told = of.value(Known::SampleRate).and_then(number);
    if let Some(rate) = told.or_else(|| probability(&given.state)) {
        out.number(Word::SampleRate, rate);
    }
}

fn http_status(of: &Lookup<'_>) -> Option<i64> {
    [Known::HttpStatusCode, Known::HttpResponseStatusCode].iter().find_map(|key| {
        // The text of a number is the number again; only texts and integers are taken.
        let is_fit = |value: &&Value<'_>| matches!(value, Value::Int(_) | Value::Text(_));
        let is_other = of.value(*key).is_some_and(|value| !is_fit(&value));
        let text = if is_other { of.of_resource(*key) } else { of.text(*key) };
        text?.parse().ok().filter(|status| *status >= 0)
    })
}

/// Integers come before texts.
fn grpc_status<'s>(of: &Lookup<'s>) -> Option<Cow<'s, str>> {
    const INTEGERS: [Known; 4] = [
        Known::RpcGrpcStatusCode,
        Known::GrpcCode,
        Known::RpcGrpcStatusDotCode,
        Known::GrpcStatusCode,
    ];
    let integer = |key: &Known| {
        let of_span = || matches!(of.value(*key), Some(Value::Int(_))).then(|| of.text(*key));
        let of_resource = || of.of_resource(*key).filter(|text| text.parse::<i64>().is_ok());
        of_span().flatten().or_else(of_resource)
    };
    let text = |key: &Known| of.text(*key);
    let texts = [Known::RpcGrpcStatusCode, Known::GrpcCode];
    INTEGERS.iter().find_map(integer).or_else(|| texts.iter().find_map(text))
}

fn version(of: &Lookup<'_>, out: &mut Writer<'_, '_>) {
    match of.of_span(Known::ServiceVersion) {
        Some(version) => push_normal(Word::Version, version, out),
        None if !of.resource.version.is_empty() => {
            out.string(Word::Version, of.resource.version);
        }
        None => {}
    }
}

fn env(of: &Lookup<'_>, out: &mut Writer<'_, '_>) {
    const KEYS: [Known; 2] = [Known::DeploymentEnvironmentName, Known::DeploymentEnvironment];
    if KEYS.iter().all(|key| of.value(*key).is_none()) {
        if !of.resource.env.is_empty() {
            out.string(Word::Env, of.resource.env);
        }
    } else if let Some(env) = of.first(&KEYS) {
        push_normal(Word::Env, env, out);
    }
}

fn push_normal(word: Word, text: Cow<'_, str>, out: &mut Writer<'_, '_>) {
    let text = normalized(text);
    if !text.is_empty() {
        out.text(word, &text);
    }
}

/// Events and links.
fn parts(given: &Given<'_>, out: &mut Writer<'_, '_>) -> Result<Exceptions, WireError> {
    let mut exceptions = Exceptions::default();
    if !given.events.is_empty() {
        let mut json = String::new();
        push_events(&mut json, &given.events, &mut exceptions)?;
        out.text(Word::Events, &json);
    }
    if exceptions.is_met {
        out.text(Word::HasException, "true");
    }
    if !given.links.is_empty() {
        let mut json = String::new();
        push_links(&mut json, &given.links)?;
        out.text(Word::Links, &json);
    }
    Ok(exceptions)
}

fn scope_names(scope: &SharedScope, settings: &Settings, out: &mut Writer<'_, '_>) {
    if !scope.name.is_empty() {
        if settings.is_scope_convention {
            out.string(Word::ScopeName, scope.name);
        }
        out.string(Word::LibraryName, scope.name);
    }
    if !scope.version.is_empty() {
        if settings.is_scope_convention {
            out.string(Word::ScopeVersion, scope.version);
        }
        out.string(Word::LibraryVersion, scope.version);
    }
}

const fn status_text(code: u64) -> &'static str {
    match code {
        STATUS_OK => "Ok",
        STATUS_ERROR => "Error",
        _ => "Unset",
    }
}

/// What went wrong, where the attributes do not tell: its exception, the message of its status, or
/// the answer of its server. spec: otlp §4.9.
fn error(given: &Given<'_>, of: &Lookup<'_>, exceptions: Exceptions, out: &mut Writer<'_, '_>) {
    let words = [Word::ErrorMessage, Word::ErrorType, Word::ErrorStack];
    for (word, text) in words.into_iter().zip(exceptions.texts) {
        if let Some(text) = text {
            out.text(word, &text);
        }
    }
    if !given.status.message.is_empty() {
        out.text(Word::ErrorMessage, &given.status.message);
    } else if let Some(status) = http_status(of) {
        out.text(
            Word::ErrorMessage,
            &match reason_phrase(status) {
                Some(reason) => format!("{status} {reason}"),
                None => status.to_string(),
            },
        );
    }
}
