//! One repository: what is trusted of it, and how an answer changes that. spec: remote-config §5.5

use std::collections::BTreeMap;

use bytes::Bytes;

use super::document::{Document, Expiry, rollback};
use super::key::Signers;
use super::list::{Snapshot, Targets, Timestamp};
use super::root::Root;
use crate::refused::{Cause, Refused, Result};

/// Longest timestamp. spec: remote-config §5.5
const TIMESTAMP_BYTES_MAX: usize = 16_384;
/// Most roots that one answer may lead through.
const ROTATIONS_MAX: usize = 1000;

/// What the backend has sent so far, by role: an answer replaces what it carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) roots: BTreeMap<u64, Bytes>,
    pub(crate) timestamp: Option<Bytes>,
    pub(crate) snapshot: Option<(u64, Bytes)>,
    pub(crate) targets: Option<(u64, Bytes)>,
    pub(crate) delegated: BTreeMap<String, (u64, Bytes)>,
}

impl Received {
    /// Takes what an answer carries.
    pub(crate) fn take(&mut self, newer: Self) {
        self.roots.extend(newer.roots);
        self.delegated.extend(newer.delegated);
        self.timestamp = newer.timestamp.or_else(|| self.timestamp.take());
        self.snapshot = newer.snapshot.or_else(|| self.snapshot.take());
        self.targets = newer.targets.or_else(|| self.targets.take());
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        let versioned = [&self.snapshot, &self.targets].into_iter().flatten();
        let delegated = self.delegated.values();
        self.roots.values().map(Bytes::len).sum::<usize>()
            + versioned.chain(delegated).map(|(_, raw)| raw.len()).sum::<usize>()
            + self.timestamp.as_ref().map_or(0, Bytes::len)
    }
}

/// A trusted document.
#[derive(Clone, Debug)]
pub(crate) struct Trusted<T> {
    pub(crate) version: u64,
    pub(crate) raw: Bytes,
    pub(crate) expires: Expiry,
    pub(super) document: Document,
    pub(crate) content: T,
}

/// A repository as far as it is trusted. A change makes another one, so that a refused answer
/// leaves no trace.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) root: Root,
    /// Every root ever trusted, for those who have to follow the chain.
    pub(crate) roots: BTreeMap<u64, Bytes>,
    pub(crate) timestamp: Option<Trusted<Timestamp>>,
    pub(crate) snapshot: Option<Trusted<Snapshot>>,
    pub(crate) targets: Option<Trusted<Targets>>,
    pub(crate) received: Received,
    /// Versions below which nothing is taken, even when the document itself had to go.
    floors: Floors,
}

#[derive(Clone, Copy, Debug, Default)]
struct Floors {
    timestamp: u64,
    snapshot: u64,
    targets: u64,
}

impl Repository {
    /// A repository of which nothing but the anchor is known.
    pub(crate) fn new(anchor: Root) -> Self {
        Self {
            roots: BTreeMap::from([(anchor.version, anchor.raw.clone())]),
            root: anchor,
            timestamp: None,
            snapshot: None,
            targets: None,
            received: Received::default(),
            floors: Floors::default(),
        }
    }

    /// Takes documents of the store: each is trusted if its signatures hold, and dropped silently
    /// if not. Expiry is the business of the next update. Returns how many were dropped.
    pub(crate) fn restore(&mut self, stored: Received) -> usize {
        let mut dropped = 0;
        for raw in stored.roots.range(self.root.version + 1..).map(|(_, raw)| raw) {
            match self.root.next(raw) {
                Ok(next) => self.trust_root(next),
                Err(_) => dropped += 1,
            }
        }
        self.timestamp = stored.timestamp.as_ref().and_then(|raw| {
            restored("timestamp", "timestamp", raw, &self.root.timestamp, |what, document| {
                document.content(what)
            })
        });
        self.snapshot = stored.snapshot.as_ref().and_then(|(_, raw)| {
            restored("snapshot", "snapshot", raw, &self.root.snapshot, |what, document| {
                document.content(what)
            })
        });
        self.targets = stored.targets.as_ref().and_then(|(_, raw)| {
            restored("targets", "targets", raw, &self.root.targets, Targets::parse)
        });
        dropped += usize::from(stored.timestamp.is_some() && self.timestamp.is_none())
            + usize::from(stored.snapshot.is_some() && self.snapshot.is_none())
            + usize::from(stored.targets.is_some() && self.targets.is_none());
        self.floors = self.versions();
        self.received = Received {
            roots: BTreeMap::new(),
            timestamp: self.timestamp.as_ref().map(|trusted| trusted.raw.clone()),
            snapshot: self.snapshot.as_ref().map(Trusted::versioned),
            targets: self.targets.as_ref().map(Trusted::versioned),
            delegated: stored.delegated,
        };
        dropped
    }

