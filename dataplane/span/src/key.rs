//! The keys that processing asks for, recognised while decoding.

/// A key that processing knows. The first 43 are the keys of peer tags, in the order of their
/// names. spec: apm §9.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is named after its key in `NAMES`")]
pub enum Key {
    DdBaseService,
    ActiveRecordDbVendor,
    AmqpDestination,
    AmqpExchange,
    AmqpQueue,
    AwsQueueName,
    AwsS3Bucket,
    Bucketname,
    CassandraKeyspace,
    DbCassandraContactPoints,
    DbCouchbaseSeedNodes,
    DbHostname,
    DbInstance,
    DbName,
    DbNamespace,
    DbSystem,
    DbType,
    DnsHostname,
    GrpcHost,
    Hostname,
    HttpHost,
    HttpServerName,
    MessagingDestination,
    MessagingDestinationName,
    MessagingKafkaBootstrapServers,
    MessagingRabbitmqExchange,
    MessagingSystem,
    MongodbDb,
    MsmqQueuePath,
    NetPeerName,
    NetworkDestinationIp,
    NetworkDestinationName,
    OutHost,
    PeerHostname,
    PeerService,
    Queuename,
    RpcService,
    RpcSystem,
    SequelDbVendor,
    ServerAddress,
    Streamname,
    Tablename,
    Topicname,
    Env,
    Version,
    Component,
    SpanKind,
    HttpStatusCode,
    HttpResponseStatusCode,
    HttpUrl,
    SqlQuery,
    SqlTables,
    DbStatement,
    DbQueryText,
    RedisRawCommand,
    ValkeyRawCommand,
    MemcachedCommand,
    MongodbQuery,
    ElasticsearchBody,
    OpensearchBody,
    ErrorType,
    ErrorStack,
    ExceptionStacktrace,
    OtelTraceId,
    RpcGrpcStatusCode,
    GrpcCode,
    RpcGrpcStatusDotCode,
    GrpcStatusCode,
    DdOrigin,
    DdDecisionMaker,
    DdTraceIdHigh,
    DdHostname,
    DdGitCommitSha,
    DdApmMode,
    DdTagsProcess,
    DdTagsContainer,
    DdServiceSource,
    DdInstallId,
    DdInstallType,
    DdInstallTime,
    DdSpanEventsHasException,
    DdErrorTrackingError,
    DdConvertedV1,
    SamplingPriority,
    SamplingPriorityRate,
    SampleRate,
    TopLevel,
    DdTopLevel,
    DdMeasured,
    DdPartialVersion,
    DdAgentRate,
    DdRuleRate,
    DdErrorsRate,
    DdNoPriorityRate,
    DdProbabilisticRate,
    DdRare,
    DdSpanSamplingMechanism,
    DdAnalyzed,
    DdClientRate,
    DdPreRate,
    DdEventRate,
    DdEventMaxRate,
    LinkName,
    /// Any other key.
    #[default]
    Other,
}

/// Wire names, in the order of [`Key`].
const NAMES: [&str; KEYS] = [
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
    "env",
    "version",
    "component",
    "span.kind",
    "http.status_code",
    "http.response.status_code",
    "http.url",
    "sql.query",
    "sql.tables",
    "db.statement",
    "db.query.text",
    "redis.raw_command",
    "valkey.raw_command",
    "memcached.command",
    "mongodb.query",
    "elasticsearch.body",
    "opensearch.body",
    "error.type",
    "error.stack",
    "exception.stacktrace",
    "otel.trace_id",
    "rpc.grpc.status_code",
    "grpc.code",
    "rpc.grpc.status.code",
    "grpc.status.code",
    "_dd.origin",
    "_dd.p.dm",
    "_dd.p.tid",
    "_dd.hostname",
    "_dd.git.commit.sha",
    "_dd.apm_mode",
    "_dd.tags.process",
    "_dd.tags.container",
    "_dd.svc_src",
    "_dd.install.id",
    "_dd.install.type",
    "_dd.install.time",
    "_dd.span_events.has_exception",
    "_dd.error_tracking_standalone.error",
    "_dd.convertedv1",
    "_sampling_priority_v1",
    "_sampling_priority_rate_v1",
    "_sample_rate",
    "_top_level",
    "_dd.top_level",
    "_dd.measured",
    "_dd.partial_version",
    "_dd.agent_psr",
    "_dd.rule_psr",
    "_dd.errors_sr",
    "_dd.no_p_sr",
    "_dd.prob_sr",
    "_dd.rare",
    "_dd.span_sampling.mechanism",
    "_dd.analyzed",
    "_dd1.sr.rcusr",
    "_dd1.sr.rapre",
    "_dd1.sr.eausr",
    "_dd1.sr.eamax",
    "link.name",
    "",
];

