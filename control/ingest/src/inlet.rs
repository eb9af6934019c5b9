//! The way in for any thread: bounded by bytes, refusing at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Logs: a JSON list of entries, or one entry. spec: logs §7.1.
    Logs,
    /// Logs: a line of text for each.
    LogLines,
    /// An OTLP request with logs, protobuf.
    OtlpLogs,
    /// An OTLP request with metrics, protobuf.
    OtlpMetrics,
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much waits already.
    #[error("too much data waits; send it again later")]
    Full,
    /// It is longer than the limit.
    #[error("payload too large")]
    TooLong,
    /// It cannot be of its kind.
    #[error("this is no data of its kind")]
    Malformed,
    /// Such data is not wanted.
    #[error("such data is not taken")]
    Off,
    /// The agent is stopping.
    #[error("the agent is stopping")]
    Stopped,
}

/// The way in.
#[derive(Debug)]
pub struct Inlet {
    jobs: UnboundedSender<Job>,
    room: Arc<Room>,
    limits: Limits,
    refusals: Refusals,
}

/// Longest body of each kind; 0 where such bodies are not wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) logs: usize,
    pub(crate) otlp_logs: usize,
    pub(crate) otlp_metrics: usize,
}

/// Bodies that were refused at the door.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) full: AtomicU64,
    pub(crate) too_long: AtomicU64,
    pub(crate) malformed: AtomicU64,
}

/// What the worker is asked for.
#[derive(Debug)]
pub(crate) enum Job {
    /// Work on a body.
    Body { kind: Kind, body: Vec<u8>, charge: Charge, reply: Option<oneshot::Sender<Outcome>> },
    /// Hand on everything that came before, and say so.
    Flush(mpsc::Sender<()>),
    /// The same, and end.
    Stop,
}

/// What came of a body: records that were dropped of it, or why it cannot be read.
pub(crate) type Outcome = Result<Rejected, String>;

/// Records of a body that were dropped, as its sender is told. spec: otlp §12.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) count: u64,
    pub(crate) reason: String,
}

/// Bytes that bodies may take together.
#[derive(Debug)]
pub(crate) struct Room {
    used: AtomicUsize,
    bytes_max: usize,
}

