//! The disk queue of one endpoint and key: files of records, written once, read once.
//!
//! Layout: `<path>/<host>-<hash>-<slot>/<created ms>-<sequence>.spool`, directories 0700, files
//! 0600. The directory is named after the configured URL and the position of the key, never after
//! the key, so files outlive upgrades and key rotation; the key header is set when a record is
//! sent. A file appears under its name only complete (temporary file, fsync, rename, fsync of the
//! directory) and is deleted when all its records are delivered or given up, so kill -9 loses
//! only what was in memory and may send some records twice. Whatever does not check out is moved
//! to `corrupt/` beside the files, counted, and never looked at again.
//!
//! All functions block; the route calls them from a blocking thread, one at a time.

pub(crate) mod disk;
pub(crate) mod format;
pub(crate) mod lock;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::base_url::endpoint_identity;
use disk::Disk;
use format::{FormatError, HEADER_BYTES, Header, Record};

const SUFFIX: &str = ".spool";
const CORRUPT_DIR: &str = "corrupt";

/// Files and bytes kept in `corrupt/`; beyond them, bad files are deleted.
const CORRUPT_FILES_MAX: usize = 16;
const CORRUPT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Largest file that is believed: a batch, or one record over the batch target.
const FILE_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Files remembered per directory; far more than the size bound allows of full ones.
const FILES_MAX: usize = 65_536;

/// Names a spool file; ordered by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId {
    /// When its oldest record was submitted, Unix milliseconds.
    pub(crate) created_ms: u64,
    /// Tells files of one millisecond apart.
    pub(crate) sequence: u64,
}

/// What is known of a file without reading its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileSummary {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) points: u64,
}

/// Bounds of one directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpoolLimits {
    pub(crate) bytes_max: u64,
    pub(crate) disk_ratio_max: f64,
}

/// What a start found.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) files: Vec<(FileId, FileSummary)>,
    pub(crate) set_aside: u64,
}

/// What became of a write.
#[derive(Debug)]
pub(crate) struct Written {
    /// Oldest files deleted to make room, even if the write failed afterwards.
    pub(crate) removed: Vec<FileId>,
    pub(crate) result: Result<FileSummary, SpoolError>,
}

/// Why the disk queue did not work.
#[derive(Debug, Error)]
pub(crate) enum SpoolError {
    #[error("the disk queue has no room; raise forwarder_storage_max_size_in_bytes or free disk")]
    NoRoom,
    #[error("{path:?} cannot be used ({source}); check owner, mode 0700 and free space")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path:?} is damaged ({source})")]
    Damaged { path: PathBuf, source: FormatError },
    #[error("{path:?} is gone")]
    Missing { path: PathBuf },
}

/// One directory of spool files.
#[derive(Clone, Debug)]
pub(crate) struct SpoolDir {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    limits: SpoolLimits,
}

/// The directory name of an endpoint's key slot.
pub(crate) fn dir_name(url: &str, slot: usize) -> String {
    let identity = endpoint_identity(url);
    let host = identity.split_once("://").map_or(identity.as_str(), |(_, rest)| rest);
    let is_plain = |ch: &char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-');
    let host: String = host.chars().take_while(is_plain).take(64).collect();
    format!("{host}-{:016x}-{slot}", xxh3_64(identity.as_bytes()))
}

impl FileId {
    fn file_name(self) -> String {
        format!("{:016x}-{:016x}{SUFFIX}", self.created_ms, self.sequence)
    }

    fn parse(name: &str) -> Option<Self> {
        let (created, sequence) = name.strip_suffix(SUFFIX)?.split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let id = Self { created_ms: number(created)?, sequence: number(sequence)? };
        // One spelling only, so that name and id stay one to one.
        (id.file_name() == name).then_some(id)
    }
}

impl SpoolDir {
    pub(crate) fn new(path: PathBuf, disk: Arc<dyn Disk>, limits: SpoolLimits) -> Self {
        Self { path, disk, limits }
    }

    /// Lists complete files and sets everything else aside. Only headers are read; records are
    /// verified when they are loaded.
    ///
    /// # Errors
    /// [`SpoolError::Io`] if the directory cannot be created or listed.
    pub(crate) fn scan(&self) -> Result<Scanned, SpoolError> {
        disk::create_private_dir(&self.path).map_err(|err| self.io(err))?;
        let mut scanned = Scanned::default();
        for entry in fs::read_dir(&self.path).map_err(|err| self.io(err))? {
            let entry = entry.map_err(|err| self.io(err))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let path = entry.path();
            let id = entry.file_name().to_str().and_then(FileId::parse);
            match id.and_then(|id| Some((id, summarise(&path)?))) {
                Some(found) if scanned.files.len() < FILES_MAX => scanned.files.push(found),
                _ => {
                    self.set_aside_path(&path);
                    scanned.set_aside += 1;
                }
            }
        }
        Ok(scanned)
    }

    /// Writes one file of records, first deleting as many of `evictable` (oldest first) as the
    /// bounds ask for. `used_bytes` is what all files of this directory take now.
    pub(crate) fn write(
        &self,
        id: FileId,
        records: &[Record],
        used_bytes: u64,
        evictable: &[(FileId, u64)],
    ) -> Written {
        let mut removed = Vec::new();
        let result = self.write_in_bounds(id, records, used_bytes, evictable, &mut removed);
        Written { removed, result }
    }

