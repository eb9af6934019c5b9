//! Where the files that describe the host are.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Directories below which everything is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The proc file system.
    pub proc: PathBuf,
    /// The sys file system.
    pub sys: PathBuf,
    /// Configuration of the host.
    pub etc: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), etc: "/etc".into() }
    }
}

impl Roots {
    /// A whole host below one directory.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self { proc: root.join("proc"), sys: root.join("sys"), etc: root.join("etc") }
    }
}

/// Longest file that is read; a longer one is cut.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Content of a file.
pub(crate) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Content of a file as text; empty when it cannot be read.
pub(crate) fn read_text(path: &Path) -> String {
    let bytes = read_bytes(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
