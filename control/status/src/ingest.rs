//! Logs and OTLP, in `status`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::format::{bytes, count};
use crate::identities::{Identity, exact, open};
use crate::prometheus::{Kind, Page as Metrics};
use crate::text::{Page, reasons};

/// What was handed over as logs or OTLP, counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IngestStatus {
    /// Bodies that were taken.
    pub bodies: u64,
    /// Bytes of these.
    pub body_bytes: u64,
    /// Bodies that cannot be read.
    pub bodies_malformed: u64,
    /// Bodies that were refused at the door, by reason.
    pub bodies_refused: BTreeMap<String, u64>,
    /// Bytes of bodies that wait now.
    pub waiting_bytes: u64,
    /// Answers over HTTP and gRPC, by status.
    pub answers: BTreeMap<u16, u64>,
    /// Connections that were opened.
    pub connections: u64,
    /// Whether logs are taken.
    pub takes_logs: bool,
    /// Logs received.
    pub logs_received: u64,
    /// Logs dropped, by reason.
    pub logs_dropped: BTreeMap<String, u64>,
    /// Logs in payloads.
    pub logs_sent: u64,
    /// Logs in the batch.
    pub logs_waiting: u64,
    /// Payloads of logs.
    pub log_payloads: u64,
    /// Bytes of these before compression.
    pub log_bytes: u64,
    /// OTLP requests with traces that lanes took.
    pub trace_requests: u64,
    /// Data points received.
    pub points_received: u64,
    /// Data points that led to something, or are remembered for the next one.
    pub points_translated: u64,
    /// Data points dropped, by reason.
    pub points_dropped: BTreeMap<String, u64>,
    /// Points handed to the encoder; one data point may become several.
    pub points_in: u64,
    /// Points in payloads.
    pub points_out: u64,
    /// Points that fit in no payload, or are no finite numbers.
    pub points_lost: u64,
}

pub(crate) fn identities(ingest: &IngestStatus) -> [Identity; 3] {
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    [
        exact(
            "logs",
            ingest.logs_received,
            ingest.logs_sent + ingest.logs_waiting + sum(&ingest.logs_dropped),
            "received = in payloads + in the batch + dropped",
        ),
        exact(
            "OTLP points",
            ingest.points_received,
            ingest.points_translated + sum(&ingest.points_dropped),
            "received = translated + dropped",
        ),
        open(
            "translated points",
            ingest.points_in,
            ingest.points_out + ingest.points_lost,
            "to the encoder = in payloads + dropped + waiting",
        ),
    ]
}

pub(crate) fn page(page: &mut Page, ingest: &IngestStatus) {
    page.title("Logs and OTLP", '-');
    let malformed = match ingest.bodies_malformed {
        0 => String::new(),
        bodies => format!(", {} malformed", count(bodies)),
    };
    let taken = format!("{} of {}", count(ingest.bodies), bytes(ingest.body_bytes));
    page.field(
        "bodies",
        &format!("{taken}{malformed}{}", lost(", refused: ", &ingest.bodies_refused)),
    );
    if ingest.connections > 0 {
        let answers: Vec<String> = ingest
            .answers
            .iter()
            .map(|(status, n)| format!("{} with {status}", count(*n)))
            .collect();
        page.field("answers", &answers.join(", "));
    }
    if ingest.takes_logs {
        let (received, sent) = (count(ingest.logs_received), count(ingest.logs_sent));
        let (payloads, waiting) = (count(ingest.log_payloads), count(ingest.logs_waiting));
        let dropped = lost(", dropped: ", &ingest.logs_dropped);
        let line = format!("{received} received, {sent} in {payloads} payloads, {waiting} waiting");
        page.field("logs", &format!("{line}{dropped}"));
    } else {
        page.field("logs", "not taken (logs_enabled)");
    }
    if ingest.trace_requests > 0 {
        page.field("OTLP traces", &format!("{} requests", count(ingest.trace_requests)));
    }
    if ingest.points_received > 0 {
        let (received, sent) = (count(ingest.points_received), count(ingest.points_out));
        let dropped = lost(", dropped: ", &ingest.points_dropped);
        page.field("OTLP points", &format!("{received} received, {sent} in payloads{dropped}"));
    }
}

