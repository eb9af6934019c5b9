//! SIGTERM while packets wait in the sockets: everything the kernel took from the senders is
//! flushed and delivered.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

/// A sender that goes on while the agent stops: what the kernel took before it was refused arrives.
#[test]
fn a_stop_under_load_loses_nothing_that_was_taken_over_uds() {
    const BEFORE_STOP: u64 = 20_000;
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let socket = UnixDatagram::unbound().expect("a socket");
    socket.connect(agent.address(Transport::Uds)).expect("a listener");
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let sender = std::thread::spawn(move || {
        while socket.send(b"hits:1|c").is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    while sent.load(Ordering::Relaxed) < BEFORE_STOP {
        assert!(!sender.is_finished(), "the agent refused packets before it stopped");
        std::thread::yield_now();
    }
    agent.stop();
    sender.join().expect("a sender that was refused");
    let arrived = bed.intake.store().total_of("hits");
    let sent = f64::from(u32::try_from(sent.load(Ordering::Relaxed)).expect("few"));
    assert!((arrived - sent).abs() < 0.5, "{arrived} arrived of {sent}");
}

/// Few enough for the receive buffer: UDP drops what does not fit.
#[test]
fn a_stop_loses_nothing_that_waits_in_udp() {
    loses_nothing(Transport::Udp, load::Transport::Udp, 4_000);
}
