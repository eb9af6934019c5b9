//! The common shape of these tests: settings, packets, what arrived.

use bed::{Agent, Bed, Finished, Sender, Settings, Transport};
use intake::Metric;

/// Starts an agent, sends it packets over a Unix datagram socket and ends the test.
pub(crate) fn deliver(
    adjust: impl FnOnce(&Bed, Settings) -> Settings,
    packets: &[&str],
) -> Finished {
    let bed = Bed::new();
    let settings = adjust(&bed, bed.settings());
    let agent = bed.start(&settings);
    send(&agent, packets);
    bed.finish(agent)
}

/// Sends packets over a Unix datagram socket: nothing is lost, the order stays.
pub(crate) fn send(agent: &Agent, packets: &[&str]) {
    let mut sender = Sender::connect(agent, Transport::Uds);
    for packet in packets {
        sender.send(packet);
    }
}

/// Names that arrived, without those of agents about themselves; sorted, each once.
pub(crate) fn names(finished: &Finished) -> Vec<String> {
    let metrics = finished.contents.metrics.iter();
    let mut names: Vec<String> = metrics
        .map(|metric| metric.name.to_string())
        .filter(|name| !name.contains("datadog."))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The only metric of a name.
pub(crate) fn only<'f>(finished: &'f Finished, name: &'f str) -> &'f Metric {
    let mut found = finished.contents.named(name);
    let metric = found.next().expect("the metric arrived");
    assert!(
        found.all(|other| other.tags == metric.tags && other.host == metric.host),
        "{name} arrived in several contexts"
    );
    metric
}

/// Tags of the only metric of a name.
pub(crate) fn tags_of(finished: &Finished, name: &str) -> Vec<String> {
    only(finished, name).tags.iter().map(ToString::to_string).collect()
}

/// The sum of what was counted under a name; whole numbers only.
#[expect(clippy::cast_possible_truncation, reason = "tests count far below 2^53")]
pub(crate) fn counted(finished: &Finished, name: &str) -> i64 {
    let total = finished.contents.total_of(name);
    let whole = total as i64;
    assert!((total - total.round()).abs() < 1e-9, "{name} is {total}");
    whole
}
