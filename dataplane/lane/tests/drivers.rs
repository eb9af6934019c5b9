//! Lanes on their threads, under each driver, with real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test plays the part of control"
)]

use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use context::Keys;
use corelane_lane::{
    Acceptor, Command, DriverKind, LaneHandle, LaneSettings, LaneThread, Output, Sources,
    StartLane, Submitter, overflow, port, start, submission,
};
use metrics::ShardSettings;
use naming::{NamingSettings, Rules};
use receive::{SocketOptions, UdpSpread, bind_udp, bind_unixgram, bind_unixstream};
use signal::{Counter, FlushedLane};

const OPTIONS: SocketOptions = SocketOptions {
    queue_packets: 0,
    receive_buffer_bytes: 1 << 20,
    has_credentials: true,
    has_timestamps: true,
    packet_bytes_max: 8192,
};

struct Bed {
    handles: Arc<Mutex<Vec<LaneHandle>>>,
    threads: Vec<LaneThread>,
    submitters: Vec<Submitter>,
    udp: std::net::SocketAddr,
    directory: tempfile::TempDir,
    files: Vec<receive::SocketFile>,
    acceptor: Option<Acceptor>,
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

impl Bed {
    fn new(lanes: u16, driver: DriverKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let udp_sockets = bind_udp(
            "127.0.0.1:0".parse().unwrap(),
            usize::from(lanes),
            UdpSpread::Random,
            &OPTIONS,
        )
        .unwrap();
        let udp = udp_sockets[0].address().unwrap();
        let (uds, uds_file) = bind_unixgram(&directory.path().join("d"), &OPTIONS).unwrap();
        let (stream, stream_file) = bind_unixstream(&directory.path().join("s"), &OPTIONS).unwrap();
        let mut handles = Vec::new();
        let mut ports = Vec::new();
        for _ in 0..lanes {
            let (handle, port) = port().unwrap();
            handles.push(handle);
            ports.push(port);
        }
        let (outlets, inboxes): (Vec<_>, Vec<_>) = handles[1..]
            .iter()
            .map(|handle| overflow(Arc::clone(handle.bell()), || uds.new_batch(32)))
            .unzip();
        let mut first = Some((uds, outlets));
        let mut inboxes = inboxes.into_iter();
        let mut threads = Vec::new();
        let (submitters, rings): (Vec<_>, Vec<_>) =
            handles.iter().map(|handle| submission(1 << 20, Arc::clone(handle.bell()))).unzip();
        let mut rings = rings.into_iter();
        for (lane, (port, socket)) in (0..).zip(ports.into_iter().zip(udp_sockets)) {
            let mut sources = Sources::default();
            sources.add_submissions(rings.next().unwrap());
            sources.add_udp(socket, 64);
            let mut helps = Vec::new();
            match first.take() {
                Some((uds, outlets)) => sources.add_unixgram(uds, 32, outlets),
                None => helps.extend(inboxes.next()),
            }
            let started = start(StartLane {
                settings: settings(lane),
                port,
                sources,
                http: None,
                overflow: helps,
                driver,
                cpu: Some(0),
                pause_max: Duration::from_millis(2),
                forward: None,
            });
            threads.push(started.unwrap());
        }
        let handles = Arc::new(Mutex::new(handles));
        let deal_to = Arc::clone(&handles);
        let mut next = 0;
        let acceptor = Acceptor::start(stream, move |connection| {
            let mut lanes = deal_to.lock().unwrap();
            next = (next + 1) % lanes.len();
            lanes[next].send(Command::Connection(connection)).unwrap();
        })
        .unwrap();
        let files = vec![uds_file, stream_file];
        Self { handles, threads, submitters, udp, directory, files, acceptor: Some(acceptor) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.handles.lock().unwrap().iter().map(|handle| handle.counters.value(counter)).sum()
    }

    fn wait_for(&self, counter: Counter, value: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.counted(counter) < value {
            assert!(Instant::now() < deadline, "{counter:?} is {}", self.counted(counter));
            std::thread::yield_now();
        }
    }

    fn stop(mut self) -> Vec<FlushedLane> {
        drop(self.acceptor.take());
        for handle in self.handles.lock().unwrap().iter_mut() {
            handle.send(Command::Stop { with_open_bucket: true }).unwrap();
        }
        for lane in self.threads.drain(..) {
            lane.thread.join().unwrap().unwrap();
        }
        self.files.clear();
        let mut flushed = Vec::new();
        for handle in self.handles.lock().unwrap().iter_mut() {
            while let Some(output) = handle.receive() {
                match output {
                    Output::Stopped(last) | Output::Flushed(last) | Output::Timed(last) => {
                        flushed.push(*last);
                    }
                    Output::Traces(_) | Output::Top(_) | Output::TopEnd => {}
                }
            }
        }
        flushed
    }
}

fn samples(flushed: &[FlushedLane]) -> u64 {
    let cells = flushed.iter().flat_map(|lane| &lane.buckets).flat_map(signal::Bucket::cells);
    cells.map(|cell| u64::from(cell.samples)).sum()
}

fn send_everything(bed: &Bed, datagrams: u64) {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uds = UnixDatagram::unbound().unwrap();
    let mut streams: Vec<UnixStream> =
        (0..3).map(|_| UnixStream::connect(bed.path("s")).unwrap()).collect();
    for n in 0..datagrams {
        let line = format!("metric.{}:1|c|#a:b\nother:2:3|h\n", n % 7);
        udp.send_to(line.as_bytes(), bed.udp).unwrap();
        uds.send_to(line.as_bytes(), bed.path("d")).unwrap();
        for stream in &mut streams {
            let length = u32::try_from(line.len()).unwrap().to_le_bytes();
            stream.write_all(&[&length[..], line.as_bytes()].concat()).unwrap();
        }
    }
}

#[test]
fn what_comes_without_a_socket_is_taken_before_a_flush_and_at_stop() {
    for driver in [DriverKind::Epoll, DriverKind::IoUring] {
        let mut bed = Bed::new(2, driver);
        for n in 0..5000 {
            let line = format!("metric.{}:1|c|#a:b\n", n % 7);
            bed.submitters[n % 2].submit(line.as_bytes()).unwrap();
        }
        for handle in bed.handles.lock().unwrap().iter_mut() {
            handle.send(Command::Flush { cutoff_secs: 0 }).unwrap();
        }
        bed.wait_for(Counter::Recorded, 5000);
        for submitter in &mut bed.submitters {
            submitter.submit(b"last:1|c").unwrap();
        }
        let handles = Arc::clone(&bed.handles);
        let flushed = bed.stop();
        assert_eq!(samples(&flushed), 5002, "{driver:?}");
        let count = |counter| -> u64 {
            handles.lock().unwrap().iter().map(|lane| lane.counters.value(counter)).sum()
        };
        assert_eq!(count(Counter::SubmittedPackets), 5002);
    }
}

#[test]
fn nothing_is_lost_between_sockets_and_flush() {
    for driver in [DriverKind::Epoll, DriverKind::IoUring] {
        for lanes in [1, 3] {
            let bed = Bed::new(lanes, driver);
            send_everything(&bed, 500);
            // What the last datagrams wait for is the stop itself.
            bed.wait_for(Counter::StreamConnections, 3);
            let handles = Arc::clone(&bed.handles);
            let flushed = bed.stop();
            let count = |counter| -> u64 {
                handles.lock().unwrap().iter().map(|lane| lane.counters.value(counter)).sum()
            };
            assert_eq!(count(Counter::UdpPackets) + count(Counter::UdpKernelDrops), 500);
            assert_eq!(count(Counter::UdsPackets), 500);
            assert_eq!(count(Counter::StreamPackets), 1500);
            assert_eq!(count(Counter::StreamClosed), 3);
            assert_eq!(samples(&flushed), count(Counter::Recorded), "{driver:?}, {lanes} lanes");
            assert_eq!(samples(&flushed), 3 * (2000 + count(Counter::UdpPackets)));
        }
    }
}

#[test]
fn a_lane_that_panics_starts_over_and_says_what_it_lost() {
    for driver in [DriverKind::Epoll, DriverKind::IoUring] {
        let bed = Bed::new(1, driver);
        let uds = UnixDatagram::unbound().unwrap();
        uds.send_to(b"a:1:2:3|h", bed.path("d")).unwrap();
        bed.wait_for(Counter::Recorded, 3);
        bed.handles.lock().unwrap()[0].send(Command::Panic).unwrap();
        bed.wait_for(Counter::Restarts, 1);
        assert_eq!(bed.counted(Counter::LostInRestart), 3);
        uds.send_to(b"a:1|c", bed.path("d")).unwrap();
        bed.wait_for(Counter::Recorded, 4);
        assert_eq!(samples(&bed.stop()), 1);
    }
}

#[test]
fn connections_beyond_the_limit_are_refused_and_counted() {
    for driver in [DriverKind::Epoll, DriverKind::IoUring] {
        let bed = Bed::new(1, driver);
        let streams: Vec<UnixStream> =
            (0..6).map(|_| UnixStream::connect(bed.path("s")).unwrap()).collect();
        bed.wait_for(Counter::StreamRefused, 2);
        assert_eq!(bed.counted(Counter::StreamConnections), 4);
        drop(streams);
        bed.wait_for(Counter::StreamClosed, 4);
        bed.stop();
    }
}

#[test]
fn contexts_are_listed_in_slices() {
    let bed = Bed::new(1, DriverKind::Epoll);
    let uds = UnixDatagram::unbound().unwrap();
    for n in 0..3000 {
        uds.send_to(format!("m{n}:1|c").as_bytes(), bed.path("d")).unwrap();
    }
    bed.wait_for(Counter::Recorded, 3000);
    bed.handles.lock().unwrap()[0].send(Command::Top).unwrap();
    let mut listed = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < deadline);
        let output = bed.handles.lock().unwrap()[0].receive();
        match output {
            Some(Output::Top(contexts)) => {
                listed += contexts.len();
                assert!(contexts.iter().all(|top| top.samples == 1));
            }
            Some(Output::TopEnd) => break,
            _ => std::thread::yield_now(),
        }
    }
    assert_eq!(listed, 3000);
    bed.stop();
}
