//! Clients that were seen lately. spec: remote-config §3.2, §6.3
//!
//! A client stays for its time to live after each request. The bounds are on their number and on
//! the bytes of what they said of themselves; who finds no room is answered and not remembered.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use prost::Message as _;

use crate::message::Client;

/// The clients.
#[derive(Debug)]
pub(crate) struct Registry {
    clients: HashMap<String, Entry>,
    time_to_live: Duration,
    count_max: usize,
    bytes_max: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    client: Client,
    bytes: usize,
    seen: Instant,
}

/// What a request tells about its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was there already.
    Known,
    /// It is new, or had expired.
    New,
    /// There is no room to remember it.
    Refused,
}

impl Registry {
    pub(crate) fn new(time_to_live: Duration, count_max: usize, bytes_max: usize) -> Self {
        Self { clients: HashMap::new(), time_to_live, count_max, bytes_max, bytes: 0 }
    }

    /// Remembers what a client said last.
    pub(crate) fn take(&mut self, mut client: Client, now: Instant, now_unix_ms: u64) -> Seen {
        self.expire(now);
        client.last_seen = now_unix_ms;
        let bytes = client.encoded_len();
        let before = self.clients.get(&client.id).map_or(0, |entry| entry.bytes);
        let seen = if self.clients.contains_key(&client.id) { Seen::Known } else { Seen::New };
        let is_full = seen == Seen::New && self.clients.len() >= self.count_max;
        if is_full || self.bytes - before + bytes > self.bytes_max {
            return Seen::Refused;
        }
        self.bytes = self.bytes - before + bytes;
        self.clients.insert(client.id.clone(), Entry { client, bytes, seen: now });
        seen
    }

    /// Everybody whose time is not over, by id.
    pub(crate) fn active(&mut self, now: Instant) -> Vec<&Client> {
        self.expire(now);
        let mut clients: Vec<&Client> = self.clients.values().map(|entry| &entry.client).collect();
        clients.sort_by(|one, other| one.id.cmp(&other.id));
        clients
    }

    fn expire(&mut self, now: Instant) {
        let time_to_live = self.time_to_live;
        let mut gone = 0;
        self.clients.retain(|_, entry| {
            let is_kept = now.saturating_duration_since(entry.seen) <= time_to_live;
            gone += if is_kept { 0 } else { entry.bytes };
            is_kept
        });
        self.bytes -= gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> Client {
        Client { id: id.to_owned(), ..Client::default() }
    }

    #[test]
    fn a_client_lives_for_its_time_after_each_request() {
        let mut registry = Registry::new(Duration::from_secs(30), 10, 1000);
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        assert_eq!(registry.take(client("a"), at(0), 5), Seen::New);
        assert_eq!(registry.take(client("a"), at(30), 6), Seen::Known);
        assert_eq!(registry.active(at(60)).len(), 1);
        assert_eq!(registry.active(at(60))[0].last_seen, 6);
        assert!(registry.active(at(61)).is_empty());
        assert_eq!(registry.bytes, 0);
        assert_eq!(registry.take(client("a"), at(61), 7), Seen::New);
    }

    #[test]
    fn bounds_hold_and_known_clients_stay() {
        let mut registry = Registry::new(Duration::from_secs(30), 2, 100);
        let now = Instant::now();
        assert_eq!(registry.take(client("a"), now, 0), Seen::New);
        assert_eq!(registry.take(client("b"), now, 0), Seen::New);
        assert_eq!(registry.take(client("c"), now, 0), Seen::Refused);
        assert_eq!(registry.take(client("a"), now, 0), Seen::Known);
        let big = Client { products: vec!["x".repeat(200)], ..client("a") };
        assert_eq!(registry.take(big, now, 0), Seen::Refused);
        let ids: Vec<_> = registry.active(now).into_iter().map(|client| &*client.id).collect();
        assert_eq!(ids, ["a", "b"]);
    }
}
