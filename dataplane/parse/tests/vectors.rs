//! The spec's parse table and packet splitting, as data. spec: dogstatsd §15.1.
//!
//! `tests/vectors/dogstatsd_parse.jsonl` holds one line of a packet per entry with the record or
//! the refusal it must give; a field that is absent there must have its default. `P` ids are the
//! spec's, `X` ids are ours.

use corelane_parse::{Event, Fields, Line, Lines, Message, Metric, MetricKind, Options, Refused};
use corelane_parse::{ServiceCheck, Values, unescape_newlines};
use serde::Deserialize;

/// spec: dogstatsd §15.1, "setting for all".
const OPTIONS: Options = Options { has_timestamps: true, has_client_origin: true };

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    line: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Metric(MetricRecord),
    Check(CheckRecord),
    Event(EventRecord),
    Refused(String),
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct MetricRecord {
    name: String,
    kind: String,
    values: Vec<Number>,
    member: Option<String>,
    rate: Number,
    timestamp_secs: i64,
    tags: String,
    local_data: String,
    external_data: String,
    cardinality: String,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct CheckRecord {
    name: String,
    status: u8,
    timestamp_secs: i64,
    host: Option<String>,
    message: String,
    tags: String,
    local_data: String,
    external_data: String,
    cardinality: String,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct EventRecord {
    title: String,
    text: String,
    timestamp_secs: i64,
    host: Option<String>,
    aggregation_key: String,
    priority: Option<String>,
    source_type: String,
    alert_type: String,
    tags: String,
    local_data: String,
    external_data: String,
    cardinality: String,
}

/// A number of a vector; JSON has no `NaN` and no infinity, so those are written as strings.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(f64),
    Named(String),
}

impl Number {
    fn value(&self) -> f64 {
        match self {
            Self::Plain(value) => *value,
            Self::Named(name) => name.parse().expect("NaN, inf or -inf"),
        }
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(1.0)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.value(), other.value());
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PacketVector {
    id: String,
    packet: String,
    eol_required: bool,
    lines: Vec<String>,
    unterminated: bool,
}

#[test]
fn every_line_gives_its_record_or_refusal() {
    let text = include_str!("../../../tests/vectors/dogstatsd_parse.jsonl");
    let vectors: Vec<Vector> = read_json_lines(text);
    let spec_count = vectors.iter().filter(|vector| vector.id.starts_with('P')).count();
    assert_eq!(spec_count, 107, "the spec's table is complete");
    for vector in vectors {
        let got = parse_line(&Line::new(vector.line.as_bytes()));
        assert_eq!(got, vector.outcome, "{}: {}", vector.id, vector.line);
    }
}

#[test]
fn every_packet_gives_its_lines() {
    let text = include_str!("../../../tests/vectors/dogstatsd_packets.jsonl");
    for vector in read_json_lines::<PacketVector>(text) {
        let mut lines = Lines::new(vector.packet.as_bytes(), vector.eol_required);
        let got: Vec<String> = lines.by_ref().map(|line| text_of(line.bytes)).collect();
        assert_eq!(got, vector.lines, "{}", vector.id);
        assert_eq!(lines.is_unterminated(), vector.unterminated, "{}", vector.id);
    }
}

/// A line is judged by itself: the whole table in one packet gives the same outcomes.
#[test]
fn neighbours_do_not_change_an_outcome() {
    let text = include_str!("../../../tests/vectors/dogstatsd_parse.jsonl");
    let vectors: Vec<Vector> = read_json_lines(text);
    let packet: Vec<&str> = vectors.iter().map(|vector| vector.line.as_str()).collect();
    let packet = packet.join("\n");
    let mut lines = Lines::new(packet.as_bytes(), false);
    for vector in &vectors {
        let got = lines.next().as_ref().map(parse_line);
        assert_eq!(got.as_ref(), Some(&vector.outcome), "{}", vector.id);
    }
    assert!(lines.next().is_none());
}

fn read_json_lines<T: for<'a> Deserialize<'a>>(text: &str) -> Vec<T> {
    let parse = |line| serde_json::from_str(line).map_err(|error| format!("{line}: {error}"));
    text.lines().map(|line| parse(line).expect("a well-formed vector")).collect()
}

fn parse_line(line: &Line<'_>) -> Outcome {
    let mut values = Vec::new();
    match Message::parse(line, OPTIONS, &mut values) {
        Ok(Message::Metric(metric)) => Outcome::Metric(metric_record(&metric, &values)),
        Ok(Message::ServiceCheck(check)) => Outcome::Check(check_record(&check)),
        Ok(Message::Event(event)) => Outcome::Event(event_record(&event)),
        Err(refused) => Outcome::Refused(refusal_name(refused).to_owned()),
    }
}

fn metric_record(metric: &Metric<'_>, values: &[f64]) -> MetricRecord {
    let kind = match metric.kind {
        MetricKind::Gauge => "gauge",
        MetricKind::Counter => "counter",
        MetricKind::Histogram => "histogram",
        MetricKind::Timing => "timing",
        MetricKind::Distribution => "distribution",
        MetricKind::Set => "set",
    };
    let (values, member) = match metric.values {
        Values::Number(value) => {
            assert!(values.is_empty(), "only packed values go to the buffer");
            (vec![Number::Plain(value)], None)
        }
        Values::Numbers { count } => {
            assert_eq!(count as usize, values.len(), "the buffer holds this line's values only");
            (values.iter().copied().map(Number::Plain).collect(), None)
        }
        Values::Member(member) => (Vec::new(), Some(text_of(member))),
    };
    let [tags, local_data, external_data, cardinality] = field_texts(&metric.fields);
    MetricRecord {
        name: text_of(metric.name),
        kind: kind.to_owned(),
        values,
        member,
        rate: Number::Plain(metric.rate),
        timestamp_secs: metric.timestamp_secs,
        tags,
        local_data,
        external_data,
        cardinality,
    }
}

fn check_record(check: &ServiceCheck<'_>) -> CheckRecord {
    let [tags, local_data, external_data, cardinality] = field_texts(&check.fields);
    CheckRecord {
        name: text_of(check.name),
        status: check.status,
        timestamp_secs: check.timestamp_secs,
        host: check.host.map(text_of),
        message: text_of(check.message),
        tags,
        local_data,
        external_data,
        cardinality,
    }
}

fn event_record(event: &Event<'_>) -> EventRecord {
    let [tags, local_data, external_data, cardinality] = field_texts(&event.fields);
    EventRecord {
        title: unescape_newlines(event.title),
        text: unescape_newlines(event.text),
        timestamp_secs: event.timestamp_secs,
        host: event.host.map(text_of),
        aggregation_key: text_of(event.aggregation_key),
        priority: event.is_low_priority.then(|| "low".to_owned()),
        source_type: text_of(event.source_type),
        alert_type: text_of(event.alert_type),
        tags,
        local_data,
        external_data,
        cardinality,
    }
}

fn field_texts(fields: &Fields<'_>) -> [String; 4] {
    let client = fields.client.unwrap_or_default();
    [fields.tags, client.local_data, client.external_data, client.cardinality].map(text_of)
}

fn refusal_name(refused: Refused) -> &'static str {
    match refused {
        Refused::Format => "format",
        Refused::NameOrValue => "name_or_value",
        Refused::Type => "type",
        Refused::Value => "value",
        Refused::Rate => "rate",
        Refused::Timestamp => "timestamp",
        Refused::Event => "event",
        Refused::Check => "check",
    }
}

fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).expect("vectors are UTF-8").to_owned()
}
