//! Where the host's `/proc` and cgroups are mounted. spec: host §1.2.

use std::path::{Path, PathBuf};

/// Directories that describe the host's processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The proc file system.
    pub proc: PathBuf,
    /// The cgroup file system: the v2 root, or the directory of the v1 controllers.
    pub cgroup: PathBuf,
}

impl Roots {
    /// The host's directories where they are mounted into our container (`/host/proc`,
    /// `/host/sys/fs/cgroup`), our own otherwise.
    #[must_use]
    pub fn detect() -> Self {
        Self::detect_under(Path::new("/"))
    }

    /// The same below another root directory.
    #[must_use]
    pub fn detect_under(root: &Path) -> Self {
        let prefer = |relative: &str| {
            let host = root.join("host").join(relative);
            if host.is_dir() { host } else { root.join(relative) }
        };
        Self { proc: prefer("proc"), cgroup: prefer("sys/fs/cgroup") }
    }

    /// The hierarchy in which containers are found: the v2 root, or the memory controller of v1
    /// (which hybrid hosts have as well).
    #[must_use]
    pub fn cgroup_base(&self) -> PathBuf {
        let is_v2 = self.cgroup.join("cgroup.controllers").is_file();
        let memory = self.cgroup.join("memory");
        if !is_v2 && memory.is_dir() { memory } else { self.cgroup.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn mounted_host_directories_are_preferred() {
        let root = tempfile::tempdir().expect("directory");
        let own = Roots::detect_under(root.path());
        assert_eq!(own.proc, root.path().join("proc"));
        assert_eq!(own.cgroup, root.path().join("sys/fs/cgroup"));
        fs::create_dir_all(root.path().join("host/proc")).expect("directory");
        let mixed = Roots::detect_under(root.path());
        assert_eq!(mixed.proc, root.path().join("host/proc"));
        assert_eq!(mixed.cgroup, root.path().join("sys/fs/cgroup"));
    }

    #[test]
    fn containers_are_below_memory_in_v1_and_below_the_root_in_v2() {
        let root = tempfile::tempdir().expect("directory");
        let roots = Roots { proc: PathBuf::new(), cgroup: root.path().to_owned() };
        assert_eq!(roots.cgroup_base(), root.path());
        fs::create_dir(root.path().join("memory")).expect("directory");
        assert_eq!(roots.cgroup_base(), root.path().join("memory"));
        fs::write(root.path().join("cgroup.controllers"), "cpu memory").expect("file");
        assert_eq!(roots.cgroup_base(), root.path());
    }
}
