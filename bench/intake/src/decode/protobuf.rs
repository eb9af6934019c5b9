//! Series v2, sketches v2 and event batches. spec: metrics-intake §3, §7.1, §8.2.

use std::sync::Arc;

use prost::Message;

use super::wire::Cursor;
use super::{DecodeError, host_of, invalid, sorted_tags};
use crate::{
    Event, Metric, MetricKind, Payload, Point, Points, Provenance, Resource, Route, SketchPoint,
};

/// Value of the reserved origin field 3 that asks not to index. spec: metrics-intake §5.
const NO_INDEX: u32 = 9;

#[derive(Clone, PartialEq, Message)]
struct MetricPayload {
    #[prost(message, repeated, tag = "1")]
    series: Vec<SeriesMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct SeriesMessage {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceMessage>,
    #[prost(string, tag = "2")]
    metric: String,
    #[prost(string, repeated, tag = "3")]
    tags: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    points: Vec<PointMessage>,
    #[prost(int32, tag = "5")]
    kind: i32,
    #[prost(string, tag = "6")]
    unit: String,
    #[prost(string, tag = "7")]
    source_type_name: String,
    #[prost(int64, tag = "8")]
    interval: i64,
    #[prost(message, optional, tag = "9")]
    metadata: Option<MetadataMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceMessage {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct PointMessage {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct MetadataMessage {
    #[prost(message, optional, tag = "1")]
    origin: Option<OriginMessage>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct OriginMessage {
    #[prost(uint32, tag = "3")]
    metric_type: u32,
    #[prost(uint32, tag = "4")]
    product: u32,
    #[prost(uint32, tag = "5")]
    category: u32,
    #[prost(uint32, tag = "6")]
    service: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SketchPayload {
    #[prost(message, repeated, tag = "1")]
    sketches: Vec<SketchMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct SketchMessage {
    #[prost(string, tag = "1")]
    metric: String,
    #[prost(string, tag = "2")]
    host: String,
    #[prost(bytes = "vec", repeated, tag = "3")]
    distributions: Vec<Vec<u8>>,
    #[prost(string, repeated, tag = "4")]
    tags: Vec<String>,
    #[prost(message, repeated, tag = "7")]
    dogsketches: Vec<DogsketchMessage>,
    #[prost(message, optional, tag = "8")]
    metadata: Option<MetadataMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct DogsketchMessage {
    #[prost(int64, tag = "1")]
    ts: i64,
    #[prost(int64, tag = "2")]
    cnt: i64,
    #[prost(double, tag = "3")]
    min: f64,
    #[prost(double, tag = "4")]
    max: f64,
    #[prost(double, tag = "5")]
    avg: f64,
    #[prost(double, tag = "6")]
    sum: f64,
    #[prost(sint32, repeated, tag = "7")]
    k: Vec<i32>,
    #[prost(uint32, repeated, tag = "8")]
    n: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct EventsPayload {
    #[prost(message, repeated, tag = "1")]
    events: Vec<EventMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct EventMessage {
    #[prost(string, tag = "1")]
    title: String,
    #[prost(string, tag = "2")]
    text: String,
    #[prost(int64, tag = "3")]
    ts: i64,
    #[prost(string, tag = "4")]
    priority: String,
    #[prost(string, tag = "5")]
    host: String,
    #[prost(string, repeated, tag = "6")]
    tags: Vec<String>,
    #[prost(string, tag = "7")]
    alert_type: String,
    #[prost(string, tag = "8")]
    aggregation_key: String,
    #[prost(string, tag = "9")]
    source_type_name: String,
}

/// Items at the top of one message; an empty one takes two bytes on the wire and some 250 here.
const ITEMS_MAX: usize = 1_000_000;

/// `MetricPayload`.
pub(super) fn series(body: &[u8]) -> Result<Payload, DecodeError> {
    check_item_count(body)?;
    let message = MetricPayload::decode(body)?;
    let metrics = message.series.into_iter().map(series_metric).collect::<Result<_, _>>()?;
    Ok(Payload { metrics, ..Payload::default() })
}

/// `SketchPayload`.
pub(super) fn sketches(body: &[u8]) -> Result<Payload, DecodeError> {
    check_item_count(body)?;
    let message = SketchPayload::decode(body)?;
    let mut payload = Payload::default();
    for sketch in message.sketches {
        if !sketch.distributions.is_empty() {
            payload.remarks.push(format!("{}: has the unused field distributions", sketch.metric));
        }
        payload.metrics.push(sketch_metric(sketch));
    }
    Ok(payload)
}

/// `EventsPayload`.
pub(super) fn events(body: &[u8]) -> Result<Payload, DecodeError> {
    check_item_count(body)?;
    let message = EventsPayload::decode(body)?;
    let events = message.events.into_iter().map(event_record).collect();
    Ok(Payload { events, ..Payload::default() })
}

fn check_item_count(body: &[u8]) -> Result<(), DecodeError> {
    let mut cursor = Cursor::new("protobuf message", body);
    let mut count = 0;
    while !cursor.is_empty() {
        cursor.field()?;
        count += 1;
        if count > ITEMS_MAX {
            return invalid(format!("more than {ITEMS_MAX} items in one message"));
        }
    }
    Ok(())
}

fn series_metric(series: SeriesMessage) -> Result<Metric, DecodeError> {
    let kind = match series.kind {
        1 => MetricKind::Count,
        2 => MetricKind::Rate,
        3 => MetricKind::Gauge,
        kind => return invalid(format!("{}: metric type {kind} is not known", series.metric)),
    };
    let resources: Arc<[Resource]> = series
        .resources
        .into_iter()
        .map(|resource| Resource { kind: resource.kind.into(), name: resource.name.into() })
        .collect();
    let points = series
        .points
        .into_iter()
        .map(|point| Point { timestamp_secs: point.timestamp, value: point.value })
        .collect();
    let (provenance, is_no_index) = attribution(series.metadata);
    Ok(Metric {
        name: series.metric.into(),
        kind,
        tags: sorted_tags(series.tags),
        host: host_of(&resources),
        resources,
        interval_secs: series.interval,
        unit: series.unit.into(),
        source_type_name: series.source_type_name.into(),
        provenance,
        is_no_index,
        points: Points::Values(points),
        route: Route::SeriesV2,
    })
}

fn sketch_metric(sketch: SketchMessage) -> Metric {
    let (provenance, is_no_index) = attribution(sketch.metadata);
    let points = sketch.dogsketches.into_iter().map(sketch_point).collect();
    Metric {
        name: sketch.metric.into(),
        kind: MetricKind::Sketch,
        tags: sorted_tags(sketch.tags),
        host: (!sketch.host.is_empty()).then(|| sketch.host.into()),
        resources: Arc::from([]),
        interval_secs: 0,
        unit: Arc::from(""),
        source_type_name: Arc::from(""),
        provenance,
        is_no_index,
        points: Points::Sketches(points),
        route: Route::SketchesV2,
    }
}

fn sketch_point(point: DogsketchMessage) -> SketchPoint {
    SketchPoint {
        timestamp_secs: point.ts,
        count: point.cnt,
        min: point.min,
        max: point.max,
        avg: point.avg,
        sum: point.sum,
        is_paired: point.k.len() == point.n.len(),
        bins: point.k.into_iter().zip(point.n).collect(),
    }
}

fn attribution(metadata: Option<MetadataMessage>) -> (Option<Provenance>, bool) {
    let Some(origin) = metadata.and_then(|metadata| metadata.origin) else {
        return (None, false);
    };
    let OriginMessage { metric_type, product, category, service } = origin;
    (Some(Provenance { product, category, service }), metric_type == NO_INDEX)
}

fn event_record(event: EventMessage) -> Event {
    let mut tags = event.tags;
    tags.sort_unstable();
    Event {
        title: event.title,
        text: event.text,
        timestamp_secs: event.ts,
        priority: event.priority,
        host: event.host,
        tags,
        alert_type: event.alert_type,
        aggregation_key: event.aggregation_key,
        source_type_name: event.source_type_name,
        event_type: String::new(),
        source: String::new(),
    }
}
