//! Keys to the settings of the translation of OTLP metrics. spec: otlp §8

use config::{BoolKey, Config, keys};
use otlp::metrics::{
    CumulativeMode, HistogramMode, InitialValue, MetricsSettings, SummaryMode, Translator,
};

use crate::agent::StartError;
use crate::starting::IngestStart;

/// The translator of one agent.
pub(super) fn translator(start: &IngestStart<'_>) -> Result<Translator, StartError> {
    let started_ns = start.started_unix_secs.saturating_mul(1_000_000_000);
    let settings = settings(start.config);
    let translator = Translator::new(settings, start.keys.clone(), start.host, started_ns);
    translator.map_err(|error| StartError::Ingest(error.to_string()))
}

fn settings(config: &Config) -> MetricsSettings {
    let set = |key: BoolKey| config.is_set(key).then(|| config.bool(key));
    let tags = config.str(keys::OTLP_METRICS_TAGS).split(',').map(str::trim);
    MetricsSettings {
        resource_attributes_as_tags: config.bool(keys::OTLP_METRICS_RESOURCE_TAGS),
        instrumentation_scope_metadata_as_tags: config.bool(keys::OTLP_METRICS_SCOPE_TAGS),
        delta_ttl_secs: u32::try_from(config.int(keys::OTLP_METRICS_DELTA_TTL)).unwrap_or(u32::MAX),
        histogram_mode: match config.str(keys::OTLP_HISTOGRAMS_MODE) {
            "counters" => HistogramMode::Counters,
            "nobuckets" => HistogramMode::NoBuckets,
            _ => HistogramMode::Distributions,
        },
        send_aggregation_metrics: config.bool(keys::OTLP_HISTOGRAMS_AGGREGATIONS),
        send_count_sum_metrics: set(keys::OTLP_HISTOGRAMS_COUNT_SUM),
        cumulative_monotonic_mode: match config.str(keys::OTLP_SUMS_MODE) {
            "raw_value" => CumulativeMode::RawValue,
            _ => CumulativeMode::ToDelta,
        },
        initial_cumulative_monotonic_value: config.is_set(keys::OTLP_SUMS_INITIAL).then(|| {
            match config.str(keys::OTLP_SUMS_INITIAL) {
                "keep" => InitialValue::Keep,
                "drop" => InitialValue::Drop,
                _ => InitialValue::Auto,
            }
        }),
        summary_mode: match config.str(keys::OTLP_SUMMARIES_MODE) {
            "noquantiles" => SummaryMode::NoQuantiles,
            _ => SummaryMode::Gauges,
        },
        tags: tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        cumulative_series_max: config.count(keys::OTLP_CUMULATIVE_MAX),
        remaps_host_metrics: config.bool(keys::OTLP_METRICS_REMAP),
        ..MetricsSettings::default()
    }
}
