//! What to do on disk next, and acting on what the disk did.

use std::time::Duration;

use tokio::time::Instant;

use super::RouteState;
use crate::queue::Held;
use crate::route::replay::{RecordId, Replay};
use crate::spool::format::{Record, is_encodable};
use crate::spool::{FileId, Scanned, SpoolDir, SpoolError, Written};
use crate::stats::{DropReason, Waiting};

/// Bytes and records of one file, about.
const BATCH_BYTES: u64 = 2 * 1024 * 1024;
const BATCH_RECORDS: usize = 2048;

/// After the disk failed, reading waits this long before it is tried again.
const READ_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// Bounds of the disk queue of one route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpoolRule {
    pub(crate) bytes_max: u64,
    pub(crate) flush_ratio: f64,
    pub(crate) age_max_ms: u64,
    pub(crate) replay_bytes_per_sec: u64,
}

/// The disk queue as the state machine sees it.
#[derive(Debug)]
pub(crate) struct Spooling {
    pub(super) rule: SpoolRule,
    pub(super) replay: Replay,
    /// Being written now; still counted as queued.
    pub(super) writing: Waiting,
    pub(super) error: String,
    is_scanned: bool,
    is_busy: bool,
    finished: Vec<FileId>,
    damaged: Vec<FileId>,
    read_again_at: Option<Instant>,
    next_sequence: u64,
}

/// One blocking operation; at most one runs at a time.
#[derive(Debug)]
pub(crate) enum DiskJob {
    Scan,
    Write { id: FileId, records: Vec<Record>, used_bytes: u64, evictable: Vec<(FileId, u64)> },
    Load(FileId),
    Discard { finished: Vec<FileId>, damaged: Vec<FileId> },
}

/// Its outcome.
#[derive(Debug)]
pub(crate) enum DiskDone {
    Scanned(Result<Scanned, SpoolError>),
    Written(FileId, Written),
    Loaded(FileId, Result<Vec<Record>, SpoolError>),
    Discarded,
}

impl DiskJob {
    /// Does it; blocks.
    pub(crate) fn run(self, dir: &SpoolDir) -> DiskDone {
        match self {
            Self::Scan => DiskDone::Scanned(dir.scan()),
            Self::Write { id, records, used_bytes, evictable } => {
                DiskDone::Written(id, dir.write(id, &records, used_bytes, &evictable))
            }
            Self::Load(id) => DiskDone::Loaded(id, dir.load(id)),
            Self::Discard { finished, damaged } => {
                finished.into_iter().for_each(|id| dir.remove(id));
                damaged.into_iter().for_each(|id| dir.set_aside(id));
                DiskDone::Discarded
            }
        }
    }
}

impl Spooling {
    pub(super) fn new(rule: SpoolRule) -> Self {
        Self {
            rule,
            replay: Replay::new(rule.replay_bytes_per_sec),
            writing: Waiting::default(),
            error: String::new(),
            is_scanned: false,
            is_busy: false,
            finished: Vec::new(),
            damaged: Vec::new(),
            read_again_at: None,
            next_sequence: 0,
        }
    }

    /// A record is delivered or given up; a file without open records is deleted next.
    pub(super) fn settle(&mut self, record: RecordId, points: u64) {
        self.finished.extend(self.replay.settle(record, points));
    }

    fn next_id(&mut self, created_ms: u64) -> FileId {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        FileId { created_ms, sequence }
    }
}

impl RouteState {
    /// The next disk operation, if one is due and none runs.
    pub(crate) fn next_disk_job(&mut self, now: Instant, now_ms: u64) -> Option<DiskJob> {
        if self.spooling.as_ref()?.is_busy {
            return None;
        }
        let job = self.choose_disk_job(now, now_ms);
        if let Some(spooling) = &mut self.spooling {
            spooling.is_busy = job.is_some();
        }
        job
    }

