//! The envelope of every document: signatures around what is signed. spec: remote-config §5.1, §5.4

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::key::Signers;
use crate::canonical::canonical;
use crate::refused::{Cause, Refused, Result};
use crate::rfc3339;

/// A document that parses. Nothing about it is trusted yet.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(super) version: u64,
    kind: String,
    expires: Expiry,
    signatures: Vec<Signature>,
    signed: Value,
    canonical: Vec<u8>,
}

/// One signature.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Signature {
    #[serde(default)]
    pub(super) keyid: String,
    #[serde(default)]
    pub(super) sig: String,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    signatures: Option<Vec<Signature>>,
    signed: Value,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    kind: String,
    version: u64,
    expires: String,
}

/// When a document ends to be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expiry(pub(crate) i64);

impl Expiry {
    /// Whether it is over; the very second counts as over.
    pub(crate) const fn is_over(self, now_secs: i64) -> bool {
        self.0 <= now_secs
    }

    /// Refuses what is over, and shows the local clock, which may be what is wrong.
    pub(super) fn check(self, what: &str, now_secs: i64) -> Result<()> {
        if !self.is_over(now_secs) {
            return Ok(());
        }
        let (end, now) = (rfc3339::format(self.0), rfc3339::format(now_secs));
        let detail = format!("{what} expired at {end}; the clock of this host says {now}");
        Err(Refused::new(Cause::Expired, detail))
    }
}

impl Document {
    /// Reads a document.
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        let bad = |reason: String| Refused::new(Cause::Json, format!("{what}: {reason}"));
        let envelope: Value =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        // From the value, in which a repeated member is there once: what is read is what is signed.
        let Envelope { signatures, signed } =
            Envelope::deserialize(envelope).map_err(|error| bad(error.to_string()))?;
        let head = Head::deserialize(&signed).map_err(|error| bad(error.to_string()))?;
        let expires = rfc3339::parse(&head.expires);
        let expires = expires.ok_or_else(|| bad(format!("{:?} is no time", head.expires)))?;
        let canonical = canonical(&signed).map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            version: head.version,
            kind: head.kind,
            expires: Expiry(expires),
            signatures: signatures.unwrap_or_default(),
            signed,
            canonical,
        })
    }

    pub(super) const fn expires(&self) -> Expiry {
        self.expires
    }

    /// What is signed, as the members of a role.
    pub(super) fn content<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        T::deserialize(&self.signed)
            .map_err(|error| Refused::new(Cause::Json, format!("{what}: {error}")))
    }

    /// Refuses a document that too few of the signers signed.
    pub(super) fn check_signatures(&self, what: &str, signers: &Signers) -> Result<()> {
        if self.signatures.is_empty() {
            return Err(Refused::new(Cause::NoSignatures, format!("{what} carries no signature")));
        }
        let (valid, threshold) =
            (signers.count(&self.canonical, &self.signatures), signers.threshold);
        if valid >= threshold {
            return Ok(());
        }
        let detail = format!("{what} has {valid} valid signatures of {threshold} needed");
        Err(Refused::new(Cause::Threshold, detail))
    }

    /// Refuses a document of another role.
    pub(super) fn check_kind(&self, what: &str, kind: &str) -> Result<()> {
        if self.kind.eq_ignore_ascii_case(kind) {
            return Ok(());
        }
        let detail = format!("{what} says it is {:?} instead of {kind:?}", self.kind);
        Err(Refused::new(Cause::WrongType, detail))
    }

    /// All of what makes a document trusted. spec: remote-config §5.4
    pub(super) fn check(
        &self,
        what: &str,
        kind: &str,
        signers: &Signers,
        version_min: u64,
        now_secs: i64,
    ) -> Result<()> {
        self.check_signatures(what, signers)?;
        self.check_kind(what, kind)?;
        if self.version < version_min {
            return Err(rollback(what, self.version, version_min));
        }
        self.expires.check(what, now_secs)
    }
}

/// An older version than the trusted one.
pub(super) fn rollback(what: &str, version: u64, version_min: u64) -> Refused {
    let detail = format!("{what} goes back to version {version} from {version_min}");
    Refused::new(Cause::Rollback, detail)
}

/// Fuzz target: bytes are read as every kind of document without a panic.
pub fn check_document(bytes: &[u8]) {
    let Ok(document) = Document::parse("fuzz", bytes) else { return };
    drop(super::root::Root::parse("fuzz", bytes));
    drop(document.content::<super::list::Timestamp>("fuzz"));
    drop(document.content::<super::list::Snapshot>("fuzz"));
    if let Ok(targets) = super::list::Targets::parse("fuzz", &document) {
        targets.check_fuzz();
    }
    drop(document.expires().check("fuzz", 0));
}
