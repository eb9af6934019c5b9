//! Which peer tags a span contributes. spec: apm §9.3.

/// Keys of peer tags that are always on, sorted.
pub const DEFAULT_PEER_TAGS: [&str; 43] = [
    "_dd.base_service",
    "active_record.db.vendor",
    "amqp.destination",
    "amqp.exchange",
    "amqp.queue",
    "aws.queue.name",
    "aws.s3.bucket",
    "bucketname",
    "cassandra.keyspace",
    "db.cassandra.contact.points",
    "db.couchbase.seed.nodes",
    "db.hostname",
    "db.instance",
    "db.name",
    "db.namespace",
    "db.system",
    "db.type",
    "dns.hostname",
    "grpc.host",
    "hostname",
    "http.host",
    "http.server_name",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.kafka.bootstrap.servers",
    "messaging.rabbitmq.exchange",
    "messaging.system",
    "mongodb.db",
    "msmq.queue.path",
    "net.peer.name",
    "network.destination.ip",
    "network.destination.name",
    "out.host",
    "peer.hostname",
    "peer.service",
    "queuename",
    "rpc.service",
    "rpc.system",
    "sequel.db.vendor",
    "server.address",
    "streamname",
    "tablename",
    "topicname",
];

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

/// The keys to look for: the default ones and `apm_config.peer_tags`, sorted, each once.
#[must_use]
pub fn peer_tag_keys(extra: &[String]) -> Vec<String> {
    let defaults = DEFAULT_PEER_TAGS.iter().map(|key| (*key).to_owned());
    let mut keys: Vec<String> = defaults.chain(extra.iter().cloned()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !key.is_empty());
    keys
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

    #[test]
    fn keys_are_sorted_and_unique() {
        assert!(DEFAULT_PEER_TAGS.is_sorted());
        let keys = peer_tag_keys(&["zone".to_owned(), "db.name".to_owned(), "a".to_owned()]);
        assert_eq!(keys.len(), 45);
        assert!(keys.is_sorted());
    }
}