    fn choose_disk_job(&mut self, now: Instant, now_ms: u64) -> Option<DiskJob> {
        let spooling = self.spooling.as_mut()?;
        if !spooling.is_scanned {
            spooling.is_scanned = true;
            return Some(DiskJob::Scan);
        }
        self.expire(now_ms);
        let spooling = self.spooling.as_mut()?;
        if !spooling.finished.is_empty() || !spooling.damaged.is_empty() {
            let finished = std::mem::take(&mut spooling.finished);
            let damaged = std::mem::take(&mut spooling.damaged);
            return Some(DiskJob::Discard { finished, damaged });
        }
        if let Some(job) = self.next_write() {
            return Some(job);
        }
        self.next_load(now)
    }

    /// Acts on a finished disk operation.
    pub(crate) fn on_disk_done(&mut self, done: DiskDone, now: Instant) {
        if let Some(spooling) = &mut self.spooling {
            spooling.is_busy = false;
        }
        match done {
            DiskDone::Scanned(result) => self.on_scanned(result),
            DiskDone::Written(id, written) => self.on_written(id, written, now),
            DiskDone::Loaded(id, result) => self.on_loaded(id, result, now),
            DiskDone::Discarded => {}
        }
    }

    /// The disk operation died without an outcome: what it was writing is lost.
    pub(crate) fn on_disk_vanished(&mut self) {
        let Some(spooling) = &mut self.spooling else { return };
        spooling.is_busy = false;
        spooling.replay.abandon_load();
        let lost = std::mem::take(&mut spooling.writing);
        self.count_drop(DropReason::SpoolFailed, lost.count, lost.points);
    }

    /// Moves what is in memory towards the disk; what may not be stored is dropped.
    pub(crate) fn spool_everything(&mut self, reason: DropReason) {
        let lost = match &self.spooling {
            Some(_) => self.queue.move_all_out(),
            None => self.queue.drain(),
        };
        self.drop_held(lost, reason);
    }

    /// Gives up on what is still in memory: the time is over.
    pub(crate) fn drop_everything(&mut self, reason: DropReason) {
        let lost = self.queue.drain();
        self.drop_held(lost, reason);
        if let Some(spooling) = &mut self.spooling {
            let writing = std::mem::take(&mut spooling.writing);
            self.count_drop(reason, writing.count, writing.points);
        }
    }

    /// Whether something waits to be written, or is being written.
    pub(crate) fn has_disk_work(&self) -> bool {
        let is_busy = self.spooling.as_ref().is_some_and(|spooling| spooling.is_busy);
        let has_discards = self
            .spooling
            .as_ref()
            .is_some_and(|spooling| !spooling.finished.is_empty() || !spooling.damaged.is_empty());
        is_busy || has_discards || self.queue.has_outbox()
    }

    /// When the disk is to be read again after a failure.
    pub(crate) fn read_again_at(&self) -> Option<Instant> {
        self.spooling.as_ref()?.read_again_at
    }

    fn drop_held(&mut self, lost: Vec<Held>, reason: DropReason) {
        let count = lost.len() as u64;
        let points = lost.iter().map(|held| held.payload.points).sum();
        self.count_drop(reason, count, points);
    }

    fn expire(&mut self, now_ms: u64) {
        let Some(spooling) = &mut self.spooling else { return };
        let limit_ms = now_ms.saturating_sub(spooling.rule.age_max_ms);
        let old = spooling.replay.expire(limit_ms);
        spooling.finished.extend(old.iter().map(|(id, _)| *id));
        for (_, summary) in old {
            self.count_drop(DropReason::Outdated, summary.records, summary.points);
        }
    }

