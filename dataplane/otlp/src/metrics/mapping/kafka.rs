//! Metrics of Kafka and of collections of the JVM, as the JMX receiver has them, under the names of
//! our checks with the tags that those have. spec: otlp §6.2.

use super::{Mapping, is};

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::host("kafka.producer.request-rate", "kafka.producer.request_rate")
        .with(&[("type", "producer-metrics")]),
    Mapping::host("kafka.producer.response-rate", "kafka.producer.response_rate")
        .with(&[("type", "producer-metrics")]),
    Mapping::host("kafka.producer.request-latency-avg", "kafka.producer.request_latency_avg")
        .with(&[("type", "producer-metrics")]),
    Mapping::host("kafka.producer.outgoing-byte-rate", "kafka.producer.bytes_out")
        .with(&[("type", "producer-metrics")]),
    Mapping::host("kafka.producer.io-wait-time-ns-avg", "kafka.producer.io_wait")
        .with(&[("type", "producer-metrics")]),
    Mapping::host("kafka.producer.byte-rate", "kafka.producer.bytes_out")
        .with(&[("type", "producer-topic-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.producer.compression-rate", "kafka.producer.compression_rate")
        .with(&[("type", "producer-topic-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.producer.record-error-rate", "kafka.producer.record_error_rate")
        .with(&[("type", "producer-topic-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.producer.record-retry-rate", "kafka.producer.record_retry_rate")
        .with(&[("type", "producer-topic-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.producer.record-send-rate", "kafka.producer.record_send_rate")
        .with(&[("type", "producer-topic-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.consumer.total.bytes-consumed-rate", "kafka.consumer.bytes_in")
        .with(&[("type", "consumer-fetch-manager-metrics")]),
    Mapping::host("kafka.consumer.total.records-consumed-rate", "kafka.consumer.messages_in")
        .with(&[("type", "consumer-fetch-manager-metrics")]),
    Mapping::host("kafka.consumer.bytes-consumed-rate", "kafka.consumer.bytes_consumed")
        .with(&[("type", "consumer-fetch-manager-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.consumer.records-consumed-rate", "kafka.consumer.records_consumed")
        .with(&[("type", "consumer-fetch-manager-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.consumer.fetch-size-avg", "kafka.consumer.fetch_size_avg")
        .with(&[("type", "consumer-fetch-manager-metrics")])
        .doubling("client-id", "client"),
    Mapping::host("kafka.network.io", "kafka.net.bytes_out.rate")
        .only(&[is("state", &["out"])])
        .with(&[("type", "BrokerTopicMetrics"), ("name", "BytesOutPerSec")]),
    Mapping::host("kafka.network.io", "kafka.net.bytes_in.rate")
        .only(&[is("state", &["in"])])
        .with(&[("type", "BrokerTopicMetrics"), ("name", "BytesInPerSec")]),
    Mapping::host("kafka.purgatory.size", "kafka.request.producer_request_purgatory.size")
        .only(&[is("type", &["produce"])])
        .with(&[
            ("type", "DelayedOperationPurgatory"),
            ("name", "PurgatorySize"),
            ("delayedOperation", "Produce"),
        ]),
    Mapping::host("kafka.purgatory.size", "kafka.request.fetch_request_purgatory.size")
        .only(&[is("type", &["fetch"])])
        .with(&[
            ("type", "DelayedOperationPurgatory"),
            ("name", "PurgatorySize"),
            ("delayedOperation", "Fetch"),
        ]),
    Mapping::host(
        "kafka.partition.under_replicated",
        "kafka.replication.under_replicated_partitions",
    )
    .with(&[("type", "ReplicaManager"), ("name", "UnderReplicatedPartitions")]),
    Mapping::host("kafka.isr.operation.count", "kafka.replication.isr_shrinks.rate")
        .only(&[is("operation", &["shrink"])])
        .with(&[("type", "ReplicaManager"), ("name", "IsrShrinksPerSec")]),
    Mapping::host("kafka.isr.operation.count", "kafka.replication.isr_expands.rate")
        .only(&[is("operation", &["expand"])])
        .with(&[("type", "ReplicaManager"), ("name", "IsrExpandsPerSec")]),
    Mapping::host("kafka.leader.election.rate", "kafka.replication.leader_elections.rate")
        .with(&[("type", "ControllerStats"), ("name", "LeaderElectionRateAndTimeMs")]),
    Mapping::host("kafka.unclean.election.rate", "kafka.replication.unclean_leader_elections.rate")
        .with(&[("type", "ControllerStats"), ("name", "UncleanLeaderElectionsPerSec")]),
    Mapping::host("kafka.partition.offline", "kafka.replication.offline_partitions_count")
        .with(&[("type", "KafkaController"), ("name", "OfflinePartitionsCount")]),
    Mapping::host("kafka.controller.active.count", "kafka.replication.active_controller_count")
        .with(&[("type", "KafkaController"), ("name", "ActiveControllerCount")]),
    Mapping::host("kafka.partition.count", "kafka.replication.partition_count")
        .with(&[("type", "ReplicaManager"), ("name", "PartitionCount")]),
    Mapping::host("kafka.max.lag", "kafka.replication.max_lag").with(&[
        ("type", "ReplicaFetcherManager"),
        ("name", "MaxLag"),
        ("clientId", "replica"),
    ]),
    Mapping::host("kafka.request.time.avg", "kafka.request.produce.time.avg")
        .only(&[is("type", &["produce"])])
        .with(&[("type", "RequestMetrics"), ("name", "TotalTimeMs"), ("request", "Produce")]),
    Mapping::host("kafka.request.time.avg", "kafka.request.fetch_consumer.time.avg")
        .only(&[is("type", &["fetchconsumer"])])
        .with(&[("type", "RequestMetrics"), ("name", "TotalTimeMs"), ("request", "FetchConsumer")]),
    Mapping::host("kafka.request.time.avg", "kafka.request.fetch_follower.time.avg")
        .only(&[is("type", &["fetchfollower"])])
        .with(&[("type", "RequestMetrics"), ("name", "TotalTimeMs"), ("request", "FetchFollower")]),
    Mapping::host("kafka.request.time.99p", "kafka.request.produce.time.99percentile")
        .only(&[is("type", &["produce"])])
        .with(&[("type", "RequestMetrics"), ("name", "TotalTimeMs"), ("request", "Produce")]),
    Mapping::host("kafka.request.time.99p", "kafka.request.fetch_consumer.time.99percentile")
        .only(&[is("type", &["fetchconsumer"])])
        .with(&[("type", "RequestMetrics"), ("name", "TotalTimeMs"), ("request", "FetchConsumer")]),
    Mapping::host("kafka.request.time.99p", "kafka.request.fetch_follower.time.99percentile")
        .only(&[is("type", &["fetchfollower"])])
        .with(&[("type", "RequestMetrics"), ("name", "TotalTimeMs"), ("request", "FetchFollower")]),
    Mapping::host("kafka.message.count", "kafka.messages_in.rate")
        .with(&[("type", "BrokerTopicMetrics"), ("name", "MessagesInPerSec")]),
    Mapping::host("kafka.request.failed", "kafka.request.produce.failed.rate")
        .only(&[is("type", &["produce"])])
        .with(&[("type", "BrokerTopicMetrics"), ("name", "FailedProduceRequestsPerSec")]),
    Mapping::host("kafka.request.failed", "kafka.request.fetch.failed.rate")
        .only(&[is("type", &["fetch"])])
        .with(&[("type", "BrokerTopicMetrics"), ("name", "FailedFetchRequestsPerSec")]),
    Mapping::host("kafka.request.queue", "kafka.request.channel.queue.size")
        .with(&[("type", "RequestChannel"), ("name", "RequestQueueSize")]),
    Mapping::host("kafka.logs.flush.time.count", "kafka.log.flush_rate.rate")
        .with(&[("type", "LogFlushStats"), ("name", "LogFlushRateAndTimeMs")]),
    Mapping::host("kafka.partition.current_offset", "kafka.broker_offset")
        .doubling("group", "consumer_group"),
    Mapping::host("kafka.consumer_group.lag", "kafka.consumer_lag")
        .doubling("group", "consumer_group"),
    Mapping::host("kafka.consumer_group.offset", "kafka.consumer_offset")
        .doubling("group", "consumer_group"),
    Mapping::host("jvm.gc.collections.count", "jvm.gc.minor_collection_count")
        .only(&[is("name", &["Copy", "PS Scavenge", "ParNew", "G1 Young Generation"])])
        .with(&[("type", "GarbageCollector")]),
    Mapping::host("jvm.gc.collections.count", "jvm.gc.major_collection_count")
        .only(&[is(
            "name",
            &[
                "MarkSweepCompact",
                "PS MarkSweep",
                "ConcurrentMarkSweep",
                "G1 Mixed Generation",
                "G1 Old Generation",
                "Shenandoah Cycles",
                "ZGC",
            ],
        )])
        .with(&[("type", "GarbageCollector")]),
    Mapping::host("jvm.gc.collections.elapsed", "jvm.gc.minor_collection_time")
        .only(&[is("name", &["Copy", "PS Scavenge", "ParNew", "G1 Young Generation"])])
        .with(&[("type", "GarbageCollector")]),
    Mapping::host("jvm.gc.collections.elapsed", "jvm.gc.major_collection_time")
        .only(&[is(
            "name",
            &[
                "MarkSweepCompact",
                "PS MarkSweep",
                "ConcurrentMarkSweep",
                "G1 Mixed Generation",
                "G1 Old Generation",
                "Shenandoah Cycles",
                "ZGC",
            ],
        )])
        .with(&[("type", "GarbageCollector")]),
];
