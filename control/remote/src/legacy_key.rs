//! Keys of the time before API keys had scopes. spec: remote-config §2.1

use std::fmt;

/// What such a key holds.
#[derive(Clone, PartialEq, Eq)]
pub struct LegacyKey {
    /// Application key, for a header.
    pub app_key: String,
    /// Number of the organisation that every configuration must belong to.
    pub org: i64,
    /// Data centre.
    pub datacenter: String,
}

impl fmt::Debug for LegacyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { app_key: _, org, datacenter } = self;
        f.debug_struct("LegacyKey").field("org", org).field("datacenter", datacenter).finish()
    }
}

/// `remote_configuration.key` cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`remote_configuration.key` is malformed; copy it anew, or use an API key with the scope \
         \"Remote Configuration Read\" instead"
)]
pub struct BadLegacyKey;

impl LegacyKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`BadLegacyKey`] for anything but `DDRCM_` and base32 of a map with `key`, `org` and `dc`.
    pub fn parse(text: &str) -> Result<Self, BadLegacyKey> {
        let text = text.trim();
        let text = text.strip_prefix("DDRCM_").unwrap_or(text);
        let bytes = base32(text).ok_or(BadLegacyKey)?;
        let value = rmpv::decode::read_value(&mut bytes.as_slice()).map_err(|_| BadLegacyKey)?;
        let member = |name: &str| {
            let members = value.as_map().into_iter().flatten();
            members.clone().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
        };
        let text = |name| member(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            app_key: text("key").ok_or(BadLegacyKey)?,
            org: member("org")
                .and_then(rmpv::Value::as_i64)
                .filter(|org| *org != 0)
                .ok_or(BadLegacyKey)?,
            datacenter: text("dc").ok_or(BadLegacyKey)?,
        })
    }
}

/// Standard alphabet, no padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    /// A key has some hundred characters.
    const CHARS_MAX: usize = 4096;
    if text.len() > CHARS_MAX {
        return None;
    }
    let (mut bits, mut held, mut out) = (0_u32, 0_u32, Vec::new());
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(value)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A key is written by hand into a file.
        #[test]
        fn any_text_is_a_key_or_refused(text in "(DDRCM_)?[A-Z2-7]{0,120}|\\PC{0,40}") {
            if let Ok(key) = LegacyKey::parse(&text) {
                prop_assert!(key.org != 0 && !key.app_key.is_empty() && !key.datacenter.is_empty());
            }
        }
    }

    #[test]
    fn vector_of_the_spec() {
        let text = "DDRCM_QORWWZLZ3EQDKODEGU4GGNRQMI4GCYZTGM3TEOJTMNSTEY3BGZRDEODCGE4WKYVDN5ZGOAVCMRR\
                    22ZDBORQWI33HNBYS4Y3PNU";
        let key = LegacyKey::parse(text).unwrap();
        let expected = ("58d58c60b8ac337293ce2ca6b28b19eb", 2, "datadoghq.com");
        assert_eq!((&*key.app_key, key.org, &*key.datacenter), expected);
        assert!(!format!("{key:?}").contains("58d58"), "a secret");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "DDRCM_", "DDRCM_QOR1", "DDRCM_QORWWZLZ", "DDRCM_gizA", "é"] {
            assert_eq!(LegacyKey::parse(bad), Err(BadLegacyKey), "{bad}");
        }
    }
}
