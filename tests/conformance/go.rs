//! `datadog-go`: extended aggregation (packed values), telemetry, default origin detection.

use bed::{Client, Features, Transport};

use crate::run::{Case, plainly, run, telemetry};

fn go(transport: Transport, linger_ms: u64) -> bed::Finished {
    run(&Case { client: Client::Go, transport, features: Features::ALL, linger_ms }, plainly)
}

/// The client sends telemetry every ten seconds and not at its end, so it has to stay that long.
#[test]
fn everything_and_telemetry_arrive_over_udp() {
    let finished = go(Transport::Udp, 10_500);
    assert!(telemetry(&finished.contents, "metrics") >= 1.0);
    assert!(telemetry(&finished.contents, "packets_sent") >= 1.0);
    assert!(telemetry(&finished.contents, "bytes_dropped") < 1.0);
}

#[test]
fn everything_arrives_over_uds() {
    go(Transport::Uds, 0);
}

#[test]
fn everything_arrives_over_a_stream() {
    go(Transport::UdsStream, 0);
}
