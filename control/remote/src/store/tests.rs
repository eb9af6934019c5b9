use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::signing::Repository as Signed;
use crate::uptane::Organisation;
use crate::vectors::NOW_SECS;

const PATH: &str = "datadog/2/ASM/a/config";
const BYTES_MAX: usize = 1 << 20;

fn owner() -> Owner {
    Owner::new("7.82.0", "key", "https://config.example.test")
}

fn open(directory: &Path, owner: Owner) -> (Store, Loaded) {
    Store::open(directory, owner, &Signed::anchors(), BYTES_MAX, NOW_SECS)
}

fn verified() -> Repositories {
    let empty = Repositories::new(&Signed::anchors());
    let staged = empty.stage(Signed::new(&[PATH]).answer(), NOW_SECS).unwrap();
    staged.finish(&Organisation::default(), NOW_SECS).unwrap()
}

/// A directory with a store of [`verified`] in it, and its bytes.
fn stored() -> (tempfile::TempDir, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), owner());
    store.commit(&verified(), &BTreeMap::from([(1, "org".to_owned())])).unwrap();
    let bytes = fs::read(directory.path().join(FILE_NAME)).unwrap();
    (directory, bytes)
}

#[test]
fn what_was_committed_is_there_again() {
    let (directory, _) = stored();
    let mode = fs::metadata(directory.path().join(FILE_NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (mut store, loaded) = open(directory.path(), owner());
    assert!(store.is_on_disk() && loaded.remark.is_empty(), "{}", loaded.remark);
    assert_eq!(loaded.repositories.versions(), verified().versions());
    assert_eq!(loaded.org_uuids, BTreeMap::from([(1, "org".to_owned())]));
    // The same state is not written again.
    fs::remove_file(directory.path().join(FILE_NAME)).unwrap();
    store.commit(&loaded.repositories, &loaded.org_uuids).unwrap();
    assert!(!directory.path().join(FILE_NAME).exists());
}

#[test]
fn another_version_key_or_backend_starts_anew() {
    let others = [
        Owner { version: "7.83.0".to_owned(), ..owner() },
        Owner::new("7.82.0", "another key", "https://config.example.test"),
        Owner { url: "https://other.example.test".to_owned(), ..owner() },
    ];
    for other in others {
        let (directory, _) = stored();
        let (_store, loaded) = open(directory.path(), other);
        assert_eq!(loaded.repositories.versions().director_targets, 0);
        assert!(loaded.remark.contains("of another"), "{}", loaded.remark);
        assert!(!loaded.is_distrusted);
    }
}

#[test]
fn every_byte_that_differs_is_noticed() {
    let (directory, bytes) = stored();
    let path = directory.path().join(FILE_NAME);
    for at in (0..bytes.len()).step_by(bytes.len() / 61) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        let (_store, loaded) = open(directory.path(), owner());
        assert!(loaded.is_distrusted, "byte {at}");
        assert_eq!(loaded.repositories.versions().director_targets, 0);
    }
    for length in [0, 5, HEADER_BYTES, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(open(directory.path(), owner()).1.is_distrusted, "{length} bytes");
    }
}

/// Whoever can write here can make a fitting hash, and still sign nothing.
#[test]
fn a_fitting_hash_makes_nothing_trusted() {
    let (directory, bytes) = stored();
    let mut stored = Stored::decode(&bytes[HEADER_BYTES..]).unwrap();
    stored.files[0].raw = Bytes::from_static(b"evil");
    let body = stored.encode_to_vec();
    let hash = ring::digest::digest(&ring::digest::SHA256, &body);
    let forged = [MAGIC, hash.as_ref(), &body].concat();
    fs::write(directory.path().join(FILE_NAME), forged).unwrap();
    let (_store, loaded) = open(directory.path(), owner());
    assert!(loaded.is_distrusted);
    assert!(loaded.remark.contains("do not verify"), "{}", loaded.remark);
    assert!(loaded.repositories.served.is_empty());
}

/// A crash leaves the new file beside, whole or in part; the one before counts.
#[test]
fn a_crash_before_the_rename_changes_nothing() {
    let (directory, bytes) = stored();
    let beside = directory.path().join("remote-config.new");
    fs::write(&beside, &bytes[..bytes.len() / 2]).unwrap();
    let (_store, loaded) = open(directory.path(), owner());
    assert_eq!(loaded.repositories.versions(), verified().versions());
    assert!(!beside.exists());
}

#[test]
fn too_much_is_not_stored_and_the_state_before_stays() {
    let (directory, bytes) = stored();
    let (mut store, _) = open(directory.path(), owner());
    store.bytes_max = 10;
    let org_uuids = BTreeMap::from([(1, "another".to_owned())]);
    let error = store.commit(&verified(), &org_uuids).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    assert_eq!(fs::read(directory.path().join(FILE_NAME)).unwrap(), bytes);
}

#[test]
fn a_directory_that_cannot_be_had_keeps_the_state_in_memory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (mut store, loaded) = open(file.path(), owner());
    assert!(!store.is_on_disk());
    assert!(loaded.remark.contains("memory alone"), "{}", loaded.remark);
    store.commit(&verified(), &BTreeMap::new()).unwrap();
}
