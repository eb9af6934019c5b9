//! Sends a pool, paced or flat out, and counts what went out.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::share::{self, Share, Whole, nanoseconds};
use crate::{LoadSpec, Pool, SpecError, Tally};

mod socket;

use socket::{Outcome, Sender};

/// Why a load did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The specification is out of range.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The destination is not an address.
    #[error("destination `{0}` is not an address with a port such as 127.0.0.1:8125")]
    Address(String),
    /// The socket could not be opened or connected.
    #[error("cannot connect to {destination}: {source}; is the receiver running?")]
    Connect {
        /// Where to.
        destination: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A thread could not be pinned.
    #[error("cannot pin a sender to processor {cpu}: {source}")]
    Pin {
        /// The processor.
        cpu: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// A thread could not be started, or it panicked.
    #[error("a sender thread did not run: {0}")]
    Thread(String),
}

/// Counts while a load runs, for anyone to read.
#[derive(Debug, Default)]
pub struct Progress {
    /// Packets handed to the kernel.
    pub packets: AtomicU64,
    /// Bytes of these packets, without length prefixes.
    pub bytes: AtomicU64,
    /// Metric lines in these packets.
    pub lines: AtomicU64,
    /// Values on these lines.
    pub samples: AtomicU64,
    /// Packets not sent because the socket was full (non-blocking only).
    pub dropped_packets: AtomicU64,
}

/// What a load sent, exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Everything the kernel accepted.
    pub total: Tally,
    /// Packets not sent because the socket was full (non-blocking only).
    pub dropped_packets: u64,
    /// Lines in these packets.
    pub dropped_lines: u64,
    /// Send calls that reported a closed port on UDP; the packet was sent again.
    pub refused_calls: u64,
    /// Frames that a stream ended inside of, because the receiver stopped reading.
    pub cut_frames: u64,
    /// Wall time from the first to the last packet.
    pub elapsed_ns: u64,
    /// Processor time of all sender threads.
    pub cpu_ns: u64,
    /// How late the latest paced burst left.
    pub lag_max_ns: u64,
    /// What ended a sender before its time.
    pub failures: Vec<String>,
}

impl Sent {
    /// Lines a second that the kernel accepted.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn lines_per_sec(&self) -> f64 {
        self.total.lines as f64 * 1e9 / self.elapsed_ns.max(1) as f64
    }
}

/// A load that is ready to run.
#[derive(Debug)]
pub struct Load {
    spec: LoadSpec,
    pool: Pool,
}

impl Load {
    /// Builds all packets.
    ///
    /// # Errors
    /// When the specification is out of range.
    pub fn prepare(spec: LoadSpec) -> Result<Self, LoadError> {
        let pool = Pool::build(&spec)?;
        Ok(Self { spec, pool })
    }

    /// The specification.
    #[must_use]
    pub const fn spec(&self) -> &LoadSpec {
        &self.spec
    }

    /// The packets.
    #[must_use]
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Sends until the limit of the specification or until `stop` is set, then returns the counts.
    ///
    /// Every thread sends its own part of the pool over and over. A send that fails ends its thread
    /// and is told in [`Sent::failures`]; the counts stay exact.
    ///
    /// # Errors
    /// When a socket cannot be opened or a thread cannot be started; nothing was sent then.
    pub fn run(&self, stop: &AtomicBool, progress: &Progress) -> Result<Sent, LoadError> {
        let spec = &self.spec;
        let whole = Whole {
            threads: spec.threads.min(u32::try_from(self.pool.len()).unwrap_or(u32::MAX)),
            pool_len: self.pool.len(),
            rate: spec.rate,
            units_max: spec.lines_max,
            duration_ms: spec.duration_ms,
            cpus: &spec.cpus,
        };
        let open = || Sender::open(spec);
        let outcomes = share::run("load", &whole, spec.senders, open, |share, senders| {
            Worker { load: self, share }.run(senders, stop, progress)
        })?;
        let mut sent = Sent::default();
        for outcome in outcomes {
            sent.merge(outcome?);
        }
        Ok(sent)
    }
}

impl Sent {
    fn merge(&mut self, other: Self) {
        self.total.add(&other.total, 1);
        self.dropped_packets += other.dropped_packets;
        self.dropped_lines += other.dropped_lines;
        self.refused_calls += other.refused_calls;
        self.cut_frames += other.cut_frames;
        self.elapsed_ns = self.elapsed_ns.max(other.elapsed_ns);
        self.cpu_ns += other.cpu_ns;
        self.lag_max_ns = self.lag_max_ns.max(other.lag_max_ns);
        self.failures.extend(other.failures);
    }
}

/// One thread.
struct Worker<'a> {
    load: &'a Load,
    /// In lines.
    share: Share,
}