/// All of [`Key`], in its order.
const ALL: [Key; KEYS] = [
    Key::DdBaseService,
    Key::ActiveRecordDbVendor,
    Key::AmqpDestination,
    Key::AmqpExchange,
    Key::AmqpQueue,
    Key::AwsQueueName,
    Key::AwsS3Bucket,
    Key::Bucketname,
    Key::CassandraKeyspace,
    Key::DbCassandraContactPoints,
    Key::DbCouchbaseSeedNodes,
    Key::DbHostname,
    Key::DbInstance,
    Key::DbName,
    Key::DbNamespace,
    Key::DbSystem,
    Key::DbType,
    Key::DnsHostname,
    Key::GrpcHost,
    Key::Hostname,
    Key::HttpHost,
    Key::HttpServerName,
    Key::MessagingDestination,
    Key::MessagingDestinationName,
    Key::MessagingKafkaBootstrapServers,
    Key::MessagingRabbitmqExchange,
    Key::MessagingSystem,
    Key::MongodbDb,
    Key::MsmqQueuePath,
    Key::NetPeerName,
    Key::NetworkDestinationIp,
    Key::NetworkDestinationName,
    Key::OutHost,
    Key::PeerHostname,
    Key::PeerService,
    Key::Queuename,
    Key::RpcService,
    Key::RpcSystem,
    Key::SequelDbVendor,
    Key::ServerAddress,
    Key::Streamname,
    Key::Tablename,
    Key::Topicname,
    Key::Env,
    Key::Version,
    Key::Component,
    Key::SpanKind,
    Key::HttpStatusCode,
    Key::HttpResponseStatusCode,
    Key::HttpUrl,
    Key::SqlQuery,
    Key::SqlTables,
    Key::DbStatement,
    Key::DbQueryText,
    Key::RedisRawCommand,
    Key::ValkeyRawCommand,
    Key::MemcachedCommand,
    Key::MongodbQuery,
    Key::ElasticsearchBody,
    Key::OpensearchBody,
    Key::ErrorType,
    Key::ErrorStack,
    Key::ExceptionStacktrace,
    Key::OtelTraceId,
    Key::RpcGrpcStatusCode,
    Key::GrpcCode,
    Key::RpcGrpcStatusDotCode,
    Key::GrpcStatusCode,
    Key::DdOrigin,
    Key::DdDecisionMaker,
    Key::DdTraceIdHigh,
    Key::DdHostname,
    Key::DdGitCommitSha,
    Key::DdApmMode,
    Key::DdTagsProcess,
    Key::DdTagsContainer,
    Key::DdServiceSource,
    Key::DdInstallId,
    Key::DdInstallType,
    Key::DdInstallTime,
    Key::DdSpanEventsHasException,
    Key::DdErrorTrackingError,
    Key::DdConvertedV1,
    Key::SamplingPriority,
    Key::SamplingPriorityRate,
    Key::SampleRate,
    Key::TopLevel,
    Key::DdTopLevel,
    Key::DdMeasured,
    Key::DdPartialVersion,
    Key::DdAgentRate,
    Key::DdRuleRate,
    Key::DdErrorsRate,
    Key::DdNoPriorityRate,
    Key::DdProbabilisticRate,
    Key::DdRare,
    Key::DdSpanSamplingMechanism,
    Key::DdAnalyzed,
    Key::DdClientRate,
    Key::DdPreRate,
    Key::DdEventRate,
    Key::DdEventMaxRate,
    Key::LinkName,
    Key::Other,
];

const KEYS: usize = Key::Other as usize + 1;
/// Keys of peer tags.
const PEER_KEYS: usize = 43;

/// Which known keys a span has.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct KeySet(u128);

