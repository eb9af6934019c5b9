//! The trace pipeline as the expvars of the Agent's trace process. spec: apm §2, debug server.

use serde_json::{Map, Value, json};

use crate::Snapshot;
use crate::traces::TraceStatus;

/// The document of `/debug/vars` on the debug port. Counters are those since the start; processor
/// time is in cores, memory is what is resident, and a limit of 0 is none.
#[must_use]
pub fn trace_vars(snapshot: &Snapshot) -> Value {
    let none = TraceStatus::default();
    let traces = snapshot.traces.as_ref().unwrap_or(&none);
    let of = |counts: &std::collections::BTreeMap<String, u64>, name: &str| {
        counts.get(name).copied().unwrap_or(0)
    };
    let (writer, stats) = (&traces.writer, &traces.stats);
    json!({
        "receiver": receiver(traces),
        "trace_writer": {
            "Payloads": of(writer, "payloads_out"),
            "Traces": of(writer, "chunks_out"),
            "Spans": of(writer, "spans_out"),
            "Bytes": of(writer, "bytes_compressed"),
            "BytesUncompressed": of(writer, "bytes_uncompressed"),
            "Dropped": of(writer, "chunks_dropped"),
        },
        "stats_writer": {
            "Payloads": of(stats, "bodies_out"),
            "ClientPayloads": of(stats, "client_payloads"),
            "StatsEntries": of(stats, "groups_out"),
            "Bytes": of(stats, "bytes_compressed"),
            "BytesUncompressed": of(stats, "bytes_uncompressed"),
            "Dropped": of(stats, "bodies_dropped"),
        },
        "ratebyservice": traces.rates,
        "sampler": traces
            .samplers
            .iter()
            .map(|row| (row.name.clone(), json!({ "Seen": row.seen, "Kept": row.kept })))
            .collect::<Map<_, _>>(),
        "normalizer": {
            "TracesDropped": traces.traces_dropped,
            "SpansMalformed": traces.malformed,
        },
        "watchdog": {
            "CPU": { "UserAvg": traces.cpu_percent / 100.0 },
            "Mem": { "Alloc": snapshot.memory.rss_bytes },
            "MaxCPU": traces.cpu_percent_max / 100.0,
            "MaxMem": traces.memory_bytes_max,
            "Refusing": traces.shedding,
            "Refused": {
                "memory": of(&traces.server, "payloads_shed_memory"),
                "cpu": of(&traces.server, "payloads_shed_cpu"),
            },
        },
        "config": { "TargetTPS": traces.target_tps, "ErrorTPS": traces.errors_tps },
        "pid": snapshot.pid,
        "uptime": snapshot.uptime_secs,
        "version": { "Version": snapshot.version },
    })
}

/// One entry for each kind of tracer, with what it was refused.
fn receiver(traces: &TraceStatus) -> Value {
    let refused = |language: &str, version: &str| -> u64 {
        let rows = traces.refused.iter();
        let rows = rows.filter(|row| row.language == language && row.tracer_version == version);
        rows.flat_map(|row| row.requests.values()).sum()
    };
    let rows = traces.tracers.iter().map(|row| {
        json!({
            "Lang": row.language,
            "TracerVersion": row.tracer_version,
            "EndpointVersion": row.endpoint,
            "PayloadAccepted": row.payloads,
            "PayloadRefused": refused(&row.language, &row.tracer_version),
            "TracesReceived": row.traces,
            "SpansReceived": row.spans,
            "TracesBytes": row.bytes,
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_snapshot::busy;

    #[test]
    fn counters_stand_under_the_names_of_the_agent() {
        let vars = trace_vars(&busy());
        let python = &vars["receiver"][0];
        assert_eq!((&python["Lang"], &python["TracesReceived"]), (&json!("python"), &json!(6)));
        for name in
            ["trace_writer", "stats_writer", "ratebyservice", "normalizer", "sampler", "watchdog"]
        {
            assert!(vars[name].is_object(), "{name}: {vars}");
        }
        let watchdog = &vars["watchdog"];
        assert!(watchdog["CPU"]["UserAvg"].is_f64() && watchdog["Mem"]["Alloc"].is_u64());
        assert!(vars["pid"].is_number() && vars["uptime"].is_number());
    }
}
