//! Both repositories and the files: one update, all of it or nothing. spec: remote-config §5.7
//!
//! [`Repositories`] does not change: an answer makes another one beside it, which takes its place
//! once everything about it was checked. So nothing has to be undone, and readers never see a half.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize as _;
use serde_json::Value;

use crate::hash::{check_hashes, is_same_hash};
use crate::message::{ConfigMetas, LatestConfigsResponse};
use crate::path::{ConfigPath, without_hash};
use crate::predicate::Predicates;
use crate::refused::{Cause, Refused, Result};
use crate::tuf::{Lookup, Repository, Root, TargetMeta};

/// Trust anchors of both repositories.
#[derive(Clone, Debug)]
pub struct Anchors {
    pub(crate) director: Root,
    pub(crate) config: Root,
}

impl Anchors {
    /// Reads both roots. Each must be signed by its own keys; expiry does not matter.
    ///
    /// # Errors
    /// [`Refused`] for a root that cannot be read or trusted.
    pub fn new(director: &[u8], config: &[u8]) -> Result<Self> {
        Ok(Self {
            director: Root::anchor(director).map_err(|refused| refused.within("director"))?,
            config: Root::anchor(config).map_err(|refused| refused.within("config"))?,
        })
    }
}

/// Whom the repositories must belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organisation {
    /// Its id at the backend, asked for with the key.
    pub uuid: Option<String>,
    /// Its number, where a legacy key names it.
    pub id: Option<i64>,
}

/// Everything that is trusted.
#[derive(Clone, Debug)]
pub struct Repositories {
    pub(crate) director: Repository,
    pub(crate) config: Repository,
    /// Contents of the director's targets, and in between of what was just received.
    files: BTreeMap<String, Bytes>,
    /// The director's targets, ready to be served.
    pub(crate) served: BTreeMap<String, Served>,
}

/// A target with what decides who gets it.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) meta: TargetMeta,
    pub(crate) content: Bytes,
    pub(crate) product: String,
    pub(crate) config_id: String,
    /// Version of the file, which clients report back.
    pub(crate) version: u64,
    /// Unix seconds after which nobody gets it; 0 for never.
    pub(crate) expires_secs: i64,
    /// Whom it is for, or why that cannot be told: an error of whoever asks.
    pub(crate) predicates: std::result::Result<Predicates, String>,
}

/// Versions of the trusted documents; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Root of the director.
    pub director_root: u64,
    /// Timestamp of the director.
    pub director_timestamp: u64,
    /// Snapshot of the director.
    pub director_snapshot: u64,
    /// Targets of the director.
    pub director_targets: u64,
    /// Root of the config repository.
    pub config_root: u64,
    /// Timestamp of the config repository.
    pub config_timestamp: u64,
    /// Snapshot of the config repository.
    pub config_snapshot: u64,
    /// Targets of the config repository.
    pub config_targets: u64,
}

/// An update whose repositories verify, and which lacks the checks across them.
#[derive(Debug)]
pub struct Staged(Repositories);

impl Repositories {
    /// Nothing but the anchors.
    #[must_use]
    pub fn new(anchors: &Anchors) -> Self {
        Self {
            director: Repository::new(anchors.director.clone()),
            config: Repository::new(anchors.config.clone()),
            files: BTreeMap::new(),
            served: BTreeMap::new(),
        }
    }

    /// Takes what a store kept, if all its signatures and hashes hold. What is out of date by now
    /// is taken too: the next update looks at that.
    ///
    /// # Errors
    /// How many documents and files do not hold; nothing is taken then, since a store that was
    /// tampered with in one place is worth nothing in the others.
    pub(crate) fn restore(
        anchors: &Anchors,
        director: ConfigMetas,
        config: ConfigMetas,
        files: BTreeMap<String, Bytes>,
    ) -> std::result::Result<Self, usize> {
        let mut restored = Self::new(anchors);
        let mut dropped = restored.director.restore(director.received());
        dropped += restored.config.restore(config.received());
        restored.files = files;
        dropped += restored.prune();
        dropped += usize::from(restored.build_served().is_err());
        if dropped == 0 { Ok(restored) } else { Err(dropped) }
    }

