//! A load whose arrival can be told from sums alone.

use bed::{Agent, Bed, Sender, Settings, Transport};
use intake::Contents;

/// Name of the counter that every test here sends.
pub(crate) const NAME: &str = "kept";

/// Settings that bring data to the intake within seconds: buckets of one second.
pub(crate) fn quick(bed: &Bed) -> Settings {
    bed.settings().set("corelane.bucket_secs", 1)
}

/// Settings with a spool, and payloads of 16 KiB: many small files instead of few large ones.
pub(crate) fn spooling(bed: &Bed) -> Settings {
    quick(bed)
        .set("serializer_compressor_kind", "none")
        .set("serializer_max_series_uncompressed_payload_size", 16 << 10)
        .set("forwarder_storage_max_size_in_bytes", 64 << 20)
        .set("forwarder_storage_max_disk_ratio", 1.0)
        .set("forwarder_stop_timeout", 1)
        // No zeros for silent counters: payloads hold what was sent and nothing else.
        .set("dogstatsd_expiry_seconds", 0)
}

/// The same with so small a memory queue that an unreachable intake fills the spool at once.
pub(crate) fn spooling_at_once(bed: &Bed) -> Settings {
    spooling(bed).set("forwarder_retry_queue_payloads_max_size", 64 << 10)
}

/// Adds 1 to each of `contexts` contexts. Long tags make the payloads large.
pub(crate) fn send(agent: &Agent, contexts: u32) {
    let mut sender = Sender::connect(agent, Transport::Uds);
    for at in 0..contexts {
        let tags = format!("at:{at},filler:{at:0>60},more:{at:0>60}");
        sender.send(format!("{NAME}:1|c|#{tags}"));
    }
}

/// What arrived of the counter.
pub(crate) fn arrived(contents: &Contents) -> f64 {
    contents.total_of(NAME)
}

/// Waits until so much arrived.
pub(crate) fn wait_arrived(bed: &Bed, agent: &Agent, count: u32) {
    let store = bed.intake.store();
    let is_there = store.wait_until(bed::WAIT_MAX, |now| arrived(now) > f64::from(count) - 0.5);
    assert!(
        is_there,
        "{} of {count} arrived\n{:#?}\n{}",
        store.total_of(NAME),
        agent.status(),
        agent.log()
    );
}

/// Asserts that exactly so much arrived, no more and no less.
pub(crate) fn assert_arrived(contents: &Contents, count: u32) {
    let arrived = arrived(contents);
    assert!((arrived - f64::from(count)).abs() < 1e-6, "{arrived} arrived, not {count}");
}
