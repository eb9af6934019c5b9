//! Counters of a lane's server, and who was refused.

use crate::head::{Head, Text};
use crate::{Refusal, Route};

/// Counters since the lane started. A request is counted when its head was read.
///
/// `requests` summed over the routes = `answers` summed over the statuses + `requests_lost` +
/// requests being read, waiting or being answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerCounts {
    /// Requests, by [`Route::index`].
    pub requests: [u64; Route::COUNT],
    /// Requests answered, by status.
    pub answers: Statuses,
    /// Requests whose connection ended before their answer was written.
    pub requests_lost: u64,
    /// Requests whose connection broke while their body was read; part of `requests_lost`.
    pub bodies_reset: u64,
    /// Connections of clients that were gone while their request was with control, or its answer on
    /// the way.
    pub hang_ups: u64,
    /// Bytes of the bodies read whole.
    pub body_bytes: u64,
    /// Requests handed over to control.
    pub exchanges: u64,
    /// Bytes of their bodies that were read.
    pub exchange_body_bytes: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Connections closed, by either side.
    pub connections_closed: u64,
    /// Connections closed because no request came, or not all of its head.
    pub head_timeouts: u64,
    /// Connections closed because what came was no HTTP request, or its head was too long.
    pub heads_malformed: u64,
    /// Connections closed because the client did not read its answer.
    pub write_timeouts: u64,
    /// Connections closed for being idle while there was no room for others.
    pub connections_evicted: u64,
    /// Times that accepting failed, as when no file descriptor is left.
    pub accept_errors: u64,
}

impl ServerCounts {
    /// Adds the counters of another server.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.requests.iter_mut().zip(other.requests) {
            *sum += more;
        }
        for (sum, more) in self.answers.0.iter_mut().zip(other.answers.0) {
            *sum += more;
        }
        self.requests_lost += other.requests_lost;
        self.bodies_reset += other.bodies_reset;
        self.hang_ups += other.hang_ups;
        self.body_bytes += other.body_bytes;
        self.exchanges += other.exchanges;
        self.exchange_body_bytes += other.exchange_body_bytes;
        self.connections += other.connections;
        self.connections_closed += other.connections_closed;
        self.head_timeouts += other.head_timeouts;
        self.heads_malformed += other.heads_malformed;
        self.write_timeouts += other.write_timeouts;
        self.connections_evicted += other.connections_evicted;
        self.accept_errors += other.accept_errors;
    }
}

/// Counters by status: those that a server here gives, and any other one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statuses([u64; STATUSES.len() + 1]);

/// Statuses with a counter of their own.
pub const STATUSES: [u16; 8] = [200, 400, 403, 404, 408, 413, 415, 429];

impl Statuses {
    pub(crate) fn add(&mut self, status: u16) {
        let index = STATUSES.iter().position(|&known| known == status).unwrap_or(STATUSES.len());
        self.0[index] += 1;
    }

    /// Each status and its count; 0 stands for any other one.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        STATUSES.into_iter().chain([0]).zip(self.0)
    }

    /// Answers with this status.
    #[must_use]
    pub fn of(&self, status: u16) -> u64 {
        self.iter().find(|&(known, _)| known == status).map_or(0, |(_, count)| count)
    }

    /// All answers.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What was refused to one kind of sender. A kind is a tracer's language and version, and the
/// service it traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderRefusals {
    /// `Datadog-Meta-Lang`.
    pub language: String,
    /// `Datadog-Meta-Tracer-Version`.
    pub tracer_version: String,
    /// Service; empty when the request did not tell.
    pub service: String,
    /// Requests refused, by [`Refusal`].
    pub requests: [u64; Refusal::ALL.len()],
    /// Traces that those requests said to carry.
    pub traces: u64,
    /// Length of the largest body refused for its size, in bytes, as the client announced it.
    pub largest_body_bytes: u64,
}