    /// What the store keeps.
    pub(crate) fn stored(&self) -> Received {
        let is_listed = |role: &str| {
            let snapshot = self.snapshot.as_ref();
            snapshot.is_some_and(|snapshot| snapshot.content.role(role).is_ok())
        };
        let delegated = self.received.delegated.iter().filter(|(role, _)| is_listed(role));
        Received {
            roots: self.roots.clone(),
            timestamp: self.timestamp.as_ref().map(|trusted| trusted.raw.clone()),
            snapshot: self.snapshot.as_ref().map(Trusted::versioned),
            targets: self.targets.as_ref().map(Trusted::versioned),
            delegated: delegated.map(|(role, held)| (role.clone(), held.clone())).collect(),
        }
    }

    /// Brings the repository up to what was received. On an error it is in no defined state: the
    /// caller updates a copy.
    pub(crate) fn update(&mut self, now_secs: i64) -> Result<()> {
        let before = self.root.clone();
        self.rotate()?;
        self.root.expires.check(&format!("root {}", self.root.version), now_secs)?;
        self.forget_replaced(&before);
        self.drop_unverified();
        let Some(timestamp) = self.next_timestamp(now_secs)? else { return Ok(()) };
        let snapshot = self.next_snapshot(&timestamp.content, now_secs)?;
        self.timestamp = Some(timestamp);
        let targets = self.next_targets(&snapshot.content, now_secs)?;
        self.snapshot = Some(snapshot);
        if let Some(targets) = targets {
            self.targets = Some(targets);
        }
        self.floors = self.versions();
        // What the snapshot does not list can never be used.
        let listed = self.snapshot.as_ref().map(|snapshot| &snapshot.content);
        let is_listed = |role: &str| listed.is_some_and(|listed| listed.role(role).is_ok());
        self.received.delegated.retain(|role, _| is_listed(role));
        Ok(())
    }

    /// Steps 1 and 2: from root to root.
    fn rotate(&mut self) -> Result<()> {
        for _ in 0..ROTATIONS_MAX {
            let Some(raw) = self.received.roots.get(&(self.root.version + 1)) else { break };
            let next = self.root.next(raw)?;
            self.trust_root(next);
        }
        // What was used is among the trusted, and what is left can never be used.
        self.received.roots = self.received.roots.split_off(&(self.root.version + 1));
        Ok(())
    }

    fn trust_root(&mut self, next: Root) {
        self.roots.insert(next.version, next.raw.clone());
        self.root = next;
    }

    /// Step 4: recovery after keys were replaced.
    fn forget_replaced(&mut self, before: &Root) {
        let after = &self.root;
        let is_timestamp = before.timestamp.are_replaced(&after.timestamp);
        let is_snapshot = before.snapshot.are_replaced(&after.snapshot);
        let is_targets = before.targets.are_replaced(&after.targets);
        if is_timestamp || is_snapshot {
            self.timestamp = None;
            self.floors.timestamp = 0;
        }
        if is_snapshot || is_targets {
            self.snapshot = None;
            self.floors.snapshot = 0;
        }
        if is_targets {
            self.targets = None;
            self.floors.targets = 0;
        }
    }

    /// Step 5: what no longer verifies under the new root goes; its version stays the least that
    /// is taken.
    fn drop_unverified(&mut self) {
        fn is_kept<T>(trusted: &Trusted<T>, signers: &Signers) -> bool {
            trusted.document.check_signatures("", signers).is_ok()
        }
        let root = &self.root;
        self.timestamp = self.timestamp.take().filter(|held| is_kept(held, &root.timestamp));
        self.snapshot = self.snapshot.take().filter(|held| is_kept(held, &root.snapshot));
        self.targets = self.targets.take().filter(|held| is_kept(held, &root.targets));
    }

