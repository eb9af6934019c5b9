//! Credentials of a peer -> its container, with a small cache. spec: dogstatsd §7.1, §7.2.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{OriginSnapshot, container_entity, container_of_cgroup};

/// Group id by which a replayed packet is known: its user id is the process that sent it first.
/// spec: dogstatsd §12.
pub const REPLAY_GID: u32 = 999_888_777;

/// What the kernel says about the sender of a packet (`SCM_CREDENTIALS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Process; 0 when it lives in a process namespace that is not visible here.
    pub pid: i32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// The sender lives in another process namespace: its packets are processed without origin and
/// counted. Sharing the host's process namespace with the agent cures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignNamespace;

/// Settings of a [`PidResolver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidResolverOptions {
    /// Processes remembered; rounded up to four times a power of two. 40 bytes each. Generous,
    /// because sets fill unevenly: some 1,000 senders share the default without displacement.
    pub entries_max: usize,
    /// How long an answer is believed, "not in a container" included.
    pub ttl: Duration,
}

impl Default for PidResolverOptions {
    fn default() -> Self {
        Self { entries_max: 4096, ttl: Duration::from_secs(60) }
    }
}

/// Process -> container entity, cached. Owned by one lane.
///
/// The table is four-way set-associative: a lookup touches one set, and a full set gives up its
/// oldest entry. It never grows. Within `ttl` a reused process id keeps the earlier answer.
#[derive(Debug)]
pub struct PidResolver {
    sets: Box<[Set]>,
    ttl: Duration,
    scratch: Vec<u8>,
}

const WAYS: usize = 4;

type Set = [Slot; WAYS];

#[derive(Clone, Debug, Default)]
struct Slot {
    /// 0 in a slot that was never used.
    pid: i32,
    expires: Option<Instant>,
    entity: Option<Arc<str>>,
}

const _: () = assert!(size_of::<Slot>() == 40, "the size that the options document");

impl PidResolver {
    /// An empty table.
    #[must_use]
    pub fn new(options: PidResolverOptions) -> Self {
        let sets = options.entries_max.div_ceil(WAYS).clamp(1, 1 << 20).next_power_of_two();
        Self {
            sets: vec![Set::default(); sets].into_boxed_slice(),
            ttl: options.ttl,
            scratch: Vec::new(),
        }
    }

