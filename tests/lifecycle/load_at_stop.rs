//! SIGTERM under load: everything the kernel took from the senders is flushed and delivered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bed::{Bed, Transport, WAIT_MAX, wait_for};
use load::{Load, LoadSpec, Progress, TypeMix};
use rustix::process::Signal;

fn loses_nothing(transport: Transport, over: load::Transport) {
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
        ..LoadSpec::default()
    };
    let load = Load::prepare(spec).expect("a load");
    let (stop, progress) = (AtomicBool::new(false), Progress::default());
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| load.run(&stop, &progress));
        let is_flowing =
            wait_for(WAIT_MAX, || (progress.packets.load(Ordering::Relaxed) > 2000).then_some(()));
        assert!(is_flowing.is_some(), "the load does not flow");
        agent.signal(Signal::TERM);
        let ended = agent.wait();
        assert!(ended.status.success(), "{}\n{}", ended.status, ended.log);
        stop.store(true, Ordering::Relaxed);
        sending.join().expect("a sender that does not panic").expect("a load that runs")
    });
    let contents = bed.intake.store().read(Clone::clone);
    assert!(contents.violations.is_empty(), "{:?}", contents.violations.front());
    let metrics = contents.metrics.iter().filter(|metric| !metric.name.contains("datadog."));
    let arrived: f64 = metrics.map(intake::Metric::total).sum();
    let expected = sent.total.count.weighted_sum;
    assert!(
        (arrived - expected).abs() < 0.5,
        "{arrived} arrived of {expected} in {} packets, {} frames cut: {:?}",
        sent.total.packets,
        sent.cut_frames,
        sent.failures
    );
}

#[test]
fn a_stop_under_load_loses_nothing_over_uds() {
    loses_nothing(Transport::Uds, load::Transport::UdsDatagram);
}
