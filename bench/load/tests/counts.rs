//! What the generator says it sent is what a socket in this process receives.

#![expect(clippy::unwrap_used, reason = "a failure here fails the test")]

use std::io::Read as _;
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use load::null::{Null, NullProgress, NullSpec, Pause, Reader, Received, has_io_uring};
use load::{Load, LoadSpec, Progress, Sent, Transport, TypeMix};

/// Packets, bytes, lines and the sum of counter values, read naively.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    packets: u64,
    bytes: u64,
    lines: u64,
    counter_sum: f64,
}

impl Seen {
    fn add(&mut self, payload: &[u8]) {
        self.packets += 1;
        self.bytes += payload.len() as u64;
        for line in std::str::from_utf8(payload).unwrap().lines().filter(|line| !line.is_empty()) {
            self.lines += 1;
            let mut fields = line.split('|');
            let values = fields.next().unwrap().split_once(':').unwrap().1;
            if fields.next() == Some("c") {
                self.counter_sum +=
                    values.split(':').map(|v| v.parse::<f64>().unwrap()).sum::<f64>();
            }
        }
    }

    fn of(sent: &Sent) -> Self {
        Self {
            packets: sent.total.packets,
            bytes: sent.total.bytes,
            lines: sent.total.lines,
            counter_sum: sent.total.count.sum,
        }
    }
}

fn spec(transport: Transport, destination: String) -> LoadSpec {
    LoadSpec {
        transport,
        destination,
        names: 20,
        tag_sets: 10,
        pool_bytes_min: 1,
        lines_max: 5_000,
        ..LoadSpec::default()
    }
}

fn run(spec: LoadSpec) -> Sent {
    Load::prepare(spec).unwrap().run(&AtomicBool::new(false), &Progress::default()).unwrap()
}

#[test]
fn udp_counts_are_exact() {
    // 5,000 lines are fewer bytes than the receive buffer holds, so nothing is lost unread.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let destination = socket.local_addr().unwrap().to_string();
    let sent = run(LoadSpec { lines_max: 500, ..spec(Transport::Udp, destination) });
    let mut seen = Seen::default();
    let mut buffer = vec![0; 65_536];
    while seen.packets < sent.total.packets {
        let length = socket.recv(&mut buffer).unwrap();
        seen.add(&buffer[..length]);
    }
    assert_eq!(seen, Seen::of(&sent));
    assert!(sent.failures.is_empty());
}

#[test]
fn unix_datagram_counts_are_exact_with_several_senders() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("datagram.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    let spec = LoadSpec {
        senders: 3,
        threads: 2,
        ..spec(Transport::UdsDatagram, path.display().to_string())
    };
    let sending = thread::spawn(move || run(spec));
    let mut seen = Seen::default();
    let mut buffer = vec![0; 65_536];
    while seen.lines < 5_000 {
        let length = socket.recv(&mut buffer).unwrap();
        seen.add(&buffer[..length]);
    }
    socket.set_nonblocking(true).unwrap();
    let sent = sending.join().unwrap();
    while let Ok(length) = socket.recv(&mut buffer) {
        seen.add(&buffer[..length]);
    }
    assert_eq!(seen, Seen::of(&sent));
}

#[test]
fn stream_counts_are_exact() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stream.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let spec = spec(Transport::UdsStream, path.display().to_string());
    let sending = thread::spawn(move || run(spec));
    let mut bytes = Vec::new();
    listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
    let sent = sending.join().unwrap();
    let mut seen = Seen::default();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (prefix, tail) = rest.split_at(4);
        let (payload, tail) =
            tail.split_at(u32::from_le_bytes(prefix.try_into().unwrap()) as usize);
        seen.add(payload);
        rest = tail;
    }
    assert_eq!(seen, Seen::of(&sent));
}