// One bit for each, and none for `Other`.
const _: () = assert!(KEYS <= 128);

impl Key {
    /// Recognises a key.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let mut slot = hash(name);
        loop {
            // The index table has vacant slots, so that every search ends.
            let key = ALL.get(usize::from(INDEX[slot])).copied().unwrap_or_default();
            if key == Self::Other || key.as_str().as_bytes() == name {
                return key;
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Its name on the wire; empty for [`Key::Other`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The keys whose values become peer tags, sorted by name. spec: apm §9.3.
    #[must_use]
    pub fn peer_tags() -> &'static [Self] {
        ALL.get(..PEER_KEYS).unwrap_or_default()
    }
}

impl KeySet {
    /// The keys of peer tags.
    pub const PEER_TAGS: Self = Self((1 << PEER_KEYS) - 1);

    /// Adds a key; [`Key::Other`] is not kept.
    pub const fn insert(&mut self, key: Key) {
        self.0 |= bit(key);
    }

    /// Whether it has a key; true for [`Key::Other`], of which nothing is known.
    #[must_use]
    pub const fn has(self, key: Key) -> bool {
        matches!(key, Key::Other) || self.0 & bit(key) != 0
    }

    /// Whether it has any of these keys.
    #[must_use]
    pub const fn has_any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// The set of these keys.
    #[must_use]
    pub const fn of(keys: &[Key]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < keys.len() {
            set |= bit(keys[at]);
            at += 1;
        }
        Self(set)
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = ALL.iter().filter(|&&key| key != Key::Other && self.has(key));
        f.debug_set().entries(held).finish()
    }
}

const fn bit(key: Key) -> u128 {
    if matches!(key, Key::Other) { 0 } else { 1 << key as u32 }
}

/// Slots of the index: four for each key, so that most unknown keys meet a vacant one at once.
const SLOTS: usize = 512;
const VACANT: u8 = Key::Other as u8;
static INDEX: [u8; SLOTS] = index();

const fn index() -> [u8; SLOTS] {
    let mut table = [VACANT; SLOTS];
    let mut at = 0;
    while at < KEYS - 1 {
        let mut slot = hash(NAMES[at].as_bytes());
        while table[slot] != VACANT {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = ALL[at] as u8;
        at += 1;
    }
    table
}

/// Length and three letters tell the known keys apart well enough.
const fn hash(name: &[u8]) -> usize {
    let len = name.len();
    if len == 0 {
        return 0;
    }
    let mixed = len * 61
        + name[len - 1] as usize * 7
        + name[len / 2] as usize * 29
        + name[len * 3 / 4] as usize * 113;
    mixed % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_recognised_and_nothing_else() {
        for (name, key) in NAMES.iter().zip(ALL) {
            assert_eq!(Key::of(name.as_bytes()), key, "{name}");
            assert_eq!(key.as_str(), *name);
        }
        for other in ["", "e", "envs", "_dd.p.di", "http.status_codes", "customer.id"] {
            assert_eq!(Key::of(other.as_bytes()), Key::Other, "{other}");
        }
    }

    #[test]
    fn known_keys_rarely_share_a_slot() {
        let longest = NAMES[..KEYS - 1].iter().zip(ALL).map(|(name, key)| {
            let home = hash(name.as_bytes());
            let at = (0..SLOTS).find(|n| INDEX[(home + n) % SLOTS] == key as u8);
            at.unwrap()
        });
        assert!(longest.max().unwrap() <= 6);
    }

    #[test]
    fn the_peer_keys_come_first_and_sorted() {
        let names: Vec<&str> = Key::peer_tags().iter().map(|key| key.as_str()).collect();
        assert_eq!((names.len(), names[0]), (PEER_KEYS, "_dd.base_service"));
        assert!(names.is_sorted());
        assert!(!KeySet::PEER_TAGS.has(Key::Env));
    }

    #[test]
    fn a_set_says_what_it_has() {
        let mut set = KeySet::of(&[Key::Env]);
        set.insert(Key::PeerService);
        set.insert(Key::Other);
        assert!(set.has(Key::Env) && set.has(Key::Other) && !set.has(Key::Version));
        assert!(set.has_any(KeySet::PEER_TAGS));
        assert_eq!(format!("{set:?}"), "{PeerService, Env}");
    }
}
