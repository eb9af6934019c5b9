//! One record: its message, and everything else that it says. spec: otlp §7.1, §7.3.

use logs::Entry;
use serde_json::{Map, Value as Json};

use super::flatten::{array, flatten};
use super::ids::Id;
use super::time::utc_text;
use super::{ORIGIN_TAG, SOURCE};
use crate::wire::{Fields, WireError};
use crate::{Attributes, Resource, Scope, Source, Value};

/// A record on its way into an entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) message: String,
    /// Host that the resource, or else the record, names.
    pub(super) hostname: Option<String>,
    /// Service that the resource, or else the record, names; empty for none.
    pub(super) service: String,
    /// `ddtags`.
    pub(super) tags: String,
    pub(super) attributes: Map<String, Json>,
}

/// The fields of a message `LogRecord`.
#[derive(Default)]
struct Parts<'a> {
    time_ns: u64,
    observed_ns: u64,
    severity: u64,
    severity_text: String,
    body: Value<'a>,
    attributes: Attributes<'a>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    event_name: String,
}

impl<'a> Parts<'a> {
    fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut parts) = (Fields::new(message), Self::default());
        while let Some(field) = fields.read()? {
            match field.number {
                1 => parts.time_ns = field.fixed64()?,
                2 => parts.severity = field.unsigned()?,
                3 => parts.severity_text = field.text()?.into_owned(),
                5 => parts.body = Value::read(field.bytes()?)?,
                6 => parts.attributes.push(field)?,
                9 => parts.trace_id = field.bytes()?,
                10 => parts.span_id = field.bytes()?,
                11 => parts.observed_ns = field.fixed64()?,
                12 => parts.event_name = field.text()?.into_owned(),
                _ => {}
            }
        }
        Ok(parts)
    }
}

impl Record {
    /// Reads a message `LogRecord`. The steps are those of the spec; later ones win.
    pub(super) fn read(
        message: &[u8],
        resource: &Resource<'_>,
        scope: &Scope<'_>,
    ) -> Result<Self, WireError> {
        let parts = Parts::read(message)?;
        let own_service = || parts.attributes.text("service.name");
        let service = resource.service().or_else(own_service).unwrap_or_default();
        let mut record = Self { service: service.to_owned(), ..Self::default() };
        record.hostname = match resource.source() {
            Source::Host(host) => Some(host),
            Source::Serverless { .. } => None,
            Source::None => Source::of(&parts.attributes).host().map(str::to_owned),
        };
        let mut tags = resource.tags();
        let mut status = String::new();
        let mut message = None;
        record.add_own(&parts.attributes, &mut tags, &mut status, &mut message)?;
        for attribute in resource.attributes.iter() {
            let key = match &*attribute.key {
                "hostname" => "otel.hostname",
                "service" => "otel.service",
                key => key,
            };
            let value = if let Value::Array(list) = &attribute.value {
                array(list, 0)?
            } else {
                Json::from(attribute.value.to_text()?)
            };
            record.attributes.insert(key.to_owned(), value);
        }
        for attribute in scope.attributes.iter() {
            record.set(&attribute.key, attribute.value.to_text()?);
        }
        for (id, bytes) in [(Id::Trace, parts.trace_id), (Id::Span, parts.span_id)] {
            if let Some((decimal, text)) = id.of_bytes(bytes) {
                record.set(id.decimal_key(), decimal);
                record.set(id.text_key(), text);
            }
        }
        if !parts.severity_text.is_empty() {
            record.set("otel.severity_text", &*parts.severity_text);
            fill(&mut status, &parts.severity_text);
        }
        if parts.severity != 0 {
            record.set("otel.severity_number", parts.severity.to_string());
            fill(&mut status, status_of(parts.severity));
        }
        record.set("status", status);
        let time_ns = if parts.time_ns != 0 { parts.time_ns } else { parts.observed_ns };
        if time_ns != 0 {
            record.set("otel.timestamp", time_ns.to_string());
            record.set("@timestamp", utc_text(time_ns));
        }
        if !parts.event_name.is_empty() {
            record.set("otel.event_name", parts.event_name);
        }
        record.message = match message {
            Some(message) => message,
            None => parts.body.to_text()?.into_owned(),
        };
        tags.push(ORIGIN_TAG.to_owned());
        record.tags = tags.join(",");
        Ok(record)
    }

    /// Takes the record's own attributes, some of which are no attributes.
    fn add_own(
        &mut self,
        attributes: &Attributes<'_>,
        tags: &mut Vec<String>,
        status: &mut String,
        message: &mut Option<String>,
    ) -> Result<(), WireError> {
        for attribute in attributes.iter() {
            let key = attribute.key.to_lowercase();
            match &*key {
                "msg" | "message" | "log" => {
                    *message = Some(attribute.value.to_text()?.into_owned());
                }
                "status" | "severity" | "level" | "syslog.severity" => {
                    *status = attribute.value.to_text()?.into_owned();
                }
                "ddtags" => tags.push(attribute.value.to_text()?.into_owned()),
                _ => match Id::of(&key) {
                    Some(id) => self.add_id(id, &attribute.value.to_text()?),
                    None => flatten(&attribute.key, &attribute.value, &mut self.attributes)?,
                },
            }
        }
        Ok(())
    }

    /// Takes an id that a logger wrote; the first that is one counts.
    fn add_id(&mut self, id: Id, text: &str) {
        if self.attributes.contains_key(id.text_key()) {
            return;
        }
        if let Some(decimal) = id.decimal(text) {
            self.set(id.decimal_key(), decimal);
            self.set(id.text_key(), text);
        }
    }

    fn set(&mut self, key: &str, value: impl Into<Json>) {
        self.attributes.insert(key.to_owned(), value.into());
    }

    /// The entry that it becomes.
    pub(super) fn into_entry(mut self, now_ms: i64) -> Entry {
        let text = |key: &str| match self.attributes.get(key) {
            Some(Json::String(text)) => text.clone(),
            _ => String::new(),
        };
        let (status, mut source) = (text("status"), text("datadog.log.source"));
        fill(&mut source, SOURCE);
        self.set("message", self.message.clone());
        if let Some(hostname) = self.hostname.clone() {
            self.set("hostname", hostname);
        }
        if !self.service.is_empty() {
            self.set("service", self.service.clone());
        }
        Entry {
            message: Json::Object(self.attributes).to_string(),
            status,
            timestamp_ms: now_ms,
            hostname: self.hostname.unwrap_or_default(),
            service: self.service,
            source,
            tags: self.tags,
            ..Entry::default()
        }
    }
}

fn fill(text: &mut String, with: &str) {
    if text.is_empty() {
        text.push_str(with);
    }
}

/// The status that a number of severity stands for.
const fn status_of(severity: u64) -> &'static str {
    match severity {
        0..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warn",
        17..=20 => "error",
        21..=24 => "fatal",
        _ => "error",
    }
}
