//! Aggregation of samples into series and sketches. spec: dogstatsd §3.6, §8.

use super::{keys, refuse};

keys! { AGGREGATION;
    DOGSTATSD_CONTEXT_EXPIRY_SECONDS: IntKey = "dogstatsd_context_expiry_seconds", "20",
        "A context that was not seen for this long is forgotten.",
        [.range(1, 86_400).unit("seconds")];
    DOGSTATSD_EXPIRY_SECONDS: IntKey = "dogstatsd_expiry_seconds", "300",
        "A silent counter reports zero for this long; 0 reports none.",
        [.range(0, 86_400).unit("seconds").aliases(&["counter_expiry_seconds"])];
    DOGSTATSD_NO_AGGREGATION_PIPELINE: BoolKey = "dogstatsd_no_aggregation_pipeline", "true",
        "Sends samples that carry a timestamp as they are; false aggregates them like others.";
    DOGSTATSD_NO_AGGREGATION_PIPELINE_BATCH_SIZE: IntKey =
        "dogstatsd_no_aggregation_pipeline_batch_size", "2048",
        "Timestamped samples per payload.", [.range(1, 100_000).unit("samples")];
    DOGSTATSD_FLUSH_INCOMPLETE_BUCKETS: BoolKey = "dogstatsd_flush_incomplete_buckets", "false",
        "Flushes the open bucket at stop; when not set, `corelane.flush_on_stop` decides.",
        [.aliases(&["aggregate_flush_open_windows"])];
    HISTOGRAM_AGGREGATES: ListKey = "histogram_aggregates", "max median avg count",
        "Series made of each histogram: max, min, median, avg, sum, count.",
        [.check(refuse::aggregates)];
    HISTOGRAM_PERCENTILES: ListKey = "histogram_percentiles", "0.95",
        "Percentiles made of each histogram, as decimals between 0 and 1; empty makes none.",
        [.check(refuse::percentiles)];
    HISTOGRAM_COPY_TO_DISTRIBUTION: BoolKey = "histogram_copy_to_distribution", "false",
        "Records each histogram sample in a distribution too.";
    HISTOGRAM_COPY_TO_DISTRIBUTION_PREFIX: StrKey = "histogram_copy_to_distribution_prefix", "",
        "Put before the name of that distribution; empty leaves the name as it is.";
    AGGREGATOR_STOP_TIMEOUT: IntKey = "aggregator_stop_timeout", "2",
        "Time for the last flush at stop; 0 skips it.", [.range(0, 300).unit("seconds")];
}
