//! `cadence` for Rust, in this process: buffered sinks behind a queue, as it advises.
//!
//! It has no events, no service checks, no aggregation and no telemetry.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

use bed::{Bed, Call, Expected, Features, Plan, Transport};
use cadence::prelude::{Counted, Distributed, Gauged, Histogrammed, Setted, Timed};
use cadence::{
    BufferedUdpMetricSink, BufferedUnixMetricSink, Metric, MetricBuilder, QueuingMetricSink,
    StatsdClient,
};

fn cadence(transport: Transport, connect: impl Fn(&str) -> QueuingMetricSink) {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let features = Features { has_sets_and_timings: true, has_events_and_checks: false };
    let plan = Plan::generate(&agent, transport, features, 7);
    {
        let client = StatsdClient::from_sink("", connect(&plan.target.address));
        for call in &plan.calls {
            make(&client, call);
        }
        client.flush().expect("a sink that sends");
        // Dropped here: the queue behind it is emptied first.
    }
    let finished = bed.finish(agent);
    Expected::of(&plan.calls, &[]).check(&finished.contents);
}

#[test]
fn everything_arrives_over_udp() {
    cadence(Transport::Udp, |address| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a local UDP socket");
        let sink = BufferedUdpMetricSink::from(address, socket).expect("an address");
        QueuingMetricSink::from(sink)
    });
}

#[test]
fn everything_arrives_over_uds() {
    cadence(Transport::Uds, |path| {
        let socket = UnixDatagram::unbound().expect("a Unix socket");
        QueuingMetricSink::from(BufferedUnixMetricSink::from(path, socket))
    });
}

fn make(client: &StatsdClient, call: &Call) {
    match call {
        Call::Count { name, value, tags } => {
            send(client.count_with_tags(name, whole(*value)), tags);
        }
        Call::Gauge { name, value, tags } => send(client.gauge_with_tags(name, *value), tags),
        Call::Histogram { name, value, tags } => {
            send(client.histogram_with_tags(name, *value), tags);
        }
        Call::Distribution { name, value, tags } => {
            send(client.distribution_with_tags(name, *value), tags);
        }
        Call::Timing { name, value, tags } => {
            let millis = u64::try_from(whole(*value)).expect("a timing is positive");
            send(client.time_with_tags(name, millis), tags);
        }
        Call::Set { name, member, tags } => {
            let number = member.trim_start_matches("user-").parse::<i64>();
            send(client.set_with_tags(name, number.expect("a member ends in a number")), tags);
        }
        Call::Event { .. } | Call::Check { .. } => unreachable!("{call:?} is not in the plan"),
    }
}

fn send<'m, T>(mut metric: MetricBuilder<'m, '_, T>, tags: &'m [String])
where
    T: Metric + From<String>,
{
    for tag in tags {
        metric = match tag.split_once(':') {
            Some((key, value)) => metric.with_tag(key, value),
            None => metric.with_tag_value(tag),
        };
    }
    metric.try_send().map(drop).expect("a sink that takes everything");
}

#[expect(clippy::cast_possible_truncation, reason = "plans hold whole numbers from 1 to 100 here")]
fn whole(value: f64) -> i64 {
    value as i64
}
