//! The store on disk: one file with the last verified state. spec: remote-config §5.8
//!
//! ```text
//! magic (8 bytes) | SHA-256 of the rest (32) | Stored (protobuf)
//! ```
//!
//! - A commit writes a new file beside it, syncs, and renames: after a crash either the state
//!   before or the state after is there.
//! - The hash finds damage; who can write here can make a fitting one, so that everything read is
//!   verified again from the anchors on ([`Repositories::restore`]).
//! - Anything unreadable, of another version, key or URL is replaced by an empty store.
//! - A directory that cannot be written, or that another process uses, leaves the state in memory.

use std::collections::BTreeMap;
use std::fs::{self, File as DiskFile, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::hash::sha256_hex;
use crate::message::{ConfigMetas, File};
use crate::uptane::{Anchors, Repositories};

const FILE_NAME: &str = "remote-config.db";
const MAGIC: &[u8; 8] = b"clrcfg\x00\x01";
const HEADER_BYTES: usize = MAGIC.len() + 32;

/// Whose state it is; another one makes the store start anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Version of the agent.
    pub(crate) version: String,
    /// SHA-256 of the API key, in hex.
    pub(crate) key_hash: String,
    /// Base URL of the backend.
    pub(crate) url: String,
}

impl Owner {
    pub(crate) fn new(version: &str, api_key: &str, url: &str) -> Self {
        let key_hash = sha256_hex(api_key.as_bytes());
        Self { version: version.to_owned(), key_hash, url: url.to_owned() }
    }
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) repositories: Repositories,
    /// Organisation by version of the config root.
    pub(crate) org_uuids: BTreeMap<u64, String>,
    /// What is odd, for people; empty if nothing is.
    pub(crate) remark: String,
    /// Whether there was something that could not be trusted.
    pub(crate) is_distrusted: bool,
}

/// The place of the file, held by one process.
#[derive(Debug)]
pub(crate) struct Store {
    /// `None` keeps the state in memory.
    place: Option<Place>,
    owner: Owner,
    created: String,
    bytes_max: usize,
    /// What the file holds.
    written: Vec<u8>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// Closing it gives the place up.
    _lock: DiskFile,
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(message, optional, tag = "1")]
    meta: Option<Meta>,
    #[prost(message, optional, tag = "2")]
    director: Option<ConfigMetas>,
    #[prost(message, optional, tag = "3")]
    config: Option<ConfigMetas>,
    #[prost(message, repeated, tag = "4")]
    files: Vec<File>,
    #[prost(btree_map = "uint64, string", tag = "5")]
    org_uuids: BTreeMap<u64, String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct Meta {
    #[prost(string, tag = "1")]
    version: String,
    #[prost(string, tag = "2")]
    key_hash: String,
    #[prost(string, tag = "3")]
    created: String,
    #[prost(string, tag = "4")]
    url: String,
}

impl Store {
    /// Opens the store of a directory, and reads what can be trusted of it.
    pub(crate) fn open(
        directory: &Path,
        owner: Owner,
        anchors: &Anchors,
        bytes_max: usize,
        now_secs: i64,
    ) -> (Self, Loaded) {
        let mut store = Self {
            place: None,
            owner,
            created: crate::rfc3339::format(now_secs),
            bytes_max,
            written: Vec::new(),
        };
        let mut loaded = Loaded {
            repositories: Repositories::new(anchors),
            org_uuids: BTreeMap::new(),
            remark: String::new(),
            is_distrusted: false,
        };
        let path = directory.join(FILE_NAME);
        match Place::take(directory, path) {
            Ok(place) => store.place = Some(place),
            Err(error) => {
                loaded.remark = format!(
                    "configurations are kept in memory alone: {} cannot be used ({error}); \
                     set `run_path` to a directory of this agent's own",
                    directory.display()
                );
                return (store, loaded);
            }
        }
        match store.read(anchors) {
            Ok(None) => {}
            Ok(Some((repositories, org_uuids))) => {
                loaded.repositories = repositories;
                loaded.org_uuids = org_uuids;
            }
            Err(Unusable::Foreign(what)) => {
                loaded.remark = format!("the stored configurations are of another {what}");
            }
            Err(Unusable::Distrusted(why)) => {
                loaded.is_distrusted = true;
                loaded.remark = format!("the stored configurations are not used: {why}");
            }
        }
        (store, loaded)
    }