    fn next_write(&mut self) -> Option<DiskJob> {
        let batch = self.queue.take_batch(BATCH_BYTES, BATCH_RECORDS);
        let (batch, bad): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|held| is_encodable(&held.payload));
        self.drop_held(bad, DropReason::Unsendable);
        let spooling = self.spooling.as_mut()?;
        let created_ms = batch.iter().map(|held| held.created_ms).min()?;
        spooling.writing = Waiting {
            count: batch.len() as u64,
            bytes: batch.iter().map(|held| held.payload.charged_bytes()).sum(),
            points: batch.iter().map(|held| held.payload.points).sum(),
        };
        let to_record = |held: Held| Record { created_ms: held.created_ms, payload: held.payload };
        Some(DiskJob::Write {
            id: spooling.next_id(created_ms),
            records: batch.into_iter().map(to_record).collect(),
            used_bytes: spooling.replay.waiting().bytes,
            evictable: spooling.replay.evictable(),
        })
    }

    /// Loads a file when nothing loaded is ready and the endpoint would take it.
    fn next_load(&mut self, now: Instant) -> Option<DiskJob> {
        use crate::backoff::Admission;
        let is_blocked = matches!(self.endpoint.admit(now), Admission::BlockedUntil(_));
        let spooling = self.spooling.as_ref()?;
        let must_wait = spooling.read_again_at.is_some_and(|at| at > now);
        let has_ready = spooling.replay.all_candidates().any(|(_, held)| {
            held.not_before.is_none_or(|until| until <= now)
                && matches!(self.paths.admit(&held.payload.path, now), Admission::Open(_))
        });
        if is_blocked || must_wait || has_ready || self.closing.is_some() {
            return None;
        }
        let spooling = self.spooling.as_mut()?;
        spooling.read_again_at = None;
        spooling.replay.start_load().map(DiskJob::Load)
    }

    fn on_scanned(&mut self, result: Result<Scanned, SpoolError>) {
        let Some(spooling) = &mut self.spooling else { return };
        match result {
            Ok(scanned) => {
                self.totals.set_aside += scanned.set_aside;
                for (id, summary) in scanned.files {
                    self.totals.recovered += summary.records;
                    spooling.next_sequence =
                        spooling.next_sequence.max(id.sequence.saturating_add(1));
                    spooling.replay.add(id, summary);
                }
            }
            Err(err) => {
                log::error!("{}: no disk queue: {err}", self.url);
                spooling.error = err.to_string();
            }
        }
    }

    fn on_written(&mut self, id: FileId, written: Written, now: Instant) {
        let Some(spooling) = &mut self.spooling else { return };
        let batch = std::mem::take(&mut spooling.writing);
        let evicted: Vec<_> =
            written.removed.into_iter().map(|id| spooling.replay.forget(id)).collect();
        let failure = match written.result {
            Ok(summary) => {
                spooling.replay.add(id, summary);
                spooling.error.clear();
                None
            }
            Err(err) => {
                spooling.error = err.to_string();
                Some(err)
            }
        };
        for summary in evicted {
            self.count_drop(DropReason::SpoolFull, summary.records, summary.points);
        }
        let Some(err) = failure else {
            self.totals.spooled += batch.count;
            return;
        };
        let reason = match err {
            SpoolError::NoRoom => DropReason::SpoolFull,
            SpoolError::Io { .. } | SpoolError::Damaged { .. } | SpoolError::Missing { .. } => {
                DropReason::SpoolFailed
            }
        };
        self.count_drop(reason, batch.count, batch.points);
        if let Some(left_out) = self.loss_log.pass(now) {
            log::error!(
                "{}: {} transactions dropped: {err} ({left_out} more losses since the last such line)",
                self.url,
                batch.count
            );
        }
    }

    fn on_loaded(&mut self, id: FileId, result: Result<Vec<Record>, SpoolError>, now: Instant) {
        let Some(spooling) = &mut self.spooling else { return };
        let problem = match result {
            Ok(records) => {
                if spooling.replay.opened(id, records) {
                    return;
                }
                "its header does not fit its records".to_owned()
            }
            Err(err @ SpoolError::Io { .. }) => {
                // Out of file descriptors, say. The file may be fine: look again later.
                spooling.replay.abandon_load();
                spooling.read_again_at = Some(now + READ_RETRY_INTERVAL);
                spooling.error = err.to_string();
                return;
            }
            Err(err) => err.to_string(),
        };
        let lost = spooling.replay.forget(id);
        spooling.damaged.push(id);
        self.totals.set_aside += 1;
        self.count_drop(DropReason::SpoolDamaged, lost.records, lost.points);
        log::error!("{}: {} spooled transactions lost: {problem}", self.url, lost.records);
    }
}
