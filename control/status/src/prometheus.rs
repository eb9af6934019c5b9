//! The snapshot in the Prometheus text format.
//!
//! What the Agent counts too has the Agent's name (spec: dogstatsd §14.3), summed over the lanes;
//! everything else is `corelane_...`, per lane where a lane counts it.

use std::fmt::Write;

use signal::Counter;

use crate::{RemoteStatus, Snapshot, TraceStatus, identities};

/// The text.
#[must_use]
pub fn prometheus(snapshot: &Snapshot) -> String {
    let mut page = Page(String::with_capacity(16 << 10));
    names_of_the_agent(&mut page, snapshot);
    lanes(&mut page, snapshot);
    flushes(&mut page, snapshot);
    if let Some(status) = &snapshot.traces {
        traces(&mut page, status);
        crate::proxies::metrics(&mut page, &snapshot.proxies);
    }
    if let Some(ingest) = &snapshot.ingest {
        crate::ingest::metrics(&mut page, ingest);
    }
    if let Some(status) = &snapshot.remote {
        remote(&mut page, status);
    }
    crate::flares::metrics(&mut page, &snapshot.flares);
    endpoints(&mut page, snapshot);
    process(&mut page, snapshot);
    page.0
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

pub(crate) struct Page(String);

impl Page {
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            self.push(format_args!("{label}=\""));
            self.escaped(text);
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        self.push(format_args!(" {value}\n"));
    }

    /// A family of one sample without labels.
    pub(crate) fn single(&mut self, name: &str, kind: Kind, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        let written = self.0.write_fmt(arguments);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
}

fn names_of_the_agent(page: &mut Page, snapshot: &Snapshot) {
    let total = |counter| snapshot.total(counter);
    let refused: u64 = [
        Counter::Unterminated,
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

    let name = "dogstatsd__processed";
    page.family(name, Kind::Counter, "Messages by type and whether they could be parsed.");
    for (message, state, value) in [
        ("metrics", "ok", total(Counter::MetricLines)),
        ("metrics", "error", refused),
        ("events", "ok", total(Counter::Events)),
        ("events", "error", total(Counter::RefusedEvent)),
        ("service_checks", "ok", total(Counter::ServiceChecks)),
        ("service_checks", "error", total(Counter::RefusedCheck)),
    ] {
        page.sample(name, &[("message_type", message), ("state", state)], value);
    }

    let name = "dogstatsd__udp_packets";
    page.family(name, Kind::Counter, "Datagrams received over UDP.");
    page.sample(name, &[("state", "ok")], total(Counter::UdpPackets));
    let name = "dogstatsd__udp_packets_bytes";
    page.single(name, Kind::Counter, "Bytes received over UDP.", total(Counter::UdpBytes));

    let name = "dogstatsd__uds_packets";
    page.family(name, Kind::Counter, "Packets received over Unix sockets.");
    let unixgram = [("transport", "unixgram"), ("state", "ok")];
    page.sample(name, &unixgram, total(Counter::UdsPackets));
    page.sample(name, &[("transport", "unix"), ("state", "ok")], total(Counter::StreamPackets));
    let name = "dogstatsd__uds_packets_bytes";
    page.family(name, Kind::Counter, "Bytes received over Unix sockets.");
    page.sample(name, &[("transport", "unixgram")], total(Counter::UdsBytes));
    page.sample(name, &[("transport", "unix")], total(Counter::StreamBytes));

    use Kind::{Counter as Count, Gauge};
    for (name, kind, help, value) in [
        (
            "dogstatsd__uds_origin_detection_error",
            Count,
            "Packets without usable credentials while origin detection was on.",
            total(Counter::OriginErrors),
        ),
        ("dogstatsd__uds_connections", Gauge, "Open streams.", total(Counter::StreamsOpen)),
        (
            "dogstatsd__listener_filtered_points",
            Count,
            "Samples whose name is on the filter list.",
            total(Counter::DroppedFiltered),
        ),
        (
            "dogstatsd__string_interner_entries",
            Gauge,
            "Distinct tags interned.",
            total(Counter::TagsAlive),
        ),
        ("aggregator__flush", Count, "Flushes.", snapshot.flush.count),
        ("aggregator__processed", Count, "Samples aggregated.", total(Counter::Recorded)),
        ("aggregator__dogstatsd_contexts", Gauge, "Contexts alive.", total(Counter::ContextsAlive)),
    ] {
        page.single(name, kind, help, value);
    }
    let name = "no_aggregation__processed";
    page.family(name, Kind::Counter, "Timestamped samples.");
    page.sample(name, &[("state", "ok")], total(Counter::RecordedTimed));
}

fn lanes(page: &mut Page, snapshot: &Snapshot) {
    for counter in Counter::ALL {
        let help = counter.help().trim();
        let (kind, suffix, help) = match help.strip_prefix("Gauge: ") {
            Some(help) => (Kind::Gauge, "", help),
            None => (Kind::Counter, "_total", help),
        };
        let name = format!("corelane_{}{suffix}", counter.name());
        page.family(&name, kind, help);
        for lane in &snapshot.lanes {
            let value = lane.counters.get(counter.name()).copied().unwrap_or(0);
            page.sample(&name, &[("lane", &lane.lane.to_string())], value);
        }
    }
}

/// Counters that the Agent has too keep its names, of `datadog.trace_agent`. spec: apm §11
fn traces(page: &mut Page, traces: &TraceStatus) {
    let single = |page: &mut Page, name: &str, help: &str, value| {
        page.single(&format!("datadog_trace_agent_{name}"), Kind::Counter, help, value);
    };
    single(page, "receiver_traces_received", "Traces decoded.", traces.traces_received);
    single(page, "receiver_spans_received", "Spans decoded.", traces.spans_received);
    single(page, "receiver_payload_accepted", "Payloads decoded.", traces.payloads_decoded);
    let labelled = [
        ("requests", "endpoint", "Requests to the trace receiver.", &traces.requests),
        ("server", "what", "Connections and bytes of the trace receiver.", &traces.server),
        ("traces_dropped", "reason", "Traces dropped.", &traces.traces_dropped),
        ("spans_dropped", "reason", "Spans dropped.", &traces.spans_dropped),
        ("spans_malformed", "reason", "Spans that were put right.", &traces.malformed),
        ("trace_stats", "what", "Stats of traces.", &traces.stats),
        ("trace_writer", "what", "Payloads of traces.", &traces.writer),
    ];
    for (name, label, help, counts) in labelled {
        let name = format!("corelane_{name}");
        page.family(&name, Kind::Counter, help);
        for (value, count) in counts {
            page.sample(&name, &[(label, value)], *count);
        }
    }
    page.family("corelane_trace_answers", Kind::Counter, "Answers of the trace receiver.");
    for (status, count) in &traces.answers {
        page.sample("corelane_trace_answers", &[("status", &status.to_string())], *count);
    }
    page.family("corelane_trace_refused", Kind::Counter, "Requests refused, by their sender.");
    for refused in &traces.refused {
        for (reason, count) in &refused.requests {
            let labels = [
                ("language", &*refused.language),
                ("tracer_version", &*refused.tracer_version),
                ("service", &*refused.service),
                ("reason", reason),
            ];
            page.sample("corelane_trace_refused", &labels, *count);
        }
    }
    single(page, "traces_kept", "Traces kept.", traces.traces_kept);
    single(page, "spans_kept", "Spans kept.", traces.spans_kept);
}

/// Names of the Agent where it has one. spec: remote-config §6.1, §6.4
fn remote(page: &mut Page, remote: &RemoteStatus) {
    use Kind::{Counter as Count, Gauge};
    let of = |name: &str| remote.counts.get(name).copied().unwrap_or(0);
    let requests = remote.counts.iter().filter(|(name, _)| name.starts_with("requests_"));
    for (name, kind, help, value) in [
        (
            "datadog_trace_agent_receiver_config_request",
            Count,
            "Requests of tracers for configurations.",
            requests.map(|(_, count)| count).sum(),
        ),
        (
            "datadog_trace_agent_receiver_config_process_ms",
            Count,
            "Milliseconds that they took.",
            of("request_ms"),
        ),
        (
            "remoteconfig__cache_bypass_ratelimiter_skip",
            Count,
            "Polls that new clients did not cause because of the limit.",
            of("bypasses_limited"),
        ),
        (
            "remoteconfig__cache_bypass_timeout",
            Count,
            "Polls that took too long for the client that caused them.",
            of("bypasses_late"),
        ),
        ("corelane_remote_clients", Gauge, "Clients.", remote.clients.len() as u64),
        ("corelane_remote_bytes", Gauge, "Documents and files.", remote.bytes),
        (
            "corelane_remote_updated_seconds",
            Gauge,
            "Unix seconds of the last verified update.",
            remote.updated_unix_secs,
        ),
    ] {
        page.single(name, kind, help, value);
    }
    let name = "corelane_remote_total";
    page.family(name, Count, "What was polled, refused and asked.");
    for (what, value) in &remote.counts {
        page.sample(name, &[("what", what)], *value);
    }
    let name = "corelane_remote_version";
    page.family(name, Gauge, "Versions of the repositories.");
    for (role, version) in &remote.versions {
        page.sample(name, &[("role", role)], *version);
    }
}

fn flushes(page: &mut Page, snapshot: &Snapshot) {
    let flush = &snapshot.flush;
    use Kind::{Counter as Count, Gauge};
    for (name, kind, help, value) in [
        (
            "corelane_flush_duration_ms",
            Gauge,
            "Duration of the last flush.",
            flush.last_duration_ms,
        ),
        ("corelane_flush_contexts", Gauge, "Contexts in the last flush.", flush.contexts),
        ("corelane_flush_series_total", Count, "Series written.", flush.series),
        ("corelane_flush_points_total", Count, "Points written.", flush.points),
        ("corelane_flush_sketches_total", Count, "Sketches written.", flush.sketches),
        ("corelane_flush_samples_in_total", Count, "Samples merged.", flush.samples_in),
        ("corelane_flush_samples_out_total", Count, "Samples written.", flush.samples_out),
        (
            "corelane_flush_zero_filled_total",
            Count,
            "Zeros for silent counters.",
            flush.zero_filled,
        ),
        ("corelane_flush_late_lanes_total", Count, "Late hand-overs of lanes.", flush.late_lanes),
    ] {
        page.single(name, kind, help, value);
    }
    let name = "corelane_flush_dropped_total";
    page.family(name, Kind::Counter, "Samples the merge dropped.");
    for (reason, value) in &flush.dropped {
        page.sample(name, &[("reason", reason)], *value);
    }
    let name = "corelane_encoded_total";
    page.family(name, Kind::Counter, "What the encoder counted.");
    for (what, value) in &snapshot.encode {
        page.sample(name, &[("what", what)], *value);
    }
}

fn endpoints(page: &mut Page, snapshot: &Snapshot) {
    // Two keys of one URL are told apart by the ending of the key.
    let all: Vec<_> = snapshot
        .endpoints
        .iter()
        .map(|endpoint| (endpoint, endpoint.key_endings.join(",")))
        .collect();
    use Kind::{Counter as Count, Gauge};
    for (at, (name, kind, help)) in [
        ("corelane_endpoint_submitted_total", Count, "Payloads handed over for delivery."),
        ("corelane_endpoint_sent_total", Count, "Payloads the intake took."),
        ("corelane_endpoint_sent_bytes_total", Count, "Body bytes the intake took."),
        ("corelane_endpoint_retried_total", Count, "Attempts that failed and are repeated."),
        ("corelane_endpoint_queued", Gauge, "Payloads waiting in memory."),
        ("corelane_endpoint_queued_bytes", Gauge, "Bytes waiting in memory."),
        ("corelane_endpoint_spooled", Gauge, "Payloads waiting on disk."),
        ("corelane_endpoint_spooled_bytes", Gauge, "Bytes waiting on disk."),
        ("corelane_endpoint_set_aside_total", Count, "Damaged files put aside."),
    ]
    .into_iter()
    .enumerate()
    {
        page.family(name, kind, help);
        for (endpoint, key) in &all {
            let values = [
                endpoint.submitted,
                endpoint.sent,
                endpoint.bytes_sent,
                endpoint.retried,
                endpoint.queued,
                endpoint.queued_bytes,
                endpoint.spooled,
                endpoint.spooled_bytes,
                endpoint.set_aside,
            ];
            page.sample(name, &[("url", &endpoint.url), ("key", key)], values[at]);
        }
    }
    let name = "corelane_endpoint_dropped_total";
    page.family(name, Kind::Counter, "Payloads given up.");
    for (endpoint, key) in &all {
        for (reason, value) in &endpoint.dropped {
            let labels = [("url", &*endpoint.url), ("key", key), ("reason", reason)];
            page.sample(name, &labels, *value);
        }
    }
    let name = "corelane_endpoint_answers_total";
    page.family(name, Kind::Counter, "Answers by status code.");
    for (endpoint, key) in &all {
        for (status, value) in &endpoint.http {
            let status = status.to_string();
            let labels = [("url", &*endpoint.url), ("key", key), ("status", &status)];
            page.sample(name, &labels, *value);
        }
    }
}

fn process(page: &mut Page, snapshot: &Snapshot) {
    let name = "corelane_accounting_holds";
    page.family(name, Kind::Gauge, "1 if every item is in exactly one place.");
    for identity in identities(snapshot) {
        page.sample(name, &[("of", &identity.name)], u64::from(identity.holds));
    }
    let memory = snapshot.memory;
    page.single("corelane_uptime_seconds", Kind::Gauge, "Since the start.", snapshot.uptime_secs);
    page.single("corelane_resident_bytes", Kind::Gauge, "Resident set.", memory.rss_bytes);
    page.single("corelane_planned_bytes", Kind::Gauge, "Sum of limits.", memory.planned_bytes);
    let name = "corelane_memory_over_budget_total";
    page.single(name, Kind::Counter, "Times the budget was exceeded.", memory.over_budget_count);
    let name = "corelane_build_info";
    page.family(name, Kind::Gauge, "Version and driver.");
    let labels = [("version", &*snapshot.version), ("driver", &*snapshot.driver.name)];
    page.sample(name, &labels, 1);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use expect_test::expect;

    use super::*;
    use crate::test_snapshot::busy;

    #[test]
    fn the_names_of_the_agent_come_first() {
        let page = prometheus(&busy());
        let first: Vec<&str> =
            page.lines().filter(|line| !line.starts_with('#')).take(12).collect();
        expect![[r#"
            dogstatsd__processed{message_type="metrics",state="ok"} 990
            dogstatsd__processed{message_type="metrics",state="error"} 7
            dogstatsd__processed{message_type="events",state="ok"} 0
            dogstatsd__processed{message_type="events",state="error"} 0
            dogstatsd__processed{message_type="service_checks",state="ok"} 3
            dogstatsd__processed{message_type="service_checks",state="error"} 0
            dogstatsd__udp_packets{state="ok"} 50
            dogstatsd__udp_packets_bytes 70000
            dogstatsd__uds_packets{transport="unixgram",state="ok"} 0
            dogstatsd__uds_packets{transport="unix",state="ok"} 0
            dogstatsd__uds_packets_bytes{transport="unixgram"} 0
            dogstatsd__uds_packets_bytes{transport="unix"} 0"#]]
        .assert_eq(&first.join("\n"));
        assert!(page.contains("\ncorelane_udp_packets_total{lane=\"1\"} 20\n"));
        assert!(page.contains("\ncorelane_contexts_alive{lane=\"0\"} 25\n"));
    }

    #[test]
    fn a_family_is_described_once_and_before_its_samples() {
        let page = prometheus(&busy());
        let mut described = HashSet::new();
        for line in page.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(rest) => {
                    let name = rest.split(' ').next().expect("a name");
                    assert!(described.insert(name), "{name} is described twice");
                }
                None if line.starts_with('#') => {}
                None => {
                    let name = line.split(['{', ' ']).next().expect("a name");
                    assert!(described.contains(name), "{name} is not described");
                    let value = line.rsplit(' ').next().expect("a value");
                    assert!(value.parse::<u64>().is_ok(), "{line}");
                }
            }
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut page = Page(String::new());
        page.sample("a", &[("url", "x\"y\\z\n")], 1);
        assert_eq!(page.0, "a{url=\"x\\\"y\\\\z\\n\"} 1\n");
    }
}
