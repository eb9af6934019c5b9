//! A snapshot with something in every field, for tests.

use signal::Counter;

use crate::Snapshot;
use crate::{
    CaptureStatus, Driver, EndpointStatus, FlushStatus, LaneStatus, Listener, Memory,
    RefusedStatus, SamplerStatus, TraceStatus, TracerStatus,
};

pub(crate) fn busy() -> Snapshot {
    let lane = |lane: u32, counts: &[(Counter, u64)]| LaneStatus {
        lane,
        cpu: Some(lane),
        counters: counts.iter().map(|(counter, n)| (counter.name().to_owned(), *n)).collect(),
    };
    let mut snapshot = Snapshot {
        version: "0.1.0".to_owned(),
        pid: 4242,
        started_unix_secs: 1_769_860_800,
        uptime_secs: 303,
        host_name: "web-1".to_owned(),
        driver: Driver { name: "epoll".to_owned(), reason: "io_uring is refused".to_owned() },
        config_file: "/etc/corelane/datadog.yaml".to_owned(),
        listeners: vec![
            Listener {
                transport: "udp".to_owned(),
                address: "127.0.0.1:8125".to_owned(),
                receive_buffer_bytes: 16 << 20,
                queue_packets: 0,
                is_bound: true,
                error: String::new(),
            },
            Listener {
                transport: "unix-datagram".to_owned(),
                address: "/var/run/datadog/dsd.socket".to_owned(),
                error: "no such directory".to_owned(),
                queue_packets: 10,
                ..Listener::default()
            },
        ],
        lanes: vec![
            lane(
                0,
                &[
                    (Counter::UdpPackets, 30),
                    (Counter::UdpBytes, 42_000),
                    (Counter::UdpKernelDrops, 2),
                    (Counter::Messages, 600),
                    (Counter::MetricLines, 590),
                    (Counter::RefusedValue, 7),
                    (Counter::ServiceChecks, 3),
                    (Counter::Samples, 700),
                    (Counter::Recorded, 690),
                    (Counter::DroppedFiltered, 10),
                    (Counter::ContextsAlive, 25),
                    (Counter::TableBytes, 65_536),
                    (Counter::Turns, 90),
                ],
            ),
            lane(
                1,
                &[
                    (Counter::UdpPackets, 20),
                    (Counter::UdpBytes, 28_000),
                    (Counter::Messages, 400),
                    (Counter::MetricLines, 400),
                    (Counter::Samples, 400),
                    (Counter::Recorded, 400),
                    (Counter::ContextsAlive, 15),
                    (Counter::TableBytes, 32_768),
                    (Counter::Turns, 70),
                    (Counter::Stalls, 1),
                ],
            ),
        ],
        flush: FlushStatus {
            count: 20,
            last_unix_secs: 1_769_861_100,
            last_duration_ms: 3,
            contexts: 40,
            series: 800,
            points: 900,
            sketches: 60,
            samples_in: 1000,
            samples_out: 1000,
            zero_filled: 12,
            ..FlushStatus::default()
        },
        encode: [("payloads".to_owned(), 13)].into(),
        endpoints: vec![EndpointStatus {
            url: "https://7-80-1-app.agent.datadoghq.com".to_owned(),
            key_endings: vec!["abcde".to_owned()],
            key_valid: "valid".to_owned(),
            submitted: 13,
            sent: 11,
            bytes_sent: 5000,
            retried: 1,
            queued: 2,
            queued_bytes: 900,
            state: "open".to_owned(),
            last_error: "the intake answered 503".to_owned(),
            http: [(202, 11), (503, 1)].into(),
            ..EndpointStatus::default()
        }],
        traces: Some(traces()),
        memory: Memory {
            rss_bytes: 12 << 20,
            tables_bytes: 98_304,
            planned_bytes: 64 << 20,
            ..Memory::default()
        },
        capture: Some(CaptureStatus {
            path: "/tmp/datadog-capture-1".to_owned(),
            left_secs: 30,
            items: 5,
            dropped: 0,
        }),
        notes: vec!["warning: dogstatsd_prot: unknown key".to_owned()],
        ..Snapshot::default()
    };
    snapshot.sum_lanes();
    snapshot
}

fn traces() -> TraceStatus {
    let counts = |counts: &[(&str, u64)]| {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    TraceStatus {
        requests: counts(&[("/v0.4/traces", 5), ("/info", 1)]),
        answers: [(200, 4), (413, 1)].into(),
        server: counts(&[("connections", 2)]),
        tracers: vec![TracerStatus {
            language: "python".to_owned(),
            tracer_version: "3.1.0".to_owned(),
            endpoint: "/v0.4/traces".to_owned(),
            payloads: 4,
            traces: 6,
            spans: 60,
            bytes: 3000,
        }],
        refused: vec![RefusedStatus {
            language: "go".to_owned(),
            requests: counts(&[("too_large", 1)]),
            traces: 900,
            largest_body_bytes: 30 << 20,
            ..RefusedStatus::default()
        }],
        payloads_decoded: 4,
        traces_received: 6,
        traces_kept: 4,
        traces_dropped: counts(&[("sampled_out", 2)]),
        spans_received: 60,
        spans_kept: 40,
        spans_dropped: counts(&[("sampled_out", 20)]),
        samplers: vec![SamplerStatus { name: "priority".to_owned(), seen: 6, kept: 4 }],
        rates: [("service:,env:".to_owned(), 1.0)].into(),
        target_tps: 10.0,
        errors_tps: 10.0,
        stats: counts(&[("spans", 60), ("hits", 60)]),
        writer: counts(&[("chunks_out", 3)]),
        ..TraceStatus::default()
    }
}