    /// What a store keeps.
    pub(crate) fn stored(&self) -> (ConfigMetas, ConfigMetas, &BTreeMap<String, Bytes>) {
        let director = ConfigMetas::from_received(self.director.stored());
        let config = ConfigMetas::from_received(self.config.stored());
        (director, config, &self.files)
    }

    /// Verifies an answer up to the checks across repositories.
    ///
    /// # Errors
    /// [`Refused`] with the first fault; nothing of the answer is used then.
    pub fn stage(&self, answer: LatestConfigsResponse, now_secs: i64) -> Result<Staged> {
        let mut next = self.clone();
        for file in answer.target_files {
            next.files.insert(without_hash(&file.path), file.raw);
        }
        if let Some(metas) = answer.director_metas {
            next.director.received.take(metas.received());
        }
        if let Some(metas) = answer.config_metas {
            next.config.received.take(metas.received());
        }
        next.director.update(now_secs).map_err(|refused| refused.within("director"))?;
        next.config.update(now_secs).map_err(|refused| refused.within("config"))?;
        next.prune();
        Ok(Staged(next))
    }

    fn verify(&self, organisation: &Organisation, now_secs: i64) -> Result<()> {
        self.verify_again(organisation, now_secs)?;
        for (path, target) in self.director_targets() {
            check_content(path, target, self.files.get(path))?;
        }
        Ok(())
    }

    /// Checks again what may change with time: whether delegated roles have expired.
    pub(crate) fn verify_again(&self, organisation: &Organisation, now_secs: i64) -> Result<()> {
        self.check_organisation(organisation)?;
        let mut lookup = Lookup::new(&self.config, now_secs);
        for (path, target) in self.director_targets() {
            let listed = lookup.find(path).map_err(|refused| refused.within("config"))?;
            check_same(path, target, &listed)?;
        }
        Ok(())
    }

    /// Versions of everything.
    #[must_use]
    pub fn versions(&self) -> Versions {
        fn of<T>(trusted: Option<&crate::tuf::Trusted<T>>) -> u64 {
            trusted.map_or(0, |trusted| trusted.version)
        }
        let (director, config) = (&self.director, &self.config);
        Versions {
            director_root: director.root.version,
            director_timestamp: of(director.timestamp.as_ref()),
            director_snapshot: of(director.snapshot.as_ref()),
            director_targets: of(director.targets.as_ref()),
            config_root: config.root.version,
            config_timestamp: of(config.timestamp.as_ref()),
            config_snapshot: of(config.snapshot.as_ref()),
            config_targets: of(config.targets.as_ref()),
        }
    }

