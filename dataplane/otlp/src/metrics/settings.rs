//! Settings of the translation of metrics. spec: otlp §8.

/// The keys `otlp_config.metrics.…`, and what has no key yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    /// `resource_attributes_as_tags`: every attribute of the resource is a tag of each point,
    /// beside those that always are.
    pub resource_attributes_as_tags: bool,
    /// `instrumentation_scope_metadata_as_tags`: name, version and attributes of the scope are
    /// tags.
    pub instrumentation_scope_metadata_as_tags: bool,
    /// `delta_ttl`: seconds after which a cumulative series without points is forgotten, at least
    /// 1.
    pub delta_ttl_secs: u32,
    /// `histograms.mode`.
    pub histogram_mode: HistogramMode,
    /// `histograms.send_aggregation_metrics`: count, sum, min and max are sent as series too.
    pub send_aggregation_metrics: bool,
    /// `histograms.send_count_sum_metrics`: the older name, which wins where it is set.
    pub send_count_sum_metrics: Option<bool>,
    /// `sums.cumulative_monotonic_mode`.
    pub cumulative_monotonic_mode: CumulativeMode,
    /// `sums.initial_cumulative_monotonic_value`, where it is set; `auto` otherwise.
    pub initial_cumulative_monotonic_value: Option<InitialValue>,
    /// `summaries.mode`.
    pub summary_mode: SummaryMode,
    /// `tags`: tags of every point.
    pub tags: Vec<String>,
    /// Cumulative series that are remembered at once, about 100 bytes each. Further ones are
    /// dropped and counted until others are forgotten.
    pub cumulative_series_max: usize,
    /// Metrics of a runtime are copied under the names of our own runtime metrics. spec: §6.1.
    pub maps_runtime_metrics: bool,
    /// Metrics of hosts, containers, Kafka and the JVM are copied under the names of our checks.
    /// Off where the agent collects them itself: the copies would be added to its own. spec: §6.2.
    pub remaps_host_metrics: bool,
    /// Series have units. spec: §5.9.
    pub has_units: bool,
    /// Counts have the interval between start and time of their point, if it is of whole seconds.
    /// spec: §5.7.
    pub infers_interval: bool,
    /// What is known of a bucket from 0 to its bound.
    pub zero_bucket: ZeroBucket,
}

/// What a histogram becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistogramMode {
    /// `distributions`: a sketch.
    #[default]
    Distributions,
    /// `counters`: a count for each bucket.
    Counters,
    /// `nobuckets`: count, sum, min and max only.
    NoBuckets,
}

/// What a cumulative, monotonic sum becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CumulativeMode {
    /// `to_delta`: a count of the differences.
    #[default]
    ToDelta,
    /// `raw_value`: a gauge.
    RawValue,
}

/// Whether the first value of a cumulative sum is sent. spec: otlp §5.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialValue {
    /// `auto`: if the series began after this agent.
    #[default]
    Auto,
    /// `keep`: always.
    Keep,
    /// `drop`: never.
    Drop,
}

/// What becomes of the quantiles of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SummaryMode {
    /// `gauges`: a gauge for each.
    #[default]
    Gauges,
    /// `noquantiles`: nothing.
    NoQuantiles,
}

/// Where the samples of a bucket from 0 to a bound above lie. spec: otlp §11.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroBucket {
    /// At the bound, as in agents of 2026.
    #[default]
    AtBound,
    /// Anywhere between, as before: most of them near 0, and low percentiles with them.
    Spread,
}

/// Why settings are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Nothing would be left of a histogram.
    #[error(
        "otlp_config.metrics.histograms.mode: `nobuckets` sends nothing of a histogram unless \
         otlp_config.metrics.histograms.send_aggregation_metrics is true"
    )]
    NothingOfHistograms,
    /// A series would be forgotten at once.
    #[error("otlp_config.metrics.delta_ttl: must be at least 1 second")]
    NoTtl,
    /// There are no initial values of sums that are sent as they are.
    #[error(
        "otlp_config.metrics.sums.initial_cumulative_monotonic_value: has no meaning with \
         otlp_config.metrics.sums.cumulative_monotonic_mode `raw_value`; remove one of them"
    )]
    InitialOfRaw,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self {
            resource_attributes_as_tags: false,
            instrumentation_scope_metadata_as_tags: true,
            delta_ttl_secs: 3600,
            histogram_mode: HistogramMode::default(),
            send_aggregation_metrics: false,
            send_count_sum_metrics: None,
            cumulative_monotonic_mode: CumulativeMode::default(),
            initial_cumulative_monotonic_value: None,
            summary_mode: SummaryMode::default(),
            tags: Vec::new(),
            cumulative_series_max: 500_000,
            maps_runtime_metrics: true,
            remaps_host_metrics: false,
            has_units: false,
            infers_interval: false,
            zero_bucket: ZeroBucket::default(),
        }
    }
}

impl MetricsSettings {
    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn validate(&self) -> Result<(), SettingsError> {
        let is_raw = self.cumulative_monotonic_mode == CumulativeMode::RawValue;
        if self.histogram_mode == HistogramMode::NoBuckets && !self.sends_aggregations() {
            Err(SettingsError::NothingOfHistograms)
        } else if self.delta_ttl_secs == 0 {
            Err(SettingsError::NoTtl)
        } else if is_raw && self.initial_cumulative_monotonic_value.is_some() {
            Err(SettingsError::InitialOfRaw)
        } else {
            Ok(())
        }
    }

    /// Whether count, sum, min and max of histograms are sent as series.
    pub(crate) fn sends_aggregations(&self) -> bool {
        self.send_count_sum_metrics.unwrap_or(self.send_aggregation_metrics)
    }

    pub(crate) fn initial_value(&self) -> InitialValue {
        self.initial_cumulative_monotonic_value.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_refused() {
        let settings = MetricsSettings::default();
        assert_eq!(settings.validate(), Ok(()));
        let no_buckets =
            MetricsSettings { histogram_mode: HistogramMode::NoBuckets, ..settings.clone() };
        assert_eq!(no_buckets.validate(), Err(SettingsError::NothingOfHistograms));
        let by_old_name = MetricsSettings { send_count_sum_metrics: Some(true), ..no_buckets };
        assert_eq!(by_old_name.validate(), Ok(()));
        let no_ttl = MetricsSettings { delta_ttl_secs: 0, ..settings.clone() };
        assert_eq!(no_ttl.validate(), Err(SettingsError::NoTtl));
        let raw = MetricsSettings {
            cumulative_monotonic_mode: CumulativeMode::RawValue,
            initial_cumulative_monotonic_value: Some(InitialValue::Auto),
            ..settings
        };
        assert_eq!(raw.validate(), Err(SettingsError::InitialOfRaw));
    }

    #[test]
    fn the_older_name_of_aggregations_wins() {
        let settings = MetricsSettings {
            send_aggregation_metrics: true,
            send_count_sum_metrics: Some(false),
            ..MetricsSettings::default()
        };
        assert!(!settings.sends_aggregations());
    }
}
