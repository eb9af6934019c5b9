//! Hashes of documents and files, and hex.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ring::digest::{SHA256, SHA512, digest};

use crate::refused::{Cause, Refused, Result};

/// Hashes by algorithm, in hex as delivered.
pub(crate) type Hashes = BTreeMap<String, String>;

/// Lower-case hex of the SHA-256 of some bytes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    to_hex(digest(&SHA256, bytes).as_ref())
}

/// Lower-case hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

/// The bytes of hex in any case; `None` for anything else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// Checks every listed hash; `mismatch` is the cause of one that differs.
pub(crate) fn check_hashes(
    what: &str,
    bytes: &[u8],
    hashes: &Hashes,
    mismatch: Cause,
) -> Result<()> {
    for (algorithm, listed) in hashes {
        let actual = match algorithm.as_str() {
            "sha256" => digest(&SHA256, bytes),
            "sha512" => digest(&SHA512, bytes),
            _ => {
                let detail = format!("{what}: hash algorithm {algorithm:?} is not known");
                return Err(Refused::new(Cause::HashAlgorithm, detail));
            }
        };
        if from_hex(listed).as_deref() != Some(actual.as_ref()) {
            return Err(Refused::new(mismatch, format!("{what}: its {algorithm} differs")));
        }
    }
    Ok(())
}

/// Whether two listed hashes are the same bytes.
pub(crate) fn is_same_hash(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways() {
        assert_eq!(from_hex("00fFa1"), Some(vec![0, 255, 161]));
        assert_eq!(to_hex(&[0, 255, 161]), "00ffa1");
        for bad in ["0", "0g", "+1", "é"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn unknown_algorithms_are_refused() {
        let hashes = |name: &str| Hashes::from([(name.to_owned(), sha256_hex(b"x"))]);
        assert!(check_hashes("a", b"x", &hashes("sha256"), Cause::MetaHash).is_ok());
        let refused = check_hashes("a", b"y", &hashes("sha256"), Cause::MetaHash).unwrap_err();
        assert_eq!(refused.cause, Cause::MetaHash);
        let refused = check_hashes("a", b"x", &hashes("md5"), Cause::MetaHash).unwrap_err();
        assert_eq!(refused.cause, Cause::HashAlgorithm);
    }
}
