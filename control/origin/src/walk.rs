//! Inode of a cgroup directory -> container. spec: dogstatsd §7.3.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bounds of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkLimits {
    /// Directories looked at.
    pub dirs_max: usize,
    /// Levels below the base.
    pub depth_max: usize,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { dirs_max: 65_536, depth_max: 32 }
    }
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Container entities by the inode of their directory.
    pub inodes: HashMap<u64, Arc<str>>,
    /// Whether a limit ended the walk early.
    pub is_cut: bool,
}

/// Finds every container directory below `base`. Directories that cannot be read, or vanish while
/// we look, are skipped; symbolic links are not followed.
#[must_use]
pub fn walk_cgroups(base: &Path, limits: WalkLimits) -> Walk {
    let mut walk = Walk::default();
    let mut dirs: Vec<(PathBuf, usize)> = vec![(base.to_owned(), 0)];
    let mut seen_count = 0;
    while let Some((dir, depth)) = dirs.pop() {
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if seen_count == limits.dirs_max {
                walk.is_cut = true;
                return walk;
            }
            seen_count += 1;
            if let Some(id) = entity::container_id(entry.file_name().as_bytes())
                && let Ok(metadata) = entry.metadata()
            {
                walk.inodes.insert(metadata.ino(), entity::container_entity(id));
            }
            if depth + 1 < limits.depth_max {
                dirs.push((entry.path(), depth + 1));
            } else {
                walk.is_cut = true;
            }
        }
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> String {
        std::iter::repeat_n(digit, 64).collect()
    }

    #[test]
    fn container_directories_are_found_at_any_level() {
        let root = tempfile::tempdir().expect("directory");
        let deep = root.path().join(format!("kubepods.slice/pod.slice/crio-{}.scope", id('a')));
        let flat = root.path().join(id('b'));
        let nested = deep.join("init.scope");
        let monitor = root.path().join(format!("crio-conmon-{}.scope", id('c')));
        for dir in [&deep, &flat, &nested, &monitor] {
            fs::create_dir_all(dir).expect("directory");
        }
        fs::write(root.path().join(id('d')), "a file, not a cgroup").expect("file");
        std::os::unix::fs::symlink(&deep, root.path().join(id('e'))).expect("link");

        let inode = |path: &Path| fs::metadata(path).expect("metadata").ino();
        let walk = walk_cgroups(root.path(), WalkLimits::default());
        let expected = HashMap::from([
            (inode(&deep), entity::container_entity(&id('a'))),
            (inode(&flat), entity::container_entity(&id('b'))),
        ]);
        assert_eq!(walk, Walk { inodes: expected, is_cut: false });
    }

    #[test]
    fn limits_end_the_walk() {
        let root = tempfile::tempdir().expect("directory");
        fs::create_dir_all(root.path().join("a/b").join(id('a'))).expect("directory");
        let shallow = WalkLimits { depth_max: 2, ..WalkLimits::default() };
        assert!(walk_cgroups(root.path(), shallow).is_cut);
        let few = WalkLimits { dirs_max: 2, ..WalkLimits::default() };
        let walk = walk_cgroups(root.path(), few);
        assert!(walk.is_cut && walk.inodes.is_empty());
    }

    #[test]
    fn a_missing_base_holds_nothing() {
        assert_eq!(walk_cgroups(Path::new("/nonexistent"), WalkLimits::default()), Walk::default());
    }
}
