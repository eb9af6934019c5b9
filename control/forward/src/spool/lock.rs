//! One owner per spool directory: two processes would send everything twice.
//!
//! The lock is a POSIX record lock, because a child that the host process forks must not inherit
//! it: a `flock` would stay held by every worker forked while we run. Record locks do not tell
//! owners within one process apart, and closing any descriptor of the file ends them, so a list of
//! the directories held by this process is asked first.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::disk::create_private_dir;

const LOCK_FILE: &str = "lock";

static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The right to use a spool directory, until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct SpoolLock {
    /// Closing it gives up the record lock. `None` only while dropping.
    file: Option<File>,
    dir: PathBuf,
}

impl SpoolLock {
    /// Creates the directory if need be and takes it.
    ///
    /// # Errors
    /// What keeps this process from using the directory, for people.
    pub(crate) fn take(path: &Path) -> Result<Self, String> {
        let unusable =
            |why: &str| format!("no disk queue: {} cannot be used ({why})", path.display());
        let failed = |err: io::Error| unusable(&err.to_string());
        create_private_dir(path).map_err(failed)?;
        let dir = path.canonicalize().map_err(failed)?;
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains(&dir) {
            return Err(unusable("it is used by another agent in this process"));
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let file = options.open(dir.join(LOCK_FILE)).map_err(failed)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::AGAIN | Errno::ACCESS) => {
                return Err(unusable("it is used by another process"));
            }
            Err(err) => return Err(failed(err.into())),
        }
        held.insert(dir.clone());
        Ok(Self { file: Some(file), dir })
    }
}

impl Drop for SpoolLock {
    fn drop(&mut self) {
        // Under the list's lock: a later owner's lock must not end with our descriptor.
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.file.take());
        held.remove(&self.dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn a_directory_is_held_once_by_any_name() {
        let temp = TempDir::new().unwrap();
        let dir = temp.path().join("spool");
        let lock = SpoolLock::take(&dir).unwrap();
        let again = SpoolLock::take(&temp.path().join(".").join("spool"));
        assert!(again.unwrap_err().contains("in this process"));
        drop(lock);
        assert!(SpoolLock::take(&dir).is_ok());
    }

    #[test]
    fn what_is_no_directory_is_named() {
        let temp = TempDir::new().unwrap();
        let file = temp.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(SpoolLock::take(&file).unwrap_err().contains("file"));
    }
}
