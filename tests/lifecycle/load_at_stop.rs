//! SIGTERM while packets wait in the sockets: everything the kernel took from the senders is
//! flushed and delivered.

use std::sync::atomic::AtomicBool;

use bed::{Bed, Transport};
use load::{Load, LoadSpec, Progress, TypeMix};

/// Sends flat out and stops the agent at once, while it is still reading.
fn loses_nothing(transport: Transport, over: load::Transport, lines_max: u64) {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let spec = LoadSpec {
        transport: over,
        destination: agent.address(transport),
        types: TypeMix::COUNTERS,
        names: 10,
        tag_sets: 10,
        senders: 2,
        threads: 2,
        lines_max,
        ..LoadSpec::default()
    };
    let load = Load::prepare(spec).expect("a load");
    let sent = load.run(&AtomicBool::new(false), &Progress::default()).expect("a load that runs");
    agent.stop();
    assert!(sent.failures.is_empty(), "{:?}", sent.failures);
    let contents = bed.intake.store().read(Clone::clone);
    assert!(contents.violations.is_empty(), "{:?}", contents.violations.front());
    let metrics = contents.metrics.iter().filter(|metric| !metric.name.contains("datadog."));
    let arrived: f64 = metrics.map(intake::Metric::total).sum();
    let expected = sent.total.count.weighted_sum;
    assert!(
        (arrived - expected).abs() < 0.5,
        "{arrived} arrived of {expected} in {} packets",
        sent.total.packets
    );
}

#[test]
fn a_stop_loses_nothing_that_waits_in_uds() {
    loses_nothing(Transport::Uds, load::Transport::UdsDatagram, 200_000);
}

#[test]
fn a_stop_loses_nothing_that_waits_in_streams() {
    loses_nothing(Transport::UdsStream, load::Transport::UdsStream, 200_000);
}

/// Few enough for the receive buffer: UDP drops what does not fit.
#[test]
fn a_stop_loses_nothing_that_waits_in_udp() {
    loses_nothing(Transport::Udp, load::Transport::Udp, 4_000);
}
