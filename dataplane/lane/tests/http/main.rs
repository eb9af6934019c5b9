//! HTTP of lanes on their threads, under each driver.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test plays the parts of control and of the clients"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use context::Keys;
use corelane_lane::{
    Command, DriverKind, HttpSources, LaneHandle, LaneSettings, LaneThread, Sources, StartLane,
    TraceSettings, port, start,
};
use metrics::ShardSettings;
use naming::{NamingSettings, Rules};
use receive::{HttpListener, SocketFile, SocketOptions, UdpSpread, bind_udp};
use sampling::{Rater, SamplingSettings};
use server::{ExchangeInlet, Identity, ServerSettings};
use signal::Counter;
use stats::ConcentratorSettings;

/// What bodies under way may hold beside a piece each.
const EXCHANGE_BYTES: usize = 1 << 20;
const DRIVERS: [DriverKind; 2] = [DriverKind::Epoll, DriverKind::IoUring];

mod exchanges;

struct Bed {
    handles: Vec<LaneHandle>,
    threads: Vec<LaneThread>,
    tcp: SocketAddr,
    udp: SocketAddr,
    uds: PathBuf,
    _file: SocketFile,
    _directory: tempfile::TempDir,
    /// Where requests for control come out, of each lane.
    inlets: Vec<ExchangeInlet>,
}

impl Bed {
    fn new(lanes: u16, driver: DriverKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let uds = directory.path().join("apm.socket");
        let (unix, file) = HttpListener::bind_unix(&uds).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let listeners = HttpListener::bind_tcp(any, usize::from(lanes)).unwrap();
        let tcp = listeners[0].address().unwrap();
        let options = SocketOptions {
            receive_buffer_bytes: 0,
            queue_packets: 0,
            has_credentials: false,
            has_timestamps: false,
            packet_bytes_max: 8192,
        };
        let udps = bind_udp(any, usize::from(lanes), UdpSpread::Flow, &options).unwrap();
        let udp = udps[0].address().unwrap();
        let (mut handles, mut threads, mut inlets) = (Vec::new(), Vec::new(), Vec::new());
        let limits = ServerSettings::default();
        let seats = [true, false].map(|is_tcp| limits.seats(is_tcp, Instant::now()));
        for ((lane, listener), socket) in (0..).zip(listeners).zip(udps) {
            let (handle, port) = port().unwrap();
            handles.push(handle);
            let mut sources = Sources::default();
            sources.add_udp(socket, 64);
            let (outlet, inlet) = server::exchanges(lane, EXCHANGE_BYTES);
            inlets.push(inlet);
            let info = format!("{{\"lane\":{lane}}}");
            threads.push(
                start(StartLane {
                    settings: settings(lane),
                    port,
                    sources,
                    http: Some(HttpSources {
                        listeners: vec![listener, unix.try_clone().unwrap()],
                        seats: seats.to_vec(),
                        settings: limits,
                        identity: Identity::new("7", "hash", info.into()),
                        traces: traces(),
                        exchanges: Some(outlet),
                        submissions: None,
                    }),
                    overflow: Vec::new(),
                    driver,
                    cpu: None,
                    pause_max: Duration::from_millis(2),
                    forward: None,
                })
                .unwrap(),
            );
        }
        Self { handles, threads, tcp, udp, uds, _file: file, _directory: directory, inlets }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.tcp).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.handles.iter().map(|handle| handle.counters.value(counter)).sum()
    }

    fn wait_for(&self, counter: Counter, value: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.counted(counter) < value {
            assert!(Instant::now() < deadline, "{counter:?} is {}", self.counted(counter));
            std::thread::yield_now();
        }
    }

    fn begin_stop(&mut self) {
        for handle in &mut self.handles {
            handle.send(Command::Stop { with_open_bucket: true }).unwrap();
        }
    }

    fn join(self) {
        for lane in self.threads {
            lane.thread.join().unwrap().unwrap();
        }
    }
}