/// What was not taken, if there is any of it.
fn lost(what: &str, counts: &BTreeMap<String, u64>) -> String {
    let reasons = reasons(counts, "");
    if reasons.is_empty() { reasons } else { format!("{what}{reasons}") }
}

pub(crate) fn metrics(page: &mut Metrics, ingest: &IngestStatus) {
    let single = [
        ("bodies", Kind::Counter, "Bodies of logs and OTLP.", ingest.bodies),
        ("body_bytes", Kind::Counter, "Bytes of these.", ingest.body_bytes),
        ("bodies_malformed", Kind::Counter, "Bodies that are no such.", ingest.bodies_malformed),
        ("waiting_bytes", Kind::Gauge, "Bytes that wait.", ingest.waiting_bytes),
        ("connections", Kind::Counter, "Connections.", ingest.connections),
        ("logs_received", Kind::Counter, "Logs received.", ingest.logs_received),
        ("logs_sent", Kind::Counter, "Logs in payloads.", ingest.logs_sent),
        ("logs_waiting", Kind::Gauge, "Logs in the batch.", ingest.logs_waiting),
        ("log_payloads", Kind::Counter, "Payloads of logs.", ingest.log_payloads),
        ("log_bytes", Kind::Counter, "Bytes of payloads of logs.", ingest.log_bytes),
        ("trace_requests", Kind::Counter, "OTLP requests with traces.", ingest.trace_requests),
        ("points_received", Kind::Counter, "OTLP data points.", ingest.points_received),
        ("points_out", Kind::Counter, "OTLP points in payloads.", ingest.points_out),
        ("points_lost", Kind::Counter, "OTLP points in no payload.", ingest.points_lost),
    ];
    for (name, kind, help, value) in single {
        let name = format!("corelane_ingest_{name}");
        page.family(&name, kind, help);
        page.sample(&name, &[], value);
    }
    for (name, help, counts) in [
        ("bodies_refused", "Bodies refused.", &ingest.bodies_refused),
        ("logs_dropped", "Logs dropped.", &ingest.logs_dropped),
        ("points_dropped", "OTLP data points dropped.", &ingest.points_dropped),
    ] {
        let name = format!("corelane_ingest_{name}");
        page.family(&name, Kind::Counter, help);
        for (reason, count) in counts {
            page.sample(&name, &[("reason", reason)], *count);
        }
    }
    let name = "corelane_ingest_answers";
    page.family(name, Kind::Counter, "Answers over HTTP and gRPC.");
    for (status, count) in &ingest.answers {
        page.sample(name, &[("status", &status.to_string())], *count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_in_one_place() {
        let mut ingest = IngestStatus {
            takes_logs: true,
            bodies: 3,
            logs_received: 5,
            logs_sent: 3,
            logs_waiting: 1,
            logs_dropped: [("excluded".to_owned(), 1)].into(),
            points_received: 4,
            points_translated: 3,
            points_dropped: [("not_finite".to_owned(), 1)].into(),
            points_in: 3,
            points_out: 2,
            ..IngestStatus::default()
        };
        assert!(identities(&ingest).iter().all(|identity| identity.holds));
        let mut text = Page::new();
        page(&mut text, &ingest);
        let text = text.into_text();
        assert!(
            text.contains("5 received, 3 in 0 payloads, 1 waiting, dropped: 1 excluded"),
            "{text}"
        );
        assert!(text.contains("4 received, 2 in payloads, dropped: 1 not finite"), "{text}");
        ingest.logs_waiting = 0;
        assert!(!identities(&ingest)[0].holds, "a log is lost");
        ingest.takes_logs = false;
        let mut text = Page::new();
        page(&mut text, &ingest);
        assert!(text.into_text().contains("not taken (logs_enabled)"));
    }
}
