//! Which peer tags a span contributes. spec: apm §9.3.

/// Which peer tags a span contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerTagScope {
    /// Every configured key with a meta that is not empty; IP addresses in it are quantised.
    Configured,
    /// `_dd.base_service` alone, when its meta is not empty.
    BaseService,
    /// None.
    Nothing,
}

/// Which peer tags a span of this kind contributes.
#[must_use]
pub fn peer_tag_scope(span_kind: &str) -> PeerTagScope {
    let is_kind = |kind: &&str| span_kind.eq_ignore_ascii_case(kind);
    if ["client", "producer", "consumer"].iter().any(is_kind) {
        PeerTagScope::Configured
    } else if ["", "internal"].iter().any(is_kind) {
        PeerTagScope::BaseService
    } else {
        PeerTagScope::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_selects() {
        for kind in ["client", "Producer", "CONSUMER"] {
            assert_eq!(peer_tag_scope(kind), PeerTagScope::Configured);
        }
        for kind in ["", "internal"] {
            assert_eq!(peer_tag_scope(kind), PeerTagScope::BaseService);
        }
        for kind in ["server", "other"] {
            assert_eq!(peer_tag_scope(kind), PeerTagScope::Nothing);
        }
    }
}
