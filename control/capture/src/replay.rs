//! Sends a capture again, in its own rhythm.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::Capture;
use crate::send::{CredentialUse, Sender, Target};

/// How to replay.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayOptions {
    /// Where to.
    pub target: Target,
    /// Factor on the rhythm: 2 is twice as fast, 0 is without pauses. Not negative, finite.
    pub speed: f64,
    /// How often the capture is sent; 0 means until it is stopped.
    pub loops: u32,
    /// Whether to send in the name of the first senders, so that a server which loaded the
    /// capture's state finds their containers.
    pub with_credentials: bool,
}

/// Whether a replay goes on after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Send the next packet.
    Go,
    /// End here.
    Stop,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayReport {
    /// Packets sent.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Packets that the socket refused because of their size.
    pub refused: u64,
    /// Whole passes over the capture.
    pub loops: u32,
    /// What became of the credentials.
    pub credentials: CredentialUse,
    /// Whether it was stopped.
    pub is_stopped: bool,
}

impl ReplayReport {
    /// One sentence for the user when senders could not be carried over.
    #[must_use]
    pub const fn note(&self) -> Option<&'static str> {
        match self.credentials {
            CredentialUse::Refused => Some(
                "the kernel refused to send in the name of the recorded processes, so the server \
                 sees this one as the sender; run as root, or with CAP_SETUID and CAP_SETGID",
            ),
            CredentialUse::Sent | CredentialUse::Off => None,
        }
    }
}

/// Why a replay fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Nobody listens.
    #[error("cannot connect to {target:?}: {source}; check that the agent runs and listens there")]
    Connect {
        /// Where to.
        target: Target,
        /// What the kernel said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("sending stopped after {packets} packets: {source}; the agent may have been restarted")]
    Send {
        /// Packets sent before.
        packets: u64,
        /// What the kernel said.
        source: io::Error,
    },
    /// The factor is not a speed.
    #[error("speed {0} is not valid; use 0 for no pauses, 1 for the recorded rhythm")]
    Speed(f64),
    /// There is nothing to send.
    #[error("the capture holds no packets; record again while clients send")]
    Empty,
}

/// Replays `capture`. `pace` is given the time since the start of the pass at which the next packet
/// is due, and returns when it is; [`pace_with`] makes one for a real clock.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(
    capture: &Capture,
    options: &ReplayOptions,
    mut pace: impl FnMut(Duration) -> Pace,
) -> Result<ReplayReport, ReplayError> {
    if !options.speed.is_finite() || options.speed < 0.0 {
        return Err(ReplayError::Speed(options.speed));
    }
    let first_ns = capture.records().next().ok_or(ReplayError::Empty)?.unix_ns;
    let mut sender = Sender::connect(&options.target, options.with_credentials)
        .map_err(|source| ReplayError::Connect { target: options.target.clone(), source })?;
    let mut report = ReplayReport {
        packets: 0,
        bytes: 0,
        refused: 0,
        loops: 0,
        credentials: CredentialUse::Off,
        is_stopped: false,
    };
    'passes: while options.loops == 0 || report.loops < options.loops {
        for record in capture.records() {
            let due = due_after(record.unix_ns.saturating_sub(first_ns), options.speed);
            if pace(due) == Pace::Stop {
                report.is_stopped = true;
                break 'passes;
            }
            match sender.send(record.payload, record.pid) {
                Ok(()) => {
                    report.packets += 1;
                    report.bytes += record.payload.len() as u64;
                }
                Err(failure) if is_size_refusal(&failure) => report.refused += 1,
                Err(source) => {
                    return Err(ReplayError::Send { packets: report.packets, source });
                }
            }
        }
        report.loops += 1;
    }
    report.credentials = sender.credentials;
    Ok(report)
}

/// A pace that waits on the real clock, and stops when `stop` gets a message or loses its sender.
pub fn pace_with(stop: &Receiver<()>) -> impl FnMut(Duration) -> Pace + '_ {
    let mut pass_start = Instant::now();
    let mut last_due = Duration::ZERO;
    move |due| {
        if due < last_due {
            // Time steps back where the next pass begins, or in a capture out of order.
            pass_start = Instant::now().checked_sub(due).unwrap_or_else(Instant::now);
        }
        last_due = due;
        let wait = due.saturating_sub(pass_start.elapsed());
        match stop.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => Pace::Go,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Pace::Stop,
        }
    }
}

/// Time from the first packet to this one at `speed`; never before the first.
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of rhythm need no more than 52 bits")]
pub(crate) fn due_after(since_first_ns: i64, speed: f64) -> Duration {
    if speed == 0.0 || since_first_ns <= 0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(since_first_ns as f64 / 1e9 / speed).unwrap_or(Duration::MAX)
}

fn is_size_refusal(failure: &io::Error) -> bool {
    failure.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error())
}

#[cfg(test)]
mod tests;
