//! Starting the lanes around the listeners, and what is asked of all of them.

use std::io;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use config::{Config, keys};
use context::Keys;
use lane::{
    Acceptor, Command, DriverKind, LaneHandle, LaneSettings, Output, Sources, StartLane, overflow,
    port, start, submission,
};
use metrics::ShardSettings;
use naming::Rules;
use receive::SocketFile;
use signal::FlushedLane;

use crate::apm::LaneTraces;
use crate::listen::Listeners;
use crate::settings;
use crate::submissions::Submissions;

/// The running lanes.
#[derive(Debug)]
pub(crate) struct Lanes {
    handles: Arc<Mutex<Vec<LaneHandle>>>,
    threads: Vec<JoinHandle<io::Result<()>>>,
    acceptor: Option<Acceptor>,
    submissions: Arc<Submissions>,
    /// Removed when the lanes have stopped.
    files: Vec<SocketFile>,
}

/// What all lanes are started with.
pub(crate) struct LaneOptions<'a> {
    pub(crate) config: &'a Config,
    pub(crate) lanes: usize,
    pub(crate) driver: DriverKind,
    pub(crate) shard: ShardSettings,
    pub(crate) keys: Keys,
    pub(crate) rules: Rules,
    pub(crate) forward: Option<UdpSocket>,
    /// Listeners and settings of traces, where they are received.
    pub(crate) traces: Option<LaneTraces>,
}

/// Unix datagrams read at once: the kernel queues 11 by default, more where it was told to.
const UNIX_BATCH_PACKETS: usize = 32;

/// How long a lane may take to answer a flush before the flush goes on without it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two looks at the rings while waiting for an answer.
const ANSWER_POLL: Duration = Duration::from_millis(1);

impl Lanes {
    /// Starts the lanes.
    pub(crate) fn start(
        options: LaneOptions<'_>,
        mut listeners: Listeners,
        trace_files: Vec<SocketFile>,
    ) -> io::Result<Self> {
        let config = options.config;
        let (is_eol_required_udp, is_eol_required_uds) = settings::eol_required(config);
        let cpus = config.cpus();
        let batch_packets = config.count(keys::BATCH_PACKETS).max(1);
        let mut handles = Vec::new();
        let mut ports = Vec::new();
        for _ in 0..options.lanes {
            let (handle, port) = port()?;
            handles.push(handle);
            ports.push(port);
        }
        let mut udp: Vec<_> =
            std::mem::take(&mut listeners.udp).into_iter().map(Vec::into_iter).collect();
        let mut unixgram = listeners.unixgram.take();
        let (outlets, inboxes): (Vec<_>, Vec<_>) = match &unixgram {
            Some(socket) => handles
                .iter()
                .skip(1)
                .map(|handle| {
                    overflow(Arc::clone(handle.bell()), || socket.new_batch(UNIX_BATCH_PACKETS))
                })
                .unzip(),
            None => (Vec::new(), Vec::new()),
        };
        let mut outlets = Some(outlets);
        let mut inboxes = inboxes.into_iter();
        let mut traces = options.traces;
        let mut threads = Vec::new();
        let ring_bytes = config.bytes(keys::SUBMISSION_BYTES_MAX);
        let ring_bytes = usize::try_from(ring_bytes).unwrap_or(usize::MAX);
        let (submitters, rings): (Vec<_>, Vec<_>) =
            handles.iter().map(|handle| submission(ring_bytes, Arc::clone(handle.bell()))).unzip();
        let bells = handles.iter().map(|handle| Arc::clone(handle.bell()));
        let (trace_submitters, trace_rings) =
            traces.as_ref().map(|traces| traces.ways_in(bells)).unwrap_or_default();
        let mut trace_rings = trace_rings.into_iter();
        for ((index, port), ring) in (0u16..).zip(ports).zip(rings) {
            let mut sources = Sources::default();
            sources.add_submissions(ring);
            for socket in udp.iter_mut().filter_map(Iterator::next) {
                sources.add_udp(socket, batch_packets);
            }
            let mut helps = Vec::new();
            match unixgram.take() {
                Some(socket) => sources.add_unixgram(
                    socket,
                    batch_packets.min(UNIX_BATCH_PACKETS),
                    outlets.take().unwrap_or_default(),
                ),
                None => helps.extend(inboxes.next()),
            }
            let started = start(StartLane {
                settings: LaneSettings {
                    lane: index,
                    shard: options.shard.clone(),
                    keys: options.keys.clone(),
                    rules: options.rules.clone(),
                    is_eol_required_udp,
                    is_eol_required_uds,
                    timed_batch: config.count(keys::DOGSTATSD_NO_AGGREGATION_PIPELINE_BATCH_SIZE),
                    connections_max: config.count(keys::STREAM_CONNECTIONS_MAX),
                    read_cgroup,
                },
                port,
                sources,
                http: traces.as_mut().map(|traces| traces.of_lane(index, trace_rings.next())),
                overflow: helps,
                driver: options.driver,
                cpu: match cpus.len() {
                    0 => None,
                    count => cpus.get(usize::from(index) % count).copied(),
                },
                pause_max: settings::pause_max(config),
                forward: options.forward.as_ref().map(UdpSocket::try_clone).transpose()?,
            })?;
            threads.push(started.thread);
        }
        let handles = Arc::new(Mutex::new(handles));
        let acceptor = match listeners.unixstream.take() {
            Some(listener) => Some(deal_connections(listener, Arc::clone(&handles))?),
            None => None,
        };
        let mut files = std::mem::take(&mut listeners.files);
        files.extend(trace_files);
        let submissions = Arc::new(Submissions::new(submitters, trace_submitters));
        Ok(Self { handles, threads, acceptor, submissions, files })
    }

