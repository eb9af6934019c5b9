//! Clients of Node.js: `hot-shots`, and the DogStatsD client of `dd-trace`.

use bed::{Call, Client, Expected, Features, Plan, Transport};

use crate::run::{Case, plainly, run, telemetry};

fn hot_shots(transport: Transport) {
    let case = Case { client: Client::HotShots, transport, features: Features::ALL, linger_ms: 0 };
    let finished = run(&case, plainly);
    assert!(telemetry(&finished.contents, "metrics") >= 1.0);
}

#[test]
fn everything_from_hot_shots_arrives_over_udp() {
    hot_shots(Transport::Udp);
}

#[test]
fn everything_from_hot_shots_arrives_over_uds() {
    hot_shots(Transport::Uds);
}

/// `dd-trace` speaks UDP only, and makes series of histograms itself.
#[test]
fn everything_from_dd_trace_arrives_over_udp() {
    let features = Features { has_sets_and_timings: false, has_events_and_checks: false };
    let transport = Transport::Udp;
    let case = Case { client: Client::DdTrace, transport, features, linger_ms: 0 };
    let finished = run(&case, with_histograms_made_by_the_client);
    assert!(telemetry(&finished.contents, "metrics") >= 1.0);
}

fn with_histograms_made_by_the_client(plan: &Plan, tags: &[String]) -> Expected {
    let mut expected = Expected::default();
    for call in &plan.calls {
        let Call::Histogram { name, value, tags: own } = call else {
            expected.add(call, tags);
            continue;
        };
        let mut count = |suffix: &str, value: f64| {
            let name = format!("{name}{suffix}");
            expected.add(&Call::Count { name, value, tags: own.clone() }, tags);
        };
        count(".count", 1.0);
        count(".sum", *value);
        count(".total", *value);
    }
    expected.ignoring(&[".min", ".max", ".avg", ".median", ".95percentile"])
}