impl Worker<'_> {
    fn run(self, mut senders: Vec<Sender>, stop: &AtomicBool, progress: &Progress) -> Sent {
        let mut count = Counting {
            repeats: vec![0; self.share.end - self.share.first],
            first: self.share.first,
            lines: 0,
            sent: Sent::default(),
        };
        let cpu_before = crate::CpuTime::of_thread();
        let started = Instant::now();
        let mut cursor = self.share.first;
        let mut turn = 0;
        loop {
            let lag_max_ns = &mut count.sent.lag_max_ns;
            let offset_ns = self.share.wait_for_pace(started, count.lines, lag_max_ns);
            if stop.load(Ordering::Relaxed) || self.share.is_over(offset_ns, count.lines) {
                break;
            }
            let burst = self.burst(cursor, count.lines);
            let senders_count = senders.len();
            let sender = &mut senders[turn % senders_count];
            turn += 1;
            match sender.send(&self.load.pool, cursor, burst, stop) {
                Outcome::Sent(packets) => {
                    count.add(&self.load.pool, cursor, packets, progress);
                    cursor += packets;
                }
                Outcome::Full => {
                    count.drop_packet(&self.load.pool, cursor, progress);
                    cursor += 1;
                }
                Outcome::Refused => count.sent.refused_calls += 1,
                Outcome::Waiting => {}
                Outcome::Ended { packets, is_cut, failure } => {
                    count.add(&self.load.pool, cursor, packets, progress);
                    count.sent.cut_frames += u64::from(is_cut);
                    count.sent.failures.extend(failure.map(|error| error.to_string()));
                    break;
                }
            }
            if cursor >= self.share.end {
                cursor = self.share.first;
            }
        }
        let mut sent = count.finish(&self.load.pool);
        sent.elapsed_ns = nanoseconds(started.elapsed());
        sent.cpu_ns = crate::CpuTime::of_thread().since(cpu_before).total_ns;
        sent
    }

    /// Packets of the next burst, from `cursor` on.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small positive number of packets"
    )]
    fn burst(&self, cursor: usize, lines: u64) -> usize {
        let spec = &self.load.spec;
        let mut burst = spec.batch as usize;
        let rate = self.share.rate;
        if rate > 0.0 && spec.burst > 0 {
            burst = spec.burst as usize;
        } else if rate > 0.0 {
            let lines_per_packet = self.load.pool.tally(cursor).lines.max(1) as f64;
            burst = (rate / lines_per_packet * BURST_SECS) as usize;
        }
        let mut burst = burst.clamp(1, self.share.end - cursor);
        if let Some(lines_max) = self.share.units_max {
            let mut left = lines_max - lines;
            let needed = (cursor..cursor + burst).position(|packet| {
                left = left.saturating_sub(self.load.pool.tally(packet).lines);
                left == 0
            });
            burst = needed.map_or(burst, |last| last + 1);
        }
        burst
    }
}

/// Counts of one thread: how often each packet was sent.
struct Counting {
    repeats: Vec<u64>,
    first: usize,
    lines: u64,
    sent: Sent,
}

impl Counting {
    fn add(&mut self, pool: &Pool, cursor: usize, packets: usize, progress: &Progress) {
        let (mut bytes, mut lines, mut samples) = (0, 0, 0);
        for packet in cursor..cursor + packets {
            self.repeats[packet - self.first] += 1;
            let tally = pool.tally(packet);
            bytes += tally.bytes;
            lines += tally.lines;
            samples += tally.samples;
        }
        self.lines += lines;
        progress.packets.fetch_add(packets as u64, Ordering::Relaxed);
        progress.bytes.fetch_add(bytes, Ordering::Relaxed);
        progress.lines.fetch_add(lines, Ordering::Relaxed);
        progress.samples.fetch_add(samples, Ordering::Relaxed);
    }

    /// A dropped packet counts for the pace and for the limit of lines.
    fn drop_packet(&mut self, pool: &Pool, cursor: usize, progress: &Progress) {
        let lines = pool.tally(cursor).lines;
        self.lines += lines;
        self.sent.dropped_packets += 1;
        self.sent.dropped_lines += lines;
        progress.dropped_packets.fetch_add(1, Ordering::Relaxed);
    }

    fn finish(mut self, pool: &Pool) -> Sent {
        for (index, repeats) in self.repeats.iter().enumerate() {
            self.sent.total.add(pool.tally(self.first + index), *repeats);
        }
        self.sent
    }
}

/// Length of a paced burst: short enough to look like many independent clients.
const BURST_SECS: f64 = 100e-6;

/// How long a full receiver may block a sender before it looks at `stop` again.
const SEND_TIMEOUT: Duration = Duration::from_millis(100);
