//! A repository with one key for everything, for tests of what the vectors leave out.

use std::collections::BTreeMap;

use bytes::Bytes;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

use crate::hash::{sha256_hex, to_hex};
use crate::message::{
    ConfigMetas, DelegatedMeta, DirectorMetas, File, LatestConfigsResponse, TopMeta,
};
use crate::uptane::Anchors;

/// Expiry of what is valid.
pub(crate) const LATER: &str = "2040-01-01T00:00:00Z";

/// What an answer is made of; change a member to make it bad.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// Version of all documents but the root.
    pub(crate) version: u64,
    /// Contents by path.
    pub(crate) files: BTreeMap<String, Bytes>,
    /// Expiry of the director's timestamp.
    pub(crate) timestamp_expires: &'static str,
    /// Delegated roles of the config repository: name, signed content, and whether it is listed.
    pub(crate) roles: Vec<(String, Value, bool)>,
    /// `delegations.roles` of the top targets.
    pub(crate) delegations: Vec<Value>,
    /// Whether the top targets of the config repository list the files.
    pub(crate) is_listed_at_top: bool,
}

impl Repository {
    pub(crate) fn new(paths: &[&str]) -> Self {
        let file = |path: &&str| ((*path).to_owned(), Bytes::from(format!("content of {path}")));
        Self {
            version: 1,
            files: paths.iter().map(file).collect(),
            timestamp_expires: LATER,
            roles: Vec::new(),
            delegations: Vec::new(),
            is_listed_at_top: true,
        }
    }

    /// The same root for both.
    pub(crate) fn anchors() -> Anchors {
        let root = root(1);
        Anchors::new(&root, &root).expect("a good root")
    }

    pub(crate) fn targets(&self) -> Value {
        let target = |(path, content): (&String, &Bytes)| {
            let hashes = json!({ "sha256": sha256_hex(content) });
            (path.clone(), json!({"length": content.len(), "hashes": hashes, "custom": {"v": 1}}))
        };
        Value::Object(self.files.iter().map(target).collect::<Map<_, _>>())
    }

    pub(crate) fn answer(&self) -> LatestConfigsResponse {
        let version = self.version;
        let top = |raw: Vec<u8>| Some(TopMeta { version, raw: raw.into() });
        let chain = |targets: &[u8], mut meta: Map<String, Value>, expires: &str| {
            meta.insert("targets.json".to_owned(), listed(version, targets));
            let mut snapshot = head("snapshot", version, LATER);
            snapshot["meta"] = Value::Object(meta);
            let snapshot = sign(&snapshot);
            let mut timestamp = head("timestamp", version, expires);
            timestamp["meta"] = json!({ "snapshot.json": listed(version, &snapshot) });
            (snapshot, sign(&timestamp))
        };
        let mut director = head("targets", version, LATER);
        director["targets"] = self.targets();
        let director = sign(&director);
        let (snapshot, timestamp) = chain(&director, Map::new(), self.timestamp_expires);
        let director_metas = DirectorMetas {
            roots: Vec::new(),
            timestamp: top(timestamp),
            snapshot: top(snapshot),
            targets: top(director),
        };
        let mut delegated = Vec::new();
        let mut meta = Map::new();
        for (role, signed, is_listed) in &self.roles {
            let raw = sign(signed);
            if *is_listed {
                meta.insert(format!("{role}.json"), listed(version, &raw));
            }
            delegated.push(DelegatedMeta { version, role: role.clone(), raw: raw.into() });
        }
        let mut targets = head("targets", version, LATER);
        targets["targets"] = if self.is_listed_at_top { self.targets() } else { json!({}) };
        targets["delegations"] = json!({ "keys": keys(), "roles": self.delegations });
        let targets = sign(&targets);
        let (snapshot, timestamp) = chain(&targets, meta, LATER);
        let config_metas = ConfigMetas {
            roots: Vec::new(),
            timestamp: top(timestamp),
            snapshot: top(snapshot),
            top_targets: top(targets),
            delegated_targets: delegated,
        };
        let file = |(path, raw): (&String, &Bytes)| File { path: path.clone(), raw: raw.clone() };
        LatestConfigsResponse {
            config_metas: Some(config_metas),
            director_metas: Some(director_metas),
            target_files: self.files.iter().map(file).collect(),
        }
    }
}

/// Members of every document.
pub(crate) fn head(kind: &str, version: u64, expires: &str) -> Value {
    json!({ "_type": kind, "version": version, "expires": expires, "spec_version": "1.0" })
}

/// A role that is delegated to, with our key.
pub(crate) fn delegation(role: &str, is_terminating: bool) -> Value {
    json!({
        "name": role, "keyids": ["k"], "threshold": 1, "terminating": is_terminating,
        "paths": ["datadog/*/*/*/*"],
    })
}

/// A root of a version, signed by its own key, which is also that of every other version.
pub(crate) fn root(version: u64) -> Vec<u8> {
    sign(&root_content(version))
}

/// The same, not signed yet.
pub(crate) fn root_content(version: u64) -> Value {
    let role = json!({ "keyids": ["k"], "threshold": 1 });
    let mut signed = head("root", version, LATER);
    signed["keys"] = keys();
    signed["roles"] = json!({ "root": role, "timestamp": role, "snapshot": role, "targets": role });
    signed
}

/// Signs with the key.
pub(crate) fn sign(signed: &Value) -> Vec<u8> {
    let message = crate::canonical::canonical(signed).expect("whole numbers");
    let signature = to_hex(pair().sign(&message).as_ref());
    let signatures = json!([{ "keyid": "k", "sig": signature }]);
    json!({ "signatures": signatures, "signed": signed }).to_string().into_bytes()
}

pub(crate) fn listed(version: u64, raw: &[u8]) -> Value {
    json!({ "version": version, "length": raw.len(), "hashes": { "sha256": sha256_hex(raw) } })
}

/// Any id will do for a key.
pub(crate) fn keys() -> Value {
    let public = to_hex(pair().public_key().as_ref());
    json!({ "k": {
        "keytype": "ed25519", "scheme": "ed25519", "keyid_hash_algorithms": ["sha256", "sha512"],
        "keyval": { "public": public },
    }})
}

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[0; 32]).expect("a seed")
}
