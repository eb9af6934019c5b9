//! Public keys, their ids, and who has to sign. spec: remote-config §5.2

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::Signature;
use crate::canonical::canonical;
use crate::hash::{from_hex, sha256_hex};
use crate::refused::{Cause, Refused, Result};

/// A key that can be verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    kind: Kind,
    bytes: Vec<u8>,
    /// Computed from the key itself, whatever a document calls it.
    pub(super) id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ed25519,
    P256,
}

#[derive(Deserialize)]
struct Fields {
    keytype: String,
    scheme: String,
    keyval: KeyValue,
}

#[derive(Deserialize)]
struct KeyValue {
    public: String,
}

/// `SubjectPublicKeyInfo` of a point on P-256, up to the point.
const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Members of a key that its id covers.
const ID_MEMBERS: [&str; 4] = ["keyid_hash_algorithms", "keytype", "keyval", "scheme"];

impl PublicKey {
    /// Reads a key.
    pub(super) fn parse(value: &Value) -> Result<Self> {
        let bad = |reason: String| Refused::new(Cause::KeyType, format!("a key: {reason}"));
        let fields = Fields::deserialize(value).map_err(|error| bad(error.to_string()))?;
        let public = &fields.keyval.public;
        let (kind, bytes) = match (fields.keytype.as_str(), fields.scheme.as_str()) {
            ("ed25519", "ed25519") => {
                (Kind::Ed25519, from_hex(public).filter(|bytes| bytes.len() == 32))
            }
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                (Kind::P256, p256_point(public))
            }
            (keytype, scheme) => {
                return Err(bad(format!("type {keytype:?} with scheme {scheme:?} is not known")));
            }
        };
        let bytes = bytes.ok_or_else(|| bad("its public part is malformed".to_owned()))?;
        let members = ID_MEMBERS.iter();
        let members = members.filter_map(|&name| Some((name.to_owned(), value.get(name)?.clone())));
        let object = Value::Object(members.collect::<Map<_, _>>());
        let id = canonical(&object).map_err(|error| bad(error.to_string()))?;
        Ok(Self { kind, bytes, id: sha256_hex(&id) })
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn VerificationAlgorithm = match self.kind {
            Kind::Ed25519 => &ED25519,
            Kind::P256 => &ECDSA_P256_SHA256_ASN1,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, signature).is_ok()
    }
}

/// The uncompressed point in the PEM of a key.
fn p256_point(pem: &str) -> Option<Vec<u8>> {
    let body: String =
        pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).ok()?;
    let point = der.strip_prefix(P256_PREFIX)?;
    (point.len() == 65 && point.first() == Some(&4)).then(|| point.to_vec())
}

/// Who signs a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signers {
    /// By the id that documents use.
    keys: BTreeMap<String, PublicKey>,
    /// Every id that is listed, computed where the key is known.
    pub(super) ids: BTreeSet<String>,
    pub(super) threshold: usize,
}

/// A role as documents list it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RoleKeys {
    #[serde(default)]
    keyids: Option<Vec<String>>,
    #[serde(default)]
    threshold: i64,
}

impl Signers {
    /// The signers of a role.
    pub(super) fn new(
        role: &str,
        listed: &RoleKeys,
        keys: &BTreeMap<String, PublicKey>,
    ) -> Result<Self> {
        let threshold = usize::try_from(listed.threshold).unwrap_or(0);
        if threshold == 0 {
            let detail = format!("role {role:?} needs {} signatures", listed.threshold);
            return Err(Refused::new(Cause::InvalidThreshold, detail));
        }
        let listed = listed.keyids.as_deref().unwrap_or_default();
        let known = listed.iter().filter_map(|id| Some((id.clone(), keys.get(id)?.clone())));
        let ids =
            listed.iter().map(|id| keys.get(id).map_or_else(|| id.clone(), |key| key.id.clone()));
        Ok(Self { keys: known.collect(), ids: ids.collect(), threshold })
    }

    /// Different keys with a valid signature. What cannot be read, or is of somebody else, does not
    /// count and does no harm.
    pub(super) fn count(&self, message: &[u8], signatures: &[Signature]) -> usize {
        let mut valid = BTreeSet::new();
        for signature in signatures {
            let Some(key) = self.keys.get(&signature.keyid) else { continue };
            // Each key once, so that a document full of signatures costs no more than its keys.
            if valid.contains(&key.id) {
                continue;
            }
            let bytes = from_hex(&signature.sig);
            if bytes.is_some_and(|bytes| key.verifies(message, &bytes)) {
                valid.insert(key.id.clone());
            }
        }
        valid.len()
    }

