//! v1.0: maps with integer keys, each string in place at its first use. spec: apm §5.4

use std::collections::HashMap;

use super::Sender;
use crate::traces::msgpack::Writer;
use crate::traces::shop::{APP_VERSION, ENV, Span, Trace};

/// Tags that are fields of the span, chunk or payload.
const PROMOTED: [&str; 9] = [
    "env",
    "version",
    "component",
    "span.kind",
    "language",
    "runtime-id",
    "_dd.p.tid",
    "_dd.p.dm",
    "_sampling_priority_v1",
];

const TEXT: u64 = 1;
const DOUBLE: u64 = 3;

/// Writes with a table of the strings that were sent.
struct Table<'a> {
    out: Writer,
    known: HashMap<&'a str, u64>,
    has_long_keys: bool,
}

impl<'a> Table<'a> {
    /// A string where it is new, else its index.
    fn text(&mut self, text: &'a str) {
        if let Some(index) = self.known.get(text) {
            self.out.unsigned(*index);
        } else {
            self.known.insert(text, self.known.len() as u64);
            self.out.text(text);
        }
    }

    fn key(&mut self, key: u8) {
        if self.has_long_keys {
            self.out.bytes.push(0xcc);
        }
        self.out.bytes.push(key);
    }

    fn field(&mut self, key: u8, text: &'a str) {
        self.key(key);
        self.text(text);
    }
}

/// The payload map.
pub(super) fn payload<'a>(sender: &'a Sender, traces: &'a [Trace]) -> Vec<u8> {
    let dialect = &sender.dialect;
    let mut table = Table {
        out: Writer::new(false),
        known: HashMap::from([("", 0)]),
        has_long_keys: dialect.has_chunks_first,
    };
    table.out.map(9);
    if dialect.has_chunks_first {
        chunks(&mut table, traces);
    }
    for (key, text) in [
        (2, &*sender.container_id),
        (3, dialect.lang),
        (4, dialect.lang_version),
        (5, dialect.tracer_version),
        (6, &sender.runtime_id),
        (7, ENV),
        (9, APP_VERSION),
    ] {
        table.field(key, text);
    }
    table.key(10);
    table.out.array(3);
    table.text("_dd.apm_mode");
    table.out.unsigned(TEXT);
    table.text("");
    if !dialect.has_chunks_first {
        chunks(&mut table, traces);
    }
    table.out.bytes
}

fn chunks<'a>(table: &mut Table<'a>, traces: &'a [Trace]) {
    table.key(11);
    table.out.array(traces.len());
    for trace in traces {
        table.out.map(if trace.is_kept { 4 } else { 3 });
        table.key(1);
        table.out.signed(trace.priority());
        table.key(6);
        table.out.binary(&trace.id.to_be_bytes());
        if trace.is_kept {
            table.key(7);
            table.out.unsigned(1);
        }
        table.key(4);
        table.out.array(trace.spans.len());
        for span in &trace.spans {
            self::span(table, span);
        }
    }
}

fn span<'a>(table: &mut Table<'a>, span: &'a Span) {
    table.out.map(14);
    table.field(1, &span.service);
    table.field(2, &span.name);
    table.field(3, &span.resource);
    for (key, number) in
        [(4, span.span_id), (5, span.parent_id), (6, span.start_ns), (7, span.duration_ns)]
    {
        table.key(key);
        table.out.unsigned(number);
    }
    table.key(8);
    table.out.boolean(span.is_error);
    table.key(9);
    attributes(table, span);
    table.field(10, &span.span_type);
    table.field(13, ENV);
    table.field(14, APP_VERSION);
    table.field(15, span.meta("component").unwrap_or_default());
    table.key(16);
    table.out.unsigned(match span.meta("span.kind") {
        Some("server") => 2,
        Some("client") => 3,
        Some("producer") => 4,
        Some("consumer") => 5,
        _ => 1,
    });
}

fn attributes<'a>(table: &mut Table<'a>, span: &'a Span) {
    let is_attribute = |key: &str| !PROMOTED.contains(&key);
    let texts = span.meta.iter().filter(|(key, _)| is_attribute(key));
    let numbers = span.metrics.iter().filter(|(key, _)| is_attribute(key));
    table.out.array(3 * (texts.clone().count() + numbers.clone().count()));
    for (key, value) in texts {
        table.text(key);
        table.out.unsigned(TEXT);
        table.text(value);
    }
    for (key, value) in numbers {
        table.text(key);
        table.out.unsigned(DOUBLE);
        table.out.double(*value);
    }
}
