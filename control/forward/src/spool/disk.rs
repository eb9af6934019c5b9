//! The few disk operations that tests replace: free space and durable writes.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::statvfs;

/// Room on a file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    pub(crate) free_bytes: u64,
    pub(crate) total_bytes: u64,
}

/// A disk, or a broken one in tests.
pub(crate) trait Disk: fmt::Debug + Send + Sync {
    /// Room on the file system that holds `dir`.
    fn space(&self, dir: &Path) -> io::Result<Space>;

    /// Makes `path` appear with this content, whole or not at all, and durable on return.
    fn write(&self, path: &Path, chunks: &[Bytes]) -> io::Result<()>;
}

/// The real file system.
#[derive(Debug)]
pub(crate) struct FileSystem;

impl Disk for FileSystem {
    fn space(&self, dir: &Path) -> io::Result<Space> {
        let stat = statvfs(dir)?;
        let unit_bytes = stat.f_frsize;
        Ok(Space {
            free_bytes: stat.f_bavail.saturating_mul(unit_bytes),
            total_bytes: stat.f_blocks.saturating_mul(unit_bytes),
        })
    }

    fn write(&self, path: &Path, chunks: &[Bytes]) -> io::Result<()> {
        let temporary = temporary_path(path);
        let written = write_synced(&temporary, chunks).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // A leftover is set aside at the next start.
            if let Err(err) = fs::remove_file(&temporary) {
                log::debug!("temporary {} stays: {err}", temporary.display());
            }
            return written;
        }
        match path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// Where a file is written before it gets its name.
pub(crate) fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// Creates a directory and its parents, readable by the owner only.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write_synced(path: &Path, chunks: &[Bytes]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut out = io::BufWriter::new(file);
    for chunk in chunks {
        out.write_all(chunk)?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}
