//! Counters of the proxies.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Kind;

/// Why a request got no answer of its intake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The proxy is switched off or has no usable destination.
    Off,
    /// Too many requests are under way, or the queue is full.
    Busy,
    /// The request is not one that may be passed on.
    Invalid,
    /// The body is longer than the limit.
    TooLarge,
    /// The body has no end, as when the client went away.
    BodyBroken,
    /// Nothing moved for the deadline.
    Timeout,
    /// The intake could not be reached, or broke off.
    Upstream,
    /// Somebody reads these log files already.
    LogFiles,
}

/// Why a copy for an additional destination was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFailure {
    /// It took the body so slowly that the limit was reached.
    Behind,
    /// Nothing moved for the deadline.
    Timeout,
    /// It could not be reached, or broke off.
    Upstream,
    /// The body has no end, or is too long.
    Body,
    /// It answered with a status from 300 on.
    Status,
}

/// Counters of one proxy since the start, as plain data.
///
/// `requests` = `answers` summed + `refused` summed + `clients_gone` + `in_flight`. A request of
/// telemetry or DogStatsD is answered by us: it counts with its answers once that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyCounts {
    /// Requests.
    pub requests: u64,
    /// Requests passed on, by the first digit of their status, beginning with 1.
    pub answers: [u64; 5],
    /// Requests not passed on, by [`Refused`].
    pub refused: [u64; Refused::ALL.len()],
    /// Requests whose client went away before there was an answer.
    pub clients_gone: u64,
    /// Answers that broke off half-way; part of `answers`.
    pub answers_cut: u64,
    /// Bytes of bodies of requests.
    pub bytes_in: u64,
    /// Bytes of bodies of answers.
    pub bytes_out: u64,
    /// Requests now.
    pub in_flight: u64,
    /// Copies sent to additional destinations, and answered below 300.
    pub copies_sent: u64,
    /// Copies given up, by [`CopyFailure`].
    pub copies_failed: [u64; CopyFailure::ALL.len()],
    /// Copies now.
    pub copies_in_flight: u64,
}

/// The same, written by many tasks.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    answers: [AtomicU64; 5],
    refused: [AtomicU64; Refused::ALL.len()],
    pub(crate) clients_gone: AtomicU64,
    pub(crate) answers_cut: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    in_flight: AtomicU64,
    pub(crate) copies_sent: AtomicU64,
    copies_failed: [AtomicU64; CopyFailure::ALL.len()],
    copies_in_flight: AtomicU64,
}

/// Counts one request or copy as under way until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight<'c>(&'c AtomicU64);

impl Refused {
    /// Every reason, in order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Off,
        Self::Busy,
        Self::Invalid,
        Self::TooLarge,
        Self::BodyBroken,
        Self::Timeout,
        Self::Upstream,
        Self::LogFiles,
    ];

    /// Name in `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Busy => "busy",
            Self::Invalid => "invalid",
            Self::TooLarge => "too_large",
            Self::BodyBroken => "body_broken",
            Self::Timeout => "timeout",
            Self::Upstream => "upstream",
            Self::LogFiles => "log_files",
        }
    }
}

impl CopyFailure {
    /// Every reason, in order of declaration.
    pub const ALL: [Self; 5] =
        [Self::Behind, Self::Timeout, Self::Upstream, Self::Body, Self::Status];

    /// Name in `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::Timeout => "timeout",
            Self::Upstream => "upstream",
            Self::Body => "body",
            Self::Status => "status",
        }
    }
}

impl Counters {
    pub(crate) fn begin(&self) -> InFlight<'_> {
        add(&self.requests, 1);
        InFlight::new(&self.in_flight)
    }

    pub(crate) fn begin_copy(&self) -> InFlight<'_> {
        InFlight::new(&self.copies_in_flight)
    }

    pub(crate) fn answer(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        add(&self.answers[class], 1);
    }

    pub(crate) fn refuse(&self, reason: Refused) {
        add(&self.refused[reason as usize], 1);
    }

    pub(crate) fn fail_copy(&self, reason: CopyFailure) {
        add(&self.copies_failed[reason as usize], 1);
    }

    pub(crate) fn snapshot(&self) -> ProxyCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProxyCounts {
            requests: read(&self.requests),
            answers: std::array::from_fn(|class| read(&self.answers[class])),
            refused: std::array::from_fn(|reason| read(&self.refused[reason])),
            clients_gone: read(&self.clients_gone),
            answers_cut: read(&self.answers_cut),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
            in_flight: read(&self.in_flight),
            copies_sent: read(&self.copies_sent),
            copies_failed: std::array::from_fn(|reason| read(&self.copies_failed[reason])),
            copies_in_flight: read(&self.copies_in_flight),
        }
    }
}

impl<'c> InFlight<'c> {
    fn new(counter: &'c AtomicU64) -> Self {
        add(counter, 1);
        Self(counter)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

/// Counters of all proxies.
#[derive(Debug, Default)]
pub(crate) struct AllCounters([Counters; Kind::ALL.len()]);

impl AllCounters {
    pub(crate) fn of(&self, kind: Kind) -> &Counters {
        &self.0[kind.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_place() {
        for (index, reason) in Refused::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
        for (index, reason) in CopyFailure::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
        let counters = Counters::default();
        counters.answer(202);
        counters.answer(599);
        counters.answer(0);
        assert_eq!(counters.snapshot().answers, [1, 1, 0, 0, 1]);
    }
}
