//! The counters of the worker for `status`.

use std::collections::BTreeMap;

use ingest::Counts;
use status::IngestStatus;

pub(super) fn status(counts: &Counts, takes_logs: bool) -> IngestStatus {
    let owned = |counts: &BTreeMap<&'static str, u64>| {
        counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
    };
    let points = &counts.points;
    IngestStatus {
        bodies: counts.bodies,
        body_bytes: counts.body_bytes,
        bodies_malformed: counts.bodies_malformed,
        bodies_refused: owned(&counts.bodies_refused),
        waiting_bytes: counts.waiting_bytes,
        answers: counts.answers.clone(),
        connections: counts.connections,
        takes_logs,
        logs_received: counts.logs_received,
        logs_dropped: owned(&counts.logs_dropped),
        logs_sent: counts.logs_sent,
        logs_waiting: counts.logs_waiting,
        log_payloads: counts.log_payloads,
        log_bytes: counts.log_bytes,
        trace_requests: counts.trace_requests,
        points_received: points.received,
        points_translated: points.translated,
        points_dropped: owned(&points.dropped),
        points_in: points.points_in,
        points_out: points.points_out,
        points_lost: points.points_lost,
    }
}
