//! The cases.

use load::null::{NullSpec, Pause, Reader};
use load::{LoadSpec, Transport};

use crate::Arguments;

/// A load and a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// `kind/transport/reader[/variant]`.
    pub(crate) name: String,
    pub(crate) load: LoadSpec,
    pub(crate) null: NullSpec,
    /// The socket is filled first and read afterwards: the cost of reading alone.
    pub(crate) is_prefilled: bool,
}

/// Every case, in the order of the table.
pub(crate) fn all(arguments: &Arguments) -> Vec<Case> {
    let queue = unix_queue_packets();
    let mut cases = Vec::new();
    for transport in [Transport::Udp, Transport::UdsDatagram] {
        for (reader, batch) in READERS {
            for kind in ["prefilled", "flat-out"] {
                let mut case = base(arguments, kind, transport, reader, batch);
                if kind == "prefilled" {
                    case.is_prefilled = true;
                    case.load.duration_ms = 0;
                    case.load.lines_max = 14 * PREFILLED_UDP_PACKETS;
                    if transport == Transport::UdsDatagram {
                        // One socket's send buffer holds fewer packets than the queue.
                        case.load.senders = 16;
                        case.load.batch = 8;
                        case.load.lines_max = 80 * u64::from(queue.saturating_sub(20));
                    }
                }
                if case.load.lines_max > 0 || !case.is_prefilled {
                    cases.push(case);
                }
            }
        }
    }
    cases.extend(offloaded(arguments));
    for transport in [Transport::Udp, Transport::UdsDatagram] {
        for rate in [100_000.0, 1_000_000.0] {
            for (reader, batch) in [(Reader::Recvmmsg, 64), (Reader::IoUring, 256)] {
                for drain_every_us in [0, 1_000, 2_000, 5_000] {
                    cases.push(paced(arguments, transport, (reader, batch), rate, drain_every_us));
                }
            }
        }
    }
    for transport in [Transport::Udp, Transport::UdsDatagram] {
        let reader = (Reader::Recvmmsg, 64);
        // Pauses as long as those of the tick turn out to be, so that only the mechanism differs.
        for drain_every_us in [8_000, 12_000] {
            cases.push(paced(arguments, transport, reader, 100_000.0, drain_every_us));
        }
        for drain_every_us in [1_000, 5_000] {
            let mut case = paced(arguments, transport, reader, 100_000.0, drain_every_us);
            case.name += "-by-tick";
            case.null.pause = Pause::Tick;
            cases.push(case);
        }
    }
    cases
}

/// UDP with segments cut by the kernel, joined by it, or both.
fn offloaded(arguments: &Arguments) -> Vec<Case> {
    let mut cases = Vec::new();
    for (is_segmented, is_joined, word) in
        [(false, true, "gro"), (true, false, "gso"), (true, true, "gso+gro")]
    {
        for (reader, batch) in [(Reader::Recvmmsg, 64), (Reader::IoUring, 64)] {
            let mut case = base(arguments, "flat-out", Transport::Udp, reader, batch);
            case.name = format!("{}/{word}", case.name);
            case.load.is_segmented = is_segmented;
            case.null.is_joined = is_joined;
            cases.push(case);
        }
    }
    cases
}

/// Datagrams of clients that do not wait: a full queue loses the packet, as it does in production.
fn paced(
    arguments: &Arguments,
    transport: Transport,
    (reader, batch): (Reader, u32),
    rate: f64,
    drain_every_us: u32,
) -> Case {
    let kind = format!("paced-{:.0}k", rate / 1e3);
    let mut case = base(arguments, &kind, transport, reader, batch);
    case.name += &match drain_every_us {
        0 => "/eager".to_owned(),
        us => format!("/{}ms", us / 1_000),
    };
    case.load.rate = rate;
    case.load.is_nonblocking = true;
    case.null.drain_every_us = drain_every_us;
    case
}

fn base(
    arguments: &Arguments,
    kind: &str,
    transport: Transport,
    reader: Reader,
    batch: u32,
) -> Case {
    let (transport_word, listen) = match transport {
        Transport::Udp => ("udp".to_owned(), "127.0.0.1:0".to_owned()),
        Transport::UdsDatagram | Transport::UdsStream => {
            let file = format!("corelane-experiment-{}.sock", std::process::id());
            (
                format!("uds-q{}", unix_queue_packets()),
                std::env::temp_dir().join(file).display().to_string(),
            )
        }
    };
    let reader_word = match reader {
        Reader::Recvmmsg => "recvmmsg",
        Reader::IoUring => "io_uring",
    };
    Case {
        name: format!("{kind}/{transport_word}/{reader_word}-{batch}"),
        load: LoadSpec {
            transport,
            duration_ms: arguments.case_ms,
            cpus: vec![arguments.sender_cpu],
            ..LoadSpec::default()
        },
        null: NullSpec {
            transport,
            listen,
            reader,
            batch,
            receive_buffer_bytes: 64 << 20,
            cpu: Some(arguments.receiver_cpu),
            ..NullSpec::default()
        },
        is_prefilled: false,
    }
}

/// Packets that a Unix datagram socket queues.
fn unix_queue_packets() -> u32 {
    let text = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap_or_default();
    text.trim().parse().unwrap_or(10)
}

const READERS: [(Reader, u32); 6] = [
    (Reader::Recvmmsg, 16),
    (Reader::Recvmmsg, 32),
    (Reader::Recvmmsg, 64),
    (Reader::Recvmmsg, 128),
    (Reader::IoUring, 64),
    (Reader::IoUring, 256),
];

/// Fits in the receive buffer with the kernel's overhead of each packet.
const PREFILLED_UDP_PACKETS: u64 = 5_000;