    /// Replaces what is stored. Nothing is written if that changes nothing.
    ///
    /// # Errors
    /// When it does not fit, or the disk refuses; the file before is still there then.
    pub(crate) fn commit(
        &mut self,
        repositories: &Repositories,
        org_uuids: &BTreeMap<u64, String>,
    ) -> io::Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        let (director, config, files) = repositories.stored();
        let file = |(path, raw): (&String, &Bytes)| File { path: path.clone(), raw: raw.clone() };
        let stored = Stored {
            meta: Some(Meta {
                version: self.owner.version.clone(),
                key_hash: self.owner.key_hash.clone(),
                created: self.created.clone(),
                url: self.owner.url.clone(),
            }),
            director: Some(director),
            config: Some(config),
            files: files.iter().map(file).collect(),
            org_uuids: org_uuids.clone(),
        };
        let body = stored.encode_to_vec();
        if body.len() > self.bytes_max {
            let reason = format!("{} bytes are more than {}", body.len(), self.bytes_max);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        let hash = ring::digest::digest(&ring::digest::SHA256, &body);
        if self.written == hash.as_ref() {
            return Ok(());
        }
        place.write(&[MAGIC, hash.as_ref(), &body])?;
        self.written = hash.as_ref().to_vec();
        Ok(())
    }

    /// Whether the state survives a restart.
    pub(crate) const fn is_on_disk(&self) -> bool {
        self.place.is_some()
    }

    fn read(&mut self, anchors: &Anchors) -> Result<Option<Kept>, Unusable> {
        let Some(place) = &self.place else { return Ok(None) };
        let distrusted = |why: String| Unusable::Distrusted(why);
        let bytes = match place.read(self.bytes_max + HEADER_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(distrusted(error.to_string())),
        };
        let (stored, hash) = decode(&bytes).map_err(distrusted)?;
        let meta = stored.meta.unwrap_or_default();
        for (what, stored, own) in [
            ("version of the agent", &meta.version, &self.owner.version),
            ("API key", &meta.key_hash, &self.owner.key_hash),
            ("backend", &meta.url, &self.owner.url),
        ] {
            if stored != own {
                return Err(Unusable::Foreign(what));
            }
        }
        let files = stored.files.into_iter().map(|file| (file.path, file.raw)).collect();
        let (director, config) =
            (stored.director.unwrap_or_default(), stored.config.unwrap_or_default());
        let restored = Repositories::restore(anchors, director, config, files);
        let repositories = restored.map_err(|count| {
            distrusted(format!("{count} of its documents and files do not verify"))
        })?;
        self.created = meta.created;
        self.written = hash;
        Ok(Some((repositories, stored.org_uuids)))
    }
}

/// What a good file holds.
type Kept = (Repositories, BTreeMap<u64, String>);

enum Unusable {
    Foreign(&'static str),
    Distrusted(String),
}

/// The content of a file, with its hash.
fn decode(bytes: &[u8]) -> Result<(Stored, Vec<u8>), String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is no store of this version")?;
    let (hash, body) = rest.split_at_checked(32).ok_or("it is cut off")?;
    if ring::digest::digest(&ring::digest::SHA256, body).as_ref() != hash {
        return Err("its hash differs".to_owned());
    }
    // The body is small against a message: what is decoded of it is not much larger.
    let stored = Stored::decode(body).map_err(|error| error.to_string())?;
    Ok((stored, hash.to_vec()))
}

/// Fuzz target: a file of any bytes is read without a panic, and nothing of it is trusted unless
/// the anchors lead to it.
pub fn check_store(bytes: &[u8]) {
    drop(decode(bytes));
    let Ok(stored) = Stored::decode(bytes) else { return };
    let anchors = crate::anchors::anchors_of_site("datadoghq.com");
    let files = stored.files.into_iter().map(|file| (file.path, file.raw)).collect();
    let (director, config) =
        (stored.director.unwrap_or_default(), stored.config.unwrap_or_default());
    if let Ok(repositories) = Repositories::restore(&anchors, director, config, files) {
        assert!(repositories.served.is_empty(), "nobody but the backend can sign");
    }
}

impl Place {
    fn take(directory: &Path, path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let lock = options.open(directory.join(format!("{FILE_NAME}.lock")))?;
        // A record lock, which a child that the host process forks does not inherit.
        fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another process uses it"))?;
        // Left by a crash in the middle of a commit; a disk that cannot be written shows here.
        let place = Self { path, _lock: lock };
        match fs::remove_file(place.beside()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(place),
        }
    }

    fn beside(&self) -> PathBuf {
        self.path.with_extension("new")
    }

    fn read(&self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = DiskFile::open(&self.path)?;
        file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > bytes_max {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
        }
        Ok(bytes)
    }

    fn write(&self, parts: &[&[u8]]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true).mode(0o600);
        let beside = self.beside();
        let written = options.open(&beside).and_then(|mut file| {
            for part in parts {
                file.write_all(part)?;
            }
            file.sync_all()?;
            fs::rename(&beside, &self.path)
        });
        if let Err(error) = written {
            // It is of no use, and the disk may be full.
            drop(fs::remove_file(&beside));
            return Err(error);
        }
        // The rename itself.
        match self.path.parent() {
            Some(directory) => DiskFile::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