/// Bytes of one body, given back at drop.
#[derive(Debug)]
pub(crate) struct Charge {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), bytes_max })
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl Charge {
    /// No bytes yet.
    pub(crate) fn new(room: &Arc<Room>) -> Self {
        Self { room: Arc::clone(room), bytes: 0 }
    }

    /// Takes more bytes; false when there is no room for them. A body that is alone always has
    /// room: its own limit holds it.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let before = self.room.used.fetch_add(bytes, Ordering::Relaxed);
        let is_alone = before <= self.bytes;
        if !is_alone && before.saturating_add(bytes) > self.room.bytes_max {
            self.room.used.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Inlet {
    pub(crate) fn new(jobs: UnboundedSender<Job>, room: Arc<Room>, limits: Limits) -> Self {
        Self { jobs, room, limits, refusals: Refusals::default() }
    }

    /// Whether bodies of this kind are wanted.
    #[must_use]
    pub const fn takes(&self, kind: Kind) -> bool {
        self.bytes_max(kind) > 0
    }

    /// Longest body of a kind; 0 where it is not wanted.
    pub(crate) const fn bytes_max(&self, kind: Kind) -> usize {
        match kind {
            Kind::Logs | Kind::LogLines => self.limits.logs,
            Kind::OtlpLogs => self.limits.otlp_logs,
            Kind::OtlpMetrics => self.limits.otlp_metrics,
        }
    }

    pub(crate) const fn room(&self) -> &Arc<Room> {
        &self.room
    }

    pub(crate) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Copies a body, which is part of every flush that is asked for afterwards.
    ///
    /// # Errors
    /// [`Refused`]; what is found wrong later is counted.
    pub fn submit(&self, kind: Kind, body: &[u8]) -> Result<(), Refused> {
        self.check(kind, body)?;
        let mut charge = Charge::new(&self.room);
        if !charge.grow(body.len()) {
            return Err(self.refuse(Refused::Full));
        }
        self.send(Job::Body { kind, body: body.to_vec(), charge, reply: None })
    }

    /// Takes a body whose bytes are charged, and the way back.
    pub(crate) fn submit_charged(
        &self,
        kind: Kind,
        body: Vec<u8>,
        charge: Charge,
        reply: oneshot::Sender<Outcome>,
    ) -> Result<(), Refused> {
        self.send(Job::Body { kind, body, charge, reply: Some(reply) })
    }

    pub(crate) fn send(&self, job: Job) -> Result<(), Refused> {
        self.jobs.send(job).map_err(|_| Refused::Stopped)
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&self, refused: Refused) -> Refused {
        let counter = match refused {
            Refused::Full => &self.refusals.full,
            Refused::TooLong => &self.refusals.too_long,
            Refused::Malformed => &self.refusals.malformed,
            Refused::Off | Refused::Stopped => return refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        refused
    }

    fn check(&self, kind: Kind, body: &[u8]) -> Result<(), Refused> {
        let bytes_max = self.bytes_max(kind);
        if bytes_max == 0 {
            return Err(Refused::Off);
        }
        if body.len() > bytes_max {
            return Err(self.refuse(Refused::TooLong));
        }
        if !can_be(kind, body) {
            return Err(self.refuse(Refused::Malformed));
        }
        Ok(())
    }
}

/// Whether the beginning is that of a body of this kind.
fn can_be(kind: Kind, body: &[u8]) -> bool {
    match kind {
        Kind::Logs => matches!(body.trim_ascii_start().first(), Some(b'[' | b'{')),
        Kind::LogLines => true,
        // The first field of a request, as a message; a request may be empty.
        Kind::OtlpLogs | Kind::OtlpMetrics => matches!(body.first(), None | Some(0x0a)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    fn inlet(bytes_max: usize) -> (Inlet, UnboundedReceiver<Job>) {
        let (sender, jobs) = unbounded_channel();
        let limits = Limits { logs: 40, otlp_logs: 0, otlp_metrics: 40 };
        (Inlet::new(sender, Room::new(bytes_max), limits), jobs)
    }

    #[test]
    fn bodies_are_refused_by_reason() {
        let (inlet, jobs) = inlet(100);
        assert_eq!(inlet.submit(Kind::Logs, b" [{}]"), Ok(()));
        assert_eq!(inlet.submit(Kind::Logs, b"text"), Err(Refused::Malformed));
        assert_eq!(inlet.submit(Kind::Logs, &[b'['; 41]), Err(Refused::TooLong));
        assert_eq!(inlet.submit(Kind::OtlpLogs, b""), Err(Refused::Off));
        assert_eq!(inlet.submit(Kind::OtlpMetrics, b"{}"), Err(Refused::Malformed));
        assert_eq!(inlet.submit(Kind::OtlpMetrics, b""), Ok(()));
        assert_eq!(inlet.refusals.malformed.load(Ordering::Relaxed), 2);
        assert_eq!(inlet.refusals.too_long.load(Ordering::Relaxed), 1);
        drop(jobs);
        assert_eq!(inlet.submit(Kind::LogLines, b"a"), Err(Refused::Stopped));
    }

    #[test]
    fn what_waits_is_bounded_and_given_back() {
        let (inlet, mut jobs) = inlet(50);
        assert_eq!(inlet.submit(Kind::LogLines, &[b'a'; 30]), Ok(()));
        assert_eq!(inlet.submit(Kind::LogLines, &[b'a'; 21]), Err(Refused::Full));
        assert_eq!(inlet.submit(Kind::LogLines, &[b'a'; 20]), Ok(()));
        assert_eq!(inlet.room.used(), 50);
        drop(jobs.try_recv());
        assert_eq!(inlet.room.used(), 20);
        assert_eq!(inlet.submit(Kind::LogLines, &[b'a'; 30]), Ok(()));
    }

    #[test]
    fn a_body_that_is_alone_has_room() {
        let (inlet, _jobs) = inlet(10);
        let mut charge = Charge::new(inlet.room());
        assert!(charge.grow(30) && charge.grow(30));
        assert!(!Charge::new(inlet.room()).grow(1));
        drop(charge);
        assert_eq!(inlet.room.used(), 0);
    }
}