fn traces() -> TraceSettings {
    let sampling = Arc::<SamplingSettings>::default();
    let rates = Arc::clone(Rater::new(Arc::clone(&sampling), 1).rates());
    TraceSettings {
        processing: Arc::default(),
        sampling,
        rates,
        stats: ConcentratorSettings::default(),
        sql_cache_bytes: 0,
        seed: 7,
        is_429_told: false,
        is_converted: false,
        otlp: otlp::traces::Settings::default(),
        held_bytes_max: 0,
    }
}

fn settings(lane: u16) -> LaneSettings {
    LaneSettings {
        lane,
        shard: ShardSettings::default(),
        keys: Keys::from_seed(5),
        rules: Rules::new(&NamingSettings::default()).unwrap(),
        is_eol_required_udp: false,
        is_eol_required_uds: false,
        timed_batch: 2048,
        connections_max: 4,
        read_cgroup: |_, _| Ok(()),
    }
}

const INFO: &[u8] = b"GET /info HTTP/1.1\r\nHost: a\r\n\r\n";

/// Reads one answer: its status and body.
fn answer(stream: &mut impl Read) -> (u16, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() == length.unwrap().parse::<usize>().unwrap() {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, body.into());
            }
        }
        let received = stream.read(&mut buffer).unwrap();
        assert!(received > 0, "closed after {text:?}");
        bytes.extend_from_slice(&buffer[..received]);
    }
}

#[test]
fn lanes_answer_over_tcp_and_unix_sockets() {
    for driver in DRIVERS {
        for lanes in [1, 3] {
            let mut bed = Bed::new(lanes, driver);
            for _ in 0..20 {
                let mut tcp = bed.connect();
                let mut unix = UnixStream::connect(&bed.uds).unwrap();
                for _ in 0..3 {
                    tcp.write_all(INFO).unwrap();
                    unix.write_all(INFO).unwrap();
                    assert_eq!(answer(&mut tcp).0, 200);
                    assert_eq!(answer(&mut unix).0, 200);
                }
                tcp.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
                assert_eq!(answer(&mut tcp), (404, "404 page not found\n".into()));
            }
            bed.begin_stop();
            bed.join();
        }
    }
}

#[test]
fn datagrams_and_requests_are_served_side_by_side() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut client = bed.connect();
        for round in 1..=100 {
            client.write_all(INFO).unwrap();
            udp.send_to(b"a:1|c\nb:2|g", bed.udp).unwrap();
            assert_eq!(answer(&mut client).0, 200);
            bed.wait_for(Counter::Recorded, round * 2);
        }
        bed.begin_stop();
        bed.join();
    }
}

#[test]
fn a_panic_closes_connections_and_the_lane_serves_again() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut client = bed.connect();
        client.write_all(INFO).unwrap();
        assert_eq!(answer(&mut client).0, 200);
        bed.handles[0].send(Command::Panic).unwrap();
        bed.wait_for(Counter::Restarts, 1);
        assert_eq!(client.read(&mut [0]).unwrap_or(0), 0, "closed");
        let mut client = bed.connect();
        client.write_all(INFO).unwrap();
        assert_eq!(answer(&mut client).0, 200);
        bed.begin_stop();
        bed.join();
    }
}

#[test]
fn a_stop_waits_for_requests_under_way() {
    for driver in DRIVERS {
        let mut bed = Bed::new(1, driver);
        let mut idle = bed.connect();
        idle.write_all(INFO).unwrap();
        assert_eq!(answer(&mut idle).0, 200);
        let mut client = bed.connect();
        let body = b"POST /v0.6/stats HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab";
        client.write_all(body).unwrap();
        bed.begin_stop();
        // The idle connection ends first: the stop has begun.
        assert_eq!(idle.read(&mut [0]).unwrap(), 0);
        client.write_all(b"cd").unwrap();
        assert_eq!(answer(&mut client).0, 400, "four letters are no stats");
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        let address = bed.tcp;
        bed.join();
        assert!(TcpStream::connect(address).is_err());
    }
}
