//! The null receiver: reads packets as the agent would and throws them away.
//!
//! What it costs is the floor that no receive path on this machine can go below.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::{CpuTime, Transport, pin_to_cpu, sys};

mod batch;
pub mod http;
mod ring;

/// How packets are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Reader {
    /// `poll`, then `recvmmsg` until it returns less than a batch.
    #[default]
    Recvmmsg,
    /// `io_uring`: multishot `recvmsg` into a ring of provided buffers.
    IoUring,
}

/// How a moderated reader passes the time between two drains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// A high-resolution timer: exact, and it programs the timer hardware each time, which leaves
    /// a virtual machine.
    #[default]
    Timer,
    /// A read with timeout on a socket that nobody writes to. Its timer runs from the scheduler
    /// tick, so the pause is one to two ticks longer than asked, and cheaper.
    Tick,
}

/// What to receive and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NullSpec {
    /// UDP or Unix datagram; streams are not measured.
    pub transport: Transport,
    /// `address:port` for UDP (port 0 takes a free one), a path for a Unix socket.
    pub listen: String,
    /// How packets are read.
    pub reader: Reader,
    /// Packets read by one call; with `io_uring`, buffers provided.
    pub batch: u32,
    /// Bytes of one packet buffer.
    pub buffer_bytes: u32,
    /// Receive buffer asked of the kernel; 0 keeps the default.
    pub receive_buffer_bytes: u32,
    /// UDP: let the kernel hand over several datagrams of one sender as one (`UDP_GRO`).
    pub is_joined: bool,
    /// Wait this long between two drains as long as there are packets; 0 wakes for each.
    pub drain_every_us: u32,
    /// How `recvmmsg` waits between two drains; `io_uring` has its own minimum wait.
    pub pause: Pause,
    /// Processor to pin the thread to.
    pub cpu: Option<usize>,
}

impl Default for NullSpec {
    fn default() -> Self {
        Self {
            transport: Transport::Udp,
            listen: "127.0.0.1:0".into(),
            reader: Reader::Recvmmsg,
            batch: 32,
            buffer_bytes: 8_192,
            receive_buffer_bytes: 16 << 20,
            is_joined: false,
            drain_every_us: 0,
            pause: Pause::Timer,
            cpu: None,
        }
    }
}

/// What was received and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Packets; joined ones count one by one.
    pub packets: u64,
    /// Buffers filled: fewer than packets when the kernel joins them.
    pub buffers: u64,
    /// Bytes.
    pub bytes: u64,
    /// Packets longer than the buffer.
    pub truncated: u64,
    /// Packets that the kernel dropped at this socket.
    pub kernel_drops: u64,
    /// Receive buffer as the kernel reports it (twice what was asked).
    pub receive_buffer_bytes: u64,
    /// Calls that returned packets.
    pub reads: u64,
    /// Times the thread waited.
    pub waits: u64,
    /// Processor time of the thread.
    pub cpu_ns: u64,
    /// Of it in user space (coarse).
    pub user_ns: u64,
    /// Wall time from the first packet to the last.
    pub busy_ns: u64,
}

impl Pause {
    /// Prepares to wait for about `duration` at a time.
    ///
    /// # Errors
    /// When no socket pair can be made.
    pub fn pauser(self, duration: Duration) -> io::Result<Pauser> {
        let (silent, peer) = UnixDatagram::pair()?;
        if !duration.is_zero() {
            silent.set_read_timeout(Some(duration))?;
        }
        sys::set_timer_slack_ns(1);
        Ok(Pauser { pause: self, duration, silent, _peer: peer })
    }
}

/// Passes the same short time again and again on the thread that made it.
#[derive(Debug)]
pub struct Pauser {
    pause: Pause,
    duration: Duration,
    silent: UnixDatagram,
    // Kept open and never written to, so that a read ends by its timeout alone.
    _peer: UnixDatagram,
}

impl Pauser {
    /// Waits.
    pub fn wait(&self) {
        match self.pause {
            Pause::Timer => thread::sleep(self.duration),
            Pause::Tick => drop(self.silent.recv(&mut [0])),
        }
    }
}

impl Received {
    /// Processor nanoseconds per packet.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn ns_per_packet(&self) -> f64 {
        self.cpu_ns as f64 / self.packets.max(1) as f64
    }
}

/// Packets received so far, published after each read; lets a test wait for a count.
#[derive(Debug, Default)]
pub struct NullProgress {
    /// Packets.
    pub packets: AtomicU64,
}

/// A bound socket that nobody reads yet.
#[derive(Debug)]
pub struct Null {
    spec: NullSpec,
    socket: Socket,
}

