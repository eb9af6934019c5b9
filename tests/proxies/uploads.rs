//! Large and many uploads within bounded memory.

use std::io::Write;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use bed::{Agent, Bed, Sender, Transport, Upstream, UpstreamAnswer as Answer, checksum};

use signal::Counter;

use crate::client::{connect, head, said};
use crate::{proxy, settings};

const MIB: usize = 1 << 20;
/// Time for the answer to one of many uploads, on a machine that may be busy.
const ANSWER_SECS_MAX: u64 = 300;

#[test]
fn half_a_gigabyte_passes_without_being_held() {
    const BYTES: usize = 500 * MIB;
    /// Growth of resident memory that is allowed.
    const GROWTH_MAX: u64 = 40 << 20;
    let bed = Bed::new();
    let upstream = Upstream::start_keeping(Answer::Status(200, "ok"), 0);
    let agent = bed.start(&settings(&bed, &upstream));
    let before = agent.status().memory.rss_bytes;
    let block: Vec<u8> = (0..MIB).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    let mut stream = connect(&bed);
    stream.write_all(head("/profiling/v1/input", &[], BYTES).as_bytes()).expect("a head");
    let (mut sum, mut highest) = (0, 0);
    for n in 0..BYTES / MIB {
        stream.write_all(&block).expect("a block is taken");
        sum = checksum(sum, n * MIB, &block);
        if n % 50 == 49 {
            highest = highest.max(agent.status().memory.rss_bytes);
        }
    }
    assert_eq!(said(&mut stream).expect("an answer").status, 200);
    let received = upstream.next();
    assert_eq!((received.body_bytes, received.checksum), (Some(BYTES), sum));
    assert!(highest < before + GROWTH_MAX, "{before} grew to {highest}");
    let snapshot = agent.wait_status("counted", |now| proxy(now, "profiling").bytes_in > 0);
    assert_eq!(proxy(&snapshot, "profiling").bytes_in, BYTES as u64);
    drop(stream);
    bed.finish(agent);
}

#[test]
fn a_thousand_uploads_at_a_time_share_bounded_memory() {
    const UPLOADS: usize = 1000;
    const BYTES: usize = MIB;
    /// Some 250 KiB for each connection and its twin to the intake, where all bodies are 1000 MiB.
    const GROWTH_MAX: u64 = 250 << 20;
    let bed = Bed::new();
    let upstream = Upstream::start_keeping(Answer::Status(200, "ok"), 0);
    let settings = settings(&bed, &upstream)
        .set("apm_config.profiling_receiver_timeout", ANSWER_SECS_MAX)
        .set("apm_config.receiver_timeout", ANSWER_SECS_MAX);
    let agent = bed.start(&settings);
    let before = agent.status().memory.rss_bytes;
    let goes_on = Barrier::new(UPLOADS + 1);
    let block = vec![b'x'; BYTES / 2];
    thread::scope(|scope| {
        let small = || thread::Builder::new().stack_size(128 << 10);
        let clients: Vec<_> = (0..UPLOADS)
            .map(|_| {
                let upload = || {
                    let mut stream = connect(&bed);
                    let answer_max = Some(Duration::from_secs(ANSWER_SECS_MAX));
                    stream.set_read_timeout(answer_max).expect("a timeout");
                    let head = head("/profiling/v1/input", &[], BYTES);
                    stream.write_all(head.as_bytes()).expect("a head");
                    stream.write_all(&block).expect("the first half");
                    goes_on.wait();
                    stream.write_all(&block).expect("the second half");
                    said(&mut stream).expect("an answer").status
                };
                small().spawn_scoped(scope, upload).expect("a thread")
            })
            .collect();
        let snapshot = agent.wait_status("every upload under way", |now| {
            proxy(now, "profiling").in_flight == UPLOADS as u64
        });
        let highest = snapshot.memory.rss_bytes;
        // The lanes of the uploads take datagrams at the same time, first while all uploads wait,
        // then while they move; senders of Unix datagrams wait, so that none is lost.
        send_lines(&agent, LINES / 2);
        goes_on.wait();
        send_lines(&agent, LINES / 2);
        assert!(highest < before + GROWTH_MAX, "{before} grew to {highest}");
        for client in clients {
            assert_eq!(client.join().expect("no panic"), 200, "{}", agent.log());
        }
    });
    let snapshot = agent.wait_status("counted", |now| proxy(now, "profiling").in_flight == 0);
    let profiling = proxy(&snapshot, "profiling");
    assert_eq!((profiling.answers["2xx"], profiling.bytes_in), (1000, (UPLOADS * BYTES) as u64));
    let finished = bed.finish(agent);
    let snapshot = &finished.snapshot;
    assert_eq!(snapshot.total(Counter::UdsPackets), (LINES / LINES_PER_PACKET) as u64);
    assert_eq!(snapshot.total(Counter::MetricLines), LINES as u64);
    assert_eq!(snapshot.total(Counter::Recorded), LINES as u64);
    let counted = finished.contents.total_of("during.uploads");
    assert!((counted - LINES as f64).abs() < 0.5, "{counted} of {LINES} arrived");
}

/// Lines that are sent beside the uploads, and in one packet.
const LINES: usize = 40_000;
const LINES_PER_PACKET: usize = 20;

fn send_lines(agent: &Agent, lines: usize) {
    let packet = "during.uploads:1|c|#a:b\n".repeat(LINES_PER_PACKET);
    let mut sender = Sender::connect(agent, Transport::Uds);
    for _ in 0..lines / LINES_PER_PACKET {
        sender.send(packet.trim_end());
    }
}
