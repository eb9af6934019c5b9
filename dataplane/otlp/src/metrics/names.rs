//! What names of metrics and scopes mean. spec: otlp §4.10, §5.3, §6.3, §6.5.

use std::borrow::Cow;

/// The name under which a metric leaves. spec: otlp §6.3.
pub(crate) fn renamed(name: Cow<'_, str>) -> Cow<'_, str> {
    let prefix = if name.starts_with("system.")
        || name.starts_with("process.")
        || COLLIDING.contains(&&*name)
    {
        "otel."
    } else if name.starts_with("datadog_trace_agent") || name.starts_with("datadog_otlp") {
        "otelcol_"
    } else {
        return name;
    };
    Cow::Owned([prefix, &name].concat())
}

/// Names that the backend makes the same as those of the copies, by turning `-` into `_`.
const COLLIDING: &[&str] = &[
    "kafka.producer.request-rate",
    "kafka.producer.response-rate",
    "kafka.producer.request-latency-avg",
    "kafka.producer.compression-rate",
    "kafka.producer.record-retry-rate",
    "kafka.producer.record-send-rate",
    "kafka.producer.record-error-rate",
    "kafka.consumer.fetch-size-avg",
];

/// Whether cumulative sums of this name become gauges of their change per second. spec: otlp §5.3.
pub(crate) fn is_rate(name: &str) -> bool {
    // Names of others are the most: they differ in the first letters.
    (name.starts_with("kafka.") || name.starts_with("jvm.gc.")) && RATES.contains(&name)
}

const RATES: &[&str] = &[
    "kafka.net.bytes_out.rate",
    "kafka.net.bytes_in.rate",
    "kafka.replication.isr_shrinks.rate",
    "kafka.replication.isr_expands.rate",
    "kafka.replication.leader_elections.rate",
    "jvm.gc.minor_collection_count",
    "jvm.gc.major_collection_count",
    "jvm.gc.minor_collection_time",
    "jvm.gc.major_collection_time",
    "kafka.messages_in.rate",
    "kafka.request.produce.failed.rate",
    "kafka.request.fetch.failed.rate",
    "kafka.replication.unclean_leader_elections.rate",
    "kafka.log.flush_rate.rate",
];

/// Sums that hand payloads from one part of a collector to another. spec: otlp §4.10.
pub(crate) const STATS_PAYLOAD: &str = "dd.internal.stats.payload";
/// Histograms from which APM statistics are made. spec: otlp §4.10.
pub(crate) const SDK_DURATION: &str = "traces.span.sdk.metrics.duration";

/// The number by which product usage knows the receiver of a collector; 0 for any other scope.
/// spec: otlp §6.5.
pub(crate) fn origin_service(scope: &str) -> u32 {
    let receiver = scope.strip_prefix(RECEIVERS).and_then(|rest| rest.split('/').next());
    let name = receiver.and_then(|receiver| receiver.strip_suffix("receiver"));
    let known = RECEIVER_NAMES.iter().position(|known| Some(*known) == name);
    known.and_then(|at| u32::try_from(at).ok()).map_or(0, |at| FIRST_RECEIVER + at)
}

const RECEIVERS: &str = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/";
const FIRST_RECEIVER: u32 = 217;

/// In the order of their numbers, from [`FIRST_RECEIVER`] on without gaps.
const RECEIVER_NAMES: [&str; 42] = [
    "dockerstats",
    "elasticsearch",
    "expvar",
    "filestats",
    "flinkmetrics",
    "gitprovider",
    "haproxy",
    "hostmetrics",
    "httpcheck",
    "iis",
    "k8scluster",
    "kafkametrics",
    "kubeletstats",
    "memcached",
    "mongodbatlas",
    "mongodb",
    "mysql",
    "nginx",
    "nsxt",
    "oracledb",
    "postgresql",
    "prometheus",
    "rabbitmq",
    "redis",
    "riak",
    "saphana",
    "snmp",
    "snowflake",
    "splunkenterprise",
    "sqlserver",
    "sshcheck",
    "statsd",
    "vcenter",
    "zookeeper",
    "activedirectoryds",
    "aerospike",
    "apache",
    "apachespark",
    "azuremonitor",
    "bigip",
    "chrony",
    "couchdb",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_our_own_checks_get_a_prefix() {
        for (name, expected) in [
            ("system.cpu.time", "otel.system.cpu.time"),
            ("process.runtime.go.goroutines", "otel.process.runtime.go.goroutines"),
            ("kafka.consumer.fetch-size-avg", "otel.kafka.consumer.fetch-size-avg"),
            ("kafka.consumer.bytes-consumed-rate", "kafka.consumer.bytes-consumed-rate"),
            ("datadog_otlp.x", "otelcol_datadog_otlp.x"),
            ("http.server.duration", "http.server.duration"),
            ("systems.x", "systems.x"),
        ] {
            assert_eq!(renamed(Cow::Borrowed(name)), expected);
        }
    }

    #[test]
    fn receivers_have_the_numbers_of_the_spec() {
        let scope = |name: &str| format!("{RECEIVERS}{name}");
        assert_eq!(origin_service(&scope("hostmetricsreceiver/disk")), 224);
        assert_eq!(origin_service(&scope("dockerstatsreceiver")), 217);
        assert_eq!(origin_service(&scope("zookeeperreceiver")), 250);
        assert_eq!(origin_service(&scope("couchdbreceiver/x/y")), 258);
        assert_eq!(origin_service(&scope("hostmetrics")), 0);
        assert_eq!(origin_service("hostmetricsreceiver"), 0);
    }
}
