//! Roots: who signs what, and the chain from one to the next. spec: remote-config §5.1, §5.5

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::document::{Document, Expiry};
use super::key::{RoleKeys, Signers, parse_keys};
use crate::refused::{Cause, Refused, Result};

/// Longest root. spec: remote-config §5.5
const ROOT_BYTES_MAX: usize = 512_000;

/// A root whose own signatures hold.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) version: u64,
    pub(crate) raw: Bytes,
    pub(super) expires: Expiry,
    pub(super) root: Signers,
    pub(super) timestamp: Signers,
    pub(super) snapshot: Signers,
    pub(super) targets: Signers,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    keys: BTreeMap<String, Value>,
    #[serde(default)]
    roles: BTreeMap<String, RoleKeys>,
}

impl Root {
    /// Reads a root and checks it against its own keys, which is what a trust anchor needs.
    pub(crate) fn anchor(bytes: &[u8]) -> Result<Self> {
        Ok(Self::parse("root", bytes)?.0)
    }

    /// Reads a root, with its own signatures and type checked. Its expiry is not looked at.
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<(Self, Document)> {
        if bytes.len() > ROOT_BYTES_MAX {
            let detail = format!("{what} has {} bytes, more than {ROOT_BYTES_MAX}", bytes.len());
            return Err(Refused::new(Cause::TooLarge, detail));
        }
        let document = Document::parse(what, bytes)?;
        let content: Content = document.content(what)?;
        let keys = parse_keys(&content.keys)?;
        let signers = |role: &str| {
            let listed = content.roles.get(role).ok_or_else(|| {
                Refused::new(Cause::Json, format!("{what} does not say who signs {role:?}"))
            })?;
            Signers::new(role, listed, &keys)
        };
        let root = Self {
            version: document.version,
            raw: Bytes::copy_from_slice(bytes),
            expires: document.expires(),
            root: signers("root")?,
            timestamp: signers("timestamp")?,
            snapshot: signers("snapshot")?,
            targets: signers("targets")?,
        };
        document.check_signatures(what, &root.root)?;
        document.check_kind(what, "root")?;
        Ok((root, document))
    }

    /// The root after this one, if `bytes` are that.
    pub(super) fn next(&self, bytes: &[u8]) -> Result<Self> {
        let what = format!("root {}", self.version + 1);
        let (next, document) = Self::parse(&what, bytes)?;
        document.check_signatures(&what, &self.root)?;
        if next.version != self.version + 1 {
            let detail = format!("{what} says it is version {}", next.version);
            return Err(Refused::new(Cause::RootVersion, detail));
        }
        Ok(next)
    }
}
