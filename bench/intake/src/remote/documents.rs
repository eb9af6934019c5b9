//! Signed documents. spec: remote-config §5.1

use std::collections::BTreeSet;

use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// Expiry of documents that are valid.
pub(super) const EXPIRES: &str = "2040-01-01T00:00:00Z";
/// Seed of the key that delegated roles are signed with.
pub(super) const DELEGATE: u8 = 31;

/// A key whose seed is one byte over and over.
pub(super) fn key(seed: u8) -> Key {
    // 32 bytes are a seed.
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed of 32 bytes");
    let public = hex(pair.public_key().as_ref());
    // Any id will do; this one is not what a client computes.
    let id = hex(digest(&SHA256, pair.public_key().as_ref()).as_ref());
    Key { pair, public, id }
}

/// A key that signs.
pub(super) struct Key {
    pair: Ed25519KeyPair,
    public: String,
    id: String,
}

impl Key {
    fn json(&self) -> Value {
        json!({
            "keytype": "ed25519",
            "scheme": "ed25519",
            "keyid_hash_algorithms": ["sha256", "sha512"],
            "keyval": { "public": self.public },
        })
    }
}

/// Keys of both repositories, and the roots that lead to them. Root `n` of the director has the
/// keys `n` and `n + 1`, so that each root shares one key with the next.
pub(super) struct Keys {
    version: u64,
    director: Vec<Key>,
    config: Vec<Key>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { version: 1, director: director_keys(1), config: vec![key(21), key(22)] }
    }

    pub(super) fn rotate(&mut self) {
        self.version += 1;
        self.director = director_keys(self.version);
    }

    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn director(&self) -> &[Key] {
        &self.director
    }

    pub(super) fn config(&self) -> &[Key] {
        &self.config
    }

    pub(super) fn director_root(&self, version: u64) -> Vec<u8> {
        let mut signers = director_keys(version);
        let signed = root(version, &signers);
        if version > 1 {
            signers.extend(director_keys(version - 1).into_iter().take(1));
        }
        sign(&signed, &signers)
    }

    pub(super) fn config_root(&self, version: u64) -> Vec<u8> {
        sign(&root(version, &self.config), &self.config)
    }

    /// A next root of the director that those before know nothing of.
    pub(super) fn usurped_root(&self) -> Vec<u8> {
        let strangers = [key(98), key(99)];
        sign(&root(self.version + 1, &strangers), &strangers)
    }
}

fn director_keys(version: u64) -> Vec<Key> {
    let seed = |offset: u64| key(u8::try_from(100 + (version + offset) % 100).unwrap_or(100));
    vec![seed(0), seed(1)]
}

/// Roots expired long ago, as real first ones have; later ones are valid.
fn root(version: u64, keys: &[Key]) -> Value {
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let role = json!({ "keyids": ids, "threshold": 2 });
    let mut signed = head("root", version, EXPIRES);
    signed["consistent_snapshot"] = json!(true);
    signed["keys"] = keys
        .iter()
        .map(|key| (key.id.clone(), key.json()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    signed["roles"] = json!({
        "root": role, "timestamp": role, "snapshot": role, "targets": role,
    });
    signed
}

/// Members that every document has.
pub(super) fn head(kind: &str, version: u64, expires: &str) -> Value {
    json!({ "_type": kind, "version": version, "expires": expires, "spec_version": "1.0" })
}

/// Signs what is the canonical form here: sorted members, and no text that needs an escape.
pub(super) fn sign(signed: &Value, keys: &[Key]) -> Vec<u8> {
    let message = signed.to_string();
    let signatures: Vec<Value> = keys
        .iter()
        .map(|key| {
            let signature = key.pair.sign(message.as_bytes());
            json!({ "keyid": key.id, "sig": hex(signature.as_ref()) })
        })
        .collect();
    json!({ "signatures": signatures, "signed": signed }).to_string().into_bytes()
}

/// How one document lists another.
pub(super) fn meta(version: u64, raw: &[u8]) -> Value {
    json!({ "version": version, "length": raw.len(), "hashes": { "sha256": sha256(raw) } })
}

/// How a document lists a file.
pub(super) fn target(content: &[u8]) -> Value {
    json!({ "length": content.len(), "hashes": { "sha256": sha256(content) } })
}

/// One role for each product.
pub(super) fn delegations(products: &BTreeSet<String>, key: &Key) -> Value {
    let role = |product: &String| {
        json!({
            "name": product,
            "keyids": [key.id],
            "threshold": 1,
            "terminating": true,
            "paths": [format!("datadog/*/{product}/*/*"), format!("employee/{product}/*/*")],
        })
    };
    json!({
        "keys": { key.id.clone(): key.json() },
        "roles": products.iter().map(role).collect::<Vec<_>>(),
    })
}

/// The product of `datadog/<org>/<product>/<id>/<name>` or `employee/<product>/<id>/<name>`.
pub(super) fn product_of(path: &str) -> Option<&str> {
    match *path.split('/').collect::<Vec<_>>().as_slice() {
        ["datadog", _, product, _, _] | ["employee", product, _, _] => Some(product),
        _ => None,
    }
}

/// `<dir>/<sha256>.<name>`.
pub(super) fn hashed_name(path: &str, content: &[u8]) -> String {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    format!("{directory}/{}.{name}", sha256(content))
}

/// Standard base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