    fn write_in_bounds(
        &self,
        id: FileId,
        records: &[Record],
        mut used_bytes: u64,
        evictable: &[(FileId, u64)],
        removed: &mut Vec<FileId>,
    ) -> Result<FileSummary, SpoolError> {
        disk::create_private_dir(&self.path).map_err(|err| self.io(err))?;
        let (chunks, summary) = format::encode(records);
        let mut candidates = evictable.iter();
        while used_bytes + summary.bytes > self.allowed_bytes(used_bytes) {
            let &(oldest, bytes) = candidates.next().ok_or(SpoolError::NoRoom)?;
            self.remove(oldest);
            removed.push(oldest);
            used_bytes = used_bytes.saturating_sub(bytes);
        }
        let path = self.path.join(id.file_name());
        self.disk
            .write(&path, &chunks)
            .map_err(|source| SpoolError::Io { path: self.path.clone(), source })?;
        Ok(summary)
    }

    /// Spec: metrics-intake §10.6: `min(max_size, current + free - total * (1 - ratio))`.
    fn allowed_bytes(&self, used_bytes: u64) -> u64 {
        let Ok(space) = self.disk.space(&self.path) else { return self.limits.bytes_max };
        let kept_free = space.total_bytes as f64 * (1.0 - self.limits.disk_ratio_max);
        let by_disk = (used_bytes + space.free_bytes) as f64 - kept_free;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "float to integer casts saturate, which is what a bound wants"
        )]
        let by_disk = by_disk as u64;
        self.limits.bytes_max.min(by_disk)
    }

    /// Reads and verifies all records of a file.
    ///
    /// # Errors
    /// [`SpoolError::Missing`] and [`SpoolError::Damaged`] are final, [`SpoolError::Io`] may pass.
    pub(crate) fn load(&self, id: FileId) -> Result<Vec<Record>, SpoolError> {
        let path = self.path.join(id.file_name());
        match read_bounded(&path) {
            Ok(bytes) => {
                format::decode(bytes).map_err(|source| SpoolError::Damaged { path, source })
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => Err(SpoolError::Missing { path }),
            Err(source) => Err(SpoolError::Io { path, source }),
        }
    }

    /// Deletes a file. Failure is logged: the worst that follows is a repeated delivery.
    pub(crate) fn remove(&self, id: FileId) {
        let path = self.path.join(id.file_name());
        if let Err(err) = fs::remove_file(&path)
            && err.kind() != io::ErrorKind::NotFound
        {
            log::warn!("spool file {} was not deleted: {err}", path.display());
        }
    }

    /// Moves a bad file to `corrupt/`.
    pub(crate) fn set_aside(&self, id: FileId) {
        self.set_aside_path(&self.path.join(id.file_name()));
    }

    fn set_aside_path(&self, path: &Path) {
        let corrupt = self.path.join(CORRUPT_DIR);
        let moved = disk::create_private_dir(&corrupt).and_then(|()| {
            let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            let bytes = fs::symlink_metadata(path)?.len();
            if has_room_for_corrupt(&corrupt, bytes)? {
                fs::rename(path, corrupt.join(name))
            } else {
                fs::remove_file(path)
            }
        });
        match moved {
            Ok(()) => log::warn!("{} is no whole spool file, set aside", path.display()),
            Err(err) => log::warn!("{} could not be set aside: {err}", path.display()),
        }
    }

    fn io(&self, source: io::Error) -> SpoolError {
        SpoolError::Io { path: self.path.clone(), source }
    }
}

/// Deletes files created before `limit_ms` from directories that are not `known`, and those
/// directories once they are empty. Called once at start.
pub(crate) fn sweep_orphans(root: &Path, known: &HashSet<String>, limit_ms: u64) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_dir || entry.file_name().to_str().is_none_or(|name| known.contains(name)) {
            continue;
        }
        let Ok(files) = fs::read_dir(entry.path()) else { continue };
        let mut kept = 0;
        for file in files.flatten() {
            let id = file.file_name().to_str().and_then(FileId::parse);
            let is_old = id.is_some_and(|id| id.created_ms < limit_ms);
            if !is_old || fs::remove_file(file.path()).is_err() {
                kept += 1;
            }
        }
        if kept == 0 && fs::remove_dir(entry.path()).is_ok() {
            log::info!("spool directory {} of an old endpoint deleted", entry.path().display());
        }
    }
}

/// Checks name-independent facts of a file: kind, header, length.
fn summarise(path: &Path) -> Option<FileSummary> {
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut head = [0; HEADER_BYTES];
    io::Read::read_exact(&mut fs::File::open(path).ok()?, &mut head).ok()?;
    let header = Header::decode(&head).ok()?;
    (header.file_bytes() == Some(meta.len())).then_some(FileSummary {
        bytes: meta.len(),
        records: u64::from(header.records),
        points: header.points,
    })
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, FILE_BYTES_MAX), &mut bytes)?;
    Ok(bytes)
}

fn has_room_for_corrupt(corrupt: &Path, bytes: u64) -> io::Result<bool> {
    let (mut files, mut used_bytes) = (0, bytes);
    for entry in fs::read_dir(corrupt)? {
        files += 1;
        used_bytes += entry?.metadata()?.len();
    }
    Ok(files < CORRUPT_FILES_MAX && used_bytes <= CORRUPT_BYTES_MAX)
}

#[cfg(test)]
mod tests;