#[test]
fn a_full_socket_drops_counted_packets_when_nobody_waits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("full.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    let spec = LoadSpec {
        is_nonblocking: true,
        types: TypeMix::COUNTERS,
        packet_bytes_max: 1_000,
        ..spec(Transport::UdsDatagram, path.display().to_string())
    };
    let sent = run(spec);
    assert!(sent.dropped_packets > 0);
    assert!(sent.total.lines + sent.dropped_lines >= 5_000);
    socket.set_nonblocking(true).unwrap();
    let mut seen = Seen::default();
    let mut buffer = vec![0; 65_536];
    while let Ok(length) = socket.recv(&mut buffer) {
        seen.add(&buffer[..length]);
    }
    assert_eq!(seen, Seen::of(&sent));
}

#[test]
fn a_stop_ends_a_sender_whose_receiver_does_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stuck.sock");
    let _socket = UnixDatagram::bind(&path).unwrap();
    let spec =
        LoadSpec { lines_max: 0, ..spec(Transport::UdsDatagram, path.display().to_string()) };
    let load = Load::prepare(spec).unwrap();
    let (stop, progress) = (AtomicBool::new(false), Progress::default());
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| load.run(&stop, &progress));
        while progress.packets.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        sending.join().unwrap().unwrap()
    });
    assert_eq!(sent.total.packets, progress.packets.load(Ordering::Relaxed));
}

/// Runs a load into a null receiver until everything that was sent has arrived.
fn through_null(null: NullSpec, load: LoadSpec) -> (Sent, Received) {
    let null = Null::bind(null).unwrap();
    let load = LoadSpec { destination: null.address().unwrap(), ..load };
    let (stop, progress) = (AtomicBool::new(false), NullProgress::default());
    thread::scope(|scope| {
        let receiving = scope.spawn(|| null.run(&stop, &progress));
        let sent = run(load);
        while progress.packets.load(Ordering::Acquire) < sent.total.packets {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        (sent, receiving.join().unwrap().unwrap())
    })
}

#[test]
fn null_receivers_count_what_was_sent() {
    let directory = tempfile::tempdir().unwrap();
    for (case, transport) in [Transport::Udp, Transport::UdsDatagram].into_iter().enumerate() {
        for (reader, drain_every_us) in [
            (Reader::Recvmmsg, 0),
            (Reader::Recvmmsg, 500),
            (Reader::IoUring, 0),
            (Reader::IoUring, 500),
        ] {
            if reader == Reader::IoUring && !has_io_uring() {
                continue;
            }
            let listen = match transport {
                Transport::Udp => "127.0.0.1:0".into(),
                Transport::UdsDatagram | Transport::UdsStream => {
                    let file = format!("null-{case}-{reader:?}-{drain_every_us}.sock");
                    directory.path().join(file).display().to_string()
                }
            };
            let null = NullSpec {
                transport,
                listen,
                reader,
                drain_every_us,
                pause: Pause::Tick,
                receive_buffer_bytes: 0,
                ..NullSpec::default()
            };
            let load = LoadSpec { lines_max: 500, ..spec(transport, String::new()) };
            let (sent, received) = through_null(null, load);
            assert_eq!(received.packets, sent.total.packets, "{transport:?} {reader:?}");
            assert_eq!(received.bytes, sent.total.bytes);
            assert_eq!((received.kernel_drops, received.truncated), (0, 0));
        }
    }
}

#[test]
fn joined_segments_count_one_by_one() {
    for reader in [Reader::Recvmmsg, Reader::IoUring] {
        if reader == Reader::IoUring && !has_io_uring() {
            continue;
        }
        let null =
            NullSpec { is_joined: true, reader, receive_buffer_bytes: 0, ..NullSpec::default() };
        let load =
            LoadSpec { is_segmented: true, lines_max: 500, ..spec(Transport::Udp, String::new()) };
        let (sent, received) = through_null(null, load);
        assert_eq!(received.packets, sent.total.packets, "{reader:?}");
        assert_eq!(received.bytes, sent.total.bytes);
    }
}