    /// Container entity of the sender of a packet.
    ///
    /// Replayed packets are looked up in the processes of the loaded capture, all others in `/proc`
    /// through `read_cgroup`, see [`PidResolver::resolve`].
    ///
    /// # Errors
    /// [`ForeignNamespace`] when the kernel could not name the process.
    #[inline]
    pub fn resolve_peer<'a>(
        &'a mut self,
        peer: Credentials,
        snapshot: &'a OriginSnapshot,
        now: Instant,
        read_cgroup: impl FnOnce(i32, &mut Vec<u8>) -> io::Result<()>,
    ) -> Result<Option<&'a Arc<str>>, ForeignNamespace> {
        if peer.gid == REPLAY_GID {
            let pid = i32::try_from(peer.uid).ok();
            return Ok(pid.and_then(|pid| snapshot.pid_map.get(&pid)));
        }
        if peer.pid <= 0 {
            return Err(ForeignNamespace);
        }
        Ok(self.resolve(peer.pid, now, read_cgroup))
    }

    /// Container entity of a process, `None` when it is not in a container or is gone.
    ///
    /// On a miss `read_cgroup` is called once: it appends the content of `/proc/<pid>/cgroup`, or
    /// its first [`crate::CGROUP_BYTES_MAX`] bytes, to the empty buffer it is given. A failure is
    /// remembered like "not in a container".
    #[inline]
    pub fn resolve(
        &mut self,
        pid: i32,
        now: Instant,
        read_cgroup: impl FnOnce(i32, &mut Vec<u8>) -> io::Result<()>,
    ) -> Option<&Arc<str>> {
        let set = self.set_of(pid);
        let hit = self.sets[set]
            .iter()
            .position(|slot| slot.pid == pid && slot.expires.is_some_and(|at| now < at));
        let way = match hit {
            Some(way) => way,
            None => self.fill(set, pid, now, read_cgroup),
        };
        self.sets[set][way].entity.as_ref()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.sets.fill(Set::default());
    }

    #[cold]
    fn fill(
        &mut self,
        set: usize,
        pid: i32,
        now: Instant,
        read_cgroup: impl FnOnce(i32, &mut Vec<u8>) -> io::Result<()>,
    ) -> usize {
        self.scratch.clear();
        let entity = read_cgroup(pid, &mut self.scratch)
            .ok()
            .and_then(|()| container_of_cgroup(&self.scratch))
            .map(container_entity);
        let slots = &mut self.sets[set];
        // An expired entry of the same process comes first, then the oldest: unused slots have no
        // expiry, which sorts before every other.
        let (way, slot) = slots
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, slot)| (slot.pid != pid, slot.expires))
            .expect("a set has four slots");
        *slot = Slot { pid, expires: now.checked_add(self.ttl), entity };
        way
    }

    #[inline]
    fn set_of(&self, pid: i32) -> usize {
        // Fibonacci hashing: neighbouring process ids go to distant sets.
        let hash = pid.cast_unsigned().wrapping_mul(0x9E37_79B9);
        ((u64::from(hash) * self.sets.len() as u64) >> 32) as usize
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need an instant to start from")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01";

    fn resolver(entries_max: usize) -> PidResolver {
        PidResolver::new(PidResolverOptions { entries_max, ttl: Duration::from_secs(60) })
    }

    fn contained(_: i32, text: &mut Vec<u8>) -> io::Result<()> {
        text.extend_from_slice(format!("0::/{ID}\n").as_bytes());
        Ok(())
    }

    fn gone(_: i32, _: &mut Vec<u8>) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn unread(pid: i32, _: &mut Vec<u8>) -> io::Result<()> {
        panic!("process {pid} is cached")
    }

    #[test]
    fn answers_are_kept_for_the_ttl_negative_ones_too() {
        let start = Instant::now();
        let mut pids = resolver(16);
        let entity = format!("container_id://{ID}");
        assert_eq!(pids.resolve(1, start, contained).map(|e| &**e), Some(&*entity));
        assert_eq!(pids.resolve(2, start, gone), None);
        let later = start + Duration::from_secs(59);
        assert_eq!(pids.resolve(1, later, unread).map(|e| &**e), Some(&*entity));
        assert_eq!(pids.resolve(2, later, unread), None);
        let expired = start + Duration::from_secs(60);
        assert_eq!(pids.resolve(1, expired, gone), None);
        assert_eq!(pids.resolve(2, expired, contained).map(|e| &**e), Some(&*entity));
    }

    #[test]
    fn a_full_set_gives_up_its_oldest_entry() {
        let start = Instant::now();
        let mut pids = resolver(1);
        for pid in 1..=5 {
            pids.resolve(pid, start + Duration::from_secs(u64::from(pid.cast_unsigned())), gone);
        }
        let now = start + Duration::from_secs(6);
        for pid in 2..=5 {
            assert_eq!(pids.resolve(pid, now, unread), None);
        }
        let mut was_read = false;
        pids.resolve(1, now, |_, _| {
            was_read = true;
            Ok(())
        });
        assert!(was_read);
    }

    #[test]
    fn replayed_packets_resolve_in_the_loaded_processes() {
        let mut pids = resolver(16);
        let snapshot = OriginSnapshot {
            pid_map: [(42, "container_id://abc".into())].into(),
            ..OriginSnapshot::default()
        };
        let peer = Credentials { pid: 1, uid: 42, gid: REPLAY_GID };
        let entity = pids.resolve_peer(peer, &snapshot, Instant::now(), unread);
        assert_eq!(entity.map(|e| e.map(|e| &**e)), Ok(Some("container_id://abc")));
        let unknown = Credentials { uid: u32::MAX, ..peer };
        assert_eq!(pids.resolve_peer(unknown, &snapshot, Instant::now(), unread), Ok(None));
    }

    #[test]
    fn process_zero_lives_in_another_namespace() {
        let mut pids = resolver(16);
        let peer = Credentials { pid: 0, uid: 0, gid: 0 };
        let snapshot = OriginSnapshot::default();
        let entity = pids.resolve_peer(peer, &snapshot, Instant::now(), unread);
        assert_eq!(entity, Err(ForeignNamespace));
    }

    proptest! {
        /// The slow model: whatever is cached, an answer is the one of a read at most `ttl` ago.
        #[test]
        fn answers_are_never_older_than_the_ttl(
            steps in proptest::collection::vec((1..40_i32, 0..30_u64), 1..200),
        ) {
            let mut pids = resolver(8);
            let mut now = Instant::now();
            let mut read_at = std::collections::HashMap::new();
            for (pid, wait_secs) in steps {
                now += Duration::from_secs(wait_secs);
                pids.resolve(pid, now, |_, _| {
                    read_at.insert(pid, now);
                    Ok(())
                });
                prop_assert!(now - read_at[&pid] < Duration::from_secs(60));
            }
        }
    }
}
