//! Reads the cgroups of a process.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// The proc file system, as [`entity::PidResolver`] needs it. Cheap to clone: one for each lane.
#[derive(Clone, Debug)]
pub struct ProcFs {
    root: PathBuf,
}

impl ProcFs {
    /// Reads below `root`, see [`crate::Roots::proc`].
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Appends the first [`entity::CGROUP_BYTES_MAX`] bytes of `<root>/<pid>/cgroup` to `text`.
    ///
    /// # Errors
    /// Those of the file system: the process is gone, or hidden from us.
    pub fn read_cgroup(&self, pid: i32, text: &mut Vec<u8>) -> io::Result<()> {
        let path = self.root.join(format!("{pid}/cgroup"));
        let limit = entity::CGROUP_BYTES_MAX as u64;
        File::open(path)?.take(limit).read_to_end(text).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Instant;

    use entity::{CGROUP_BYTES_MAX, PidResolver, PidResolverOptions};

    use super::*;

    #[test]
    fn a_process_is_found_in_its_container() {
        let id = "5f".repeat(32);
        let root = tempfile::tempdir().expect("directory");
        fs::create_dir(root.path().join("42")).expect("directory");
        fs::write(root.path().join("42/cgroup"), format!("0::/docker/{id}\n")).expect("file");
        let procfs = ProcFs::new(root.path().to_owned());
        let mut pids = PidResolver::new(PidResolverOptions::default());
        let entity = pids.resolve(42, Instant::now(), |pid, text| procfs.read_cgroup(pid, text));
        assert_eq!(entity.map(|entity| &**entity), Some(&*format!("container_id://{id}")));
        let gone = pids.resolve(43, Instant::now(), |pid, text| procfs.read_cgroup(pid, text));
        assert_eq!(gone, None);
    }

    #[test]
    fn a_huge_file_is_read_in_part() {
        let root = tempfile::tempdir().expect("directory");
        fs::create_dir(root.path().join("1")).expect("directory");
        fs::write(root.path().join("1/cgroup"), vec![b'x'; CGROUP_BYTES_MAX * 2]).expect("file");
        let mut text = Vec::new();
        ProcFs::new(root.path().to_owned()).read_cgroup(1, &mut text).expect("readable");
        assert_eq!(text.len(), CGROUP_BYTES_MAX);
    }
}