impl Null {
    /// Binds the socket.
    ///
    /// # Errors
    /// When the address is not valid or taken, or the transport is a stream.
    pub fn bind(spec: NullSpec) -> io::Result<Self> {
        let socket = match spec.transport {
            Transport::Udp => {
                let address: std::net::SocketAddr = spec.listen.parse().map_err(|_| {
                    io::Error::other(format!("`{}` is not an address with a port", spec.listen))
                })?;
                let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
                bind(domain, &address.into())?
            }
            Transport::UdsDatagram => bind(Domain::UNIX, &SockAddr::unix(&spec.listen)?)?,
            Transport::UdsStream => return Err(io::ErrorKind::Unsupported.into()),
        };
        if spec.receive_buffer_bytes > 0 {
            let bytes =
                libc::c_int::try_from(spec.receive_buffer_bytes).unwrap_or(libc::c_int::MAX);
            let forced =
                sys::set_option(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes);
            if forced.is_err() {
                socket.set_recv_buffer_size(bytes.unsigned_abs() as usize)?;
            }
        }
        if spec.is_joined {
            sys::set_option(socket.as_fd(), libc::SOL_UDP, libc::UDP_GRO, 1)?;
        }
        Ok(Self { spec, socket })
    }

    /// The address a sender connects to.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn address(&self) -> io::Result<String> {
        let address = self.socket.local_addr()?;
        Ok(address.as_socket().map_or_else(|| self.spec.listen.clone(), |ip| ip.to_string()))
    }

    /// Receives until `stop` is set and nothing is left in the socket.
    ///
    /// # Errors
    /// When a system call fails.
    pub fn run(&self, stop: &AtomicBool, progress: &NullProgress) -> io::Result<Received> {
        if let Some(cpu) = self.spec.cpu {
            pin_to_cpu(cpu)?;
        }
        sys::set_timer_slack_ns(1);
        let run = Run {
            spec: &self.spec,
            socket: self.socket.as_fd(),
            stop,
            progress,
            received: Received::default(),
            cpu_before: CpuTime::default(),
            first: None,
            last: None,
        };
        let mut received = match self.spec.reader {
            Reader::Recvmmsg => batch::receive(run)?,
            Reader::IoUring => ring::receive(run)?,
        };
        received.kernel_drops = sys::kernel_drops(self.socket.as_fd())?;
        received.receive_buffer_bytes = self.socket.recv_buffer_size()? as u64;
        Ok(received)
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        if self.spec.transport == Transport::UdsDatagram {
            // Whoever removed the socket file before us did no harm.
            let _was_there = std::fs::remove_file(&self.spec.listen).is_ok();
        }
    }
}

/// Whether this kernel, and whatever confines this process, lets [`Reader::IoUring`] work with all
/// of [`NullSpec`]: multishot receive and the minimum wait of Linux 6.12.
#[must_use]
pub fn has_io_uring() -> bool {
    sys::RecvRing::has_min_wait().unwrap_or(false)
}

/// State that both readers share.
struct Run<'a> {
    spec: &'a NullSpec,
    socket: BorrowedFd<'a>,
    stop: &'a AtomicBool,
    progress: &'a NullProgress,
    received: Received,
    cpu_before: CpuTime,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Run<'_> {
    /// Starts to count processor time: once buffers exist and their pages are there, so that a
    /// short run does not pay for its set-up.
    fn begin(&mut self) {
        self.cpu_before = CpuTime::of_thread();
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Counts one buffer that holds `bytes` bytes, joined from segments when there is a segment
    /// size.
    const fn count(&mut self, bytes: usize, segment: Option<usize>, is_truncated: bool) {
        let packets = match segment {
            Some(segment) if segment > 0 => bytes.div_ceil(segment),
            _ => 1,
        };
        self.received.packets += packets as u64;
        self.received.buffers += 1;
        self.received.bytes += bytes as u64;
        self.received.truncated += is_truncated as u64;
    }

    /// Ends one read that returned something.
    fn finish_read(&mut self) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
        self.received.reads += 1;
        self.progress.packets.store(self.received.packets, Ordering::Release);
    }

    fn finish(mut self) -> Received {
        let cpu = CpuTime::of_thread().since(self.cpu_before);
        self.received.cpu_ns = cpu.total_ns;
        self.received.user_ns = cpu.user_ns;
        self.received.waits = cpu.waits;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            self.received.busy_ns =
                u64::try_from(last.duration_since(first).as_nanos()).unwrap_or(u64::MAX);
        }
        self.received
    }

    /// Bytes that a joined buffer can need.
    const fn buffer_bytes(&self) -> usize {
        if self.spec.is_joined { JOINED_BYTES_MAX } else { self.spec.buffer_bytes as usize }
    }

    const fn control_bytes(&self) -> usize {
        if self.spec.is_joined { CONTROL_BYTES } else { 0 }
    }
}

fn bind(domain: Domain, address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A reader looks at `stop` at least this often.
const WAIT_MAX: Duration = Duration::from_millis(50);
const JOINED_BYTES_MAX: usize = 65_535;
/// Room for one integer of ancillary data.
const CONTROL_BYTES: usize = 64;
