//! The snapshot as the Agent's expvars. spec: dogstatsd §14.3, config §12.3.

use serde_json::{Map, Value, json};
use signal::Counter;

use crate::Snapshot;

/// The document of `/debug/vars`.
#[must_use]
pub fn vars(snapshot: &Snapshot) -> Value {
    let total = |counter| snapshot.total(counter);
    let metric_errors: u64 = [
        Counter::RefusedFormat,
        Counter::RefusedNameOrValue,
        Counter::RefusedType,
        Counter::RefusedValue,
        Counter::RefusedRate,
        Counter::RefusedTimestamp,
    ]
    .map(total)
    .iter()
    .sum();
    json!({
        "aggregator": {
            "Flush": snapshot.flush.count,
            "DogstatsdContexts": total(Counter::ContextsAlive),
            "DogstatsdMetricSample": total(Counter::Recorded),
            "SeriesFlushed": snapshot.flush.series,
            "SketchesFlushed": snapshot.flush.sketches,
        },
        "dogstatsd": {
            "ServiceCheckParseErrors": total(Counter::RefusedCheck),
            "ServiceCheckPackets": total(Counter::ServiceChecks),
            "EventParseErrors": total(Counter::RefusedEvent),
            "EventPackets": total(Counter::Events),
            "MetricParseErrors": metric_errors,
            "MetricPackets": total(Counter::MetricLines),
            "UnterminatedMetricErrors": total(Counter::Unterminated),
        },
        "dogstatsd-udp": {
            "PacketReadingErrors": 0,
            "Packets": total(Counter::UdpPackets),
            "Bytes": total(Counter::UdpBytes),
        },
        "dogstatsd-uds": {
            "OriginDetectionErrors": total(Counter::OriginErrors),
            "PacketReadingErrors": total(Counter::ReadErrors),
            "Packets": total(Counter::UdsPackets) + total(Counter::StreamPackets),
            "Bytes": total(Counter::UdsBytes) + total(Counter::StreamBytes),
        },
        "forwarder": forwarder(snapshot),
        "hostname": { "hostname": snapshot.host_name },
        "corelane": serde_json::to_value(&snapshot.totals).unwrap_or_default(),
        "pid": snapshot.pid,
        "uptime": snapshot.uptime_secs,
        "version": snapshot.version,
    })
}

fn forwarder(snapshot: &Snapshot) -> Value {
    let endpoints = &snapshot.endpoints;
    let sum = |of: fn(&crate::EndpointStatus) -> u64| endpoints.iter().map(of).sum::<u64>();
    let mut keys = Map::new();
    let mut errors = Map::new();
    for endpoint in endpoints {
        for ending in &endpoint.key_endings {
            let name = format!("API key ending with {ending}");
            keys.insert(name, Value::from(endpoint.key_valid.clone()));
        }
        for (status, count) in endpoint.http.iter().filter(|(status, _)| **status >= 400) {
            let known = errors.get(&status.to_string()).and_then(Value::as_u64).unwrap_or(0);
            errors.insert(status.to_string(), Value::from(known + count));
        }
    }
    let error_count: u64 = errors.values().filter_map(Value::as_u64).sum();
    json!({
        "APIKeyStatus": keys,
        "Transactions": {
            "Success": sum(|endpoint| endpoint.sent),
            "SuccessBytes": sum(|endpoint| endpoint.bytes_sent),
            "Dropped": sum(crate::EndpointStatus::dropped_total),
            "Retried": sum(|endpoint| endpoint.retried),
            "RetryQueueSize": sum(|endpoint| endpoint.queued),
            "HTTPErrors": error_count,
            "HTTPErrorsByCode": errors,
        },
        "FileStorage": {
            "FilesCount": sum(|endpoint| endpoint.spooled_files),
            "CurrentSizeInBytes": sum(|endpoint| endpoint.spooled_bytes),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_snapshot::busy;

    #[test]
    fn the_names_are_those_of_the_agent() {
        let document = vars(&busy());
        assert_eq!(document["dogstatsd-udp"]["Packets"], 50);
        assert_eq!(document["dogstatsd"]["MetricParseErrors"], 7);
        assert_eq!(document["dogstatsd"]["ServiceCheckPackets"], 3);
        assert_eq!(document["forwarder"]["Transactions"]["Success"], 11);
        assert_eq!(document["forwarder"]["Transactions"]["HTTPErrorsByCode"]["503"], 1);
        assert_eq!(document["forwarder"]["APIKeyStatus"]["API key ending with abcde"], "valid");
    }
}
