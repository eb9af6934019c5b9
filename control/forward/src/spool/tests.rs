use std::os::unix::fs::PermissionsExt as _;

use bytes::Bytes;
use tempfile::TempDir;

use super::disk::{FileSystem, Space, temporary_path};
use super::*;
use crate::payload::{Kind, Payload, Priority};

const LIMITS: SpoolLimits = SpoolLimits { bytes_max: 1 << 20, disk_ratio_max: 1.0 };

fn record(created_ms: u64, body: &str) -> Record {
    let payload = Payload {
        path: "/api/v2/series".into(),
        endpoint_name: "series_v2".into(),
        content_type: "application/x-protobuf".into(),
        encoding: Some("zstd".into()),
        headers: Vec::new(),
        body: Bytes::from(body.to_owned()),
        points: 3,
        is_storable: true,
        priority: Priority::Normal,
        kind: Kind::Metrics,
    };
    Record { created_ms, payload }
}

fn id(created_ms: u64) -> FileId {
    FileId { created_ms, sequence: 1 }
}

fn spool_in(temp: &TempDir) -> SpoolDir {
    SpoolDir::new(temp.path().join("route"), Arc::new(FileSystem), LIMITS)
}

fn write_one(dir: &SpoolDir, created_ms: u64, body: &str) -> PathBuf {
    let written = dir.write(id(created_ms), &[record(created_ms, body)], 0, &[]);
    written.result.unwrap();
    dir.path.join(id(created_ms).file_name())
}

/// A disk with settable room whose writes fail with a settable error.
#[derive(Debug)]
struct BrokenDisk {
    space: Space,
    write_error: Option<i32>,
}

impl Disk for BrokenDisk {
    fn space(&self, _dir: &Path) -> io::Result<Space> {
        Ok(self.space)
    }

    fn write(&self, path: &Path, chunks: &[Bytes]) -> io::Result<()> {
        match self.write_error {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => FileSystem.write(path, chunks),
        }
    }
}

#[test]
fn what_is_written_is_found_and_read_after_a_restart() {
    let temp = TempDir::new().unwrap();
    let records = [record(5, "first"), record(6, "second")];
    let written = spool_in(&temp).write(id(5), &records, 0, &[]);
    let summary = written.result.unwrap();
    assert_eq!((summary.records, summary.points), (2, 6));

    let restarted = spool_in(&temp);
    let scanned = restarted.scan().unwrap();
    assert_eq!(scanned.files, [(id(5), summary)]);
    assert_eq!(scanned.set_aside, 0);
    assert_eq!(restarted.load(id(5)).unwrap(), records);
    restarted.remove(id(5));
    assert!(restarted.scan().unwrap().files.is_empty());
    assert!(matches!(restarted.load(id(5)), Err(SpoolError::Missing { .. })));
}

#[test]
fn only_the_owner_can_read() {
    let temp = TempDir::new().unwrap();
    let dir = spool_in(&temp);
    let path = write_one(&dir, 1, "x");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path), 0o700);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_file_cut_anywhere_is_set_aside_and_the_others_stay() {
    let temp = TempDir::new().unwrap();
    let dir = spool_in(&temp);
    let path = write_one(&dir, 1, "some body");
    let whole = fs::read(&path).unwrap();
    let good = write_one(&dir, 2, "good");
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let scanned = dir.scan().unwrap();
        assert_eq!(scanned.set_aside, 1, "cut at {length}");
        assert_eq!(scanned.files.len(), 1, "cut at {length}");
        assert!(good.exists() && !path.exists());
    }
    let aside = fs::read_dir(dir.path.join(CORRUPT_DIR)).unwrap().count();
    assert!(aside <= CORRUPT_FILES_MAX);
}

#[test]
fn a_flipped_bit_is_noticed_at_scan_or_load() {
    let temp = TempDir::new().unwrap();
    let dir = spool_in(&temp);
    let path = write_one(&dir, 1, "some body");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let is_bad = dir.scan().unwrap().set_aside == 1
            || matches!(dir.load(id(1)), Err(SpoolError::Damaged { .. }));
        assert!(is_bad, "byte {at}");
    }
}