    /// Paths of the files that are kept.
    pub fn file_paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Bytes of everything that is held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let files: usize = self.files.values().map(Bytes::len).sum();
        let roots = self.director.roots.values().chain(self.config.roots.values());
        let roots: usize = roots.map(Bytes::len).sum();
        files + roots + self.director.received.bytes() + self.config.received.bytes()
    }

    /// Whether the director's word has run out: clients have to forget what they have.
    pub(crate) fn is_expired(&self, now_secs: i64) -> bool {
        let timestamp = self.director.timestamp.as_ref();
        timestamp.is_some_and(|timestamp| timestamp.expires.is_over(now_secs))
    }

    /// A member of the custom data of the director's targets.
    pub(crate) fn director_custom(&self, name: &str) -> Option<&Value> {
        self.director.targets.as_ref()?.content.custom(name)
    }

    fn director_targets(&self) -> impl Iterator<Item = (&str, &TargetMeta)> {
        let targets = self.director.targets.iter().flat_map(|trusted| &trusted.content.targets);
        targets.map(|(path, meta)| (path.as_str(), meta))
    }

    /// Drops files that the director does not list. Returns how many.
    fn prune(&mut self) -> usize {
        let listed = self.director.targets.as_ref().map(|trusted| &trusted.content.targets);
        let before = self.files.len();
        self.files.retain(|path, _| listed.is_some_and(|listed| listed.contains_key(path)));
        before - self.files.len()
    }

    fn check_organisation(&self, organisation: &Organisation) -> Result<()> {
        let ours = organisation.uuid.as_deref();
        if let Some(named) = self.config.org_uuid().filter(|named| Some(*named) != ours) {
            let ours = ours.unwrap_or("one that is not known");
            let detail = format!("the repository belongs to organisation {named}, not to {ours}");
            return Err(Refused::new(Cause::OrgUuid, detail));
        }
        let Some(ours) = organisation.id else { return Ok(()) };
        for (path, _) in self.director_targets() {
            if let Some(org) = ConfigPath::parse(path)?.org.filter(|org| *org != ours) {
                let detail = format!("{path} belongs to organisation {org}, not to {ours}");
                return Err(Refused::new(Cause::OrgId, detail));
            }
        }
        Ok(())
    }

    fn build_served(&mut self) -> Result<()> {
        let mut served = BTreeMap::new();
        for (path, meta) in self.director_targets() {
            check_content(path, meta, self.files.get(path))?;
            let content = self.files.get(path).cloned().unwrap_or_default();
            let parts = ConfigPath::parse(path)?;
            let custom = |name: &str| meta.custom.as_ref().and_then(|custom| custom.get(name));
            let target = Served {
                content,
                product: parts.product.to_owned(),
                config_id: parts.id.to_owned(),
                version: custom("v").and_then(Value::as_u64).unwrap_or(0),
                expires_secs: custom("expires").and_then(Value::as_i64).unwrap_or(0),
                predicates: match custom("tracer-predicates") {
                    None | Some(Value::Null) => Ok(Predicates::default()),
                    Some(value) => Predicates::deserialize(value).map_err(|error| {
                        format!("the predicates of {path} cannot be read: {error}")
                    }),
                },
                meta: meta.clone(),
            };
            served.insert(path.to_owned(), target);
        }
        self.served = served;
        Ok(())
    }
}

impl Staged {
    /// The root for which the organisation has to be known.
    #[must_use]
    pub const fn config_root_version(&self) -> u64 {
        self.0.config.root.version
    }

    /// Whether the repository names its organisation.
    #[must_use]
    pub fn names_organisation(&self) -> bool {
        self.0.config.org_uuid().is_some()
    }

    /// Checks both repositories and the files against each other.
    ///
    /// # Errors
    /// [`Refused`] with the first fault.
    pub fn finish(self, organisation: &Organisation, now_secs: i64) -> Result<Repositories> {
        let mut next = self.0;
        next.verify(organisation, now_secs)?;
        next.build_served()?;
        Ok(next)
    }
}

/// Both repositories must say the same of a file.
fn check_same(path: &str, target: &TargetMeta, listed: &TargetMeta) -> Result<()> {
    let differs = |cause, what: &str| {
        Err(Refused::new(cause, format!("the repositories differ in the {what} of {path}")))
    };
    if target.length != listed.length {
        return differs(Cause::RepositoryLength, "length");
    }
    if target.hashes.is_empty() {
        return Err(Refused::new(Cause::NoHash, format!("{path} has no hash")));
    }
    if target.hashes.len() != listed.hashes.len() {
        return differs(Cause::RepositoryHashCount, "number of hashes");
    }
    for (algorithm, hash) in &target.hashes {
        if !listed.hashes.get(algorithm).is_some_and(|other| is_same_hash(hash, other)) {
            return differs(Cause::RepositoryHash, algorithm);
        }
    }
    Ok(())
}

/// The content must be there, and be what is listed.
fn check_content(path: &str, target: &TargetMeta, content: Option<&Bytes>) -> Result<()> {
    let Some(content) = content else {
        return Err(Refused::new(Cause::FileMissing, format!("{path} was not delivered")));
    };
    if target.length != content.len() as u64 {
        let detail = format!("{path} has {} bytes instead of {}", content.len(), target.length);
        return Err(Refused::new(Cause::FileLength, detail));
    }
    if target.hashes.is_empty() {
        return Err(Refused::new(Cause::NoHash, format!("{path} has no hash")));
    }
    check_hashes(path, content, &target.hashes, Cause::FileHash)
}

#[cfg(test)]
mod tests;
