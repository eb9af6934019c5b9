//! Sends recorded requests again, in their own rhythm.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;

use super::send::RequestSender;
use super::{RequestError, RequestReader, RequestTarget};
use crate::replay::{Pace, due_after};

/// How to replay requests.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestReplayOptions {
    /// Where to.
    pub target: RequestTarget,
    /// Factor on the rhythm: 2 is twice as fast, 0 is without pauses. Not negative, finite.
    pub speed: f64,
    /// How often the capture is sent; 0 means until it is stopped.
    pub loops: u32,
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestReplayReport {
    /// Requests answered, by status.
    pub answers: BTreeMap<u16, u64>,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Whole passes over the capture.
    pub loops: u32,
    /// Requests that the recorder had dropped.
    pub recorded_drops: u64,
    /// Whether the file has no end; the requests before were sent.
    pub is_cut: bool,
    /// Whether it was stopped.
    pub is_stopped: bool,
}

impl RequestReplayReport {
    /// Requests answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Those that the agent took: answered with a status from 200 to 299.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.answers.range(200..300).map(|(_, count)| count).sum()
    }
}

/// Why a replay fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequestReplayError {
    /// The file cannot be read.
    #[error(transparent)]
    Capture(#[from] RequestError),
    /// Nobody listens.
    #[error("cannot connect to {target:?}: {source}; check that the agent runs and listens there")]
    Connect {
        /// Where to.
        target: RequestTarget,
        /// What the kernel said.
        source: io::Error,
    },
    /// The connection broke.
    #[error("sending stopped after {requests} requests: {source}; look into the agent's log")]
    Send {
        /// Requests answered before.
        requests: u64,
        /// What went wrong.
        source: io::Error,
    },
    /// The factor is not a speed.
    #[error("speed {0} is not valid; use 0 for no pauses, 1 for the recorded rhythm")]
    Speed(f64),
    /// There is nothing to send.
    #[error("the capture holds no requests; record again while tracers send")]
    Empty,
}

/// Replays the capture at `path`. `pace` is given the time since the start of the pass at which the
/// next request is due, and returns when it is; [`pace_with`](crate::pace_with) makes one for a
/// real clock. A refused request is counted by its status and the next one sent.
///
/// # Errors
/// See [`RequestReplayError`].
pub fn replay_requests(
    path: &Path,
    options: &RequestReplayOptions,
    mut pace: impl FnMut(Duration) -> Pace,
) -> Result<RequestReplayReport, RequestReplayError> {
    if !options.speed.is_finite() || options.speed < 0.0 {
        return Err(RequestReplayError::Speed(options.speed));
    }
    let mut reader = RequestReader::open(path)?;
    let mut sender = RequestSender::connect(&options.target)
        .map_err(|source| RequestReplayError::Connect { target: options.target.clone(), source })?;
    let mut report = RequestReplayReport::default();
    loop {
        let mut first_ns = None;
        while let Some(record) = reader.read()? {
            let first_ns = *first_ns.get_or_insert(record.unix_ns);
            let due = due_after(record.unix_ns.saturating_sub(first_ns), options.speed);
            if pace(due) == Pace::Stop {
                report.is_stopped = true;
                return Ok(report);
            }
            let status = sender.send(&record).map_err(|source| RequestReplayError::Send {
                requests: report.requests(),
                source,
            })?;
            *report.answers.entry(status).or_default() += 1;
            report.bytes += record.body.len() as u64;
        }
        if first_ns.is_none() {
            return Err(RequestReplayError::Empty);
        }
        (report.is_cut, report.recorded_drops) = (reader.is_cut(), reader.drops());
        report.loops += 1;
        if report.loops == options.loops {
            return Ok(report);
        }
        reader = RequestReader::open(path)?;
    }
}

#[cfg(test)]
mod tests;
