//! Series v1, service checks, `/intake/` and metadata. spec: metrics-intake §4, §8.1, §8.3, §9.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{DecodeError, host_of, invalid, sorted_tags};
use crate::{Check, Event, Metadata, Metric, MetricKind, Payload, Point, Points, Resource, Route};

/// Keys of which each is enough to tell host metadata from other documents.
const HOST_METADATA_KEYS: [&str; 4] = ["meta", "host-tags", "systemStats", "gohai"];

#[derive(Deserialize)]
struct SeriesBody {
    series: Vec<SeriesItem>,
}

#[derive(Deserialize)]
struct SeriesItem {
    metric: String,
    points: Vec<(f64, f64)>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    host: String,
    device: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    interval: i64,
    #[serde(default)]
    source_type_name: String,
    #[serde(default)]
    unit: String,
}

#[derive(Deserialize)]
struct CheckItem {
    check: String,
    host_name: String,
    timestamp: i64,
    status: i64,
    message: String,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct EventsBody {
    #[serde(rename = "apiKey", default)]
    api_key: Option<String>,
    #[serde(rename = "internalHostname", default)]
    internal_hostname: Option<String>,
    events: BTreeMap<String, Vec<EventItem>>,
}

#[derive(Deserialize)]
struct EventItem {
    msg_title: String,
    msg_text: String,
    timestamp: i64,
    host: String,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    alert_type: String,
    #[serde(default)]
    aggregation_key: String,
    #[serde(default)]
    source_type_name: String,
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// `{"series": [...]}`.
pub(super) fn series(body: &[u8]) -> Result<Payload, DecodeError> {
    let body: SeriesBody = serde_json::from_slice(body)?;
    let metrics = body.series.into_iter().map(series_metric).collect::<Result<_, _>>()?;
    Ok(Payload { metrics, ..Payload::default() })
}

/// A list of service checks.
pub(super) fn checks(body: &[u8]) -> Result<Payload, DecodeError> {
    let items: Vec<CheckItem> = serde_json::from_slice(body)?;
    let checks = items.into_iter().map(check_record).collect();
    Ok(Payload { checks, ..Payload::default() })
}

/// Events, or a metadata document.
pub(super) fn intake(body: &[u8]) -> Result<Payload, DecodeError> {
    let document: Value = serde_json::from_slice(body)?;
    let Some(object) = document.as_object() else {
        return invalid("body is not a JSON object");
    };
    if HOST_METADATA_KEYS.iter().any(|key| object.contains_key(*key)) {
        return Ok(Payload { metadata: vec![Metadata::Host(document)], ..Payload::default() });
    }
    if object.contains_key("events") {
        return events(serde_json::from_value(document)?);
    }
    Ok(Payload { metadata: vec![Metadata::Other(document)], ..Payload::default() })
}

/// An inventory document.
pub(super) fn metadata(body: &[u8]) -> Result<Payload, DecodeError> {
    let document: Value = serde_json::from_slice(body)?;
    if !document.is_object() {
        return invalid("body is not a JSON object");
    }
    Ok(Payload { metadata: vec![Metadata::Other(document)], ..Payload::default() })
}

fn series_metric(item: SeriesItem) -> Result<Metric, DecodeError> {
    let kind = match item.kind.as_str() {
        "count" => MetricKind::Count,
        "rate" => MetricKind::Rate,
        "gauge" => MetricKind::Gauge,
        kind => return invalid(format!("{}: metric type {kind:?} is not known", item.metric)),
    };
    let mut points = Vec::with_capacity(item.points.len());
    for (timestamp, value) in item.points {
        let Some(timestamp_secs) = whole(timestamp) else {
            return invalid(format!("{}: timestamp {timestamp} is not an integer", item.metric));
        };
        points.push(Point { timestamp_secs, value });
    }
    let mut resources = vec![Resource { kind: "host".into(), name: item.host.into() }];
    if let Some(device) = item.device {
        resources.push(Resource { kind: "device".into(), name: device.into() });
    }
    Ok(Metric {
        name: item.metric.into(),
        kind,
        tags: sorted_tags(item.tags.unwrap_or_default()),
        host: host_of(&resources),
        resources: Arc::from(resources),
        interval_secs: item.interval,
        unit: item.unit.into(),
        source_type_name: item.source_type_name.into(),
        provenance: None,
        is_no_index: false,
        points: Points::Values(points),
        route: Route::SeriesV1,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, checked before")]
fn whole(timestamp: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    (timestamp.abs() < EXACT_MAX && timestamp.trunc().to_bits() == timestamp.to_bits())
        .then_some(timestamp as i64)
}

fn check_record(item: CheckItem) -> Check {
    let mut tags = item.tags.unwrap_or_default();
    tags.sort_unstable();
    Check {
        name: item.check,
        host: item.host_name,
        timestamp_secs: item.timestamp,
        status: item.status,
        message: item.message,
        tags,
    }
}

fn events(body: EventsBody) -> Result<Payload, DecodeError> {
    let mut payload = Payload::default();
    match body.api_key.as_deref() {
        Some("") => {}
        Some(_) => payload.remarks.push("apiKey of an events body is not empty".to_owned()),
        None => payload.remarks.push("an events body has no apiKey".to_owned()),
    }
    if body.internal_hostname.is_none() {
        payload.remarks.push("an events body has no internalHostname".to_owned());
    }
    for (source, items) in body.events {
        for item in items {
            let name = &item.source_type_name;
            let expected = if name.is_empty() { "api" } else { name };
            if source != expected {
                payload.remarks.push(format!("an event of source {expected} is under {source}"));
            }
            payload.events.push(event_record(item, &source));
        }
    }
    Ok(payload)
}

fn event_record(item: EventItem, source: &str) -> Event {
    let mut tags = item.tags.unwrap_or_default();
    tags.sort_unstable();
    Event {
        title: item.msg_title,
        text: item.msg_text,
        timestamp_secs: item.timestamp,
        priority: item.priority,
        host: item.host,
        tags,
        alert_type: item.alert_type,
        aggregation_key: item.aggregation_key,
        source_type_name: item.source_type_name,
        event_type: item.event_type,
        source: source.to_owned(),
    }
}
