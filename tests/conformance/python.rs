//! `datadog` for Python: buffering, aggregation, telemetry, default origin detection.

use bed::{Client, Features, Transport};

use crate::run::{Case, plainly, run, telemetry};

fn python(transport: Transport) {
    let case = Case { client: Client::Python, transport, features: Features::ALL, linger_ms: 0 };
    let finished = run(&case, plainly);
    assert!(telemetry(&finished.contents, "packets_sent") >= 1.0);
    assert!(telemetry(&finished.contents, "metrics") >= 1.0);
    assert!(telemetry(&finished.contents, "bytes_dropped") < 1.0);
}

#[test]
fn everything_arrives_over_udp() {
    python(Transport::Udp);
}

#[test]
fn everything_arrives_over_uds() {
    python(Transport::Uds);
}

#[test]
fn everything_arrives_over_a_stream() {
    python(Transport::UdsStream);
}