    /// Whether enough of these signers are gone from `after` that what they signed alone must be
    /// forgotten. spec: remote-config §5.5 step 4
    pub(super) fn are_replaced(&self, after: &Self) -> bool {
        self.ids.difference(&after.ids).count() >= self.threshold
    }
}

/// All keys of a document.
pub(super) fn parse_keys(listed: &BTreeMap<String, Value>) -> Result<BTreeMap<String, PublicKey>> {
    listed.iter().map(|(id, key)| Ok((id.clone(), PublicKey::parse(key)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// spec: remote-config §5.2, vectors.
    const MESSAGE: &str = r#"{"_type":"timestamp","expires":"2040-01-01T00:00:00Z","meta":{},"spec_version":"1.0","version":1}"#;

    fn ed25519() -> Value {
        json!({
            "keytype": "ed25519",
            "scheme": "ed25519",
            "keyid_hash_algorithms": ["sha256", "sha512"],
            "keyval": {"public": "d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737"},
        })
    }

    #[test]
    fn ed25519_vector() {
        let key = PublicKey::parse(&ed25519()).unwrap();
        assert_eq!(key.id, "899e5ee999a3e76f27f7c567e36fced0390f124f734e6491e00e1c52e63bdfd5");
        let signature = "338aea37314771ded5a177b45f608e11733ba85d6f73e55ffdef2bf72af303a76568a92d\
                         03605a0e1b21a7312b59f261dad283d07ac87575c7223ef43364770f";
        let signature = from_hex(signature).unwrap();
        assert!(key.verifies(MESSAGE.as_bytes(), &signature));
        assert!(!key.verifies(b"another", &signature));
    }

    #[test]
    fn p256_vector() {
        let pem = "-----BEGIN PUBLIC KEY-----\n\
                   MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAhfmF/C2RDkoJ4+WmZ5pojpPLBUr\n\
                   321s32bluAKC1O0ZSn3ry5dxLS3aPKhaqHZaVvRfx1hZllLyiXxlMG5XlA==\n\
                   -----END PUBLIC KEY-----\n";
        let key = PublicKey::parse(&json!({
            "keytype": "ecdsa",
            "scheme": "ecdsa-sha2-nistp256",
            "keyid_hash_algorithms": ["sha256", "sha512"],
            "keyval": {"public": pem},
        }))
        .unwrap();
        assert_eq!(key.id, "eee21f4abceceb9f5c75f8200a0615e16c7f2788d9c4244be1fc6c096e522437");
        let signature = "3045022100cb5fb96807d3c8af6656a535b3052636779837655538b0af0c71a39a0f4a4436\
                         022019dde685a3b0a6eba2266ea0f08f9a5269e00c0c1f90204a4a058998e4ca3ced";
        assert!(key.verifies(MESSAGE.as_bytes(), &from_hex(signature).unwrap()));
    }

    #[test]
    fn unknown_types_and_malformed_keys_are_refused() {
        let mut rsa = ed25519();
        rsa["keytype"] = json!("rsa");
        let mut short = ed25519();
        short["keyval"]["public"] = json!("d04a");
        for bad in [rsa, short, json!({}), json!(null)] {
            assert_eq!(PublicKey::parse(&bad).unwrap_err().cause, Cause::KeyType, "{bad}");
        }
    }

    #[test]
    fn one_key_under_two_ids_signs_once() {
        let key = PublicKey::parse(&ed25519()).unwrap();
        let keys = BTreeMap::from([("a".to_owned(), key.clone()), ("b".to_owned(), key)]);
        let listed = RoleKeys { keyids: Some(vec!["a".into(), "b".into()]), threshold: 2 };
        let signers = Signers::new("x", &listed, &keys).unwrap();
        let sig = "338aea37314771ded5a177b45f608e11733ba85d6f73e55ffdef2bf72af303a76568a92d\
                   03605a0e1b21a7312b59f261dad283d07ac87575c7223ef43364770f";
        let signature = |id: &str| Signature { keyid: id.to_owned(), sig: sig.to_owned() };
        let signatures = [signature("a"), signature("b"), signature("a")];
        assert_eq!(signers.count(MESSAGE.as_bytes(), &signatures), 1);
    }
}