    /// The lanes' ends, for one command or one look.
    pub(crate) fn handles(&self) -> MutexGuard<'_, Vec<LaneHandle>> {
        locked(&self.handles)
    }

    /// The way in without a socket.
    pub(crate) const fn submissions(&self) -> &Arc<Submissions> {
        &self.submissions
    }

    /// The counters, to be read at any time.
    pub(crate) fn counters(&self) -> Vec<Arc<signal::LaneCounters>> {
        self.handles().iter().map(|lane| Arc::clone(&lane.counters)).collect()
    }

    /// Sends a command to every lane. Returns how many did not take it.
    pub(crate) fn tell(&self, mut command: impl FnMut() -> Command) -> usize {
        self.handles().iter_mut().filter_map(|lane| lane.send(command()).err()).count()
    }

    /// Waits until every lane has taken the commands sent so far. Returns whether all have.
    pub(crate) fn wait_taken(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            if self.handles().iter().all(LaneHandle::has_taken_all) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(ANSWER_POLL);
        }
    }

    /// What the lanes sent by themselves since the last look.
    pub(crate) fn outputs(&self) -> Vec<Output> {
        let mut outputs = Vec::new();
        for lane in self.handles().iter_mut() {
            outputs.extend(std::iter::from_fn(|| lane.receive()));
        }
        outputs
    }

    /// Asks every lane for what is complete. `others` takes the outputs that are no answer. Returns
    /// the answers and the number of lanes that did not answer in time.
    pub(crate) fn flush(
        &self,
        cutoff_secs: u64,
        others: &mut Vec<Output>,
    ) -> (Vec<FlushedLane>, usize) {
        self.gather(|| Command::Flush { cutoff_secs }, others)
    }

    /// The same with the open buckets, which end now.
    pub(crate) fn flush_open(&self, others: &mut Vec<Output>) -> (Vec<FlushedLane>, usize) {
        self.gather(|| Command::FlushOpen, others)
    }

    fn gather(
        &self,
        command: impl FnMut() -> Command,
        others: &mut Vec<Output>,
    ) -> (Vec<FlushedLane>, usize) {
        let lanes = self.handles().len();
        let asked = lanes - self.tell(command);
        let mut flushed = Vec::with_capacity(asked);
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        loop {
            for output in self.outputs() {
                match output {
                    Output::Flushed(lane) => flushed.push(*lane),
                    other @ (Output::Timed(_)
                    | Output::Traces(_)
                    | Output::Top(_)
                    | Output::TopEnd
                    | Output::Stopped(_)) => others.push(other),
                }
            }
            if flushed.len() >= asked || Instant::now() >= deadline {
                let silent = lanes.saturating_sub(flushed.len());
                return (flushed, silent);
            }
            std::thread::sleep(ANSWER_POLL);
        }
    }

    /// Stops the lanes: they read what their sockets hold, and hand over all they have.
    pub(crate) fn stop(&mut self, with_open_bucket: bool) -> Vec<Output> {
        drop(self.acceptor.take());
        self.submissions.close();
        self.tell(|| Command::Stop { with_open_bucket });
        for thread in self.threads.drain(..) {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log::error!("a lane ended early: {error}"),
                Err(_) => log::error!("a lane ended by a panic outside its loop"),
            }
        }
        self.files.clear();
        self.outputs()
    }
}

fn locked(handles: &Mutex<Vec<LaneHandle>>) -> MutexGuard<'_, Vec<LaneHandle>> {
    handles.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Deals connections out in turn.
fn deal_connections(
    listener: receive::StreamListener,
    handles: Arc<Mutex<Vec<LaneHandle>>>,
) -> io::Result<Acceptor> {
    let mut next = 0;
    Acceptor::start(listener, move |connection| {
        let mut lanes = locked(&handles);
        next = (next + 1) % lanes.len().max(1);
        if let Some(lane) = lanes.get_mut(next)
            && lane.send(Command::Connection(connection)).is_err()
        {
            // The ring is full of connections already: the command, and with it this one, is
            // dropped.
            log::warn!("a stream connection was refused: lane {next} is busy");
        }
    })
}

/// Reads a cgroup file, below `/host/proc` where that is mounted, as in a container.
fn read_cgroup(pid: i32, text: &mut Vec<u8>) -> io::Result<()> {
    origin::ProcFs::new(origin::Roots::detect().proc).read_cgroup(pid, text)
}
