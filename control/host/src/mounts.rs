//! File systems on local disks. spec: cloud §16.1.

use std::collections::BTreeMap;
use std::path::Path;

/// One mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Device: `/dev/sda1`.
    pub name: String,
    /// Size in KiB.
    pub size_kib: u64,
    /// Shortest path it is mounted on.
    pub mounted_on: String,
}

/// Types that hold no disk blocks.
const PSEUDO_TYPES: [&str; 27] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "none",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tmpfs",
    "tracefs",
];
/// Types that ask another host, which may not answer.
const REMOTE_TYPES: [&str; 10] =
    ["9p", "afs", "ceph", "cifs", "coda", "lustre", "ncpfs", "nfs", "nfs4", "smb3"];
/// File systems looked at.
const COUNT_MAX: usize = 1024;

/// Local file systems of a `mountinfo` file, one for each device, by mount point. `size` gives the
/// size of a mounted one in KiB.
pub(crate) fn local(mountinfo: &str, size: impl Fn(&Path) -> Option<u64>) -> Vec<FileSystem> {
    let mut by_device: BTreeMap<&str, Mount<'_>> = BTreeMap::new();
    for mount in mountinfo.lines().filter_map(parse).filter(Mount::is_on_local_disk) {
        let known = by_device.get(mount.device);
        let is_shorter = known.is_none_or(|known| mount.point.len() < known.point.len());
        if is_shorter && (known.is_some() || by_device.len() < COUNT_MAX) {
            by_device.insert(mount.device, mount);
        }
    }
    let mut found: Vec<FileSystem> = by_device
        .into_values()
        .filter_map(|mount| {
            let mounted_on = unescape(mount.point);
            let size_kib = size(Path::new(&mounted_on)).filter(|&kib| kib > 0)?;
            Some(FileSystem { name: unescape(mount.source), size_kib, mounted_on })
        })
        .collect();
    found.sort_by(|a, b| a.mounted_on.cmp(&b.mounted_on));
    found
}

/// Size of the file system at a path.
pub(crate) fn size_kib(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_blocks.saturating_mul(stat.f_frsize) / 1024)
}

struct Mount<'a> {
    /// `maj:min`.
    device: &'a str,
    point: &'a str,
    kind: &'a str,
    source: &'a str,
}

impl Mount<'_> {
    fn is_on_local_disk(&self) -> bool {
        let is_remote = REMOTE_TYPES.contains(&self.kind)
            || self.kind.starts_with("fuse.")
            || self.source.contains(':')
            || self.source.starts_with("//");
        !is_remote && !PSEUDO_TYPES.contains(&self.kind) && self.source != "none"
    }
}

/// `id parent maj:min root point options… - type source options`
fn parse(line: &str) -> Option<Mount<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(2);
    let device = left.next()?;
    let point = left.nth(1)?;
    let mut right = right.split(' ');
    let mount = Mount { device, point, kind: right.next()?, source: right.next()? };
    let is_whole = !mount.point.is_empty() && !mount.kind.is_empty() && !mount.source.is_empty();
    is_whole.then_some(mount)
}

/// Undoes the kernel's octal escapes of blanks and backslashes.
fn unescape(path: &str) -> String {
    const ESCAPES: [(&str, &str); 4] =
        [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    ESCAPES.iter().fold(path.to_owned(), |path, (escape, plain)| path.replace(escape, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 254:0 /x /mnt/bind rw - ext4 /dev/vda rw
31 27 8:1 / /data\\040disk rw - xfs /dev/sda1 rw
32 27 0:50 / /home rw - nfs4 server:/home rw
33 27 0:51 / /share rw - cifs //server/share rw
34 27 0:52 / /sshfs rw - fuse.sshfs me@there:/ rw
35 27 0:53 / /tmp rw - tmpfs tmpfs rw
36 27 8:2 / /empty rw - ext4 /dev/sda2 rw
37 27 8:3 / /gone rw - ext4 /dev/sda3 rw
cut line
38 27 - ext4
";

    #[test]
    fn only_local_disks_remain_one_entry_for_each_device() {
        let size = |path: &Path| match path.to_str() {
            Some("/") => Some(100),
            Some("/data disk") => Some(200),
            Some("/empty") => Some(0),
            Some("/gone") => None,
            other => panic!("{other:?} must not be asked for its size"),
        };
        let entry = |name: &str, size_kib, mounted_on: &str| FileSystem {
            name: name.to_owned(),
            size_kib,
            mounted_on: mounted_on.to_owned(),
        };
        let expected = [entry("/dev/vda", 100, "/"), entry("/dev/sda1", 200, "/data disk")];
        assert_eq!(local(MOUNTINFO, size), expected);
    }

    #[test]
    fn the_root_has_a_size() {
        assert!(size_kib(Path::new("/")).is_some());
        assert!(size_kib(Path::new("/nonexistent")).is_none());
    }
}
