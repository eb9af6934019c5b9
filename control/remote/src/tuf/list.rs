//! Documents that list others: timestamp, snapshot, targets. spec: remote-config §5.1

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::document::Document;
use super::glob;
use super::key::{PublicKey, RoleKeys, Signers, parse_keys};
use crate::hash::{Hashes, check_hashes, sha256_hex};
use crate::refused::{Cause, Refused, Result};

/// A document as another lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct FileMeta {
    #[serde(default)]
    pub(super) version: u64,
    #[serde(default)]
    length: u64,
    #[serde(default)]
    hashes: Option<Hashes>,
}

impl FileMeta {
    /// Whether bytes are what is listed.
    pub(super) fn check(&self, what: &str, bytes: &[u8]) -> Result<()> {
        if self.length > 0 && self.length != bytes.len() as u64 {
            let detail = format!("{what} has {} bytes instead of {}", bytes.len(), self.length);
            return Err(Refused::new(Cause::MetaLength, detail));
        }
        let none = Hashes::new();
        check_hashes(what, bytes, self.hashes.as_ref().unwrap_or(&none), Cause::MetaHash)
    }

    /// Whether a document is the version that is listed.
    pub(super) fn check_version(&self, what: &str, version: u64) -> Result<()> {
        if self.version == version {
            return Ok(());
        }
        let detail = format!("{what} is version {version} instead of {}", self.version);
        Err(Refused::new(Cause::MetaVersion, detail))
    }
}

/// What a timestamp says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Timestamp {
    #[serde(default)]
    meta: BTreeMap<String, FileMeta>,
}

impl Timestamp {
    /// The snapshot.
    pub(super) fn snapshot(&self) -> Result<&FileMeta> {
        listed(&self.meta, "snapshot.json", "timestamp")
    }
}

/// What a snapshot says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Snapshot {
    #[serde(default)]
    pub(super) meta: BTreeMap<String, FileMeta>,
    #[serde(default)]
    custom: Option<Value>,
}

impl Snapshot {
    /// The top targets.
    pub(super) fn targets(&self) -> Result<&FileMeta> {
        listed(&self.meta, "targets.json", "snapshot")
    }

    /// A delegated role.
    pub(super) fn role(&self, role: &str) -> Result<&FileMeta> {
        listed(&self.meta, &format!("{role}.json"), "snapshot")
    }

    /// The organisation it was made for, if it says so.
    pub(super) fn org_uuid(&self) -> Option<&str> {
        self.custom.as_ref()?.get("org_uuid")?.as_str()
    }
}

fn listed<'m>(
    meta: &'m BTreeMap<String, FileMeta>,
    name: &str,
    what: &str,
) -> Result<&'m FileMeta> {
    meta.get(name)
        .ok_or_else(|| Refused::new(Cause::MissingMeta, format!("{what} does not list {name}")))
}

/// A file as a repository lists it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct TargetMeta {
    #[serde(default)]
    pub(crate) length: u64,
    #[serde(default)]
    pub(crate) hashes: Hashes,
    #[serde(default)]
    pub(crate) custom: Option<Value>,
}

/// What a list of targets says.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    pub(crate) targets: BTreeMap<String, TargetMeta>,
    pub(super) delegations: Vec<Delegation>,
    custom: Option<Value>,
}

/// A role that lists targets for another.
#[derive(Clone, Debug)]
pub(super) struct Delegation {
    pub(super) role: String,
    pub(super) is_terminating: bool,
    pub(super) signers: Signers,
    paths: Vec<String>,
    hash_prefixes: Vec<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    targets: Option<BTreeMap<String, TargetMeta>>,
    #[serde(default)]
    delegations: Option<Delegations>,
    #[serde(default)]
    custom: Option<Value>,
}

#[derive(Deserialize)]
struct Delegations {
    #[serde(default)]
    keys: BTreeMap<String, Value>,
    #[serde(default)]
    roles: Vec<DelegatedRole>,
}

#[derive(Deserialize)]
struct DelegatedRole {
    name: String,
    #[serde(flatten)]
    keys: RoleKeys,
    #[serde(default)]
    terminating: bool,
    #[serde(default)]
    paths: Option<Vec<String>>,
    #[serde(default)]
    path_hash_prefixes: Option<Vec<String>>,
}

impl Targets {
    /// Reads a list.
    pub(super) fn parse(what: &str, document: &Document) -> Result<Self> {
        let content: Content = document.content(what)?;
        let mut delegations = Vec::new();
        if let Some(listed) = content.delegations {
            let keys: BTreeMap<String, PublicKey> = parse_keys(&listed.keys)?;
            for role in listed.roles {
                delegations.push(Delegation {
                    is_terminating: role.terminating,
                    signers: Signers::new(&role.name, &role.keys, &keys)?,
                    role: role.name,
                    paths: role.paths.unwrap_or_default(),
                    hash_prefixes: role.path_hash_prefixes.unwrap_or_default(),
                });
            }
        }
        let targets = content.targets.unwrap_or_default();
        Ok(Self { targets, delegations, custom: content.custom })
    }

    /// A member of the document's own custom data.
    pub(crate) fn custom(&self, name: &str) -> Option<&Value> {
        self.custom.as_ref()?.get(name)
    }

    pub(super) fn check_fuzz(&self) {
        for delegation in &self.delegations {
            let _is_match = delegation.covers("datadog/2/APM_SAMPLING/dynamic_rates/config");
        }
    }
}

impl Delegation {
    /// Whether the role may list a path.
    pub(super) fn covers(&self, path: &str) -> bool {
        if !self.hash_prefixes.is_empty() {
            let hash = sha256_hex(path.as_bytes());
            return self.hash_prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str()));
        }
        self.paths.iter().any(|pattern| glob::matches(pattern, path))
    }
}