    /// Step 6. `None` means that the one received is the one that is trusted, and that all is done.
    fn next_timestamp(&self, now_secs: i64) -> Result<Option<Trusted<Timestamp>>> {
        let what = "timestamp";
        let raw = self.received.timestamp.as_ref();
        let raw = raw.ok_or_else(|| missing("there is no timestamp"))?;
        if raw.len() > TIMESTAMP_BYTES_MAX {
            let detail = format!("{what} has {} bytes", raw.len());
            return Err(Refused::new(Cause::TooLarge, detail));
        }
        let document = Document::parse(what, raw)?;
        document.check(what, what, &self.root.timestamp, self.floors.timestamp, now_secs)?;
        // An empty repository has version 0. A version that is known, but whose document had to go,
        // was signed again.
        let is_known = self.timestamp.is_some() || document.version == 0;
        if document.version == self.floors.timestamp && is_known {
            return Ok(None);
        }
        let content = document.content(what)?;
        Ok(Some(Trusted::new(raw.clone(), document, content)))
    }

    /// Steps 7 to 9.
    fn next_snapshot(&self, timestamp: &Timestamp, now_secs: i64) -> Result<Trusted<Snapshot>> {
        let what = "snapshot";
        let meta = timestamp.snapshot()?;
        if meta.version < self.floors.snapshot {
            return Err(rollback(what, meta.version, self.floors.snapshot));
        }
        let raw = of_version(what, self.received.snapshot.as_ref(), meta.version)?;
        meta.check(what, &raw)?;
        let document = Document::parse(what, &raw)?;
        meta.check_version(what, document.version)?;
        document.check(what, what, &self.root.snapshot, self.floors.snapshot, now_secs)?;
        let content: Snapshot = document.content(what)?;
        let targets = content.targets()?;
        if targets.version < self.floors.targets {
            return Err(rollback("targets", targets.version, self.floors.targets));
        }
        for (name, old) in self.snapshot.iter().flat_map(|trusted| &trusted.content.meta) {
            let Some(new) = content.meta.get(name) else {
                let detail = format!("{what} no longer lists {name}");
                return Err(Refused::new(Cause::RoleRemoved, detail));
            };
            if new.version < old.version {
                return Err(rollback(name, new.version, old.version));
            }
        }
        Ok(Trusted::new(raw, document, content))
    }

    /// Step 10. `None` keeps the targets that are trusted.
    fn next_targets(&self, snapshot: &Snapshot, now_secs: i64) -> Result<Option<Trusted<Targets>>> {
        let what = "targets";
        let meta = snapshot.targets()?;
        let is_held = |held: &Trusted<Targets>| {
            held.version == meta.version && meta.check(what, &held.raw).is_ok()
        };
        if self.targets.as_ref().is_some_and(is_held) {
            return Ok(None);
        }
        let raw = of_version(what, self.received.targets.as_ref(), meta.version)?;
        meta.check(what, &raw)?;
        let document = Document::parse(what, &raw)?;
        meta.check_version(what, document.version)?;
        document.check(what, what, &self.root.targets, self.floors.targets, now_secs)?;
        let content = Targets::parse(what, &document)?;
        Ok(Some(Trusted::new(raw, document, content)))
    }

    fn versions(&self) -> Floors {
        Floors {
            timestamp: self.timestamp.as_ref().map_or(0, |trusted| trusted.version),
            snapshot: self.snapshot.as_ref().map_or(0, |trusted| trusted.version),
            targets: self.targets.as_ref().map_or(0, |trusted| trusted.version),
        }
    }

    /// The organisation that the snapshot names.
    pub(crate) fn org_uuid(&self) -> Option<&str> {
        self.snapshot.as_ref()?.content.org_uuid()
    }
}

impl<T> Trusted<T> {
    const fn new(raw: Bytes, document: Document, content: T) -> Self {
        Self { version: document.version, raw, expires: document.expires(), document, content }
    }

    fn versioned(&self) -> (u64, Bytes) {
        (self.version, self.raw.clone())
    }
}

fn restored<T>(
    what: &str,
    kind: &str,
    raw: &Bytes,
    signers: &Signers,
    content: impl FnOnce(&str, &Document) -> Result<T>,
) -> Option<Trusted<T>> {
    let document = Document::parse(what, raw).ok()?;
    document.check_signatures(what, signers).ok()?;
    document.check_kind(what, kind).ok()?;
    let content = content(what, &document).ok()?;
    Some(Trusted::new(raw.clone(), document, content))
}

fn of_version(what: &str, held: Option<&(u64, Bytes)>, version: u64) -> Result<Bytes> {
    match held {
        Some((held, raw)) if *held == version => Ok(raw.clone()),
        Some((held, _)) => {
            Err(missing(&format!("{what} {version} is named, but {held} was delivered")))
        }
        None => Err(missing(&format!("{what} {version} was not delivered"))),
    }
}

pub(super) fn missing(detail: &str) -> Refused {
    Refused::new(Cause::MissingMeta, detail)
}