/// Senders that were refused something, the first [`SENDERS_MAX`] kinds and one row for all others.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    rows: Vec<SenderRefusals>,
}

/// Kinds of senders with a row of their own.
const SENDERS_MAX: usize = 64;
/// Bytes kept of a language, a version or a service.
const TEXT_BYTES_MAX: usize = 64;
/// Language of the row for all other senders.
const OTHERS: &str = "other";

impl Senders {
    pub(crate) fn add(&mut self, head: &Head, service: &str, refusal: Refusal) {
        let language = cut(head.text(Text::Language));
        let version = cut(head.text(Text::TracerVersion));
        let row = self.row(language, version, cut(service));
        row.requests[refusal as usize] += 1;
        row.traces = row.traces.saturating_add(head.trace_count.unwrap_or(0));
        if refusal == Refusal::TooLarge {
            let announced = head.content_length.unwrap_or(0);
            row.largest_body_bytes = row.largest_body_bytes.max(announced);
        }
    }

    pub(crate) fn rows(&self) -> &[SenderRefusals] {
        &self.rows
    }

    fn row(&mut self, language: &str, version: &str, service: &str) -> &mut SenderRefusals {
        let find = |rows: &[SenderRefusals], of: (&str, &str, &str)| {
            rows.iter().position(|row| (&*row.language, &*row.tracer_version, &*row.service) == of)
        };
        let of = (language, version, service);
        let of = match find(&self.rows, of) {
            None if self.rows.len() >= SENDERS_MAX => (OTHERS, "", ""),
            _ => of,
        };
        let index = find(&self.rows, of).unwrap_or_else(|| {
            self.rows.push(SenderRefusals {
                language: of.0.into(),
                tracer_version: of.1.into(),
                service: of.2.into(),
                ..SenderRefusals::default()
            });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use receive::Peer;

    use super::*;

    fn head(language: &str, version: &str) -> Head {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("datadog-meta-lang", language),
            ("datadog-meta-tracer-version", version),
            ("x-datadog-trace-count", "2"),
            ("content-length", "77"),
        ] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        Head::new(Route::Unknown, Peer::Unix(None), &headers)
    }

    #[test]
    fn refusals_are_kept_by_language_and_version() {
        let mut senders = Senders::default();
        senders.add(&head("go", "1"), "", Refusal::TooLarge);
        senders.add(&head("go", "1"), "", Refusal::Busy);
        senders.add(&head("go", "2"), "web", Refusal::Busy);
        senders.add(&head("go", "2"), "db", Refusal::Busy);
        assert_eq!(senders.rows().len(), 3);
        assert_eq!(senders.rows()[2].service, "db");
        let go1 = &senders.rows()[0];
        assert_eq!((go1.requests[0], go1.requests[1], go1.traces), (1, 1, 4));
        assert_eq!(go1.largest_body_bytes, 77);
        assert_eq!(senders.rows()[1].largest_body_bytes, 0);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut senders = Senders::default();
        for n in 0..1000 {
            senders.add(&head(&"x".repeat(500), &n.to_string()), "", Refusal::Malformed);
        }
        assert_eq!(senders.rows().len(), SENDERS_MAX + 1);
        let others = senders.rows().last().unwrap();
        assert_eq!((others.language.as_str(), others.requests[4]), (OTHERS, 1000 - 64));
        assert!(senders.rows().iter().all(|row| row.language.len() <= TEXT_BYTES_MAX));
    }

    #[test]
    fn every_refusal_has_its_place() {
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index);
        }
        let mut statuses = Statuses::default();
        statuses.add(413);
        statuses.add(500);
        assert_eq!((statuses.of(413), statuses.of(0), statuses.total()), (1, 1, 2));
        let mut sum = ServerCounts { answers: statuses, connections: 1, ..Default::default() };
        sum.add(&sum.clone());
        assert_eq!((sum.answers.of(413), sum.answers.total(), sum.connections), (2, 4, 2));
    }
}
