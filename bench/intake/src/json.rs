//! Records as JSON, for the query interface.

pub(crate) mod apm;

use serde_json::{Value, json};

use crate::request::mask;
use crate::totals::Totals;
use crate::{Check, Event, Log, Metadata, Metric, Request, Violation};

/// A series or a sketch.
pub(crate) fn metric(metric: &Metric) -> Value {
    let tags: Vec<&str> = metric.tags.iter().map(|tag| &**tag).collect();
    let resources: Vec<Value> = metric
        .resources
        .iter()
        .map(|resource| json!({"type": &*resource.kind, "name": &*resource.name}))
        .collect();
    let points: Vec<Value> = metric
        .points
        .values()
        .iter()
        .map(|point| json!([point.timestamp_secs, point.value]))
        .collect();
    let sketches: Vec<Value> = metric
        .points
        .sketches()
        .iter()
        .map(|point| {
            json!({
                "timestamp": point.timestamp_secs, "count": point.count, "min": point.min,
                "max": point.max, "avg": point.avg, "sum": point.sum, "bins": point.bins,
            })
        })
        .collect();
    json!({
        "name": &*metric.name,
        "kind": metric.kind.name(),
        "tags": tags,
        "host": metric.host.as_deref(),
        "resources": resources,
        "interval": metric.interval_secs,
        "unit": &*metric.unit,
        "source_type_name": &*metric.source_type_name,
        "provenance": metric.provenance.map(|provenance| {
            [provenance.product, provenance.category, provenance.service]
        }),
        "no_index": metric.is_no_index,
        "points": points,
        "sketches": sketches,
        "total": metric.total(),
        "route": metric.route.name(),
    })
}

/// An event.
pub(crate) fn event(event: &Event) -> Value {
    json!({
        "title": event.title, "text": event.text, "timestamp": event.timestamp_secs,
        "priority": event.priority, "host": event.host, "tags": event.tags,
        "alert_type": event.alert_type, "aggregation_key": event.aggregation_key,
        "source_type_name": event.source_type_name, "event_type": event.event_type,
        "source": event.source,
    })
}

/// A service check.
pub(crate) fn check(check: &Check) -> Value {
    json!({
        "name": check.name, "host": check.host, "timestamp": check.timestamp_secs,
        "status": check.status, "message": check.message, "tags": check.tags,
    })
}

/// A log.
pub(crate) fn log(log: &Log) -> Value {
    json!({
        "message": log.message, "status": log.status, "timestamp": log.timestamp_ms,
        "hostname": log.hostname, "service": log.service, "source": log.source, "tags": log.tags,
        "extra": log.extra, "bytes": log.encoded_bytes,
    })
}

/// A metadata document with its kind.
pub(crate) fn metadata(metadata: &Metadata) -> Value {
    let kind = match metadata {
        Metadata::Host(_) => "host",
        Metadata::Other(_) => "other",
    };
    json!({"kind": kind, "document": without_key(metadata.value())})
}

/// A request; keys are masked wherever they stand.
pub(crate) fn request(request: &Request) -> Value {
    let headers: Vec<(&str, String)> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let value = if name == "dd-api-key" { mask(value) } else { value.clone() };
            (name.as_str(), value)
        })
        .collect();
    json!({
        "id": request.id,
        "received_ms": request.received_ms,
        "method": request.method,
        "path": request.path,
        "http_version": request.http_version,
        "route": request.route.map(crate::Route::name),
        "key": request.masked_key(),
        "headers": headers,
        "encoded_bytes": request.encoded_bytes,
        "decoded_bytes": request.decoded_bytes,
        "status": request.status,
        "error": request.error,
        "accepted": request.is_accepted,
        "resent": request.is_resent,
        "series": request.series_count,
        "sketches": request.sketch_count,
        "points": request.point_count,
        "events": request.event_count,
        "checks": request.check_count,
        "chunks": request.chunk_count,
        "spans": request.span_count,
        "groups": request.group_count,
        "logs": request.log_count,
        "violations": request.violation_count,
    })
}

/// A broken rule.
pub(crate) fn violation(violation: &Violation) -> Value {
    json!({
        "request": violation.request_id,
        "rule": violation.rule.name(),
        "detail": violation.detail,
    })
}

/// The sums.
pub(crate) fn totals(totals: &Totals) -> Value {
    let requests: Vec<Value> = totals
        .requests
        .iter()
        .map(|((route, status), count)| json!({"route": route, "status": status, "count": count}))
        .collect();
    let violations: serde_json::Map<String, Value> = totals
        .violations
        .iter()
        .map(|(rule, count)| (rule.name().to_owned(), json!(count)))
        .collect();
    let by_name: serde_json::Map<String, Value> = totals
        .by_name
        .iter()
        .map(|(name, sums)| {
            let sums = json!({
                "points": sums.points, "counted": sums.counted, "gauge_sum": sums.gauge_sum,
                "gauge_last": sums.gauge_last, "sketched": sums.sketched,
                "sketch_sum": sums.sketch_sum,
            });
            (name.clone(), sums)
        })
        .collect();
    json!({
        "requests": requests,
        "request_count": totals.request_count(),
        "encoded_bytes": totals.encoded_bytes,
        "decoded_bytes": totals.decoded_bytes,
        "accepted": totals.accepted,
        "resent": totals.resent,
        "series": totals.series,
        "sketches": totals.sketches,
        "points": totals.points,
        "contexts": totals.contexts,
        "events": totals.events,
        "checks": totals.checks,
        "metadata": totals.metadata,
        "overwrites": totals.overwrites,
        "violations": violations,
        "violation_count": totals.violation_count(),
        "by_name": by_name,
        "traces": apm::trace_totals(&totals.traces),
        "stats": apm::stats_totals(&totals.stats),
        "logs": {
            "requests": totals.logs.requests, "entries": totals.logs.entries,
            "entry_bytes": totals.logs.entry_bytes, "by_service": totals.logs.by_service,
        },
    })
}

/// Host metadata carries the key in its body.
fn without_key(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(Value::String(key)) = document.get_mut("apiKey") {
        *key = mask(key);
    }
    document
}
