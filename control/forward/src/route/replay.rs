//! Which spooled records are sent next, and which files are finished.
//!
//! At most two files are open (their records in memory) at a time, oldest first: the second one
//! lets replay go on while records of the first wait out a failure. A record stays in its file
//! until it is settled, so nothing here can be lost.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::queue::Held;
use crate::spool::format::Record;
use crate::spool::{FileId, FileSummary};
use crate::stats::Waiting;

/// Files whose records are in memory.
const OPEN_FILES_MAX: usize = 2;

/// Files offered for eviction at a time.
const EVICTABLE_MAX: usize = 256;

/// Replay may run ahead of its rate by this much, so that timers need not be exact.
const BURST: Duration = Duration::from_millis(100);

/// Where a spooled record sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordId {
    pub(crate) file: FileId,
    pub(crate) index: usize,
}

/// The index of a spool directory.
#[derive(Debug)]
pub(crate) struct Replay {
    files: BTreeMap<FileId, FileSummary>,
    open: Vec<OpenFile>,
    loading: Option<FileId>,
    waiting: Waiting,
    bytes_per_sec: u64,
    /// When the rate allows what was replayed so far.
    paid_until: Option<Instant>,
}

#[derive(Debug)]
struct OpenFile {
    id: FileId,
    /// `None`: under way or settled.
    records: Vec<Option<Held>>,
    unsettled: usize,
}

impl Replay {
    pub(crate) fn new(bytes_per_sec: u64) -> Self {
        Self {
            files: BTreeMap::new(),
            open: Vec::new(),
            loading: None,
            waiting: Waiting::default(),
            bytes_per_sec: bytes_per_sec.max(1),
            paid_until: None,
        }
    }

    /// Takes a complete file into the index.
    pub(crate) fn add(&mut self, id: FileId, summary: FileSummary) {
        self.waiting.count += summary.records;
        self.waiting.points += summary.points;
        self.waiting.bytes += summary.bytes;
        self.files.insert(id, summary);
    }

    /// Records, points and file bytes on disk.
    pub(crate) fn waiting(&self) -> Waiting {
        self.waiting
    }

    pub(crate) fn file_count(&self) -> u64 {
        self.files.len() as u64
    }

    /// Oldest files that nobody reads, with their bytes.
    pub(crate) fn evictable(&self) -> Vec<(FileId, u64)> {
        let idle = self.files.iter().filter(|(id, _)| !self.is_busy(**id));
        idle.map(|(id, summary)| (*id, summary.bytes)).take(EVICTABLE_MAX).collect()
    }

    /// Takes a file that was deleted unread, or could not be read, out of the index.
    pub(crate) fn forget(&mut self, id: FileId) -> FileSummary {
        if self.loading == Some(id) {
            self.loading = None;
        }
        let summary = self.files.remove(&id).unwrap_or_default();
        self.waiting.count = self.waiting.count.saturating_sub(summary.records);
        self.waiting.points = self.waiting.points.saturating_sub(summary.points);
        self.waiting.bytes = self.waiting.bytes.saturating_sub(summary.bytes);
        summary
    }

    /// Takes unread files created before `limit_ms` out of the index.
    pub(crate) fn expire(&mut self, limit_ms: u64) -> Vec<(FileId, FileSummary)> {
        let old = self.files.range(..FileId { created_ms: limit_ms, sequence: 0 });
        let mut expired: Vec<_> = old.map(|(id, summary)| (*id, *summary)).collect();
        expired.retain(|(id, _)| !self.is_busy(*id));
        for (id, _) in &expired {
            self.forget(*id);
        }
        expired
    }

    /// The next file to load, if room for one is left.
    pub(crate) fn start_load(&mut self) -> Option<FileId> {
        if self.loading.is_some() || self.open.len() >= OPEN_FILES_MAX {
            return None;
        }
        let next = self.files.keys().copied().find(|id| !self.is_busy(*id))?;
        self.loading = Some(next);
        Some(next)
    }

    /// Loading did not work this time.
    pub(crate) fn abandon_load(&mut self) {
        self.loading = None;
    }

    /// Takes the records of a loaded file. False if their number is not what was announced.
    pub(crate) fn opened(&mut self, id: FileId, records: Vec<Record>) -> bool {
        self.loading = None;
        let Some(summary) = self.files.get(&id) else { return false };
        if summary.records != records.len() as u64 || records.is_empty() {
            return false;
        }
        let unsettled = records.len();
        let held = records.into_iter().map(|record| {
            Some(Held {
                sequence: 0,
                created_ms: record.created_ms,
                attempts: 0,
                not_before: None,
                payload: record.payload,
            })
        });
        self.open.push(OpenFile { id, records: held.collect(), unsettled });
        true
    }

    /// Records that could be sent, oldest file first; empty while the rate limit holds.
    pub(crate) fn candidates(&self, now: Instant) -> impl Iterator<Item = (RecordId, &Held)> {
        let is_ready = self.ready_at().is_none_or(|ready_at| ready_at <= now);
        self.all_candidates().filter(move |_| is_ready)
    }

    /// Records that could be sent, were it not for the rate limit.
    pub(crate) fn all_candidates(&self) -> impl Iterator<Item = (RecordId, &Held)> {
        self.open.iter().flat_map(|file| {
            file.records.iter().enumerate().filter_map(|(index, held)| {
                Some((RecordId { file: file.id, index }, held.as_ref()?))
            })
        })
    }

    /// Until when the rate limit holds.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        self.paid_until?.checked_sub(BURST)
    }

    /// Takes a record out to send it.
    pub(crate) fn take(&mut self, id: RecordId, now: Instant) -> Option<Held> {
        let held = self.slot(id)?.take()?;
        let secs = held.payload.body.len() as f64 / self.bytes_per_sec as f64;
        let start = self.paid_until.map_or(now, |until| until.max(now));
        self.paid_until = Some(start + Duration::from_secs_f64(secs));
        Some(held)
    }

    /// Puts a record back that was not settled.
    pub(crate) fn put_back(&mut self, id: RecordId, held: Held) {
        if let Some(slot) = self.slot(id) {
            *slot = Some(held);
        }
    }

    /// A record was delivered or given up. Returns the file if it was the last of it.
    pub(crate) fn settle(&mut self, id: RecordId, points: u64) -> Option<FileId> {
        let position = self.open.iter().position(|file| file.id == id.file)?;
        let file = self.open.get_mut(position)?;
        file.unsettled = file.unsettled.saturating_sub(1);
        self.waiting.count = self.waiting.count.saturating_sub(1);
        self.waiting.points = self.waiting.points.saturating_sub(points);
        if file.unsettled > 0 {
            return None;
        }
        self.open.remove(position);
        let summary = self.files.remove(&id.file)?;
        self.waiting.bytes = self.waiting.bytes.saturating_sub(summary.bytes);
        Some(id.file)
    }

    /// Forgets the waiting times of all records, or of those with the given path.
    pub(crate) fn clear_waits(&mut self, path: Option<&str>) {
        let records = self.open.iter_mut().flat_map(|file| file.records.iter_mut().flatten());
        for held in records {
            if path.is_none_or(|path| held.payload.path == path) {
                held.not_before = None;
            }
        }
    }

    fn slot(&mut self, id: RecordId) -> Option<&mut Option<Held>> {
        let file = self.open.iter_mut().find(|file| file.id == id.file)?;
        file.records.get_mut(id.index)
    }

    fn is_busy(&self, id: FileId) -> bool {
        self.loading == Some(id) || self.open.iter().any(|file| file.id == id)
    }
}
