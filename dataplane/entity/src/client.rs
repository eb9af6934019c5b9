//! What a client says about itself: the values of `c:`, `e:` and `card:`. spec: dogstatsd §4.5.

/// Value of a `c:` field. Borrowed; empty and zero mean "not given".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalData<'a> {
    /// Container id, without prefix.
    pub container_id: &'a [u8],
    /// Inode of the client's cgroup directory; 0 when absent or not a number.
    pub inode: u64,
}

impl<'a> LocalData<'a> {
    /// Reads the value after `c:`. Never refuses: unknown items of a list are skipped, and a value
    /// without a comma and without a known prefix is a bare container id (protocol 1.2).
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Self {
        let mut local = Self::default();
        for item in value.split(|&byte| byte == b',') {
            if let Some(id) = item.strip_prefix(b"ci-") {
                local.container_id = id;
            } else if let Some(inode) = item.strip_prefix(b"in-") {
                local.inode = parse_u64(inode).unwrap_or(0);
            } else if item.len() == value.len() {
                local.container_id = item;
            }
        }
        local
    }
}

/// Value of an `e:` field. Borrowed; empty means "not given".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExternalData<'a> {
    /// Whether the sender is an init container.
    pub is_init: bool,
    /// Name of the container in its pod.
    pub container_name: &'a [u8],
    /// Uid of the pod.
    pub pod_uid: &'a [u8],
}

impl<'a> ExternalData<'a> {
    /// Reads the value after `e:`. Never refuses: unknown items and bad booleans are skipped.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Self {
        let mut external = Self::default();
        for item in value.split(|&byte| byte == b',') {
            if let Some(flag) = item.strip_prefix(b"it-") {
                external.is_init = is_true(flag);
            } else if let Some(name) = item.strip_prefix(b"cn-") {
                external.container_name = name;
            } else if let Some(uid) = item.strip_prefix(b"pu-") {
                external.pod_uid = uid;
            }
        }
        external
    }
}

/// How many of an entity's tags a sender wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cardinality {
    /// None at all.
    None,
    /// Low and standard tags.
    #[default]
    Low,
    /// Also those that name the orchestrator's object (pod, task).
    Orchestrator,
    /// All, down to the single container.
    High,
}

impl Cardinality {
    /// Reads the value of `card:`, of `dd.internal.card:` or of `dogstatsd_tag_cardinality`, in any
    /// case. `None` (the option) for an unknown or empty value: the configured level applies then.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        const NAMES: [(&[u8], Cardinality); 5] = [
            (b"none", Cardinality::None),
            (b"low", Cardinality::Low),
            (b"orchestrator", Cardinality::Orchestrator),
            (b"orch", Cardinality::Orchestrator),
            (b"high", Cardinality::High),
        ];
        NAMES
            .iter()
            .find(|(name, _)| value.eq_ignore_ascii_case(name))
            .map(|&(_, cardinality)| cardinality)
    }

    /// The level a message asks for: the `card:` field decides, even with an unknown value, and the
    /// `dd.internal.card:` tag only counts without it. spec: dogstatsd §6.1.
    #[must_use]
    pub fn choose(field: &[u8], tag: &[u8]) -> Option<Self> {
        Self::parse(if field.is_empty() { tag } else { field })
    }

    /// Name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Orchestrator => "orchestrator",
            Self::High => "high",
        }
    }
}

/// Decimal digits only, no sign, within 64 bits.
fn parse_u64(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// The spellings of "true" that clients use; every other value is false.
const fn is_true(flag: &[u8]) -> bool {
    matches!(flag, b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local(container_id: &str, inode: u64) -> LocalData<'_> {
        LocalData { container_id: container_id.as_bytes(), inode }
    }

    #[test]
    fn local_data_of_the_vectors() {
        for (value, expected) in [
            ("1234567890abcdef", local("1234567890abcdef", 0)), // P37
            ("ci-1234567890abcdef", local("1234567890abcdef", 0)), // P38
            ("in-12345", local("", 12345)),                     // P39
            ("ci-abc,in-77", local("abc", 77)),                 // P40
            ("in-xyz", local("", 0)),                           // P41
            ("in-77,ci-abc", local("abc", 77)),
            ("ci-abc,in-xyz", local("abc", 0)),
            ("abc,def", local("", 0)),
            ("abc,ci-def", local("def", 0)),
            ("", local("", 0)),
            (",", local("", 0)),
            ("in-", local("", 0)),
            ("in-+1", local("", 0)),
            ("in-18446744073709551615", local("", u64::MAX)),
            ("in-18446744073709551616", local("", 0)),
        ] {
            assert_eq!(LocalData::parse(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn external_data_of_the_vectors() {
        // P42
        let external =
            ExternalData::parse(b"it-false,cn-web,pu-810d73de-6a4b-4b8c-9f4e-3c0d1a2b3c4d");
        assert!(!external.is_init);
        assert_eq!(external.container_name, b"web");
        assert_eq!(external.pod_uid, b"810d73de-6a4b-4b8c-9f4e-3c0d1a2b3c4d");
        let shuffled = ExternalData::parse(b"pu-u,zz-1,it-T,,cn-c");
        assert_eq!(shuffled, ExternalData { is_init: true, container_name: b"c", pod_uid: b"u" });
        assert_eq!(ExternalData::parse(b"it-maybe"), ExternalData::default());
    }

    #[test]
    fn cardinality_of_the_vectors() {
        assert_eq!(Cardinality::parse(b"high"), Some(Cardinality::High)); // P43
        assert_eq!(Cardinality::parse(b"bogus"), None); // P44
        assert_eq!(Cardinality::parse(b"ORCH"), Some(Cardinality::Orchestrator));
        assert_eq!(Cardinality::parse(b""), None);
        for level in
            [Cardinality::None, Cardinality::Low, Cardinality::Orchestrator, Cardinality::High]
        {
            assert_eq!(Cardinality::parse(level.as_str().as_bytes()), Some(level));
        }
    }

    #[test]
    fn a_card_field_hides_the_card_tag() {
        assert_eq!(Cardinality::choose(b"", b"high"), Some(Cardinality::High));
        assert_eq!(Cardinality::choose(b"low", b"high"), Some(Cardinality::Low));
        assert_eq!(Cardinality::choose(b"bogus", b"high"), None);
    }

    proptest! {
        #[test]
        fn any_value_is_accepted(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(LocalData::parse(&value).container_id.len() <= value.len());
            prop_assert!(ExternalData::parse(&value).pod_uid.len() <= value.len());
            prop_assert!(Cardinality::parse(&value).is_none() || value.len() < 13);
        }

        #[test]
        fn a_list_yields_its_items(id in "[0-9a-f]{1,64}", inode: u64) {
            let value = format!("ci-{id},in-{inode}");
            prop_assert_eq!(LocalData::parse(value.as_bytes()), local(&id, inode));
        }
    }
}