#[test]
fn strange_names_and_half_written_files_are_set_aside() {
    let temp = TempDir::new().unwrap();
    let dir = spool_in(&temp);
    let path = write_one(&dir, 1, "x");
    fs::write(temporary_path(&path), b"half").unwrap();
    fs::write(dir.path.join("notes.txt"), b"?").unwrap();
    fs::copy(&path, dir.path.join("1-1.spool")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path.join(id(9).file_name())).unwrap();
    fs::create_dir(dir.path.join("somebody's directory")).unwrap();
    let scanned = dir.scan().unwrap();
    assert_eq!(scanned.files.len(), 1);
    assert_eq!(scanned.set_aside, 4);
    assert_eq!(dir.scan().unwrap().set_aside, 0, "they are not met again");
}

#[test]
fn the_size_bound_evicts_oldest_first() {
    let temp = TempDir::new().unwrap();
    let limits = SpoolLimits { bytes_max: 500, disk_ratio_max: 1.0 };
    let dir = SpoolDir::new(temp.path().join("route"), Arc::new(FileSystem), limits);
    let mut used = 0;
    let mut files = Vec::new();
    for created_ms in 1..=2 {
        let body = record(created_ms, &"x".repeat(100));
        let summary = dir.write(id(created_ms), &[body], used, &files).result.unwrap();
        used += summary.bytes;
        files.push((id(created_ms), summary.bytes));
    }
    let written = dir.write(id(3), &[record(3, &"x".repeat(100))], used, &files);
    written.result.unwrap();
    assert_eq!(written.removed, [id(1)]);
    let written = dir.write(id(4), &[record(4, &"x".repeat(1000))], used, &files[1..]);
    assert!(matches!(written.result, Err(SpoolError::NoRoom)));
}

#[test]
fn the_disk_ratio_bounds_too() {
    let temp = TempDir::new().unwrap();
    let disk = |free_bytes| {
        let space = Space { free_bytes, total_bytes: 10_000 };
        let limits = SpoolLimits { bytes_max: u64::MAX, disk_ratio_max: 0.8 };
        let disk = BrokenDisk { space, write_error: None };
        SpoolDir::new(temp.path().join("route"), Arc::new(disk), limits)
    };
    assert!(disk(2300).write(id(1), &[record(1, "x")], 0, &[]).result.is_ok());
    let full = disk(2010).write(id(2), &[record(2, "x")], 0, &[]);
    assert!(matches!(full.result, Err(SpoolError::NoRoom)));
    let used = disk(0).allowed_bytes(5000);
    assert_eq!(used, 3000, "min(max, current + free - total * (1 - ratio))");
}

#[test]
fn a_full_disk_leaves_no_half_file() {
    let temp = TempDir::new().unwrap();
    let space = Space { free_bytes: 1 << 30, total_bytes: 1 << 30 };
    let disk = BrokenDisk { space, write_error: Some(rustix::io::Errno::NOSPC.raw_os_error()) };
    let dir = SpoolDir::new(temp.path().join("route"), Arc::new(disk), LIMITS);
    let written = dir.write(id(1), &[record(1, "x")], 0, &[]);
    let message = written.result.unwrap_err().to_string();
    assert!(message.contains("free space"), "{message}");
    assert!(dir.scan().unwrap().files.is_empty());
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_with_its_path() {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("route"), b"a file in the way").unwrap();
    let message = spool_in(&temp).scan().unwrap_err().to_string();
    assert!(message.contains("route"), "{message}");
}

#[test]
fn directory_names_follow_the_endpoint_not_the_key_or_version() {
    let name = dir_name("https://app.datadoghq.com", 0);
    assert_eq!(name, dir_name("https://APP.datadoghq.com./", 0));
    assert_ne!(name, dir_name("https://app.datadoghq.com", 1));
    assert!(name.starts_with("app.datadoghq.com-"), "{name}");
    assert!(!dir_name("https://../../etc", 0).contains('/'));
}

#[test]
fn orphans_are_swept_once_they_are_old() {
    let temp = TempDir::new().unwrap();
    let (known, orphan) = ("known-0", "orphan-0");
    for name in [known, orphan] {
        let dir = SpoolDir::new(temp.path().join(name), Arc::new(FileSystem), LIMITS);
        dir.write(id(100), &[record(100, "x")], 0, &[]).result.unwrap();
    }
    let configured = HashSet::from([known.to_owned()]);
    sweep_orphans(temp.path(), &configured, 100);
    assert!(temp.path().join(orphan).exists(), "not old yet");
    sweep_orphans(temp.path(), &configured, 101);
    assert!(!temp.path().join(orphan).exists());
    assert!(temp.path().join(known).exists());
}
